"""Reads structure files and YAML that somebody else wrote: known formats only, nothing executed, nothing huge."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import yaml
from pymatgen.core import Structure

from ..cells.hydrogens import lengthen_hydrogen_bonds
from ..checks.cells import FARTHEST_CELLS, check_announced_size, check_cell_numbers
from .magnetic_cif import read_magnetic_cif
from .safe_json import UnsafeFileError, loads
from .usual_forms import usual_cif, usual_poscar

LARGEST_BYTES = 64 * 1024**2
LARGEST_YAML_BYTES = 1024**2
# Formats of text alone whose readers neither run a program nor open a second file.
Kind = Literal["json", "cif", "poscar", "xsf", "extxyz", "cfg", "espresso-in", "aims", "gen", "res"]
_ENDINGS: dict[str, Kind] = {
    ".cif": "cif",
    ".mcif": "cif",
    ".vasp": "poscar",
    ".poscar": "poscar",
    ".json": "json",
    ".xyz": "extxyz",
    ".extxyz": "extxyz",
    ".xsf": "xsf",
    ".cfg": "cfg",
    ".gen": "gen",
    ".pwi": "espresso-in",
    ".res": "res",
}
# Of programs that call all their inputs so: what the text holds says whose.
_INPUT = ".in"
_INPUTS: dict[str, Kind] = {"ATOMIC_POSITIONS": "espresso-in", "lattice_vector": "aims"}
_STARTS: dict[str, Kind] = {"POSCAR": "poscar", "CONTCAR": "poscar"}
KNOWN = (
    "CIF (.cif, .mcif), POSCAR or CONTCAR (also .vasp), pymatgen JSON (.json), extended XYZ (.extxyz, .xyz), "
    "XSF (.xsf), AtomEye (.cfg), DFTB+ (.gen), Quantum ESPRESSO input (.pwi, .in), FHI-aims (.in), SHELX (.res)"
)


# What pymatgen says when it takes a CIF's atoms as all that there are.
_NO_SYMMETRY = "Defaulting to P1"
_NO_STRUCTURES = "no structures"
# Sum of the occupancies of atoms on top of each other: of so many equal ones at most.
_LISTED_TWICE, _NEARLY_WHOLE = 192.0, 0.02
# Occupancies that share a site, rounded or refined one by one, add up to a little more than 1.
_ROUNDED_SUM = 1.05
_SUMS = re.compile(r"Some occupancies \(\[([^\]]*)\]\) sum to > 1")
_NOT_PARSED = re.compile(r"No structure parsed for section \d+ in CIF\.\s*(.+)")
_SUM = re.compile(r"Occupancy ([\d.]+) exceeded tolerance")
# Two sites of one kind so near are one; fractional coordinates of three digits miss by half a thousandth.
_ONE_ATOM_A, _ROUNDED = 0.05, 2e-3
# And when a POSCAR has no line of symbols.
_NO_NAMES = "Elements in POSCAR cannot be determined"
_ADVICE = {
    "implicit hydrogens": " (put them in, 0.96 to 1.0 A from O, or the cell is charged)",
    "Missing elements": " (atoms are missing or doubled: hydrogens that X-rays do not see, split sites)",
}
_GROUP = re.compile(r"^\s*_(?:symmetry_space_group_name|space_group_name)_(?:H-M|H-M_alt|Hall)\s+(.+)$", re.MULTILINE)
_ATOM_SITE = re.compile(r"^\s*_atom_site_fract_x\b", re.MULTILINE | re.IGNORECASE)


class _PlainLoader(yaml.SafeLoader):
    """YAML's safe loader without aliases: a few lines of them expand to gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not allowed; write the value out")
        return super().compose_node(parent, index)


def read_text(path: Path, largest: int = LARGEST_BYTES) -> str:
    """Text of a plain file of bounded size.

    Raises
    ------
    ValueError
        If it is no plain file (a device, a pipe), too large, or no UTF-8 text.
    """
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path.name}")
    if not path.is_file():
        raise ValueError(f"{path.name} is no plain file")
    if path.stat().st_size > largest:
        raise ValueError(f"{path.name} has more than {largest // 1024**2} MB")
    return _text(path.read_bytes().decode("utf-8"), path.name)


