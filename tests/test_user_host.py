"""A user's own host: the same path as a declared one, and a reason for every refusal."""

import numpy as np
import pytest
import yaml
from magnetoionics.structures.checks import StructureError, check_bonds, check_no_overlap
from magnetoionics.structures.hops import distinct_hops
from magnetoionics.structures.host import UnknownHostError, get_host
from magnetoionics.structures.symmetry import space_group_symbol
from magnetoionics.structures.user_host import HostFileError, load_host, with_roles
from magnetoionics.structures.vacancies import distinct_vacancies
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


def test_a_file_and_roles_give_the_declared_host(write, cfo):
    host = get_host(str(write()))
    cell = host.structure()
    assert host.key == "mine"
    assert space_group_symbol(cell) == "Imma"
    assert host.moment_per_formula(cell) == pytest.approx(3.0)
    ours = distinct_vacancies(cfo, "Fe", "B")[0]
    theirs = distinct_vacancies(cell, "Fe", "B")[0]
    assert (theirs.multiplicity, theirs.cobalt_neighbours, theirs.collinear_cobalt_pairs) == (
        ours.multiplicity,
        ours.cobalt_neighbours,
        ours.collinear_cobalt_pairs,
    )


def test_poscar_is_read_as_well(tmp_path, write, cfo):
    path = write(structures={"measured": "mine.vasp"})
    bare(cfo).to(filename=str(tmp_path / "mine.vasp"), fmt="poscar")
    assert space_group_symbol(load_host(path).structure()) == "Imma"


def test_changes_to_a_built_cell_do_not_reach_the_next(write):
    host = load_host(write())
    host.structure().remove_sites([0])
    assert len(host.structure()) == 56


def test_species_without_role_or_valence_are_refused(write):
    with pytest.raises(HostFileError, match=r"\(Co, 6 O around it\) has no role"):
        load_host(write(roles=[r for r in ROLES if r["element"] != "Co"]))
    without = [{k: v for k, v in r.items() if k != "valence"} if r["element"] == "Co" else r for r in ROLES]
    with pytest.raises(HostFileError, match="has no valence"):
        load_host(write(roles=without))


def test_charge_is_refused(write):
    roles = [{**r, "valence": 3} if r["element"] == "Co" else r for r in ROLES]
    with pytest.raises(HostFileError, match=r"carries charge 8\.0 e"):
        load_host(write(roles=roles))


def test_another_moment_than_declared_is_refused(write):
    with pytest.raises(HostFileError, match="3 muB per formula unit, declared are 7"):
        load_host(write(moment_per_formula_muB=7.0))
    with pytest.raises(HostFileError, match="'B' is magnetic but has no spin sense"):
        load_host(write(spin_sense={"A": -1}))


def test_overlapping_atoms_are_refused(cfo):
    crowded = bare(cfo)
    crowded.append("O", crowded[30].frac_coords + np.array([0.05, 0, 0]), validate_proximity=False)
    with pytest.raises(StructureError, match=r"30 \(O\) and 56 \(O\) overlap: 0\.420 A"):
        with_roles(crowded, ROLES)


def test_fd3m_in_the_other_origin_is_refused(write):
    normal = [
        {"element": "Co", "sublattice": "A", "valence": 2},
        {"element": "Fe", "sublattice": "B", "valence": 3},
        ROLES[-1],
    ]
    with pytest.raises(HostFileError, match="two origin choices"):
        load_host(write(cif=ORIGIN_2_CIF.format(symbol="F d -3 m"), roles=normal, moment_per_formula_muB=7.0))
    good = write(
        get_host("cofe2o4").structure("normal"),
        roles=normal,
        moment_per_formula_muB=7.0,
        hops=None,
        vacancies=[["Fe", "B"]],
    )
    assert space_group_symbol(load_host(good).structure()) == "Fd-3m"


def test_another_composition_than_declared_is_refused(write):
    """The symbol below is unknown to the reader, which then leaves the symmetry out without a word."""
    with pytest.raises(HostFileError, match=r"atom 0 \(Fe\) has no O|holds .* in 3 atoms"):
        load_host(write(cif=ORIGIN_2_CIF.format(symbol="F d -3 m :2")))
    with pytest.raises(HostFileError, match="holds Fe2CoO4 in 56 atoms, declared is CoFe3O4"):
        load_host(write(formula="CoFe3O4"))


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
        load_host(write(roles=None, colour="blue"))
    with pytest.raises(UnknownHostError, match=r"nothing\.yaml"):
        get_host(str(tmp_path / "nothing.yaml"))
    with pytest.raises(HostFileError, match="no Ni on sublattice B"):
        load_host(write(vacancies=[["Ni", "B"]]))
    (tmp_path / "list.yaml").write_text("- 1")
    with pytest.raises(HostFileError, match="a mapping"):
        load_host(tmp_path / "list.yaml")
    (tmp_path / "evil.yaml").write_text("!!python/object/apply:os.getcwd []")
    with pytest.raises(HostFileError, match="python"):
        load_host(tmp_path / "evil.yaml")


def test_declared_structures_pass_the_checks(cfo):
    check_no_overlap(cfo)
    check_bonds(cfo, "O")
    moved = bare(cfo)
    moved.translate_sites([0], [0.02, 0.02, 0.02])
    check_bonds(moved, "O")
    with pytest.raises(StructureError, match="lattice parameters"):
        check_bonds(Structure(Lattice.cubic(9), ["Fe", "O"], np.array([[0, 0, 0], [0.5, 0.5, 0.5]])), "O")
