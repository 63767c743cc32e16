"""Calculations of spinels in 56 atoms: cation orders of cobalt ferrite, V_Fe(B) without order, Li that hops in LiFe5O8.

In atomic orbitals at Gamma, ions by the engine of their start.
"""

from __future__ import annotations

import ferrite_orders
import lithium_cells
from evidence_task import BOUNDS_OF_DIFFERENCES, U_SETS, Task
from magnetoionics.analysis.study.reference_calculations import load_start
from magnetoionics.structures.elements import pbe_hubbard_U_eV
from magnetoionics.workflows.gpaw.settings import GpawSettings

_LITHIUM = lithium_cells.HOP
_VACANCIES = tuple(map(ferrite_orders.vacancy_key, ferrite_orders.SURROUNDINGS))


def spinel_names() -> list[str]:
    """All of them, U by U, the cheapest of each group first."""
    heads = [
        *(f"{_LITHIUM}{state}" for state in lithium_cells.HOP_STATES),
        *(f"{ferrite_orders.PREFIX}{key}" for key in (*ferrite_orders.CELLS, *_VACANCIES)),
    ]
    return [spinel(head, u) for u in ("", *U_SETS) for head in heads]


def spinel(head: str, u_set: str = "") -> str:
    """Name of a cell by its key, after the cell's prefix, and one of `U_SETS`."""
    return "-".join([head, "dzp", "k1", *([u_set] if u_set else [])])


def spinel_task(name: str) -> Task:
    """One of `spinel_names`."""
    head, basis, _, *special = name.split("-")
    if head.startswith(_LITHIUM):
        state = head.removeprefix(_LITHIUM)
        start, what = f"{_LITHIUM}-{state}", f"Li(B) -> V_Fe(B) in 55 atoms of LiFe5O8, {state}"
    else:
        key = head.removeprefix(ferrite_orders.PREFIX)
        start, what = head, f"CoFe2O4 of 56 atoms, {key}"
        if key in _VACANCIES:
            neighbours, pairs = key[-2:]
            what = f"V_Fe(B) in quasi-random CoFe2O4 beside {neighbours} Co, {pairs} pairs of them in line"
    kept = load_start(start)
    settings = GpawSettings(
        cutoff_eV=500.0,
        k_mesh=(1, 1, 1),
        hubbard_U_eV=next((U_SETS[s] for s in special if s in U_SETS), pbe_hubbard_U_eV()),
        max_iterations=250,
        energy_eV=BOUNDS_OF_DIFFERENCES["energy_eV"],
        density_e=BOUNDS_OF_DIFFERENCES["density_e"],
        eigenstates_eV2=BOUNDS_OF_DIFFERENCES["eigenstates_eV2"],
    )
    return Task(name, what, kept.structure, settings, "static", "full", relaxed_by=kept.provenance.engine, basis=basis)
