"""How many states of one energy a relaxed defect stands for: orientations, spins, and other configurations above it.

Orientations are the ratio of the orders of the point groups before and after relaxation; see S. R. Kavanagh et al.,
10.1039/D2FD00043A, for their place in concentrations.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from pymatgen.core import Structure

from ...structures.symmetry import operations
from .starts import SAME_STATE_eV
from .vacancies import StartEnergy

# Relaxed ions lie this far from where a symmetry would have them, Angstrom; as in doped.
RELAXED_SYMPREC_A = 0.1
UNRELAXED_SYMPREC_A = 0.01
_NO_MOMENT_muB = 1e-3


def orientations(unrelaxed: Structure, relaxed: Structure, changed: Collection[int] = ()) -> float:
    """Equivalent orientations of a relaxed defect.

    Parameters
    ----------
    unrelaxed
        The perfect cell with the defect in it, ions unmoved; its valences and moments are those of the host.
    relaxed
        The same sites in the same order, relaxed.
    changed
        Sites that hold a hole or an electron: they are unlike others even where ions hardly moved.

    Returns
    -------
    float
        12 for a vacancy of rock salt (48 operations) that relaxed to C2v (4); below 1 where relaxation brings symmetry.

    Raises
    ------
    ValueError
        If the two cells do not hold the same sites.
    """
    if unrelaxed.species != relaxed.species:
        raise ValueError(f"{relaxed.formula} does not hold the sites of {unrelaxed.formula} in their order")
    properties = {name: list(values) for name, values in unrelaxed.site_properties.items()}
    coloured = Structure(relaxed.lattice, relaxed.species, relaxed.frac_coords, site_properties=properties)
    for i in changed:
        # No other ion has such a valence: a colour of its own.
        coloured[i].properties["valence"] = float(coloured[i].properties["valence"]) + 0.5
    before, after = operations(unrelaxed, UNRELAXED_SYMPREC_A), operations(coloured, RELAXED_SYMPREC_A)
    return len(before) / len(after)


def spin_states(host: Structure, total_moment_muB: float) -> int:
    """Directions of a defect's spin: 2S + 1 in a host without moments; 1 in a magnetic order, whose field holds it.

    Parameters
    ----------
    host
        Perfect cell with its moments.
    total_moment_muB
        Of the defect's cell.
    """
    if np.abs(np.asarray(host.site_properties.get("magmom", [0.0]), dtype=float)).max() > _NO_MOMENT_muB:
        return 1
    return round(abs(total_moment_muB)) + 1


def states_above(starts: Sequence[StartEnergy]) -> list[float]:
    """Energies (eV) above the kept one of other configurations that starts of one charge ended in, each once.

    Two ends are one configuration if the same ions changed and their energies agree within `SAME_STATE_eV`.
    """
    seen: list[tuple[str, float]] = []
    for start in sorted((s for s in starts if not s.refused and s.converged), key=lambda s: s.above_lowest_eV):
        one = (start.compensation, start.above_lowest_eV)
        if not any(one[0] == text and one[1] - energy <= SAME_STATE_eV for text, energy in seen):
            seen.append(one)
    return [energy for _, energy in seen[1:]]
