"""Numbers that a study only copies, renames or chooses: each against what was put in, with all of them unlike."""

import numpy as np
import pytest
from made_studies import CFO, TAG, ELEMENT_eV, energy, one, phases
from magnetoionics.analysis.builder.build import build_study
from magnetoionics.analysis.builder.inputs import StudyInputs
from magnetoionics.analysis.defects.vacancies import VacancySet, VacancyState
from magnetoionics.analysis.device.assumptions import Assumptions
from magnetoionics.analysis.device.film import FilmAssumptions
from magnetoionics.analysis.kinetics.attempt_frequency import AttemptFrequency, Modes
from magnetoionics.analysis.kinetics.field_treatments import field_study, path_points
from magnetoionics.analysis.kinetics.migration import migration_from_band
from magnetoionics.analysis.kinetics.rates import rate_per_s, retention_s
from magnetoionics.analysis.kinetics.switching import FieldPulse
from magnetoionics.analysis.magnetism.frozen_reference import FrozenReference
from magnetoionics.analysis.magnetism.thermal_anisotropy import brillouin_order
from magnetoionics.analysis.results.calculation import Band, BandImage
from magnetoionics.analysis.results.checks import held
from magnetoionics.analysis.thermodynamics.phases import formula_composition
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.flows.building import shortest_hop
from magnetoionics.workflows.flows.migration import read_migration
from magnetoionics.workflows.flows.plan import plan_stages
from magnetoionics.workflows.flows.study import MagnetoionicStudyMaker
from maps import make_map
from pymatgen.core import Composition
from scipy.optimize import brentq

HOST = get_host("cofe2o4")
ORDER, UNITS = HOST.orders[0], 8
# Barriers and prefactors, each unlike the others.
FORWARD_eV, BACKWARD_eV, FORWARD_Hz, BACKWARD_Hz = 0.62, 0.41, 7e12, 3e12
KT_eV = 8.617333262e-5 * 300
HOP = shortest_hop(HOST.structure(), (1, 1, 1), HOST.hops[0])


def engine():
    made = MagnetoionicStudyMaker.quick(get_engine("local")).engine_result(HOST.structure())
    return made.model_copy(update={"name": "vasp", "level_of_theory": "VASP"})


def bulk(order=ORDER, above_eV=0.0):
    return one(f"bulk {order}", HOST.structure(order), UNITS * energy(HOST.formula).energy_eV + above_eV)


def band(checks=()):
    """Three images of the real hop; the charge that moves is +2 along it."""
    before, after = HOP.initial, HOP.final
    images = [
        BandImage(
            energy_eV=e, arc_A=x, mover_A=x, kind=kind, structure=cell,
            dipole_e_A=[2 * share * d for d in HOP.displacement_A],
        )
        for e, x, kind, cell, share in (
            (0.0, 0.0, "end", before, 0.0),
            (FORWARD_eV, 1.5, "saddle", before, 0.4),
            (FORWARD_eV - BACKWARD_eV, 3.0, "end", after, 1.0),
        )
    ]  # fmt: skip
    return Band(
        mover=HOP.mover, images=images, dipole_source="point charges", force_calls=1, checks=list(checks),
        not_checked=[], provenance=TAG,
    )  # fmt: skip


def migration(checks=()):
    return migration_from_band(
        band(checks), label="Co(B) -> V_Fe(B)", ion="Co", host_site="B", vacancy="V_Fe(B)",
        displacement_A=HOP.displacement_A, multiplicity=1, relation=[], fields_V_per_A=[0.0, 0.01, -0.01],
    )  # fmt: skip


def vibrations():
    modes = [
        Modes(state=state, frequencies_THz=found, largest_translation_THz=None, largest_force_eV_per_A=0.0,
              asymmetry_eV_per_A2=0.0)
        for state, found in (("initial", [7.0, 5.0]), ("saddle", [-2.0, 5.0]), ("final", [3.0, 5.0]))
    ]  # fmt: skip
    return AttemptFrequency(
        label="hop", method="partial Hessian", radius_A=3.0, atoms=1, forward_Hz=FORWARD_Hz, backward_Hz=BACKWARD_Hz,
        shells=[], relative_error=None, modes=modes, forward_eV=FORWARD_eV, backward_eV=BACKWARD_eV,
        displacement_A=0.01, force_calls=1, checks=[], provenance=TAG,
    )  # fmt: skip


