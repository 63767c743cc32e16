"""Which ions of a relaxed defect cell changed their moment, and the valence that suggests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from pymatgen.core import PeriodicSite, Structure

from ...structures.defects.difference import CellDifference, cell_difference
from ...structures.elements import valences_of
from ...structures.spins import high_spin_moment, low_spin_moment
from ..results.calculation import Calculation
from ..results.document import Document

# Moments in a calculation scatter by a tenth of a Bohr magneton; a change of valence moves them by more than this.
CHANGED_muB = 0.3
_SAME_SITE_A = 1.5
# Valence of the anions that take a hole.
_FULL_ANION = -2


class ChangedIon(Document):
    """An ion whose moment is not the host's.

    Attributes
    ----------
    site
        Index in the vacancy's cell.
    element, sublattice
        What it is.
    distance_A
        From the defect.
    moment_host_muB, moment_muB
        In the host's cell and beside the defect.
    suggests
        Valence and spin state whose spin-only moment, scaled as the host's ion is, comes nearest. A
        suggestion: Fe2+ and Fe4+ have one spin-only moment, so valences are only looked for above the host's where
        the formal charges leave electrons missing and below it where they leave some too many.
    """

    site: int
    element: str
    sublattice: str
    distance_A: float
    moment_host_muB: float
    moment_muB: float
    suggests: str


class SiteMoment(Document):
    """One ion of a defect's cell.

    Attributes
    ----------
    distance_A
        From the defect; None where an ion left its own site, so that the defect's is not known.
    moment_muB
        Collinear moment; the length of a vector.
    ion
        Oxidation state: the host's, or what the moment of an ion that changed suggests, as in `ChangedIon`.
    orbital_muB
        Size of the orbital moment; None where the engine gives none.
    """

    element: str
    sublattice: str
    distance_A: float | None
    moment_muB: float
    ion: str = ""
    orbital_muB: float | None = None


def as_found(done: Calculation) -> Structure:
    """The structure of a calculation with the moments that the engine found, where it found any.

    What the structure itself carries is the start: an engine with electrons may end elsewhere.
    """
    if done.site_moments_muB is None:
        return done.structure
    out: Structure = done.structure.copy()
    out.add_site_property("magmom", list(done.site_moments_muB))
    return out


def site_moments(host: Calculation, done: Calculation, charge: int = 0) -> list[SiteMoment]:
    """Every ion of a defect's cell with its moments and oxidation state, nearest to the defect first.

    Parameters
    ----------
    host, done
        Perfect cell, and the one with the defect.
    charge
        Of the cell, e.
    """
    cell = as_found(done)
    suggested: dict[int, str] = {}
    try:
        centre = defect_difference(host.structure, cell).changes[0].position
        distances = cell.lattice.get_all_distances(centre, cell.frac_coords)[0]
        suggested = {ion.site: ion.suggests for ion in changed_ions(as_found(host), cell, charge)}
    except ValueError:
        distances = [None] * len(cell)
    orbital: Sequence[list[float] | None] = done.orbital_moments_muB or [None] * len(cell)
    out = [
        SiteMoment(
            element=site.specie.symbol,
            sublattice=str(site.properties["sublattice"]),
            distance_A=None if away is None else float(away),
            moment_muB=float(np.linalg.norm(m) if np.ndim(m := site.properties["magmom"]) else m),
            ion=suggested.get(n) or ion_text(site.specie.symbol, float(site.properties["valence"])),
            orbital_muB=None if moments is None else float(np.linalg.norm(moments)),
        )
        for n, (site, away, moments) in enumerate(zip(cell, distances, orbital, strict=True))
    ]
    return sorted(out, key=lambda one: one.distance_A or 0.0)


def ion_text(symbol: str, valence: float) -> str:
    """An ion with its charge, e.g. ``Fe3+``, ``O2-``; mean charges keep their fraction."""
    return f"{symbol}{abs(valence):g}{'+' if valence > 0 else '-' if valence < 0 else ''}"


def changed_along(first: Structure, image: Structure, mover: int) -> list[ChangedIon]:
    """Ions of an image of a hop whose moment is not that of the same ion before the hop.

    Parameters
    ----------
    first, image
        The same sites in the same order, with the moments that the engine found as ``magmom``.
    mover
        Ion that moves, from which distances are taken.

    Returns
    -------
    list of ChangedIon
        Nearest to the mover first; empty for non-collinear moments, which have no sign to compare. Nothing says which
        way electrons went, so that all valences are looked at.
    """
    if _has_vectors(first, image):
        return []
    distances = image.lattice.get_all_distances(image[mover].frac_coords, image.frac_coords)[0]
    return _changed(enumerate(zip(first, image, strict=True)), distances, 0)


def defect_difference(host: Structure, defect: Structure) -> CellDifference:
    """`cell_difference` of two cells that are not the same, in which the ions kept their sites.

    Raises
    ------
    ValueError
        If the cells are not one host, hold the same atoms, or an ion moved far.
    """
    difference = cell_difference(host, defect)
    if not difference.changes:
        raise ValueError(f"a defect's cell of {len(defect)} atoms does not belong to a host cell of {len(host)}")
    if difference.largest_A > _SAME_SITE_A:
        raise ValueError(
            f"the defect's cell does not match its host: the farthest ion moved {difference.largest_A:.2f} A"
        )
    return difference


def changed_ions(host: Structure, defect: Structure, charge: int = 0) -> list[ChangedIon]:
    """Ions of a defect's cell whose moment differs from the same ion's in the host.

    Parameters
    ----------
    host
        Supercell without the defect, with the site moments that the engine found (`as_found`).
    defect
        The same cell with the defect, relaxed; moments likewise.
    charge
        Of the cell, e: with the formal valences it says whether ions lack electrons or hold more.

    Returns
    -------
    list of ChangedIon
        Nearest to the defect first; empty for non-collinear moments, which have no sign to compare.

    Raises
    ------
    ValueError
        If the two cells do not match but for the defect.
    """
    difference = defect_difference(host, defect)
    if _has_vectors(host, defect):
        return []
    step = np.sign(electrons_missing(host, difference, charge, defect))
    distances = host.lattice.get_all_distances(difference.changes[0].position, defect.frac_coords)[0]
    pairs = (
        (i, (host[same], site))
        for i, (site, same) in enumerate(zip(defect, difference.same_site, strict=True))
        if same is not None
    )
    return _changed(pairs, distances, int(step))


def _has_vectors(*cells: Structure) -> bool:
    return any(np.ndim(cell.site_properties["magmom"][0]) > 0 for cell in cells)


def _changed(
    pairs: Iterable[tuple[int, tuple[PeriodicSite, PeriodicSite]]], distances_A: Sequence[float], step: int
) -> list[ChangedIon]:
    """Of pairs of one ion before and after, with its index, those whose moment changed; nearest first."""
    out = []
    for i, (one, other) in pairs:
        before, after = float(one.properties["magmom"]), float(other.properties["magmom"])
        if abs(after - before) < CHANGED_muB:
            continue
        out.append(
            ChangedIon(
                site=i,
                element=other.specie.symbol,
                sublattice=str(other.properties["sublattice"]),
                distance_A=float(distances_A[i]),
                moment_host_muB=before,
                moment_muB=after,
                suggests=_suggested(other.specie.symbol, float(one.properties["valence"]), before, after, step),
            )
        )
    return sorted(out, key=lambda ion: ion.distance_A)


def electrons_missing(host: Structure, difference: CellDifference, charge: int, defect: Structure) -> float:
    """Electrons that the ions of a defect's cell lack with their formal valences; negative if they hold more.

    Parameters
    ----------
    host, defect
        Perfect cell, and the one with the defect; the valences of the host count, and those of ions put in.
    difference
        Their difference.
    charge
        Of the defect's cell, e.
    """
    own = [
        float((defect[i] if same is None else host[same]).properties["valence"])
        for i, same in enumerate(difference.same_site)
    ]
    return charge - (sum(own) - float(np.sum(np.asarray(host.site_properties["valence"], dtype=float))))


def compensation_text(ions: list[ChangedIon]) -> str:
    """Changed ions in words, e.g. ``3 Co(B) -> Co3+ low spin``; ``none found`` without any."""
    if not ions:
        return "none found"
    counts: dict[str, int] = {}
    for ion in ions:
        key = f"{ion.element}({ion.sublattice}) -> {ion.suggests}"
        counts[key] = counts.get(key, 0) + 1
    return ", ".join(f"{n} {key}" for key, n in counts.items())


def _suggested(symbol: str, valence: float, before: float, after: float, step: int) -> str:
    if not valences_of(symbol):
        return f"{symbol}-" if valence == _FULL_ANION and step > 0 else "moment without a d shell"
    formal = high_spin_moment(symbol, round(valence))
    scale = abs(before) / formal if formal else 1.0
    states: list[tuple[float, int, str]] = []
    for v in (v for v in valences_of(symbol) if step * (v - round(valence)) >= 0):
        # An ion that changed is not what it was, unless only its spin turned.
        if v != round(valence) or before * after < 0 or not step:
            states.append(
                (abs(scale * high_spin_moment(symbol, v) - abs(after)), abs(v - round(valence)), f"{symbol}{v}+")
            )
        low = low_spin_moment(symbol, v)
        if low != high_spin_moment(symbol, v):
            states.append((abs(scale * low - abs(after)), abs(v - round(valence)), f"{symbol}{v}+ low spin"))
    if not states:
        return f"{symbol}, valence not read"
    best = min(states, key=lambda s: (round(s[0], 2), s[1]))
    flipped = " reversed" if before * after < 0 and abs(after) > CHANGED_muB else ""
    return best[2] + flipped
