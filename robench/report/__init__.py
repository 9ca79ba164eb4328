"""Reports: tables, figures with the data behind each, and a page that opens from disk."""

from robench.report._build import build, sections
from robench.report._figures import drawings
from robench.report._section import Section

__all__ = ["Section", "build", "drawings", "sections"]
