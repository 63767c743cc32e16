"""A defect's energy as an engine gives it, and its formation energy at given potentials."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, model_validator

from ..results.document import Document, Provenance
from ..thermodynamics.phases import formula_composition


class VacancyFormation(Document):
    """A defect before any chemical potential.

    Attributes
    ----------
    label
        E.g. ``V_Fe(B)``.
    removed
        Atoms taken out of the host cell by element; negative for atoms put in.
    energy_difference_eV
        E(defect cell) - E(host cell).
    charge
        Charge state q, in units of e.
    vbm_eV, correction_eV
        Valence band maximum and finite-size correction; required if q is not zero.
    size_error_eV
        What the finite-size correction leaves.
    indicative
        True if the engine only carries differences of like defects.
    note
        What a reader has to know.
    """

    label: str
    removed: dict[str, int]
    energy_difference_eV: float
    charge: int = 0
    vbm_eV: float | None = None
    correction_eV: float | None = None
    size_error_eV: float = Field(default=0.0, ge=0)
    indicative: bool = False
    note: str = ""
    provenance: Provenance = Field(repr=False)

    @model_validator(mode="after")
    def _charged_is_complete(self) -> VacancyFormation:
        if self.charge != 0 and (self.vbm_eV is None or self.correction_eV is None):
            raise ValueError(
                f"{self.label} with q = {self.charge:+d} needs vbm_eV and correction_eV (Freysoldt or "
                "Kumagai): the image-charge error alone is of the order of eV in these cells"
            )
        return self


def composition_after(host_composition: Mapping[str, float] | str, removed: Mapping[str, float]) -> dict[str, float]:
    """Composition once atoms are taken out.

    Parameters
    ----------
    host_composition
        Atoms by element, or a formula such as ``"Co8Fe16O32"``.
    removed
        Atoms taken out by element; negative for atoms put in.

    Returns
    -------
    dict[str, float]
        Atoms by element; elements used up are left out.

    Raises
    ------
    ValueError
        If more is removed than there is.
    """
    start = formula_composition(host_composition) if isinstance(host_composition, str) else host_composition
    left = {el: start.get(el, 0.0) - removed.get(el, 0.0) for el in [*start, *(set(removed) - set(start))]}
    short = {el: n for el, n in left.items() if n < 0}
    if short:
        raise ValueError(f"cannot remove {dict(removed)} from {dict(start)}: too few {', '.join(sorted(short))}")
    return {el: float(n) for el, n in left.items() if n > 0}


def formation_energy_eV(
    energy_difference_eV: float,
    removed: Mapping[str, float],
    reference_energies_eV: Mapping[str, float],
    delta_mu_eV: Mapping[str, float],
    *,
    charge: int = 0,
    fermi_eV: float = 0.0,
    vbm_eV: float = 0.0,
    correction_eV: float = 0.0,
) -> float:
    """Formation energy at given potentials.

    Parameters
    ----------
    energy_difference_eV
        E(defect) - E(host).
    removed
        Atoms taken out by element.
    reference_energies_eV
        Energy per atom of each element's standard state, from the same engine.
    delta_mu_eV
        Potentials relative to the standard states.
    charge, fermi_eV, vbm_eV, correction_eV
        Charge state, Fermi level above the valence band maximum, that maximum, finite-size correction.

    Returns
    -------
    float
        eV.

    Raises
    ------
    ValueError
        If an element has no reference energy or no potential.
    """
    for name, given in (("reference energy", reference_energies_eV), ("chemical potential", delta_mu_eV)):
        missing = sorted(el for el, n in removed.items() if n != 0 and el not in given)
        if missing:
            raise ValueError(f"no {name} for {', '.join(missing)}; given for {', '.join(sorted(given)) or 'none'}")
    atoms = sum(n * (reference_energies_eV[el] + delta_mu_eV[el]) for el, n in removed.items() if n != 0)
    return energy_difference_eV + atoms + charge * (fermi_eV + vbm_eV) + correction_eV
