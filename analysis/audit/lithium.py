"""Judges of the claims about lithium: C11 and C12 of lithium ferrite, C15 of maghemite."""

from __future__ import annotations

from ...structures.defects.charge_compensation import compensations
from ...structures.spins import high_spin_moment, total_moment
from ..defects.uptake import am2_per_kg, moment_curve
from ..kinetics.rates import format_duration, retention_s, why_no_rate
from ..study.documents import Study, VacancyResult, Verdict
from .evidence import Judge, Judgement, NotDoneError, sound_hop, sound_retention, sound_vacancies
from .known_values import better_calculations

# A barrier of the size that the review gives for Co in CFO is what "easily" has to beat.
EASY_BARRIER_eV = 0.6
MEASURED_START_Am2_PER_KG = 74.0
MEASURED_DROP_Am2_PER_KG = 20.0
# Below half a Bohr magneton per vacancy nothing changed hands.
_SMALL_muB = 0.5


def _oxygen_and_lithium(study: Study) -> Judgement:
    oxygen = [v for v in sound_vacancies(study) if v.element == "O"]
    lithium = [v for v in sound_vacancies(study) if v.element == "Li"]
    if not oxygen or not lithium:
        raise NotDoneError("vacancies of O and Li")
    if study.engine.level_of_theory not in ("local", "ML"):
        easiest = (min(of_element, key=lambda v: v.energy_minus_host_eV) for of_element in (oxygen, lithium))
        return _computed_moments(*(v.moment_change_muB for v in easiest))
    cell = study.host.structure
    start = total_moment(cell)
    index = {s.specie.symbol: i for i, s in reversed(list(enumerate(cell)))}
    changes = {}
    for element in ("O", "Li"):
        ways = [c for c in compensations(cell, index[element]) if c.charge_e == 0]
        changes[element] = {c.sublattice: c.total_moment_muB - start for c in ways}
    curve = moment_curve(cell, [0, 1], per_formula_of="LiFe5O8")
    step = (curve.moment_muB[1] - curve.moment_muB[0]) / curve.content[1]
    return Judgement(
        "undecided",
        changes["O"].get("B"),
        "muB per V_O, Fe2+ on B",
        f"A and B are antiparallel by Neel's rule, {study.host.moment_per_formula_muB:g} muB per {study.host.formula}. "
        f"With the electrons of V_O on B the moment changes by {_signed(changes['O'].get('B'))} muB, as claimed, "
        f"on A by {_signed(changes['O'].get('A'))}; an inserted Li with Fe2+ on B changes it by {step:+g}, "
        f"as claimed. A Li taken out of the stoichiometric crystal leaves a hole, not Fe2+: "
        f"{_signed(changes['Li'].get('B'))} muB with Fe4+ on B; it raises the moment (+1 muB) only where "
        f"Fe2+ is there to be oxidised. {_places(oxygen, lithium)}",
    )


def _signed(value: float | None) -> str:
    return "an unknown amount" if value is None else f"{value:+g}"


def _places(oxygen: list[VacancyResult], lithium: list[VacancyResult]) -> str:
    """Where a start with placed charges is lowest, for an engine that moves none by itself."""
    places = []
    for of_element in (oxygen, lithium):
        easiest = min(of_element, key=lambda v: v.energy_minus_host_eV)
        if len(easiest.starts) > 1 and easiest.changed_ions:
            first, second = easiest.starts[:2]
            places.append(
                f"{easiest.label} is lowest with {first.label}, {second.above_lowest_eV:.2f} eV below {second.label} "
                f"({easiest.moment_change_muB:+.2g} muB)"
            )
    if places:
        return f"Of the charges placed by the starts {' and '.join(places)}, by formal charges alone"
    return "These are counts: this engine has no electrons to put anywhere"


