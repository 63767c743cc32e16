"""A film between electrodes: Debye, Poisson and Boltzmann, drift and diffusion in closed form, and ion by ion."""

import math

import numpy as np
import pytest
from magnetoionics.analysis.device.film_model import Electrode, FilmModel, Traps
from magnetoionics.analysis.device.film_monte_carlo import walk_film
from magnetoionics.analysis.device.film_run import FilmStep, net_flow_per_s, run_film, sweep, write_read_erase
from magnetoionics.analysis.device.oxide_growth import field_length_nm, growth_time_s, thickness_nm
from magnetoionics.analysis.kinetics.applied_field import film_field_V_per_A
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K as KB
from scipy.integrate import solve_bvp

LONG = 1e6
E_OVER_EPS0 = 180.9512801  # V Angstrom, CODATA
WIDE = FilmModel(
    thickness_nm=12,
    plane_spacing_A=3,
    sites_per_nm2=0.005,
    barrier_eV=0.5,
    charge_e=2.0,
    occupation=0.05,
    permittivity=20,
)
PLAIN = WIDE.model_copy(update={"screened": False})


def test_uncharged_film_has_the_field_of_a_stack():
    m = WIDE.model_copy(update={"other_layers_nm": [(5.0, 4.0)]})
    uniform = np.full(m.planes, m.occupation)
    width = m.gaps_A.sum() / 10
    assert np.allclose(m.field_V_per_A(uniform, 2.0), film_field_V_per_A(2.0, width, 20, [(5.0, 4.0)]), rtol=1e-12)
    charged = uniform.copy()
    charged[4] += 0.3
    field = m.field_V_per_A(charged, 2.0)
    # Gauss at the plane, and the voltage of film and layer together.
    assert field[5] - field[4] == pytest.approx(E_OVER_EPS0 / 20 * 2.0 * 0.3 * 0.005 / 100, rel=1e-6)
    assert field @ m.gaps_A + field[-1] * 20 / 4 * 50 == pytest.approx(2.0)


def test_small_voltages_are_screened_over_the_debye_length():
    """Linear Poisson-Boltzmann between blocking electrodes: dx = -(q V/kT) x (1-x) sinh(s/l) / [2 sinh(L/2l)]."""
    voltage = 1e-4
    run = run_film(WIDE, [FilmStep(voltage_V=voltage, duration_s=LONG)], points=3)
    s = (np.arange(WIDE.planes) - (WIDE.planes - 1) / 2) * 3.0
    length = math.sqrt(20 * KB * 300 / (E_OVER_EPS0 * 4 * 0.005 / 100 / 3 * 0.05 * 0.95))
    assert WIDE.debye_length_A == pytest.approx(length, rel=1e-6)
    potential = -voltage / 2 * np.sinh(s / length) / np.sinh(WIDE.planes * 3.0 / 2 / length)
    expected = -2 * potential / (KB * 300) * 0.05 * 0.95
    found = np.array(run.profile[-1]) - 0.05
    assert np.abs(found - expected).max() < 0.01 * np.abs(expected).max()


def test_strong_voltages_follow_poisson_and_boltzmann():
    """Mobile ions over a fixed background, 0.1 V: the profile of scipy's boundary-value solver."""
    m = WIDE.model_copy(update={"occupation": 0.001, "sites_per_nm2": 0.02, "plane_spacing_A": 1.0})
    run = run_film(m, [FilmStep(voltage_V=0.1, duration_s=LONG)], points=3)
    half = m.planes / 2
    s = np.arange(m.planes) - (m.planes - 1) / 2
    source = E_OVER_EPS0 * 2 * 0.001 * 0.02 / 100 / 20

    # The chemical potential is fixed by the number of ions, which the third function counts.
    def slopes(x, y, p):
        share = 1 / (1 + np.exp(2 * y[0] / (KB * 300) - p[0]))
        return np.vstack([y[1], -source * (share / 0.001 - 1), share])

    def ends(a, b, p):
        return np.array([a[0] - 0.05, b[0] + 0.05, a[2], b[2] - 0.001 * 2 * half])

    grid = np.linspace(-half, half, 200)
    guess = np.vstack([-0.05 * grid / half, np.full(200, -0.05 / half), 0.001 * (grid + half)])
    exact = solve_bvp(slopes, ends, grid, guess, p=[math.log(0.001)], tol=1e-6)
    assert exact.success
    share = 1 / (1 + np.exp(2 * exact.sol(s)[0] / (KB * 300) - exact.p[0]))
    found = np.array(run.profile[-1])
    assert found[-1] / found[0] > 20
    assert found == pytest.approx(share, rel=0.02)


