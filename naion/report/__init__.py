"""Reports: one list of sections, written as self-contained HTML and as Markdown."""

from ._report import Figure, Report, TextTable

__all__ = ["Figure", "Report", "TextTable"]
