"""Degeneracies against doped, configurations above the lowest, dopants, and what still moves after a quench."""

import numpy as np
import pytest
from magnetoionics.analysis.defects.charge_corrections import SitePotentials
from magnetoionics.analysis.defects.charge_states import BandEdges, ChargeLine
from magnetoionics.analysis.defects.charged_cells import ChargedCell, band_edges
from magnetoionics.analysis.defects.concentrations import (
    DefectSites,
    SolidSolution,
    quench,
    solve_concentrations,
)
from magnetoionics.analysis.defects.degeneracy import orientations, spin_states, states_above
from magnetoionics.analysis.defects.mobility import mobile_defects
from magnetoionics.analysis.defects.vacancies import StartEnergy
from magnetoionics.analysis.results.calculation import Calculation
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K
from pymatgen.core import Lattice, Structure

TAG = Provenance(engine="toy", level_of_theory="arithmetic")


@pytest.fixture(scope="module")
def magnesia():
    cell = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.2), ["Mg", "O"], [[0, 0, 0], [0.5] * 3]) * (2, 2, 2)
    cell.add_site_property("magmom", [0.0] * len(cell))
    cell.add_site_property("valence", [2.0 if s.specie.symbol == "Mg" else -2.0 for s in cell])
    oxygen = next(i for i, s in enumerate(cell) if s.specie.symbol == "O")
    bare = cell.copy()
    bare.remove_sites([oxygen])
    distance = bare.lattice.get_all_distances(cell[oxygen].frac_coords, bare.frac_coords)[0]
    return cell, bare, cell[oxygen].frac_coords, [int(i) for i in np.argsort(distance, kind="stable")[:6]]


def moved(bare, centre, ions, share=0.2):
    out = bare.copy()
    for i in ions:
        delta = out[i].frac_coords - centre
        out.translate_sites([i], -share * (delta - np.rint(delta)))
    return out


@pytest.mark.parametrize("count", [0, 1, 2, 6])
def test_orientations_are_those_of_doped(magnesia, count):
    """Neighbours of a vacancy of MgO step in: all six keep Oh, one leaves C4v and six orientations, and so on."""
    symmetry = pytest.importorskip("doped.utils.symmetry")
    _, bare, centre, near = magnesia
    relaxed = moved(bare, centre, near[:count])
    group = symmetry.point_symmetry_from_structure(
        relaxed.copy(site_properties={}), bulk_structure=magnesia[0].copy(site_properties={}), symprec=0.1
    )
    theirs = symmetry.get_orientational_degeneracy(relaxed_point_group=group, bulk_site_point_group="Oh")
    assert orientations(bare, relaxed) == pytest.approx(theirs)
    assert (theirs == 1) == (count in (0, 6))


def test_a_hole_on_one_of_six_neighbours_has_six_places(magnesia):
    _, bare, _, near = magnesia
    assert orientations(bare, bare, [near[0]]) == 6
    assert orientations(bare, bare) == 1
    with pytest.raises(ValueError, match="does not hold the sites"):
        orientations(bare, magnesia[0])


def test_a_spin_is_free_in_a_host_without_moments_only(magnesia):
    host = magnesia[0]
    assert [spin_states(host, m) for m in (0.0, 1.0, -1.98)] == [1, 2, 3]
    magnet = host.copy()
    magnet[0].properties["magmom"] = 5.0
    assert spin_states(magnet, 4.0) == 1


def start(energy, compensation, refused=""):
    return StartEnergy(
        label="x", above_lowest_eV=energy, total_moment_muB=0.0, compensation=compensation, converged=True,
        refused=refused,
    )  # fmt: skip


def test_each_configuration_is_counted_once():
    starts = [start(0.0, "a"), start(0.02, "a"), start(0.03, "b"), start(0.4, "a"), start(0.1, "c", "lost")]
    assert states_above(starts) == [0.03, 0.4]
    assert states_above([]) == []


EDGES = BandEdges(vbm_eV=0.0, gap_eV=2.0, electron_mass=1.0, hole_mass=1.0, source="x", provenance=TAG)


def crystal(**more):
    sites = [DefectSites(label="V_O", site="O", per_formula=1.0, **more)]
    return SolidSolution(
        formula="MgO", composition={"Mg": 1, "O": 1}, volume_A3=18.0, sites=sites, removed={"V_O": {"O": 1}}
    )


LINES = [ChargeLine(label="V_O", charge=q, at_vbm_eV=e, correction_eV=0.0) for q, e in ((0, 2.2), (2, 0.4))]


def test_configurations_above_add_their_boltzmann_weights():
    kT = BOLTZMANN_eV_PER_K * 1000.0
    neutral = [LINES[0]]
    plain = solve_concentrations(crystal(), neutral, 1000.0, TAG, edges=EDGES)
    more = solve_concentrations(
        crystal(degeneracy={0: 3.0}, states_above_eV={0: [kT, 2 * kT]}), neutral, 1000.0, TAG, edges=EDGES
    )
    weight = 3.0 * (1 + np.exp(-1) + np.exp(-2))
    assert more.total_per_formula("V_O") / plain.total_per_formula("V_O") == pytest.approx(weight, rel=1e-6)
    assert all(c.passed for c in more.checks)
    with pytest.raises(ValueError, match="0 eV or more"):
        solve_concentrations(crystal(states_above_eV={0: [-0.1]}), neutral, 1000.0, TAG, edges=EDGES)