def test_blocking_electrodes_keep_every_ion_and_equilibrium_has_no_current():
    run = run_film(WIDE, write_read_erase(0.5, 1e3, 1e3))
    assert run.content_per_nm2 == pytest.approx([run.content_per_nm2[0]] * len(run.time_s), rel=1e-6)
    last = run.ends()[0]
    k = 1e13 * math.exp(-0.5 / (KB * 300))
    flow = net_flow_per_s(WIDE, np.array(run.profile[last]), 0.5)
    assert np.abs(flow).max() < 1e-4 * k * 0.05
    assert run.contrast[last] > 0.1
    # The opposite pulse is the mirror image.
    erased = run.ends()[2]
    assert run.contrast[erased] == pytest.approx(-run.contrast[last], rel=1e-3)
    assert run.profile[erased] == pytest.approx(run.profile[last][::-1], abs=1e-5)


@pytest.mark.parametrize("field", [0.01, -0.01, 0.3, -0.3])
def test_hops_in_any_field_are_in_detailed_balance(field):
    """Also where the field has taken the barrier away, on either side."""
    right, left = PLAIN.rates_per_s(np.array([field]), 300.0)
    assert math.log(right[0] / left[0]) == pytest.approx(2.0 * 3.0 * field / (KB * 300), rel=1e-9)
    assert max(right[0], left[0]) <= PLAIN.attempt_Hz


@pytest.mark.parametrize("sense", [1, -1])
def test_a_rate_law_ends_where_the_lowered_barrier_is_two_kT(sense):
    """E - q a F/2 = 2 kT at the saddle, half a hop away."""
    limit = (0.5 - 2 * KB * 300) * 2 / (2.0 * 3.0)
    assert PLAIN.why_no_rate(np.array([0.0, sense * 0.999 * limit]), 0.0) == ""
    assert "2 kT" in PLAIN.why_no_rate(np.array([0.0, sense * 1.001 * limit]), 0.0)


def test_first_current_is_that_of_mott_and_gurney():
    """Uniform film: j = q n x (1-x) 2 nu a exp(-E/kT) sinh(q a F/2kT), with the share of gaps between planes."""
    run = run_film(PLAIN, [FilmStep(voltage_V=1.0, duration_s=1e-9)], points=3)
    field = 1.0 / PLAIN.gaps_A.sum()
    k = 1e13 * math.exp(-0.5 / (KB * 300))
    flow = 2 * k * 0.05 * 0.95 * math.sinh(2 * 3.0 * field / (2 * KB * 300))
    expected = 2 * 1.602176634e-19 * 0.005e18 * flow * (PLAIN.planes - 1) / PLAIN.planes
    assert run.current_A_per_m2[0] == pytest.approx(expected, rel=1e-9)


def test_a_wave_of_ions_decays_by_fick():
    """Half a cosine between blocking electrodes: rate 2 k [1 - cos(pi/N)], exact also with blocking of places."""
    n = PLAIN.planes
    wave = np.cos(np.pi * (np.arange(n) + 0.5) / n)
    k = 1e13 * math.exp(-0.5 / (KB * 300))
    rate = 2 * k * (1 - math.cos(math.pi / n))
    run = run_film(PLAIN, [FilmStep(voltage_V=0.0, duration_s=1 / rate)], start=0.5 + 0.4 * wave, points=2)
    assert np.array(run.profile[-1]) - 0.5 == pytest.approx(0.4 * wave / math.e, abs=1e-5)


