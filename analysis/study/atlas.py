"""Many studies on one page: barriers, dipoles, changes by the hop, retention against the field that writes."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import ConfigDict

from ...structures.units import BOLTZMANN_eV_PER_K
from ..kinetics.hop_set import HopSet
from ..kinetics.migration import Migration
from ..kinetics.rates import ASSUMED_ATTEMPT_Hz, retention_s, why_no_rate
from ..kinetics.retention import decay_s
from ..magnetism.anisotropy import difference_meV
from ..magnetism.directions import lebedev_directions
from ..results.checks import no_result
from ..results.document import Document, Unbounded
from .documents import Study
from .transport import driving_fields_V_per_m

if TYPE_CHECKING:
    import pandas as pd

ROOM_K = 300.0
WRITING_S = 1e-3
_PACKAGE = __package__.removesuffix(".analysis.study")
# Fewer known values than this say nothing about an engine.
LEAST_KNOWN = 2


class KnownBarrier(Document):
    """A barrier that others measured or computed.

    Attributes
    ----------
    host, ion
        Of which hop.
    low_eV, high_eV
        Its range.
    kind
        ``measured``, or ``DFT``.
    what, source
        In words, and where it is from.
    """

    host: str
    ion: str
    low_eV: float
    high_eV: float
    kind: Literal["measured", "DFT"]
    what: str
    source: str

    def error_eV(self, barrier_eV: float) -> float:
        """How far a barrier lies outside the range; 0 inside it."""
        return max(self.low_eV - barrier_eV, barrier_eV - self.high_eV, 0.0)


@cache
def known_barriers() -> tuple[KnownBarrier, ...]:
    """All of `known_barriers.json`."""
    text = (files(_PACKAGE) / "analysis" / "study" / "known_barriers.json").read_text(encoding="utf-8")
    return tuple(KnownBarrier(**row) for row in json.loads(text))


class AtlasPoint(Document):
    """One hop of one material by one engine.

    Attributes
    ----------
    host, formula, order, engine, functional, cell_atoms
        Of whom, by whom, in which cell.
    hop, ion, distance_A, ways
        Which hop.
    forward_eV, backward_eV
        Barriers; None where a check says that they are no result, for `no_result`.
    attempt_Hz, attempt_source
        Forward and back, at 300 K; ``assumed`` or ``Vineyard``.
    dipole_along_hop_e_A
        Between the two states, along the hop.
    moment_change_muB
        Of the cell by the hop; None where the engine has no electrons.
    anisotropy_change_meV
        Largest minus smallest change of E(n) over the sphere, per cell; None without maps.
    retention_s
        In which a written difference falls to 1/e at 300 K without a field.
    field_V_per_m
        Along the hop, that drives it within a millisecond at 300 K; None where even the largest allowed one does not,
        and of metals, 0 where it hops so soon without one.
    linear_field_V_per_m
        The same from the linear law, whatever the breakdown.
    no_result
        Why there are no barriers, or no times.
    """

    model_config = ConfigDict(ser_json_inf_nan="constants")

    host: str
    formula: str
    order: str
    engine: str
    functional: str
    cell_atoms: int
    hop: str
    ion: str
    distance_A: float
    ways: int
    forward_eV: float | None = None
    backward_eV: float | None = None
    attempt_Hz: tuple[float, float] = (ASSUMED_ATTEMPT_Hz, ASSUMED_ATTEMPT_Hz)
    attempt_source: str = "assumed"
    dipole_along_hop_e_A: float | None = None
    moment_change_muB: float | None = None
    anisotropy_change_meV: float | None = None
    retention_s: Unbounded | None = None
    field_V_per_m: float | None = None
    linear_field_V_per_m: float | None = None
    no_result: str = ""

    @property
    def with_known_barrier(self) -> AtlasPoint | None:
        """The same hop over the barrier that others have, both ways, in the field of the linear law; None without one.

        Dipole and rate of attempts stay the engine's.
        """
        known, driven = self.known, self.linear_field_V_per_m
        if known is None or self.forward_eV is None or not driven:
            return None
        barrier = (known.low_eV + known.high_eV) / 2
        free = BOLTZMANN_eV_PER_K * ROOM_K * math.log(self.attempt_Hz[0] * WRITING_S)
        times = [retention_s(barrier, ROOM_K, attempt) for attempt in self.attempt_Hz]
        field = driven * max(barrier - free, 0.0) / (self.forward_eV - free)
        changed = {"forward_eV": barrier, "backward_eV": barrier, "field_V_per_m": field}
        return self.model_copy(update=changed | {"retention_s": decay_s(*times), "engine": known.kind})

    @property
    def known(self) -> KnownBarrier | None:
        """What others have for this ion in this host."""
        return next((k for k in known_barriers() if (k.host, k.ion) == (self.host, self.ion)), None)


class Atlas(Document):
    """Points of many studies, and what is known of the engines' errors from them.

    Attributes
    ----------
    points
        One per hop and engine, as they were read.
    left_out
        Folders without a result, with the reason.
    """

    points: list[AtlasPoint]
    left_out: dict[str, str]

    def to_dataframe(self) -> pd.DataFrame:
        """One row per point, with the known barrier beside it and the error of its engine."""
        import pandas as pd

        errors = self.errors_eV()
        rows = []
        for p in self.points:
            error, compared = errors.get(p.engine, (None, 0))
            known = p.known
            beside = {} if known is None else {"known_eV": (known.low_eV + known.high_eV) / 2, "known_kind": known.kind}
            row = p.model_dump(exclude={"attempt_Hz"}) | {
                "attempt_forward_Hz": p.attempt_Hz[0],
                "attempt_backward_Hz": p.attempt_Hz[1],
                "engine_error_eV": error,
                "compared_with": compared,
            }
            rows.append(row | beside)
        return pd.DataFrame(rows)

    def errors_eV(self) -> dict[str, tuple[float | None, int]]:
        """By engine the median error of its lowest barriers against known ones, and of how many materials.

        None where fewer than `LEAST_KNOWN` are known.
        """
        lowest: dict[tuple[str, str, str], AtlasPoint] = {}
        for p in (p for p in self.points if p.known is not None and p.forward_eV is not None):
            key = (p.engine, p.host, p.ion)
            if key not in lowest or (p.forward_eV or 0.0) < (lowest[key].forward_eV or 0.0):
                lowest[key] = p
        out: dict[str, tuple[float | None, int]] = {}
        for engine in dict.fromkeys(p.engine for p in self.points):
            off = [_off_eV(p) for (name, *_), p in lowest.items() if name == engine]
            out[engine] = (statistics.median(off) if len(off) >= LEAST_KNOWN else None, len(off))
        return out


def _off_eV(point: AtlasPoint) -> float:
    assert point.known is not None
    assert point.forward_eV is not None
    return point.known.error_eV(point.forward_eV)


def points_of_study(study: Study) -> list[AtlasPoint]:
    """The hop of a study; empty if it has none."""
    attempts, source = (ASSUMED_ATTEMPT_Hz, ASSUMED_ATTEMPT_Hz), "assumed"
    if study.retention is not None:
        attempts, source = study.retention.attempts_Hz(ROOM_K), study.retention.attempt_frequency_source
    change = _anisotropy_change_meV(study)
    return [
        _point(
            hop,
            host=study.host.key,
            formula=study.host.formula,
            order=study.host.order,
            attempts_Hz=attempts,
            attempt_source=source,
            anisotropy_meV=change,
        )
        for hop in study.migration[:1]
    ]


def points_of_hops(hops: HopSet) -> list[AtlasPoint]:
    """Every hop of a set, with assumed rates of attempts."""
    return [_point(hop, host=hops.host, formula=hops.formula, order=hops.order) for hop in hops.migrations]


def _anisotropy_change_meV(study: Study) -> float | None:
    maps = {} if study.anisotropy is None else {m.state: m for m in study.anisotropy.maps}
    if not {"before", "after"} <= set(maps):
        return None
    change = difference_meV(maps["before"], maps["after"], lebedev_directions(15).vectors)
    return float(np.ptp(change))


def _point(
    hop: Migration,
    *,
    host: str,
    formula: str,
    order: str,
    attempts_Hz: tuple[float, float] = (ASSUMED_ATTEMPT_Hz, ASSUMED_ATTEMPT_Hz),
    attempt_source: str = "assumed",
    anisotropy_meV: float | None = None,
) -> AtlasPoint:
    point = AtlasPoint(
        host=host.partition(":")[0],
        formula=formula,
        order=order,
        engine=hop.provenance.engine,
        functional=hop.provenance.functional,
        cell_atoms=hop.cell_atoms,
        hop=hop.label,
        ion=hop.ion,
        distance_A=hop.distance_A,
        ways=hop.multiplicity,
        attempt_Hz=attempts_Hz,
        attempt_source=attempt_source,
    )
    if hop.why_no_result:
        return point.model_copy(update={"no_result": no_result(hop.why_no_result)})
    values: dict[str, object] = {
        "forward_eV": hop.forward_eV,
        "backward_eV": hop.backward_eV,
        "dipole_along_hop_e_A": hop.images[-1].dipole_along_hop_e_A,
        "anisotropy_change_meV": anisotropy_meV,
    }
    if hop.end_moments_muB is not None:
        values["moment_change_muB"] = hop.end_moments_muB[1] - hop.end_moments_muB[0]
    if why := why_no_rate(min(hop.forward_eV, hop.backward_eV), ROOM_K):
        return point.model_copy(update=values | {"no_result": f"no times: {why}"})
    retentions = [
        retention_s(barrier, ROOM_K, attempt)
        for barrier, attempt in zip((hop.forward_eV, hop.backward_eV), attempts_Hz, strict=True)
    ]
    field, linear = driving_fields_V_per_m(hop, ROOM_K, attempts_Hz[0], WRITING_S)
    values |= {"retention_s": decay_s(*retentions), "field_V_per_m": field, "linear_field_V_per_m": linear}
    return point.model_copy(update=values)


def ranked(points: Sequence[AtlasPoint]) -> list[AtlasPoint]:
    """Those with times, the longest retention first; behind them the others by name."""
    timed = [p for p in points if p.retention_s is not None]
    rest = [p for p in points if p.retention_s is None]
    return [*sorted(timed, key=lambda p: -(p.retention_s or 0.0)), *sorted(rest, key=lambda p: (p.host, p.engine))]
