"""Flow that computes the competing phases of a host with the same engine as the host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from jobflow import Flow, job
from pymatgen.core import Composition, Structure

from ...analysis.results.calculation import Calculation
from ...analysis.thermodynamics.computed_phases import ComputedPhases
from ...analysis.thermodynamics.energy_corrections import ComputedEnergy
from ...structures.competing_phases import competing_formulas, competing_oxides, competing_phase, rival_oxides
from ...structures.host import Host
from ..engine import CannotDoError, Engine
from ..maker import EngineMaker
from ..stage import Question, Stage, StudyInMaking
from .building import tolerant


@dataclass
class CompetingPhasesMaker(EngineMaker):
    """Relaxes every known phase made of some elements, cell included.

    A phase that the engine cannot describe (a metal or O2 for rigid ions) is left out with the engine's reason;
    which references that allows is `analysis.thermodynamics.computed_phases.reference_set`'s to say.

    Attributes
    ----------
    engine
        Supplies ``relax``.
    elements_engine
        Computes the elements instead, e.g. the same engine without U for the references of the mode ``MP2020``.
    molecules_keep_their_box
        Relax a molecule at fixed cell: its box is no crystal.
    """

    engine: Engine = field(kw_only=True)
    elements_engine: Engine | None = None
    molecules_keep_their_box: bool = True
    name: str = "competing phases"

    def make(self, elements: Sequence[str], formulas: Sequence[str] | None = None) -> Flow:
        """Flow whose output is a `ComputedPhases`.

        Parameters
        ----------
        elements
            Elements of the host; all known phases made of them are computed.
        formulas
            A choice of one's own instead.

        Raises
        ------
        CannotDoError
            If the engine cannot relax, or can describe none of the phases.
        ValueError
            If a formula is unknown.
        """
        for engine in (self.engine, self.elements_engine):
            if engine is not None:
                engine.require("relax")
        chosen = list(formulas) if formulas is not None else competing_formulas(elements)
        jobs, outputs, left_out = [], [], {}
        for formula in chosen:
            phase = competing_phase(formula)
            cell = phase.build()
            engine = self.engine
            if phase.kind == "element" and self.elements_engine is not None:
                engine = self.elements_engine
            try:
                engine.check(cell)
            except CannotDoError as error:
                left_out[formula] = str(error)
                continue
            relax_cell = not (self.molecules_keep_their_box and formula == "O2")
            phase_job = engine.relax(cell, name=f"{formula} relax", cell=relax_cell)
            jobs.append(phase_job)
            outputs.append(phase_job.output)
        if not jobs:
            raise CannotDoError(f"engine {self.engine.name} can describe none of {', '.join(chosen)}")
        done = [f for f in chosen if f not in left_out]
        collected = tolerant(collect_phases(done, outputs, left_out))
        return Flow([*jobs, collected], output=collected.output, name=self.name)


@job(name="collect competing phases")
def collect_phases(
    formulas: list[str], calculations: list[Calculation | None], left_out: dict[str, str]
) -> ComputedPhases:
    """Energies per formula unit; a phase whose relaxation failed, or failed a check, is left out with that reason."""
    energies, rejected = [], dict(left_out)
    for formula, done in zip(formulas, calculations, strict=True):
        if done is None:
            rejected[formula] = "its relaxation ended with an error"
            continue
        if not done.converged:
            failed = ", ".join(c.name for c in done.checks if c.passed is False)
            rejected[formula] = f"its relaxation did not pass: {failed}"
            continue
        units = len(done.structure) / Composition(formula).num_atoms
        energies.append(
            ComputedEnergy(
                formula=formula,
                energy_eV=done.energy_eV / units,
                total_moment_muB=done.total_moment_muB / units,
                oxide_type="peroxide" if competing_phase(formula).kind == "peroxide" else "oxide",
                provenance=done.provenance,
            )
        )
    return ComputedPhases(energies=energies, left_out=rejected)


def phases_reason(host: Host, cell: Structure) -> str:
    """Why the phases known here cannot give this host a window; empty if they can."""
    if host.no_window:
        return host.no_window
    elements = {str(e) for e in cell.composition.elements}
    if "O" not in elements:
        return f"{host.formula} is no oxide, and only oxides are known as competing phases"
    oxides = competing_oxides(elements)
    made_of = [{str(e) for e in Composition(f).elements} - {"O"} for f in oxides]
    if missing := sorted(el for el in elements - {"O"} if {el} not in made_of):
        return f"no oxide of {', '.join(missing)} is known as a competing phase"
    if not any(made_of.count({el}) > 1 for el in elements):
        return "no cation has two known oxides, from whose oxidation the energy of oxygen follows"
    return ""


class CompetingPhasesStage(Stage):
    """Every known oxide of the host's elements but the host itself, whose cell the study has."""

    name = "competing phases"
    not_for_films = "its energy holds surfaces and interfaces, so that phases of the bulk bound no potential of it"
    place = 30.0
    needs = ("relax",)
    kinds = ("relax",)
    when = "unasked"
    document = ComputedPhases

    def why_not(self, question: Question) -> str:
        """Unasked only of engines that can afford and order them."""
        reason = super().why_not(question)
        if self.name in (question.requested or ()):
            return reason
        return reason or question.engine.phases_on_request

    def host_reason(self, question: Question) -> str:
        """Only oxides are known, and not of every element."""
        return phases_reason(question.host, question.cell)

    def follows(self, question: Question) -> bool:
        """Formation energies need a window, and some engines have their own."""
        return question.done("vacancies") and not question.engine.phases_on_request

    def build(self, study: StudyInMaking) -> Flow:
        """The phases of the elements of the ordered cell."""
        elements = {str(e) for e in study.host.structure(study.order).composition.elements}
        rivals = rival_oxides(study.host.formula, elements)
        return CompetingPhasesMaker(engine=study.engine).make(sorted(elements), rivals)


STAGE = CompetingPhasesStage()
