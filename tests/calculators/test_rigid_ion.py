"""Rigid-ion calculator: derivatives, invariances, potentials and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.filters import UnitCellFilter
from ase.optimize import LBFGS
from ase.spacegroup import crystal
from ase.stress import voigt_6_to_full_3x3_stress
from magnetoionics.calculators.potentials import LEWIS_CATLOW_1985, PEDONE_2006, PairPotential, potential
from magnetoionics.calculators.rigid_ion import RigidIonCalculator, model_charges, spread_charge
from numpy.typing import NDArray
from pair_terms import short_range

FloatArray = NDArray[np.float64]
POTENTIALS = [PEDONE_2006, LEWIS_CATLOW_1985]
TIGHT = 1e-12


def spinel(a: float = 8.39) -> Atoms:
    """Co8Fe16O32 with Co on two of the four B sublattices (Imma)."""
    sites = [(0.125,) * 3, (0.5,) * 3, (0.256,) * 3]
    atoms = crystal(["Fe", "Co", "O"], sites, spacegroup=227, setting=2, cellpar=[a] * 3 + [90] * 3)
    scaled = np.rint(4 * atoms.get_scaled_positions()).astype(int)
    for index in np.flatnonzero(atoms.symbols == "Co"):
        # x + y even/odd in quarters tells two pairs of B sublattices apart.
        if (scaled[index, 0] + scaled[index, 1]) % 2:
            atoms.symbols[index] = "Fe"
    atoms.arrays["valence"] = np.array([{"Fe": 3.0, "Co": 2.0, "O": -2.0}[s] for s in atoms.symbols])
    return atoms


def oxide(net: float) -> tuple[Atoms, FloatArray]:
    """A small triclinic mixed oxide with every species; net is in units of the formal charge."""
    rng = np.random.default_rng(3)
    grid = np.stack(np.meshgrid(*[[0.0, 0.5]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    symbols = ["Fe", "O", "O", "Fe", "O", "Co", "Li", "O"]
    cell = np.array([[4.6, 0.2, -0.3], [0.5, 4.4, 0.1], [-0.2, 0.4, 4.7]])
    atoms = Atoms(symbols, cell=cell, pbc=True, scaled_positions=grid)
    atoms.positions += rng.uniform(-0.12, 0.12, (8, 3))
    valences = np.array([3.0, -2, -2, 2, -2, 2, 1, -2])
    atoms.arrays["valence"] = valences
    return atoms, spread_charge(valences, valences < 0, net)


def strained(atoms: Atoms, strain: FloatArray) -> Atoms:
    copy = atoms.copy()
    copy.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
    return copy


@pytest.mark.parametrize("model", POTENTIALS, ids=lambda model: model.name)
@pytest.mark.parametrize("net", [0.0, 1.0])
def test_forces_and_stress_are_derivatives(model: PairPotential, net: float) -> None:
    atoms, formal = oxide(net)
    calculator = RigidIonCalculator(model, charges=formal * model.charge_scale, accuracy=TIGHT)
    forces = calculator.get_property("forces", atoms)
    stress = voigt_6_to_full_3x3_stress(calculator.get_property("stress", atoms))
    step = 2e-4
    for ion in range(len(atoms)):
        for axis in range(3):
            energies = []
            for sign in (1, -1):
                moved = atoms.copy()
                moved.positions[ion, axis] += sign * step
                energies.append(calculator.get_property("energy", moved))
            assert forces[ion, axis] == pytest.approx(-(energies[0] - energies[1]) / (2 * step), abs=1e-6)
    for a, b in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)):
        strain = np.zeros((3, 3))
        strain[a, b] += step / 2
        strain[b, a] += step / 2
        high, low = (calculator.get_property("energy", strained(atoms, s * strain)) for s in (1, -1))
        expected = (high - low) / (2 * step * atoms.get_volume())
        assert stress[a, b] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("model", POTENTIALS, ids=lambda model: model.name)
def test_sums_and_invariances(model: PairPotential) -> None:
    atoms, _ = oxide(0.0)
    calculator = RigidIonCalculator(model, accuracy=1e-10)
    energy = calculator.get_property("energy", atoms)
    assert calculator.results["energies"].sum() == pytest.approx(energy, abs=1e-10)
    assert calculator.results["free_energy"] == energy
    assert np.abs(calculator.results["forces"].sum(axis=0)).max() < 1e-9
    moved = atoms.copy()
    moved.positions += [0.31, -2.2, 5.0]
    moved.positions[3] += moved.cell[1]
    assert calculator.get_property("energy", moved) == pytest.approx(energy, abs=1e-8)
    assert calculator.get_property("energy", atoms.repeat((1, 2, 1))) == pytest.approx(2 * energy, abs=1e-7)


def test_neighbour_list_reuse_does_not_change_results() -> None:
    atoms, _ = oxide(0.0)
    rng = np.random.default_rng(0)
    kept = RigidIonCalculator()
    lists = []
    for _step in range(12):
        atoms.positions += rng.normal(scale=0.03, size=(8, 3))
        fresh = RigidIonCalculator()
        assert kept.get_property("energy", atoms) == pytest.approx(fresh.get_property("energy", atoms), abs=1e-10)
        np.testing.assert_allclose(kept.results["forces"], fresh.results["forces"], atol=1e-9)
        lists.append(kept._neighbours)
    assert 1 < len({id(one) for one in lists}) < 12


@pytest.mark.parametrize("model", POTENTIALS, ids=lambda model: model.name)
def test_short_range_terms_end_smoothly(model: PairPotential) -> None:
    step = 1e-5
    for term in model.terms.values():
        edge = model.cutoff - np.array([1e-7, -1e-7])
        value, slope = short_range(model, term, edge)
        assert np.abs(value).max() < 1e-12
        assert np.abs(slope).max() < 1e-9
        inner = np.linspace(0.6, model.cutoff - model.taper, 50)
        for tapered, bare in zip(short_range(model, term, inner), term.value_and_slope(inner), strict=True):
            np.testing.assert_array_equal(tapered, bare)
        r = np.linspace(0.6, 8.2, 400)
        numeric = (short_range(model, term, r + step)[0] - short_range(model, term, r - step)[0]) / (2 * step)
        np.testing.assert_allclose(short_range(model, term, r)[1], numeric, rtol=2e-6, atol=1e-8)


def test_morse_minimum_of_pedone() -> None:
    term = PEDONE_2006.terms[(("Fe", 3), ("O", -2))]
    value, slope = term.value_and_slope(np.array([2.382183]))
    wall = 2.0 / 2.382183**12
    assert value[0] == pytest.approx(-0.418981 + wall, abs=1e-12)
    assert slope[0] == pytest.approx(-12 * wall / 2.382183, abs=1e-12)


def test_core_of_lewis_catlow_prevents_collapse() -> None:
    r = np.linspace(0.3, 1.3, 300)
    joins = np.array([1.5, 2.0])
    for (first, second), term in LEWIS_CATLOW_1985.terms.items():
        coulomb = 14.399645 * first[1] * second[1]
        slope = term.value_and_slope(r)[1] - coulomb / r**2
        assert slope.max() < 0, (first, second)
        # The join is smooth to second order, and nothing is added at bonding distances.
        for x in joins:
            near = np.array([x - 1e-4, x, x + 1e-4])
            bends = np.diff(term.value_and_slope(near)[1]) / 1e-4
            assert bends[1] == pytest.approx(bends[0], rel=5e-3)
    oxygen = LEWIS_CATLOW_1985.terms[(("O", -2), ("O", -2))]
    value = oxygen.value_and_slope(np.array([2.8]))[0][0]
    assert value == pytest.approx(22764.0 * np.exp(-2.8 / 0.149) - 27.88 / 2.8**6, abs=1e-12)


def test_charges_and_scale() -> None:
    assert PEDONE_2006.charge_scale == pytest.approx(0.6)
    assert LEWIS_CATLOW_1985.charge_scale == 1.0
    for model in POTENTIALS:
        for species, charge in model.model_charge.items():
            assert charge == pytest.approx(model.charge_scale * model.formal_charge[species])
    charges = model_charges(["Fe", "Fe", "O"], [3, 2.67, -2], PEDONE_2006)
    np.testing.assert_allclose(charges, [1.8, 1.602, -1.2])


def test_spread_charge() -> None:
    charges = np.array([1.8, 1.2, 1.8, -1.2, -1.2])
    keep = np.array([False, True, False, True, True])
    result = spread_charge(charges, keep)
    assert result.sum() == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(result - charges, [-1.2, 0, -1.2, 0, 0])
    assert spread_charge(charges, keep, total=0.5).sum() == pytest.approx(0.5)
    np.testing.assert_array_equal(charges[:2], [1.8, 1.2])
    with pytest.raises(ValueError, match="every ion"):
        spread_charge(charges, np.ones(5, dtype=bool))
    with pytest.raises(ValueError, match="shape"):
        spread_charge(charges, keep[:3])


def test_mean_valence_takes_the_nearest_species() -> None:
    assert PEDONE_2006.nearest_species("Fe", 2.67) == ("Fe", 3)
    assert PEDONE_2006.nearest_species("Fe", 2.33) == ("Fe", 2)
    assert PEDONE_2006.nearest_species("Fe", 2.5) == ("Fe", 3)
    with pytest.raises(ValueError, match="valence 3"):
        PEDONE_2006.nearest_species("Co", 3)
    atoms, _ = oxide(0.0)
    valences = {"Fe": 2.5, "Co": 2, "Li": 1, "O": -2}
    calculator = RigidIonCalculator(valences=valences)
    calculator.get_property("energy", atoms)
    np.testing.assert_allclose(calculator.results["charges"][[0, 3]], 1.5)


def test_valences_are_noticed_when_they_change() -> None:
    atoms, _ = oxide(0.0)
    calculator = RigidIonCalculator()
    first = calculator.get_property("energy", atoms)
    swapped = atoms.copy()
    swapped.arrays["valence"][[0, 3]] = swapped.arrays["valence"][[3, 0]]
    second = calculator.get_property("energy", swapped)
    assert abs(first - second) > 1e-3
    assert calculator.get_property("energy", atoms) == pytest.approx(first, abs=1e-9)


def test_dipole_differences_are_charge_times_path() -> None:
    atoms, _ = oxide(0.0)
    calculator = RigidIonCalculator()
    start = calculator.get_property("dipole", atoms).copy()
    atoms.positions[5] += [0.1, 0.2, -0.3]
    change = calculator.get_property("dipole", atoms) - start
    np.testing.assert_allclose(change, 1.2 * np.array([0.1, 0.2, -0.3]), atol=1e-12)


@pytest.mark.parametrize("name", ["pedone", "Pedone", "lewis_catlow", "lewis-catlow"])
def test_registry(name: str) -> None:
    assert potential(name) in POTENTIALS


def test_unknown_potential_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="lewis-catlow, pedone"):
        RigidIonCalculator("buckingham")


def test_refusals() -> None:
    atoms, charges = oxide(0.0)
    bare = atoms.copy()
    del bare.arrays["valence"]
    with pytest.raises(ValueError, match=r"valence of Fe is open.*valences="):
        RigidIonCalculator().get_property("energy", bare)
    with pytest.raises(ValueError, match="one finite number per ion"):
        RigidIonCalculator(valences=[3.0]).get_property("energy", atoms)
    with pytest.raises(ValueError, match="charges"):
        RigidIonCalculator(charges=charges[:4]).get_property("energy", atoms)
    close = atoms.copy()
    close.positions[1] = close.positions[0] + [0.3, 0, 0]
    with pytest.raises(ValueError, match=r"ions 0 \(Fe\) and 1 \(O\) are 0\.300 A apart"):
        RigidIonCalculator().get_property("energy", close)
    cluster = atoms.copy()
    cluster.pbc = [True, True, False]
    with pytest.raises(ValueError, match="pbc"):
        RigidIonCalculator().get_property("energy", cluster)
    foreign = Atoms("CdO", positions=[[0, 0, 0], [2, 0, 0]], cell=[4, 4, 4], pbc=True)
    with pytest.raises(ValueError, match="no Cd"):
        RigidIonCalculator().get_property("energy", foreign)


def test_only_valence_of_an_element_is_found() -> None:
    atoms = Atoms("CoO", positions=[[0, 0, 0], [2.1, 0, 0]], cell=[4.2, 3, 3], pbc=True)
    calculator = RigidIonCalculator()
    calculator.get_property("energy", atoms)
    np.testing.assert_allclose(calculator.results["charges"], [1.2, -1.2])


@pytest.mark.parametrize(("name", "expected"), [("pedone", 8.251), ("lewis-catlow", 8.358)])
def test_relaxed_spinel_is_near_the_prototype(name: str, expected: float) -> None:
    atoms = spinel(expected)
    atoms.calc = RigidIonCalculator(name)
    LBFGS(UnitCellFilter(atoms), logfile=None).run(fmax=0.02, steps=60)
    assert np.cbrt(atoms.get_volume()) == pytest.approx(expected, abs=0.005)
