"""Magnetic anisotropy: maps E(n), their easy and hard axes, and cubic constants.

E(n) = K1 (a1^2 a2^2 + a2^2 a3^2 + a3^2 a1^2) + K2 a1^2 a2^2 a3^2 only for a cubic map: a single
ordered cell is not cubic, so K1 is refused unless the map is averaged over the cubic operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations, product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from ...structures.units import MEV_PER_A3_TO_MJ_PER_M3
from ..results.calculation import Check
from ..results.document import Document, Provenance
from .directions import antipodes, images_under, lebedev_directions, plane_scan
from .harmonics import HarmonicFit, fit_harmonics
from .map_errors import ErrorPart, errors_of, total_meV, total_of_K1_meV
from .switching_barrier import lowest_near, pass_energy_meV, sphere_grid
from .uniaxial import UniaxialConstants, uniaxial_constants

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]
_EVEN_DEGREES = (0, 2, 4, 6)
# Name of the guard of the odd part, which time reversal forbids, and its bound where energies are exact.
ODD_PART = "odd part within the noise"
EXACT_meV = 1e-6


class AnisotropyMap(Document):
    """Energy against the direction of magnetisation.

    Attributes
    ----------
    state
        Which structure, e.g. ``"pristine"``, ``"before"``, ``"after"``.
    directions
        Unit vectors, shape (n, 3), closed under n -> -n.
    energies_meV
        Energies of the cell relative to the lowest, shape (n,).
    cell_volume_A3, formula_units
        Of the cell.
    ions
        What contributes.
    method
        How the energies were had, e.g. ``"self-consistent"`` or ``"force theorem"``.
    orbital_moments_muB
        Each site's orbital moment along each direction, shape (n, n_sites), muB, where the engine has them.
    checks
        Guards and checks of the map; see `calculation.require_valid`.
    restriction_error_meV
        Spread of the ions that were left out because they are far from the defect; None if all were computed.
    temperature_K
        Of the free energy that it is; 0 for ground states.
    error_parts
        What the engine measured of its own errors, see `map_errors`.
    ion_sites, ion_energies_meV
        Sites of single ions and their own E(n), each above its lowest, shape (n_ions, n), to 1e-6 meV; where the
        engine's energy is a sum over ions.
    """

    state: str
    directions: list[list[float]]
    energies_meV: list[float]
    cell_volume_A3: float
    formula_units: float
    ions: str
    method: str = ""
    orbital_moments_muB: list[list[float]] | None = None
    checks: list[Check] = Field(default_factory=list)
    restriction_error_meV: float | None = None
    temperature_K: float = 0.0
    error_parts: list[ErrorPart] = Field(default_factory=list)
    ion_sites: list[int] | None = None
    ion_energies_meV: list[list[float]] | None = Field(default=None, repr=False)
    provenance: Provenance

    @property
    def vectors(self) -> FloatArray:
        """Directions as an array, shape (n, 3)."""
        return np.array(self.directions)

    @property
    def energies(self) -> FloatArray:
        """Energies in meV, shape (n,)."""
        return np.array(self.energies_meV)

    @property
    def odd_limit_meV(self) -> float:
        """Odd part up to which the map is sound: the bound of its guard; 1e-6 meV of an engine that has none."""
        return next((c.limit for c in self.checks if c.name == ODD_PART and c.limit is not None), EXACT_meV)

    def even_odd(self) -> tuple[FloatArray, FloatArray]:
        """[E(n) + E(-n)]/2 and [E(n) - E(-n)]/2 in meV, each shape (n,)."""
        e = self.energies
        reversed_ = e[antipodes(self.directions)]
        return (e + reversed_) / 2, (e - reversed_) / 2

    def of_ions(self, sites: Sequence[int]) -> AnisotropyMap | None:
        """The map of some ions alone, even part; None if the engine's energy is no sum over ions."""
        if self.ion_sites is None or self.ion_energies_meV is None:
            return None
        chosen = [row for site, row in zip(self.ion_sites, self.ion_energies_meV, strict=True) if site in set(sites)]
        total = np.sum(chosen, axis=0) if chosen else np.zeros(len(self.directions))
        even = (total + total[antipodes(self.directions)]) / 2
        return self.model_copy(
            update={
                "energies_meV": [float(x) for x in even - even.min()],
                "ions": f"{len(chosen)} of {len(self.ion_sites)} ions",
                "ion_sites": None,
                "ion_energies_meV": None,
            }
        )

    def plot(self, name: str | Sequence[int] | None = None, *, ax: Axes | None = None, **options: Any) -> Figure:
        """As `Document.plot`; the normal of a crystal plane in place of a name gives the polar plot in it."""
        if name is None or isinstance(name, str):
            return super().plot(name, ax=ax, **options)
        return super().plot("plane", ax=ax, normal=name, **options)

    def fit(self) -> HarmonicFit:
        """Fit of the even part, with the highest degrees that the directions determine (at most 6).

        Each pair of n and -n counts once: both have the same even part, so that what the fit leaves of it is no
        new information at -n. `residual_rms_meV` is that of all energies, their odd part included.
        """
        even = self.even_odd()[0]
        once = np.flatnonzero(np.arange(len(even)) < antipodes(self.directions))
        for highest in (6, 4, 2):
            degrees = tuple(d for d in _EVEN_DEGREES if d <= highest)
            try:
                fit = fit_harmonics(self.vectors[once], even[once], degrees)
            except ValueError:
                if highest == 2:
                    raise
                continue
            left = self.energies - fit(self.vectors)
            return replace(fit, residual_rms_meV=float(np.sqrt(np.mean(left**2))))
        raise AssertionError("unreachable")

    def to_dataframe(self) -> pd.DataFrame:
        """Columns n_x, n_y, n_z, energy_meV."""
        import pandas as pd

        frame = pd.DataFrame(self.directions, columns=["n_x", "n_y", "n_z"])
        frame["energy_meV"] = self.energies_meV
        return frame