def test_ion_by_ion_and_plane_by_plane_agree():
    """Drift against diffusion with the exclusion of places: within five standard deviations of counting."""
    m = PLAIN.model_copy(update={"thickness_nm": 6.0, "occupation": 0.2})
    steps = [FilmStep(voltage_V=0.2, duration_s=1e-3), FilmStep(voltage_V=0.0, duration_s=1e-4)]
    smooth = run_film(m, steps, points=3)
    walked = walk_film(m, steps, side=60, seed=4)
    assert walked.hops > 1e5
    for n, end in enumerate(smooth.ends()):
        expected = np.array(smooth.profile[end])
        error = np.sqrt(np.maximum(expected * (1 - expected), 1e-4) / 3600)
        off = (np.array(walked.profile[n]) - expected) / error
        assert np.abs(off).max() < 5
        assert np.sqrt(np.mean(off**2)) < 1.5
    assert sum(walked.profile[-1]) == pytest.approx(m.planes * 0.2, abs=m.planes / 3600)
    assert smooth.contrast[smooth.ends()[0]] > 0.3


def test_screening_acts_on_both_alike():
    m = WIDE.model_copy(update={"thickness_nm": 6.0, "occupation": 0.2, "permittivity": 10.0})
    steps = [FilmStep(voltage_V=0.05, duration_s=3e-3)]
    screened = run_film(m, steps, points=3)
    bare = run_film(m.model_copy(update={"screened": False}), steps, points=3)
    walked = walk_film(m, steps, side=40, seed=2, refresh=1)
    assert screened.contrast[-1] < 0.8 * bare.contrast[-1]
    places = np.sign(np.arange(m.planes) - (m.planes - 1) / 2)
    contrast = np.array(walked.profile[-1]) @ places / np.sum(walked.profile[-1])
    assert contrast == pytest.approx(screened.contrast[-1], abs=0.04)


def test_a_reservoir_fills_the_film_to_its_own_content():
    left = Electrode(kind="reservoir", occupation=0.3, barrier_eV=0.45)
    m = PLAIN.model_copy(update={"thickness_nm": 2.0, "left": left})
    run = run_film(m, [FilmStep(voltage_V=0.0, duration_s=1.0)], points=3)
    assert run.profile[-1] == pytest.approx([0.3] * m.planes, abs=1e-4)
    assert run.moment_muB_per_nm2(3.0)[-1] == pytest.approx(3.0 * 0.005 * m.planes * 0.25, rel=1e-3)


@pytest.mark.parametrize(("side", "sense"), [("left", 1), ("right", -1)])
def test_an_overpotential_obeys_nernst(side, sense):
    """With a share of the voltage at the electrode the film ends at the odds times exp(q s V/kT), barrier or none."""
    source = Electrode(kind="reservoir", occupation=0.3, barrier_eV=0.45, share_of_voltage=0.5)
    m = PLAIN.model_copy(update={"thickness_nm": 2.0, side: source})
    for voltage in (0.05, -0.05, 2.0, -2.0):
        fill, empty = m.electrode_rates_per_s(side, voltage)
        work = sense * 2.0 * 0.5 * voltage
        assert math.log(fill / empty) == pytest.approx(math.log(3 / 7) + work / (KB * 300), rel=1e-9)
        assert m.film_voltage_V(voltage) == pytest.approx(voltage / 2)


SUPPLY = {"kind": "reservoir", "occupation": 0.3, "barrier_eV": 0.45}


@pytest.mark.parametrize(
    ("left", "right", "screened"),
    [
        (SUPPLY, {}, False),
        ({}, SUPPLY | {"share_of_voltage": 0.3}, False),
        (SUPPLY | {"share_of_voltage": 0.5}, SUPPLY | {"occupation": 0.7}, False),
        (SUPPLY, {}, True),
    ],
    ids=["source at the left", "overpotential at the right", "redox through the film", "screened"],
)
def test_electrodes_supply_ions_alike_in_both(left, right, screened):
    """An oxygen reservoir, a source with an overpotential, and a current from one to the other, pulse and wait."""
    m = WIDE.model_copy(
        update={
            "thickness_nm": 3.0,
            "occupation": 0.2,
            "screened": screened,
            "left": Electrode(**left),
            "right": Electrode(**right),
        }
    )
    # The pulse ends before the film is in equilibrium.
    steps = [FilmStep(voltage_V=0.15, duration_s=3e-5), FilmStep(voltage_V=-0.1, duration_s=2e-5)]
    smooth = run_film(m, steps, points=3)
    walked = walk_film(m, steps, side=60, seed=7, refresh=1 if screened else None)
    for n, end in enumerate(smooth.ends()):
        expected = np.array(smooth.profile[end])
        error = np.sqrt(np.maximum(expected * (1 - expected), 1e-3) / 3600)
        off = (np.array(walked.profile[n]) - expected) / error
        assert np.abs(off).max() < 5
        assert np.sqrt(np.mean(off**2)) < 1.6
    content = np.array(smooth.content_per_nm2)[smooth.ends()]
    assert np.abs(content / smooth.content_per_nm2[0] - 1).max() > 0.05


