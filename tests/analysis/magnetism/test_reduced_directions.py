"""Directions saved by the magnetic point group; passes on the sphere; random cells; known fits."""

import numpy as np
import pytest
from magnetoionics.analysis.magnetism.anisotropy import AnisotropyMap
from magnetoionics.analysis.magnetism.directions import lebedev_directions, plane_scan
from magnetoionics.analysis.magnetism.harmonics import fit_harmonics, real_harmonics
from magnetoionics.analysis.magnetism.reduced_directions import reduce_directions
from magnetoionics.analysis.magnetism.switching_barrier import easy_axis_barriers
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.calculators.single_ions import single_ion_map
from magnetoionics.structures.defects.vacancies import remove_site
from magnetoionics.structures.host import get_host
from magnetoionics.structures.magnetic_symmetry import axial_operations
from magnetoionics.workflows.ase.atoms import to_atoms
from pymatgen.core import Lattice, Structure

FULL = lebedev_directions(9).vectors


def test_groups_of_known_cells():
    # P4_332 has the 24 rotations of 432; Imma (mmm) acts on an axial vector as 222.
    assert len(axial_operations(get_host("life5o8").structure())) == 24
    assert len(axial_operations(get_host("cofe2o4").structure("Imma"))) == 4


def test_antiferromagnet_gains_time_reversal():
    cell = Structure(
        Lattice.tetragonal(4, 7), ["Fe", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]], site_properties={"magmom": [4.0, -4.0]}
    )
    # 4/mmm acts as 422 (8); the body centre joins to time reversal, so that -n is equivalent to n as well.
    assert len(axial_operations(cell)) == 16
    cell.add_site_property("magmom", [4.0, 4.0])
    assert len(axial_operations(cell)) == 8
    cell.add_site_property("magmom", [[0, 0, 4.0], [0, 0, 4.0]])
    with pytest.raises(ValueError, match="signed numbers"):
        axial_operations(cell)


@pytest.mark.parametrize("host", ["life5o8", "gamma_fe2o3"])
def test_reduced_set_gives_the_whole_map(host):
    cell = get_host(host).structure()
    reduced = reduce_directions(cell, FULL)
    assert reduced.saved > len(FULL) / 2
    kept = np.array(reduced.vectors)
    assert np.allclose(kept[0::2], -kept[1::2])
    atoms = to_atoms(cell)
    whole = single_ion_map(atoms, atoms.arrays["valence"], FULL).total_eV
    few = single_ion_map(atoms, atoms.arrays["valence"], kept).total_eV
    assert np.ptp(whole) * 1e3 > 1e-3
    assert np.abs(reduced.expand(few) - whole).max() * 1e3 < 1e-7
    assert f"{reduced.saved} saved" in str(reduced)


def test_nothing_is_saved_without_symmetry_and_planes_reduce_too():
    cell = get_host("cofe2o4").structure("Imma")
    broken = remove_site(cell, 0)
    broken.perturb(0.05)
    assert reduce_directions(broken, FULL).saved == 0
    circle = reduce_directions(cell, plane_scan((0, 0, 1), 24))
    assert circle.saved > 0
    with pytest.raises(ValueError, match="no opposite"):
        reduce_directions(cell, [[0, 0, 1], [0, 1, 0]])
    with pytest.raises(ValueError, match="energies for"):
        circle.expand([0.0])


def test_expanded_map_says_what_symmetry_filled_in():
    reduced = reduce_directions(get_host("life5o8").structure(), FULL)
    map_ = AnisotropyMap(
        state="x",
        directions=reduced.vectors,
        energies_meV=[float(v[2] ** 4) for v in reduced.vectors],
        cell_volume_A3=1.0,
        formula_units=1,
        ions="test",
        provenance=Provenance(engine="test", level_of_theory="arithmetic"),
    )
    full = reduced.expand_map(map_)
    assert len(full.energies_meV) == len(FULL)
    assert "saved by 24 operations" in full.provenance.left_out[-1]


def test_maker_computes_fewer_directions_and_gives_the_same_map():
    from jobflow import Flow, JobStore
    from jobflow.managers.local import run_locally
    from maggma.stores import MemoryStore
    from magnetoionics.workflows.engine import get_engine
    from magnetoionics.workflows.flows.anisotropy import AnisotropyMaker

    cell = get_host("life5o8").structure()
    maps = []
    for use in (False, True):
        maker = AnisotropyMaker(engine=get_engine("local"), lebedev_order=5, use_symmetry=use)
        flow = maker.make({"pristine": cell})
        store = JobStore(MemoryStore())
        run_locally(flow, store=store, log=False)
        maps.append(AnisotropyMap.model_validate(flow.output["pristine"].resolve(store)))
    assert np.allclose(maps[0].energies, maps[1].energies, atol=1e-7)
    assert maker.savings(cell).saved == 14 - 4
    assert "10 saved" in maps[1].provenance.left_out[-1]
    # Of a state that is not computed yet the directions are chosen when it is.
    bulk = get_engine("local").relax(cell, name="bulk", cell=False)
    later = maker.make({"relaxed": bulk.output.structure})
    store = JobStore(MemoryStore())
    run_locally(Flow([bulk, later], output=later.output), store=store, log=False)
    relaxed = AnisotropyMap.model_validate(later.output["relaxed"].resolve(store))
    assert np.allclose(relaxed.directions, maps[0].directions)
    assert "10 saved" in relaxed.provenance.left_out[-1]
    assert len(AnisotropyMaker(engine=get_engine("local"), plane=(0, 0, 1), plane_points=12).directions()) == 12


