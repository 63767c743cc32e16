"""Which ions of a relaxed vacancy cell changed their moment, and the valence that suggests."""

from __future__ import annotations

import numpy as np
from pymatgen.core import Structure

from ...structures.elements import element
from ...structures.spins import high_spin_moment, low_spin_moment
from ..results.calculation import Calculation
from ..results.document import Document

# Moments in a calculation scatter by a tenth of a Bohr magneton; a change of valence moves them by more than this.
CHANGED_muB = 0.4
_SAME_SITE_A = 1.5


class ChangedIon(Document):
    """An ion whose moment is not the host's.

    Attributes
    ----------
    site
        Index in the vacancy's cell.
    element, sublattice
        What it is.
    distance_A
        From the vacant site.
    moment_host_muB, moment_muB
        In the host's cell and beside the vacancy.
    suggests
        Valence and spin state whose spin-only moment, scaled as the host's ion is, comes nearest. A
        suggestion: Fe2+ and Fe4+ have one spin-only moment, so valences are only looked for above the host's
        beside a missing cation and below it beside a missing anion.
    """

    site: int
    element: str
    sublattice: str
    distance_A: float
    moment_host_muB: float
    moment_muB: float
    suggests: str


class SiteMoment(Document):
    """One ion of a vacancy's cell.

    Attributes
    ----------
    distance_A
        From the vacant site; None where an ion left its own site, so that the vacant one is not known.
    moment_muB
        Collinear moment; the length of a vector.
    """

    element: str
    sublattice: str
    distance_A: float | None
    moment_muB: float


def as_found(done: Calculation) -> Structure:
    """The structure of a calculation with the moments that the engine found, where it found any.

    What the structure itself carries is the start: an engine with electrons may end elsewhere.
    """
    if done.site_moments_muB is None:
        return done.structure
    out: Structure = done.structure.copy()
    out.add_site_property("magmom", list(done.site_moments_muB))
    return out


def site_moments(host: Calculation, done: Calculation) -> list[SiteMoment]:
    """Every ion of a vacancy's cell with its moment, nearest to the vacancy first."""
    cell = as_found(done)
    try:
        vacant = host.structure[_same_sites(host.structure, cell)[1]]
    except ValueError:
        vacant = None
    out = [
        SiteMoment(
            element=site.specie.symbol,
            sublattice=str(site.properties["sublattice"]),
            distance_A=None if vacant is None else float(site.distance(vacant)),
            moment_muB=float(np.linalg.norm(m) if np.ndim(m := site.properties["magmom"]) else m),
        )
        for site in cell
    ]
    return sorted(out, key=lambda one: one.distance_A or 0.0)


def changed_ions(host: Structure, defect: Structure) -> list[ChangedIon]:
    """Ions of a vacancy cell whose moment differs from the same ion's in the host.

    Parameters
    ----------
    host
        Supercell without the vacancy, with the site moments that the engine found (`as_found`).
    defect
        The same cell with one site less, relaxed; moments likewise.

    Returns
    -------
    list of ChangedIon
        Nearest to the vacancy first; empty for non-collinear moments, which have no sign to compare.

    Raises
    ------
    ValueError
        If the two cells do not match but for one site.
    """
    if len(defect) != len(host) - 1:
        raise ValueError(f"a vacancy cell of {len(defect)} atoms does not belong to a host cell of {len(host)}")
    same, vacant = _same_sites(host, defect)
    if np.ndim(host.site_properties["magmom"][0]) or np.ndim(defect.site_properties["magmom"][0]):
        return []
    step = 1 if float(host[vacant].properties["valence"]) > 0 else -1
    out = []
    for i, site in enumerate(defect):
        before = float(host[same[i]].properties["magmom"])
        after = float(site.properties["magmom"])
        if abs(after - before) < CHANGED_muB:
            continue
        valence = float(host[same[i]].properties["valence"])
        out.append(
            ChangedIon(
                site=i,
                element=site.specie.symbol,
                sublattice=str(site.properties["sublattice"]),
                distance_A=float(site.distance(host[vacant])),
                moment_host_muB=before,
                moment_muB=after,
                suggests=_suggested(site.specie.symbol, valence, before, after, step),
            )
        )
    return sorted(out, key=lambda ion: ion.distance_A)


def compensation_text(ions: list[ChangedIon]) -> str:
    """Changed ions in words, e.g. ``3 Co(B) -> Co3+ low spin``; ``none found`` without any."""
    if not ions:
        return "none found"
    counts: dict[str, int] = {}
    for ion in ions:
        key = f"{ion.element}({ion.sublattice}) -> {ion.suggests}"
        counts[key] = counts.get(key, 0) + 1
    return ", ".join(f"{n} {key}" for key, n in counts.items())


def _same_sites(host: Structure, defect: Structure) -> tuple[list[int], int]:
    """Host site of each defect site, and the host site that is vacant."""
    distances = host.lattice.get_all_distances(defect.frac_coords, host.frac_coords)
    symbols = np.array([s.specie.symbol for s in host])
    for i, site in enumerate(defect):
        distances[i, symbols != site.specie.symbol] = np.inf
    same = [int(np.argmin(row)) for row in distances]
    missing = sorted(set(range(len(host))) - set(same))
    far = max(float(distances[i, p]) for i, p in enumerate(same))
    if len(missing) != 1 or far > _SAME_SITE_A:
        raise ValueError(
            f"the vacancy cell does not match its host: {len(missing)} host sites have no ion, the farthest ion moved "
            f"{far:.2f} A"
        )
    return same, missing[0]


def _suggested(symbol: str, valence: float, before: float, after: float, step: int) -> str:
    if not element(symbol).valences:
        return "moment without a d shell"
    formal = high_spin_moment(symbol, round(valence))
    scale = abs(before) / formal if formal else 1.0
    states: list[tuple[float, int, str]] = []
    for v in (v for v in element(symbol).valences if step * (v - round(valence)) >= 0):
        states.append((abs(scale * high_spin_moment(symbol, v) - abs(after)), abs(v - round(valence)), f"{symbol}{v}+"))
        low = low_spin_moment(symbol, v)
        if low != high_spin_moment(symbol, v):
            states.append((abs(scale * low - abs(after)), abs(v - round(valence)), f"{symbol}{v}+ low spin"))
    best = min(states, key=lambda s: (round(s[0], 2), s[1]))
    flipped = " reversed" if before * after < 0 and abs(after) > CHANGED_muB else ""
    return best[2] + flipped