def _text(decoded: str, name: str) -> str:
    if "\0" in decoded:
        raise ValueError(f"{name} holds null characters; it is no text")
    # As text mode reads it.
    return decoded.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _text_in_any_code(path: Path, notes: list[str]) -> str:
    """Text of a structure file; a byte that is no UTF-8 makes it Latin-1, which old citations in CIFs are in."""
    try:
        return read_text(path)
    except UnicodeDecodeError as error:
        notes.append(
            f"byte 0x{path.read_bytes()[error.start]:02x} at position {error.start} is no UTF-8: read as Latin-1"
        )
        return _text(path.read_bytes().decode("latin-1"), path.name)


def _usual_form(text: str, kind: Kind, name: str, notes: list[str]) -> str:
    if kind == "cif":
        return usual_cif(text, notes)
    try:
        return usual_poscar(text, notes) if kind == "poscar" else text
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def read_yaml(path: Path) -> Any:
    """Plain values of a YAML file; tags that name Python objects and aliases are refused.

    Raises
    ------
    ValueError, yaml.YAMLError
        If it cannot be read.
    """
    return plain_yaml(read_text(path, LARGEST_YAML_BYTES), path.name)


def plain_yaml(text: str, name: str) -> Any:
    """Plain values of YAML text; errors as `read_yaml`, naming it so."""
    try:
        # A subclass of the safe loader.
        return yaml.load(text, Loader=_PlainLoader)
    except RecursionError:
        raise ValueError(f"{name} is nested too deep") from None


class ReadingNote(UserWarning):
    """What a reader of a structure file found odd; the file was read all the same."""


def read_structure_file(path: Path) -> Structure:
    """Structure from a file in one of the formats that `KNOWN` lists; the file's name says which.

    Moments of a magnetic CIF, an extended XYZ or a JSON file are in ``magmom``: numbers or Cartesian vectors. What the
    readers found odd is passed on as a `ReadingNote`.

    Raises
    ------
    ValueError
        For another format, or a file that cannot be read as what it says it is.
    """
    structure, notes = read_with_notes(path)
    for note in notes:
        warnings.warn(f"{path.name}: {note}", ReadingNote, stacklevel=2)
    return structure


def read_with_notes(path: Path) -> tuple[Structure, list[str]]:
    """Structure from a file, and in words what its readers found odd; errors as `read_structure_file`."""
    _check_ending(path.name)
    notes: list[str] = []
    text = _text_in_any_code(path, notes)
    kind = _kind(path.name, text)
    text = _usual_form(text, kind, path.name, notes)
    check_announced_size(text, kind, path.name)
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            structure = _with_plain_moments(_parse(text, kind, path.name))
    except ValueError as error:
        if isinstance(error, UnsafeFileError) or path.name in str(error):
            raise
        raise ValueError(
            f"{path.name} cannot be read as {kind}: {_far_atom(text, kind) or str(error)[:200]}"
        ) from error
    except MemoryError as error:
        raise ValueError(f"{path.name} asks for more memory than there is; is a number in it wrong?") from error
    except Exception as error:
        # Parsers of other packages fail on nonsense in many ways.
        raise ValueError(
            f"{path.name} cannot be read as {kind}: "
            + (_far_atom(text, kind) or f"its reader stopped ({type(error).__name__}: {str(error)[:200]})")
        ) from error
    try:
        check_cell_numbers(structure)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
    notes += _of_readers([str(w.message) for w in said if not issubclass(w.category, DeprecationWarning)])
    if any(_NO_NAMES in note for note in notes):
        raise ValueError(f"{path.name} names no elements: write their symbols into the line above the numbers of atoms")
    structure, turned = _right_handed(structure)
    notes += [*turned, *lengthen_hydrogen_bonds(structure)]
    return structure, list(dict.fromkeys(notes))


def _right_handed(structure: Structure) -> tuple[Structure, list[str]]:
    """The same crystal with right-handed vectors, its atoms where they were and in their order, and what was done."""
    matrix = structure.lattice.matrix
    if np.linalg.det(matrix) > 0:
        return structure, []
    exchanged = Structure(
        matrix[[1, 0, 2]],
        [s.species for s in structure],
        structure.frac_coords[:, [1, 0, 2]],
        site_properties=structure.site_properties,
    )
    return exchanged, ["its vectors are left-handed: the first two were exchanged, the atoms stay where they are"]


