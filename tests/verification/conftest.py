"""A 1C discharge of each set, with all fields."""

import jax
import jax.numpy as jnp
import pytest

import naion as na


@pytest.fixture(scope="session")
def discharge_of(model):
    """Simulated once for each set."""
    done = {}

    def run(name: str):
        if name not in done:
            cell = na.parameters.load(name)
            done[name] = (
                cell,
                na.simulate(
                    cell,
                    "Discharge at 1C",
                    model=model,
                    rtol=1e-6,
                    max_steps=1000,
                    keep_states=True,
                ),
            )
        return done[name]

    return run


@pytest.fixture(params=["nfm_hc_18650", "nmc811_chen2020", "nvpf_hc_chayambuka2022"])
def discharge(request, discharge_of):
    """Cell and solution of a 1C discharge to the cell's limit."""
    return discharge_of(request.param)


@pytest.fixture(scope="session")
def with_end():
    """States at the start of every step and at the end, stacked."""

    def states(solution):
        end = solution.equations.layout.unpack(solution.final, solution.temperature[-1])
        return jax.tree.map(
            lambda a, b: jnp.concatenate([a, jnp.asarray(b)[None]]),
            solution.states,
            end,
        )

    return states
