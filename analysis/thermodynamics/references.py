"""Element reference energies fitted to measured enthalpies: how an engine without elements joins in.

A rigid-ion model has no metal and no O2 molecule. The energies e that make H_f = E_model - sum n_i e_i
hold for the oxides stand in for them; what they miss is the residual.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import Field

from ..results.document import Document, Provenance
from .phases import check_consistent, formula_composition, oxygen_last


class CompoundEnergy(Document):
    """A compound's energy in a model and its formation energy, both eV per formula unit."""

    formula: str
    model_energy_eV: float
    formation_energy_eV: float
    provenance: Provenance | None = Field(default=None, repr=False)


class SpeciesFit(Document):
    """Fitted reference energies.

    Attributes
    ----------
    reference_energies_eV
        Per atom, by element.
    residuals_eV
        Model minus measured formation energy by formula, eV per formula unit.
    rms_eV, rms_eV_per_atom
        Root mean square of the residuals per formula unit, and per atom (what the fit minimises).
    error_bar_eV
        The error of what is built on the fit: the residuals per formula unit with the degrees of
        freedom in the denominator; None if there are none.
    compounds, rank, degrees_of_freedom
        Compounds used, rank of their composition matrix, and what is left to judge the fit by: with
        none the residuals are zero and say nothing.
    indicative
        Always true: absolute formation energies from fitted references only indicate.
    """

    reference_energies_eV: dict[str, float]
    residuals_eV: dict[str, float]
    rms_eV: float
    rms_eV_per_atom: float
    error_bar_eV: float | None
    compounds: int
    rank: int
    degrees_of_freedom: int
    indicative: bool = True
    note: str = ""
    provenance: Provenance | None = Field(default=None, repr=False)


def fit_species_energies(compounds: Sequence[CompoundEnergy], unrelaxed: Mapping[str, str] | None = None) -> SpeciesFit:
    """Least-squares reference energies, equal weight to each compound's energy per atom.

    Parameters
    ----------
    compounds
        Energies from one engine; at least as many independent compositions as elements.
    unrelaxed
        By formula what its relaxation missed; it enters all the same, and the note says so.

    Returns
    -------
    SpeciesFit

    Raises
    ------
    ValueError
        If a formula is given twice, the compositions do not fix every element (naming those that
        float), or the energies come from different engines, functionals or U.
    """
    formulas = [c.formula for c in compounds]
    twice = sorted({f for f in formulas if formulas.count(f) > 1})
    if twice:
        raise ValueError(f"each compound may be given once; repeated: {', '.join(twice)}")
    if not compounds:
        raise ValueError("no compounds to fit reference energies to")
    tagged = [c.provenance for c in compounds if c.provenance is not None]
    check_consistent(tagged)
    tables = [formula_composition(f) for f in formulas]
    elements = oxygen_last({el: 1.0 for table in tables for el in table})
    counts = np.array([[table.get(el, 0.0) for el in elements] for table in tables])
    size = counts.sum(axis=1)
    target = np.array([c.model_energy_eV - c.formation_energy_eV for c in compounds])
    _, singular, axes = np.linalg.svd(counts / size[:, None])
    rank = int(np.sum(singular > 1e-9 * singular[0]))
    if rank < len(elements):
        loose = np.max(np.abs(axes[rank:]), axis=0) > 1e-6
        names = ", ".join(el for el, floats in zip(elements, loose, strict=True) if floats)
        raise ValueError(
            f"{len(compounds)} compound(s) ({', '.join(formulas)}) of rank {rank} cannot fix {len(elements)} "
            f"reference energies; undetermined: {names}. Add compounds with other ratios of these elements"
        )
    energies = np.linalg.lstsq(counts / size[:, None], target / size, rcond=None)[0]
    residuals = target - counts @ energies
    freedom = len(compounds) - rank
    note = "fitted to oxide enthalpies; absolute formation energies are indicative, like defects compare"
    if freedom == 0:
        note += "; as many compounds as elements, so the residuals are zero by construction"
    note += "".join(
        f"; {formula} did not relax within its bounds ({what})" for formula, what in (unrelaxed or {}).items()
    )
    return SpeciesFit(
        reference_energies_eV=dict(zip(elements, map(float, energies), strict=True)),
        residuals_eV=dict(zip(formulas, map(float, residuals), strict=True)),
        rms_eV=float(np.sqrt(np.mean(residuals**2))),
        rms_eV_per_atom=float(np.sqrt(np.mean((residuals / size) ** 2))),
        error_bar_eV=float(np.sqrt(np.sum(residuals**2) / freedom)) if freedom else None,
        compounds=len(compounds),
        rank=rank,
        degrees_of_freedom=freedom,
        note=note,
        provenance=tagged[0] if tagged else None,
    )
