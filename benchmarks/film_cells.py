"""Films of cobalt with oxygen at the surface: their cells, E(n) layer by layer, and K_s against the oxygen's place.

python benchmarks/gpaw_evidence.py --list | grep film    # what computes them
python benchmarks/film_cells.py                          # their table, as docs/engines.md has it
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from magnetoionics.analysis.magnetism.directions import lebedev_directions
from magnetoionics.workflows.gpaw.spin_orbit import angles_deg, band_free_energy_eV, coupled_levels
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure

FloatArray = NDArray[np.float64]
# hcp cobalt as measured at room temperature, Angstrom (general literature).
A_A, C_A = 2.507, 4.070
LAYERS = 4
VACUUM_A = 9.0
# Heights from which oxygen relaxes, Angstrom: over the top layer, and of the top layer over an oxygen under it.
OVER_A, UNDER_A = 1.15, 1.30
PLACES = ("clean", "above", "below", "both")
_HOLLOWS = {"A": (0.0, 0.0), "B": (1 / 3, 2 / 3), "C": (2 / 3, 1 / 3)}
_MOMENT_muB = 1.7
# Where a cobalt of the upper layer begins that has an oxygen over it: from 1.7 muB, too, it ends below 0.2.
_OXIDISED_muB = 0.5
# n and -n along x, y, z and the diagonals: all that the l = 2 part needs.
DIRECTIONS_ORDER = 5


def film(place: str) -> Structure:
    """Four layers of hcp cobalt, (0001), nothing relaxed; oxygen at the upper surface, one for each of its Co.

    Parameters
    ----------
    place
        ``clean``, ``above`` (hollow over the layer), ``below`` (octahedron under it) or ``both``.
    """
    sites = [("Co", "AB"[n % 2], n * C_A / 2) for n in range(LAYERS)]
    if place in ("below", "both"):
        under = sites[-2][2] + UNDER_A
        sites[-1:] = [("Co", "A", under + UNDER_A), ("O", "C", under)]
    if place in ("above", "both"):
        sites.append(("O", "B" if place == "both" else "C", sites[LAYERS - 1][2] + OVER_A))
    height = max(z for *_, z in sites) + VACUUM_A
    coords = [(*_HOLLOWS[hollow], (z + VACUUM_A / 2) / height) for _, hollow, z in sites]
    symbols = [symbol for symbol, *_ in sites]
    moments = [_MOMENT_muB if s == "Co" else 0.0 for s in symbols]
    if place in ("above", "both"):
        moments[LAYERS - 1] = _OXIDISED_muB
    return Structure(Lattice.hexagonal(A_A, height), symbols, coords, site_properties={"magmom": moments})


def layer_energies_meV(calculator: Any) -> tuple[list[list[float]], FloatArray, FloatArray, FloatArray]:
    """E(n) by the force theorem, whole and site by site.

    Parameters
    ----------
    calculator
        Converged collinear GPAW calculator.

    Returns
    -------
    tuple
        Directions, shape (n, 3); band free energies above the lowest, meV, shape (n,); shares of the sites, meV, shape
        (n, n_sites): half of a site's spin-orbit energy, which is its part of E(n) in second order; and orbital
        moments along the direction, muB, shape (n, n_sites).
    """
    from gpaw.spinorbit import soc_eigenstates

    levels = coupled_levels(calculator)
    directions = lebedev_directions(DIRECTIONS_ORDER).vectors.tolist()
    energies, shares, orbital = [], [], []
    for direction in directions:
        theta, phi = angles_deg(direction)
        states = soc_eigenstates(calculator, theta=theta, phi=phi, eigenvalues=levels)
        energies.append(1000.0 * band_free_energy_eV(states))
        shares.append(site_shares_meV(states, calculator, direction))
        orbital.append(np.asarray(states.get_orbital_magnetic_moments()) @ np.asarray(direction))
    return directions, np.array(energies) - min(energies), np.array(shares), np.array(orbital)


def site_shares_meV(states: Any, calculator: Any, direction: Sequence[float]) -> FloatArray:
    """Half the spin-orbit energy of each site, shape (n_sites,), for spinors along one direction."""
    from ase.units import Ha
    from gpaw.spinorbit import soc

    turned = _spins_along(direction)
    coupling = {
        site: np.einsum("vst,vij->stij", turned, soc(calculator.wfs.setups[site], calculator.hamiltonian.xc, density))
        for site, density in calculator.density.D_asp.items()
    }
    shares = np.zeros(len(coupling))
    for wave in states:
        for site, p in wave.projections.items():
            of_bands = np.einsum("msi,stij,mtj->m", p.conj(), coupling[site], p, optimize=True).real
            shares[site] += float(wave.f_m @ of_bands)
    return np.asarray(1000.0 * Ha / 2 * shares / len(states))


def _spins_along(direction: Sequence[float]) -> NDArray[np.complex128]:
    """Pauli matrices x, y, z in the spinors whose first is up along a direction, shape (3, 2, 2)."""
    theta, phi = np.radians(angles_deg(direction))
    half, turn = theta / 2, np.exp(0.5j * phi)
    basis = np.array([[np.cos(half) / turn, -np.sin(half) / turn], [np.sin(half) * turn, np.cos(half) * turn]])
    pauli = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
    return np.asarray(basis.conj().T @ pauli @ basis)