def test_ion_by_ion_a_reservoir_is_in_detailed_balance():
    """At 0 V the film takes the reservoir's content; in a field along it Boltzmann's odds."""
    m = PLAIN.model_copy(update={"thickness_nm": 2.0, "left": Electrode(**SUPPLY)})
    flat = walk_film(m, [FilmStep(voltage_V=0.0, duration_s=2e-3)], side=100, seed=3)
    assert flat.profile[-1] == pytest.approx([0.3] * m.planes, abs=0.025)
    tilted = np.array(walk_film(m, [FilmStep(voltage_V=0.1, duration_s=2e-3)], side=100, seed=3).profile[-1])
    odds = np.log(tilted / (1 - tilted))
    assert np.diff(odds) == pytest.approx(2 * 0.1 * 3.0 / m.gaps_A.sum() / (KB * 300), abs=0.2)


def test_leakage_heats_and_heat_speeds():
    m = PLAIN.model_copy(update={"leakage_S_per_m": 1e-4, "heating_K_m2_per_W": 1e-3})
    assert m.temperature_at_K(3.0) == pytest.approx(300 + 1e-3 * 1e-4 * 9 / 12e-9)
    step = [FilmStep(voltage_V=3.0, duration_s=1e-6)]
    assert run_film(m, step).contrast[-1] > 1.5 * run_film(PLAIN, step).contrast[-1] > 0


def test_a_sweep_opens_a_loop():
    run = run_film(PLAIN.model_copy(update={"thickness_nm": 3.0}), sweep(0.5, 1e4), points=8)
    assert run.voltage_V[0] == run.voltage_V[-1] == 0
    assert max(run.voltage_V) == 0.5
    assert min(run.voltage_V) == -0.5
    volts, current = np.array(run.voltage_V), np.array(run.current_A_per_m2)
    assert current[np.argmax(volts)] > 0 > current[np.argmin(volts)]
    assert run.to_dataframe().shape[0] == len(run.time_s)
    assert run.plot("profile") is not None
    assert run.plot() is not None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"charge_e": 0.0}, "what no field moves"),
        ({"thickness_nm": 600.0}, "beyond 500 nm"),
        ({"occupation": 1.2}, "less than 1"),
        ({"temperature_K": -3.0}, "greater than 0"),
    ],
)
def test_absurd_films_are_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        FilmModel.model_validate(WIDE.model_dump() | wrong)


def test_ion_by_ion_refuses_what_it_does_not_simulate():
    with pytest.raises(ValueError, match="constant voltage"):
        walk_film(PLAIN, sweep(0.1, 1.0))
    with pytest.raises(ValueError, match="more than 1000 attempts"):
        walk_film(PLAIN, [FilmStep(voltage_V=0.1, duration_s=1)], most_attempts=1000)


GROWN = {"barrier_eV": 1.0, "charge_e": 2.0, "distance_A": 4.0, "layer_nm": 0.2, "temperature_K": 300.0}