def random_cell(seed):
    """Four Fe3+ with random oxygens around them, no symmetry."""
    rng = np.random.default_rng(seed)
    centres = 10 * (np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]) + rng.normal(0, 0.02, (4, 3)))
    shell = 2.05 * np.vstack([np.eye(3), -np.eye(3)])
    oxygens = np.concatenate([c + shell + rng.normal(0, 0.1, (6, 3)) for c in centres])
    valences = [3.0] * 4 + [-0.5] * 24
    return np.concatenate([centres, oxygens]), valences


def energies_of(positions, valences, directions):
    from ase import Atoms

    atoms = Atoms("Fe4O24", positions=positions, cell=10 * np.eye(3), pbc=True)
    atoms.set_array("valence", np.array(valences))
    return 1e3 * single_ion_map(atoms, valences, directions).total_eV


@pytest.mark.parametrize("seed", range(5))
def test_inverted_cells_have_identical_maps_and_mirrored_cells_mirrored_ones(seed):
    positions, valences = random_cell(seed)
    n = np.random.default_rng(seed).normal(size=(8, 3))
    n /= np.linalg.norm(n, axis=1)[:, None]
    here = energies_of(positions, valences, n)
    assert np.ptp(here) > 1e-2
    assert np.abs(energies_of(-positions, valences, n) - here).max() < 1e-9
    normal = np.array([1.0, -2.0, 0.5]) / np.linalg.norm([1.0, -2.0, 0.5])
    mirror = np.eye(3) - 2 * np.outer(normal, normal)
    from ase import Atoms

    atoms = Atoms("Fe4O24", positions=positions @ mirror.T, cell=10 * mirror.T, pbc=True)
    atoms.set_array("valence", np.array(valences))
    axial = -mirror
    there = 1e3 * single_ion_map(atoms, valences, n @ axial.T).total_eV
    assert np.abs(there - here).max() < 1e-9
    assert np.abs(energies_of(positions, valences, -n) - here).max() < 1e-9


def test_known_coefficients_are_recovered_with_the_stated_covariance():
    """Squared pulls of 300 noisy fits follow chi squared: their mean is the number of coefficients."""
    rng = np.random.default_rng(1)
    degrees, directions = (0, 1, 2, 3, 4), lebedev_directions(15).vectors
    design = real_harmonics(directions, degrees)
    known = rng.normal(size=design.shape[1])
    pulls = []
    for _ in range(300):
        fit = fit_harmonics(directions, design @ known + rng.normal(0, 0.1, len(directions)), degrees)
        delta = fit.coefficients - known
        pulls.append(float(delta @ np.linalg.solve(fit.covariance, delta)))
    count, freedom = len(known), len(directions) - len(known)
    # With the variance estimated, pulls / count follow F(count, freedom), of mean freedom / (freedom - 2).
    expected = count * freedom / (freedom - 2)
    assert np.mean(pulls) == pytest.approx(expected, abs=5 * np.std(pulls) / np.sqrt(len(pulls)))
    exact = fit_harmonics(directions, design @ known, degrees)
    assert np.allclose(exact.coefficients, known, atol=1e-12)


def cubic_fit(k1):
    n = lebedev_directions(15).vectors
    a, b, c = (n**2).T
    return fit_harmonics(n, k1 * (a * b + b * c + c * a), (0, 2, 4))


def test_barriers_between_cubic_easy_axes():
    """K1 > 0: easy <100>, passes over <110>, K1/4. K1 < 0: easy <111>, passes over <110> too, |K1|/12."""
    positive = easy_axis_barriers(cubic_fit(4.0), grid=1500)
    assert len(positive.axes) == 3
    table = np.array(positive.barriers_meV)
    assert np.allclose(table, 1.0, atol=0.03)
    negative = easy_axis_barriers(cubic_fit(-12.0), grid=1500)
    assert len(negative.axes) == 4
    assert np.allclose(np.array(negative.barriers_meV), 1.0, atol=0.08)
    assert np.allclose(np.abs(negative.axes), 1 / np.sqrt(3), atol=0.06)
