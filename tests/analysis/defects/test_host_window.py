"""Competing phases as a stage: the computed window, the experimental one beside it, and what falls back on which."""

import re
from dataclasses import dataclass
from typing import ClassVar

import pytest
from made_studies import CFO, LFO, TAG, ELEMENT_eV, energy, known_study, phases
from magnetoionics.analysis.defects.defect_energies import VacancyFormation
from magnetoionics.analysis.defects.host_window import (
    competing_phases_result,
    experimental_window,
    oxygen_errors,
)
from magnetoionics.analysis.plots.study import study_figures
from magnetoionics.analysis.report.page import report_html
from magnetoionics.analysis.study.documents import Study
from magnetoionics.analysis.thermodynamics.computed_phases import ComputedPhases
from magnetoionics.analysis.thermodynamics.oxygen_gas import heat_content_eV
from magnetoionics.analysis.thermodynamics.phases import EV_PER_KJ_PER_MOL, stated_phase
from magnetoionics.hpc.assumptions import read_assumptions
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.hpc.local.store import open_store
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.engines.local import LocalEngine
from magnetoionics.workflows.flows.plan import plan_stages
from magnetoionics.workflows.flows.study import MagnetoionicStudyMaker
from matplotlib import pyplot as plt
from undrawn_studies import run_study

ELEMENTS = ("Li", "Fe", "O")


def test_a_window_from_energies_that_obey_the_enthalpies_is_the_experimental_one():
    made = competing_phases_result(energy("CoFe2O4"), phases(CFO))
    assert made.window.delta_mu_O_min_eV == pytest.approx(made.experimental.delta_mu_O_min_eV, abs=1e-6)
    assert made.window.delta_mu_O_max_eV == pytest.approx(made.experimental.delta_mu_O_max_eV, abs=1e-6)
    assert made.window.oxygen_rich.reaction == made.experimental.oxygen_rich.reaction
    # CoO + Fe2O3 -> CoFe2O4: -26.6 kJ/mol.
    assert made.above_mixture_eV == pytest.approx(-26.6 / 96.485, abs=1e-3)
    assert made.mixture == "CoO + Fe2O3"


def test_an_error_per_cation_and_per_oxygen_leaves_the_window_alone():
    """What a functional gets wrong about metals and O2 must not move a window of oxide-only references."""
    wrong = ComputedPhases(energies=[energy(f) for f in CFO])
    host = energy("CoFe2O4")
    for e in [*wrong.energies, host]:
        atoms = e.composition
        e.energy_eV += 2.2 * atoms.get("Fe", 0) + 1.6 * atoms.get("Co", 0) - 0.7 * atoms["O"]
    made = competing_phases_result(host, wrong)
    assert made.window.delta_mu_O_min_eV == pytest.approx(made.experimental.delta_mu_O_min_eV, abs=1e-6)
    assert made.window.delta_mu_O_max_eV == pytest.approx(made.experimental.delta_mu_O_max_eV, abs=1e-6)


def test_the_study_s_own_cell_is_the_host():
    """A tabulated cell of the host's composition, in whatever order, does not enter."""
    given = phases(CFO)
    given.energies.append(energy("CoFe2O4", shift_eV=-5.0))
    made = competing_phases_result(energy("CoFe2O4"), given)
    assert made.above_mixture_eV == pytest.approx(-26.6 / 96.485, abs=1e-3)
    assert [e.formula for e in made.phases.energies] == [*CFO, "CoFe2O4"]


def test_the_error_of_oxygen_reaches_each_vacancy_with_its_own_weight():
    """LiFe5O8 with Fe2O3: mu_Fe falls by 3/2 and mu_Li by 8 - 15/2 of what mu_O rises; errors of metals cancel."""
    off = phases(LFO)
    next(e for e in off.energies if e.formula == "FeO").energy_eV += 0.1
    for e in off.energies:
        e.energy_eV += 2.2 * e.composition.get("Fe", 0)
    host = energy("LiFe5O8", shift_eV=5 * 2.2)
    made = competing_phases_result(host, off)
    steps = [s.oxygen_eV for s in made.references.ladder]
    spread = 0.5 * abs(steps[0] - steps[1])
    assert made.references.oxygen_spread_eV == pytest.approx(spread)
    assert spread > 0.1
    defects = [
        VacancyFormation(label=f"V_{el}", removed={el: 1}, energy_difference_eV=9.0, provenance=TAG) for el in ELEMENTS
    ]
    errors = oxygen_errors(made, defects)
    assert errors == pytest.approx({"V_O": spread, "V_Fe": 1.5 * spread, "V_Li": 0.5 * spread}, abs=1e-6)


