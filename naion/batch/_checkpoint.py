"""Checkpoints: finished parts of a long run in a folder, from which it can be resumed."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._cautions import caution
from .._files import write_whole

ABOUT = "run.json"


class Checkpoint:
    """A folder with the finished parts of a run. Each part is written whole or not at all.

    Each part says to which run it belongs, and has a hash: a part that was cut, changed or
    renamed is reported, and counts as missing. The file `run.json` in the folder describes
    the run as well, for people and while there are no parts.

    Several processes may share the folder, as long as no two of them make the same part.

    Args:
        folder: the folder; it is made if it does not exist.
        about: JSON data that describes the run.

    Raises:
        ValueError: when the folder holds parts of another run, saying what differs.
    """

    def __init__(self, folder: Path | str, about: Mapping[str, Any]):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._about: dict[str, Any] = json.loads(json.dumps(about))
        of_parts, (written, trouble) = _of_parts(self.folder), _of_file(self.folder)
        if of_parts is not None:
            self._compare(of_parts)
        elif written is not None and _types(written) == _types(self._about):
            self._compare(written)
        if written != self._about:
            file = self.folder / ABOUT
            if trouble or written is not None:
                trouble = trouble or "does not say what is run here"
                caution(f"{file} {trouble}; it is written anew.")
            write_whole(file, json.dumps(self._about, indent=1, sort_keys=True))

    @staticmethod
    def about(folder: Path | str) -> dict[str, Any] | None:
        """The description of the run in a folder; none if there is none."""
        of_parts = _of_parts(Path(folder))
        return _of_file(Path(folder))[0] if of_parts is None else of_parts

    def _compare(self, there: dict[str, Any]) -> None:
        about = self._about
        keys = sorted(k for k in {*about, *there} if about.get(k) != there.get(k))
        if keys:
            raise ValueError(
                f"{self.folder} holds results of another run: {', '.join(keys)} "
                f"{'differs' if len(keys) == 1 else 'differ'}. Give another folder, or "
                "delete this one to start anew."
            )

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.part"

    def save(self, name: str, content: bytes) -> None:
        """Write a part. Once this returns, the part survives if the process is killed.

        Raises:
            OSError: naming the file, where it cannot be written.
        """
        head = {"about": self._about, "name": name}
        head["sha256"] = _hash(head, content)
        write_whole(self._file(name), json.dumps(head).encode() + b"\n" + content)

    def get(self, name: str) -> bytes | None:
        """The content of a part; none if it is missing, or damaged, which is a `Caution`."""
        if not self._file(name).is_file():
            return None
        try:
            return self._read(name)
        except _Damaged as reason:
            caution(f"{self._file(name)} {reason}; what it held is computed again.")
            return None

    def load(self, name: str) -> bytes:
        """The content of a part.

        Raises:
            ValueError: for a damaged part, naming its file.
        """
        try:
            return self._read(name)
        except _Damaged as reason:
            raise ValueError(
                f"{self._file(name)} {reason}. Run the same again: it is computed anew."
            ) from None

    def _read(self, name: str) -> bytes:
        head, content = _parted(self._file(name))
        if head["about"] != self._about:
            raise _Damaged("is of another run")
        return content


class _Damaged(Exception):
    """What is wrong with a part."""


def _parted(file: Path) -> tuple[dict[str, Any], bytes]:
    """Head and content of a part.

    Raises:
        _Damaged: for anything that `Checkpoint.save` did not write.
    """
    first, _, content = file.read_bytes().partition(b"\n")
    try:
        head = json.loads(first)
    except (ValueError, RecursionError):
        head = None
    known = {"about", "name", "sha256"}
    if not isinstance(head, dict) or set(head) != known:
        raise _Damaged("is damaged, or no part of this version of naion")
    if head["sha256"] != _hash(head, content) or head["name"] != file.stem:
        raise _Damaged("is damaged: it is not as it was written")
    return head, content


def _hash(head: Mapping[str, Any], content: bytes) -> str:
    said = json.dumps([head["about"], head["name"]], sort_keys=True)
    total = hashlib.sha256(said.encode())
    total.update(content)
    return total.hexdigest()


def _of_parts(folder: Path) -> dict[str, Any] | None:
    """The description of the run in the first undamaged part."""
    for file in sorted(folder.glob("*.part")):
        try:
            return _parted(file)[0]["about"]
        except _Damaged:
            continue
    return None


def _of_file(folder: Path) -> tuple[dict[str, Any] | None, str]:
    """The description in `run.json`, or none and what is wrong with the file."""
    file = folder / ABOUT
    if not file.is_file():
        return None, ""
    try:
        said = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return None, "is damaged: it is no JSON"
    if not isinstance(said, dict):
        return None, f"is damaged: it holds {type(said).__name__}, not an object"
    return said, ""


def _types(about: Mapping[str, Any]) -> dict[str, type]:
    return {key: type(value) for key, value in about.items()}
