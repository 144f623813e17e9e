"""A report is headings, paragraphs, tables and figures, in order."""

import base64
import html
import io
import os
import platform
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .._files import write_whole
from .._version import __version__

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto;
  padding: 0 1rem; color: #222; }
table { border-collapse: collapse; font-size: 0.9rem; margin: 1rem 0; }
th, td { border-bottom: 1px solid #ccc; padding: 0.25rem 0.7rem; text-align: left; }
th { border-bottom: 2px solid #555; }
figure { margin: 1rem 0; }
img { max-width: 100%; height: auto; }
.wide { overflow-x: auto; }
h1, h2, p, figcaption { overflow-wrap: break-word; }
figcaption { font-size: 0.9rem; color: #555; }
"""


@dataclass(frozen=True)
class TextTable:
    """A header and rows of text."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Figure:
    """A matplotlib figure, or a PNG, with a file name and a caption."""

    name: str
    figure: Any
    caption: str

    def png(self) -> bytes:
        """The figure as a PNG."""
        if isinstance(self.figure, bytes):
            return self.figure
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=110)
        return buffer.getvalue()


@dataclass
class Report:
    """A title and its sections."""

    title: str
    _parts: list[Any] = field(default_factory=list)

    def heading(self, text: str) -> None:
        """Begin a section."""
        self._parts.append(("h2", text))

    def paragraph(self, text: str) -> None:
        """Add a paragraph of plain text."""
        self._parts.append(("p", text))

    def add(self, part: TextTable | Figure) -> None:
        """Add a table or a figure.

        Raises:
            TypeError: for anything else.
        """
        if not isinstance(part, TextTable | Figure):
            raise TypeError(
                f"Report.add takes a TextTable or a Figure, got {part!r:.60}; text is added "
                "with `paragraph`."
            )
        self._parts.append(part)

    def write(self, folder: Path) -> None:
        """Write report.html, report.md and figures/ below a folder."""
        (folder / "figures").mkdir(parents=True, exist_ok=True)
        made = made_by()
        page = [f"<h1>{html.escape(self.title)}</h1>"]
        text = [f"# {self.title}", ""]
        for part in self._parts:
            if isinstance(part, TextTable):
                page.append(_html_table(part))
                text += [_markdown_table(part), ""]
            elif isinstance(part, Figure):
                data = part.png()
                write_whole(folder / "figures" / f"{part.name}.png", data)
                encoded = base64.b64encode(data).decode()
                page.append(
                    f'<figure><img alt="{html.escape(part.caption)}" '
                    f'src="data:image/png;base64,{encoded}">'
                    f"<figcaption>{html.escape(part.caption)}</figcaption></figure>"
                )
                text += [f"![{part.caption}](figures/{part.name}.png)", ""]
            else:
                kind, content = part
                page.append(f"<{kind}>{html.escape(content)}</{kind}>")
                text += [f"## {content}" if kind == "h2" else content, ""]
        page.append(f"<h2>How this was made</h2><p>{html.escape(made)}</p>")
        text += ["## How this was made", "", made, ""]
        document = (
            "<!doctype html><html lang='en'><meta charset='utf-8'>"
            "<meta name='viewport' content='width=device-width, initial-scale=1'>"
            f"<title>{html.escape(self.title)}</title><style>{_STYLE}</style>"
            f"<body>{''.join(page)}</body></html>\n"
        )
        write_whole(folder / "report.html", document)
        write_whole(folder / "report.md", "\n".join(text))


def made_by() -> str:
    """When, with what, on which machine, and the command that does it again."""
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    program = Path(sys.argv[0]).name if sys.argv else ""
    with_what = f"naion {__version__}, Python {platform.python_version()}, {machine}"
    if program not in ("naion", "__main__.py"):
        return f"{when}, with {with_what}."
    again = shlex.join(["naion", *sys.argv[1:]])
    return f"{when}, with {with_what}. Again: {again}"


def _html_table(table: TextTable) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        inner = "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells)
        return f"<tr>{inner}</tr>"

    body = "".join(row(r, "td") for r in table.rows)
    return f"<div class='wide'><table>{row(table.header, 'th')}{body}</table></div>"


def _markdown_table(table: TextTable) -> str:
    # What is between bars in a cell is no cell.
    rows = [[c.replace("|", "\\|") for c in r] for r in (table.header, *table.rows)]
    lines = [rows[0], ["---"] * len(table.header), *rows[1:]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
