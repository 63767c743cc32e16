"""Cards show their first clauses, sections their results; what stands behind folds, and nothing is lost."""

import re

from kept_study import kept_study
from magnetoionics.analysis.kinetics.field_treatments import field_study, path_points
from magnetoionics.analysis.kinetics.profiles import LINEAR, PATH
from magnetoionics.analysis.report.beside import with_more
from magnetoionics.analysis.report.model import Answer, Page
from magnetoionics.analysis.report.page import render
from magnetoionics.analysis.report.sections import build_sections
from magnetoionics.analysis.report.tables import checks_table, treatments_table
from magnetoionics.analysis.results.page_parts import Cell, Section, Table, folded

OWN = "V_Fe before V_Co by 1.3 eV (errors; of a fit); " + "; ".join(
    f"clause {n} with some words in it" for n in range(6)
)


def test_first_clauses_are_shown_and_the_rest_is_folded():
    answer = with_more(Answer("Which?", "V_Fe", OWN), "better levels of theory: gpaw: 1.2 eV; sevennet: 0.9 eV")
    assert answer.shown.startswith("V_Fe before V_Co by 1.3 eV (errors; of a fit)")
    assert len(answer.shown) < 140
    assert "; ".join([answer.shown, answer.folded]) == OWN
    assert answer.detail == f"{OWN}; {answer.beside}"


def test_a_long_clause_is_shown_whole_and_a_short_detail_folds_nothing():
    long = "word " * 60
    assert Answer("Which?", "V_Fe", long.strip()).shown == long.strip()
    short = Answer("Which?", "V_Fe", "one; two")
    assert (short.shown, short.folded, short.beside) == ("one; two", "", "")


def test_page_holds_all_three_parts():
    answer = with_more(Answer("Which?", "V_Fe", OWN), "better levels of theory: gpaw: 1.2 eV")
    html = render(Page("a", "b", [], [answer], []))
    assert html.index("clause 0") < html.index("<summary>more</summary>") < html.index("clause 5")
    assert html.index("clause 5") < html.index("better levels of theory")
    plain = render(Page("a", "b", [], [Answer("Which?", "V_Fe", "one; two")], []))
    assert "<summary>more</summary>" not in plain


def test_a_table_with_a_failure_is_never_folded():
    passed, failed = Table("a", ["x"], [[Cell("1", "passed")]]), Table("b", ["x"], [[Cell("2", "failed")]])
    assert [folded(passed).folded, folded(failed).folded] == [True, False]
    section = Section("s", "S", tables=[folded(passed), folded(failed)], notes=["n"], notes_heading="References")
    html = render(Page("a", "b", [], [], [section]))
    assert re.search(r'<details class="folded"><summary>a <span class="muted">\(1 row\)', html)
    assert '<details class="folded"><summary>b' not in html
    assert "<summary>References (1)</summary>" in html


def test_each_section_says_what_it_leaves_out_once():
    """A note that an earlier section has is named by that section, never dropped."""
    sections = build_sections(kept_study())
    notes = [n for s in sections for n in s.notes if not n.startswith("what stands under")]
    assert len(notes) == len(set(notes))
    host = next(s for s in sections if s.anchor == "host")
    migration = next(s for s in sections if s.anchor == "migration")
    assert host.notes
    assert any("Host" in n for n in migration.notes if n.startswith("what stands under"))


def two_treatments():
    hop = kept_study().migration[0]
    dipoles = [[p.dipole_along_hop_e_A, 0.0, 0.0] for p in hop.images]
    points = [
        point
        for treatment in (PATH, LINEAR)
        for point in path_points(
            [p.energy_eV for p in hop.images], dipoles, [1, 0, 0], [-0.05, 0.0, 0.1], treatment=treatment
        )
    ]
    return field_study(
        points,
        label=hop.label,
        direction=[1, 0, 0],
        exchanged=False,
        dipole_source="charges",
        provenance=hop.provenance,
    )


def test_one_table_of_fields_holds_both_treatments():
    """Work along the path and rate law side by side; the identity forward - back = final - initial in every row."""
    found = two_treatments()
    table = treatments_table(found)
    heads = list(table.columns)
    assert "forward, linear (eV)" in heads
    for row in table.rows:
        cells = dict(zip(heads, (c.text for c in row), strict=True))
        for more in ("", ", linear"):
            apart = float(cells[f"forward{more} (eV)"]) - float(cells[f"back{more} (eV)"])
            assert abs(apart - float(cells["final − initial (eV)"])) < 2e-3
    assert "missed" not in table.note
    found.points[0].residual_i_eV = 0.02
    assert "missed: work along the zero-field path by 20 meV" in treatments_table(found).note


def test_checks_are_counted_in_the_caption():
    hop = kept_study().migration[0]
    assert checks_table(hop).caption.endswith(f"{len(hop.checks)} of {len(hop.checks)} passed")
