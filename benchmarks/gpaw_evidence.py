"""Computes the first-principles evidence that the package ships, one named task at a time.

    python benchmarks/gpaw_evidence.py --list
    python benchmarks/gpaw_evidence.py imma-pw500-k2 --scratch DIR [--output data/gpaw]
    python benchmarks/gpaw_evidence.py hop56after-pw400-k1 hop56saddle2-pw400-k1 ... --chain

Relaxations go on from their checkpoint in the scratch folder. A 500 eV single point of a vacancy takes the ions of
its 400 eV relaxation if that is kept already, else those of a cheaper engine (benchmarks/gpaw_starts.py); the
document says which. With --chain each task begins with the density and orbitals of the one before, as an ion that moves
would take them along: fewer iterations, and the electronic state stays, which need not be the one that a fresh start
finds (NiO with 4 atoms at 300 eV: 0.37 eV apart).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gap_cells
import numpy as np
import wire_cells
from ase import Atoms
from evidence_task import OTHER_BASES, Task
from film_cells import layer_energies_meV
from magnetoionics.analysis.magnetism.anisotropy import AnisotropyMap
from magnetoionics.analysis.magnetism.directions import lebedev_directions
from magnetoionics.analysis.magnetism.hole_field import HoleField
from magnetoionics.analysis.results.calculation import Band, Calculation
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.study.reference_calculations import (
    ReferenceCalculation,
    reference_calculations_folder,
)
from magnetoionics.structures.spins import reduced_formula_units
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.ase.jobs import (
    OF_EARLIER_ATTEMPTS,
    converge_band,
    plain_settings,
    relax_structure,
    static_structure,
)
from magnetoionics.workflows.band.driver import BandSettings
from magnetoionics.workflows.engines.gpaw import GpawEngine
from magnetoionics.workflows.evaluation.checkpoint import FOLDER_VARIABLE
from magnetoionics.workflows.evaluation.guards import moments_kept, odd_part_is_noise
from magnetoionics.workflows.gpaw.calculator import GpawCalculator
from magnetoionics.workflows.gpaw.holes import HoleSearch, three_holes
from magnetoionics.workflows.gpaw.jobs import born_charge_of_ion
from magnetoionics.workflows.gpaw.observe import gap_eV
from magnetoionics.workflows.gpaw.settings import Symmetry
from magnetoionics.workflows.gpaw.spin_orbit import force_theorem
from numpy.typing import NDArray
from reference_tasks import not_in_chain, task, task_names

# Atomic orbitals on a grid leave some hundredths of eV/Angstrom of noise in the forces.
BAND_SETTINGS = BandSettings(fmax_eV_per_A=0.08, relax_fmax_eV_per_A=0.08, max_steps=60)
# Whose path a band begins with.
CHEAP_PATH = "sevennet"
LAST_ATTEMPT = "seconds are those of the last attempt, force calls those of all"
FIXED_IONS = "ions at the measured lattice and oxygen parameter, not relaxed"


class ChainEngine(GpawEngine):
    """Computes one geometry after the other with the same calculator."""

    _kept: GpawCalculator | None = None

    def make_calculator(
        self, atoms: Atoms, mover: int | None, *, symmetry: Symmetry = "time reversal"
    ) -> GpawCalculator:
        if self._kept is None:
            self._kept = super().make_calculator(atoms, mover, symmetry="off")
        return self._kept


class SymmetricEngine(GpawEngine):
    """Uses the point group of the start, which ions that relax keep."""

    def make_calculator(self, atoms: Atoms, mover: int | None, *, symmetry: Symmetry = "full") -> GpawCalculator:
        return super().make_calculator(atoms, mover, symmetry=symmetry)


class OtherBasisEngine(GpawEngine):
    """Computes in one of `OTHER_BASES` instead of plane waves, with the point group."""

    basis = ""
    point_group: Symmetry = "full"

    def make_calculator(self, atoms: Atoms, mover: int | None, *, symmetry: Symmetry | None = None) -> GpawCalculator:
        symmetry = symmetry or self.point_group
        log = Path(self.scratch or ".") / f"{atoms.get_chemical_formula()}-{self.basis}.txt"
        return GpawCalculator(self.dft, atoms.arrays["magmom"], symmetry=symmetry, log=log, make=self._gpaw)

    def _gpaw(self, **parameters: Any) -> Any:
        from gpaw import GPAW

        return GPAW(**{**parameters, **OTHER_BASES[self.basis]})


def engine_for(job: Task, scratch: Path, *, chain: bool) -> GpawEngine:
    """The engine with the settings of a task."""
    kind = ChainEngine if chain else SymmetricEngine if job.symmetry == "full" else GpawEngine
    engine = OtherBasisEngine if job.basis else kind
    bands = {"band_settings": BAND_SETTINGS, "band_start": CHEAP_PATH} if job.kind == "band" else {}
    made = engine(dft=job.settings, scratch=str(scratch), fmax_eV_per_A=0.05, max_steps=60, **bands)
    if isinstance(made, OtherBasisEngine):
        made.basis, made.point_group = job.basis, job.symmetry
    return made


def compute(job: Task, engine: GpawEngine, before: str | None = None) -> ReferenceCalculation:
    """Run a task, perhaps from the density of another; times are of one core."""
    begin = time.perf_counter(), time.process_time()
    calculation: Calculation | None = None
    band: Band | None = None
    map_: AnisotropyMap | None = None
    numbers: dict[str, float | list[float]] = {}
    holes: list[HoleField] = []
    left_out: list[str] = []
    if job.kind in ("map", "layers"):
        calculation, map_ = with_map(engine, job)
        left_out = left_out_of(job)
    elif job.kind == "relax":
        calculation = relax_structure.original(engine, job.structure, name=job.name, cell=False, mover=None)
    elif job.kind == "holes" and job.ion is not None:
        left_out = [FIXED_IONS, "one ion's hole is moved, all others keep theirs"]
        atoms = to_atoms(job.structure)
        atoms.set_initial_magnetic_moments(atoms.arrays["magmom"])
        search = HoleSearch(atoms, job.settings)
        holes = three_holes(search, [job.ion], provenance_of(engine, job, left_out))
    elif job.kind == "channels":
        left_out = [f"spacing of {job.structure.lattice.c:g} A assumed", "scattering, leads, and a second atom"]
        calculation, numbers = with_numbers(engine, job, left_out, wire_cells.channels)
    elif job.kind == "states":
        left_out = ["lattice as measured at room temperature", "interface, velocities and transmission"]
        calculation, numbers = with_numbers(
            engine, job, left_out, lambda live: gap_cells.density_of_states(live, len(job.structure))
        )
    elif job.kind == "decay":
        left_out = [FIXED_IONS, "states with k across the current, interfaces, image forces"]
        calculation, numbers = with_numbers(
            engine, job, left_out, lambda live: gap_cells.decay(live, job.structure.lattice.c)
        )
    elif job.kind == "static":
        left_out = left_out_of(job)
        calculation = static_structure.original(engine, job.structure, name=job.name, mover=None)
    elif job.kind == "band" and job.final is not None and job.ion is not None:
        left_out = ["the cell stays at the measured lattice"]
        band = converge_band.original(engine, job.structure, job.final, [], mover=job.ion)
    else:
        left_out = [FIXED_IONS]
        tensor = born_charge_of_ion.original(engine, job.structure, job.ion, axes=[0, 1, 2])
        numbers = {f"born_charge_e_row_{axis}": row for axis, row in zip("xyz", tensor, strict=True)}
    if before is not None:
        left_out = [*left_out, f"the cycle began with the density of {before}"]
    provenance = provenance_of(engine, job, left_out)
    if calculation is not None:
        calculation = calculation.model_copy(update={"provenance": provenance})
    if band is not None:
        band = band.model_copy(update={"provenance": provenance})
    return ReferenceCalculation(
        name=job.name,
        what=job.what,
        command=f"python benchmarks/gpaw_evidence.py {job.name}",
        calculation=calculation,
        band=band,
        anisotropy=map_,
        holes=holes,
        numbers=numbers,
        notes=[LAST_ATTEMPT] if band is not None and any(OF_EARLIER_ATTEMPTS in n for n in band.notes) else [],
        cpu_seconds=time.process_time() - begin[1],
        wall_seconds=time.perf_counter() - begin[0],
        provenance=provenance,
    )


def left_out_of(job: Task) -> list[str]:
    """How the ions came to lie where they are, and what an odd part is worth."""
    ions = FIXED_IONS if job.relaxed_by is None else f"ions relaxed by {job.relaxed_by}, not at these settings"
    reversal = "time reversal was used in the cycle: the odd part is zero by construction"
    return [ions, *([reversal] if job.kind in ("map", "layers") and job.symmetry != "off" else [])]


def provenance_of(engine: GpawEngine, job: Task, left_out: list[str]) -> Provenance:
    """The engine's, with the settings of the self-consistent cycle alone."""
    settings = {**plain_settings(job.settings), "symmetry": job.symmetry}
    if job.basis:
        settings = {**{k: v for k, v in settings.items() if k != "cutoff_eV"}, **OTHER_BASES[job.basis]}
    return engine.provenance(left_out).model_copy(update={"settings": settings})


