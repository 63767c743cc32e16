"""What a job is expected to cost, for every engine that can say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ExpectedCost:
    """A kind of job of a study and its expected cost, which is not its time limit.

    Attributes
    ----------
    name, purpose
        Short, and in words.
    count
        How many such jobs the study has.
    atoms, electrons, bands, plane_waves, kpoints
        Size of one.
    orbitals_GiB
        Memory of the orbitals over all ranks together.
    core_hours
        Of one, all images of a band together.
    """

    name: str
    purpose: str
    count: int
    atoms: int
    electrons: float
    bands: int
    plane_waves: int
    kpoints: int
    orbitals_GiB: float
    core_hours: float

    @property
    def all_core_hours(self) -> float:
        """Of all `count` jobs."""
        return self.count * self.core_hours
