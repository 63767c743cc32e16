"""Stage of the chemical potentials: reference energies of the elements, where no competing phases give them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pymatgen.core import Composition

from ...analysis.defects.host_window import experimental_window
from ...analysis.thermodynamics.references import SpeciesFit
from ...structures.cells.binary_oxides import reference_phases
from ..stage import Question, Stage, StudyInMaking
from .competing_phases import phases_reason

if TYPE_CHECKING:
    from jobflow import Flow, Job


def references_reason(formula: str, references: Sequence[str]) -> str:
    """Why these reference compounds do not fix the energies of a host's elements; empty if they do."""
    known = [Composition(f) for f in references if f in reference_phases()]
    elements = sorted({str(e) for c in known for e in c.elements})
    missing = sorted({str(e) for e in Composition(formula).elements} - set(elements))
    rank = int(np.linalg.matrix_rank([[c[el] for el in elements] for c in known])) if known else 0
    if not missing and rank == len(elements):
        return ""
    named = ", ".join(references) or "none"
    lacking = f"they have no {', '.join(missing)}" if missing else f"{rank} of {len(elements)} are independent"
    return f"its reference compounds ({named}) do not fix the energy of each element: {lacking}"


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
        """A window of measured enthalpies needs one of the host, and references that fix its elements."""
        host = question.host
        reason = host.no_window or experimental_window(host.formula, question.enthalpies)[1]
        return reason or references_reason(host.formula, host.references)

    def follows(self, question: Question) -> bool:
        """They come with the vacancies."""
        return True

    def build(self, study: StudyInMaking) -> Job | Flow | None:
        """The engine's references; None where competing phases hold the oxides that they are fitted to."""
        if study.outputs.get("competing phases") is not None:
            return None
        return study.engine.references(study.host.references, name="reference energies")


STAGE = ChemicalPotentialsStage()
