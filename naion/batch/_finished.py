"""Parts of a long run that are on disk, so that a killed run goes on where it was."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

ABOUT = "run.json"


class Finished:
    """A folder of finished parts. Each is written whole or not at all.

    Several processes may share the folder, as long as each part is made by one of them.

    Args:
        folder: made if there is none.
        about: JSON data that says what is run, kept in the folder's `run.json`.

    Raises:
        ValueError: when the folder holds parts of another run, saying what differs.
    """

    def __init__(self, folder: Path | str, about: dict[str, Any]):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(about, indent=1, sort_keys=True)
        there = self.about(folder)
        if there is None:
            os.replace(self._aside(text.encode()), self.folder / ABOUT)
        else:
            self._compare(there, json.loads(text))

    @staticmethod
    def about(folder: Path | str) -> dict[str, Any] | None:
        """What is run in a folder, if it says so."""
        file = Path(folder) / ABOUT
        return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None

    def _compare(self, there: dict[str, Any], about: dict[str, Any]) -> None:
        keys = sorted(k for k in {*about, *there} if about.get(k) != there.get(k))
        if keys:
            raise ValueError(
                f"{self.folder} holds results of another run: {', '.join(keys)} "
                f"{'differs' if len(keys) == 1 else 'differ'}. Give another folder, or "
                "delete this one to start anew."
            )

    def __contains__(self, name: str) -> bool:
        return self._file(name).is_file()

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.part"

    def save(self, name: str, content: bytes) -> None:
        """Keep a part; when this returns it survives a kill."""
        os.replace(self._aside(content), self._file(name))

    def load(self, name: str) -> bytes:
        """A part that was kept."""
        return self._file(name).read_bytes()

    def _aside(self, content: bytes) -> str:
        handle, path = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as f:
                f.write(content)
                f.flush()
                os.fsync(f.fileno())
        except BaseException:  # a full disk, or Ctrl-C
            os.unlink(path)
            raise
        return path
