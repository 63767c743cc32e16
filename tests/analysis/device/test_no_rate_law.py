"""One rule of 2 kT wherever a time stands: hop, field, film, drift, fit; a reason in words instead of a number."""

import math

import numpy as np
import pytest
from kept_study import kept_study
from magnetoionics.analysis.builder.post_processing import with_assumptions
from magnetoionics.analysis.device.assumptions import Assumptions
from magnetoionics.analysis.device.ensemble import (
    EnsembleParameters,
    _Members,
    _rates,
    contrast_against_voltage,
    field_V_per_A,
    relaxation_against_temperature,
)
from magnetoionics.analysis.device.ensemble_fit import Measurement, fit_curve
from magnetoionics.analysis.device.figures_of_merit import figures_of_merit, switching_time_s
from magnetoionics.analysis.device.film import FilmAssumptions, device_result
from magnetoionics.analysis.device.film_model import FilmModel
from magnetoionics.analysis.device.film_of_study import film_model_of_hop
from magnetoionics.analysis.device.film_run import FilmStep, run_film
from magnetoionics.analysis.kinetics.field_treatments import path_points
from magnetoionics.analysis.kinetics.hop_spread import spread_hop
from magnetoionics.analysis.kinetics.rates import why_no_rate
from magnetoionics.analysis.kinetics.switching import FieldPulse, hop_in_field, hop_populations
from magnetoionics.analysis.plots.ensemble import plot_curve
from magnetoionics.analysis.plots.film_run import plot_film
from magnetoionics.analysis.plots.retention import plot_retention
from magnetoionics.analysis.plots.switching import plot_switching_time
from magnetoionics.analysis.plots.transport import plot_arrhenius
from magnetoionics.analysis.report.device_tables import merit_table
from magnetoionics.analysis.report.sections import build_sections
from magnetoionics.analysis.study.transport import transport_in_words, transport_of
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K as KB

T = 300.0
# Two kT at 300 K by the constants of CODATA 2018.
LIMIT_eV = 2 * 1.380649e-23 / 1.602176634e-19 * 300
HOP = {"charge_e": 2.0, "distance_A": 2.967}


@pytest.fixture(scope="module")
def study():
    return kept_study()


def lowered(hop, forward, backward):
    """The same hop with its profile scaled to other barriers."""
    return hop.model_copy(
        update={
            "forward_eV": forward,
            "backward_eV": backward,
            "delta_eV": forward - backward,
            "images": [
                i.model_copy(update={"energy_eV": e})
                for i, e in zip(
                    hop.images,
                    np.interp(
                        np.arange(len(hop.images)),
                        [0, (len(hop.images) - 1) / 2, len(hop.images) - 1],
                        [0.0, forward, forward - backward],
                    ),
                    strict=True,
                )
            ],
        }
    )


def test_limit_is_two_kT_of_the_lower_barrier():
    assert why_no_rate(LIMIT_eV * 1.001, T) == ""
    assert why_no_rate(LIMIT_eV * 0.999, T).startswith("the lower barrier of 0.052 eV is not above 2 kT, 0.052 eV at")
    assert why_no_rate(LIMIT_eV * 1.001, T * 1.01)


def test_figures_of_merit_have_no_time_without_a_rate_law():
    """Half of 2 e over 2.967 A takes 0.2967 eV off the barrier in 1e9 V/m."""
    taken = 0.2967
    ok = figures_of_merit(barrier_eV=taken + LIMIT_eV + 1e-3, field_V_per_m=1e9, **HOP)
    assert ok.switching_time_s > math.exp(2) / 1e13
    assert not ok.no_result
    fast = figures_of_merit(barrier_eV=taken + LIMIT_eV - 1e-3, field_V_per_m=1e9, **HOP)
    assert fast.switching_time_s is None
    assert "2 kT" in fast.no_result["switching_time_s"]
    # Without the field it is kept as long as its barrier says.
    assert set(fast.no_result) == {"switching_time_s"}
    assert fast.decay_s == pytest.approx(0.5 * math.exp((taken + LIMIT_eV - 1e-3) / (KB * T)) / 1e13, rel=1e-6)
    shallow = figures_of_merit(barrier_eV=0.9, back_barrier_eV=0.04, field_V_per_m=1e7, **HOP)
    assert shallow.switching_time_s is shallow.retention_s is shallow.before_s is shallow.decay_s is None
    assert set(shallow.no_result) == {"switching_time_s", "retention_s", "before_s", "decay_s"}
    assert "0.040 eV" in shallow.no_result["decay_s"]
    with pytest.raises(ValueError, match="no switching time in 1e\\+09 V/m: the lower barrier of"):
        switching_time_s(0.3, 1e9, T, **HOP)


