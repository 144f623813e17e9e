"""What derivatives cost: a gradient of a scalar, a Jacobian of eight parameters.

One pinned core; the sodium cell, 1C, tuned. PyBaMM has forward sensitivities only.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import pybamm

import naion as na
from benchmarks import opponent
from benchmarks.cases import SODIUM, options, scalars
from benchmarks.harness import alternate, write


def main() -> None:
    """Time and write the table."""
    cell, given = SODIUM.cell(), options(SODIUM.naion)
    protocol = na.Protocol(f"Discharge at 1C until {SODIUM.lower} V")
    q = jnp.linspace(0.0, 0.95 * na.simulate(cell, protocol, **given).capacity, 200)

    def loss(cell):
        s = na.simulate(cell, protocol, **given)
        return jnp.mean((s.voltage_at_charge(q) - 3.5) ** 2)

    def with_factors(k):
        new = [k[i] * value for i, value in enumerate(scalars(cell))]
        return eqx.tree_at(scalars, cell, new)

    def table(k, n):
        """The first n numbers of the cell's tables and scalars, moved by k."""
        leaves, tree = jax.tree.flatten(cell)
        moved, first = [], 0
        for leaf in leaves:
            size = leaf.size if eqx.is_inexact_array(leaf) else 0
            use = max(min(size, n - first), 0)
            step = jnp.zeros(size).at[:use].set(k[first : first + use])
            moved.append(leaf * (1.0 + step.reshape(leaf.shape)) if use else leaf)
            first += use
        return jax.tree.unflatten(tree, moved)

    solve = jax.jit(lambda k: loss(with_factors(k)))
    ones = jnp.ones(8)
    (plain,) = alternate(lambda: solve(ones))
    rows = [["solve", "naion", "", str(plain), "1"]]
    for n in (1, 8, 100, 500):
        if n <= 8:
            run = jax.jit(
                jax.value_and_grad(
                    lambda k, n=n: loss(with_factors(ones.at[:n].set(k)))
                )
            )
            at = jnp.ones(n)
        else:
            run = jax.jit(jax.value_and_grad(lambda k, n=n: loss(table(k, n))))
            at = jnp.zeros(n)
        a, b = alternate(lambda: solve(ones), lambda r=run, x=at: r(x))
        rows.append(["value and gradient", "naion", str(n), str(b), b.over(a)])

    def voltages(k):
        return na.simulate(with_factors(k), protocol, **given).voltage_at_charge(q)

    jacobian = jax.jit(jax.jacfwd(voltages))
    a, b = alternate(lambda: solve(ones), lambda: jacobian(ones))
    rows.append(["Jacobian of 200 voltages", "naion", "8", str(b), b.over(a)])

    values = opponent.parameter_values(SODIUM)
    values["Current function [A]"] = values["Nominal cell capacity [A.h]"]
    plain_sim = opponent.simulation(SODIUM, SODIUM.pybamm, values.copy())
    for side in ("Negative", "Positive"):
        for name, i in (
            (f"{side} particle diffusivity [m2.s-1]", 0),
            (f"{side} electrode exchange-current density [A.m-2]", 2),
        ):
            k = pybamm.InputParameter(f"k{i + (side == 'Positive')}")
            values[name] = _times(values[name], k)
        fraction = f"{side} electrode active material volume fraction"
        k = pybamm.InputParameter(f"k{4 + (side == 'Positive')}")
        values[fraction] = values[fraction] * k
    for i, kind in enumerate(("conductivity [S.m-1]", "diffusivity [m2.s-1]"), start=6):
        name = f"Electrolyte {kind}"
        values[name] = _times(values[name], pybamm.InputParameter(f"k{i}"))
    sim = opponent.simulation(SODIUM, SODIUM.pybamm, values)
    inputs = {f"k{i}": 1.0 for i in range(8)}
    a, b = alternate(
        lambda: plain_sim.solve([0.0, 4000.0]),
        lambda: sim.solve([0.0, 4000.0], inputs=inputs, calculate_sensitivities=True),
        repeats=5,
    )
    rows.append(["solve", "PyBaMM", "", str(a), "1"])
    rows.append(["forward sensitivities", "PyBaMM", "8", str(b), b.over(a)])
    write(
        "derivatives",
        "What derivatives cost",
        ["what", "side", "parameters", "ms, median (quartiles)", "over a solve"],
        rows,
        f"Sodium, 1C; naion {SODIUM.naion}; PyBaMM {SODIUM.pybamm}. naion's are exact for "
        "the discrete solution (tests/gradients); accuracy of the solve as in discharge.md.",
    )


def _times(value, factor):
    if callable(value):
        return lambda *args: factor * value(*args)
    return factor * value
