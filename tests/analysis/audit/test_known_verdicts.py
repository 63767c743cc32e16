"""Verdicts of shipped studies, the page made from them, and the judges of the claims about oxygen vacancies."""

from types import SimpleNamespace

import pytest
from known_verdicts import PAGE, best_of, claims_page, verdicts_of
from magnetoionics.analysis.audit import oxygen_vacancies
from magnetoionics.analysis.audit.devices import CLOSED_FORMS
from magnetoionics.analysis.audit.evidence import NotDoneError
from magnetoionics.analysis.audit.judging import closed_forms
from magnetoionics.analysis.audit.known_verdicts import known_judgement
from magnetoionics.analysis.audit.oxygen_vacancies import JUDGES
from magnetoionics.analysis.kinetics.rates import ASSUMED_ATTEMPT_Hz, BOLTZMANN_eV_PER_K, format_duration
from magnetoionics.analysis.kinetics.retention import retention
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.study.documents import Claim


def claim(claim_id, verdict="undecided", value=1.0):
    return Claim(
        id=claim_id, system="s", claim="c", test="t", verdict=verdict, value=value, unit="eV", engine="e", reason="why"
    )


def study(*claims, level="local", quick=False, u=None):
    tag = Provenance(engine="known", level_of_theory=level, hubbard_U_eV=u or {}, versions={"ase": "3.29"})
    return SimpleNamespace(
        host=SimpleNamespace(key="cofe2o4", order="Imma", claims=["C1", "C4", "C8"]),
        engine=SimpleNamespace(name="known", quick=quick, supercell_repeats=[2, 2, 1], provenance=tag),
        claims=claims,
    )


def test_no_claim_about_a_film_or_a_crystal_is_without_a_verdict():
    said = {c.id: c.verdict for c in closed_forms()}
    assert [key for key, verdict in said.items() if verdict == "not computed"] == []
    assert len(said) == 20


def test_a_shipped_verdict_names_its_study():
    found = known_judgement("C8")
    assert "study of cofe2o4, Imma, 2x2x2 cells, by local (no U, 20" in found.reason
    # The kept row is that of a hop with 0.8 eV back, which no number of the review's own can give.
    assert 0.5 < found.value < 1.1
    assert known_judgement("C20") is None


def test_only_what_a_host_serves_and_a_study_decided_is_kept():
    # C4 is said by shipped first principles already; C9 is no claim of this host; C1 was not computed.
    kept = verdicts_of(study(claim("C1", "not computed"), claim("C4"), claim("C8"), claim("C9")), "2026-01-02")
    assert [(v.claim.id, v.date, v.cell_repeats) for v in kept] == [("C8", "2026-01-02", [2, 2, 1])]
    u = verdicts_of(study(claim("C8"), level="GPAW", u={"Fe": 5.3, "Co": 3.32}, quick=True), "2026-01-02")
    expected = (
        "study of cofe2o4, Imma, 2x2x1 cells, by known (GPAW, U = Co 3.32, Fe 5.3 eV, quick settings, 2026-01-02)"
    )
    assert u[0].judgement.reason == f"{expected}: why"


def test_the_best_level_of_theory_speaks_and_full_settings_before_quick_ones():
    def one(value, **how):
        return verdicts_of(study(claim("C8", value=value), **how), "2026-01-02")

    cheap, quick, dft = one(1.0), one(2.0, quick=True), one(3.0, level="GPAW", quick=True)
    for found in ([*cheap, *quick, *dft], [*dft, *quick, *cheap]):
        assert [v.claim.value for v in best_of(found)] == [3.0]
    for found in ([*cheap, *quick], [*quick, *cheap]):
        assert [v.claim.value for v in best_of(found)] == [1.0]


def test_vacancies_fill_two_holes_each():
    found = CLOSED_FORMS["C14"]()
    # 0.05 vacancies take x from 0.3 to 0.2, between whose measured Curie temperatures lie 60 K.
    assert found.value == pytest.approx((309.0 - 369.0) / 5)
    assert (found.verdict, found.by) == ("consistent", "measured phase diagram")


def filament(forward=0.9, backward=1.1, ion="O", vacancies=("O",)):
    edge = SimpleNamespace(low_eV=0.5, high_eV=0.75)
    tag = Provenance(engine="known", level_of_theory="local")
    hop = SimpleNamespace(ion=ion, forward_eV=forward, backward_eV=backward, why_no_result=[])
    return SimpleNamespace(
        vacancies=[
            SimpleNamespace(
                element=element, checks=[], energy_minus_host_eV=0.0, oxygen_poor=edge, oxygen_rich=None,
                moments_computed=False, moment_change_muB=0.0,
            )
            for element in vacancies
        ],
        migration=[hop],
        retention=retention(backward, tag, forward_eV=forward),
    )  # fmt: skip


def test_a_filament_lives_as_long_as_its_oxygen_stays(monkeypatch):
    monkeypatch.setattr(oxygen_vacancies, "known_pairs", tuple)
    found = JUDGES["C13"](filament())
    assert (found.verdict, found.value) == ("undecided", 1.1)
    stays_s = 2.718281828 ** (1.1 / (BOLTZMANN_eV_PER_K * 300.0)) / ASSUMED_ATTEMPT_Hz
    assert f"an ion stays {format_duration(stays_s)} at 300 K" in found.reason
    assert "costs 0.50 to 0.75 eV at the oxygen-poor edge and whose hop" in found.reason
    assert "2 kT" in JUDGES["C13"](filament(0.02, 0.02)).reason
    with pytest.raises(NotDoneError, match="vacancy of O"):
        JUDGES["C13"](filament(vacancies=("Zn",)))
    with pytest.raises(NotDoneError, match="hop of O"):
        JUDGES["C13"](filament(ion="Zn"))


def test_the_page_of_claims_is_what_the_program_says():
    assert PAGE.read_text() == claims_page(), "run: python benchmarks/known_verdicts.py page"
