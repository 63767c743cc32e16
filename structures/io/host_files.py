"""A user's own host: a structure file and the roles of its sites in YAML.

```yaml
key: my_ferrite
title: my cobalt ferrite
formula: CoFe2O4
structures:                # one file per cation order, relative to this file; the first is the default
  measured: ferrite.cif
roles:                     # the first that fits a site wins
  - {element: Fe, coordination: 4, sublattice: A, valence: 3}
  - {element: Fe, coordination: 6, sublattice: B, valence: 3}
  - {element: Co, sublattice: B, valence: 2}
  - {element: O, sublattice: O, valence: -2}
spin_sense: {A: -1, B: 1}  # high spin, against and along z, unless a role or `spins` says otherwise
moment_per_formula_muB: 3
anions_per_formula: 4
vacancies: [[Fe, B], [O, O]]
hops:
  - {ion: Co, from_sublattice: B, vacancy_element: Fe, vacancy_sublattice: B, cutoff_A: 3.3}
references: [CoO, Fe2O3, Fe3O4]
hubbard_U_eV: {Co: 3.32, Fe: 5.3}
gap_eV: 1.5
```

A role may carry ``spin``: ``high``, ``low``, a signed moment in muB, or a Cartesian vector ``[x, y, z]``; with
``indices`` it holds for single sites. ``spins: {B: low}`` says the same for a sublattice, and ``spins: file`` takes the
directions from the moments in the structure files. One vector makes the moments of all sites vectors, and the stated
moment is then the length of their sum. Moments in a file that are not taken must agree with the stated ones.
Partially occupied sites are filled as ``ordering`` says, e.g. ``{method: sqs, seed: 1, cells: 4}``, see
`cells.partial_occupancy.ordered_cell`. A film or an interface lists its ``layers`` from the bottom, e.g.
``[{name: gate, role: electrode, sublattices: [Pt]}, {name: film, role: film, sublattices: [Co]}]``, see `layers.ROLES`.
"""

from __future__ import annotations

import functools
import json
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pymatgen.core import Composition, Structure

from ...stored.base import Stored
from ..cells.hydrogens import lengthen_hydrogen_bonds
from ..cells.partial_occupancy import ordered_cell
from ..cells.supercell import repeats_for_distance, supercell
from ..checks.geometry import (
    StructureError,
    check_bonds,
    check_handedness,
    check_no_overlap,
    coordination_number,
)
from ..checks.hosts import require_within
from ..defects.hops import distinct_hops
from ..defects.vacancies import distinct_vacancies, same_site_in
from ..host_definition import HopKind, Host, host_keys
from ..layers import Layer
from ..similar import did_you_mean
from ..spins import SPIN_PROPERTY, Spin
from .file_spins import FROM_FILE, check_against_file, spins_from_file
from .host_entries import HostFileError, a_number, clipped, formulas, name_of, sense, truth, whole
from .untrusted_input import ReadingNote, read_with_notes, read_yaml

_REQUIRED = ("formula", "structures", "roles", "spin_sense", "moment_per_formula_muB", "anions_per_formula", "gap_eV")
_OPTIONAL = (
    "key",
    "title",
    "anion",
    "cubic_parent",
    "vacancies",
    "hops",
    "references",
    "hubbard_U_eV",
    "claims",
    "sources",
    "spins",
    "ordering",
    "layers",
)
_ORDERING = ("method", "seed", "cells")
_BY_ORDER = "moment_by_order_muB"
_FRACTION_TOLERANCE = 1e-3
# From carbides to the highest oxidation state known, Ir(9+).
_VALENCES = (-4.0, 9.0)
# Mean valences such as 3.333 are rounded by this much.
_VALENCE_DIGITS = 5e-3
_LONGEST_MESSAGE = 1000
# In a first shell.
_MOST_NEIGHBOURS = 24
_ROLE_KEYS = {"element", "sublattice", "valence", "coordination", "indices", "spin"}


