"""Charge states in a study: E_f(E_F) and its figure, tables of the report, what happens without a Fermi level."""

import pytest
from made_studies import CFO, TAG, ELEMENT_eV, known_study
from magnetoionics.analysis.defects import equilibria
from magnetoionics.analysis.defects.brouwer import brouwer_diagram
from magnetoionics.analysis.defects.charge_corrections import point_charge_correction
from magnetoionics.analysis.defects.charge_states import BandEdges
from magnetoionics.analysis.defects.charged_cells import ChargedVacancies, ChargedVacancy
from magnetoionics.analysis.defects.concentrations import NoFermiLevelError
from magnetoionics.analysis.defects.equilibria import defect_equilibria
from magnetoionics.analysis.plots.study import study_figures
from magnetoionics.analysis.report.page import report_html
from magnetoionics.analysis.study.defect_exchange import study_thermodynamics
from magnetoionics.analysis.study.documents import Study
from magnetoionics.analysis.thermodynamics.stability_window import at
from matplotlib import pyplot as plt

CUBE_A = [[8.4, 0, 0], [0, 8.4, 0], [0, 0, 8.4]]
EDGES = BandEdges(
    vbm_eV=2.0, gap_eV=1.5, dielectric=[[12, 0, 0], [0, 12, 0], [0, 0, 12]], electron_mass=1.5, hole_mass=2.5,
    source="known", provenance=TAG,
)  # fmt: skip


def state(charge, difference_eV):
    corrections = [point_charge_correction(charge, CUBE_A, 12.0)] if charge else []
    return ChargedVacancy(
        label="V_O(O)", element="O", sublattice="O", multiplicity=32, charge=charge,
        energy_difference_eV=difference_eV, total_moment_muB=24.0, corrections=corrections, provenance=TAG,
    )  # fmt: skip


def charged(neutral_eV, ionised_eV, edges=EDGES):
    return ChargedVacancies(edges=edges, states=[state(0, neutral_eV), state(2, ionised_eV)], notes=["known"])


def test_the_level_and_the_lines_are_those_of_the_known_energies():
    """eps(2+/0) = [E(0) - E(2+) - correction] / 2 - E_VBM: no potential of an element enters."""
    study = known_study("cofe2o4", CFO, charged=charged(8.0, 2.2))
    fermi = study.defects.fermi
    correction = point_charge_correction(2, CUBE_A, 12.0).total_eV
    (level,) = fermi.transitions
    assert (level.charge_below, level.charge_above) == (2, 0)
    assert level.level_eV == pytest.approx((8.0 - 2.2 - correction) / 2 - EDGES.vbm_eV)
    window = study.chemical_potentials.window
    middle = at(window, 0.5 * (window.delta_mu_O_min_eV + window.delta_mu_O_max_eV))
    assert fermi.lowest("V_O(O)", EDGES.gap_eV)[0] == pytest.approx(8.0 + ELEMENT_eV["O"] + middle["O"])
    assert len(study.to_dataframe("levels")) == 1
    assert study.to_dataframe("charged")["correction_eV"].tolist() == pytest.approx([0.0, correction])
    figures = study_figures(study)
    assert {"formation", "window", "fermi", "brouwer"} <= set(figures)
    page = report_html(study)
    assert "Charge transition levels" in page
    assert "Charge states, engine vasp; gap 1.50 eV, static permittivity 12.0, 12.0, 12.0" in page
    assert Study.model_validate_json(study.model_dump_json(by_alias=True)).charged == study.charged
    assert all(abs(d.worst_neutrality) < 1e-8 for d in study.defects.brouwer)
    hot = study.defects.diffusion
    assert (hot.temperature_K, hot.pressures_atm[0], hot.pressures_atm[-1]) == (1473.0, 1.0, pytest.approx(1e-8))
    assert hot.worst_neutrality < 1e-8
    plt.close("all")


def test_what_is_handed_to_other_programs_is_what_the_study_says():
    """The same free energies of the phases: the same Fermi level and concentration in the middle of the window."""
    study = known_study("cofe2o4", CFO, charged=charged(8.0, 2.2))
    system = study_thermodynamics(study).at_temperature(1000.0)
    window, diagram = system.window, study.defects.brouwer[0]
    made = system.concentrations(1000.0, 0.5 * (window.delta_mu_O_min_eV + window.delta_mu_O_max_eV))
    n = len(diagram.pressures_atm) // 2
    assert made.fermi_eV == pytest.approx(diagram.fermi_eV[n], abs=1e-6)
    total = sum(d.per_cm3 for d in made.defects)
    assert total == pytest.approx(diagram.total("V_O(O)")[n], rel=1e-5, abs=0)


def test_what_fails_at_the_conditions_of_diffusion_costs_no_other_result(monkeypatch):
    """Far outside the window there need be no Fermi level; growth has one, and its films stay as they were."""
    system = study_thermodynamics(known_study("cofe2o4", CFO, charged=charged(8.0, 2.2)))

    def no_level_when_hot(system, temperature_K, **options):
        if temperature_K > 1400:
            raise NoFermiLevelError("no Fermi level")
        return brouwer_diagram(system, temperature_K, **options)

    def made():
        parts = (system.defects, system.host, system.window, system.references)
        return defect_equilibria(*parts, edges=system.edges, diffusion_at=(1473.0, [1.0]))

    sound = made()
    monkeypatch.setattr(equilibria, "brouwer_diagram", no_level_when_hot)
    failed = made()
    assert (sound.no_diffusion, sound.diffusion.inside) == ("", [True])
    assert (failed.no_diffusion, failed.diffusion) == ("at 1473 K no Fermi level", None)
    assert failed.films == sound.films != []
    assert failed.brouwer == sound.brouwer != []
    assert failed.no_concentrations == ""


def test_without_a_neutral_crystal_there_are_levels_and_no_concentrations():
    """A vacancy that gains 100 eV by losing two electrons fills every site: no Fermi level balances that."""
    study = known_study("cofe2o4", CFO, charged=charged(8.0, -100.0))
    assert study.defects.brouwer == []
    assert "makes the crystal neutral" in study.defects.no_concentrations
    assert study.defects.fermi is not None
    assert set(study_figures(study)) >= {"fermi"}
    assert "No concentrations and no film composition: no Fermi level" in report_html(study)
    plt.close("all")
