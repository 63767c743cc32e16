"""Structures to files and back with their site properties, collinear and vector moments alike.

JSON (MSONable), POSCAR with a MAGMOM line beside it, CIF, mCIF and extxyz keep the site order and the
properties ``magmom``, ``valence`` and ``sublattice``. An mCIF also lists the moments in the standard's own
columns, as vectors along the crystal axes, which other programs read.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Lattice, Structure

from ..checks.geometry import check_handedness
from ..spins import SITE_PROPERTIES
from .safe_json import loads

FORMATS = (".json", ".vasp", ".cif", ".mcif", ".extxyz")
# The POSCAR's moments, and as comments what VASP does not know.
MAGMOM_SUFFIX = ".magmom"
_CELL = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
_AXES = "xyz"
# What stays of a name in a path: letters and digits of any script, and the marks that labels have.
_PLAIN = re.compile(r"[^\w .,+()'-]+")
_CIF = (".cif", ".mcif")
# What every format gives back; the second part would begin a list or a block in CIF.
_WORD = re.compile(r"(?!loop_|data_|save_|global_|stop_)[A-Za-z0-9][!-~]*")


def inner_path(name: str) -> Path:
    """Relative path of a name whose parts may come from somebody's file: none leads up, or holds more than plain text.

    Parameters
    ----------
    name
        Parts between slashes, as in ``"hops/01-Co(B)-V_Fe(B)/initial"``.
    """
    parts = (_PLAIN.sub("_", part).strip(". ")[:100] for part in name.split("/"))
    return Path(*[part or "_" for part in parts])


def write_structure(structure: Structure, path: str | Path) -> list[Path]:
    """Write a structure with its site properties.

    Parameters
    ----------
    structure
        With any of the properties ``magmom`` (number or vector, muB), ``valence``, ``sublattice`` (no blanks).
    path
        Ends with .json, .vasp, .cif, .mcif or .extxyz.

    Returns
    -------
    list of Path
        What was written; a .vasp file brings a second file with the MAGMOM line for the INCAR.

    Raises
    ------
    ValueError
        If the ending is unknown, a sublattice's name is no word, or a POSCAR's cell is left-handed.
    """
    file = Path(path)
    _check(file, structure)
    if file.suffix == ".json":
        file.write_text(json.dumps(structure.as_dict()), encoding="utf-8")
    elif file.suffix == ".vasp":
        from pymatgen.io.vasp import Poscar

        text = Poscar(_bare(structure), sort_structure=False).get_str(significant_figures=12)
        file.write_text(text, encoding="utf-8")
        beside = file.with_suffix(MAGMOM_SUFFIX)
        beside.write_text(_magmom_text(structure), encoding="utf-8")
        return [file, beside]
    elif file.suffix in _CIF:
        text = _cif_text(structure) + (_mcif_text(structure) if file.suffix == ".mcif" else "")
        file.write_text(text, encoding="utf-8")
    else:
        import ase.io

        ase.io.write(str(file), _to_ase(structure), format="extxyz")
    return [file]


def read_structure(path: str | Path) -> Structure:
    """Read what `write_structure` wrote; arguments and errors as there."""
    file = Path(path)
    _check(file)
    if file.suffix == ".json":
        return Structure.from_dict(loads(file.read_text(encoding="utf-8"), file.name))
    if file.suffix in _CIF:
        return _from_cif(file.read_text(encoding="utf-8"))
    if file.suffix == ".vasp":
        out = Structure.from_str(file.read_text(encoding="utf-8"), fmt="poscar")
        properties = _from_magmom_text(file.with_suffix(MAGMOM_SUFFIX).read_text(encoding="utf-8"), len(out))
        return _bare(out, properties)
    import ase.io

    return _from_ase(ase.io.read(str(file), format="extxyz"))


def magmom_line(structure: Structure) -> str:
    """The INCAR's MAGMOM line in site order; three numbers per site if any moment is a vector."""
    moments = _moments(structure)
    return "MAGMOM = " + " ".join(f"{x:.10g}" for x in moments.ravel())


def _check(file: Path, structure: Structure | None = None) -> None:
    if file.suffix not in FORMATS:
        raise ValueError(f"cannot tell the format of {file.name}; known endings: {', '.join(FORMATS)}")
    if structure is None:
        return
    labels = structure.site_properties.get("sublattice", [])
    wrong = sorted({str(x) for x in labels if not _WORD.fullmatch(str(x))})
    if wrong:
        raise ValueError(f"sublattice names {wrong} must be single words of ASCII that begin with a letter or a digit")
    if file.suffix == ".vasp":
        check_handedness(structure)


def _moments(structure: Structure) -> np.ndarray:
    """Moments, shape (n,) if all are numbers, else (n, 3) with numbers along z."""
    moments = structure.site_properties["magmom"]
    if not any(np.ndim(m) for m in moments):
        return np.array(moments, dtype=float)
    return np.array([m if np.ndim(m) else (0.0, 0.0, m) for m in moments], dtype=float)


def _bare(structure: Structure, properties: dict[str, list[Any]] | None = None) -> Structure:
    symbols = [s.specie.symbol for s in structure]
    return Structure(structure.lattice, symbols, structure.frac_coords, site_properties=properties or {})


def _magmom_text(structure: Structure) -> str:
    lines = [magmom_line(structure)] if "magmom" in structure.site_properties else []
    for name in SITE_PROPERTIES:
        if name != "magmom" and name in structure.site_properties:
            lines.append(f"# {name.upper()} = " + " ".join(str(x) for x in structure.site_properties[name]))
    return "\n".join(lines) + "\n"


