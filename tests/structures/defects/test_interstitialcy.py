"""Ions that push another on: counts by symmetry in known lattices, and a barrier that was published."""

import dataclasses

import numpy as np
import pytest
from magnetoionics.analysis.kinetics.network import DistinctHop, network_of
from magnetoionics.analysis.kinetics.walk import steady_walk, walk_of
from magnetoionics.calculators import potentials
from magnetoionics.calculators.rigid_ion import RigidIonCalculator
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.checks.geometry import StructureError
from magnetoionics.structures.defects.hops import with_ion_at
from magnetoionics.structures.defects.insertion import insertion_of
from magnetoionics.structures.defects.interstitialcy import interstitialcy_hops
from magnetoionics.structures.defects.interstitials import distinct_interstitial_sites
from magnetoionics.structures.host import get_host
from magnetoionics.structures.symmetry import operations_taking
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.band.driver import BandDriver, BandSettings
from magnetoionics.workflows.band.ends import BandInputError
from magnetoionics.workflows.band.surrogate import SurrogateBandDriver
from pymatgen.core import Lattice, Structure

MAGNESIUM = ("Mg", 2)


def cubic(a, species, places, valences):
    cell = Structure.from_spacegroup("Fm-3m", Lattice.cubic(a), species, places)
    symbols = [s.specie.symbol for s in cell]
    properties = {"valence": [valences[s] for s in symbols], "sublattice": symbols, "magmom": [0.0] * len(cell)}
    return Structure(cell.lattice, symbols, cell.frac_coords, site_properties=properties)


def rock_salt(a, metal, anion, valence):
    return cubic(a, [metal, anion], [[0, 0, 0], [0.5, 0.5, 0.5]], {metal: valence, anion: -valence})


SALTS = {
    "AgCl": (rock_salt(5.55, "Ag", "Cl", 1.0), "Cl", "Ag", 1.0),
    "CaF2": (cubic(5.463, ["Ca", "F"], [[0, 0, 0], [0.25, 0.25, 0.25]], {"Ca": 2.0, "F": -1.0}), "Ca", "F", -1.0),
}


def pushes(name):
    cell, corner, ion, valence = SALTS[name]
    big = supercell(cell, (2, 2, 2))
    return interstitialcy_hops(big, distinct_interstitial_sites(big, corner), ion, valence)


