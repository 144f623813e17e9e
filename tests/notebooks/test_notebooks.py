"""Every notebook runs from top to bottom."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"


def every_drawing_has_its_figure(notebook: nbformat.NotebookNode) -> None:
    """One, without a word of `axes.figure`."""
    for cell in notebook.cells:
        if re.search(r"plot\.|\.plot\(|subplots", cell.source * (cell.cell_type == "code")):
            found = sum("image/png" in o.get("data", {}) for o in cell.outputs)
            assert found == 1, cell.source


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda p: p.stem)
@pytest.mark.filterwarnings("ignore")
def test_notebook_runs(path):
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    outputs = [c for c in notebook.cells if c.cell_type == "code" and c.outputs]
    assert len(outputs) >= 3
    every_drawing_has_its_figure(notebook)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda p: p.stem)
def test_notebook_is_stored_with_small_outputs(path):
    """`make notebooks` writes them; nothing of the machine stays."""
    notebook = nbformat.read(path, as_version=4)
    code = [c for c in notebook.cells if c.cell_type == "code"]
    assert sum(bool(c.outputs) for c in code) >= 3
    assert not any(o.output_type == "error" for c in code for o in c.outputs)
    every_drawing_has_its_figure(notebook)
    text = path.read_text(encoding="utf-8")
    assert len(text) < 200_000
    assert not re.search(r"/tmp/|/home/|/root/|ipykernel_", text)
