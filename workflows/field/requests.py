"""Which fields a hop is put into: asked for in words, checked before anything runs, made into jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jobflow import Flow, Job, job
from pymatgen.core import Structure

from ...analysis.kinetics.applied_field import check_direction, field_from_text, magnitude_and_direction
from ...analysis.kinetics.site_charges import SiteCharges
from ...analysis.results.calculation import Band
from ...calculators.field import breakdown_V_per_m, check_below
from ...stored.base import Stored
from ...structures.defects.hops import Hop
from ..engine import Engine
from ..outputs import output_of
from .bands import HopInFieldMaker, require_relaxing

HOP = "hop"
# A cosine nearer to -1 than this is an operation that turns the field over.
_OPPOSITE = 1e-3


@dataclass
class FieldRequest(Stored):
    """Fields for a hop, each taken along and against its direction, beside zero.

    Attributes
    ----------
    magnitudes_V_per_m
        Sizes along `along`; the caller's default fields along the hop if this and `statements` are empty.
    along
        ``hop``, a crystal direction of the ordered cell ``[u v w]``, or a Cartesian vector ``x, y, z``.
    statements
        Fields in words, as in `analysis.kinetics.applied_field.field_from_text`: ``4 V over 60 nm along [0 0 1]``.
        One without a direction takes `along`.
    relaxed
        Converge a band in every field, beside the work along the zero-field path and the linear rate law.
    breakdown_V_per_m
        Larger fields are refused; the host's gap over its ordered cell's first edge if None.
    charges
        Charges on which the field acts; those of the band and the engine if None.
    """

    magnitudes_V_per_m: Sequence[float] = ()
    along: str = HOP
    statements: Sequence[str] = ()
    relaxed: bool = False
    breakdown_V_per_m: float | None = None
    charges: SiteCharges | None = None

    def by_direction(self, default_V_per_m: Sequence[float]) -> dict[str, list[float]]:
        """Signed fields in V/m by direction in words, zero included.

        Parameters
        ----------
        default_V_per_m
            Fields along `along` if none are asked for.

        Raises
        ------
        ValueError
            If a statement, a direction or a magnitude cannot be used.
        """
        check_direction(self.along)
        asked = [(float(f), self.along) for f in self.magnitudes_V_per_m]
        asked += [magnitude_and_direction(text, self.along) for text in self.statements]
        for size, _ in asked:
            if not np.isfinite(size) or size == 0:
                raise ValueError(
                    f"field {size} V/m is no magnitude; give numbers such as 1e8 (zero is always computed)"
                )
        out: dict[str, set[float]] = {}
        for size, along in asked or [(f, self.along) for f in default_V_per_m]:
            out.setdefault(along, {0.0}).update((abs(size), -abs(size)))
        return {along: sorted(fields) for along, fields in out.items()}

    @property
    def asks(self) -> bool:
        """Whether any field is asked for in place of the caller's default ones."""
        return bool(self.magnitudes_V_per_m or self.statements)

    def limit_V_per_m(self, gap_eV: float, cell: Structure) -> float:
        """Breakdown field: as stated, or the gap over the ordered cell's first edge; 0 for a metal.

        Raises
        ------
        ValueError
            If the stated one is not positive.
        """
        if self.breakdown_V_per_m is None:
            return breakdown_V_per_m(gap_eV, cell.lattice.a)
        if not self.breakdown_V_per_m > 0:
            raise ValueError(f"breakdown field {self.breakdown_V_per_m} V/m must be positive")
        return self.breakdown_V_per_m

    def within(self, default_V_per_m: Sequence[float], gap_eV: float, cell: Structure) -> list[float]:
        """The caller's default fields that the host stands; errors as `limit_V_per_m`."""
        limit = self.limit_V_per_m(gap_eV, cell)
        return [f for f in default_V_per_m if abs(f) <= limit]

    def left_out(self, default_V_per_m: Sequence[float], gap_eV: float, cell: Structure) -> str:
        """Which of the caller's default fields are left out, and why, in words; empty if all are taken."""
        gone = [f for f in default_V_per_m if f not in self.within(default_V_per_m, gap_eV, cell)]
        if self.asks or not gone:
            return ""
        limit = self.limit_V_per_m(gap_eV, cell)
        if not limit:
            return (
                "no fields, no switching path, no device: the gap is 0, and a metal screens fields; the barrier holds "
                "without (--breakdown-V-per-m states a limit of your own)"
            )
        return (
            f"fields above {limit:.2g} V/m are left out: they break down the gap of {gap_eV:g} eV over "
            f"{cell.lattice.a:.3g} A (--breakdown-V-per-m states another limit)"
        )

    def check(
        self, engine: Engine, cell: Structure, gap_eV: float, default_V_per_m: Sequence[float], repeats: Sequence[int]
    ) -> None:
        """Refuse what cannot be done, before anything is computed; default fields beyond breakdown are only left out.

        Raises
        ------
        ValueError
            If a field that was asked for is unreadable or beyond breakdown, or the charges do not fit.
        CannotDoError
            If the engine relaxes no band in a field.
        """
        limit = self.limit_V_per_m(gap_eV, cell)
        if not limit and (self.asks or self.relaxed):
            raise ValueError(
                "a field was asked for, but the host's gap is 0: a metal screens it; leave the field out, or state "
                "--breakdown-V-per-m (breakdown_V_per_m) if this host is none"
            )
        for fields in self.by_direction(self.within(default_V_per_m, gap_eV, cell)).values():
            for value in fields:
                check_below(value, limit)
        if self.relaxed:
            require_relaxing(engine, gap_eV)
        if self.charges is not None:
            self.charges.check(cell, len(cell) * int(np.prod(repeats)) - 1)


