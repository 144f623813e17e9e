"""The demo's long work: nothing outlives it, and what is finished is not done again."""

import dataclasses
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import naion as na
from naion.demo import _fitted
from naion.fit import (
    Fit,
    FreeParameter,
    Linearised,
    Problem,
    SearchState,
    Specimen,
    discharge,
)

FIRST = Path(__file__).with_name("second.py")


def start(how):
    command = [sys.executable, str(FIRST), how]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def is_running(pid):
    """Whether a process runs; one that nobody has asked for its end is a zombie."""
    status = Path(f"/proc/{pid}/status")
    if not status.parent.parent.is_dir():
        pytest.skip("needs /proc")
    try:
        return "\nState:\tZ" not in status.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_second_process_ends_with_the_first(sign):
    first = start("sleep")
    assert first.stdout is not None
    second = int(first.stdout.readline().split()[1])
    assert is_running(second)
    first.send_signal(sign)
    first.wait(timeout=60.0)
    until = time.monotonic() + 20.0
    while is_running(second) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_running(second)
    first.communicate()


def test_what_the_second_raises_is_raised_and_its_end_is_told():
    raised, ended = start("raise"), start("exit")
    assert "ValueError: the data are not there" in raised.communicate()[1]
    said = ended.communicate()[1]
    assert "second process was ended from outside (status 3" in said
    assert raised.returncode and ended.returncode


@pytest.fixture
def problem(cell, model):
    free = FreeParameter(
        ("cell.positive.particle.rate_constant.scale",), (0.1, 10.0), "log"
    )
    test = discharge("1C", np.linspace(0, 1, 20), np.linspace(4, 2, 20), 1.5, 298.15)
    test = dataclasses.replace(test, capacity=None)  # or it would be simulated
    return Problem(Specimen(cell, [0.0]), (free,), (test,), model)


def test_fits_are_kept_and_sought_again_only_if_something_changed(
    tmp_path, problem, monkeypatch
):
    fits = []

    def least_squares(problem, progress, **options):
        fits.append(options)
        measured = [o.value for e in problem.experiments for o in e.observations]
        predictions = [np.concatenate(measured) + 1e-3]
        near = Linearised(predictions, np.zeros(20), np.ones((20, 1)))
        return Fit(
            *(problem, problem.start + 0.1, near, np.eye(1)),
            *(1.0, (), SearchState.NOTHING_TO_GAIN, 1, 1.0),
        )

    monkeypatch.setattr(_fitted, "least_squares", least_squares)
    said = []

    def fitted(of=problem, **options):
        return _fitted.fitted("a", "A cell", of, tmp_path, said.append, **options)

    first = fitted(tolerance=1e-3)
    file = tmp_path / "a" / "cell.json"
    written = file.read_bytes()
    file.unlink()
    again = fitted(tolerance=1e-3)
    assert len(fits) == 1 and file.read_bytes() == written
    assert said[-1] == f"A cell: fitted before, and kept in {tmp_path / 'finished'}"
    assert again.rows == first.rows and again.parameters == first.parameters
    assert again.figure == first.figure and again.figure.startswith(b"\x89PNG")
    np.testing.assert_array_equal(again.known.z, first.known.z)
    scale = again.cell.positive.particle.rate_constant.scale
    assert float(scale) == pytest.approx(np.exp(0.1), rel=1e-15)

    # Another option, measured value, start or mesh is another fit.
    fitted(tolerance=1e-4)
    (test,) = problem.experiments
    (o,) = test.observations[:1]
    value = np.array(o.value)
    value[0] += 1e-9
    moved = dataclasses.replace(o, value=value)
    test = dataclasses.replace(test, observations=(moved, *test.observations[1:]))
    fitted(dataclasses.replace(problem, experiments=(test,)))
    fitted(dataclasses.replace(problem, model=na.DFN(na.Mesh(4, 3, 4, 11))))
    fitted(
        dataclasses.replace(problem, specimen=Specimen(problem.specimen.cell, [0.1]))
    )
    assert len(fits) == 5
    # As is one whose file was damaged.
    part = tmp_path / "finished" / "fit_a.part"
    part.write_bytes(part.read_bytes()[:1000])
    with pytest.warns(na.Caution, match="fit_a.part is damaged"):
        fitted(
            dataclasses.replace(
                problem, specimen=Specimen(problem.specimen.cell, [0.1])
            )
        )
    assert len(fits) == 6
    left = sorted(p.name for p in (tmp_path / "finished").iterdir())
    assert left == ["fit_a.part", "run.json"]
