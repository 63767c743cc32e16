"""CIFs whose atoms are written for the other of two origins of their space group."""

from __future__ import annotations

import re
import warnings
from contextlib import suppress

from pymatgen.core import Structure

from ..space_groups import operations_of_setting
from .usual_forms import stated_formula

# Atoms of a right setting are farther apart; hydrogens on split places may be nearer, so that they do not count.
_OVERLAP_A = 0.9
_NAME = re.compile(r"^\s*_(?:symmetry_space_group_name|space_group_name)_(?:H-M|H-M_alt)\s+(.+)$", re.MULTILINE)
_GROUP_LINES = re.compile(r"^\s*_(?:symmetry_space_group_name|space_group_name)_\S+\s+.+$", re.MULTILINE)
_NUMBER_LINES = re.compile(r"^\s*_(?:symmetry_Int_Tables_number|space_group_IT_number)\s+.+$", re.MULTILINE)
_OPERATION_LOOP = re.compile(
    r"^[ \t]*loop_\s+(?:_(?:symmetry_equiv|space_group_symop)_\S+\s+)+(?:(?![ \t]*(?:_|loop_|data_|#)).*\n?)*",
    re.MULTILINE,
)
_CHOICES, _RATIO = ("1", "2"), 0.02


def in_other_origin(text: str, structure: Structure) -> tuple[Structure, str] | None:
    """The crystal of a CIF in the origin that its atoms fit, where those that it lists lie on top of each other.

    Parameters
    ----------
    text
        Of the CIF.
    structure
        As read with its own operations.

    Returns
    -------
    tuple or None
        Structure and words. None if nothing overlaps, the group has one origin, or not exactly one origin fits: no
        atoms overlap, and the elements are in the ratio of the file's formula.
    """
    named = _NAME.search(text)
    if named is None or not _overlaps(structure):
        return None
    name = named.group(1).strip().strip("'\"").partition(":")[0].strip()
    fitting = {}
    for choice in _CHOICES:
        found = _in_origin(text, operations_of_setting("", name, choice))
        if found is not None and not _overlaps(found) and _has_ratio(found, text):
            fitting[choice] = found
    if len(fitting) != 1:
        return None
    choice, right = fitting.popitem()
    words = f"its atoms overlap as the file gives the space group and fit origin choice {choice} of {name}: taken so"
    return right, words


def _in_origin(text: str, operations: list[str]) -> Structure | None:
    if not operations:
        return None
    plain = _NUMBER_LINES.sub("", _GROUP_LINES.sub("", _OPERATION_LOOP.sub("", text)))
    rows = "\n".join(f"'{operation}'" for operation in operations)
    with suppress(ValueError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Structure.from_str(f"{plain.rstrip()}\nloop_\n_symmetry_equiv_pos_as_xyz\n{rows}\n", fmt="cif")
    return None


def _overlaps(structure: Structure) -> bool:
    heavy = [i for i, s in enumerate(structure) if {el.symbol for el in s.species} - {"H", "D"}]
    near = structure.get_neighbor_list(_OVERLAP_A)
    return any(i in heavy and j in heavy for i, j in zip(near[0].tolist(), near[1].tolist(), strict=True))


def _has_ratio(structure: Structure, text: str) -> bool:
    formula = stated_formula(text)
    if formula is None:
        return True
    ours = structure.composition.element_composition.fractional_composition
    return bool(formula.element_composition.fractional_composition.almost_equals(ours, rtol=_RATIO))
