"""Single-ion anisotropy of Co2+: E(n) from a ligand field on the ion's real surroundings.

H = Coulomb (Racah B, C) + one-electron field + zeta sum l.s + h n.S on all 120 states of d7.
The one-electron field is the angular overlap of the nearest oxygens (C. E. Schaeffer and
C. K. Jorgensen, 10.1080/00268976500100551) plus the l = 2 point-charge field of every other ion of the crystal. The
exchange field h n.S is the mean field of the magnet's other moments: it turns with n, so that
E(n) is the energy with the magnetisation along n. By time reversal E(n) = E(-n).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from ..stored.base import Stored
from ..structures.units import BOLTZMANN_eV_PER_K
from .crystal_field import angular_overlap, quadrupole_field, site_fields
from .d_shell import DShell, d_shell
from .free_energy import free_energies

__all__ = [
    "LigandFieldModel",
    "LigandFieldParameters",
    "angular_overlap",
    "lowest_energies",
    "quadrupole_field",
    "site_fields",
]

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
_SAME_LEVEL_eV = 1e-7
_SAME_FIELD_eV = 1e-12
# Opposite directions whose energies differ by less have one energy.
_EVEN_eV = 1e-12
_INNER_STATES = 16
_RESIDUAL_eV = 1e-8
_ERROR_eV = 1e-12
_MAX_STEPS = 12


@dataclass(frozen=True)
class LigandFieldParameters(Stored):
    """Assumed parameters of Co2+ in an oxide; none is fitted to an anisotropy.

    The mark in brackets says how far a number was checked; `parameter_sources.SOURCES` has the source and the range
    of each.

    Attributes
    ----------
    racah_B_eV, racah_C_eV
        Electron repulsion: about 0.81 of the free ion's 971 1/cm (secondary), C = 4.5 B (assumed).
    e_sigma_eV, e_pi_eV
        Angular-overlap energies at `reference_distance_A`; 10Dq = 3 e_sigma - 4 e_pi of a regular octahedron (assumed).
    distance_exponent
        Both scale as (reference / r)^exponent (assumed).
    ligand_cutoff_A
        Oxygens within this distance are ligands.
    zeta_eV
        Spin-orbit constant of 3d: about 0.94 of the free ion's 66 meV (secondary).
    exchange_eV
        Mean exchange field h of h n.S, of the size that the Curie temperature demands (assumed).
    r2_a0_squared
        <r^2> of Co2+ 3d in Bohr radii squared (Hartree-Fock, A. J. Freeman and R. E. Watson; secondary).
    shielding
        Factor on the far-ion quadrupole field, dimensionless; 1, no shielding, is assumed.
    n_states
        Least number of lowest states of H without exchange that are kept; None, exact, keeps all. A degenerate level
        is kept whole. With 60 of 120 the anisotropy changes by at most 1.5e-4 meV per ion, measured on 96 sites
        of CoFe2O4 with atoms displaced by up to 0.15 A rms per axis and oxygens missing (28: 6.5e-4, 40: 3.7e-4 meV).
    """

    racah_B_eV: float = 0.098
    racah_C_eV: float = 0.44
    e_sigma_eV: float = 0.50
    e_pi_eV: float = 0.11
    reference_distance_A: float = 2.10
    distance_exponent: float = 5.0
    ligand_cutoff_A: float = 2.8
    zeta_eV: float = 0.062
    exchange_eV: float = 0.060
    r2_a0_squared: float = 1.25
    shielding: float = 1.0
    n_states: int | None = None

    def __post_init__(self) -> None:
        if self.n_states is not None and self.n_states < 1:
            raise ValueError(f"n_states = {self.n_states} must be positive, or None for all states")


class LigandFieldModel:
    """Energies of one open d shell in given one-electron fields.

    Parameters
    ----------
    parameters
        See `LigandFieldParameters`.
    n_electrons
        Electrons in the shell; 7 for Co2+.
    """

    def __init__(
        self,
        parameters: LigandFieldParameters | None = None,
        n_electrons: int = 7,
    ) -> None:
        self.parameters = parameters or LigandFieldParameters()
        self.shell: DShell = d_shell(n_electrons)
        p = self.parameters
        self._free_ion = self.shell.coulomb(p.racah_B_eV, p.racah_C_eV) + p.zeta_eV * self.shell.spin_orbit

    def hamiltonian(self, field: ArrayLike) -> ComplexArray:
        """H without exchange for a one-electron field on the real d orbitals, shape (5, 5), eV."""
        return np.asarray(self._free_ion + self.shell.spin_free(field))

    def levels(self, field: ArrayLike, direction: ArrayLike | None = None) -> FloatArray:
        """All energies in eV, ascending; with the exchange field along `direction` if one is given."""
        h = self.hamiltonian(field)
        if direction is not None:
            h = h + self.parameters.exchange_eV * np.tensordot(_unit(direction), self.shell.spin, 1)
        return np.asarray(np.linalg.eigvalsh(h), dtype=float)

    def ground_energies(self, fields: ArrayLike, directions: ArrayLike, temperature_K: float = 0.0) -> FloatArray:
        """E(n) of each ion.

        Parameters
        ----------
        fields
            One-electron fields on the real d orbitals, shape (n_ions, 5, 5), eV.
        directions
            Directions of magnetisation, shape (n_directions, 3).
        temperature_K
            0 for the ground state, else the free energy -kT ln Z.

        Returns
        -------
        ndarray
            Shape (n_ions, n_directions), eV. Opposite directions are computed once where the operators of every ion
            show that their energies are one (`odd_part_bound_eV`).

        Raises
        ------
        ValueError
            If the temperature is negative.
        """
        if temperature_K < 0:
            raise ValueError(f"temperature {temperature_K} K must not be negative")
        units = np.array([_unit(d) for d in np.asarray(directions, dtype=float)])
        fields = np.asarray(fields, dtype=float)
        even = all(self.odd_part_bound_eV(f) < _EVEN_eV for f in fields)
        used, place = _one_of_each_pair(units) if even else (units, np.arange(len(units)))
        # Ions that a translation or an inversion turns into each other.
        kinds = _first_of_equal(fields)
        # Matrices of this size gain nothing from BLAS threads, and lose tenfold on a busy machine.
        with threadpool_limits(limits=1, user_api="blas"):
            known = {k: self._one_ion(fields[k], used, temperature_K)[place] for k in dict.fromkeys(kinds)}
        return np.array([known[k] for k in kinds])

    def _one_ion(self, field: FloatArray, directions: FloatArray, temperature_K: float) -> FloatArray:
        energies, vectors = np.linalg.eigh(self.hamiltonian(field))
        keep = _whole_levels(energies, self.parameters.n_states or len(energies))
        energies, vectors = energies[:keep], vectors[:, :keep]
        exchange = self.parameters.exchange_eV * (vectors.conj().T @ self.shell.spin @ vectors)
        if temperature_K == 0:
            return lowest_energies(energies, exchange, directions)
        return free_energies(energies, exchange, directions, BOLTZMANN_eV_PER_K * temperature_K)

    def odd_part_bound_eV(self, field: ArrayLike) -> float:
        """What |E(n) - E(-n)| is at most, for every n: how far this ion's operators are from time reversal's parity.

        H without exchange has to be even, S odd; then each level is that of the opposite direction, for an odd and an
        even number of electrons alike (H. Weyl's inequality for what is left).
        """
        h = self.hamiltonian(field)
        even = np.linalg.norm(h - self.shell.time_reversed(h))
        return float(even + self.parameters.exchange_eV * self._spin_not_odd)

    @cached_property
    def _spin_not_odd(self) -> float:
        return float(np.linalg.norm(self.shell.spin + self.shell.time_reversed(self.shell.spin)))

    def moments(self, field: ArrayLike, direction: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Spin and orbital moment of the ground state, muB, each shape (3,)."""
        h = self.hamiltonian(field) + self.parameters.exchange_eV * np.tensordot(_unit(direction), self.shell.spin, 1)
        ground = np.linalg.eigh(h)[1][:, 0]

        def expectation(operator: ComplexArray) -> FloatArray:
            return np.real(np.einsum("i,xij,j->x", ground.conj(), operator, ground))

        return -2.0 * expectation(self.shell.spin), -expectation(self.shell.orbital)


def _first_of_equal(fields: FloatArray) -> list[int]:
    """For each field the first that equals it to rounding, which energies follow to some 1e-11 eV."""
    same = np.abs(fields[:, None] - fields[None]).max(axis=(2, 3), initial=0.0) < _SAME_FIELD_eV
    return [int(np.argmax(row)) for row in same]


def _unit(direction: ArrayLike) -> FloatArray:
    vector = np.asarray(direction, dtype=float)
    length = float(np.linalg.norm(vector))
    if length < 1e-12:
        raise ValueError("a direction of magnetisation needs a length")
    return vector / length


def _whole_levels(energies: FloatArray, least: int) -> int:
    """Number of lowest states, at least this many, that cuts no level in two: that would break the site's symmetry."""
    count = min(least, len(energies))
    while count < len(energies) and energies[count] - energies[count - 1] < _SAME_LEVEL_eV:
        count += 1
    return count


def lowest_energies(energies: FloatArray, exchange: ComplexArray, directions: FloatArray) -> FloatArray:
    """Lowest eigenvalue of ``diag(energies) + n.exchange`` for each n, exact to rounding.

    The lowest states are diagonalised for all directions at once; Davidson steps then add the rest. A value is taken
    once it is proven to be the lowest one (see `_second_level_bound`) with an error r^2 / gap below 1e-12 eV for its
    residual r; directions that fail are diagonalised in full.

    Parameters
    ----------
    energies
        Ascending, shape (n,), eV.
    exchange
        Hermitian operators along x, y, z, shape (3, n, n), eV.
    directions
        Unit vectors, shape (n_directions, 3).

    Returns
    -------
    ndarray
        Shape (n_directions,), eV.
    """
    inner = _whole_levels(energies, _INNER_STATES)
    block = np.diag(energies[:inner])[None] + np.tensordot(directions, exchange[:, :inner, :inner], 1)
    if inner == len(energies):
        return np.asarray(np.linalg.eigvalsh(block)[:, 0])
    levels, states = np.linalg.eigh(block)
    found, residual = _davidson(energies, exchange, directions, levels, states)
    above = _second_level_bound(energies, exchange, levels, found) - found
    certain = (residual < _RESIDUAL_eV) & (above > _RESIDUAL_eV) & (residual**2 < _ERROR_eV * above)
    rest = directions[~certain]
    if len(rest):
        found[~certain] = np.linalg.eigvalsh(np.diag(energies)[None] + np.tensordot(rest, exchange, 1))[:, 0]
    return found


def _davidson(
    energies: FloatArray, exchange: ComplexArray, directions: FloatArray, levels: FloatArray, states: ComplexArray
) -> tuple[FloatArray, FloatArray]:
    """Rayleigh quotients and residual norms, each shape (n_directions,), from the ground states of the inner block."""
    inner = levels.shape[1]
    outer = np.ascontiguousarray(exchange.transpose(0, 2, 1))
    vectors = np.zeros((len(directions), len(energies)), dtype=complex)
    vectors[:, :inner] = states[:, :, 0]
    found, norms = levels[:, 0].copy(), np.full(len(directions), np.inf)
    todo = np.arange(len(directions))
    for _ in range(_MAX_STEPS):
        x = vectors[todo]
        image = x * energies + sum(directions[todo, a, None] * (x @ outer[a]) for a in range(3))
        value = np.einsum("ni,ni->n", x.conj(), image).real
        residual = image - value[:, None] * x
        found[todo], norms[todo] = value, np.linalg.norm(residual, axis=1)
        open_ = norms[todo] >= _RESIDUAL_eV
        todo, x, residual, value = todo[open_], x[open_], residual[open_], value[open_, None]
        if not len(todo):
            break
        part = np.einsum("nij,ni->nj", states[todo].conj(), residual[:, :inner])[:, 1:]
        gaps = np.maximum(levels[todo, 1:] - value, _SAME_LEVEL_eV)
        x[:, :inner] -= np.einsum("nij,nj->ni", states[todo][:, :, 1:], part / gaps)
        x[:, inner:] -= residual[:, inner:] / (energies[inner:] - value)
        vectors[todo] = x / np.linalg.norm(x, axis=1)[:, None]
    return found, norms


def _second_level_bound(
    energies: FloatArray, exchange: ComplexArray, levels: FloatArray, found: FloatArray
) -> FloatArray:
    """Value that the second eigenvalue exceeds wherever the bound itself exceeds `found`, shape (n_directions,), eV.

    Norms hold for every direction since that of ``n.V`` is at most that of Vx, Vy, Vz stacked. Let Q be the outer
    states, all at least g above `found`. By the inertia of the Schur complement, eigenvalues below `found` + r number
    those of the inner block lowered by at most ``|V_PQ|^2 / g``.
    """
    inner = levels.shape[1]
    mixing = exchange[:, inner:, :inner]
    square = np.linalg.eigvalsh(np.einsum("aqi,aqj->ij", mixing.conj(), mixing, optimize=True))[-1]
    strength = np.linalg.norm(np.abs(exchange[:, inner:, inner:]).sum(axis=2).max(axis=1))
    gap = energies[inner] - strength - found - _RESIDUAL_eV
    return np.where(gap > 0, levels[:, 1] - square / np.where(gap > 0, gap, 1.0), -np.inf)


def _one_of_each_pair(units: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
    """Directions without opposites and repetitions, and the place of every direction among them."""
    representatives: list[int] = []
    place = np.empty(len(units), dtype=np.intp)
    for i, unit in enumerate(units):
        known = units[representatives]
        apart = np.minimum(np.abs(known - unit).max(axis=1), np.abs(known + unit).max(axis=1))
        same = np.flatnonzero(apart < 1e-12)
        place[i] = same[0] if len(same) else len(representatives)
        if not len(same):
            representatives.append(i)
    return units[representatives], place
