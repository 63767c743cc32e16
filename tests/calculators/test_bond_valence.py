"""Bond-valence force field: bvlain's own functions, derivatives, measured lattices, and what the tables lack."""

from __future__ import annotations

import numpy as np
import pytest
from ase.filters import UnitCellFilter
from ase.optimize import BFGS
from jobflow import run_locally
from magnetoionics.calculators.bond_valence import (
    CUTOFF_A,
    BondValenceCalculator,
    morse_term,
    repulsion_term,
    tables_installed,
    terms_of,
)
from magnetoionics.structures.competing_phases import competing_phase
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.engine import get_engine

pytestmark = pytest.mark.skipif(not tables_installed(), reason="bvlain is not installed")
DISTANCES = np.linspace(0.9, 6.0, 40)


def cell_of(key, repeats=(1, 1, 1)):
    atoms = to_atoms(get_host(key).structure()).repeat(repeats)
    atoms.calc = BondValenceCalculator()
    return atoms


def test_a_well_is_twice_bvlains_share_of_one_ion():
    """A mobile ion of bvlain has half of each bond; the force field has each bond once and whole."""
    from bvlain.potentials import BVSEPotential

    for cation, anion in ((("Fe", 3.0), ("O", -2.0)), (("Li", 1.0), ("O", -2.0)), (("K", 1.0), ("F", -1.0))):
        term = morse_term(cation, anion)
        theirs = BVSEPotential.Morse(DISTANCES, term.minimum, term.depth, term.width)
        assert term.value_and_slope(DISTANCES)[0] == pytest.approx(2.0 * theirs, rel=1e-12)


def test_a_repulsion_is_bvlains():
    from bvlain.data.covalent_radii import get_covalent_radii
    from bvlain.potentials import BVSEPotential

    # Principal quantum numbers of Fe and O are 4 and 2.
    radii = get_covalent_radii(26, 3), get_covalent_radii(57, 3)
    theirs = BVSEPotential.Coulomb(DISTANCES, 3.0, 3.0, *radii, 4, 6)
    assert repulsion_term(("Fe", 3.0), ("La", 3.0)).value_and_slope(DISTANCES)[0] == pytest.approx(theirs, rel=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_the_energy_of_a_mover_in_a_frozen_crystal_is_bvlains_map():
    """Lithium of LiFePO4 along the channel, against the whole library: its bonds halved, the rest as it is."""
    from bvlain import Lain

    cell = get_host("lifepo4").structure()
    valences = {"Li": 1, "Fe": 2, "P": 5, "O": -2}
    decorated = cell.copy()
    decorated.add_oxidation_state_by_element(valences)
    library = Lain(verbose=False)
    library.read_structure(decorated, oxi_check=False)
    library.bvse_distribution(mobile_ion="Li1+", r_cut=CUTOFF_A, resolution=0.7, k=600, use_softbv_covalent_radii=True)
    atoms = to_atoms(cell)
    frame = [i for i, symbol in enumerate(cell.atomic_numbers) if symbol != 3]
    kinds = [("Li", 1.0), ("Fe", 2.0), ("P", 5.0), ("O", -2.0)]
    terms = terms_of(kinds)
    # Both ends of an edge are on its grid.
    steps = np.array(library.data.shape) - 1
    for place in ((0, 0, 0), (1, 2, 1), (3, 1, 2)):
        point = np.array(place) / steps @ cell.lattice.matrix
        lattice = cell.lattice.get_points_in_sphere(cell.frac_coords[frame], point, CUTOFF_A - 1e-6, zip_results=False)
        energy = 0.0
        for distance, index in zip(lattice[1], lattice[2], strict=True):
            kind = next(n for n, (symbol, _) in enumerate(kinds) if symbol == atoms.symbols[frame[int(index)]])
            if kind == 0:
                continue
            value = float(terms[0, kind].value_and_slope(np.array([distance]))[0][0])
            energy += 0.5 * value if kinds[kind][1] < 0 else value
        assert energy == pytest.approx(float(library.data[place]), rel=2e-4, abs=2e-3)


def test_forces_and_stress_are_slopes():
    atoms = cell_of("lafeo3")
    atoms.rattle(0.08, seed=2)
    forces, stress = atoms.get_forces(), atoms.get_stress(voigt=False)
    for index, axis in ((0, 0), (6, 1), (15, 2)):
        energies = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.calc = BondValenceCalculator()
            moved.positions[index, axis] += sign * 1e-4
            energies.append(moved.get_potential_energy())
        assert forces[index, axis] == pytest.approx((energies[1] - energies[0]) / 2e-4, abs=1e-5)
    energies = []
    for sign in (1, -1):
        strained = atoms.copy()
        strained.calc = BondValenceCalculator()
        deformation = np.eye(3)
        deformation[0, 1] += sign * 1e-5
        deformation[1, 0] += sign * 1e-5
        strained.set_cell(atoms.cell.array @ deformation, scale_atoms=True)
        energies.append(strained.get_potential_energy())
    assert 2.0 * stress[0, 1] * atoms.get_volume() == pytest.approx((energies[0] - energies[1]) / 2e-5, rel=1e-4)


def test_a_kept_list_of_neighbours_changes_nothing():
    atoms = cell_of("tio2", (2, 2, 2))
    atoms.get_potential_energy()
    for step in range(4):
        atoms.positions[3] += 0.09
        fresh = atoms.copy()
        fresh.calc = BondValenceCalculator()
        assert atoms.get_potential_energy() == pytest.approx(fresh.get_potential_energy(), abs=1e-9), step


@pytest.mark.parametrize("key", ["tio2", "hfo2", "srfeo3", "srcoo3", "licoo2", "co3o4", "gd2o3", "nio", "lafeo3"])
def test_measured_lattices_come_out_within_four_per_cent(key):
    """The cells of the hosts are measured; a well of half the depth would blow them up by 6 to 100 per cent."""
    atoms = cell_of(key)
    before = atoms.cell.cellpar()
    BFGS(UnitCellFilter(atoms), logfile=None, maxstep=0.1).run(fmax=0.02, steps=200)
    assert atoms.cell.cellpar()[:3] == pytest.approx(before[:3], rel=0.04)
    assert atoms.get_volume() > 0


def test_a_crystal_that_falls_apart_is_no_result():
    """Rutile MnO2 doubles its edges, which a check of the relaxed cell says; rutile TiO2 keeps them."""
    engine = get_engine("softbv")
    for formula, kept in (("TiO2", True), ("MnO2", False)):
        job = engine.relax(competing_phase(formula).build(), name="bulk", cell=True)
        done = next(iter(run_locally(job, log=False, ensure_success=True)[job.uuid].values())).output
        (volume,) = [c for c in done.checks if c.name == "volume kept"]
        assert volume.passed is kept


def test_what_the_tables_lack_is_said():
    with pytest.raises(ValueError, match=r"no bond of H1\+ and O2-"):
        morse_term(("H", 1.0), ("O", -2.0))
    with pytest.raises(ValueError, match=r"no bond of Fe8\+ and O2-"):
        morse_term(("Fe", 8.0), ("O", -2.0))
    # The table's alpha of this pair is negative.
    with pytest.raises(ValueError, match=r"no bond of Be2\+ and S2-"):
        morse_term(("Be", 2.0), ("S", -2.0))
    with pytest.raises(ValueError, match="Fe has valence 0"):
        terms_of([("Fe", 0.0), ("O", -2.0)])
    assert morse_term(("Mn", 10 / 3), ("O", -2.0)) == morse_term(("Mn", 3.0), ("O", -2.0))
