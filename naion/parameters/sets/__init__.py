"""The sets that come with naion, one folder each."""

from . import (
    cfm_hc_32140,
    lfp_aboutenergy,
    nfm_hc_18650,
    nfm_hc_prismatic,
    nfpp_hc_32140,
    nmc111_aboutenergy,
    nmc811_chen2020,
    nvpf_hc_chayambuka2022,
    pw_hc_prismatic,
)

SETS = {
    package.__name__.rpartition(".")[2]: package.build
    for package in (
        cfm_hc_32140,
        lfp_aboutenergy,
        nfm_hc_18650,
        nfm_hc_prismatic,
        nfpp_hc_32140,
        nmc111_aboutenergy,
        nmc811_chen2020,
        nvpf_hc_chayambuka2022,
        pw_hc_prismatic,
    )
}
"""Builders by name, as the entry-point group `naion.parameters` expects."""
