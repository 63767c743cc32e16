"""Ewald sums against closed forms, finite differences and their own other splits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.spacegroup import crystal
from magnetoionics.calculators.ewald import (
    EwaldParameters,
    electric_field_gradient,
    ewald_parameters,
    ewald_sum,
)
from magnetoionics.calculators.pairs import half_pairs, pair_geometry
from magnetoionics.structures.units import COULOMB_eV_A
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
TIGHT = 1e-13
TRICLINIC = np.array([[6.1, 0.3, -0.4], [1.1, 7.2, 0.6], [-0.7, 1.9, 5.4]])


def random_cell(net: float, n: int = 8) -> tuple[FloatArray, FloatArray, FloatArray]:
    rng = np.random.default_rng(7)
    charges = rng.normal(size=n)
    charges += (net - charges.sum()) / n
    grid = np.stack(np.meshgrid([0.1, 0.6], [0.15, 0.65], [0.2, 0.7], indexing="ij"), axis=-1).reshape(-1, 3)
    return TRICLINIC, (grid[:n] + rng.uniform(-0.1, 0.1, (n, 3))) @ TRICLINIC, charges


def split(alpha: float, reach: float = 6.2) -> EwaldParameters:
    return EwaldParameters(alpha, reach / alpha, 2.0 * reach * alpha)


def madelung(atoms: Atoms, charges: ArrayLike, distance: float, formulas: float, accuracy: float = TIGHT) -> float:
    energy = ewald_sum(atoms.cell, atoms.positions, charges, accuracy=accuracy).energy
    return -energy * distance / COULOMB_eV_A / formulas


def two_ions(name: str, **kwargs: float) -> tuple[Atoms, FloatArray]:
    atoms = bulk("NaCl", name, **kwargs)
    return atoms, np.where(atoms.symbols == "Na", 1.0, -1.0)


def test_coulomb_constant() -> None:
    assert pytest.approx(14.399645, abs=5e-6) == COULOMB_eV_A


# Longer digits than numbers.md: standard literature values of the same constants.
@pytest.mark.parametrize(
    ("name", "distance", "expected"),
    [
        ("rocksalt", 0.5, 1.747564594633182),
        ("cesiumchloride", np.sqrt(3.0) / 2.0, 1.762674773070989),
        ("zincblende", np.sqrt(3.0) / 4.0, 1.638055053388790),
    ],
)
def test_madelung_cubic(name: str, distance: float, expected: float) -> None:
    atoms, charges = two_ions(name, a=4.2)
    assert madelung(atoms, charges, 4.2 * distance, 1) == pytest.approx(expected, rel=1e-10)


def test_madelung_wurtzite_ideal() -> None:
    a = 3.2
    atoms, charges = two_ions("wurtzite", a=a, c=a * np.sqrt(8.0 / 3.0), u=0.375)
    value = madelung(atoms, charges, a * np.sqrt(3.0 / 8.0), 2)
    assert value == pytest.approx(1.6413216, abs=5e-8)
    assert value == pytest.approx(madelung(atoms, charges, a * np.sqrt(3.0 / 8.0), 2, 1e-9), rel=1e-8)


def test_madelung_fluorite() -> None:
    atoms = bulk("CaF2", "fluorite", a=5.46)
    charges = np.where(atoms.symbols == "Ca", 2.0, -1.0)
    # Per product of the valences, 2 x 1.
    assert madelung(atoms, charges, 5.46 * np.sqrt(3.0) / 4.0, 2) == pytest.approx(2.5193924, abs=5e-8)


def spinel_energy(u: float, charge_a: float, charge_b: float, accuracy: float) -> float:
    sites = [(0.125,) * 3, (0.5,) * 3, (u - 0.125,) * 3]
    atoms = crystal(["Mg", "Al", "O"], sites, spacegroup=227, setting=2, cellpar=[8.0] * 3 + [90] * 3)
    assert len(atoms) == 56
    by_symbol = {"Mg": charge_a, "Al": charge_b, "O": -2.0}
    return madelung(atoms, [by_symbol[s] for s in atoms.symbols], 8.0, 8, accuracy)


@pytest.mark.parametrize(
    ("u", "normal", "inverse"),
    [
        (0.375, 128.5671, 130.7744),
        (0.380, 130.3627, 130.5644),
        (0.381, 130.7082, 130.5202),
        (0.385, 132.0293, 130.3192),
    ],
)
def test_madelung_spinel(u: float, normal: float, inverse: float) -> None:
    for charges, expected in (((2.0, 3.0), normal), ((3.0, 2.5), inverse)):
        tight, loose = (spinel_energy(u, *charges, accuracy) for accuracy in (1e-13, 1e-8))
        assert tight == pytest.approx(expected, abs=5e-5)
        assert loose == pytest.approx(tight, rel=1e-8)


def test_makov_payne_energy_of_one_charge() -> None:
    result = ewald_sum(np.eye(3) * 10.0, [[1.0, 2.0, 3.0]], [1.0], accuracy=1e-12)
    assert -result.energy == pytest.approx(2.0428, abs=5e-5)
    # E goes as 1/L, so the pressure of a cubic cell is E / 3V, background included.
    assert result.stress == pytest.approx(-np.eye(3) * result.energy / 3000.0, abs=1e-12)


@pytest.mark.parametrize("net", [0.0, 1.3])
def test_independent_of_alpha(net: float) -> None:
    results = [ewald_sum(*random_cell(net), parameters=split(alpha)) for alpha in (0.35, 0.5, 0.9)]
    for other in results[1:]:
        assert other.energy == pytest.approx(results[0].energy, abs=1e-9)
        np.testing.assert_allclose(other.potential, results[0].potential, atol=1e-9)
        np.testing.assert_allclose(other.forces, results[0].forces, atol=1e-9)
        np.testing.assert_allclose(other.stress, results[0].stress, atol=1e-10)


@pytest.mark.parametrize("accuracy", [1e-5, 1e-7, 1e-9])
@pytest.mark.parametrize("net", [0.0, 2.0])
def test_accuracy_is_kept(accuracy: float, net: float) -> None:
    exact = ewald_sum(*random_cell(net), accuracy=1e-14)
    result = ewald_sum(*random_cell(net), accuracy=accuracy)
    assert abs(result.energy - exact.energy) < 10 * accuracy
    assert np.abs(result.forces - exact.forces).max() < 10 * accuracy


@pytest.mark.parametrize("net", [0.0, 1.3])
def test_forces_and_stress_are_derivatives(net: float) -> None:
    cell, positions, charges = random_cell(net)
    result = ewald_sum(cell, positions, charges, accuracy=TIGHT)
    step = 2e-4
    for ion, axis in ((0, 0), (3, 1), (6, 2)):
        moved = np.zeros_like(positions)
        moved[ion, axis] = step
        high, low = (ewald_sum(cell, positions + s * moved, charges, accuracy=TIGHT).energy for s in (1, -1))
        assert result.forces[ion, axis] == pytest.approx((low - high) / (2 * step), abs=1e-6)
    volume = abs(np.linalg.det(cell))
    for a, b in ((0, 0), (1, 1), (0, 2), (1, 2)):
        strain = np.zeros((3, 3))
        strain[a, b] += step / 2
        strain[b, a] += step / 2
        energies = [
            ewald_sum(cell @ m, positions @ m, charges, accuracy=TIGHT).energy
            for m in (np.eye(3) + strain, np.eye(3) - strain)
        ]
        assert result.stress[a, b] == pytest.approx((energies[0] - energies[1]) / (2 * step * volume), abs=1e-6)


def test_sums_and_invariances() -> None:
    cell, positions, charges = random_cell(0.7)
    result = ewald_sum(cell, positions, charges)
    assert result.energies.sum() == pytest.approx(result.energy, abs=1e-12)
    assert np.abs(result.forces.sum(axis=0)).max() < 1e-10
    assert np.abs(result.stress - result.stress.T).max() < 1e-12
    moved = positions + np.array([0.37, -4.1, 11.9])
    moved[2] += cell[0] - 2 * cell[2]
    assert ewald_sum(cell, moved, charges).energy == pytest.approx(result.energy, abs=1e-7)
    doubled = ewald_sum(cell * [[2], [1], [1]], np.vstack([positions, positions + cell[0]]), [*charges, *charges])
    assert doubled.energy == pytest.approx(2 * result.energy, abs=1e-7)
    np.testing.assert_allclose(doubled.stress, result.stress, atol=1e-8)


def test_potential_is_the_charge_derivative() -> None:
    cell, positions, charges = random_cell(0.7)
    result = ewald_sum(cell, positions, charges, accuracy=TIGHT)
    step = np.zeros_like(charges)
    step[4] = 1e-3
    high, low = (ewald_sum(cell, positions, charges + s * step, accuracy=TIGHT).energy for s in (1, -1))
    assert result.potential[4] == pytest.approx((high - low) / 2e-3, abs=1e-8)


def potential_of_others(
    cell: FloatArray, positions: FloatArray, charges: FloatArray, site: int, probe: FloatArray
) -> float:
    """Potential at a probe near an ion, without that ion itself but with its images."""
    own = COULOMB_eV_A * charges[site] / np.linalg.norm(probe - positions[site])
    points, values = np.vstack([positions, probe]), np.append(charges, 0.0)
    return float(ewald_sum(cell, points, values, accuracy=TIGHT).potential[-1]) - own


@pytest.mark.parametrize("net", [0.0, 1.3])
def test_field_gradient_against_finite_differences(net: float) -> None:
    cell, positions, charges = random_cell(net)
    site, step = 5, 0.04
    axes = np.eye(3)
    expected = np.zeros((3, 3))
    for a in range(3):
        for b in range(a, 3):
            # Off-diagonal second derivatives as differences along diagonals; fourth order in the step.
            directions = (axes[a] + axes[b], axes[a] - axes[b]) if a != b else (axes[a],)
            curvatures = []
            for direction in directions:
                size = float(np.linalg.norm(direction))
                v = {
                    m: potential_of_others(
                        cell, positions, charges, site, positions[site] + m * step * direction / size
                    )
                    for m in (-3, -2, -1, 1, 2, 3)
                }
                first, second, third = (v[m] + v[-m] for m in (1, 2, 3))
                # Even part c0 + c2 x^2 + c4 x^4 through |x| = 1, 2, 3 steps, the ion itself is left out.
                rows = np.array([[1.0, m**2, m**4] for m in (1, 2, 3)])
                c2 = np.linalg.solve(rows, np.array([first, second, third]) / 2.0)[1]
                curvatures.append(2.0 * c2 / step**2 * size**2)
            expected[a, b] = (curvatures[0] - curvatures[1]) / 4.0 if a != b else curvatures[0]
            expected[b, a] = expected[a, b]
    trace = np.trace(expected)
    assert trace == pytest.approx(4 * np.pi * COULOMB_eV_A * charges.sum() / abs(np.linalg.det(cell)), abs=1e-4)
    expected -= np.eye(3) * trace / 3.0
    result = electric_field_gradient(cell, positions, charges, [2, site], accuracy=1e-12)
    assert result.shape == (2, 3, 3)
    np.testing.assert_allclose(result[1], expected, atol=2e-5)


def test_field_gradient_symmetry() -> None:
    cell, positions, charges = random_cell(0.0)
    tensor = electric_field_gradient(cell, positions, charges, range(8))
    assert np.abs(np.einsum("saa->s", tensor)).max() < 1e-12
    assert np.abs(tensor - tensor.transpose(0, 2, 1)).max() < 1e-12
    atoms, q = two_ions("rocksalt", a=4.2)
    assert np.abs(electric_field_gradient(atoms.cell, atoms.positions, q, [0, 1])).max() < 1e-9
    assert electric_field_gradient(atoms.cell, atoms.positions, q, []).shape == (0, 3, 3)


def test_field_gradient_of_spinel_b_site_is_trigonal() -> None:
    sites = [(0.125,) * 3, (0.5,) * 3, (0.256,) * 3]
    atoms = crystal(["Fe", "Co", "O"], sites, spacegroup=227, setting=2, cellpar=[8.39] * 3 + [90] * 3)
    by_symbol = {"Fe": 3.0, "Co": 2.5, "O": -2.0}
    charges = [by_symbol[s] for s in atoms.symbols]
    a_site, b_site = (int(np.flatnonzero(atoms.symbols == s)[0]) for s in ("Fe", "Co"))
    tensor = electric_field_gradient(atoms.cell, atoms.positions, charges, [a_site, b_site])
    assert np.abs(tensor[0]).max() < 1e-6
    values = np.sort(np.linalg.eigvalsh(tensor[1]))
    gaps = np.diff(values)
    assert gaps.min() < 1e-6 < gaps.max()
    axis = np.linalg.eigh(tensor[1])[1][:, 0 if gaps[0] > gaps[1] else 2]
    np.testing.assert_allclose(np.abs(axis), np.full(3, 1 / np.sqrt(3)), atol=1e-6)


def test_known_pairs_give_the_same_sum() -> None:
    cell, positions, charges = random_cell(0.0)
    chosen = ewald_parameters(cell, len(charges), 1e-8)
    geometry = pair_geometry(half_pairs(cell, positions, chosen.real_cutoff + 1.0), positions)
    direct = ewald_sum(cell, positions, charges, parameters=chosen)
    reused = ewald_sum(cell, positions, charges, parameters=chosen, geometry=geometry)
    assert reused.energy == pytest.approx(direct.energy, abs=1e-12)
    short = pair_geometry(half_pairs(cell, positions, 3.0), positions)
    with pytest.raises(ValueError, match="rebuild the pairs"):
        ewald_sum(cell, positions, charges, parameters=chosen, geometry=short)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell": np.zeros((3, 3))}, "independent vectors"),
        ({"charges": [1.0]}, r"must be \(n, 3\)"),
        ({"charges": [1.0, np.nan]}, "finite"),
        ({"positions": [[0, 0, 0], [5.0, 0, 0]]}, "coincide"),
        ({"accuracy": 1.0}, "1e-15 .. 1e-2"),
    ],
)
def test_refusals(change: dict[str, Any], message: str) -> None:
    arguments = {
        "cell": np.eye(3) * 5,
        "positions": [[0, 0, 0], [1.0, 2, 2]],
        "charges": [1.0, -1.0],
    } | change
    with pytest.raises(ValueError, match=message):
        ewald_sum(**arguments)


def test_refuses_bad_split_and_site() -> None:
    with pytest.raises(ValueError, match="alpha"):
        EwaldParameters(0.0, 5.0, 5.0)
    with pytest.raises(ValueError, match="sites"):
        electric_field_gradient(*random_cell(0.0), [8])
