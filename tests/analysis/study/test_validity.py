"""A number that rests on a failed check is refused or carries the mark, in everything that shows a study."""

import pytest
from kept_study import kept_study
from magnetoionics.analysis.builder.attempts import NOTHING_CAME, Attempts
from magnetoionics.analysis.builder.build import retention_result
from magnetoionics.analysis.builder.post_processing import HopEnds, with_assumptions
from magnetoionics.analysis.device.assumptions import Assumptions
from magnetoionics.analysis.plots.comparison import plot_bands
from magnetoionics.analysis.plots.hops import draw_hop
from magnetoionics.analysis.plots.study import study_figures
from magnetoionics.analysis.report.comparison import comparison_html
from magnetoionics.analysis.report.page import report_html, summary_text
from magnetoionics.analysis.results.checks import Check, held, invalid_because, no_result
from magnetoionics.analysis.study.comparison import compare
from magnetoionics.analysis.study.documents import StageResult
from magnetoionics.analysis.study.validity import failures
from magnetoionics.structures.host import get_host
from matplotlib.figure import Figure

SADDLE = held("saddle force of segment 1", 1.14, 0.06, unit="eV/A")
WORDS = "saddle force of segment 1: 1.14 eV/A, must be below 0.06 eV/A"


@pytest.fixture(scope="module")
def sound():
    return kept_study()


def spoiled(check=SADDLE):
    """The study as if one check of its band had failed: everything made of it is made again."""
    study = kept_study()
    study.host.claims = list(get_host("cofe2o4").claims)
    study.migration[0].checks.append(check)
    study.retention = retention_result(study.migration[0], study.vibrations)
    structure = study.host.structure
    return with_assumptions(study, HopEnds(structure, structure, 0), Assumptions())


@pytest.fixture(scope="module")
def broken():
    return spoiled()


def test_a_sound_study_has_no_failures(sound):
    assert failures(sound) == []
    assert sound.retention is not None


def test_nothing_that_rests_on_the_band_is_a_number(broken):
    assert [f.part for f in failures(broken)] == [f"hop {broken.migration[0].label}"]
    assert broken.retention is None
    assert broken.switching is None
    assert broken.device is None
    for claim in (c for c in broken.claims if c.id in ("C2", "C8", "C9", "C10")):
        assert claim.verdict == "not computed"
        assert claim.value is None
        assert WORDS in claim.reason


def test_terminal_and_card_say_it_and_show_no_barrier(broken):
    barrier = f"{broken.migration[0].forward_eV:.2f} eV"
    lines = {line.split("?")[0].strip(): line for line in summary_text(broken).splitlines()}
    for question in ("Over what barrier", "How long is the state kept"):
        assert "no result" in lines[question]
        assert WORDS in lines[question]
        assert barrier not in lines[question]
    page = report_html(broken, {})
    assert "No result" in page
    assert "must be" in page


def test_tables_and_figures_carry_the_mark(broken, sound):
    for table in ("migration", "field"):
        assert (broken.to_dataframe(table)["no_result"] == f"no result: {WORDS}").all()
        assert (sound.to_dataframe(table)["no_result"] == "").all()
    figures = study_figures(broken)
    assert "retention" not in figures
    for name in ("band", "barrier_against_field"):
        assert "NO RESULT" in titles(figures[name].figure)
        assert "No result" in figures[name].caption
        assert "NO RESULT" not in titles(study_figures(sound)[name].figure)
    axis = Figure().add_subplot()
    draw_hop(broken.migration[0], axis)
    assert any("no result" in text.get_text() for text in axis.texts)
    drawn = plot_bands({"one": broken.migration[0], "two": sound.migration[0]})
    labels = [text.get_text() for text in drawn.axes[0].get_legend().get_texts()]
    assert ["no result" in label for label in labels] == [True, False]


def titles(figure):
    return " ".join(axis.get_title() for axis in figure.axes)


def test_a_comparison_leaves_it_out(broken, sound):
    rows = {row.quantity: row.values for row in compare({"broken": broken, "sound": sound})}
    label = sound.migration[0].label
    assert rows[f"{label}: forward barrier"] == [None, sound.migration[0].forward_eV]
    assert rows["retention at 300 K"][0] is None
    page = comparison_html({"broken": broken, "sound": sound})
    assert "no result: saddle force" in page


def test_states_that_are_not_relaxed_are_no_states_and_a_saddle_does_not_spoil_them():
    hop = spoiled().migration[0]
    assert hop.why_no_result
    assert hop.why_not_two_states == []
    loose = held("final end relaxed", 0.88, 0.01, unit="eV/A", of_ends=True)
    assert spoiled(loose).migration[0].why_not_two_states == [loose.in_words]


def test_what_no_number_rests_on_is_said_and_costs_nothing():
    aside = Check(
        name="sizes of the moments kept (image 3)",
        passed=False,
        must_be="above",
        limit=0.5,
        value=0.4,
        invalidates=False,
    )
    study = spoiled(aside)
    assert failures(study) == []
    assert study.retention is not None
    assert "Checks that failed beside" in report_html(study, {})


def test_a_failed_comparison_of_an_older_version_counts():
    """Before checks said their side none of a band's own invalidated, whatever it found."""
    older = Check(name="NEB residual of hump 1", passed=False, value=0.4, limit=0.03, unit="eV/A", invalidates=False)
    assert invalid_because([older]) == ["NEB residual of hump 1"]
    assert spoiled(older).retention is None


def test_a_vacancy_that_is_not_relaxed_is_no_evidence():
    study = kept_study()
    study.vacancies[0].checks.append(held("forces relaxed", 0.3, 0.01, unit="eV/A"))
    label = study.vacancies[0].label
    assert [f.part for f in failures(study)] == [label]
    assert study.to_dataframe("vacancies").loc[label, "no_result"].startswith("no result: forces relaxed")
    assert all(f"{label} minus" not in row.quantity for row in compare({"one": study, "two": study}))


def test_the_mark_names_the_first_reasons_and_counts_the_rest():
    assert no_result([]) == ""
    assert no_result(["a", "b"]) == "no result: a; b"
    assert no_result(["a", "b", "c", "d"]) == "no result: a; b; and 2 more"


def test_stages_end_as_what_came_of_them():
    planned = [StageResult(stage=s, done=True) for s in ("host", "vacancies", "migration", "vibrations")]
    planned.append(StageResult(stage="binding", done=False, reason="not asked for"))
    attempts = Attempts()
    assert attempts.part("host", lambda: 3, 0) == 3
    assert attempts.part("vacancies", lambda: 1 / 0, 7) == 7
    assert attempts.part("migration", lambda: [][0], None, finding=True) is None
    with pytest.raises(TypeError):
        attempts.part("host", lambda: None + 1, 0)
    ended = {s.stage: s for s in attempts.stages(planned, ["vibrations", "migration", "binding"])}
    assert (ended["host"].done, ended["host"].failed) == (True, False)
    assert (ended["vacancies"].done, ended["vacancies"].failed) == (True, True)
    assert (ended["migration"].done, ended["migration"].failed) == (False, False)
    assert (ended["vibrations"].failed, ended["vibrations"].reason) == (True, NOTHING_CAME)
    assert ended["binding"] == planned[-1]
