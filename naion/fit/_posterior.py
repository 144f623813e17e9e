"""Full posteriors of a few parameters by the no-U-turn sampler."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._takes import takes
from ._errors import errors_of
from ._problem import Problem

if TYPE_CHECKING:
    import arviz

    from ._fit import Fit

MOST = 6
"""Parameters, beyond which a run takes hours and the covariance of the fit must do."""

MOST_DOUBLINGS = 5
"""Of a path, 31 gradients: in coordinates of unit covariance longer ones only come back."""

ACCEPTANCE = 0.8
"""Aimed at by the length of steps."""


@takes
def log_density(problem: Problem, covariance: np.ndarray) -> Callable[[Array], Array]:
    """Logarithm of the posterior density of the transformed parameters, but a constant.

    Args:
        problem: data and priors.
        covariance: of the scaled errors of all data, model discrepancy included, (n, n).

    Returns:
        a function of the vector, (m,), that can be traced, differentiated and batched.
    """
    whiten = jnp.asarray(np.linalg.inv(np.linalg.cholesky(covariance)))
    n = len(whiten)

    def density(z: Array) -> Array:
        rows = problem.residuals(z)
        r, own = whiten @ rows[:n], rows[n:]
        return -0.5 * (r @ r + own @ own)

    return density


@takes
def posterior(
    fit: "Fit",
    *,
    chains: int = 4,
    draws: int = 500,
    tune: int = 100,
    rtol: float = 1e-4,
    seed: int = 0,
) -> "arviz.InferenceData":
    """Draws from the posterior of a fit, with the no-U-turn sampler of blackjax.

    Chains move in the coordinates in which the fit's covariance is one, between the
    bounds of the parameters; only the length of steps is tuned. All chains run as one batch.

    Args:
        fit: where to start, and the shape to expect.
        chains: independent ones, started from the fit's Gaussian.
        draws: kept of each chain.
        tune: steps of each before.
        rtol: tolerance of the simulations, if the fit's is not tighter. Fits need less:
            what the choice of time steps adds to the logarithm of the density must be far
            below one, or paths are refused for it and steps get short
            (`benchmarks/posterior.py` prints it).
        seed: of the random numbers.

    Returns:
        groups `posterior` (values of the parameters, by name) and `sample_stats`
        (divergences, acceptance, gradients of each draw); `arviz.summary` gives R-hat and
        effective sizes.

    Raises:
        ValueError: for more than six free numbers.
        ImportError: without the extra `naion[posterior]`.

    Reference: Hoffman and Gelman, J. Mach. Learn. Res. 15 (2014) 1593.
    """
    n = len(fit.z)
    if n > MOST:
        raise ValueError(
            f"This fit has {n} free numbers: expected at most {MOST}. Fix what the data do "
            "not determine (see `naion.fit.identifiability`), or use the fit's covariance."
        )
    try:
        arviz = _arviz()
        from blackjax import nuts
        from blackjax.adaptation.step_size import dual_averaging_adaptation
    except ImportError:
        raise ImportError(
            "Posteriors need blackjax and ArviZ: pip install 'naion[posterior]'."
        ) from None

    problem = replace(fit.problem, rtol=min(rtol, fit.problem.rtol))
    low, high = (jnp.asarray(b) for b in problem.vector.bounds)
    of_z = log_density(problem, errors_of(fit).covariance(problem.experiments))
    # As far from a bound as the fit is sure: nearer, the logistic function is too flat for
    # the covariance to have a meaning.
    sure = jnp.minimum(jnp.sqrt(jnp.diag(fit.covariance)), 0.25 * (high - low))
    centre = (jnp.clip(fit.z, low + sure, high - sure) - low) / (high - low)
    at = jax.scipy.special.logit(centre)
    slope = centre * (1.0 - centre) * (high - low)
    root = jnp.linalg.cholesky(jnp.asarray(fit.covariance)) / slope[:, None]

    def z_of(x: Array) -> Array:
        return low + (high - low) * jax.nn.sigmoid(at + root @ x)

    def density(x: Array) -> Array:
        u = at + root @ x
        stretched = jax.nn.log_sigmoid(u) + jax.nn.log_sigmoid(-u)
        return of_z(z_of(x)) + jnp.sum(stretched)

    kernel = nuts.build_kernel()
    average, follow, settled = dual_averaging_adaptation(ACCEPTANCE)

    def move(key: Array, state: Any, step: Array) -> tuple[Any, Any]:
        return kernel(key, state, density, step, jnp.ones(n), MOST_DOUBLINGS)

    @jax.jit
    def chain(key: Array) -> tuple[Array, dict[str, Array]]:
        first, warm, rest = jax.random.split(key, 3)

        def tuning(carry: tuple[Any, Any], key: Array):
            state, steps = carry
            state, info = move(key, state, jnp.exp(steps.log_step_size))
            return (state, follow(steps, info.acceptance_rate)), None

        def drawing(state: Any, key: Array):
            state, info = move(key, state, step)
            return state, (
                z_of(state.position),
                {
                    "diverging": info.is_divergent,
                    "acceptance_rate": info.acceptance_rate,
                    "n_steps": info.num_integration_steps,
                },
            )

        begin = nuts.init(jax.random.normal(first, (n,)), density), average(0.1)
        (state, steps), _ = jax.lax.scan(tuning, begin, jax.random.split(warm, tune))
        step = settled(steps)
        return jax.lax.scan(drawing, state, jax.random.split(rest, draws))[1]

    keys = jax.random.split(jax.random.key(seed), chains)
    z, stats = jax.vmap(chain)(keys)
    return arviz.from_dict(
        posterior=_by_name(problem, np.asarray(z)),
        sample_stats=jax.tree.map(np.asarray, stats),
    )


def _arviz() -> Any:
    """ArviZ, also where other processes import it at the same time.

    On the first import of a day it writes a stamp, which the processes of a cluster that
    share a home take away from each other; the second attempt finds it written.
    """
    try:
        import arviz
    except FileNotFoundError:
        import arviz
    return arviz


def _by_name(problem: Problem, z: np.ndarray) -> dict[str, np.ndarray]:
    """Values of the parameters, each (chains, draws)."""
    values = np.asarray(problem.vector.values(z))
    return {name: values[..., i] for i, name in enumerate(problem.vector.names)}
