"""Defect formation energies inside the host's oxygen window, and reference energies for cheap engines.

E_f = E_defect - E_host + sum n_i (E_ref_i + dmu_i) + q (E_F + E_VBM) + E_corr with n_i atoms removed
(negative if added), as in Freysoldt et al., 10.1103/RevModPhys.86.253. Outside the window the host
decomposes and the number is meaningless, so it is refused unless asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ..results.checks import Check, failed, held
from ..results.document import Document, Provenance
from ..thermodynamics.phases import check_consistent
from ..thermodynamics.references import CompoundEnergy, SpeciesFit, fit_species_energies, reference_provenance
from ..thermodynamics.stability_window import ChemicalPotentials, combination_bounds
from ..thermodynamics.temperature import cell_shift_eV, warm_edges
from ..thermodynamics.window_errors import combination_errors
from .defect_energies import VacancyFormation, composition_after, formation_energy_eV

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CompoundEnergy",
    "FormationLine",
    "FormationLines",
    "RankedDefect",
    "SpeciesFit",
    "VacancyFormation",
    "check_consistent",
    "composition_after",
    "fit_species_energies",
    "formation_bounds",
    "formation_energy_eV",
    "formation_lines",
    "order_at",
]


class FormationLine(Document):
    """Formation energy of one defect along the oxygen axis; lists as long as the grid.

    Attributes
    ----------
    low_eV, high_eV
        Over all cation potentials allowed at each oxygen potential.
    mid_eV
        Halfway between.
    error_bar_eV
        Error of the line: fitted references (None if the fit cannot tell), formation energies that bound the
        potentials, and what the correction for the size of the cell leaves, in quadrature.
    """

    label: str
    removed: dict[str, int]
    charge: int
    low_eV: list[float]
    mid_eV: list[float]
    high_eV: list[float]
    indicative: bool
    error_bar_eV: float | None
    note: str


class FormationLines(Document):
    """Formation energies of several defects of one host.

    Attributes
    ----------
    delta_mu_O_eV
        Grid, shape (n,).
    inside
        Whether each grid point is inside the window.
    window_eV
        The two edges.
    fermi_eV
        Fermi level above the valence band maximum, for charged defects.
    warm_edges
        Temperature and both edges of the window with free energies of the solids; empty where there are none.
    anion
        Element whose potential is the grid.
    """

    host_formula: str
    delta_mu_O_eV: list[float]
    inside: list[bool]
    window_eV: tuple[float, float]
    fermi_eV: float
    lines: list[FormationLine]
    warm_edges: list[tuple[float, float, float]] = Field(default_factory=list, repr=False)
    anion: str = "O"
    provenance: Provenance = Field(repr=False)

    def zero_check(self, line: FormationLine) -> Check | None:
        """Whether a neutral line stays above zero inside the window; None for a charged one.

        Where a charged defect costs less than nothing the Fermi level cannot stand; that is no fault of its energy.
        """
        inside = [low for low, within in zip(line.low_eV, self.inside, strict=True) if within]
        return None if line.charge or not inside else not_below_zero(min(inside), line.error_bar_eV)

    def no_result_because(self, line: FormationLine) -> str:
        """What is wrong with a line, in words; empty if nothing is."""
        check = self.zero_check(line)
        return "; ".join(c.in_words for c in failed([check] if check else []))

    def to_dataframe(self) -> pd.DataFrame:
        """One row per defect and grid point: label, delta_mu_O_eV, inside, low_eV, ..., no_result."""
        import pandas as pd

        columns = (
            "label",
            "delta_mu_O_eV",
            "inside",
            "low_eV",
            "mid_eV",
            "high_eV",
            "error_bar_eV",
            "indicative",
            "no_result",
        )
        rows = [
            (line.label, x, within, low, mid, high, line.error_bar_eV, line.indicative, self.no_result_because(line))
            for line in self.lines
            for x, within, low, mid, high in zip(
                self.delta_mu_O_eV, self.inside, line.low_eV, line.mid_eV, line.high_eV, strict=True
            )
        ]
        return pd.DataFrame(rows, columns=list(columns))


class RankedDefect(Document):
    """A defect's place at one oxygen potential.

    Attributes
    ----------
    energy_eV
        Middle of its band.
    above_first_low_eV, above_first_high_eV
        E_f minus that of the first in the list, over all allowed cation potentials taken jointly.
    error_bar_eV
        Error of that difference, as of a line: what both defects exchange alike cancels; None if the fit of the
        references cannot tell.
    decided
        Whether the first is lower throughout, error bar included. True for the first itself.
    """

    label: str
    energy_eV: float
    above_first_low_eV: float
    above_first_high_eV: float
    error_bar_eV: float | None
    decided: bool


def formation_bounds(
    defect: VacancyFormation,
    window: ChemicalPotentials,
    references: Mapping[str, float] | SpeciesFit,
    delta_mu_O_eV: float,
    *,
    fermi_eV: float = 0.0,
    outside: bool = False,
) -> tuple[float, float]:
    """Lowest and highest formation energy at one oxygen potential.

    Parameters
    ----------
    defect, window
        The defect and the host's stability region.
    references
        Energy per atom by element, or a fit of them.
    delta_mu_O_eV
        Oxygen potential.
    fermi_eV
        Above the valence band maximum.
    outside
        Continue beyond the window, as `chemical_potentials.at` does.

    Returns
    -------
    low_eV, high_eV

    Raises
    ------
    ValueError
        Outside the window unless `outside`, or if a reference is missing.
    """
    energies = _energies(references)
    fixed = formation_energy_eV(
        defect.energy_difference_eV,
        defect.removed,
        energies,
        dict.fromkeys(defect.removed, 0.0),
        charge=defect.charge,
        fermi_eV=fermi_eV,
        vbm_eV=defect.vbm_eV or 0.0,
        correction_eV=defect.correction_eV or 0.0,
    )
    low, high = combination_bounds(window, defect.removed, delta_mu_O_eV, outside=outside)
    fixed += cell_shift_eV(window, defect.removed).value_eV
    return fixed + low, fixed + high


def formation_lines(
    defects: Sequence[VacancyFormation],
    window: ChemicalPotentials,
    references: Mapping[str, float] | SpeciesFit,
    n: int = 101,
    *,
    delta_mu_O_eV: Sequence[float] | None = None,
    fermi_eV: float = 0.0,
    outside: bool = False,
) -> FormationLines:
    """Formation energies along the oxygen axis.

    Parameters
    ----------
    defects
        Defects of one host, from one engine with one functional and U.
    window
        The host's stability region.
    references
        Energy per atom by element, or a fit of them; from the same engine.
    n
        Points across the window, edges included.
    delta_mu_O_eV
        A grid of one's own instead.
    fermi_eV
        Above the valence band maximum.
    outside
        Allow grid points outside the window; they are marked in `inside`.

    Raises
    ------
    ValueError
        If the energies are inconsistent, the list is empty, or a grid point is outside the window.
    """
    _check_inputs(defects, window, references)
    low, high = window.delta_mu_O_min_eV, window.delta_mu_O_max_eV
    grid = [float(x) for x in (np.linspace(low, high, n) if delta_mu_O_eV is None else delta_mu_O_eV)]
    lines = []
    for defect in defects:
        bands = [formation_bounds(defect, window, references, x, fermi_eV=fermi_eV, outside=outside) for x in grid]
        lines.append(
            FormationLine(
                label=defect.label,
                removed=defect.removed,
                charge=defect.charge,
                low_eV=[a for a, _ in bands],
                mid_eV=[0.5 * (a + b) for a, b in bands],
                high_eV=[b for _, b in bands],
                indicative=defect.indicative or only_indicates(references),
                error_bar_eV=_largest_error_eV(defect, window, references, grid),
                note=defect.note,
            )
        )
    return FormationLines(
        host_formula=window.host_formula,
        delta_mu_O_eV=grid,
        inside=[window.contains(x) for x in grid],
        window_eV=(low, high),
        fermi_eV=fermi_eV,
        lines=lines,
        warm_edges=warm_edges(window),
        anion=window.anion,
        provenance=defects[0].provenance,
    )


def order_at(
    defects: Sequence[VacancyFormation],
    window: ChemicalPotentials,
    references: Mapping[str, float] | SpeciesFit,
    delta_mu_O_eV: float,
    *,
    fermi_eV: float = 0.0,
    outside: bool = False,
) -> list[RankedDefect]:
    """Defects from the most to the least easily formed, and whether the order is beyond doubt.

    Bands of unlike defects overlap although one may be lower at every allowed point, so each
    difference from the first is bounded as one quantity.

    Parameters
    ----------
    defects, window, references, delta_mu_O_eV, fermi_eV, outside
        As in `formation_lines`.

    Returns
    -------
    list[RankedDefect]
        Ordered by the middle of the bands.

    Raises
    ------
    ValueError
        As `formation_lines`.
    """
    _check_inputs(defects, window, references)

    def bounds(defect: VacancyFormation) -> tuple[float, float]:
        return formation_bounds(defect, window, references, delta_mu_O_eV, fermi_eV=fermi_eV, outside=outside)

    middles = sorted(((0.5 * sum(bounds(d)), d) for d in defects), key=lambda pair: pair[0])
    first_energy, first = middles[0]
    reference_mid = 0.5 * sum(combination_bounds(window, first.removed, delta_mu_O_eV, outside=outside))
    ranked = []
    for energy, defect in middles:
        own_mid = 0.5 * sum(combination_bounds(window, defect.removed, delta_mu_O_eV, outside=outside))
        fixed = (energy - own_mid) - (first_energy - reference_mid)
        elements = {*defect.removed, *first.removed}
        change = {el: defect.removed.get(el, 0) - first.removed.get(el, 0) for el in elements}
        low, high = combination_bounds(window, change, delta_mu_O_eV, outside=outside)
        error = exchange_error_eV(change, window, references, delta_mu_O_eV)
        if error is not None and defect is not first:
            error = float(np.hypot(error, _sizes_apart_eV(defect, first)))
        ranked.append(
            RankedDefect(
                label=defect.label,
                energy_eV=energy,
                above_first_low_eV=fixed + low,
                above_first_high_eV=fixed + high,
                error_bar_eV=error,
                decided=defect is first or (error is not None and fixed + low > error),
            )
        )
    return ranked


def only_indicates(references: Mapping[str, float] | SpeciesFit) -> bool:
    """Whether references were fitted, so that what is built on them only indicates."""
    return isinstance(references, SpeciesFit) and references.indicative


def _energies(references: Mapping[str, float] | SpeciesFit) -> Mapping[str, float]:
    return references.reference_energies_eV if isinstance(references, SpeciesFit) else references


def exchange_error_eV(
    amounts: Mapping[str, float],
    window: ChemicalPotentials,
    references: Mapping[str, float] | SpeciesFit,
    delta_mu_O_eV: float,
) -> float | None:
    """Error of the atoms that a defect, or a difference of two, exchanges with its reservoirs.

    Parameters
    ----------
    amounts
        Atoms taken out by element; of a difference those of one defect minus those of the other.
    window, references, delta_mu_O_eV
        As in `formation_bounds`.

    Returns
    -------
    float or None
        Covariance of fitted references and errors of the formation energies that bound the potentials, eV; 0 where
        nothing is exchanged; None if the fit cannot tell.
    """
    if not any(amounts.values()):
        return 0.0
    own = references.error_eV(amounts) if isinstance(references, SpeciesFit) else 0.0
    if own is None:
        return None
    return float(np.hypot(own, max(combination_errors(window, amounts, delta_mu_O_eV))))


def _largest_error_eV(
    defect: VacancyFormation,
    window: ChemicalPotentials,
    references: Mapping[str, float] | SpeciesFit,
    grid: Sequence[float],
) -> float | None:
    """At both ends and in the middle of a grid; the errors change slowly between them."""
    errors = [
        exchange_error_eV(defect.removed, window, references, x) for x in (grid[0], grid[len(grid) // 2], grid[-1])
    ]
    known = [x for x in errors if x is not None]
    return float(np.hypot(max(known), defect.size_error_eV)) if len(known) == len(errors) else None


def _sizes_apart_eV(one: VacancyFormation, other: VacancyFormation) -> float:
    """Like charges in one cell miss alike; of unlike ones both errors count."""
    alike = one.removed == other.removed and one.charge == other.charge
    return (
        abs(one.size_error_eV - other.size_error_eV)
        if alike
        else float(np.hypot(one.size_error_eV, other.size_error_eV))
    )


def _check_inputs(
    defects: Sequence[VacancyFormation],
    window: ChemicalPotentials,
    references: Mapping[str, float] | SpeciesFit,
) -> None:
    if not defects:
        raise ValueError("no defects given")
    own = reference_provenance(references)
    check_consistent([*(d.provenance for d in defects), window.provenance, *([] if own is None else [own])])


def not_below_zero(lowest_eV: float, error_eV: float | None) -> Check:
    """A stable host does not lose ions by itself: no formation energy lies below zero by more than its error.

    Parameters
    ----------
    lowest_eV
        Lowest formation energy anywhere in the window.
    error_eV
        Its error; None if none is known, so that zero is the limit.
    """
    note = "no error is known" if error_eV is None else ""
    limit = 0.0 if error_eV is None else -error_eV
    return held("lowest formation energy in the window", lowest_eV, limit, must_be="above", unit="eV", note=note)
