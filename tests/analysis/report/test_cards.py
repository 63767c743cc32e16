"""A card shows its first clauses and what stands beside them, and folds the rest; nothing of an answer is lost."""

from magnetoionics.analysis.report.beside import with_more
from magnetoionics.analysis.report.model import Answer, Page
from magnetoionics.analysis.report.page import render

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
