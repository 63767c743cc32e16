"""What a GPAW calculation is made of, and the parameters that follow for one cell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from ...stored.base import Stored
from ...structures.elements import element, hubbard_shell, pbe_hubbard_U_eV

# Share of a point by which a mesh may miss its spacing.
MESH_MARGIN = 0.02
# What the cycle may use: point group and time reversal, time reversal alone, or nothing.
Symmetry = Literal["full", "time reversal", "off"]
_SYMMETRY: dict[Symmetry, dict[str, bool] | str] = {"full": {}, "time reversal": {"point_group": False}, "off": "off"}
# Below this an energy is for looking, not for quoting: oxygen is 1.6 eV per atom away at 350 eV.
QUOTABLE_CUTOFF_eV = 500.0
# GPAW's own choice first, then ever slower ones. The physics (smearing, U, mesh) stays the same in all of them.
RESCUE_MIXERS: tuple[dict[str, Any] | None, ...] = (
    None,
    {"name": "pulay", "beta": 0.05, "nmaxold": 8, "weight": 50.0},
    {"name": "multi", "method": "sep"},
    {"name": "pulay", "beta": 0.02, "nmaxold": 5, "weight": 100.0},
)


def image_charge_note(charge: float) -> str:
    """What the energy of a cell of this charge (e) leaves out."""
    return f"image charges of a cell of {charge:+g} e" if charge else "image charges: cells are neutral"


@dataclass(frozen=True)
class GpawSettings(Stored):
    """Settings of the self-consistent cycle.

    Attributes
    ----------
    functional
        Exchange and correlation as GPAW names it; U belongs to it, so the default U is refused with any but PBE.
    hubbard_U_eV
        U by element, on the shell that `hubbard_shell` says; by default the Materials Project's, fitted for PBE.
    cutoff_eV
        Plane-wave cut-off.
    k_spacing_per_A
        Largest distance of k-points, 2 pi included, 1/Angstrom; the mesh contains Gamma.
    k_mesh
        Mesh given outright instead; keep it the same in calculations that are compared.
    smearing_eV
        Width of the Fermi function.
    energy_eV, density_e, eigenstates_eV2
        Convergence per valence electron.
    empty_eV
        Empty states up to this far above the conduction edge are converged too: spin-orbit coupling mixes them in.
    bands
        Number of bands as GPAW takes it, e.g. ``"130%"`` of the occupied ones; None leaves it to GPAW.
    max_iterations
        Of one attempt.
    charge
        Of the cell, e, in a homogeneous background: plane waves leave the mean potential out.
    """

    functional: str = "PBE"
    hubbard_U_eV: dict[str, float] = field(default_factory=pbe_hubbard_U_eV)
    cutoff_eV: float = 500.0
    k_spacing_per_A: float = 0.66
    k_mesh: tuple[int, int, int] | None = None
    smearing_eV: float = 0.05
    energy_eV: float = 1e-5
    density_e: float = 1e-5
    eigenstates_eV2: float = 1e-8
    empty_eV: float | None = None
    bands: str | None = None
    max_iterations: int = 120
    charge: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no calculation can be made of.

        Raises
        ------
        ValueError
            Naming the value and its range.
        """
        if not 200 <= self.cutoff_eV <= 2000:
            raise ValueError(f"cutoff {self.cutoff_eV} eV is outside 200 to 2000 eV")
        if self.k_mesh is not None and (len(self.k_mesh) != 3 or min(self.k_mesh) < 1):
            raise ValueError(f"k-mesh {self.k_mesh} must be three whole numbers of at least 1")
        bad = {e: u for e, u in self.hubbard_U_eV.items() if not 0 <= u <= 15}
        if bad:
            raise ValueError(f"U of {bad} eV is outside 0 to 15 eV")
        borrowed = {e: u for e, u in self.hubbard_U_eV.items() if u and u == element(e).pbe_U_eV}
        if self.functional != "PBE" and borrowed:
            raise ValueError(
                f"U of {borrowed} eV was fitted with PBE and must not be used with {self.functional}: give "
                f"hubbard_U_eV fitted for {self.functional} (0 states none), or use functional PBE"
            )

    def mesh(self, cell: ArrayLike) -> tuple[int, int, int]:
        """Numbers of k-points along the reciprocal vectors of a cell, shape (3, 3), Angstrom.

        The spacing is met to 2 % of a point, so that a relaxed cell keeps the mesh of the unrelaxed one.
        """
        if self.k_mesh is not None:
            return self.k_mesh[0], self.k_mesh[1], self.k_mesh[2]
        lengths = 2 * math.pi * np.linalg.norm(np.linalg.inv(np.asarray(cell, dtype=float)), axis=0)
        n = [max(1, math.ceil(length / self.k_spacing_per_A - MESH_MARGIN)) for length in lengths]
        return n[0], n[1], n[2]

    def setups(self) -> dict[str, str]:
        """U as GPAW takes it: Dudarev's form on p of anions, f of lanthanides and d of all others, with projections
        normalised inside the sphere.
        """
        return {e: f":{'spdf'[hubbard_shell(e)]},{u:g}" for e, u in sorted(self.hubbard_U_eV.items()) if u}

    def parameters(
        self, atoms: Atoms, *, symmetry: Symmetry = "full", mixer: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Keyword arguments of ``gpaw.GPAW`` for these atoms.

        Parameters
        ----------
        atoms
            Sets the mesh and which elements carry U.
        symmetry
            What the cycle may use; "off" for spin-orbit coupling and Berry phases.
        mixer
            Density mixing; GPAW's own if None.
        """
        convergence: dict[str, Any] = {
            "energy": self.energy_eV,
            "density": self.density_e,
            "eigenstates": self.eigenstates_eV2,
        }
        if self.empty_eV is not None:
            convergence["bands"] = f"CBM+{self.empty_eV:g}"
        present = set(atoms.get_chemical_symbols())
        out: dict[str, Any] = {
            "mode": {"name": "pw", "ecut": self.cutoff_eV},
            "xc": self.functional,
            "kpts": {"size": self.mesh(atoms.cell.array), "gamma": True},
            "setups": {e: u for e, u in self.setups().items() if e in present},
            "occupations": {"name": "fermi-dirac", "width": self.smearing_eV},
            "convergence": convergence,
            "maxiter": self.max_iterations,
            "symmetry": _SYMMETRY[symmetry],
        }
        if self.bands is not None:
            out["nbands"] = self.bands
        if self.charge:
            out["charge"] = self.charge
        if mixer is not None:
            out["mixer"] = dict(mixer)
        return out


def start_moments(symbols: list[str], moments_muB: ArrayLike, charge: float = 0.0) -> NDArray[np.float64]:
    """Moments to start from: signed as given, at most the free atom's.

    Where an element's largest is beyond that, all its moments are smaller by the same factor, so that ions of different
    valence (Fe3+ 5, Fe2+ 4) still begin apart.

    Parameters
    ----------
    symbols
        Element symbols, length n.
    moments_muB
        Wanted moments, shape (n,).
    charge
        Of the cell, e: GPAW spreads the electrons of a negative one over all atoms, where they take the place of spin.
    """
    moments = np.array(moments_muB, dtype=float)
    more_electrons = max(-charge, 0.0) / len(symbols)
    for symbol in set(symbols):
        sites = [i for i, one in enumerate(symbols) if one == symbol]
        largest = float(np.abs(moments[sites]).max())
        # Above the moment of the free atom the basis of atomic orbitals, from which GPAW starts, cannot hold the spin.
        held = element(symbol).free_atom_moment_muB
        if held is not None and largest > held - more_electrons:
            moments[sites] *= (held - more_electrons) / largest
    return moments
