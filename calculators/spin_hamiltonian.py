"""Fe3+ as a spin 5/2: zero-field splitting from its oxygens by superposition, exchange field along n.

A half-filled shell has no orbital moment, so that its anisotropy is that of a spin Hamiltonian. Newman's
superposition model (10.1080/00018737500101511) adds one axial term per ligand L, with S_L the spin along the bond:

    H = sum_L { b2 (R2/r_L)^t2 [S_L^2 - S(S+1)/3] + (b4/60) O40(S_L) } + h n.S ,

b2 and its power law from EPR of Fe3+ in oxides. The fourth-rank part is fixed by the cubic splitting ``a`` of the
coordination, which is positive in octahedra and in tetrahedra alike, and takes no distance law.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..stored.base import Stored
from ..structures.units import BOLTZMANN_eV_PER_K

__all__ = ["FerricParameters", "ferric_energies", "spin_matrices", "zero_field_hamiltonian"]

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
eV_PER_INVERSE_CM = 1.239841984e-4
_SPIN = 2.5
# Up to this many oxygens the fourth-rank field is that of a tetrahedron, with more that of an octahedron.
_TETRAHEDRON = 4
# Sum over a regular polyhedron of P4 along a cube axis: 7/2 of an octahedron, -14/9 of a tetrahedron; b40 = a/2.
_P4_SUM = {"octahedron": 3.5, "tetrahedron": -14.0 / 9.0}


@dataclass(frozen=True)
class FerricParameters(Stored):
    """Assumed parameters of Fe3+ (S = 5/2) in an oxide; none is fitted to an anisotropy.

    Attributes
    ----------
    b2_per_cm, reference_distance_A, b2_exponent
        Second-rank term of one oxygen, (R2/r)^t2 times -0.412(25) 1/cm at 2.101 A with t2 = 8(1): Fe3+ in MgO
        under strain, D. J. Newman and W. Urban, 10.1080/00018737500101511 (secondary: not opened). Used for tetrahedra
        too, where it was not measured.
    a_octahedron_per_cm
        Cubic splitting of Fe3+ in MgO, 205e-4 1/cm: W. Low, 10.1103/PhysRev.105.792 (read in its abstract).
    a_tetrahedron_per_cm
        Cubic splitting on the tetrahedral site of yttrium gallium garnet, 62e-4 1/cm: S. Geschwind,
        10.1103/PhysRev.121.363 (read in its abstract).
    exchange_eV
        Mean field h of h n.S; it only has to exceed the splittings (assumed).
    ligand_cutoff_A
        Oxygens within this distance are ligands.
    """

    b2_per_cm: float = -0.412
    reference_distance_A: float = 2.101
    b2_exponent: float = 8.0
    a_octahedron_per_cm: float = 205e-4
    a_tetrahedron_per_cm: float = 62e-4
    exchange_eV: float = 0.060
    ligand_cutoff_A: float = 2.8


@cache
def spin_matrices(spin: float = _SPIN) -> ComplexArray:
    """Sx, Sy, Sz in units of hbar, highest projection first, shape (3, 2S + 1, 2S + 1)."""
    m = np.arange(spin, -spin - 1, -1)
    raising = np.diag(np.sqrt(spin * (spin + 1) - m[1:] * (m[1:] + 1)), 1).astype(complex)
    lowering = raising.conj().T
    matrices = np.array([(raising + lowering) / 2, (raising - lowering) / 2j, np.diag(m).astype(complex)])
    matrices.flags.writeable = False
    return matrices


def zero_field_hamiltonian(bonds: ArrayLike, parameters: FerricParameters | None = None) -> ComplexArray:
    """H without exchange of an Fe3+ with oxygens at these vectors.

    Parameters
    ----------
    bonds
        From the ion to its ligands, shape (n, 3), Angstrom.
    parameters
        Default `FerricParameters`.

    Returns
    -------
    ndarray
        Shape (6, 6), eV, traceless.
    """
    p = parameters or FerricParameters()
    vectors = np.asarray(bonds, dtype=float)
    square = _SPIN * (_SPIN + 1)
    constant = 3 * square**2 - 6 * square
    one = np.eye(6)
    kind = "tetrahedron" if len(vectors) <= _TETRAHEDRON else "octahedron"
    cubic = p.a_tetrahedron_per_cm if kind == "tetrahedron" else p.a_octahedron_per_cm
    fourth = cubic / 2 / _P4_SUM[kind]
    distances = np.linalg.norm(vectors, axis=1)
    along = np.tensordot(vectors / distances[:, None], spin_matrices(), 1)
    two = along @ along
    second = p.b2_per_cm * (p.reference_distance_A / distances) ** p.b2_exponent
    total = np.tensordot(second, two - square / 3 * one, 1)
    total = total + fourth / 60 * (35 * two @ two - (30 * square - 25) * two + constant * one).sum(axis=0)
    return np.asarray(eV_PER_INVERSE_CM * total)


def ferric_energies(
    bonds: ArrayLike, directions: ArrayLike, parameters: FerricParameters | None = None, temperature_K: float = 0.0
) -> FloatArray:
    """E(n) of one Fe3+, eV, shape (n_directions,): its ground state, or the free energy -kT ln Z at a temperature.

    Parameters
    ----------
    bonds
        As in `zero_field_hamiltonian`.
    directions
        Directions of magnetisation, shape (n_directions, 3).
    parameters
        Default `FerricParameters`.
    temperature_K
        0 for the ground state.

    Raises
    ------
    ValueError
        If a direction has no length, the temperature is negative, or there are fewer than three ligands.
    """
    if temperature_K < 0:
        raise ValueError(f"temperature {temperature_K} K must not be negative")
    units = np.asarray(directions, dtype=float)
    lengths = np.linalg.norm(units, axis=1)
    if (lengths < 1e-12).any():
        raise ValueError("a direction of magnetisation needs a length")
    if len(np.asarray(bonds)) < 3:
        raise ValueError(f"Fe3+ has {len(np.asarray(bonds))} oxygens around it; the superposition needs at least 3")
    p = parameters or FerricParameters()
    exchange = p.exchange_eV * np.tensordot(units / lengths[:, None], spin_matrices(), 1)
    levels = np.linalg.eigvalsh(zero_field_hamiltonian(bonds, p)[None] + exchange)
    if temperature_K == 0:
        return np.asarray(levels[:, 0])
    kT = BOLTZMANN_eV_PER_K * temperature_K
    return np.asarray(levels[:, 0] - kT * np.log(np.exp(-(levels - levels[:, :1]) / kT).sum(axis=1)))
