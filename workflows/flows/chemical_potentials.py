"""Stage of the chemical potentials: reference energies of the elements, where no competing phases give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...analysis.defects.host_window import experimental_window
from ...analysis.thermodynamics.references import SpeciesFit
from ..stage import Question, Stage, StudyInMaking
from .competing_phases import phases_reason

if TYPE_CHECKING:
    from jobflow import Flow, Job


class ChemicalPotentialsStage(Stage):
    """References for the vacancies' formation energies; computed phases bring their own, and a window."""

    name = "chemical potentials"
    not_for_films = "its energy holds surfaces and interfaces, so that phases of the bulk bound no potential of it"
    place = 40.0
    needs = ("references",)
    kinds = ("relax",)
    when = "with others"
    document = SpeciesFit

    def why_not(self, question: Question) -> str:
        """Without vacancies nobody needs them; computed phases make them in any case."""
        if not question.done("vacancies"):
            return "there are no vacancies to use them"
        if question.done("competing phases"):
            return ""
        reason = self.engine_reason(question) or self.host_reason(question)
        if reason and not phases_reason(question.host, question.cell):
            reason += "; phases of an engine's own are the stage competing_phases (sevennet, chgnet, vasp: unasked)"
        return reason

    def host_reason(self, question: Question) -> str:
        """A window of measured enthalpies needs one of the host."""
        return question.host.no_window or experimental_window(question.host.formula, question.enthalpies)[1]

    def follows(self, question: Question) -> bool:
        """They come with the vacancies."""
        return True

    def build(self, study: StudyInMaking) -> Job | Flow | None:
        """The engine's references; None where competing phases hold the oxides that they are fitted to."""
        if study.outputs.get("competing phases") is not None:
            return None
        return study.engine.references(study.host.references, name="reference energies")


STAGE = ChemicalPotentialsStage()
