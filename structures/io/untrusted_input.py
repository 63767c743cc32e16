"""Reads structure files and YAML that somebody else wrote: known formats only, nothing executed, nothing huge."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import yaml
from pymatgen.core import Structure

from ..cells.hydrogens import lengthen_hydrogen_bonds
from ..checks.cells import FARTHEST_CELLS, check_announced_size, check_cell_numbers
from ..similar import did_you_mean_file
from .abacus_input import read_abacus_stru, with_named_lattice
from .abinit_input import read_abinit_input
from .ase_atoms import check_periodic, is_ase_json, read_ase_json
from .cif import NO_SYMMETRY, read_cif
from .cif_hydrogens import with_missing_hydrogens
from .comment_moments import with_moments_of_comment
from .elk_input import read_elk_input
from .espresso_input import read_espresso_input
from .other_programs import is_pdffit, read_castep_cell, read_crystal_gui, read_cssr, read_pdb, read_pdffit
from .safe_json import UnsafeFileError, loads
from .shelx import has_symmetry, shelx_as_cif
from .siesta_input import read_siesta_input
from .usual_forms import usual_cif, usual_poscar

LARGEST_BYTES = 64 * 1024**2
LARGEST_YAML_BYTES = 1024**2
_MOST_CONTROL = 0.01
# Formats of text alone whose readers neither run a program nor open a second file.
Kind = Literal[
    "json",
    "cif",
    "poscar",
    "xsf",
    "extxyz",
    "cfg",
    "espresso-in",
    "aims",
    "gen",
    "res",
    "cell",
    "gui",
    "pdb",
    "cssr",
    "struct",
    "siesta-xv",
    "rmc6f",
    "magres",
    "abinit-in",
    "fdf",
    "stru",
    "pdffit",
    "elk",
]
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
    ".ins": "res",
    ".cell": "cell",
    ".gui": "gui",
    ".f34": "gui",
    ".pdb": "pdb",
    ".ent": "pdb",
    ".cssr": "cssr",
    ".struct": "struct",
    ".xv": "siesta-xv",
    ".rmc6f": "rmc6f",
    ".magres": "magres",
    ".abi": "abinit-in",
    ".fdf": "fdf",
    ".stru": "stru",
}
_OWN_READERS: dict[Kind, Callable[[str], Structure]] = {
    "cell": read_castep_cell,
    "gui": read_crystal_gui,
    "espresso-in": read_espresso_input,
    "abinit-in": read_abinit_input,
    "fdf": read_siesta_input,
    "stru": read_abacus_stru,
    "pdffit": read_pdffit,
    "elk": read_elk_input,
}
_START_MOMENTS: dict[Kind, str] = {
    "espresso-in": "starting_magnetization",
    "abinit-in": "spinat",
    "fdf": "DM.InitSpin",
    "stru": "mag",
}
_PACKED = (".gz", ".bz2", ".xz", ".zip", ".zst", ".tar", ".tgz")
_RESULTS = (".xml", ".out", ".log", ".traj", ".db", ".castep", ".pwo", ".h5", ".nc", ".hdf5")
# Of programs that call all their inputs so: what the text holds says whose.
_INPUT = ".in"
_INPUTS: dict[str, Kind] = {
    "ATOMIC_POSITIONS": "espresso-in",
    "lattice_vector": "aims",
    "znucl": "abinit-in",
    "\navec\n": "elk",
}
# ABACUS calls its structures so, perhaps with a word behind it.
_STRU = re.compile(r"STRU([_.].*)?$")
_ABACUS_CONTROL = "INPUT"
_STARTS: dict[str, Kind] = {"POSCAR": "poscar", "CONTCAR": "poscar"}
KNOWN = (
    "CIF (.cif, .mcif), POSCAR or CONTCAR (also .vasp), JSON of pymatgen or ASE (.json), extended XYZ (.extxyz, .xyz), "
    "XSF (.xsf), AtomEye (.cfg), DFTB+ (.gen), Quantum ESPRESSO input (.pwi, .in), FHI-aims (.in), SHELX (.res, .ins), "
    "CASTEP (.cell), CRYSTAL (.gui, .f34), PDB (.pdb), CSSR (.cssr), WIEN2k (.struct), SIESTA (.fdf, .XV), "
    "ABINIT (.abi, .in), ABACUS (STRU, .stru), PDFfit (.stru), Elk (.in), RMCProfile (.rmc6f), .magres"
)


# And when a POSCAR has no line of symbols.
_NO_NAMES = "Elements in POSCAR cannot be determined"
_ADVICE = {
    "implicit hydrogens": " (put them in, 0.96 to 1.0 A from O, or the cell is charged)",
    "Missing elements": " (atoms are missing or doubled: hydrogens that X-rays do not see, split sites)",
}


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
        raise FileNotFoundError(f"there is no file {path.name}{did_you_mean_file(path)}")
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


def _check_is_text(text: str, name: str) -> None:
    if not text.strip():
        raise ValueError(f"{name} is empty: it holds no structure")
    if sum(c < " " and c not in "\t\n\f\x1a" for c in text) > _MOST_CONTROL * len(text):
        raise ValueError(f"{name} holds control characters; it is no text")


def text_in_any_code(path: Path, notes: list[str]) -> str:
    """Text of a file; a byte that is no UTF-8 makes it Latin-1, as in old citations of CIFs and degree signs of tables.

    Parameters
    ----------
    path
        A plain file.
    notes
        What was done for it is added here.
    """
    try:
        return read_text(path)
    except UnicodeDecodeError as error:
        notes.append(
            f"byte 0x{path.read_bytes()[error.start]:02x} at position {error.start} is no UTF-8: read as Latin-1"
        )
        return _text(path.read_bytes().decode("latin-1"), path.name)


def _usual_form(text: str, kind: Kind, path: Path, notes: list[str]) -> str:
    if kind == "cif":
        return usual_cif(text, notes)
    try:
        if kind == "stru":
            control = path.parent / _ABACUS_CONTROL
            return with_named_lattice(text, text_in_any_code(control, notes) if control.is_file() else "", notes)
        return usual_poscar(text, notes) if kind == "poscar" else text
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None


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
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path.name}{did_you_mean_file(path)}")
    check_ending(path.name)
    notes: list[str] = []
    text = text_in_any_code(path, notes)
    _check_is_text(text, path.name)
    kind = _kind(path.name, text)
    text = _usual_form(text, kind, path, notes)
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
    if (word := _START_MOMENTS.get(kind)) and "magmom" in structure.site_properties:
        notes.append(f"its moments are those that a calculation starts from ({word}): their sizes are no result")
    if kind == "poscar":
        structure = with_moments_of_comment(structure, text, notes)
    structure, turned = _right_handed(structure)
    notes += [*turned, *lengthen_hydrogen_bonds(structure)]
    if kind == "cif":
        structure = with_missing_hydrogens(structure, text, notes)
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
            if plain and NO_SYMMETRY not in plain:
                out.append(plain + _ADVICE.get(next((k for k in _ADVICE if k in plain), ""), ""))
    return out


def is_known_format(name: str) -> bool:
    """Whether a file's name says that it holds a structure in a known format."""
    return _start(name) is not None or Path(name).suffix.lower() in (*_ENDINGS, _INPUT)


