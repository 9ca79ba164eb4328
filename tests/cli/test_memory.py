"""Freed memory is kept for the next batch; in processes of their own, as it cannot be undone."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
FAULTS = """
import resource
import numpy as np
from robench.cli._memory import keep_freed_memory

kept = keep_freed_memory()
for turn in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(1 << 27, np.uint8)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(kept, faults)
"""


def faults(**variables: str) -> tuple[bool, int]:
    """Whether memory is kept, and the page faults of a block of 128 MiB after two of them were freed."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    said = subprocess.run(
        [sys.executable, "-c", FAULTS], env=plain | variables, check=True, capture_output=True, text=True
    )
    kept, number = said.stdout.split()
    return kept == "True", int(number)


def test_a_block_that_was_freed_is_used_again_without_a_page_fault() -> None:
    kept, number = faults()
    assert kept
    assert number <= 4


def test_what_the_environment_says_of_malloc_goes_first() -> None:
    kept, number = faults(MALLOC_ARENA_MAX="4")
    assert not kept
    assert number > 16
