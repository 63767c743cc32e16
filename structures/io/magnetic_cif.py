"""Magnetic CIFs that pymatgen stops at: partially occupied sites, and structures modulated in superspace."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Lattice, Structure
from pymatgen.core.operations import MagSymmOp
from pymatgen.io.cif import CifParser, str2float

FloatArray = NDArray[np.float64]
MODULATED = (
    "an incommensurate structure: its basic cell is taken, without the modulation and the moments; "
    "a commensurate cell with moments shows their order"
)
DISORDERED = "a magnetic structure with partially occupied sites: an ion has the moment of its place"
_SUPERSPACE = "_space_group_symop_magn_ssg_"
# Images of one site by several operations, in Angstrom.
_ONE_PLACE_A = 0.05


def read_magnetic_cif(text: str) -> tuple[Structure, str]:
    """Cell of a magnetic CIF with partial occupancies or a modulation, and in words what was left aside.

    Parameters
    ----------
    text
        With its symmetry operations, those of the superspace group for a modulated structure.

    Returns
    -------
    tuple
        The structure, with Cartesian moments in ``magmom`` (muB) unless it is modulated, and a note.

    Raises
    ------
    ValueError
        If the file lists no symmetry operations of its kind, or the modulation moves atoms into other cells.
    """
    parser = CifParser.from_str(text)
    block = next((b for b in vars(parser)["_cif"].data.values() if "_atom_site_fract_x" in b.data), None)
    if block is None:
        raise ValueError("it lists no atoms")
    data = {key.replace(".", "_").lower(): value for key, value in block.data.items()}
    lattice = parser.get_lattice(block)
    if lattice is None:
        raise ValueError("it has no cell")
    modulated = any(key.startswith(_SUPERSPACE) or key == "_cell_modulation_dimension" for key in data)
    operations = _of_superspace(data) if modulated else parser.get_magsymops(block)
    structure = _cell(data, lattice, operations, with_moments=not modulated)
    return structure, MODULATED if modulated else DISORDERED


def _column(data: Mapping[str, Any], key: str) -> list[str]:
    value = data.get(key, [])
    return [value] if isinstance(value, str) else list(value)


def _of_superspace(data: Mapping[str, Any]) -> list[MagSymmOp]:
    """Operations of the basic cell: the first three coordinates of those in superspace."""
    written = _column(data, f"{_SUPERSPACE}operation_algebraic")
    if not written:
        raise ValueError("it is modulated and lists no operations of its superspace group")
    operations = [_basic(word) for word in written]
    centrings = [_basic(word) for word in _column(data, f"{_SUPERSPACE}centering_algebraic")] or [_basic("x1,x2,x3,+1")]
    return [
        MagSymmOp.from_rotation_and_translation_and_time_reversal(
            rotation_matrix=op.rotation_matrix,
            translation_vec=op.translation_vector + centring.translation_vector,
            time_reversal=1,
        )
        for op in operations
        for centring in centrings
    ]


def _basic(word: str) -> MagSymmOp:
    three = [re.sub(r"x([123])", lambda m: "xyz"[int(m.group(1)) - 1], part) for part in word.split(",")[:3]]
    if any(re.search(r"[a-z]\d", part) for part in three):
        raise ValueError(f"operation {word} mixes the modulation's phase into the cell's coordinates")
    return MagSymmOp.from_xyzt_str(",".join([*three, "+1"]))


def _cell(data: Mapping[str, Any], lattice: Lattice, operations: list[MagSymmOp], *, with_moments: bool) -> Structure:
    labels = _column(data, "_atom_site_label")
    symbols = [_symbol(word) for word in _column(data, "_atom_site_type_symbol") or labels]
    shares = [str2float(word) for word in _column(data, "_atom_site_occupancy")] or [1.0] * len(labels)
    rows = np.array([[str2float(w) for w in _column(data, f"_atom_site_fract_{axis}")] for axis in "xyz"]).T
    moments = _moments(data) if with_moments else {}
    places: list[FloatArray] = []
    held: list[dict[str, float]] = []
    vectors: list[FloatArray] = []
    for label, symbol, share, coords in zip(labels, symbols, shares, rows, strict=True):
        own: set[int] = set()
        along = moments.get(label, np.zeros(3)) / np.array(lattice.abc)
        for op in operations:
            image = op.rotation_matrix @ coords + op.translation_vector
            turned = op.time_reversal * np.linalg.det(op.rotation_matrix) * (op.rotation_matrix @ along)
            at = _place(lattice, places, image)
            if at is None:
                places.append(image % 1.0)
                held.append({})
                vectors.append(np.zeros(3))
                at = len(places) - 1
            if at in own:
                continue
            own.add(at)
            held[at][symbol] = held[at].get(symbol, 0.0) + share
            vector = turned @ lattice.matrix
            if np.linalg.norm(vector) > np.linalg.norm(vectors[at]):
                vectors[at] = vector
    properties = {"magmom": [v.tolist() for v in vectors]} if with_moments else {}
    return Structure(lattice, held, places, site_properties=properties)


def _place(lattice: Lattice, places: list[FloatArray], coords: FloatArray) -> int | None:
    if not places:
        return None
    distances = lattice.get_all_distances(coords, np.array(places))[0]
    nearest = int(np.argmin(distances))
    return nearest if distances[nearest] < _ONE_PLACE_A else None


def _symbol(word: str) -> str:
    letters = re.match(r"[A-Za-z]{1,2}", word)
    for length in (2, 1):
        symbol = "" if letters is None else letters.group()[:length].capitalize()
        if symbol and Element.is_valid_symbol(symbol):
            return symbol
    raise ValueError(f"{word} names no element")


def _moments(data: Mapping[str, Any]) -> dict[str, FloatArray]:
    """Moments by label, muB along the cell's axes."""
    columns = [_column(data, f"_atom_site_moment_crystalaxis_{axis}") for axis in "xyz"]
    labels = _column(data, "_atom_site_moment_label")
    return {label: np.array([str2float(w) for w in words]) for label, *words in zip(labels, *columns, strict=True)}
