"""What neighbours do to a vacancy: its energy against the number of one element around it and the pairs in line.

In ordered cells every vacancy has the same surroundings; random ones separate the two effects. The model
is E = E(cell) + b n + c n_pairs by least squares, one constant per cell: b counts each neighbour of the element,
c what two of them in line (in CoFe2O4 Co-V-Co) add. Errors are the larger of the least-squares errors and a
jackknife over cells, because vacancies of one cell share their surroundings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...structures.units import BOLTZMANN_eV_PER_K
from ..results.document import Document, Provenance

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
# An effect counts once it is this many standard errors away from zero.
SIGNIFICANT = 2.0


class BindingSample(Document):
    """One vacancy in one random cell.

    Attributes
    ----------
    cell, site
        Number of the cell, and the site index in it.
    neighbours, collinear_pairs
        Ions of the element in the nearest shell of cations, and pairs of them in line with the vacancy.
    energy_eV
        Relaxed vacancy minus relaxed cell.
    converged
        Whether every check of the relaxations passed; only such samples are fitted.
    """

    cell: int
    site: int
    neighbours: int
    collinear_pairs: int
    energy_eV: float
    converged: bool


class Effect(Document):
    """A fitted energy with its standard error, eV."""

    value_eV: float
    error_eV: float

    @property
    def sign(self) -> Literal[-1, 0, 1]:
        """-1 or 1 where the effect is significant, else 0."""
        if abs(self.value_eV) <= SIGNIFICANT * self.error_eV:
            return 0
        return 1 if self.value_eV > 0 else -1


class VacancyBinding(Document):
    """Neighbour effects on one vacancy.

    Attributes
    ----------
    label
        The vacancy.
    neighbour
        Element whose ions are counted.
    per_neighbour, per_pair
        b and c of the model.
    between_two
        2b + c: one pair in line against no such neighbour at all.
    correlation
        Of the two counts over the samples; near 1 they cannot be told apart.
    residual_eV
        Standard deviation of what the model leaves.
    spread_eV
        Standard deviation of the energies within the cells, before the fit.
    cells, samples, degrees_of_freedom
        Size of the fit.
    rejected
        Samples left out because a relaxation failed.
    method
        How the cells were made.
    data
        All samples.
    """

    label: str
    neighbour: str
    per_neighbour: Effect
    per_pair: Effect
    between_two: Effect
    correlation: float
    residual_eV: float
    spread_eV: float
    cells: int
    samples: int
    degrees_of_freedom: int
    rejected: int
    method: str
    data: list[BindingSample] = Field(repr=False)
    provenance: Provenance = Field(repr=False)

    def to_dataframe(self) -> pd.DataFrame:
        """One row per sample; the columns carry their units."""
        import pandas as pd

        return pd.DataFrame([s.model_dump() for s in self.data])


def neighbour_factor(binding: VacancyBinding, temperature_K: float) -> float:
    """How many more ions of the element stand beside a vacancy than at random: [sum n w / sum w] / mean n.

    w = exp[-(b n + c n_pairs)/kT] over the sampled surroundings of dilute vacancies; 1 without an attraction.

    Raises
    ------
    ValueError
        If the temperature is not positive, or no sample has such a neighbour.
    """
    if not temperature_K > 0:
        raise ValueError(f"temperature {temperature_K} K must be positive")
    near = np.array([s.neighbours for s in binding.data], dtype=float)
    pairs = np.array([s.collinear_pairs for s in binding.data], dtype=float)
    if not near.sum() > 0:
        raise ValueError(f"no sample of {binding.label} has a neighbour {binding.neighbour}")
    energies = binding.per_neighbour.value_eV * near + binding.per_pair.value_eV * pairs
    weights = np.exp(-(energies - energies.min()) / (BOLTZMANN_eV_PER_K * temperature_K))
    return float((near @ weights) / weights.sum() / near.mean())


def fit_binding(
    label: str,
    samples: Sequence[BindingSample],
    provenance: Provenance,
    *,
    neighbour: str,
    method: str = "random cells",
) -> VacancyBinding:
    """Separate the number of neighbours from the pairs in line.

    Parameters
    ----------
    label
        The vacancy.
    samples
        Vacancies of several random cells.
    provenance
        Of the energies.
    neighbour
        Element that the samples count.
    method
        How the cells were made.

    Raises
    ------
    ValueError
        If there are too few samples or cells, or the counts vary together so that no fit tells them apart.
    """
    converged = [s for s in samples if s.converged]
    cells = sorted({s.cell for s in converged})
    if len(cells) < 3 or len(converged) < len(cells) + 4:
        raise ValueError(
            f"{len(converged)} converged vacancies in {len(cells)} cells are too few: the fit needs 3 cells and 4 "
            "vacancies more than cells"
        )
    counts, energies = _centred(converged)
    if np.linalg.matrix_rank(counts, tol=1e-8) < 2:
        raise ValueError(
            f"the number of {neighbour} neighbours and the pairs in line vary together in these cells, or not at all: "
            "take more or larger random cells"
        )
    values = _solve(counts, energies)
    left = energies - counts @ values
    freedom = len(converged) - len(cells) - 2
    variance = float(left @ left) / freedom
    covariance = variance * np.linalg.inv(counts.T @ counts)
    jackknife = _jackknife(converged, cells)
    sums = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 1.0]])
    effects = []
    for row in sums:
        errors = [float(np.sqrt(row @ c @ row)) for c in (covariance, jackknife) if c is not None]
        effects.append(Effect(value_eV=float(row @ values), error_eV=max(errors)))
    return VacancyBinding(
        label=label,
        neighbour=neighbour,
        per_neighbour=effects[0],
        per_pair=effects[1],
        between_two=effects[2],
        correlation=float(np.asarray(np.corrcoef(counts.T))[0, 1]),
        residual_eV=float(np.sqrt(variance)),
        spread_eV=float(np.sqrt(energies @ energies / (len(converged) - len(cells)))),
        cells=len(cells),
        samples=len(converged),
        degrees_of_freedom=freedom,
        rejected=len(samples) - len(converged),
        method=method,
        data=list(samples),
        provenance=provenance,
    )


def _centred(samples: Sequence[BindingSample]) -> tuple[FloatArray, FloatArray]:
    """Counts, shape (n, 2), and energies with the mean of each cell taken off."""
    cell = np.array([s.cell for s in samples])
    table = np.array([[s.neighbours, s.collinear_pairs, s.energy_eV] for s in samples], dtype=float)
    for c in np.unique(cell):
        table[cell == c] -= table[cell == c].mean(axis=0)
    return table[:, :2], table[:, 2]


def _solve(counts: FloatArray, energies: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.lstsq(counts, energies, rcond=None)[0], dtype=float)


def _jackknife(samples: Sequence[BindingSample], cells: Sequence[int]) -> FloatArray | None:
    """Covariance from leaving out one cell at a time; None if that makes the fit singular."""
    estimates = []
    for left_out in cells:
        counts, energies = _centred([s for s in samples if s.cell != left_out])
        if np.linalg.matrix_rank(counts, tol=1e-8) < 2:
            return None
        estimates.append(_solve(counts, energies))
    away = np.array(estimates) - np.mean(estimates, axis=0)
    n = len(cells)
    return np.asarray((n - 1) / n * away.T @ away)
