"""Modes at Gamma of a host cell and its vacancies, through phonopy (extra ``phonons``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jobflow import Flow, job
from numpy.typing import NDArray
from pymatgen.core import Structure

from ...analysis.defects.defect_vibrations import CellModes, DefectVibrations, defect_vibrations
from ...analysis.defects.vacancies import VacancySet
from ...analysis.kinetics.attempt_frequency import without_translations
from ..ase.atoms import to_atoms
from ..ase.jobs import AseEngine
from ..engine import CannotDoError, Engine
from ..jobs.kinds import as_calculation
from ..maker import EngineMaker
from ..stage import Question, Stage, StageOption, StudyInMaking
from ..vibrations.hessian import full_hessian, require_phonopy

# No ion of these cells hops, so none is told apart from its like.
_NO_MOVER = -1
TEMPERATURES_K = (0.0, 300.0, 600.0, 900.0, 1200.0)


@dataclass
class DefectVibrationsMaker(EngineMaker):
    """Frequencies of a finished set of vacancies.

    Attributes
    ----------
    engine
        The engine of the set; it must give forces here.
    displacement_A
        Step of the finite differences.
    """

    engine: Engine = field(kw_only=True)
    displacement_A: float = 0.01
    name: str = "defect vibrations"

    def make(self, vacancies: VacancySet, labels: list[str] | None = None) -> Flow:
        """Flow whose output is a `CellModes`.

        Parameters
        ----------
        vacancies
            Relaxed vacancies and their host, or a reference to them.
        labels
            Which of them; all by default.

        Raises
        ------
        CannotDoError
            If the engine is no ASE calculator.
        """
        if not isinstance(self.engine, AseEngine):
            raise CannotDoError(f"engine {self.engine.name} gives no forces here; vibrations need an ASE calculator")
        modes_job = as_calculation(
            cell_modes(self.engine, vacancies, labels, self.displacement_A), self.engine.kind_for("phonon")
        )
        return Flow([modes_job], output=modes_job.output, name=self.name)


@job(name="defect modes")
def cell_modes(engine: AseEngine, vacancies: VacancySet, labels: list[str] | None, displacement_A: float) -> CellModes:
    """Modes of the host and of each vacancy; outputs a `CellModes`.

    Raises
    ------
    ValueError
        If a label is unknown.
    ImportError
        If phonopy is not installed.
    """
    known = {v.label: v.calculation.structure for v in vacancies.vacancies}
    chosen = list(known) if labels is None else labels
    stray = sorted(set(chosen) - set(known))
    if stray:
        raise ValueError(f"no vacancy {stray[0]!r} in the set; there are {', '.join(known)}")
    calls = 0

    def modes(structure: Structure) -> list[float]:
        nonlocal calls
        atoms = to_atoms(structure)
        calculator = engine.make_calculator(atoms, None)

        def forces(moved: object) -> NDArray[np.float64]:
            nonlocal calls
            calls += 1
            moved.calc = calculator  # type: ignore[attr-defined]
            return np.asarray(moved.get_forces())  # type: ignore[attr-defined]

        _, found = full_hessian(atoms, _NO_MOVER, forces, displacement_A)
        return [float(x) for x in without_translations(found)]

    with engine.quiet():
        host = modes(vacancies.host.structure)
        found = {label: modes(known[label]) for label in chosen}
    return CellModes(host_THz=host, vacancies_THz=found, force_calls=calls, provenance=engine.provenance())


@job(name="vibrational terms")
def vibrational_terms(vacancies: VacancySet, modes: CellModes, temperatures_K: list[float]) -> DefectVibrations:
    """Terms of the formation energies; outputs a `DefectVibrations`."""
    return defect_vibrations(vacancies, modes, temperatures_K)


def temperatures_K(said: str | float | Sequence[float]) -> tuple[float, ...]:
    """Temperatures from a text with commas, a number or a list.

    Raises
    ------
    ValueError
        If one is no number from 0 to 10000.
    """
    given = said.split(",") if isinstance(said, str) else [said] if isinstance(said, int | float) else said
    try:
        temperatures = tuple(float(one) for one in given)
    except (TypeError, ValueError):
        temperatures = ()
    if not temperatures or not all(0 <= t <= 1e4 for t in temperatures):
        raise ValueError("no list of temperatures between 0 and 10000 K, e.g. 300,900")
    return temperatures


class DefectVibrationsStage(Stage):
    """What vibrations add to the formation energies of the vacancies."""

    name = "defect vibrations"
    citations = ("phonopy",)
    place = 92.0
    needs = ("relax", "static")
    after = ("vacancies",)
    document = DefectVibrations
    kinds = ("phonon",)
    options = (
        StageOption(
            "vibrational_term_K",
            "Temperatures of the vibrational terms of formation energies [default: 0,300,600,900,1200].",
            temperatures_K,
            TEMPERATURES_K,
        ),
    )

    def engine_reason(self, question: Question) -> str:
        """Whole Hessians need forces in this process, and phonopy."""
        if reason := super().engine_reason(question):
            return reason
        if not isinstance(question.engine, AseEngine):
            return f"engine {question.engine.name} gives no forces here; use an engine that computes with ASE"
        try:
            require_phonopy()
        except ImportError as error:
            return str(error)
        return ""

    def build(self, study: StudyInMaking) -> Flow:
        """Modes of the cells of the stage ``vacancies``, then their free energies."""
        vacancies = study.outputs["vacancies"]
        modes = DefectVibrationsMaker(engine=study.engine).make(vacancies)
        terms = vibrational_terms(vacancies, modes.output, list(study.option("vibrational_term_K")))
        return Flow([modes, terms], output=terms.output, name=self.name)


STAGE = DefectVibrationsStage()
