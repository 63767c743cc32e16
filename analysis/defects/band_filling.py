"""Electrons and holes that a defect's cell puts into the bands of its host: shallow levels and perturbed host states.

Such a cell holds free carriers at its density, no localised state: its energy falls by their band filling as
the cell grows, S. Lany and A. Zunger, 10.1103/PhysRevB.78.235104.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...structures.defects.difference import cell_difference
from .alignment import face_distances_A
from .charged_cells import BandFilling, ChargedCell


def band_filling(cell: ChargedCell, host: ChargedCell, position: Sequence[float]) -> BandFilling | None:
    """Carriers of a defect's cell in the bands of its host.

    Parameters
    ----------
    cell, host
        Cells with the same lattice.
    position
        Fractional coordinates of the defect, shape (3,).

    Returns
    -------
    BandFilling or None
        None where levels, occupations, potentials or edges are not known, or no ion is far from the defect.
    """
    levels, states, filled = cell.dos_energies_eV, cell.dos_states_per_eV, cell.dos_filled_per_eV
    shift = bands_shift_eV(cell, host, position)
    if levels is None or states is None or filled is None:
        return None
    if shift is None or host.vbm_eV is None or host.cbm_eV is None:
        return None
    energies, width = np.asarray(levels), float(levels[1] - levels[0])
    occupied = np.asarray(filled) * width
    empty = np.asarray(states) * width - occupied
    above = energies - (host.cbm_eV + shift)
    below = host.vbm_eV + shift - energies
    electrons, holes = np.where(above > width, occupied, 0.0), np.where(below > width, empty, 0.0)
    return BandFilling(
        electrons=float(electrons.sum()),
        holes=float(holes.sum()),
        energy_eV=-float(electrons @ above + holes @ below),
        shift_eV=shift,
    )


def bands_shift_eV(cell: ChargedCell, host: ChargedCell, position: Sequence[float]) -> float | None:
    """Shift of the host's levels in a defect's cell, by the potentials at its ions far from the defect.

    Arguments as `band_filling`; None where an engine gives no potentials at the ions, or no ion is far.
    """
    if cell.site_potentials is None or host.site_potentials is None:
        return None
    here, there = cell.site_potentials, host.site_potentials
    same = cell_difference(there.structure, here.structure).same_site
    lattice = here.structure.lattice
    distance = lattice.get_all_distances(position, here.structure.frac_coords)[0]
    reach = float(face_distances_A(lattice.matrix).max() / 2)
    far = [
        here.potentials_V[i] - there.potentials_V[k]
        for i, k in enumerate(same)
        if k is not None and distance[i] > reach
    ]
    return -float(np.mean(far)) if far else None
