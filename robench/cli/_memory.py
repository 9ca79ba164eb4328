"""What the C library does with memory that is freed."""

from __future__ import annotations

import ctypes
import os
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc
LARGEST_BLOCK, MOST_FREE = 1 << 30, (1 << 31) - 1  # bytes


def keep_freed_memory() -> bool:
    """Have glibc keep freed blocks of up to 1 GiB for the next batch, in this process; whether it does.

    It gives large ones back to the system, and their pages come again one fault at a time: about a tenth of the CPU
    time of a sweep (benchmarks/kept_memory.py). What the environment says of malloc goes first.
    """
    record = any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ)
    if record or not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries lack it
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK) and mallopt(M_TRIM_THRESHOLD, MOST_FREE))
