"""What a report says of the time that a state is kept: both dwell times, equilibrium, and the spread over hops."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from ...structures.defects.undirected_hops import has_one_hop
from ...structures.host import get_host, host_keys
from ..audit.known_values import known_spread
from ..kinetics.hop_spread import HopSpread, SpreadHop, spread_hop, spread_in_words
from ..kinetics.rates import ASSUMED_ATTEMPT_Hz, format_duration, rate_per_s, why_no_rate
from ..kinetics.retention import Retention
from ..study.documents import Study

# Barriers nearer than this are one.
_SAME_eV = 5e-3


def dwell_words(retention: Retention) -> str:
    """Both dwell times and the equilibrium at 0 V and 300 K, ending in a semicolon; empty for older studies."""
    before, share = retention.before(300), retention.equilibrium(300)
    if before is None:
        return ""
    balance = "" if share is None else f", in equilibrium at 0 V {share_words(share)} of the ions are after it"
    return (
        f"an ion leaves the state after the hop once in {format_duration(retention.at(300))}, that before it once in "
        f"{format_duration(before)}{balance}; "
    )


def share_words(share: float) -> str:
    """A share in percent; none is called all or nothing."""
    if share < 0.001:
        return "fewer than 0.1%"
    if share > 0.999:
        return "more than 99.9%"
    return f"{share:.1%}" if min(share, 1 - share) < 0.05 else f"{share:.0%}"


def spread_words(study: Study) -> str:
    """How far the decay depends on order and place, or that one hop of one order was computed."""
    document, known = study.observables.get("hop spread"), known_spread(study.host.key)
    if isinstance(document, HopSpread) and len(document.with_barrier) > 1:
        words = _decays(study, _with_own(study, document.with_barrier))
        return words[:1].upper() + words[1:]
    if _has_one_hop(study.host.key):
        return "Every hop of this kind is the same by symmetry, and there is one cation order"
    one = f"One hop of the order {study.host.order}: other orders and places have other barriers; "
    if known is None:
        return f"{one}the stage hop_spread computes them"
    who = f"{known.engine} ({known.cell_atoms} atoms, {known.date})"
    if len(known.hops) > 1 and _alike(known.hops):
        orders = len({h.order for h in known.hops})
        where = f"{orders} cation order{'s' if orders > 1 else ''}"
        return f"By {who} the {len(known.hops)} distinct hops of {where} have the same barriers"
    more = f"; {known.left_out}" if known.left_out else ""
    own = next(iter(study.migration), None)
    if own is not None and own.cell_atoms != known.cell_atoms:
        more += f"; this hop is in {own.cell_atoms} atoms, where its barriers are others"
    return f"{one}by {who} {_decays(study, known.hops)}{more}; the stage hop_spread computes this engine's"


def _with_own(study: Study, hops: list[SpreadHop]) -> list[SpreadHop]:
    """The hops of a spread and the study's own, where relaxing made another one the shortest."""
    own = next(iter(study.migration), None)
    if own is None or own.why_no_result:
        return hops
    own_hop = spread_hop(study.host.order, own.label, own.forward_eV, own.backward_eV)
    same = [h for h in hops if h.order == own_hop.order and _alike([h, own_hop])]
    return hops if same or own_hop.no_result else [*hops, own_hop]


@cache
def _has_one_hop(host_key: str) -> bool:
    """Of a built-in host; another one's file is not asked for when a report is written."""
    return host_key in host_keys() and has_one_hop(get_host(host_key))


def _alike(hops: Sequence[SpreadHop]) -> bool:
    """Whether no barrier differs from another by more than a band's error."""
    return all(max(b) - min(b) < _SAME_eV for b in zip(*(h.barriers_eV for h in hops), strict=True))


def _decays(study: Study, hops: Sequence[SpreadHop]) -> str:
    """Shortest and longest decay, with the rates of attempts of this study's own hop, so that they compare with it."""
    attempts = (ASSUMED_ATTEMPT_Hz, ASSUMED_ATTEMPT_Hz) if study.retention is None else study.retention.attempts_Hz(300)
    waiting = [h for h in hops if not why_no_rate(min(h.barriers_eV), 300.0)]
    fast = len(hops) - len(waiting)
    rest = f"; {fast} more with a barrier below 2 kT {'have' if fast > 1 else 'has'} no time" if fast else ""
    if not waiting:
        return f"none of {len(hops)} hops has a time: barriers below 2 kT"
    times = sorted(
        1.0 / sum(rate_per_s(e, 300.0, nu) for e, nu in zip(h.barriers_eV, attempts, strict=True)) for h in waiting
    )
    said = spread_in_words(waiting, [format_duration(times[0]), format_duration(times[-1])])
    return f"{said} (this hop's prefactors){rest}"
