"""What a fit came to, in a few sentences: the beginning of its report."""

import numpy as np

from ..fit import Fit, identifiability, scores_of
from ..fit import SearchState as S

_ENDS = {
    S.NOTHING_TO_GAIN: "The fit converged: no step is expected to lower the cost.",
    S.STALLED: "The fit did not converge: it stalled where even short steps no longer lower "
    "the cost, which has a kink there or is rough. --starts 4 shows whether other starts "
    "find the same.",
    S.EVALUATION_LIMIT: "The fit did not converge: it stopped at the most evaluations that "
    "it may take. Free fewer parameters, or begin nearer; --starts 4 tries several starts.",
}
"""How a search ended, why, and what to do."""


def in_sentences(fit: Fit) -> list[str]:
    """How a fit ended, its worst test, and what of its parameters the data tell.

    The worst test is that whose residuals are largest in units of the uncertainties that
    were stated for them. A sum of parameters counts as determined where less than 0.3 of
    its prior's width remains; see `naion.fit.identifiability`.
    """
    end = _ENDS.get(fit.ended, f"The fit {fit.ended.in_words}.")
    counted = f"{fit.evaluations} evaluations took {fit.seconds:.3g} s; the cost"
    said = [f"{end} {counted}, half the sum of squared residuals, is {fit.cost:.5g}."]
    return [*said, _worst(fit), *_determined(fit)]


def _worst(fit: Fit) -> str:
    every = fit.problem.experiments
    ends = np.cumsum([e.n_observations for e in every])
    of_tests = np.split(fit.near.residuals[: ends[-1]], ends[:-1])
    sizes = [float(np.sqrt(np.mean(r**2))) for r in of_tests]
    k = int(np.argmax(sizes))
    rows = scores_of(every[k], fit.predictions[k])
    apart = "; ".join(f"{what} {text}" for _, what, text in rows)
    which = f"The worst test of {len(every)}" if len(every) > 1 else "The only test"
    return (
        f"{which} is {every[k].name}, {sizes[k]:.2g} times its stated "
        f"uncertainty from the model: {apart}."
    )


def _determined(fit: Fit) -> list[str]:
    """What the data tell, and each sum of parameters that they do not."""
    sums = identifiability(fit)
    open_ = [c for c in sums if not c.is_determined]
    n, sure = len(sums), len(sums) - len(open_)
    one = "the free parameter" if n == 1 else f"{n} free parameters"
    if n == 1:
        said = [f"The data {'determine' if sure else 'do not determine'} {one}."]
    elif not open_:
        said = [f"The data determine all {one}."]
    else:
        said = [
            f"The data determine {sure} of {n} independent sums of the free parameters."
        ]
    said += [f"{c}." for c in open_[:MOST_SUMS]]
    if len(open_) > MOST_SUMS:
        said.append(f"Nor are {len(open_) - MOST_SUMS} further sums.")
    if fit.at_bound:
        said.append(
            f"At a bound, so that the bound and not the data chose it: "
            f"{', '.join(fit.at_bound)}."
        )
    return said


MOST_SUMS = 3
"""Sums that the data do not determine, in words; the table shows every parameter."""
