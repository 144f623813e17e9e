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
        file = self.folder / ABOUT
        text = json.dumps(about, indent=1, sort_keys=True)
        try:
            # Linking fails where the name exists: of many processes one writes it.
            made = self._aside(text.encode())
            os.link(made, file)
        except FileExistsError:
            self._compare(file, json.loads(text))
        finally:
            os.unlink(made)

    def _compare(self, file: Path, about: dict[str, Any]) -> None:
        there = json.loads(file.read_text(encoding="utf-8"))
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
        with os.fdopen(handle, "wb") as f:
            f.write(content)
            f.flush()
            os.fsync(f.fileno())
        return path