def _computed_moments(oxygen_muB: float, lithium_muB: float) -> Judgement:
    lowers, raises = oxygen_muB < -_SMALL_muB, lithium_muB > _SMALL_muB
    both: Verdict = "reproduced" if lowers and raises else "contradicted" if not (lowers or raises) else "undecided"
    return Judgement(
        both,
        oxygen_muB,
        "muB per V_O",
        f"the easiest V_O changes the moment of the cell by {oxygen_muB:+.2f} muB and V_Li by {lithium_muB:+.2f}; "
        "claimed are a decrease and an increase. V_Li is that of the stoichiometric crystal, which has no Fe2+ to "
        "oxidise",
    )


def _lithium_moves(study: Study) -> Judgement:
    hop = sound_hop(study)
    if hop.ion != "Li":
        raise NotDoneError("hop of Li")
    low, high = sorted((hop.forward_eV, hop.backward_eV))
    retention = sound_retention(study)
    forward_Hz, back_Hz = retention.attempts_Hz(300.0)
    harder_Hz = back_Hz if hop.backward_eV >= hop.forward_eV else forward_Hz
    how = f"at 300 K with {harder_Hz:.0e} Hz ({retention.attempt_frequency_source})"
    once = f"the harder way once in {format_duration(retention_s(high, 300.0, harder_Hz))} {how}"
    if why := why_no_rate(low, 300.0):
        once = f"no time: {why}"
    text = f"{hop.label}: {hop.forward_eV:.2f} eV in and {hop.backward_eV:.2f} eV out, {once}{_others(study)}"
    if high <= EASY_BARRIER_eV:
        return Judgement("reproduced", high, "eV", f"{text}: easier both ways than the review's 0.6 eV of Co")
    if low > EASY_BARRIER_eV:
        return Judgement("contradicted", low, "eV", f"{text}: harder both ways than the review's 0.6 eV of Co")
    return Judgement(
        "undecided",
        high,
        "eV",
        f"{text}: easy one way, but the end is a trap, which long transport would feel",
    )


def _others(study: Study) -> str:
    """The same hop by better engines; empty without any."""
    known = better_calculations(study.host.key, study.host.order, study.engine.level_of_theory, "barrier")
    each = "; ".join(f"{k.engine} {k.values['forward']:.2f} in and {k.values['back']:.2f} out" for k in known)
    return each and f" (by others, in eV: {each})"


def _lithium_in_maghemite(study: Study) -> Judgement:
    cell = study.host.structure
    curve = next((c for c in study.contents if c.ion == "Li"), None) or moment_curve(cell, per_formula_of="Fe2O3")
    drop = curve.specific_Am2_per_kg[0] - curve.specific_Am2_per_kg[-1]
    slope = drop / curve.content[-1]
    needed = MEASURED_DROP_Am2_PER_KG / slope if slope > 0 else None
    needed_in_words = "no amount of Li, for the moment does not fall" if needed is None else f"{needed:.2f} Li"
    on_a = moment_curve(cell, [0, 1], per_formula_of="Fe2O3", reduced="A")
    rise = (on_a.moment_muB[1] - on_a.moment_muB[0]) / on_a.content[1]
    # An Fe3+ that leaves A, where it points down, for an octahedron aligned with B.
    moved = 2 * high_spin_moment("Fe", 3.0)
    return Judgement(
        "undecided",
        needed,
        "Li per Fe2O3 for -20 Am2/kg",
        f"Neel's rule gives {am2_per_kg(study.host.moment_per_formula_muB, 'Fe2O3'):.1f} Am2/kg at no Li (measured: "
        f"{MEASURED_START_Am2_PER_KG:g}) and a fall of {slope:.1f} per Li with Fe2+ on B, so that the measured fall of "
        f"{MEASURED_DROP_Am2_PER_KG:g} takes {needed_in_words}; the empty octahedra hold {curve.capacity:.2f}. The "
        f"sign agrees with the claim; a whole Li per Fe2O3 would make it fall by {slope:.0f}. The slight rise at first "
        f"needs something else: Fe2+ on A gives {rise:+g} muB per Li, an Fe that moves from A to 16c along B "
        f"{moved:+g} muB. Which of them happens, and the voltages, need energies with electrons",
    )


JUDGES: dict[str, Judge] = {"C11": _oxygen_and_lithium, "C12": _lithium_moves, "C15": _lithium_in_maghemite}
