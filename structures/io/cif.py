"""Structures of CIFs: several blocks, atoms listed twice, over-full sites, symmetry by name alone."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pymatgen.core import Structure

from ..space_groups import operations_of_setting
from .magnetic_cif import read_magnetic_cif
from .origins import in_other_origin

# What pymatgen says when it takes a CIF's atoms as all that there are.
NO_SYMMETRY = "Defaulting to P1"
_NO_STRUCTURES = "no structures"
# Sum of the occupancies of atoms on top of each other: of so many equal ones at most.
_LISTED_TWICE, _NEARLY_WHOLE = 192.0, 0.02
# Occupancies that share a site, rounded or refined one by one, add up to a little more than 1.
_ROUNDED_SUM = 1.05
_SUMS = re.compile(r"Some occupancies \(\[([^\]]*)\]\) sum to > 1")
_NOT_PARSED = re.compile(r"No structure parsed for section \d+ in CIF\.\s*(.+)")
_SUM = re.compile(r"Occupancy ([\d.]+) exceeded tolerance")
_CELL = [f"_cell_{what}" for what in ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")]
# Two sites of one kind so near are one; fractional coordinates of three digits miss by half a thousandth.
_ONE_ATOM_A, _ROUNDED = 0.05, 2e-3
_OPERATIONS = re.compile(r"_(?:symop_operation_xyz|equiv_pos_as_xyz|symop_magn|space_group_magn)", re.IGNORECASE)
_HALL = re.compile(r"^\s*_(?:symmetry_space_group_name|space_group_name)_Hall\s+(.+)$", re.MULTILINE)
_CHOICE = re.compile(r"^\s*_(?:symmetry_space_group_name|space_group_name)_H-M(?:_alt)?\s+(.+:.+)$", re.MULTILINE)
_GROUP = re.compile(r"^\s*_(?:symmetry_space_group_name|space_group_name)_(?:H-M|H-M_alt|Hall)\s+(.+)$", re.MULTILINE)
_FORMULA = re.compile(r"^\s*_chemical_formula_sum\s+['\"]?([A-Za-z0-9. ()]+)", re.MULTILINE)
_SYMBOL = re.compile(r"[A-Z][a-z]?")
_ATOM_SITE = re.compile(r"^\s*_atom_site_fract_x\b", re.MULTILINE | re.IGNORECASE)


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


def read_cif(text: str, name: str) -> Structure:
    """Structure of a CIF's text; what was odd and put right is a warning.

    Parameters
    ----------
    text
        As `usual_forms.usual_cif` leaves it.
    name
        Of the file, for messages.

    Raises
    ------
    ValueError
        With what is wrong with it.
    """
    text = _with_atoms(text)
    if not _ATOM_SITE.search(text):
        raise ValueError(
            f"{name} lists no atoms (_atom_site_fract_x), as files of reflections or of an article alone: give the one "
            "of the structure"
        )
    if lost := [tag for tag in _CELL if not re.search(rf"^\s*{tag}\s", text, re.MULTILINE)]:
        raise ValueError(f"{name} has no {', '.join(lost)}")
    if not _OPERATIONS.search(text) and (operations := _operations_of_name(text)):
        warnings.warn("its symmetry operations are those of the space group that it names", stacklevel=2)
        text = text.rstrip() + "\nloop_\n_symmetry_equiv_pos_as_xyz\n" + "\n".join(operations) + "\n"
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        structure = _cif_structure(text)
    if (moved := in_other_origin(text, structure)) is not None:
        # What the reader said is about the wrong crystal.
        structure, said = moved[0], []
        warnings.warn(moved[1], stacklevel=2)
    for one in said:
        warnings.warn(one.message, stacklevel=2)
    structure = _as_in_formula(structure, text)
    symbol = _GROUP.search(text)
    named = "" if symbol is None else symbol.group(1).strip(" '\"").replace(" ", "")
    if any(NO_SYMMETRY in str(w.message) for w in said) and named not in ("", "P1", "?", ".", "1"):
        raise ValueError(
            f"{name} names the space group {named} and lists no symmetry operations; the name is not one that can be "
            "expanded (Fd-3m, for instance, has two origin choices, and its atoms fit one of them): "
            "give a file with all atoms, or one that lists its symmetry operations or its Hall symbol"
        )
    return structure


def _operations_of_name(text: str) -> list[str]:
    """Operations of the Hall symbol, or of the Hermann-Mauguin symbol with its setting; empty if there is no such."""
    hall, choice = _HALL.search(text), _CHOICE.search(text)
    name, _, setting = _unquoted(choice.group(1)).partition(":") if choice else ("", "", "")
    found = operations_of_setting(_unquoted(hall.group(1)) if hall else "", name, setting.strip())
    return [f"'{operation}'" for operation in found]


def _unquoted(word: str) -> str:
    word = word.strip()
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "'\"" else word


def _as_in_formula(structure: Structure, text: str) -> Structure:
    """The structure with elements that its formula has, where a label such as HOh1 was read as one that it lacks."""
    formula = _FORMULA.search(text)
    named = set(_SYMBOL.findall(formula.group(1))) if formula else set()
    wrong: dict[Any, Any] = {
        el: str(el.symbol)[0]
        for species in structure.species_and_occu
        for el in species
        if named and el.symbol not in {*named, "D"} and str(el.symbol)[0] in named
    }
    if not wrong:
        return structure
    words = ", ".join(sorted({f"{el.symbol} is {right}" for el, right in wrong.items()}))
    warnings.warn(f"labels read as its formula has them: {words}", stacklevel=2)
    return structure.replace_species(wrong, in_place=False)


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
