"""Write the tables that naion embeds, from the full data files and the references.

    python -m benchmarks embedded DIRECTORY

DIRECTORY holds `data/` and `reference/`. Parameter tables keep their published points;
measured curves are resampled on our own grid, a few tens of points each.
"""

import json
import sys
from pathlib import Path

import numpy as np

from naion.demo._full import hina_branch, measurements, read, read_columns, write

NAION = Path(__file__).parents[1] / "naion"
SETS = NAION / "parameters" / "sets"

CHAYAMBUKA = (
    "Chayambuka, Mulder, Danilov, Notten, Electrochim. Acta 404 (2022) 139726 and "
    "139764, DOI 10.1016/j.electacta.2021.139726 and .139764; points as distributed "
    "with PyBaMM (BSD-3-Clause)"
)


def chayambuka_set(source: Path) -> None:
    """Property tables of the NVPF / hard-carbon set."""
    folder = source / "data" / "chayambuka_nvpf_hc" / "functions"
    tables = {
        "D_n": ("hc_diffusivity", "c_s_mol_m3,D_s_m2_s"),
        "D_p": ("nvpf_diffusivity", "c_s_mol_m3,D_s_m2_s"),
        "U_n": ("hc_ocp", "sto,U_V"),
        "U_p": ("nvpf_ocp", "sto,U_V"),
        "k_n": ("hc_rate_constant", "c_s_mol_m3,k_m_s"),
        "k_p": ("nvpf_rate_constant", "c_s_mol_m3,k_m_s"),
        "D_e": ("electrolyte_diffusivity", "c_e_mol_m3,D_e_m2_s"),
        "sigma_e": ("electrolyte_conductivity", "c_e_mol_m3,kappa_S_m"),
    }
    for key, (name, header) in tables.items():
        _, rows = read(folder / f"pybamm_{key}.csv")
        x, y = np.array(rows, dtype=float).T
        comments = [f"source: {CHAYAMBUKA}", "25 degC"]
        if key == "sigma_e":
            x, y = np.insert(x, 0, 0.0), np.insert(y, 0, 0.0)
            comments.append("the point (0, 0) is added: depleted salt does not conduct")
        write(SETS / "nvpf_hc_chayambuka2022" / f"{name}.csv", comments, header, x, y)


OCPS = {
    "nfm_hc_18650/hc_ocp": "hc_D1",
    "nfm_hc_18650/nfm_ocp": "nfm111_B",
    "nfpp_hc_32140/hc_ocp": "hc_B",
    "nfpp_hc_32140/nfpp_ocp": "nfpp",
    "nfm_hc_prismatic/hc_ocp": "hc_A",
    "pw_hc_prismatic/pw_ocp": "prussian_white",
}
"""Our fits of half-cell curves, by the table that a constructed set holds."""


def constructed_sets(source: Path) -> None:
    """Open-circuit potentials of the constructed sets."""
    for out, name in OCPS.items():
        x, U = read_columns(source / "reference" / "ocp" / f"{name}.csv", "x", "U_eq_V")
        comments = [
            f"{name}: centre line of our own MSMR fit to slow half-cell curves, 25 degC",
            "x = 0 desodiated, 1 sodiated (hard carbon); 0 charged, 1 discharged (cathode)",
        ]
        write(SETS / f"{out}.csv", comments, "sto,U_V", x, U)
    # Mean of both branches [uV/K] from charged (y = 0.404) to discharged (y = 0.966).
    entropic = np.array(
        [85, -6, -181, -256, -228, -266, -336, -385, -336, -335, -426.0]
    )
    y = np.linspace(0.404, 0.966, 11)
    write(
        SETS / "nfm_hc_18650" / "nfm_dudt.csv",
        [
            "full-cell dU/dT, mean of charge and discharge, against the oxide's "
            "composition in the window of nfm_ocp.csv",
            "source: TU Berlin, DOI 10.14279/depositonce-25036, CC BY 4.0",
        ],
        "sto,dUdT_V_per_K",
        (y - 0.43) / 0.55,
        1e-6 * entropic,
    )


