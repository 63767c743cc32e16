"""A user's own host: the same path as a built-in one, and a reason for every refusal."""

import numpy as np
import pytest
import yaml
from magnetoionics.structures.checks.geometry import StructureError, check_bonds, check_no_overlap
from magnetoionics.structures.defects.charge_compensation import compensations
from magnetoionics.structures.defects.hops import distinct_hops
from magnetoionics.structures.defects.inventory import take_inventory
from magnetoionics.structures.defects.vacancies import distinct_vacancies
from magnetoionics.structures.host import UnknownHostError, get_host
from magnetoionics.structures.io.files import write_structure
from magnetoionics.structures.io.host_entries import HostFileError
from magnetoionics.structures.io.host_files import HostReference, with_roles
from magnetoionics.structures.io.untrusted_input import ReadingNote
from magnetoionics.structures.symmetry import space_group_symbol
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from user_hosts import ENTRIES as BASE
from user_hosts import ROLES

ENTRIES = {
    **BASE,
    "key": "mine",
    "vacancies": [["Fe", "B"], ["O", "O"]],
    "references": ["CoO", "Fe2O3", "Fe3O4"],
}
# An Fd-3m file without its operations: the coordinates are those of origin choice 2.
ORIGIN_2_CIF = """data_spinel
_cell_length_a 8.392
_cell_length_b 8.392
_cell_length_c 8.392
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M '{symbol}'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Co1 Co 0.125 0.125 0.125 1
Fe1 Fe 0.5 0.5 0.5 1
O1 O 0.256 0.256 0.256 1
"""


def loaded(path):
    return HostReference.from_file(path).host()


@pytest.fixture(scope="module")
def cfo():
    return get_host("cofe2o4").structure("Imma")


def bare(structure):
    return Structure(structure.lattice, [s.specie.symbol for s in structure], structure.frac_coords)


@pytest.fixture
def write(tmp_path, cfo):
    def go(structure=None, cif=None, **changes):
        if cif is None:
            bare(structure or cfo).to(filename=str(tmp_path / "mine.cif"))
        else:
            (tmp_path / "mine.cif").write_text(cif)
        entries = {k: v for k, v in {**ENTRIES, **changes}.items() if v is not None}
        path = tmp_path / "mine.yaml"
        path.write_text(yaml.safe_dump(entries))
        return path

    return go


def test_a_file_and_roles_give_the_built_in_host(write, cfo):
    host = get_host(str(write()))
    cell = host.structure()
    assert host.key == "mine"
    assert space_group_symbol(cell) == "Imma"
    assert host.moment_per_formula(cell) == pytest.approx(3.0)
    ours = distinct_vacancies(cfo, "Fe", "B")[0]
    theirs = distinct_vacancies(cell, "Fe", "B")[0]
    assert (theirs.multiplicity, theirs.near_cations, theirs.pairs_in_line) == (
        ours.multiplicity,
        ours.near_cations,
        ours.pairs_in_line,
    )


def test_poscar_is_read_as_well(tmp_path, write, cfo):
    path = write(structures={"measured": "mine.vasp"})
    bare(cfo).to(filename=str(tmp_path / "mine.vasp"), fmt="poscar")
    assert space_group_symbol(loaded(path).structure()) == "Imma"


def test_changes_to_a_built_cell_do_not_reach_the_next(write):
    host = loaded(write())
    host.structure().remove_sites([0])
    assert len(host.structure()) == 56


def test_species_without_role_or_valence_are_refused(write):
    with pytest.raises(HostFileError, match=r"\(Co, 6 O around it\) has no role"):
        loaded(write(roles=[r for r in ROLES if r["element"] != "Co"]))
    without = [{k: v for k, v in r.items() if k != "valence"} if r["element"] == "Co" else r for r in ROLES]
    with pytest.raises(HostFileError, match="has no valence"):
        loaded(write(roles=without))


def test_charge_is_refused(write):
    roles = [{**r, "valence": 3} if r["element"] == "Co" else r for r in ROLES]
    with pytest.raises(HostFileError, match=r"carries charge 8\.0 e"):
        loaded(write(roles=roles))


