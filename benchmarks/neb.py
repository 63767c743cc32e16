"""Force calls and rate of right barriers: the surrogate band beside ASE's methods.

Run with ``OMP_NUM_THREADS=1 python benchmarks/neb.py [CASE ...]``; prints the tables of docs/neb_benchmark.md.
Ends are relaxed first and alike; every evaluation between them counts.
"""

from __future__ import annotations

import statistics
import sys
import warnings

import numpy as np
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc100
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.filters import FrechetCellFilter, UnitCellFilter
from ase.mep import NEB, DyNEB
from ase.mep.neb import NEBOptimizer, idpp_interpolate, interpolate
from ase.optimize import BFGS, FIRE, LBFGS
from magnetoionics.calculators.potentials import potential
from magnetoionics.calculators.rigid_ion import RigidIonCalculator, model_charges, spread_charge
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.atoms import from_atoms, to_atoms
from magnetoionics.workflows.band import BandSettings, CallCounter
from magnetoionics.workflows.band_surrogate import SurrogateBandDriver
from magnetoionics.workflows.building import shortest_hop

MOST_CALLS = 700
RIGHT_EV = 0.005
METHODS = ("BFGS", "BFGS k=5", "LBFGS", "FIRE", "NEBOptimizer", "DyNEB")


def vacancy(repeats):
    cell = bulk("Cu", cubic=True)
    cell.calc = EMT()
    BFGS(UnitCellFilter(cell, hydrostatic_strain=True), logfile=None).run(fmax=1e-4)
    initial = cell.repeat(repeats)
    initial.calc = None
    mover = 1 + int(np.argmin(initial.get_distances(0, range(1, len(initial)), mic=True)))
    jump = initial.get_distance(0, mover, mic=True, vector=True)
    final = initial.copy()
    final.positions[mover] -= jump
    del initial[0], final[0]
    return initial, final, mover - 1, EMT


def gold():
    initial = fcc100("Al", size=(2, 2, 3))
    add_adsorbate(initial, "Au", 1.7, "hollow")
    initial.center(axis=2, vacuum=4.0)
    initial.set_constraint(FixAtoms(mask=[tag > 1 for tag in initial.get_tags()]))
    final = initial.copy()
    final[-1].x += final.cell[0, 0] / 2
    return initial, final, len(initial) - 1, EMT


def rigid(atoms, mover):
    valences = atoms.arrays["valence"]
    charges = model_charges(atoms.get_chemical_symbols(), valences, potential("pedone"))
    keep = valences < 0
    if mover is not None:
        keep[mover] = True
    return RigidIonCalculator("pedone", valences=valences, charges=spread_charge(charges, keep), accuracy=1e-6)


def cobalt(repeats):
    host = get_host("cofe2o4")
    cell = host.structure("Imma")
    atoms = to_atoms(cell)
    atoms.calc = rigid(atoms, None)
    BFGS(FrechetCellFilter(atoms), logfile=None, maxstep=0.1).run(fmax=0.002, steps=300)
    hop = shortest_hop(from_atoms(atoms, cell), (repeats,) * 3, host.hops[0])
    initial = to_atoms(hop.initial)
    return initial, to_atoms(hop.final), hop.mover, lambda: rigid(initial, hop.mover)


# Case: builder, images, fmax, barrier (of a band converged to 0.01 eV/A, or published).
CASES = {
    "Cu vacancy, 31": (lambda: vacancy(2), 5, 0.02, 0.7917),
    "Cu vacancy, 107": (lambda: vacancy(3), 5, 0.02, 0.7916),
    "Au on Al(100), 13": (gold, 5, 0.02, 0.3744),
    "Co in CoFe2O4, 55": (lambda: cobalt(1), 7, 0.03, 0.7202),
    "Co in CoFe2O4, 447": (lambda: cobalt(2), 7, 0.03, 0.7585),
}


def relaxed(atoms: Atoms, make):
    atoms.calc = make()
    LBFGS(atoms, logfile=None, maxstep=0.1, memory=50).run(fmax=0.01, steps=500)
    known = atoms.get_potential_energy(), atoms.get_forces()
    atoms.calc = None
    return known


def start_path(initial, final, images, seed, pair_potential):
    path = [*(initial.copy() for _ in range(images + 1)), final.copy()]
    interpolate(path, mic=False)
    if pair_potential:
        idpp_interpolate(path, traj=None, log=None, mic=False)
    if seed is not None:
        rng = np.random.default_rng(seed)
        for image in path[1:-1]:
            image.set_positions(image.positions + rng.normal(0, 0.05, image.positions.shape))
    return path


def ase_band(method, path, known, make, fmax):
    counter = CallCounter()
    for image, (energy, forces) in zip((path[0], path[-1]), known, strict=True):
        image.calc = SinglePointCalculator(image, energy=energy, forces=forces)
    for image in path[1:-1]:
        image.calc = counter.attach(make())
    spring = {"k": 5.0 if "k=5" in method else 0.1, "climb": True, "method": "improvedtangent"}
    large = len(path[0]) > 100  # dense BFGS takes minutes a step there and makes LBFGS's steps
    if method == "DyNEB":
        neb, kind = DyNEB(path, fmax=fmax, dynamic_relaxation=True, **spring), LBFGS if large else BFGS
    else:
        kind = {"FIRE": FIRE, "NEBOptimizer": NEBOptimizer, "LBFGS": LBFGS}.get(method, LBFGS if large else BFGS)
        neb = NEB(path, **spring)
    optimizer = kind(neb, logfile=None)
    if kind is NEBOptimizer:
        optimizer.run(fmax=fmax, steps=MOST_CALLS // (len(path) - 2))
    else:
        for _ in optimizer.irun(fmax=fmax, steps=MOST_CALLS):
            if counter.calls >= MOST_CALLS:
                break
    return counter.calls, max(a.get_potential_energy() for a in path) - known[0][0]


def our_band(path, make, mover, fmax):
    driver = SurrogateBandDriver(make, BandSettings(fmax_eV_per_A=fmax))
    result = driver.run(path[0], path[-1], [], mover, start=path)
    energies = [p.energy for p in result.points]
    return driver.counter.calls - driver.end_calls, max(energies) - energies[0]


def main(names):
    warnings.filterwarnings("ignore")
    for name in names or CASES:
        build, images, fmax, barrier = CASES[name]
        initial, final, mover, make = build()
        known = [relaxed(a, make) for a in (initial, final)]
        print(f"\n### {name}: {barrier} eV\n\n| method | clean | rattled | median | right |\n|---|---|---|---|---|")
        for method in ("ours", *METHODS):
            calls, right = [], 0
            for seed in (None, 0, 1, 2, 3, 4):
                path = start_path(initial, final, images, seed, name.startswith("Co "))
                if method == "ours":
                    done, height = our_band(path, make, mover, fmax)
                else:
                    done, height = ase_band(method, path, known, make, fmax)
                calls.append(done)
                right += abs(height - barrier) <= RIGHT_EV
            rattled = f"{min(calls[1:])}-{max(calls[1:])}"
            print(f"| {method} | {calls[0]} | {rattled} | {statistics.median(calls[1:]):.0f} | {right}/6 |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
