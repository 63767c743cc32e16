"""Computes the first-principles evidence that the package ships, one named task at a time.

    python benchmarks/gpaw_evidence.py --list
    python benchmarks/gpaw_evidence.py imma-pw500-k2 --scratch DIR [--output data/gpaw]

GPAW's logs go to the scratch folder; the documents go to data/gpaw.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path

from magnetoionics.analysis.anisotropy import AnisotropyMap
from magnetoionics.analysis.calculation import Calculation
from magnetoionics.analysis.directions import lebedev_directions
from magnetoionics.analysis.document import Provenance
from magnetoionics.analysis.evidence import Evidence, evidence_folder
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase_jobs import plain, versions
from magnetoionics.workflows.atoms import to_atoms
from magnetoionics.workflows.gpaw.calculator import GpawCalculator
from magnetoionics.workflows.gpaw.observe import gap_eV
from magnetoionics.workflows.gpaw.settings import GpawSettings
from magnetoionics.workflows.gpaw.spin_orbit import force_theorem
from magnetoionics.workflows.vasp.guards import moments_kept
from pymatgen.core import Structure

BULK = re.compile(r"(?P<order>imma|p4122)-pw(?P<cutoff>\d+)-k(?P<k>\d)(?P<nosym>-nosym)?(?P<empty>-empty(\d+))?")
ORDERS = {"imma": "Imma", "p4122": "P4_122"}
SCHEDULE = (
    "imma-pw400-k2",
    "imma-pw500-k2",
    "imma-pw500-k3",
    "imma-pw600-k2",
    "imma-pw400-k2-nosym",
    "imma-pw400-k2-empty6",
    "imma-pw400-k4",
    "p4122-pw500-k2",
)


def primitive(order: str) -> Structure:
    """Primitive cell of cobalt ferrite at the measured lattice and oxygen parameter."""
    cell = get_host("cofe2o4").structure(order)
    return cell.get_primitive_structure(use_site_props=True, tolerance=0.05)


def provenance(settings: GpawSettings, left_out: list[str], symmetry: bool) -> Provenance:
    return Provenance(
        engine="gpaw",
        tier="GPAW",
        functional=settings.functional,
        hubbard_U_eV=settings.hubbard_U_eV,
        settings={**plain(settings), "symmetry": symmetry},
        versions=versions("magnetoionics", "ase", "gpaw", "gpaw-data", "numpy"),
        left_out=left_out,
    )


def bulk_task(name: str, scratch: Path) -> Evidence:
    match = BULK.fullmatch(name)
    if match is None:
        raise SystemExit(f"unknown task {name!r}; see --list")
    order, k, symmetry = ORDERS[match["order"]], int(match["k"]), match["nosym"] is None
    settings = GpawSettings(
        cutoff_eV=float(match["cutoff"]),
        k_mesh=(k, k, k),
        energy_eV=1e-6,
        density_e=1e-5,
        empty_eV=float(match[6]) if match["empty"] else None,
    )
    structure = primitive(order)
    begin = time.perf_counter(), time.process_time()
    atoms = to_atoms(structure)
    calculator = GpawCalculator(settings, atoms.arrays["magmom"], symmetry=symmetry, log=scratch / f"{name}.txt")
    atoms.calc = calculator
    energy = float(atoms.get_potential_energy())
    forces, moments = atoms.get_forces(), atoms.get_magnetic_moments()
    live = calculator.converged(atoms)
    total, gap = float(calculator.results["magmom"]), gap_eV(live)
    half = time.process_time()
    directions = lebedev_directions(9).vectors
    energies, orbital = force_theorem(live, directions.tolist())
    source = provenance(settings, ["ions at the measured lattice and oxygen parameter, not relaxed"], symmetry)
    kept = moments_kept(atoms.arrays["magmom"].tolist(), [float(m) for m in moments])
    calculation = Calculation(
        name=f"{order} bulk",
        structure=structure,
        energy_eV=energy,
        max_force_eV_per_A=float((forces**2).sum(axis=1).max() ** 0.5),
        force_calls=1,
        total_moment_muB=total,
        site_moments_muB=[float(m) for m in moments],
        gap_eV=gap,
        checks=[kept],
        provenance=source,
    )
    map_ = AnisotropyMap(
        state=f"{order} bulk",
        directions=directions.tolist(),
        energies_meV=energies.tolist(),
        cell_volume_A3=float(structure.volume),
        formula_units=structure.composition["O"] / 4,
        ions="all electrons",
        method="force theorem",
        orbital_moments_muB=[[float(x) for x in row] for row in orbital],
        provenance=source,
    )
    return Evidence(
        name=name,
        what=f"{order} CoFe2O4, {len(structure)} atoms, PBE+U, {settings.cutoff_eV:g} eV, {k}x{k}x{k}: energy and E(n)",
        command=f"python benchmarks/gpaw_evidence.py {name}",
        calculation=calculation,
        anisotropy=map_,
        numbers={"spin_orbit_cpu_seconds": time.process_time() - half},
        notes=[
            *calculator.attempts,
            *(["time reversal was used in the cycle: the odd part is zero by construction"] if symmetry else []),
        ],
        cpu_seconds=time.process_time() - begin[1],
        wall_seconds=time.perf_counter() - begin[0],
        provenance=source,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", help="names of tasks; all that are not kept yet by default")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--scratch", type=Path, default=Path("gpaw-scratch"))
    parser.add_argument("--output", type=Path, default=evidence_folder())
    args = parser.parse_args()
    if args.list:
        print("\n".join(SCHEDULE))
        return
    args.scratch.mkdir(parents=True, exist_ok=True)
    args.output.mkdir(parents=True, exist_ok=True)
    for name in args.tasks or SCHEDULE:
        kept = args.output / f"{name}.json"
        if kept.exists() and not args.tasks:
            continue
        done = bulk_task(name, args.scratch)
        kept.write_text(done.model_dump_json(indent=1) + "\n")
        print(name, f"{done.cpu_seconds:.0f} CPU s, {done.wall_seconds:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
