"""Stage of the orbital states: crystal field of t2g holes from total energies, for engines that can place a hole."""

from __future__ import annotations

from typing import Any

from jobflow import Flow, job

from ...analysis.magnetism.orbital_states import OrbitalState, OrbitalStates, orbital_states
from ..evaluation.guards import open_t2g_shells
from ..jobs.outputs import output_of
from ..stage import Question, Stage, StudyInMaking
from ..thermal import KnowsHoles
from .building import accept_structure


class OrbitalStatesStage(Stage):
    """K1, K2 and orbital moments from the crystal field of t2g holes, of the host and of a hop's moving ion."""

    name = "orbital states"
    place = 71.0
    needs = ("static",)
    document = OrbitalStates
    kinds = ("static",)
    citations = ("10.1103/PhysRevB.82.195128", "10.1103/PhysRev.110.1341")

    def engine_reason(self, question: Question) -> str:
        """Only an engine that can place a hole."""
        reason = super().engine_reason(question)
        if reason or isinstance(question.engine, KnowsHoles):
            return reason
        return f"engine {question.engine.name} has no control over the occupation of orbitals"

    def host_reason(self, question: Question) -> str:
        """An ion with an open t2g shell is needed."""
        if open_t2g_shells(question.cell):
            return ""
        which = "d1, d2, d6 or d7 at high spin in an octahedron"
        return f"host {question.host.key} has no ion with an open t2g shell ({which})"

    def build(self, study: StudyInMaking) -> Flow:
        """One job for the host, and one for the moving ion before and after a hop."""
        engine = study.engine
        assert isinstance(engine, KnowsHoles)
        temperature = study.maker.assumptions.film.temperature_K
        accepted = accept_structure(study.bulk)
        pristine = output_of(accepted)
        jobs: list[Any] = [
            engine.orbital_state(pristine, state="pristine", name="holes pristine", temperature_K=temperature)
        ]
        moved = (study.outputs.get("migration") or {}).get("read")
        if moved is not None:
            jobs += [
                engine.orbital_state(
                    moved[state], state=state, name=f"holes {state}", ions=[moved["mover"]], temperature_K=temperature
                )
                for state in ("before", "after")
            ]
        last = collect_orbital_states([output_of(m) for m in jobs])
        return Flow([accepted, *jobs, last], output=last.output, name=self.name)


@job(name="orbital states")
def collect_orbital_states(states: list[OrbitalState | None]) -> OrbitalStates:
    """Those that have an open shell; outputs an `OrbitalStates`."""
    return orbital_states([s for s in states if s is not None])


STAGE = OrbitalStatesStage()
