"""What sodium and lithium cells cost a kWh, and at which price of lithium they are equal.

    python -m benchmarks cost

All price lists that ship; then the same for each kWh delivered at -20 degC, simulated with
the sets' medians. Sums of mostly assumed prices: nothing here is a market price.
"""

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
    shares = {} if FAST else cost.delivered_shares(designs, COLD)
    rows = [row(s, name, shares) for s in studies.values() for name in NAMES]
    header = ["prices", "carbonate [USD/kg]", "design", "USD/kWh", "CNY/Wh with tax"]
    header += ["chance below LFP", "break-even [USD/kg]", "chance 20 % below LFP"]
    header += ["delivered at -20 degC", "USD/kWh delivered"]
    write("cost", "What a kWh of cells costs", header, rows, NOTES)
    if not FAST:
        axes = na.plot.cheaper(studies["china_2026_06"], OTHER)
        axes.figure.savefig(RESULTS / "cost.png", dpi=130)


def row(s: cost.Study, name: str, shares: dict[str, float]) -> list[str]:
    """A design at the prices of one list."""
    found, k = s.costs(), s.names.index(name)
    cold = cost.per_delivered(found, shares, s.names)
    lfp = s.names.index(OTHER)
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
        f"{100.0 * shares[name]:.0f} %" if known else "-",
        within(cold[:, k], 1) if known else "-",
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
    "-20 degC is that of a C/3 discharge, isothermal, over the same at 25 degC, with the "
    "medians of the design's set of materials and without its spread. The sodium sets share "
    "activation energies and electrolyte: differences between them in the cold say nothing "
    "of chemistry. LFP's charge transfer is fitted to pulses at 5 to 45 degC, its diffusion "
    "is assumed within a range that decides what is left (results/lfp_cold_energy.md), and "
    "the share is that of its middle: no chance is given for a kWh delivered. A break-even "
    "over lithium's price is not given for two lithium cells."
)


if __name__ == "__main__":
    main()
