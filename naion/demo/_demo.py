"""The main job: measured data to fitted cells to predictions beside the claims."""

import contextlib
import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from .. import claims, design
from .._precision import enable_x64
from .._progress import Progress
from ..batch import Checkpoint, digest
from ..fit import UNSEEN_ENERGY, ensemble
from ..report import Report
from ._fitted import ABOUT, Fitted, fitted
from ._hakadi import hakadi_problem
from ._hina import hina_problem
from ._not_fitted import (
    Unseen,
    nvpf_without,
    of_hakadi,
    of_hakadi_pulses,
    of_hakadi_rests,
    of_hina,
    of_nvpf,
    of_tuberlin,
)
from ._nvpf import nvpf_problem
from ._questions import ColdRow, cold_table, energy_density
from ._report import write_audit, write_fits, write_predictions, write_summary
from ._second import beside
from ._tables import EMBEDDED, full_tables
from ._tuberlin import tuberlin_problem

DRAWS = 96
"""Cells drawn for every predicted interval."""

DRAWS_OF_CLAIMS = 64
"""Draws of the claim that is asked here."""

DESIGN = "nfm_prismatic"
"""Of the large cell whose energy is predicted."""


def demo(out: Path, full: bool = False, progress: Progress = print) -> None:
    """Run everything; writes report.html, report.md and four cell.json below `out`.

    Two cells are fitted in a process of their own, beside the other two. What is
    finished is kept in `out/finished`: the same again goes on with the rest.

    Args:
        out: folder to write.
        full: fit finer tables made from the full data files; see `full_tables`.
        progress: called with a line of text now and then, by two threads.
    """
    began = time.perf_counter()

    def say(text: str) -> None:
        progress(f"[{time.perf_counter() - began:6.1f} s] " + text)

    out.mkdir(parents=True, exist_ok=True)
    tables = full_tables(out / "tables") if full else EMBEDDED
    with contextlib.ExitStack() as stack:
        say("NVPF / hard carbon, then HiNa: in a second process")
        where = tables if full else None
        wait = stack.enter_context(beside(_fit_beside, out, where, say=say))
        hakadi = _hakadi(out, tables, say)
        tuberlin = _tuberlin(out, tables, hakadi, say)
        predictions = _predict(tuberlin, out, say)
        audits, products = _audit(tuberlin, out, say)
        say("waiting for the second process")
        wait()
    nvpf, hina = _nvpf(out, tables, _quiet), _hina(out, tables, _quiet)
    unseen = [
        _nvpf_unseen(out, tables, _quiet),
        of_hina(hina.cell, hina.known.tests, tables),
        of_hakadi(hakadi.cell, tables),
        of_hakadi_rests(hakadi.cell, tables),
        of_hakadi_pulses(hakadi.cell, tables),
        of_tuberlin(tuberlin.cell, tables),
    ]
    report = Report("naion: four measured sodium-ion cells and two claims")
    source = "the full data files" if full else "the data embedded in naion"
    write_summary(report, unseen, *predictions[:2])
    write_fits(report, source, nvpf, hina, hakadi, tuberlin)
    write_predictions(report, *predictions)
    write_audit(report, audits, products)
    report.write(out)
    say(f"wrote {out / 'report.html'}")


def _fit_beside(out: Path, tables: Path | None, tell: Progress) -> None:
    """In the second process: the laboratory cell and HiNa's, which are kept."""
    enable_x64()
    where = EMBEDDED if tables is None else tables

    def say(text: str) -> None:
        # Steps of fits would be taken for those of the first process.
        if not text.startswith(" "):
            tell("second process: " + text)

    _nvpf(out, where, say)
    _hina(out, where, say)
    _nvpf_unseen(out, where, say)


def _quiet(text: str) -> None:
    del text


