"""What a report says of the time that a state is kept: both dwell times, equilibrium, and the spread over hops."""

from __future__ import annotations

from collections.abc import Sequence

from ..audit.known_values import known_spread
from ..kinetics.hop_spread import HopSpread, SpreadHop, spread_in_words
from ..kinetics.rates import ASSUMED_ATTEMPT_Hz, format_duration, rate_per_s
from ..kinetics.retention import Retention
from ..study.documents import Study


def dwell_words(kept: Retention) -> str:
    """Both dwell times and the equilibrium at 0 V and 300 K, ending in a semicolon; empty for older studies."""
    before, share = kept.before(300), kept.equilibrium(300)
    if before is None:
        return ""
    balance = "" if share is None else f", in equilibrium at 0 V {_share_words(share)} of the ions are after it"
    return (
        f"an ion leaves the state after the hop once in {format_duration(kept.at(300))}, that before it once in "
        f"{format_duration(before)}{balance}; "
    )


def _share_words(share: float) -> str:
    """A share in percent; none is called all or nothing."""
    if share < 0.001:
        return "fewer than 0.1%"
    if share > 0.999:
        return "more than 99.9%"
    return f"{share:.1%}" if min(share, 1 - share) < 0.05 else f"{share:.0%}"


def spread_words(study: Study) -> str:
    """How far the decay depends on order and place, or that one hop of one order was computed."""
    found, known = study.observables.get("hop spread"), known_spread(study.host.key)
    if isinstance(found, HopSpread) and len(found.found) > 1:
        words = _decays(study, found.found)
        return words[:1].upper() + words[1:]
    one = f"One hop of the order {study.host.order}: other orders and places have other barriers; "
    if known is None:
        return f"{one}the stage hop_spread computes them"
    who = f"{known.engine} ({known.cell_atoms} atoms, {known.date})"
    return f"{one}by {who} {_decays(study, known.hops)}; the stage hop_spread computes this engine's"


def _decays(study: Study, hops: Sequence[SpreadHop]) -> str:
    """Shortest and longest decay, with the rates of attempts of this study's own hop, so that they compare with it."""
    attempts = (ASSUMED_ATTEMPT_Hz, ASSUMED_ATTEMPT_Hz) if study.retention is None else study.retention.attempts_Hz(300)
    times = sorted(
        1.0 / sum(rate_per_s(e, 300.0, nu) for e, nu in zip((h.forward_eV, h.backward_eV), attempts, strict=True))
        for h in hops
    )
    return f"{spread_in_words(hops, [format_duration(times[0]), format_duration(times[-1])])} (this hop's prefactors)"
