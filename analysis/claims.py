"""The audit: what the founding review claims, held against what a study computed.

Every verdict is derived from numbers of the study and says which tier spoke; a claim that the
engine cannot decide stays undecided for a stated reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TypeVar

from .binding import VacancyBinding
from .charge_corrections import COULOMB_eV_A
from .chemical_potentials import ChemicalPotentials
from .constants import SECONDS_PER_DAY
from .formation import composition_after
from .kinetics import Retention, format_duration, retention_s
from .migration import Migration
from .study import Claim, HostResult, VacancyResult, Verdict
from .unidirectional import UnidirectionalResult

# Octahedral site preference of Co2+ over the tetrahedron, which rigid ions leave out:
# about 31 kJ/mol (J. D. Dunitz and L. E. Orgel, 10.1016/0022-3697(57)90035-5).
OCTAHEDRAL_PREFERENCE_eV = 0.32
FILM_FE_TO_CO = 1.9
REVIEW_BARRIER_eV = 0.6
# The review gives the barrier to one digit; a computed one within this counts as the same.
BARRIER_TOLERANCE_eV = 0.1
# Below half a Bohr magneton per vacancy nothing changed hands.
MOMENT_CHANGE_muB = 0.5
# What an engine without electrons leaves out beside a missing Fe3+: the attraction between its charge of -3 and
# one hole on a Co neighbour, 3 k_e / (eps r), with the static permittivity of ferrites of the order of 10.
HOLE_ON_NEIGHBOUR_eV = 3 * COULOMB_eV_A / (10.0 * 2.97)
Item = TypeVar("Item")


@dataclass(frozen=True)
class Evidence:
    """What a study offers to the audit; None where a stage was not done."""

    host: HostResult
    engine: str
    tier: str
    vacancies: list[VacancyResult]
    window: ChemicalPotentials | None
    reference_eV: Mapping[str, float] | None
    migration: Migration | None
    unidirectional: UnidirectionalResult | None
    retention: Retention | None
    binding: VacancyBinding | None = None


@dataclass(frozen=True)
class Finding:
    """Verdict, deciding number and reason of one claim; `by` overrides the engine's name."""

    verdict: Verdict
    value: float | None
    unit: str
    reason: str
    by: str | None = None


def claims_table() -> list[dict[str, str]]:
    """All claims with id, system, claim and test, in our words."""
    text = files(__package__).joinpath("data", "claims.json").read_text(encoding="utf-8")
    return list(json.loads(text)["claims"])


def audit(evidence: Evidence, served: tuple[str, ...]) -> list[Claim]:
    """Judge every claim of the table.

    Parameters
    ----------
    evidence
        A finished study.
    served
        Ids that the study's host can speak to.

    Returns
    -------
    list of Claim
        One row per claim; those that the study does not serve are ``not computed``.
    """
    rows = []
    for entry in claims_table():
        finding = _judge(entry, evidence, served)
        rows.append(
            Claim(
                id=entry["id"],
                system=entry["system"],
                claim=entry["claim"],
                test=entry["test"],
                verdict=finding.verdict,
                value=finding.value,
                unit=finding.unit,
                engine=finding.by or evidence.engine,
                reason=finding.reason,
            )
        )
    return rows


def _judge(entry: Mapping[str, str], evidence: Evidence, served: tuple[str, ...]) -> Finding:
    judge = _JUDGES.get(entry["id"]) if entry["id"] in served else None
    if judge is None:
        return Finding("not computed", None, "", f"not part of this study; it needs: {entry['test']}", by="none")
    try:
        return judge(evidence)
    except _NotDoneError as error:
        return Finding("not computed", None, "", f"this study has no {error}", by="none")


class _NotDoneError(Exception):
    """A judge needs a stage that the study did not compute."""


def _need(value: Item | None, stage: str) -> Item:
    if value is None:
        raise _NotDoneError(stage)
    return value


def _composition(e: Evidence) -> Finding:
    left = composition_after({"Co": 8, "Fe": 16, "O": 32}, {"Fe": 1})
    ratio = left["Fe"] / left["Co"]
    agrees = abs(ratio - FILM_FE_TO_CO) < 0.05
    return Finding(
        "reproduced" if agrees else "contradicted",
        ratio,
        "Fe/Co",
        "one V_Fe in 56 atoms has the film's ratio within its rounding; this is arithmetic and does not say "
        "that the missing ions are isolated vacancies",
        by="arithmetic",
    )