def test_a_spread_as_wide_as_the_window_leaves_the_error_unknown():
    """Fe3O4 by SevenNet: at one end of the spread the host is unstable, which once ended the whole study."""
    made = competing_phases_result(energy("LiFe5O8"), phases(LFO))
    made.references.oxygen_spread_eV = 3.0
    defect = VacancyFormation(label="V_O", removed={"O": 1}, energy_difference_eV=9.0, provenance=TAG)
    assert made.window is not None
    assert oxygen_errors(made, [defect]) == {"V_O": None}


def test_a_peroxide_takes_its_measured_enthalpy():
    """Oxygen fitted to oxides would carry the error of O2- into the O-O bond."""
    off = phases(LFO)
    next(e for e in off.energies if e.formula == "Li2O2").energy_eV -= 1.2
    made = competing_phases_result(energy("LiFe5O8"), off)
    formed = {p.formula: p for p in made.references.phases}
    assert formed["Li2O2"].formation_energy_eV == pytest.approx((-634.3 + 2 * 4.343) / 96.485, abs=1e-3)
    assert formed["Li2O2"].provenance.level_of_theory == "experiment"
    assert any("Li2O2 is a peroxide" in note for note in made.references.notes)
    assert any("mixed" in note for note in made.window.left_out)
    assert made.window.delta_mu_O_max_eV == pytest.approx(
        competing_phases_result(energy("LiFe5O8"), phases(LFO)).window.delta_mu_O_max_eV
    )


@pytest.mark.parametrize(
    ("shift", "change", "reason"),
    [
        (0.5, {}, r"unstable: 0\.22. eV per formula unit above CoO \+ Fe2O3"),
        (0.0, {"hubbard_U_eV": {"Fe": 4.0}}, r"do not go together.*hubbard_U_eV"),
    ],
)
def test_no_window_has_a_reason_and_the_experimental_one_stays(shift, change, reason):
    made = competing_phases_result(energy("CoFe2O4", shift), phases(CFO, **change))
    assert made.window is None
    assert made.experimental.delta_mu_O_min_eV == pytest.approx(-2.622, abs=0.001)
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(made.reason)


def test_formation_energies_follow_from_the_computed_window():
    """E_f(V_O) = E_d - E_h + E(O) + dmu_O, with the known energy of oxygen."""
    study = known_study("life5o8", LFO)
    assert next(s for s in study.stages if s.stage == "chemical potentials").done
    (vacancy,) = study.vacancies
    window = study.chemical_potentials.window
    assert window == study.competing_phases.window
    assert study.competing_phases.experimental is None
    assert "no formation energy of LiFe5O8" in study.competing_phases.experimental_reason
    for edge, mu in ((vacancy.oxygen_poor, window.delta_mu_O_min_eV), (vacancy.oxygen_rich, window.delta_mu_O_max_eV)):
        assert edge.low_eV == pytest.approx(8.0 + ELEMENT_eV["O"] + mu, abs=1e-6)
    again = Study.model_validate_json(study.model_dump_json(by_alias=True))
    assert again.competing_phases == study.competing_phases
    assert again.chemical_potentials == study.chemical_potentials
    page = report_html(study)
    assert "phases computed with engine vasp" in page
    assert "Measured enthalpies give no window" in page
    plt.close("all")


def test_both_windows_are_drawn_and_told_apart():
    study = known_study("cofe2o4", CFO)
    figures = study_figures(study)
    labels = figures["window"].figure.axes[0].get_legend_handles_labels()[1]
    assert "region from experimental enthalpies" in labels
    assert "phases computed with engine vasp" in figures["window"].caption
    assert re.search(r"the edges\s+differ by [+−]0\.00 and [+−]0\.00 eV", report_html(study))
    plt.close("all")


def test_an_unstable_host_falls_back_on_enthalpies_or_ends_without_a_window():
    study = known_study("cofe2o4", CFO, shift_eV=0.5)
    assert study.chemical_potentials.window.provenance.level_of_theory == "experiment"
    assert "unstable" in report_html(study)
    study = known_study("life5o8", LFO, shift_eV=0.5)
    assert study.chemical_potentials is None
    ended = next(s for s in study.stages if s.stage == "chemical potentials")
    assert not ended.done
    assert "computed phases: LiFe5O8 is unstable" in ended.reason
    assert "measured enthalpies: no formation energy of LiFe5O8" in ended.reason
    plt.close("all")