def with_map(engine: GpawEngine, job: Task) -> tuple[Calculation, AnisotropyMap]:
    """A static calculation and E(n) from one density."""
    atoms = to_atoms(job.structure)
    atoms.calc = engine.make_calculator(atoms, None, symmetry=job.symmetry)
    energy, forces = float(atoms.get_potential_energy()), atoms.get_forces()
    moments = [float(m) for m in atoms.get_magnetic_moments()]
    shares: NDArray[np.float64] | None = None
    if job.kind == "layers":
        directions, energies, shares, orbital = layer_energies_meV(atoms.calc.live)
    else:
        directions = lebedev_directions(9).vectors.tolist()
        energies, orbital = force_theorem(atoms.calc.live, directions)
    calculation = Calculation(
        name=job.name,
        structure=job.structure,
        energy_eV=energy,
        max_force_eV_per_A=float((forces**2).sum(axis=1).max() ** 0.5),
        force_calls=1,
        total_moment_muB=float(atoms.get_magnetic_moment()),
        site_moments_muB=moments,
        gap_eV=gap_eV(atoms.calc.live),
        checks=[moments_kept(job.structure.site_properties["magmom"], moments)],
        provenance=provenance_of(engine, job, left_out_of(job)),
    )
    map_ = AnisotropyMap(
        state=job.name,
        directions=directions,
        energies_meV=energies.tolist(),
        cell_volume_A3=float(job.structure.volume),
        formula_units=reduced_formula_units(job.structure),
        ions="all electrons",
        method="force theorem",
        orbital_moments_muB=[[float(x) for x in row] for row in orbital],
        checks=[odd_part_is_noise(directions, energies, None)],
        ion_sites=None if shares is None else list(range(len(job.structure))),
        ion_energies_meV=None if shares is None else (shares - shares.min(axis=0)).T.round(6).tolist(),
        provenance=provenance_of(engine, job, left_out_of(job)),
    )
    return calculation, map_


