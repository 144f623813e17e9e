"""Write the pages and the figure that follow from the code: `make docs`."""

import contextlib
import importlib
import io
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import naion
from naion import claims
from naion.cli import main
from naion.cli._fit_file import _schema
from naion.cli._keys import KeyTable, key_tables
from naion.cli._main import COMMANDS
from naion.parameters import QUALITIES, ParameterSet, available, load_set

DOCS = Path(__file__).parent
ROOT = DOCS.parent
WRITTEN = "*Written by `make docs` from {}.*\n"

PACKAGES = (
    "",
    "parameters",
    "properties",
    "mesh",
    "models",
    "physics.kinetics",
    "physics.surface",
    "physics.store",
    "protocol",
    "simulation",
    "plot",
    "io",
    "batch",
    "fit",
    "design",
    "claims",
    "pack",
    "cost",
    "duty",
    "life",
    "comparison",
    "data",
    "report",
    "linalg",
    "solvers",
    "systems",
)
"""Of the reference, in the order of a reader."""


def pages() -> dict[str, str]:
    """All of them, by file below docs."""
    found = {
        "fit-file.md": fit_file(),
        "commands.md": commands(),
        "questions.md": questions(),
        "sets.md": sets(),
        "layers.svg": layers_figure(),
    }
    found["reference/index.md"] = reference_index()
    for name in PACKAGES:
        found[f"reference/{name or 'naion'}.md"] = reference(name)
    return found


# --- A fit's file ---


def fit_file() -> str:
    """Every key of a FIT.toml."""
    parts = [
        "# Files of a fit\n",
        WRITTEN.format("the schema in `naion/cli/_fit_schema.py`"),
        "`naion fit FIT.toml --out DIR` reads a TOML file with these tables and keys; "
        "others are refused, with the nearest name. `naion fit --schema` prints the "
        "same as JSON Schema, which editors check files against; [fits](fit.md) shows "
        "how to begin.\n",
    ]
    return "\n".join([*parts, *map(_keys_of, key_tables(_schema()))])


def _keys_of(table: KeyTable) -> str:
    head = f"## `{table.name}`" if table.name else "## At the top"
    rows = [["key", "expected", "default", "meaning"], ["---"] * 4]
    for key in table.keys:
        form = f"`{key.form}`" if '"' in key.form else key.form
        default = key.default.removeprefix("default ")
        rows.append([f"`{key.name}`", form, default or "none", key.meaning])
    return f"{head}\n\n{table.about}\n\n{_table(rows)}"


# --- Commands ---


def commands() -> str:
    """Help of every command, as it is printed."""
    parts = [
        "# Commands\n",
        WRITTEN.format("`naion COMMAND --help`"),
        "CELL is a set, by name or TOML file, or a `cell.json`. Exit status: 0 "
        "completed, 1 cut-off reached before the "
        "end, 2 bad input, 3 another physical end, 4 numerical failure, 5 internal error "
        "(its traceback in a file), 130 stopped, 141 nobody reads the output any "
        "more. `naion docs TOPIC` prints pages of this "
        "site without a network.\n",
    ]
    for name, about in COMMANDS.items():
        said = about.help.replace("%%", "%")
        parts.append(f"## naion {name}\n\n{said[0].upper()}{said[1:]}.\n")
        parts.append(f"```text\n{_help(name)}\n```\n")
    return "\n".join(parts)


def _help(name: str) -> str:
    said = io.StringIO()
    os.environ |= {"COLUMNS": "80", "NO_COLOR": "1", "PYTHON_COLORS": "0"}
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        main([name, "--help"])
    return said.getvalue().split("\nAll keys (")[0].rstrip()


# --- Questions of claims ---


def questions() -> str:
    """What readings of claims may ask, each with an example."""
    parts = [
        "# Questions of claims\n",
        WRITTEN.format("`naion/claims`"),
        "A reading of a [claim](claims.md) asks one of these. `naion claims --questions` "
        "prints the same. Every number may be a table with a range instead: `{ value = "
        '1.0, range = [0.8, 1.2], quality = "A", source = "..." }`; it is then drawn with '
        "all else that is uncertain, and its share is shown. The examples are a file of "
        "claims (`naion/claims/examples.toml`).\n",
    ]
    shipped = claims.load()
    for name, asked in claims.QUESTIONS.items():
        by = [c.name for c in shipped if any(r.question == name for r in c.readings)]
        gives = ", ".join(f"{what} [{unit}]" for what, unit in asked.quantities)
        rows = [["number", "what it is"], ["---"] * 2]
        rows += [[f"`{number}`", text] for number, text in claims.numbers_of(name)]
        names = ", ".join(f"`{one}`" for one in by) or "none that ships"
        parts.append(f"## {name}\n\n{claims.asks(name)}\n\nGives: {gives}.\n")
        parts.append(_table(rows))
        parts.append(f"```toml\n{claims.example(name)}```\n\nAsked by: {names}.\n")
    return "\n".join(parts)


# --- Parameter sets ---