def cfm_set(source: Path, Q_n: float = 12.4, x_n: float = 0.88) -> None:
    """Potential of the Cu-Fe-Mn oxide: the cell's slow curve plus hard carbon's.

    Args:
        Q_n: capacity of the negative electrode [A.h].
        x_n: its stoichiometry at the charged end. With this pair and hard carbon D1 the
            oxide's potential is smoothest (standard deviation of second differences
            2.6 mV, and it falls everywhere); with hard carbon B it would rise by 65 mV.
    """
    q, V = hina_branch(source / "data", "discharge", "1")
    q_back, V_back = hina_branch(source / "data", "charge", "2")
    total = 10.85
    both = 0.5 * (V + np.interp(q, total - q_back[::-1], V_back[::-1]))
    x_hc, U_hc = read_columns(source / "reference" / "ocp" / "hc_D1.csv", "x", "U_eq_V")
    U = both + np.interp(x_n - q / Q_n, x_hc, U_hc)
    grid = np.concatenate([[0.005, 0.015], np.linspace(0.03, 0.97, 48), [0.985, 1.0]])
    edges = np.concatenate([[0.0], 0.5 * (grid[1:] + grid[:-1]), [1.0]])
    x, means = q / total, []
    for low, high, at in zip(edges[:-1], edges[1:], grid, strict=True):
        inside = (x >= low) & (x <= high)
        near = np.median(U[inside]) if inside.sum() > 2 else np.interp(at, x, U)
        means.append(near)
    write(
        SETS / "cfm_hc_32140" / "cfm_ocp.csv",
        [
            "Cu-Fe-Mn layered oxide: mean of the C/50 branches of the cell, plus hard "
            f"carbon D1 with Q_n {Q_n:g} A.h and x_n {x_n:g} at the charged end, 25 degC",
            "x = 0 at 3.95 V, 1 at 1.5 V of the cell; made to fall everywhere",
            "source: SINTEF record in battery-data-alliance/battery-data-format, CC BY 4.0",
        ],
        "sto,U_V",
        grid,
        np.minimum.accumulate(np.array(means) - 1e-6 * grid),
    )


ABOUTENERGY = (
    "About:Energy Limited, About-Energy-BPX-Parameterisation (December 2022), "
    "CC BY-SA 4.0; this file keeps that licence"
)


def aboutenergy_sets(source: Path) -> None:
    """Open-circuit potentials and entropic coefficients of the lithium BPX sets.

    Their expressions are evaluated on our own grid, dense where they are steep; monotone
    cubics through the points are within 0.2 mV of them (tests/unit/test_parameters.py).
    """
    fine = np.concatenate(
        [np.geomspace(5e-4, 0.1, 40)[:-1], np.linspace(0.1, 0.98, 89)]
    )
    end = 1.0 - np.geomspace(0.02, 5e-4, 16)[1:]
    for cell, name, positive in (
        ("lfp_18650_cell", "lfp_aboutenergy", "lfp"),
        ("nmc_pouch_cell", "nmc111_aboutenergy", "nmc111"),
    ):
        path = source / "data" / "aboutenergy_lfp_nmc" / f"{cell}_BPX.json"
        bpx = json.loads(path.read_text(encoding="utf-8"))["Parameterisation"]
        for side, material in (("Negative", "graphite"), ("Positive", positive)):
            entries = bpx[f"{side} electrode"]
            x = np.concatenate([fine, end])
            if positive == "lfp" == material:
                # The expression diverges towards x = 0.
                x = np.concatenate([np.linspace(0.08, 0.11, 31)[:-1], x[x >= 0.11]])
            for key, unit, stem in (
                ("OCP [V]", "U_V", "ocp"),
                ("Entropic change coefficient [V.K-1]", "dUdT_V_per_K", "dudt"),
            ):
                if isinstance(entries[key], float):
                    continue
                write(
                    SETS / name / f"{material}_{stem}.csv",
                    [f"{material}, {key}, 25 degC", f"source: {ABOUTENERGY}"],
                    f"sto,{unit}",
                    *_bpx_function(entries[key], x),
                )


def _bpx_function(given, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points of a BPX function: those of its table, or its expression at `x`."""
    if isinstance(given, dict):
        return np.array(given["x"], float), np.array(given["y"], float)
    names = {"x": x, "exp": np.exp, "tanh": np.tanh, "__builtins__": {}}
    return x, eval(given, names)  # of a file that we chose


def main() -> None:
    """Write everything that naion embeds."""
    source = Path(sys.argv[1])
    chayambuka_set(source)
    constructed_sets(source)
    cfm_set(source)
    aboutenergy_sets(source)
    measurements(source / "data", NAION / "demo" / "data")
