"""Anisotropy flow: one spin-orbit map per state, on one set of directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobflow import Flow, Maker, job
from pymatgen.core import Structure

from ..analysis.anisotropy import AnisotropyMap
from ..analysis.calculation import require_valid
from ..analysis.directions import lebedev_directions
from .engine import Engine


@dataclass
class AnisotropyMaker(Maker):
    """E(n) of several states.

    Attributes
    ----------
    engine
        Supplies ``spin_orbit``.
    lebedev_order
        Order of the quadrature whose points are the directions; every n comes with -n.
    """

    engine: Engine = field(kw_only=True)
    lebedev_order: int = 15
    name: str = "anisotropy"

    def directions(self) -> list[list[float]]:
        """Unit vectors, shape (n_directions, 3)."""
        return [[float(x) for x in row] for row in lebedev_directions(self.lebedev_order).vectors]

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
        jobs: list[Any] = []
        outputs = {}
        for state, structure in states.items():
            made = self.engine.spin_orbit(
                structure, directions=self.directions(), state=state, name=f"E(n) {state}", near=near
            )
            jobs.append(made)
            outputs[state] = made.output
        collected = collect_maps(outputs)
        return Flow([*jobs, collected], output=collected.output, name=self.name)


@job(name="collect maps")
def collect_maps(maps: dict[str, AnisotropyMap]) -> dict[str, AnisotropyMap]:
    """The maps by state, if every one of them may be used.

    Raises
    ------
    InvalidResultError
        If one failed a guard: maps of different electronic states do not compare.
    """
    for state, found in maps.items():
        require_valid(found.checks, f"the map of {state}")
    return maps
