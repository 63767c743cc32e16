"""Collinear orders of antiferromagnets: the sign of a spin from its fractional coordinates in the conventional cell."""

from __future__ import annotations

from collections.abc import Callable


def along_111(x: float, y: float, z: float) -> int:
    """Type II of rock salt: planes (111) alternate, q = (1/2, 1/2, 1/2)."""
    return _even(x + y + z)


def diamond(x: float, y: float, z: float) -> int:
    """The two face-centred halves of the A sites of a spinel are antiparallel."""
    return _even(4 * (x + y + z))


def hematite(x: float, y: float, z: float) -> int:
    """R-3c: buckled layers at sixths of c alternate, which reads + - - + along c through one column."""
    return _even(6 * z)


def layers_along_c(count: int, first: float) -> Callable[[float, float, float], int]:
    """Alternating layers along c, `count` per cell, one at the height `first`: type G of rhombohedral perovskites."""

    def sign(x: float, y: float, z: float) -> int:
        return _even(count * (z - first))

    return sign


def orthoferrite(x: float, y: float, z: float) -> int:
    """Type G of Pbnm with Fe at (1/2, 0, 0): every neighbour is antiparallel."""
    return _even(2 * (x + z))


def brownmillerite(x: float, y: float, z: float) -> int:
    """Type G of Ima2, layers along a: octahedra at x = 0 and 1/2, tetrahedra at 1/4 and 3/4."""
    return _even(round(4 * x) + round(2 * y))


def olivine(x: float, y: float, z: float) -> int:
    """LiFePO4: Fe at y = 1/4 against those at 3/4, its neighbours through one O in the layer."""
    return _even(2 * (y - 0.25))


def _even(number: float) -> int:
    return 1 if round(number) % 2 == 0 else -1
