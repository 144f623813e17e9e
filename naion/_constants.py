"""Physical constants (CODATA 2018, exact in the SI of 2019), and one of statistics."""

F = 96485.33212
"""Faraday constant [C.mol-1]."""

R = 8.314462618
"""Molar gas constant [J.mol-1.K-1]."""

ZERO_CELSIUS = 273.15
"""0 degC in kelvin."""

NINETY = 1.645
"""Half of the 90 % interval of a normal distribution, in standard deviations."""
