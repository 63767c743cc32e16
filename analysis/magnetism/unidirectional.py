"""The unidirectional picture: what a hop writes, an axis or a direction, and relative to what.

With nothing frozen and no magnetic field E(n) = E(-n) exactly, so no E(n) of a single relaxed
structure can prefer a sense. A sense needs a frozen reference p (a pinned sublattice, a hard or
antiferromagnetic phase, an interface). Then

    E = E_even - h p.n + D.(n x p) + n.Gamma.p,    u = h p - p x D - Gamma p,

with u = -(3/4pi) Int E_odd n dOmega in meV. |E_odd| of a global reversal is the error bar of a
calculation, not a result.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from ...structures.units import MEV_TO_J, MU_B_J_PER_T
from ..results.document import Document
from .anisotropy import AnisotropyMap, AnisotropySummary, summarise
from .directions import antipodes, lebedev_weights
from .frozen_reference import FrozenCoupling, FrozenReference
from .harmonics import fit_harmonics, real_harmonics
from .hysteresis import Loop
from .pair_documents import StatePair

FloatArray = NDArray[np.float64]
# |u| over the barrier of reversal from which a uniaxial map has one minimum.
_ONE_SENSE = 2.0


class UnidirectionalState(Document):
    """One state of the moving ion.

    Attributes
    ----------
    u_meV
        Unidirectional vector, shape (3,), meV per cell; `u_norm_meV` is its length.
    u_error_meV
        Standard errors of its components, see `unidirectional_error_meV`; None if the directions are too few.
    odd_max_meV
        Largest |E(n) - E(-n)|/2.
    odd_l3_meV
        Strength of the odd part beyond u.
    verdict, reason
        See `judge`.
    keffer_A2
        Keffer sum at the moving ion, shape (3,), A^2.
    coupling
        With a frozen reference: h, D, Gamma and the two groups.
    u_model_meV
        h p - p x D - Gamma p from these, shape (3,); `u_meV` is read from the map and must agree.
    loop_shift_T, loop
        |u| / moment of the turning group, and its Stoner-Wohlfarth loop along u.
    favoured
        Unit vector n of lowest energy; a sense, so only with a reference.
    temperature_K
        Of the free energy that was judged; 0 for ground states.
    """

    state: str
    u_meV: list[float]
    u_norm_meV: float
    odd_max_meV: float
    odd_l3_meV: float
    easy_axis: list[float]
    hard_axis: list[float]
    hard_minus_easy_meV: float
    verdict: str
    reason: str
    keffer_A2: list[float] | None = None
    coupling: FrozenCoupling | None = None
    u_model_meV: list[float] | None = None
    loop_shift_T: float | None = None
    loop: Loop | None = None
    favoured: list[float] | None = None
    u_error_meV: list[float] | None = None
    temperature_K: float = 0.0


class UnidirectionalResult(Document):
    """What the hop writes.

    Attributes
    ----------
    states
        Pristine, before, after.
    relation
        Operations of the host that exchange the states before and after; ``none`` if there is none.
    relation_deviation_meV
        Largest difference between the map after, carried by that operation, and the map before.
    easy_axis_tilt_deg, hard_axis_tilt_deg
        Angle between the axes before and after, at `temperature_K`.
    easy_axis_tilt_0K_deg, hard_axis_tilt_0K_deg
        The same of ground states; None in older results.
    reference, frozen
        Frozen reference stated by the user in words and in full, or None.
    relation_matrices
        Cartesian matrices of `relation`.
    pair
        What the switch between the two states writes: nothing, an axis, or a direction.
    noise_meV
        Odd part above which a calculation is faulty.
    temperature_K
        Of E(n) before and after the hop: the film's, where E(n) is known there.
    temperature_note
        How E(n) came to that temperature, or why it is that of 0 K.
    verdict, reason
        The sum of it.
    """

    states: list[UnidirectionalState]
    relation: list[str]
    relation_deviation_meV: float | None
    easy_axis_tilt_deg: float
    hard_axis_tilt_deg: float
    reference: str | None
    noise_meV: float
    verdict: str
    reason: str
    assumptions: list[str] = Field(default_factory=list)
    frozen: FrozenReference | None = None
    relation_matrices: list[list[list[float]]] = Field(default_factory=list)
    pair: StatePair | None = None
    temperature_K: float = 0.0
    temperature_note: str = ""
    easy_axis_tilt_0K_deg: float | None = None
    hard_axis_tilt_0K_deg: float | None = None

    @property
    def tilts_in_words(self) -> str:
        """By how much the hop turns both axes, at the film's temperature and at 0 K where they differ."""
        said = (
            f"easy by {self.easy_axis_tilt_deg:.1f} and hard by {self.hard_axis_tilt_deg:.1f} degrees at "
            f"{self.temperature_K:g} K"
        )
        if not self.temperature_K or self.easy_axis_tilt_0K_deg is None or self.hard_axis_tilt_0K_deg is None:
            return said
        return f"{said}; {self.easy_axis_tilt_0K_deg:.1f} and {self.hard_axis_tilt_0K_deg:.1f} at 0 K"


