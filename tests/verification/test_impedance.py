"""Impedance against closed forms and against a simulated alternating current."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion._constants import F, R
from naion.models._surface import SERIES
from naion.parameters import DoubleLayer, with_double_layer
from naion.properties import constant
from tests.verification.test_porous_electrode import STO, newman_tobias


def test_fast_limit_is_the_resistance_of_porous_electrodes(cell):
    """At 1 MHz nothing diffuses: Newman and Tobias' electrodes, separator, contacts."""
    T, sep = cell.temperature, cell.separator
    kappa = float(cell.electrolyte.conductivity(cell.electrolyte.concentration, T))
    expected = newman_tobias(cell, cell.negative, 0.5)
    expected += newman_tobias(cell, cell.positive, 0.6)
    expected += float(sep.thickness / (sep.transport_efficiency * kappa))
    expected = expected / float(cell.area) + float(cell.contact_resistance(T, T))
    fine = na.DFN(na.Mesh(40, 20, 40, 30))
    Z = na.impedance(cell, 1e6, model=fine, start=STO)
    np.testing.assert_allclose(Z.real, expected, rtol=2e-3)
    assert abs(Z.imag) < 1e-2 * Z.real


def test_diffusion_in_the_particles(cell, model):
    """Without a liquid's resistance: charge transfer and spheres in series.

        Z = 1/(a L A) (RT/(F j_0) - U' R/(F D c_max) / (psi coth(psi) - 1)),
        psi = R sqrt(i omega / D)

    Reference: Jacobsen and West, Electrochim. Acta 40 (1995) 255.
    """
    cell = eqx.tree_at(
        lambda c: (
            c.electrolyte.conductivity.scale,
            c.electrolyte.diffusivity.scale,
            c.negative.conductivity,
            c.positive.conductivity,
            c.negative.particle.diffusivity,
            c.contact_resistance.scale,
        ),
        cell,
        (
            *map(jnp.asarray, (1e7, 1e7, 1e9, 1e9)),
            constant(jnp.asarray(2e-15)),
            jnp.asarray(0.0),
        ),
    )
    T = float(cell.temperature)
    f = np.geomspace(1.0, 1e-4, 9)
    expected = 0.0
    for e, x in ((cell.negative, 0.5), (cell.positive, 0.6)):
        p = e.particle
        slope = float(jax.grad(lambda x, p=p: p.ocp(x, T))(x))
        D, radius, c_max = float(p.diffusivity(x, T)), float(p.radius), float(p.c_max)
        j_0 = F * float(p.rate_constant(x, T)) * c_max * np.sqrt(x * (1.0 - x))
        psi = radius * np.sqrt(2j * np.pi * f / D)
        sphere = radius / (F * D * c_max) / (psi / np.tanh(psi) - 1.0)
        own = R * T / (F * j_0) - slope * sphere
        expected = expected + own / float(e.interface * e.thickness * cell.area)
    fine = na.DFN(na.Mesh(4, 3, 4, 80))
    Z = na.impedance(cell, f, model=fine, start=STO)
    np.testing.assert_allclose(Z, expected, rtol=5e-3)


def without_transport(cell):
    """Nothing but the surfaces: liquid and solid conduct, as far as rounding lets them;
    potentials are flat.
    """

    def where(c):
        e = c.electrolyte
        scales = e.conductivity.scale, e.diffusivity.scale, c.contact_resistance.scale
        sides = c.negative, c.positive
        return (
            *scales,
            *(side.conductivity for side in sides),
            *(side.particle.ocp for side in sides),
        )

    number = jnp.asarray
    potentials = constant(number(0.1)), constant(number(3.1))
    values = *map(number, (1e6, 1e6, 0.0, 1e6, 1e6)), *potentials
    return eqx.tree_at(where, cell, values)


def test_constant_phase_elements_beside_charge_transfer(cell, model):
    """Without transport each electrode is a depressed arc, behind what stands before it.

        Z = 1/(a L A) (R_ct/(1 + (i omega R_ct C)^a) + R_series),   f_0 = 1/(2 pi R_ct C)

    Reference: Brug et al., J. Electroanal. Chem. 176 (1984) 275.
    """
    cell, T = without_transport(cell), float(cell.temperature)
    f = np.geomspace(1e4, 1e-3, 36)
    exponents, C, expected = (0.7, 0.9), 0.2, 0.0
    for a, name in zip(exponents, ("negative", "positive"), strict=True):
        e, x = getattr(cell, name), getattr(STO, name)
        p = e.particle
        k_0 = float(p.rate_constant(x, T))
        R_ct = R * T / (F * F * k_0 * float(p.c_max) * np.sqrt(x * (1.0 - x)))
        arc = R_ct / (1.0 + (2j * np.pi * f * R_ct * C) ** a)
        area = float(e.interface * e.thickness * cell.area)
        expected = expected + (arc + SERIES) / area
        layer = DoubleLayer(*map(jnp.asarray, (C, a, 1.0 / (2.0 * np.pi * R_ct * C))))
        cell = dataclasses.replace(
            cell, **{name: dataclasses.replace(e, double_layer=layer)}
        )
    Z = na.impedance(cell, f, model=model, start=STO)
    # The liquid's resistance, a millionth of what it was, is the rest.
    whole = np.abs(expected[-1])
    np.testing.assert_allclose(Z, expected, rtol=0.0, atol=1e-6 * whole)
    # A capacitor's arcs are others, by far.
    round_arcs = na.impedance(with_exponent(cell, 1.0), f, model=model, start=STO)
    assert np.max(np.abs(Z - round_arcs)) > 0.05 * whole


