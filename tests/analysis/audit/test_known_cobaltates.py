"""Parallel against antiparallel Co of SrCoO3: the sign, the mean field, and what C14 says of them."""

import pytest
from magnetoionics.analysis.audit import known_cobaltates as module
from magnetoionics.analysis.audit import oxygen_vacancies
from magnetoionics.analysis.audit.known_cobaltates import CobaltateExchange, known_cobaltates
from magnetoionics.analysis.magnetism.exchange import ExchangeBonds, mean_field_curie_K
from magnetoionics.analysis.results.checks import Check
from magnetoionics.analysis.study.reference_calculations import load_reference_calculations


def exchange(cell, difference_meV, u=3.0, antiparallel_muB=2.7):
    return CobaltateExchange(
        cell=cell,
        hubbard_U_eV=u,
        antiparallel_minus_parallel_meV=difference_meV,
        parallel_site_muB=2.6,
        antiparallel_site_muB=antiparallel_muB,
        source="made",
    )


def test_the_mean_field_is_that_of_the_bonds_whose_energy_it_is():
    """Two sublattices, six bonds of J from each ion to the other: turning one costs 6 J per ion."""
    bonds = ExchangeBonds(sites=[0, 1], pairs=[(0, 1)] * 6, J_meV=[13.0] * 6)
    assert exchange(module.WHOLE, 6 * 13.0).mean_field_T_K == pytest.approx(mean_field_curie_K(bonds))


def test_c14_tells_what_missing_oxygen_does_only_if_all_sets_of_u_agree(monkeypatch):
    made = [exchange(module.WHOLE, 80.0, u) for u in (3.0, 3.32, 4.0)]
    made += [exchange(module.WITHOUT_OXYGEN, -20.0 - u, u) for u in (3.0, 3.32, 4.0)]
    monkeypatch.setattr(module, "known_cobaltates", lambda: tuple(made))
    judged = oxygen_vacancies.manganite_T_C()
    assert judged.verdict == "consistent"
    assert "whole +80 for U = 3 eV (+309 K, 2.60 muB on Co)" in judged.reason
    assert "with one V_O for two Co -23 for U = 3 eV (-89 K" in judged.reason
    assert "in all 3 sets of U missing oxygen moves the coupling towards antiparallel" in judged.reason
    assert "decide nothing" not in judged.reason
    monkeypatch.setattr(module, "known_cobaltates", lambda: (exchange(module.WHOLE, -5.0, 4.0), *made[1:]))
    assert "with U = 4 eV the whole crystal comes out antiparallel" in oxygen_vacancies.manganite_T_C().reason
    monkeypatch.setattr(module, "known_cobaltates", lambda: (*made[:-1], exchange("srcoo3vo", 90.0, 4.0)))
    assert "in all" not in oxygen_vacancies.manganite_T_C().reason
    monkeypatch.setattr(module, "known_cobaltates", lambda: ())
    assert "SrCoO3" not in oxygen_vacancies.manganite_T_C().reason


def test_two_electronic_states_give_no_exchange(monkeypatch):
    """A Co that changes its spin state when it is turned, as at a vacancy of SrCoO3, has no J to speak of."""
    made = [exchange(module.WHOLE, 80.0, u) for u in (3.0, 3.32, 4.0)]
    made += [exchange(module.WITHOUT_OXYGEN, 300.0, u, antiparallel_muB=3.3) for u in (3.0, 3.32, 4.0)]
    monkeypatch.setattr(module, "known_cobaltates", lambda: tuple(made))
    said = oxygen_vacancies.manganite_T_C().reason
    assert "with one V_O for two Co +300 for U = 3 eV (2.60 muB on Co parallel, 3.30 antiparallel)" in said
    assert said.count(" K, 2.60 muB on Co)") == 3
    assert "no exchange and no temperature" in said
    assert "sets of U missing oxygen moves" not in said


def test_shipped_cobaltates_without_oxygen_are_no_ferromagnets_of_a_thousand_kelvin():
    """Measured ordering temperatures end at 570 K; parallel and antiparallel Co differ by 0.6 muB there."""
    bare = [e for e in known_cobaltates() if e.cell == module.WITHOUT_OXYGEN]
    assert bare
    assert not any(e.same_state for e in bare)
    assert all(e.antiparallel_site_muB - e.parallel_site_muB == pytest.approx(0.64, abs=0.03) for e in bare)


def test_vacancies_lower_the_curie_temperature_of_the_manganite():
    """La0.8Sr0.2MnO3 orders at 309 K and La0.7Sr0.3MnO3 at 369 K; a vacancy in 20 fills a tenth of a hole."""
    judged = oxygen_vacancies.manganite_T_C()
    assert judged.value == pytest.approx((309.0 - 369.0) / 5)
    assert "0.05 V_O per Mn has the holes of x = 0.2" in judged.reason


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "reference_calculations_folder", lambda: tmp_path)
    known_cobaltates.cache_clear()
    yield tmp_path
    known_cobaltates.cache_clear()


def test_energies_are_antiparallel_minus_parallel_for_each_cobalt_and_unsound_ones_are_left_out(folder):
    shipped = load_reference_calculations()
    names = ("srcoo3-pw500-k444-fm", "srcoo3-pw500-k444-afm")
    # Any cell with two Co will do.
    kept = dict(zip(names, (shipped["znoco32-dzp-k1-fm"], shipped["znoco32-dzp-k1-afm"]), strict=True))
    for name, energy in zip(names, (-70.2, -70.0), strict=True):
        calculation = kept[name].calculation.model_copy(update={"energy_eV": energy})
        text = kept[name].model_copy(update={"calculation": calculation}).model_dump_json()
        (folder / f"{name}.json").write_text(text)
    (only,) = known_cobaltates()
    assert only.antiparallel_minus_parallel_meV == pytest.approx(100.0)
    known_cobaltates.cache_clear()
    higher = kept[names[0]].calculation.model_copy(update={"energy_eV": -69.0})
    text = kept[names[0]].model_copy(update={"calculation": higher}).model_dump_json()
    (folder / f"{names[0]}-hs.json").write_text(text)
    assert known_cobaltates() == (only,)  # the lowest start counts
    known_cobaltates.cache_clear()
    lost = calculation.model_copy(update={"checks": [Check(name="moments kept", passed=False)]})
    (folder / f"{names[1]}.json").write_text(kept[names[1]].model_copy(update={"calculation": lost}).model_dump_json())
    assert known_cobaltates() == ()
