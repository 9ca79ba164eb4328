"""What has to be settled before numba is imported."""

import os

os.environ["NUMBA_NUM_THREADS"] = "4"  # the most that a test can set, on machines of fewer cores too
