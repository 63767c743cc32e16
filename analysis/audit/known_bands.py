"""Hops whose whole path shipped first principles converged: ends relaxed, saddles climbed by the same electrons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..results.calculation import Band
from ..results.document import Document
from ..study.reference_calculations import (
    ReferenceCalculation,
    hubbard_U_eV_of,
    reference_calculations_folder,
    u_in_words,
)
from .evidence import Judgement

COBALT_HOP = "cfo55band"
# Moments of one ion on the way that differ by less belong to one electronic state.
SAME_STATE_muB = 0.3


class KnownBand(Document):
    """A path at one set of U.

    Attributes
    ----------
    hubbard_U_eV
        Of the elements that the cell has.
    forward_eV, back_eV
        From the first and from the last state to the highest saddle.
    same_state
        Whether no ion's moment changes by `SAME_STATE_muB` on the way.
    charge
        Of the cell, e.
    force_calls
        Energy-and-force evaluations, ends included.
    cell_atoms, source
        In the cell, and the file.
    """

    hubbard_U_eV: dict[str, float]
    forward_eV: float
    back_eV: float
    same_state: bool
    charge: float
    force_calls: int
    cell_atoms: int
    source: str

    @property
    def in_words(self) -> str:
        """One clause."""
        barriers = f"{self.forward_eV:.2f} eV in and {self.back_eV:.2f} eV out"
        moved = "" if self.same_state else ", where the moment of an ion changes on the way"
        return f"U = {u_in_words(self.hubbard_U_eV)} eV: {barriers}{moved}"


def known_bands(head: str) -> list[KnownBand]:
    """All whose checks passed, by the name that their files begin with and then by U."""
    found = []
    for path in sorted(reference_calculations_folder().glob(f"{head}-*.json")):
        band = ReferenceCalculation.model_validate_json(path.read_text()).band
        if band is not None and band.converged:
            found.append(_known(band, path.name))
    return sorted(found, key=lambda band: sorted(band.hubbard_U_eV.items()))


def _known(band: Band, file: str) -> KnownBand:
    first = band.images[0].structure
    return KnownBand(
        hubbard_U_eV=hubbard_U_eV_of(band),
        forward_eV=band.forward_eV,
        back_eV=band.backward_eV,
        same_state=largest_change_muB([image.site_moments_muB or [] for image in band.images]) < SAME_STATE_muB,
        charge=float(band.provenance.settings.get("charge", 0.0)),
        force_calls=band.force_calls,
        cell_atoms=len(first),
        source=f"data/gpaw/{file}",
    )


def largest_change_muB(moments_muB: list[list[float]]) -> float:
    """Of the moment of one ion between any two points of a path; infinite where a point has none.

    Parameters
    ----------
    moments_muB
        By point, then by ion.
    """
    if not all(moments_muB):
        return float("inf")
    return float(np.ptp(np.array(moments_muB), axis=0).max())


def beside_cobalt_band(own: Judgement) -> Judgement:
    """C8 with the band of Co into V_Fe(B) that has all its electrons; it decides nothing for the neutral vacancy."""
    bands = known_bands(COBALT_HOP)
    if not bands or own.verdict == "not computed":
        return own
    said = (
        f"gpaw, PBE+U in atomic orbitals (dzp) at Gamma, {bands[0].cell_atoms} atoms with {-bands[0].charge:g} more "
        "electrons, so that V_Fe(B) has no holes of its own (which ions carry the three of a neutral one is not "
        f"settled), its own climbing band with relaxed ends: {'; '.join(band.in_words for band in bands)}; the charged "
        "cell's images are not corrected for, they attract nearly alike all along the path"
    )
    return replace(own, reason=f"{own.reason}. {said}")