def fields():
    found = band()
    points = path_points(found.energies_eV, found.dipoles_e_A, HOP.displacement_A, [0.0, 0.01, -0.01])
    return field_study(
        points, label="hop", direction=HOP.displacement_A, exchanged=False, dipole_source="point charges",
        provenance=TAG,
    )  # fmt: skip


def moved(hop, after=HOP.final, matrices=(), moments_muB=None):
    read = {
        "migration": hop, "before": HOP.initial, "after": after, "mover": HOP.mover,
        "keffer": {"before": [1.0, 2.0, 3.0], "after": [4.0, 5.0, 6.0]}, "relation_matrices": list(matrices),
        "end_moments_muB": moments_muB,
    }  # fmt: skip
    return {"band": None, "read": read, "fields": [fields()]}


def study(host="cofe2o4", assumptions=None, **outputs):
    chosen = get_host(host)
    planned = plan_stages(get_engine("local"), chosen, chosen.orders[0], ["migration", "vacancies", "anisotropy"])
    given = {"host": {ORDER: bulk()}} | {name.replace("_", " "): value for name, value in outputs.items()}
    return build_study(
        StudyInputs(host, chosen.orders[0], engine(), planned, given, assumptions or Assumptions())
    )  # fmt: skip


def test_orders_are_compared_per_formula_unit_with_the_lowest_at_zero():
    given = {"host": {ORDER: bulk(), "normal": bulk("normal", above_eV=UNITS * 0.3)}}
    planned = plan_stages(get_engine("local"), HOST, ORDER, ["host"])
    found = build_study(StudyInputs("cofe2o4", ORDER, engine(), planned, given)).host
    energies = {o.order: o.relative_eV_per_formula for o in found.orders}
    assert energies == pytest.approx({ORDER: 0.0, "normal": 0.3})
    volume = HOST.structure().volume / UNITS
    assert found.volume_per_formula_A3 == pytest.approx(volume)
    assert [o.volume_per_formula_A3 for o in found.orders] == pytest.approx([volume] * 2, rel=1e-3)
    # `one` gives every cell 20 muB.
    assert found.moment_per_formula_muB == pytest.approx(20.0 / UNITS)


def vacancy(label, above_eV, moment_muB, checks=()):
    made = one(label, HOST.structure(), bulk().energy_eV - ELEMENT_eV["Fe"] + above_eV)
    made = made.model_copy(update={"total_moment_muB": moment_muB, "checks": list(checks)})
    return VacancyState(label=label, element="Fe", sublattice="B", multiplicity=8, near_cations=None, calculation=made)


def test_a_vacancy_keeps_its_signs_and_its_edges():
    found = [vacancy("V_Fe(B,1)", 1.0, 15.0), vacancy("V_Fe(B,2)", 2.0, 25.0)]
    made = study(vacancies=VacancySet(host=bulk(), vacancies=found), competing_phases=phases(CFO))
    first, second = made.vacancies
    assert first.energy_minus_host_eV == pytest.approx(1.0 - ELEMENT_eV["Fe"])
    assert (first.moment_change_muB, second.moment_change_muB) == (-5.0, 5.0)
    window = made.chemical_potentials.window
    # The energies of `made_studies` are those of measured enthalpies: the host's own must come back.
    measured = energy(HOST.formula).energy_eV - sum(
        n * ELEMENT_eV[el] for el, n in formula_composition(HOST.formula).items()
    )
    assert made.competing_phases.window.host_formation_energy_eV == pytest.approx(measured, abs=0.02)
    assert first.oxygen_poor.delta_mu_O_eV == pytest.approx(window.delta_mu_O_min_eV)
    assert first.oxygen_rich.delta_mu_O_eV == pytest.approx(window.delta_mu_O_max_eV)
    # Where oxygen is plenty iron is poor, and leaves more easily.
    assert first.oxygen_rich.high_eV < first.oxygen_poor.low_eV
    (line,) = [x for x in made.chemical_potentials.lines.lines if x.label == first.label]
    ends = [(e.low_eV, e.high_eV) for e in (first.oxygen_poor, first.oxygen_rich)]
    assert ends == [(line.low_eV[i], line.high_eV[i]) for i in (0, -1)]
    (check,) = first.formation_checks
    assert check.value == min(low for low, _ in ends)
    assert second.oxygen_rich.low_eV - first.oxygen_rich.low_eV == pytest.approx(1.0)


