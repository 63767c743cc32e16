"""Modes at Gamma of a host cell and its vacancies, through phonopy (extra ``phonons``)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jobflow import Flow, Maker, job
from numpy.typing import NDArray
from pymatgen.core import Structure

from ...analysis.defects.defect_vibrations import CellModes
from ...analysis.defects.vacancies import VacancySet
from ...analysis.kinetics.attempt_frequency import without_translations
from ...stored.base import Stored
from ..ase.atoms import to_atoms
from ..ase.jobs import AseEngine
from ..engine import CannotDoError, Engine
from ..kinds import as_calculation
from ..vibrations.hessian import full_hessian

# No ion of these cells hops, so none is told apart from its like.
_NO_MOVER = -1


@dataclass
class DefectVibrationsMaker(Stored, Maker):
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
        made = as_calculation(
            cell_modes(self.engine, vacancies, labels, self.displacement_A), self.engine.kind_for("phonon")
        )
        return Flow([made], output=made.output, name=self.name)


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
