"""Protocols: steps, cut-offs, experiment strings and measured profiles."""

from ._checks import KELVIN
from ._control import Control, Mode
from ._grammar import parse_step
from ._protocol import Protocol, joins
from ._step import Step

__all__ = ["KELVIN", "Control", "Mode", "Protocol", "Step", "joins", "parse_step"]
