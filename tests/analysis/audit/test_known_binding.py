"""V_Fe(B) among Co by first principles: the fit of six places, and what decides C6."""

import ferrite_orders
import pytest
from magnetoionics.analysis.audit import known_binding as module
from magnetoionics.analysis.audit.evidence import Judgement
from magnetoionics.analysis.audit.known_binding import beside_binding, known_bindings
from magnetoionics.analysis.study.reference_calculations import load_reference_calculations

KEPT = load_reference_calculations()["imma-dzp-k2"]
OWN = Judgement("undecided", None, "", "nothing to compare", by="local")
# What no model holds, eV: of the size that electronic states leave.
SCATTER_eV = (0.01, -0.02, 0.0, 0.02, -0.01, 0.0)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "reference_calculations_folder", lambda: tmp_path)
    known_bindings.cache_clear()
    yield tmp_path
    known_bindings.cache_clear()


def write(folder, u, each, pair, scatter=1.0):
    known_bindings.cache_clear()
    for (neighbours, pairs), off in zip(ferrite_orders.SURROUNDINGS, SCATTER_eV, strict=True):
        key = ferrite_orders.vacancy_key((neighbours, pairs))
        name = f"cfo56{key}-dzp-k1-u{u:g}"
        made = KEPT.calculation.model_copy(
            update={
                "name": name,
                "structure": ferrite_orders.order_cell("imma"),
                "energy_eV": -390.0 + each * neighbours + pair * pairs + scatter * off,
                "provenance": KEPT.calculation.provenance.model_copy(update={"hubbard_U_eV": {"Co": u, "Fe": u}}),
            }
        )
        text = KEPT.model_copy(update={"name": name, "calculation": made}).model_dump_json()
        (folder / f"{name}.json").write_text(text)


def test_neighbours_and_pairs_in_line_are_told_apart(folder):
    write(folder, 4.0, each=-0.1, pair=0.05, scatter=0.0)
    (found,) = known_bindings()
    assert found.per_neighbour.value_eV == pytest.approx(-0.1)
    assert found.between_two.value_eV == pytest.approx(2 * -0.1 + 0.05)
    assert next(iter(found.above_lowest_eV)) == "5 Co (2 in line)"
    assert found.above_lowest_eV["1 Co"] == pytest.approx(0.1 * 4 - 0.05 * 2)


@pytest.mark.parametrize(
    ("sets", "each", "scatter", "verdict"),
    [
        ((3.0, 4.0, 5.0), -0.1, 1.0, "reproduced"),
        ((3.0, 4.0, 5.0), 0.1, 1.0, "contradicted"),
        ((3.0, 4.0), -0.1, 1.0, "undecided"),
        ((3.0, 4.0, 5.0), -0.1, 50.0, "undecided"),
    ],
)
def test_three_sets_of_u_with_one_significant_sign_decide(folder, sets, each, scatter, verdict):
    for u in sets:
        write(folder, u, each, 0.0, scatter)
    said = beside_binding(OWN)
    assert (said.verdict, said.by) == (verdict, "gpaw (GPAW)")
    assert "nothing to compare" in said.reason


def test_sets_of_u_that_disagree_leave_it_open(folder):
    for u, each in ((3.0, -0.1), (4.0, -0.1), (5.0, 0.1)):
        write(folder, u, each, 0.0)
    assert beside_binding(OWN).verdict == "undecided"


def test_without_calculations_the_study_speaks_alone(folder):
    assert beside_binding(OWN) is OWN