class AnisotropySummary(Document):
    """What a map says.

    Attributes
    ----------
    easy_axis, intermediate_axis, hard_axis
        Unit vectors of axes (n and -n are the same axis).
    easy_axes_count
        Distinct axes that share the lowest energy within `tolerance_meV`.
    hard_minus_easy_meV, intermediate_minus_easy_meV
        Energies of the fitted even part; the intermediate axis is perpendicular to the other two.
    l2_meV, l4_meV
        Strength of the two- and fourfold parts.
    residual_rms_meV
        What the fit leaves.
    odd_max_meV
        Largest |E(n) - E(-n)|/2: zero by time reversal, so it is an error bar.
    easy_plane_normal
        Set if all axes perpendicular to it share the lowest energy.
    reversal_barrier_meV
        Lowest barrier on the sphere between the two senses of the easy axis; see `reversal_barrier_meV`.
    degrees, coefficients_meV, coefficient_errors_meV
        Even fit, in the order of `real_harmonics`; no errors if nothing is left to judge them by.
    equivalent_spread_meV
        Largest difference between directions that the operations passed to `summarise` make equivalent.
    uniaxial
        Ku about the axis that the l = 2 part distinguishes; None where it distinguishes none (cubic maps).
    error_meV, error_parts
        Of a difference between two directions: what was measured together, and each source by itself.
    """

    state: str
    easy_axis: list[float]
    intermediate_axis: list[float]
    hard_axis: list[float]
    easy_axes_count: int
    tolerance_meV: float
    hard_minus_easy_meV: float
    intermediate_minus_easy_meV: float
    l2_meV: float
    l4_meV: float
    residual_rms_meV: float
    odd_max_meV: float
    easy_plane_normal: list[float] | None = None
    reversal_barrier_meV: float | None = None
    degrees: list[int] = Field(default_factory=list)
    coefficients_meV: list[float] = Field(default_factory=list)
    coefficient_errors_meV: list[float] | None = None
    equivalent_spread_meV: float | None = None
    uniaxial: UniaxialConstants | None = None
    error_meV: float | None = None
    error_parts: list[ErrorPart] = Field(default_factory=list)


class CubicConstants(Document):
    """K1 and K2 of a cubically averaged map.

    `max_spread_meV` is the spread before averaging, `residual_rms_meV` what K1 and K2 leave of the average;
    it vanishes by itself where the directions make up just three orbits (Lebedev orders 7 and 9).
    `K1_error_MJ_per_m3` holds what was measured of the map's errors, see `map_errors`.
    """

    K1_meV_per_cell: float
    K2_meV_per_cell: float
    K1_MJ_per_m3: float
    K2_MJ_per_m3: float
    K1_meV_per_formula: float
    max_spread_meV: float
    operations: int
    residual_rms_meV: float | None = None
    K1_error_MJ_per_m3: float | None = None


