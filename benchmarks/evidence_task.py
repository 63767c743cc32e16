"""One calculation of the evidence: its cell, its settings, and what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from magnetoionics.workflows.gpaw.settings import GpawSettings, Symmetry
from pymatgen.core import Structure

TaskKind = Literal["map", "relax", "static", "born", "holes", "layers", "channels", "states", "decay", "band"]
# Sets of U (eV) beside the Materials Project's: a verdict of DFT+U is worth what it keeps of itself in all of them.
U_SETS: dict[str, dict[str, float]] = {"u33": {"Co": 3.0, "Fe": 3.0}, "u44": {"Co": 4.0, "Fe": 4.0}}
# The same cells in another basis of GPAW: numerical atomic orbitals, two for each of the valence and one to polarise
# them, on a grid (spacing, Angstrom).
OTHER_BASES: dict[str, dict[str, Any]] = {"dzp": {"mode": "lcao", "basis": "dzp", "h": 0.2}}
# Energies of cells that are subtracted: 1e-5 eV per electron is 2 meV in 28 atoms.
BOUNDS_OF_DIFFERENCES = {"energy_eV": 1e-5, "density_e": 1e-4, "eigenstates_eV2": 4e-8}
BOUNDS_OF_BULK = {"energy_eV": 1e-6, "density_e": 1e-5, "eigenstates_eV2": 1e-8}


@dataclass(frozen=True)
class Task:
    """One calculation of the evidence.

    Attributes
    ----------
    name, what
        Short name and one sentence.
    structure
        Cell with its site properties.
    settings
        Of the self-consistent cycle.
    kind
        ``map`` is a static calculation with E(n), ``layers`` the same of a film site by site, ``born`` the charge of
        `ion`, ``holes`` the energies of its t2g hole in three real orbitals, ``channels`` the bands of a chain that
        cross the Fermi level, ``states`` the densities of states there, ``decay`` the evanescent states of a gap,
        ``band`` the path of `ion` to where it lies in `final`.
    symmetry
        What the cycle uses; with time reversal an odd part is no error bar.
    ion
        For ``born``, ``holes`` and ``band``.
    relaxed_by
        What relaxed the ions before, in words; None if they lie where they were measured.
    basis
        One of `OTHER_BASES`; empty for plane waves.
    final
        The other end of a ``band``.
    """

    name: str
    what: str
    structure: Structure
    settings: GpawSettings
    kind: TaskKind
    symmetry: Symmetry = "time reversal"
    ion: int | None = None
    relaxed_by: str | None = None
    basis: str = ""
    final: Structure | None = None
