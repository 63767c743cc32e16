"""Polarisation from the Berry phase, and Born charges from its change with a displacement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def refuse_thin_kpoints(mesh: Sequence[int]) -> None:
    """A Berry phase needs neighbours in k along every axis: with one point a molecule's dipole is 10 % off.

    Raises
    ------
    ValueError
        With the mesh.
    """
    if min(mesh) < 2:
        raise ValueError(
            f"k-mesh {tuple(mesh)} has one point along an axis: a Berry phase needs two; set k_mesh or k_spacing_per_A"
        )


def dipole_e_A(calculator: Any) -> FloatArray:
    """Polarisation times cell volume, e Angstrom, shape (3,), known up to the lattice vectors of the cell.

    Parameters
    ----------
    calculator
        Converged GPAW calculator of an insulator with a whole total moment, without symmetry.

    References
    ----------
    R. D. King-Smith, D. Vanderbilt, Phys. Rev. B 47, 1651 (1993), DOI 10.1103/PhysRevB.47.1651.
    """
    from gpaw.berryphase import polarization_phase

    # GPAW announces every phase on stdout.
    with redirect_stdout(StringIO()):
        phases = polarization_phase(calc=calculator)["phase_c"]
    return np.asarray(phases / (2 * np.pi) @ calculator.atoms.cell.array)


def branch(difference_e_A: ArrayLike, cell: ArrayLike) -> FloatArray:
    """A difference of dipoles brought to the branch nearest zero, e Angstrom, shape (3,).

    Parameters
    ----------
    difference_e_A
        Shape (3,), up to lattice vectors.
    cell
        Shape (3, 3), Angstrom.
    """
    vectors = np.asarray(cell, dtype=float)
    fractions = np.asarray(difference_e_A, dtype=float) @ np.linalg.inv(vectors)
    return np.asarray((fractions - np.rint(fractions)) @ vectors)


def born_charge_e(
    dipole: Callable[[Atoms], ArrayLike],
    atoms: Atoms,
    ion: int,
    *,
    step_A: float = 0.02,
    axes: tuple[int, ...] = (0, 1, 2),
) -> FloatArray:
    """Born charge Z*_ab = d p_a / d u_b of one ion, e, shape (3, len(axes)), by central differences.

    Parameters
    ----------
    dipole
        Dipole of given atoms, e Angstrom, shape (3,), up to lattice vectors.
    atoms
        Undisplaced.
    ion
        Index.
    step_A
        Displacement; each direction costs two calculations.
    axes
        Cartesian directions b of the displacement.

    Raises
    ------
    ValueError
        If the ion does not exist or the step is not positive.
    """
    if not 0 <= ion < len(atoms):
        raise ValueError(f"ion {ion} is outside 0 to {len(atoms) - 1}")
    if not step_A > 0:
        raise ValueError(f"displacement {step_A} A must be positive")
    columns = []
    for axis in axes:
        found = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[ion, axis] += sign * step_A
            found.append(np.asarray(dipole(moved), dtype=float))
        columns.append(branch(found[0] - found[1], atoms.cell.array) / (2 * step_A))
    return np.stack(columns, axis=1)
