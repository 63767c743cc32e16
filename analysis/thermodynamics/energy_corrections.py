"""One functional, one U set and one correction scheme for host, defects and references, or a refusal.

Adding energies of different settings is the commonest error of defect thermodynamics: a +U oxide beside a
GGA metal is off by eV per cation. Energies join either because they were computed alike, or because one
published scheme corrects every one of them, the defect cell included (here: the Materials Project's of
2020, A. Wang et al., 10.1038/s41598-021-94550-5, by pymatgen).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field

from ..results.document import Document, Provenance
from .phases import SCHEME_KEY, check_consistent, correction_scheme, formula_composition

MP2020 = "MP2020"


class ComputedEnergy(Document):
    """Energy of a cell or formula unit as one engine gives it.

    Attributes
    ----------
    formula
        What the energy counts; a whole cell such as ``Co8Fe15O32`` is fine.
    energy_eV
        Of that formula.
    correction_eV
        Already in `energy_eV`; 0 without a scheme.
    total_moment_muB
        Of that formula, where known.
    oxide_type
        ``oxide``, ``peroxide`` or ``superoxide``: what the oxygen is, for correction schemes.
    provenance
        Engine, functional, U; a correction scheme is in its settings.
    """

    formula: str
    energy_eV: float
    correction_eV: float = 0.0
    total_moment_muB: float | None = None
    oxide_type: str = "oxide"
    provenance: Provenance = Field(repr=False)

    @property
    def composition(self) -> dict[str, float]:
        """Atoms by element."""
        return formula_composition(self.formula)


def require_consistent(energies: Mapping[str, Provenance] | Iterable[tuple[str, Provenance]]) -> None:
    """Refuse energies that must not be added, naming the two that differ.

    Parameters
    ----------
    energies
        Provenances by name, e.g. ``{"host": ..., "V_Fe(B)": ..., "Fe2O3": ...}``.

    Raises
    ------
    ValueError
        If engine, functional, U or correction scheme differ; the message names both energies and the ways out.
    """
    pairs = list(energies.items() if isinstance(energies, Mapping) else energies)
    calculated = [(name, p) for name, p in pairs if p.level_of_theory not in ("experiment", "arithmetic")]
    if not calculated:
        return
    first_name, first = calculated[0]
    for name, p in calculated[1:]:
        one, other = correction_scheme(first), correction_scheme(p)
        if one != other:
            raise ValueError(
                f"{first_name} is corrected by {one}, {name} by {other}: correct the host, every defect cell and every "
                "reference by one scheme, or none of them"
            )
        try:
            check_consistent([first, p])
        except ValueError as error:
            raise ValueError(
                f"{first_name} and {name} do not go together: {error}; or use one correction scheme for all "
                "(energy_corrections.apply_mp2020), or oxide-only references (references by mode 'redox ladder')"
            ) from error


def apply_mp2020(energies: Iterable[ComputedEnergy]) -> list[ComputedEnergy]:
    """The same energies with the Materials Project's corrections of 2020.

    The scheme was fitted to PBE for elements and PBE+U (Fe 5.3, Co 3.32 eV) for oxides; other settings are
    refused, and so is an energy that already carries a correction.

    Parameters
    ----------
    energies
        Host, defect cells and references together: a scheme for some of them is no scheme.

    Returns
    -------
    list[ComputedEnergy]
        Corrected, with one common provenance, so that `require_consistent` takes them.

    Raises
    ------
    ValueError
        Naming the energy that the scheme does not cover, and why.
    """
    from pymatgen.core import Composition
    from pymatgen.entries.compatibility import MaterialsProject2020Compatibility
    from pymatgen.entries.computed_entries import ComputedEntry

    scheme = MaterialsProject2020Compatibility(check_potcar=False)
    out = []
    for one in energies:
        settings = one.provenance.settings
        if correction_scheme(one.provenance) != "none" or one.correction_eV != 0.0:
            raise ValueError(f"{one.formula} is corrected already ({correction_scheme(one.provenance)})")
        if one.provenance.functional != "PBE":
            raise ValueError(
                f"{one.formula} was computed with {one.provenance.functional}; MP2020 corrections are fitted to PBE "
                "and PBE+U only"
            )
        active = _active_u(one)
        if active and len(one.composition) == 1:
            raise ValueError(f"{one.formula} is an element with U = {active}; MP2020 takes elements without U")
        entry = ComputedEntry(
            Composition(one.formula),
            one.energy_eV,
            parameters={"run_type": "GGA+U" if active else "GGA", "hubbards": active, "software": "any"},
            data={"oxide_type": one.oxide_type, "oxidation_states": {"O": -2.0}},
            entry_id=one.formula,
        )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                adjustments: list[Any] = scheme.get_adjustments(entry)
        except Exception as error:
            raise ValueError(f"MP2020 does not cover {one.formula}: {str(error).split(' for {')[0]}") from error
        correction = float(sum(a.value for a in adjustments))
        provenance = one.provenance.model_copy(
            update={
                "functional": "PBE and PBE+U",
                "hubbard_U_eV": {},
                "settings": {k: v for k, v in settings.items() if k != SCHEME_KEY} | {SCHEME_KEY: MP2020},
            }
        )
        out.append(
            one.model_copy(
                update={
                    "energy_eV": one.energy_eV + correction,
                    "correction_eV": correction,
                    "provenance": provenance,
                }
            )
        )
    return out


def _active_u(energy: ComputedEnergy) -> dict[str, float]:
    return {el: u for el, u in energy.provenance.hubbard_U_eV.items() if u != 0 and el in energy.composition}
