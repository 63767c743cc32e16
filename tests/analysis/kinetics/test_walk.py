"""Drift and diffusion on networks: closed forms of chains and lattices, Einstein, detailed balance, another code."""

import math
from dataclasses import replace

import numpy as np
import pytest
from magnetoionics.analysis.kinetics.drift_laws import (
    cabrera_mott_A_per_s,
    critical_field_V_per_m,
    mott_gurney_A_per_s,
)
from magnetoionics.analysis.kinetics.network import DistinctHop, network_of
from magnetoionics.analysis.kinetics.walk import steady_walk, walk_of
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K
from pymatgen.core import Lattice, Structure

KB = BOLTZMANN_eV_PER_K
T = 500.0
SC = Structure(Lattice.cubic(3.0), ["Po"], [[0, 0, 0]])
FCC = Structure(Lattice.cubic(4.0), ["Cu"] * 4, [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
CHAIN = Structure(Lattice.tetragonal(5.0, 3.0), ["Li"], [[0, 0, 0]])
# Two places per period at unequal distances, on a mirror-free chain.
PAIR = Structure(Lattice.tetragonal(5.0, 6.0), ["Li", "Na"], [[0, 0, 0], [0, 0, 0.4]])


def plain_hop(label, start_A, displacement_A, barrier_eV, charge_e=0.0):
    """A symmetric hop of a point charge with its saddle halfway."""
    step, start = np.asarray(displacement_A, dtype=float), np.asarray(start_A, dtype=float)
    return DistinctHop(label, start, step, barrier_eV, barrier_eV, charge_e * step / 2, charge_e * step)


def walk(cell, *hops):
    return walk_of(network_of(cell, hops, ion="X", carrier="ion"))


def two_place_walk(low=0.5, high=0.9, delta=0.15):
    first = plain_hop("first", [0, 0, 0], [0, 0, 2.4], low, 1.0)
    second = plain_hop("second", [0, 0, 2.4], [0, 0, 3.6], high, 1.0)
    return walk(PAIR, replace(first, backward_eV=low - delta), replace(second, backward_eV=high + delta))


@pytest.mark.parametrize(("cell", "step", "z"), [(SC, [3.0, 0, 0], 6), (FCC, [2.0, 2.0, 0], 12)])
def test_a_lone_carrier_diffuses_with_z_rate_length_squared_over_six(cell, step, z):
    found = steady_walk(walk(cell, plain_hop("hop", [0, 0, 0], step, 0.6)), T)
    expected = z * 1e13 * math.exp(-0.6 / (KB * T)) * np.dot(step, step) / 6
    assert np.allclose(found.diffusivity_A2_per_s, expected * np.eye(3), rtol=1e-9)
    assert np.allclose(found.population, 1 / len(cell))


def test_a_chain_of_two_barriers_is_as_slow_as_both_in_series():
    """D = period^2 / [(1/(p1 k1) + 1/(p2 k2))] with the equilibrium populations, whatever the ratio of the rates."""
    low, high, delta = 0.5, 0.9, 0.15
    found = steady_walk(two_place_walk(low, high, delta), T)
    weights = np.array([1.0, math.exp(-delta / (KB * T))])
    p = weights / weights.sum()
    k1, k2 = (1e13 * math.exp(-e / (KB * T)) for e in (low, high))
    series = 1 / (p[0] * k1) + 1 / (p[1] * k2)
    assert found.population == pytest.approx(p, rel=1e-12)
    assert found.diffusivity_A2_per_s[2, 2] == pytest.approx(6.0**2 / series, rel=1e-9)
    assert found.diffusivity_A2_per_s[0, 0] == 0


def test_detailed_balance_holds_to_rounding_without_a_field():
    it = two_place_walk()
    found, rates = steady_walk(it, T), it.rates_per_s(T)
    current = found.population[it.start] * rates
    half = len(current) // 2
    assert current[:half] == pytest.approx(current[half:], rel=1e-12)
    assert abs(found.velocity_A_per_s[2]) < 1e-12 * np.abs(current @ np.abs(it.step_A))[2]


def test_einstein_relation_of_a_network_with_unequal_places():
    """The slope of the drift in a weak field is D q / kT."""
    it = two_place_walk()
    diffusivity = steady_walk(it, T).diffusivity_A2_per_s[2, 2]
    weak = 1e-6
    forth, back = (steady_walk(it, T, [0, 0, f]).velocity_A_per_s[2] for f in (weak, -weak))
    assert (forth - back) / (2 * weak) == pytest.approx(diffusivity / (KB * T), rel=1e-6)


@pytest.mark.parametrize("field", [1e-5, 1e-3, 0.05, 0.2])
def test_a_chain_drifts_by_the_law_of_mott_and_gurney(field):
    it = walk(CHAIN, plain_hop("hop", [0, 0, 0], [0, 0, 3.0], 0.8, 2.0))
    found = steady_walk(it, T, [0, 0, field])
    assert found.velocity_A_per_s[2] == pytest.approx(float(mott_gurney_A_per_s(field, 0.8, 2.0, 3.0, T)), rel=1e-9)
    # Two opposite Poisson processes: the spread about the drift is the sum of their rates.
    k = 1e13 * math.exp(-0.8 / (KB * T))
    spread = k * math.cosh(2.0 * 3.0 * field / (2 * KB * T)) * 3.0**2
    assert found.diffusivity_A2_per_s[2, 2] == pytest.approx(spread, rel=1e-9)


def test_both_limits_of_the_drift():
    given = (0.8, 2.0, 3.0, T)
    k = 1e13 * math.exp(-0.8 / (KB * T))
    assert mott_gurney_A_per_s(1e-6, *given) == pytest.approx(k * 9.0 * 2.0 * 1e-6 / (KB * T), rel=1e-6)
    assert mott_gurney_A_per_s(0.1, *given) == pytest.approx(cabrera_mott_A_per_s(0.1, *given), rel=1e-5)
    assert mott_gurney_A_per_s(-0.1, *given) == -mott_gurney_A_per_s(0.1, *given)


def test_biased_walk_drifts_as_ten_thousand_walkers_do():
    """Random walkers with the chain's two rates, in continuous time."""
    field, k = 0.01, 1e13 * math.exp(-0.8 / (KB * T))
    it = walk(CHAIN, plain_hop("hop", [0, 0, 0], [0, 0, 3.0], 0.8, 2.0))
    up, down = k * math.exp(0.03 / (KB * T)), k * math.exp(-0.03 / (KB * T))
    rng, seconds = np.random.default_rng(3), 50 / k
    places = 3.0 * (rng.poisson(up * seconds, 10_000) - rng.poisson(down * seconds, 10_000))
    found = steady_walk(it, T, [0, 0, field])
    assert found.velocity_A_per_s[2] == pytest.approx(places.mean() / seconds, rel=0.01)
    assert found.diffusivity_A2_per_s[2, 2] == pytest.approx(places.var() / (2 * seconds), rel=0.05)


def test_a_field_that_removes_the_barrier_leaves_an_attempt_and_detailed_balance():
    it = walk(CHAIN, plain_hop("hop", [0, 0, 0], [0, 0, 3.0], 0.5, 2.0))
    up, down = it.rates_per_s(T, [0, 0, 0.3])
    assert up == pytest.approx(1e13)
    assert up / down == pytest.approx(math.exp(2.0 * 3.0 * 0.3 / (KB * T)), rel=1e-9)


def test_the_critical_field_is_that_of_one_hop_a_second():
    field = critical_field_V_per_m(1.1, 3.0, 300.0, attempt_Hz=5e12)
    rate = 5e12 * math.exp(-(1.1 - 3.0 * field * 1e-10) / (KB * 300.0))
    assert rate == pytest.approx(1.0)
    assert critical_field_V_per_m(0.3, 3.0, 300.0) == 0
    with pytest.raises(ValueError, match="saddle_dipole_e_A = 0"):
        critical_field_V_per_m(1.0, 0.0, 300.0)


def test_diffusion_tensor_is_that_of_onsager():
    """D. R. Trinkle's code (10.1080/14786435.2017.1340685) on octahedral and tetrahedral places of an fcc crystal."""
    pytest.importorskip("onsager")
    from onsager import OnsagerCalc, crystal

    a = 4.0
    fcc = crystal.Crystal(
        a * np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]),
        [[np.zeros(3)], [np.full(3, 0.5), np.full(3, 0.25), np.full(3, 0.75)]],
    )
    kinds, jumps = fcc.sitelist(1), fcc.jumpnetwork(1, 0.45 * a)
    octahedral = next(n for n, sites in enumerate(kinds) if len(sites) == 1)
    height = np.zeros(2)
    height[1 - octahedral] = 0.2
    made = OnsagerCalc.Interstitial(fcc, 1, kinds, jumps)
    right = made.diffusivity(np.ones(2), height / (KB * T), np.full(1, 1e13), np.full(1, 0.7 / (KB * T)))
    hop = plain_hop("hop", [2.0, 2.0, 2.0], [1.0, 1.0, 1.0], 0.7)
    cell = Structure(Lattice.cubic(a), ["Cu"] * 4, FCC.frac_coords)
    found = steady_walk(walk(cell, replace(hop, backward_eV=0.5)), T)
    assert np.allclose(found.diffusivity_A2_per_s, right, rtol=1e-8)
