"""Judges of the claims about cobalt ferrite films, C1 to C10."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ...structures.units import (
    SECONDS_PER_DAY,
    V_PER_M_TO_V_PER_A,
    BOLTZMANN_eV_PER_K,
    COULOMB_eV_A,
    E_PER_A2_TO_uC_PER_CM2,
)
from ..defects.binding import VacancyBinding
from ..defects.formation import composition_after
from ..device.ensemble import contrast_after, ensemble_of_hop
from ..kinetics.migration import Migration
from ..kinetics.rates import format_duration, miscut_ratio, miscut_ratio_of_all_families, retention_s
from ..kinetics.retention import Retention
from ..magnetism.unidirectional import axis_angle_deg
from ..study.documents import Study, VacancyResult, Verdict
from ..study.vacancy_order import UNLIKE_CHARGES, vacancy_difference
from ..thermodynamics.phases import formula_composition
from .evidence import Judge, Judgement, NotDoneError, need, sound_hop, sound_retention, sound_vacancies
from .first_principles import judged_vacancies, shipped_orders
from .known_vacancies import ORDER as VACANCIES_ORDER
from .known_vacancies import VacanciesOfU, known_vacancies
from .known_values import better_calculations, knows_most
from .mechanisms import answer

# Octahedral site preference of Co2+ over the tetrahedron, which rigid ions leave out:
# about 31 kJ/mol (J. D. Dunitz and L. E. Orgel, 10.1016/0022-3697(57)90035-5).
OCTAHEDRAL_PREFERENCE_eV = 0.32
# Engines that cannot be trusted with a difference below it, by level of theory.
_LEAVE_OUT = {
    "local": "rigid ions leave out",
    "ML": "a potential without occupations of the d shell need not have learnt",
}
FILM_FE_TO_CO = 1.9
REVIEW_BARRIER_eV = 0.6
# The review gives the barrier to one digit; barriers of engines that reach within this of it hold it.
BARRIER_TOLERANCE_eV = 0.1

# What an engine without electrons leaves out beside a missing Fe3+: the attraction between its charge of -3 and
# one hole on a Co neighbour, 3 k_e / (eps r), with the static permittivity of ferrites of the order of 10.
HOLE_ON_NEIGHBOUR_eV = 3 * COULOMB_eV_A / (10.0 * 2.97)
# The review names no thickness: voltages become fields by this assumed one.
ASSUMED_THICKNESS_m = 1e-7
WRITING_VOLTAGE_V = 4.0
PULSE_s = 1.0
# A contrast below this is not seen.
_VISIBLE = 0.05
# A scan begins this long after the last pulse, at zero voltage.
READ_AFTER_s = 60.0
MISCUTS_deg = (8.9, 36.6)


def _composition(study: Study) -> Judgement:
    left = composition_after({"Co": 8, "Fe": 16, "O": 32}, {"Fe": 1})
    ratio = left["Fe"] / left["Co"]
    return Judgement(
        "consistent",
        ratio,
        "Fe/Co",
        f"one V_Fe in 56 atoms has the film's ratio of {FILM_FE_TO_CO:g} within its rounding; this is arithmetic, no "
        "study could make it come out otherwise, and it does not say that the missing ions are isolated vacancies",
        by="arithmetic",
    )


def _orders(study: Study) -> Judgement:
    """By first principles where they are shipped, and then only for the sets of U for which they agree."""
    shipped = None if knows_most(study.engine.level_of_theory) else shipped_orders(study.host.key)
    own = _by_own_orders(study)
    if shipped is None:
        return own
    return _with(shipped, f"; engine {study.engine.name} of this study says: {own.verdict}, {own.reason}")


def _by_own_orders(study: Study) -> Judgement:
    energies = {o.order: o.relative_eV_per_formula for o in study.host.orders}
    inverse = {k: v for k, v in energies.items() if k != "normal"}
    if "normal" not in energies or not inverse:
        return Judgement("undecided", None, "", "the study compared no inverse with a normal cation order")
    best = min(inverse, key=lambda k: inverse[k])
    gain = energies["normal"] - inverse[best]
    text = f"{best} lies {abs(gain):.3f} eV/f.u. {'below' if gain > 0 else 'above'} the normal order"
    if study.engine.level_of_theory in _LEAVE_OUT and abs(gain) < OCTAHEDRAL_PREFERENCE_eV:
        return Judgement(
            "undecided",
            gain,
            "eV/f.u.",
            f"{text}, but {_LEAVE_OUT[study.engine.level_of_theory]} the octahedral preference of Co2+ "
            f"(about {OCTAHEDRAL_PREFERENCE_eV} eV per ion), which is larger than this difference",
        )
    return Judgement("reproduced" if gain > 0 else "contradicted", gain, "eV/f.u.", text)


def _named(study: Study, label: str) -> VacancyResult | None:
    return next((v for v in sound_vacancies(study) if v.label == label), None)


def _easiest_vacancy(study: Study) -> Judgement:
    """By the best level of theory that there is: shipped first-principles energies before those of a cheap engine."""
    if knows_most(study.engine.level_of_theory):
        return _by_own_vacancies(study)
    known = known_vacancies(study.host.key) if study.host.order == VACANCIES_ORDER else ()
    return _by_known_vacancies(study, known) if known else _by_own_vacancies(study)


def _by_known_vacancies(study: Study, known: Sequence[VacanciesOfU]) -> Judgement:
    try:
        own = _by_own_vacancies(study)
        whose = f"engine {study.engine.name} of this study"
        beside = f"; {whose}, which knows less of electrons, says: {own.verdict}, {own.reason}"
    except NotDoneError:
        beside = ""
    return _with(judged_vacancies(known), beside)


def _with(finding: Judgement, beside: str) -> Judgement:
    return replace(finding, reason=f"{finding.reason}{beside}")


def _by_own_vacancies(study: Study) -> Judgement:
    if not sound_vacancies(study):
        raise NotDoneError("vacancies")
    iron_b, iron_a, cobalt = (_named(study, n) for n in ("V_Fe(B)", "V_Fe(A)", "V_Co(B)"))
    if iron_b is None or iron_a is None or cobalt is None:
        return Judgement("undecided", None, "", "the study lacks one of V_Fe(B), V_Fe(A), V_Co(B)")
    like = iron_a.corrected_minus_host_eV - iron_b.corrected_minus_host_eV
    potentials = need(study.chemical_potentials, "stability window")
    window, references = need(potentials.window, "stability window"), need(potentials.references, "reference energies")
    margin, best, bar = vacancy_difference(cobalt, iron_b, window, references)
    against_a = f"V_Fe(B) lies {abs(like):.2f} eV {'below' if like > 0 else 'above'} V_Fe(A)"
    against_co = f"V_Co(B) minus V_Fe(B) is {margin:.2f} to {best:.2f} eV over the window"
    if like <= 0:
        return Judgement("contradicted", like, "eV", f"{against_a}, a difference of like defects")
    if study.engine.level_of_theory == "local":
        return Judgement("undecided", margin, "eV", f"{against_a}, as claimed; {against_co}, but {UNLIKE_CHARGES}")
    if bar is None:
        unknown = "the error of the reference energies is not known, so that the sign against V_Co(B) stays open"
        return Judgement("undecided", margin, "eV", f"{against_a}, as claimed; {against_co}; {unknown}")
    if margin > bar:
        return Judgement("reproduced", margin, "eV", f"{against_a}; {against_co} ± {bar:.2f} eV")
    if best < -bar:
        return Judgement("contradicted", best, "eV", f"{against_a}, as claimed, but {against_co} ± {bar:.2f} eV")
    return Judgement(
        "undecided",
        margin,
        "eV",
        f"{against_a}, as claimed; {against_co}, whose sign the error of that difference ({bar:.2f} eV) and the "
        "allowed cation potentials leave open",
    )


def _between_cobalt(study: Study) -> Judgement:
    binding = study.observables.get("binding")
    if isinstance(binding, VacancyBinding):
        return _from_binding(binding, study.engine.level_of_theory)
    if not sound_vacancies(study):
        raise NotDoneError("vacancies")
    vacancy = _named(study, "V_Fe(B)")
    count = None if vacancy is None or vacancy.near_cations is None else vacancy.near_cations.get("Co", 0)
    return Judgement(
        "undecided",
        None if count is None else float(count),
        "Co neighbours",
        f"in the {study.host.order} order every V_Fe(B) has the same surroundings, so there is nothing to compare; "
        "the stage binding compares random cells",
    )


def _from_binding(b: VacancyBinding, level_of_theory: str) -> Judgement:
    ion, each, pair, both = b.neighbour, b.per_neighbour, b.per_pair, b.between_two
    text = (
        f"{b.samples} vacancies in {b.method}: {each.value_eV:+.3f} ± {each.error_eV:.3f} eV per {ion} neighbour, and "
        f"{pair.value_eV:+.3f} ± {pair.error_eV:.3f} eV more for each pair of {ion} in line, so a place between two "
        f"{ion} costs {both.value_eV:+.2f} ± {both.error_eV:.2f} eV against one without {ion}"
    )
    if level_of_theory == "local" and abs(both.value_eV) < HOLE_ON_NEIGHBOUR_eV:
        return Judgement(
            "undecided",
            both.value_eV,
            f"eV between two {ion}",
            f"{text}; rigid ions spread the missing charge, while a hole on one {ion} neighbour alone is worth "
            f"about {HOLE_ON_NEIGHBOUR_eV:.1f} eV, more than this and of the other sign",
        )
    if both.sign < 0 and pair.sign <= 0:
        return Judgement("reproduced", both.value_eV, f"eV between two {ion}", text)
    if both.sign > 0:
        return Judgement("contradicted", both.value_eV, f"eV between two {ion}", text)
    return Judgement("undecided", both.value_eV, f"eV between two {ion}", f"{text}; the sign is not significant")


def _written_direction(study: Study) -> Judgement:
    result = need(study.unidirectional, "anisotropy before and after the hop")
    hop = sound_hop(study)
    delta = hop.delta_eV
    energy = f"the hop {'lowers' if delta < 0 else 'raises'} the energy by {abs(delta):.3f} eV"
    after = next(s for s in result.states if s.state == "after")
    spurious = [s for s in result.states if s.verdict == "spurious odd part"]
    if spurious:
        worst = max(spurious, key=lambda s: s.odd_max_meV)
        return Judgement(
            "undecided", worst.odd_max_meV, "meV (odd part)", f"{energy}; state {worst.state}: {worst.reason}"
        )
    axis = axis_angle_deg(after.easy_axis, hop.displacement_A)
    turned = (
        f"the hop turns axes ({result.tilts_in_words}; the easy axis after it lies {axis:.0f} degrees from the hop)"
    )
    if result.reference is not None and result.pair is not None and after.coupling is not None:
        return Judgement(
            "undecided",
            after.u_norm_meV,
            f"meV (|u|, {result.reference})",
            f"{energy} and {turned}. Relative to the frozen {result.reference}, which the claim does not name: "
            f"{result.pair.verdict}, {result.pair.reason}. h is {after.coupling.h_meV:.3g} meV "
            f"({after.coupling.h_source}), D is assumed, so that this shows what such a reference would do, not that "
            "the film has it",
        )
    return Judgement(
        "contradicted",
        after.u_norm_meV,
        "meV (|u| after the hop)",
        f"{energy}; but E(n) = E(-n) holds to {after.odd_max_meV:.1e} meV, as time reversal demands when nothing is "
        f"frozen: {turned} and chooses no sense. A sense needs a frozen reference, which the claim does not name; "
        f"{answer(study)}",
    )


def _kept(study: Study) -> Judgement:
    barrier = sound_hop(study).backward_eV
    retention = sound_retention(study, 300.0)
    time = retention.decay(300)
    low, high, whose = _spread_of_barriers(study)
    same = low - BARRIER_TOLERANCE_eV <= REVIEW_BARRIER_eV <= high + BARRIER_TOLERANCE_eV
    longest, shortest = (time / _slower(barrier - value) for value in (high, low))
    review = format_duration(_review_retention(retention))
    reason = (
        f"back barrier {barrier:.2f} eV; {whose} span {low:.2f} to {high:.2f} eV, which "
        f"{'holds' if same else 'does not hold'} 0.6, and a decay from {format_duration(shortest)} to "
        f"{format_duration(longest)}; a written difference decays in {format_duration(time)} at 300 K with "
        f"{retention.attempts_Hz(300)[1]:.0e} Hz ({retention.attempt_frequency_source}); one ion stays "
        f"{format_duration(retention.at(300))} after the hop. "
        f"The review's own 0.6 eV gives {review}, "
        f"and an ion that stays for a day needs {retention.barrier_for_one_day_300K_eV:.2f} eV"
    )
    if longest < SECONDS_PER_DAY:
        return Judgement("contradicted", barrier, "eV", reason)
    return Judgement("reproduced" if shortest >= SECONDS_PER_DAY and same else "undecided", barrier, "eV", reason)


def _spread_of_barriers(study: Study) -> tuple[float, float, str]:
    """Lowest and highest back barrier of this study's engine and of shipped better ones, eV, and whose they are."""
    known = better_calculations(study.host.key, study.host.order, study.engine.level_of_theory, "barrier")
    values = {study.engine.name: sound_hop(study).backward_eV} | {k.engine: k.values["back"] for k in known}
    return min(values.values()), max(values.values()), "barriers of " + ", ".join(values)