def unidirectional_vector(map_: AnisotropyMap) -> tuple[FloatArray, float]:
    """U in meV, shape (3,), and the strength of the odd part beyond it (l = 3, meV).

    On a Lebedev set the integrals are sums with its weights: u is exact up to one degree below the order,
    the l = 3 part, from order 7 on, up to three degrees below. Other directions are fitted by l = 1 and l = 3,
    which is exact if nothing higher is there. Directions too few for l = 3 give 0 for it.
    """
    _, odd = map_.even_odd()
    rule = lebedev_weights(map_.directions)
    if rule is not None:
        order, weights = rule
        vector = np.asarray(-3 * (weights * odd) @ map_.vectors)
        if order < 7:
            return vector, 0.0
        third = 4 * np.pi * (weights * odd) @ real_harmonics(map_.directions, (3,))
        return vector, float(np.linalg.norm(third))
    fit = fit_harmonics(map_.directions, odd, (1, 3) if len(odd) >= 20 else (1,))
    # Real harmonics of l = 1 are sqrt(3/4pi) (y, z, x).
    y, z, x = fit.coefficients[:3]
    u = -np.sqrt(3 / (4 * np.pi)) * np.array([x, y, z])
    return u, fit.power(3) if 3 in fit.degrees else 0.0


def unidirectional_error_meV(map_: AnisotropyMap) -> FloatArray | None:
    """Standard errors of the components of u in meV, shape (3,), from what l = 1 and l = 3 leave of the odd part.

    E(n) and E(-n) share one odd part, so each pair counts once. None where the pairs leave nothing to judge by.
    The error is one of scatter (another orbital state, noise of the cycle): what all directions share is not in it.
    """
    _, odd = map_.even_odd()
    vectors = map_.vectors
    opposite = antipodes(map_.directions)
    once = np.flatnonzero(np.arange(len(odd)) < opposite)
    degrees = (1, 3) if len(once) > 10 else (1,)
    if len(once) <= sum(2 * d + 1 for d in degrees):
        return None
    try:
        covariance = fit_harmonics(vectors[once], odd[once], degrees).covariance
    except ValueError:
        return None
    y, z, x = np.diag(covariance)[:3]
    return np.asarray(np.sqrt(3 / (4 * np.pi)) * np.sqrt([x, y, z]))


def u_model(h_meV: float, D_meV: ArrayLike, Gamma_meV: ArrayLike, p: ArrayLike) -> FloatArray:
    """Unidirectional vector of the frozen-reference model: h p - p x D - Gamma p.

    Parameters
    ----------
    h_meV
        Heisenberg coupling to the reference.
    D_meV
        Dzyaloshinskii vector, shape (3,).
    Gamma_meV
        Symmetric anisotropic coupling, shape (3, 3).
    p
        Unit vector of the frozen reference, shape (3,).
    """
    reference = np.asarray(p, dtype=float)
    return np.asarray(h_meV * reference - np.cross(reference, np.asarray(D_meV)) - np.asarray(Gamma_meV) @ reference)