def test_oxide_grows_by_the_inverse_logarithm_first_and_the_root_then():
    """Cabrera and Mott's limits: t = X^2/(X1 u) exp(-X1/X)*2 for thin, X^2/(2 X1 u) for thick films."""
    x1 = field_length_nm(2.0, 2.0, 4.0, 300.0)
    assert x1 == pytest.approx(2 * 2.0 * 4.0 / (2 * KB * 300) / 10)
    u = 2 * 0.2 * 1e13 * math.exp(-1.0 / (KB * 300))
    thin = growth_time_s(0.3, 1.5, 2.0, **(GROWN | {"barrier_eV": 3.0}))
    slow = u * math.exp(-2.0 / (KB * 300))
    # Leading term of the integral of 2/u exp(-X1/X), with its correction 1 - 2X/X1.
    leading = 2 * 1.5**2 / (x1 * slow) * math.exp(-x1 / 1.5) * (1 - 2 * 1.5 / x1)
    assert thin == pytest.approx(leading, rel=0.02)
    thick = growth_time_s(20 * x1, 60 * x1, 2.0, **GROWN)
    assert thick == pytest.approx((3600 - 400) * x1**2 / (2 * x1 * u), rel=1e-3)


def test_growth_time_and_growth_are_inverse():
    x1 = field_length_nm(0.2, 2.0, 4.0, 300.0)
    u = 2 * 0.2 * 1e13 * math.exp(-1.0 / (KB * 300))
    time = growth_time_s(1.0, 2.0, 0.2, **GROWN)
    assert thickness_nm([time / 2, time], 1.0, x1, u)[-1] == pytest.approx(2.0, rel=1e-6)


def test_twice_the_voltage_saves_decades():
    """Five decades of switching time within two volts, exponential in the voltage.

    As measured in Pt/Co/oxide under ZrO2, from minutes to milliseconds (arXiv 2108.11263).
    """
    volts = np.linspace(0.3, 2.1, 7)
    decades = np.log10([growth_time_s(1.0, 2.0, v, **GROWN) for v in volts])
    assert decades[0] - decades[-1] > 5
    # d log10 t/dV = -q a/(2 kT X ln 10) of the thickest oxide.
    slope = np.diff(decades) / np.diff(volts)
    assert slope[-1] == pytest.approx(-2 * 4.0 / (2 * KB * 300 * 20 * math.log(10)), rel=0.12)


FATIGUED = FilmModel(
    thickness_nm=3,
    plane_spacing_A=3,
    sites_per_nm2=0.5,
    barrier_eV=0.5,
    charge_e=2.0,
    occupation=0.02,
    traps=Traps(share=0.05, depth_eV=0.9, barrier_eV=0.62),
)


def test_traps_hold_what_their_depth_says():
    """y/(s - y) = x/(1 - x) exp(depth/kT) in equilibrium, with every ion in the film."""
    shallow = FATIGUED.model_copy(update={"traps": Traps(share=0.05, depth_eV=0.1, barrier_eV=0.5)})
    run = run_film(shallow, [FilmStep(voltage_V=0.0, duration_s=LONG)], points=2)
    held, whole = np.array(run.trapped[-1]), np.array(run.profile[-1])
    free = whole - held
    assert np.allclose(held / (0.05 - held), free / (1 - free) * math.exp(0.1 / (KB * 300)), rtol=1e-4)
    assert whole.sum() == pytest.approx(10 * 0.02, rel=1e-6)
    assert run.trapped[0] == [0.0] * 10


def test_traps_take_the_window_away_cycle_by_cycle():
    """As fast as they fill: at a share of x k_in for each second, here over a cycle of 0.02 s."""
    steps = write_read_erase(0.5, 1e-2, 1e-4, 6)
    lost = run_film(FATIGUED, steps, points=4).endurance()
    assert lost["cycle"].tolist() == [1, 2, 3, 4, 5, 6]
    assert (np.diff(lost["window"]) < 0).all()
    assert lost["window"].iloc[-1] < 0.35 * lost["window"].iloc[0]
    kept = run_film(FATIGUED.model_copy(update={"traps": None}), steps, points=4).endurance()
    assert kept["of_first"].to_numpy() == pytest.approx(1.0, abs=0.02)
    # Behind a high barrier they never see an ion.
    behind = FATIGUED.model_copy(update={"traps": Traps(share=0.05, depth_eV=0.9, barrier_eV=1.5)})
    same = run_film(behind, steps, points=4).endurance()
    assert same["window"].to_numpy() == pytest.approx(kept["window"].to_numpy(), rel=1e-3)