def test_the_time_a_state_is_kept_is_that_of_its_own_barrier_and_prefactor():
    assumed = study(migration=moved(migration()))
    assert assumed.retention.barrier_eV == BACKWARD_eV
    assert assumed.retention.forward_barrier_eV == pytest.approx(FORWARD_eV)
    assert assumed.retention.at(300) == pytest.approx(retention_s(BACKWARD_eV, 300))
    computed = study(migration=moved(migration()), vibrations=vibrations())
    kept = computed.retention
    assert (kept.attempt_frequency_Hz, kept.forward_attempt_Hz) == (BACKWARD_Hz, FORWARD_Hz)
    assert kept.attempt_frequency_source == "Vineyard"
    point = next(p for p in computed.migration[0].field_studies[0].points if p.field_V_per_m == 0)
    # Rates of quantum oscillators, some percent from the classical ones.
    assert point.forward_per_s == pytest.approx(vibrations().rate_per_s(300.0))
    assert point.backward_per_s == pytest.approx(vibrations().rate_per_s(300.0, backward=True))
    assert point.forward_per_s == pytest.approx(rate_per_s(FORWARD_eV, 300.0, FORWARD_Hz), rel=0.1)
    assert point.backward_per_s == pytest.approx(rate_per_s(BACKWARD_eV, 300.0, BACKWARD_Hz), rel=0.1)


def test_an_unsound_hop_is_shown_and_reaches_neither_times_nor_claims():
    broken = study(migration=moved(migration([held("force at the saddle", 1.0, 0.06)])))
    assert broken.migration[0].why_no_result
    assert broken.retention is None
    assert broken.device is None
    assert broken.switching is None
    assert {c.verdict for c in broken.claims if c.id in ("C8", "C9")} <= {"not computed", "undecided"}


def maps(states=("pristine", "before", "after")):
    """Uniaxial maps along unlike axes, so that none can stand for another."""
    axes = {"pristine": [0, 0, 1], "before": [1, 0, 0], "after": [0, 1, 0]}
    sizes = {"pristine": 1.0, "before": 2.0, "after": 3.0}
    return {s: make_map(lambda n, s=s: -sizes[s] * (n @ np.array(axes[s], dtype=float)) ** 2, state=s) for s in states}


def test_maps_stay_with_their_states_and_are_counted_in_the_host_s_formula_units():
    made = study(migration=moved(migration()), anisotropy={"maps": maps(), "turned": None})
    easy = {s.state: np.abs(s.easy_axis).round(4).tolist() for s in made.anisotropy.summaries}
    assert easy == {"pristine": [0, 0, 1], "before": [1, 0, 0], "after": [0, 1, 0]}
    states = {s.state: s for s in made.unidirectional.states}
    assert states["before"].keffer_A2 == [1.0, 2.0, 3.0]
    assert states["after"].keffer_A2 == [4.0, 5.0, 6.0]
    assert [np.abs(a).round(4).tolist() for a in made.switching.easy_axes] == [[1, 0, 0], [0, 1, 0]]
    assert {m.formula_units for m in made.anisotropy.maps} == {8}
    assert made.unidirectional.easy_axis_tilt_deg == pytest.approx(90.0, abs=1e-3)


def competing():
    """Easy z before; after it y by l = 4 at 0 K, and z by l = 2, which falls less, where M has fallen."""

    def after(n):
        along = (n @ np.array([0.0, 1.0, 0.0])) ** 2
        return -((n @ np.array([0.0, 0.0, 1.0])) ** 2) - 2.0 * (35 * along**2 - 30 * along + 3) / 8

    before = make_map(lambda n: -2.0 * (n @ np.array([0.0, 0.0, 1.0])) ** 2, state="before")
    return {"pristine": maps()["pristine"], "before": before, "after": make_map(after, state="after")}


