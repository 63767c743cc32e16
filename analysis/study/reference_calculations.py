"""Kept results of long calculations: what was computed, with what, for how long, and the command that repeats it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import Field

from ..magnetism.anisotropy import AnisotropyMap
from ..magnetism.hole_field import HoleField
from ..results.calculation import Band, Calculation
from ..results.checks import invalid_because
from ..results.document import Document, Provenance, StructureField


class ReferenceCalculation(Document):
    """One calculation that is too long to repeat at every test.

    Attributes
    ----------
    name, what
        Short name (also the file's) and one sentence.
    command
        Computes it again.
    calculation
        Energy, forces and moments.
    anisotropy
        E(n), if it was computed.
    band
        A path with its saddles, if that was asked for.
    holes
        Crystal fields of t2g holes, one per ion that was asked for.
    numbers
        Other results, each with its unit in its name.
    notes
        What to know before the numbers are used.
    cpu_seconds, wall_seconds
        Of the whole task, on one core that others used too.
    """

    name: str
    what: str
    command: str
    calculation: Calculation | None = None
    anisotropy: AnisotropyMap | None = None
    band: Band | None = None
    holes: list[HoleField] = Field(default_factory=list)
    numbers: dict[str, float | list[float]] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)
    cpu_seconds: float
    wall_seconds: float
    provenance: Provenance

    def number(self, name: str) -> float:
        """One of `numbers` that is a single one.

        Raises
        ------
        ValueError
            If it is a list.
        """
        value = self.numbers[name]
        if isinstance(value, list):
            raise ValueError(f"{self.name}: {name} is one number")
        return value

    @property
    def sound(self) -> Calculation | None:
        """The calculation; None if there is none or one of its checks makes it invalid."""
        unsound = self.calculation is None or invalid_because(self.calculation.checks)
        return None if unsound else self.calculation


class StartGeometry(Document):
    """A geometry of a cheaper engine from which a first-principles calculation starts.

    Attributes
    ----------
    name
        Also the file's.
    structure
        Cell with its site properties.
    energy_eV
        By the engine that made it; for stationary points of a path relative to its beginning.
    """

    name: str
    structure: StructureField
    energy_eV: float
    provenance: Provenance


def hubbard_U_eV_of(made: Calculation | Band) -> dict[str, float]:
    """U of the elements that a calculation's or a path's cell has; its settings may name others."""
    cell = made.images[0].structure if isinstance(made, Band) else made.structure
    there = {str(element) for element in cell.composition.elements}
    return {element: u for element, u in made.provenance.hubbard_U_eV.items() if element in there}


def u_in_words(hubbard_U_eV: Mapping[str, float]) -> str:
    """E.g. ``Co 3.32, Fe 5.3``, in eV; empty without U."""
    return ", ".join(f"{element} {value:g}" for element, value in sorted(hubbard_U_eV.items()))


def largest_known(values: Iterable[float | None]) -> float | None:
    """Largest of the values; None where one of them is not known, or there are none."""
    every = list(values)
    known = [value for value in every if value is not None]
    return max(known) if known and len(known) == len(every) else None


def largest_force_eV_per_A(made: Iterable[Calculation]) -> float | None:
    """What is left on an ion of any of them; None where one has no forces."""
    return largest_known(each.max_force_eV_per_A for each in made)


def forces_in_words(forces_eV_per_A: Iterable[float | None]) -> str:
    """Clause that follows on how ions were relaxed: the largest force left; empty where one is not known."""
    largest = largest_known(forces_eV_per_A)
    return "" if largest is None else f" (forces of up to {largest:.1f} eV/A left)"


def reference_calculations_folder() -> Path:
    """Where the package keeps its evidence."""
    return Path(__file__).resolve().parents[2] / "data" / "gpaw"


def espresso_calculations_folder() -> Path:
    """Where the package keeps what Quantum ESPRESSO found for cells of its evidence."""
    return Path(__file__).resolve().parents[2] / "data" / "espresso"


def starts_folder() -> Path:
    """Where the package keeps the geometries that its evidence starts from."""
    return Path(__file__).resolve().parents[2] / "data" / "gpaw_starts"


def load_start(name: str) -> StartGeometry:
    """A kept start geometry.

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    path = starts_folder() / f"{name}.json"
    if not path.exists():
        raise ValueError(f"no start geometry {name!r} is kept; python benchmarks/gpaw_starts.py makes them")
    return StartGeometry.model_validate_json(path.read_text())


def load_reference_calculations(folder: Path | None = None) -> dict[str, ReferenceCalculation]:
    """All kept documents by name.

    Parameters
    ----------
    folder
        Of JSON files; the package's own by default.

    Raises
    ------
    ValueError
        If a file's name is not that of its document.
    """
    references = {}
    for path in sorted((folder or reference_calculations_folder()).glob("*.json")):
        document = ReferenceCalculation.model_validate_json(path.read_text())
        if document.name != path.stem:
            raise ValueError(f"{path.name} holds the evidence {document.name!r}; rename one of them")
        references[document.name] = document
    return references
