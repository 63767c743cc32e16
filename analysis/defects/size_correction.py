"""Correction of a vacancy's energy for the cell that neutralises its charge by a smear, with the error that is left.

Rigid ions have no electrons to carry the charge of a missing ion: it is spread over the other cations, or made up for
by a uniform background. Either way the charge meets its images, and the energy reaches its limit as 1/L. The limit is
that of a point charge in the crystal's own permittivity; what discrete carriers and the finite number of them change
falls as 1/V, is screened by nobody knows how much, and is the error.
"""

from __future__ import annotations

from typing import Literal

from ..results.document import Document
from .charge_corrections import dielectric_tensor, point_charge_eV

# Of a uniform background, which has no carriers whose discreteness could be summed.
_BACKGROUND_SHARE = 0.1


class SizeCorrection(Document):
    """To be added to the energy of the defect cell minus that of the host.

    Attributes
    ----------
    charge
        Of the missing ion in the model, e.
    neutralised_by
        ``spread charge`` over the other cations, or ``background``.
    permittivity
        Of the model, shape (3, 3): its ions only.
    energy_eV, error_eV
        The correction, and what is left: the unscreened sums over the carriers beyond the point charge.
    """

    charge: float
    neutralised_by: Literal["spread charge", "background"]
    permittivity: list[list[float]]
    energy_eV: float
    error_eV: float


def size_correction(
    charge: float,
    lattice_A: list[list[float]],
    permittivity: list[list[float]],
    *,
    interaction_eV: float | None = None,
    excess_eV: float = 0.0,
) -> SizeCorrection:
    """Correction of one vacancy in one supercell.

    Parameters
    ----------
    charge
        Of the missing ion in the model, e.
    lattice_A
        Vectors of the supercell, rows.
    permittivity
        See `SizeCorrection`.
    interaction_eV
        Energy of the missing charge with its spread shares and all images, unscreened, negative; None for a uniform
        background.
    excess_eV
        What sharing among this many carriers adds to sharing among infinitely many.

    Raises
    ------
    ValueError
        For an impossible lattice or permittivity.
    """
    tensor = dielectric_tensor(permittivity)
    energy = point_charge_eV(charge, lattice_A, tensor)
    bare = point_charge_eV(charge, lattice_A, 1.0)
    discrete = None if interaction_eV is None else abs(interaction_eV + bare) + abs(excess_eV)
    return SizeCorrection(
        charge=charge,
        neutralised_by="background" if interaction_eV is None else "spread charge",
        permittivity=tensor.tolist(),
        energy_eV=energy,
        error_eV=_BACKGROUND_SHARE * energy if discrete is None else discrete,
    )
