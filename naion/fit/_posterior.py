"""Sample the full posterior of a few parameters with the no-U-turn sampler (NUTS)."""

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
"""Most free numbers: with more a run takes hours, and the covariance of the fit must do."""

MOST_DOUBLINGS = 5
"""Most doublings of a path, which is 31 gradients. In coordinates of unit covariance longer
paths only turn back."""

ACCEPTANCE = 0.8
"""Acceptance rate to which the step size is tuned."""


@takes
def log_density(problem: Problem, covariance: np.ndarray) -> Callable[[Array], Array]:
    """Logarithm of the posterior density of the transformed parameters, but for a constant.

    Args:
        problem: data and priors.
        covariance: covariance of the scaled errors of all data, with the model's own error
            included, (n, n).

    Returns:
        a function of the transformed parameters, (m,), that JAX can trace, differentiate
        and batch.
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

    Chains move between the bounds of the parameters, in coordinates in which the fit's
    covariance is the identity, so that only the step size needs tuning. All chains run as
    one batch.

    Args:
        fit: where chains start, and whose covariance gives the coordinates.
        chains: number of independent chains, started from the fit's Gaussian.
        draws: number of draws kept of each chain.
        tune: number of steps before, in which the step size is tuned.
        rtol: tolerance of the simulations, unless the fit's is tighter. Sampling needs a
            tighter one than fits: the noise that the choice of time steps adds to the log
            density must be far below one, or paths are rejected because of it
            (`benchmarks/posterior.py` prints it).
        seed: seed of the random numbers.

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
    of_z = log_density(problem, errors_of(fit).covariance(problem.experiments))
    z_of, log_volume = _coordinates(fit)

    def density(x: Array) -> Array:
        return of_z(z_of(x)) + log_volume(x)

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


def _coordinates(
    fit: "Fit",
) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """Coordinates without bounds in which the fit's covariance is the identity.

    Returns:
        transformed parameters z as a function of the coordinates x, (n,); and the
        logarithm of the determinant of dz/dx, but for a constant.
    """
    low, high = (jnp.asarray(b) for b in fit.problem.vector.bounds)
    # The centre is at least a standard deviation away from each bound: closer to it the
    # logistic function is too flat for the covariance to mean anything.
    sure = jnp.minimum(jnp.sqrt(jnp.diag(fit.covariance)), 0.25 * (high - low))
    centre = (jnp.clip(fit.z, low + sure, high - sure) - low) / (high - low)
    at = jax.scipy.special.logit(centre)
    slope = centre * (1.0 - centre) * (high - low)
    root = jnp.linalg.cholesky(jnp.asarray(fit.covariance)) / slope[:, None]

    def z_of(x: Array) -> Array:
        return low + (high - low) * jax.nn.sigmoid(at + root @ x)

    def log_volume(x: Array) -> Array:
        u = at + root @ x
        return jnp.sum(jax.nn.log_sigmoid(u) + jax.nn.log_sigmoid(-u))

    return z_of, log_volume


def _arviz() -> Any:
    """Import ArviZ, also where other processes import it at the same time.

    On the first import of a day it writes a file and deletes an older one. Processes of a
    cluster that share a home directory may delete it under each other's hands; a second
    attempt finds the new file.
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
