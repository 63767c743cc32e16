"""What an inserted ion does in a host: where it may sit, and its hops, alone or with an ion of the host."""

from __future__ import annotations

from dataclasses import dataclass, field

from pymatgen.core import Species, Structure

from ..checks.geometry import StructureError
from .hops import Hop
from .hydrogen import HOP_A, KIND, hydrogen_sites
from .interstitial_hops import interstitial_hops, interstitial_labels
from .interstitialcy import interstitialcy_hops
from .interstitials import InterstitialSite, distinct_interstitial_sites

# Octahedra that share an edge are a sqrt(2)/4 apart in a spinel: 2.9 to 3.0 A.
CUTOFF_A = 3.1
# A hydrogen that turns about its anion passes it at 0.69 A where the two directions are at a right angle.
_HYDROGEN_CLEARANCE_A = 0.6


@dataclass
class Insertion:
    """Places and hops of an inserted ion.

    Attributes
    ----------
    sites, names
        Every kind of place, and what it is called.
    hops
        Between the places that have room, those in which an ion of the host is pushed on behind the others.
    not_possible
        Reasons of hops that there are not.
    """

    sites: list[InterstitialSite]
    names: list[str]
    hops: list[Hop] = field(default_factory=list)
    not_possible: list[str] = field(default_factory=list)


def ion_from(text: str) -> tuple[str, float]:
    """An ion with its charge, such as ``Co2+``.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        species = Species.from_str(str(text).strip())
    except ValueError:
        species = None
    if species is None or not species.oxi_state:
        raise ValueError(f"{text!r} is no ion to insert; write its charge, e.g. Li+ or Mg2+")
    return str(species.symbol), float(species.oxi_state)


def insertion_sites(structure: Structure, ion: str, valence: float) -> list[InterstitialSite]:
    """Distinct places of an inserted ion.

    Parameters
    ----------
    structure
        Cell with the site property ``valence``.
    ion, valence
        Hydrogen sits at an anion and points to a neighbour of it (`hydrogen.hydrogen_sites`), any other cation in
        empty polyhedra of the anions, an anion in those of the cations.

    Raises
    ------
    ValueError
        If the cell has no ions of the other sign.
    """
    if ion == "H" and valence > 0:
        return hydrogen_sites(structure)
    corners = {s.specie.symbol for s in structure if s.properties["valence"] * valence < 0}
    if not corners:
        sign = "anions" if valence > 0 else "cations"
        raise ValueError(f"the cell has no {sign} between which {ion} could sit")
    return distinct_interstitial_sites(structure, corners)


def insertion_of(structure: Structure, ion: str, valence: float, cutoff_A: float = CUTOFF_A) -> Insertion:
    """Places of an inserted ion in a supercell, and its symmetry-distinct hops.

    Parameters
    ----------
    structure
        Cell without the ion, large enough for its hops.
    ion, valence
        What is inserted.
    cutoff_A
        Longest hop from place to place, in Angstrom; of hydrogen from one neighbour of its anion to the next, or over.

    Raises
    ------
    ValueError
        If the cell has no ions of the other sign.
    """
    sites = insertion_sites(structure, ion, valence)
    out = Insertion(sites, interstitial_labels(structure, sites))
    roomy = _roomy(structure, out)
    hydrogen = bool(sites) and sites[0].kind == KIND
    if hydrogen:
        anions = {s.specie.symbol for s in structure if s.properties["valence"] < 0}
        cutoff_A = max(HOP_A[a] for a in anions & set(HOP_A))
    try:
        if hydrogen:
            out.hops += interstitial_hops(structure, roomy, ion, valence, cutoff_A, clearance_A=_HYDROGEN_CLEARANCE_A)
        else:
            out.hops += interstitial_hops(structure, roomy, ion, valence, cutoff_A)
    except StructureError as error:
        out.not_possible.append(f"{ion} between interstitial sites: {error}")
    try:
        out.hops += [] if hydrogen else interstitialcy_hops(structure, roomy, ion, valence)
    except StructureError as error:
        out.not_possible.append(f"{ion} that pushes an ion of the host: {error}")
    return out


def _roomy(structure: Structure, insertion: Insertion) -> list[InterstitialSite]:
    """Places that an ion rests in; the others lie between them, and hops pass them as intermediates."""
    spinel = {"A", "B"} <= set(structure.site_properties["sublattice"])
    roomy = [
        v
        for v, name in zip(insertion.sites, insertion.names, strict=True)
        if v.kind in ("octahedron", KIND) or (spinel and name.startswith("i(8b"))
    ]
    # Rock salt has no empty octahedra: its tetrahedra are all there is.
    return roomy or insertion.sites
