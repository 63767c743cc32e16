"""Magnetic CIFs with partly filled sites, and of modulated structures."""

import warnings

import pytest
from magnetoionics.structures.drafting.files import draft_from_file
from magnetoionics.structures.io.untrusted_input import read_with_notes


def drafted(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return draft_from_file(path)


MAGNETIC = """data_x
_cell_length_a 4
_cell_length_b 5
_cell_length_c 6
_cell_angle_alpha 90
_cell_angle_beta 100
_cell_angle_gamma 90
loop_
_space_group_symop_magn_operation.id
_space_group_symop_magn_operation.xyz
1 x,y,z,+1
2 -x,y+1/2,-z,-1
loop_
_space_group_symop_magn_centering.id
_space_group_symop_magn_centering.xyz
1 x,y,z,+1
2 x+1/2,y,z+1/2,-1
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Mn1 Mn 0.1 0.2 0.3 {share}
O1 O 0.1 0.6 0.35 1
{more}
loop_
_atom_site_moment.label
_atom_site_moment.crystalaxis_x
_atom_site_moment.crystalaxis_y
_atom_site_moment.crystalaxis_z
Mn1 1.0 2.0 -1.5
"""


def test_moments_of_a_partly_filled_crystal_are_those_of_the_full_one(tmp_path):
    """The full one is read by pymatgen; with a quarter of Mn exchanged for Zn each place has the moment that it had."""
    full, part = tmp_path / "full.mcif", tmp_path / "part.mcif"
    full.write_text(MAGNETIC.format(share="1", more=""))
    part.write_text(MAGNETIC.format(share="0.75(1)", more="Zn1 Zn 0.1 0.2 0.3 0.25"))
    theirs, (ours, notes) = read_with_notes(full)[0], read_with_notes(part)
    assert any("partially occupied" in note for note in notes)
    assert ours.composition.as_dict() == pytest.approx({"Mn": 3.0, "Zn": 1.0, "O": 4.0})
    for site in theirs:
        mate = min(ours, key=lambda s, site=site: s.distance(site))
        assert mate.distance(site) < 1e-6
        assert mate.properties["magmom"] == pytest.approx(site.properties["magmom"], abs=1e-9)
    ordered = drafted(part).cell
    assert ordered.composition.formula == "Mn3 Zn1 O4"
    sizes = {
        round(float(sum(x * x for x in s.properties["magmom"]) ** 0.5), 3) for s in ordered if s.specie.symbol != "O"
    }
    assert sizes == {round(float(sum(x * x for x in theirs[0].properties["magmom"]) ** 0.5), 3)}


def test_of_a_modulated_structure_the_basic_cell_is_read(tmp_path):
    text = MAGNETIC.format(share="1", more="").replace("_magn_operation.xyz", "_magn_ssg_operation.algebraic")
    text = text.replace("_magn_centering.xyz", "_magn_ssg_centering.algebraic").replace(",z,+1", ",x3,x4,+1")
    text = text.replace("x,y,x3", "x1,x2,x3").replace("-x,y+1/2,-z,-1", "-x1,x2+1/2,-x3,-x4+1/2,-1")
    text = text.replace("x+1/2,y,z+1/2,-1", "x1+1/2,x2,x3+1/2,x4,+1")
    file = tmp_path / "x.mcif"
    file.write_text(text.replace("data_x", "data_x\n_cell_modulation_dimension 1"))
    structure, notes = read_with_notes(file)
    full = tmp_path / "full.mcif"
    full.write_text(MAGNETIC.format(share="1", more=""))
    assert structure.matches(read_with_notes(full)[0])
    assert "magmom" not in structure.site_properties
    assert any("incommensurate" in note for note in notes)
