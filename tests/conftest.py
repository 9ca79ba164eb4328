"""What has to be settled before numba is imported, a cache of the tests' own, and a browser."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from browser import browser

os.environ["NUMBA_NUM_THREADS"] = "4"  # the most that a test can set, on machines of fewer cores too


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Decoded images of the tests stay out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    """A browser for pages; without one the test is skipped, but on CI it fails."""
    with browser() as one:
        yield one
