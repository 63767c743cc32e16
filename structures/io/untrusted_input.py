"""Reads structure files and YAML that somebody else wrote: known formats only, nothing executed, nothing huge."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import yaml
from pymatgen.core import Structure

from .safe_json import loads

LARGEST_BYTES = 64 * 1024**2
LARGEST_YAML_BYTES = 1024**2
# Formats of text alone whose readers neither run a program nor open a second file.
Kind = Literal["json", "cif", "poscar", "xsf", "extxyz", "cfg", "espresso-in", "gen", "res"]
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
_STARTS: dict[str, Kind] = {"POSCAR": "poscar", "CONTCAR": "poscar"}
KNOWN = (
    "CIF (.cif, .mcif), POSCAR or CONTCAR (also .vasp), pymatgen JSON (.json), extended XYZ (.extxyz, .xyz), "
    "XSF (.xsf), AtomEye (.cfg), DFTB+ (.gen), Quantum ESPRESSO input (.pwi), SHELX (.res)"
)


# What pymatgen says when it takes a CIF's atoms as all that there are.
_NO_SYMMETRY = "Defaulting to P1"
_GROUP = re.compile(r"^_(?:symmetry_space_group_name|space_group_name)_(?:H-M|H-M_alt|Hall)\s+(.+)$", re.MULTILINE)


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
    text = path.read_text(encoding="utf-8")
    if "\0" in text:
        raise ValueError(f"{path.name} holds null characters; it is no text")
    return text


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


def read_structure_file(path: Path) -> Structure:
    """Structure from a file in one of the formats that `KNOWN` lists; the file's name says which.

    Moments of a magnetic CIF, an extended XYZ or a JSON file are in ``magmom``: numbers or Cartesian vectors.

    Raises
    ------
    ValueError
        For another format, or a file that cannot be read as what it says it is.
    """
    kind = _kind(path.name)
    text = read_text(path)
    try:
        return _with_plain_moments(_parse(text, kind, path.name))
    except (MemoryError, ValueError):
        raise
    except Exception as error:
        # Parsers of other packages fail on nonsense in many ways.
        raise ValueError(
            f"{path.name} cannot be read as {kind} ({type(error).__name__}: {str(error)[:200]})"
        ) from error


def _kind(name: str) -> Kind:
    for start, kind in _STARTS.items():
        if name.upper().startswith(start):
            return kind
    ending = Path(name).suffix.lower()
    if ending not in _ENDINGS:
        raise ValueError(f"{name} has no known structure format; use {KNOWN}")
    return _ENDINGS[ending]


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


def _cif(text: str, name: str) -> Structure:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        structure = Structure.from_str(text, fmt="cif")
    symbol = _GROUP.search(text)
    named = "" if symbol is None else symbol.group(1).strip(" '\"").replace(" ", "")
    if any(_NO_SYMMETRY in str(w.message) for w in said) and named not in ("", "P1", "?", ".", "1"):
        raise ValueError(
            f"{name} names the space group {named} and lists no symmetry operations; the name is not one that can be "
            "expanded (Fd-3m, for instance, has two origin choices, and its atoms fit one of them): "
            "give a file with all atoms, or one that lists its symmetry operations"
        )
    return structure


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
