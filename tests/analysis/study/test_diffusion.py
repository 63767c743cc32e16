"""Tracer diffusion of a study: closed form, refusals, and the measured rows of cobalt in spinels beside it."""

import json
import math

import pytest
from kept_study import kept_study
from magnetoionics.analysis.results.checks import Check
from magnetoionics.analysis.study.diffusion import tracer_diffusion
from magnetoionics.analysis.study.documents import EnergyRange
from magnetoionics.analysis.thermodynamics.oxygen_gas import delta_mu_O_eV

T, KB = 1473.0, 8.617333262e-5


def study_with(formation_at_one_atm_eV, barrier_eV=None):
    """The kept study with a vacancy of this energy at 1473 K and 1 atm, falling by 4/3 of the oxygen potential."""
    study = kept_study()
    mu = delta_mu_O_eV(T, 1.0)

    def at(x):
        value = formation_at_one_atm_eV - 4 / 3 * (x - mu)
        return EnergyRange(delta_mu_O_eV=x, low_eV=value - 0.1, high_eV=value + 0.1)

    hop = study.migration[0]
    vacancies = [
        v.model_copy(update={"oxygen_poor": at(-2.6), "oxygen_rich": at(-1.2)}) if v.label == hop.vacancy else v
        for v in study.vacancies
    ]
    return study.model_copy(update={"vacancies": vacancies})


def test_d_is_f_c_z_rate_and_length():
    study = study_with(1.5)
    hop = study.migration[0]
    (found,) = [d for d in tracer_diffusion(study, T, 1.0) if d.hop == hop.label]
    assert found.neighbours == 6
    assert found.correlation == pytest.approx(2 / 3)
    assert found.inside_window
    assert found.formation_energy_eV == pytest.approx(1.5, abs=1e-9)
    rate = 1e13 * math.exp(-hop.forward_eV / (KB * T))
    expected = 2 / 3 * math.exp(-1.5 / (KB * T)) * rate * hop.distance_A**2 * 1e-16
    assert found.diffusivity_cm2_per_s == pytest.approx(expected, rel=1e-6, abs=0)
    assert any("interstitials" in text for text in found.left_out)


def test_vacancies_of_a_spinel_give_the_power_two_thirds_of_the_oxygen_activity():
    study = study_with(1.8)
    one, other = (tracer_diffusion(study, T, p)[0].log10_D for p in (1.0, 1e-3))
    assert (one - other) / 3 == pytest.approx(2 / 3, abs=1e-6)


def test_a_vacancy_that_is_not_dilute_gives_no_number():
    found = tracer_diffusion(study_with(-0.3), T, 1.0)[0]
    assert found.diffusivity_cm2_per_s is found.log10_D is found.site_fraction is None
    assert "not dilute: formation energy -0.30 eV" in found.reason


def test_what_failed_a_check_gives_no_number():
    """A band that is no result, a vacancy that did not converge: the reason stands in place of D."""
    study = study_with(1.5)
    failed = Check(name="forces", value=1.0, limit=0.05, unit="eV/A", passed=False, invalidates=True, must_be="below")
    hop = study.migration[0]
    bad_hop = hop.model_copy(update={"checks": [*hop.checks, failed]})
    (found, *_) = tracer_diffusion(study.model_copy(update={"migration": [bad_hop]}), T, 1.0)
    assert found.log10_D is None
    assert found.reason.startswith("the band of the hop is no result: forces")
    unrelaxed = [v.model_copy(update={"converged": False}) for v in study.vacancies]
    (found, *_) = tracer_diffusion(study.model_copy(update={"vacancies": unrelaxed}), T, 1.0)
    assert found.log10_D is None
    assert "did not converge" in found.reason


def test_a_study_without_formation_energies_says_what_to_compute():
    study = kept_study()
    bare = [v.model_copy(update={"oxygen_poor": None, "oxygen_rich": None}) for v in study.vacancies]
    with pytest.raises(ValueError, match="chemical potentials"):
        tracer_diffusion(study.model_copy(update={"vacancies": bare}), T, 1.0)
    with pytest.raises(ValueError, match="migration"):
        tracer_diffusion(study.model_copy(update={"migration": []}), T, 1.0)


def test_the_measured_vacancy_branch_asks_for_one_and_a_half_electronvolt(real):
    """Lu, Tinkler and Dieckmann 1993, x = 0.2: D = 6.1e-8 cm2/s at 1 atm on the a^(2/3) branch; D0 is 5.7e-3 cm2/s."""
    rows = json.loads((real / "diffusion" / "spinels.json").read_text())
    key = next(k for k in rows if k.startswith("log10 D of Co"))
    activity, measured = rows[key]["0.2"][0]
    at_one_atm = measured - 2 / 3 * activity
    study = study_with(1.0)
    hop = study.migration[0]
    here = tracer_diffusion(study, T, 1.0)[0].log10_D
    # Every eV costs 1 / (kT ln 10) decades.
    needed = 1.0 + hop.forward_eV + (here - at_one_atm) * KB * T * math.log(10)
    assert 10**at_one_atm == pytest.approx(6.1e-8, rel=0.25)
    assert needed == pytest.approx(KB * T * math.log(5.7e-3 / 6.1e-8), abs=0.03)
    wanted = tracer_diffusion(study_with(needed - hop.forward_eV), T, 1.0)[0].log10_D
    assert wanted == pytest.approx(at_one_atm, abs=1e-6)
