"""Anisotropy flow: one spin-orbit map per state, on one set of directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from jobflow import Flow, OutputReference, Response, job
from pymatgen.core import Structure

from ...analysis.audit.known_values import measured_ordering
from ...analysis.magnetism.anisotropy import AnisotropyMap
from ...analysis.magnetism.directions import lebedev_directions, plane_scan
from ...analysis.magnetism.reduced_directions import ReducedDirections, reduce_directions
from ...analysis.magnetism.thermal_anisotropy import FERRIC_SPIN, brillouin_order
from ...structures.host import Host
from ..engine import Engine
from ..jobs.outputs import output_of
from ..maker import EngineMaker
from ..stage import Question, Stage, StageOption, StudyInMaking
from ..thermal import KnowsTemperature
from .building import Repeats, accept_structure, build_same_hop, tolerant
from .frozen_exchange import FrozenExchangeMaker, needs_engine
from .migration import room_reason
from .vacancies import vacancy_structure


@dataclass
class AnisotropyMaker(EngineMaker):
    """E(n) of several states.

    Attributes
    ----------
    engine
        Supplies ``spin_orbit``.
    lebedev_order
        Order of the quadrature whose points are the directions; every n comes with -n.
    plane
        Normal of a crystal plane: directions around it in place of the quadrature.
    plane_points
        Directions of a plane scan, an even number.
    use_symmetry
        Compute one direction per orbit of each state's magnetic point group, and its opposite; of a state that is not
        computed yet the directions are chosen when it is.
    """

    engine: Engine = field(kw_only=True)
    lebedev_order: int = 15
    plane: Sequence[float] | None = None
    plane_points: int = 24
    use_symmetry: bool = False
    name: str = "anisotropy"

    def directions(self) -> list[list[float]]:
        """Unit vectors, shape (n_directions, 3)."""
        if self.plane is not None:
            vectors = plane_scan(self.plane, self.plane_points)
        else:
            vectors = lebedev_directions(self.lebedev_order).vectors
        return [[float(x) for x in row] for row in vectors]

    def savings(self, structure: Structure) -> ReducedDirections:
        """What symmetry leaves to compute for a structure, and how much it saves (``str`` says it in words)."""
        return reduce_directions(structure, self.directions())

    def make(self, states: Mapping[str, Structure], near: Sequence[float] | None = None) -> Flow:
        """Flow whose output is ``{state: AnisotropyMap}``.

        Parameters
        ----------
        states
            Structures, or references to them, by the name of the state.
        near
            Fractional position of the defect, for engines that can restrict themselves to its surroundings.
        """
        self.engine.require("spin_orbit")
        maps = {state: self._map(structure, state, near) for state, structure in states.items()}
        collected = tolerant(collect_maps({state: output_of(one) for state, one in maps.items()}))
        return Flow([*maps.values(), collected], output=collected.output, name=self.name)

    def _map(self, structure: Structure | OutputReference, state: str, near: Sequence[float] | None) -> Any:
        """Flow or job of one state's map."""
        if not self.use_symmetry:
            return self._directions_of(cast("Structure", structure), state, self.directions(), near)
        if isinstance(structure, Structure):
            return self.reduced_map(structure, state, near)
        later = map_by_symmetry(structure, maker=self, state=state, near=near)
        later.name = f"E(n) {state}: directions by symmetry"
        return later

    def reduced_map(self, structure: Structure, state: str, near: Sequence[float] | None = None) -> Flow:
        """One direction of each orbit and its opposite, and the whole map from them."""
        reduced = self.savings(structure)
        map_job = self._directions_of(structure, state, reduced.vectors, near)
        whole = expand_map(output_of(map_job), reduced)
        return Flow([map_job, whole], output=whole.output, name=f"E(n) {state}")

    def _directions_of(
        self, structure: Structure, state: str, vectors: list[list[float]], near: Sequence[float] | None
    ) -> Any:
        return self.engine.spin_orbit(structure, directions=vectors, state=state, name=f"E(n) {state}", near=near)


@job(name="directions by symmetry")
def map_by_symmetry(
    structure: Structure, *, maker: AnisotropyMaker, state: str, near: Sequence[float] | None = None
) -> Response[Any]:
    """Jobs of a state that has been computed meanwhile; replaced by them."""
    flow = maker.reduced_map(structure, state, near)
    return Response(replace=flow)


@job(name="expand map")
def expand_map(map_: AnisotropyMap, reduced: ReducedDirections) -> AnisotropyMap:
    """The map on all directions from those that were computed."""
    return reduced.expand_map(map_)


@job(name="collect maps")
def collect_maps(maps: dict[str, AnisotropyMap | None]) -> dict[str, AnisotropyMap]:
    """The maps by state, without those that were not to be had; whether each may be used its checks say."""
    return {state: map_ for state, map_ in maps.items() if map_ is not None}


def listed(said: str | Sequence[str]) -> tuple[str, ...]:
    """Words of a list, or of a text with commas."""
    words = said.split(",") if isinstance(said, str) else said
    return tuple(word.strip() for word in words if word.strip())


