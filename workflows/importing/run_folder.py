"""What an import made of each folder, while it sorts them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from pymatgen.core import Structure

from ...analysis.study.imported import ImportedFolder, ImportRole
from ...structures.defects.difference import CellDifference, DefectName
from ..vasp.finished.document import VaspBand, VaspRun
from .consistency import Difference
from .tree import Place


@dataclass(eq=False)
class RunFolder:
    """One folder with what was read of it.

    Attributes
    ----------
    place
        Where it lies.
    run, band
        What it holds; None for the other kind, and for what could not be read.
    role, what
        What it was taken for, and in words.
    refused
        Why it is not used; empty for a folder that is.
    lacks
        What it would need for more.
    notes
        What a reader has to know.
    perfect
        Perfect cell that a defect's cell is compared with.
    difference, name
        What the defect removes and adds, and what it is called.
    given_correction_eV
        Finite-size correction that an entry of another program carries; None for a run.
    dielectric
        Permittivity that a file of entries names.
    """

    place: Place
    run: VaspRun | None = None
    band: VaspBand | None = None
    role: ImportRole = "not recognised"
    what: str = ""
    refused: list[str] = field(default_factory=list)
    lacks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    perfect: RunFolder | None = None
    difference: CellDifference | None = None
    name: DefectName | None = None
    given_correction_eV: float | None = None
    dielectric: list[list[float]] | None = None

    def judge(self, differences: list[Difference], other: RunFolder, accepted: Collection[str]) -> None:
        """Refuse the folder for what differs from another one; what the user accepts is only said."""
        for difference in differences:
            text = f"{difference.text} as in {other.place.name}"
            if difference.kind in accepted:
                self.notes.append(f"accepted: {text}")
            else:
                self.refused.append(text)

    @property
    def usable(self) -> bool:
        """Whether it is a run that passed its guards and nothing else spoke against it."""
        return self.run is not None and self.run.usable and not self.refused

    @property
    def done(self) -> VaspRun:
        """The run of a folder that has one."""
        assert self.run is not None
        return self.run

    @property
    def structure(self) -> Structure:
        """Last configuration of the run."""
        assert self.run is not None
        assert self.run.structure is not None
        return self.run.structure

    @property
    def energy_eV(self) -> float:
        """Of the cell."""
        assert self.run is not None
        assert self.run.energy_eV is not None
        return self.run.energy_eV

    @property
    def charge(self) -> int:
        """Net charge of the cell in whole e; zero where it is not known."""
        return round(self.done.charge_e or 0.0)

    def document(self) -> ImportedFolder:
        """For the report."""
        guards = [] if self.run is None else self.run.reasons
        return ImportedFolder(
            folder=self.place.name,
            role=self.role,
            what=self.what,
            used=not self.refused and not guards and self.role != "not recognised",
            reasons=[*guards, *(r for r in self.refused if r not in guards)],
            lacks=self.lacks,
            notes=[*self.notes, *([] if self.run is None else self.run.notes)],
        )