def _orders(e: Evidence) -> Finding:
    energies = {o.order: o.relative_eV_per_formula for o in e.host.orders}
    inverse = {k: v for k, v in energies.items() if k != "normal"}
    if "normal" not in energies or not inverse:
        return Finding("undecided", None, "", "the study compared no inverse with a normal cation order")
    best = min(inverse, key=lambda k: inverse[k])
    gain = energies["normal"] - inverse[best]
    text = f"{best} lies {abs(gain):.3f} eV/f.u. {'below' if gain > 0 else 'above'} the normal order"
    if e.tier == "local" and abs(gain) < OCTAHEDRAL_PREFERENCE_eV:
        return Finding(
            "undecided",
            gain,
            "eV/f.u.",
            f"{text}, but rigid ions leave out the octahedral preference of Co2+ "
            f"(about {OCTAHEDRAL_PREFERENCE_eV} eV per ion), which is larger than this difference",
        )
    return Finding("reproduced" if gain > 0 else "contradicted", gain, "eV/f.u.", text)


def _named(e: Evidence, label: str) -> VacancyResult | None:
    return next((v for v in e.vacancies if v.label == label), None)


def _easiest_vacancy(e: Evidence) -> Finding:
    if not e.vacancies:
        raise _NotDoneError("vacancies")
    iron_b, iron_a, cobalt = (_named(e, n) for n in ("V_Fe(B)", "V_Fe(A)", "V_Co(B)"))
    if iron_b is None or iron_a is None or cobalt is None:
        return Finding("undecided", None, "", "the study lacks one of V_Fe(B), V_Fe(A), V_Co(B)")
    like = iron_a.energy_minus_host_eV - iron_b.energy_minus_host_eV
    margin, best = _cobalt_minus_iron(e, cobalt, iron_b)
    bar = iron_b.error_bar_eV or 0.0
    against_a = f"V_Fe(B) lies {abs(like):.2f} eV {'below' if like > 0 else 'above'} V_Fe(A)"
    against_co = f"V_Co(B) minus V_Fe(B) is {margin:.2f} to {best:.2f} eV over the window"
    if like <= 0:
        return Finding("contradicted", like, "eV", f"{against_a}, a difference of like defects")
    if margin > bar:
        return Finding("reproduced", margin, "eV", f"{against_a}; {against_co}")
    if best < -bar:
        return Finding("contradicted", best, "eV", f"{against_a}, as claimed, but {against_co}")
    return Finding(
        "undecided",
        margin,
        "eV",
        f"{against_a}, as claimed; {against_co}, whose sign the error bar of the reference energies ({bar:.2f} eV) "
        "and the allowed cation potentials leave open",
    )


def _cobalt_minus_iron(e: Evidence, cobalt: VacancyResult, iron: VacancyResult) -> tuple[float, float]:
    """Lowest and highest E_f(V_Co) - E_f(V_Fe) over the window; the cation potentials are varied jointly."""
    reference = _need(e.reference_eV, "reference energies")
    fixed = cobalt.energy_minus_host_eV - iron.energy_minus_host_eV + reference["Co"] - reference["Fe"]
    # The difference is linear in the potentials, so its extremes lie at the corners of the window.
    corners = [v["Co"] - v["Fe"] for v in _need(e.window, "stability window").vertices]
    return fixed + min(corners), fixed + max(corners)


def _between_cobalt(e: Evidence) -> Finding:
    if e.binding is not None:
        return _from_binding(e.binding, e.tier)
    if not e.vacancies:
        raise _NotDoneError("vacancies")
    found = _named(e, "V_Fe(B)")
    count = None if found is None else found.cobalt_neighbours
    return Finding(
        "undecided",
        None if count is None else float(count),
        "Co neighbours",
        f"in the {e.host.order} order every V_Fe(B) has the same surroundings, so there is nothing to compare; "
        "the stage binding compares random cells",
    )


