"""Moments of lithium ferrite's defects: against the whole cell, where electrons went, and what decides C11."""

import lithium_cells
import pytest
from magnetoionics.analysis.audit import known_ferrite as module
from magnetoionics.analysis.audit.evidence import Judgement
from magnetoionics.analysis.audit.known_ferrite import beside_ferrite, known_ferrite_moments
from magnetoionics.analysis.results.checks import Check
from magnetoionics.analysis.study.reference_calculations import load_reference_calculations

KEPT = load_reference_calculations()["znoco32vo-dzp-k1-fm"]
OWN = Judgement("undecided", -2.0, "muB", "counted", by="local")
# Neel: 12 up and 8 down of 5 muB; electrons and holes in Bohr magnetons of the cell.
WHOLE_muB = 20.0


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "reference_calculations_folder", lambda: tmp_path)
    known_ferrite_moments.cache_clear()
    yield tmp_path
    known_ferrite_moments.cache_clear()


def write(folder, name, u, total, energy=-100.0, checks=(), force_calls=9):
    """A calculation whose iron moments are those that its start asks for."""
    start, *_, where = name.split("-")
    cell = lithium_cells.ferrite_cells(start)[0]
    if where in lithium_cells.SUBLATTICES:
        cell = lithium_cells.with_electrons(cell, start, lithium_cells.SUBLATTICES[where])
    made = KEPT.calculation.model_copy(
        update={
            "structure": cell,
            "energy_eV": energy,
            "total_moment_muB": total,
            "site_moments_muB": list(cell.site_properties["magmom"]),
            "checks": list(checks),
            "force_calls": force_calls,
            "provenance": KEPT.calculation.provenance.model_copy(update={"hubbard_U_eV": {"Fe": u}}),
        }
    )
    text = KEPT.model_copy(update={"name": name, "calculation": made}).model_dump_json()
    (folder / f"{name}-u{u:g}.json").write_text(text)


def complete(folder, u, vacancy_muB=19.0):
    write(folder, "life56-dzp-k1", u, WHOLE_muB)
    write(folder, "life56vo-dzp-k1-b", u, 18.0)
    write(folder, "life56vo-dzp-k1-a", u, 22.0, energy=-99.5)
    write(folder, "life56li-dzp-k1-b", u, 19.0)
    write(folder, "life56vli-dzp-k1", u, vacancy_muB)


def test_a_defect_is_held_against_the_whole_cell_of_its_own_u(folder):
    complete(folder, 4.0)
    write(folder, "life56vo-dzp-k1-b", 3.0, 18.0)
    oxygen, lithium, vacancy = known_ferrite_moments()
    assert [m.change_muB for m in (oxygen, lithium, vacancy)] == [-2.0, -1.0, -1.0]
    assert oxygen.next_start_eV == pytest.approx(0.5)
    assert (oxygen.reduced, lithium.reduced) == ({"A": 0, "B": 2}, {"A": 0, "B": 1})
    assert (oxygen.cell_atoms, lithium.cell_atoms) == (55, 57)


def test_of_two_starts_the_lower_speaks_and_a_failed_check_silences(folder):
    complete(folder, 4.0)
    write(folder, "life56vo-dzp-k1-a", 4.0, 22.0, energy=-100.5)
    known_ferrite_moments.cache_clear()
    oxygen = known_ferrite_moments()[0]
    assert (oxygen.change_muB, oxygen.reduced) == (2.0, {"A": 2, "B": 0})
    lost = Check(name="moments kept", passed=False, value=0.1, limit=0.5, must_be="above", invalidates=True)
    write(folder, "life56vo-dzp-k1-a", 4.0, 22.0, energy=-100.5, checks=[lost])
    known_ferrite_moments.cache_clear()
    assert known_ferrite_moments()[0].change_muB == -2.0


@pytest.mark.parametrize(
    ("sets", "vacancy_muB", "verdict"),
    [((3.0, 4.0), 21.0, "undecided"), ((3.0, 4.0, 5.3), 21.0, "reproduced"), ((3.0, 4.0, 5.3), 19.0, "undecided")],
)
def test_three_sets_of_u_decide_and_each_of_three_signs_counts(folder, sets, vacancy_muB, verdict):
    for u in sets:
        complete(folder, u, vacancy_muB)
    said = beside_ferrite(OWN)
    assert (said.verdict, said.value, said.by) == (verdict, -2.0, "gpaw (GPAW)")
    assert said.reason.endswith("; counted")
    assert "V_O (claimed: a fall) -2.00 muB for U = 3 eV, electrons taken up by 2 Fe(B)" in said.reason


def test_ions_of_another_engine_decide_nothing(folder):
    for u in (3.0, 4.0, 5.3):
        complete(folder, u, 21.0)
    write(folder, "life56li-dzp-k1-b", 4.0, 19.0, force_calls=1)
    said = beside_ferrite(OWN)
    assert said.verdict == "undecided"
    assert "ions by a potential" in said.reason


def test_nothing_shipped_changes_nothing(folder):
    assert beside_ferrite(OWN) is OWN


def test_electrons_begin_on_the_iron_nearest_to_the_defect():
    cell = lithium_cells.ferrite_cells("life56vo")[0]
    whole = lithium_cells.ferrite_cells("life56")[0]
    for key, sign in (("B", 1), ("A", -1)):
        started = lithium_cells.with_electrons(cell, "life56vo", key)
        changed = [
            (site, new)
            for site, old, new in zip(
                cell, cell.site_properties["magmom"], started.site_properties["magmom"], strict=True
            )
            if old != new
        ]
        assert [(s.specie.symbol, s.properties["sublattice"], m) for s, m in changed] == [("Fe", key, 4.0 * sign)] * 2
    # An oxygen of a spinel has three B neighbours and one A, all within 2.2 A: the reduced B ions are among them.
    gone = next(s for s in whole if s.specie.symbol == "O" and all(s.distance(o) > 0.01 for o in cell))
    started = lithium_cells.with_electrons(cell, "life56vo", "B")
    near = [s for s, m in zip(started, started.site_properties["magmom"], strict=True) if m == 4.0]
    assert all(s.distance(gone) < 2.2 for s in near)
