"""The elements that cells are made of."""

MASSES = {
    "Li": 6.94,
    "Na": 22.990,
    "Ni": 58.693,
    "Co": 58.933,
    "Mn": 54.938,
    "Fe": 55.845,
    "Cu": 63.546,
    "P": 30.974,
    "C": 12.011,
    "N": 14.007,
    "O": 15.999,
    "F": 18.998,
    "S": 32.06,
}
"""Standard atomic masses [g.mol-1]; IUPAC 2021, abridged."""
