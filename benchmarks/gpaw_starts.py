"""Makes the geometries that first-principles evidence starts from, by a cheap engine at the measured lattice.

    python benchmarks/gpaw_starts.py [--engine sevennet] [--output data/gpaw_starts]

Vacancies of the 28-atom cell with relaxed ions, the stationary points of the Co hop into V_Fe(B) in 55 atoms, two Co in
ZnO with the oxygen between them and without it, lithium ferrite whole, without O or Li, and with a Li more, and SrCoO3
without an oxygen, the stationary points of the Li hop into V_Fe(B) of lithium ferrite, cation orders of cobalt ferrite
in 56 atoms and V_Fe(B) in the quasi-random one; and maghemite with lithium, whose cells relax, too:
`--only maghemite --engine chgnet`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import ferrite_orders
import lithium_cells
import maghemite_cells
import perovskite_cells
from magnetoionics.analysis.results.calculation import Calculation
from magnetoionics.analysis.results.checks import require_valid
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.study.reference_calculations import StartGeometry, starts_folder
from magnetoionics.structures.defects.hops import Hop
from magnetoionics.workflows.ase.jobs import AseEngine, converge_band, relax_structure
from magnetoionics.workflows.engine import get_engine
from pymatgen.core import Structure
from reference_tasks import DOPED_STARTS, VACANCIES, defect_cell, doped_cell, measured_hop


def keep(name: str, structure: Structure, energy_eV: float, provenance: Provenance, folder: Path) -> None:
    start = StartGeometry(name=name, structure=structure, energy_eV=energy_eV, provenance=provenance)
    (folder / f"{name}.json").write_text(start.model_dump_json(indent=1) + "\n")
    print(name, f"{energy_eV:.3f} eV", file=sys.stderr, flush=True)


def keep_relaxed(name: str, done: Calculation, folder: Path) -> None:
    """Keep a relaxation, whose energy is quoted too; raises as `require_valid` where a check failed."""
    require_valid(done.checks, name)
    keep(name, done.structure, done.energy_eV, done.provenance, folder)


def vacancies(engine: AseEngine, folder: Path) -> None:
    for key in ("host", *VACANCIES):
        done = relax_structure.original(engine, defect_cell(key), name=key, cell=False, mover=None)
        keep_relaxed(f"{key}28", done, folder)


def doped(engine: AseEngine, folder: Path) -> None:
    for key in DOPED_STARTS:
        done = relax_structure.original(engine, doped_cell(key), name=key, cell=False, mover=None)
        keep_relaxed(key, done, folder)


def lithium(engine: AseEngine, folder: Path) -> None:
    """Of several distinct places of a defect the lowest."""
    for key in lithium_cells.STARTS:
        relaxed = [
            relax_structure.original(engine, cell, name=key, cell=False, mover=None)
            for cell in lithium_cells.ferrite_cells(key)
        ]
        print(key, [round(r.energy_eV, 3) for r in relaxed], file=sys.stderr, flush=True)
        lowest = min(relaxed, key=lambda r: r.energy_eV)
        keep_relaxed(key, lowest, folder)


def cobaltates(engine: AseEngine, folder: Path) -> None:
    cell = perovskite_cells.cobaltate(perovskite_cells.VACANCY)
    done = relax_structure.original(engine, cell, name=perovskite_cells.VACANCY, cell=False, mover=None)
    keep_relaxed(perovskite_cells.VACANCY, done, folder)


def maghemite(engine: AseEngine, folder: Path) -> None:
    """Ions and cell; of several orders the lowest that is still what its name says."""
    loose = replace(engine, cell_fmax_eV_per_A=0.03, stress_limit_eV_per_A3=2e-3, max_steps=250)
    for key in maghemite_cells.STARTS:
        relaxed = [
            relax_structure.original(loose, cell, name=key, cell=True, mover=None)
            for cell in maghemite_cells.maghemite_cells(key)
        ]
        kept = [r for r in relaxed if maghemite_cells.stayed(r.structure, key)]
        print(key, [(round(r.energy_eV, 3), r in kept) for r in relaxed], file=sys.stderr, flush=True)
        if kept:
            lowest = min(kept, key=lambda r: r.energy_eV)
            keep_relaxed(key, lowest, folder)
    metal = relax_structure.original(
        loose, maghemite_cells.lithium(), name=maghemite_cells.METAL, cell=True, mover=None
    )
    keep_relaxed(maghemite_cells.METAL, metal, folder)


def hop(engine: AseEngine, folder: Path) -> None:
    _stationary_points(engine, measured_hop(), "hop56", folder)


def lithium_hop(engine: AseEngine, folder: Path) -> None:
    _stationary_points(engine, lithium_cells.lithium_hop(), lithium_cells.HOP, folder)


def _stationary_points(engine: AseEngine, hop: Hop, head: str, folder: Path) -> None:
    """Of the path of a hop; saddles are numbered from the start."""
    ends = [
        relax_structure.original(engine, s, name="end", cell=False, mover=hop.mover).structure
        for s in (hop.initial, hop.final)
    ]
    band = converge_band.original(engine, *ends, hop.intermediates, mover=hop.mover)
    print([(i.kind, round(i.energy_eV, 3)) for i in band.images], [c.name for c in band.checks if c.passed is False])
    require_valid(band.checks, head)
    saddles = [i for i in band.images if i.kind == "saddle"]
    middles = [i for i in band.images if i.kind == "minimum"]
    named = {"before": band.images[0], "after": band.images[-1]}
    named |= {f"saddle{n}": image for n, image in enumerate(saddles, 1)}
    named |= {"middle" if len(middles) == 1 else f"middle{n}": image for n, image in enumerate(middles, 1)}
    for key, image in named.items():
        keep(f"{head}-{key}", image.structure, image.energy_eV, band.provenance, folder)


def orders(engine: AseEngine, folder: Path) -> None:
    """Cation orders of 56 atoms, and V_Fe(B) in the quasi-random one."""
    for key in (*ferrite_orders.CELLS, *map(ferrite_orders.vacancy_key, ferrite_orders.SURROUNDINGS)):
        done = relax_structure.original(engine, ferrite_orders.start_cell(key), name=key, cell=False, mover=None)
        keep_relaxed(f"{ferrite_orders.PREFIX}{key}", done, folder)


GROUPS = (vacancies, hop, doped, lithium, cobaltates, maghemite, lithium_hop, orders)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default="sevennet")
    parser.add_argument("--output", type=Path, default=starts_folder())
    parser.add_argument("--only", choices=[make.__name__ for make in GROUPS], help="one of the groups")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    engine = get_engine(args.engine)
    if not isinstance(engine, AseEngine):
        parser.error(f"{args.engine} computes nothing here")
    for make in GROUPS:
        if args.only in (None, make.__name__):
            make(engine, args.output)


if __name__ == "__main__":
    main()
