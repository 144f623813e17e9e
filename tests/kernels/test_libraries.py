"""Folders of compiled programs: for one user alone, verified, tidied, or done without."""

import os
import shutil
import stat
import subprocess
import sys
import time

import pytest

import naion as na
from naion_kernels import _cautions, _folders, cache_folder, lanes
from naion_kernels.lanes import _kept, _libraries

pytestmark = pytest.mark.skipif(not lanes.has_compiler(), reason="needs g++ on Linux")
needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root"
)

KEY, OTHER = "a" * 32, "b" * 32


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    """Nothing loaded and nothing said."""
    monkeypatch.setattr(_libraries, "_loaded", {})
    monkeypatch.setattr(_cautions, "_said", set())


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The folder of libraries."""
    monkeypatch.setenv("NAION_KERNEL_CACHE", str(tmp_path / "kernels"))
    return tmp_path / "kernels"


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Libraries whose `number` is what they are called by."""
    folder = tmp_path_factory.mktemp("compiled")
    for number in (1, 2):
        text = folder / f"{number}.cpp"
        text.write_text(f'extern "C" int number() {{ return {number}; }}')
        command = ["g++", "-shared", "-fPIC", text, "-o", folder / f"{number}.so"]
        subprocess.run(command, check=True)
    return folder


class Maker:
    """Makes a library, and counts how often."""

    def __init__(self, compiled, number=1):
        self.file, self.count = compiled / f"{number}.so", 0

    def __call__(self, made):
        self.count += 1
        self.folder = made.parent
        shutil.copy(self.file, made)


def of_a_new_process(key, make):
    _libraries._loaded.clear()
    return _libraries.library(key, make).number()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_made_once_for_this_user_alone(kept, compiled):
    make, umask = Maker(compiled), os.umask(0)
    try:
        assert [of_a_new_process(KEY, make) for _ in range(3)] == [1, 1, 1]
    finally:
        os.umask(umask)
    assert make.count == 1 and not make.folder.exists()
    assert mode(kept) == 0o700 and mode(kept / f"{KEY}.so") == 0o600
    assert [p.name for p in kept.iterdir()] == [f"{KEY}.so"]


def damaged(content: bytes, compiled):
    yield "cut off", content[:1000]
    yield "cut off by a byte", content[:-1]
    yield "empty", b""
    yield "without a hash", content[:-32]
    yield "another", (compiled / "2.so").read_bytes()
    yield "one byte differs", content[:99] + bytes([content[99] ^ 1]) + content[100:]


def test_damaged_libraries_are_not_loaded_but_made_again(kept, compiled):
    make = Maker(compiled)
    of_a_new_process(KEY, make)
    path = kept / f"{KEY}.so"
    whole = path.read_bytes()
    for k, (what, content) in enumerate(damaged(whole, compiled)):
        path.unlink()  # this process has mapped it
        path.write_bytes(content)
        path.chmod(0o600)
        of_a_new_process(KEY, make)
        assert make.count == k + 2, what
        assert path.read_bytes() == whole, what


def test_a_library_under_the_name_of_another_is_not_loaded(kept, compiled):
    of_a_new_process(OTHER, Maker(compiled, 2))
    shutil.copy(kept / f"{OTHER}.so", kept / f"{KEY}.so")
    assert of_a_new_process(KEY, Maker(compiled)) == 1


def test_a_library_that_others_could_have_written_is_made_again(kept, compiled):
    make = Maker(compiled)
    of_a_new_process(KEY, make)
    (kept / f"{KEY}.so").chmod(0o620)
    of_a_new_process(KEY, make)
    assert make.count == 2 and mode(kept / f"{KEY}.so") == 0o600


@needs_root
def test_a_library_of_another_user_is_made_again(kept, compiled):
    make = Maker(compiled)
    of_a_new_process(KEY, make)
    os.chown(kept / f"{KEY}.so", 1000, 1000)
    of_a_new_process(KEY, make)
    assert make.count == 2


def unusable(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    yield file, "Not a directory|File exists|not a folder"
    yield file / "below", "Not a directory"
    yield "/dev/null/kernels", "Not a directory"
    yield "/proc/kernels", "No such file"
    for bits in (0o777, 0o770, 0o702):
        folder = tmp_path / f"{bits:o}"
        folder.mkdir()
        folder.chmod(bits)
        yield folder, "can be written to by others.*chmod go-w"
    above = tmp_path / "777" / "mine"
    above.mkdir(mode=0o700)
    yield above, "to which everybody can write"
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "777")
    yield link, "can be written to by others"