def field_jobs(
    request: FieldRequest,
    engine: Engine,
    hop: Hop,
    band: Band,
    cell: Structure,
    *,
    label: str,
    default_V_per_m: Sequence[float],
    limit_V_per_m: float,
    gap_eV: float,
) -> tuple[list[Job | Flow], list[Any]]:
    """Jobs of a hop in all fields asked for.

    Parameters
    ----------
    request, engine
        What is wanted, and who converges bands in a field.
    hop, band, cell
        The hop, its zero-field band and the host's relaxed ordered cell, or references to them.
    label
        The hop in words.
    default_V_per_m, limit_V_per_m, gap_eV
        As in `FieldRequest` and `HopInFieldMaker`.

    Returns
    -------
    tuple
        Jobs, and references to a `FieldStudy` for each direction.
    """
    jobs: list[Job | Flow] = []
    studies: list[Any] = []
    if not limit_V_per_m:
        return jobs, studies
    for along, fields in request.by_direction(default_V_per_m).items():
        direction = field_direction(hop, along, cell)
        flow = HopInFieldMaker(
            engine=engine,
            fields_V_per_m=fields,
            relaxed=request.relaxed,
            breakdown_V_per_m=limit_V_per_m,
            gap_eV=gap_eV,
            charges=request.charges,
        ).make(
            band,
            output_of(direction)["unit"],
            label=label,
            exchanged=output_of(direction)["exchanged"],
            in_words=along,
            cell=cell,
        )
        jobs += [direction, flow]
        studies.append(flow.output)
    return jobs, studies


@job(name="field direction")
def field_direction(hop: Hop, along: str, cell: Structure) -> dict[str, Any]:
    """Unit vector of a direction in words, and whether an operation exchanges the two states and turns it over.

    A crystal direction is one of the ordered `cell`: unequal repeats give the supercell other axes.
    """
    vector = field_from_text(f"1 V/A along {along}", lattice=cell.lattice, hop_A=hop.displacement_A)
    unit = vector / np.linalg.norm(vector)
    exchanged = any(float(unit @ np.asarray(m) @ unit) < _OPPOSITE - 1 for m in hop.relation_matrices)
    return {"unit": [float(x) for x in unit], "exchanged": exchanged}
