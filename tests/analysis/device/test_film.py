"""Switching path and device figures of a stored study: closed forms, assumed numbers, limits."""

from math import exp
from types import SimpleNamespace

import numpy as np
import pytest
from kept_study import kept_study
from magnetoionics.analysis.builder.post_processing import HopEnds, with_assumptions
from magnetoionics.analysis.device.assumptions import Assumptions
from magnetoionics.analysis.device.ensemble import (
    EnsembleParameters,
    contrast_after,
    relaxation_against_temperature,
)
from magnetoionics.analysis.device.figures_of_merit import MU_0
from magnetoionics.analysis.device.film import FilmAssumptions, device_result, perpendicular_anisotropy_meV
from magnetoionics.analysis.kinetics.rates import retention_s
from magnetoionics.analysis.kinetics.switching import (
    FieldPulse,
    hop_in_field,
    hop_populations,
    population_swing,
    switch_hop,
)
from magnetoionics.analysis.plots.ensemble import plot_curve, plot_pulses, plot_train
from magnetoionics.analysis.plots.switching import plot_switching, plot_switching_time
from magnetoionics.analysis.report.device_tables import merit_table
from magnetoionics.analysis.study.transport import transport_of
from magnetoionics.structures.units import MEV_PER_A3_TO_MJ_PER_M3, MU_B_J_PER_T, BOLTZMANN_eV_PER_K

NOTHING = [0.0, 0.0, 0.0]


@pytest.fixture(scope="module")
def study():
    return kept_study()


@pytest.fixture(scope="module")
def hop(study):
    return study.migration[0]


@pytest.fixture(scope="module")
def device(study, hop):
    maps = tuple(m for m in study.anisotropy.maps if m.state in ("before", "after"))
    return device_result(hop, FilmAssumptions(), FieldPulse(), maps=maps, moment_change_muB=-1.0, swing=0.5)


def test_barriers_in_a_field_are_those_of_the_study(hop):
    for found in hop.field:
        again = hop_in_field(hop, found.field_V_per_m)
        assert again.forward_eV == pytest.approx(found.forward_eV, abs=1e-9)
        assert again.backward_eV == pytest.approx(found.backward_eV, abs=1e-9)
    with pytest.raises(ValueError, match="beyond"):
        hop_in_field(hop, 2e10)
    # A study with few small fields still takes a larger pulse, up to its breakdown.
    few = hop.model_copy(update={"field": [f for f in hop.field if abs(f.field_V_per_m) < 2e7]})
    with pytest.raises(ValueError, match="beyond"):
        hop_in_field(few, 4e7)
    field = SimpleNamespace(breakdown_V_per_m=1e9)
    wide = few.model_copy(update={"field_studies": [field]})
    assert hop_in_field(wide, 4e7).forward_eV == pytest.approx(hop_in_field(hop, 4e7).forward_eV)


def test_long_pulse_ends_in_equilibrium_and_keeps_detailed_balance(hop):
    kT = BOLTZMANN_eV_PER_K * 300
    for field in (0.0, 1e8, -1e8):
        share = hop_populations(hop, 300.0)(0.0, field, 1e12)
        assert share / (1 - share) == pytest.approx(exp(-hop_in_field(hop, field).delta_eV / kT), rel=1e-6)
    assert hop_populations(hop, 1.0)(0.3, 0.0, 1.0) == 0.3


def test_a_pulse_and_its_reverse(hop):
    u = ([0.1, 0.2, 0.0], [0.1, -0.2, 0.0])
    pulse = FieldPulse(field_V_per_m=2e8, duration_s=10.0, wait_s=0.0)
    path = switch_hop(hop, *u, pulse, reference="a layer")
    shares = [s.population_after for s in path.steps]
    assert len(shares) == 5
    assert shares[0] == 0
    assert shares[1] > 0.99
    assert shares[2] == shares[1]
    assert shares[3] < 0.5 < shares[1]
    for step in path.steps:
        p = step.population_after
        assert np.allclose(step.u_meV, (1 - p) * np.array(u[0]) + p * np.array(u[1]), atol=1e-12)
    assert any("2e+08 V/m" in a for a in path.assumptions)
    assert plot_switching(path).axes[1].get_ylabel().startswith("u along")


