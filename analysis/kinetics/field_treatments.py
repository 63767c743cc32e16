"""A hop under a field in three treatments, side by side, with the identities that every treatment must obey.

Treatments: the work along the zero-field path; a band relaxed in the field; and the rate law, linear in the field.
The identities: (i) forward - backward = reaction energy; (ii) the forward barrier changes by -(p_TS - p_IS) dF;
(iii) the reaction energy by -(p_FS - p_IS) dF; (iv) where an operation of the host exchanges the two states,
the forward barrier in a field is the back barrier in the opposite one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import model_validator

from ...structures.units import V_PER_A_TO_V_PER_M
from ..results.calculation import Band
from ..results.document import Document, Provenance
from .profiles import (
    LINEAR,
    PATH,
    RELAXED,
    FieldPoint,
    FieldTreatment,
    barrier_in_field,
    point_of_profile,
    saddle_images,
    unit_vector,
)
from .rates import ASSUMED_ATTEMPT_Hz, rate_per_s, why_no_rate

if TYPE_CHECKING:
    import pandas as pd

PERMITTIVITY = "implied_permittivity"
"""Setting of a band relaxed in a field: the static permittivity that its first state implies by relaxing."""
SAME_SADDLE_A = 0.4
"""Places of the mover nearer than this are one saddle; those of one hop are an Angstrom and more apart."""


class FieldStudy(Document):
    """One hop in several fields and treatments.

    Attributes
    ----------
    label
        The hop.
    direction
        Unit vector of positive fields, shape (3,).
    direction_in_words
        As it was asked for: ``hop``, a crystal direction or a vector.
    temperature_K, attempt_Hz, attempt_backward_Hz, attempt_source
        Of the rates; without a backward prefactor the forward one holds both ways.
    exchanged
        Whether an operation of the host exchanges the two states and turns the field over.
    breakdown_V_per_m
        Limit that the fields were held against.
    dipole_source
        Where the dipoles come from.
    permittivity
        Static relative permittivity along the direction that the ions imply by relaxing in the weakest field. It
        follows from the charges that were chosen, and should be that of the material. None where nothing relaxed.
    points
        By treatment, then field.
    """

    label: str
    direction: list[float]
    temperature_K: float
    attempt_Hz: float
    attempt_backward_Hz: float | None = None
    attempt_source: Literal["assumed", "Vineyard"] = "assumed"
    exchanged: bool
    dipole_source: str
    direction_in_words: str = ""
    breakdown_V_per_m: float | None = None
    permittivity: float | None = None
    points: list[FieldPoint]
    provenance: Provenance

    @model_validator(mode="after")
    def _rates_only(self) -> FieldStudy:
        """No rate in a field that leaves no rate law, in documents of older versions neither."""
        for point in self.points:
            point.no_rate = why_no_rate(min(point.forward_eV, point.backward_eV), self.temperature_K)
            if point.no_rate:
                point.forward_per_s = point.backward_per_s = None
        return self

    def with_prefactors(self, forward_Hz: float, backward_Hz: float) -> FieldStudy:
        """The same barriers with rates of computed modes: the rates of attempts at this study's temperature."""
        rated = [_rated(p, self.temperature_K, forward_Hz, backward_Hz) for p in self.points]
        return self.model_copy(
            update={
                "points": rated,
                "attempt_Hz": forward_Hz,
                "attempt_backward_Hz": backward_Hz,
                "attempt_source": "Vineyard",
            }
        )

    def of_treatment(self, name: FieldTreatment) -> list[FieldPoint]:
        """Points of one treatment, by field."""
        return [p for p in self.points if p.treatment == name]

    def largest_residual_eV(self, name: FieldTreatment) -> float:
        """Largest size of all residuals of a treatment."""
        return max(p.largest_residual_eV for p in self.of_treatment(name))

    def to_dataframe(self) -> pd.DataFrame:
        """One row per treatment and field."""
        import pandas as pd

        return pd.DataFrame([p.model_dump(exclude={"direction", "controlling_image"}) for p in self.points])


def path_points(
    energies_eV: ArrayLike,
    dipoles_e_A: ArrayLike,
    direction: ArrayLike,
    fields_V_per_A: Sequence[float],
    *,
    treatment: FieldTreatment = PATH,
    temperature_K: float = 300.0,
    attempt_Hz: float = ASSUMED_ATTEMPT_Hz,
) -> list[FieldPoint]:
    """Barriers of one zero-field profile in fields along a direction, by the work or by the linear rate law.

    Parameters
    ----------
    energies_eV, dipoles_e_A
        Zero-field profile with its saddles as images, shapes (n,) and (n, 3).
    direction
        Of positive fields, shape (3,).
    fields_V_per_A
        Signed fields.
    treatment
        `PATH`, or `LINEAR`, which keeps the zero-field saddle whatever the field.
    temperature_K, attempt_Hz
        Of the rates.

    Raises
    ------
    ValueError
        If the direction has no length.
    """
    fixed = int(np.argmax(energies_eV)) if treatment == LINEAR else None
    rates = {"temperature_K": temperature_K, "attempt_Hz": attempt_Hz}
    points = [
        barrier_in_field(energies_eV, dipoles_e_A, direction, f, treatment=treatment, fixed=fixed)
        for f in sorted(fields_V_per_A)
    ]
    return [_rated(p, **rates) for p in points]


