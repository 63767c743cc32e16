"""Start occupations of ions with an open t2g shell, for a VASP with occupation-matrix control.

Three collinear runs with the hole (or electron) in three orthogonal real orbitals give the crystal field of the hole;
see `analysis.magnetism.hole_field`. The patch (10.1039/C4CP01083C) holds the matrices for the whole run, so that its
energy is none: a second run without OCCEXT goes on from its WAVECAR, and is the one that counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..ase.atoms import to_atoms
from ..evaluation.guards import open_t2g_shells
from ..evaluation.t2g_orbitals import OPEN_SHELLS, charge_field_t2g, octahedron_axes, start_occupations
from .order import block_order

if TYPE_CHECKING:
    from pymatgen.core import Structure

FloatArray = NDArray[np.float64]
_REACH_A = 8.0
_L = 2


def three_starts(structure: Structure) -> list[dict[int, FloatArray]]:
    """Three sets of orbitals for all ions with an open t2g shell, in yz, xz, xy of each octahedron.

    Those of the field of all charges within 8 Angstrom, which has the symmetry of the site.

    Returns
    -------
    list
        Three orbitals by site, orthogonal from set to set, the lowest of that field first; empty without such an ion.
    """
    shells = open_t2g_shells(structure)
    if not shells:
        return []
    atoms = to_atoms(structure)
    out: list[dict[int, FloatArray]] = [{}, {}, {}]
    for ion in shells:
        near = structure.get_neighbors(structure[ion], _REACH_A)
        field = charge_field_t2g(
            np.array([n.coords - structure[ion].coords for n in near]),
            [float(n.properties["valence"]) for n in near],
            octahedron_axes(atoms, ion),
        )
        for chosen, vector in zip(out, np.linalg.eigh(field)[1].T, strict=True):
            chosen[ion] = vector
    return out


def matrices_of(structure: Structure, orbitals: Mapping[int, ArrayLike]) -> str:
    """Text of an OCCMATRIX file that puts the holes (or electrons) of ions into orbitals.

    Parameters
    ----------
    structure
        With the site properties ``valence`` and ``magmom``.
    orbitals
        In yz, xz, xy of each octahedron, by site of the structure; ions are numbered in VASP's order.

    Raises
    ------
    ValueError
        If an ion has no open t2g shell.
    """
    shells, atoms = open_t2g_shells(structure), to_atoms(structure)
    if wrong := [i for i in orbitals if i not in shells]:
        raise ValueError(f"sites {wrong} have no open t2g shell; those that have: {list(shells)}")
    place = {site: n + 1 for n, site in enumerate(block_order(structure))}
    lines = [str(len(orbitals))]
    for site in sorted(orbitals, key=lambda s: place[s]):
        pair = start_occupations(orbitals[site], octahedron_axes(atoms, site), OPEN_SHELLS[shells[site]])
        up, down = pair if float(structure[site].properties["magmom"]) > 0 else pair[::-1]
        lines.append(f"{place[site]} {_L} 2")
        for name, matrix in (("1", up), ("2", down)):
            lines += [f"spin {name}", *(" ".join(f"{x:.6f}" for x in row) for row in matrix)]
    return "\n".join(lines) + "\n"
