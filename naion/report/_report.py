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
from typing import Any, NamedTuple

from .._files import write_whole
from .._version import __version__

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto;
  padding: 0 1rem; color: #222; }
table { border-collapse: collapse; font-size: 0.9rem; margin: 1rem 0; }
th, td { border-bottom: 1px solid #ccc; padding: 0.25rem 0.7rem; text-align: left;
  vertical-align: top; }
th { border-bottom: 2px solid #555; }
figure { margin: 1rem 0; }
img { max-width: 100%; height: auto; }
.wide { overflow-x: auto; }
h1, h2, h3, p, figcaption { overflow-wrap: break-word; }
figcaption { font-size: 0.9rem; color: #555; }
"""


@dataclass(frozen=True)
class Link:
    """Text that leads somewhere.

    Attributes:
        text: that is shown.
        to: "#name", a heading of the same report that has this anchor; else a path from
            the report's folder, or an address.
    """

    text: str
    to: str


Words = str | Link | Sequence[str | Link]
"""Text with links in it, or without."""


@dataclass(frozen=True)
class TextTable:
    """A header and rows of text."""

    header: Sequence[str]
    rows: Sequence[Sequence[Words]]


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

    def heading(self, text: str, anchor: str = "", *, inner: bool = False) -> None:
        """Begin a section.

        Args:
            text: of the heading.
            anchor: by which a `Link` leads here.
            inner: whether the section is one of the section before.
        """
        self._parts.append(_Heading(text, anchor, 3 if inner else 2))

    def paragraph(self, *words: str | Link) -> None:
        """Add a paragraph of plain text, with links in it."""
        self._parts.append(words)

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
        """Write report.html, report.md and figures/ below a folder.

        Raises:
            ValueError: for a link to an anchor that no heading has.
        """
        self._check_links()
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
            elif isinstance(part, _Heading):
                page.append(part.html)
                text += [*part.markdown, ""]
            else:
                page.append(f"<p>{_as_html(part)}</p>")
                text += [_as_markdown(part), ""]
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

    def _check_links(self) -> None:
        there = {p.anchor for p in self._parts if isinstance(p, _Heading)}
        for part in self._parts:
            if isinstance(part, Figure | _Heading):
                continue
            rows = part.rows if isinstance(part, TextTable) else [[part]]
            for link in (x for row in rows for words in row for x in _links(words)):
                if link.to.startswith("#") and link.to[1:] not in there:
                    known = ", ".join(sorted(there - {""})) or "none"
                    raise ValueError(
                        f"{self.title}: {link.text!r} leads to {link.to}; anchors of the "
                        f"report's headings are {known}."
                    )


class _Heading(NamedTuple):
    text: str
    anchor: str
    level: int

    @property
    def html(self) -> str:
        own = f' id="{html.escape(self.anchor)}"' if self.anchor else ""
        return f"<h{self.level}{own}>{html.escape(self.text)}</h{self.level}>"

    @property
    def markdown(self) -> list[str]:
        """Its lines; what reads Markdown makes anchors of headings in ways of its own."""
        own = [f'<a id="{html.escape(self.anchor)}"></a>', ""] if self.anchor else []
        return [*own, f"{'#' * self.level} {self.text}"]


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


def _pieces(words: Words) -> Sequence[str | Link]:
    return [words] if isinstance(words, str | Link) else words


def _links(words: Words) -> list[Link]:
    return [x for x in _pieces(words) if isinstance(x, Link)]


def _as_html(words: Words) -> str:
    return "".join(
        f'<a href="{html.escape(x.to)}">{html.escape(x.text)}</a>'
        if isinstance(x, Link)
        else html.escape(x)
        for x in _pieces(words)
    )


def _as_markdown(words: Words) -> str:
    return "".join(
        f"[{x.text}]({x.to})" if isinstance(x, Link) else x for x in _pieces(words)
    )


def _html_table(table: TextTable) -> str:
    def row(cells: Sequence[Words], tag: str) -> str:
        inner = "".join(f"<{tag}>{_as_html(c)}</{tag}>" for c in cells)
        return f"<tr>{inner}</tr>"

    body = "".join(row(r, "td") for r in table.rows)
    return f"<div class='wide'><table>{row(table.header, 'th')}{body}</table></div>"


def _markdown_table(table: TextTable) -> str:
    # What is between bars in a cell is no cell.
    every = (table.header, *table.rows)
    rows = [[_as_markdown(c).replace("|", "\\|") for c in r] for r in every]
    lines = [rows[0], ["---"] * len(table.header), *rows[1:]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
