"""Orbitals of a t2g shell in an octahedron of anions: its axes, the hole or electron in it, the term that moves it.

A shell with one hole (high-spin d7, d2) or one electron (d6, d1) in its open t2g half; d orbitals are xy, yz, z2, xz,
x2-y2 of the Cartesian axes, in the order of GPAW and VASP, t2g orbitals yz, xz, xy of the octahedron's axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...calculators.d_shell import D_ORBITALS

if TYPE_CHECKING:
    from ase import Atoms

FloatArray = NDArray[np.float64]
_RAISED_eV, _LOWERED_eV = 3.0, -1.0
# A hole's weight in t2g; below it the shell is another.
LEAST_T2G_WEIGHT = 0.7
# An orbital that is fuller than this holds no hole, one that is emptier than the rest no electron.
LARGEST_OCCUPATION = 0.6


@dataclass(frozen=True)
class OpenShell:
    """Which half of a d shell is open in t2g, and with what.

    Attributes
    ----------
    particle
        ``hole`` or ``electron``: what there is one of.
    spin
        ``majority`` or ``minority``.
    """

    particle: Literal["hole", "electron"]
    spin: Literal["majority", "minority"]

    @property
    def sign(self) -> float:
        """1 for a hole, -1 for an electron."""
        return 1.0 if self.particle == "hole" else -1.0


OPEN_SHELLS = {
    1: OpenShell("electron", "majority"),
    2: OpenShell("hole", "majority"),
    6: OpenShell("electron", "minority"),
    7: OpenShell("hole", "minority"),
}
"""By the number of d electrons at high spin."""


class HoleNotFoundError(RuntimeError):
    """A cycle did not converge, or ended in a shell without one t2g hole or electron."""


_OCTAHEDRON = 6
# Of the orbitals xy, yz, z2, xz, x2-y2.
_YZ_XZ_XY = (1, 3, 0)


def octahedron_axes(atoms: Atoms, ion: int) -> FloatArray:
    """Axes x, y, z of the octahedron of anions around an ion, rows, shape (3, 3).

    The nearest orthonormal triple to the three lines through opposite neighbours.

    Raises
    ------
    ValueError
        If the six nearest neighbours are no octahedron.
    """
    vectors = atoms.get_distances(ion, list(range(len(atoms))), mic=True, vector=True)
    images = _with_images(atoms, vectors)
    lengths = np.linalg.norm(images, axis=1)
    around = images[np.argsort(lengths)[:_OCTAHEDRON]]
    units = around / np.linalg.norm(around, axis=1, keepdims=True)
    lines: list[FloatArray] = []
    left = list(range(_OCTAHEDRON))
    while left:
        first = left.pop(0)
        cosines = units[left] @ units[first]
        opposite = left.pop(int(np.argmin(cosines)))
        if units[first] @ units[opposite] > -np.cos(np.radians(25.0)):
            raise ValueError(f"the six nearest neighbours of ion {ion} are no octahedron")
        lines.append(units[first] - units[opposite])
    rows = np.array(lines) / np.linalg.norm(lines, axis=1, keepdims=True)
    # Named after the Cartesian axes that they are nearest to, so that cells of one crystal agree.
    order = [int(np.argmax(np.abs(rows[:, k]))) for k in range(3)]
    if sorted(order) == [0, 1, 2]:
        rows = rows[order]
    rows = rows * np.sign(rows[np.arange(3), np.argmax(np.abs(rows), axis=1)])[:, None]
    u, _, v = np.linalg.svd(rows)
    return np.asarray(u @ v)


def _with_images(atoms: Atoms, vectors: FloatArray) -> FloatArray:
    """All neighbours within one cell in every direction: small cells hold a neighbour several times."""
    steps = np.array([(i, j, k) for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1)]) @ atoms.cell.array
    every = (vectors[:, None, :] + steps[None]).reshape(-1, 3)
    return np.asarray(every[np.linalg.norm(every, axis=1) > 0.5])


def shell_rotation(axes: ArrayLike) -> FloatArray:
    """Columns are the d orbitals of the octahedron's axes in those of the Cartesian axes, shape (5, 5)."""
    rows = np.asarray(axes, dtype=float)
    local = np.einsum("ka,qkl,lb->qab", rows, D_ORBITALS, rows)
    return np.asarray(np.einsum("pab,qab->pq", D_ORBITALS, local))


