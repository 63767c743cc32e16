"""Calculations of spinels in 56 atoms: cation orders of cobalt ferrite, V_Fe(B) without order, Li that hops in LiFe5O8.

In atomic orbitals at Gamma, ions by the engine of their start.
"""

from __future__ import annotations

import ferrite_orders
import lithium_cells
import numpy as np
from evidence_task import BOUNDS_OF_DIFFERENCES, U_SETS, Task
from magnetoionics.analysis.study.reference_calculations import load_start
from magnetoionics.structures.elements import pbe_hubbard_U_eV
from magnetoionics.workflows.gpaw.settings import GpawSettings
from pymatgen.core import Structure

_LITHIUM, _SETS = lithium_cells.HOP, ("", *U_SETS)
# Paths with ends relaxed and saddles climbed in first principles: from where to where, and the charge of the cell (e).
# V_Fe(B) with its three electrons, as holes elsewhere in a crystal leave it, has no holes of its own to place.
_BANDS = {
    f"{_LITHIUM}band": ("Li(B) -> V_Fe(B) in 55 atoms of LiFe5O8", _LITHIUM, 0),
    "cfo55band": ("Co(B) -> V_Fe(B) with three electrons in 55 atoms of CoFe2O4", "hop56", -3),
}
_VACANCIES = tuple(map(ferrite_orders.vacancy_key, ferrite_orders.SURROUNDINGS))
# Cells of a vacancy that keeps the electrons of its iron, and their charge (e).
FILLED, _FILLED_CHARGE = "filled", -3


def spinel_names() -> list[str]:
    """All of them, U by U, the cheapest of each group first."""
    heads = [
        *_BANDS,
        *(f"{_LITHIUM}{state}" for state in lithium_cells.HOP_STATES),
        *(f"{ferrite_orders.PREFIX}{key}" for key in (*ferrite_orders.CELLS, *_VACANCIES)),
    ]
    filled = [f"{ferrite_orders.PREFIX}{key}" for key in _VACANCIES]
    names = [[*(spinel(head, u) for head in heads), *(spinel(head, u, FILLED) for head in filled)] for u in _SETS]
    return [name for of_set in names for name in of_set]


def spinel(head: str, u_set: str = "", special: str = "") -> str:
    """Name of a cell by its key, after the cell's prefix, and one of `U_SETS`."""
    return "-".join(part for part in (head, "dzp", "k1", u_set, special) if part)


def spinel_task(name: str) -> Task:
    """One of `spinel_names`."""
    head, basis, _, *special = name.split("-")
    final, mover, charge = None, None, 0
    if head in _BANDS:
        what, points, charge = _BANDS[head]
        start, final = f"{points}-before", load_start(f"{points}-after").structure
        mover = mover_between(load_start(start).structure, final)
    elif head.startswith(_LITHIUM):
        state = head.removeprefix(_LITHIUM)
        start, what = f"{_LITHIUM}-{state}", f"Li(B) -> V_Fe(B) in 55 atoms of LiFe5O8, {state}"
    else:
        key = head.removeprefix(ferrite_orders.PREFIX)
        start, what = head, f"CoFe2O4 of 56 atoms, {key}"
        if key in _VACANCIES:
            neighbours, pairs = key[-2:]
            what = f"V_Fe(B) in quasi-random CoFe2O4 beside {neighbours} Co, {pairs} pairs of them in line"
        if FILLED in special:
            what, charge = f"{what}, with the electrons of its iron", _FILLED_CHARGE
    kept = load_start(start)
    settings = GpawSettings(
        cutoff_eV=500.0,
        k_mesh=(1, 1, 1),
        hubbard_U_eV=next((U_SETS[s] for s in special if s in U_SETS), pbe_hubbard_U_eV()),
        max_iterations=250,
        energy_eV=BOUNDS_OF_DIFFERENCES["energy_eV"],
        density_e=BOUNDS_OF_DIFFERENCES["density_e"],
        eigenstates_eV2=BOUNDS_OF_DIFFERENCES["eigenstates_eV2"],
        charge=charge,
    )
    by, kind = kept.provenance.engine, "static" if final is None else "band"
    symmetry = "full" if final is None else "time reversal"
    return Task(
        name, what, kept.structure, settings, kind, symmetry, ion=mover, relaxed_by=by, basis=basis, final=final
    )


def mover_between(initial: Structure, final: Structure) -> int:
    """Index of the ion that lies farthest from where it was."""
    apart = [a.distance(b) for a, b in zip(initial, final, strict=True)]
    return int(np.argmax(apart))
