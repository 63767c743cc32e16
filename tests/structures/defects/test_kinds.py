"""Kinds of point defects: what they remove and add, where they can be, and that one more is one file."""

import re

import magnetoionics.structures.defects.kinds as folder
import numpy as np
import pytest
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.defects.difference import cell_difference
from magnetoionics.structures.defects.kind import built_defect, distinct_defects, kinds_of_defects
from magnetoionics.structures.host import get_host
from magnetoionics.structures.spins import total_valence
from magnetoionics.workflows.engine import CannotDoError, get_engine
from magnetoionics.workflows.flows.point_defects import PointDefectsMaker, antisites

ASKED = ["V_O", "Co_Fe(A)", "Zn2+_Fe(B)", "Li+_i", "V_Fe(B)+V_O within 2.2", "V_Fe(B)+Co2+_Fe(A) within 3.6"]
CELL = get_host("cofe2o4").structure()


@pytest.mark.parametrize("text", ASKED)
def test_what_a_defect_says_it_removes_is_what_its_cell_lacks(text):
    """The cells are compared atom by atom by code that knows nothing of the kinds."""
    for placed in distinct_defects(CELL, [text]):
        built = built_defect(CELL, placed)
        found = cell_difference(CELL, built)
        assert found.removed == dict(sorted(placed.removed.items()))
        expected = {"vacancy": "vacancy", "interstitial": "interstitial", "complex": "complex"}
        kind = expected.get(placed.kind, "antisite" if text.startswith("Co") else "substitution")
        assert found.kind(["Co", "Fe", "O"]) == kind


def test_places_of_one_kind_add_up_to_all_of_them():
    by = {text: distinct_defects(CELL, [text]) for text in ASKED}
    assert sum(p.multiplicity for p in by["V_O"]) == 32
    assert sum(p.multiplicity for p in by["Co_Fe(A)"]) == 8
    # 16c, 8b and 48f of spinel.
    assert sum(p.multiplicity for p in by["Li+_i"]) == 16 + 8 + 48
    # Each of the 8 Fe of B has six O.
    assert sum(p.multiplicity for p in by["V_Fe(B)+V_O within 2.2"]) == 8 * 6
    assert len({p.label for found in by.values() for p in found}) == sum(map(len, by.values()))


def test_a_substitute_points_where_the_ion_did_and_keeps_the_order_of_sites():
    (placed,) = distinct_defects(CELL, ["Co_Fe(A)"])
    built = built_defect(CELL, placed)
    site = placed.place["site"]
    assert CELL[site].properties["magmom"] == -5.0
    assert built[site].properties["magmom"] == -3.0
    assert built[site].properties["valence"] == 2.0
    assert np.allclose(np.delete(built.frac_coords, site, 0), np.delete(CELL.frac_coords, site, 0))


def test_places_of_a_cell_are_those_of_the_same_cell_relaxed():
    big = supercell(CELL, (1, 1, 2))
    (placed,) = distinct_defects(big, ["Co_Fe(A)"])
    strained = CELL.copy()
    strained.apply_strain(0.01)
    built = built_defect(supercell(strained, (1, 1, 2)), placed)
    assert built[placed.place["site"]].specie.symbol == "Co"
    assert placed.multiplicity == 16


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["Fe"], r"'Fe' is no point defect; write e.g. complex: V_Fe\(B\)\+V_O within 3; interstitial: Li\+_i"),
        (["V_O", "V_O"], "asked for twice"),
        (["V_Li"], "there is no Li on sublattice Li to remove"),
        (["Fe_Co(B)"], "leaves the valence of Fe open|no Fe"),
    ],
)
def test_what_cannot_be_is_refused(asked, message):
    cell = get_host("fe3o4").structure() if asked == ["Fe_Co(B)"] else CELL
    with pytest.raises(ValueError, match=message):
        distinct_defects(cell, asked)


def test_antisites_of_a_host_are_those_whose_valence_is_known():
    assert antisites(CELL) == ["Fe_Co(B)", "Co_Fe(A)", "Co_Fe(B)"]
    assert "Li_Fe(A)" in antisites(get_host("life5o8").structure())


def test_the_flow_relaxes_each_of_them_and_refuses_ions_that_the_engine_does_not_know():
    asked = ["Co_Fe(A)", "V_Fe(B)+V_O within 2.2"]
    flow = PointDefectsMaker(engine="local", repeats=(1, 1, 1)).make(CELL, "cofe2o4", asked)
    names = [job.name for job, _ in flow.iterflow()]
    assert [n for n in names if n.endswith(" relax")] == [
        "Co_Fe(A) relax", "V_Fe(B)+V_O,1 relax", "V_Fe(B)+V_O,2 relax",
    ]  # fmt: skip
    with pytest.raises(CannotDoError, match="Yb"):
        PointDefectsMaker(engine=get_engine("local")).make(CELL, "cofe2o4", ["Yb3+_Fe(B)"])