@dataclass(frozen=True)
class HostReference(Stored):
    """A user's host as its content: what a job carries in place of a path, which another machine would not have.

    Attributes
    ----------
    entries
        The YAML file's entries; ``key`` is always there.
    cells
        Structure of each order as its file holds it.
    """

    entries: dict[str, Any]
    cells: dict[str, Structure]

    @classmethod
    def from_file(cls, path: str | Path) -> HostReference:
        """Read and check a host file; see the module's head for what it holds.

        Raises
        ------
        HostFileError
            With the reason: no such file, unknown or missing entries, overlapping atoms, atoms without a role, a
            charged cell, another moment than stated, spins that stand otherwise than the file's moments, a vacancy or
            a hop that does not exist.
        """
        file = Path(path).expanduser()
        try:
            return _read(file)
        except HostFileError:
            raise
        except (yaml.YAMLError, OSError, ValueError, TypeError, RuntimeError, LookupError, AttributeError) as error:
            reason = (
                f"an entry is missing or not of its kind ({error})"
                if isinstance(error, LookupError | AttributeError | TypeError)
                else str(error)
            )
            raise HostFileError(f"{file.name}: {reason[:_LONGEST_MESSAGE]}") from error

    @property
    def content(self) -> str:
        """Everything that the host is made of, as text; equal contents are one host."""
        cells = {order: cell.as_dict() for order, cell in self.cells.items()}
        return json.dumps(_plain({"entries": self.entries, "cells": cells}), sort_keys=True)

    def host(self) -> Host:
        """The host; built once per content and process."""
        return _host_of(self.content)

    def check(self) -> None:
        """Build every order once and hold it against what is stated; errors as for `from_file`, without its name."""
        host = self.host()
        for order in host.orders:
            _check_formula(host, host.build_cell(order))
            host.check_moment(order)
            check_against_file(host.structure(order), self.cells[order].site_properties.get("magmom"))
            _check_vacancies_and_hops(host, host.structure(order))


def _read(file: Path) -> HostReference:
    entries = read_yaml(file)
    if not isinstance(entries, Mapping):
        raise HostFileError(f"{file.name}: a host file is a mapping of names to values")
    if "phonopy" in entries:
        raise HostFileError(
            f"{file.name} is a file of phonopy: give the structure that it was made from (POSCAR, .cif)"
        )
    missing = [k for k in _REQUIRED if k not in entries]
    unknown = sorted(set(entries) - {*_REQUIRED, *_OPTIONAL, _BY_ORDER})
    if missing or unknown:
        raise HostFileError(
            f"{file.name}: missing entries: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}"
            + "".join(did_you_mean(str(k), [*_REQUIRED, *_OPTIONAL, _BY_ORDER]) for k in unknown[:1])
        )
    if not isinstance(entries["structures"], Mapping) or not entries["structures"]:
        raise HostFileError(f"{file.name}: structures must name one file per cation order, e.g. {{measured: my.cif}}")
    cells, notes = {}, []
    for order, name in entries["structures"].items():
        cells[str(order)], odd = _ordered(*read_with_notes(file.parent / str(name)), entries.get("ordering", {}))
        notes += [f"{Path(str(name)).name}: {note}" for note in odd]
    _check_roles(entries["roles"], cells.values())
    for note in notes:
        warnings.warn(note, ReadingNote, stacklevel=2)
    said = {"notes of the readers": "; ".join(notes)} if notes else {}
    sources = {"structure": f"user's file {file.name}", **said, **entries.get("sources", {})}
    named = {"key": file.stem, **entries, "sources": sources}
    reference = HostReference({str(k): v for k, v in named.items() if k != "structures"}, cells)
    reference.check()
    return reference


def _check_roles(roles: Sequence[Mapping[str, Any]], cells: Iterable[Structure]) -> None:
    """Refuse what a role says, also of one that fits no site: another would silently be taken for it."""
    held = sorted({site.specie.symbol for cell in cells for site in cell})
    for n, role in enumerate(roles):
        if role["element"] not in held:
            raise StructureError(
                f"role {n} names element {clipped(role['element'])}, which no structure holds; they hold "
                f"{', '.join(held)}"
            )
        name_of(role["sublattice"], f"role {n}: sublattice")
        if role.get("valence") is not None:
            require_within(f"valence of role {n}", a_number(role["valence"], f"valence of role {n}"), *_VALENCES)
        if role.get("coordination") is not None:
            require_within(f"coordination of role {n}", whole(role["coordination"], f"coordination of role {n}"), 0, 24)


def _ordered(structure: Structure, notes: list[str], ordering: Mapping[str, Any]) -> tuple[Structure, list[str]]:
    """The structure as it is, or with its partially occupied sites filled as the file's ``ordering`` asks."""
    if structure.is_ordered:
        return structure, notes
    if unknown := sorted(set(ordering) - set(_ORDERING)):
        raise StructureError(f"ordering knows {', '.join(_ORDERING)}, not {', '.join(unknown)}")
    ordered = ordered_cell(structure, **ordering)
    return ordered.structure, [*notes, f"ordered: {ordered.in_words}", *lengthen_hydrogen_bonds(ordered.structure)]


