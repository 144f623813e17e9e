"""naion against stored solutions of PyBaMM, both on converged meshes.

Limits: 2 mV anywhere, 0.5 mV rms, 0.1 % of capacity. Over discharges they hold for the
first 98 % of the charge, in other protocols from a second after a jump of the current
to a second before the next. `make_pybamm_references.py` makes the stored files.
"""

import functools
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.parameters import Stoichiometry, with_double_layer

na.enable_x64()

FOLDER = Path(__file__).parent
SODIUM = ("chayambuka_0p5", "chayambuka_1", "chayambuka_5", "chayambuka_12")
LITHIUM = ("chen_c10", "chen_1c", "chen_3c")
EXPERIMENTS = ("chen_cccv", "chen_pulses")
ALL = SODIUM + LITHIUM + EXPERIMENTS

MESHES = {
    "nvpf_hc_chayambuka2022": na.Mesh(20, 10, 20, 60),
    # At 3C salt runs out behind a reaction front in the positive electrode.
    "nmc811_chen2020": na.Mesh(60, 10, 60, 60),
}
ROWS = {"nvpf_hc_chayambuka2022": 1, "nmc811_chen2020": 10}
"""Steps that all protocols of a set are padded to, so that they share a program."""

MAX_VOLTS = 2e-3
RMS_VOLTS = 0.5e-3
CAPACITY = 1e-3
MARGIN = 1.0
"""Time around a jump of the current that is not compared [s]."""


@functools.cache
def reference(name: str) -> dict[str, np.ndarray]:
    """A stored solution."""
    with np.load(FOLDER / f"{name}.npz") as file:
        return dict(file)


@functools.cache
def solved(name: str) -> na.Solution:
    """naion's solution of the same protocol."""
    r = reference(name)
    which = str(r["set"])
    cell = na.parameters.load(which)
    if "protocol" in r:
        protocol = na.Protocol([str(step) for step in r["protocol"]])
    else:
        protocol = na.Protocol(
            na.Step(
                na.Mode.CURRENT,
                float(r["discharge_current_A"]),
                lower_voltage=float(r["lower_voltage_V"]),
            )
        )
    return na.simulate(
        cell,
        protocol.padded(ROWS[which]),
        model=na.DFN(MESHES[which]),
        start=Stoichiometry(
            jnp.asarray(r["sto_negative"]), jnp.asarray(r["sto_positive"])
        ),
        rtol=1e-6,
        max_steps=2000,
    )


def test_impedance_with_double_layers():
    """Chen2020 in PyBaMM's differential surface form: 1 % from 10 kHz to 1 mHz.

    Both spectra are of finite volumes; PyBaMM's moves by 0.13 % on twice its mesh.
    """
    r = reference("chen_impedance")
    cell = with_double_layer(
        na.parameters.load("nmc811_chen2020"), float(r["capacitance_F_m2"])
    )
    Z = na.impedance(
        cell,
        r["frequency_Hz"],
        model=na.DFN(na.Mesh(60, 20, 60, 120)),
        start=Stoichiometry(*map(jnp.asarray, (r["sto_negative"], r["sto_positive"]))),
    )
    error = np.abs(np.asarray(Z) / r["impedance_ohm"] - 1.0)
    print(
        f"largest {100 * error.max():.2f} %, rms {100 * np.sqrt(np.mean(error**2)):.2f} %"
    )
    assert error.max() < 0.01


def outputs(name: str, t: np.ndarray) -> np.ndarray:
    """Voltage and current of naion at the reference's times."""
    return np.stack(solved(name).at(jnp.asarray(t))[:2], axis=-1)


def report(name: str, t: np.ndarray, error: np.ndarray) -> tuple[float, float]:
    """Largest and rms voltage error; printed, so that `pytest -rP` lists them."""
    worst = int(np.argmax(np.abs(error)))
    largest, rms = abs(error[worst]), float(np.sqrt(np.mean(error**2)))
    print(
        f"{name}: max {1e3 * error[worst]:+.3f} mV at {t[worst]:.6g} s of "
        f"{reference(name)['time_s'][-1]:.6g} s, rms {1e3 * rms:.3f} mV"
    )
    return largest, rms


@pytest.mark.parametrize("name", SODIUM + LITHIUM)
def test_discharge_voltage(name):
    r = reference(name)
    t = r["time_s"]
    # The current is constant, so that 98 % of the charge is 98 % of the time.
    part = (t > 0.0) & (t <= 0.98 * t[-1])
    error = outputs(name, t[part])[:, 0] - r["voltage_V"][part]
    largest, rms = report(name, t[part], error)
    assert largest < MAX_VOLTS
    assert rms < RMS_VOLTS


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_experiment_voltage_and_current(name):
    r = reference(name)
    t = r["time_s"]
    jumps = np.append(0.0, r["step_ends_s"])
    part = np.min(np.abs(t[:, None] - jumps), axis=1) > MARGIN
    ours = outputs(name, t[part])
    largest, rms = report(name, t[part], ours[:, 0] - r["voltage_V"][part])
    assert largest < MAX_VOLTS
    assert rms < RMS_VOLTS
    # Where the voltage is held, the current tells.
    one_c = float(na.parameters.load(str(r["set"])).nominal_capacity)
    assert np.max(np.abs(ours[:, 1] - r["current_A"][part])) < 2e-3 * one_c


@pytest.mark.parametrize("name", ALL)
def test_capacity_and_end(name):
    solution, r = solved(name), reference(name)
    assert solution.result.is_success
    ratio = float(solution.capacity) / float(r["capacity_Ah"])
    print(f"{name}: capacity {1e2 * (ratio - 1.0):+.4f} %")
    assert ratio == pytest.approx(1.0, abs=CAPACITY)
    assert float(solution.t_end) == pytest.approx(r["time_s"][-1], rel=CAPACITY)


@pytest.mark.parametrize("name", ALL)
def test_reference_states_its_provenance(name):
    r = reference(name)
    assert (FOLDER / f"{name}.npz").stat().st_size < 100_000
    for key in ("tool", "version", "date", "mesh", "tolerances", "regularisation"):
        assert str(r[key])