FRENKEL = '''
"""A Frenkel pair: an ion has left its site for an empty polyhedron."""

from __future__ import annotations

from ..kind import KindOfDefect, PlacedDefect
from .interstitial import KIND as INTERSTITIAL
from .vacancy import KIND as VACANCY


class FrenkelPair(KindOfDefect):
    """``F_Li+``."""

    name = "Frenkel pair"
    example = "F_Li+"

    def reads(self, text):
        """It begins with F."""
        return text.startswith("F_")

    def distinct(self, cell, text):
        """The first place of each part."""
        ion = text.removeprefix("F_")
        element = ion.rstrip("+0123456789")
        place = next(s.properties["sublattice"] for s in cell if s.specie.symbol == element)
        gone = VACANCY.distinct(cell, f"V_{element}({place})")[0]
        come = INTERSTITIAL.distinct(cell, f"{ion}_i")[0]
        return [PlacedDefect(self.name, f"F_{element}", element, place, {}, 1, {"parts": [gone, come]})]

    def built(self, cell, placed):
        """Both parts; the ion is put in before a site is taken out, so that indices stay."""
        gone, come = placed.place["parts"]
        return VACANCY.built(INTERSTITIAL.built(cell, come), gone)


KIND = FrenkelPair()
'''


def test_another_kind_is_one_file(tmp_path, monkeypatch):
    (tmp_path / "frenkel_pair.py").write_text(FRENKEL)
    monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(tmp_path)])
    assert "Frenkel pair" in [kind.name for kind in kinds_of_defects()]
    cell = get_host("life5o8").structure()
    (placed,) = distinct_defects(cell, ["F_Li+"])
    built = built_defect(cell, placed)
    assert built.composition == cell.composition
    changes = cell_difference(cell, built).changes
    assert sorted((c.removed or "", c.added or "") for c in changes) in ([("", "Li"), ("Li", "")], [("Li", "")])
    flow = PointDefectsMaker(engine="local", repeats=(1, 1, 1)).make(cell, "life5o8", ["F_Li+"])
    assert "F_Li relax" in [job.name for job, _ in flow.iterflow()]


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        # A site of -3m keeps three <100>, splits <110> into 3 + 3 and <111> into its own axis and three.
        ("Fe3+_i(Fe(B))", {"<100>": [3], "<110>": [3, 3], "<111>": [1, 3]}),
        # Of -43m all axes of a family are one; with two unlike ions the ends of <111> differ.
        ("Co2+_i(Co(A))", {"<100>": [3], "<110>": [6], "<111>": [4]}),
        ("Fe3+_i(Co(A))", {"<100>": [6], "<110>": [12], "<111>": [4, 4]}),
        ("O2-_i(O<111>)", {"<111>": [1, 3]}),
    ],
)
def test_dumbbells_are_counted_by_the_symmetry_of_their_site(text, counts):
    cell = get_host("cofe2o4").structure("normal")
    placed = distinct_defects(cell, [text])
    element, place = re.search(r"_i\(([A-Z][a-z]?)(?:\((.)\))?", text).groups()
    sites = sum(s.specie.symbol == element and s.properties["sublattice"] == (place or element) for s in cell)
    found = {}
    for one in placed:
        found.setdefault(re.search(r"<\d+>", one.label)[0], []).append(one.multiplicity // sites)
    assert {family: sorted(n) for family, n in found.items()} == counts
    for one in placed:
        built = built_defect(cell, one)
        assert one.removed == {one.element: -1}
        assert [(c.removed, c.added) for c in cell_difference(cell, built).changes] == [(None, one.element)]
        # Both ions lie at equal distances from the site, opposite to each other.
        site = cell[one.place["site"]]
        ends = [built[one.place["site"]].coords, built[-1].coords]
        assert sum(ends) / 2 == pytest.approx(site.coords, abs=1e-9)
        assert np.linalg.norm(ends[1] - ends[0]) == pytest.approx(1.5 if one.element == "O" else 2.0)


def test_dumbbells_have_energies_and_charges_of_their_own():
    """They go through the flows of other defects; a cation does not share the site of an anion."""
    flow = PointDefectsMaker(engine="local", repeats=(1, 1, 1)).make(CELL, "cofe2o4", ["Fe3+_i(Fe(B)<110>)"])
    names = [job.name for job, _ in flow.iterflow()]
    assert "Fe_i(Fe(B)<110>,1) relax" in names
    built = built_defect(CELL, distinct_defects(CELL, ["Fe3+_i(Fe(B)<110>)"])[0])
    assert round(total_valence(built)) == 3
    with pytest.raises(ValueError, match="charges of unlike sign"):
        distinct_defects(CELL, ["Fe3+_i(O)"])
