"""Standard output that is full, closed, or read by nobody."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")


def naion(redirected, *argv, buffered=True):
    """Status and standard error of `naion ... REDIRECTED`, through a shell."""
    command = f'exec "$0" -m naion "$@" {redirected}'
    environment = {**os.environ, "PYTHONUNBUFFERED": "" if buffered else "1"}
    done = subprocess.run(
        ["sh", "-c", command, sys.executable, *argv],
        capture_output=True,
        text=True,
        env=environment,
    )
    return done.returncode, done.stderr


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("argv", [("--help",), ("docs", "limits"), ("fit", "--schema")])
def test_a_full_standard_output_is_named(argv, buffered):
    status, said = naion("> /dev/full", *argv, buffered=buffered)
    assert status == 2
    assert said == "naion: standard output: No space left on device\n"


def test_a_closed_standard_output_is_refused_before_any_work():
    status, said = naion(">&-", "docs", "limits")
    assert status == 2
    assert said.startswith("naion: standard output: closed") and "/dev/null" in said


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("redirected", ["2>&-", "2> /dev/full"])
def test_the_status_stands_where_nothing_can_be_said(redirected):
    assert naion(redirected, "docs", "nosuch")[0] == 2


def test_a_reader_who_leaves_is_no_error():
    command = [sys.executable, "-m", "naion", "docs", "limits"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", 141)
