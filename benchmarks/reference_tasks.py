"""The calculations that the first-principles evidence consists of: which cell, which settings, what is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import lithium_cells
import numpy as np
from evidence_task import BOUNDS_OF_BULK, BOUNDS_OF_DIFFERENCES, OTHER_BASES, U_SETS, Task, TaskKind
from film_cells import PLACES, film
from magnetoionics.analysis.audit.known_vacancies import PHASE_FORMULAS
from magnetoionics.analysis.study.reference_calculations import (
    ReferenceCalculation,
    load_reference_calculations,
    load_start,
    reference_calculations_folder,
)
from magnetoionics.structures.cells.binary_oxides import wurtzite
from magnetoionics.structures.cells.supercell import general_supercell
from magnetoionics.structures.competing_phases import competing_phase
from magnetoionics.structures.defects.hops import Hop
from magnetoionics.structures.defects.vacancies import distinct_vacancies, remove_site, same_site_in
from magnetoionics.structures.elements import pbe_hubbard_U_eV
from magnetoionics.structures.host import get_host
from magnetoionics.structures.hosts.zn095co005o import LATTICE_A, LATTICE_C_A, OXYGEN_U
from magnetoionics.workflows.flows.building import shortest_hop
from magnetoionics.workflows.gpaw.settings import GpawSettings
from pymatgen.core import Structure
from small_cell_tasks import small_cell_names, small_cell_task
from spinel_tasks import spinel_names, spinel_task

HOST = "cofe2o4"
ORDERS = {"imma": "Imma", "p4122": "P4_122", "normal": "normal"}
# A functional beyond PBE's kind, which is used without U; GPAW's data sets stay those of PBE.
META_GGA = "r2scan"
_FUNCTIONALS = {META_GGA: "MGGA_X_R2SCAN+MGGA_C_R2SCAN"}
# Whose ions it takes.
_IONS_OF_META_GGA = "u44"
VACANCIES = {"vfea": ("Fe", "A"), "vfeb": ("Fe", "B"), "vcob": ("Co", "B"), "vo": ("O", "O")}
# The tetragonal cell of 28 atoms: two primitive cells, an ion is missing in every second one.
_DEFECT_CELL_CUBIC = ((0.5, 0.5, 0.0), (-0.5, 0.5, 0.0), (0.0, 0.0, 1.0))
# Oxides that give the energies of the elements by their enthalpies, with meshes of the density of the defect cell's.
_MESHES = {"coo": (4, 4, 2)}
PHASES = {key: (formula, _MESHES.get(key, (2, 2, 2))) for key, formula in PHASE_FORMULAS.items()}
# Two Co that share an oxygen in 32 atoms of ZnO, and without that oxygen; how their spins lie.
DOPED_STARTS = ("znoco32", "znoco32vo")
PAIRS_OF_SPINS = ("fm", "afm")
# k-points along both edges of a film: the denser meshes say what the first is worth.
FILM_MESHES = (12, 18, 24)
HOP_STATES = ("before", "saddle1", "middle", "saddle2", "after")
# With GPAW's own mixer these come near their bounds in 110 iterations; another mixer would begin anew.
_HARD = ("hop56", "vfea")
# States of a hole are some 50 meV apart; the third of them creeps towards tighter bounds without end.
_BOUNDS_OF_HOLES = {"energy_eV": 1e-5, "density_e": 1e-4, "eigenstates_eV2": 1e-7}


def task_names() -> list[str]:
    """All tasks, the cheapest of each group first."""
    bulk = [f"imma-pw{c}-k{k}" for c, k in ((400, 2), (500, 2), (600, 2), (400, 3), (500, 3), (400, 4))]
    bulk += ["imma-pw400-k2-nosym", "imma-pw400-k2-empty6", "p4122-pw500-k2"]
    bulk += [hole_energies("imma", u) for u in ("", *U_SETS)]
    bulk += [order_relaxation(key, u) for u in ("", *U_SETS) for key in ORDERS]
    bulk += [
        order_in_basis(key, basis, u) for basis in OTHER_BASES for u in ("", *U_SETS) for key in ("imma", "normal")
    ]
    bulk += [order_by_meta_gga(key) for key in ("imma", "normal")]
    phases = [phase(key) for key in PHASES]
    relaxed = [_relaxation(key) for key in ("host", *VACANCIES)]
    defects = [name for key in ("host", *VACANCIES) for name in quotable(key)]
    # Fe3O4 is not there for any U.
    defects += [
        name
        for u in U_SETS
        for name in (
            *(phase(key, u) for key in PHASES if key != "fe3o4"),
            *(single_point(key, u) for key in ("host", "vfeb", "vcob", "vfea")),
        )
    ]
    hop = [hop_point(state) for state in HOP_STATES]
    films = [film_map(place, k) for k in FILM_MESHES for place in PLACES]
    films = [*(film_relaxation(place) for place in PLACES), *films]
    films += [f"film{place}-{basis}-n{FILM_MESHES[0]}" for basis in OTHER_BASES for place in ("clean", "above")]
    doped = [doped_oxide(start, spins, u) for u in ("", *U_SETS) for start in DOPED_STARTS for spins in PAIRS_OF_SPINS]
    ferrite = [
        lithium_ferrite(start, where, u)
        for u in ("", *U_SETS)
        for start in lithium_cells.STARTS
        for where in ("", *(lithium_cells.SUBLATTICES if start in lithium_cells.ELECTRONS else ()))
    ]
    small = [*small_cell_names(), *spinel_names()]
    return [*bulk, *films, *small, *phases, *relaxed, *defects, *hop, *doped, *ferrite, "bornco-pw400-k2"]


def primitive(order: str = "Imma") -> Structure:
    """Primitive cell of cobalt ferrite at the measured lattice and oxygen parameter."""
    return get_host(HOST).structure(order).get_primitive_structure(use_site_props=True, tolerance=0.05)


def task(name: str) -> Task:
    """A task by name: what, cut-off, mesh, and what is special.

    Raises
    ------
    ValueError
        If it is none of `task_names`, or if it starts from a geometry that is not kept.
    """
    if name not in task_names():
        raise ValueError(f"unknown evidence {name!r}; known: {', '.join(task_names())}")
    if name.startswith("film"):
        return _film_task(name)
    if name in small_cell_names():
        return small_cell_task(name)
    if name in spinel_names():
        return spinel_task(name)
    if name.startswith("znoco"):
        return _doped_task(name)
    if name.startswith("life56"):
        return _ferrite_task(name)
    head, cutoff, mesh, *special = name.split("-")
    digits = mesh[1:] * (3 if len(mesh) == 2 else 1)
    bulk = head in (*ORDERS, "bornco")
    hard = head.startswith(_HARD) or (head.endswith("28") and bool(set(special) & set(U_SETS)))
    basis = cutoff if cutoff in OTHER_BASES else ""
    bounds = BOUNDS_OF_BULK if bulk and not basis else BOUNDS_OF_DIFFERENCES
    if META_GGA in special:
        bounds = BOUNDS_OF_DIFFERENCES
    if special[-1:] == ["holes"]:
        bounds = _BOUNDS_OF_HOLES
    settings = GpawSettings(
        cutoff_eV=float("500" if basis else cutoff[2:]),
        k_mesh=(int(digits[0]), int(digits[1]), int(digits[2])),
        empty_eV=6.0 if special == ["empty6"] else None,
        functional=_FUNCTIONALS.get(special[0] if special else "", "PBE"),
        hubbard_U_eV={} if META_GGA in special else U_SETS.get(special[0] if special else "", pbe_hubbard_U_eV()),
        max_iterations=250 if hard else 120,
        energy_eV=bounds["energy_eV"],
        density_e=bounds["density_e"],
        eigenstates_eV2=bounds["eigenstates_eV2"],
    )
    if head in ORDERS and special[-1:] == ["holes"]:
        cell = primitive(ORDERS[head])
        return Task(
            name,
            f"t2g hole of one Co in {ORDERS[head]} CoFe2O4",
            cell,
            settings,
            "holes",
            "off",
            ion=_first(cell, "Co"),
        )
    if head in ORDERS and special[-1:] == ["relaxed"]:
        what = f"{ORDERS[head]} CoFe2O4 with relaxed ions at the measured lattice"
        return Task(name, what, primitive(ORDERS[head]), settings, "relax", "full")
    if head in ORDERS and META_GGA in special:
        source = order_relaxation(head, _IONS_OF_META_GGA)
        what = f"{ORDERS[head]} CoFe2O4 with r2SCAN and no U"
        return Task(name, what, _relaxed(source), settings, "static", "full", relaxed_by=source)
    if head in ORDERS and basis:
        source = order_relaxation(head, special[0] if special else "")
        what = f"{ORDERS[head]} CoFe2O4 in the basis {basis} instead of plane waves"
        return Task(name, what, _relaxed(source), settings, "static", "full", relaxed_by=source, basis=basis)
    if head in ORDERS:
        what = f"{ORDERS[head]} CoFe2O4: energy and E(n)"
        return Task(name, what, primitive(ORDERS[head]), settings, "map", "off" if special == ["nosym"] else "full")
    if head == "bornco":
        cell = primitive()
        return Task(name, "Born charge of Co in Imma CoFe2O4", cell, settings, "born", "off", ion=_first(cell, "Co"))
    if head in PHASES:
        formula = PHASES[head][0]
        return Task(name, f"{formula}, a reference", _reference_cell(formula), settings, "static", "full")
    if head.startswith("hop56"):
        return _hop_task(name, head.removeprefix("hop56"), settings)
    return _defect_task(name, head.removesuffix("28"), settings, last=special[-1:])


def not_in_chain(jobs: Sequence[Task]) -> str:
    """Name of the first task that cannot take over a density; empty if all can."""
    first = jobs[0]
    for job in jobs:
        same_ions = [s.specie for s in job.structure] == [s.specie for s in first.structure]
        same_cell = np.allclose(job.structure.lattice.matrix, first.structure.lattice.matrix)
        if not (same_ions and same_cell and job.settings == first.settings and job.symmetry == "off"):
            return job.name
    return ""


def _reference_cell(formula: str) -> Structure:
    """Smallest magnetic cell with the least skewed edges: sharp angles spoil gradients on GPAW's grid."""
    cell = competing_phase(formula).build().get_primitive_structure(use_site_props=True, tolerance=0.05)
    return cell.get_reduced_structure("niggli")