def bias_matrix_eV(hole: ArrayLike, axes: ArrayLike) -> FloatArray:
    """Term that lifts a t2g orbital and lowers the other two, between the Cartesian d orbitals, shape (5, 5).

    Parameters
    ----------
    hole
        The orbital in yz, xz, xy of the octahedron, shape (3,).
    axes
        See `octahedron_axes`.
    """
    vector = np.asarray(hole, dtype=float)
    vector = vector / np.linalg.norm(vector)
    lifted = np.outer(vector, vector)
    inside = _RAISED_eV * lifted + _LOWERED_eV * (np.eye(3) - lifted)
    local = shell_rotation(axes)[:, _YZ_XZ_XY]
    return np.asarray(local @ inside @ local.T)


def hole_in(minority: ArrayLike, axes: ArrayLike) -> tuple[FloatArray, FloatArray, float]:
    """The emptiest t2g orbital of an occupation matrix, and the fullest; of an electron give one less the occupations.

    Parameters
    ----------
    minority
        Occupations between the Cartesian d orbitals of the open half of the shell, shape (5, 5).
    axes
        See `octahedron_axes`.

    Returns
    -------
    tuple
        Hole and fullest orbital in yz, xz, xy of the octahedron, each of length 1, orthogonal to each other; weight of
        the hole in t2g. The fullest is a natural orbital of the site, so that it has the symmetry of one of the
        states that the hole may be moved to.

    Raises
    ------
    HoleNotFoundError
        If no orbital of the shell is an empty one of t2g.
    """
    turn = shell_rotation(axes)
    local = turn.T @ np.asarray(minority, dtype=float) @ turn
    occupations, vectors = np.linalg.eigh(local)
    inside = vectors[list(_YZ_XZ_XY)]
    weights = (inside**2).sum(axis=0)
    order = [int(k) for k in np.argsort(occupations) if weights[k] >= LEAST_T2G_WEIGHT]
    if not order or occupations[order[0]] > LARGEST_OCCUPATION:
        raise HoleNotFoundError(
            f"the open shell holds no t2g hole (or electron): no orbital with a t2g weight of at least "
            f"{LEAST_T2G_WEIGHT} and at "
            f"most {LARGEST_OCCUPATION} electrons; weights {np.round(weights, 2)}, occupations "
            f"{np.round(occupations, 2)}"
        )
    hole = inside[:, order[0]] / np.sqrt(weights[order[0]])
    across = np.eye(3) - np.outer(hole, hole)
    t2g = local[np.ix_(_YZ_XZ_XY, _YZ_XZ_XY)]
    filled = np.linalg.eigh(across @ t2g @ across)[1][:, -1]
    return hole, filled, float(weights[order[0]])


def start_occupations(hole: ArrayLike, axes: ArrayLike, shell: OpenShell) -> FloatArray:
    """Occupation matrices, spin up and down of a moment that points up, with the hole or electron in one orbital.

    Parameters
    ----------
    hole
        In yz, xz, xy of the octahedron, shape (3,).
    axes
        See `octahedron_axes`.
    shell
        What is open.

    Returns
    -------
    ndarray
        Between the Cartesian d orbitals, shape (2, 5, 5).
    """
    vector = np.asarray(hole, dtype=float)
    local = shell_rotation(axes)[:, _YZ_XZ_XY] @ (vector / np.linalg.norm(vector))
    one = np.outer(local, local)
    t2g = shell_rotation(axes)[:, _YZ_XZ_XY]
    half = t2g @ t2g.T - one if shell.particle == "hole" else one
    empty, full = np.zeros((5, 5)), np.eye(5)
    return np.array([half, empty] if shell.spin == "majority" else [full, half])


def charge_field_t2g(vectors_A: ArrayLike, charges_e: ArrayLike, axes: ArrayLike) -> FloatArray:
    """Field of charges between yz, xz, xy of an octahedron, up to a factor and a constant, shape (3, 3).

    The part that is quadratic in the electron's place: sum q (3 r r - r^2)/r^5, of whose matrix elements in a d shell
    Tr(T_a Q T_b) is a measure.

    Parameters
    ----------
    vectors_A
        From the ion to the charges, shape (n, 3).
    charges_e
        Shape (n,).
    axes
        See `octahedron_axes`.
    """
    r, q = np.asarray(vectors_A, dtype=float), np.asarray(charges_e, dtype=float)
    length = np.linalg.norm(r, axis=1)
    tensor = 3 * np.einsum("n,na,nb->ab", q / length**5, r, r) - np.eye(3) * float(np.sum(q / length**3))
    turned = np.einsum("qab,qc->cab", D_ORBITALS, shell_rotation(axes)[:, _YZ_XZ_XY])
    return np.asarray(np.einsum("aij,jk,bki->ab", turned, tensor, turned))