def _slower(added_eV: float) -> float:
    """Factor by which a barrier that is higher by so much slows a rate at 300 K."""
    return math.exp(added_eV / (BOLTZMANN_eV_PER_K * 300.0))


def _review_retention(retention: Retention) -> float:
    return retention_s(REVIEW_BARRIER_eV, 300, retention.attempts_Hz(300)[1])


def _work_at(hop: Migration, voltage_V: float) -> float:
    """Work over the whole hop in the field of a voltage across the assumed thickness, eV."""
    return abs(hop.images[-1].dipole_along_hop_e_A) * voltage_V / ASSUMED_THICKNESS_m * V_PER_M_TO_V_PER_A


def _writing(study: Study) -> Judgement:
    hop, retention = sound_hop(study), sound_retention(study, 300.0)
    film = ensemble_of_hop(
        hop, thickness_m=ASSUMED_THICKNESS_m, attempt_Hz=math.sqrt(math.prod(retention.attempts_Hz(300)))
    )
    after = contrast_after(film, [(WRITING_VOLTAGE_V, PULSE_s), (0.0, READ_AFTER_s)])
    before = contrast_after(film, [(-WRITING_VOLTAGE_V, PULSE_s), (0.0, READ_AFTER_s)])
    swing, left = (after[0] - before[0]) / 2, (after[1] - before[1]) / 2
    field = WRITING_VOLTAGE_V / ASSUMED_THICKNESS_m
    # What a wait leaves of anything written does not depend on how it was written, nor on the thickness.
    _, high, whose = _spread_of_barriers(study)
    add = max(high - hop.backward_eV, 0.0)
    share, best = (_left_after_wait(retention, added) for added in (0.0, add))
    text = (
        f"a wait of {READ_AFTER_s:g} s at 0 V and 300 K leaves {_share(share)} of whatever was written, "
        f"{_share(best)} with the highest of the {whose}, {hop.backward_eV + add:.2f} eV back; "
        f"+-{WRITING_VOLTAGE_V:g} V for {PULSE_s:g} s over an assumed {ASSUMED_THICKNESS_m * 1e9:g} nm "
        f"({field:.0e} V/m) move the mean place by +-{swing:.2g}, of which +-{left:.2g} is left then. The mean over "
        "both states is no magnetic sense: that needs a frozen reference (C7)"
    )
    return Judgement(
        "contradicted" if best < _VISIBLE else "undecided", best, "share left after a minute, at most", text
    )