def _far_atom(text: str, kind: Kind) -> str:
    """Of a CIF that its reader failed on, the first atom at no sound place, in words; empty if there is none."""
    from pymatgen.io.cif import CifFile, str2float

    if kind != "cif":
        return ""
    with suppress(Exception):
        for block in CifFile.from_str(text).data.values():
            for axis in "xyz":
                for n, word in enumerate(block.data.get(f"_atom_site_fract_{axis}", [])):
                    if not abs(str2float(word)) <= FARTHEST_CELLS:
                        return (
                            f"_atom_site_fract_{axis} {word[:40]} of atom {n} must be a number within "
                            f"{FARTHEST_CELLS:g} cells"
                        )
    return ""


def _of_readers(messages: list[str]) -> list[str]:
    """Warnings of other packages as single lines, without their common head."""
    out = []
    for message in messages:
        for line in message.removeprefix("Issues encountered while parsing CIF: ").splitlines():
            plain = " ".join(line.split())
            if plain and _NO_SYMMETRY not in plain:
                out.append(plain + _ADVICE.get(next((k for k in _ADVICE if k in plain), ""), ""))
    return out


def is_known_format(name: str) -> bool:
    """Whether a file's name says that it holds a structure in a known format."""
    starts = any(name.upper().startswith(start) for start in _STARTS)
    return starts or Path(name).suffix.lower() in (*_ENDINGS, _INPUT)


def _check_ending(name: str) -> None:
    if not is_known_format(name):
        raise ValueError(f"{name} has no known structure format; use {KNOWN}")


def _kind(name: str, text: str) -> Kind:
    for start, kind in _STARTS.items():
        if name.upper().startswith(start):
            return kind
    ending = Path(name).suffix.lower()
    if ending in _ENDINGS:
        return _ENDINGS[ending]
    for word, kind in _INPUTS.items():
        if word in text:
            return kind
    raise ValueError(f"{name} holds neither {' nor '.join(_INPUTS)}: no structure is in it")


def _parse(text: str, kind: Kind, name: str) -> Structure:
    if kind == "json":
        plain = loads(text, name)
        if not isinstance(plain, dict):
            raise ValueError(f"{name} holds no structure")
        return Structure.from_dict(plain)
    if kind == "cif":
        return _cif(text, name)
    if kind == "poscar" or kind == "xsf":
        return Structure.from_str(text, fmt=kind)
    return _by_ase(text, kind, name)


def _with_atoms(text: str) -> str:
    """Of a CIF of several blocks the first that lists atoms: programs put a global one of empty items before it."""
    lines = text.split("\n")
    starts, inside = [], False
    for n, line in enumerate(lines):
        inside ^= line.startswith(";")
        if not inside and line.lstrip().lower().startswith("data_"):
            starts.append(n)
    if len(starts) < 2:
        return text
    blocks = ["\n".join(lines[a:b]) for a, b in zip(starts, [*starts[1:], len(lines)], strict=True)]
    full = [block for block in blocks if _ATOM_SITE.search(block)]
    if not full:
        return text
    if len(full) > 1:
        warnings.warn(f"{len(full)} of its blocks list atoms: {full[0].split()[0]} was taken", stacklevel=2)
    return full[0]


def _cif(text: str, name: str) -> Structure:
    text = _with_atoms(text)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        structure = _cif_structure(text)
    for one in said:
        warnings.warn(one.message, stacklevel=2)
    symbol = _GROUP.search(text)
    named = "" if symbol is None else symbol.group(1).strip(" '\"").replace(" ", "")
    if any(_NO_SYMMETRY in str(w.message) for w in said) and named not in ("", "P1", "?", ".", "1"):
        raise ValueError(
            f"{name} names the space group {named} and lists no symmetry operations; the name is not one that can be "
            "expanded (Fd-3m, for instance, has two origin choices, and its atoms fit one of them): "
            "give a file with all atoms, or one that lists its symmetry operations"
        )
    return structure


def _has_doubles(structure: Structure) -> bool:
    """Whether two sites of one kind lie nearer than any two atoms: one that rounded coordinates made two of."""
    near = structure.get_neighbor_list(_ONE_ATOM_A)
    return any(structure[i].species == structure[j].species for i, j in zip(near[0], near[1], strict=True))


