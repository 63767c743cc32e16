"""Guards of any engine: a failed one makes a result unusable.

Its `Check` has ``invalidates`` set and no later step accepts the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...analysis.magnetism.anisotropy import ODD_PART
from ...analysis.magnetism.directions import antipodes
from ...analysis.magnetism.hole_field import METHOD as HOLES
from ...analysis.magnetism.hole_field import QUENCHED_BELOW_muB
from ...analysis.results.calculation import Check
from ...analysis.results.checks import held
from .t2g_orbitals import OPEN_SHELLS

if TYPE_CHECKING:
    from pymatgen.core import Structure

# A moment that falls under this share of its start value is another spin state, not screening by the lattice.
KEPT_SHARE = 0.5
# Ions with smaller start moments carry no spin of their own.
SPIN_MOMENT_muB = 0.6
# Ions whose state with one electron less has a closed shell in an octahedron: Co2+ becomes low-spin Co3+.
CLOSED_SHELL = ("Co",)
CLOSED_MOMENT_muB = 0.4
# Spin-orbit energies are read to about 1e-8 eV; a map is never quieter than this.
NOISE_FLOOR_meV = 1e-3
ODD_SHARE = 0.05
SMALLEST_GAP_eV = 0.05
_FIRST_3D, _LAST_3D, _ARGON = 21, 30, 18
_OCTAHEDRON = 6
_REACH_A, _LONGEST_BOND = 3.6, 1.3


def guard(
    name: str, passed: bool, note: str, value: float | None = None, limit: float | None = None, unit: str = ""
) -> Check:
    """A check whose failure makes the result unusable."""
    return Check(name=name, passed=passed, value=value, limit=limit, unit=unit, note="" if passed else note)


def moments_kept(
    start: Sequence[float],
    moments: Sequence[float] | None,
    *,
    elements: Sequence[str] | None = None,
    holes: float = 0.0,
    closed_muB: float = CLOSED_MOMENT_muB,
) -> Check:
    """Whether every spin kept its sense and at least half of its size.

    Parameters
    ----------
    start, found
        Moments before and after, muB, in the same order; `found` None if the engine gave none.
    elements
        Symbols of the sites; needed to tell a closed shell from a lost moment.
    holes
        How many electrons the formal charges lack, see `holes_of`: so many ions of `CLOSED_SHELL` may have taken up a
        hole and ended without a moment (Co3+, t2g6). One more is a lost state.
    closed_muB
        Below this a moment is that of a closed shell; larger for an engine whose closed shells keep some.
    """
    if moments is None or len(moments) != len(start):
        return guard("moments kept", False, "the output holds no site moments: they are lost")
    before, after = np.asarray(start, dtype=float), np.asarray(moments, dtype=float)
    spins = np.abs(before) > SPIN_MOMENT_muB
    closed = np.zeros(len(before), dtype=bool)
    if elements is not None:
        closed = spins & np.isin(list(elements), CLOSED_SHELL) & (np.abs(after) < closed_muB)
        if closed.sum() > holes + 1e-6:
            closed[:] = False
    spins &= ~closed
    turned = ", ".join(str(i) for i in np.flatnonzero(closed))
    said = f"site(s) {turned} took up a hole and have a closed shell now" if turned else ""
    if not spins.any():
        return Check(name="moments kept", passed=True, note=said)
    share = after[spins] / before[spins]
    worst = int(np.flatnonzero(spins)[int(np.argmin(share))])
    lost = f"site {worst} went from {before[worst]:+.2f} to {after[worst]:+.2f} muB: another magnetic state"
    smallest = float(share.min())
    same_order = bool(smallest >= KEPT_SHARE)
    return Check(
        name="moments kept",
        passed=same_order,
        value=smallest,
        limit=KEPT_SHARE,
        must_be="above",
        note=said if same_order else lost,
    )


def holes_of(structure: Structure) -> float:
    """Electrons that a cell lacks for its formal charges: 3 for a neutral cell without one Fe3+; 0 if unknown.

    Parameters
    ----------
    structure
        With the site property ``valence`` (e); its charge is taken off.
    """
    valence = structure.site_properties.get("valence")
    if valence is None or any(v is None for v in valence):
        return 0.0
    return max(0.0, float(structure._charge or 0.0) - float(np.sum(np.asarray(valence, dtype=float))))


def no_spin_flip(first: Sequence[float], last: Sequence[float]) -> Check:
    """Whether the two ends of a band are in one magnetic state, site by site."""
    a, b = np.asarray(first, dtype=float), np.asarray(last, dtype=float)
    spins = (np.abs(a) > SPIN_MOMENT_muB) | (np.abs(b) > SPIN_MOMENT_muB)
    flipped = np.flatnonzero(spins & (np.sign(a) != np.sign(b)))
    note = f"site(s) {flipped.tolist()} change the sense of their spin: interpolated moments would pass through zero"
    return guard("no spin flip between the ends", flipped.size == 0, note).model_copy(update={"of_ends": True})


def odd_part_is_noise(
    directions: Sequence[Sequence[float]], energies_meV: NDArray[np.float64], limit_meV: float | None
) -> Check:
    """Time reversal: E(n) = E(-n). A larger odd part is another orbital state, another k set or SCF noise."""
    opposite = antipodes(directions)
    odd = float(np.max(np.abs(energies_meV - energies_meV[opposite])) / 2)
    limit = max(NOISE_FLOOR_meV, ODD_SHARE * float(np.ptp(energies_meV))) if limit_meV is None else limit_meV
    note = (
        f"|E(n) - E(-n)|/2 reaches {odd:.3g} meV: the two runs found different electronic states, or did not converge"
    )
    return guard(ODD_PART, odd <= limit, note, odd, limit, "meV")


def open_t2g_shells(structure: Structure) -> dict[int, int]:
    """3d ions in an octahedron of anions whose t2g shell is neither empty, half full nor full at high spin.

    Returns
    -------
    dict
        Number of d electrons by site.
    """
    out = {}
    for index, site in enumerate(structure):
        valence = site.properties.get("valence")
        if valence is None or not _FIRST_3D <= site.specie.Z <= _LAST_3D:
            continue
        electrons = round(site.specie.Z - _ARGON - float(valence))
        if electrons not in OPEN_SHELLS:
            continue
        near = [n for n in structure.get_neighbors(site, _REACH_A) if float(n.properties.get("valence") or 0) < 0]
        bond = _LONGEST_BOND * min((n.nn_distance for n in near), default=0.0)
        if sum(n.nn_distance <= bond for n in near) == _OCTAHEDRON:
            out[index] = electrons
    return out


def orbital_moment_of_open_shells(
    structure: Structure, orbital_muB: ArrayLike | None, *, method: str = ""
) -> list[Check]:
    """Whether ions with an open t2g shell carry the orbital moment without which E(n) is of second order only.

    A state with its orbital moment quenched has no cubic anisotropy: K1 falls with the cube of the splitting that
    quenches it. The number stands, as what it is, so that the check does not invalidate it.

    Parameters
    ----------
    structure
        With the site property ``valence``.
    orbital_muB
        Of each site along each direction, shape (n, n_sites), in spheres; None where the engine gives none.
    method
        How E(n) was had; the crystal field of the hole is of first order by itself.

    Returns
    -------
    list of Check
        One, or none where no ion has such a shell.
    """
    sites = list(open_t2g_shells(structure))
    if not sites or method == HOLES:
        return []
    name = "orbital moment of open t2g shells"
    which = f"{len(sites)} ions, {'/'.join(sorted({structure[i].specie.symbol for i in sites}))}"
    if orbital_muB is None:
        return [Check(name=name, passed=None, note=f"not known of {which}", invalidates=False)]
    least = float(np.abs(np.asarray(orbital_muB, dtype=float))[:, sites].max(axis=0).min())
    note = f"second order only ({which}): no K1 of this state; take the crystal field of the hole"
    return [
        held(name, least, QUENCHED_BELOW_muB, must_be="above", unit="muB", invalidates=False).model_copy(
            update={"note": "" if least >= QUENCHED_BELOW_muB else note}
        )
    ]


def insulator(gap_eV: float | None) -> Check:
    """Whether there is a gap: a metal has no polarisation and holds no field."""
    note = f"the gap is {gap_eV} eV: no polarisation is defined and no field can be held"
    passed = gap_eV is not None and gap_eV > SMALLEST_GAP_eV
    return guard("insulator", passed, note, gap_eV, SMALLEST_GAP_eV, "eV")
