"""Checks of a finished path that can fail, and those on request that cost force calls of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline

from ...analysis.results.checks import Check, held

FloatArray = NDArray[np.float64]

INTERPOLATED_TOP_eV = 0.02
"""A higher top between the images than this is a saddle that the climb has missed."""
PROBE_A, WIDE_PROBE_A = 0.05, 0.15
"""How far from a saddle along the path its curvature is probed, and how far where the forces ripple there."""
RIPPLE_eV = 0.005
"""A dip of the top less deep than this, and narrower than the wide probe, is a ripple of the forces."""
FLAT_eV_per_A2 = 0.02
"""Curvatures nearer to zero than this are not told from zero (finite differences, ASR of the cell)."""


@dataclass
class PathPoint:
    """One configuration of the finished path; energies in eV, forces in eV/A."""

    atoms: Atoms
    energy: float
    forces: FloatArray
    kind: str


@dataclass(frozen=True)
class Probe:
    """What an engine says at a distance from a saddle along the path: A, eV, eV/A."""

    offset_A: float
    energy_eV: float
    slope_eV_per_A: float


def curvature_at_top(
    top: Probe, near: Sequence[Probe], farther: Callable[[], Sequence[Probe]], how: str
) -> tuple[float, str]:
    """Curvature along the path at a saddle, eV/A^2, and how it was found.

    Parameters
    ----------
    top
        The saddle.
    near
        The two points whose difference it is.
    farther
        Makes one behind and one ahead, `WIDE_PROBE_A` away; asked where the near ones give no maximum. Forces in single
        precision ripple by 0.01 eV/A, which over 0.05 A is more than a flat top bends. They decide if both lie below
        the saddle and the spline through all rises above it by less than `RIPPLE_eV`.
    how
        Name of the first way.
    """
    close = _bend(near)
    if close < 0:
        return close, how
    behind, ahead = farther()
    along = sorted({behind, *near, top, ahead}, key=lambda probe: probe.offset_A)
    spline = CubicHermiteSpline(
        [p.offset_A for p in along], [p.energy_eV for p in along], [p.slope_eV_per_A for p in along]
    )
    rise = float(np.max(spline(np.linspace(behind.offset_A, ahead.offset_A, 61)))) - top.energy_eV
    if max(behind.energy_eV, ahead.energy_eV) >= top.energy_eV or rise >= RIPPLE_eV:
        return close, how
    note = f"over {WIDE_PROBE_A} A either side; {close:+.2g} over {PROBE_A} A, where the forces ripple"
    return _bend((behind, ahead)), note


def _bend(pair: Sequence[Probe]) -> float:
    first, last = pair
    return (last.slope_eV_per_A - first.slope_eV_per_A) / (last.offset_A - first.offset_A)


@dataclass(frozen=True)
class Station:
    """A saddle or a minimum of a path.

    Attributes
    ----------
    kind
        ``saddle`` or ``minimum``.
    arc_A
        Path length from the initial state, all ions, in Angstrom.
    energy_eV
        Above the initial state.
    """

    kind: str
    arc_A: float
    energy_eV: float


@dataclass
class BandResult:
    """A finished path with its checks.

    Attributes
    ----------
    points
        From the initial to the final state.
    checks, not_checked
        What was held against a limit, and what nobody looked at.
    force_calls
        Energy-and-force evaluations of the engine in this run, ends and checks included.
    notes
        What the driver found on the way.
    cheap_calls
        Evaluations of the cheaper engine, if there was one.
    """

    points: list[PathPoint]
    checks: list[Check]
    not_checked: list[str]
    force_calls: int
    notes: list[str] = field(default_factory=list)
    cheap_calls: int = 0

    @property
    def arcs_A(self) -> FloatArray:
        """Path length of every point from the first, shape (n,), Angstrom."""
        return arcs(self.points)

    @property
    def stations(self) -> list[Station]:
        """Every saddle and minimum between the ends, in order."""
        base = self.points[0].energy
        return [
            Station(p.kind, float(s), p.energy - base)
            for p, s in zip(self.points, self.arcs_A, strict=True)
            if p.kind in ("saddle", "minimum")
        ]

    @property
    def controlling(self) -> int:
        """Index of the highest point, which makes both barriers."""
        return int(np.argmax([p.energy for p in self.points]))

    @property
    def forward_eV(self) -> float:
        """Highest point above the initial state."""
        return self.points[self.controlling].energy - self.points[0].energy

    @property
    def backward_eV(self) -> float:
        """Highest point above the final state."""
        return self.points[self.controlling].energy - self.points[-1].energy


def arcs(points: Sequence[PathPoint]) -> FloatArray:
    """Path length of every point from the first, all ions, in Angstrom, shape (n,)."""
    steps = [float(np.linalg.norm(b.atoms.positions - a.atoms.positions)) for a, b in pairwise(points)]
    return np.asarray(np.r_[0.0, np.cumsum(steps)])


def no_turning_back(points: Sequence[PathPoint]) -> Check:
    """Whether the path goes on at every point but its minima: elsewhere a kink beyond a right angle is no path."""
    steps = [b.atoms.positions - a.atoms.positions for a, b in pairwise(points)]
    lengths = [max(float(np.linalg.norm(s)), 1e-12) for s in steps]
    turns = [float(np.sum(a * b)) / (m * n) for (a, b), (m, n) in zip(pairwise(steps), pairwise(lengths), strict=True)]
    least = min((t for t, p in zip(turns, points[1:-1], strict=True) if p.kind != "minimum"), default=1.0)
    return held(
        "path goes on at every image",
        least,
        0.0,
        must_be="above",
        strictly=True,
        note="smallest cosine between steps, all ions",
    )


def climbed_is_the_top(points: Sequence[PathPoint], top: int, name: str) -> Check:
    """Whether the curve through a saddle and its two neighbours, energies and forces, has no higher top.

    Towards a higher saddle with no minimum before it the path only rises: there the lower one is a shoulder, and no
    point of the curve may lie above the neighbour.
    """
    three = [points[top + n] for n in (-1, 0, 1)]
    where = arcs(three)
    across = three[2].atoms.positions - three[0].atoms.positions
    tangents = [
        three[1].atoms.positions - three[0].atoms.positions,
        across,
        three[2].atoms.positions - three[1].atoms.positions,
    ]
    slopes = [
        -float(np.sum(p.forces * t)) / max(float(np.linalg.norm(t)), 1e-12)
        for p, t in zip(three, tangents, strict=True)
    ]
    curve = CubicHermiteSpline(where, [p.energy for p in three], slopes)
    above = [
        float(curve(np.linspace(where[1], where[1 + way], 51)).max())
        - three[1 + way if _rises_to_a_saddle(points, top, way) else 1].energy
        for way in (-1, 1)
    ]
    excess = max(above)
    return held(f"interpolated top above the climbed one at {name}", excess, INTERPOLATED_TOP_eV, unit="eV")


def _rises_to_a_saddle(points: Sequence[PathPoint], top: int, way: int) -> bool:
    """Whether the path goes up, point by point, from a saddle to the next one in one direction, -1 or 1."""
    beside = points[top + way :: way] if way > 0 else points[top - 1 :: -1]
    up = [points[top]]
    for point in beside:
        if point.energy <= up[-1].energy:
            return False
        up.append(point)
        if point.kind == "saddle":
            return True
    return False


def path_checks(points: Sequence[PathPoint]) -> list[Check]:
    """`no_turning_back`, and `climbed_is_the_top` of every saddle."""
    saddles = [i for i, p in enumerate(points) if p.kind == "saddle"]
    tops = [climbed_is_the_top(points, i, f"segment {n}") for n, i in enumerate(saddles, start=1)]
    return [no_turning_back(points), *tops]


def imaginary_modes(
    saddle: Atoms,
    make: Callable[[], Calculator],
    near: int | None = None,
    radius_A: float | None = None,
    step_A: float = 0.01,
) -> tuple[int, FloatArray]:
    """Number of negative curvatures at a stationary point, by central differences of the forces.

    Parameters
    ----------
    saddle
        Configuration; fixed atoms stay fixed.
    make
        Makes a calculator; six force calls per moving atom.
    near, radius_A
        Displace only atoms within this distance of one atom, all if None. The count of a part is never
        above that of the whole (interlacing), so that it can prove a second mode but not exclude one.
    step_A
        Displacement.

    Returns
    -------
    tuple
        Count, and the force constants' eigenvalues in eV/A^2 in rising order. Signs do not depend on masses.
    """
    moving = [i for i in range(len(saddle)) if i not in _fixed(saddle)]
    if near is not None and radius_A is not None:
        close = saddle.get_distances(near, range(len(saddle)), mic=bool(saddle.pbc.any())) <= radius_A
        moving = [i for i in moving if close[i]]
    atoms = saddle.copy()
    atoms.set_constraint()
    atoms.calc = make()
    rows = []
    for i in moving:
        for axis in range(3):
            pair = []
            for sign in (1.0, -1.0):
                atoms.positions[:] = saddle.positions
                atoms.positions[i, axis] += sign * step_A
                pair.append(np.array(atoms.get_forces())[moving].ravel())
            rows.append((pair[1] - pair[0]) / (2 * step_A))
    hessian = np.array(rows)
    curvatures = np.linalg.eigvalsh((hessian + hessian.T) / 2)
    return int(np.sum(curvatures < -FLAT_eV_per_A2)), curvatures


def check_modes(
    points: Sequence[PathPoint],
    make: Callable[[], Calculator],
    near: int | None = None,
    radius_A: float | None = None,
) -> list[Check]:
    """Exactly one imaginary mode at each saddle and none at each minimum between."""
    out = []
    for point in points:
        if point.kind not in ("saddle", "minimum"):
            continue
        count, curvatures = imaginary_modes(point.atoms, make, near, radius_A)
        expected = 1 if point.kind == "saddle" else 0
        part = "all free ions" if radius_A is None else f"ions within {radius_A:g} A of the mover"
        energy = point.energy - points[0].energy
        out.append(
            held(
                f"imaginary modes at the {point.kind} of {energy:.3f} eV",
                count,
                expected,
                must_be="equal to",
                note=f"{part}; two lowest force constants {curvatures[0]:.3f} and {curvatures[1]:.3f} eV/A^2"
                if len(curvatures) > 1
                else part,
            )
        )
    return out


def same_barriers(there: BandResult, back: BandResult, limit_eV: float = 0.005, what: str = "reverse") -> Check:
    """Whether the band from the other end has the same barriers, forward against backward."""
    off = max(abs(there.forward_eV - back.backward_eV), abs(there.backward_eV - back.forward_eV))
    return held(f"barriers of the {what} band", off, limit_eV, unit="eV", note="computed from the other end on its own")


def on_request(
    result: BandResult,
    make: Callable[[], Calculator],
    mover: int,
    *,
    modes: bool,
    radius_A: float | None,
    reverse: Callable[[], BandResult] | None,
) -> None:
    """Add the checks that were asked for to a result, and those that were not to its `not_checked`.

    Parameters
    ----------
    result
        Finished path.
    make
        Makes a counted calculator.
    mover
        Index of the moving ion.
    modes, radius_A
        Count imaginary modes, of all free ions or of those around the mover.
    reverse
        Converges the band from the other end, or None.
    """
    if modes:
        result.checks += check_modes(result.points, make, mover, radius_A)
    else:
        result.not_checked.append("number of imaginary modes at each saddle (ask with check_saddles)")
    if reverse is not None:
        result.checks.append(same_barriers(result, reverse()))
    else:
        result.not_checked.append("reverse band from scratch (ask with check_reverse)")


def _fixed(atoms: Atoms) -> set[int]:
    return {int(i) for c in atoms.constraints for i in c.get_indices()}
