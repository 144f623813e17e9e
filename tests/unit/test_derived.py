"""What is kept of an object: once, as long as it lives, and never of a trace."""

import gc

import jax
import jax.numpy as jnp

import naion as na
from naion._derived import Derived


class Thing:
    """An object."""


def test_once_and_as_long_as_the_object_lives():
    asked = []
    double = Derived(lambda thing: asked.append(id(thing)) or len(asked))
    one, other = Thing(), Thing()
    assert [double(one), double(one), double(other), double(one)] == [1, 1, 2, 1]
    del one
    gc.collect()
    assert len(double._known) == 1


def test_what_is_first_asked_for_in_a_trace_serves_outside(cell, model):
    """Protocols and cells that are first met while JAX traces can be used outside, too."""
    step = "Discharge at 1.375C for 61 s"

    @jax.jit
    def energy(scale):
        return scale * na.simulate(cell, step, model=model).energy

    inside = float(energy(jnp.asarray(1.0)))
    outside = na.simulate(cell, step, model=model)
    assert abs(float(outside.energy) / inside - 1.0) < 1e-6
    again = na.simulate(cell, [step, "Rest for 10 s"], model=model)
    assert float(again.t_end) == 71.0


def test_a_first_call_compiles_few_programs(cell):
    """Constants of a program are a part of it: 200 little programs once took 10 s."""
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, seconds, **_: compiled.append(event)
    )
    # No other test has this mesh.
    model = na.DFN(na.Mesh(3, 2, 3, 5))
    na.simulate(cell, "Discharge at 1C for 60 s", model=model)
    n = sum(event.endswith("backend_compile_duration") for event in compiled)
    assert 1 <= n <= 10
