"""Degraded data sets on disk: written once, the same bytes each time, and checked."""

from robench.export._canonical import Compared, compare_canonical
from robench.export._generate import Cells, generate
from robench.export._verify import verify

__all__ = ["Cells", "Compared", "compare_canonical", "generate", "verify"]
