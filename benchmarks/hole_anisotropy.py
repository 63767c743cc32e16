"""Cubic anisotropy constants of ions whose crystal field of the hole was computed; docs/formulation.md prints them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
from magnetoionics.analysis.magnetism.hole_field import HoleField
from magnetoionics.structures.units import MEV_PER_A3_TO_MJ_PER_M3
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class HoleAnisotropy:
    """Cubic constants of ions with a crystal field of their holes, averaged over the cubic operations.

    Attributes
    ----------
    temperature_K, orbital_reduction
        What they hold for.
    K1_meV_per_ion, K1_MJ_per_m3, K2_MJ_per_m3
        Of E = K1 (a1^2 a2^2 + ...) + K2 a1^2 a2^2 a3^2.
    orbital_moment_100_muB
        Mean along <100> after averaging.
    """

    temperature_K: float
    orbital_reduction: float
    K1_meV_per_ion: float
    K1_MJ_per_m3: float
    K2_MJ_per_m3: float
    orbital_moment_100_muB: float


def cubic_anisotropy(
    fields: Sequence[HoleField],
    volume_per_ion_A3: float,
    temperature_K: float = 0.0,
    orbital_reduction: float = 1.0,
) -> HoleAnisotropy:
    """K1 and K2 of ions that sit in all orientations of a cubic crystal with equal weight.

    Parameters
    ----------
    fields
        One ion, or several that share the crystal equally.
    volume_per_ion_A3
        Volume of the crystal per such ion.
    temperature_K, orbital_reduction
        See `HoleField.energies`.
    """
    axes = np.array([[0, 0, 1], [1, 1, 0], [1, 1, 1]], dtype=float)
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    operations = _cubic_operations()
    turned = np.einsum("oab,nb->noa", operations, axes)
    e100, e110, e111 = (
        float(np.mean([f.energies(row, temperature_K, orbital_reduction) for f in fields])) for row in turned
    )
    k1 = 4 * (e110 - e100)
    k2 = 27 * (e111 - e100) - 9 * k1
    to_volume = MEV_PER_A3_TO_MJ_PER_M3 / volume_per_ion_A3
    return HoleAnisotropy(
        temperature_K=temperature_K,
        orbital_reduction=orbital_reduction,
        K1_meV_per_ion=k1,
        K1_MJ_per_m3=k1 * to_volume,
        K2_MJ_per_m3=k2 * to_volume,
        orbital_moment_100_muB=float(np.mean([f.orbital_moments_muB(turned[0], orbital_reduction) for f in fields])),
    )


def _cubic_operations() -> FloatArray:
    """The 48 operations of m-3m as matrices, shape (48, 3, 3)."""
    found = [
        np.diag(signs)[list(order)] for order in permutations(range(3)) for signs in product((1.0, -1.0), repeat=3)
    ]
    return np.array(found)
