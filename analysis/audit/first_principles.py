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
from .known_values import KnownCalculation, better_calculations

# A verdict of DFT+U that holds for one U alone says nothing: so many sets are asked for.
SETS_OF_U = 3
# What neutral cells of some 28 atoms leave open between two vacancies: one of them came down by 0.39 eV when it was
# relaxed at the quotable settings (`docs/howto_gpaw.md`).
REFERENCE_CELL_ERROR_eV = 0.4
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
    why += f"; a verdict of DFT+U asks for {SETS_OF_U} sets of U that agree"
    if len(known) < SETS_OF_U:
        why += f", here {'is' if len(known) == 1 else 'are'} {len(known)}"
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


def judged_vacancies(known: KnownCalculation) -> Judgement:
    """C5 by V_Co(B) and V_Fe(A) against V_Fe(B) at both edges of the window: the claim is about the whole of it.

    With a U it stays undecided: `KnownCalculation` holds one set of them, and `SETS_OF_U` have to agree.
    """
    apart = {
        label: [edge[label] - edge["V_Fe(B)"] for edge in (known.poor, known.rich)] for label in ("V_Co(B)", "V_Fe(A)")
    }
    words = [
        f"{label} minus V_Fe(B) is {poor:+.2f} eV at the oxygen-poor and {rich:+.2f} eV at the oxygen-rich edge"
        for label, (poor, rich) in apart.items()
    ]
    lowest, label = min((min(pair), label) for label, pair in apart.items())
    sure = abs(lowest) > REFERENCE_CELL_ERROR_eV and not known.hubbard_U_eV
    verdict: Verdict = "undecided" if not sure else "reproduced" if lowest > 0 else "contradicted"
    u = f"U = {u_in_words(known.hubbard_U_eV)} eV, " if known.hubbard_U_eV else ""
    text = (
        f"{known.engine}, {u}{known.cell_atoms} atoms, {known.date} ({known.source}): {'; '.join(words)}; a cell of "
        f"this size leaves some {REFERENCE_CELL_ERROR_eV:g} eV open between two vacancies"
    )
    if u:
        text += f"; a verdict of DFT+U asks for {SETS_OF_U} sets of U that agree, here is 1"
    unit = f"eV, {label} minus V_Fe(B), the least over the window"
    return Judgement(verdict, lowest, unit, text, by=f"{known.engine} ({known.level_of_theory})")


def shipped_orders(host_key: str = _HOST) -> Judgement | None:
    """C4 by all that is shipped for a host; None if nothing is."""
    known = known_order_gains(host_key)
    if not known:
        return None
    meta_gga = order_gains_by_meta_gga(host_key)
    return judged_orders(known, repeated_order_gains(host_key), meta_gga, disorder_in_words())


def _vacancies() -> Judgement | None:
    known = [k for k in better_calculations(_HOST, "Imma", "local", "vacancies") if k.poor and k.rich]
    return judged_vacancies(known[0]) if known else None


# What is said of a claim without any study; None where nothing is shipped.
SHIPPED: dict[str, Callable[[], Judgement | None]] = {"C4": shipped_orders, "C5": _vacancies}
