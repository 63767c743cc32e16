"""K1(T) and K2(T) of a cubic host, with the exchange field following M(T), and Callen and Callen's law beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.optimize import brentq

from ..results.checks import Check
from ..results.document import Document, Provenance
from .anisotropy import AnisotropyMap, cubic_constants

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
# l(l + 1)/2 of the harmonics l = 4 and l = 6.
_FOURTH, _SIXTH = 10, 21
# Of the Brillouin function: S of Fe3+, which most magnets of this kind have most of.
FERRIC_SPIN = 2.5


class ThermalAnisotropy(Document):
    """Cubic constants against temperature.

    Attributes
    ----------
    temperatures_K, order
        M(T)/M(0) that the exchange field of every ion follows.
    K1_MJ_per_m3, K2_MJ_per_m3
        Of the free energy E0 + K1 (a1^2 a2^2 + ...) + K2 a1^2 a2^2 a3^2, averaged over the cubic operations.
    easy_axis
        ``<100>``, ``<110>`` or ``<111>``, whichever has the lowest free energy.
    callen_K1_MJ_per_m3, callen_K2_MJ_per_m3
        What the constants at 0 K become by powers of the order (see `callen_callen`).
    ordering_K, spin, order_source
        Where M ends, the S of its Brillouin function, and who says so.
    measured
        Measured K1 and T_C in words.
    """

    temperatures_K: list[float]
    order: list[float]
    K1_MJ_per_m3: list[float]
    K2_MJ_per_m3: list[float]
    easy_axis: list[str]
    callen_K1_MJ_per_m3: list[float]
    callen_K2_MJ_per_m3: list[float]
    ordering_K: float
    spin: float
    order_source: str
    measured: list[str] = Field(default_factory=list)
    checks: list[Check] = Field(default_factory=list)
    assumptions: list[str] = Field(default_factory=list)
    provenance: Provenance = Field(repr=False)

    def to_dataframe(self) -> pd.DataFrame:
        """One row per temperature."""
        import pandas as pd

        return pd.DataFrame(
            {
                "temperature_K": self.temperatures_K,
                "order": self.order,
                "K1_MJ_per_m3": self.K1_MJ_per_m3,
                "K2_MJ_per_m3": self.K2_MJ_per_m3,
                "easy_axis": self.easy_axis,
                "callen_K1_MJ_per_m3": self.callen_K1_MJ_per_m3,
                "callen_K2_MJ_per_m3": self.callen_K2_MJ_per_m3,
            }
        )


def brillouin_order(temperature_K: float, ordering_K: float, spin: float) -> float:
    """M(T)/M(0) of mean field: m = B_S(3S/(S + 1) m T_C/T); 0 from T_C on.

    J. S. Smart, Effective Field Theories of Magnetism (1966).

    Raises
    ------
    ValueError
        If a temperature is negative, or T_C or S is not positive.
    """
    if not (temperature_K >= 0 and ordering_K > 0 and spin > 0):
        raise ValueError(
            f"M(T) needs T >= 0, T_C > 0 and S > 0, not T = {temperature_K} K, T_C = {ordering_K} K, S = {spin}"
        )
    if temperature_K == 0:
        return 1.0
    if temperature_K >= ordering_K:
        return 0.0
    a, b = (2 * spin + 1) / (2 * spin), 1 / (2 * spin)

    def excess(m: float) -> float:
        x = 3 * spin / (spin + 1) * m * ordering_K / temperature_K
        return float(a / np.tanh(a * x) - b / np.tanh(b * x) - m)

    return float(brentq(excess, 1e-6, 1.0)) if excess(1e-6) > 0 else 0.0


def callen_callen(K1: float, K2: float, order: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """K1 and K2 at an order m from those at m = 1, where single ions keep their levels.

    The harmonics of l = 4 and 6 fall as m^10 and m^21 at low temperature (H. B. Callen and E. Callen,
    10.1016/0022-3697(66)90012-6); K1 + K2/11 belongs to the first, K2 to the second.

    Parameters
    ----------
    K1, K2
        At 0 K, in any unit.
    order
        M(T)/M(0).
    """
    m = np.asarray(order, dtype=float)
    sixth = K2 * m**_SIXTH
    return np.asarray((K1 + K2 / 11) * m**_FOURTH - sixth / 11), np.asarray(sixth)


def with_order(map_: AnisotropyMap, order: float) -> AnisotropyMap:
    """A map at 0 K as it is at an order m, where single ions keep their levels: degree l falls as m^(l(l + 1)/2).

    Raises
    ------
    ValueError
        If the order is not from 0 to 1.
    """
    if not 0 <= order <= 1:
        raise ValueError(f"M(T)/M(0) = {order} must be from 0 to 1")
    fit = map_.fit()
    falls = np.concatenate([np.full(2 * degree + 1, order ** (degree * (degree + 1) / 2)) for degree in fit.degrees])

    def fallen(energies_meV: Sequence[float]) -> list[float]:
        own = map_.model_copy(update={"energies_meV": list(energies_meV)}).fit()
        energies = replace(own, coefficients=own.coefficients * falls)(map_.vectors)
        return [float(x) for x in energies - energies.min()]

    ions = map_.ion_energies_meV
    return map_.model_copy(
        update={
            "energies_meV": fallen(map_.energies_meV),
            "ion_energies_meV": None if ions is None else [fallen(row) for row in ions],
        }
    )


def easy_axis_of(K1: float, K2: float) -> str:
    """Which of the cubic axes is lowest: 0 along <100>, K1/4 along <110>, K1/3 + K2/27 along <111>."""
    energies = {"<100>": 0.0, "<110>": K1 / 4, "<111>": K1 / 3 + K2 / 27}
    return min(energies, key=lambda axis: energies[axis])


def thermal_anisotropy(
    maps: Sequence[AnisotropyMap],
    temperatures_K: Sequence[float],
    order: Sequence[float],
    *,
    ordering_K: float,
    spin: float,
    order_source: str,
    measured: Sequence[str] = (),
) -> ThermalAnisotropy:
    """Constants of one map per temperature.

    Parameters
    ----------
    maps
        Free energies of the host, in the order of the temperatures.
    temperatures_K, order, ordering_K, spin, order_source, measured
        As in `ThermalAnisotropy`; the first temperature is 0.

    Raises
    ------
    ValueError
        If the first temperature is not 0, or the lists differ in length.
    """
    if not len(maps) == len(temperatures_K) == len(order) or not len(maps) or temperatures_K[0] != 0:
        raise ValueError("one map and one order per temperature are needed, the first of them at 0 K")
    cubic = [cubic_constants(m, average=True) for m in maps]
    first, second = [c.K1_MJ_per_m3 for c in cubic], [c.K2_MJ_per_m3 for c in cubic]
    fourth, sixth = callen_callen(first[0], second[0], order)
    return ThermalAnisotropy(
        temperatures_K=[float(t) for t in temperatures_K],
        order=[float(m) for m in order],
        K1_MJ_per_m3=first,
        K2_MJ_per_m3=second,
        easy_axis=[
            easy_axis_of(a, b) if abs(a) + abs(b) > 1e-9 else "none" for a, b in zip(first, second, strict=True)
        ],
        callen_K1_MJ_per_m3=[float(x) for x in fourth],
        callen_K2_MJ_per_m3=[float(x) for x in sixth],
        ordering_K=ordering_K,
        spin=spin,
        order_source=order_source,
        measured=list(measured),
        checks=[c for m in maps for c in m.checks],
        assumptions=[
            f"exchange field of every ion proportional to M(T): Brillouin function of S = {spin:g} and T_C = "
            f"{ordering_K:g} K ({order_source})",
            "free energy of the ions' levels; lattice and cation order as at 0 K",
        ],
        provenance=maps[0].provenance,
    )
