"""A hop under a field in three tiers: from a zero-field band, and from bands relaxed in each field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jobflow import Flow, Maker, Response, job

from ..analysis.calculation import Band, require_valid
from ..analysis.field_tiers import LINEAR, PATH, FieldPoint, FieldStudy, field_study, path_points, relaxed_point
from ..analysis.kinetics import ASSUMED_ATTEMPT_Hz
from .ase_jobs import AseEngine, converge_band
from .engine import CannotDoError, Engine

_PER_METRE = 1e-10


@dataclass
class FieldMaker(Maker):
    """Barriers of one hop in several fields along one direction, in all tiers.

    Attributes
    ----------
    engine
        For bands in a field: one with `Engine.with_field` (local, ML potentials, any ASE calculator, vasp).
    fields_V_per_m
        Signed fields.
    relaxed
        Relax a band in every field; without, only the work along the zero-field path and the rate law.
    gap_eV
        For the breakdown check over the cell's shortest axis; None leaves it out. VASP needs it.
    temperature_K, attempt_Hz
        Of the rates.
    """

    engine: Engine = field(kw_only=True)
    fields_V_per_m: Sequence[float] = (-1e8, 0.0, 1e8)
    relaxed: bool = True
    gap_eV: float | None = None
    temperature_K: float = 300.0
    attempt_Hz: float = ASSUMED_ATTEMPT_Hz
    name: str = "hop in a field"

    def make(self, band: Band, direction: Sequence[float], *, label: str = "hop", exchanged: bool = False) -> Flow:
        """Flow whose output is a `FieldStudy`.

        Parameters
        ----------
        band
            Zero-field band, or a reference to it.
        direction
            Of positive fields, shape (3,), e.g. the hop's displacement or what `field_from_text` gives.
        label, exchanged
            See `FieldStudy`.

        Raises
        ------
        CannotDoError
            If bands in a field are wanted of an engine that has no field.
        """
        if self.relaxed:
            try:
                self.engine.with_field((0.0, 0.0, 0.0), gap_eV=self.gap_eV)
            except CannotDoError as error:
                raise CannotDoError(f"{error}; set relaxed=False") from error
        fields = [f * _PER_METRE for f in self.fields_V_per_m]
        jobs = []
        if self.relaxed:
            jobs = [band_in_field(self.engine, band, direction, f, self.gap_eV) for f in fields]
        last = collect_field(
            band,
            [j.output for j in jobs],
            fields,
            direction,
            label=label,
            exchanged=exchanged,
            gap_eV=self.gap_eV,
            temperature_K=self.temperature_K,
            attempt_Hz=self.attempt_Hz,
        )
        return Flow([*jobs, last], output=last.output, name=self.name)


@job(name="band in field")
def band_in_field(
    engine: Engine, band: Band, direction: Sequence[float], field_V_per_A: float, gap_eV: float | None
) -> Band | Response[Any]:
    """Converge the band again in a field, from the ends and minima of the zero-field one; energies hold its work.

    An engine that computes elsewhere replaces this job by its own.

    Raises
    ------
    InvalidResultError
        If the zero-field band failed a guard.
    ValueError
        If the field is beyond breakdown.
    """
    require_valid(band.checks, "the zero-field band")
    _check(band, field_V_per_A, gap_eV)
    unit = np.asarray(direction, dtype=float) / np.linalg.norm(direction)
    inside = engine.with_field([float(c) for c in field_V_per_A * unit], gap_eV=gap_eV)
    between = [i.structure for i in band.images if i.kind == "minimum"]
    first, last = band.images[0].structure, band.images[-1].structure
    if isinstance(inside, AseEngine):
        return converge_band.original(inside, first, last, between, mover=band.mover)  # type: ignore[no-any-return]
    made = inside.band(first, last, between, mover=band.mover, name=f"band at {field_V_per_A:g} V/A")
    return Response(replace=made)


@job(name="collect field")
def collect_field(
    band: Band,
    in_field: list[Band],
    fields_V_per_A: list[float],
    direction: Sequence[float],
    *,
    label: str,
    exchanged: bool,
    gap_eV: float | None,
    temperature_K: float,
    attempt_Hz: float,
) -> FieldStudy:
    """All tiers of one hop side by side, with the residuals of the identities."""
    for value in fields_V_per_A:
        _check(band, value, gap_eV)
    points: list[FieldPoint] = []
    for tier in (PATH, LINEAR):
        points += path_points(
            band.energies_eV,
            band.dipoles_e_A,
            direction,
            fields_V_per_A,
            tier=tier,
            temperature_K=temperature_K,
            attempt_Hz=attempt_Hz,
        )
    for value, made in zip(fields_V_per_A, in_field, strict=False):
        points.append(relaxed_point(made, direction, value, temperature_K=temperature_K, attempt_Hz=attempt_Hz))
    return field_study(
        points,
        label=label,
        direction=direction,
        exchanged=exchanged,
        dipole_source=f"{band.dipole_source}: {band.dipole_note}",
        provenance=band.provenance,
        temperature_K=temperature_K,
        attempt_Hz=attempt_Hz,
    )


def _check(band: Band, field_V_per_A: float, gap_eV: float | None) -> None:
    from ..calculators.field import check_breakdown

    if gap_eV is not None:
        check_breakdown(field_V_per_A, gap_eV, min(band.images[0].structure.lattice.abc))
