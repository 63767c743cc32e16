"""Anisotropy flow: one spin-orbit map per state, on one set of directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobflow import Flow, Maker, job
from pymatgen.core import Structure

from ...analysis.magnetism.anisotropy import AnisotropyMap
from ...analysis.magnetism.directions import lebedev_directions, plane_scan
from ...analysis.magnetism.reduced_directions import ReducedDirections, reduce_directions
from ...stored.base import Stored
from ..engine import Engine
from ..outputs import output_of
from ..stage import Stage, StudyInMaking
from .building import accept_structure, tolerant
from .frozen_exchange import FrozenExchangeMaker, needs_engine
from .vacancies import vacancy_structure


@dataclass
class AnisotropyMaker(Stored, Maker):
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
        Compute one direction per orbit of each state's magnetic point group, and its opposite. The states must
        then be structures, not references to jobs that have not run.
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

        Raises
        ------
        ValueError
            If symmetry was asked for and a state is a reference.
        """
        self.engine.require("spin_orbit")
        jobs: list[Any] = []
        outputs = {}
        for state, structure in states.items():
            if self.use_symmetry and not isinstance(structure, Structure):
                raise ValueError(f"state {state} is not computed yet: use_symmetry needs its structure")
            reduced = self.savings(structure) if self.use_symmetry else None
            chosen = self.directions() if reduced is None else reduced.vectors
            made = self.engine.spin_orbit(structure, directions=chosen, state=state, name=f"E(n) {state}", near=near)
            jobs.append(made)
            outputs[state] = made.output
            if reduced is not None:
                whole = expand_map(made.output, reduced)
                jobs.append(whole)
                outputs[state] = whole.output
        collected = tolerant(collect_maps(outputs))
        return Flow([*jobs, collected], output=collected.output, name=self.name)


@job(name="expand map")
def expand_map(map_: AnisotropyMap, reduced: ReducedDirections) -> AnisotropyMap:
    """The map on all directions from those that were computed."""
    return reduced.expand_map(map_)


@job(name="collect maps")
def collect_maps(maps: dict[str, AnisotropyMap | None]) -> dict[str, AnisotropyMap]:
    """The maps by state, without those that were not to be had; whether each may be used its checks say."""
    return {state: found for state, found in maps.items() if found is not None}


class AnisotropyStage(Stage):
    """E(n) of the host, of the states before and after the hop, and of chosen vacancies.

    Output: ``maps`` by state, and the coupling to a frozen reference that the engine computed, ``turned``, by state.
    """

    name = "anisotropy"
    place = 70.0
    needs = ("spin_orbit",)
    when = "unasked"
    main = True

    def build(self, study: StudyInMaking) -> Flow:
        """Maps, and two statics per state where h of a reference is left to the engine."""
        pristine = accept_structure(study.bulk)
        states = {"pristine": output_of(pristine)}
        moved = (study.outputs.get("migration") or {}).get("read")
        if moved is not None:
            states |= {state: moved[state] for state in ("before", "after")}
        vacancies = study.outputs.get("vacancies")
        picked = {label: vacancy_structure(vacancies, label) for label in study.maker.vacancy_maps}
        states |= {label: output_of(made) for label, made in picked.items()}
        maps = AnisotropyMaker(engine=study.engine, lebedev_order=study.maker.lebedev_order).make(states)
        jobs: list[Any] = [pristine, *picked.values(), maps]
        turned = None
        reference = study.maker.assumptions.reference
        if moved is not None and reference is not None and needs_engine(reference):
            turning = FrozenExchangeMaker(engine=study.engine, reference=reference)
            turned = turning.make(moved["before"], moved["after"], moved["mover"])
            jobs.append(turned)
        output = {"maps": maps.output, "turned": None if turned is None else turned.output}
        return Flow(jobs, output=output, name=self.name)


STAGE = AnisotropyStage()
