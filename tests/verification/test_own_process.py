"""A process that naion does not know, added through public names alone."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float

import naion as na
from naion.parameters import with_process
from naion.physics.store import AbstractPopulations, AbstractStore
from naion.physics.surface import AbstractSurfaceProcess, Unknown, per_charge


class Corrosion(AbstractSurfaceProcess):
    """Sodium is oxidised at the surface by what the liquid brings, and is lost as a salt
    that covers the surface: j_corr = F k (1 - covered), d covered/dt = s x rate.

    Attributes:
        rate: k [mol.m-2.s-1].
        layer: thickness of the salt where all is covered [m].
    """

    rate: Float[Array, ""]
    layer: Float[Array, ""]

    unknowns: ClassVar = (
        Unknown("covered", 1.0, title="Share of the surface under salt"),
        Unknown("corroded", 10.0, sodium=1.0, title="Sodium in the salt over sites"),
    )

    def current(self, u, at):
        return -96485.33212 * self.rate * (1.0 - u["covered"])

    def rates(self, u, at):
        into = -per_charge(at.sites) * self.current(u, at)
        return {"corroded": into, "covered": 40.0 * into}

    def film(self, u):
        return self.layer * u["covered"]


class Trap(AbstractStore, AbstractPopulations):
    """Sites that take sodium and never give it back: S = k x (most - held)."""

    k: Float[Array, ""]
    most: Float[Array, ""]

    def ready(self, ocp):
        return self

    def filling(self, mobile, held, T):
        return self.k * mobile * (self.most - held)


@pytest.fixture(scope="module")
def corroding(cell):
    return with_process(
        cell, "negative", Corrosion(jnp.asarray(1e-8), jnp.asarray(1e-8))
    )


def sodium(s, cell, y) -> float:
    """Of the negative electrode, in its particles and by what processes hold [C]."""
    grid, m = s.model.discretise(cell), s.model.mesh
    shells = 3.0 * jnp.asarray(m.shells().volumes)[:, None]
    held = jnp.sum(shells * y.total_sto, axis=0)
    for unknown in s.equations.surface:
        held = held + unknown.sodium * s.equations.named(y)[unknown.name]
    sites = grid.interface * grid.radius * grid.c_max / 3.0 * grid.at_nodes(grid.dx)
    return float(96485.33212 * cell.area * jnp.sum(grid.of_sides(sites * held)[0]))


def ends(s, cell):
    first = jax.tree.map(lambda a: a[0], s.states)
    return first, s.equations.layout.unpack(s.final, cell.temperature)


def test_sodium_is_conserved_and_the_law_is_kept(corroding, model):
    """What left the particles was discharged or is in the salt; covered = 1 - exp(-t/t_c)."""
    protocol = [
        "Discharge at 1C for 20 min",
        "Rest for 2 h",
        "Charge at C/2 for 20 min",
    ]
    s = na.simulate(corroding, protocol, model=model, keep_states=True, rtol=1e-7)
    first, last = ends(s, corroding)
    passed = sodium(s, corroding, first) - sodium(s, corroding, last)
    Q = 3600.0 * float(corroding.nominal_capacity)
    assert abs(passed - float(last.charge)) < 1e-9 * Q
    u = s.equations.named(last)
    n = model.mesh.n_neg
    particle, rate = corroding.negative.particle, corroding.negative.surface[0].rate
    sites = particle.c_max * particle.radius / 3.0
    covered = 1.0 - jnp.exp(-40.0 * rate * s.t_end / sites)
    assert float(covered) > 0.1
    np.testing.assert_allclose(u["covered"][:n], covered, rtol=1e-5)
    np.testing.assert_allclose(u["corroded"][:n], covered / 40.0, rtol=1e-5)
    assert not np.any(u["covered"][n:])
    shown = s["Share of the surface under salt"]
    assert shown.shape == (int(s.n_steps), 2 * n) and "salt" in s.search("salt")[0]
    # Its salt takes room in the pores.
    film = corroding.negative.interface * 1e-8 * covered / corroding.negative.porosity
    openness = s.model.discretise(corroding).openness(u)
    np.testing.assert_allclose(openness[:n], 1.0 - film, rtol=1e-6)


def test_derivatives(corroding, model, derivatives):
    """Forward, reverse and differences of the charge lost, by a number of the process."""

    def lost(k):
        c = eqx.tree_at(lambda c: c.negative.surface[0].rate, corroding, k[0])
        s = na.simulate(c, "Discharge at 1C for 20 min", model=model, rtol=1e-7)
        y = s.equations.layout.unpack(s.final, c.temperature)
        return jnp.sum(s.equations.named(y)["corroded"]) + s.end.voltage

    k = float(corroding.negative.surface[0].rate)
    forward, reverse, difference = derivatives(lost, [k], 0.02 * k)
    np.testing.assert_allclose(reverse, forward, rtol=1e-7)
    np.testing.assert_allclose(reverse, difference, rtol=1e-4)


def test_native_lanes_and_xla_agree(corroding, model, monkeypatch):
    """In one call and in a batch of unlike lanes."""
    rates = jnp.asarray([0.0, 1e-9, 4e-9])

    def voltages():
        def end(k):
            c = eqx.tree_at(lambda c: c.negative.surface[0].rate, corroding, k)
            s = na.simulate(c, "Discharge at 1C for 30 min", model=model)
            return s.end.voltage

        return np.asarray([*jax.vmap(end)(rates), end(rates[1])])

    native = voltages()
    monkeypatch.setenv("NAION_KERNELS", "off")
    np.testing.assert_allclose(native, voltages(), atol=1e-9)
    assert native[1] == pytest.approx(native[3], abs=1e-9)
    assert abs(native[2] - native[0]) > 1e-5


def test_a_store_in_the_particles(cell, model):
    """Trapped sodium is kept count of, and is missing from the discharge."""
    trap = Trap(k=jnp.asarray(1e-3), most=jnp.asarray(0.05))
    trapping = with_process(cell, "negative", trap)
    protocol = ["Rest for 5 h", "Discharge at C/2 for 30 min"]
    s = na.simulate(trapping, protocol, model=model, keep_states=True)
    first, last = ends(s, trapping)
    passed = sodium(s, trapping, first) - sodium(s, trapping, last)
    assert abs(passed - float(last.charge)) < 1e-9 * 3600.0 * cell.nominal_capacity
    n = model.mesh.n_neg
    np.testing.assert_allclose(last.pores[:, :n], 0.05, rtol=1e-3)
    with pytest.raises(ValueError, match="have a store, Trap"):
        with_process(trapping, "negative", trap)


def test_files_hold_processes_of_others(corroding):
    """Once their class is imported they are read; what they are made of is checked."""
    data = na.parameters.to_json(corroding)
    assert eqx.tree_equal(na.parameters.from_json(data), corroding)
    data["negative"]["surface"][0]["type"] = "Corrosions"
    with pytest.raises(
        ValueError, match=r"surface\[0\].*known are Corrosion,.*import its module"
    ):
        na.parameters.from_json(data)


def test_a_class_of_the_same_name_does_not_take_its_place(corroding):
    """Of two modules, or of a notebook's cell that was executed twice: the latest fits."""
    data, name = na.parameters.to_json(corroding), "Corrosion"

    def read():
        return type(na.parameters.from_json(data).negative.surface[0])

    body = {"__annotations__": {"speed": Float[Array, ""]}, "unknowns": ()}
    other = type(Corrosion)(name, (AbstractSurfaceProcess,), body)
    assert other is not Corrosion and read() is Corrosion
    body = {"__annotations__": dict.fromkeys(("rate", "layer"), Float[Array, ""])}
    again = type(Corrosion)(name, (AbstractSurfaceProcess,), body)
    assert read() is again


def test_mistakes_are_named(cell, corroding, model):
    class Other(AbstractSurfaceProcess):
        unknowns: ClassVar = (Unknown("covered"),)

    twice = with_process(corroding, "positive", Other())
    with pytest.raises(
        ValueError, match="Other and Corrosion both have an unknown 'cov"
    ):
        na.simulate(twice, "Rest for 1 h", model=model)
    with pytest.raises(ValueError, match="Other gives values of nothing; expected its"):
        na.simulate(
            with_process(cell, "positive", Other()), "Rest for 1 h", model=model
        )
    with pytest.raises(TypeError, match="expected a subclass of `physics.surface"):
        with_process(cell, "negative", 3.0)
