"""The corpus that is kept as text: one case a line, its parts between " || "."""

from pathlib import Path

from .judge import Case

CORPUS = Path(__file__).parent / "corpus"


def rows(name: str) -> list[tuple[str, list[str]]]:
    """Lines of a file, each with the heading in brackets above it, as five or six parts.

    Blank parts at the end may be left out; "\\n" is a new line.
    """
    found, heading = [], ""
    for line in (CORPUS / name).read_text("utf-8").splitlines():
        if line.startswith("[") and " || " not in line:
            heading = line.strip("[]")
        elif line:
            parts = [p.strip(" ").replace("\\n", "\n") for p in f"{line} ".split(" ||")]
            found.append((heading, parts))
    return found


def replaced(text: str, old: str, new: str) -> str:
    """A text with its first `old` replaced, or what `old` stands for.

    Nothing: `new` is put at the end; "^": at the beginning; "A ...": from A to the end;
    "A ... B": from A up to B; "...": everything.
    """
    if not old:
        return text + new
    if old == "^":
        return new + text
    first, dots, last = (part.strip(" ") for part in old.partition("..."))
    if not dots:
        assert old in text, f"{old!r} is not in the good file"
        return text.replace(old, new, 1)
    begin = text.index(first)
    end = text.index(last, begin) if last else len(text)
    return text[:begin] + new + text[end:]


def cases(
    name: str, door: str, argv: tuple[str, ...], file: str, good: str, **others: str
) -> list[Case]:
    """Cases of a file of the corpus: one thing changed in a good text.

    Args:
        name: of the corpus's file.
        door: what they knock at.
        argv: how the command line is called.
        file: that is changed.
        good: its right content.
        others: files beside it, by name with "_" for a dot.
    """
    beside = {key.replace("_", "."): text for key, text in others.items()}
    found = []
    for _, (title, old, new, place, given, expected) in rows(name):
        files: dict[str, str | bytes] = {**beside, file: replaced(good, old, new)}
        where = rf"{file}[\s\S]*({place})"
        found.append(Case(door, title, argv, where, given, expected, files))
    return found
