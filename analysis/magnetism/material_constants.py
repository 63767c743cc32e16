"""Constants of a micromagnetic material from E(n), a moment and couplings, with temperature and place.

    E/V = n.T.n + K1 (a^2 b^2 + b^2 c^2 + c^2 a^2) + K2 a^2 b^2 c^2 ,   A (grad n)^2 ,   M

T has no trace and is written as two uniaxial terms, -K (n.easy)^2 + K' (n.hard)^2, exactly. With temperature M follows
a Brillouin function, T falls as m^3, K1 and K2 by Callen and Callen, A as m^2 (mean field).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...structures.units import MEV_PER_A3_TO_MJ_PER_M3
from .anisotropy import AnisotropyMap, cubic_constants
from .spin_model import axial_tensor
from .thermal_anisotropy import FERRIC_SPIN, ThermalAnisotropy, brillouin_order, callen_callen

FloatArray = NDArray[np.float64]
_TWOFOLD = 3
# What the film's x axis follows in the plane, unless it is the normal: the crystal's z, then its x.
_PARALLEL = 0.999


@dataclass(frozen=True)
class MaterialConstants:
    """One material at one temperature; axes are those of the crystal until `turned`.

    Attributes
    ----------
    state, temperature_K, order
        Of what, at what, and M(T)/M(0).
    magnetisation_A_per_m, exchange_J_per_m
        M and A.
    tensor_J_per_m3
        T, shape (3, 3).
    K1_J_per_m3, K2_J_per_m3, cubic_axes
        Cubic constants, and the rows a, b, c they belong to, shape (3, 3).
    left_out_J_per_m3
        Root mean square over directions at 0 K of what these terms leave of E(n).
    source
        How it follows temperature.
    """

    state: str
    temperature_K: float
    order: float
    magnetisation_A_per_m: float
    exchange_J_per_m: float
    tensor_J_per_m3: FloatArray
    K1_J_per_m3: float
    K2_J_per_m3: float
    cubic_axes: FloatArray
    left_out_J_per_m3: float
    source: str

    @property
    def uniaxial(self) -> tuple[tuple[float, FloatArray], tuple[float, FloatArray]]:
        """K in J/m3 and axis of -K (n.u)^2, first of the easy axis (K >= 0), then of the hard one (K <= 0)."""
        values, vectors = np.linalg.eigh(self.tensor_J_per_m3)
        return (
            (float(values[1] - values[0]), vectors[:, 0]),
            (float(values[1] - values[2]), vectors[:, 2]),
        )

    def energy_J_per_m3(self, directions: ArrayLike) -> FloatArray:
        """Anisotropy along unit vectors, shape (n,)."""
        n = np.asarray(directions, dtype=float)
        a, b, c = (n @ self.cubic_axes.T).T ** 2
        twofold = np.einsum("ni,ij,nj->n", n, self.tensor_J_per_m3, n)
        return np.asarray(twofold + self.K1_J_per_m3 * (a * b + b * c + c * a) + self.K2_J_per_m3 * a * b * c)

    def turned(self, rotation: ArrayLike) -> MaterialConstants:
        """In axes into which a rotation takes the crystal, shape (3, 3)."""
        turn = np.asarray(rotation, dtype=float)
        return replace(self, tensor_J_per_m3=turn @ self.tensor_J_per_m3 @ turn.T, cubic_axes=self.cubic_axes @ turn.T)


def material_constants(
    map_: AnisotropyMap,
    *,
    magnetisation_A_per_m: float,
    exchange_J_per_m: float,
    temperature_K: float,
    ordering_K: float,
    spin: float = FERRIC_SPIN,
    cubic: bool = True,
    thermal: ThermalAnisotropy | None = None,
) -> MaterialConstants:
    """Constants of a mapped state at a temperature.

    Parameters
    ----------
    map_
        E(n) at 0 K.
    magnetisation_A_per_m, exchange_J_per_m
        At 0 K.
    temperature_K, ordering_K, spin
        See `thermal_anisotropy.brillouin_order`.
    cubic
        Whether Cartesian axes are cubic axes of the crystal; without them what is not n.T.n is left out.
    thermal
        K1(T) and K2(T) of this state, used in place of Callen and Callen within its temperatures.

    Raises
    ------
    ValueError
        If T is not below T_C.
    """
    if not 0 <= temperature_K < ordering_K:
        raise ValueError(
            f"{temperature_K:g} K is not from 0 to below T_C = {ordering_K:g} K: a paramagnet has no such constants"
        )
    order = brillouin_order(temperature_K, ordering_K, spin)
    to_J = 1e6 * MEV_PER_A3_TO_MJ_PER_M3 / map_.cell_volume_A3
    tensor = axial_tensor(map_) * to_J
    found = cubic_constants(map_, average=True) if cubic else None
    first, second = (0.0, 0.0) if found is None else (1e6 * found.K1_MJ_per_m3, 1e6 * found.K2_MJ_per_m3)
    cold = MaterialConstants(
        map_.state, 0.0, 1.0, magnetisation_A_per_m, exchange_J_per_m, tensor, first, second, np.eye(3), 0.0, "0 K"
    )
    even = map_.even_odd()[0] * to_J
    left = float(np.std(even - cold.energy_J_per_m3(map_.vectors)))
    source = "m^3 for n.T.n, Callen and Callen for K1 and K2, m^2 for A"
    fourth, sixth = callen_callen(first, second, order)
    warm = (float(fourth), float(sixth))
    if thermal is not None and temperature_K <= thermal.temperatures_K[-1]:
        at = thermal.temperatures_K
        warm = (
            1e6 * float(np.interp(temperature_K, at, thermal.K1_MJ_per_m3)),
            1e6 * float(np.interp(temperature_K, at, thermal.K2_MJ_per_m3)),
        )
        source = "m^3 for n.T.n, the stage temperature for K1 and K2, m^2 for A"
    return replace(
        cold,
        temperature_K=temperature_K,
        order=order,
        magnetisation_A_per_m=magnetisation_A_per_m * order,
        exchange_J_per_m=exchange_J_per_m * order**2,
        tensor_J_per_m3=tensor * order**_TWOFOLD,
        K1_J_per_m3=warm[0],
        K2_J_per_m3=warm[1],
        left_out_J_per_m3=left,
        source=source if temperature_K else "0 K",
    )


def mixed(before: MaterialConstants, after: MaterialConstants, share: float) -> MaterialConstants:
    """Material in which a share of the cells is in the second state: energies per volume are the mean.

    Raises
    ------
    ValueError
        If the share is not from 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share {share} of the state after the hop must be from 0 to 1")

    def mean(name: str) -> float:
        return float((1 - share) * getattr(before, name) + share * getattr(after, name))

    return replace(
        before,
        state=f"{share:g} {after.state}",
        tensor_J_per_m3=(1 - share) * before.tensor_J_per_m3 + share * after.tensor_J_per_m3,
        magnetisation_A_per_m=mean("magnetisation_A_per_m"),
        exchange_J_per_m=mean("exchange_J_per_m"),
        K1_J_per_m3=mean("K1_J_per_m3"),
        K2_J_per_m3=mean("K2_J_per_m3"),
        left_out_J_per_m3=mean("left_out_J_per_m3"),
    )


