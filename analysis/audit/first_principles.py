"""Claims judged by first-principles calculations that the package ships: without a study, or beside one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..study.documents import Verdict
from ..study.reference_calculations import u_in_words
from .evidence import Judgement
from .known_disorder import disorder_in_words
from .known_orders import (
    OrderGain,
    inversion_in_words,
    known_order_gains,
    order_gains_by_meta_gga,
    repeated_order_gains,
)
from .known_vacancies import VacanciesOfU, known_vacancies

# A verdict of DFT+U that holds for one U alone says nothing: so many sets are asked for.
SETS_OF_U = 3
# What neutral cells of some 28 atoms leave open between two vacancies: one of them came down by 0.39 eV when it was
# relaxed at the quotable settings (`docs/howto_gpaw.md`).
REFERENCE_CELL_ERROR_eV = 0.4
# Single points with 0.38 and 1.20 eV/A were 0.09 and 0.39 eV above their relaxed cells (`docs/engines.md`).
STRAINED_eV_PER_A = 0.5
_HOST = "cofe2o4"


def judged_orders(
    known: list[OrderGain],
    repeated: Sequence[OrderGain] = (),
    meta_gga: Sequence[OrderGain] = (),
    random: str = "",
) -> Judgement:
    """C4 by the energies of cation orders for each set of U; undecided until `SETS_OF_U` sets agree.

    Parameters
    ----------
    known
        Which decide.
    repeated
        The same in another basis: what an energy of `known` is worth.
    meta_gga
        By r2SCAN, which is said and counts as no set of U.
    random
        What larger cells say of ions without order, in words.
    """
    gains = [k.gain_eV_per_formula for k in known]
    agree = min(gains) > 0 or max(gains) < 0
    verdict: Verdict = "reproduced" if min(gains) > 0 else "contradicted"
    if not agree or len(known) < SETS_OF_U:
        verdict = "undecided"
    why = "" if agree else "; the sign depends on U"
    why += _asked_for(len(known))
    where = f"{known[0].engine}, PBE+U, {known[0].cell_atoms} atoms, ions relaxed at the measured lattice"
    text = f"{where}: {'; '.join(k.in_words for k in known)}{why}{_repetition(known, repeated)}"
    if meta_gga:
        text += f". By r2SCAN, on PBE's data sets, at ions of PBE+U, {'; '.join(gain.in_words for gain in meta_gga)}"
    text += f". By these energies {inversion_in_words(known)}"
    if random:
        text += f". {random}"
    return Judgement(
        verdict, min(gains), "eV/f.u., normal minus inverse order, the least", text, by=f"{known[0].engine} (GPAW)"
    )


def _asked_for(sets: int) -> str:
    """One clause: how many sets of U a verdict asks for, and how many there are if that is too few."""
    there = "" if sets >= SETS_OF_U else f", here {'is' if sets == 1 else 'are'} {sets}"
    return f"; a verdict of DFT+U asks for {SETS_OF_U} sets of U that agree{there}"


def _repetition(known: Sequence[OrderGain], repeated: Sequence[OrderGain]) -> str:
    """One clause for another basis and one for another code, with the largest difference; empty where there is none."""
    clauses = []
    for engine in dict.fromkeys(b.engine for b in repeated):
        of_engine = [b for b in repeated if b.engine == engine]
        pairs = [(a, b) for a in known for b in of_engine if (a.order, a.hubbard_U_eV) == (b.order, b.hubbard_U_eV)]
        if not pairs:
            continue
        how = (
            "in atomic orbitals (dzp) instead of plane waves"
            if engine == known[0].engine
            else f"by {engine}, whose PAW sets and projectors of U are others"
        )
        apart = max(abs(a.gain_eV_per_formula - b.gain_eV_per_formula) for a, b in pairs)
        words = "; ".join(b.in_words for _, b in pairs)
        clauses.append(f". The same cells {how}: {words}; at most {apart:.3f} eV/f.u. apart")
    return "".join(clauses)


def judged_vacancies(known: Sequence[VacanciesOfU]) -> Judgement:
    """C5 by V_Co(B) and V_Fe(A) against V_Fe(B) at both edges of the window: the claim is about the whole of it.

    Parameters
    ----------
    known
        All sets of U; that which says least gives the number.
    """
    margins = [_least_margin(vacancies) for vacancies in known]
    lowest = [energy for energy, _ in margins]
    first = known[0]
    verdict: Verdict = "undecided"
    if len(known) >= SETS_OF_U and min(lowest) > REFERENCE_CELL_ERROR_eV:
        verdict = "reproduced"
    elif len(known) >= SETS_OF_U and max(lowest) < -REFERENCE_CELL_ERROR_eV:
        verdict = "contradicted"
    each = "; ".join(f"U = {u_in_words(v.hubbard_U_eV)} eV: {', '.join(_margins_in_words(v))}" for v in known)
    missing = sorted({formula for vacancies in known for formula in vacancies.missing_phases})
    window = f", window without {' and '.join(missing)}" if missing else ""
    text = (
        f"{first.engine}, PBE+U, {first.cell_atoms} atoms, neutral, no correction for size (docs/engines.md){window}: "
        f"formation energy minus that of V_Fe(B) at the oxygen-poor and the oxygen-rich edge: {each}; less than "
        f"{REFERENCE_CELL_ERROR_eV:g} eV is no difference in such cells{_asked_for(len(known))}"
    )
    value, label = min(margins, key=lambda margin: abs(margin[0]))
    unit = f"eV, {label} minus V_Fe(B), the least over the window"
    return Judgement(verdict, value, unit, text, by=f"{first.engine} ({first.level_of_theory})")


def _margins(vacancies: VacanciesOfU) -> dict[str, tuple[float, float]]:
    return {label: vacancies.above(label, "V_Fe(B)") for label in ("V_Co(B)", "V_Fe(A)") if label in vacancies.poor}


def _least_margin(vacancies: VacanciesOfU) -> tuple[float, str]:
    return min((energy, label) for label, edges in _margins(vacancies).items() for energy in edges)


def _margins_in_words(vacancies: VacanciesOfU) -> list[str]:
    return [
        f"{label} {poor:+.2f} and {rich:+.2f} eV{_strained(vacancies.largest_forces_eV_per_A[label])}"
        for label, (poor, rich) in _margins(vacancies).items()
    ]


def _strained(force_eV_per_A: float | None) -> str:
    """That a vacancy would come down if its ions were relaxed with this U; empty where they are near that."""
    if force_eV_per_A is None or force_eV_per_A < STRAINED_eV_PER_A:
        return ""
    return f" (not its own ions, forces to {force_eV_per_A:.1f} eV/A: relaxed it lies lower)"


def shipped_orders(host_key: str = _HOST) -> Judgement | None:
    """C4 by all that is shipped for a host; None if nothing is."""
    known = known_order_gains(host_key)
    if not known:
        return None
    meta_gga = order_gains_by_meta_gga(host_key)
    return judged_orders(known, repeated_order_gains(host_key), meta_gga, disorder_in_words())


def _vacancies() -> Judgement | None:
    known = known_vacancies(_HOST)
    return judged_vacancies(known) if known else None


# What is said of a claim without any study; None where nothing is shipped.
SHIPPED: dict[str, Callable[[], Judgement | None]] = {"C4": shipped_orders, "C5": _vacancies}