def test_another_moment_than_stated_is_refused(write):
    with pytest.raises(HostFileError, match="3 muB per formula unit, stated are 7"):
        loaded(write(moment_per_formula_muB=7.0))
    with pytest.raises(HostFileError, match="'B' is magnetic but has no spin sense"):
        loaded(write(spin_sense={"A": -1}))


def test_overlapping_atoms_are_refused(cfo):
    crowded = bare(cfo)
    crowded.append("O", crowded[30].frac_coords + np.array([0.05, 0, 0]), validate_proximity=False)
    with pytest.raises(StructureError, match=r"30 \(O\) and 56 \(O\) overlap: 0\.420 A"):
        with_roles(crowded, ROLES)


def test_fd3m_in_the_other_origin_is_put_right(write):
    """Pymatgen takes the name for origin choice 1; COD's NiFe2O4 5910064 names choice 2 and is written for 1."""
    normal = [
        {"element": "Co", "sublattice": "A", "valence": 2},
        {"element": "Fe", "sublattice": "B", "valence": 3},
        ROLES[-1],
    ]
    stated = {"roles": normal, "moment_per_formula_muB": 7.0, "hops": None, "vacancies": [["Fe", "B"]]}
    named = loaded(write(cif=ORIGIN_2_CIF.format(symbol="F d -3 m :2"), **stated))
    assert space_group_symbol(named.structure()) == "Fd-3m"
    assert named.structure().composition["O"] == 32
    shifted = ORIGIN_2_CIF.replace("0.125", "0").replace("0.5 0.5 0.5", "0.625 0.625 0.625").replace("0.256", "0.381")
    for text, choice in (
        (ORIGIN_2_CIF.format(symbol="F d -3 m"), 2),
        (shifted.format(symbol="F d -3 m :2"), 1),
    ):
        with pytest.warns(ReadingNote, match=f"origin choice {choice} of F d -3 m"):
            read = loaded(write(cif=text, **stated)).structure()
        assert StructureMatcher().fit(bare(read), bare(named.structure()))
    wrong = Structure.from_spacegroup(
        "Fd-3m", Lattice.cubic(8.392), ["Co", "Fe", "O"], [[0.125] * 3, [0.5] * 3, [0.256] * 3]
    )
    with pytest.raises(StructureError, match="two origin choices"):
        check_no_overlap(wrong)
    good = write(
        get_host("cofe2o4").structure("normal"),
        roles=normal,
        moment_per_formula_muB=7.0,
        hops=None,
        vacancies=[["Fe", "B"]],
    )
    assert space_group_symbol(loaded(good).structure()) == "Fd-3m"


def test_another_composition_than_stated_is_refused(write):
    """The symbol below is unknown to the reader, which then leaves the symmetry out without a word."""
    with pytest.raises(HostFileError, match=r"names the space group Fd-3m:7 and lists no symmetry .* two origin"):
        loaded(write(cif=ORIGIN_2_CIF.format(symbol="F d -3 m :7")))
    with pytest.raises(HostFileError, match="holds Fe2CoO4 in 56 atoms, stated is CoFe3O4"):
        loaded(write(formula="CoFe3O4"))


def test_a_hop_through_another_atom_is_refused():
    cell = Structure(
        Lattice.orthorhombic(20, 12, 12),
        ["Li", "Fe", "Li", "O"],
        [[0.2, 0.5, 0.5], [0.35, 0.5, 0.5], [0.5, 0.5, 0.5], [0.9, 0.1, 0.1]],
        site_properties={"sublattice": ["L", "M", "L", "O"], "valence": [1, 3, 1, -2], "magmom": [0, 5, 0, 0]},
    )
    with pytest.raises(StructureError, match=r"pass through another atom \(the first through site 1\)"):
        distinct_hops(cell, 2, "V_Li", "Li", "L", 7.0)


def test_a_cell_too_small_for_a_hop_is_refused():
    cell = get_host("cofe2o4").structure()
    small = cell.get_primitive_structure(use_site_props=True)
    (vacancy,) = distinct_vacancies(small, "Fe", "B")
    with pytest.raises(StructureError, match="too small"):
        distinct_hops(small, vacancy.index, vacancy.label, "Co", "B", 3.3)


