"""How the packages of naion hang together, beyond what import contracts can say."""

import ast
from pathlib import Path

import naion

ROOT = Path(naion.__file__).parent


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