def _hop_task(name: str, state: str, settings: GpawSettings) -> Task:
    start = load_start(f"hop56-{state}")
    kind: TaskKind = "map" if state in ("before", "after") else "static"
    what = f"Co(B) -> V_Fe(B) in 55 atoms, {state}"
    # Without symmetry, as the maps need it: so the points can be one chain that keeps its electronic state.
    return Task(name, what, start.structure, settings, kind, "off", relaxed_by=start.provenance.engine)


def _film_task(name: str) -> Task:
    head, cutoff, mesh, *special = name.split("-")
    place, points = head.removeprefix("film"), int(mesh[1:])
    basis = cutoff if cutoff in OTHER_BASES else ""
    settings = GpawSettings(
        hubbard_U_eV={},
        cutoff_eV=400.0 if basis else float(cutoff[2:]),
        k_mesh=(points, points, 1),
        bands="130%",
        energy_eV=BOUNDS_OF_DIFFERENCES["energy_eV"],
        density_e=BOUNDS_OF_DIFFERENCES["density_e"],
        eigenstates_eV2=BOUNDS_OF_DIFFERENCES["eigenstates_eV2"],
    )
    what = f"four layers of hcp Co(0001), oxygen: {place}"
    source = film_relaxation(place)
    if special == ["relaxed"]:
        return Task(name, what, film(place), settings, "relax", "full")
    return Task(name, f"{what}: E(n)", _relaxed(source), settings, "layers", "full", relaxed_by=source, basis=basis)


