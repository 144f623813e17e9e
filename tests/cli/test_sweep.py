"""`naion sweep`: every lane and every cell has an outcome, and nothing is done twice."""

import csv
import os
import signal
import subprocess
import sys
import time

import equinox as eqx
import numpy as np
import pytest

import naion as na
from naion.cli import main

MESH = "mesh = [4, 3, 4, 10]"
SWEEP = f"""
cell = "nfm_hc_18650"
protocol = ["Discharge at {{rate}}C until 1.5 V"]
{MESH}

[[vary]]
path = "positive.particle.diffusivity.scale"
range = [0.5, 2.0]
spacing = "log"
count = 3

[[vary]]
name = "rate"
values = [1.0, 2.0]

[[vary]]
name = "temperature"
values = [25, 0]
"""
FIT = """
cell = "nfm_hc_18650"
mesh = [4, 3, 4, 10]

[[data]]
file = "{name}.csv"
kind = "discharge"
temperature = "{celsius}"
sigma = 0.001

[[free]]
path = "positive.particle.rate_constant.scale"
bounds = [0.1, 10.0]
transform = "log"
"""


def read(path):
    with path.open() as f:
        return list(csv.DictReader(f))


def write(path, text):
    path.write_text(text)
    return path


def run(file, out):
    return main(["sweep", str(file), "--out", str(out)])


def test_grid(tmp_path, cell, model, capsys):
    file = write(tmp_path / "s.toml", SWEEP)
    assert run(file, tmp_path / "o") == 0
    rows = read(tmp_path / "o" / "table.csv")
    assert len(rows) == 12 and {r["outcome"] for r in rows} == {"completed"}
    assert len({(r["rate"], r["temperature"]) for r in rows}) == 4
    row = next(
        r for r in rows if float(r["rate"]) == 2 and float(r["temperature"]) == 0
    )
    scale = float(row["positive.particle.diffusivity.scale"])
    own = eqx.tree_at(lambda c: c.positive.particle.diffusivity.scale, cell, scale)
    alone = na.simulate(
        own, "Discharge at 2C until 1.5 V", model=model, temperature=273.15
    )
    assert float(row["capacity_Ah"]) == pytest.approx(float(alone.capacity), rel=1e-7)
    assert float(row["energy_Wh"]) == pytest.approx(float(alone.energy), rel=1e-7)
    assert float(row["end_voltage_V"]) == pytest.approx(1.5, abs=1e-6)
    assert float(row["highest_temperature_degC"]) == pytest.approx(0.0, abs=1e-9)

    # Again: nothing is computed; changed: another folder is asked for.
    parts = {p: p.stat().st_mtime_ns for p in (tmp_path / "o/finished").glob("*.part")}
    assert run(file, tmp_path / "o") == 0
    assert parts and all(p.stat().st_mtime_ns == t for p, t in parts.items())
    write(file, SWEEP.replace("values = [25, 0]", "values = [25, -5]"))
    assert run(file, tmp_path / "o") == 2

    # Damaged: computed again, and the table is the same.
    write(file, SWEEP)
    table = (tmp_path / "o" / "table.csv").read_bytes()
    (part,) = parts
    part.write_bytes(part.read_bytes()[:-100])
    assert run(file, tmp_path / "o") == 0
    assert "lanes_00000000.part is damaged" in capsys.readouterr().err
    assert (tmp_path / "o" / "table.csv").read_bytes() == table


def test_most_steps(tmp_path):
    """Three steps are not enough for a discharge, and the row says so."""
    text = SWEEP.replace("count = 3", "count = 1").replace("[25, 0]", "[25]")
    text = text.replace(MESH, f"max_steps = 3\n{MESH}")
    assert run(write(tmp_path / "s.toml", text), tmp_path / "o") == 4
    rows = read(tmp_path / "o" / "table.csv")
    assert {(r["outcome"], r["steps"]) for r in rows} == {("step_limit", "3")}