def test_times_in_a_field_end_where_the_field_removes_the_barrier(study):
    hop = lowered(study.migration[0], 0.3, 0.35)
    device = device_result(hop, FilmAssumptions(), FieldPulse(field_V_per_m=1e9))
    barriers = [hop_in_field(hop, f) for f in device.switching_fields_V_per_m]
    has = [min(b.forward_eV, b.backward_eV) >= LIMIT_eV for b in barriers]
    assert True in has
    assert False in has
    assert [t is not None for t in device.switching_times_s] == has
    assert [not why for why in device.switching_no_result] == has
    rows = {row[0].text: row for row in merit_table(device).rows}
    marked = [row[2].text for name, row in rows.items() if name.startswith("mean time")]
    assert [not text.startswith("no result: the lower barrier of") for text in marked] == has
    assert rows["switching time in the field"][1].text == "–"
    assert "no rate law" in [t.get_text() for t in plot_switching_time(device).axes[0].texts]


def test_a_hop_without_a_rate_law_has_no_switching_path_and_no_film(study):
    hop = lowered(study.migration[0], 0.045, 0.6)
    ends = type("Ends", (), {"moments_muB": None})()
    bare = study.model_copy(update={"migration": [hop], "anisotropy": None, "unidirectional": None})
    made = with_assumptions(bare, ends, Assumptions())
    assert made.switching is made.device is None
    said = {s.anchor: " ".join(s.paragraphs) for s in build_sections(made)}["device"]
    assert said.startswith("No switching path and no device figures: the lower barrier of 0.045 eV is not above 2 kT")
    cold = Assumptions(pulse=FieldPulse(temperature_K=200), film=FilmAssumptions(temperature_K=200))
    made = with_assumptions(bare, ends, cold)
    assert made.switching is not None
    assert made.device is not None


def test_ions_without_a_rate_law_follow_the_field_at_once(study):
    """Boltzmann's balance of both ends, however short the pulse."""
    hop = lowered(study.migration[0], 0.3, 0.35)
    population = hop_populations(hop, T)
    found = hop_in_field(hop, 1e9)
    assert min(found.forward_eV, found.backward_eV) < LIMIT_eV
    balance = 1 / (1 + math.exp(found.delta_eV / (KB * T)))
    assert population(0.0, 1e9, 1e-15) == pytest.approx(balance, rel=1e-6)
    assert population(0.0, 1e9, 0.0) == 0.0
    # With a rate law it takes its time.
    assert population(0.0, 0.0, 1e-15) < 1e-3


@pytest.mark.parametrize("voltage", [-200.0, -60.0, -1.0, 0.0, 1.0, 60.0, 200.0])
def test_rates_of_an_ensemble_keep_detailed_balance_when_the_barrier_is_gone(voltage):
    p = EnsembleParameters(barrier_eV=0.3, asymmetry_eV=0.07, thickness_m=1e-7, **HOP)
    forward, backward = _rates(p, _Members(p), voltage)
    fall = 2.0 * 2.967 * field_V_per_A(voltage, p) - 0.07
    assert np.log(forward / backward)[0] == pytest.approx(fall / (KB * T), rel=1e-9)
    assert max(forward[0], backward[0]) <= 1e13


def test_curves_of_an_ensemble_say_where_there_is_no_time():
    p = EnsembleParameters(barrier_eV=0.06, **HOP)
    curve = relaxation_against_temperature(p, [150.0, 300.0, 340.0, 360.0, 500.0])
    assert [y is None for y in curve.y] == [2 * KB * t > 0.06 for t in curve.x]
    assert any("no result from 360 K on" in n for n in curve.notes)
    assert plot_curve(curve).axes
    volts = contrast_against_voltage(p.model_copy(update={"barrier_eV": 0.3}), [-100.0, -90.0, 0.0, 90.0], 1e-3)
    # 0.3 eV less half the work of 2 e over 2.967 A and V/1e-7 m: 0.0517 eV are left at 83.7 V.
    assert "from 90 V on the barrier is below 2 kT: equilibrium in the field, no times" in volts.notes
    fit = fit_curve(
        p, Measurement(against="voltage_V", pulse_s=1.0), [-4.0, -2.0, 2.0, 4.0], [-1.0, -0.5, 0.5, 1.0],
        ["local_field_factor"],
    )  # fmt: skip
    assert not fit.unphysical
    fit = fit_curve(
        p.model_copy(update={"barrier_eV": 0.04}), Measurement(against="voltage_V", pulse_s=1.0),
        [-4.0, -2.0, 2.0, 4.0], [-1.0, -0.5, 0.5, 1.0], ["local_field_factor"],
    )  # fmt: skip
    assert fit.unphysical[0].startswith("barrier_eV = 0.04: the lower barrier of 0.040 eV is not above 2 kT")