def test_files_that_say_too_little_or_too_much_are_refused(write, tmp_path):
    with pytest.raises(HostFileError, match=r"missing entries: roles; unknown: colour"):
        loaded(write(roles=None, colour="blue"))
    with pytest.raises(UnknownHostError, match=r"nothing\.yaml"):
        get_host(str(tmp_path / "nothing.yaml"))
    with pytest.raises(HostFileError, match="no Ni on sublattice B"):
        loaded(write(vacancies=[["Ni", "B"]]))
    (tmp_path / "list.yaml").write_text("- 1")
    with pytest.raises(HostFileError, match="a mapping"):
        loaded(tmp_path / "list.yaml")
    (tmp_path / "evil.yaml").write_text("!!python/object/apply:os.getcwd []")
    with pytest.raises(HostFileError, match="python"):
        loaded(tmp_path / "evil.yaml")


@pytest.mark.parametrize("entry", ["key", "title"])
@pytest.mark.parametrize("text", ["host\x1b[2J", "two\nlines", "x" * 5000, "", "\u202ereversed"])
def test_names_that_steer_a_terminal_or_fill_a_table_are_refused(entry, text, write):
    with pytest.raises(HostFileError, match=rf"{entry} = .*printable characters in one line"):
        loaded(write(**{entry: text}))


def test_a_primitive_cell_is_a_host(write, cfo):
    """Hops are looked for in a repeated cell: in this one an ion and its image would both reach the vacancy."""
    host = loaded(write(bare(cfo).get_primitive_structure()))
    assert len(host.structure()) == 14
    found = take_inventory(host)
    assert found.repeats == (2, 2, 2)
    assert [h.multiplicity for h in found.hops] == [4]


def test_names_of_sublattices_are_free(write, cfo):
    """Co neighbours, and low spin in octahedra, are those of the built-in host whatever its sublattices are called."""
    names = {"A": "tet", "B": "oct", "O": "O"}
    roles = [{**r, "sublattice": names[r["sublattice"]]} for r in ROLES]
    hop = {**ENTRIES["hops"][0], "from_sublattice": "oct", "vacancy_sublattice": "oct"}
    changes = {"roles": roles, "spin_sense": {"tet": -1, "oct": 1}, "vacancies": [["Fe", "oct"]], "hops": [hop]}
    cell = loaded(write(**changes)).structure()
    (ours,), (theirs,) = distinct_vacancies(cell, "Fe", "oct"), distinct_vacancies(cfo, "Fe", "B")
    assert ours.near_cations == theirs.near_cations == {"Co": 4, "Fe": 2}
    ways, expected = (compensations(c, v.index) for c, v in ((cell, ours), (cfo, theirs)))
    assert sorted(w.total_moment_muB for w in ways) == sorted(w.total_moment_muB for w in expected)
    assert any("low spin" in w.label for w in ways)


def test_left_handed_cells_are_refused(cfo):
    a, b, c = cfo.lattice.matrix
    mirrored = Structure([b, a, c], [s.specie.symbol for s in cfo], cfo.frac_coords[:, [1, 0, 2]])
    with pytest.raises(StructureError, match="left-handed"):
        with_roles(mirrored, ROLES)


@pytest.mark.parametrize("ending", [".extxyz", ".mcif", ".json"])
def test_moments_of_the_file_must_be_the_stated_ones(write, tmp_path, cfo, ending):
    """Turned as a whole and of other sizes they are the same order; parallel ones are not Neel's."""
    name = f"mine{ending}"
    path = write(structures={"measured": name})
    neel = np.array(cfo.site_properties["magmom"])
    for moments in ((-0.8 * neel), 0.8 * neel[:, None] * np.array([0.6, 0.0, 0.8])):
        write_structure(cfo.copy(site_properties={"magmom": moments.tolist()}), tmp_path / name)
        cell = loaded(path).structure()
        assert sorted(cell.site_properties["magmom"]) == pytest.approx(sorted(neel))
    write_structure(cfo.copy(site_properties={"magmom": np.abs(neel).tolist()}), tmp_path / name)
    with pytest.raises(HostFileError, match=r"0 degrees apart in the file and 180 as stated: correct spin_sense"):
        loaded(path)


