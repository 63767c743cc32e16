"""Lithium into V_Fe(B) by first principles: both barriers of each U, one electronic state, and what decides C12."""

import pytest
from magnetoionics.analysis.audit import known_bands, known_lithium_hop
from magnetoionics.analysis.audit.evidence import Judgement
from magnetoionics.analysis.audit.known_lithium_hop import beside_lithium_hop, known_lithium_hops
from magnetoionics.analysis.study.reference_calculations import load_reference_calculations

KEPT = load_reference_calculations()["life56vli-dzp-k1"]
OWN = Judgement("reproduced", 0.27, "eV", "by a potential", by="sevennet")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for module in (known_bands, known_lithium_hop):
        monkeypatch.setattr(module, "reference_calculations_folder", lambda: tmp_path)
    known_lithium_hops.cache_clear()
    yield tmp_path
    known_lithium_hops.cache_clear()


def write(folder, state, u, energy, moments=None):
    known_lithium_hops.cache_clear()
    name = f"life55{state}-dzp-k1-u{u:g}"
    made = KEPT.calculation.model_copy(
        update={
            "name": name,
            "energy_eV": energy,
            "site_moments_muB": moments or KEPT.calculation.site_moments_muB,
            "provenance": KEPT.calculation.provenance.model_copy(update={"hubbard_U_eV": {"Fe": u}}),
        }
    )
    text = KEPT.model_copy(update={"name": name, "calculation": made}).model_dump_json()
    (folder / f"{name}.json").write_text(text)


def hop(folder, u, forward=0.2, back=0.5, moments=None):
    write(folder, "before", u, -100.0)
    write(folder, "saddle1", u, -100.0 + forward, moments)
    write(folder, "after", u, -100.0 + forward - back)


def test_barriers_are_counted_from_the_highest_saddle(folder):
    hop(folder, 4.0)
    write(folder, "saddle2", 4.0, -100.1)
    (found,) = known_lithium_hops()
    assert (found.forward_eV, found.back_eV) == (pytest.approx(0.2), pytest.approx(0.5))
    assert found.in_words == "U = 4 eV: 0.20 eV in and 0.50 eV out"


def test_a_point_is_missing_and_nothing_is_said(folder):
    write(folder, "before", 4.0, -100.0)
    write(folder, "saddle1", 4.0, -99.0)
    assert beside_lithium_hop(OWN) is OWN


def test_electrons_that_move_on_the_way_leave_no_barrier(folder):
    moments = list(KEPT.calculation.site_moments_muB)
    iron = next(i for i, s in enumerate(KEPT.calculation.structure) if s.specie.symbol == "Fe")
    moments[iron] *= 0.85
    for u in (3.0, 4.0, 5.3):
        hop(folder, u, moments=moments)
    said = beside_lithium_hop(OWN)
    assert not any(h.same_state for h in known_lithium_hops())
    assert (said.verdict, said.value, said.by) == ("reproduced", 0.27, "sevennet")
    assert "no barrier" in said.reason


@pytest.mark.parametrize(
    ("sets", "forward", "back", "verdict", "value"),
    [
        ((3.0, 4.0), 0.2, 0.5, "reproduced", 0.27),
        ((3.0, 4.0), 0.7, 0.9, "undecided", 0.27),
        ((3.0, 4.0, 5.3), 0.2, 0.5, "reproduced", 0.5),
        ((3.0, 4.0, 5.3), 0.7, 0.9, "contradicted", 0.9),
        ((3.0, 4.0, 5.3), 0.9, 0.7, "contradicted", 0.9),
        ((3.0, 4.0, 5.3), 0.2, 0.9, "undecided", 0.9),
        ((3.0, 4.0, 5.3), 0.9, 0.2, "undecided", 0.9),
    ],
)
def test_three_sets_of_u_decide_by_the_harder_and_the_easier_way(folder, sets, forward, back, verdict, value):
    for u in sets:
        hop(folder, u, forward, back)
    said = beside_lithium_hop(OWN)
    assert (said.verdict, said.value) == (verdict, pytest.approx(value))
    assert "by a potential" in said.reason