def _plain(value: Any) -> Any:
    """Numbers and words alone: versions and numpy's kinds of numbers do not make another host."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items() if k != "@version"}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value


@functools.lru_cache(maxsize=16)
def _host_of(content: str) -> Host:
    made = json.loads(content)
    return _host(made["entries"], {order: Structure.from_dict(cell) for order, cell in made["cells"].items()})


def _check_formula(host: Host, cell: Structure) -> None:
    wanted, composition = Composition(host.formula).fractional_composition, cell.composition.fractional_composition
    if not wanted.almost_equals(composition, rtol=0, atol=_FRACTION_TOLERANCE):
        raise StructureError(
            f"the structure holds {cell.composition.reduced_formula} in {len(cell)} atoms, stated is {host.formula}; "
            "a CIF without symmetry operations may have been read without its symmetry"
        )


def _host(entries: Mapping[str, Any], cells: Mapping[str, Structure]) -> Host:
    anion = str(entries.get("anion", "O"))
    if anion not in (held := [e.symbol for e in Composition(entries["formula"]).elements]):
        raise HostFileError(
            f"anion = {clipped(anion)} is none of the elements of {entries['formula']}: {', '.join(held)}"
        )
    return Host(
        # What is known of a built-in material is not known of a file that has its name.
        key=f"{entries['key']}_file" if entries["key"] in host_keys() else name_of(str(entries["key"]), "key"),
        title=name_of(str(entries.get("title", entries["formula"])), "title"),
        formula=str(entries["formula"]),
        build_cell=_builder(cells, entries, anion),
        orders=tuple(cells),
        spin_sense={str(k): sense(v, f"spin_sense of {k}") for k, v in entries["spin_sense"].items()},
        moment_per_formula_muB=a_number(entries["moment_per_formula_muB"], "moment_per_formula_muB"),
        moment_by_order_muB={str(k): a_number(v, f"{_BY_ORDER} of {k}") for k, v in entries.get(_BY_ORDER, {}).items()},
        anions_per_formula=whole(entries["anions_per_formula"], "anions_per_formula"),
        anion=anion,
        cubic_parent=truth(entries.get("cubic_parent", False), "cubic_parent"),
        vacancies=tuple((str(e), str(s)) for e, s in entries.get("vacancies", ())),
        hops=tuple(HopKind(**kind) for kind in entries.get("hops", ())),
        references=formulas(entries.get("references", ()), "references"),
        hubbard_U_eV={str(k): a_number(v, f"hubbard_U_eV of {k}") for k, v in entries.get("hubbard_U_eV", {}).items()},
        gap_eV=a_number(entries["gap_eV"], "gap_eV"),
        claims=tuple(entries.get("claims", ())),
        sources=dict(entries.get("sources", {})),
        layers=tuple(_layer(said) for said in entries.get("layers", ())),
    )


def _layer(said: Any) -> Layer:
    known = {f.name for f in fields(Layer)}
    if not isinstance(said, Mapping) or set(said) != known:
        raise HostFileError(
            f"layer {said!r} must hold {', '.join(sorted(known))}, e.g. {{name: film, role: film, sublattices: [Co]}}"
        )
    return Layer(
        name_of(str(said["name"]), "name of a layer"), str(said["role"]), tuple(str(s) for s in said["sublattices"])
    )


def _builder(cells: Mapping[str, Structure], entries: Mapping[str, Any], anion: str) -> Callable[[str], Structure]:
    roles: list[Mapping[str, Any]] = entries["roles"]
    spins: Mapping[str, Spin] | str = entries.get("spins", {})
    metallic = a_number(entries["gap_eV"], "gap_eV") == 0
    if isinstance(spins, str) and spins != FROM_FILE:
        raise HostFileError(f"spins: {spins!r} is neither {FROM_FILE!r} nor a spin per sublattice, e.g. {{B: low}}")
    unknown = sorted(set(() if isinstance(spins, str) else spins) - {str(role.get("sublattice")) for role in roles})
    if unknown:
        raise HostFileError(f"spins are given for sublattices {unknown} that no role names")
    for role in roles:
        if not {"element", "sublattice"} <= set(role) <= _ROLE_KEYS:
            raise HostFileError(f"role {dict(role)} needs element, sublattice and valence; known: {sorted(_ROLE_KEYS)}")

    # A study builds the cell many times; the roles are given out once per host.
    @functools.cache
    def built(order: str) -> Structure:
        return with_roles(cells[order], roles, anion, spins, metallic=metallic)

    return lambda order: built(order).copy()


def with_roles(
    structure: Structure,
    roles: list[Mapping[str, Any]],
    anion: str = "O",
    spins: Mapping[str, Spin] | str | None = None,
    *,
    metallic: bool = False,
) -> Structure:
    """Bare structure with the site properties that every later step needs.

    Parameters
    ----------
    structure
        Ordered structure; oxidation states and other properties than its moments are dropped.
    roles
        Mappings with ``element``, ``sublattice``, ``valence`` and optionally ``coordination`` (number of anions in
        the first shell of a cation, of cations in that of an anion), ``indices`` (site numbers) or ``spin`` (see
        `spins.site_moment`); the first that fits a site wins.
    anion
        Element that coordinates the cations; those of roles with a valence below 0 are anions too.
    spins
        Spin per sublattice, for sites whose role has none; or ``"file"`` (see `file_spins.spins_from_file`).
    metallic
        Whether ions need no anion beside them.

    Returns
    -------
    Structure
        With properties ``sublattice`` and ``valence``, and ``spin`` if any is given.

    Raises
    ------
    StructureError
        For partial occupancies, left-handed cells, overlapping atoms, cations without bonds, sites that no role fits
        and roles without a valence.
    """
    if not structure.is_ordered:
        raise StructureError("the structure has partially occupied sites; give an ordered cell")
    check_handedness(structure)
    symbols = [s.specie.symbol for s in structure]
    bare = Structure(structure.lattice, symbols, structure.frac_coords)
    check_no_overlap(bare)
    anions = {anion, *(str(r["element"]) for r in roles if (r.get("valence") or 0) < 0)}
    of_sublattice = {} if spins is None or isinstance(spins, str) else spins
    labels, valences, own = [], [], []
    for i, symbol in enumerate(symbols):
        role = next((r for r in roles if _fits(bare, i, symbol, r, anions)), None)
        if role is None or role.get("valence") is None:
            number = coordination_number(bare, i, anions)
            around = "cations" if symbol in anions else "/".join(sorted(anions))
            raise StructureError(
                f"site {i} ({symbol}, {number} {around} around it) has no {'role' if role is None else 'valence'}: "
                "add element, sublattice and valence to the roles"
            )
        labels.append(str(role["sublattice"]))
        valence = float(role["valence"])
        require_within(f"valence of {symbol} on {labels[-1]}", valence, *_VALENCES)
        valences.append(valence)
        own.append(role.get("spin", of_sublattice.get(labels[-1])))
    _settle_mean_valences(valences)
    check_bonds(bare, anions, valences, metallic=metallic)
    if spins == FROM_FILE:
        own = spins_from_file(structure, valences, own)
    bare.add_site_property("sublattice", labels)
    bare.add_site_property("valence", valences)
    if any(spin is not None for spin in own):
        bare.add_site_property(SPIN_PROPERTY, own)
    return bare


def _settle_mean_valences(valences: list[float]) -> None:
    """Take out of the mean valences, which are written with a few digits, what keeps the cell from being neutral."""
    mean = [i for i, v in enumerate(valences) if v != round(v)]
    left = sum(valences)
    if mean and 0 < abs(left) <= _VALENCE_DIGITS * len(mean):
        for i in mean:
            valences[i] -= left / len(mean)


def _fits(structure: Structure, index: int, symbol: str, role: Mapping[str, Any], anion: set[str]) -> bool:
    if role["element"] != symbol or ("indices" in role and index not in role["indices"]):
        return False
    return "coordination" not in role or coordination_number(structure, index, anion) == role["coordination"]


def _check_vacancies_and_hops(host: Host, cell: Structure) -> None:
    for element, sublattice in host.vacancies:
        distinct_vacancies(cell, element, sublattice)
    for kind in host.hops:
        vacancy = distinct_vacancies(cell, kind.vacancy_element, kind.vacancy_sublattice)[0]
        # Studies repeat the cell; one so large that no ion and its image are both in reach shows every hop.
        big = supercell(cell, repeats_for_distance(cell, 2 * kind.cutoff_A))
        index = same_site_in(big, cell, vacancy.index)
        distinct_hops(big, index, vacancy.label, kind.ion, kind.from_sublattice, kind.cutoff_A)