@pytest.mark.parametrize("ending", [".extxyz", ".mcif", ".json"])
def test_spins_from_the_file(write, tmp_path, cfo, ending):
    """Directions from the file, sizes from the valences: 13 muB where Fe on A and B are parallel."""
    name = f"mine{ending}"
    parallel = np.abs(cfo.site_properties["magmom"]) * 0.8
    path = write(structures={"measured": name}, spins="file", moment_per_formula_muB=13.0)
    write_structure(cfo.copy(site_properties={"magmom": parallel.tolist()}), tmp_path / name)
    assert set(loaded(path).structure().site_properties["magmom"]) == {0.0, 3.0, 5.0}
    axis = np.array([0.6, 0.0, 0.8])
    write_structure(cfo.copy(site_properties={"magmom": np.outer(parallel, axis).tolist()}), tmp_path / name)
    moments = np.array(loaded(path).structure().site_properties["magmom"])
    assert np.allclose(moments.sum(axis=0) / 8, 13 * axis)
    without_cobalt = cfo.copy(site_properties={"magmom": (parallel * (parallel > 3)).tolist()})
    write_structure(without_cobalt, tmp_path / name)
    with pytest.raises(HostFileError, match=r"Co, valence 2\) has 0\.00 muB in the file but 3 muB"):
        loaded(path)
    with pytest.raises(StructureError, match="it has none"):
        with_roles(bare(cfo), ROLES, spins="file")
    with pytest.raises(HostFileError, match="neither 'file' nor a spin per sublattice"):
        loaded(write(spins="neel"))


def test_built_in_structures_pass_the_checks(cfo):
    check_no_overlap(cfo)
    check_bonds(cfo, "O")
    moved = bare(cfo)
    moved.translate_sites([0], [0.02, 0.02, 0.02])
    check_bonds(moved, "O")
    with pytest.raises(StructureError, match="lattice parameters"):
        check_bonds(Structure(Lattice.cubic(9), ["Fe", "O"], np.array([[0, 0, 0], [0.5, 0.5, 0.5]])), "O")


@pytest.mark.parametrize("valence", [float("nan"), float("inf"), 10])
def test_a_valence_that_no_ion_has_is_refused(cfo, valence):
    roles = [dict(r) for r in ROLES]
    roles[0]["valence"] = valence
    with pytest.raises(ValueError, match=r"valence of Fe on A = .* must be a number from -4 to 9"):
        with_roles(cfo, roles)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"spin_sense": {"A": float("inf"), "B": 1}}, r"spin_sense of A = inf must be 1 along z"),
        ({"spin_sense": {"A": -1.7, "B": 1}}, r"spin_sense of A = -1\.7 must be 1 along z"),
        ({"anion": "F"}, r"anion = 'F' is none of the elements of CoFe2O4: Co, Fe, O"),
        ({"hubbard_U_eV": {"Co": True}}, r"hubbard_U_eV of Co = nan must be a number"),
        ({"gap_eV": "x" * 5000}, r"gap_eV = 'x{79}\.\.\. must be a number"),
        ({"references": "CoO"}, r"references = 'CoO' must be a list of formulas"),
        ({"references": ["CoO", float("nan")]}, r"references holds nan, which is no formula"),
        ({"references": ["CoO", "Fe2Oo3"]}, r"references holds 'Fe2Oo3', which is no formula"),
        ({"cubic_parent": "no way"}, r"cubic_parent = 'no way' must be true or false"),
        ({"roles": [*ROLES, {**ROLES[0], "element": "Fee"}]}, r"role \d names element 'Fee', which no structure holds"),
        ({"roles": [*ROLES, {**ROLES[0], "valence": float("nan")}]}, r"valence of role \d = nan must be a number"),
        (
            {"roles": [*ROLES, {**ROLES[0], "coordination": 1.5}]},
            r"coordination of role \d = 1\.5 must be a whole number",
        ),
        ({"roles": [*ROLES, {**ROLES[0], "sublattice": "\x1b[2J"}]}, r"sublattice = '\\x1b\[2J' must be a name"),
    ],
)
def test_an_entry_that_would_be_taken_for_another_is_refused(write, entries, message):
    """Also in a role that fits no site, whose typing error would silently leave its ions to another."""
    with pytest.raises(HostFileError, match=message) as refused:
        loaded(write(**entries))
    assert len(str(refused.value)) < 1200