def test_silver_is_pushed_straight_on_or_aside_as_friauf_says():
    """Per cube 8 places with 4 silver neighbours: one corner straight ahead and three beside it, each jump twice."""
    aside, straight = pushes("AgCl")
    assert (straight.multiplicity, aside.multiplicity) == (8 * 8 * 4 // 2, 8 * 8 * 4 * 3 // 2)
    assert straight.distance_A == pytest.approx(5.55 * np.sqrt(3) / 2)
    assert aside.distance_A == pytest.approx(5.55 / np.sqrt(2))
    assert straight.label == "Ag(8c) -> i(8c) pushing Ag(Ag)"
    assert "inversion" in straight.relations
    assert "inversion" not in aside.relations


def test_fluorine_is_pushed_on_in_one_way():
    """Per cube 4 empty cubes of Ca with 8 fluorines, each with three other empty places: 48 jumps, each twice."""
    (hop,) = pushes("CaF2")
    assert hop.multiplicity == 8 * 48
    assert hop.distance_A == pytest.approx(5.463 / np.sqrt(2))


@pytest.mark.parametrize(("name", "sites"), [("AgCl", 8), ("CaF2", 4)])
def test_every_way_of_a_push_carries_the_interstitial(name, sites):
    """In fluorite each of twelve neighbouring cubes is reached over two fluorines: D = 24 k d^2/6."""
    cell, hops = SALTS[name][0], pushes(name)
    made = [
        DistinctHop(
            "push",
            h.initial[h.mover].coords,
            np.array(h.displacement_A),
            0.5,
            0.5,
            np.zeros(3),
            np.zeros(3),
            pushed_A=h.final[h.mover].coords,
        )
        for h in hops
    ]
    network = network_of(cell, made, ion="X", carrier="ion")
    assert len(network.hops) == sum(h.multiplicity for h in hops) // 8
    rate = 1e13 * np.exp(-0.5 / (BOLTZMANN_eV_PER_K * 1000.0))
    ways = sum(2 * h.multiplicity / 8 * h.distance_A**2 for h in hops) / sites
    tensor = steady_walk(walk_of(network), 1000.0).diffusivity_A2_per_s
    assert tensor == pytest.approx(np.eye(3) * ways * rate / 6, rel=1e-6, abs=1e-6 * ways * rate)


@pytest.mark.parametrize("name", SALTS)
def test_both_ions_make_the_displacement(name):
    for hop in pushes(name):
        steps = hop.final.cart_coords - hop.initial.cart_coords
        assert np.flatnonzero(np.linalg.norm(steps, axis=1) > 1e-9).tolist() == sorted([hop.mover, hop.pushed])
        assert steps[hop.mover] + steps[hop.pushed] == pytest.approx(hop.displacement_A)
        # The inserted ion ends where the other one was, and the other on an empty place.
        ends = hop.final.lattice.get_all_distances(
            hop.final[hop.mover].frac_coords, hop.initial[hop.pushed].frac_coords
        )
        assert ends[0, 0] == pytest.approx(0, abs=1e-6)
        assert hop.final.lattice.get_all_distances(hop.final[hop.pushed].frac_coords, hop.vacancy_position)[0, 0] < 1e-6
        assert steps[hop.mover] @ steps[hop.pushed] > 0


def test_the_inserted_ion_takes_the_spin_of_the_one_it_replaces():
    """Otherwise both ends would be different states of an antiferromagnet."""
    big = supercell(get_host("nio").structure(), (1, 1, 1))
    found = [h for h in insertion_of(big, "Ni", 2.0).hops if h.pushed is not None]
    for hop in found:
        moments = hop.initial.site_properties["magmom"]
        assert moments[hop.mover] == moments[hop.pushed] != 0
    # Nothing of another kind is pushed.
    assert all(h.pushed is None for h in insertion_of(big, "Li", 1.0).hops)


def test_a_small_cell_is_refused():
    cell = SALTS["AgCl"][0]
    with pytest.raises(StructureError, match="use a supercell"):
        interstitialcy_hops(cell, distinct_interstitial_sites(cell, "Cl"), "Ag", 1.0, cutoff_A=5.0)


@pytest.fixture(scope="module")
def magnesia():
    """Lewis and Catlow's Mg-O beside their O-O, 10.1088/0022-3719/18/6/010; 4.1987 A is where its stress is zero."""
    model = potentials.potential("lewis-catlow")
    wall = potentials.BuckinghamCore(1428.5, 0.2945, 0.0, core_radius=1.2)
    return dataclasses.replace(
        model,
        formal_charge={**model.formal_charge, MAGNESIUM: 2.0},
        model_charge={**model.model_charge, MAGNESIUM: 2.0},
        terms={**model.terms, tuple(sorted([MAGNESIUM, potentials.OXIDE])): wall},
    )


def band_of(model, repeats, driver=BandDriver):
    big = supercell(rock_salt(4.1987, "Mg", "O", 2.0), (repeats,) * 3)
    hop = next(h for h in insertion_of(big, "Mg", 2.0).hops if h.pushed is not None and "inversion" in h.relations)
    ends = to_atoms(hop.initial), to_atoms(hop.final)
    settings = BandSettings(images_per_segment=5)
    return driver(lambda: RigidIonCalculator(model), settings).run(*ends, [], [hop.mover, hop.pushed])


def test_magnesium_in_magnesia_goes_over_the_published_barrier(magnesia):
    """0.32 eV with such a potential (Uberuaga et al., 10.1103/PhysRevB.71.104102); cells are extrapolated as 1/V."""
    small, large = (band_of(magnesia, n) for n in (2, 3))
    for found in (small, large):
        assert all(c.passed for c in found.checks)
        assert found.forward_eV == pytest.approx(found.backward_eV, abs=2e-3)
    limit = (27 * large.forward_eV - 8 * small.forward_eV) / 19
    assert limit == pytest.approx(0.32, abs=0.03)


def test_the_surrogate_moves_both_ions_too(magnesia):
    found = band_of(magnesia, 2, SurrogateBandDriver)
    assert all(c.passed for c in found.checks)
    assert found.forward_eV == pytest.approx(band_of(magnesia, 2).forward_eV, abs=0.01)


def test_an_ion_that_nobody_named_is_refused(magnesia):
    big = supercell(rock_salt(4.1987, "Mg", "O", 2.0), (2, 2, 2))
    hop = next(h for h in insertion_of(big, "Mg", 2.0).hops if h.pushed is not None)
    first = to_atoms(hop.initial)
    oxygen = next(i for i, s in enumerate(hop.initial) if s.specie.symbol == "O")
    far = to_atoms(with_ion_at(hop.final, oxygen, hop.final[oxygen].coords + np.array([0.0, 0.0, 1.7])))
    driver = BandDriver(lambda: RigidIonCalculator(magnesia))
    with pytest.raises(BandInputError, match=rf"atom {oxygen} \(O .* is 1.70 A away"):
        driver.run(first, far, [], [hop.mover, hop.pushed])
    with pytest.raises(BandInputError, match="named once"):
        driver.run(first, to_atoms(hop.final), [], [hop.mover, hop.mover])


def test_a_hop_and_its_reverse_are_one_where_nothing_else_relates_ways():
    """In monoclinic HfO2 a place has no symmetry: one way each, or two that are each other's reverse."""
    big = supercell(get_host("hfo2").structure(), (2, 2, 2))
    sites = distinct_interstitial_sites(big, "Hf")
    hops = interstitialcy_hops(big, sites[:1], "O", -2.0)
    assert len(hops) > 3
    for hop in hops:
        begin, first = (state[hop.mover].coords for state in (hop.initial, hop.final))
        way = big.lattice.get_fractional_coords([begin, first, begin + hop.displacement_A])
        turns_back = bool(operations_taking(big, way, way[::-1]))
        assert hop.multiplicity == sites[0].multiplicity // (2 if turns_back else 1)