def _extreme_axes(fit: HarmonicFit, sense: int, tolerance_meV: float) -> list[tuple[float, FloatArray]]:
    """Distinct axes within a tolerance of the lowest (sense 1) or highest (-1) fitted energy."""
    grid = sphere_grid()
    values = sense * fit(grid)
    starts: list[FloatArray] = []
    for candidate in grid[np.argsort(values)[:200]]:
        if all(abs(float(candidate @ other)) < 0.97 for other in starts):
            starts.append(candidate)
    axes: list[tuple[float, FloatArray]] = []

    for start in starts:
        energy, axis = lowest_near(fit, start, sense)
        axis *= 1 if axis[np.argmax(np.abs(axis))] > 0 else -1
        if all(abs(float(axis @ other)) < 0.995 for _, other in axes):
            axes.append((energy, axis))
    best = min(sense * e for e, _ in axes)
    return sorted(((e, a) for e, a in axes if sense * e - best < tolerance_meV), key=lambda x: sense * x[0])


def reversal_barrier_meV(fit: HarmonicFit, easy_axis: ArrayLike, grid: int = 4000) -> float:
    """Lowest barrier on the sphere between n and -n, meV above the energy at n.

    Parameters
    ----------
    fit
        Even fit.
    easy_axis
        Start n, shape (3,).
    grid
        Grid points; 4000 give a saddle within about 0.2 % of the anisotropy.
    """
    start = np.asarray(easy_axis, dtype=float)
    return pass_energy_meV(fit, start, -start, grid) - float(fit(start[None])[0])


def _easy_plane_normal(fit: HarmonicFit, hard: FloatArray, easy_meV: float, tolerance_meV: float) -> list[float] | None:
    ring = fit(plane_scan(hard, 72))
    return [float(x) for x in hard] if float(ring.max()) - easy_meV < tolerance_meV else None


def summarise(
    map_: AnisotropyMap, tolerance_meV: float = 1e-3, *, operations: ArrayLike | None = None
) -> AnisotropySummary:
    """Easy, intermediate and hard axes of a map.

    Parameters
    ----------
    map_
        Map with n and -n.
    tolerance_meV
        Axes closer in energy than this count as equally easy.
    operations
        Point operations of the structure, shape (n, 3, 3), for the spread over equivalent directions.
    """
    fit = map_.fit()
    easy = _extreme_axes(fit, 1, tolerance_meV)
    hard = _extreme_axes(fit, -1, tolerance_meV)
    middle = np.cross(easy[0][1], hard[0][1])
    length = float(np.linalg.norm(middle))
    middle = middle / length if length > 1e-6 else np.cross(easy[0][1], np.eye(3)[int(np.argmin(np.abs(easy[0][1])))])
    middle = middle / np.linalg.norm(middle)
    _, odd = map_.even_odd()
    errors = np.sqrt(np.diag(fit.covariance))
    parts = errors_of(map_, fit)
    flat = hard[0][0] - easy[0][0] < tolerance_meV
    return AnisotropySummary(
        state=map_.state,
        easy_axis=[float(x) for x in easy[0][1]],
        intermediate_axis=[float(x) for x in middle],
        hard_axis=[float(x) for x in hard[0][1]],
        easy_axes_count=len(easy),
        tolerance_meV=tolerance_meV,
        hard_minus_easy_meV=hard[0][0] - easy[0][0],
        intermediate_minus_easy_meV=float(fit(middle[None])[0]) - easy[0][0],
        l2_meV=fit.power(2),
        l4_meV=fit.power(4) if 4 in fit.degrees else 0.0,
        residual_rms_meV=fit.residual_rms_meV,
        odd_max_meV=float(np.abs(odd).max()),
        easy_plane_normal=None if flat else _easy_plane_normal(fit, hard[0][1], easy[0][0], tolerance_meV),
        reversal_barrier_meV=reversal_barrier_meV(fit, easy[0][1]),
        degrees=list(fit.degrees),
        coefficients_meV=[float(x) for x in fit.coefficients],
        coefficient_errors_meV=[float(x) for x in errors] if np.isfinite(errors).all() else None,
        equivalent_spread_meV=None if operations is None else equivalent_spread(map_, operations),
        uniaxial=None if fit.power(2) < tolerance_meV else uniaxial_constants(map_, fit=fit),
        error_meV=total_meV(parts),
        error_parts=parts,
    )


def cubic_operations() -> FloatArray:
    """The 48 point operations of the cube as matrices, shape (48, 3, 3)."""
    out = []
    for order in permutations(range(3)):
        for signs in product((1, -1), repeat=3):
            matrix = np.zeros((3, 3))
            matrix[range(3), order] = signs
            out.append(matrix)
    return np.array(out)


def equivalent_spread(map_: AnisotropyMap, operations: ArrayLike) -> float:
    """Largest difference between directions that the operations make equivalent, meV.

    The energies themselves are compared where the operations permute the directions, else the fitted map.
    """
    ops = np.asarray(operations, dtype=float)
    try:
        images = map_.energies[images_under(map_.directions, ops)]
    except ValueError:
        fit = map_.fit()
        images = np.array([fit(map_.vectors @ op.T) for op in ops])
    return float((images.max(axis=0) - images.min(axis=0)).max())


