"""Defects in a study: claims from random cells and moments, the stage on request, the report's tables."""

from types import SimpleNamespace

import pytest
from magnetoionics.analysis.audit.judging import HOLE_ON_NEIGHBOUR_eV, audit
from magnetoionics.analysis.defects.binding import Effect, VacancyBinding
from magnetoionics.analysis.defects.brouwer import FilmPoint, RatioRange
from magnetoionics.analysis.defects.equilibria import DefectEquilibria
from magnetoionics.analysis.report.defect_tables import binding_table, films_table
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.study.documents import VacancyResult
from magnetoionics.analysis.thermodynamics.references import SpeciesFit
from magnetoionics.analysis.thermodynamics.stability_window import load_experimental_phases, stability_window
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.flows.plan import plan_stages
from undrawn_studies import run_study

TAG = Provenance(engine="vasp", level_of_theory="VASP", functional="PBE")


def binding(each, pair, error=0.02):
    return VacancyBinding(
        label="V_Fe(B)",
        neighbour="Co",
        per_neighbour=Effect(value_eV=each, error_eV=error),
        per_pair=Effect(value_eV=pair, error_eV=error),
        between_two=Effect(value_eV=2 * each + pair, error_eV=error),
        correlation=0.7, residual_eV=0.05, spread_eV=0.2, cells=10, samples=80, degrees_of_freedom=68, rejected=0,
        method="10 random cells", data=[], provenance=TAG,
    )  # fmt: skip


def verdict(level_of_theory, found):
    study = SimpleNamespace(
        host=SimpleNamespace(claims=("C6",)), vacancies=[], chemical_potentials=None, migration=[],
        engine=SimpleNamespace(name=level_of_theory.lower(), level_of_theory=level_of_theory),
        observables={} if found is None else {"binding": found},
    )  # fmt: skip
    return {c.id: c for c in audit(study)}


@pytest.mark.parametrize(
    ("level_of_theory", "each", "pair", "expected"),
    [
        ("VASP", -0.2, -0.1, "reproduced"),
        ("VASP", -0.2, 0.0, "reproduced"),
        ("VASP", 0.2, 0.0, "contradicted"),
        ("VASP", 0.01, -0.02, "undecided"),
        ("VASP", -0.2, 0.1, "undecided"),
        ("local", 0.34, -0.01, "undecided"),
        ("local", 1.2, 0.0, "contradicted"),
    ],
)
def test_the_verdict_on_neighbours_follows_from_significant_signs(level_of_theory, each, pair, expected):
    row = verdict(level_of_theory, binding(each, pair))["C6"]
    assert row.verdict == expected
    assert row.value == pytest.approx(2 * each + pair)
    assert f"{each:+.3f}" in row.reason


@pytest.mark.parametrize(("bar", "expected"), [(0.3, "reproduced"), (3.0, "undecided"), (None, "undecided")])
def test_an_error_that_is_not_known_decides_nothing(bar, expected):
    """V_Co(B) is known 2 eV above V_Fe(B) where the window brings it nearest."""
    window = stability_window("CoFe2O4", load_experimental_phases(["Co", "Fe", "O"]))
    nearest = min(v["Co"] - v["Fe"] for v in window.vertices)
    found = [
        VacancyResult(
            label=label, element=label[2:4], sublattice=label[5], multiplicity=8, near_cations=None, cell_atoms=55,
            energy_minus_host_eV=energy, total_moment_muB=0.0, moment_change_muB=0.0, converged=True, checks=[],
            indicative=True, error_bar_eV=bar, note="",
        )
        for label, energy in (("V_Fe(B)", 1.0), ("V_Fe(A)", 2.0), ("V_Co(B)", 3.0 - nearest))
    ]  # fmt: skip
    fitted = SpeciesFit(
        reference_energies_eV={"Co": -7.0, "Fe": -7.0, "O": -5.0}, residuals_eV={}, rms_eV=0.1, rms_eV_per_atom=0.1,
        error_bar_eV=bar, compounds=4, rank=3, degrees_of_freedom=1,
    )  # fmt: skip
    study = SimpleNamespace(
        host=SimpleNamespace(claims=("C5",)), vacancies=found, observables={}, migration=[],
        engine=SimpleNamespace(name="vasp", level_of_theory="VASP"),
        chemical_potentials=SimpleNamespace(window=window, references=fitted),
    )  # fmt: skip
    row = next(c for c in audit(study) if c.id == "C5")
    assert row.verdict == expected
    assert row.value == pytest.approx(2.0)
    assert ("is not known" in row.reason) == (bar is None)


