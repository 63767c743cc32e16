"""Ions that block each other: correlation at every occupation, exact drift and occupations, refusals."""

import numpy as np
import pytest
from magnetoionics.analysis.kinetics.crowded import crowded_diffusion
from magnetoionics.analysis.kinetics.network import HopNetwork, NetworkSite
from magnetoionics.analysis.kinetics.uniform_network import uniform_network
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K as KB
from pymatgen.core import Lattice, Structure

T, STEP = 1000.0, 3.0
RATE = 1e13 * np.exp(-0.5 / (KB * T))
LATTICES = {
    "simple cubic": (Lattice.cubic(STEP), [[0, 0, 0]], 6, 0.6531),
    "fcc": (Lattice.cubic(STEP * 2**0.5), [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]], 12, 0.7815),
}


def net(name="simple cubic"):
    lattice, places, _, _ = LATTICES[name]
    cell = Structure(lattice, ["O"] * len(places), places, site_properties={"sublattice": ["O"] * len(places)})
    return uniform_network(cell, "O", STEP, 0.5, -2.0, ion="O", label="O -> V_O")


@pytest.mark.parametrize("name", list(LATTICES))
def test_few_vacancies_have_the_exact_correlation_of_one(name):
    """K. Compaan and Y. Haven, 10.1039/TF9565200786."""
    found = crowded_diffusion(net(name), 0.99, T, cells=10, hops_per_ion=60)
    assert found.correlation == pytest.approx(LATTICES[name][3], abs=3 * found.correlation_error + 0.004)
    assert found.correlation_error < 0.01


@pytest.mark.parametrize("name", list(LATTICES))
@pytest.mark.parametrize("occupation", [0.3, 0.5, 0.8])
def test_correlation_between_the_limits_is_that_of_nakazato_and_kitahara(name, occupation):
    """K. Nakazato and K. Kitahara (1980), between both exact limits: f = 1/[1 + (1 - f0)/f0 x/(2 - x)]."""
    _, _, z, alone = LATTICES[name]
    found = crowded_diffusion(net(name), occupation, T, cells=10, hops_per_ion=60)
    law = 1 / (1 + (1 - alone) / alone * occupation / (2 - occupation))
    assert found.correlation == pytest.approx(law, abs=3 * found.correlation_error + 0.01)
    # Equal hops: the tracer has f (1 - x) of what a lone ion has, all together (1 - x).
    free = z * STEP**2 * RATE / 6 * 1e-16 * (1 - occupation)
    assert found.tracer_mean_cm2_per_s == pytest.approx(free * found.correlation, rel=0.02)
    assert np.trace(found.together_cm2_per_s) / 3 == pytest.approx(free, rel=0.15)


@pytest.mark.parametrize("occupation", [0.2, 0.7])
def test_drift_is_that_of_the_exclusion_process(occupation):
    """Places are taken independently in its steady state, so that v = (1 - x) d (k+ - k-), exactly, in any field."""
    field = 0.03
    found = crowded_diffusion(net(), occupation, T, cells=8, hops_per_ion=60, field_V_per_A=(0, 0, field))
    work = -2.0 * STEP * field / (KB * T)
    exact = (1 - found.occupation) * STEP * RATE * 2 * np.sinh(work / 2)
    assert found.drift_A_per_s[2] == pytest.approx(exact, rel=0.02)
    assert abs(found.drift_A_per_s[0]) < 0.02 * abs(exact)


def uneven(carrier):
    """A chain of two places, of which the second costs the carrier 0.1 eV."""
    base = net()
    hop = base.hops[0].model_copy(update={"displacement_A": [0, 0, 1.5], "start": 0, "end": 1, "image": [0, 0, 0]})
    hop = hop.model_copy(update={"forward_eV": 0.6, "backward_eV": 0.5})
    back = hop.model_copy(update={"image": [0, 0, -1], "displacement_A": [0, 0, -1.5]})
    sites = [NetworkSite(fractional=[0, 0, z], label="O", energy_eV=e) for z, e in ((0, 0.0), (0.5, 0.1))]
    return HopNetwork.model_validate(
        base.model_dump() | {"carrier": carrier, "sites": sites, "hops": [hop, back], "percolation": []}
    )


@pytest.mark.parametrize("carrier", ["ion", "vacancy"])
@pytest.mark.parametrize("occupation", [0.25, 0.6])
def test_places_of_unequal_energy_are_taken_as_fermi_and_dirac_say(carrier, occupation):
    """x/(1 - x) of both places have the ratio e^(-E/kT), of the carriers."""
    found = crowded_diffusion(uneven(carrier), occupation, T, cells=10, hops_per_ion=100)
    low, high = found.site_occupations
    assert (low + high) / 2 == pytest.approx(found.occupation, abs=1e-9)
    sense = 1 if carrier == "ion" else -1
    odds = np.log(low / (1 - low)) - np.log(high / (1 - high))
    assert odds == pytest.approx(sense * 0.1 / (KB * T), abs=0.05)


def test_in_a_channel_of_single_file_no_ion_diffuses_but_all_together_do():
    """T. E. Harris, J. Appl. Probab. 2, 323 (1965): <x^2> grows with the root of time; n q^2 D/kT stays."""
    found = crowded_diffusion(uneven("ion"), 0.5, T, cells=10, hops_per_ion=40)
    assert found.tracer_mean_cm2_per_s == found.correlation == 0
    assert found.together_cm2_per_s[2][2] > 10 * found.together_cm2_per_s[0][0] >= 0
    base = net()
    across = [h for h in base.hops if abs(h.displacement_A[0]) < 0.1]
    layer = base.model_copy(update={"hops": across})
    assert crowded_diffusion(layer, 0.5, T, cells=6, hops_per_ion=20).correlation > 0.4


def test_what_cannot_be_walked_is_refused_before_it_is_walked():
    for wrong, said in (
        ({"occupation": 1.0}, "between 0 and 1"),
        ({"occupation": float("nan")}, "between 0 and 1"),
        ({"cells": 1}, "2 or more"),
        ({"cells": 200}, "fewer cells"),
        ({"occupation": 1e-6}, "more cells"),
        ({"temperature_K": 4000.0}, "no rates"),
        ({"hops_per_ion": float("inf")}, "finite"),
    ):
        given = {"occupation": 0.5, "temperature_K": T, "cells": 4} | wrong
        with pytest.raises(ValueError, match=said):
            crowded_diffusion(net(), **given)
    with pytest.raises(ValueError, match="change the order"):
        crowded_diffusion(net().model_copy(update={"mismatch_eV": 0.1}), 0.5, T)
