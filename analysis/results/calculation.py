"""What any engine hands back: calculations, bands and spin-orbit maps as documents."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from .checks import Check as Check
from .checks import InvalidResultError as InvalidResultError
from .checks import invalid_because as invalid_because
from .checks import require_valid as require_valid
from .document import Document, Provenance, StructureField

DipoleSource = Literal["point charges", "Born charges", "Berry phase"]
ImageKind = Literal["end", "image", "saddle", "minimum"]


class Calculation(Document):
    """A static calculation or a relaxation.

    Attributes
    ----------
    name
        Job name, e.g. ``"V_Fe(B) relax"``.
    structure
        Final structure with its site properties.
    energy_eV
        Total energy of the cell.
    max_force_eV_per_A
        Largest force component norm at the end; None where the source of the numbers does not say.
    forces_eV_per_A
        Forces on all sites, shape (n, 3); kept for single points only.
    force_calls
        Energy-and-force evaluations used.
    total_moment_muB
        Of the cell as the engine found it; the sum of the moments that the structure carries where it finds none.
    site_moments_muB
        Moments that the engine found, in its own spheres; None if it has no spins, sizes alone if it knows no sign.
    orbital_moments_muB
        Orbital moments that the engine found with spin-orbit coupling, Cartesian, shape (n, 3); None without it.
    gap_eV
        Smallest gap between filled and empty states; None if the engine has no electrons.
    """

    name: str
    structure: StructureField
    energy_eV: float
    max_force_eV_per_A: float | None
    force_calls: int
    total_moment_muB: float
    site_moments_muB: list[float] | None = None
    orbital_moments_muB: list[list[float]] | None = Field(default=None, repr=False)
    gap_eV: float | None = None
    forces_eV_per_A: list[list[float]] | None = Field(default=None, repr=False)
    checks: list[Check] = Field(default_factory=list)
    provenance: Provenance

    @property
    def converged(self) -> bool:
        """Whether every check that was made passed."""
        return all(c.passed is not False for c in self.checks)


class BandImage(Document):
    """One image of a band.

    Attributes
    ----------
    energy_eV
        Relative to the first image.
    arc_A
        Path length from the first image: norm of the displacement of all ions, Angstrom.
    mover_A
        Distance the mover has travelled, Angstrom.
    dipole_e_A
        p - p(first image), shape (3,), e Angstrom, from the charges named in the band.
    kind
        ``end``, ``image``, ``saddle`` (climbed) or ``minimum`` (relaxed intermediate).
    site_moments_muB
        Moments that the engine found; None if it finds none.
    """

    energy_eV: float
    arc_A: float
    mover_A: float
    dipole_e_A: list[float]
    kind: ImageKind
    structure: StructureField
    site_moments_muB: list[float] | None = Field(default=None, repr=False)


class Band(Document):
    """A minimum energy path, split at its intermediate minima, each saddle climbed.

    Attributes
    ----------
    mover
        Index of the moving ion in every image.
    images
        From the initial to the final state.
    dipole_source
        How the dipoles were had: ``point charges``, ``Born charges`` or ``Berry phase``.
    not_checked
        What nobody looked at.
    notes
        What the driver found on the way, e.g. which trial intermediates are minima.
    end_moments_muB
        Total moments of the first and the last image as the engine found them; None if it finds none.
    """

    mover: int
    images: list[BandImage]
    dipole_source: DipoleSource
    dipole_note: str = ""
    force_calls: int
    checks: list[Check]
    not_checked: list[str]
    notes: list[str] = Field(default_factory=list)
    end_moments_muB: tuple[float, float] | None = None
    provenance: Provenance

    @property
    def converged(self) -> bool:
        """Whether every check that was made passed."""
        return all(c.passed is not False for c in self.checks)

    @property
    def energies_eV(self) -> np.ndarray:
        """Energies of the images relative to the first, shape (n_images,)."""
        return np.array([i.energy_eV for i in self.images])

    @property
    def dipoles_e_A(self) -> np.ndarray:
        """Dipole changes, shape (n_images, 3), e Angstrom."""
        return np.array([i.dipole_e_A for i in self.images])

    @property
    def forward_eV(self) -> float:
        """Highest point above the initial state."""
        return float(np.max(self.energies_eV))

    @property
    def delta_eV(self) -> float:
        """Final minus initial energy."""
        return float(self.energies_eV[-1])

    @property
    def backward_eV(self) -> float:
        """Highest point above the final state."""
        return float(np.max(self.energies_eV) - self.energies_eV[-1])
