"""Energy profiles under a field: E(s; F) = E0(s) - F.[p(s) - p(0)], saddles, and barriers both ways.

The work of the field along the zero-field path; the ions do not relax further in the field.
With two saddles the controlling one can change with the sign of the field, which puts a kink in
the barrier at the field where it does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...structures.units import V_PER_A_TO_V_PER_M
from ..results.document import Document

FloatArray = NDArray[np.float64]


class FieldBarrier(Document):
    """Barriers of one hop in one field.

    Attributes
    ----------
    field_V_per_m
        Signed magnitude along `direction`; with the hop as direction, a positive field pushes a positive
        ion forwards.
    direction
        Unit vector of the positive sense, shape (3,).
    forward_eV, backward_eV, delta_eV
        Highest point above the start, above the end, and end minus start.
    controlling_image
        Index of the image that is highest in this field; an end if the field removed the barrier.
    controlling_saddle_index
        Number of that image among the saddles at zero field, from 0; None if it is none of them.
    slope_forward_e_A
        -(p_TS - p_IS) along the direction: the derivative of the forward barrier with the field (e Angstrom).
    identity_residual_eV
        forward - backward - delta, zero up to rounding.
    """

    field_V_per_m: float
    direction: list[float]
    forward_eV: float
    backward_eV: float
    delta_eV: float
    controlling_image: int
    slope_forward_e_A: float
    identity_residual_eV: float
    controlling_saddle_index: int | None = None


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


def barrier_in_field(
    energies_eV: ArrayLike, dipoles_e_A: ArrayLike, direction: ArrayLike, magnitude_V_per_A: float
) -> FieldBarrier:
    """Barriers of one profile in a field along a direction.

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

    Returns
    -------
    FieldBarrier

    Raises
    ------
    ValueError
        If the arrays do not fit, or the direction has no length.
    """
    energies, dipoles = np.asarray(energies_eV, dtype=float), np.asarray(dipoles_e_A, dtype=float)
    if dipoles.shape != (len(energies), 3):
        raise ValueError(f"dipoles have shape {dipoles.shape}; {len(energies)} images need ({len(energies)}, 3)")
    unit = np.asarray(direction, dtype=float)
    length = float(np.linalg.norm(unit))
    if length < 1e-12:
        raise ValueError("the field direction has no length; give a vector such as the hop")
    unit = unit / length
    tilted = tilted_energies(energies, dipoles, magnitude_V_per_A * unit)
    top = int(np.argmax(tilted))
    peaks = saddle_images(energies)
    forward = float(tilted[top] - tilted[0])
    backward = float(tilted[top] - tilted[-1])
    delta = float(tilted[-1] - tilted[0])
    return FieldBarrier(
        field_V_per_m=float(magnitude_V_per_A * V_PER_A_TO_V_PER_M),
        direction=[float(x) for x in unit],
        forward_eV=forward,
        backward_eV=backward,
        delta_eV=delta,
        controlling_image=top,
        slope_forward_e_A=float(-(dipoles[top] - dipoles[0]) @ unit),
        identity_residual_eV=forward - backward - delta,
        controlling_saddle_index=peaks.index(top) if top in peaks else None,
    )


def field_barriers(
    energies_eV: ArrayLike, dipoles_e_A: ArrayLike, fields_V_per_A: Sequence[ArrayLike] | FloatArray
) -> list[FieldBarrier]:
    """Barriers of one profile in fields of any direction.

    Parameters
    ----------
    energies_eV, dipoles_e_A
        As in `barrier_in_field`.
    fields_V_per_A
        Field vectors, shape (k, 3), V/Angstrom. A zero vector takes the direction of the first other one.

    Returns
    -------
    list of FieldBarrier
        Each with the direction of its own field and a magnitude that is not negative.

    Raises
    ------
    ValueError
        If the fields have a wrong shape or are all zero.
    """
    fields = np.asarray(fields_V_per_A, dtype=float)
    if fields.ndim != 2 or fields.shape[1] != 3:
        raise ValueError(f"fields have shape {fields.shape}; give vectors, shape (k, 3)")
    sizes = np.linalg.norm(fields, axis=1)
    if not sizes.any():
        raise ValueError("all fields are zero and name no direction; use barrier_in_field with the hop")
    default = fields[int(np.flatnonzero(sizes)[0])]
    return [
        barrier_in_field(energies_eV, dipoles_e_A, field if size else default, float(size))
        for field, size in zip(fields, sizes, strict=True)
    ]