def doped_cell(start: str) -> Structure:
    """Two Co that share an oxygen in ZnO, 32 atoms, nothing relaxed; without that oxygen for ``znoco32vo``."""
    cell = wurtzite("Zn", LATTICE_A, LATTICE_C_A, OXYGEN_U)
    cell.make_supercell(2)
    zinc = [i for i, s in enumerate(cell) if s.specie.symbol == "Zn"]
    # Neighbours out of the plane: those in it are neighbours of the image, too.
    first, second = min(
        ((i, j) for i in zinc for j in zinc if i < j and abs(cell[i].z - cell[j].z) > 1.0),
        key=lambda pair: (round(float(cell.get_distance(*pair)), 4), pair),
    )
    between = {n.index for n in cell.get_neighbors(cell[first], 2.2)} & {
        n.index for n in cell.get_neighbors(cell[second], 2.2)
    }
    cell.add_site_property("magmom", [3.0 if i in (first, second) else 0.0 for i in range(len(cell))])
    for site in (first, second):
        cell.replace(site, "Co", properties={"magmom": 3.0})
    if start == "znoco32vo":
        cell.remove_sites(sorted(between))
    return cell


def _at_gamma(special: Sequence[str], bounds: Mapping[str, float]) -> GpawSettings:
    return GpawSettings(
        cutoff_eV=500.0,
        k_mesh=(1, 1, 1),
        hubbard_U_eV=next((U_SETS[s] for s in special if s in U_SETS), pbe_hubbard_U_eV()),
        energy_eV=bounds["energy_eV"],
        density_e=bounds["density_e"],
        eigenstates_eV2=bounds["eigenstates_eV2"],
    )