def test_the_attraction_left_out_is_coulombs():
    # 3 x 14.40 eV A / (10 x 2.97 A)
    assert pytest.approx(1.455, abs=0.001) == HOLE_ON_NEIGHBOUR_eV


def test_tables_show_ranges_and_reasons():
    table = binding_table(binding(0.2, -0.05))
    assert [row[0].text for row in table.rows][:1] == ["each Co neighbour"]
    good = FilmPoint(
        temperature_K=900, pressure_atm=1e-5, delta_mu_O_eV=-1.4, inside=True, vacancies_per_formula={"V_Fe(B)": 0.03},
        ratios=[RatioRange(elements="Fe/Co", low=1.95, mid=1.97, high=1.99)],
    )  # fmt: skip
    bad = good.model_copy(update={"inside": False, "ratios": [], "note": "the host is not stable"})
    made = films_table(DefectEquilibria(brouwer=[], films=[good, bad], error_bar_eV=0.1))
    assert "1.9700 (1.9500 to 1.9900)" in [c.text for c in made.rows[0]]
    assert made.rows[1][-1].text == "the host is not stable"


def test_binding_is_a_stage_on_request():
    host, engine = get_host("cofe2o4"), get_engine("local")
    assert "binding" not in {s.stage for s in plan_stages(engine, host, "Imma")}
    asked = {s.stage: s for s in plan_stages(engine, host, "Imma", ["binding"])}
    assert asked["binding"].done
    assert not asked["vacancies"].done
    with pytest.raises(ValueError, match=r"no vacancy of coo .* sublattice of two kinds of cations"):
        plan_stages(engine, get_host("coo"), get_host("coo").orders[0], ["binding"])


@pytest.mark.slow
def test_a_study_with_random_cells_judges_the_neighbours(tmp_path):
    from magnetoionics.analysis.study.documents import Study

    folder = run_study("cofe2o4", quick=True, output=tmp_path / "b", stages=["vacancies", "binding"])
    study = Study.model_validate_json((folder / "results.json").read_text())
    found = study.observables["binding"]
    assert found.samples + found.rejected == 40
    # Missing Fe3+ and Co2+ on B both carry less charge than Fe3+: in rigid ions they repel each other.
    assert found.per_neighbour.sign == 1
    row = next(c for c in study.claims if c.id == "C6")
    assert row.value == found.between_two.value_eV
    assert "and its neighbours" in (folder / "report.html").read_text()


def test_lithium_ferrite_moments_are_judged(tmp_path):
    from magnetoionics.analysis.study.documents import Study

    folder = run_study("life5o8", quick=True, output=tmp_path / "l", stages=["vacancies"])
    study = Study.model_validate_json((folder / "results.json").read_text())
    row = next(c for c in study.claims if c.id == "C11")
    assert row.verdict == "undecided"
    assert "no electrons" in row.reason
    assert study.defects is None


def test_the_example_of_the_page_runs(repository, capsys):
    import re

    (code,) = re.findall(r"^```python\n(.*?)^```", (repository / "docs" / "howto_defects.md").read_text(), re.M | re.S)
    found = {}
    exec(compile(code, "howto_defects", "exec"), found)
    assert "V_Fe(B)" in capsys.readouterr().out
    assert all(found["diagram"].inside)
    assert any(found["diagram"].dilute)
    ratio = found["film"].ratio("Fe/Co")
    assert ratio.low <= ratio.mid <= ratio.high <= 2.0


def test_caption_says_what_an_error_does_to_a_concentration(monkeypatch):
    """A tenth of an eV at 1000 K is half a decade: 0.1 / (kT ln 10)."""
    from types import SimpleNamespace

    from magnetoionics.analysis.plots import study as figures

    monkeypatch.setattr(figures, "plot_brouwer", lambda diagram: None)
    diagram = SimpleNamespace(quenched_to_K=None, temperature_K=1000.0)
    defects = SimpleNamespace(dilute=True, brouwer=[diagram], error_bar_eV=0.1, fermi=None, left_out=["x"])
    made = figures._defect_figures(SimpleNamespace(engine=SimpleNamespace(name="vasp")), defects)
    assert "An error of 0.10 eV in an energy is 0.5 decades" in made["brouwer"].caption
