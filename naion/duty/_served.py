"""How a cell serves a duty: what it gives, what it misses, how warm it gets."""

import dataclasses
from typing import NamedTuple

import numpy as np

from .._results import Result
from .._takes import takes
from ..models import DFN, Lumped
from ..parameters import Cell, require_full_cell
from ..protocol import Protocol
from ..simulation import Output, Solution, simulate
from ._duty import POINTS, ROWS, Duty, full_charge, stored_energy

MEASURABLE = 1e-3
"""Share of a power that counts as missed; less is the error of the solve."""


@dataclasses.dataclass(frozen=True)
class Served:
    """A duty served by a battery of one kind of cell; energies of the whole battery.

    Attributes:
        duty: what was asked for.
        result: how the simulation ended; the rest of the duty is missed after a physical
            end, and unknown (NaN) after a numerical failure.
        asked: energy asked for [J].
        given: energy delivered while it was asked for [J].
        offered: energy offered for charging [J].
        taken: energy taken of that [J].
        most_missed: greatest power missed, over that asked for at that time [-].
        time_missed: time in which power was missed, out of it [s].
        from_store: energy that left the store, by the open-circuit voltage at the cell's
            own temperature; negative where more was put into it [J].
        peak_temperature: [K].
        margin: lowest plating margin [V].
        final_soc: state of charge at the end [-].
        solution: of one cell; none if it was not kept.
    """

    duty: Duty
    result: Result
    asked: float
    given: float
    offered: float
    taken: float
    most_missed: float
    time_missed: float
    from_store: float
    peak_temperature: float
    margin: float
    final_soc: float
    solution: Solution | None = None

    @property
    def missed(self) -> float:
        """Share of the energy asked for that was not delivered [-]."""
        return 1.0 - self.given / self.asked if self.asked else 0.0

    @property
    def efficiency(self) -> float:
        """Of the cells; see `efficiency_of` [-]."""
        return efficiency_of(self.given, self.taken, self.from_store)

    @property
    def refused(self) -> float:
        """Share of the energy offered for charging that was not taken [-]."""
        return 1.0 - self.taken / self.offered if self.offered else 0.0


def efficiency_of(given: float, taken: float, from_store: float) -> float:
    """Energy given, and what was stored, over energy taken, and what left the store [-].

    Given over taken where a duty ends as full as it began; what it stored or took from the
    store counts as its open-circuit voltage.
    """
    out = given + max(-from_store, 0.0)
    into = taken + max(from_store, 0.0)
    return out / into if into > 0.0 else float("nan")


class Ready(NamedTuple):
    """A cell with what duties need of it, found once.

    Attributes:
        cell: the cell.
        charge: between empty and full [C].
        stored: energies above empty at evenly spaced states of charge, (n,) [J].
        model: that is simulated.
    """

    cell: Cell
    charge: float
    stored: np.ndarray
    model: DFN


@takes
def ready(cell: Cell, model: DFN | None = None) -> Ready:
    """A cell for duties; with a heat balance, unless the model says otherwise.

    Raises:
        TypeError: for what is no cell.
        ValueError: for a half cell.
    """
    require_full_cell(cell, "A duty")
    chosen = DFN(thermal=Lumped()) if model is None else model
    stored = np.asarray(stored_energy(cell))
    return Ready(cell, float(full_charge(cell)), stored, chosen)


@takes
def serve(
    cell: Cell | Ready,
    duty: Duty,
    *,
    model: DFN | None = None,
    rtol: float = 5e-4,
    keep: bool = False,
) -> Served:
    """Simulate a duty with a battery of these cells.

    The battery has as many cells as its rated energy needs, all alike; each has the heat
    exchange of its parameters. All duties of a cell share one compiled program.

    Args:
        cell: parameters, or `ready` ones.
        duty: what is asked for.
        model: see `naion.simulate`; none: the cell's own mesh, with a heat balance.
        rtol: local error allowed in each step.
        keep: keep the solution of the cell.

    Returns:
        what was served. Powers that the cell cannot give or take within its limits of
        voltage are cut to what it can, and counted.

    Raises:
        TypeError: for what is no cell or no duty.
        ValueError: for numbers that are not possible.
    """
    own = cell if isinstance(cell, Ready) else ready(cell, model)
    protocol = duty.protocol(own.cell)
    solution = simulate(
        own.cell,
        protocol.padded(max(ROWS, protocol.n_steps)),
        model=own.model,
        start=duty.start,
        temperature=duty.temperature,
        rtol=rtol,
        throw=False,
    )
    served = _served(own, duty, protocol, solution)
    return dataclasses.replace(served, solution=solution if keep else None)


def _served(own: Ready, duty: Duty, protocol: Protocol, solution: Solution) -> Served:
    """Sums and extremes of a solution, of all cells of the battery."""
    count = duty.energy / float(own.stored[-1])
    asked, offered = duty.asked
    if not solution.result.is_physical or int(solution.n_steps) == 0:
        x = float("nan")
        return Served(duty, solution.result, asked, x, offered, x, x, x, x, x, x, x)
    record, n = solution.record, int(solution.n_steps)
    outputs = np.asarray(record.outputs[:n])
    h = np.asarray(record.h[:n])
    moved = outputs[:, 1, Output.ENERGY] - outputs[:, 0, Output.ENERGY]
    wanted = np.asarray(protocol.value)[np.asarray(record.segment[:n])]
    given = float(np.sum(moved[wanted > 0.0]))
    taken = float(-np.sum(moved[wanted < 0.0]))
    lacks = np.where(wanted > 0.0, wanted - moved / np.where(h > 0.0, h, 1.0), 0.0)
    share = np.where(h > 0.0, lacks / np.where(wanted > 0.0, wanted, 1.0), 0.0)
    short = share > MEASURABLE
    after = float(duty.time[-1]) - float(solution.t_end)
    ended = after > 1e-3
    final = duty.start - float(solution.end.charge) / own.charge
    from_store = _stored(own, duty.start) - _stored(own, final)
    return Served(
        duty,
        solution.result,
        asked,
        count * given,
        offered,
        count * taken,
        1.0 if ended else float(np.max(share, initial=0.0, where=short)),
        float(np.sum(h[short])) + (after if ended else 0.0),
        count * from_store,
        float(solution.greatest.temperature),
        float(solution.least.plating_margin),
        final,
    )


def _stored(own: Ready, soc: float) -> float:
    """Energy above empty at a state of charge, linear beyond the ends [J]."""
    at = np.linspace(0.0, 1.0, POINTS)
    if soc < 0.0:
        return soc * POINTS * float(own.stored[1])
    if soc > 1.0:
        last = own.stored[-1] - own.stored[-2]
        return float(own.stored[-1] + (soc - 1.0) * POINTS * last)
    return float(np.interp(soc, at, own.stored))
