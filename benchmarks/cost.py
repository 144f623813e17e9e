"""What sodium and lithium cells cost a kWh, and at which price of lithium they are equal.

    python -m benchmarks cost

All price lists that ship; then the same for each kWh delivered at -20 degC, simulated with
draws of designs and sets. Sums of mostly assumed prices: nothing here is a market price.
"""

import numpy as np

import naion as na
from benchmarks.harness import FAST, RESULTS, write
from naion import cost, design

DRAWS = 200 if FAST else 20_000
NAMES = (
    *("nfm_prismatic", "lean_prismatic", "nfpp_prismatic", "pw_prismatic"),
    *("nmc811_prismatic", "lfp_prismatic"),
)
OTHER = "lfp_prismatic"
COLD = -20.0


def main() -> None:
    """Every list, the cold, and the figure."""
    designs = [design.load(name) for name in NAMES]
    lists = cost.available()[:1] if FAST else cost.available()
    studies = {n: cost.study(designs, cost.load(n), draws=DRAWS) for n in lists}
    rows = []
    for s in studies.values():
        shares = {} if FAST else cost.delivered_draws(s, COLD)
        rows += [row(s, name, shares) for name in NAMES]
    header = ["prices", "carbonate [USD/kg]", "design", "USD/kWh", "CNY/Wh with tax"]
    header += ["chance below LFP", "break-even [USD/kg]", "chance 20 % below LFP"]
    header += ["delivered at -20 degC, %", "USD/kWh delivered", "chance below LFP's"]
    write("cost", "What a kWh of cells costs", header, rows, NOTES)
    if not FAST:
        axes = na.plot.cheaper(studies["china_2026_06"], OTHER)
        axes.figure.savefig(RESULTS / "cost.png", dpi=130)


def row(s: cost.Study, name: str, shares: dict[str, np.ndarray]) -> list[str]:
    """A design at the prices of one list."""
    found, k = s.costs(), s.names.index(name)
    n = len(next(iter(shares.values()), found))
    cold = cost.per_delivered(found[:n], shares, s.names)
    lfp = s.names.index(OTHER)
    below = float(np.mean(cold[:, k] < cold[:, lfp]))
    known = name in shares
    own = name == OTHER
    far = (found[:, k] <= 0.8 * found[:, lfp]).mean()
    return [
        s.prices.name,
        f"{s.lithium:g}",
        name,
        within(found[:, k], 1),
        within(cost.as_quoted(found[:, k]), 2),
        "-" if own else f"{float(s.cheaper(name, OTHER)):.2f}",
        "-" if own else within(s.break_evens(name, OTHER)),
        "-" if own else f"{far:.2f}",
        within(100.0 * shares[name]) if known else "-",
        within(cold[:, k], 1) if known else "-",
        f"{below:.2f}" if known and not own else "-",
    ]


def within(values, digits: int = 0) -> str:
    """Median and 90 % interval."""
    low, middle, high = cost.interval(values)
    if middle != middle:
        return "-"
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


NOTES = (
    f"Medians and 90 % intervals of {DRAWS} draws of prices, yields, work and designs; what "
    "two cells share is drawn once. Materials and making with overhead, no market price: "
    "most sodium prices are assumed, and a chance is a share of draws of what is assumed. "
    "NFPP's energy cell and the NMC811 cell are assumed designs. The share delivered at "
    "-20 degC is that of a C/3 discharge, isothermal, over the same at 25 degC, of "
    f"{cost.COLD_DRAWS} draws of the design's numbers and of its set's ranges. What the "
    "sodium sets assume alike about the cold (`same_in_all`) is drawn for each of them by "
    "itself: nobody knows that they share it; it says nothing of chemistry. LFP's charge "
    "transfer is fitted to pulses at 5 to 45 degC, its diffusion assumed within a range that "
    "decides what is left (results/lfp_cold_energy.md). A break-even over "
    "lithium's price is not given for two lithium cells."
)


if __name__ == "__main__":
    main()
