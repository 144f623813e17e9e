"""Reports: one list of sections, written as self-contained HTML and as Markdown."""

from ._report import Figure, Link, Report, TextTable, Words

__all__ = ["Figure", "Link", "Report", "TextTable", "Words"]
