"""The calculations that the first-principles evidence consists of: which cell, which settings, what is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pymatgen.core import Structure

from ...structures.host import get_host
from ...structures.supercell import supercell
from ...structures.vacancies import distinct_vacancies, remove_site, same_site_in
from ..building import Repeats, shortest_hop
from .settings import GpawSettings

HOST = "cofe2o4"
TaskKind = Literal["map", "relax", "static", "born"]
_ORDERS = {"imma": "Imma", "p4122": "P4_122"}
_VACANCIES = {"vfea": ("Fe", "A"), "vfeb": ("Fe", "B"), "vcob": ("Co", "B"), "vo": ("O", "O")}
# 28 atoms: two primitive cells of Imma, so that an ion is missing in every second one.
DEFECT_REPEATS: Repeats = (2, 1, 1)


@dataclass(frozen=True)
class Task:
    """One calculation of the evidence.

    Attributes
    ----------
    name, what
        Short name and one sentence.
    structure
        Cell with its site properties.
    settings
        Of the self-consistent cycle.
    kind
        ``map`` is a static calculation with E(n), ``born`` the charge of `ion`.
    symmetry
        Use it in the cycle; an odd part is then no error bar.
    ion
        For ``born``.
    """

    name: str
    what: str
    structure: Structure
    settings: GpawSettings
    kind: TaskKind
    symmetry: bool = False
    ion: int | None = None


def task_names() -> list[str]:
    """All tasks, the cheapest of each group first."""
    bulk = [f"imma-pw{c}-k{k}" for c, k in ((400, 2), (500, 2), (500, 3), (600, 2), (400, 4))]
    bulk += ["imma-pw400-k2-nosym", "imma-pw400-k2-empty6", "p4122-pw500-k2"]
    defects = [f"{key}28-pw{c}-k221" for c in (400, 500) for key in ("host", *_VACANCIES)]
    hop = [f"hop56-{state}-pw400-k2" for state in ("before", "after", "middle")]
    return [*bulk, *defects, *hop, "bornco-pw400-k2"]


def primitive(order: str = "Imma") -> Structure:
    """Primitive cell of cobalt ferrite at the measured lattice and oxygen parameter."""
    return get_host(HOST).structure(order).get_primitive_structure(use_site_props=True, tolerance=0.05)


def task(name: str) -> Task:
    """A task by name.

    Raises
    ------
    ValueError
        If it is none of `task_names`.
    """
    if name not in task_names():
        raise ValueError(f"unknown evidence {name!r}; known: {', '.join(task_names())}")
    words = name.split("-")
    head, cutoff, digits = words[0], float(next(w for w in words if w.startswith("pw"))[2:]), words[-1]
    mesh = next(w for w in words if w.startswith("k") and w[1:].isdigit())[1:]
    k = [int(d) for d in mesh] * (3 if len(mesh) == 1 else 1)
    settings = GpawSettings(
        cutoff_eV=cutoff,
        k_mesh=(k[0], k[1], k[2]),
        energy_eV=1e-6,
        empty_eV=6.0 if digits == "empty6" else None,
    )
    if head in _ORDERS:
        what = f"{_ORDERS[head]} CoFe2O4: energy and E(n)"
        return Task(name, what, primitive(_ORDERS[head]), settings, "map", symmetry=digits != "nosym")
    if head == "bornco":
        cell = primitive()
        ion = next(i for i, s in enumerate(cell) if s.specie.symbol == "Co")
        return Task(name, "Born charge of Co in Imma CoFe2O4", cell, settings, "born", ion=ion)
    if head == "hop56":
        # In 28 atoms the mover and its image would both reach the vacancy.
        hop = shortest_hop(get_host(HOST).structure("Imma"), (1, 1, 1), get_host(HOST).hops[0])
        states = {"before": hop.initial, "after": hop.final, "middle": hop.intermediates[0]}
        what = f"Co(B) -> {hop.vacancy}, {words[1]}, ions not relaxed: energy and E(n)"
        return Task(name, what, states[words[1]], settings, "map")
    key = head.removesuffix("28")
    kind: TaskKind = "static" if key == "host" or cutoff >= 500 else "relax"
    return Task(name, f"{key} in the 28-atom cell of Imma", _defect_cell(key), settings, kind)


def _defect_cell(key: str) -> Structure:
    cell = primitive()
    big = supercell(cell, DEFECT_REPEATS)
    if key == "host":
        return big
    element, sublattice = _VACANCIES[key]
    site = distinct_vacancies(cell, element, sublattice)[0]
    return remove_site(big, same_site_in(big, cell, site.index))