def _nvpf(out: Path, tables: Any, say: Progress) -> Fitted:
    title = "NVPF / hard carbon, Chayambuka et al. 2022"
    problem = nvpf_problem(tables=tables)
    options = {"max_evaluations": 60, "tolerance": 5e-4}
    return fitted("nvpf_hc", title, problem, out, say, **options)


def _nvpf_unseen(out: Path, tables: Any, say: Progress) -> Unseen:
    """A rate of the laboratory cell predicted from the others."""
    finished, problem = Checkpoint(out / "finished", ABOUT), nvpf_without(tables)
    asked = digest(problem)
    data = json.loads(finished.get("unseen_nvpf") or b"{}")
    if data.get("digest") != asked:
        say("NVPF / hard carbon: a rate predicted from the others")
        data = {"digest": asked, "unseen": of_nvpf(problem, tables)}
        finished.save("unseen_nvpf", json.dumps(data).encode())
    return Unseen(*data["unseen"])


def _hina(out: Path, tables: Any, say: Progress) -> Fitted:
    title = "HiNa NaCR32140-MP10, 10 A.h"
    options = {"max_evaluations": 22, "tolerance": 1e-3}
    return fitted("hina", title, hina_problem(tables), out, say, **options)


def _hakadi(out: Path, tables: Any, say: Progress) -> Fitted:
    title = "Hakadi 1.5 A.h 18650, cell 2"
    options = {"max_evaluations": 22, "tolerance": 2e-3}
    return fitted("hakadi", title, hakadi_problem(tables=tables), out, say, **options)


def _tuberlin(out: Path, tables: Any, hakadi: Fitted, say: Progress) -> Fitted:
    """Check-ups at 15, 25 and 45 degC, from the fitted Hakadi cell."""
    title = "TU Berlin TC23SIB09 18650"
    problem = tuberlin_problem(hakadi.cell, tables)
    options = {"max_evaluations": 40, "tolerance": 5e-4}
    return fitted("tuberlin", title, problem, out, say, **options)


def _predict(
    fit: Fitted, out: Path, say: Progress
) -> tuple[list[ColdRow], np.ndarray, float]:
    """Cold discharges, and the energy [W.h.kg-1] and mass [kg] of a large cell."""
    finished = Checkpoint(out / "finished", ABOUT)
    blueprint = design.load(DESIGN)
    columns = [f.name for f in dataclasses.fields(ColdRow)]
    asked = digest(fit.cell, fit.known, DRAWS, blueprint, columns, UNSEEN_ENERGY)
    data = json.loads(finished.get("predictions") or b"{}")
    if data.get("digest") == asked:
        say(f"predictions: computed before, and kept in {finished.folder}")
    else:
        say("predictions: cold discharges and a large cell")
        drawn = ensemble(fit.cell, fit.known, DRAWS)
        cold = cold_table(drawn, progress=lambda t: say("  " + t))
        density, mass = energy_density(drawn, blueprint)
        found = {
            "digest": asked,
            "cold": [dataclasses.asdict(row) for row in cold],
            "density": np.asarray(density).tolist(),
            "mass": float(mass),
        }
        finished.save("predictions", json.dumps(found).encode())
        data = json.loads(finished.load("predictions"))
    cold = [ColdRow(**row) for row in data["cold"]]
    return cold, np.array(data["density"]), data["mass"]


def _audit(
    fit: Fitted, out: Path, say: Progress
) -> tuple[tuple[claims.Audit, ...], dict[str, claims.Product]]:
    """The claim of CATL's Naxtra, with the materials that were just fitted, and what was
    asked."""
    say("audit of CATL Naxtra: specific energy of a large cell of these materials")
    (claim,) = claims.chosen(claims.load(), ["naxtra-energy"])
    claim = dataclasses.replace(claim, readings=claim.readings[:1])
    products = claims.products((fit.cell, fit.known, True))
    audits = claims.audit(
        [claim],
        products,
        draws=DRAWS_OF_CLAIMS,
        folder=out / "finished" / "claims",
        progress=lambda t: say("  " + t),
    )
    return audits, products
