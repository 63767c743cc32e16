"""E(n) from GPAW: the force theorem on one collinear density, or self-consistent spinors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from .settings import GpawSettings, start_moments

FloatArray = NDArray[np.float64]
# GPAW 26.7 refuses every other functional in non-collinear cycles.
SPINOR_FUNCTIONAL = "LDA"
# Levels of a k-point and spin closer than this are one level for a sum over bands.
ONE_LEVEL_eV = 0.02
# No level this little above the Fermi level is left out.
_ABOVE_eV = 1.0
# Where levels go that are left out: so far up that they mix with nothing, and not so far that digits are lost.
_FAR_eV = 1e7
# Empty states up to this far above the Fermi level are converged for a map unless the settings say otherwise.
MAP_EMPTY_eV = 4.0


def angles_deg(direction: ArrayLike) -> tuple[float, float]:
    """Polar and azimuthal angle of a vector, shape (3,), in degrees.

    Raises
    ------
    ValueError
        For a vector of no length.
    """
    x, y, z = np.asarray(direction, dtype=float)
    length = float(np.sqrt(x * x + y * y + z * z))
    if not length > 0:
        raise ValueError("a direction of magnetisation must have a length")
    return float(np.degrees(np.arccos(z / length))), float(np.degrees(np.arctan2(y, x)))


def whole_levels(eigenvalues_eV: ArrayLike, highest_filled_eV: float, up_to_eV: float = np.inf) -> NDArray[np.int_]:
    """How many bands of each k-point and spin a sum with spin-orbit coupling may take without cutting a level apart.

    The coupling mixes the bands of a k-point; a set that ends between degenerate levels is another one for every
    direction, and E(n) gets an odd part. A gap that all k-points share above the filled bands need not exist.

    Parameters
    ----------
    eigenvalues_eV
        Of both spins, shape (n_spins, n_kpoints, n_bands).
    highest_filled_eV
        Fermi level, or the top of the valence band.
    up_to_eV
        Highest level that is taken, e.g. because those above are not converged; levels within 1 eV above the filled
        ones always are.

    Returns
    -------
    ndarray
        Shape (n_spins, n_kpoints): up to the last level that is known to end, because the next one lies higher; all
        bands where there is none.
    """
    levels = np.asarray(eigenvalues_eV, dtype=float)
    apart = np.diff(levels, axis=2) >= ONE_LEVEL_eV
    ends = apart & (levels[:, :, 1:] > highest_filled_eV + _ABOVE_eV)
    inside = ends & (levels[:, :, :-1] <= max(up_to_eV, highest_filled_eV + _ABOVE_eV))
    number = np.arange(1, levels.shape[2])
    kept = np.where(inside, number, 0).max(axis=2)
    first = np.where(ends, number, levels.shape[2]).min(axis=2)
    return np.asarray(np.where(kept > 0, kept, first))


def force_theorem(
    calculator: Any, directions: Sequence[Sequence[float]], up_to_eV: float | None = None
) -> tuple[FloatArray, FloatArray]:
    """Band free energies with spin-orbit coupling, and orbital moments, for each direction.

    The sum over bands carries the entropy of its occupations: at a given number of electrons only both together are
    stationary in the occupations. In a metal the sum alone is wrong by as much as E(n) itself.

    Parameters
    ----------
    calculator
        Converged GPAW calculator, collinear. k-points that symmetry left out are put back before the coupling is
        added, so every direction has the same full mesh.
    directions
        Shape (n, 3).
    up_to_eV
        Levels up to here, eV above the Fermi level, are converged and taken; None takes all that there are.

    Returns
    -------
    tuple of numpy.ndarray
        Energies in meV relative to the lowest, shape (n,); orbital moments along the direction in muB,
        shape (n, n_sites).

    References
    ----------
    X. Wang et al., Phys. Rev. B 54, 61 (1996), DOI 10.1103/PhysRevB.54.61.
    """
    from gpaw.spinorbit import soc_eigenstates

    used = coupled_levels(calculator, up_to_eV)
    energies, orbital = [], []
    for direction in directions:
        theta, phi = angles_deg(direction)
        states = soc_eigenstates(calculator, theta=theta, phi=phi, eigenvalues=used)
        energies.append(band_free_energy_eV(states))
        unit = np.asarray(direction, dtype=float) / np.linalg.norm(direction)
        orbital.append(np.asarray(states.get_orbital_magnetic_moments()) @ unit)
    energies_meV = 1000.0 * np.array(energies)
    return np.asarray(energies_meV - energies_meV.min()), np.array(orbital)


def coupled_levels(calculator: Any, up_to_eV: float | None = None) -> FloatArray:
    """Eigenvalues in eV for ``soc_eigenstates``, shape (n_spins, n_kpoints, n_bands); see `whole_levels`.

    GPAW itself cuts all k-points at one band. Levels that are not whole are moved out of reach instead.
    """
    points = range(len(calculator.get_ibz_k_points()))
    spins = range(calculator.get_number_of_spins())
    levels = np.array([[calculator.get_eigenvalues(kpt=k, spin=spin) for k in points] for spin in spins])
    fermi = float(calculator.get_fermi_level())
    kept = whole_levels(levels, fermi, np.inf if up_to_eV is None else fermi + up_to_eV)
    return np.where(np.arange(levels.shape[2]) < kept[:, :, None], levels, fermi + _FAR_eV)


def band_free_energy_eV(states: Any) -> float:
    """Sum over occupied bands minus T S of their occupations; none of it in an insulator.

    Parameters
    ----------
    states
        Of ``gpaw.spinorbit.soc_eigenstates``.
    """
    weights = [1.0 / len(states)] * len(states)
    levels = [wave.eig_m for wave in states]
    entropy_eV = float(states.occ.calculate(states.nelectrons, levels, weights)[2])
    return float(states.calculate_band_energy()) + entropy_eV


def spinor_parameters(settings: GpawSettings, atoms: Atoms, direction: ArrayLike) -> dict[str, Any]:
    """Parameters of a self-consistent calculation with spin-orbit coupling and moments along a direction.

    Parameters
    ----------
    settings
        Of the collinear calculation; all stay.
    atoms
        With the array ``magmom``, signed along the direction.
    direction
        Shape (3,).
    """
    unit = np.asarray(direction, dtype=float) / np.linalg.norm(direction)
    moments = start_moments(atoms.get_chemical_symbols(), atoms.arrays["magmom"], settings.charge)
    parameters = replace(settings, empty_eV=None).parameters(atoms, symmetry="off")
    return {**parameters, "soc": True, "magmoms": (moments[:, None] * unit).tolist()}


def self_consistent(
    settings: GpawSettings, atoms: Atoms, direction: Sequence[float], log: Path | None = None
) -> tuple[float, FloatArray]:
    """Total energy in eV with spinors relaxed from moments along a direction, and the site moments found.

    Returns
    -------
    tuple
        Energy in eV and moments in muB, shape (n_sites, 3), Cartesian.
    """
    from gpaw import GPAW

    bare = Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=True)
    bare.calc = GPAW(**spinor_parameters(settings, atoms, direction), txt=None if log is None else log.open("a"))
    energy = float(bare.get_potential_energy())
    return energy, np.asarray(bare.calc.dft.magmoms()[1])
