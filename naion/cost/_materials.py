"""What active materials and salts are made of."""

import functools as ft
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from .._takes import takes
from ._elements import MASSES

CARBONATE = 2.0 * MASSES["Li"] + MASSES["C"] + 3.0 * MASSES["O"]
"""Molar mass of Li2CO3 [g.mol-1]."""


@dataclass(frozen=True)
class Material:
    """A material by its formula.

    Attributes:
        name: in price lists and designs.
        title: its formula.
        atoms: of a formula unit, by symbol.
        made_from: kilograms of other items in one kilogram, where a list prices these.
    """

    name: str
    title: str
    atoms: Mapping[str, float]
    made_from: Mapping[str, float]

    @property
    def molar_mass(self) -> float:
        """Molar mass of a formula unit [g.mol-1]."""
        return sum(n * MASSES[symbol] for symbol, n in self.atoms.items())

    @property
    def elements(self) -> dict[str, float]:
        """Mass fractions; they add up to one."""
        M = self.molar_mass
        return {symbol: n * MASSES[symbol] / M for symbol, n in self.atoms.items()}

    @property
    def carbonate(self) -> float:
        """Lithium carbonate with the lithium of a kilogram [kg]."""
        return 0.5 * self.atoms.get("Li", 0.0) * CARBONATE / self.molar_mass

    @property
    def ion(self) -> str:
        """What moves in a cell with it: "li", or else "na"."""
        return "li" if "Li" in self.atoms else "na"


@ft.cache
def materials() -> Mapping[str, Material]:
    """All that designs and price lists may name (`naion/cost/materials.toml`)."""
    from .._file_models import checked
    from ._schema import Materials

    text = resources.files("naion.cost").joinpath("materials.toml").read_text("utf-8")
    found = checked(Materials, tomllib.loads(text), "materials.toml").root
    return {
        name: Material(name, m.title, {**m.atoms}, m.made_from)
        for name, m in found.items()
    }


@takes
def material(name: str) -> Material:
    """One of them.

    Raises:
        ValueError: for "", which a design has that does not say, or an unknown name.
    """
    known = materials()
    if name not in known:
        what = f"active material {name!r}" if name else "no active material"
        raise ValueError(
            f"a design says {what}: give `positive_material` and `negative_material` of "
            f"{', '.join(n for n in known if not n.startswith('salt'))}."
        )
    return known[name]
