"""Spins set by the user, collinear and not: what is possible, and that nothing on the way loses a vector."""

import json

import numpy as np
import pytest
import yaml
from magnetoionics.structures.cells.supercell import general_supercell, supercell
from magnetoionics.structures.defects.charge_compensation import compensated, compensations
from magnetoionics.structures.defects.complexes import PointDefect, distinct_complexes, with_complex
from magnetoionics.structures.defects.hops import Hop, distinct_hops
from magnetoionics.structures.defects.interstitials import distinct_interstitial_sites, with_interstitial
from magnetoionics.structures.defects.vacancies import distinct_vacancies, remove_site
from magnetoionics.structures.host import get_host
from magnetoionics.structures.io.files import FORMATS, magmom_line, read_structure, write_structure
from magnetoionics.structures.io.host_entries import HostFileError
from magnetoionics.structures.io.host_files import HostReference
from magnetoionics.structures.spins import (
    along,
    is_non_collinear,
    largest_moment,
    reduced_formula_units,
    set_collinear_moments,
    set_moments,
    site_moment,
    total_moment,
)
from magnetoionics.structures.symmetry import space_group_symbol
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.vasp.settings import VaspSettings, VaspSettingsError
from monty.json import MontyDecoder, MontyEncoder
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp import Incar
from user_hosts import ENTRIES, ROLES

NEEL = {"A": -1, "B": 1}
CANT_DEG = 30.0
FE_B = [5 * np.sin(np.radians(CANT_DEG)), 0.0, 5 * np.cos(np.radians(CANT_DEG))]


@pytest.fixture(scope="module")
def cfo():
    return get_host("cofe2o4").structure("Imma")


@pytest.fixture
def write(tmp_path, cfo):
    Structure(cfo.lattice, [s.specie.symbol for s in cfo], cfo.frac_coords).to(filename=str(tmp_path / "mine.cif"))

    def go(roles=ROLES, **changes):
        path = tmp_path / "mine.yaml"
        path.write_text(yaml.safe_dump({**ENTRIES, "roles": roles, **changes}))
        return path

    return go


def with_spin(element, coordination, spin):
    return [
        {**r, "spin": spin} if (r["element"], r.get("coordination")) == (element, coordination) else r for r in ROLES
    ]


@pytest.fixture(scope="module")
def canted(cfo):
    """Yafet-Kittel: the moments of Fe on B are tilted in the xz plane, alternately to either side."""
    cell = cfo.copy()
    octahedral = [i for i, s in enumerate(cell) if s.specie.symbol == "Fe" and s.properties["sublattice"] == "B"]
    spins = [None] * len(cell)
    for n, i in enumerate(octahedral):
        spins[i] = [(-1) ** n * FE_B[0], FE_B[1], FE_B[2]]
    cell.remove_site_property("magmom")
    cell.add_site_property("spin", spins)
    return set_moments(cell, NEEL)


def vectors_by_place(structure):
    """Moments by rounded Cartesian place, to compare cells whose sites have another order."""
    return {
        tuple(np.round(np.mod(s.frac_coords, 1.0), 5) % 1.0): tuple(np.round(s.properties["magmom"], 8))
        for s in structure
    }


def test_site_moments_follow_the_words_of_the_user():
    assert site_moment("Co", 3, "low", -1) == 0
    assert site_moment("Co", 3, "high", -1) == -4
    # t2g5 has one hole, t2g6 eg1 one electron.
    assert site_moment("Fe", 3, "low", -1) == -1
    assert site_moment("Co", 2, "low", -1) == -1
    assert site_moment("Fe", 3, "low", 1) == 1
    assert site_moment("Co", 3, None) == 4
    assert site_moment("Fe", 3, -1.0, -1) == -1.0
    assert site_moment("Fe", 3, [3, 0, 4]) == [3.0, 0.0, 4.0]
    assert largest_moment("Fe", 3) == 5
    assert largest_moment("Gd", 3) == 7


@pytest.mark.parametrize("spin", ["middle", [1, 2], [1, 2, 3, 4], float("nan"), {"x": 1}, True])
def test_what_is_no_spin_is_refused(spin):
    with pytest.raises(ValueError, match="'high', 'low'"):
        site_moment("Fe", 3, spin)


@pytest.mark.parametrize("spin", [5.5, -6, [5, 0, 1]])
def test_more_spin_than_the_ion_has_is_refused(spin):
    with pytest.raises(ValueError, match="at most 5 muB"):
        site_moment("Fe", 3, spin)


def test_a_direction_is_kept_when_the_size_changes():
    assert along(-5.0, 4.0) == -4.0
    assert along(0.0, 4.0) == 4.0
    assert along([3.0, 0.0, -4.0], 1.0) == pytest.approx([0.6, 0.0, -0.8])
    assert along([0.0, 0.0, 0.0], 2.0) == [0.0, 0.0, 2.0]