def test_swing_is_between_equilibria_for_long_pulses_and_positive(hop):
    kT = BOLTZMANN_eV_PER_K * 300
    nu = (1e13, 1e13)
    found = population_swing(hop, FieldPulse(field_V_per_m=1e8, duration_s=1e9), nu)
    ends = [1 / (1 + exp(hop_in_field(hop, f).delta_eV / kT)) for f in (1e8, -1e8)]
    assert found == pytest.approx(ends[0] - ends[1], rel=1e-6)
    # However short or slow: the sign is that of the field, and the reverse pulse gives the same.
    for field in (1e8, -1e8):
        assert 0 < population_swing(hop, FieldPulse(field_V_per_m=field, duration_s=1e-3), nu) < found
    # A prefactor that is larger forward than back shifts the equilibrium.
    assert hop_populations(hop, 300.0, (2e13, 1e13))(0.0, 0.0, 1e12) > hop_populations(hop, 300.0)(0.0, 0.0, 1e12)


def test_nothing_frozen_writes_no_sense(hop):
    path = switch_hop(hop, NOTHING, NOTHING, FieldPulse(), reference=None, easy_axes=[[1, 0, 0], [0, 1, 0]])
    assert path.verdict.startswith("axes only")
    assert "assumed" in " ".join(path.assumptions)
    assert len(plot_switching(path).axes) == 1
    with pytest.raises(ValueError, match="breaks time reversal"):
        switch_hop(hop, [1.0, 0, 0], NOTHING, FieldPulse(), reference=None)


def test_relaxation_time_has_its_closed_form():
    p = EnsembleParameters(barrier_eV=0.8, asymmetry_eV=-0.05, charge_e=2.0, distance_A=2.967)
    kT = BOLTZMANN_eV_PER_K * 300
    both = 1e13 * (exp(-(0.8 + 0.025) / kT) + exp(-(0.8 - 0.025) / kT))
    assert relaxation_against_temperature(p, [300]).y[0] == pytest.approx(1 / both, rel=1e-6)
    even = p.model_copy(update={"asymmetry_eV": 0.0})
    halves = [retention_s(0.8, t) / 2 for t in (250, 300)]
    assert relaxation_against_temperature(even, [250, 300]).y == pytest.approx(halves, rel=1e-6)
    spread = relaxation_against_temperature(p.model_copy(update={"barrier_spread_eV": 0.1}), [300]).y[0]
    assert spread > 1 / both


def test_curves_say_what_they_assume(device, hop):
    p = device.parameters
    assert p.barrier_eV == pytest.approx((hop.forward_eV + hop.backward_eV) / 2)
    assert p.asymmetry_eV == hop.delta_eV
    assert [c.notes[0].split(",")[0] for c in device.against_voltage] == ["pulse 0.001 s", "pulse 1 s", "pulse 1000 s"]
    # The last reading at 0 V of a train is that of the wait after the pulse.
    pulses = [x for v in (0.0, -4.0, 0.0, 4.0) for x in ((v, 1.0), (0.0, 60.0))]
    assert device.train.y == pytest.approx(contrast_after(p, pulses))
    assert device.against_miscut.y[-1] == pytest.approx(0, abs=1e-12)
    assert np.all(np.diff(device.against_miscut.y) < 0)
    assert np.all(np.diff(device.switching_times_s) < 0)
    text = "\n".join(t.get_text() for t in plot_curve(device.against_miscut).axes[0].texts)
    for name in (
        "thickness",
        "local field factor",
        "barrier spread",
        "texture",
        "attempt",
        "temperature",
    ):
        assert name in text
    assert "miscut_deg" not in text
    for figure in (plot_pulses(device.against_voltage), plot_train(device.train), plot_switching_time(device)):
        assert figure.axes


