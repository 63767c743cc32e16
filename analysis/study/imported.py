"""What an import of finished runs took each folder for, what it used and what was lacking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ..results.document import Document, Provenance
from ..results.page_parts import Cell, Section, Table, number, section, words

if TYPE_CHECKING:
    import pandas as pd

ImportRole = Literal[
    "host",
    "perfect supercell",
    "defect",
    "element",
    "competing phase",
    "dielectric tensor",
    "spin-orbit",
    "band",
    "defect entries",
    "not recognised",
]


class ImportedFolder(Document):
    """One folder or file of an import.

    Attributes
    ----------
    folder
        Its path below the one that was given.
    role, what
        What it was taken for, and in words, e.g. ``V_O, charge +2, in 135 atoms``.
    used
        Whether its numbers are in the study.
    reasons
        Why it was not used.
    lacks
        What it would need for more.
    notes
        What a reader has to know.
    """

    folder: str
    role: ImportRole
    what: str
    used: bool
    reasons: list[str] = Field(default_factory=list)
    lacks: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)


class ImportRecord(Document):
    """All folders of an import.

    Attributes
    ----------
    host_from
        How the host was found.
    level_of_theory
        Functional and U that the energies share.
    folders
        Every folder, in the order of their names.
    """

    host_from: str
    level_of_theory: str
    folders: list[ImportedFolder]

    def to_dataframe(self) -> pd.DataFrame:
        """One row per folder: folder, role, what, used, reasons, lacks."""
        import pandas as pd

        rows = [(f.folder, f.role, f.what, f.used, "; ".join(f.reasons), "; ".join(f.lacks)) for f in self.folders]
        return pd.DataFrame(rows, columns=["folder", "role", "what", "used", "reasons", "lacks"])


@section(ImportRecord, "folders", place=15)
def _folders(record: ImportRecord) -> Section:
    """Every folder, those in use first."""
    rows = [
        [
            *words([f.folder, f.role, f.what]),
            Cell("yes" if f.used else "no", "passed" if f.used else ""),
            *words(["; ".join([*f.reasons, *(f"lacks {x}" for x in f.lacks), *f.notes])]),
        ]
        for f in sorted(record.folders, key=lambda f: not f.used)
    ]
    return Section(
        "",
        "Imported folders",
        paragraphs=[
            f"Nothing here was computed for this study. Host: {record.host_from}. Level of theory: "
            f"{record.level_of_theory}."
        ],
        tables=[Table("What each folder was taken for", ["folder", "role", "what", "used", "remarks"], rows)],
    )


class ImportedDirection(Document):
    """Energy of one direction of the moments.

    Attributes
    ----------
    folder
        Of the run.
    direction
        Cartesian unit vector, shape (3,).
    energy_meV
        Of the cell above the lowest direction.
    """

    folder: str
    direction: list[float]
    energy_meV: float


class ImportedDirections(Document):
    """Spin-orbit runs of one cell that differ in direction alone; too few directions leave E(n) unknown.

    Attributes
    ----------
    atoms
        In the cell.
    ediff_eV
        At which every electronic loop stopped: smaller differences mean nothing.
    directions
        The lowest first.
    """

    atoms: int
    ediff_eV: float | None
    directions: list[ImportedDirection]
    provenance: Provenance = Field(repr=False)


@section(ImportedDirections, "directions", place=52)
def _directions(found: ImportedDirections) -> Section:
    """Energies by direction."""
    rows = [
        [*words([d.folder, " ".join(f"{x:.3f}" for x in d.direction)]), number(d.energy_meV, 4)]
        for d in found.directions
    ]
    ediff = "" if found.ediff_eV is None else f" Every electronic loop stopped at {found.ediff_eV * 1e3:.1e} meV."
    return Section(
        "",
        "Imported directions of the moments",
        paragraphs=[
            f"Cell of {found.atoms} atoms; the lowest of the computed directions need not be the easy axis.{ediff}"
        ],
        tables=[Table("Energies by direction", ["folder", "direction", "above the lowest (meV)"], rows)],
    )
