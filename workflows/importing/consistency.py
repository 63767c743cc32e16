"""Whether two finished runs may be subtracted: functional, U, PAW data sets, cutoff, mesh; each difference by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..vasp.finished.document import VaspRun

# Cutoffs are printed to a tenth of an eV.
SAME_CUTOFF_eV = 0.5
# Spacings of k points that differ by less count as one density.
LIKE_SPACING = 1.35
# Tags that change the energy of a cell by itself; the first value is VASP's default.
KINDS = ("functional", "U", "PAW", "ENCUT", "KPOINTS", "LASPH", "METAGGA", "IVDW", "LUSE_VDW", "LSORBIT")
_ENERGY_TAGS: Mapping[str, object] = {"LASPH": False, "METAGGA": None, "IVDW": 0, "LUSE_VDW": False}
# A mesh has at most so many points for an irreducible one: the largest crystal class, with time reversal.
_MOST_ALIKE = 96
_FIXED_DENSITY = 10


def level_of_theory(run: VaspRun) -> str:
    """Functional and U in words."""
    table = {el: u for el, u in hubbard_by_element(run).items() if u}
    return f"{run.functional or 'unknown functional'}" + "".join(f", U({el}) = {u:g} eV" for el, u in table.items())


def hubbard_by_element(run: VaspRun) -> dict[str, float]:
    """U by element; of an element in several blocks with different U the first, see `unlike`."""
    return {block.element: block.U_eV for block in reversed(run.hubbard)}


@dataclass(frozen=True)
class Difference:
    """One setting in which two runs differ.

    Attributes
    ----------
    kind
        ``functional``, ``U``, ``PAW``, ``ENCUT``, ``KPOINTS`` or a tag of INCAR: what a user accepts by name.
    text
        In words.
    """

    kind: str
    text: str


def unlike(first: VaspRun, second: VaspRun) -> list[Difference]:
    """Why the energies of two runs must not be subtracted; empty if they may.

    Only what both say is compared: an element that one of the two lacks has no U and no data set to differ in.
    """
    out: list[Difference] = []
    if first.functional and second.functional and first.functional != second.functional:
        out.append(Difference("functional", f"functional {second.functional}, not {first.functional}"))
    own, other = hubbard_by_element(first), hubbard_by_element(second)
    shared = {b.element for b in first.paw} & {b.element for b in second.paw}
    for element in sorted(shared):
        if abs(own.get(element, 0.0) - other.get(element, 0.0)) > 1e-6:
            out.append(
                Difference("U", f"U({element}) = {other.get(element, 0.0):g} eV, not {own.get(element, 0.0):g} eV")
            )
    sets, others = paw_sets(first), paw_sets(second)
    out += [
        Difference("PAW", f"PAW set {others[el]!r}, not {sets[el]!r}")
        for el in sorted(shared)
        if _other_set(sets[el], others[el])
    ]
    for tag, default in _ENERGY_TAGS.items():
        # An output that names no INCAR tags at all leaves their defaults unknown.
        known = all(tag in run.parameters or run.incar for run in (first, second))
        values = [run.parameters.get(tag, run.incar.get(tag, default)) for run in (first, second)]
        if known and _plain(values[0]) != _plain(values[1]):
            out.append(Difference(tag, f"{tag} = {values[1]}, not {values[0]}"))
    if first.spin_orbit != second.spin_orbit:
        out.append(Difference("LSORBIT", f"LSORBIT = {second.spin_orbit}, not {first.spin_orbit}"))
    return out


def unlike_cells(first: VaspRun, second: VaspRun) -> list[Difference]:
    """Why two runs in one cell must not be subtracted: as `unlike`, and the same cutoff and mesh besides."""
    out = unlike(first, second)
    cutoffs = [cutoff_eV(run) for run in (first, second)]
    if None not in cutoffs and abs(float(cutoffs[0] or 0) - float(cutoffs[1] or 0)) > SAME_CUTOFF_eV:
        out.append(Difference("ENCUT", f"ENCUT = {cutoffs[1]:g} eV, not {cutoffs[0]:g} eV"))
    if first.kpoint_mesh and second.kpoint_mesh and list(first.kpoint_mesh) != list(second.kpoint_mesh):
        out.append(Difference("KPOINTS", f"k-point mesh {_mesh(second)}, not {_mesh(first)}"))
    elif _cannot_be(first.kpoint_mesh, second.kpoints) or _cannot_be(second.kpoint_mesh, first.kpoints):
        out.append(
            Difference("KPOINTS", f"k points {_points(second)}, not {_points(first)}: one mesh cannot be the other")
        )
    return out


def _cannot_be(mesh: list[int] | None, irreducible: int | None) -> bool:
    """Whether so many irreducible points cannot be of a mesh, where an OUTCAR alone tells their number."""
    if not mesh or not irreducible:
        return False
    whole = int(np.prod(mesh))
    return irreducible > whole or irreducible * _MOST_ALIKE < whole


def _points(run: VaspRun) -> str:
    return _mesh(run) or f"{run.kpoints} irreducible ones"


def differences_to_say(first: VaspRun, second: VaspRun) -> list[str]:
    """What a reader has to know about two runs of different cells that may be compared: cutoff and k-point density."""
    out = []
    cutoffs = [cutoff_eV(run) for run in (first, second)]
    if None not in cutoffs and abs(float(cutoffs[0] or 0) - float(cutoffs[1] or 0)) > SAME_CUTOFF_eV:
        out.append(f"ENCUT = {cutoffs[1]:g} eV where {first.formula} has {cutoffs[0]:g} eV")
    spacings = [spacing_per_A(run) for run in (first, second)]
    if None not in spacings and float(spacings[1] or 0) > LIKE_SPACING * float(spacings[0] or 0):
        out.append(f"k points {spacings[1]:.2f} 1/A apart where {first.formula} has {spacings[0]:.2f} 1/A")
    return out


def on_fixed_density(run: VaspRun) -> bool:
    """Whether the density was read and kept (ICHARG of 10 and more): band structures, and the force theorem."""
    return int({**run.incar, **run.parameters}.get("ICHARG") or 0) >= _FIXED_DENSITY


def cutoff_eV(run: VaspRun) -> float | None:
    """Cutoff that VASP used."""
    value = run.parameters.get("ENMAX") or run.parameters.get("ENCUT") or run.incar.get("ENCUT")
    return None if value is None else float(value)


def spacing_per_A(run: VaspRun) -> float | None:
    """Largest spacing of an automatic mesh, 1/A with 2 pi; None for a list of points or an isolated molecule."""
    if not run.kpoint_mesh or run.structure is None or max(run.kpoint_mesh) == 1:
        return None
    lengths = np.array(run.structure.lattice.reciprocal_lattice.abc)
    return float(np.max(lengths / np.array(run.kpoint_mesh)))


def paw_sets(run: VaspRun) -> dict[str, str]:
    """PAW data set by element, as VASP prints it."""
    return {block.element: " ".join(block.titel.split()) for block in run.paw}


def _other_set(one: str, other: str) -> bool:
    return bool(one) and bool(other) and one != other


def _plain(value: object) -> object:
    if value is None or value is False or value == "--" or value == 0:
        return False
    if not isinstance(value, str):
        return value
    word = value.strip(" .").upper()
    return {"T": True, "TRUE": True, "F": False, "FALSE": False}.get(word, word)


def _mesh(run: VaspRun) -> str:
    return "x".join(str(n) for n in run.kpoint_mesh or [])