def _from_binding(b: VacancyBinding, tier: str) -> Finding:
    each, pair, both = b.per_cobalt, b.per_pair, b.between_two
    text = (
        f"{b.samples} vacancies in {b.method}: {each.value_eV:+.3f} ± {each.error_eV:.3f} eV per Co neighbour, and "
        f"{pair.value_eV:+.3f} ± {pair.error_eV:.3f} eV more for each pair of Co in line, so a place between two Co "
        f"costs {both.value_eV:+.2f} ± {both.error_eV:.2f} eV against one without Co"
    )
    if tier == "local" and abs(both.value_eV) < HOLE_ON_NEIGHBOUR_eV:
        return Finding(
            "undecided",
            both.value_eV,
            "eV between two Co",
            f"{text}; rigid ions spread the missing charge, while a hole on one Co neighbour alone is worth about "
            f"{HOLE_ON_NEIGHBOUR_eV:.1f} eV, more than this and of the other sign",
        )
    if both.sign < 0 and pair.sign <= 0:
        return Finding("reproduced", both.value_eV, "eV between two Co", text)
    if both.sign > 0:
        return Finding("contradicted", both.value_eV, "eV between two Co", text)
    return Finding("undecided", both.value_eV, "eV between two Co", f"{text}; the sign is not significant")


def _moment_of_deficiency(e: Evidence) -> Finding:
    """V_O and V_Li change the moment once their charge sits on ions; without electrons it has nowhere to sit."""
    if not e.vacancies:
        raise _NotDoneError("vacancies")
    oxygen = [v for v in e.vacancies if v.element == "O"]
    lithium = _named(e, "V_Li(B)")
    if not oxygen or lithium is None:
        return Finding("undecided", None, "", "the study lacks V_O or V_Li(B)")
    largest = max((v.moment_change_muB for v in oxygen), key=abs)
    change = lithium.moment_change_muB
    text = f"the moment changes by {change:+.1f} muB per V_Li and by {largest:+.1f} muB per V_O"
    if e.tier in ("local", "ML"):
        return Finding(
            "undecided",
            change,
            "muB per V_Li",
            f"{text}, because this engine has no electrons; Neel's count with the charge on single ions is -1 (Fe4+ on "
            "B) or +1 (on A) per V_Li, and -2 (Fe2+ on B) or +2 (on A) per V_O",
        )
    both = min(abs(change), abs(largest)) > MOMENT_CHANGE_muB
    return Finding("reproduced" if both else "contradicted", change, "muB per V_Li", text)


def _written_direction(e: Evidence) -> Finding:
    result = _need(e.unidirectional, "anisotropy before and after the hop")
    delta = _need(e.migration, "migration").delta_eV
    energy = f"the hop {'lowers' if delta < 0 else 'raises'} the energy by {abs(delta):.3f} eV"
    after = next(s for s in result.states if s.state == "after")
    return Finding(
        "contradicted",
        after.u_norm_meV,
        "meV (|u| after the hop)",
        f"{energy}; but E(n) = E(-n) holds to {after.odd_max_meV:.1e} meV, as time reversal demands when nothing is "
        f"frozen: the hop turns axes (easy by {result.easy_axis_tilt_deg:.1f}, hard by "
        f"{result.hard_axis_tilt_deg:.1f} degrees) and chooses no sense. A sense needs a frozen reference, "
        "which the claim does not name",
    )


def _kept(e: Evidence) -> Finding:
    barrier = _need(e.migration, "migration").backward_eV
    retention = _need(e.retention, "retention")
    time = retention.at(300)
    same = abs(barrier - REVIEW_BARRIER_eV) <= BARRIER_TOLERANCE_eV
    days = time >= SECONDS_PER_DAY
    review = format_duration(_review_retention(retention))
    reason = (
        f"back barrier {barrier:.2f} eV ({'within' if same else 'not within'} {BARRIER_TOLERANCE_eV} eV of 0.6); kept "
        f"{format_duration(time)} at 300 K with {retention.attempt_frequency_Hz:.0e} Hz "
        f"({retention.attempt_frequency_source}). The review's own 0.6 eV gives {review}, "
        f"and a day needs {retention.barrier_for_one_day_300K_eV:.2f} eV"
    )
    if days and same:
        return Finding("reproduced", barrier, "eV", reason)
    return Finding("contradicted", barrier, "eV", reason)


def _review_retention(retention: Retention) -> float:
    return retention_s(REVIEW_BARRIER_eV, 300, retention.attempt_frequency_Hz)


_JUDGES: dict[str, Callable[[Evidence], Finding]] = {
    "C1": _composition,
    "C4": _orders,
    "C5": _easiest_vacancy,
    "C6": _between_cobalt,
    "C7": _written_direction,
    "C8": _kept,
    "C11": _moment_of_deficiency,
}
