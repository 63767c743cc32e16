"""Chains of one atom, and the channels that carry a current along them, without and with spin-orbit coupling."""

from __future__ import annotations

from typing import Any

import numpy as np
from magnetoionics.analysis.device.channels import open_channels
from magnetoionics.workflows.gpaw.spin_orbit import angles_deg
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure

FloatArray = NDArray[np.float64]
VACUUM_A = 8.0
# Spacing in free chains by PBE is near the first of each; the second is that of neighbours in the bulk (general
# literature, both).
SPACINGS_A = {"Fe": (2.25, 2.48), "Co": (2.15, 2.51), "Ni": (2.18, 2.49)}
MOMENTS_muB = {"Fe": 3.3, "Co": 2.3, "Ni": 1.1}
POINTS = 60
# Those that spin-orbit coupling mixes in at the Fermi level are converged, too.
BANDS, EMPTY_eV = "300%", 2.0
# Names of the directions of the magnetisation, the chain along z.
DIRECTIONS = {"along": (0.0, 0.0, 1.0), "across": (1.0, 0.0, 0.0)}


def chain(element: str, spacing_A: float) -> Structure:
    """One atom in a cell of its spacing, vacuum on the other sides."""
    lattice = Lattice.orthorhombic(VACUUM_A, VACUUM_A, spacing_A)
    properties = {"magmom": [MOMENTS_muB[element]]}
    return Structure(lattice, [element], [[0.5, 0.5, 0.5]], site_properties=properties)


def channels(calculator: Any) -> dict[str, float | list[float]]:
    """Open channels at the Fermi level of a converged collinear GPAW calculator of a chain.

    Of both spins without spin-orbit coupling, and of all bands with it for each of `DIRECTIONS`.
    """
    from gpaw.spinorbit import soc_eigenstates

    along = calculator.get_bz_k_points()[:, 2]
    order, to_irreducible = np.argsort(along), calculator.get_bz_to_ibz_map()
    fermi = float(calculator.get_fermi_level())
    found: dict[str, float | list[float]] = {}
    for spin, name in enumerate(("channels_up", "channels_down")):
        levels = [calculator.get_eigenvalues(kpt=to_irreducible[k], spin=spin) for k in order]
        found[name] = open_channels(levels, fermi)
    for name, direction in DIRECTIONS.items():
        theta, phi = angles_deg(direction)
        states = soc_eigenstates(calculator, theta=theta, phi=phi)
        found[f"channels_{name}"] = open_channels([states.wfs[k].eig_m for k in order], float(states.fermi_level))
    return found
