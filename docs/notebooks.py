"""Execute the notebooks and store them with small outputs: `make notebooks`.

Figures become PNG at most `WIDTH` pixels wide with a palette of 64 colours; tables keep
their HTML. Times and other traces of the machine are not stored. `NAME ...` executes some.
"""

import base64
import io
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "notebooks"
WIDTH = 900
MOST = 60_000
"""Bytes of one output."""


def execute(file: Path) -> None:
    """Run one notebook and write it with its outputs.

    Raises:
        ValueError: if an output is larger than `MOST` bytes.
    """
    notebook = nbformat.read(file, as_version=4)
    NotebookClient(notebook, timeout=900, kernel_name="python3").execute()
    for cell in notebook.cells:
        cell.metadata = {}
        for output in cell.get("outputs", ()):
            _shrink(output, file.name)
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"]}
    nbformat.write(notebook, file)


def _shrink(output: nbformat.NotebookNode, name: str) -> None:
    if output.get("name") == "stderr":
        output["text"] = _plain(output["text"])
    data = output.get("data", {})
    if "image/png" in data:
        data["image/png"] = _small(data["image/png"])
    size = len(str(output))
    if size > MOST:
        raise ValueError(f"{name}: an output of {size} bytes; expected at most {MOST}.")


def _plain(text: str) -> str:
    """Warnings without the place on this machine and the line that called, each once."""
    said = [re.sub(r"^/\S+:\d+: ", "", x) for x in text.splitlines() if x[:1] != " "]
    return "\n".join(dict.fromkeys(said))


def _small(png: str) -> str:
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    image.thumbnail((WIDTH, 10 * WIDTH))
    packed = io.BytesIO()
    image.quantize(64).save(packed, "png", optimize=True)
    return base64.b64encode(packed.getvalue()).decode()


if __name__ == "__main__":
    chosen = sys.argv[1:] or sorted(f.stem for f in FOLDER.glob("*.ipynb"))
    for stem in chosen:
        print(stem, flush=True)
        execute(FOLDER / f"{stem}.ipynb")
