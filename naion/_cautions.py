"""Cautions: what was asked was done, but the answer rests on less than it seems to."""

from naion_kernels import Caution as Caution
from naion_kernels import caution as caution