def test_figures_of_merit(device, study, hop):
    before, after = (m for m in study.anisotropy.maps if m.state in ("before", "after"))
    # One formula unit in a hundred has a vacancy that hops.
    volume = 100 * before.cell_volume_A3 / before.formula_units * 1e-30
    swing_V_per_m = 2 * 4e7
    assert device.merit.converse_magnetoelectric_s_per_m == pytest.approx(
        MU_0 * 0.5 * -1.0 * MU_B_J_PER_T / volume / swing_V_per_m, rel=1e-9, abs=0
    )
    change = 0.5 * (
        perpendicular_anisotropy_meV(after, hop.displacement_A)
        - perpendicular_anisotropy_meV(before, hop.displacement_A)
    )
    joule = change * 1e-3 * 1.602176634e-19
    assert device.merit.volume_anisotropy_J_per_m3_per_V_per_m == pytest.approx(joule / volume / swing_V_per_m)
    assert device.merit.surface_anisotropy_fJ_per_Vm == pytest.approx(
        1e15 * joule / volume * 1e-7 / swing_V_per_m, rel=1e-9
    )
    assert device.merit.retention_s == pytest.approx(study.retention.at(300))
    # Half the work of the field on the hop's dipole lowers the barrier, whatever its length.
    lowered = hop.forward_eV - abs(hop.images[-1].dipole_along_hop_e_A) * 4e-3 / 2
    moving = np.exp(lowered / (BOLTZMANN_eV_PER_K * 300)) / 1e13
    assert device.merit.switching_time_s == pytest.approx(moving, rel=1e-6, abs=0)
    assert device.merit.decay_s == pytest.approx(1 / (1 / device.merit.before_s + 1 / device.merit.retention_s))
    shown = {row[0].text: row[2].text for row in merit_table(device).rows}
    assert shown["decay of a written difference at zero field"].startswith("s (")
    assert any("move 0.5" in a for a in device.merit.assumptions)


def test_figures_do_not_know_in_which_cell_the_hop_was_computed(hop, study):
    """The same hop in a cell of twice the size, whose maps hold the same difference, is the same film."""
    maps = [m for m in study.anisotropy.maps if m.state in ("before", "after")]
    doubled = [
        m.model_copy(update={"cell_volume_A3": 2 * m.cell_volume_A3, "formula_units": 2 * m.formula_units})
        for m in maps
    ]
    small, large = (
        device_result(hop, FilmAssumptions(), FieldPulse(), maps=tuple(both), moment_change_muB=1.0).merit
        for both in (maps, doubled)
    )
    for name in (
        "surface_anisotropy_fJ_per_Vm",
        "volume_anisotropy_J_per_m3_per_V_per_m",
        "converse_magnetoelectric_s_per_m",
    ):
        assert getattr(small, name) == pytest.approx(getattr(large, name), abs=0)
    thick = FilmAssumptions(thickness_m=2e-7, hopping_per_formula=0.02)
    four = device_result(hop, thick, FieldPulse(), maps=tuple(maps)).merit
    assert four.surface_anisotropy_fJ_per_Vm == pytest.approx(4 * small.surface_anisotropy_fJ_per_Vm)
    assert four.converse_magnetoelectric_s_per_m is None
    assert any("finds no moments" in note for note in four.assumptions)


def test_perpendicular_anisotropy_of_a_uniaxial_map(study):
    map_ = study.anisotropy.maps[0]
    energy = 3.0 * (1 - map_.vectors[:, 2] ** 2)
    axis = map_.model_copy(update={"energies_meV": energy.tolist()})
    assert perpendicular_anisotropy_meV(axis, [0, 0, 2.0]) == pytest.approx(3.0)
    assert perpendicular_anisotropy_meV(axis, [1.0, 0, 0]) == pytest.approx(-1.5)


