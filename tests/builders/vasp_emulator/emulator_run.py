"""What the emulator computes for each kind of input."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.filters import UnitCellFilter
from ase.mep import NEB
from ase.optimize import BFGS, LBFGS
from emulator_inputs import VALENCE_ELECTRONS, VTST, Inputs, frame_of
from emulator_outcar import write_oszicar, write_outcar
from emulator_physics import anisotropy_eV, atoms_of, local_potential_eV
from emulator_vasprun import NUMBERS, write_vasprun
from magnetoionics.calculators.potentials import potential
from pymatgen.core import Structure
from pymatgen.io.vasp import Locpot, Poscar

FAULT = os.environ.get("VASP_EMULATOR_FAULT", "")
# Ionic steps after which the process is killed, as by a scheduler; 0 for never.
CUT = int(os.environ.get("VASP_EMULATOR_CUT", "0"))


@dataclass
class Step:
    """One ionic step; energies in eV, forces in eV/A, stress in eV/A^3 (tension positive)."""

    structure: Structure
    energy: float
    forces: np.ndarray
    stress: np.ndarray
    electronic: list[float]


@dataclass
class Result:
    steps: list[Step]
    moments: np.ndarray
    orbital_moments: np.ndarray | None = None
    dipole_ion: np.ndarray | None = None
    dipole_electrons: np.ndarray | None = None
    born_charges: np.ndarray | None = None
    extra: dict[str, float] = field(default_factory=dict)


def run(inputs: Inputs, folder: Path) -> None:
    if inputs.images:
        results = band(inputs)
        for number, result in enumerate(results, start=1):
            write(inputs, result, folder / f"{number:02d}")
            if NUMBERS < (6, 0, 0):
                (folder / f"{number:02d}" / "vasprun.xml").unlink()
        if NUMBERS < (6, 0, 0):
            # The images write over each other into one file.
            write_vasprun(inputs, results[0], folder / "vasprun.xml", FAULT)
            text = (folder / "vasprun.xml").read_text(encoding="utf-8")
            half = len(text) // 2
            (folder / "vasprun.xml").write_text(text[:half] + text[half // 2 :], encoding="utf-8")
        return
    moving = int(inputs.incar.get("NSW", 0)) > 0 and int(inputs.incar.get("IBRION", -1)) in (1, 2, 3)
    write(inputs, relax(inputs) if moving else static(inputs), folder)


def band(inputs: Inputs) -> list[Result]:
    """Nudged elastic band with improved tangents; climbs if LCLIMB says so, after a first approach."""
    images = [atoms_of(s, inputs.moments, field_of(inputs), inputs.charge) for s in inputs.images]
    neb = NEB(images, k=-float(inputs.incar["SPRING"]), method="improvedtangent", climb=False)
    limit, most = -float(inputs.incar["EDIFFG"]), int(inputs.incar["NSW"])
    first = [step_of(inputs, a) for a in images[1:-1]]
    done: list[list[Step]] = [[] for _ in images[1:-1]]
    if not VTST:
        # IBRION = 3 with POTIM = 0 and no VTST: all steps in one place.
        return [Result([start] * most, spin_moments(inputs)) for start in first]

    def each_step() -> None:
        for k, a in enumerate(images[1:-1]):
            done[k].append(step_of(inputs, a))
        cut_off(inputs, done, [Path(f"{k:02d}") for k in range(1, len(images) - 1)])

    if inputs.incar["LCLIMB"]:
        approach = LBFGS(neb, logfile=None, maxstep=0.06, memory=30)
        approach.attach(each_step if CUT else lambda: None)
        approach.run(fmax=10 * limit, steps=most)
        neb.climb = True
    climbing = LBFGS(neb, logfile=None, maxstep=0.05, memory=30)
    climbing.attach(each_step if CUT else lambda: None)
    climbing.run(fmax=limit, steps=3 if FAULT == "band" else most)
    moments = spin_moments(inputs)
    results = [Result([start, step_of(inputs, a)], moments) for start, a in zip(first, images[1:-1], strict=True)]
    if inputs.incar.get("LCALCPOL"):
        for result, atoms in zip(results, images[1:-1], strict=True):
            result.dipole_ion, result.dipole_electrons = dipoles(inputs, atoms)
    return results


def cut_off(inputs: Inputs, done: list[list[Step]], folders: list[Path]) -> None:
    """Write what VASP has written after each ionic step, and die after `CUT` of them with OUTCAR unfinished."""
    for steps, folder in zip(done, folders, strict=True):
        Poscar(steps[-1].structure).write_file(folder / "CONTCAR", significant_figures=16)
        write_oszicar(inputs, Result(steps, spin_moments(inputs)), folder / "OSZICAR")
        (folder / "OUTCAR").write_text(" vasp.6: emulator\n an unfinished", encoding="utf-8")
    if len(done[0]) >= CUT:
        os.kill(os.getpid(), signal.SIGKILL)


def write(inputs: Inputs, result: Result, folder: Path) -> None:
    write_vasprun(inputs, result, folder / "vasprun.xml", FAULT)
    write_outcar(inputs, result, folder / "OUTCAR", FAULT)
    write_oszicar(inputs, result, folder / "OSZICAR")
    Poscar(result.steps[-1].structure).write_file(folder / "CONTCAR", significant_figures=16)
    if inputs.incar.get("LVHAR"):
        write_locpot(inputs, result, folder / "LOCPOT")
    if inputs.incar.get("LCHARG", True):
        lmaxmix, mesh = int(inputs.incar.get("LMAXMIX", 2)), " ".join(str(int(n)) for n in inputs.kpoints.kpts[0])
        text = f"emulated density: {len(inputs.structure)} {lmaxmix} {mesh}\n"
        (folder / "CHGCAR").write_text(text, encoding="utf-8")


def write_locpot(inputs: Inputs, result: Result, path: Path) -> None:
    """The local potential, as VASP writes it with LVHAR."""
    structure = result.steps[-1].structure
    atoms = atoms_of(structure, inputs.moments, charge=inputs.charge)
    grid = tuple(int(n) for n in np.ceil(np.array(structure.lattice.abc) / 0.35))
    values = local_potential_eV(atoms, grid)  # type: ignore[arg-type]
    Locpot(Poscar(structure), {"total": values}).write_file(str(path))


def step_of(inputs: Inputs, atoms: Atoms) -> Step:
    structure = Structure(
        atoms.cell.array, [s.specie.symbol for s in inputs.structure], atoms.get_scaled_positions(wrap=False)
    )
    energy = float(atoms.get_potential_energy())
    forces = np.array(atoms.get_forces())
    field = field_of(inputs)
    if field is not None and FAULT == "bare forces":
        forces -= atoms.arrays["formal"][:, None] * field
    return Step(structure, energy, forces, np.array(atoms.get_stress(voigt=False)), loop(inputs, energy))


def loop(inputs: Inputs, energy: float) -> list[float]:
    """Energies of a self-consistency loop that ends by EDIFF, or is cut off."""
    limit, most = float(inputs.incar.get("EDIFF", 1e-4)), int(inputs.incar.get("NELM", 60))
    if FAULT == "unconverged":
        return [energy + 0.1 * (-0.9) ** n for n in range(most)]
    errors = [10.0 * 0.1**n for n in range(60)]
    kept = [energy + e for n, e in enumerate(errors) if n == 0 or errors[n - 1] > limit]
    return [*kept[: most - 1], energy]


def static(inputs: Inputs) -> Result:
    if inputs.noncollinear:
        return spin_orbit(inputs)
    atoms = atoms_of(inputs.structure, inputs.moments, field_of(inputs), inputs.charge)
    result = Result([step_of(inputs, atoms)], spin_moments(inputs))
    if inputs.incar.get("LCALCPOL"):
        result.dipole_ion, result.dipole_electrons = dipoles(inputs, atoms)
    if inputs.incar.get("LEPSILON"):
        result.born_charges = np.eye(3)[None] * atoms.arrays["formal"][:, None, None]
    return result


def field_of(inputs: Inputs) -> np.ndarray | None:
    """Field on a positive charge: the tag is the force on an electron."""
    tag = inputs.incar.get("EFIELD_PEAD")
    if tag is None:
        return None
    return np.array(tag, dtype=float) * (1.0 if FAULT == "field sign" else -1.0)


def dipoles(inputs: Inputs, atoms: Atoms) -> tuple[np.ndarray, np.ndarray]:
    """Ionic and electronic part of the dipole, e Angstrom; the electronic one on whatever branch comes out."""
    cell = atoms.cell.array
    inside = (atoms.get_scaled_positions(wrap=True) - 0.5) @ cell
    cores = np.array([VALENCE_ELECTRONS[inputs.potcar[inputs.symbols.index(s)]] for s in atoms.get_chemical_symbols()])
    ionic = cores @ inside
    # A whole number of electrons belongs to each ion; what the formal charges spread goes with the displacement.
    total = atoms.arrays["formal"] @ (atoms.positions - 0.5 * cell.sum(axis=0))
    electronic = (total - ionic) @ np.linalg.inv(cell)
    return ionic, (electronic - np.rint(electronic)) @ cell


def spin_orbit(inputs: Inputs) -> Result:
    """Rigid ions plus the ligand field at the direction of the moments; orbital moments that follow it."""
    frame = frame_of(np.array(inputs.incar.get("SAXIS", [0.0, 0.0, 1.0]), dtype=float))
    cartesian = inputs.moments @ frame.T
    up = [i for i, s in enumerate(inputs.structure) if s.specie.symbol == "Co"] or [
        int(np.argmax(np.linalg.norm(cartesian, axis=1)))
    ]
    n = cartesian[up[0]] / np.linalg.norm(cartesian[up[0]])
    atoms = atoms_of(inputs.structure, inputs.moments, charge=inputs.charge)
    step = step_of(inputs, atoms)
    extra = anisotropy_eV(atoms, n)
    if FAULT == "odd":
        extra += 1e-3 * float(n[0] + n[1] + n[2])
    step.energy += extra
    step.electronic = [e + extra for e in step.electronic]
    moments = spin_moments(inputs)
    if FAULT == "tilt":
        angle = np.radians(20)
        turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
        moments = moments @ turn.T
    orbital = np.zeros_like(moments)
    for i in up:
        orbital[i] = 0.2 * (1 + 0.2 * float(np.sum(n**4))) * inputs.moments[i] / 3
    return Result([step], moments, orbital_moments=orbital)


def relax(inputs: Inputs) -> Result:
    atoms = atoms_of(inputs.structure, inputs.moments, field_of(inputs), inputs.charge)
    limit, most = -float(inputs.incar.get("EDIFFG", -0.02)), int(inputs.incar["NSW"])
    moving = UnitCellFilter(atoms) if int(inputs.incar.get("ISIF", 2)) == 3 else atoms
    steps: list[Step] = []
    optimizer = (BFGS if moving is not atoms else LBFGS)(moving, logfile=None, maxstep=0.1)

    def each_step() -> None:
        steps.append(step_of(inputs, atoms))
        if CUT:
            cut_off(inputs, [steps], [Path.cwd()])

    optimizer.attach(each_step)
    # VASP stops a relaxation at NSW ionic steps, the first of which is the start.
    optimizer.run(fmax=0.2 * limit if moving is not atoms else limit, steps=most - 1)
    result = Result(steps, spin_moments(inputs))
    if inputs.incar.get("LCALCPOL"):
        result.dipole_ion, result.dipole_electrons = dipoles(inputs, atoms)
    return result


def spin_moments(inputs: Inputs) -> np.ndarray:
    """Site moments: the start's, a little smaller because covalency takes a part; faults on request."""
    scale = 0.9
    if FAULT == "moments":
        scale = 0.02
    out = scale * inputs.moments
    if FAULT == "flip":
        spins = np.flatnonzero(np.abs(out) > 1)
        out[spins[0]] *= -1
    return out


def known_potential() -> str:
    return potential("pedone").doi