def _rated(
    point: FieldPoint, temperature_K: float, attempt_Hz: float, attempt_backward_Hz: float | None = None
) -> FieldPoint:
    """A point with its rates, or with why it has none."""
    if why := why_no_rate(min(point.forward_eV, point.backward_eV), temperature_K):
        return point.model_copy(update={"no_rate": why})
    back = attempt_Hz if attempt_backward_Hz is None else attempt_backward_Hz
    return point.model_copy(
        update={
            "forward_per_s": rate_per_s(point.forward_eV, temperature_K, attempt_Hz),
            "backward_per_s": rate_per_s(point.backward_eV, temperature_K, back),
        }
    )


def relaxed_point(
    band: Band,
    direction: ArrayLike,
    field_V_per_A: float,
    *,
    temperature_K: float = 300.0,
    attempt_Hz: float = ASSUMED_ATTEMPT_Hz,
    zero_field: Band | None = None,
) -> FieldPoint:
    """Barriers of a band that was converged in the field, so that its energies hold the field's work already.

    With the band at zero field its highest saddle gets the number of the one there that is nearest to its place.
    """
    energies = band.energies_eV
    bare = point_of_profile(energies, band.dipoles_e_A, unit_vector(direction), field_V_per_A, RELAXED)
    point, top = _rated(bare, temperature_K, attempt_Hz), int(np.argmax(energies))
    if point.controlling_saddle_index is None:
        return point
    place = _mover_at(band, top)
    number = point.controlling_saddle_index
    if zero_field is not None and (known := saddle_images(zero_field.energies_eV)):
        number = int(np.argmin([np.linalg.norm(_mover_at(zero_field, k) - place) for k in known]))
    return point.model_copy(update={"controlling_saddle_index": number, "saddle_A": place.tolist()})


def _mover_at(band: Band, image: int) -> np.ndarray:
    """Way of the mover from the first image, shape (3,), Angstrom: path and coordinates of a band are continuous."""
    there, start = (band.images[n].structure.cart_coords[band.mover] for n in (image, 0))
    return np.asarray(there - start)


def field_study(
    points: Sequence[FieldPoint],
    *,
    label: str,
    direction: ArrayLike,
    exchanged: bool,
    dipole_source: str,
    provenance: Provenance,
    temperature_K: float = 300.0,
    attempt_Hz: float = ASSUMED_ATTEMPT_Hz,
    direction_in_words: str = "",
    breakdown_V_per_m: float | None = None,
    permittivity: float | None = None,
) -> FieldStudy:
    """Put points of any treatments together and hold each against the identities."""
    judged = [
        p
        for treatment in (PATH, RELAXED, LINEAR)
        for p in _judged([q for q in points if q.treatment == treatment], exchanged)
    ]
    return FieldStudy(
        label=label,
        direction=[float(x) for x in unit_vector(direction)],
        temperature_K=temperature_K,
        attempt_Hz=attempt_Hz,
        exchanged=exchanged,
        dipole_source=dipole_source,
        direction_in_words=direction_in_words,
        breakdown_V_per_m=breakdown_V_per_m,
        permittivity=permittivity,
        points=judged,
        provenance=provenance,
    )


def _one_saddle(one: FieldPoint, other: FieldPoint) -> bool:
    """Whether two points speak of one and the same saddle: by place where they know it, else by number."""
    if one.controlling_saddle_index is None or one.controlling_saddle_index != other.controlling_saddle_index:
        return False
    if one.saddle_A is None or other.saddle_A is None:
        return True
    return float(np.linalg.norm(np.subtract(one.saddle_A, other.saddle_A))) < SAME_SADDLE_A


def _judged(points: Sequence[FieldPoint], exchanged: bool) -> list[FieldPoint]:
    ordered = sorted(points, key=lambda p: p.field_V_per_m)
    by_field = {round(p.field_V_per_m, 3): p for p in ordered}
    out: list[FieldPoint] = []
    for n, point in enumerate(ordered):
        update: dict[str, float | None] = {}
        if n:
            before = ordered[n - 1]
            step = (point.field_V_per_m - before.field_V_per_m) / V_PER_A_TO_V_PER_M
            mean = 0.5 * (point.slope_delta_e_A + before.slope_delta_e_A)
            update["residual_iii_eV"] = point.delta_eV - before.delta_eV - step * mean
            if _one_saddle(before, point):
                mean = 0.5 * (point.slope_forward_e_A + before.slope_forward_e_A)
                update["residual_ii_eV"] = point.forward_eV - before.forward_eV - step * mean
        opposite = by_field.get(round(-point.field_V_per_m, 3))
        if exchanged and opposite is not None:
            update["residual_iv_eV"] = point.forward_eV - opposite.backward_eV
        out.append(point.model_copy(update=update))
    return out
