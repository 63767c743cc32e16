"""Oxygen vacancies of SrCoO3, La0.5Sr0.5CoO3 and LaCoO3 by a potential, beside threshold voltages of their films.

Run: python benchmarks/cobaltate_vacancies.py [--engine sevennet]

Cubic cells of 40 atoms, lattice and ions relaxed, La and Sr in alternate layers at one half; neutral vacancies with the
lattice of the host. Only differences between the three are printed: no reference of oxygen enters.
"""

from __future__ import annotations

import argparse

from ase.filters import FrechetCellFilter
from ase.optimize import FIRE
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.engine import get_engine
from pymatgen.core import Lattice, Structure

LATTICE_A = {0.0: 3.83, 0.5: 3.84, 1.0: 3.84}
FMAX_eV_PER_A = 0.03


def perovskite(strontium: float) -> Structure:
    """A cube of 2 x 2 x 2 cells; its layers along c are of Sr for one half, all for one."""
    cell = Structure(
        Lattice.cubic(LATTICE_A[strontium]),
        ["La", "Co", "O", "O", "O"],
        [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]],
    )
    cell.make_supercell(2)
    for n, site in enumerate(cell):
        low = site.frac_coords[2] < 0.25
        if site.specie.symbol == "La" and (strontium == 1.0 or (strontium == 0.5 and low)):
            cell.replace(n, "Sr")
    cell.perturb(0.03)
    return cell


def vacancy_eV(engine_name: str, strontium: float) -> list[float]:
    """Energies of the cell without one oxygen of each place in the layers, minus that of the cell, eV."""
    engine = get_engine(engine_name)
    atoms = to_atoms(perovskite(strontium))
    atoms.calc = engine.make_calculator(atoms, None)
    FIRE(FrechetCellFilter(atoms, hydrostatic_strain=True), logfile=None).run(fmax=FMAX_eV_PER_A, steps=300)
    whole = float(atoms.get_potential_energy())
    found = []
    # In the Sr layer, between both, in the La layer: heights of 0, 1/4 and 1/2.
    for height in (0.0, 0.25, 0.5):
        site = min(
            (n for n, s in enumerate(atoms.get_chemical_symbols()) if s == "O"),
            key=lambda n: abs((atoms.get_scaled_positions()[n, 2] - height + 0.5) % 1.0 - 0.5),
        )
        bare = atoms.copy()
        del bare[site]
        bare.calc = engine.make_calculator(bare, None)
        FIRE(bare, logfile=None).run(fmax=FMAX_eV_PER_A, steps=300)
        found.append(float(bare.get_potential_energy()) - whole)
        if strontium != 0.5:
            break
    return found


def main() -> None:
    """Print the differences, and the slope of the threshold voltage that they would give."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default="sevennet")
    given = parser.parse_args()
    energies = {x: min(vacancy_eV(given.engine, x)) for x in LATTICE_A}
    for x, energy in energies.items():
        print(
            f"x = {x:g}: lowest vacancy {energy - energies[1.0]:+.2f} eV against SrCoO3, engine {given.engine}",
            flush=True,
        )
    fall = (energies[0.0] - energies[1.0]) / 2
    print(f"over x = 0 to 0.70 two electrons an oxygen make {0.7 * fall:.2f} V of it; measured 2.7 V")


if __name__ == "__main__":
    main()
