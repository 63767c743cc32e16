"""A hop under a field in three treatments: from a zero-field band, and from bands relaxed in each field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from jobflow import Flow, job
from pymatgen.core import Structure

from ...analysis.kinetics.applied_field import check_breakdown
from ...analysis.kinetics.field_treatments import (
    PERMITTIVITY,
    FieldStudy,
    field_study,
    path_points,
    relaxed_point,
)
from ...analysis.kinetics.profiles import LINEAR, PATH, FieldPoint
from ...analysis.kinetics.rates import ASSUMED_ATTEMPT_Hz
from ...analysis.kinetics.site_charges import SiteCharges, band_with_charges
from ...analysis.results.calculation import Band
from ...analysis.results.checks import invalid_because, no_result, require_valid
from ...structures.units import V_PER_M_TO_V_PER_A
from ..ase.jobs import AseEngine
from ..engine import CannotDoError, Engine
from ..jobs.kinds import as_calculation
from ..maker import EngineMaker
from .jobs import band_in_field


@dataclass
class HopInFieldMaker(EngineMaker):
    """Barriers of one hop in several fields along one direction, in all treatments.

    Attributes
    ----------
    engine
        For bands in a field: an ASE calculator (local, ML potentials, GPAW, any other), whose ions feel it by their
        charges, or an engine with a self-consistent one (`Engine.with_field`: vasp).
    fields_V_per_A
        Signed fields.
    relaxed
        Relax a band in every field; without, only the work along the zero-field path and the rate law.
    breakdown_V_per_A
        Larger fields are refused; None refuses none.
    gap_eV
        For the check that an engine with a self-consistent field makes itself.
    charges
        Charges of single sites or elements on which the field acts; those of the band and the engine if None.
    temperature_K, attempt_Hz
        Of the rates.
    """

    engine: Engine = field(kw_only=True)
    fields_V_per_A: Sequence[float] = (-0.01, 0.0, 0.01)
    relaxed: bool = True
    breakdown_V_per_A: float | None = None
    gap_eV: float | None = None
    charges: SiteCharges | None = None
    temperature_K: float = 300.0
    attempt_Hz: float = ASSUMED_ATTEMPT_Hz
    name: str = "hop in a field"

    def make(
        self,
        band: Band,
        direction: Sequence[float],
        *,
        label: str = "hop",
        exchanged: bool = False,
        in_words: str = "",
        cell: Structure | None = None,
    ) -> Flow:
        """Flow whose output is a `FieldStudy`.

        Parameters
        ----------
        band
            Zero-field band, or a reference to it.
        direction
            Of positive fields, shape (3,), e.g. the hop's displacement or what `field_from_text` gives.
        label, exchanged
            See `FieldStudy`.
        in_words
            The direction as it was asked for.
        cell
            Ordered cell of the host, or a reference to it; needed where `charges` belong to its sites.

        Raises
        ------
        CannotDoError
            If bands in a field are wanted of an engine that knows no field.
        ValueError
            If a field is beyond breakdown.
        """
        if self.relaxed:
            require_relaxing(self.engine, self.gap_eV)
        limit, fields = self.breakdown_V_per_A, list(self.fields_V_per_A)
        if limit is not None:
            for value in fields:
                check_breakdown(value, limit)
        # At zero field the relaxed band is the band itself.
        moved = [f for f in fields if f] if self.relaxed else []
        jobs = [band_in_field(self.engine, band, direction, f, self.gap_eV, self.charges, cell) for f in moved]
        for band_job in jobs if isinstance(self.engine, AseEngine) else []:
            as_calculation(band_job, self.engine.kind_for("neb"))
        last = collect_field(
            band,
            [j.output for j in jobs],
            moved,
            fields,
            direction,
            label=label,
            exchanged=exchanged,
            in_words=in_words,
            breakdown_V_per_m=None if limit is None else limit / V_PER_M_TO_V_PER_A,
            charges=self.charges,
            cell=cell,
            temperature_K=self.temperature_K,
            attempt_Hz=self.attempt_Hz,
        )
        return Flow([*jobs, last], output=last.output, name=self.name)


def require_relaxing(engine: Engine, gap_eV: float | None) -> None:
    """Refuse an engine that converges no band in a field, before anything is computed.

    Raises
    ------
    CannotDoError
        With the way out.
    """
    if isinstance(engine, AseEngine):
        return
    try:
        engine.with_field((0.0, 0.0, 0.0), gap_eV=gap_eV)
    except CannotDoError as error:
        raise CannotDoError(f"{error}; leave out --relax-in-field (relaxed=False)") from error


@job(name="collect field")
def collect_field(
    band: Band,
    in_field: list[Band],
    moved_V_per_A: list[float],
    fields_V_per_A: list[float],
    direction: Sequence[float],
    *,
    label: str,
    exchanged: bool,
    in_words: str,
    breakdown_V_per_m: float | None,
    charges: SiteCharges | None,
    cell: Structure | None,
    temperature_K: float,
    attempt_Hz: float,
) -> FieldStudy:
    """All treatments of one hop side by side, with the residuals of the identities.

    A band in a field that failed a check gives no point, and the provenance says so.

    Raises
    ------
    InvalidResultError
        If the zero-field band failed a check.
    """
    require_valid(band.checks, "the zero-field band")
    if charges is not None:
        band = band_with_charges(band, charges, cell)  # type: ignore[arg-type]
    points: list[FieldPoint] = []
    notes: list[str] = []
    for treatment in (PATH, LINEAR):
        points += path_points(
            band.energies_eV,
            band.dipoles_e_A,
            direction,
            fields_V_per_A,
            treatment=treatment,
            temperature_K=temperature_K,
            attempt_Hz=attempt_Hz,
        )
    known = dict(zip(moved_V_per_A, in_field, strict=True))
    if known:
        for value in fields_V_per_A:
            band_at = known.get(value, band)
            if why := invalid_because(band_at.checks):
                notes.append(f"band in {value / V_PER_M_TO_V_PER_A:.3g} V/m is {no_result(why)}")
                continue
            rates = {"temperature_K": temperature_K, "attempt_Hz": attempt_Hz}
            points.append(relaxed_point(band_at, direction, value, zero_field=band, **rates))
    return field_study(
        points,
        label=label,
        direction=direction,
        exchanged=exchanged,
        dipole_source=f"{band.dipole_source}: {band.dipole_note}",
        provenance=band.provenance.model_copy(update={"left_out": [*band.provenance.left_out, *notes]}),
        temperature_K=temperature_K,
        attempt_Hz=attempt_Hz,
        direction_in_words=in_words,
        breakdown_V_per_m=breakdown_V_per_m,
        permittivity=_permittivity(known),
    )


def _permittivity(in_field: Mapping[float, Band]) -> float | None:
    """What the band in the weakest field says of the response of the ions; None where none relaxed with charges."""
    permittivities = {
        abs(value): band.provenance.settings.get(PERMITTIVITY) for value, band in in_field.items() if value
    }
    weakest = min((size for size, value in permittivities.items() if value is not None), default=None)
    return None if weakest is None else float(cast(float, permittivities[weakest]))
