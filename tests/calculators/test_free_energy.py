"""Free energies of a few states against those of all of them, and against a closed formula."""

import numpy as np
import pytest
from magnetoionics.calculators import free_energy
from magnetoionics.calculators.crystal_field import angular_overlap
from magnetoionics.calculators.free_energy import free_energies
from magnetoionics.calculators.ligand_field import LigandFieldModel, LigandFieldParameters
from scipy.special import logsumexp

K = 8.617333262e-5
OCTAHEDRON = 2.08 * np.vstack([np.eye(3), -np.eye(3)])
TETRAHEDRON = 1.95 / np.sqrt(3) * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
DIRECTIONS = np.random.default_rng(0).normal(size=(12, 3))
DIRECTIONS /= np.linalg.norm(DIRECTIONS, axis=1)[:, None]


def ion(electrons, bonds, seed=1):
    p = LigandFieldParameters()
    rng = np.random.default_rng(seed)
    field = angular_overlap(bonds + rng.normal(0, 0.06, bonds.shape), p) + 0.02 * np.diag(rng.normal(size=5))
    model = LigandFieldModel(p, electrons)
    return model, field


def all_levels(model, field, kT):
    levels = np.array([model.levels(field, n) for n in DIRECTIONS])
    return -kT * logsumexp(-levels / kT, axis=1)


@pytest.mark.parametrize("bonds", [OCTAHEDRON, TETRAHEDRON, OCTAHEDRON[:5]])
@pytest.mark.parametrize("electrons", [1, 3, 6, 7, 8])
@pytest.mark.parametrize("temperature_K", [20.0, 300.0, 1500.0])
def test_free_energy_is_that_of_all_levels(electrons, bonds, temperature_K):
    model, field = ion(electrons, bonds)
    found = model.ground_energies([field], DIRECTIONS, temperature_K)[0]
    assert np.abs(found - all_levels(model, field, K * temperature_K)).max() < 2e-9


def solved_sizes(monkeypatch):
    sizes, eigvalsh = [], np.linalg.eigvalsh

    def record(matrices):
        sizes.append(matrices.shape[:2])
        return eigvalsh(matrices)

    monkeypatch.setattr(np.linalg, "eigvalsh", record)
    return sizes


def test_cobalt_at_room_temperature_takes_few_states(monkeypatch):
    model, field = ion(7, OCTAHEDRON)
    sizes = solved_sizes(monkeypatch)
    model.ground_energies([field], DIRECTIONS, 300.0)
    (few, exact) = sizes
    assert few[0] == len(DIRECTIONS)
    assert few[1] < 70
    assert exact == (3, 120)


def test_too_few_states_are_noticed_and_all_are_taken(monkeypatch):
    model, field = ion(7, OCTAHEDRON)
    expected = all_levels(model, field, 300 * K)
    monkeypatch.setattr(free_energy, "_LEAST_WINDOW_eV", 0.0)
    monkeypatch.setattr(free_energy, "_WINDOW_kT", 0.1)
    sizes = solved_sizes(monkeypatch)
    found = model.ground_energies([field], DIRECTIONS, 300.0)[0]
    assert sizes[-1] == (len(DIRECTIONS), 120)
    assert np.abs(found - expected).max() < 1e-12


def test_spin_in_a_field_has_the_closed_partition_function():
    spin = np.array([[[0, 0.5], [0.5, 0]], [[0, -0.5j], [0.5j, 0]], [[0.5, 0], [0, -0.5]]])
    h, kT = 0.06, 0.025
    found = free_energies(np.zeros(2), h * spin, DIRECTIONS, kT)
    assert found == pytest.approx(-kT * np.log(2 * np.cosh(h / 2 / kT)), abs=1e-14)