def test_a_dopant_is_balanced_as_py_sc_fermi_balances_it():
    pytest.importorskip("py_sc_fermi")
    from py_sc_fermi.defect_charge_state import DefectChargeState
    from py_sc_fermi.defect_species import DefectSpecies
    from py_sc_fermi.defect_system import DefectSystem
    from py_sc_fermi.dos import DOS

    energies = np.linspace(-4.0, 6.0, 100001)
    states = np.where((energies <= 0) | (energies >= 2.0), 3.0, 0.0)
    edges = BandEdges(
        vbm_eV=0.0, gap_eV=2.0, dos_energies_eV=energies.tolist(), dos_states_per_eV=states.tolist(),
        dos_volume_A3=18.0, source="", provenance=TAG,
    )  # fmt: skip
    donors = 1e-4
    made = solve_concentrations(
        crystal(degeneracy={0: 1.0, 2: 6.0}), LINES, 900.0, TAG, edges=edges, background_per_cm3=donors / 18.0 * 1e24
    )
    vacancy = DefectSpecies(
        "V_O", 1, {0: DefectChargeState(0, 1, 2.2), 2: DefectChargeState(2, 6, 0.4)}
    )  # fmt: skip
    dopant = DefectSpecies("D", 1, {1: DefectChargeState(1, 1, fixed_concentration=donors)})
    theirs = DefectSystem(
        [vacancy, dopant], DOS(dos=states, edos=energies, bandgap=2.0, nelect=12), 18.0, 900.0,
        convergence_tolerance=1e-16, n_trial_steps=5000,
    )  # fmt: skip
    level = theirs.get_sc_fermi()[0]
    assert made.fermi_eV == pytest.approx(level, abs=1e-5)
    undoped = solve_concentrations(crystal(degeneracy={2: 6.0}), LINES, 900.0, TAG, edges=edges)
    assert made.fermi_eV > undoped.fermi_eV + 0.05
    with pytest.raises(ValueError, match="background charge needs"):
        solve_concentrations(crystal(), LINES[:1], 900.0, TAG, background_per_cm3=1e18)
    with pytest.raises(ValueError, match="finite number"):
        solve_concentrations(crystal(), LINES[:1], 900.0, TAG, edges=edges, background_per_cm3=float("nan"))


def test_what_moves_goes_on_being_in_equilibrium():
    grown = solve_concentrations(crystal(), LINES, 1200.0, TAG, edges=EDGES)
    frozen = quench(grown, crystal(), LINES, 600.0, edges=EDGES)
    mobile = quench(grown, crystal(), LINES, 600.0, edges=EDGES, mobile=["V_O"])
    assert frozen.total_per_formula("V_O") == pytest.approx(grown.total_per_formula("V_O"))
    own = solve_concentrations(crystal(), LINES, 600.0, TAG, edges=EDGES)
    assert mobile.total_per_formula("V_O") == pytest.approx(own.total_per_formula("V_O"))
    with pytest.raises(ValueError, match="cannot move"):
        quench(grown, crystal(), LINES, 600.0, edges=EDGES, mobile=["V_Mg"])
    # 1e13/s for an hour at 300 K: 1e6 hops of 3 A reach 3000 A up to a barrier of kT ln(3.6e16 / 1e6).
    limit = BOLTZMANN_eV_PER_K * 300.0 * np.log(3.6e16 / 1e6)
    barriers = {"easy": limit - 0.01, "hard": limit + 0.01}
    assert mobile_defects(barriers, 300.0, 3600.0, 3000.0) == {"easy"}
    with pytest.raises(ValueError, match="time must be positive"):
        mobile_defects(barriers, 300.0, 0.0, 3000.0)


def perfect(name, potential_V, vbm, cbm, scale):
    cell = Structure(Lattice.cubic(4.2), ["Mg", "O"], [[0, 0, 0], [0.5] * 3]) * (scale, 1, 1)
    done = Calculation(
        name=name, structure=cell, energy_eV=0.0, max_force_eV_per_A=0.0, force_calls=1, total_moment_muB=0.0,
        provenance=TAG,
    )  # fmt: skip
    energies = np.arange(-2.0, 3.0, 0.01)
    states = np.where((energies <= vbm) | (energies >= cbm), float(scale), 0.0)
    return ChargedCell(
        calculation=done, charge=0, vbm_eV=vbm, cbm_eV=cbm, dos_energies_eV=energies.tolist(),
        dos_states_per_eV=states.tolist(),
        site_potentials=SitePotentials(structure=cell, potentials_V=[potential_V] * len(cell)),
    )  # fmt: skip


def test_edges_and_levels_of_a_dense_mesh_hold_on_the_supercells_scale():
    """The supercell's own mesh misses 0.2 eV of the valence band; its potentials lie 0.5 V lower, its levels higher."""
    host, dense = perfect("host", -0.5, 0.3, 1.9, 4), perfect("dense", 0.0, 0.0, 1.3, 1)
    edges = band_edges(host, [[9, 0, 0], [0, 9, 0], [0, 0, 9]], source="x", dense=dense)
    assert edges.vbm_eV == pytest.approx(0.5)
    assert edges.gap_eV == pytest.approx(1.3)
    assert edges.dos_volume_A3 == pytest.approx(4.2**3)
    assert max(e for e, s in zip(edges.dos_energies_eV, edges.dos_states_per_eV, strict=True) if s and e < 1) == (
        pytest.approx(0.5, abs=0.02)
    )
    assert "dense, +0.500 eV onto the scale of host" in edges.source