def _left_after_wait(retention: Retention, added_eV: float) -> float:
    """Difference of two written states after the wait over that before it, with both barriers higher by so much."""
    return math.exp(-READ_AFTER_s / (_slower(added_eV) * retention.decay(300)))


def _share(value: float) -> str:
    return "less than 1e-6" if value < 1e-6 else f"{value:.2g}"


def _tip(study: Study) -> Judgement:
    result = need(study.unidirectional, "anisotropy before and after the hop")
    after = next(s for s in result.states if s.state == "after")
    if result.reference is not None:
        ending = (
            f"u reverses with the frozen {result.reference} exactly, whatever its coupling; that the film has such a "
            "reference is assumed, not shown"
        )
    else:
        ending = "u reverses with a frozen reference p exactly, but no reference is named, and without one u is zero"
    return Judgement(
        "undecided",
        after.u_norm_meV,
        f"meV (|u|, {result.reference or 'no reference'})",
        "the signal of a tip is linear in the tip's moment, so that it mirrors for any fixed stray field, whatever "
        f"wrote it; {ending}",
    )


def _polarisation(study: Study) -> Judgement:
    hop = sound_hop(study)
    dipole = hop.images[-1].dipole_along_hop_e_A
    atoms = sum(formula_composition(study.host.formula).values())
    volume = study.host.volume_per_formula_A3 * (hop.cell_atoms + 1) / atoms
    value = dipole / volume * E_PER_A2_TO_uC_PER_CM2
    verdict: Verdict = "contradicted" if abs(dipole) <= 0.1 else "reproduced"
    if hop.dipole_source == "point charges":
        # A charge that is put on an ion moves with it.
        verdict = "consistent"
    return Judgement(
        verdict,
        value,
        "uC/cm2 (one hop per cell)",
        f"the hop changes the dipole by {dipole:.2f} e A along its direction ({hop.field_treatment}); one hop in "
        f"{hop.cell_atoms} atoms. {_charges_say(hop)}Whether the polarisation couples to the moment is C7's question",
    )


