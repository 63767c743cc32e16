"""Competing phases that one engine computed: their stability window and element references, in four modes.

``elements``: references are the computed metals and O2. ``MP2020``: the same after the Materials Project's corrections
of 2020, which let PBE metals stand beside PBE+U oxides; the defects need them too (`defects.energy_corrections`).
``redox ladder``: no metal and no O2 enters; the
energy of oxygen is the one that makes oxidation steps between the computed oxides agree with measured
enthalpies (as in L. Wang et al., 10.1103/PhysRevB.73.195107, who fit one shift of O2), and each cation's
follows from its oxides. ``fitted``: all references by least squares to oxide enthalpies, for engines
without electrons.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
from pydantic import Field

from ..results.document import Document
from .energy_corrections import MP2020, ComputedEnergy, apply_mp2020, require_consistent
from .oxygen_gas import heat_content_eV
from .phases import (
    Phase,
    anion_last,
    correction_scheme,
    element_formula,
    formula_composition,
    load_experimental_phases,
)
from .references import CompoundEnergy, SpeciesFit, fit_species_energies

ReferenceMode = Literal["elements", "MP2020", "redox ladder", "fitted"]
# References are the elements' own energies, so that a computed peroxide is one energy among others.
_WITH_ELEMENTS = ("elements", "MP2020")


class ComputedPhases(Document):
    """Energies of competing phases from one engine.

    Attributes
    ----------
    energies
        Per formula unit.
    left_out
        Phases that the engine could not compute, with its reason.
    """

    energies: list[ComputedEnergy]
    left_out: dict[str, str] = Field(default_factory=dict)

    def energy_of(self, formula: str) -> ComputedEnergy | None:
        """Energy of a phase by composition, or None."""
        target = _per_atom(formula)
        return next((e for e in self.energies if _per_atom(e.formula) == target), None)


class LadderStep(Document):
    """One oxidation of an oxide by oxygen.

    Attributes
    ----------
    reaction
        E.g. ``Fe3O4 -> Fe2O3``.
    oxygen_eV
        Energy per O atom that makes the computed step agree with the measured one.
    """

    reaction: str
    oxygen_eV: float


class ReferenceSet(Document):
    """Reference energies of the elements and the formation energies that follow.

    Attributes
    ----------
    mode
        How the references were had.
    references
        Per atom, by element, with the residuals of a fit.
    phases
        Formation energies of all compounds computed.
    ladder
        Oxidation steps behind the energy of oxygen, in the mode of that name.
    oxygen_spread_eV
        Standard deviation of the ladder's steps: the error of the energy of oxygen; None with fewer than two steps.
    oxygen_minus_half_O2_eV
        Fitted energy of oxygen minus half a computed O2 molecule, if there is one: what the functional
        gets wrong about O2.
    notes
        What a reader has to know.
    """

    mode: ReferenceMode
    references: SpeciesFit
    phases: list[Phase]
    ladder: list[LadderStep] = Field(default_factory=list)
    oxygen_spread_eV: float | None = None
    oxygen_minus_half_O2_eV: float | None = None
    notes: list[str] = Field(default_factory=list)


def reference_set(computed: ComputedPhases, mode: ReferenceMode, *, oxygen_shift_eV: float = 0.0) -> ReferenceSet:
    """References and formation energies of one set of computed phases.

    Parameters
    ----------
    computed
        Energies of one engine with one functional, U and correction scheme; for ``MP2020`` uncorrected, elements
        without U.
    mode
        See the module.
    oxygen_shift_eV
        Added to the ladder's energy of oxygen before the cations follow: to see what its error does.

    Raises
    ------
    ValueError
        If the energies are inconsistent, or the mode needs a phase that is missing; the message names it.
    """
    if mode == "MP2020":
        computed = computed.model_copy(update={"energies": apply_mp2020(computed.energies)})
    require_consistent([(e.formula, e.provenance) for e in computed.energies])
    computed, polymorphs = _lowest_polymorphs(computed)
    elements = anion_last({el: 1.0 for e in computed.energies for el in e.composition})
    ladder: list[LadderStep] = []
    if mode in _WITH_ELEMENTS:
        fit = _from_elements(computed, elements)
    else:
        known = _with_enthalpies(computed, elements)
        if mode == "redox ladder":
            ladder = oxygen_ladder(known)
            fit = _from_ladder(known, ladder, elements, oxygen_shift_eV)
        else:
            fit = fit_species_energies(known)
    phases, peroxides = _phases(computed, fit, measured_peroxides=mode not in _WITH_ELEMENTS)
    shift = None
    molecule = computed.energy_of("O2")
    if molecule is not None and mode not in _WITH_ELEMENTS:
        shift = fit.reference_energies_eV["O"] - molecule.energy_eV / molecule.composition["O"]
    notes = [fit.note] if fit.note else []
    notes += peroxides + polymorphs
    notes += [f"{formula} was not computed: {reason}" for formula, reason in computed.left_out.items()]
    return ReferenceSet(
        mode=mode,
        references=fit,
        phases=phases,
        ladder=ladder,
        oxygen_spread_eV=float(np.std([s.oxygen_eV for s in ladder])) if len(ladder) > 1 else None,
        oxygen_minus_half_O2_eV=shift,
        notes=notes,
    )


def _lowest_polymorphs(computed: ComputedPhases) -> tuple[ComputedPhases, list[str]]:
    """One energy per composition, the lowest per atom, and what was passed over for it.

    An element or oxide that is computed in several crystals or magnetic orders has one formation energy: references and
    the redox ladder rest on the ground state.
    """
    groups: dict[tuple[tuple[str, float], ...], list[ComputedEnergy]] = {}
    for e in computed.energies:
        groups.setdefault(tuple(sorted(_per_atom(e.formula).items())), []).append(e)
    kept, notes = [], []
    for group in groups.values():
        lowest, *others = sorted(group, key=_energy_per_atom_eV)
        kept.append(lowest)
        if others:
            gap = _energy_per_atom_eV(others[0]) - _energy_per_atom_eV(lowest)
            notes.append(
                f"{lowest.formula}: the lowest of {len(group)} structures is taken; the next lies {gap:.3f} eV per "
                "atom above"
            )
    return computed.model_copy(update={"energies": kept}), notes


def _energy_per_atom_eV(computed: ComputedEnergy) -> float:
    return computed.energy_eV / sum(computed.composition.values())


def oxygen_ladder(compounds: Sequence[CompoundEnergy]) -> list[LadderStep]:
    """Energies of oxygen from oxidation steps between oxides of one cation.

    Parameters
    ----------
    compounds
        Oxides with their measured enthalpies; peroxides must not be among them.

    Returns
    -------
    list[LadderStep]
        Neighbouring oxides of each cation, from the oxygen-poor end.

    Raises
    ------
    ValueError
        If no cation has two oxides.
    """
    by_cation: dict[str, list[tuple[float, CompoundEnergy]]] = {}
    for c in compounds:
        atoms = formula_composition(c.formula)
        if len(atoms) == 2 and "O" in atoms:
            cation = next(el for el in atoms if el != "O")
            by_cation.setdefault(cation, []).append((atoms["O"] / atoms[cation], c))
    steps = []
    for cation, oxides in sorted(by_cation.items()):
        oxides.sort(key=lambda pair: pair[0])
        for (less, poor), (more, rich) in pairwise(oxides):

            def gap(c: CompoundEnergy, element: str = cation) -> float:
                return (c.model_energy_eV - c.formation_energy_eV) / formula_composition(c.formula)[element]

            steps.append(
                LadderStep(
                    reaction=f"{poor.formula} -> {rich.formula}", oxygen_eV=(gap(rich) - gap(poor)) / (more - less)
                )
            )
    if not steps:
        raise ValueError(
            "a redox ladder needs two oxides of one cation with measured enthalpies, e.g. Fe3O4 and Fe2O3; "
            f"given: {', '.join(c.formula for c in compounds) or 'none'}"
        )
    return steps


def _from_elements(computed: ComputedPhases, elements: Sequence[str]) -> SpeciesFit:
    found = {el: computed.energy_of(element_formula(el)) for el in elements}
    missing = [element_formula(el) for el, e in found.items() if e is None]
    if missing:
        reasons = [f"{m} ({computed.left_out.get(m, 'not among the phases given')})" for m in missing]
        raise ValueError(
            f"references from elements need {', '.join(reasons)}; compute them, or use the mode 'redox ladder'"
        )
    energies = {el: e.energy_eV / sum(e.composition.values()) for el, e in found.items() if e is not None}
    scheme = correction_scheme(computed.energies[0].provenance)
    note = "references are the computed elements" + ("" if scheme == "none" else f", corrected by {scheme}")
    if scheme == MP2020:
        # The scheme was fitted to enthalpies of formation, which count from O2 at 298 K.
        note += f"; its zero of oxygen is O2 at 298 K, {heat_content_eV():.3f} eV per O above that of the gas"
    if scheme == "none" and computed.energies[0].provenance.level_of_theory != "local":
        note += "; semilocal functionals bind O2 by about 0.5 eV per O too strongly: no correction was made"
    return SpeciesFit(
        reference_energies_eV=energies,
        residuals_eV={},
        rms_eV=0.0,
        rms_eV_per_atom=0.0,
        error_bar_eV=0.0,
        compounds=len(energies),
        rank=len(energies),
        degrees_of_freedom=0,
        indicative=False,
        note=note,
        provenance=computed.energies[0].provenance,
    )


def _from_ladder(
    compounds: Sequence[CompoundEnergy], ladder: Sequence[LadderStep], elements: Sequence[str], shift_eV: float
) -> SpeciesFit:
    oxygen = float(np.mean([s.oxygen_eV for s in ladder])) + shift_eV
    cations = [el for el in elements if el != "O"]
    tables = [formula_composition(c.formula) for c in compounds]
    sizes = np.array([sum(t.values()) for t in tables])
    counts = np.array([[t.get(el, 0.0) for el in cations] for t in tables]) / sizes[:, None]
    target = [
        c.model_energy_eV - c.formation_energy_eV - t["O"] * oxygen for c, t in zip(compounds, tables, strict=True)
    ]
    if np.linalg.matrix_rank(counts) < len(cations):
        raise ValueError(
            f"the oxides {', '.join(c.formula for c in compounds)} do not fix all of {', '.join(cations)}: add oxides "
            "with measured enthalpies"
        )
    values = np.linalg.lstsq(counts, np.array(target) / sizes, rcond=None)[0]
    energies = {el: float(x) for el, x in zip(cations, values, strict=True)} | {"O": oxygen}
    residuals = {
        c.formula: c.model_energy_eV - c.formation_energy_eV - sum(n * energies[el] for el, n in t.items())
        for c, t in zip(compounds, tables, strict=True)
    }
    squares = np.array(list(residuals.values())) ** 2
    freedom = len(compounds) - len(cations) - 1
    spread = float(np.std([s.oxygen_eV for s in ladder]))
    return SpeciesFit(
        reference_energies_eV=energies,
        residuals_eV=residuals,
        rms_eV=float(np.sqrt(squares.mean())),
        rms_eV_per_atom=float(np.sqrt((squares / sizes**2).mean())),
        error_bar_eV=float(np.sqrt(squares.sum() / freedom)) if freedom > 0 else None,
        compounds=len(compounds),
        rank=len(elements),
        degrees_of_freedom=max(freedom, 0),
        indicative=True,
        note=f"oxide-only references: no metal and no O2; oxygen from {len(ladder)} oxidation step(s), spread "
        f"{spread:.2f} eV; the potentials of the cations follow from the computed phases, so that the error of a "
        "formation energy is what the spread of oxygen does to it",
        provenance=compounds[0].provenance,
    )


def _with_enthalpies(computed: ComputedPhases, elements: Sequence[str]) -> list[CompoundEnergy]:
    """Computed oxides of one cation with measured enthalpies; peroxides and the hosts stay out of the fit."""
    measured = {p.formula: p.formation_energy_eV for p in load_experimental_phases(elements) if p.confidence == "known"}
    out = []
    for formula, enthalpy in measured.items():
        energy = computed.energy_of(formula)
        if energy is None or energy.oxide_type != "oxide" or len(formula_composition(formula)) != 2:
            continue
        units = sum(energy.composition.values()) / sum(formula_composition(formula).values())
        out.append(
            CompoundEnergy(
                formula=formula,
                model_energy_eV=energy.energy_eV / units,
                formation_energy_eV=enthalpy,
                provenance=energy.provenance,
            )
        )
    if not out:
        raise ValueError("none of the computed phases has a measured formation enthalpy to fit references to")
    return out


def _phases(computed: ComputedPhases, fit: SpeciesFit, *, measured_peroxides: bool) -> tuple[list[Phase], list[str]]:
    """Formation energies, and notes on peroxides.

    An energy of oxygen fitted to oxides carries what a functional gets wrong about O2-, which has no O-O bond: with it
    a peroxide comes out too stable by the order of 1 eV. Measured enthalpies stand in for computed peroxides.
    """
    out, notes = [], []
    for e in computed.energies:
        atoms = e.composition
        if len(atoms) < 2:
            continue
        if measured_peroxides and e.oxide_type != "oxide":
            known = [p for p in load_experimental_phases(atoms) if _per_atom(p.formula) == _per_atom(e.formula)]
            out += known
            instead = "its measured enthalpy is used" if known else "it is left out"
            notes.append(f"{e.formula} is a {e.oxide_type}, for which oxygen fitted to oxides does not hold: {instead}")
            continue
        out.append(
            Phase(
                formula=e.formula,
                formation_energy_eV=e.energy_eV - sum(n * fit.reference_energies_eV[el] for el, n in atoms.items()),
                uncertainty_eV=fit.error_bar_eV or 0.0,
                confidence="computed",
                source=f"computed, engine {e.provenance.engine}",
                provenance=e.provenance,
            )
        )
    return out, notes


def _per_atom(formula: str) -> dict[str, float]:
    atoms = formula_composition(formula)
    total = sum(atoms.values())
    return {el: round(n / total, 6) for el, n in atoms.items()}