def _ferrite_task(name: str) -> Task:
    """Lithium ferrite, whole or with a defect whose electrons begin on A or B, in atomic orbitals at Gamma."""
    start, basis, _, *special = name.split("-")
    kept = load_start(start)
    cell, what = kept.structure, f"LiFe5O8 of 56 atoms, {start}"
    if start in lithium_cells.ELECTRONS and not set(special) & set(lithium_cells.SUBLATTICES):
        what += ", all iron begins alike"
    for key, sublattice in lithium_cells.SUBLATTICES.items():
        if key in special:
            cell = lithium_cells.with_electrons(cell, start, sublattice)
            what += f", electrons begin on {sublattice}"
    settings = _at_gamma(special, BOUNDS_OF_DIFFERENCES)
    return Task(name, what, cell, settings, "static", "full", relaxed_by=kept.provenance.engine, basis=basis)


def _doped_task(name: str) -> Task:
    """Two Co beside each other in ZnO, parallel or antiparallel, in atomic orbitals at Gamma."""
    start, basis, _, spins, *special = name.split("-")
    # Without the oxygen both senses are a few meV apart.
    settings = _at_gamma(special, BOUNDS_OF_BULK if start == "znoco32vo" else BOUNDS_OF_DIFFERENCES)
    made = load_start(start)
    cell = made.structure.copy()
    second = [i for i, s in enumerate(cell) if s.specie.symbol == "Co"][-1]
    cell[second].properties["magmom"] = 3.0 if spins == "fm" else -3.0
    what = f"two {'parallel' if spins == 'fm' else 'antiparallel'} Co in ZnO, {start}"
    return Task(name, what, cell, settings, "static", "full", relaxed_by=made.provenance.engine, basis=basis)


def _defect_task(name: str, key: str, settings: GpawSettings, *, last: Sequence[str]) -> Task:
    what = f"{key} in the tetragonal 28-atom cell of Imma"
    start = load_start(f"{key}28")
    if name == _relaxation(key):
        return Task(name, what, start.structure, settings, "relax")
    kind: TaskKind = "relax" if last == ["relaxed"] else "static"
    # Other sets of U take the ions that the first has relaxed at the same settings.
    for source in [*(quotable(key)[1:] if set(last) & set(U_SETS) else ()), _relaxation(key)]:
        kept = reference_calculations_folder() / f"{source}.json"
        found = ReferenceCalculation.model_validate_json(kept.read_text()).calculation if kept.exists() else None
        if found is not None:
            return Task(name, what, found.structure, settings, kind, relaxed_by=source)
    return Task(name, what, start.structure, settings, kind, relaxed_by=start.provenance.engine)


def _relaxed(name: str) -> Structure:
    """Cell of a kept relaxation."""
    found = load_reference_calculations()[name].calculation
    if found is None:
        raise ValueError(f"{name} holds no relaxed cell")
    return found.structure


