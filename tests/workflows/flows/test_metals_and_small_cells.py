"""Hosts that stand no field, or little, keep their barrier; small cells are repeated until a hop has room."""

from dataclasses import replace

import pytest
from magnetoionics.hpc.study_options import FieldOptions, StudyOptions
from magnetoionics.structures.cells.default_size import cells_in_words, default_repeats, images_A
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.field.requests import FieldRequest
from magnetoionics.workflows.flows.study import MagnetoionicStudyMaker
from pymatgen.core import Lattice, Structure

RUTILE = Structure.from_spacegroup(
    "P4_2/mnm", Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
)

FIELDS_V_PER_A = MagnetoionicStudyMaker.quick(get_engine("local")).default_fields_V_per_A


def note_of(host, fields=None):
    maker = MagnetoionicStudyMaker.quick(get_engine("local"), ["migration"])
    maker = maker if fields is None else replace(maker, fields=fields)
    (found,) = (s for s in maker.plan(host) if s.stage == "migration")
    assert found.done
    return found.note


def test_a_metal_has_a_barrier_and_no_fields():
    metal = replace(get_host("cofe2o4"), gap_eV=0.0)
    assert "the gap is 0, and a metal screens fields" in note_of(metal)
    request, cell = FieldRequest(), metal.structure()
    assert request.within(FIELDS_V_PER_A, 0.0, cell) == [0.0]
    with pytest.raises(ValueError, match="the host's gap is 0: a metal screens it"):
        note_of(metal, FieldRequest(magnitudes_V_per_m=[1e8]))
    assert note_of(metal, FieldRequest(magnitudes_V_per_m=[1e8], breakdown_V_per_m=1e9)) == ""


def test_a_small_gap_leaves_the_large_fields_out():
    """0.14 eV over 8.394 A of magnetite: 1.67e8 V/m."""
    assert "fields above 1.7e+08 V/m are left out" in note_of("fe3o4")
    cell = get_host("fe3o4").structure()
    kept = FieldRequest().within(FIELDS_V_PER_A, 0.14, cell)
    assert sorted({abs(f) for f in kept}) == [0.0, 0.001, 0.005, 0.01]
    with pytest.raises(ValueError, match="beyond the breakdown field"):
        note_of("fe3o4", FieldRequest(magnitudes_V_per_m=[2e8]))
    assert note_of("cofe2o4") == ""


def test_small_cells_are_repeated():
    assert default_repeats(RUTILE, quick=True) == (2, 2, 3)
    assert default_repeats(RUTILE, quick=False) == (3, 3, 4)
    assert images_A(RUTILE, (2, 2, 3)) == pytest.approx(3 * 2.959)
    assert cells_in_words(RUTILE, (2, 2, 3)) == "2x2x3 of the ordered cell (72 atoms, images 8.9 A apart)"
    # A longer hop needs more room: 4.5 A there and as much to the next image.
    assert images_A(RUTILE, default_repeats(RUTILE, quick=True, hops_A=[4.5])) >= 9.0


@pytest.mark.parametrize("key", ["cofe2o4", "life5o8", "zn095co005o", "cofe2o4:primitive"])
def test_the_usual_cells_stay(key):
    options = StudyOptions(fields=FieldOptions())
    assert options.repeats(key, None, True) == (1, 1, 1)
    assert options.repeats(key, None, False) == (2, 2, 2)
    assert options.said_of_cells(key, None, True) == ""


def test_another_size_is_said(real):
    host = str(real / "structures" / "h02-anion-hop-command" / "tio2b.yaml")
    said = StudyOptions().said_of_cells(host, None, True)
    assert said.startswith("supercell: 2x2x3 of the ordered cell (72 atoms")
    assert StudyOptions(image_distance_A=7.0).said_of_cells(host, None, True) == ""