def test_without_a_folder_that_is_safe(tmp_path, monkeypatch, compiled):
    """One caution with the reason; nothing is read there, written there, or left."""
    for folder, reason in unusable(tmp_path):
        monkeypatch.setenv("NAION_KERNEL_CACHE", str(folder))
        monkeypatch.setattr(_cautions, "_said", set())
        make = Maker(compiled)
        with pytest.warns(na.Caution, match=reason) as met:
            assert of_a_new_process(KEY, make) == 1
            assert of_a_new_process(KEY, make) == 1
        assert len(met) == 1 and "NAION_KERNEL_CACHE" in str(met[0].message)
        assert make.count == 2 and not make.folder.exists()


@needs_root
def test_a_folder_of_another_user_is_not_used(kept, compiled):
    of_a_new_process(KEY, Maker(compiled))
    os.chown(kept, 1000, 1000)
    make = Maker(compiled, 2)
    with pytest.warns(na.Caution, match="belongs to user 1000, not to user 0"):
        assert of_a_new_process(KEY, make) == 2


def test_users_whom_a_container_does_not_know(monkeypatch, tmp_path):
    """All of them share a number, be it this user's own."""
    found = tmp_path.stat()
    assert _folders.is_own(found)
    as_owner = os.stat_result((*found[:4], 65534, *found[5:]))
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    monkeypatch.setattr(_folders, "_overflow", lambda: 65534)
    monkeypatch.setattr(_folders, "_knows_all_users", lambda: True)
    assert _folders.is_own(as_owner)
    monkeypatch.setattr(_folders, "_knows_all_users", lambda: False)
    assert not _folders.is_own(as_owner)


def test_full_disk(kept, monkeypatch, compiled):
    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_kept.os, "replace", full)
    with pytest.warns(na.Caution, match=f"{kept} .*No space left on device"):
        assert of_a_new_process(KEY, Maker(compiled)) == 1
    assert list(kept.iterdir()) == []


def test_homes(tmp_path, monkeypatch):
    """The usual folder is made private; without a home there is none, with the reason."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".cache" / "naion" / "kernels").mkdir(parents=True)
    (tmp_path / ".cache" / "naion" / "kernels").chmod(0o775)
    (tmp_path / ".cache" / "naion").chmod(0o777)
    folder = cache_folder("kernels", None, "VARIABLE")
    assert folder == tmp_path / ".cache" / "naion" / "kernels" and mode(folder) == 0o700
    for home in ("/dev/null", "/proc"):
        monkeypatch.setenv("HOME", home)
        with pytest.raises(OSError, match=f"{home}/.cache.*Set HOME"):
            cache_folder("kernels", None, "VARIABLE")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", lambda uid: {}[uid])
    with pytest.raises(OSError, match="home.*Set HOME"):
        cache_folder("kernels", None, "VARIABLE")


def test_leftovers_and_old_libraries_are_removed(kept, compiled, monkeypatch):
    monkeypatch.setattr(_kept, "MOST_BYTES", 250_000)
    long_ago = time.time() - 2 * _kept.KEPT_FOR
    kept.mkdir(mode=0o700)
    for k in range(5):
        old = kept / f"{k}{'0' * 31}.so"
        old.write_bytes(bytes(100_000))
        os.utime(old, (long_ago + k, long_ago + k))
    for name in ("naion-lane-cut-off", "notes.so", f"{'1' * 32}.so"):
        (kept / name).write_bytes(bytes(100))
    for name in ("naion-lane-cut-off", "notes.so"):
        os.utime(kept / name, (long_ago, long_ago))
    (kept / "naion-lane-being-written").write_bytes(b"")
    of_a_new_process(KEY, Maker(compiled))
    assert sorted(p.name for p in kept.iterdir()) == sorted(
        [
            f"3{'0' * 31}.so",
            f"4{'0' * 31}.so",
            f"{'1' * 32}.so",
            f"{KEY}.so",
            "naion-lane-being-written",
            "notes.so",
        ]
    )


def test_a_library_in_use_outlives_its_file(kept, compiled):
    library = _libraries.library(KEY, Maker(compiled))
    (kept / f"{KEY}.so").unlink()
    assert library.number() == 1


PROGRAM = """
import jax, jax.numpy as jnp
from naion_kernels import lanes
print(jax.jit(lanes.per_lane(lambda x: jnp.exp(x) + 1.0))(0.0))
"""


def test_two_processes_at_once(kept):
    both = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", PROGRAM],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert [p.communicate(timeout=120)[0].strip() for p in both] == ["2.0", "2.0"]
    assert len(list(kept.iterdir())) == 2  # with the loader