def test_the_film_s_temperature_decides_what_the_hop_turns():
    """By Callen and Callen's powers m^3 and m^10; 0 K is named beside it, and above T_C there is no grain."""
    at_300, beyond = (
        study(
            migration=moved(migration(), moments_muB=(20.0, 22.0)),
            anisotropy={"maps": competing(), "turned": None},
            assumptions=Assumptions(film=FilmAssumptions(temperature_K=t)),
        )
        for t in (300.0, 800.0)
    )
    m = brillouin_order(300.0, 793.0, 2.5)
    found = at_300.unidirectional
    assert (found.temperature_K, found.easy_axis_tilt_0K_deg) == (300.0, pytest.approx(90.0, abs=0.1))
    assert found.easy_axis_tilt_deg == pytest.approx(0.0, abs=0.1)
    after = next(s for s in found.states if s.state == "after")
    # Along y and z: l = 2 alone is 1 apart, l = 4 is -2 and -2 P4(0) = -0.75.
    assert after.hard_minus_easy_meV > m**3
    assert "easy by 0.0 and hard by" in found.reason
    assert "90.0 and" in found.reason
    assert next(s for s in found.states if s.state == "pristine").temperature_K == 0
    assert at_300.device.merit.volume_anisotropy_J_per_m3_per_V_per_m is not None
    assert len(at_300.device.grains) == 2
    assert f"{2 * m:+.3g} muB at 300 K" in " ".join(at_300.device.merit.assumptions)
    assert beyond.device.merit.volume_anisotropy_J_per_m3_per_V_per_m is None
    assert beyond.device.grains == []
    assert beyond.device.loops == []
    assert beyond.device.writing is None
    assert beyond.unidirectional.temperature_K == 0
    assert "above the measured T_C of 793 K" in " ".join(beyond.device.assumptions)
    assert "+0 muB at 800 K" in " ".join(beyond.device.merit.assumptions)


@pytest.mark.parametrize(("key", "units"), [("life5o8", 4), ("coo", None), ("fe4n", None), ("lifepo4", None)])
def test_a_map_is_counted_in_the_units_of_any_host(key, units):
    """By volume, so that neither the anion nor a vacancy matters: engines know no host."""
    host = get_host(key)
    cell = host.structure()
    of_host = cell.composition.num_atoms / Composition(host.formula).num_atoms
    assert units is None or of_host == units
    planned = plan_stages(get_engine("local"), get_host("life5o8"), get_host("life5o8").orders[0], ["anisotropy"])
    given = {
        state: map_.model_copy(update={"cell_volume_A3": n * cell.volume, "formula_units": 1.0})
        for n, (state, map_) in zip((1, 8, 27), maps().items(), strict=True)
    }
    outputs = {
        "host": {host.orders[0]: one("bulk", cell, -1.0)},
        "anisotropy": {"maps": given, "turned": None},
    }
    made = build_study(StudyInputs(key, host.orders[0], engine(), planned, outputs))
    assert [m.formula_units for m in made.anisotropy.maps] == pytest.approx([of_host, 8 * of_host, 27 * of_host])


def test_the_worst_of_several_operations_is_the_deviation_of_related_states():
    swap = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    given = maps()
    given["after"] = make_map(lambda n: -2.0 * n[:, 1] ** 2, state="after")
    outputs = {"anisotropy": {"maps": given, "turned": None}}
    right = study(migration=moved(migration(), matrices=[swap]), **outputs)
    assert right.unidirectional.relation_deviation_meV == pytest.approx(0.0, abs=1e-9)
    both = study(migration=moved(migration(), matrices=[swap, np.eye(3).tolist()]), **outputs)
    assert both.unidirectional.relation_deviation_meV == pytest.approx(2.0, rel=0.05)


