"""JAX's compilation cache, where there is a folder for it and where there is none."""

import os
import stat
import subprocess
import sys

import jax
import pytest

import naion as na
from naion import _cache
from naion._cache import compilation_cache, processor
from naion.cli import main
from naion_kernels import _cautions

FOLDER = "jax_compilation_cache_dir"
LEAST = "jax_persistent_cache_min_compile_time_secs"
ON = "jax_enable_compilation_cache"


@pytest.fixture(autouse=True)
def _not_set(monkeypatch):
    """JAX without a folder; nothing said; afterwards all is as it was."""
    before = {name: jax.config.values[name] for name in (FOLDER, LEAST, ON)}
    jax.config.update(FOLDER, None)
    monkeypatch.setattr(_cautions, "_said", set())
    monkeypatch.delenv("NAION_KERNEL_CACHE", raising=False)
    yield
    for name, value in before.items():
        jax.config.update(name, value)


def test_made_for_this_user_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = compilation_cache()
    assert folder == tmp_path / ".cache" / "naion" / "jax" / processor()
    assert jax.config.values[FOLDER] == str(folder)
    for made in (folder, *list(folder.parents)[:3]):
        assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_one_switch_turns_both_on(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    na.enable_x64(cache=False)
    assert jax.config.values[FOLDER] is None
    na.enable_x64()
    there = jax.config.values[FOLDER]
    assert there == str(tmp_path / ".cache" / "naion" / "jax" / processor())


def test_the_folder_that_jax_is_set_to(tmp_path):
    jax.config.update(FOLDER, str(tmp_path / "own"))
    assert compilation_cache() == tmp_path / "own" / processor()
    assert compilation_cache() == tmp_path / "own" / processor()  # and not one deeper
    # What is not on this machine is JAX's own business.
    jax.config.update(FOLDER, "gs://bucket/cache")
    compilation_cache()
    assert jax.config.values[FOLDER] == "gs://bucket/cache"


def test_two_kinds_of_processor_share_a_folder_and_no_program(tmp_path, monkeypatch):
    """Programs for one may hold instructions that the other lacks."""
    folders = []
    for flags in ("fma avx2", "fma avx2 avx512f"):
        told = [f"flags\t\t: {flags}"]
        monkeypatch.setattr(_cache, "_abilities", lambda told=told: told)
        processor.cache_clear()
        jax.config.update(FOLDER, str(tmp_path))
        folders.append(compilation_cache())
    processor.cache_clear()
    assert folders[0] != folders[1] and {f.parent for f in folders} == {tmp_path}


def test_off_where_others_can_write(tmp_path, capsys):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    jax.config.update(FOLDER, str(tmp_path / "open"))
    with pytest.warns(na.Caution, match="others.*JAX_COMPILATION_CACHE_DIR"):
        assert compilation_cache() is None
    assert not jax.config.values[ON]
    assert main(["doctor"]) == 0
    assert f"cache: none. {tmp_path}/open can be" in capsys.readouterr().out


def test_only_read_where_nothing_can_be_written(tmp_path, monkeypatch):
    def full(*args, **options):
        raise OSError(30, "Read-only file system")

    jax.config.update(FOLDER, str(tmp_path))
    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.warns(na.Caution, match=f"{tmp_path}.*Read-only file system"):
        assert compilation_cache() == tmp_path / processor()
    assert jax.config.values[LEAST] == float("inf")


def test_commands_need_no_home(monkeypatch, capsys):
    monkeypatch.setenv("HOME", "/dev/null")
    assert main(["sets"]) == 0
    assert main(["doctor"]) == 0
    text, said = capsys.readouterr()
    assert len(said.splitlines()) == 1
    assert said.startswith("naion: caution:")
    assert "/dev/null/.cache" in said and "Set HOME" in said
    assert "compilation cache: none. ~/.cache/naion cannot be used" in text
    assert "kernel cache: none. ~/.cache/naion cannot be used" in text


def test_doctor_says_why_kernels_are_not_made(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setenv("NAION_KERNELS", "auto")
    assert main(["doctor"]) == 0
    assert "kernels: none. the C++ compiler 'no-such" in capsys.readouterr().out
    monkeypatch.setenv("NAION_KERNELS", "off")
    assert main(["doctor"]) == 0
    assert "kernels: off" in capsys.readouterr().out


PROGRAM = """
import jax, sys
from naion._cache import compilation_cache
compilation_cache()
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
print(jax.jit(lambda x: jax.numpy.linalg.solve(x, x[0]))(jax.numpy.eye(3)))
"""


def test_damaged_entries_do_not_end_a_run(tmp_path):
    """JAX warns of each, and compiles anew."""
    command = [sys.executable, "-c", PROGRAM]
    environment = {**os.environ, "JAX_COMPILATION_CACHE_DIR": str(tmp_path)}
    run = lambda: subprocess.run(  # noqa: E731
        command, capture_output=True, text=True, env=environment, check=True
    )
    first = run()
    entries = [
        p for p in (tmp_path / processor()).iterdir() if p.name.endswith("-cache")
    ]
    assert entries
    for k, entry in enumerate(entries):
        content = entry.read_bytes()
        middle = len(content) // 2
        flipped = content[:middle] + b"damaged" + content[middle + 7 :]
        entry.write_bytes([b"", content[:middle], flipped][k % 3])
    second = run()
    assert second.stdout == first.stdout
    assert "Error reading persistent compilation cache" in second.stderr