def _from_magmom_text(text: str, sites: int) -> dict[str, list[Any]]:
    out: dict[str, list[Any]] = {}
    for line in text.splitlines():
        name, _, values = line.lstrip("# ").partition("=")
        words = values.split()
        key = name.strip().lower()
        out[key] = words if key == "sublattice" else [float(x) for x in words]
    if len(out.get("magmom", [])) == 3 * sites:
        out["magmom"] = np.array(out["magmom"]).reshape(-1, 3).tolist()
    wrong = {key: len(values) for key, values in out.items() if len(values) != sites}
    if wrong:
        raise ValueError(f"the POSCAR has {sites} sites, the file beside it {wrong}")
    return out


def _cif_text(structure: Structure) -> str:
    properties = structure.site_properties
    columns: dict[str, list[str]] = {
        "label": [f"{s.specie.symbol}{i}" for i, s in enumerate(structure)],
        "type_symbol": [s.specie.symbol for s in structure],
        **{f"fract_{x}": [f"{v:.12f}" for v in structure.frac_coords[:, k]] for k, x in enumerate(_AXES)},
        "occupancy": ["1"] * len(structure),
    }
    for name in ("valence", "sublattice"):
        if name in properties:
            columns[f"local_{name}"] = [str(x) for x in properties[name]]
    if "magmom" in properties:
        moments = _moments(structure)
        names = ["local_moment"] if moments.ndim == 1 else [f"local_moment_{x}" for x in _AXES]
        for name, column in zip(names, moments.reshape(len(structure), -1).T, strict=True):
            columns[name] = [f"{x:.10g}" for x in column]
    cell = [f"_cell_{name} {value:.12f}" for name, value in zip(_CELL, structure.lattice.parameters, strict=True)]
    # Lengths and angles say nothing about the frame in which Cartesian moments are given.
    frame = [
        f"_local_cell_vector_{name} '{' '.join(f'{x:.12f}' for x in row)}'"
        for name, row in zip("abc", structure.lattice.matrix, strict=True)
    ]
    head = ["data_structure", "_symmetry_space_group_name_H-M 'P 1'", *cell, *frame]
    operation = ["loop_", "_symmetry_equiv_pos_as_xyz", "'x, y, z'"]
    rows = [" ".join(row) for row in zip(*columns.values(), strict=True)]
    return "\n".join([*head, *operation, "loop_", *(f"_atom_site_{c}" for c in columns), *rows]) + "\n"


def _mcif_text(structure: Structure) -> str:
    """Magnetic operations (the identity alone) and the moments along the unit vectors of the crystal axes, in muB."""
    vectors = _moments(structure)
    if vectors.ndim == 1:
        vectors = vectors[:, None] * np.array([0.0, 0.0, 1.0])
    matrix = structure.lattice.matrix
    along_axes = vectors @ np.linalg.inv(matrix / np.linalg.norm(matrix, axis=1)[:, None])
    head = ["loop_", "_space_group_symop_magn_operation.id", "_space_group_symop_magn_operation.xyz", "1 x,y,z,+1"]
    names = ["loop_", "_atom_site_moment.label", *(f"_atom_site_moment.crystalaxis_{x}" for x in _AXES)]
    rows = [
        f"{site.specie.symbol}{i} " + " ".join(f"{x:.10g}" for x in row)
        for i, (site, row) in enumerate(zip(structure, along_axes, strict=True))
        if np.any(np.abs(row) > 0)
    ]
    return "\n".join([*head, *names, *rows]) + "\n"


def _from_cif(text: str) -> Structure:
    from pymatgen.io.cif import CifFile

    (block,) = CifFile.from_str(text).data.values()
    if "_local_cell_vector_a" in block.data:
        lattice = Lattice([[float(x) for x in block[f"_local_cell_vector_{name}"].split()] for name in "abc"])
    else:
        # A file from before the frame was kept: collinear moments need none.
        lattice = Lattice.from_parameters(*(float(block[f"_cell_{name}"]) for name in _CELL))
    coords = np.array([block[f"_atom_site_fract_{x}"] for x in _AXES], dtype=float).T
    properties: dict[str, list[Any]] = {}
    if "_atom_site_local_moment" in block.data:
        properties["magmom"] = [float(x) for x in block["_atom_site_local_moment"]]
    elif "_atom_site_local_moment_x" in block.data:
        properties["magmom"] = np.array([block[f"_atom_site_local_moment_{x}"] for x in _AXES], dtype=float).T.tolist()
    if "_atom_site_local_valence" in block.data:
        properties["valence"] = [float(x) for x in block["_atom_site_local_valence"]]
    if "_atom_site_local_sublattice" in block.data:
        properties["sublattice"] = [str(x) for x in block["_atom_site_local_sublattice"]]
    return Structure(lattice, block["_atom_site_type_symbol"], coords, site_properties=properties)


def _to_ase(structure: Structure) -> Any:
    from ase import Atoms

    atoms: Any = Atoms(
        [s.specie.symbol for s in structure],
        cell=structure.lattice.matrix,
        scaled_positions=structure.frac_coords,
        pbc=True,
    )
    for name in SITE_PROPERTIES:
        if name in structure.site_properties:
            values = _moments(structure) if name == "magmom" else np.array(structure.site_properties[name])
            atoms.set_array("initial_magmoms" if name == "magmom" else name, values)
    return atoms


def _from_ase(atoms: Any) -> Structure:
    properties = {
        name: atoms.arrays[key].tolist()
        for name, key in (("magmom", "initial_magmoms"), ("valence", "valence"), ("sublattice", "sublattice"))
        if key in atoms.arrays
    }
    lattice = Lattice(atoms.cell.array)
    return Structure(
        lattice,
        atoms.get_chemical_symbols(),
        atoms.positions,
        coords_are_cartesian=True,
        site_properties=properties,
    )
