"""Text files in and out: encodings, and files that are written whole or not at all."""

import codecs
import contextlib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

Table = TypeVar("Table")

# The mark of UTF-32 begins with that of UTF-16, and so comes first.
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

CHINESE = re.compile(
    rb"(?=.*?[\xa1-\xfe]{4})(?:[\x00-\x7f]++|(?:[\xa1-\xf7][\xa1-\xfe])++)*+", re.DOTALL
)
"""Text in GB 2312, of which most of GB 18030 is made, with a word of two characters. Letters
of Latin-1 that are not ASCII seldom stand in pairs, and hardly four in a row."""


def read_text(path: Path | str, fallback: str | None = None) -> str:
    """The text of a file: UTF-8, or what its byte-order mark says.

    Args:
        path: to read.
        fallback: encoding of what is not UTF-8 and not Chinese, such as "latin-1"; none:
            an error.

    Raises:
        ValueError: when there is no such file, or when it is not text, with a remedy.
        OSError: when it cannot be read.
    """
    path = Path(path)
    if not path.is_file():
        there = "is not a file" if path.exists() else "no such file"
        raise ValueError(f"{path}: {there}.")
    content = path.read_bytes()
    encoding = next((e for m, e in MARKS.items() if content.startswith(m)), None)
    try:
        text = content.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding is not None or fallback is None:
            raise ValueError(
                f"{path} is not {encoding or 'UTF-8'} text (byte {error.start + 1}); save "
                "it as UTF-8."
            ) from None
        chinese = CHINESE.fullmatch(content) is not None
        text = content.decode("gb18030" if chinese else fallback)
    if "\0" in text:
        raise ValueError(
            f"{path} is not a text file, or UTF-16 without its byte-order mark; save it "
            "as text in UTF-8."
        )
    return text


def read_toml(path: Path | str) -> dict[str, Any]:
    """A TOML file.

    Raises:
        ValueError: when there is none, or when it is not TOML, with the line.
    """
    text = read_text(path)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError(f"{path} is not TOML: nested too deeply.") from None
    except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
        twice = str(error).startswith("Cannot ")
        hint = (
            ". A key or a table stands twice; tables of which there are several need "
            "double brackets, [[data]]"
        )
        raise ValueError(f"{path} is not TOML: {error}{hint * twice}.") from None


def writable(path: Path | str, inputs: Iterable[Path | str | None] = ()) -> Path:
    """A file that can be written, as far as can be known before; its folder is made.

    Args:
        path: of the file.
        inputs: what its content is made from, which it must not replace; names that are
            no files' are passed over.

    Raises:
        ValueError: when the path is not a file's, or an input's.
        OSError: when the folder cannot be made or written to.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give the name of a file.")
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is not an ordinary file.")
    for given in filter(None, inputs):
        if path.exists() and Path(given).exists() and path.samefile(given):
            raise ValueError(
                f"{path} is what this command reads: give its output another name."
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(13, "the folder cannot be written to", str(path))
    return path


def writable_folder(path: Path | str) -> Path:
    """A folder that can be written to, made if there is none.

    Raises:
        ValueError: when the path is not a folder's.
        OSError: when it cannot be made or written to.
    """
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path} is a file; give the name of a folder.")
    path.mkdir(parents=True, exist_ok=True)
    if not os.access(path, os.W_OK):
        raise PermissionError(13, "the folder cannot be written to", str(path))
    return path


def write_whole(path: Path | str, content: bytes | str) -> None:
    """Write a file; a full disk, Ctrl-C or a kill leaves the one before as it was.

    Args:
        path: of the file; its folder is made.
        content: text is written as UTF-8.

    Raises:
        ValueError: when the path is not a file's.
        OSError: naming the file that could not be written.
    """
    path = writable(path)
    data = content.encode() if isinstance(content, str) else content
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with part.open("wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        os.replace(part, path)
    except BaseException as error:
        # Its folder may be a file, which is said below.
        with contextlib.suppress(OSError):
            part.unlink()
        if isinstance(error, OSError):
            said = f"cannot write: {error.strerror}"
            raise OSError(error.errno, said, str(path)) from None
        raise


def table_of(
    tables: Mapping[str, Table], name: str, what: str, file: Path | str | None
) -> Table:
    """A table by its name.

    Args:
        tables: of a file, or those that ship.
        name: of the table.
        what: it describes, such as "design".
        file: the user's, or none.

    Raises:
        KeyError: for an unknown name, with all that there are.
    """
    if name in tables:
        return tables[name]
    where = "" if file is None else f" in {file}"
    there = ", ".join(tables) or "none; write one as a table [NAME]"
    raise KeyError(f"No {what} {name!r}{where}. There are: {there}.")