def _first(cell: Structure, element: str) -> int:
    return next(i for i, s in enumerate(cell) if s.specie.symbol == element)


def hole_energies(key: str, u_set: str = "") -> str:
    """Name of the three states of one Co's hole in a cation order, by its key and one of `U_SETS`."""
    return "-".join([key, "pw400", "k2", *([u_set] if u_set else []), "holes"])


def order_relaxation(key: str, u_set: str = "", last: str = "relaxed") -> str:
    """Name of the relaxation of one cation order, by its key and one of `U_SETS`, or of the Materials Project's U."""
    return "-".join([key, "pw500", "k2", *([u_set] if u_set else []), last])


def order_by_meta_gga(key: str) -> str:
    """Name of a cation order with the functional `META_GGA`, with ions of one of `order_relaxation`."""
    return order_relaxation(key, META_GGA, "static")


def order_in_basis(key: str, basis: str, u_set: str = "") -> str:
    """Name of a cation order in one of `OTHER_BASES`, with the ions of `order_relaxation`."""
    return "-".join([key, basis, "k2", *([u_set] if u_set else [])])


def doped_oxide(start: str, spins: str, u_set: str = "") -> str:
    """Name of two Co in ZnO from one of `DOPED_STARTS`, with one of `PAIRS_OF_SPINS` and one of `U_SETS`."""
    return "-".join([start, "dzp", "k1", spins, *([u_set] if u_set else [])])


def lithium_ferrite(start: str, where: str = "", u_set: str = "") -> str:
    """Name of one of `lithium_cells.STARTS`, with the sublattice its electrons begin on and one of `U_SETS`."""
    return "-".join([start, "dzp", "k1", *([where] if where else []), *([u_set] if u_set else [])])


def film_relaxation(place: str) -> str:
    """Name of the relaxation of a film with oxygen at one of `PLACES`."""
    return f"film{place}-pw400-n8-relaxed"


def film_map(place: str, points: int) -> str:
    """Name of the map of a film, layer by layer, with so many k-points along both edges."""
    return f"film{place}-pw400-n{points}"


def _relaxation(key: str) -> str:
    return f"{key}28-pw400-k111"


def phase(key: str, u_set: str = "") -> str:
    """Name of one of `PHASES`, with one of `U_SETS`."""
    return "-".join([key, "pw500", f"k{''.join(map(str, PHASES[key][1]))}", *([u_set] if u_set else [])])


def single_point(key: str, u_set: str = "") -> str:
    """Name of the cheaper quotable calculation of the whole 28-atom cell (``host``) or of one of `VACANCIES`.

    Or of a single point of the same with one of `U_SETS`.
    """
    return "-".join([f"{key}28", "pw500", "k221", *([u_set] if u_set else [])])


def quotable(key: str) -> tuple[str, str]:
    """The single point, and the relaxation at the same settings that begins from its ions."""
    return single_point(key), f"{single_point(key)}-relaxed"


def hop_point(state: str) -> str:
    """Name of the calculation of one of `HOP_STATES`."""
    return f"hop56{state}-pw400-k1"


def defect_cell(key: str) -> Structure:
    """The 28-atom cell of Imma, whole (``host``) or with one of `VACANCIES`, nothing relaxed."""
    cell = primitive()
    cubic = get_host(HOST).structure("Imma").lattice.matrix
    matrix = np.asarray(_DEFECT_CELL_CUBIC) @ cubic @ np.linalg.inv(cell.lattice.matrix)
    big = general_supercell(cell, np.rint(matrix).astype(int))
    if key == "host":
        return big
    element, sublattice = VACANCIES[key]
    site = distinct_vacancies(cell, element, sublattice)[0]
    return remove_site(big, same_site_in(big, cell, site.index))


def measured_hop() -> Hop:
    """The shortest Co(B) -> V_Fe(B) hop in the cubic cell at the measured lattice: in 28 atoms the mover and its image
    would both reach the vacancy.
    """
    return shortest_hop(get_host(HOST).structure("Imma"), (1, 1, 1), get_host(HOST).hops[0])