def _start(name: str) -> Kind | None:
    """Of a name such as POSCAR_1 or, without a known ending, Fe3O4-POSCAR or CONTCAR.txt."""
    upper, known = name.upper(), Path(name).suffix.lower() in (*_ENDINGS, _INPUT)
    for word, kind in _STARTS.items():
        if upper.startswith(word) or (word in upper and not known):
            return None if Path(name).suffix.lower() in _PACKED else kind
    return "stru" if _STRU.match(name) and not known and Path(name).suffix.lower() not in _PACKED else None


def check_ending(name: str) -> None:
    """Refuse a file whose name says no format.

    Raises
    ------
    ValueError
        With what to do about it.
    """
    if is_known_format(name):
        return
    ending = Path(name).suffix.lower()
    if ending in _PACKED:
        raise ValueError(f"{name} is packed: unpack it first (gunzip, unzip, tar)")
    if ending in _RESULTS or name.upper().startswith(("OUTCAR", "XDATCAR", "VASPRUN")):
        raise ValueError(
            f"{name} is what a program wrote of its run: give the structure beside it (CONTCAR, .cif); use {KNOWN}"
        )
    raise ValueError(f"{name} has no known structure format; use {KNOWN}")


def _kind(name: str, text: str) -> Kind:
    if (start := _start(name)) is not None:
        return start
    ending = Path(name).suffix.lower()
    if ending == ".stru" and is_pdffit(text):
        return "pdffit"
    if ending in _ENDINGS:
        return _ENDINGS[ending]
    for word, kind in _INPUTS.items():
        if word in f"\n{text}":
            return kind
    words = ", ".join(word.strip() for word in _INPUTS)
    raise ValueError(f"{name} holds none of {words}: no structure is in it")


def _parse(text: str, kind: Kind, name: str) -> Structure:
    if kind == "json":
        plain = loads(text, name)
        if not isinstance(plain, dict):
            raise ValueError(f"{name} holds no structure")
        return read_ase_json(plain, name) if is_ase_json(plain) else Structure.from_dict(plain)
    if kind == "cif":
        return read_cif(text, name)
    if kind == "poscar" or kind == "xsf":
        return Structure.from_str(text, fmt=kind)
    if kind == "res" and has_symmetry(text):
        return read_cif(shelx_as_cif(text), name)
    if (read := _OWN_READERS.get(kind)) is not None:
        return read(text)
    if kind == "pdb" or kind == "cssr":
        return read_pdb(text, name) if kind == "pdb" else read_cssr(text, name)
    return _by_ase(text, kind, name)


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
    check_periodic(list(atoms.pbc), atoms.cell.array, name)
    properties = {"magmom": atoms.get_initial_magnetic_moments().tolist()} if atoms.has("initial_magmoms") else {}
    return Structure(
        atoms.cell.array,
        atoms.get_chemical_symbols(),
        atoms.positions,
        coords_are_cartesian=True,
        site_properties=properties,
    )
