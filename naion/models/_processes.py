"""Processes at the particle surfaces of a cell, and the unknowns that they bring.

Beside the intercalation current, processes of a `Cell` that are present bring unknowns of
their own; see `physics.surface`. One that is absent brings none and costs nothing.
"""

from collections.abc import Callable, Mapping, Sequence

import jax.numpy as jnp
from jaxtyping import Array

from ..parameters import Cell, Electrode
from ..physics.double_layer import DoubleLayer
from ..physics.mean_composition import MeanComposition
from ..physics.surface import AbstractSurfaceProcess, Unknown

Processes = tuple[AbstractSurfaceProcess, ...]
Term = Callable[[AbstractSurfaceProcess, slice], Array]

J = Unknown("j", None, algebraic=True, title="Interfacial current density [A.m-2]")
J_TOTAL = Unknown(
    "j_total", None, algebraic=True, title="Total interfacial current density [A.m-2]"
)
ACROSS = Unknown("surface_potential", title="Potential across the double layer [V]")
CURRENTS = J.name, J_TOTAL.name
CIRCUIT = *CURRENTS, ACROSS.name

SMALLEST = 1e-4
"""Capacitance of particles without one beside others that have one [F.m-2]."""


def processes(cell: Cell, electrodes: tuple[Electrode, ...]) -> tuple[Processes, ...]:
    """Those of every run of particles.

    Args:
        cell: whose kinetics may ask for mean compositions.
        electrodes: one with the single material of each run.
    """
    each = [
        (MeanComposition(), *e.processes)
        if (e.kinetics or cell.kinetics).uses_mean
        else e.processes
        for e in electrodes
    ]
    if any(map(_stores, each)):
        small = DoubleLayer(jnp.asarray(SMALLEST))
        each = [own if _stores(own) else (*own, small) for own in each]
    return tuple(each)


def _stores(own: Processes) -> bool:
    return any(p.has("differential_capacitance") for p in own)


def surface_unknowns(each: tuple[Processes, ...]) -> tuple[Unknown, ...]:
    """Unknowns of all particles: currents, and what the processes bring.

    The first is the intercalation current density. "j_total" is there where side
    reactions or a double layer take part, "surface_potential" with a double layer.

    Raises:
        ValueError: where two processes have unknowns of one name.
    """
    every = [p for own in each for p in own]
    charges = any(map(_stores, each))
    reacts = any(p.has("current") for p in every)
    found = [
        J,
        *([ACROSS] if charges else []),
        *([J_TOTAL] if charges or reacts else []),
    ]
    owner: dict[str, type] = dict.fromkeys(CIRCUIT, Cell)
    for p in every:
        for unknown in p.unknowns:
            if owner.setdefault(unknown.name, type(p)) is not type(p):
                raise ValueError(
                    f"{type(p).__name__} and {owner[unknown.name].__name__} both have an "
                    f"unknown {unknown.name!r}; give one of them another name."
                )
            if unknown not in found:
                found.append(unknown)
    return tuple(found)


def of_run(u: Mapping[str, Array], at: slice) -> dict[str, Array]:
    """The unknowns of one run of particles."""
    return {name: value[at] for name, value in u.items()}


def sum_of_processes(
    each: Sequence[Processes], slices: Sequence[slice], method: str, term: Term
) -> Array | float:
    """A term of all processes that have a method, (n_e,); 0.0 where there are none.

    Args:
        each: processes of every run of particles.
        slices: where the runs lie among the particles.
        method: by which a process has the term.
        term: of a process and its run.
    """
    if not any(p.has(method) for own in each for p in own):
        return 0.0
    runs = []
    for own, at in zip(each, slices, strict=True):
        terms = (term(p, at) for p in own if p.has(method))
        total = sum(terms, start=jnp.zeros(()))
        runs.append(jnp.broadcast_to(total, at.stop - at.start))
    return jnp.concatenate(runs)
