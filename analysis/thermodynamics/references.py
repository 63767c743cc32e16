"""Element reference energies fitted to measured enthalpies: how an engine without elements joins in.

A rigid-ion model has no metal and no O2 molecule. The energies e that make H_f = E_model - sum n_i e_i
hold for the oxides stand in for them; what they miss is the residual.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..results.document import Document, Provenance
from .phases import anion_last, check_consistent, formula_composition, same_compound

FloatArray = NDArray[np.float64]


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
        The error of a formula unit: the residuals with the degrees of freedom in the denominator; None if there are
        none. That of a single energy, a difference or a sum is `error_eV`.
    covariance_eV2
        Of the reference energies, in their order; None if the fit cannot tell.
    exact
        Compound whose energy the references give exactly, usually the host; empty if there is none.
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
    covariance_eV2: list[list[float]] | None = Field(default=None, repr=False)
    exact: str = ""
    note: str = ""
    provenance: Provenance | None = Field(default=None, repr=False)

    def error_eV(self, amounts: Mapping[str, float]) -> float | None:
        """Standard error of the sum of n_i e_i; 0 if nothing is exchanged, None if the fit cannot tell.

        Parameters
        ----------
        amounts
            n_i by element: a single atom, a difference of two, a formula unit.
        """
        if not any(amounts.values()):
            return 0.0
        if self.covariance_eV2 is None:
            # References of older studies, of computed elements and of a redox ladder say one number for all.
            return self.error_bar_eV
        n = np.array([amounts.get(el, 0.0) for el in self.reference_energies_eV])
        return float(np.sqrt(max(n @ np.array(self.covariance_eV2) @ n, 0.0)))

    def held_to(self, formula: str, model_energy_eV: float, formation_energy_eV: float) -> SpeciesFit:
        """The least-squares references under the condition that one more compound comes out exactly.

        A defect and its reservoirs exchange atoms that add up to the host: sum n_i (e_i + dmu_i) over its formula unit
        must be its energy, or the energies of a Schottky set do not belong together.

        Parameters
        ----------
        formula, model_energy_eV, formation_energy_eV
            The compound, as in `CompoundEnergy`.

        Raises
        ------
        ValueError
            If it holds an element without a reference.
        """
        atoms = formula_composition(formula)
        missing = sorted(set(atoms) - set(self.reference_energies_eV))
        if missing:
            raise ValueError(f"no reference energy for {', '.join(missing)}, which {formula} holds")
        names = list(self.reference_energies_eV)
        n = np.array([atoms.get(el, 0.0) for el in names])
        energies = np.array([self.reference_energies_eV[el] for el in names])
        gap = model_energy_eV - formation_energy_eV - n @ energies
        covariance = self.covariance_eV2 if self.covariance_eV2 is not None else self._from_one_miss(formula, n, gap)
        known = covariance is not None and float(n @ np.array(covariance) @ n) > 0
        # Without a covariance every reference may move alike.
        spread = np.array(covariance) if known else np.eye(len(n))
        along = spread @ n / (n @ spread @ n)
        held = (spread - np.outer(along, spread @ n)).tolist() if known else covariance
        change = {
            "reference_energies_eV": dict(zip(names, map(float, energies + along * gap), strict=True)),
            "covariance_eV2": held,
            "exact": formula,
            "note": f"{self.note}; moved so that {formula} is exact, which it missed by {gap:+.2f} eV",
        }
        return self.model_copy(update=change)

    def _from_one_miss(self, formula: str, n: FloatArray, gap_eV: float) -> list[list[float]] | None:
        """Covariance of a fit of as many compounds as elements, by what it misses of one compound more.

        With that compound held exactly there is one degree of freedom, and the sum of the squared residuals per atom
        is gap^2 / (n C n) with C = (A^T A)^-1. None where the compound is one of the fit, which misses it by nothing.
        """
        names = list(self.reference_energies_eV)
        if self.degrees_of_freedom or any(same_compound(formula, f) for f in self.residuals_eV):
            return None
        counts = np.array([[formula_composition(f).get(el, 0.0) for el in names] for f in self.residuals_eV])
        if counts.shape != (len(names), len(names)):
            return None
        shares = counts / counts.sum(axis=1)[:, None]
        shape = np.linalg.inv(shares.T @ shares)
        return np.asarray(gap_eV**2 / (n @ shape @ n) * shape).tolist()  # type: ignore[no-any-return]


class ReferenceEnergies(dict[str, float]):
    """Reference energies of the elements that were not fitted, eV per atom, with where they come from.

    A plain mapping would slip past the guards on engine, functional, U and corrections.
    """

    def __init__(self, energies: Mapping[str, float], *, provenance: Provenance) -> None:
        super().__init__({el: float(x) for el, x in energies.items()})
        self.provenance = provenance


def reference_provenance(references: Mapping[str, float] | SpeciesFit) -> Provenance | None:
    """Provenance of references, for the guards.

    Raises
    ------
    ValueError
        If they are a plain mapping, which does not say what it is made of.
    """
    if isinstance(references, SpeciesFit | ReferenceEnergies):
        return references.provenance
    raise ValueError(
        "reference energies need their provenance, so that engine, functional, U and corrections can be compared: "
        "references.ReferenceEnergies({'Fe': -8.3, ...}, provenance=...)"
    )


def _covariance_eV2(shares: FloatArray, per_atom_eV: FloatArray, freedom: int) -> list[list[float]] | None:
    """Of least squares with equal weights: sigma^2 (A^T A)^-1; None without degrees of freedom."""
    if freedom == 0:
        return None
    variance = float(np.sum(per_atom_eV**2)) / freedom
    return np.asarray(variance * np.linalg.inv(shares.T @ shares)).tolist()  # type: ignore[no-any-return]


def fit_species_energies(compounds: Sequence[CompoundEnergy], unrelaxed: Mapping[str, str] | None = None) -> SpeciesFit:
    """Least-squares reference energies, equal weight to each compound's energy per atom.

    Parameters
    ----------
    compounds
        Energies from one engine; at least as many independent compositions as elements.
    unrelaxed
        By formula what its relaxation missed; it enters all the same, and the note says so.

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
    elements = anion_last({el: 1.0 for table in tables for el in table})
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
    kind = "oxide" if elements[-1] == "O" else "measured"
    note = f"fitted to {kind} enthalpies; absolute formation energies are indicative, like defects compare"
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
        covariance_eV2=_covariance_eV2(counts / size[:, None], residuals / size, freedom),
        note=note,
        provenance=tagged[0] if tagged else None,
    )
