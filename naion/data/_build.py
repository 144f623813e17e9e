"""Write the tables that naion embeds, from the full data files and the references.

    python -m naion.data._build DIRECTORY

DIRECTORY holds `data/` and `reference/`. Parameter tables keep their published points;
measured curves are resampled on our own grid, a few tens of points each.
"""

import csv
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SETS = HERE.parent / "parameters" / "sets"

CHAYAMBUKA = (
    "Chayambuka, Mulder, Danilov, Notten, Electrochim. Acta 404 (2022) 139726 and "
    "139764, DOI 10.1016/j.electacta.2021.139726 and .139764; points as distributed "
    "with PyBaMM (BSD-3-Clause)"
)


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(encoding="utf-8") as f:
        rows = [r for r in csv.reader(f) if r and not r[0].startswith("#")]
    return rows[0], rows[1:]


def _columns(path: Path, *names: str) -> list[np.ndarray]:
    header, rows = _read(path)
    return [np.array([float(r[header.index(n)]) for r in rows]) for n in names]


def write(path: Path, comments: list[str], header: str, *columns) -> None:
    """Write a CSV with comment lines; floats keep up to nine digits."""
    lines = [f"# {c}" for c in comments] + [header]
    for row in zip(*columns, strict=True):
        lines.append(",".join(v if isinstance(v, str) else f"{v:.9g}" for v in row))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


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
        _, rows = _read(folder / f"pybamm_{key}.csv")
        x, y = np.array(rows, dtype=float).T
        comments = [f"source: {CHAYAMBUKA}", "25 degC"]
        if key == "sigma_e":
            x, y = np.insert(x, 0, 0.0), np.insert(y, 0, 0.0)
            comments.append("the point (0, 0) is added: depleted salt does not conduct")
        write(
            SETS / "nvpf_hc_chayambuka2022" / f"{name}.csv", comments, header, x, y
        )


def nfm_set(source: Path) -> None:
    """Open-circuit potentials of the layered-oxide / hard-carbon set."""
    for name, out in (("hc_D1", "hc_ocp"), ("nfm111_B", "nfm_ocp")):
        x, U = _columns(source / "reference" / "ocp" / f"{name}.csv", "x", "U_eq_V")
        comments = [
            f"{name}: centre line of our own MSMR fit to slow half-cell curves, 25 degC",
            "x = 0 desodiated, 1 sodiated (hard carbon); 0 charged, 1 discharged (oxide)",
        ]
        write(SETS / "nfm_hc_18650" / f"{out}.csv", comments, "sto,U_V", x, U)


def main(source: Path) -> None:
    """Write everything."""
    chayambuka_set(source)
    nfm_set(source)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