def test_draws(tmp_path):
    text = SWEEP.replace("count = 3", "").replace(MESH, f"draws = 8\nseed = 3\n{MESH}")
    assert run(write(tmp_path / "s.toml", text), tmp_path / "o") == 0
    rows = read(tmp_path / "o" / "table.csv")
    scale = np.log([float(r["positive.particle.diffusivity.scale"]) for r in rows])
    # One draw in each eighth of the range.
    place = (scale - np.log(0.5)) / np.log(4.0)
    assert sorted(np.floor(8 * place).astype(int)) == list(range(8))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{rate}C", "1C", "vary by name"),
        ("[[vary]]\nname", "[[vary]]\nnmae", "nmae"),
        ("positive.particle.diffusivity.scale", "positive.partcle.x", "particle"),
        ("spacing = \"log\"", "spacing = \"cubic\"", "cubic"),
        ("range = [0.5, 2.0]", "range = [2.0, 0.5]", "not \\[low, high\\]"),
        ("count = 3", "", "needs count"),
        ("diffusivity.scale", "ocp", "not a single number"),
        ("protocol", "protocoll", "protocoll"),
        ("values = [25, 0]", "values = [298.15, 0]", "kelvin"),
        ("values = [1.0, 2.0]", "values = []", "a list of numbers"),
        ("[[vary]]", "start = 0.8\n[[vary]]", "soc=0.8"),
        (MESH, "mesh = 6", "expected \\[n_neg"),
        (MESH, 'mesh = ["a", 3, 4, 10]', "mesh = .'a', 3, 4, 10"),
        ('name = "temperature"\nvalues = [25, 0]', 'name = "soc"\nvalues = [80]', "0 to 1"),
        ("values = [1.0, 2.0]", 'values = [1.0, "fast"]', "vary 2.*'fast'"),
        ("values = [1.0, 2.0]", "values = [1.0, nan]", "vary 2.*nan"),
        ("values = [1.0, 2.0]", "values = [1.0, 1]", "vary 2: .* 1 stands there twice"),
        ("[[vary]]", "[vary]", "need double brackets"),
        ("[[vary]]", "max_steps = 0\n[[vary]]", "max_steps = 0: .*above 0"),
        ("[[vary]]", "max_steps = 2.5\n[[vary]]", "max_steps = 2.5: .*above 0"),
        ("[[vary]]", "max_steps = true\n[[vary]]", "max_steps = True: .*above 0"),
        ("count = 3", "count = 0", "count = 0: expected a whole number above 0"),
        ("[[vary]]", 'temperature = "warm"\n[[vary]]', "temperature = 'warm': .*number"),
        ('protocol = ["Discharge at {rate}C until 1.5 V"]', "protocol = 5", "list of"),
        ('protocol = ["Discharge at {rate}C until 1.5 V"]', "protocol = []", "list of"),
        ("Discharge at", "Dischage at", "s.toml: protocol: .*Dischage"),
        ("values = [1.0, 2.0]", "values = [1.0, -2.0]", "s.toml: protocol: .*-2C"),
        ('"nfm_hc_18650"', '"nfm"', "s.toml: cell: .*'nfm'"),
        ('"nfm_hc_18650"', "3", "s.toml: cell = 3: expected a text"),
        ('"positive.particle.diffusivity.scale"', "3", "vary 1, path = 3: .*texts"),
        ("[[vary]]", "rtol = 0\n[[vary]]", "s.toml: rtol = 0: expected"),
        ("[[vary]]", 'start = "full"\n[[vary]]', "s.toml, start full: use charged"),
        ("[[vary]]", "draws = 10000000000\n[[vary]]", "draws = 10000000000 lanes"),
        ("count = 3", "count = 10000000000", "a grid of 40000000000 lanes"),
        ("[[vary]]", "draws = 2\nseed = true\n[[vary]]", "seed = True"),
        # What would have no effect.
        ("[[vary]]", "temperature = 35\n[[vary]]", "temperature = 35.*temperature varies"),
        ("[[vary]]", "seed = 3\n[[vary]]", "seed = 3 is of draws, and there are none"),
        ("[[vary]]", "draws = 4\n[[vary]]", "draws = 4 .* count of positive.particle"),
        ("values = [25, 0]", "values = [25, 0]\ncount = 7", "count = 7 is of a range"),
        ("values = [25, 0]", "values = [25, 0]\nspacing = 'log'", "spacing = 'log' is of"),
        ("until 1.5 V", "until 1.5 V at 10 degC", "every step has one of its own"),
    ],
)  # fmt: skip
def test_mistakes_are_named(tmp_path, capsys, old, new, said):
    assert old in SWEEP
    file = write(tmp_path / "s.toml", SWEEP.replace(old, new, 1))
    assert run(file, tmp_path / "o") == 2
    import re

    assert re.search(said, capsys.readouterr().err)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, cell, model):
    """Ten cells, data of unlike lengths; one is missing, one empty, one without degC."""
    folder = tmp_path_factory.mktemp("fleet")
    full = na.parameters.stoichiometry_at_soc(cell, 1.0)
    rows = ["name,celsius"]
    for i, scale in enumerate(np.geomspace(0.5, 2.0, 10)):
        name, T = f"cell_{i}", 25.0 - i
        rows.append(f"{name},{T if i != 8 else 'n/a'}")
        true = eqx.tree_at(
            lambda c: c.positive.particle.rate_constant.scale, cell, scale
        )
        done = na.simulate(
            true,
            "Discharge at 1C until 2.0 V",
            model=model,
            start=full,
            temperature=273.15 + T,
        )
        t = np.linspace(0.0, 0.9 * float(done.t_end), 150 + 30 * i)
        V = np.asarray(done.at(t).voltage)
        lines = [f"{a:.9g},1.5,{v:.9g}" for a, v in zip(t, V, strict=True)]
        text = "\n".join(["time_s,current_A,voltage_V", *lines])
        if i == 4:
            text = ""
        if i != 7:
            write(folder / f"{name}.csv", text)
    write(folder / "fit.toml", FIT)
    write(folder / "cells.csv", "\n".join(rows))
    write(folder / "fleet.toml", 'fit = "fit.toml"\ncells = "cells.csv"\nat_once = 5')
    return folder