class AnisotropyStage(Stage):
    """E(n) of the host, of the states before and after the hop, and of chosen vacancies.

    Output: ``maps`` by state; of an engine that knows its ions' levels also ``warm``, those before and after the hop at
    the film's temperature; and the coupling to a frozen reference that the engine computed, ``turned``, by state.
    """

    name = "anisotropy"
    citations = ("lebedev1975",)
    place = 70.0
    needs = ("spin_orbit",)
    when = "unasked"
    main = True
    kinds = ("spin-orbit", "static", "relax")
    options = (
        StageOption(
            "maps",
            "Vacancies whose E(n) is computed too, e.g. 'V_O(1),V_O(2)' [default: none].",
            listed,
            (),
            of_maker="vacancy_maps",
        ),
    )

    def note(self, question: Question) -> str:
        """Where a dear engine computes the states of the hop."""
        if not question.engine.dear_spin_orbit or not question.done("migration") or question.repeats is None:
            return ""
        small = map_repeats(question.host, question.cell, question.repeats)
        if small == question.repeats:
            return ""
        atoms = len(question.cell) * small[0] * small[1] * small[2] - 1
        return (
            f"the states before and after the hop are relaxed and mapped in a cell of {atoms} atoms, not the band's: "
            "a direction of spin-orbit coupling in that one costs as much as the band"
        )

    def build(self, study: StudyInMaking) -> Flow:
        """Maps, and two statics per state where h of a reference is left to the engine."""
        pristine = accept_structure(study.bulk)
        jobs: list[Any] = [pristine]
        states = {"pristine": output_of(pristine)}
        moved = (study.outputs.get("migration") or {}).get("read")
        if moved is not None:
            ends, made = self._hop_states(study, moved)
            states |= ends
            jobs += made
        vacancies = study.outputs.get("vacancies")
        picked = {label: vacancy_structure(vacancies, label) for label in study.maker.vacancy_maps}
        states |= {label: output_of(one) for label, one in picked.items()}
        maps = AnisotropyMaker(
            engine=study.engine,
            lebedev_order=study.engine.map_order(study.maker.lebedev_order),
            use_symmetry=study.engine.dear_spin_orbit,
        ).make(states)
        jobs += [*picked.values(), maps]
        warm = self._warm(study, {s: states[s] for s in ("before", "after") if s in states})
        jobs += [] if warm is None else [warm]
        turned = None
        reference = study.maker.assumptions.reference
        if moved is not None and reference is not None and needs_engine(reference):
            turning = FrozenExchangeMaker(engine=study.engine, reference=reference)
            turned = turning.make(moved["before"], moved["after"], moved["mover"])
            jobs.append(turned)
        output = {
            "maps": maps.output,
            "warm": None if warm is None else warm.output,
            "turned": None if turned is None else turned.output,
        }
        return Flow(jobs, output=output, name=self.name)

    def _warm(self, study: StudyInMaking, states: dict[str, Any]) -> Flow | None:
        """Free energies of the states of the hop at the film's temperature, exchange fields following M(T)."""
        engine, temperature_K = study.engine, study.maker.assumptions.film.temperature_K
        ordering_K, _ = measured_ordering(study.host.key)
        if not states or not isinstance(engine, KnowsTemperature) or ordering_K is None or temperature_K >= ordering_K:
            return None
        maker = AnisotropyMaker(
            engine=engine.at_temperature(temperature_K, brillouin_order(temperature_K, ordering_K, FERRIC_SPIN)),
            lebedev_order=study.engine.map_order(study.maker.lebedev_order),
            name=f"anisotropy at {temperature_K:g} K",
        )
        flow = maker.make(states)
        for warm_job, _ in flow.iterflow():
            warm_job.name += f" at {temperature_K:g} K"
        return flow

    def _hop_states(self, study: StudyInMaking, moved: Any) -> tuple[dict[str, Any], list[Any]]:
        """Structures before and after the hop: the band's ends, or of a dear engine the same hop in a small cell."""
        repeats = study.maker.repeats
        small = map_repeats(study.host, study.host.structure(study.order), repeats)
        if not study.engine.dear_spin_orbit or small == repeats:
            return {state: moved[state] for state in ("before", "after")}, []
        hop = build_same_hop(study.bulk, small, study.host_key, moved["migration"].displacement_A)
        out = output_of(hop)
        jobs: list[Any] = [hop]
        states = {}
        for state, structure in (("before", out.initial), ("after", out.final)):
            relaxed = study.engine.relax(structure, name=f"map {state} relax", mover=out.mover)
            accepted = accept_structure(relaxed.output)
            jobs += [relaxed, accepted]
            states[state] = accepted.output
        return states, jobs


def map_repeats(host: Host, cell: Structure, repeats: Repeats) -> Repeats:
    """Repeats of the cell in which a dear engine maps the states of a hop: one, if the hop has room in the cell."""
    small = (1, 1, 1)
    return repeats if room_reason(host, cell, small) else small


STAGE = AnisotropyStage()