def test_a_negative_ion_is_driven_against_the_field(study, hop):
    """The same profile with the dipole turned round is the same film, in the opposite field."""
    turned = [i.model_copy(update={"dipole_along_hop_e_A": -i.dipole_along_hop_e_A}) for i in hop.images]
    negative = hop.model_copy(update={"images": turned})
    one, other = (device_result(h, FilmAssumptions(), FieldPulse()) for h in (hop, negative))
    assert other.switching_fields_V_per_m == [-f for f in one.switching_fields_V_per_m]
    assert other.switching_times_s == pytest.approx(one.switching_times_s)
    assert other.merit.switching_time_s == pytest.approx(one.merit.switching_time_s)
    swings = [population_swing(h, FieldPulse(), (1e13, 1e13)) for h in (hop, negative)]
    assert swings[1] == pytest.approx(swings[0])
    assert swings[0] > 0
    points = [transport_of(h, study.host.structure).points[0] for h in (hop, negative)]
    assert points[1].hops_within_a_second_V_per_m == pytest.approx(points[0].hops_within_a_second_V_per_m)
    assert points[1].linear_law_V_per_m == pytest.approx(points[0].linear_law_V_per_m)
    bare = study.model_copy(update={"migration": [negative], "anisotropy": None, "unidirectional": None})
    ends = SimpleNamespace(moments_muB=None)
    path = with_assumptions(bare, ends, Assumptions()).switching
    assert path.steps[1].field_V_per_m == -4e7
    assert path.steps[1].population_after > path.steps[3].population_after
    assert any("against the hop, which drives a negative ion along it" in a for a in path.assumptions)
    asked = Assumptions(pulse=FieldPulse(field_V_per_m=5e7))
    assert with_assumptions(bare, ends, asked).switching.steps[1].field_V_per_m == 5e7


def test_the_films_temperature_decides_the_map(study):
    """K1 of CoFe2O4 falls to a third by 300 K: grains and figures of merit take the free energy where there is one."""
    maps = {m.state: m for m in study.anisotropy.maps}
    structure = study.host.structure

    def device(warm, temperature_K=300.0):
        result = study.anisotropy.model_copy(update={"warm": warm})
        film = FilmAssumptions(temperature_K=temperature_K)
        bare = study.model_copy(update={"anisotropy": result})
        return with_assumptions(bare, HopEnds(structure, structure, 0), Assumptions(film=film)).device

    def scaled(map_, factor):
        energies = [factor * e for e in map_.energies_meV]
        return map_.model_copy(update={"energies_meV": energies, "temperature_K": 300.0})

    warm = [scaled(maps[s], 0.25) for s in ("before", "after")]
    cold, mine = device([]), device(warm)
    # Every energy of the crystal is a quarter; shape and strain are not.
    full = {s: perpendicular_anisotropy_meV(maps[s], study.migration[0].displacement_A) for s in ("before", "after")}
    for grain in mine.grains:
        per_volume = MEV_PER_A3_TO_MJ_PER_M3 / maps[grain.state].cell_volume_A3
        assert grain.crystal_MJ_per_m3 == pytest.approx(-0.25 * full[grain.state] * per_volume, rel=0.02)
    assert mine.merit.volume_anisotropy_J_per_m3_per_V_per_m != cold.merit.volume_anisotropy_J_per_m3_per_V_per_m
    assert any("free energy of the ions' levels at 300 K" in a for a in mine.assumptions)
    assert any("Callen and Callen" in a for a in cold.assumptions)
    # A map of another temperature is none of this film.
    other = device(warm, 400.0)
    assert any("Callen and Callen" in a for a in other.assumptions)
    # Callen and Callen: l = 2 falls as the cube of M(T)/M(0), higher degrees faster.
    for warm_grain, m in zip(cold.grains, (maps["before"], maps["after"]), strict=True):
        assert abs(warm_grain.crystal_MJ_per_m3) < abs(full[m.state]) * MEV_PER_A3_TO_MJ_PER_M3 / m.cell_volume_A3