def film_axes(normal: ArrayLike) -> FloatArray:
    """Rotation that takes a film's normal to z and the crystal's z (or x) into the xz plane; rows are the film's axes.

    Raises
    ------
    ValueError
        If the normal has no length.
    """
    n = np.asarray(normal, dtype=float)
    length = float(np.linalg.norm(n))
    if not length > 0 or not np.isfinite(length):
        raise ValueError("the normal of a film must have a length")
    n = n / length
    along = np.array([0.0, 0.0, 1.0]) if abs(n[2]) < _PARALLEL else np.array([1.0, 0.0, 0.0])
    x = along - n * float(along @ n)
    x = x / np.linalg.norm(x)
    return np.array([x, np.cross(n, x), n])


def rows_of(materials: Sequence[MaterialConstants]) -> list[dict[str, float | str]]:
    """One row per material, units in the names."""
    rows: list[dict[str, float | str]] = []
    for one in materials:
        (easy, u), (hard, v) = one.uniaxial
        rows.append(
            {
                "state": one.state,
                "temperature_K": one.temperature_K,
                "order": one.order,
                "M_A_per_m": one.magnetisation_A_per_m,
                "A_J_per_m": one.exchange_J_per_m,
                "K_easy_J_per_m3": easy,
                **{f"easy_{axis}": float(x) for axis, x in zip("xyz", u, strict=True)},
                "K_hard_J_per_m3": hard,
                **{f"hard_{axis}": float(x) for axis, x in zip("xyz", v, strict=True)},
                "K1_cubic_J_per_m3": one.K1_J_per_m3,
                "K2_cubic_J_per_m3": one.K2_J_per_m3,
                "left_out_J_per_m3": one.left_out_J_per_m3,
                "with_temperature": one.source,
            }
        )
    return rows
