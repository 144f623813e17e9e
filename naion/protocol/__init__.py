"""What is done to a cell: steps, cut-offs, experiment strings and measured profiles."""

from ._control import Control, Mode
from ._grammar import parse_step
from ._protocol import Protocol, goes_on
from ._step import Step

__all__ = ["Control", "Mode", "Protocol", "Step", "goes_on", "parse_step"]
