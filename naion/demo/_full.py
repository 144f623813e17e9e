"""Finer tables of the measurements, made from the full data files.

The same functions made the tables in `data`: curves are resampled on our own grid.
"""

import csv
from pathlib import Path

import numpy as np


def read(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(encoding="utf-8") as f:
        rows = [r for r in csv.reader(f) if r and not r[0].startswith("#")]
    return rows[0], rows[1:]


def read_columns(path: Path, *names: str) -> list[np.ndarray]:
    header, rows = read(path)
    return [np.array([float(r[header.index(n)]) for r in rows]) for n in names]


def write(path: Path, comments: list[str], header: str, *columns) -> None:
    """Write a CSV with comment lines; floats keep up to nine digits."""
    lines = [f"# {c}" for c in comments] + [header]
    for row in zip(*columns, strict=True):
        lines.append(",".join(v if isinstance(v, str) else f"{v:.9g}" for v in row))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def hina_branch(data: Path, step: str, cycle: str) -> tuple[np.ndarray, np.ndarray]:
    """Charge passed [A.h] and voltage of one C/50 branch of the HiNa cell."""
    path = data / "hina_nacr32140" / "pseudo_ocv_0p02C_digitised.csv"
    header, rows = read(path)
    of_step, of_cycle, of_q, of_V = (
        header.index(k) for k in ("step", "cycle", "charge_Ah", "voltage_V")
    )
    own = [r for r in rows if r[of_step] == step and r[of_cycle] == cycle]
    q, V = np.array([[float(r[of_q]), float(r[of_V])] for r in own]).T
    return q, V


def _grid(charge: np.ndarray, voltage: np.ndarray, n: int):
    """Voltage at n equal steps of charge, each the median of the points around it."""
    edges = np.linspace(0.0, charge[-1], n + 1)
    centres, medians = [], []
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        inside = (charge >= low) & (charge <= high)
        if np.any(inside):
            centres.append(float(np.mean(charge[inside])))
            medians.append(float(np.median(voltage[inside])))
    return np.array(centres), np.array(medians)


def nvpf_discharges(data: Path, out: Path, n: int) -> None:
    """Measured discharges of the NVPF / hard-carbon cell."""
    for label, density in (("0p5", 0.5), ("1", 1.0), ("12", 12.0)):
        path = data / "chayambuka_nvpf_hc" / f"discharge_{label}_A_per_m2.csv"
        q, V, I = read_columns(path, "discharged_mAh", "voltage_med5_V", "current_A")
        grid, median = _grid(q, V, n)
        comments = [
            f"measured discharge at {density:g} A/m2, 25 degC, to 2.0 V",
            "source: digitised figures of Chayambuka et al. 2022, DOI "
            "10.1016/j.electacta.2021.139764, by BattMo.jl (MIT)",
            f"median in {n} equal steps of charge; the last row is the measured end",
        ]
        write(
            out / "nvpf_hc" / f"discharge_{label}_A_per_m2.csv",
            comments,
            "charge_Ah,voltage_V,current_A",
            np.append(grid, q[-1]) / 1e3,
            np.append(median, V[-1]),
            np.full(len(grid) + 1, np.median(I)),
        )


HAKADI_HELD = 4.1
"""Voltage of the hold before each discharge, and of that at the end of the charge [V]."""


def hakadi_cycles(data: Path, out: Path, n: int) -> None:
    """Hold, discharge and charge of Hakadi cell 2, rep1 and rep2 at every rate."""
    for path in sorted((data / "hakadi_18650").glob("cell2_*_chg1.0C_rep*.csv")):
        header, rows = read(path)

        def column(step: str, header=header, rows=rows):
            own = [r for r in rows if r[header.index("step")] == step]
            keys = ("time_s", "current_A", "voltage_V")
            t, I, V = np.array(
                [[float(r[header.index(k)]) for k in keys] for r in own]
            ).T
            # Some logs run on from the step before; the first sample comes 0.2 s in.
            return t - t[0] + 0.2, I, V

        held = column("precharge")[0][-1]
        parts = [(0, np.array([held]), np.array([HAKADI_HELD]), 0.0)]
        for code, step in ((1, "discharge"), (2, "charge")):
            t, I, V = column(step)
            if step == "charge":
                constant = np.argmax(V > HAKADI_HELD - 0.004)
                t, I, V = t[:constant], I[:constant], V[:constant]
            grid, median = _grid(t, V, n if step == "discharge" else 2 * n // 3)
            q = np.sum(0.5 * (I[1:] + I[:-1]) * np.diff(t)) + I[0] * t[0]
            t, V = np.append(grid, t[-1]), np.append(median, V[-1])
            parts.append((code, t, V, q / t[-1]))
        name = path.name.split("_chg")[0] + "_" + path.stem.split("_")[-1] + ".csv"
        write(
            out / "hakadi" / name,
            [
                "Hakadi cell 2, room temperature: hold at 4.1 V (step 0), discharge to "
                "1.5 V (1), at once charge to 4.1 V (2)",
                "source: repository MaxMax-embedded/hakadi_soidum_ion_18650, CC0 1.0",
                f"median in {n} and {2 * n // 3} equal steps of time; the last row of a "
                "step is its end; mean currents, positive on discharge",
            ],
            "step,time_s,voltage_V,current_A",
            *(
                np.concatenate(c)
                for c in zip(
                    *(
                        (np.full(len(t), k), t, V, np.full(len(t), I))
                        for k, t, V, I in parts
                    ),
                    strict=True,
                )
            ),
        )


def hakadi_slow(data: Path, out: Path, n: int) -> None:
    """The discharge of Hakadi cell 2 at 0.25C, of which there is a figure alone."""
    path = data / "hakadi_18650" / "cell2_dchg0.25C_figure_digitised.csv"
    q, V, current = read_columns(path, "discharged_Ah", "voltage_V", "current_A")
    grid, median = _grid(q, V, n)
    write(
        out / "hakadi" / "cell2_dchg0.25C.csv",
        [
            "Hakadi cell 2, room temperature: discharge at 0.25C after a hold at 4.1 V",
            "source: figure of MaxMax-embedded/hakadi_soidum_ion_18650, CC0 1.0, digitised "
            "(5 mV, 2 mA.h)",
            f"median in {n} equal steps of charge",
        ],
        "charge_Ah,voltage_V,current_A",
        grid,
        median,
        np.full(len(grid), current[0]),
    )


def hakadi_rests_and_pulses(data: Path, out: Path) -> None:
    """Rested voltages and 10 s resistances of Hakadi cells, of which there are figures."""
    folder = data / "hakadi_18650"
    source = (
        "source: figures of MaxMax-embedded/hakadi_soidum_ion_18650, CC0 1.0, digitised"
    )
    header, rows = read(folder / "cell2_incremental_ocv_digitised.csv")
    soc, down, up = np.array([[float(v) for v in r] for r in rows if all(r)]).T
    grid = np.linspace(0.1, 0.9, 17)
    write(
        out / "hakadi" / "rested.csv",
        [
            "Hakadi cell 2, room temperature: voltage after rests of 20 min between steps of "
            "540 s, out at 0.5 A and in at 0.2 A",
            f"{source} (8 mV)",
            "interpolated on our grid; each branch is over its own state of charge: they "
            "cross by up to 10 mV",
        ],
        "soc,out_V,in_V",
        grid,
        *(np.interp(grid, soc, V) for V in (down, up)),
    )
    names = "soc", "R_dc_10s_mohm"
    write(
        out / "hakadi" / "resistance_10s.csv",
        ["Hakadi 18650, room temperature: resistance after 10 s", f"{source} (1 mohm)"],
        "soc,r_10s_mohm",
        *read_columns(folder / "hppc_resistance_10s_digitised.csv", *names),
    )


TU_BERLIN = (
    "source: Droese et al., TU Berlin, DOI 10.14279/depositonce-25036, CC BY 4.0; derived "
    "tables of DNV007/delivered-energy-decomposition, CC BY 4.0"
)


def tuberlin_checkups(data: Path, out: Path, every: int) -> None:
    """Full-length segments of the TU Berlin discharges, one in `every`; pulses."""
    folder = data / "tuberlin_sib_multitemp"
    names = (
        "segment",
        "duration_s",
        "current_A",
        "mean_voltage_loaded_V",
        "rest_voltage_6min_V",
        "temperature_degC",
    )
    for T in (15, 25, 45):
        path = folder / f"sib_{T}degC_discharge_segments.csv"
        segment, duration, I, loaded, rest, warm = read_columns(path, *names)
        full = duration > 0.999 * duration[0]
        keep = full & (segment % every == every - 1)
        write(
            out / "tuberlin" / f"segments_{T}degC.csv",
            [
                f"1C segments of {duration[0]:.3f} s, each followed by 360 s of rest",
                TU_BERLIN,
                f"one in {every} of the full-length segments; voltages: mean under load, "
                "end of rest",
            ],
            "segment,duration_s,current_A,loaded_V,rest_V,temperature_degC",
            *(a[keep] for a in (segment, duration, I, loaded, rest, warm)),
        )
    header, rows = read(folder / "sib_pulse_resistance.csv")
    rows = [r for r in rows if r[header.index("direction")] == "discharge"]
    keys = ("temperature_actual_degC", "c_rate", "r_1s_mohm", "r_10s_mohm")
    write(
        out / "tuberlin" / "pulses.csv",
        ["median discharge pulse resistance over 21 states of charge", TU_BERLIN],
        "temperature_degC,c_rate,r_1s_mohm,r_10s_mohm",
        *(np.array([float(r[header.index(k)]) for r in rows]) for k in keys),
    )


def tuberlin_lithium(data: Path, out: Path) -> None:
    """Pulses and check-ups of TU Berlin's LFP / graphite reference, 5 to 45 degC."""
    folder = data / "tuberlin_sib_multitemp"
    what = "commercial LFP / graphite 18650 (TC23LFP09, 1.8 A.h), chamber temperatures"
    for file, name, note, keys in (
        (
            "li_reference_pulse_resistance.csv",
            "lfp_pulses",
            "median pulse resistance over 21 states of charge; direction: 1 discharge, "
            "-1 charge",
            ("r_100ms_mohm", "r_1s_mohm", "r_10s_mohm"),
        ),
        (
            "li_reference_totals.csv",
            "lfp_totals",
            "discharge at 1C in segments of a hundredth of the capacity, each followed by "
            "360 s of rest; E_rest: of the rested voltages",
            ("Q_Ah", "E_delivered_Wh", "E_rest_Wh"),
        ),
    ):
        header, rows = read(folder / file)
        own = [r for r in rows if r[header.index("family")] == "LFP"]
        columns = ["temperature_degC", *keys]
        found = [np.array([float(r[header.index(k)]) for r in own]) for k in columns]
        if "direction" in header:
            turned = [r[header.index("direction")] == "charge" for r in own]
            rate = np.array([float(r[header.index("c_rate")]) for r in own])
            found[1:1] = [np.where(turned, -1.0, 1.0), rate]
            columns[1:1] = ["direction", "c_rate"]
        comments = [what, TU_BERLIN, note]
        write(out / "tuberlin" / f"{name}.csv", comments, ",".join(columns), *found)


def hina_slow(data: Path, out: Path, n: int) -> None:
    """C/50 discharge and charge of the HiNa cell."""
    for step, cycle in (("discharge", "1"), ("charge", "2")):
        grid, median = _grid(*hina_branch(data, step, cycle), n)
        write(
            out / "hina" / f"{step}_0p02C.csv",
            [
                f"measured {step} of HiNa NaCR32140-MP10 at 0.2 A, 1.5 to 3.95 V, 25 degC",
                "source: SINTEF record in battery-data-alliance/battery-data-format, "
                "CC BY 4.0, digitised (7 mV, 0.1 A.h)",
                f"median in {n} equal steps of charge",
            ],
            "charge_Ah,voltage_V",
            grid,
            median,
        )


def hina_fast(data: Path, out: Path, n: int) -> None:
    """2C charge of another HiNa cell, and the rest after it."""
    path = data / "hina_nacr32140" / "2C_charge_and_rest_25degC.csv"
    names = ("time_s", "current_A", "voltage_V", "temperature_degC", "cycle")
    t, I, V, T, cycle = read_columns(path, *names)
    own = cycle == 1
    t, I, V, T = t[own] - t[own][0], I[own], V[own], T[own]
    held, off = np.argmax(V > 3.9495), np.argmax(np.abs(I) < 0.01)
    parts = []
    for code, step in enumerate((slice(0, held), slice(held, off), slice(off, None))):
        began = 0.0 if code == 0 else t[step.start - 1]
        grid, volts = _grid(t[step] - began, V[step], n if code == 0 else n // 2)
        _, warm = _grid(t[step] - began, T[step], n if code == 0 else n // 2)
        grid = np.append(grid, t[step][-1] - began)
        volts, warm = np.append(volts, V[step][-1]), np.append(warm, T[step][-1])
        parts.append(
            (
                np.full(len(grid), code),
                grid,
                volts,
                warm,
                np.full(len(grid), I[step].mean()),
            )
        )
    write(
        out / "hina" / "charge_2C.csv",
        [
            "HiNa NaCR32140-MP10, a second cell: charge at 20 A (step 0), hold at 3.95 V to "
            "0.2 A (1), rest (2); a thermocouple on the cell",
            "source: SINTEF record in battery-data-alliance/battery-data-format, CC BY 4.0",
            f"median in {n} and {n // 2} equal steps of time; the last row of a step is its "
            "end; mean currents, positive on discharge",
        ],
        "step,time_s,voltage_V,temperature_degC,current_A",
        *(np.concatenate(columns) for columns in zip(*parts, strict=True)),
    )


HINA_PULSES = (2.5, 10.0, 20.0, 30.0)
"""Currents at which all states of charge were pulsed [A]."""


def hina_pulses(data: Path, out: Path) -> None:
    """Rested voltage and resistances of a third HiNa cell at every state of charge."""
    path = data / "hina_nacr32140" / "pulses_5s_25degC.csv"
    header, rows = read(path)
    at = {name: header.index(name) for name in header}
    pulses: dict[str, list[list[str]]] = {}
    for row in rows:
        pulses.setdefault(row[at["pulse_id"]], []).append(row)
    found = []
    for own in pulses.values():

        def column(phase: str, name: str, own=own) -> np.ndarray:
            return np.array(
                [float(r[at[name]]) for r in own if r[at["phase"]] == phase]
            )

        current = column("pulse", "current_A")
        before = column("before", "voltage_V")
        if not (current.size and before.size) or current[0] < 0.0:
            continue
        # The last row before three of the smallest pulses is 1.1 to 1.5 mV below the two
        # 0.2 s earlier: the current had begun.
        rested = float(np.median(before))
        if np.min(np.abs(current[0] - np.array(HINA_PULSES))) > 0.01:
            continue
        t, V = column("pulse", "t_s"), column("pulse", "voltage_V")
        R = (rested - np.interp((0.1, 1.0, 5.0), t, V)) / current[0]
        state = [column("pulse", k)[0] for k in ("soc_percent", "discharged_Ah")]
        warm = column("pulse", "temperature_degC").mean()
        found.append([*state, warm, current[0], rested, *(1e3 * R)])
    write(
        out / "hina" / "pulses.csv",
        [
            "HiNa NaCR32140-MP10, a third cell: discharge pulses of 5 s from rest, 26 degC",
            "source: Shandong University's record in battery-data-alliance/"
            "battery-data-format, DOI 10.5281/zenodo.18986774, CC BY 4.0",
            "resistance: rested voltage minus voltage after 0.1, 1 and 5 s, over current",
        ],
        "soc_percent,discharged_Ah,temperature_degC,current_A,rested_V,"
        "r_0p1s_mohm,r_1s_mohm,r_5s_mohm",
        *np.array(found).T,
    )


def measurements(data: Path, out: Path, n: int = 60, every: int = 2) -> None:
    """Tables of every measurement that naion fits.

    Args:
        data: folder of the full data files.
        out: folder to write to.
        n: points of each discharge curve.
        every: one in this many segments of the check-ups.
    """
    nvpf_discharges(data, out, n)
    hakadi_cycles(data, out, n)
    hakadi_slow(data, out, n)
    hakadi_rests_and_pulses(data, out)
    tuberlin_checkups(data, out, every)
    tuberlin_lithium(data, out)
    hina_slow(data, out, n)
    hina_fast(data, out, 2 * n // 3)
    hina_pulses(data, out)
