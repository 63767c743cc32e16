"""Which fields a hop is put into: asked for in words, checked before anything runs, made into jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jobflow import Flow, Job, job
from pymatgen.core import Structure

from ...analysis.kinetics.applied_field import Direction, breakdown_V_per_A, check_breakdown, read_field
from ...analysis.kinetics.site_charges import SiteCharges
from ...analysis.results.calculation import Band
from ...stored.base import Stored
from ...structures.defects.hops import Hop
from ...structures.units import BOHR_A, V_PER_M_TO_V_PER_A, COULOMB_eV_A
from ..engine import Engine
from ..jobs.outputs import output_of
from .bands import HopInFieldMaker, require_relaxing

HOP = "hop"
# Atomic unit of the field, that of a proton at one Bohr: in a larger one there is no atom left.
LARGEST_V_PER_A = COULOMB_eV_A / BOHR_A**2
# A cosine nearer to -1 than this is an operation that turns the field over.
_OPPOSITE = 1e-3


class HopFields(NamedTuple):
    """Fields of hops, read and held against breakdown.

    Attributes
    ----------
    along_hop_V_per_A
        Signed, for the treatment that needs no direction but the hop.
    by_direction
        Signed fields, V/Angstrom, zero included; none for a metal.
    limit_V_per_A
        What they were held against; 0 for a metal.
    """

    along_hop_V_per_A: list[float]
    by_direction: dict[Direction, list[float]]
    limit_V_per_A: float


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
        Fields in words, as in `analysis.kinetics.applied_field.read_field`: ``4 V over 60 nm along [0 0 1]``.
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

    def by_direction(self, default_V_per_A: Sequence[float]) -> dict[Direction, list[float]]:
        """Signed fields in V/A by direction, zero included.

        Parameters
        ----------
        default_V_per_A
            Fields along `along` if none are asked for.

        Raises
        ------
        ValueError
            If a statement, a direction or a magnitude cannot be used.
        """
        along = Direction.from_text(self.along)
        asked = [(float(f) * V_PER_M_TO_V_PER_A, along) for f in self.magnitudes_V_per_m]
        asked += [read_field(text, along) for text in self.statements]
        for size, _ in asked:
            if not 0 < abs(size) <= LARGEST_V_PER_A:
                most = LARGEST_V_PER_A / V_PER_M_TO_V_PER_A
                raise ValueError(
                    f"field {size / V_PER_M_TO_V_PER_A:g} V/m is no magnitude; give numbers such as 1e8 (zero is "
                    f"always computed), at most {most:.3g}, the field of a proton at one Bohr"
                )
        out: dict[Direction, set[float]] = {}
        for size, direction in asked or [(f, along) for f in default_V_per_A]:
            out.setdefault(direction, {0.0}).update((abs(size), -abs(size)))
        return {direction: sorted(fields) for direction, fields in out.items()}

    @property
    def asks(self) -> bool:
        """Whether any field is asked for in place of the caller's default ones."""
        return bool(self.magnitudes_V_per_m or self.statements)

    def limit_V_per_A(self, gap_eV: float, cell: Structure) -> float:
        """Breakdown field: as stated, or the gap over the ordered cell's first edge; 0 for a metal.

        Raises
        ------
        ValueError
            If the stated one is not positive, or beyond `LARGEST_V_PER_A`.
        """
        if self.breakdown_V_per_m is None:
            return breakdown_V_per_A(gap_eV, cell.lattice.a)
        if not 0 < self.breakdown_V_per_m * V_PER_M_TO_V_PER_A <= LARGEST_V_PER_A:
            raise ValueError(
                f"breakdown field {self.breakdown_V_per_m:g} V/m must be positive, and at most "
                f"{LARGEST_V_PER_A / V_PER_M_TO_V_PER_A:.3g}, the field of a proton at one Bohr"
            )
        return self.breakdown_V_per_m * V_PER_M_TO_V_PER_A

    def within(self, default_V_per_A: Sequence[float], gap_eV: float, cell: Structure) -> list[float]:
        """The caller's default fields that the host stands; errors as `limit_V_per_A`."""
        limit = self.limit_V_per_A(gap_eV, cell)
        return [f for f in default_V_per_A if abs(f) <= limit]

    def left_out(self, default_V_per_A: Sequence[float], gap_eV: float, cell: Structure) -> str:
        """Which of the caller's default fields are left out, and why, in words; empty if all are taken."""
        if self.asks or len(self.within(default_V_per_A, gap_eV, cell)) == len(default_V_per_A):
            return ""
        limit = self.limit_V_per_A(gap_eV, cell)
        if not limit:
            return (
                "no fields, no switching path, no device: the gap is 0, and a metal screens fields; the barrier holds "
                "without (--breakdown-V-per-m states a limit of your own)"
            )
        return (
            f"fields above {limit / V_PER_M_TO_V_PER_A:.2g} V/m are left out: they break down the gap of {gap_eV:g} eV "
            f"over {cell.lattice.a:.3g} A (--breakdown-V-per-m states another limit)"
        )

    def checked(
        self, engine: Engine, cell: Structure, gap_eV: float, default_V_per_A: Sequence[float], repeats: Sequence[int]
    ) -> HopFields:
        """What hops are put into. Refuses what cannot be done, before anything is computed.

        Default fields beyond breakdown are only left out.

        Raises
        ------
        ValueError
            If a field that was asked for is unreadable or beyond breakdown, or the charges do not fit.
        CannotDoError
            If the engine relaxes no band in a field.
        """
        limit = self.limit_V_per_A(gap_eV, cell)
        if not limit and (self.asks or self.relaxed):
            raise ValueError(
                "a field was asked for, but the host's gap is 0: a metal screens it; leave the field out, or state "
                "--breakdown-V-per-m (breakdown_V_per_m) if this host is none"
            )
        default = self.within(default_V_per_A, gap_eV, cell)
        lines = self.by_direction(default)
        for value in (f for sizes in lines.values() for f in sizes):
            check_breakdown(value, limit)
        if self.relaxed:
            require_relaxing(engine, gap_eV)
        if self.charges is not None:
            self.charges.check(cell, len(cell) * int(np.prod(repeats)) - 1)
        hop = next((sizes for line, sizes in lines.items() if line.words == HOP), default) if self.asks else default
        return HopFields(hop, lines if limit else {}, limit)

    def jobs(
        self, engine: Engine, hop: Hop, band: Band, cell: Structure, fields: HopFields, *, label: str, gap_eV: float
    ) -> tuple[list[Job | Flow], list[Any]]:
        """Jobs of a hop in all fields asked for.

        Parameters
        ----------
        engine
            Who converges bands in a field.
        hop, band, cell
            The hop, its zero-field band and the host's relaxed ordered cell, or references to them.
        fields
            From `checked`.
        label
            The hop in words.
        gap_eV
            As in `HopInFieldMaker`.

        Returns
        -------
        tuple
            Jobs, and references to a `FieldStudy` for each direction.
        """
        jobs: list[Job | Flow] = []
        studies: list[Any] = []
        for along, sizes_V_per_A in fields.by_direction.items():
            direction = field_direction(hop, along.words, cell)
            flow = HopInFieldMaker(
                engine=engine,
                fields_V_per_A=sizes_V_per_A,
                relaxed=self.relaxed,
                breakdown_V_per_A=fields.limit_V_per_A,
                gap_eV=gap_eV,
                charges=self.charges,
            ).make(
                band,
                output_of(direction)["unit"],
                label=label,
                exchanged=output_of(direction)["exchanged"],
                in_words=along.words,
                cell=cell,
            )
            jobs += [direction, flow]
            studies.append(flow.output)
        return jobs, studies


@job(name="field direction")
def field_direction(hop: Hop, along: str, cell: Structure) -> dict[str, Any]:
    """Unit vector of a direction, and whether an operation exchanges the two states and turns it over.

    A crystal direction is one of the ordered `cell`: unequal repeats give the supercell other axes. The words of a
    `Direction` are the argument, and the vector is made as it ever was, because both are in the keys of bands.
    """
    vector = Direction.from_text(along).unit(cell.lattice, hop.displacement_A)
    unit = vector / np.linalg.norm(vector)
    exchanged = any(float(unit @ np.asarray(m) @ unit) < _OPPOSITE - 1 for m in hop.relation_matrices)
    return {"unit": [float(x) for x in unit], "exchanged": exchanged}
