"""Reports: tables, figures with the data behind each, and a page that opens from disk."""

from robench.report._build import build

__all__ = ["build"]
