"""What has to be settled before numba is imported, and a cache of the tests' own."""

import os
from collections.abc import Iterator

import pytest

os.environ["NUMBA_NUM_THREADS"] = "4"  # the most that a test can set, on machines of fewer cores too


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Decoded images of the tests stay out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