def times(out):
    return {p.stem: p.stat().st_mtime_ns for p in (out / "cells").glob("*.json")}


def test_fleet(tmp_path, folder, capsys):
    """Bad cells are told; the others are fitted once, and again only if changed."""
    out = tmp_path / "o"
    assert run(folder / "fleet.toml", out) == 4
    rows = {r["name"]: r for r in read(out / "table.csv")}
    bad = {n for n, r in rows.items() if r["outcome"] == "bad_data"}
    assert bad == {"cell_4", "cell_7", "cell_8"}
    assert "temperature = 'n/a': expected a number" in rows["cell_8"]["message"]
    assert "no such file" in rows["cell_7"]["message"]
    assert "empty" in rows["cell_4"]["message"]
    for i, scale in enumerate(np.geomspace(0.5, 2.0, 10)):
        row = rows[f"cell_{i}"]
        if row["name"] not in bad:
            assert row["outcome"] == "converged"
            found = float(row["positive.particle.rate_constant.scale"])
            assert found == pytest.approx(scale, rel=0.02)
            assert float(row["rmse_mV"]) < 1.0
    cell, extra = na.io.read_cell(out / "cells" / "cell_3.json")
    assert extra["name"] == "cell_3" and "fit" in extra

    # cell_7 comes in, cell_2 is measured anew: these two are fitted.
    before = times(out)
    assert len(before) == 7
    good = (folder / "cell_6.csv").read_text()
    write(folder / "cell_7.csv", good)
    old = (folder / "cell_2.csv").read_text()
    write(folder / "cell_2.csv", old + "\n")
    capsys.readouterr()
    run(folder / "fleet.toml", out)
    said = "10 cells, 2 of them to fit; 6 were fitted before, 2 cannot be read"
    assert said in capsys.readouterr().err
    after = times(out)
    assert set(after) - set(before) == {"cell_7"}
    assert [n for n in before if before[n] != after[n]] == ["cell_2"]
    (folder / "cell_7.csv").unlink()
    write(folder / "cell_2.csv", old)

    # What was kept of cell_5 and cell_6 is damaged, cell_9's file is gone.
    before = times(out)
    (out / "finished" / "cell_5.part").write_bytes(b"{")
    write(out / "cells" / "cell_6.json", "{}")
    (out / "cells" / "cell_9.json").unlink()
    run(folder / "fleet.toml", out)
    said = capsys.readouterr().err
    assert "cell_5.part is damaged" in said
    for name in ("cell_6", "cell_9"):
        assert f"{name}.json is missing or not as it was written" in said
    assert {n for n, t in times(out).items() if before.get(n) != t} == {
        *("cell_2", "cell_5", "cell_6", "cell_9"),
    }