def with_exponent(cell, a, frequency=None):
    def layers(c):
        return [c.negative.double_layer, c.positive.double_layer]

    def new(layer):
        f_0 = layer.reference_frequency if frequency is None else frequency
        return DoubleLayer(layer.capacitance, jnp.asarray(a), jnp.asarray(f_0))

    return eqx.tree_at(layers, cell, [new(layer) for layer in layers(cell)])


def test_an_exponent_of_one_is_a_capacitor(cell, model):
    """To the last bit, whatever the frequency at which the capacitance holds."""
    f = np.geomspace(1e3, 1e-2, 6)
    layered = with_double_layer(cell)
    one, other = (
        na.impedance(with_exponent(layered, 1.0, f_0), f, model=model)
        for f_0 in (1e-3, 40.0)
    )
    np.testing.assert_array_equal(one, other)
    near = na.impedance(with_exponent(layered, 1.0 - 1e-9), f, model=model)
    np.testing.assert_allclose(near, one, rtol=1e-7)


def test_exponents_are_differentiated_and_batched(cell, model):
    """Both modes and differences; lanes as alone."""
    layered, h = with_double_layer(cell, 0.2, 0.8), 1e-4

    def size(a):
        Z = na.impedance(with_exponent(layered, a), 20.0, model=model)
        return jnp.abs(Z) ** 2

    a = jnp.asarray(0.8)
    alone, forward = jax.jvp(size, (a,), (jnp.ones(()),))
    np.testing.assert_allclose(jax.grad(size)(a), forward, rtol=1e-8)
    below, lane, above = jax.vmap(size)(jnp.stack([a - h, a, a + h]))
    np.testing.assert_allclose(lane, alone, rtol=1e-12)
    np.testing.assert_allclose((above - below) / (2.0 * h), forward, rtol=1e-5)


def test_in_time_the_layer_is_a_capacitor_and_says_so(cell, model):
    layered, pulse = with_double_layer(cell, 0.2, 0.8), "Discharge at 1C for 10 s"
    with pytest.warns(na.Caution, match="ideal capacitors") as said:
        depressed = na.simulate(layered, pulse, model=model)
    assert len(said) == 1 and len(depressed.cautions) == 1
    plain = na.simulate(with_exponent(layered, 1.0), pulse, model=model)
    assert plain.cautions == ()
    np.testing.assert_array_equal(depressed.voltage, plain.voltage)


@pytest.mark.parametrize("frequency", [0.2, 2e-3])
def test_equals_a_simulated_alternating_current(cell, frequency):
    """The last of some periods of a small sine, by its Fourier coefficients."""
    mesh = na.DFN(na.Mesh(6, 4, 6, 24))
    Z = complex(na.impedance(cell, frequency, model=mesh, start=0.6))
    n, periods, size = 48, 6, 0.02
    t = np.arange(n * periods + 1) / (n * frequency)
    sine = size * np.sin(2.0 * np.pi * frequency * t)
    protocol = na.Protocol.profile(t, sine)
    s = na.simulate(cell, protocol, model=mesh, start=0.6, rtol=1e-7)
    last = np.linspace(periods - 1, periods, 1201)[:-1] / frequency
    V, current, *_ = map(np.asarray, s.at(last))
    turn = np.exp(-2j * np.pi * frequency * last)
    found = -np.mean(V * turn) / np.mean(current * turn)
    np.testing.assert_allclose(found, Z, rtol=1e-2)


def test_temperature_start_shape_and_refusals(cell, model):
    f = jnp.geomspace(1e3, 1e-3, 6).reshape(2, 3)
    warm, cold = (
        na.impedance(cell, f, model=model, start="charged", temperature=T)
        for T in (298.15, 263.15)
    )
    assert warm.shape == cold.shape == (2, 3)
    assert np.all(cold.real > 1.5 * warm.real)
    # A passive cell: current lags behind the voltage of diffusion.
    assert np.all(warm.imag < 1e-9)
    lumped = na.impedance(cell, f, model=na.DFN(model.mesh, na.Lumped()))
    # At rest entropy is all that heats, to first order: a per mille.
    np.testing.assert_allclose(lumped, na.impedance(cell, f, model=model), rtol=2e-2)
    for wrong in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="positive"):
            na.impedance(cell, [1.0, wrong], model=model)
    with pytest.raises(ValueError, match="in kelvin"):
        na.impedance(cell, 1.0, model=model, temperature=25.0)


def test_gradient(cell, model):
    """Of a squared impedance, both modes and differences."""

    def size(k):
        c = eqx.tree_at(lambda c: c.negative.particle.rate_constant.scale, cell, k)
        return jnp.abs(na.impedance(c, 0.1, model=model)) ** 2

    one = jnp.asarray(1.0)
    forward, reverse = jax.jacfwd(size)(one), jax.grad(size)(one)
    np.testing.assert_allclose(forward, reverse, rtol=1e-8)
    difference = (size(one + 1e-4) - size(one - 1e-4)) / 2e-4
    np.testing.assert_allclose(forward, difference, rtol=1e-5)
