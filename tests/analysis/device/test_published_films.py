"""Published films beside the rate law of a lone hop: each row of the page's table is computed again."""

import math
import re

import numpy as np
import pytest
from magnetoionics.analysis.device.film_model import Electrode, FilmModel
from magnetoionics.analysis.device.film_run import FilmStep, run_film
from magnetoionics.analysis.device.inverse import needed_barrier
from magnetoionics.analysis.kinetics.drift_laws import critical_field_V_per_m
from magnetoionics.analysis.kinetics.rates import rate_per_s
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K as KB


@pytest.fixture(scope="module")
def rows(repository):
    page = (repository / "docs" / "howto_device.md").read_text(encoding="utf-8")
    table = page[page.index("## Published films") :]
    return {line.split("|")[1].strip().split(",")[0]: line for line in table.splitlines() if line.startswith("| ")}


def test_nitrides_are_torn_by_fields_that_no_ordinary_barrier_needs(rows):
    """5.3 and 6.6 V/nm: FeN holds its nitrogen harder than CoN."""
    barriers = {}
    for nitride, field_V_per_A in (("CoN", 0.53), ("FeN", 0.66)):
        barriers[nitride] = KB * 300 * math.log(1e13) + 3 * 3.0 * field_V_per_A / 2
        back = critical_field_V_per_m(barriers[nitride], 3 * 3.0 / 2, 300.0)
        assert back == pytest.approx(field_V_per_A * 1e10, rel=1e-6)
    assert barriers["FeN"] > barriers["CoN"]
    row = rows["CoN and FeN"]
    assert f"{barriers['CoN']:.1f} and {barriers['FeN']:.1f} eV" in row
    assert f"{critical_field_V_per_m(1.0, 4.5, 300.0) * 1e-9:.1f} V/nm" in row


def test_cobalt_oxide_is_35_times_faster_across_by_a_film_of_planes(rows):
    """The field that the page names, run through the film: its first current is 35 times that of the weaker field."""
    extra = 2 * KB * 300 * math.log(35) / (2 * 2.9)
    assert f"{extra * 1e2:.0f} × 10⁸ V/m" in rows["Co₃O₄"]
    film = FilmModel(
        thickness_nm=2.9, plane_spacing_A=2.9, barrier_eV=0.9, charge_e=2.0, occupation=0.05, screened=False
    )
    width = float(film.gaps_A.sum())

    def current(field_V_per_A):
        run = run_film(film, [FilmStep(voltage_V=field_V_per_A * width, duration_s=1e-9)], points=2)
        return run.current_A_per_m2[0]

    assert current(0.1 + extra) / current(0.1) == pytest.approx(35, rel=0.01)


def test_thresholds_of_cobaltates_follow_their_vacancies(rows):
    """Two electrons an oxygen: a vacancy that costs dE less appears at dE/2 less; the film's own content says so.

    Thresholds fall from 2.7 V to none between x = 0 and 0.7 (Chakraborty et al. 2021).
    """
    row = rows["La₁₋ₓSrₓCoO₃"]
    costs = {0.0: 1.52, 0.5: 0.58, 1.0: 0.0}
    assert "1.52, 0.58 and 0 eV" in row
    shift = 0.7 * (costs[0.0] - costs[1.0]) / 2
    assert f"{shift:.2f} V" in row
    assert 1 / 6 < shift / 2.7 < 1 / 4

    def content(voltage, cost):
        odds = math.exp(-cost / (KB * 300))
        source = Electrode(kind="reservoir", occupation=odds / (1 + odds), barrier_eV=0.3, share_of_voltage=0.999)
        film = FilmModel(
            thickness_nm=1.0,
            plane_spacing_A=3.0,
            barrier_eV=0.3,
            charge_e=2.0,
            occupation=0.01,
            screened=False,
            left=source,
        )
        return float(np.mean(run_film(film, [FilmStep(voltage_V=voltage, duration_s=1e6)], points=2).profile[-1]))

    for cost in (0.3, 0.58):
        half = cost / 2 / 0.999
        assert content(half - 0.05, cost) < 0.1
        assert content(half + 0.05, cost) > 0.9


def test_gadolinium_oxide_at_100_C_is_faster_by_its_barrier():
    """230 s at 100 C and -4 V: the barrier that asks for is 26 thousand times slower at room temperature."""
    hot = needed_barrier(230, 373, voltage_V=4, thickness_nm=(3, 30), charge_e=(1, 2), distance_A=(2.5, 4.0))
    lowered = hot.barrier_eV - hot.half_work_eV
    ratio = math.exp(lowered / KB * (1 / 298 - 1 / 373))
    assert lowered == pytest.approx(KB * 373 * math.log(230 * 1e13), rel=1e-9)
    assert math.log10(ratio) == pytest.approx(3.9, abs=0.2)


def test_cobalt_ferrite_gains_what_its_electrons_allow(rows):
    """M_s + 15 % of 3 muB: electrons that go to Fe(A) lower its 5 muB, and a vacancy brings two of them."""
    row = rows["CoFe₂O₄"]
    gain = 0.15 * 3
    assert f"{gain:.2f} µB" in row
    electrons = gain / 1.0
    assert f"{electrons:.2f} electrons" in row
    told = float(re.search(r"([\d.]+) oxygen vacancies", row)[1])
    assert told == pytest.approx(electrons / 2, abs=0.006)


def test_heat_and_time_of_co_under_gdox_ask_for_one_barrier(rows):
    """Four decades between room temperature and 100 C, and 230 s at 100 C: barriers in the field."""
    of_heat, of_time = (float(x) for x in re.findall(r"= (\d\.\d\d) eV", rows["Co/GdOx"]))
    assert np.log10(rate_per_s(of_heat, 373.0) / rate_per_s(of_heat, 295.0)) == pytest.approx(4.0, abs=0.02)
    assert np.log10(230 * rate_per_s(of_time, 373.0)) == pytest.approx(0.0, abs=0.07)
    assert of_heat == pytest.approx(of_time, abs=0.05)