def cubic_spread(map_: AnisotropyMap) -> float:
    """Largest difference between cubically equivalent directions, meV."""
    return equivalent_spread(map_, cubic_operations())


def _cubic_average(map_: AnisotropyMap) -> tuple[FloatArray, FloatArray]:
    """Directions and their energies averaged over the 48 operations, meV.

    Raises
    ------
    ValueError
        If the directions are not closed under the operations and do not determine l = 6 either.
    """
    ops = cubic_operations()
    try:
        return map_.vectors, map_.energies[images_under(map_.directions, ops)].mean(axis=0)
    except ValueError:
        # K2 belongs to l = 6: a fit that stops below it would fold K2 into K1.
        fit = fit_harmonics(map_.directions, map_.energies, _EVEN_DEGREES)
    vectors = np.array([[1, 0, 0], [1, 1, 0], [1, 1, 1]]) / np.sqrt([[1], [2], [3]])
    return vectors, np.array([float(np.mean(fit(ops @ v))) for v in vectors])


def cubic_constants(map_: AnisotropyMap, *, average: bool = False, tolerance_meV: float = 0.01) -> CubicConstants:
    """K1 and K2 of the map averaged over the 48 cubic operations.

    E0 + K1 (a1^2 a2^2 + ...) + K2 a1^2 a2^2 a3^2 is fitted to the averaged energies, so that
    E110 - E100 = K1/4 and E111 - E100 = K1/3 + K2/27. A harmonic fit of few directions stops at l = 4 and
    would lose K2 and bend K1; the average has only three unknowns up to l = 6.

    Parameters
    ----------
    map_
        Map of a cubic cell, or of one ordered cell with ``average=True``.
    average
        Average over the 48 cubic operations first, as a crystal with all variants of the order would.
    tolerance_meV
        Allowed spread of a map that is not averaged.

    Raises
    ------
    ValueError
        If the map is not cubic and was not to be averaged, or its directions are too few.
    """
    spread = cubic_spread(map_)
    if spread > tolerance_meV and not average:
        raise ValueError(
            f"cubically equivalent directions differ by {spread:.3g} meV (allowed {tolerance_meV} meV): an ordered "
            "cell has no cubic K1; average over the variants with average=True"
        )
    vectors, energies = _cubic_average(map_)
    a, b, c = (vectors**2).T
    design = np.stack([np.ones(len(a)), a * b + b * c + c * a, a * b * c], axis=1)
    if np.linalg.matrix_rank(design, tol=1e-8) < 3:
        raise ValueError(f"{len(map_.directions)} directions do not determine K1 and K2: use Lebedev order 7 or more")
    solution, *_ = np.linalg.lstsq(design, energies, rcond=None)
    k1, k2 = float(solution[1]), float(solution[2])
    to_density = MEV_PER_A3_TO_MJ_PER_M3 / map_.cell_volume_A3
    error = total_of_K1_meV(errors_of(map_))
    return CubicConstants(
        K1_meV_per_cell=k1,
        K2_meV_per_cell=k2,
        K1_MJ_per_m3=k1 * to_density,
        K2_MJ_per_m3=k2 * to_density,
        K1_meV_per_formula=k1 / map_.formula_units,
        max_spread_meV=spread,
        operations=len(cubic_operations()),
        residual_rms_meV=float(np.sqrt(np.mean((energies - design @ solution) ** 2))),
        K1_error_MJ_per_m3=None if error is None else error * to_density,
    )


def difference_meV(before: AnisotropyMap, after: AnisotropyMap, vectors: FloatArray) -> FloatArray:
    """Even part of E(n) of one map minus that of another, meV per cell, each from its mean over the sphere.

    The mean is no anisotropy: it is what the energies of two structures differ by anyway.

    Parameters
    ----------
    before, after
        Maps of cells with the same number of formula units.
    vectors
        Unit vectors, shape (n, 3).

    Raises
    ------
    ValueError
        If the cells differ in size.
    """
    if before.formula_units != after.formula_units:
        raise ValueError(
            f"{before.state} has {before.formula_units:g} formula units and {after.state} {after.formula_units:g}: "
            "a difference needs cells of one size"
        )
    # Exact for the degrees of a fit.
    sphere = lebedev_directions(7)
    parts = [map_.fit()(vectors) - sphere.weights @ map_.fit()(sphere.vectors) for map_ in (before, after)]
    return np.asarray(parts[1] - parts[0])
