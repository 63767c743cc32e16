"""V_Fe(B) among Co by first principles: the fit of six places, and what decides C6."""

import ferrite_orders
import numpy as np
import pytest
from magnetoionics.analysis.audit import known_binding as module
from magnetoionics.analysis.audit.evidence import Judgement
from magnetoionics.analysis.audit.known_binding import beside_binding, binding_by_potential, known_bindings
from magnetoionics.analysis.study.reference_calculations import load_reference_calculations, load_start
from scipy.optimize import curve_fit

KEPT = load_reference_calculations()["imma-dzp-k2"]
OWN = Judgement("undecided", None, "", "nothing to compare", by="local")
# What no model holds, eV: of the size that electronic states leave.
SCATTER_eV = (0.01, -0.02, 0.0, 0.02, -0.01, 0.0)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "reference_calculations_folder", lambda: tmp_path)
    monkeypatch.setattr(module, "starts_folder", lambda: tmp_path / "starts")
    (tmp_path / "starts").mkdir()
    _clear()
    yield tmp_path
    _clear()


def _clear():
    known_bindings.cache_clear()
    binding_by_potential.cache_clear()


def write_starts(folder, each):
    """The kept cells with energies that grow with the Co beside the vacancy."""
    _clear()
    for neighbours, pairs in ferrite_orders.SURROUNDINGS:
        start = load_start(f"cfo56{ferrite_orders.vacancy_key((neighbours, pairs))}")
        moved = start.model_copy(update={"energy_eV": -350.0 + each * neighbours})
        (folder / "starts" / f"{start.name}.json").write_text(moved.model_dump_json())


def write(folder, u, each, pair, scatter=1.0, charge=0.0):
    _clear()
    for (neighbours, pairs), off in zip(ferrite_orders.SURROUNDINGS, SCATTER_eV, strict=True):
        key = ferrite_orders.vacancy_key((neighbours, pairs))
        name = f"cfo56{key}-dzp-k1-u{u:g}" + ("-filled" if charge else "")
        settings = {"charge": charge} if charge else {}
        update = {"hubbard_U_eV": {"Co": u, "Fe": u}, "settings": settings}
        made = KEPT.calculation.model_copy(
            update={
                "name": name,
                "structure": ferrite_orders.order_cell("imma"),
                "energy_eV": -390.0 + each * neighbours + pair * pairs + scatter * off,
                "provenance": KEPT.calculation.provenance.model_copy(update=update),
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


def test_errors_of_the_fit_are_those_of_scipy(folder):
    """Its covariance divides what is left by the number of places less that of parameters."""
    write(folder, 4.0, each=-0.1, pair=0.05)
    places = np.array(ferrite_orders.SURROUNDINGS, dtype=float).T
    energies = -0.1 * places[0] + 0.05 * places[1] + np.array(SCATTER_eV)
    best, covariance = curve_fit(lambda x, e0, b, c: e0 + b * x[0] + c * x[1], places, energies, p0=(0.0, 0.0, 0.0))
    both = np.array([0.0, 2.0, 1.0])
    (found,) = known_bindings()
    assert found.between_two.value_eV == pytest.approx(both @ best, abs=1e-6)
    assert found.between_two.error_eV == pytest.approx(np.sqrt(both @ covariance @ both), rel=1e-4)
    assert found.per_neighbour.error_eV == pytest.approx(np.sqrt(covariance[1, 1]), rel=1e-4)


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


@pytest.mark.parametrize(
    ("by_potential", "by_gpaw", "sets", "verdict", "by"),
    [
        (0.1, None, (), "contradicted", "sevennet (ML)"),
        (-0.1, None, (), "reproduced", "sevennet (ML)"),
        (0.1, 0.1, (4.0,), "contradicted", "sevennet (ML)"),
        (0.1, -0.1, (4.0,), "undecided", "gpaw (GPAW)"),
        (0.1, -0.1, (3.0, 4.0, 5.0), "reproduced", "gpaw (GPAW)"),
    ],
)
def test_the_potential_speaks_until_first_principles_decide(folder, by_potential, by_gpaw, sets, verdict, by):
    write_starts(folder, by_potential)
    for u in sets:
        write(folder, u, by_gpaw, 0.0)
    said = beside_binding(OWN)
    assert (said.verdict, said.by) == (verdict, by)


@pytest.mark.parametrize("verdict", ["reproduced", "undecided"])
def test_a_study_with_its_own_random_cells_keeps_its_verdict(folder, verdict):
    write_starts(folder, 0.1)
    own = Judgement(verdict, -0.2, "eV between two Co", "40 vacancies in 5 cells", by="")
    said = beside_binding(own)
    assert (said.verdict, said.value, said.by) == (verdict, -0.2, "")
    assert "0.20 ± 0.00 eV for a place between two" in said.reason


def test_a_vacancy_without_holes_decides_nothing_alone_but_no_potential_decides_against_it(folder):
    for u in (3.0, 4.0, 5.0):
        write(folder, u, 0.2, 0.0, scatter=0.0, charge=-3.0)
    said = beside_binding(OWN)
    assert (said.verdict, said.value, said.by) == (OWN.verdict, OWN.value, OWN.by)
    assert "without holes, gpaw" in said.reason
    write_starts(folder, 0.1)
    said = beside_binding(OWN)
    assert (said.verdict, said.by) == ("contradicted", "sevennet (ML)")
    write_starts(folder, -0.1)
    said = beside_binding(OWN)
    assert (said.verdict, said.by) == ("undecided", "gpaw (GPAW)")
    assert said.value == pytest.approx(0.4)
    write(folder, 3.0, 0.2, 0.0)
    neutral, *filled = known_bindings()
    assert (neutral.charge, [k.charge for k in filled]) == (0.0, [-3.0] * 3)


def test_without_calculations_the_study_speaks_alone(folder):
    assert beside_binding(OWN) is OWN
