"""The rows of measured ageing that everything here rests on."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal


@dataclass(frozen=True)
class Row:
    """Loss of capacity under one condition; see `rows.toml` for the source.

    Attributes:
        name: of the condition.
        depth: cycled share of the capacity [-].
        rate: of charge and discharge [C].
        temperature: [degC].
        cycles: counted.
        loss: of the capacity after them [%]; in rows of a partial window very likely that
            of the cycled part: a lower bound.
        stated: loss a cycle as the source prints it, rounded [%].
        use: whether the law is fitted to it or tried on it.
    """

    name: str
    depth: float
    rate: float
    temperature: float
    cycles: int
    loss: float
    stated: float
    use: Literal["fit", "predict"]

    @property
    def full_cycles(self) -> float:
        """Equivalent full cycles [-]."""
        return self.depth * self.cycles

    @property
    def disagreement(self) -> float:
        """Loss over cycles, over what the source prints as loss a cycle [-].

        Two in the rows of 80 % depth, and not explained there; NaN where it prints zero.
        """
        return self.loss / self.cycles / self.stated if self.stated else float("nan")


@cache
def rows() -> tuple[Row, ...]:
    """All rows that ship."""
    text = resources.files("naion.life").joinpath("rows.toml").read_text("utf-8")
    return tuple(Row(name, **row) for name, row in tomllib.loads(text)["row"].items())