def frozen_reference_energy(
    directions: ArrayLike, h_meV: float, D_meV: ArrayLike, Gamma_meV: ArrayLike, p: ArrayLike
) -> FloatArray:
    """Odd energy -h p.n + D.(n x p) + n.Gamma.p in meV, shape (n,)."""
    n, reference = np.asarray(directions, dtype=float), np.asarray(p, dtype=float)
    exchange = -h_meV * (n @ reference)
    chiral = np.cross(n, reference) @ np.asarray(D_meV)
    return np.asarray(exchange + chiral + n @ (np.asarray(Gamma_meV) @ reference))


def keffer_sum(
    site: ArrayLike, neighbours: Sequence[ArrayLike], oxygens: Sequence[ArrayLike], bond_A: float = 2.7
) -> FloatArray:
    """Keffer's sum S = sum_j sum_O r_iO x r_jO over magnetic neighbours and their bridging oxygens.

    The Dzyaloshinskii vector of a superexchange path follows r_iO x r_jO (F. Keffer,
    10.1103/PhysRev.126.896); its strength is not in the geometry.

    Parameters
    ----------
    site
        Position of the ion, shape (3,), Angstrom.
    neighbours
        Positions of the magnetic neighbours.
    oxygens
        Oxygens around; those within `bond_A` of both ions bridge.
    bond_A
        Longest metal-oxygen bond.

    Returns
    -------
    ndarray
        Shape (3,), A^2.
    """
    total = np.zeros(3)
    origin = np.asarray(site, dtype=float)
    for neighbour in neighbours:
        other = np.asarray(neighbour, dtype=float)
        for oxygen in oxygens:
            here, there = np.asarray(oxygen) - origin, np.asarray(oxygen) - other
            if max(np.linalg.norm(here), np.linalg.norm(there)) < bond_A:
                total += np.cross(here, there)
    return total


def axis_angle_deg(first: ArrayLike, second: ArrayLike) -> float:
    """Angle between two axes (n and -n are the same), 0 to 90 degrees."""
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    cosine = abs(float(a @ b)) / float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.degrees(np.arccos(min(cosine, 1.0))))


def relation_deviation_meV(before: AnisotropyMap, after: AnisotropyMap, operation: ArrayLike) -> float:
    """How far the even parts of two maps are from being related by a point operation.

    A magnetisation is axial: it turns by det(R) R, whose sign an even part does not see. What u does under the
    operation is told by `PairRelation.expected_u_meV`.

    Parameters
    ----------
    before, after
        Maps on the same directions; the even part of each is taken relative to its mean.
    operation
        Cartesian rotation part, shape (3, 3).

    Returns
    -------
    float
        max |E_after(det(R) R n) - E_before(n)| of the even parts, meV.
    """
    matrix = np.asarray(operation, dtype=float)
    axial = np.linalg.det(matrix) * matrix
    vectors = before.vectors
    fits = (before.fit(), after.fit())
    here, there = fits[0](vectors), fits[1](vectors @ axial.T)
    return float(np.abs((there - there.mean()) - (here - here.mean())).max())


