"""Ordering temperature and M(T) of a cell from stated couplings of its pairs of ions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pymatgen.core import Structure

from ..results.checks import Check, held, require_valid
from ..results.document import Document, Provenance
from .exchange import ExchangeBonds, bonds_from_table, coupling_matrix, mean_field_curie_K, quantum_factors
from .monte_carlo import BinderCrossing, MagnetisationCurve, binder_crossing, monte_carlo

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
# Of the mean-field temperature, which lies above the true one by a third or more.
_SHARES = (0.05, 0.2, 0.35, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9, 1.05)
LEAST_SPINS = 150
# Spins of the larger cell of a crossing over those of the smaller one, at least.
_LARGER = 3.0


class PairCoupling(Document):
    """Coupling of one kind of pair.

    Attributes
    ----------
    pair
        E.g. ``Co(B)-Fe(A)``.
    J_meV
        Of unit vectors, E = -J e_1.e_2 with each pair once: above zero for parallel moments.
    bonds_per_cell
        Pairs of this kind within the longest bond.
    """

    pair: str
    J_meV: float
    bonds_per_cell: int


class OrderingTemperature(Document):
    """Where the magnetic order of a host ends, by stated couplings.

    Attributes
    ----------
    pairs
        The couplings, and how many bonds have them.
    mean_field_K
        Of classical spins; too high by a third or more.
    ordering_K
        By Monte Carlo of classical spins: where Binder's cumulants of two sizes cross, or in older results the
        temperature of the largest fluctuation of the order parameter.
    specific_heat_K
        Temperature of the largest specific heat of the curve's cell, which knows no order.
    crossing
        Of the cumulants, with its error.
    quantum_factor
        Mean field with S(S + 1) over that with S^2; None where the spins were not stated.
    quantum_mean_field_K, quantum_ordering_K
        Both temperatures times it.
    curve
        Order parameter and moment against temperature.
    checks
        That the host's order is stable against turning any single spin, without which there is no result.
    """

    pairs: list[PairCoupling]
    mean_field_K: float
    ordering_K: float
    curve: MagnetisationCurve = Field(repr=False)
    checks: list[Check] = Field(default_factory=list)
    assumptions: list[str] = Field(default_factory=list)
    specific_heat_K: float | None = None
    crossing: BinderCrossing | None = None
    quantum_factor: float | None = None
    provenance: Provenance = Field(repr=False)

    @property
    def quantum_mean_field_K(self) -> float | None:
        """Mean field of quantum spins."""
        return None if self.quantum_factor is None else self.mean_field_K * self.quantum_factor

    @property
    def quantum_ordering_K(self) -> float | None:
        """Monte Carlo times the ratio of S(S + 1) to S^2."""
        return None if self.quantum_factor is None else self.ordering_K * self.quantum_factor

    def rescaled(self, temperatures_K: FloatArray, exponent: float, ordering_K: float | None = None) -> FloatArray:
        """Order parameter of quantum spins, shape of the temperatures, by rescaling the classical curve's temperature.

        m(T) = m_classical(T_C (T/T_C)^exponent) with 2 or more for magnets whose low-temperature M hardly falls
        (R. F. L. Evans et al., 10.1103/PhysRevB.91.144425); 1 is the classical curve.

        Parameters
        ----------
        temperatures_K
            Above zero.
        exponent
            Of the reduced temperature.
        ordering_K
            T_C of the result, e.g. the measured one; that of the curve by default.

        Raises
        ------
        ValueError
            If the exponent is below 1.
        """
        if not exponent >= 1:
            raise ValueError(f"exponent {exponent} must be 1 (classical) or more")
        at, values = np.array(self.curve.temperatures_K), np.array(self.curve.order_parameter)
        reduced = np.asarray(temperatures_K, dtype=float) / (ordering_K or self.ordering_K)
        classical = np.where(reduced < 1, reduced**exponent, reduced) * self.ordering_K
        return np.asarray(np.interp(classical, np.concatenate([[0.0], at]), np.concatenate([[1.0], values])))

    def to_dataframe(self) -> pd.DataFrame:
        """One row per temperature: temperature_K, order_parameter, its error, moment_muB, binder, specific_heat_kB."""
        import pandas as pd

        magnetisation_curve = self.curve
        return pd.DataFrame(
            {
                "temperature_K": magnetisation_curve.temperatures_K,
                "order_parameter": magnetisation_curve.order_parameter,
                "standard_error": magnetisation_curve.standard_error,
                "moment_muB": magnetisation_curve.moment_muB,
                "binder": magnetisation_curve.binder,
                "specific_heat_kB": magnetisation_curve.specific_heat_kB or np.nan,
            }
        )


def ordering_temperature(
    structure: Structure,
    J_meV: Mapping[tuple[str, str], float],
    provenance: Provenance,
    *,
    source: str,
    cutoff_A: float | None = None,
    sweeps: int = 2000,
    seed: int = 0,
    spins: Mapping[str, float] | None = None,
) -> OrderingTemperature:
    """Ordering temperature by mean field and by Monte Carlo.

    Parameters
    ----------
    structure
        Ordered cell with ``magmom`` (collinear) and ``sublattice``.
    J_meV
        Couplings by pair of labels, see `exchange.bonds_from_table`.
    provenance
        Of the structure.
    source
        Where the couplings come from.
    cutoff_A
        Longest bond; by default the first shell of each pair.
    sweeps, seed
        Of the Monte Carlo, per temperature.
    spins
        S by label; half the moment where it is not given.

    Raises
    ------
    ValueError
        If no pair of the cell is in the table, or nothing orders.
    InvalidResultError
        If the cell's order is not stable with these couplings.
    """
    cell = _with_spins(structure, LEAST_SPINS)
    bonds = bonds_from_table(cell, J_meV, cutoff_A, source)
    moments = _moments_muB(cell, bonds)
    highest = mean_field_curie_K(bonds)
    stable = _stable(bonds, moments)
    require_valid([stable], f"the order of {structure.composition.reduced_formula} with these couplings")
    curve = monte_carlo(bonds, moments, [s * highest for s in _SHARES], sweeps=sweeps, seed=seed)
    larger = _with_spins(cell, round(_LARGER * len(moments)))
    large_bonds = bonds_from_table(larger, J_meV, cutoff_A, source)
    crossing = _crossing(bonds, large_bonds, (moments, _moments_muB(larger, large_bonds)), curve, sweeps, seed)
    names = [f"{cell[i].specie.symbol}({cell[i].properties['sublattice']})" for i in bonds.sites]
    counted = Counter("-".join(sorted((names[i], names[j]))) for i, j in bonds.pairs)
    given = {"-".join(sorted(pair)): value for pair, value in J_meV.items()}
    share = len(cell) / len(structure)
    lengths = [(spins or {}).get(name, abs(m) / 2) for name, m in zip(names, moments, strict=True)]
    factor = mean_field_curie_K(bonds, quantum_factors(lengths)) / highest
    reach = "first shell of each pair" if cutoff_A is None else f"bonds up to {cutoff_A:g} A"
    where = (
        f"Binder's cumulants of {crossing.sizes[0]} and {crossing.sizes[1]} spins cross within {crossing.error_K:.0f} K"
        if crossing is not None
        else f"{len(moments)} spins; no crossing of Binder's cumulants was found, so the peak of the fluctuation"
    )
    return OrderingTemperature(
        pairs=[
            PairCoupling(pair=p, J_meV=given[p], bonds_per_cell=round(n / share)) for p, n in sorted(counted.items())
        ],
        mean_field_K=highest,
        ordering_K=curve.curie_K if crossing is None else crossing.temperature_K,
        curve=curve,
        checks=[stable],
        assumptions=[
            *curve.assumptions,
            f"{reach}; {where}",
            f"quantum spins order {factor:.2f} times as high as classical ones: S(S + 1) for S^2 in mean field",
        ],
        specific_heat_K=curve.specific_heat_peak_K,
        crossing=crossing,
        quantum_factor=factor,
        provenance=provenance,
    )


def _with_spins(structure: Structure, least: int) -> Structure:
    """Repeats of a cell with at least so many spins, grown along its shortest axis each time."""
    cell = structure.copy()
    magnetic = sum(abs(float(m)) > 1e-6 for m in cell.site_properties["magmom"])
    while magnetic < least:
        shortest = int(np.argmin(cell.lattice.abc))
        cell.make_supercell([2 if axis == shortest else 1 for axis in range(3)])
        magnetic *= 2
    return cell


def _moments_muB(cell: Structure, bonds: ExchangeBonds) -> FloatArray:
    return np.array([float(cell[i].properties["magmom"]) for i in bonds.sites])


def _stable(bonds: ExchangeBonds, moments: FloatArray) -> Check:
    senses = np.sign(moments)
    fields = senses * (coupling_matrix(bonds) @ senses)
    return held("order stable against turning one spin", float(fields.min()), 0.0, must_be="above", unit="meV")


def _crossing(
    small: ExchangeBonds,
    large: ExchangeBonds,
    moments: tuple[FloatArray, FloatArray],
    curve: MagnetisationCurve,
    sweeps: int,
    seed: int,
) -> BinderCrossing | None:
    """Crossing of the cumulants near the curve's peak of the specific heat; None if there is none there."""
    try:
        return binder_crossing(small, large, moments, curve.specific_heat_peak_K, sweeps=2 * sweeps, seed=seed + 1)
    except ValueError:
        return None
