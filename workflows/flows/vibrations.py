"""Vibrations of a converged hop: prefactors both ways from a sphere around the mover or from all atoms."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from jobflow import Flow, Response, job

from ...analysis.kinetics.attempt_frequency import AttemptFrequency, frequencies_THz
from ...analysis.results.calculation import Band, Calculation, require_valid
from ...stored.caching import cache_version
from ..ase.atoms import from_atoms
from ..ase.jobs import AseEngine
from ..engine import CannotDoError, Engine
from ..jobs.kinds import as_calculation
from ..maker import EngineMaker
from ..stage import Question, Stage, StageOption, StudyInMaking
from ..vibrations.hessian import hessian_of, require_phonopy
from ..vibrations.jobs import LEFT_OUT, vibrations_here
from ..vibrations.states import Request, StateHessian, VibratingHop
from .migration import hop_label

RADIUS_A = 3.2


@dataclass
class VibrationsMaker(EngineMaker):
    """Attempt frequencies of a hop from a converged band.

    Attributes
    ----------
    engine
        Any engine with ``static``. An ASE calculator does it in one job; another one gets a single point for every
        displacement, which its queue may run side by side.
    radius_A
        Only atoms within this distance of the mover's path vibrate; None takes all atoms (with an ASE calculator
        through phonopy, whose symmetry saves force calls).
    displacement_A
        Step of the finite differences.
    force_limit_eV_per_A
        Largest force on a state that still counts as stationary.
    """

    engine: Engine = field(kw_only=True)
    radius_A: float | None = RADIUS_A
    displacement_A: float = 0.01
    force_limit_eV_per_A: float = 0.05
    name: str = "vibrations"

    def make(self, band: Band, label: str = "hop") -> Flow:
        """Flow whose output is an `AttemptFrequency`.

        Parameters
        ----------
        band
            Converged band, or a reference to it.
        label
            The hop in words.

        Raises
        ------
        CannotDoError
            If the engine has no single points.
        ImportError
            If all atoms shall vibrate with an ASE calculator and phonopy is not installed.
        ValueError
            If the radius or the step is not positive.
        """
        self.engine.require("static")
        for name in ("radius_A", "displacement_A"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} = {value} must be positive")
        here = isinstance(self.engine, AseEngine)
        if here and self.radius_A is None:
            require_phonopy()
        request = asdict(Request(label, self.radius_A, self.displacement_A, self.force_limit_eV_per_A))
        start = vibrations_here if here else vibrations_by_statics
        modes_job = start(self.engine, band, request)
        if here:
            as_calculation(modes_job, self.engine.kind_for("phonon"))
        return Flow([modes_job], output=modes_job.output, name=self.name)


@job(name="displacements")
@cache_version(3)
def vibrations_by_statics(engine: Engine, band: Band, request: dict[str, object]) -> Response[Any]:
    """One single point for each state and displacement, then the modes; replaced by those jobs.

    Raises
    ------
    InvalidResultError
        If the band failed a guard.
    """
    asked = Request(**request)  # type: ignore[arg-type]
    hop = VibratingHop(band, asked.radius_A)
    like = band.images[0].structure
    jobs = [
        engine.static(from_atoms(atoms, like), name=f"phonon displacement {n}", mover=hop.mover)
        for n, atoms in enumerate(hop.displaced(asked.displacement_A))
    ]
    last = modes_of_statics(engine, band, request, [one.output for one in jobs])
    return Response(replace=Flow([*jobs, last], output=last.output))


@job(name="vibrations")
@cache_version(3)
def modes_of_statics(
    engine: Engine, band: Band, request: dict[str, object], found: list[Calculation]
) -> AttemptFrequency:
    """Modes from the single points that `vibrations_by_statics` asked for; outputs an `AttemptFrequency`.

    Raises
    ------
    InvalidResultError
        If the band or a single point failed a guard.
    CannotDoError
        If the engine's single points carry no forces.
    """
    asked = Request(**request)  # type: ignore[arg-type]
    hop = VibratingHop(band, asked.radius_A)
    forces = []
    for one in found:
        require_valid(one.checks, one.name)
        if one.forces_eV_per_A is None:
            raise CannotDoError(f"single points of engine {engine.name} carry no forces, so there are no vibrations")
        forces.append(np.array(one.forces_eV_per_A))
    each = 1 + 6 * len(hop.chosen)
    states = []
    for n, atoms in enumerate(hop.states):
        own = forces[n * each : (n + 1) * each]
        hessian = hessian_of(own[1:], hop.chosen, asked.displacement_A)
        frequencies = frequencies_THz(hessian, atoms.get_masses()[hop.chosen])
        states.append(StateHessian(hessian, frequencies, float(np.linalg.norm(own[0], axis=1).max())))
    calls = sum(one.force_calls for one in found)
    return hop.attempt_frequency(asked, states, calls, engine.provenance(LEFT_OUT))


def vibrating_radius_A(said: object) -> float | None:
    """Radius of the sphere whose ions vibrate; ``all`` is None.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if isinstance(said, str) and said.strip().lower() == "all":
        return None
    try:
        radius = float(said)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        radius = 0.0
    if not 0 < radius < 100:
        raise ValueError("neither a radius in Angstrom between 0 and 100 nor 'all'")
    return radius


class VibrationsStage(Stage):
    """Attempt frequencies of the hop."""

    name = "vibrations"
    citations = ("vineyard1957",)
    place = 60.0
    needs = ("static", "band")
    when = "unasked of quick engines"
    document = AttemptFrequency
    kinds = ("phonon",)
    options = (
        StageOption(
            "vibrating_A",
            "Radius around the mover whose ions vibrate, or all [default: 3.2].",
            vibrating_radius_A,
            RADIUS_A,
            of_maker="vibrating_radius_A",
        ),
    )

    def why_not(self, question: Question) -> str:
        """Without a band nothing vibrates about its states."""
        if not question.done("migration"):
            return "they are those of the hop of the stage migration, which is not done"
        return super().why_not(question)

    def build(self, study: StudyInMaking) -> Flow:
        """Vibrations of the states of the stage ``migration``."""
        maker = VibrationsMaker(engine=study.engine, radius_A=study.maker.vibrating_radius_A)
        return maker.make(study.outputs["migration"]["band"], hop_label(study.host))


STAGE = VibrationsStage()
