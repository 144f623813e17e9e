"""What MkDocs does for this site beside Markdown.

Tables of `benchmarks/results` and the notebooks, with the outputs that they are stored with,
become pages; links to them work on the site as they do in the repository; equations become
MathML, which browsers draw without a script.
"""

import base64
import re
from pathlib import Path

import nbformat
from latex2mathml.converter import convert
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
NOTEBOOKS = ROOT / "notebooks"
SHOWN = {".md", ".png", ".csv"}
"""Kinds of results that are pages or figures of the site."""


def on_files(files: Files, config) -> Files:
    """Add results and notebooks."""
    for path in sorted(RESULTS.rglob("*")):
        if path.suffix in SHOWN:
            uri = f"results/{path.relative_to(RESULTS).as_posix()}"
            files.append(File.generated(config, uri, content=path.read_bytes()))
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        page, figures = as_page(path)
        uri = f"notebooks/{path.stem}"
        files.append(File.generated(config, f"{uri}.md", content=page))
        for name, png in figures.items():
            files.append(File.generated(config, f"{uri}-{name}", content=png))
    return files


def on_page_markdown(markdown: str, page, config, files: Files) -> str:
    """Links into the repository, and equations."""
    up = "../" * page.file.src_uri.count("/")
    markdown = re.sub(
        r"\]\((?:\.\./)+benchmarks/results/", rf"]({up}results/", markdown
    )
    markdown = re.sub(
        r"\]\((?:\.\./)+notebooks/([\w-]+)\.ipynb", rf"]({up}notebooks/\1.md", markdown
    )
    # Of results, which lie deeper there than here.
    markdown = re.sub(r"\]\((?:\.\./)+docs/", rf"]({up}", markdown)
    return re.sub(r"```math\n(.*?)```", _equation, markdown, flags=re.DOTALL)


def _equation(found: re.Match) -> str:
    """Those beside each other go below each other where the window is narrow."""
    parts = found[1].strip().split(", \\qquad ")
    drawn = "".join(f"<div>{convert(part, display='block')}</div>" for part in parts)
    return f'<div class="equation">{drawn}</div>'


def as_page(path: Path) -> tuple[str, dict[str, bytes]]:
    """A notebook as Markdown, and its figures by name."""
    notebook = nbformat.read(path, as_version=4)
    parts, figures = [], {}
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for k, output in enumerate(cell.outputs):
            name = f"{i}-{k}.png"
            parts.append(_output(output, f"{path.stem}-{name}"))
            png = output.get("data", {}).get("image/png")
            if png is not None:
                figures[name] = base64.b64decode(png)
    where = f"\n\n*From `notebooks/{path.name}`, executed by `make notebooks`.*\n"
    return "\n\n".join(parts) + where, figures


def _output(output, figure: str) -> str:
    data = output.get("data", {})
    if "image/png" in data:
        return f"![output]({figure})"
    if "text/html" in data:
        style = r"<style scoped>.*?</style>"
        table = re.sub(style, "", data["text/html"], flags=re.DOTALL)
        table = "\n".join(line.strip() for line in table.splitlines() if line.strip())
        return f'<div class="output">\n{table}\n</div>'
    text = data.get("text/plain", output.get("text", ""))
    return f"```text\n{text.rstrip()}\n```" if text.strip() else ""