def test_a_pulse_and_its_reverse_move_the_ions_forth_and_back():
    pulse = FieldPulse(field_V_per_m=1e8, duration_s=1e3, wait_s=0.0, temperature_K=300.0)
    made = study(
        migration=moved(migration(), moments_muB=(19.0, 20.5)), vibrations=vibrations(),
        anisotropy={"maps": maps(), "turned": None}, assumptions=Assumptions(pulse=pulse),
    )  # fmt: skip
    shares = {s.stage: s.population_after for s in made.switching.steps}
    assert shares["before"] == 0.0
    # A positive charge of 2 e: the field along the hop lowers one barrier and raises the other; both wells are reached.
    hop = made.migration[0]
    to_saddle, to_end = 0.4 * 2 * 0.01 * hop.distance_A, 2 * 0.01 * hop.distance_A

    def balance(sign):
        forward = vibrations().rate_per_s(300.0) * np.exp(sign * to_saddle / KT_eV)
        backward = vibrations().rate_per_s(300.0, backward=True) * np.exp(-sign * (to_end - to_saddle) / KT_eV)
        return forward / (forward + backward)

    assert shares["after the pulse"] == pytest.approx(balance(+1), rel=1e-6)
    assert shares["after the reverse pulse"] == pytest.approx(balance(-1), rel=1e-6)
    # One muB and a half more in the state after, as the engine found: mu0 dM/dE of one vacancy in 100 formula units,
    # and less by M(T)/M(0) of the film.
    units = made.anisotropy.maps[0].formula_units
    swing, volume = balance(+1) - balance(-1), 100 * 600e-30 / units
    alpha = 4e-7 * np.pi * 1.5 * swing * 9.2740100783e-24 / volume / 2e8
    merit = made.device.merit
    # Plane minus normal of -K (n.a)^2 with the hop as normal: K [(a.h)^2 - (1 - (a.h)^2) / 2].
    along = np.array(hop.displacement_A) / hop.distance_A
    easier = [size * (1.5 * along[axis] ** 2 - 0.5) for size, axis in ((2.0, 0), (3.0, 1))]
    # At the film's 300 K n.T.n has fallen as m^3; the mean field of spins 5/2 below T_C = 793 K.
    spin, reduced = 2.5, 300.0 / 793.0

    def above(m):
        x = 3 * spin / (spin + 1) * m / reduced
        whole, half = (2 * spin + 1) / (2 * spin), 1 / (2 * spin)
        return whole / np.tanh(whole * x) - half / np.tanh(half * x) - m

    order = brentq(above, 0.5, 1.0)
    # It is smaller than the absolute tolerance that approx has by itself.
    assert merit.converse_magnetoelectric_s_per_m == pytest.approx(order * alpha, rel=1e-6, abs=0)
    cubed = order**3
    change = swing * cubed * (easier[1] - easier[0]) * 1.602176634e-22 / volume / 2e8
    assert merit.volume_anisotropy_J_per_m3_per_V_per_m == pytest.approx(change, rel=1e-4)
    by_field = {f.field_V_per_m: f for f in hop.field}
    assert by_field[1e8].forward_eV == pytest.approx(FORWARD_eV - to_saddle)
    assert by_field[1e8].backward_eV == pytest.approx(BACKWARD_eV + to_end - to_saddle)


def test_the_two_states_of_a_hop_are_those_before_and_after_it():
    """From the first to the last only the mover goes, by the displacement of the hop."""
    read = read_migration.original(HOP, band(), [0.0])
    before, after = read["before"], read["after"]
    image = before[HOP.mover].distance_and_image(after[HOP.mover])[1]
    step = after[HOP.mover].frac_coords + image - before[HOP.mover].frac_coords
    assert before.lattice.get_cartesian_coords(step) == pytest.approx(HOP.displacement_A, abs=1e-6)
    assert np.linalg.norm(HOP.displacement_A) > 1.0
    assert before == HOP.initial
    assert read["migration"].forward_eV == FORWARD_eV
    assert read["keffer"] != {"before": read["keffer"]["after"], "after": read["keffer"]["before"]}


def test_each_end_of_the_switch_has_its_own_u():
    """The hop changes the geometry of the bonds to the frozen sublattice, and with it the Dzyaloshinskii part of u."""
    reference = FrozenReference(sublattice="A", p=[1.0, 1.0, 0.0], h_meV=20.0, d0_meV_per_A2=1.0, source="made up")
    after = HOP.final.copy()
    oxygen = next(n.index for n in after.get_neighbors(after[HOP.mover], 2.3) if n.specie.symbol == "O")
    after.translate_sites([oxygen], [0.1, 0.2, 0.3], frac_coords=False)
    made = study(
        migration=moved(migration(), after=after), anisotropy={"maps": maps(), "turned": None},
        assumptions=Assumptions(reference=reference),
    )  # fmt: skip
    u = {s.state: s.u_meV for s in made.unidirectional.states}
    assert np.abs(np.subtract(u["before"], u["after"])).max() > 0.01
    # Before the pulse every ion is in the state before the hop.
    assert made.switching.steps[0].u_meV == pytest.approx(u["before"])