@dataclass
class Trusted(LocalEngine):
    """The embedded engine, as if it could order oxides."""

    phases_on_request: ClassVar[str] = ""

    def check(self, structure):
        """Any element."""


def plan(engine, key, requested=None):
    host = get_host(key)
    return {s.stage: s for s in plan_stages(engine, host, host.orders[0], requested)}


def test_phases_are_computed_by_default_where_the_engine_says_so():
    off = plan(get_engine("local"), "life5o8")
    assert "rigid ions misjudge" in off["competing phases"].reason
    assert not off["chemical potentials"].done
    for made in (plan(Trusted(), "life5o8"), plan(get_engine("local"), "life5o8", ["competing_phases", "vacancies"])):
        assert made["competing phases"].done
        assert made["chemical potentials"].done
    assert plan(get_engine("local"), "cofe2o4", ["vacancies"])["competing phases"].reason == "not asked for"
    # Vacancies bring them along: lithium ferrite has no other window.
    assert plan(Trusted(), "life5o8", ["vacancies"])["chemical potentials"].done
    assert plan(Trusted(), "life5o8", ["migration"])["competing phases"].reason == "not asked for"


@pytest.mark.parametrize(
    ("key", "reason"), [("gamma_fe2o3", "hematite"), ("mgfe2o4", ""), ("nife2o4", ""), ("fe3o4", "")]
)
def test_hosts_without_known_phases_are_left_out_with_the_reason(key, reason):
    found = plan(Trusted(), key)["competing phases"]
    assert found.done == (not reason)
    assert reason in found.reason


def test_phases_alone_give_a_window_of_the_local_engine_that_is_none(tmp_path):
    folder = run_study("cofe2o4", quick=True, output=tmp_path / "p", stages=["competing-phases"])
    study = Study.model_validate_json((folder / "results.json").read_text())
    found = study.competing_phases
    assert {e.formula for e in found.phases.energies} == {*CFO, "CoFe2O4"}
    assert 0.5 < found.above_mixture_eV < 1.2
    assert study.chemical_potentials is None
    assert study.not_done("chemical potentials") == "there are no vacancies to use them"
    assert "unstable" in (folder / "report.html").read_text()


# Not a recommendation: the two values of S. K. Rakshit et al., 10.1016/j.jssc.2011.03.033, brought to 298 K or not.
OWN = "LiFe5O8: {kJ_per_mol: -2368, uncertainty_kJ_per_mol: 6, source: a paper}, LiFeO2: -708"


def test_enthalpies_of_the_user_open_a_window_that_the_table_lacks():
    """Edges by hand, and a tabulated value is replaced rather than kept beside the stated one."""
    stated = read_assumptions(enthalpies=OWN).enthalpies
    assert [p.source for p in stated] == ["a paper", "stated by the user"]
    window, reason = experimental_window("LiFe5O8", stated)
    assert reason == ""
    assert window.oxygen_rich.reaction == "LiFe5O8 + 1/4 O2 -> 5/2 Fe2O3 + 1/2 Li2O2"
    expected = 2 * (2.5 * -824.2 + 0.5 * -634.3 + 2368.0) * EV_PER_KJ_PER_MOL + heat_content_eV()
    assert window.delta_mu_O_max_eV == pytest.approx(expected, abs=1e-6)
    assert window.origin == "experimental enthalpies, stated for LiFe5O8, LiFeO2"
    assert [p.formation_energy_eV for p in window.phases if p.formula == "LiFeO2"] == [
        pytest.approx(-708 * EV_PER_KJ_PER_MOL + 2 * heat_content_eV())
    ]
    made = competing_phases_result(energy("LiFe5O8"), phases(LFO), stated)
    assert made.experimental == window
    twice, _ = experimental_window("CoFe2O4", [stated_phase("Fe4O6", 2 * -824.2)])
    plain, _ = experimental_window("CoFe2O4")
    assert twice.delta_mu_O_max_eV == pytest.approx(plain.delta_mu_O_max_eV, abs=1e-6)
    assert "Fe2O3" not in [p.formula for p in twice.phases]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("LiFe5O8: much", "is no enthalpy with its error"),
        ("LiFe5O8: {kJ_per_mol: -2368, uncertainty_kJ_per_mol: -1}", "is no enthalpy with its error"),
        ("Fe: -3", "Fe is an element"),
        ("LiFe5O8: {kJ: -2368}", "unexpected keyword argument 'kJ'"),
        ("NiO: -240", "the enthalpy of NiO does not bear on LiFe5O8, which has no Ni"),
    ],
)
def test_enthalpies_that_make_no_sense_are_refused_before_anything_runs(said, message, tmp_path, capsys):
    folder = tmp_path / "s"
    assert main(["run", "life5o8", "--stages", "vacancies", "--enthalpies", said, "--output", str(folder)]) == 2
    assert message in capsys.readouterr().err
    assert not folder.exists()


