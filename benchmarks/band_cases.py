"""Hops with known barriers, built for the benchmark and the tests of the band drivers alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc100, fcc111
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.filters import FrechetCellFilter, UnitCellFilter
from ase.mep.neb import idpp_interpolate, interpolate
from ase.optimize import BFGS
from magnetoionics.calculators.potentials import potential
from magnetoionics.calculators.rigid_ion import RigidIonCalculator, model_charges, spread_charge
from magnetoionics.structures.defects.hops import Hop
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import from_atoms, to_atoms
from magnetoionics.workflows.flows.building import shortest_hop
from pymatgen.core import Structure

Case = tuple[Atoms, Atoms, int, Callable[[], Calculator]]
"""Both unrelaxed ends, the mover's index, and what makes a calculator."""


@cache
def _metal_cell(element: str) -> Atoms:
    cell = bulk(element, cubic=True)
    cell.calc = EMT()
    BFGS(UnitCellFilter(cell, hydrostatic_strain=True), logfile=None).run(fmax=1e-4)
    cell.calc = None
    return cell


def vacancy(element: str = "Cu", repeats: int = 3) -> Case:
    """Nearest-neighbour jump into a vacancy of an EMT metal."""
    initial = _metal_cell(element).repeat(repeats)
    # Twelve neighbours are equally near: the last bits, which differ from machine to machine, must not choose.
    mover = 1 + int(np.argmin(np.round(initial.get_distances(0, range(1, len(initial)), mic=True), 6)))
    jump = initial.get_distance(0, mover, mic=True, vector=True)
    final = initial.copy()
    final.positions[mover] -= jump
    del initial[0], final[0]
    return initial, final, mover - 1, EMT


def gold_on_aluminium() -> Case:
    """Au from hollow to hollow on Al(100), ASE's own example."""
    initial = fcc100("Al", size=(2, 2, 3))
    add_adsorbate(initial, "Au", 1.7, "hollow")
    initial.center(axis=2, vacuum=4.0)
    initial.set_constraint(FixAtoms(mask=[tag > 1 for tag in initial.get_tags()]))
    final = initial.copy()
    final[-1].x += final.cell[0, 0] / 2
    return initial, final, len(initial) - 1, EMT


def adatom(metal: str, ion: str) -> Case:
    """An adatom from fcc to hcp hollow on a (111) surface: a low saddle between two unlike ends."""
    initial = fcc111(metal, size=(3, 3, 3))
    final = initial.copy()
    for atoms, site in ((initial, "fcc"), (final, "hcp")):
        add_adsorbate(atoms, ion, 1.9, site)
        atoms.center(axis=2, vacuum=5.0)
        atoms.set_constraint(FixAtoms(mask=[tag > 2 for tag in atoms.get_tags()]))
    return initial, final, len(initial) - 1, EMT


def rigid_ions(atoms: Atoms, mover: int | None) -> Calculator:
    """Pedone's rigid ions in a neutral cell."""
    valences = atoms.arrays["valence"]
    charges = model_charges(atoms.get_chemical_symbols(), valences, potential("pedone"))
    keep = valences < 0
    if mover is not None:
        keep[mover] = True
    return RigidIonCalculator("pedone", valences=valences, charges=spread_charge(charges, keep), accuracy=1e-6)


@cache
def _oxide_cell(key: str) -> Structure:
    host = get_host(key)
    cell = host.structure("Imma" if key == "cofe2o4" else None)
    atoms = to_atoms(cell)
    atoms.calc = rigid_ions(atoms, None)
    BFGS(FrechetCellFilter(atoms), logfile=None, maxstep=0.1).run(fmax=0.002, steps=300)
    return from_atoms(atoms, cell)


def oxide_hop(key: str, ion: str, repeats: int = 1) -> Hop:
    """Shortest hop of an ion of the B sites in a host relaxed with the rigid ions, vacancy as the host names."""
    kinds = get_host(key).hops
    kind = next((k for k in kinds if k.ion == ion), replace(kinds[0], ion=ion))
    return shortest_hop(_oxide_cell(key), (repeats,) * 3, kind)


def oxide(key: str, ion: str, repeats: int = 1) -> Case:
    """`oxide_hop` as atoms with its calculator."""
    hop = oxide_hop(key, ion, repeats)
    initial = to_atoms(hop.initial)
    return initial, to_atoms(hop.final), hop.mover, lambda: rigid_ions(initial, hop.mover)


def start_path(
    initial: Atoms, final: Atoms, images: int, seed: int | None, pair_potential: bool, noise_A: float = 0.05
) -> list[Atoms]:
    """Straight or pair-potential path with both ends; a seed rattles the inner images."""
    path = [*(initial.copy() for _ in range(images + 1)), final.copy()]
    interpolate(path, mic=False)
    if pair_potential:
        idpp_interpolate(path, traj=None, log=None, mic=False)
    if seed is not None:
        rng = np.random.default_rng(seed)
        for image in path[1:-1]:
            image.set_positions(image.positions + rng.normal(0, noise_A, image.positions.shape))
    return path
