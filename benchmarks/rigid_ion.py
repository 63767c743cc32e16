"""Rigid-ion energies and forces beside LAMMPS, one thread, in turn: ``python benchmarks/rigid_ion.py [--write]``.

Both codes start from the same rattled CoFe2O4 cell with the same terms and charges, and evaluate it again and again:
ours with the ions moved a little each time, LAMMPS in a run with a vanishing time step and its neighbour list kept.
Times are CPU seconds of one thread, the best of several, so that a busy machine does not decide; LAMMPS gets the
real-space cutoff that is best for it; above 10,000 ions its plain Ewald sum is left out. Forces of both are compared
with our sum at 1e-11 (above 10,000 ions: over a mesh at 1e-8). Memory is the peak of a process of its own that makes
one calculator and one call.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from ase import Atoms
from magnetoionics.calculators import rigid_ion
from magnetoionics.calculators.potentials import potential
from magnetoionics.calculators.rigid_ion import RigidIonCalculator
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.host import get_host
from magnetoionics.structures.units import COULOMB_eV_A
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.engines.local import LocalEngine

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "builders"))
from lammps_peer import LAMMPS_COULOMB, LammpsPeer  # noqa: E402

CUTOFFS_A = (5.0, 6.0, 8.0, 10.0)
LARGE = 10_000
PAGE = HERE.parent / "docs" / "rigid_ion_benchmark.md"


def rattled(repeats: int) -> Atoms:
    atoms = to_atoms(supercell(get_host("cofe2o4").structure("Imma"), (repeats,) * 3))
    atoms.rattle(0.05, seed=7)
    return atoms


def ours(atoms: Atoms, charges: np.ndarray, times: int, accuracy: float = 1e-6) -> tuple[float, np.ndarray]:
    calculator = RigidIonCalculator("pedone", charges=charges, accuracy=accuracy)
    forces = np.array(calculator.get_property("forces", atoms))
    step = 1e-4 * np.random.default_rng(1).standard_normal((len(atoms), 3))
    best = np.inf
    for n in range(times):
        moved = atoms.copy()
        moved.positions += (n + 1) % 3 * step
        begin = time.process_time()
        calculator.get_property("forces", moved)
        best = min(best, time.process_time() - begin)
    return best, forces


def reference_forces(atoms: Atoms, charges: np.ndarray) -> np.ndarray:
    """At 1e-11, without the mesh; at 1e-8 with it where that would take minutes."""
    if len(atoms) > LARGE:
        return ours(atoms, charges, 0, 1e-8)[1]
    mesh_from, rigid_ion.MESH_FROM = rigid_ion.MESH_FROM, 10**9
    try:
        return ours(atoms, charges, 0, 1e-11)[1]
    finally:
        rigid_ion.MESH_FROM = mesh_from


def theirs(
    atoms: Atoms, charges: np.ndarray, kspace: str, cutoff: float, times: int, folder: Path
) -> tuple[float, np.ndarray]:
    model = potential("pedone")
    symbols = atoms.get_chemical_symbols()
    species = [model.nearest_species(s, v) for s, v in zip(symbols, atoms.arrays["valence"], strict=True)]
    scaled = charges * np.sqrt(COULOMB_eV_A / LAMMPS_COULOMB)
    peer = LammpsPeer(atoms, model, species, scaled, folder, kspace=kspace, coulomb_cutoff=cutoff)
    forces, best, each = peer.forces(), np.inf, max(1, min(20, 2000 // len(atoms)))
    for _ in range(times):
        begin = time.process_time()
        peer.repeat(each)
        best = min(best, (time.process_time() - begin) / each)
    peer.close()
    return best, forces


def compare(repeats: int, times: int, folder: Path) -> list[str]:
    atoms = rattled(repeats)
    charges = LocalEngine().charges(atoms, None)
    exact = reference_forces(atoms, charges)

    def error(forces: np.ndarray) -> float:
        return float(np.sqrt(np.mean((forces - exact) ** 2)))

    accuracies = {"magnetoionics, accuracy 1e-6": 1e-6, "magnetoionics, accuracy 1e-5": 1e-5}
    rows = {name: ("", *ours(atoms, charges, times, accuracy)) for name, accuracy in accuracies.items()}
    for kspace in ("ewald", "pppm") if len(atoms) <= LARGE else ("pppm",):
        tried = [(c, *theirs(atoms, charges, kspace, c, times, folder)) for c in CUTOFFS_A]
        cutoff, seconds, forces = min(tried, key=lambda t: t[1])
        rows[f"LAMMPS {kspace}"] = (f"{cutoff:g}", seconds, forces)
    # In turn: a second round of ours after LAMMPS, so that a busy moment does not decide.
    for name, accuracy in accuracies.items():
        again = ours(atoms, charges, times, accuracy)[0]
        rows[name] = ("", min(again, rows[name][1]), rows[name][2])
    return [
        f"| {len(atoms)} | {name} | {cutoff} | {1e3 * seconds:.2f} | {error(forces):.1e} |"
        for name, (cutoff, seconds, forces) in rows.items()
    ]


def peak_memory_MB(repeats: int) -> int:
    """Of a process that does nothing else."""
    done = subprocess.run(
        [sys.executable, __file__, "--memory-of", str(repeats)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def print_memory(repeats: int) -> None:
    atoms = rattled(repeats)
    ours(atoms, LocalEngine().charges(atoms, None), 1)
    # Not getrusage, whose peak a process inherits from the one that started it.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    print(int(status.split("VmHWM:")[1].split()[0]) // 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help="Put the table into docs/rigid_ion_benchmark.md.")
    parser.add_argument("--repeats", type=int, nargs="*", default=[1, 2, 4, 8])
    parser.add_argument("--times", type=int, default=7)
    options = parser.parse_args()
    if options.memory_of:
        print_memory(options.memory_of)
        return
    table = [
        "| atoms | code | Coulomb cutoff (Å) | ms per call | force error (eV/Å, rms) | peak memory (MB) |",
        "|--:|--|--:|--:|--:|--:|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for repeats in options.repeats:
            rows = compare(repeats, options.times, Path(folder))
            # Of our first row, that at 1e-6.
            rows[0] += f" {peak_memory_MB(repeats)} |"
            table += [rows[0], *(f"{row}  |" for row in rows[1:])]
            print("\n".join(table[-len(rows) :]), flush=True)
    print(f"LAMMPS {version('lammps')}, NumPy {np.__version__}")
    if options.write:
        text = PAGE.read_text(encoding="utf-8")
        head, rest = text.split("<!-- table -->\n", 1)
        tail = rest.split("<!-- end of table -->", 1)[1]
        block = "<!-- table -->\n\n" + "\n".join(table) + "\n\n<!-- end of table -->"
        PAGE.write_text(head + block + tail, encoding="utf-8")


if __name__ == "__main__":
    main()
