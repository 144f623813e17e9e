"""Reports: one list of sections, written as self-contained HTML and as Markdown."""

from ._report import Figure, Report, Table

__all__ = ["Figure", "Report", "Table"]
