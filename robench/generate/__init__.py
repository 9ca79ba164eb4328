"""Degraded data sets on disk: written once, the same bytes each time, and checked."""

from robench.generate._canonical import Compared, compare_canonical
from robench.generate._generate import Cells, generate
from robench.generate._verify import verify

__all__ = ["Cells", "Compared", "compare_canonical", "generate", "verify"]