def test_a_film_that_forgets_within_the_wait_has_no_share_of_a_window():
    lost = run_film(PLAIN, write_read_erase(0.1, 1e-3, 1.0, 2), points=4).endurance()
    assert lost["window"].abs().max() < 1e-4
    assert lost["of_first"].isna().all()
    kept = run_film(PLAIN, write_read_erase(0.1, 1e-3, 1e-9, 2), points=4).endurance()
    assert kept["of_first"].iloc[0] == 1.0


def test_times_of_many_steps_are_named_apart_and_ramps_by_where_they_end():
    many = run_film(PLAIN.model_copy(update={"thickness_nm": 2.0}), write_read_erase(0.1, 1e-6, 1e-6, 20), points=2)
    names = many.plot("profile").axes[0].get_xticklabels()
    assert len(names) == 6
    assert names[-1].get_text().startswith("0 V")
    ramps = run_film(PLAIN.model_copy(update={"thickness_nm": 2.0}), sweep(0.5, 1e4), points=2)
    said = [t.get_text().split("\n")[0] for t in ramps.plot("profile").axes[0].get_xticklabels()]
    assert said == ["0.5 V", "−0.5 V", "0 V"]


def test_only_cycles_have_an_endurance():
    assert run_film(PLAIN, write_read_erase(0.1, 1.0, 1.0), points=2).endurance().empty
    steps = [FilmStep(voltage_V=v, duration_s=1.0) for v in (0.1, 0.2, 0.3, 0.1, 0.2, 0.1, 0.0, 0.1)]
    assert run_film(PLAIN, steps, points=2).endurance().empty


def test_traps_are_not_walked_ion_by_ion():
    with pytest.raises(ValueError, match="no traps"):
        walk_film(FATIGUED, [FilmStep(voltage_V=0.1, duration_s=1e-4)], side=4)


def test_a_lithium_channel_of_tungsten_oxide_is_a_reservoir_film():
    """Conductance of a Li-WO3 cell against 1000 pulses in and 1000 out.

    J. Tang et al., IEDM 2018, ieeexplore.ieee.org/document/8614551, as a step that falls with the conductance w:
    numbers of the fit in IBM's analog hardware kit (EcRamPresetDevice). A film that is quick beside its electrode has
    that law: dx/dn = k_in (1 - x) with the one voltage and -k_out x with the other, so that its content lies between 7
    and 24 %.
    """
    step, highest, lowest, up, down = 0.002, 1.1724, -0.8276, 0.1153, 0.5085
    k_in, k_out = step * up / highest, step * down / -lowest
    full, empty = highest / up, lowest / down
    start = (lowest - empty) / (full - empty)
    # Reaction over 0.9 eV at 300 K: the share of the voltage that makes each rate, at either sense.
    thermal, pulse_s = KB * 300, 1e-3
    at_rest = 1e13 * math.exp(-0.9 / thermal) * pulse_s
    film = FilmModel(
        thickness_nm=0.9,
        plane_spacing_A=3,
        barrier_eV=0.2,
        charge_e=1.0,
        occupation=start,
        screened=False,
        left=Electrode(kind="reservoir", occupation=0.5, barrier_eV=0.9, share_of_voltage=0.5),
    )
    planes = film.planes
    # All planes fill through one electrode: its rate counts once for all of them.
    volts = [sense * 4 * thermal * math.log(2 * planes * k / at_rest) for sense, k in ((1, k_in), (-1, k_out))]
    tilted = film.model_copy(update={"permittivity": 1e6, "other_layers_nm": [(1e6, 1.0)]})
    steps = [FilmStep(voltage_V=v, duration_s=1000 * pulse_s) for v in volts]
    run = run_film(tilted, steps, points=40)
    w = empty + np.array(run.profile).mean(axis=1) * (full - empty)
    n = np.array(run.time_s) / pulse_s
    rise = full + (lowest - full) * np.exp(-k_in * n)
    top = full + (lowest - full) * math.exp(-1000 * k_in)
    fall = empty + (top - empty) * np.exp(-k_out * (n - 1000))
    measured = np.where(n <= 1000, rise, fall)
    assert np.abs(w - measured).max() < 0.02 * (highest - lowest)
