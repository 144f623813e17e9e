"""How the packages of naion hang together, beyond what import contracts can say."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import naion
import naion_kernels

ROOT = Path(naion.__file__).parent
ROOTS = (ROOT, Path(naion_kernels.__file__).parent)


def _private_imports() -> set[tuple[str, str]]:
    found = set()
    for file in ROOT.rglob("*.py"):
        own = file.relative_to(ROOT).parent.parts
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not node.level:
                continue
            above = own[: len(own) - node.level + 1]
            package, *private = [*above, *(node.module or "").split(".")]
            if private and private[0].startswith("_") and own[:1] != (package,):
                name = ".".join([package, *private])
                found.add((file.relative_to(ROOT).as_posix(), name))
    return found


def test_packages_use_what_others_export():
    """No private module of another package."""
    assert _private_imports() == set()


FOR_TYPES = {
    # `Solution` has methods for what these do with one.
    ("naion.simulation._solution", "naion.simulation._frames"),
    ("naion.simulation._solution", "naion.simulation._variables"),
    ("naion.simulation._solution", "naion.simulation.files"),
    # `Fit` likewise.
    ("naion.fit._fit", "naion.fit._certainty"),
    ("naion.fit._fit", "naion.fit._errors"),
}
"""Modules and others that need them for annotations alone: may only get fewer."""


def _modules() -> dict[str, Path]:
    """Files of all modules by name."""
    found = {}
    for root in ROOTS:
        for file in sorted(root.rglob("*.py")):
            parts = (root.name, *file.relative_to(root).with_suffix("").parts)
            found[".".join(parts).removesuffix(".__init__")] = file
    return found


def _imported(name: str, file: Path, known: set[str]) -> Iterator[tuple[str, bool]]:
    """Modules that a module imports anywhere, and whether for annotations alone."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    typing = {
        node
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.unparse(branch.test)
        for node in ast.walk(branch)
    }
    package = name.split(".") if file.stem == "__init__" else name.split(".")[:-1]
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            home = ".".join([*above, *filter(None, [node.module])])
            inside = [f"{home}.{alias.name}" for alias in node.names]
            names = [inner if inner in known else home for inner in inside]
        yield from ((n, node in typing) for n in names if n in known and n != name)


def _edges() -> tuple[dict[str, set[str]], set[tuple[str, str]]]:
    """Imports of every module, and pairs (needed, needing) that are for types alone."""
    modules = _modules()
    runs: dict[str, set[str]] = {name: set() for name in modules}
    typed = set()
    for name, file in modules.items():
        for other, for_types in _imported(name, file, set(modules)):
            if for_types:
                typed.add((other, name))
            else:
                runs[name].add(other)
    return runs, typed


def _circle(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_no_module_needs_itself():
    """No circle of imports, those inside functions included."""
    runs, _ = _edges()
    assert len(runs) > 150 and "naion.simulation" in runs["naion.pack._simulate"]
    assert _circle(runs) == []


def test_annotations_close_few_circles():
    runs, typed = _edges()
    for needed, needing in typed - FOR_TYPES:
        runs[needing].add(needed)
    assert _circle(runs) == []