def sets() -> str:
    """Every number of every set, with its source."""
    chosen = [load_set(name) for name in available()]
    words = ", ".join(f"{key} {word}" for key, word in QUALITIES.items())
    rows = [["set", "cell", *QUALITIES, "A="], ["---"] * (3 + len(QUALITIES))]
    for one in chosen:
        counts = [str(sum(p.quality == q for p in one.provenance)) for q in QUALITIES]
        counts.append(str(sum(p.same_in_all for p in one.provenance)))
        rows.append([f"[`{one.name}`](#{one.name})", one.title, *counts])
    parts = [
        "# Parameter sets\n",
        WRITTEN.format("the TOML files below `naion/parameters/sets`"),
        f"Quality of a number: {words}; A= those of A that are the same assumption in "
        "all sets of the kind, by value or by rule, and so tell no chemistry from another "
        "(`same_in_all`). Counts of numbers by quality:\n",
        _table(rows),
        "`naion sets NAME` lists the same. Ranges are those of the set's level (its "
        "probability); of a table or a formula, of a factor on it. [Your own "
        "cell](cell.md) is a file of the same form.\n",
        *map(_set, chosen),
    ]
    return "\n".join(parts)


def _set(one: ParameterSet) -> str:
    rows = [["number", "value", "unit", "", "range", "source"], ["---"] * 6]
    for p in one.provenance:
        value = p.value if isinstance(p.value, str) else f"{p.value:.6g}"
        between = "" if p.range is None else "{:g} to {:g}".format(*p.range)
        kind = p.quality + ("=" if p.same_in_all else "")
        rows.append([f"`{p.name}`", f"{value}", p.unit, kind, between, p.source])
    levels = sorted({p.level for p in one.provenance if p.level is not None})
    within = " or ".join(f"{100.0 * x:.4g} %" for x in levels)
    level = f" Ranges hold the number with {within}." if within else ""
    return (
        f"## {one.name}\n\n{one.title}. Cite: {one.citation}. Licence: {one.licence}."
        f"{level}\n\n{_table(rows)}"
    )


# --- Layers ---


def layers() -> list[list[str]]:
    """Packages from the top downwards, as the import contract has them."""
    with (ROOT / "pyproject.toml").open("rb") as f:
        contracts = tomllib.load(f)["tool"]["importlinter"]["contracts"]
    return [[p.strip() for p in row.split("|")] for row in contracts[0]["layers"]]


ROW, WIDTH, LEFT = 34, 640, 8


def layers_figure() -> str:
    """One row for each layer; `naion_kernels` below all."""
    rows = [*layers(), ["naion_kernels"]]
    height = ROW * len(rows) + LEFT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="monospace" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for i, row in enumerate(rows):
        wide = (WIDTH - LEFT) / len(row)
        fill = "#dfe5f5" if not row[0].startswith("_") else "#eeeeee"
        fill = "#f5e6d3" if row == ["naion_kernels"] else fill
        size = 13 if len(row) < 6 else 10
        for k, name in enumerate(row):
            x, y = LEFT + k * wide, LEFT + i * ROW
            parts.append(
                f'<rect x="{x:.0f}" y="{y}" width="{wide - LEFT:.0f}" height="{ROW - 8}" '
                f'rx="4" fill="{fill}" stroke="#5567a0"/>'
                f'<text x="{x + 0.5 * (wide - LEFT):.0f}" y="{y + 17}" font-size="{size}" '
                f'text-anchor="middle" fill="#1c2440">{escape(name)}</text>'
            )
    return "\n".join([*parts, "</svg>\n"])


# --- Reference ---


def reference_index() -> str:
    """All packages with what they are for."""
    rows = [["module", "for"], ["---"] * 2]
    for name in PACKAGES:
        module = importlib.import_module(_dotted(name))
        first = (module.__doc__ or "").split("\n\n")[0]
        rows.append(
            [f"[`{_dotted(name)}`]({name or 'naion'}.md)", " ".join(first.split())]
        )
    return "\n".join(
        [
            "# Reference\n",
            WRITTEN.format("`__all__` of every package"),
            "Public is what is listed here. Imports from modules whose names begin "
            "with an underscore may break at any time.\n",
            _table(rows),
        ]
    )


def reference(name: str) -> str:
    """A package's public names."""
    dotted = _dotted(name)
    module = importlib.import_module(dotted)
    first = (module.__doc__ or "").split("\n\n")[0]
    parts = [f"# {dotted}\n", f"{' '.join(first.split())}\n"]
    parts += [f"::: {dotted}.{public}\n" for public in _public(name)]
    return "\n".join(parts)


def _public(name: str) -> Iterator[str]:
    """Names in the order of `__all__`; packages and plain aliases have pages elsewhere."""
    module = importlib.import_module(_dotted(name))
    names = getattr(module, "__all__", None) or [
        n
        for n, v in vars(module).items()
        if getattr(v, "__module__", "") == module.__name__ and not n.startswith("_")
    ]
    for public in names:
        value = getattr(module, public)
        home = getattr(value, "__name__", "")
        if not (name == "" and home.startswith("naion.")):
            yield public


def _dotted(name: str) -> str:
    return f"naion.{name}" if name else "naion"


def _table(rows: list[list[str]]) -> str:
    safe = [
        [cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in safe)


if __name__ == "__main__":
    naion.enable_x64()
    for file, text in pages().items():
        (DOCS / file).parent.mkdir(exist_ok=True)
        (DOCS / file).write_text(text, encoding="utf-8")