def judge(summary: AnisotropySummary, u_norm_meV: float, noise_meV: float, reference: str | None) -> tuple[str, str]:
    """Verdict on one state and its reason.

    Parameters
    ----------
    summary
        Of the state's map.
    u_norm_meV
        Length of u.
    noise_meV
        Odd part that the calculation may have.
    reference
        What is frozen while the rest turns, or None.

    Returns
    -------
    tuple of str
        ``uniaxial``, ``multiaxial``, ``unidirectional (pinned reference: ...)``, ``biased (pinned reference: ...)`` or
        ``spurious odd part``, and why. The two in the middle are never given without a reference: ``biased`` as long as
        both senses of the easy axis stay minima, |u| below twice the barrier between them.
    """
    if reference is None and summary.odd_max_meV > noise_meV:
        return "spurious odd part", (
            f"|E(n) - E(-n)|/2 reaches {summary.odd_max_meV:.3g} meV with nothing frozen "
            f"(allowed {noise_meV:.3g} meV): the calculation found another electronic state, k-set or noise"
        )
    if reference is not None and u_norm_meV > noise_meV:
        return _of_reference(summary, u_norm_meV, reference)
    if summary.odd_max_meV > noise_meV:
        return "spurious odd part", (
            f"|E(n) - E(-n)|/2 reaches {summary.odd_max_meV:.3g} meV but |u| is only {u_norm_meV:.3g} meV "
            f"(allowed {noise_meV:.3g} meV): a reference that couples bilinearly leaves no such part"
        )
    if summary.hard_minus_easy_meV < summary.tolerance_meV and summary.easy_axes_count > 1:
        return "multiaxial", (
            f"the map is flat within {summary.tolerance_meV:.3g} meV: no axis is preferred, and no sense of any"
        )
    if summary.easy_plane_normal is not None:
        return "multiaxial", "all axes of one plane share the lowest energy; both senses of each are equal"
    if summary.easy_axes_count == 1:
        return "uniaxial", "one easy axis; both senses along it have the same energy by time reversal"
    return (
        "multiaxial",
        f"{summary.easy_axes_count} easy axes share the lowest energy; both senses of each are equal",
    )


def _of_reference(summary: AnisotropySummary, u_norm_meV: float, reference: str) -> tuple[str, str]:
    """Whether u leaves one sense or two: E = K sin^2 - u cos of a uniaxial map loses its second minimum at u = 2K."""
    barrier = summary.reversal_barrier_meV
    said = f"|u| = {u_norm_meV:.3g} meV reverses with the reference"
    if barrier is None:
        return f"unidirectional (pinned reference: {reference})", said
    if u_norm_meV >= _ONE_SENSE * barrier:
        return (
            f"unidirectional (pinned reference: {reference})",
            f"{said} and exceeds {_ONE_SENSE:g} times the barrier of reversal, {barrier:.3g} meV: one sense is left",
        )
    return (
        f"biased (pinned reference: {reference})",
        f"{said} and is {u_norm_meV / barrier:.2g} of the barrier of reversal, {barrier:.3g} meV: both senses of the "
        "easy axis stay minima, one lower by 2|u| at most; the loop is shifted",
    )


def state_of(
    map_: AnisotropyMap,
    noise_meV: float,
    reference: str | None = None,
    *,
    summary: AnisotropySummary | None = None,
    keffer_A2: Sequence[float] | None = None,
) -> UnidirectionalState:
    """Judge one map; `summary` saves making it again."""
    summary = summary or summarise(map_)
    u, l3 = unidirectional_vector(map_)
    error = unidirectional_error_meV(map_)
    verdict, reason = judge(summary, float(np.linalg.norm(u)), noise_meV, reference)
    return UnidirectionalState(
        state=map_.state,
        u_meV=[float(x) for x in u],
        u_norm_meV=float(np.linalg.norm(u)),
        odd_max_meV=summary.odd_max_meV,
        odd_l3_meV=l3,
        easy_axis=summary.easy_axis,
        hard_axis=summary.hard_axis,
        hard_minus_easy_meV=summary.hard_minus_easy_meV,
        verdict=verdict,
        reason=reason,
        keffer_A2=None if keffer_A2 is None else list(keffer_A2),
        temperature_K=map_.temperature_K,
        u_error_meV=None if error is None else [float(x) for x in error],
    )


def exchange_bias_T(u_meV: float, moment_muB: float) -> float:
    """Meiklejohn-Bean loop shift mu0 H = |u| / moment of the group that turns, in tesla.

    W. H. Meiklejohn and C. P. Bean, 10.1103/PhysRev.102.1413.

    Raises
    ------
    ValueError
        If the moment is zero.
    """
    if moment_muB == 0:
        raise ValueError("the group that turns has no moment: a field cannot shift its loop")
    return abs(u_meV) * MEV_TO_J / (abs(moment_muB) * MU_B_J_PER_T)
