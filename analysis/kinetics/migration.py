"""A migration as a person reads it: barriers both ways, the saddles, and what a field does to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from ..magnetism.oxidation_states import ChangedIon, changed_along, compensation_text
from ..results.calculation import Band, BandImage, DipoleSource, ImageKind
from ..results.checks import Check, held, invalid_because
from ..results.document import Document, Provenance
from .field_treatments import FieldStudy
from .profiles import PATH, FieldPoint, barrier_in_field

if TYPE_CHECKING:
    import pandas as pd


class ProfilePoint(Document):
    """One image of a band without its structure; energies relative to the initial state.

    Attributes
    ----------
    dipole_e_A, dipole_along_hop_e_A
        Dipole, shape (3,), and its part along the hop, e Angstrom; results of versions 1 and 2 kept the part only.
    total_moment_muB
        Sum of the moments that the engine found at the ions; None if it finds none.
    changed_ions
        Ions whose moment is not that of the first image: where electrons went on the way.
    """

    arc_A: float
    mover_A: float
    energy_eV: float
    kind: ImageKind
    dipole_along_hop_e_A: float
    dipole_e_A: list[float] | None = None
    total_moment_muB: float | None = None
    changed_ions: list[ChangedIon] = Field(default_factory=list)


class Migration(Document):
    """Result of one hop.

    Attributes
    ----------
    label
        E.g. ``"Co(B) -> V_Fe(B)"``.
    ion, host_site, vacancy
        Mover, its sublattice, and the vacancy it enters.
    distance_A, displacement_A
        Unrelaxed hop length and vector (final minus initial).
    multiplicity
        Equivalent hops into the same vacancy.
    cell_atoms
        Atoms in the band's cell.
    forward_eV, backward_eV, delta_eV
        Controlling barriers both ways and the reaction energy at zero field.
    intermediates
        Minima between the ends.
    images
        The whole profile.
    field
        Barriers under a field along the hop; treatment ``work along the zero-field path``.
    field_treatment
        How the field was included.
    dipole_source
        Where the dipoles come from, as in `Band`.
    field_studies
        The hop in every direction of the field that was asked for, in all treatments, with rates and residuals.
    relation
        Host operations that exchange the states before and after; ``none`` if there is none.
    band_file
        extxyz file with all images.
    end_moments_muB
        Total moments of the relaxed ends, where the engine found both.
    start_A
        Where the ion starts, unrelaxed, in a cell with the origin of the ordered one, Cartesian, shape (3,); of the
        hops of a `HopSet`.
    pushed_A
        Site of the ion of the host that is pushed on, as `start_A`; None for a hop of one ion.
    """

    label: str
    ion: str
    host_site: str
    vacancy: str
    distance_A: float
    displacement_A: list[float]
    multiplicity: int
    cell_atoms: int
    forward_eV: float
    backward_eV: float
    delta_eV: float
    intermediates: list[ProfilePoint]
    images: list[ProfilePoint]
    checks: list[Check]
    not_checked: list[str]
    notes: list[str] = Field(default_factory=list)
    converged: bool
    field: list[FieldPoint]
    field_treatment: str
    dipole_source: DipoleSource | None = None
    field_studies: list[FieldStudy] = Field(default_factory=list)
    relation: list[str]
    force_calls: int
    band_file: str | None = None
    start_A: list[float] | None = None
    pushed_A: list[float] | None = None
    end_moments_muB: tuple[float, float] | None = None
    provenance: Provenance = Field(repr=False)

    @property
    def why_no_result(self) -> list[str]:
        """Checks without which the barriers are no result, in words; empty for a sound band."""
        return invalid_because(self.checks)

    @property
    def why_not_two_states(self) -> list[str]:
        """Of these the ones that concern the states before and after the hop, whose relaxation is judged by itself."""
        return invalid_because(c for c in self.checks if c.of_ends)

    def to_dataframe(self) -> pd.DataFrame:
        """One row per image: arc_A, mover_A, energy_eV, kind, dipole_along_hop_e_A, moment, ions_that_changed."""
        import pandas as pd

        hidden = {"dipole_e_A", "changed_ions"}
        return pd.DataFrame(
            [p.model_dump(exclude=hidden) | {"ions_that_changed": electrons_text(p)} for p in self.images]
        )


def electrons_text(point: ProfilePoint) -> str:
    """Ions of an image that changed on the way, in words; empty where the engine finds no moments."""
    return "" if point.total_moment_muB is None else compensation_text(point.changed_ions)


def migration_from_band(
    band: Band,
    *,
    label: str,
    ion: str,
    host_site: str,
    vacancy: str,
    displacement_A: Sequence[float],
    multiplicity: int,
    relation: Sequence[str],
    fields_V_per_A: Sequence[float],
) -> Migration:
    """Read a band as a migration and add the field along the hop.

    Parameters
    ----------
    band
        Converged band with dipoles.
    label, ion, host_site, vacancy, multiplicity, relation
        As in `Migration`.
    displacement_A
        Hop vector, shape (3,), Angstrom.
    fields_V_per_A
        Signed magnitudes along the hop; positive pushes a positive ion forwards.

    Returns
    -------
    Migration
        The work of the field is -F.[p(s) - p(0)] along the zero-field path: the ions do not
        relax further in the field.
    """
    hop = np.asarray(displacement_A, dtype=float)
    unit = hop / np.linalg.norm(hop)
    barriers = [barrier_in_field(band.energies_eV, band.dipoles_e_A, unit, f) for f in fields_V_per_A]
    points = [
        ProfilePoint(
            arc_A=i.arc_A,
            mover_A=i.mover_A,
            energy_eV=i.energy_eV,
            kind=i.kind,
            dipole_along_hop_e_A=float(np.dot(i.dipole_e_A, unit)),
            dipole_e_A=[float(x) for x in i.dipole_e_A],
            **_electrons(i, band),
        )
        for i in band.images
    ]
    checks = list(band.checks)
    if relation:
        checks.append(_equal_ends(band.delta_eV, relation))
    return Migration(
        label=label,
        ion=ion,
        host_site=host_site,
        vacancy=vacancy,
        distance_A=float(np.linalg.norm(hop)),
        displacement_A=[float(x) for x in hop],
        multiplicity=multiplicity,
        cell_atoms=len(band.images[0].structure),
        forward_eV=band.forward_eV,
        backward_eV=band.backward_eV,
        delta_eV=band.delta_eV,
        intermediates=[p for p in points if p.kind == "minimum"],
        images=points,
        checks=checks,
        not_checked=band.not_checked,
        notes=band.notes,
        converged=all(c.passed is not False for c in checks),
        field=barriers,
        field_treatment=f"{PATH} ({band.dipole_source})",
        dipole_source=band.dipole_source,
        relation=list(relation) or ["none"],
        end_moments_muB=band.end_moments_muB,
        force_calls=band.force_calls,
        provenance=band.provenance,
    )


def _electrons(image: BandImage, band: Band) -> dict[str, Any]:
    """Moment of an image and the ions that changed since the first one, where the engine found both."""
    if image.site_moments_muB is None:
        return {}
    total = float(np.sum(image.site_moments_muB))
    first = band.images[0]
    if first.site_moments_muB is None:
        return {"total_moment_muB": total}
    cells = []
    for one in (first, image):
        cell = one.structure.copy()
        cell.add_site_property("magmom", list(one.site_moments_muB or []))
        cells.append(cell)
    return {"total_moment_muB": total, "changed_ions": changed_along(cells[0], cells[1], band.mover)}


def _equal_ends(delta_eV: float, relation: Sequence[str], limit_eV: float = 0.005) -> Check:
    """States that an operation of the host exchanges have one energy; a band that says otherwise is wrong."""
    return held(f"ends exchanged by the host's {' or '.join(relation)} are equal", abs(delta_eV), limit_eV, unit="eV")