def test_a_film_says_which_steps_have_no_times(study):
    """A uniform field of 4.5 V over 1.5 nm takes 0.3 eV off a hop of 2 e over 1 A; 0.34 eV leave less than 2 kT."""
    model = FilmModel(
        thickness_nm=1.5, plane_spacing_A=1.0, barrier_eV=0.34, charge_e=2.0, screened=False, occupation=0.1,
    )  # fmt: skip
    run = run_film(model, [FilmStep(voltage_V=v, duration_s=1e-3) for v in (0.5, 4.5, 0.0)], points=4)
    assert [bool(why) for why in run.no_times] == [False, True, False]
    assert [c is None for c in run.current_A_per_m2] == [v == 4.5 for v in run.voltage_V]
    assert any(note.startswith("step 2 of 3: the field leaves no rate law (the lower barrier") for note in run.notes)
    assert plot_film(run).axes
    # In the end the ions stand as blocking and a work of 23 kT per plane say: 1.5 of them in the last two planes.
    assert run.profile[run.ends()[1]][-3:] == pytest.approx([0.0, 0.5, 1.0], abs=1e-4)
    hop = lowered(study.migration[0], 0.03, 0.5)
    with pytest.raises(ValueError, match=r"gives a film no rates: the lower barrier of 0\.030 eV"):
        film_model_of_hop(hop, study.host.structure)
    assert film_model_of_hop(hop, study.host.structure, barrier_eV=0.5).barrier_eV == 0.5


def test_drift_and_diffusion_have_no_rate_within_two_kT(study):
    """0.12 eV are 2 kT of 696 K; in 1e9 V/m half the work takes more than that off."""
    found = transport_of(lowered(study.migration[0], 0.12, 0.13), study.host.structure)
    assert {p.temperature_K: p.diffusivity_cm2_per_s is None for p in found.points} == {
        300.0: False, 373.0: False, 500.0: False, 700.0: True, 1000.0: True, 1473.0: True,
    }  # fmt: skip
    assert all(p.rate_per_s is None and p.tensor_cm2_per_s is None for p in found.points if p.no_result)
    for curve in found.drift:
        half = abs(found.charge_e) * study.migration[0].distance_A / 2 * 1e-10
        missing = [0.12 - half * f < 2 * KB * curve.temperature_K for f in curve.fields_V_per_m]
        assert [v is None for v in curve.velocity_m_per_s] == missing
        assert True in missing
    figure = plot_arrhenius(found)
    assert any("no rate law at the 3 highest temperatures" in t.get_text() for t in figure.axes[0].texts)
    low = transport_of(lowered(study.migration[0], 0.02, 0.02), study.host.structure)
    assert transport_in_words(low)[-1].startswith("Co has no rate of hops at 300 K: the lower barrier of 0.020 eV")
    assert not low.drift


def test_points_in_a_field_and_hops_of_a_spread_have_no_rate_either():
    dipoles = np.array([[0.0, 0, 0], [3.0, 0, 0], [6.0, 0, 0]])
    points = path_points([0.0, 0.3, 0.1], dipoles, [1, 0, 0], [0.0, 0.05, 0.1])
    assert [p.forward_per_s is None for p in points] == [False, False, True]
    assert [bool(p.no_rate) for p in points] == [False, False, True]
    assert points[1].forward_per_s == pytest.approx(1e13 * math.exp(-0.15 / (KB * T)), rel=1e-9)
    hop = spread_hop("a", "b", 0.5, 0.01)
    assert hop.decay_300K_s is None
    assert "0.010 eV" in hop.no_result


def test_retention_and_its_figure_end_where_the_rate_law_does(study):
    kept = study.retention.model_copy(update={"forward_barrier_eV": 0.06})
    again = type(kept).model_validate(kept.model_dump())
    assert [p.retention_s is None for p in again.points] == [2 * KB * p.temperature_K > 0.06 for p in again.points]
    assert {p.no_result.partition(" eV")[0] for p in again.points if p.no_result} == {"the lower barrier of 0.060"}
    with pytest.raises(ValueError, match=r"no dwell time: the lower barrier of 0\.060 eV"):
        again.decay(400)
    axis = plot_retention(again).axes[0]
    assert max(axis.lines[0].get_xdata()) < 0.06 / (2 * KB)
    assert "no rate law" in [t.get_text() for t in axis.texts]
