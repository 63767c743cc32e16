"""Hosts from structure files alone: read, drafted, and written as a host file that a person corrects."""

from __future__ import annotations

import functools
import os
import warnings
from pathlib import Path

from pymatgen.core import Structure

from ..cells.hydrogens import lengthen_hydrogen_bonds
from ..cells.partial_occupancy import ordered_cell
from ..checks.geometry import check_no_overlap
from ..io.cif_hydrogens import MISSING_HYDROGENS
from ..io.host_entries import HostFileError
from ..io.host_files import HostReference
from ..io.untrusted_input import ReadingNote, read_with_notes
from ..symmetry import primitive_size
from .draft import Draft, draft_host
from .text import draft_text

_MOST_ATOMS = 1000


def draft_from_file(path: str | Path) -> Draft:
    """Read a structure file and draft its host.

    Parameters
    ----------
    path
        In a format that `untrusted_input.KNOWN` lists.

    Raises
    ------
    HostFileError
        With the reason: no such file, an unknown format, overlapping atoms, nothing that could be an anion.
    """
    file = Path(path).expanduser()
    try:
        structure, notes = read_with_notes(file)
        for note in notes:
            warnings.warn(f"{file.name}: {note}", ReadingNote, stacklevel=2)
        _check_hydrogens(structure, notes)
        _check_size(structure)
        ordering = {}
        if not structure.is_ordered:
            ordered = ordered_cell(structure)
            structure, ordering = ordered.structure, {"method": ordered.method, "seed": 0}
            notes.append(f"ordered: {ordered.in_words}")
            notes += lengthen_hydrogen_bonds(structure)
            for note in notes[notes.index(f"ordered: {ordered.in_words}") :]:
                warnings.warn(f"{file.name}: {note}", ReadingNote, stacklevel=2)
        check_no_overlap(structure)
        draft = draft_host(structure, file.name, notes)
        if ordering:
            draft.entries["ordering"] = ordering
            draft.reasons["ordering"] = (
                "how the partially occupied sites were filled; another seed fills them otherwise"
            )
        return draft
    except (OSError, ValueError, RuntimeError) as error:
        words = str(error)
        raise HostFileError(words if file.name in words else f"{file.name}: {words}") from error


def _check_size(structure: Structure) -> None:
    """Refuse cells so large that their hops and vacancies cannot be listed in minutes.

    Raises
    ------
    HostFileError
        With the number of atoms of the primitive cell where that one is small enough.
    """
    if len(structure) <= _MOST_ATOMS:
        return
    primitive = primitive_size(structure) if structure.is_ordered else len(structure)
    way_out = f"give its primitive cell, which has {primitive}" if primitive < len(structure) else "give a smaller cell"
    raise HostFileError(f"{len(structure)} atoms, and a host is drafted from at most {_MOST_ATOMS}: {way_out}")


def _check_hydrogens(structure: Structure, notes: list[str]) -> None:
    """Refuse to guess valences of a cell whose file says that it has hydrogens and lists none.

    Raises
    ------
    HostFileError
        Which says where they belong.
    """
    if {"H", "D"} & {el.symbol for species in structure.species_and_occu for el in species}:
        return
    if any(MISSING_HYDROGENS.search(note) for note in notes):
        raise HostFileError(
            "its formula has hydrogen and its atoms have none, so that its metals would be oxidised too far: put the "
            "hydrogens in, 0.97 A from O, or take them out of the formula if there are none"
        )


def drafted_reference(path: str | Path) -> HostReference:
    """The host of a structure file as its content, as `HostReference.from_file` gives that of a host file.

    Errors as `draft_from_file`.
    """
    file = Path(path).expanduser()
    try:
        stamp = file.stat().st_mtime_ns
    except OSError:
        stamp = 0
    return _reference(file, stamp)


@functools.lru_cache(maxsize=8)
def _reference(path: Path, stamp: int) -> HostReference:
    """Drafted once per content of the file: a study asks for its host many times."""
    draft = draft_from_file(path)
    entries = {name: value for name, value in draft.entries.items() if name != "structures"}
    reference = HostReference(entries, dict.fromkeys(draft.entries["structures"], draft.cell))
    try:
        reference.check()
    except (ValueError, RuntimeError, LookupError) as error:
        raise HostFileError(
            f"{Path(path).name}: the host drafted from it does not hold together ({error}); "
            f"`magnetoionics host new {Path(path).name}` writes the draft, correct it"
        ) from error
    return reference


def write_host_file(path: str | Path, output: str | Path | None = None) -> tuple[Path, Draft]:
    """Draft the host of a structure file and write it as a host file.

    Parameters
    ----------
    path
        Structure file.
    output
        Host file to write; the structure's name with ``.yaml`` in the current folder by default.

    Returns
    -------
    tuple
        The host file and the draft.

    Raises
    ------
    HostFileError
        As `draft_from_file`, or if the host file exists already.
    """
    structure = Path(path).expanduser()
    draft = draft_from_file(structure)
    file = Path(output) if output is not None else Path(f"{draft.entries['key']}.yaml")
    if file.suffix.lower() not in (".yaml", ".yml"):
        raise HostFileError(f"{file.name}: a host file ends in .yaml")
    if file.exists():
        raise HostFileError(f"{file} exists already; choose another --output")
    file.parent.mkdir(parents=True, exist_ok=True)
    where = Path(os.path.relpath(structure.resolve(), file.parent.resolve())).as_posix()
    file.write_text(draft_text(draft, where), encoding="utf-8")
    return file, draft