def test_lithium_ferrite_gets_its_film_ratios_from_enthalpies_of_the_user(tmp_path):
    """Li/O of the film is what the vacancies leave of 1/8, with the window's numbers and the mark of the engine."""
    maker = MagnetoionicStudyMaker(
        engine=get_engine("local"), repeats=(1, 1, 1), is_quick=True, stages=["vacancies"], vacancies=[("Li", "B")],
        assumptions=read_assumptions(enthalpies=OWN),
    )  # fmt: skip
    flow, store = maker.make("life5o8"), open_store(tmp_path)
    assert LocalRunner(store).run(flow).finished
    study = flow.output.resolve(store)
    assert study.assumptions.enthalpies[0].formula == "LiFe5O8"
    (line,) = study.chemical_potentials.lines.lines
    assert line.indicative
    (label,) = study.defects.films[0].vacancies_per_formula
    inside = [f for f in study.defects.films if f.inside]
    film = max(inside, key=lambda f: f.vacancies_per_formula[label])
    assert film.vacancies_per_formula[label] > 1e-11
    assert film.ratio("Li/O").mid == pytest.approx((1 - film.vacancies_per_formula[label]) / 8, rel=1e-12)
    assert set(study.to_dataframe("films")["ratio"]) == {"Li/Fe", "Li/O", "Fe/O"}
    page = report_html(study)
    assert "experimental enthalpies, stated for LiFe₅O₈, LiFeO₂" in page
    assert "was stated: a paper" in page
    assert "Range of every potential where LiFe₅O₈ is stable" in page
    plt.close("all")


def test_references_and_potentials_of_a_study_add_up_to_its_host():
    """Sum of n_i (e_i + dmu_i) is the energy of the host: fitted references missed it by 0.3 eV and were not asked."""
    from magnetoionics.analysis.builder.potentials import host_sum_check

    for study in (known_study("life5o8", LFO), known_study("cofe2o4", CFO, shift_eV=0.5)):
        potentials = study.chemical_potentials
        (check,) = potentials.checks
        assert check.passed
        assert check.value < 1e-6
        off = potentials.references.model_copy(deep=True)
        off.reference_energies_eV["O"] += 0.1
        failed = host_sum_check(potentials.window, off, potentials.host_energy_eV)
        assert failed.passed is False
        assert failed.value == pytest.approx(0.1 * potentials.window.composition["O"], abs=1e-6)
    fitted = known_study("cofe2o4", CFO, shift_eV=0.5).chemical_potentials.references
    assert fitted.exact == "CoFe2O4"
    assert "CoFe2O4 is exact, which it missed by" in fitted.note


def test_a_missing_competitor_is_said():
    """The window of docs/engines.md lacks Fe3O4: nothing said so."""
    study = known_study("cofe2o4", [f for f in CFO if f not in ("Fe3O4", "Co3O4")])
    assert study.chemical_potentials.missing_phases == ["Co3O4", "Fe3O4"]
    assert "Co₃O₄, Fe₃O₄ do not compete in this window" in report_html(study)
    assert known_study("cofe2o4", CFO).chemical_potentials.missing_phases == []
    plt.close("all")


def test_windows_at_temperatures_stand_beside_the_one_of_enthalpies():
    study = known_study("cofe2o4", CFO)
    warm = {w.temperature_K: w for w in study.chemical_potentials.warm}
    assert warm[1000.0].poor_eV == pytest.approx(-2.90, abs=0.01)
    assert warm[1000.0].rich_atm > 1.0
    assert "with free energies of the solids" in report_html(study)
    plt.close("all")
