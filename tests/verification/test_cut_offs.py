"""Cut-offs are met, at every tolerance."""

import numpy as np
import pytest

import naion as na
from naion.simulation import Output


@pytest.mark.parametrize("rtol", [3e-3, 1e-3, 1e-4])
@pytest.mark.parametrize("temperature", [290.0, 298.15, 310.0])
def test_cc_cv_ends_at_its_current(cell, model, rtol, temperature):
    """Once each retry of a step either missed the cut-off or failed its error test, so
    that the solve never went on: 12000 rejected steps at 298.15 K and 1e-3."""
    for below in (0.1, 0.2, 0.25):
        solution = na.simulate(
            cell,
            ["Charge at 1C until 4.0 V", f"Hold at 4.0 V until {below}C"],
            model=model,
            start=0.7,
            temperature=temperature,
            rtol=rtol,
            throw=False,
        )
        case = f"until {below}C: {solution.result!r}, {int(solution.n_rejected)}"
        assert solution.result is na.Result.COMPLETED, case
        assert int(solution.n_rejected) < 100, case
        # Events are met to 1e-9 of 1C.
        current = float(solution.current[-1]) / float(cell.nominal_capacity)
        assert abs(current + below) < 2e-9, case
        n = int(solution.n_steps)
        ends = np.asarray(solution.record.event[:n]) >= 0
        assert ends.sum() == 2
        at_cut_off = np.asarray(solution.record.outputs[:n][ends][0, 1])
        assert abs(at_cut_off[Output.VOLTAGE] - 4.0) < 2e-9


def test_a_profile_ends_at_its_cut_off(cell, model):
    """And not the one row that reaches it, with the rest of it following too early."""
    t, I = [0.0, 600.0, 1200.0, 1800.0], [1.5, 1.5, 0.1, 0.1]
    profile = na.Protocol.profile(t, I, lower_voltage=2.8)
    s = na.simulate(cell, profile, model=model, start=0.5)
    assert s.result is na.Result.CUT_OFF and float(s.t_end) < 1200.0
    assert float(s.voltage[-1]) == pytest.approx(2.8, abs=1e-6)
