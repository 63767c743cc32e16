"""What an engine is that knows more of E(n): its value at a temperature, or the crystal field of a t2g hole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from .engine import Engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobflow import Job
    from pymatgen.core import Structure


@runtime_checkable
class KnowsTemperature(Protocol):
    """Engine with levels of its ions, so that E(n) is a free energy."""

    def at_temperature(self, temperature_K: float, order: float) -> Engine:
        """The engine at a temperature, its exchange fields times M(T)/M(0)."""
        ...


@runtime_checkable
class KnowsHoles(Protocol):
    """Engine with control over the occupation of orbitals."""

    def orbital_state(
        self,
        structure: Structure,
        *,
        state: str,
        name: str,
        ions: Sequence[int] | None = None,
        temperature_K: float = 300.0,
    ) -> Job:
        """Job whose output is an `OrbitalState` of a cell; None where none of the ions has an open t2g shell."""
        ...
