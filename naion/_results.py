"""Outcomes of a solve: values, not exceptions, so that one lane never stops another."""

import enum


class Result(enum.IntEnum):
    """How a simulation ended.

    Physical outcomes say something about the cell; numerical ones about the solver.
    """

    NOT_COMPUTED = -1
    COMPLETED = 0
    CUT_OFF = 1
    SALT_DEPLETED = 2
    SURFACE_EMPTY = 3
    SURFACE_FULL = 4
    POWER_INFEASIBLE = 5
    START_NOT_FOUND = 6
    STEP_TOO_SMALL = 7
    STEP_LIMIT = 8
    START_OUT_OF_REACH = 9
    EVENT_NOT_MET = 10
    RUNNING = 11
    IMPOSSIBLE_NUMBER = 12
    BEYOND_LAWS = 13

    @property
    def is_success(self) -> bool:
        """The protocol ran to its end or to a cut-off."""
        return self in (Result.COMPLETED, Result.CUT_OFF)

    @property
    def is_physical(self) -> bool:
        """The cell, not the solver, is the reason."""
        return 0 <= self <= Result.POWER_INFEASIBLE

    @property
    def explanation(self) -> str:
        """What happened, the likely cause and what to do."""
        return _EXPLANATIONS[self]


_EXPLANATIONS = {
    Result.COMPLETED: "The protocol ran to its end.",
    Result.CUT_OFF: "Cut-off reached: the voltage met a limit before the protocol ended. "
    'With "until 2 V" in a step the next one begins there.',
    Result.SALT_DEPLETED: "Salt depleted: the electrolyte fell below 1 mol.m-3 "
    "somewhere. The electrolyte cannot carry this current; lower the rate, or check "
    "diffusivity, transport efficiency and temperature.",
    Result.SURFACE_EMPTY: "Surface empty: a particle surface ran out of sodium. Solid "
    "diffusion cannot follow this current, or the electrode is discharged.",
    Result.SURFACE_FULL: "Surface full: a particle surface has no free sites. Solid "
    "diffusion cannot follow this current, or the electrode is full.",
    Result.POWER_INFEASIBLE: "Power infeasible: the cell cannot deliver this power at "
    "any current. Lower the power or add a voltage cut-off.",
    Result.START_NOT_FOUND: "Numerical failure: no consistent potentials were found at "
    "the start of a step. Please report the cell and the protocol.",
    Result.STEP_TOO_SMALL: "Numerical failure: the time step became too small. Please "
    "report the cell and the protocol.",
    Result.STEP_LIMIT: "Numerical failure: the step limit was reached. Raise "
    "`max_steps`, or loosen `rtol`.",
    Result.START_OUT_OF_REACH: "The start state lies outside what the electrodes can "
    "hold: stoichiometries must lie between 0 and 1, ends excluded.",
    Result.EVENT_NOT_MET: "Numerical failure: a cut-off was passed, but no step could be "
    "made to end at it. Please report the cell and the protocol.",
    Result.IMPOSSIBLE_NUMBER: "A number of the cell, the protocol or the tolerance is not "
    "possible, such as a porosity outside 0 to 1: nothing was simulated. "
    "`naion.parameters.check` names it.",
    Result.BEYOND_LAWS: "No solution was found at a temperature at which electrolytes are "
    "solid or boil, and at which laws in temperature say nothing of a cell. Expected are -60 "
    "to 100 degC.",
    Result.NOT_COMPUTED: "The lane was not computed: the workers that tried it failed. Run "
    "the same again.",
    Result.RUNNING: "The solve has not finished.",
}