def _charges_say(hop: Migration) -> str:
    if hop.dipole_source != "point charges":
        return ""
    return (
        "With formal charges an ion that moves polarises unless the others screen it, which these do not; electrons "
        "change the size. "
    )


def _miscut(study: Study) -> Judgement:
    hop = sound_hop(study)
    work = _work_at(hop, WRITING_VOLTAGE_V)
    ratios = miscut_ratio(MISCUTS_deg, work, 300.0)
    low, high = miscut_ratio_of_all_families(MISCUTS_deg, work, 300.0)
    one = ", ".join(f"{r:.2f} at {m:g} deg" for m, r in zip(MISCUTS_deg, ratios, strict=True))
    text = (
        f"only F cos(delta) drives a hop, reversibly at each miscut. One family of hops along [110] falls to {one}; "
        f"with all six <110> families of the cubic parent hopping alike the sum is {low[-1]:.2f} to {high[-1]:.2f} at "
        f"{MISCUTS_deg[-1]:g} deg, for a work of {work:.3f} eV per hop ({WRITING_VOLTAGE_V:g} V over an assumed "
        f"{ASSUMED_THICKNESS_m * 1e9:g} nm)"
    )
    unit = "net rate over that at no miscut"
    if high[-1] < 1 - _VISIBLE:
        return Judgement("reproduced", float(ratios[-1]), unit, f"{text}: it falls whichever families hop")
    return Judgement(
        "undecided",
        float(ratios[-1]),
        unit,
        f"{text}: it falls only if one family carries the contrast, which this study does not show",
    )


JUDGES: dict[str, Judge] = {
    "C1": _composition,
    "C2": _writing,
    "C3": _tip,
    "C4": _orders,
    "C5": _easiest_vacancy,
    "C6": _between_cobalt,
    "C7": _written_direction,
    "C8": _kept,
    "C9": _polarisation,
    "C10": _miscut,
}