def test_workers_share_a_fleet(tmp_path, folder, capsys):
    """The table is that of one process; what is done is not done again."""
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    assert run(folder / "fleet.toml", alone) == 4
    command = ["sweep", str(folder / "fleet.toml"), "--out", str(shared)]
    assert main([*command, "--cluster", "local:2"]) == 4
    assert "7 fits done, 0 left" in capsys.readouterr().err
    right, found = (read(out / "table.csv") for out in (alone, shared))
    for a, b in zip(right, found, strict=True):
        assert {k: b[k] for k in ("name", "outcome", "message")} == {
            k: a[k] for k in ("name", "outcome", "message")
        }
        name = "positive.particle.rate_constant.scale"
        if a[name]:
            assert float(b[name]) == pytest.approx(float(a[name]), rel=1e-5)
    assert main([*command, "--cluster", "local:1"]) == 4
    assert "0 of them to fit; 7 were fitted before" in capsys.readouterr().err


def test_ctrl_c_ends_workers_and_keeps_what_is_done(tmp_path):
    """A terminal sends it to all processes; workers have nothing to say of it."""
    file = write(tmp_path / "s.toml", SWEEP.replace("count = 3", "count = 3000"))
    out = tmp_path / "o"
    command = ["sweep", str(file), "--out", str(out), "--cluster", "local:2"]
    code = "import sys; from naion.cli import main; sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # What runs behind a shell has it switched off, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    end = time.monotonic() + 120.0
    while not list((out / "finished").glob("*.part")):
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 130, said
    assert "stopped; what was finished is kept" in said and "Traceback" not in said
    assert not list((out / "finished").glob("work_*"))


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("cells.csv", "title,celsius\na,25", "column 'name'"),
        ("cells.csv", "name,celsius\na,25\na,26", "stands twice"),
        ("cells.csv", "name,celsius\n../a,25", "no file name"),
        ("cells.csv", "name\ncell_1", "names the column celsius"),
        ("fleet.toml", 'fit = "fit.toml"', "has no cells: give"),
        ("fleet.toml", 'fit = "fit.toml"\ncells = "cells.csv"\nx = 1', "unknown key x"),
    ],
)
def test_mistakes_in_a_fleet(tmp_path, folder, capsys, file, text, said):
    for name in ("fit.toml", "cells.csv", "fleet.toml", "cell_1.csv"):
        write(tmp_path / name, (folder / name).read_text())
    write(tmp_path / file, text)
    status = run(tmp_path / "fleet.toml", tmp_path / "o")
    told = capsys.readouterr().err
    if status == 4:
        told = (tmp_path / "o" / "table.csv").read_text()
    assert status in (2, 4) and said in told
