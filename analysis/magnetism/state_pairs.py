"""Two states of a moving ion, the operation that relates them, and what a switch between them writes.

Two pairs are meant by "left and right" and kept apart: before and after one hop, and the right and the left
ion beside a vacancy. The relation is found from the structure
(`structures.symmetry`, `structures.defects.collinear_pairs`), never assumed. A magnetisation is axial: an operation R
takes it by A = det(R) R. So

    E_second(A n) = E_first(n) ,    u_second(p) = A u_first(A^-1 p) = +-A u_first(p)  if A p = +-p ,

for u relative to a frozen reference p, which reverses with p.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .anisotropy import AnisotropyMap
from .pair_documents import PairKind, PairRelation, StatePair
from .unidirectional import relation_deviation_meV, unidirectional_vector

__all__ = ["PairKind", "PairRelation", "StatePair", "axial_matrix", "state_pair"]

FloatArray = NDArray[np.float64]
_SAME = 1e-6


def axial_matrix(operation: ArrayLike) -> FloatArray:
    """det(R) R of a point operation, shape (3, 3)."""
    matrix = np.asarray(operation, dtype=float)
    return np.asarray(np.linalg.det(matrix) * matrix)


def state_pair(
    first: AnisotropyMap,
    second: AnisotropyMap,
    relations: Sequence[tuple[str, ArrayLike]],
    *,
    kind: PairKind,
    reference: str | None = None,
    p: ArrayLike | None = None,
    tolerance_meV: float = 1e-3,
    noise_meV: float = 1e-6,
) -> StatePair:
    """Compare two states by the operations that should relate them.

    Parameters
    ----------
    first, second
        Maps on the same directions.
    relations
        Name and Cartesian rotation part of each operation that exchanges the states; empty if there is none.
    kind
        Which pair it is.
    reference, p
        What is frozen (sublattice, shell, layer) and its direction, shape (3,); both or neither.
    tolerance_meV
        For the maps to count as obeying a relation.
    noise_meV
        Odd part that a calculation may show.

    Raises
    ------
    ValueError
        If only one of reference and p is given, or the directions differ.
    """
    if (reference is None) != (p is None):
        raise ValueError("name the frozen reference and give its direction p, or neither")
    if not np.allclose(first.vectors, second.vectors, atol=1e-9):
        raise ValueError("the two maps are on different directions; compute both on one set")
    u = [unidirectional_vector(m)[0] for m in (first, second)]
    pair_relations = [_relation(first, second, name, matrix, u, p, tolerance_meV) for name, matrix in relations]
    even = [m.even_odd()[0] for m in (first, second)]
    moved = float(np.abs((even[1] - even[1].mean()) - (even[0] - even[0].mean())).max())
    verdict, reason = _verdict(u, moved, reference, tolerance_meV, noise_meV)
    return StatePair(
        kind=kind,
        relations=pair_relations,
        reference=reference,
        first_u_meV=_listed(u[0]),
        second_u_meV=_listed(u[1]),
        reversed_part_meV=_listed((u[1] - u[0]) / 2),
        unchanged_part_meV=_listed((u[1] + u[0]) / 2),
        verdict=verdict,
        reason=reason,
        assumptions=[f"frozen reference: {reference or 'none'}"],
    )


def _relation(
    first: AnisotropyMap,
    second: AnisotropyMap,
    name: str,
    matrix: ArrayLike,
    u: Sequence[FloatArray],
    p: ArrayLike | None,
    tolerance_meV: float,
) -> PairRelation:
    axial = axial_matrix(matrix)
    deviation = relation_deviation_meV(first, second, matrix)
    expected = None
    if p is not None:
        direction = np.asarray(p, dtype=float) / np.linalg.norm(np.asarray(p, dtype=float))
        turned = float(direction @ axial @ direction)
        if abs(abs(turned) - 1) < _SAME:
            expected = np.sign(turned) * (axial @ u[0])
    return PairRelation(
        name=name,
        axial=axial.tolist(),
        deviation_meV=deviation,
        obeyed=deviation <= tolerance_meV,
        expected_u_meV=None if expected is None else _listed(expected),
        u_deviation_meV=None if expected is None else float(np.linalg.norm(u[1] - expected)),
    )


def _verdict(
    u: Sequence[FloatArray], moved_meV: float, reference: str | None, tolerance_meV: float, noise_meV: float
) -> tuple[str, str]:
    largest, change = max(float(np.linalg.norm(x)) for x in u), float(np.linalg.norm(u[1] - u[0])) / 2
    if reference is None and largest > noise_meV:
        return "spurious odd part", f"|u| = {largest:.3g} meV with nothing frozen breaks time reversal"
    if reference is not None and change > noise_meV:
        return _change_of_u(u, change, reference)
    same_reference = f"; u relative to {reference} is the same in both" if reference is not None else ""
    if moved_meV > tolerance_meV:
        return (
            "an axis",
            f"the even maps differ by up to {moved_meV:.3g} meV: axes turn, no sense is chosen{same_reference}",
        )
    return "nothing", f"the maps agree within {tolerance_meV:.3g} meV{same_reference}"


def _change_of_u(u: Sequence[FloatArray], change_meV: float, reference: str) -> tuple[str, str]:
    """Whether u changes its sign along its own change, or only turns and stretches.

    Along an axis almost across it any turn of u changes a sign, so that this one component is asked and no other.
    """
    mean = (u[0] + u[1]) / 2
    along = abs(float(mean @ (u[1] - u[0]))) / (2 * change_meV)
    stays = float(np.linalg.norm(mean))
    if along >= change_meV:
        return "a tilt of u", (
            f"u changes by {2 * change_meV:.3g} meV, but its component along that change keeps its sign: "
            f"{stays:.3g} meV stay, relative to {reference}"
        )
    whole = "u reverses" if stays < change_meV else f"{stays:.3g} meV of u stay, so that u as a whole does not reverse"
    return "a direction", (
        f"u changes sign along its change, by +-{change_meV:.3g} meV, relative to {reference}; {whole}"
    )


def _listed(vector: FloatArray) -> list[float]:
    return [float(x) for x in vector]