def with_numbers(
    engine: GpawEngine,
    job: Task,
    left_out: list[str],
    numbers: Callable[[Any], dict[str, float | list[float]]],
) -> tuple[Calculation, dict[str, float | list[float]]]:
    """A static calculation and what the converged calculator says of its electrons."""
    atoms = to_atoms(job.structure)
    atoms.calc = engine.make_calculator(atoms, None, symmetry=job.symmetry)
    energy, moments = float(atoms.get_potential_energy()), [float(m) for m in atoms.get_magnetic_moments()]
    calculation = Calculation(
        name=job.name,
        structure=job.structure,
        energy_eV=energy,
        max_force_eV_per_A=None,
        force_calls=1,
        total_moment_muB=float(atoms.get_magnetic_moment()),
        site_moments_muB=moments,
        checks=[moments_kept(job.structure.site_properties["magmom"], moments)],
        provenance=provenance_of(engine, job, left_out),
    )
    return calculation, numbers(atoms.calc.live)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", help="names of tasks; all that are not kept yet by default")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--scratch", type=Path, default=Path("gpaw-scratch"))
    parser.add_argument("--output", type=Path, default=reference_calculations_folder())
    parser.add_argument("--chain", action="store_true", help="each task begins with the density of the one before")
    args = parser.parse_args()
    if args.list:
        print("\n".join(task_names()))
        return
    args.scratch.mkdir(parents=True, exist_ok=True)
    args.output.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault(FOLDER_VARIABLE, str(args.scratch.resolve()))
    names = args.tasks or [n for n in task_names() if not (args.output / f"{n}.json").exists()]
    if args.chain and (odd := not_in_chain([task(n) for n in names])):
        parser.error(
            f"{odd} cannot follow {names[0]} in a chain: ions, cell, settings and no symmetry must be the same"
        )
    engine, before = None, None
    for name in names:
        job = task(name)
        if engine is None or not args.chain:
            engine = engine_for(job, args.scratch, chain=args.chain)
        done = compute(job, engine, before if args.chain else None)
        before = name
        (args.output / f"{name}.json").write_text(done.model_dump_json(indent=1) + "\n")
        print(name, f"{done.cpu_seconds:.0f} CPU s, {done.wall_seconds:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
