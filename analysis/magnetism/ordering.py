"""Ordering temperature and M(T) of a cell from stated couplings of its pairs of ions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field
from pymatgen.core import Structure

from ..results.checks import Check, held, require_valid
from ..results.document import Document, Provenance
from .exchange import MagnetisationCurve, bonds_from_table, coupling_matrix, mean_field_curie_K, monte_carlo

if TYPE_CHECKING:
    import pandas as pd

# Of the mean-field temperature, which lies above the true one by a third or more.
_SHARES = (0.05, 0.2, 0.35, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9, 1.05)
LEAST_SPINS = 150


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
        Temperature of the largest fluctuation of the order parameter, by Monte Carlo.
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
    provenance: Provenance = Field(repr=False)

    def to_dataframe(self) -> pd.DataFrame:
        """One row per temperature: temperature_K, order_parameter, standard_error, moment_muB, binder."""
        import pandas as pd

        found = self.curve
        return pd.DataFrame(
            {
                "temperature_K": found.temperatures_K,
                "order_parameter": found.order_parameter,
                "standard_error": found.standard_error,
                "moment_muB": found.moment_muB,
                "binder": found.binder,
            }
        )


def ordering_temperature(
    structure: Structure,
    J_meV: Mapping[tuple[str, str], float],
    provenance: Provenance,
    *,
    source: str,
    cutoff_A: float | None = None,
    sweeps: int = 3000,
    seed: int = 0,
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

    Raises
    ------
    ValueError
        If no pair of the cell is in the table, or nothing orders.
    InvalidResultError
        If the cell's order is not stable with these couplings.
    """
    cell = structure.copy()
    magnetic = sum(abs(float(m)) > 1e-6 for m in cell.site_properties["magmom"])
    while magnetic < LEAST_SPINS:
        shortest = int(np.argmin(cell.lattice.abc))
        cell.make_supercell([2 if axis == shortest else 1 for axis in range(3)])
        magnetic *= 2
    bonds = bonds_from_table(cell, J_meV, cutoff_A, source)
    moments = np.array([float(cell[i].properties["magmom"]) for i in bonds.sites])
    highest = mean_field_curie_K(bonds)
    senses = np.sign(moments)
    fields = senses * (coupling_matrix(bonds) @ senses)
    stable = held("order stable against turning one spin", float(fields.min()), 0.0, must_be="above", unit="meV")
    require_valid([stable], f"the order of {structure.composition.reduced_formula} with these couplings")
    curve = monte_carlo(bonds, moments, [s * highest for s in _SHARES], sweeps=sweeps, seed=seed)
    names = [f"{cell[i].specie.symbol}({cell[i].properties['sublattice']})" for i in bonds.sites]
    counted = Counter("-".join(sorted((names[i], names[j]))) for i, j in bonds.pairs)
    given = {"-".join(sorted(pair)): value for pair, value in J_meV.items()}
    share = len(cell) / len(structure)
    reach = "first shell of each pair" if cutoff_A is None else f"bonds up to {cutoff_A:g} A"
    at = curve.temperatures_K.index(curve.curie_K)
    step = max(abs(t - curve.curie_K) for t in curve.temperatures_K[max(at - 1, 0) : at + 2])
    return OrderingTemperature(
        pairs=[
            PairCoupling(pair=p, J_meV=given[p], bonds_per_cell=round(n / share)) for p, n in sorted(counted.items())
        ],
        mean_field_K=highest,
        ordering_K=curve.curie_K,
        curve=curve,
        checks=[stable],
        assumptions=[
            *curve.assumptions,
            f"{reach}; {len(moments)} spins, temperatures {step:.0f} K apart round the transition: no better is known",
        ],
        provenance=provenance,
    )
