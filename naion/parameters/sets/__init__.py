"""The sets that come with naion, one folder each."""

from . import nfm_hc_18650, nmc811_chen2020, nvpf_hc_chayambuka2022

SETS = {
    "nfm_hc_18650": nfm_hc_18650.build,
    "nmc811_chen2020": nmc811_chen2020.build,
    "nvpf_hc_chayambuka2022": nvpf_hc_chayambuka2022.build,
}
"""Builders by name, as the entry-point group `naion.parameters` expects."""
