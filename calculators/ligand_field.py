"""Single-ion anisotropy of Co2+: E(n) from a ligand field on the ion's real surroundings.

H = Coulomb (Racah B, C) + one-electron field + zeta sum l.s + h n.S on all 120 states of d7.
The one-electron field is the angular overlap of the nearest oxygens (C. E. Schaeffer and
C. K. Jorgensen, 10.1080/00268976500100551) plus the l = 2 point-charge field of every other ion of the crystal. The
exchange field h n.S is the mean field of the magnet's other moments: it turns with n, so that
E(n) is the energy with the magnetisation along n. By time reversal E(n) = E(-n).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from monty.json import MSONable
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from .d_shell import D_ORBITALS, DShell, d_shell, quadrupole_operator
from .ewald import COULOMB, electric_field_gradient

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
BOLTZMANN_eV_PER_K = 8.617333262e-5
_BOHR_A = 0.529177210903
_SAME_LEVEL_eV = 1e-7


@dataclass(frozen=True)
class LigandFieldParameters(MSONable):
    """Declared parameters of Co2+ in an oxide; none is fitted to an anisotropy.

    Attributes
    ----------
    racah_B_eV, racah_C_eV
        Electron repulsion: about 0.88 of the free ion's, the nephelauxetic reduction of oxides.
    e_sigma_eV, e_pi_eV
        Angular-overlap energies at `reference_distance_A`; 10Dq = 3 e_sigma - 4 e_pi of a regular octahedron.
    distance_exponent
        Both scale as (reference / r)^exponent.
    ligand_cutoff_A
        Oxygens within this distance are ligands.
    zeta_eV
        Spin-orbit constant of 3d: about 0.94 of the free ion's 66 meV.
    exchange_eV
        Mean exchange field h of h n.S, of the size that the Curie temperature demands.
    r2_a0_squared
        <r^2> of Co2+ 3d in Bohr radii squared (Hartree-Fock, A. J. Freeman and R. E. Watson); shielding left out.
    n_states
        Least number of lowest states of H without exchange that are kept; None keeps all. A degenerate level
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
    n_states: int | None = 60

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
    use_time_reversal
        Compute each pair of opposite directions once. E(n) = E(-n) is exact for an odd number of electrons and an
        even one alike; computing both, the default, audits that.
    """

    def __init__(
        self,
        parameters: LigandFieldParameters | None = None,
        n_electrons: int = 7,
        *,
        use_time_reversal: bool = False,
    ) -> None:
        self.use_time_reversal = use_time_reversal
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
            Shape (n_ions, n_directions), eV.

        Raises
        ------
        ValueError
            If the temperature is negative.
        """
        if temperature_K < 0:
            raise ValueError(f"temperature {temperature_K} K must not be negative")
        units = np.array([_unit(d) for d in np.asarray(directions, dtype=float)])
        used, place = _one_of_each_pair(units) if self.use_time_reversal else (units, np.arange(len(units)))
        # Matrices of this size gain nothing from BLAS threads, and lose tenfold on a busy machine.
        with threadpool_limits(limits=1, user_api="blas"):
            return np.array([self._one_ion(f, used, temperature_K)[place] for f in np.asarray(fields, dtype=float)])

    def _one_ion(self, field: FloatArray, directions: FloatArray, temperature_K: float) -> FloatArray:
        energies, vectors = np.linalg.eigh(self.hamiltonian(field))
        keep = min(self.parameters.n_states or len(energies), len(energies))
        # A level cut in two would break the symmetry of the site.
        while keep < len(energies) and energies[keep] - energies[keep - 1] < _SAME_LEVEL_eV:
            keep += 1
        energies, vectors = energies[:keep], vectors[:, :keep]
        spin = vectors.conj().T @ self.shell.spin @ vectors
        exchange = self.parameters.exchange_eV * np.tensordot(directions, spin, 1)
        levels = np.linalg.eigvalsh(np.diag(energies)[None] + exchange)
        if temperature_K == 0:
            return np.asarray(levels[:, 0])
        kT = BOLTZMANN_eV_PER_K * temperature_K
        return np.asarray(levels[:, 0] - kT * np.log(np.exp(-(levels - levels[:, :1]) / kT).sum(axis=1)))

    def moments(self, field: ArrayLike, direction: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Spin and orbital moment of the ground state, muB, each shape (3,)."""
        h = self.hamiltonian(field) + self.parameters.exchange_eV * np.tensordot(_unit(direction), self.shell.spin, 1)
        ground = np.linalg.eigh(h)[1][:, 0]

        def expectation(operator: ComplexArray) -> FloatArray:
            return np.real(np.einsum("i,xij,j->x", ground.conj(), operator, ground))

        return -2.0 * expectation(self.shell.spin), -expectation(self.shell.orbital)


def _unit(direction: ArrayLike) -> FloatArray:
    vector = np.asarray(direction, dtype=float)
    length = float(np.linalg.norm(vector))
    if length < 1e-12:
        raise ValueError("a direction of magnetisation needs a length")
    return vector / length


def _one_of_each_pair(units: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
    """Directions without opposites and repetitions, and the place of every direction among them."""
    kept: list[int] = []
    place = np.empty(len(units), dtype=np.intp)
    for i, unit in enumerate(units):
        known = units[kept]
        apart = np.minimum(np.abs(known - unit).max(axis=1), np.abs(known + unit).max(axis=1))
        same = np.flatnonzero(apart < 1e-12)
        place[i] = same[0] if len(same) else len(kept)
        if not len(same):
            kept.append(i)
    return units[kept], place


def angular_overlap(bonds: ArrayLike, parameters: LigandFieldParameters) -> FloatArray:
    """One-electron field of ligands at these bond vectors, shape (5, 5), eV.

    Parameters
    ----------
    bonds
        Vectors from the ion to its ligands, shape (n, 3), Angstrom.
    parameters
        Strengths and their distance law.
    """
    tensors = D_ORBITALS
    total = np.zeros((5, 5))
    for bond in np.asarray(bonds, dtype=float):
        distance = float(np.linalg.norm(bond))
        axis = bond / distance
        scale = (parameters.reference_distance_A / distance) ** parameters.distance_exponent
        sigma = np.sqrt(1.5) * np.einsum("iab,a,b->i", tensors, axis, axis)
        total += parameters.e_sigma_eV * scale * np.outer(sigma, sigma)
        helper = np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))])
        first = helper / np.linalg.norm(helper)
        for side in (first, np.cross(axis, first)):
            pi = np.sqrt(2.0) * np.einsum("iab,a,b->i", tensors, axis, side)
            total += parameters.e_pi_eV * scale * np.outer(pi, pi)
    return total


def quadrupole_field(gradient: ArrayLike, parameters: LigandFieldParameters) -> FloatArray:
    """One-electron field of an electric field gradient (V/A^2, shape (3, 3)) on an electron, shape (5, 5), eV."""
    r2 = parameters.r2_a0_squared * _BOHR_A**2
    return np.asarray(-0.5 * r2 * np.einsum("ab,abij->ij", np.asarray(gradient, dtype=float), quadrupole_operator()))


def site_fields(
    cell: ArrayLike,
    positions: ArrayLike,
    symbols: Sequence[str],
    charges: ArrayLike,
    sites: Sequence[int],
    parameters: LigandFieldParameters,
    *,
    accuracy: float = 1e-6,
) -> FloatArray:
    """One-electron field of each site: its oxygens by angular overlap, all other ions as point charges.

    Parameters
    ----------
    cell, positions
        Shapes (3, 3) and (n, 3), Angstrom.
    symbols, charges
        Elements and charges (e) of all ions.
    sites
        Ions to compute.
    parameters
        Strengths; `ligand_cutoff_A` decides what a ligand is.
    accuracy
        Of the Ewald sum.

    Returns
    -------
    ndarray
        Shape (n_sites, 5, 5), eV.

    Raises
    ------
    ValueError
        If a site has fewer than three ligands.
    """
    from ase.neighborlist import neighbor_list

    atoms = Atoms(symbols, positions=positions, cell=cell, pbc=True)
    q = np.asarray(charges, dtype=float)
    first, second, vectors = neighbor_list("ijD", atoms, parameters.ligand_cutoff_A)
    is_oxygen = np.array([s == "O" for s in symbols])
    gradients = electric_field_gradient(np.asarray(cell), np.asarray(positions), q, list(sites), accuracy=accuracy)
    fields = []
    for site, gradient in zip(sites, gradients, strict=True):
        mine = (first == site) & is_oxygen[second]
        bonds, ligand_charges = vectors[mine], q[second[mine]]
        if len(bonds) < 3:
            raise ValueError(
                f"{symbols[site]} at site {site} has {len(bonds)} oxygens within {parameters.ligand_cutoff_A} A; "
                "an angular-overlap field needs at least 3: check the structure or raise ligand_cutoff_A"
            )
        rest = gradient - _point_gradient(bonds, ligand_charges)
        fields.append(angular_overlap(bonds, parameters) + quadrupole_field(rest, parameters))
    return np.array(fields)


def _point_gradient(bonds: FloatArray, charges: FloatArray) -> FloatArray:
    """Second derivatives of the potential of point charges at these vectors, V/A^2, shape (3, 3)."""
    r = np.linalg.norm(bonds, axis=1)
    outer = 3 * np.einsum("na,nb->nab", bonds, bonds) - r[:, None, None] ** 2 * np.eye(3)
    return np.asarray(COULOMB * np.einsum("n,nab->ab", charges / r**5, outer))


def cobalt_sites(atoms: Atoms) -> list[int]:
    """Indices of Co2+: all Co whose ``valence`` array rounds to 2 (all Co if there is none)."""
    valences = atoms.arrays.get("valence")
    return [
        i
        for i, symbol in enumerate(atoms.get_chemical_symbols())
        if symbol == "Co" and (valences is None or round(float(valences[i])) == 2)
    ]


def cobalt_energies(
    atoms: Atoms,
    charges: ArrayLike,
    directions: ArrayLike,
    *,
    parameters: LigandFieldParameters | None = None,
    sites: Sequence[int] | None = None,
    temperature_K: float = 0.0,
) -> FloatArray:
    """E(n) of each Co2+ of a crystal.

    Parameters
    ----------
    atoms
        Periodic structure.
    charges
        Charges of all ions for the l = 2 field, e, shape (n_atoms,).
    directions
        Shape (n_directions, 3).
    parameters
        Default `LigandFieldParameters`.
    sites
        Ions to compute; `cobalt_sites` by default.
    temperature_K
        See `LigandFieldModel.ground_energies`.

    Returns
    -------
    ndarray
        Shape (n_ions, n_directions), eV.

    Raises
    ------
    ValueError
        If there is no Co2+, or the structure is not periodic along all axes.
    """
    if not atoms.pbc.all():
        raise ValueError(f"the point-charge field is that of a crystal, but pbc is {atoms.pbc.tolist()}")
    chosen = list(cobalt_sites(atoms) if sites is None else sites)
    if not chosen:
        raise ValueError("the structure has no Co2+: the ligand-field model has nothing to say about it")
    used = parameters or LigandFieldParameters()
    fields = site_fields(atoms.cell.array, atoms.positions, atoms.get_chemical_symbols(), charges, chosen, used)
    return LigandFieldModel(used).ground_energies(fields, directions, temperature_K)
