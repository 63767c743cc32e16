"""Energy profiles under a field: E(s; F) = E0(s) - F.[p(s) - p(0)], saddles, and barriers both ways.

The work of the field along the zero-field path; the ions do not relax further in the field.
With two saddles the controlling one can change with the sign of the field, which puts a kink in
the barrier at the field where it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from ...structures.units import V_PER_A_TO_V_PER_M
from ..results.document import Document

FloatArray = NDArray[np.float64]


FieldTreatment = Literal["work along the zero-field path", "band relaxed in the field", "rate law, linear in the field"]
PATH: FieldTreatment = "work along the zero-field path"
RELAXED: FieldTreatment = "band relaxed in the field"
LINEAR: FieldTreatment = "rate law, linear in the field"


class FieldPoint(Document):
    """A hop in one field.

    Attributes
    ----------
    treatment
        How the field was included.
    field_V_per_m, direction
        Signed, and the unit vector of the positive sense, shape (3,); with the hop as direction a positive field pushes
        a positive ion forwards.
    forward_eV, backward_eV, delta_eV
        Highest point above the start, above the end, and end minus start.
    controlling_image
        Index of the image that is highest in this field; an end if the field removed the barrier. None in field studies
        of versions 1 and 2.
    controlling_saddle_index
        Number of the highest saddle among those at zero field, from 0, by its place; None where the field removed the
        barrier.
    saddle_A
        Where the mover stands at that saddle, from where it stands in the initial state, shape (3,), Angstrom; only of
        bands relaxed in the field, where saddles come and go and a number says nothing.
    slope_forward_e_A, slope_delta_e_A
        -(p_TS - p_IS) and -(p_FS - p_IS) along the direction.
    forward_per_s, backward_per_s
        Rates at the temperature of a `FieldStudy`; None elsewhere, and where there is no rate law.
    no_rate
        Why there is none.
    residual_i_eV, residual_ii_eV, residual_iii_eV, residual_iv_eV
        How far the identities are missed. (ii) and (iii) compare with the next smaller field by the mean of both
        slopes; None at the smallest field, (ii) also where another saddle controls, or it has moved far; (iv) None
        without a relation or without the opposite field.
    """

    treatment: FieldTreatment
    field_V_per_m: float
    direction: list[float] = Field(default_factory=list)
    forward_eV: float
    backward_eV: float
    delta_eV: float
    controlling_image: int | None = None
    controlling_saddle_index: int | None = None
    saddle_A: list[float] | None = None
    slope_forward_e_A: float
    slope_delta_e_A: float
    forward_per_s: float | None = None
    backward_per_s: float | None = None
    no_rate: str = ""
    residual_i_eV: float
    residual_ii_eV: float | None = None
    residual_iii_eV: float | None = None
    residual_iv_eV: float | None = None

    @property
    def largest_residual_eV(self) -> float:
        """Largest size of the residuals that this point has."""
        residuals = (self.residual_i_eV, self.residual_ii_eV, self.residual_iii_eV, self.residual_iv_eV)
        return max(abs(r) for r in residuals if r is not None)


def tilted_energies(energies_eV: ArrayLike, dipoles_e_A: ArrayLike, field_V_per_A: ArrayLike) -> FloatArray:
    """Profile in a uniform field, shape (n_images,), eV; the first image keeps its energy.

    Parameters
    ----------
    energies_eV
        Zero-field energies, shape (n_images,).
    dipoles_e_A
        Dipoles, shape (n_images, 3), e Angstrom; only differences enter.
    field_V_per_A
        Field vector, shape (3,), V/Angstrom.
    """
    dipoles = np.asarray(dipoles_e_A, dtype=float)
    work = (dipoles - dipoles[0]) @ np.asarray(field_V_per_A, dtype=float)
    return np.asarray(np.asarray(energies_eV, dtype=float) - work)


def saddle_images(energies_eV: ArrayLike) -> list[int]:
    """Indices of the interior local maxima of a profile, in order."""
    e = np.asarray(energies_eV, dtype=float)
    return [i for i in range(1, len(e) - 1) if e[i] >= e[i - 1] and e[i] > e[i + 1]]


def unit_vector(direction: ArrayLike) -> FloatArray:
    """A direction of length 1, shape (3,).

    Raises
    ------
    ValueError
        If it has no length.
    """
    vector = np.asarray(direction, dtype=float)
    length = float(np.linalg.norm(vector))
    if length < 1e-12:
        raise ValueError("the field direction has no length; give a vector such as the hop")
    return np.asarray(vector / length)


def barrier_in_field(
    energies_eV: ArrayLike,
    dipoles_e_A: ArrayLike,
    direction: ArrayLike,
    magnitude_V_per_A: float,
    *,
    treatment: FieldTreatment = PATH,
    fixed: int | None = None,
) -> FieldPoint:
    """Barriers of one zero-field profile in a field along a direction.

    Parameters
    ----------
    energies_eV
        Zero-field energies, shape (n_images,); saddles must be images.
    dipoles_e_A
        Dipoles, shape (n_images, 3), e Angstrom.
    direction
        Direction of the positive sense, shape (3,); normalised here.
    magnitude_V_per_A
        Signed field, V/Angstrom.
    treatment, fixed
        What the point is called, and the image that counts as the saddle whatever the field, as in the linear rate law.

    Raises
    ------
    ValueError
        If the arrays do not fit, or the direction has no length.
    """
    energies, dipoles = np.asarray(energies_eV, dtype=float), np.asarray(dipoles_e_A, dtype=float)
    if dipoles.shape != (len(energies), 3):
        raise ValueError(f"dipoles have shape {dipoles.shape}; {len(energies)} images need ({len(energies)}, 3)")
    unit = unit_vector(direction)
    tilted = tilted_energies(energies, dipoles, magnitude_V_per_A * unit)
    peaks = saddle_images(energies)
    return point_of_profile(tilted, dipoles, unit, magnitude_V_per_A, treatment, peaks=peaks, fixed=fixed)


def point_of_profile(
    energies: FloatArray,
    dipoles: FloatArray,
    unit: FloatArray,
    field_V_per_A: float,
    treatment: FieldTreatment,
    *,
    peaks: Sequence[int] | None = None,
    fixed: int | None = None,
) -> FieldPoint:
    """A `FieldPoint` of energies that hold the work of the field already, eV, shape (n_images,).

    `peaks` are the saddles that are counted, those of `energies` if None; the rest is as in `barrier_in_field`.
    """
    top = int(np.argmax(energies)) if fixed is None else fixed
    counted = list(saddle_images(energies) if peaks is None else peaks)
    forward, backward = float(energies[top] - energies[0]), float(energies[top] - energies[-1])
    delta = float(energies[-1] - energies[0])
    along = dipoles @ unit
    return FieldPoint(
        treatment=treatment,
        field_V_per_m=float(field_V_per_A * V_PER_A_TO_V_PER_M),
        direction=[float(x) for x in unit],
        forward_eV=forward,
        backward_eV=backward,
        delta_eV=delta,
        controlling_image=top,
        controlling_saddle_index=counted.index(top) if top in counted else None,
        slope_forward_e_A=float(along[0] - along[top]),
        slope_delta_e_A=float(along[0] - along[-1]),
        residual_i_eV=forward - backward - delta,
    )