def _cif_structure(text: str) -> Structure:
    """The CIF's structure; where its symmetry operations give atoms again that it lists already, each once."""
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            structure = Structure.from_str(text, fmt="cif")
        for one in said:
            warnings.warn(one.message, stacklevel=2)
        if not _has_doubles(structure):
            return structure
        once = Structure.from_str(text, fmt="cif", site_tolerance=_ROUNDED)
        warnings.warn(
            "symmetry gives atoms again beside themselves, as coordinates are rounded: each was taken once",
            stacklevel=2,
        )
        return once
    except NotImplementedError:
        structure, note = read_magnetic_cif(text)
        warnings.warn(note, stacklevel=2)
        return structure
    except ValueError as error:
        if _NO_STRUCTURES not in str(error):
            raise
        return _with_scaled_occupancies(text, error)


def _with_scaled_occupancies(text: str, error: ValueError) -> Structure:
    """The CIF's structure where its sites are more than full: by rounding, or as symmetry gives listed atoms again.

    Raises
    ------
    ValueError
        With what the reader met, if the sites are fuller than that, or `error` if it met nothing.
    """
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        rounded = _filled_up_to(_ROUNDED_SUM, text)
        doubled = None if rounded else _filled_up_to(_LISTED_TWICE, text)
    if doubled is not None and not (doubled.is_ordered and _are_whole(said)):
        doubled = None
    if (structure := rounded or doubled) is None:
        raise _why_not_parsed(said) or error
    for one in said:
        if not (_SUMS.search(str(one.message)) or _NOT_PARSED.search(str(one.message))):
            warnings.warn(one.message, stacklevel=2)
    words = "the file lists atoms that its symmetry gives again: each was taken once"
    if rounded:
        words = "occupancies that share a site add up to a little more than 1: scaled to 1"
    warnings.warn(words, stacklevel=2)
    return structure


def _filled_up_to(occupancy: float, text: str) -> Structure | None:
    with suppress(ValueError):
        return Structure.from_str(text, fmt="cif", occupancy_tolerance=occupancy)
    return None


def _why_not_parsed(said: Sequence[warnings.WarningMessage]) -> ValueError | None:
    """What the reader met in the first block that it could not take, in words."""
    reason = next((found.group(1).strip() for w in said if (found := _NOT_PARSED.search(str(w.message)))), "")
    if over := _SUM.search(reason):
        return ValueError(
            f"the occupancies of a site add up to {over.group(1)}: correct them, or take out atoms that stand for "
            "another choice"
        )
    if reason and " " not in reason:
        return ValueError("it has no " + reason.strip("'"))
    return ValueError(reason) if reason else None


def _are_whole(said: Sequence[warnings.WarningMessage]) -> bool:
    """Whether the occupancies that add up to more than 1 are those of atoms that are there several times."""
    sums = [float(x) for w in said if (found := _SUMS.search(str(w.message))) for x in found.group(1).split(",")]
    return all(abs(x - round(x)) <= _NEARLY_WHOLE * x for x in sums)


def _with_plain_moments(structure: Structure) -> Structure:
    """Moments as numbers or vectors instead of pymatgen's objects, which no job could carry."""
    moments = structure.site_properties.get("magmom")
    if moments is None:
        return structure
    vectors = [_vector(m) for m in moments]
    if all(v[0] == v[1] == 0 for v in vectors):
        structure.add_site_property("magmom", [v[2] for v in vectors])
    else:
        structure.add_site_property("magmom", vectors)
    return structure


def _vector(moment: Any) -> list[float]:
    plain = getattr(moment, "global_moment", moment)
    if plain is None:
        return [0.0, 0.0, 0.0]
    return [float(x) for x in plain] if np.ndim(plain) else [0.0, 0.0, float(plain)]


def _by_ase(text: str, kind: Kind, name: str) -> Structure:
    import ase.io

    with TemporaryDirectory() as folder:
        # Some readers take a path only; a copy has the bytes that were checked.
        copy = Path(folder) / "structure"
        copy.write_text(text, encoding="utf-8")
        atoms: Any = ase.io.read(copy, format=kind)
    if not all(atoms.pbc):
        raise ValueError(f"{name} has no periodic cell")
    properties = {"magmom": atoms.get_initial_magnetic_moments().tolist()} if atoms.has("initial_magmoms") else {}
    return Structure(
        atoms.cell.array,
        atoms.get_chemical_symbols(),
        atoms.positions,
        coords_are_cartesian=True,
        site_properties=properties,
    )
