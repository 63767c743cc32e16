"""Specific heat from samples of several temperatures together, against a system that is known in closed form."""

import numpy as np
import pytest
from magnetoionics.analysis.magnetism.histograms import specific_heat_kB
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K


def quadratic_energies(temperatures_K, coordinates, samples, seed):
    """Energies of so many harmonic coordinates: a gamma distribution of shape coordinates / 2, with C = k/2 each."""
    rng = np.random.default_rng(seed)
    return [rng.gamma(coordinates / 2, BOLTZMANN_eV_PER_K * t, samples) for t in temperatures_K]


@pytest.mark.parametrize("seed", [0, 1])
def test_equipartition_at_every_temperature(seed):
    temperatures = [90.0, 100.0, 110.0, 120.0]
    found = specific_heat_kB(quadratic_energies(temperatures, 200, 8000, seed), temperatures, 200)
    assert found == pytest.approx([0.5] * 4, rel=0.03)


def test_samples_of_neighbours_make_the_peak_wander_less():
    temperatures = np.linspace(95.0, 105.0, 6)
    apart, together = [], []
    for seed in range(12):
        energies = quadratic_energies(temperatures, 50, 300, seed)
        apart.append(
            [e.var() / (BOLTZMANN_eV_PER_K * t) ** 2 / 50 for e, t in zip(energies, temperatures, strict=True)]
        )
        together.append(specific_heat_kB(energies, list(temperatures), 50))
    assert np.std(together) < 0.6 * np.std(apart)


def test_far_temperatures_are_their_own_fluctuation():
    temperatures = [10.0, 1000.0]
    energies = quadratic_energies(temperatures, 400, 500, 3)
    found = specific_heat_kB(energies, temperatures, 400)
    own = [e.var() / (BOLTZMANN_eV_PER_K * t) ** 2 / 400 for e, t in zip(energies, temperatures, strict=True)]
    assert found == pytest.approx(own, rel=1e-9)