def test_low_spin_role_of_a_user_host(write):
    """Low-spin Fe3+ on B has 1 muB: 3 + 1 - 5 = -1 muB per CoFe2O4."""
    roles = with_spin("Fe", 6, "low")
    host = HostReference.from_file(write(roles, moment_per_formula_muB=-1.0)).host()
    cell = host.structure()
    assert total_moment(cell) == pytest.approx(-8.0)
    assert "spin" not in cell.site_properties
    with pytest.raises(HostFileError, match="-1 muB per formula unit, stated are 3"):
        HostReference.from_file(write(roles)).host()


def test_spins_of_a_sublattice_and_of_single_sites(write, cfo):
    first = next(i for i, s in enumerate(cfo) if s.properties["sublattice"] == "A")
    by_sublattice = HostReference.from_file(write(spins={"A": 0.0}, moment_per_formula_muB=8.0)).host().structure()
    assert {m for m, s in zip(by_sublattice.site_properties["magmom"], by_sublattice, strict=True)} == {0.0, 3.0, 5.0}
    one = {"element": "Fe", "indices": [first], "sublattice": "A", "valence": 3, "spin": 5.0}
    flipped = HostReference.from_file(write([one, *ROLES], moment_per_formula_muB=(24 + 10) / 8)).host().structure()
    assert flipped.site_properties["magmom"][first] == 5.0
    assert space_group_symbol(flipped) != space_group_symbol(cfo)
    with pytest.raises(HostFileError, match=r"sublattices \['C'\] that no role names"):
        HostReference.from_file(write(spins={"C": 1})).host()


def test_vectors_of_a_user_host_make_all_moments_vectors(write):
    """Fe on B tilted by 30 degrees: (5 sin 30, 0, 5 cos 30 + 3 - 5) per formula unit."""
    expected = float(np.hypot(FE_B[0], FE_B[2] - 2))
    host = HostReference.from_file(
        write(with_spin("Fe", 6, [float(x) for x in FE_B]), moment_per_formula_muB=expected)
    ).host()
    cell = host.structure()
    assert is_non_collinear(cell)
    assert np.shape(cell.site_properties["magmom"]) == (56, 3)
    assert host.moment_per_formula(cell) == pytest.approx(expected)
    with pytest.raises(HostFileError, match="at most 5 muB"):
        HostReference.from_file(write(with_spin("Fe", 6, [4.0, 0.0, 4.0]))).host()


def test_vectors_along_z_have_the_symmetry_of_numbers(cfo):
    vectors = cfo.copy()
    vectors.add_site_property("magmom", [[0.0, 0.0, m] for m in cfo.site_properties["magmom"]])
    assert space_group_symbol(vectors) == space_group_symbol(cfo) == "Imma"
    ours, theirs = (distinct_vacancies(c, "O", "O") for c in (cfo, vectors))
    assert [v.multiplicity for v in ours] == [v.multiplicity for v in theirs]


def test_canting_splits_the_sites_that_chemistry_does_not_tell_apart(cfo, canted):
    assert len(distinct_vacancies(cfo, "Fe", "B")) == 1
    split = distinct_vacancies(canted, "Fe", "B")
    assert len(split) > 1
    assert sum(v.multiplicity for v in split) == 8


def test_vectors_travel_through_supercells(canted):
    big = supercell(canted, (2, 1, 3))
    skew = general_supercell(canted, [[1, 1, 0], [-1, 1, 0], [0, 1, 2]])
    for cell, times in ((big, 6), (skew, 4)):
        assert total_moment(cell) == pytest.approx(times * total_moment(canted))
        for site in cell:
            back = canted.lattice.get_fractional_coords(site.coords)
            distance = canted.lattice.get_all_distances(back, canted.frac_coords)[0]
            assert np.allclose(site.properties["magmom"], canted[int(np.argmin(distance))].properties["magmom"])


def test_vectors_travel_through_vacancies_hops_and_images(canted):
    vacancy = distinct_vacancies(canted, "Fe", "B")[0]
    empty = remove_site(canted, vacancy.index)
    lost = np.array(canted[vacancy.index].properties["magmom"])
    expected = np.sum(canted.site_properties["magmom"], axis=0) - lost
    assert np.allclose(np.sum(empty.site_properties["magmom"], axis=0), expected)
    for hop in distinct_hops(canted, vacancy.index, vacancy.label, "Co", "B", 3.3):
        for state in (hop.initial, hop.final, *hop.intermediates):
            assert np.allclose(state.site_properties["magmom"], empty.site_properties["magmom"])
        images = hop.initial.interpolate(hop.final, nimages=4, pbc=False)
        for image in images:
            assert np.allclose(image.site_properties["magmom"], empty.site_properties["magmom"])
        again = json.loads(json.dumps(hop, cls=MontyEncoder), cls=MontyDecoder)
        assert isinstance(again, Hop)
        assert np.allclose(again.final.site_properties["magmom"], empty.site_properties["magmom"])


