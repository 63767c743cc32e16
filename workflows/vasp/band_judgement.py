"""Is a band converged? Judged by the force on the band, from energies and true forces alone.

The forces that VASP writes for an image are those on its ions. Along the path they do not vanish, so a test on
them calls a converged band unconverged; what must vanish is the part across the path, and at the climbing image all.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from ...analysis.results.checks import Check, held
from ..band.path import tangents
from ..evaluation.guards import guard
from .finished.document import VaspRun
from .settings import VaspBandSettings

if TYPE_CHECKING:
    from pymatgen.core import Structure

FloatArray = NDArray[np.float64]
HIDDEN_MINIMUM_eV = 0.02
# Positions are printed to 8 decimals of the cell; a step of an optimiser is larger.
UNMOVED_A = 1e-4


def band_forces(path: FloatArray, energies: FloatArray, forces: FloatArray, spring: float, climb: bool) -> FloatArray:
    """Nudged forces of the moving images with improved tangents (10.1063/1.1323224) and a climbing image
    (10.1063/1.1329672).

    Parameters
    ----------
    path
        Positions of all images with both ends, Angstrom, shape (m, 3 n).
    energies
        eV, shape (m,).
    forces
        True forces of the moving images, eV/A, shape (m - 2, 3 n).
    spring
        eV/A^2.
    climb
        Whether the highest moving image climbs.

    Returns
    -------
    numpy.ndarray
        eV/A, shape (m - 2, 3 n).
    """
    along = tangents(path, energies)
    gaps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    parallel = np.sum(forces * along, axis=1)[:, None] * along
    out = forces - parallel + spring * (gaps[1:] - gaps[:-1])[:, None] * along
    if climb:
        top = int(np.argmax(energies[1:-1]))
        out[top] = forces[top] - 2 * parallel[top]
    return np.asarray(out)


def judge_segment(
    path: Sequence[Structure],
    energies_eV: Sequence[float],
    forces_eV_per_A: Sequence[FloatArray],
    band: VaspBandSettings,
    name: str,
) -> list[Check]:
    """Residual of the band, true force at the saddle, a maximum along the path, and no minimum overlooked.

    Parameters
    ----------
    path
        Images with both ends and continuous coordinates.
    energies_eV
        Of all images.
    forces_eV_per_A
        True forces of the moving images, each shape (n, 3).
    band
        With the bound on the residual.
    name
        Of the segment.
    """
    positions = np.array([s.cart_coords.ravel() for s in path])
    energies = np.array(energies_eV, dtype=float)
    forces = np.array([np.asarray(f).ravel() for f in forces_eV_per_A])
    nudged = band_forces(positions, energies, forces, band.spring_eV_per_A2, band.climb)
    residual = _largest(nudged)
    limit = band.residual_eV_per_A
    checks = [held(f"NEB residual of {name}", residual, limit, unit="eV/A")]
    top = int(np.argmax(energies[1:-1])) + 1
    if band.climb and energies[top] > max(energies[0], energies[-1]):
        force = _largest(forces[top - 1][None])
        checks.append(held(f"saddle force of {name}", force, 2 * limit, unit="eV/A"))
        checks.append(_maximum(positions, energies, forces, top, name))
    depth = _hidden_minimum(energies)
    checks.append(
        held(
            f"no minimum inside {name}",
            depth,
            HIDDEN_MINIMUM_eV,
            unit="eV",
            note="split the band there: one climbing image serves one saddle" if depth > HIDDEN_MINIMUM_eV else "",
        )
    )
    return checks


def one_branch(
    path: Sequence[Structure],
    energies_eV: Sequence[float],
    forces_eV_per_A: Sequence[FloatArray],
    field_V_per_A: Sequence[float],
    name: str,
) -> Check:
    """Whether the energies in a field stay on one branch of the polarisation.

    A step to another branch shifts the energy by the field's work over a lattice vector, which the forces do not
    know of: between moving images the energies are held against the work of the forces.

    Parameters
    ----------
    path, energies_eV
        All images of a segment with both ends.
    forces_eV_per_A
        True forces of the moving images.
    field_V_per_A
        Shape (3,).
    name
        Of the segment.
    """
    quanta = np.abs(path[0].lattice.matrix @ np.asarray(field_V_per_A, dtype=float))
    limit = 0.5 * float(np.min(quanta[quanta > 1e-6])) if np.any(quanta > 1e-6) else np.inf
    positions = np.array([s.cart_coords.ravel() for s in path])
    arc = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(positions, axis=0), axis=1))]
    along = np.gradient(positions, arc, axis=0)
    # The ends are relaxed: their forces vanish.
    slopes = [0.0, *(-float(np.asarray(f).ravel() @ t) for f, t in zip(forces_eV_per_A, along[1:-1], strict=True)), 0.0]
    work = np.diff(CubicSpline(arc, slopes).antiderivative()(arc))
    misses = np.abs(np.diff(np.asarray(energies_eV, dtype=float)) - work)
    worst = float(misses.max())
    return held(
        f"one branch of the polarisation along {name}",
        worst,
        limit,
        unit="eV",
        note=""
        if worst <= limit
        else "energies and work of the forces differ by the field's work over half a cell: "
        "another branch, or too few images to tell",
    )


def patched(run: VaspRun) -> Check:
    """Whether the binary that ran an image has VTST: without it IBRION = 3 with POTIM = 0 moves nothing."""
    note = "OUTCAR names no VTST: the build lacks the patch, and its images stay where they were put"
    return guard("VTST found", run.vtst is not None, note)


def moved(run: VaspRun, structure: Structure, start: Structure) -> Check:
    """Whether an image that took several steps left its place."""
    if run.ionic_steps < 2:
        return Check(name="image moved", passed=None, note="it took one step: its place was right, or the run was cut")
    away = float(np.linalg.norm(structure.cart_coords - start.cart_coords, axis=1).max())
    note = f"after {run.ionic_steps} steps the image is where it started: the optimiser moves nothing"
    return guard("image moved", away > UNMOVED_A, note, away, UNMOVED_A, "A")


def judge_path(path: Sequence[Structure]) -> Check:
    """Longest step between images, against three times the median."""
    steps = [float(np.linalg.norm(b.cart_coords - a.cart_coords)) for a, b in pairwise(path)]
    limit = 3.0 * float(np.median(steps))
    return held("longest step between images", max(steps), limit, unit="A")


def _largest(vectors: FloatArray) -> float:
    """Largest norm of the force on one ion, eV/A."""
    return float(np.linalg.norm(vectors.reshape(len(vectors), -1, 3), axis=2).max())


def _maximum(positions: FloatArray, energies: FloatArray, forces: FloatArray, top: int, name: str) -> Check:
    """Curvature along the path at the climbed image from the energies of its neighbours, eV/A^2."""
    before = float(np.linalg.norm(positions[top] - positions[top - 1]))
    after = float(np.linalg.norm(positions[top + 1] - positions[top]))
    rise, fall = (energies[top] - energies[top - 1]) / before, (energies[top + 1] - energies[top]) / after
    curvature = float(2 * (fall - rise) / (before + after))
    return held(
        f"curvature along the path at {name}",
        curvature,
        0.0,
        strictly=True,
        unit="eV/A^2",
        note="from the energies of the neighbouring images",
    )


def _hidden_minimum(energies: FloatArray) -> float:
    """Depth of the deepest moving image below the highest points on both of its sides, eV; 0 if there is none."""
    depths = [min(energies[:i].max(), energies[i + 1 :].max()) - energies[i] for i in range(1, len(energies) - 1)]
    return float(max([0.0, *depths]))
