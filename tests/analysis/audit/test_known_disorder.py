"""Cells without order: what they cost against the normal spinel, and the degree of inversion that follows."""

import ferrite_orders
import pytest
from magnetoionics.analysis.audit import known_disorder as module
from magnetoionics.analysis.audit.known_disorder import disorder_in_words, known_disorder
from magnetoionics.analysis.defects.inversion import inversion_degree
from magnetoionics.analysis.study.reference_calculations import forces_in_words, load_reference_calculations
from magnetoionics.structures.cells.cation_order import sites_on
from magnetoionics.structures.cells.sqs import short_range_order
from magnetoionics.structures.spins import total_moment

KEPT = load_reference_calculations()["imma-dzp-k2"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "reference_calculations_folder", lambda: tmp_path)
    known_disorder.cache_clear()
    yield tmp_path
    known_disorder.cache_clear()


def write(folder, key, above_eV_per_formula, u=4.0):
    known_disorder.cache_clear()
    name = f"cfo56{key}-dzp-k1-u{u:g}"
    made = KEPT.calculation.model_copy(
        update={
            "name": name,
            "structure": ferrite_orders.order_cell("imma"),
            "energy_eV": -400.0 + 8 * above_eV_per_formula,
            "provenance": KEPT.calculation.provenance.model_copy(
                update={
                    "hubbard_U_eV": {"Co": u, "Fe": u},
                    "left_out": ["ions relaxed by sevennet, not at these settings"],
                }
            ),
        }
    )
    (folder / f"{name}.json").write_text(KEPT.model_copy(update={"name": name, "calculation": made}).model_dump_json())


def test_the_quadratic_term_runs_through_three_cells(folder):
    alpha, beta = 0.15, -0.20
    write(folder, "normal", 0.0)
    write(folder, "half", alpha / 2 + beta / 4)
    write(folder, "sqs", alpha + beta)
    write(folder, "imma", -0.08)
    (found,) = known_disorder()
    assert found.quadratic_eV == pytest.approx(beta)
    assert found.degree_of_inversion == pytest.approx(inversion_degree(alpha + beta, 1000.0, beta))
    # With its sign turned the term would leave another degree.
    assert abs(found.degree_of_inversion - inversion_degree(alpha + beta, 1000.0, -beta)) > 0.05
    assert found.above_normal_eV_per_formula["Imma"] == pytest.approx(-0.08)
    assert "ions by sevennet" in disorder_in_words()


def test_a_quadratic_term_far_beyond_the_usual_one_is_called_so(folder):
    """O'Neill and Navrotsky: some -20 kJ/mol, -0.21 eV, for spinels of ions of charges 2 and 3."""
    write(folder, "normal", 0.0)
    write(folder, "sqs", 0.0)
    write(folder, "half", 0.06)
    assert known_disorder()[0].quadratic_eV == pytest.approx(-0.24)
    assert "rest on one half inverted cell" not in disorder_in_words()
    write(folder, "half", 0.15)
    assert known_disorder()[0].quadratic_eV == pytest.approx(-0.60)
    assert "beyond twice the usual -0.21 eV rest on one half inverted cell" in disorder_in_words()


def test_what_a_potential_leaves_on_the_ions_is_said(folder):
    write(folder, "normal", 0.0)
    write(folder, "sqs", 0.0)
    left = KEPT.calculation.max_force_eV_per_A
    assert f"ions by sevennet (forces of up to {left:.1f} eV/A left)" in disorder_in_words()
    assert forces_in_words([0.1, None, 2.0]) == forces_in_words([]) == ""
    assert forces_in_words([0.1, 1.96]) == " (forces of up to 2.0 eV/A left)"


def test_without_the_half_inverted_cell_no_degree_is_given(folder):
    write(folder, "normal", 0.0)
    write(folder, "sqs", -0.05)
    write(folder, "sqs", -0.02, u=3.0)
    (found,) = known_disorder()
    assert (found.quadratic_eV, found.degree_of_inversion) == (None, None)
    assert found.in_words == "U = Co 4, Fe 4 eV: quasi-random inverse -0.050"


@pytest.mark.parametrize("key", ferrite_orders.CELLS)
def test_cells_hold_the_ions_of_their_degree_of_inversion(key):
    cell = ferrite_orders.order_cell(key)
    cobalt = {p: sum(cell[i].specie.symbol == "Co" for i in sites_on(cell, p)) for p in ("A", "B")}
    moved = 8 * ferrite_orders.INVERSION[key]
    assert cobalt == {"A": 8 - moved, "B": moved}
    # Neel: 5 and 3 muB, A against B.
    assert total_moment(cell) == pytest.approx(8 * (7 - 4 * ferrite_orders.INVERSION[key]))


def test_the_quasi_random_cell_has_pairs_nearer_to_random_than_the_ordered_ones():
    near = {k: abs(short_range_order(ferrite_orders.order_cell(k), "B", "Co")[0]) for k in ("imma", "p4122", "sqs")}
    assert near["sqs"] < 0.1 < min(near["imma"], near["p4122"])


def test_every_surrounding_is_there_once_the_ion_is_taken_out():
    whole = ferrite_orders.order_cell("sqs")
    for wanted in ferrite_orders.SURROUNDINGS:
        site = ferrite_orders.vacancy_site(whole, wanted)
        assert ferrite_orders.surroundings(whole, site) == wanted
        assert len(ferrite_orders.start_cell(ferrite_orders.vacancy_key(wanted))) == 55
    with pytest.raises(ValueError, match=r"no Fe\(B\) with \(6, 3\)"):
        ferrite_orders.vacancy_site(whole, (6, 3))
