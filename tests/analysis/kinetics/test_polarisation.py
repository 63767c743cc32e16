"""Dipoles along a path: one branch, Born charges integrated, and bands that carry them."""

import numpy as np
import pytest
from magnetoionics.analysis.kinetics.polarisation import (
    Polarisation,
    band_with_dipoles,
    dipoles_of_born_charges,
    implied_permittivity,
    on_one_branch,
)
from magnetoionics.analysis.results.calculation import Band, BandImage, invalid_because
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine

CHARGES = np.array([2.0, 1.0, -3.0])


@pytest.fixture
def path():
    rng = np.random.default_rng(3)
    start = rng.uniform(0, 5, (3, 3))
    return start + np.linspace(0, 1, 7)[:, None, None] * rng.normal(size=(3, 3))


def test_branch_survives_any_lattice_vector(path):
    lattice = np.diag([5.0, 6.0, 7.0]) + 0.3
    true = np.einsum("n,mna->ma", CHARGES, path - path[0])
    jumps = np.random.default_rng(1).integers(-3, 4, (len(path), 3)) @ lattice
    changes, distance = on_one_branch(true + 11.0 + jumps - jumps[0], lattice, 0.95 * true)
    assert np.allclose(changes, true)
    assert distance < 0.2


def test_constant_born_charges_give_charge_times_displacement(path):
    born = np.broadcast_to(np.eye(3) * CHARGES[:, None, None], (len(path), 3, 3, 3))
    expected = np.einsum("n,mna->ma", CHARGES, path - path[0])
    assert np.allclose(dipoles_of_born_charges(path, born), expected)
    # A uniform surplus breaks the sum rule and is taken out: the dipole must not depend on the origin.
    assert np.allclose(dipoles_of_born_charges(path, born + 0.2 * np.eye(3)), expected)


def test_varying_born_charges_are_integrated(path):
    """Z = Z0 (1 + s) along a straight path gives Z0 u (s + s^2/2)."""
    s = np.linspace(0, 1, len(path))
    born = np.eye(3)[None, None] * (CHARGES[None, :] * (1 + s[:, None]))[:, :, None, None]
    end = np.einsum("n,na->a", CHARGES, path[-1] - path[0])
    assert np.allclose(dipoles_of_born_charges(path, born), np.outer(s + s**2 / 2, end))


def _band(structure, moved):
    images = [
        BandImage(energy_eV=0.0, arc_A=float(k), mover_A=float(k), dipole_e_A=p, kind="end", structure=structure)
        for k, p in enumerate(moved)
    ]
    return Band(
        mover=0,
        images=images,
        dipole_source="point charges",
        force_calls=0,
        checks=[],
        not_checked=[],
        provenance=get_engine("local").provenance(),
    )


def test_band_with_a_doubtful_branch_is_invalid():
    cell = get_host("cofe2o4").structure()
    provenance = get_engine("local").provenance()
    band = _band(cell, [[0, 0, 0], [1.0, 0, 0]])
    for dipole, valid in ([1.2, 0, 0], True), ([1.0 + 0.45 * cell.lattice.a, 0, 0], False):
        found = [
            Polarisation(name="p", structure=cell, dipole_e_A=p, provenance=provenance) for p in ([0, 0, 0], dipole)
        ]
        dressed = band_with_dipoles(band, found)
        assert dressed.dipole_source == "Berry phase"
        assert (invalid_because(dressed.checks) == []) is valid
    with pytest.raises(ValueError, match="2 images"):
        band_with_dipoles(band, found[:1])


def test_rows_of_a_born_tensor_are_the_directions_of_the_dipole(path):
    """Z_xy alone: a move along y makes a dipole along x, and one along x makes none."""
    tensor = np.zeros((3, 3))
    tensor[0, 1] = 2.0
    born = np.broadcast_to(np.array([tensor, -tensor, 0 * tensor]), (len(path), 3, 3, 3))
    expected = np.zeros((len(path), 3))
    expected[:, 0] = 2.0 * ((path - path[0])[:, 0, 1] - (path - path[0])[:, 1, 1])
    assert np.allclose(dipoles_of_born_charges(path, born), expected)
    moved = np.array([[0.0, 0.01, 0.0], [0.0, 0.0, 0.0]])
    tensors, volume = np.array([tensor, -tensor]), 100.0
    found = implied_permittivity(moved, tensors, [1e-3, 0.0, 0.0], volume)
    # 1 + P / (eps0 F): 4 pi 14.3996 eV A x 0.02 e A / (1e-3 V/A x 100 A^3).
    assert found == pytest.approx(1 + 4 * np.pi * 14.39964548 * 0.02 / (1e-3 * volume), rel=1e-6)
    assert implied_permittivity(moved, tensors, [0.0, 1e-3, 0.0], volume) == pytest.approx(1.0)
