"""Folders whose content may be run: nobody but this user can write to them."""

import os
import stat
import tempfile
from pathlib import Path

from ._cautions import caution_once

_ALL = "HOME, or NAION_KERNEL_CACHE and JAX_COMPILATION_CACHE_DIR,"


def cache_folder(name: str, given: str | None, variable: str) -> Path:
    """A folder for compiled programs; made, with mode 0700, if it is not there.

    Args:
        name: of the folder below ~/.cache/naion that is used if none is given.
        given: another folder.
        variable: of the environment, which gives another folder; for the message.

    Raises:
        OSError: with the reason, if it cannot be made, or if somebody else may write to
            it: see `refused`.
    """
    try:
        if given:
            folder = Path(given).absolute()
            _make(folder)
        else:
            ours = Path.home().absolute() / ".cache" / "naion"
            folder = ours / name
            for own in (ours, folder):
                _make(own)
                if is_open(own.stat()):
                    own.chmod(0o700)
        folder = folder.resolve(strict=True)
    except (OSError, RuntimeError) as problem:  # no home is a RuntimeError
        # The same words for every cache, so that a bad home is spoken of once.
        remedy = variable if given else _ALL
        raise OSError(
            f"{given or '~/.cache/naion'} cannot be used: {problem}. Set {remedy} to a "
            "folder that can be written to."
        ) from None
    if reason := refused(folder):
        raise OSError(f"{reason}. Set {variable} to a folder of your own.")
    return folder


def nothing_kept(problem: Exception) -> None:
    """Say, once, that compiled programs are not kept for the next process, and why."""
    caution_once(f"Compiled programs are not kept for the next process: {problem}")


def try_writing(folder: Path) -> None:
    """Write a little to a folder, and forget it.

    Raises:
        OSError: with the reason, if that fails, as on a full disk.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(bytes(4096))
    except OSError as problem:
        reason = problem.strerror or problem
        raise OSError(f"{folder} cannot be written to: {reason}") from None


def _make(folder: Path) -> None:
    """Make a folder and those above it that are missing, for this user alone."""
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    for new in reversed(missing):
        new.mkdir(mode=0o700, exist_ok=True)
        new.chmod(0o700)  # whatever the umask


def refused(folder: Path) -> str | None:
    """Why what lies in a folder must not be run; none if it may.

    Its owner must be this user, or root, who can do everything anyway. So root does not
    run what another user has put there, nor does a container whose root stands for a user
    outside run what belongs to users that it does not know. Nobody else may write to it,
    nor may everybody put another in its place.
    """
    found = folder.stat()
    if not stat.S_ISDIR(found.st_mode):
        return f"{folder} is not a folder"
    if not is_own(found):
        return f"{folder} belongs to user {found.st_uid}, not to user {os.geteuid()}"
    if is_open(found):
        mode = stat.S_IMODE(found.st_mode)
        return f"{folder} can be written to by others (mode {mode:04o}): chmod go-w it"
    for above in folder.parents:
        mode = above.stat().st_mode
        if _IS_POSIX and mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            return f"{folder} lies in {above}, to which everybody can write"
    return None


_IS_POSIX = os.name == "posix"
"""Elsewhere files have no such owners and modes."""


def is_own(found: os.stat_result) -> bool:
    """Whether a file belongs to this user, or to root."""
    if not _IS_POSIX or found.st_uid == 0:
        return True
    unknown = found.st_uid == _overflow() and not _knows_all_users()
    return found.st_uid == os.geteuid() and not unknown


def is_open(found: os.stat_result) -> bool:
    """Whether others than its owner may write to a file."""
    return _IS_POSIX and bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def _overflow() -> int:
    """The user to whom files seem to belong whose owner a container does not know."""
    try:
        return int(Path("/proc/sys/kernel/overflowuid").read_text())
    except (OSError, ValueError):
        return 65534


def _knows_all_users() -> bool:
    """Whether users have here the numbers that they have outside."""
    try:
        shown = Path("/proc/self/uid_map").read_text()
    except OSError:
        return True
    return shown.split() == ["0", "0", "4294967295"]