def test_vectors_travel_through_interstitials_complexes_and_compensation(canted):
    filled = with_interstitial(canted, distinct_interstitial_sites(canted)[0].position, "Fe", 2.0, "16c", sense=-1)
    assert filled[-1].properties["magmom"] == [0.0, 0.0, -4.0]
    antisite = distinct_complexes(canted, [PointDefect("Fe", "B"), PointDefect("Fe", "B", "Co", 2.0)], 3.0)[0]
    built = with_complex(canted, antisite)
    old, new = (
        canted[antisite.sites[1]],
        next(s for s in built if np.allclose(s.coords, canted[antisite.sites[1]].coords)),
    )
    assert np.allclose(new.properties["magmom"], 0.6 * np.array(old.properties["magmom"]))
    vacancy = distinct_vacancies(canted, "Fe", "B")[0]
    for mode in compensations(canted, vacancy.index):
        cell = compensated(canted, vacancy.index, mode)
        assert total_moment(cell) == pytest.approx(mode.total_moment_muB)
        assert np.shape(cell.site_properties["magmom"]) == (55, 3)


def turned(structure):
    """The same crystal in a skew cell and another Cartesian frame, moments turned along."""
    skew = general_supercell(structure, [[1, 0, 0], [0, 1, 0], [0, 1, 1]])
    axis, angle = np.array([1.0, 2.0, 3.0]) / np.sqrt(14), 0.7
    cross = np.cross(np.eye(3), axis)
    matrix = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    properties = dict(skew.site_properties)
    properties["magmom"] = (np.array(properties["magmom"]) @ matrix).tolist()
    symbols = [s.specie.symbol for s in skew]
    return Structure(Lattice(skew.lattice.matrix @ matrix), symbols, skew.frac_coords, site_properties=properties)


@pytest.mark.parametrize("ending", FORMATS)
def test_vectors_in_a_turned_skew_cell_come_back(canted, ending, tmp_path):
    """Angles between moments and axes are kept: the frame is written, not only lengths and angles."""
    cell = turned(remove_site(canted, 20))
    write_structure(cell, tmp_path / f"x{ending}")
    again = read_structure(tmp_path / f"x{ending}")
    assert np.allclose(again.lattice.matrix, cell.lattice.matrix, atol=1e-8)
    assert vectors_by_place(again) == vectors_by_place(cell)
    assert again.site_properties["valence"] == cell.site_properties["valence"]
    assert again.site_properties["sublattice"] == cell.site_properties["sublattice"]
    assert [s.specie.symbol for s in again] == [s.specie.symbol for s in cell]


@pytest.mark.parametrize("collinear", [True, False])
def test_the_mcif_says_the_same_to_another_reader(cfo, canted, collinear, tmp_path):
    """Pymatgen reads the standard's columns: components along the crystal axes."""
    cell = set_collinear_moments(cfo, NEEL) if collinear else turned(canted)
    write_structure(cell, tmp_path / "x.mcif")
    theirs = Structure.from_file(tmp_path / "x.mcif")
    assert len(theirs) == len(cell)
    ours = np.array([m if np.ndim(m) else [0, 0, m] for m in cell.site_properties["magmom"]])
    ours = ours @ np.linalg.inv(cell.lattice.matrix)
    for site in theirs:
        found = np.array(site.properties["magmom"].global_moment) @ np.linalg.inv(theirs.lattice.matrix)
        distance = theirs.lattice.get_all_distances(site.frac_coords, cell.frac_coords)[0]
        assert np.allclose(found, ours[int(np.argmin(distance))], atol=1e-6)


def test_vasp_reads_three_numbers_per_site(canted):
    incar = Incar.from_str("LNONCOLLINEAR = True\n" + magmom_line(canted))
    assert np.allclose(np.array([list(m) for m in incar["MAGMOM"]]), canted.site_properties["magmom"])


def test_engines_say_what_they_cannot_do_with_vectors(canted):
    """The local one leaves the anisotropy out, VASP refuses: neither takes a vector for a number."""
    assert "spin_orbit" in get_engine("local").cannot_with(canted)
    with pytest.raises(VaspSettingsError, match="moments are vectors"):
        VaspSettings(hubbard_U_eV={"Co": 3.3, "Fe": 5.3}).check(canted)


@pytest.mark.parametrize(
    ("species", "units"), [(["Co", "Pt"], 1), (["Zn"] * 4 + ["O"] * 4, 4), (["Zn"] * 4 + ["O"] * 3, 1)]
)
def test_units_of_the_reduced_formula_need_no_anion(species, units):
    places = [[n / len(species), 0, 0] for n in range(len(species))]
    assert reduced_formula_units(Structure(Lattice.cubic(9), species, places)) == units
