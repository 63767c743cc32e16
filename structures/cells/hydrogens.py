"""Hydrogens of X-ray files, put where neutrons find them."""

from __future__ import annotations

from pymatgen.core import Structure

# X-rays see the bond's electrons, so refined O-H and N-H are 0.65 to 0.88 A; the nuclei are this far apart.
_XRAY_BOND_A, _NUCLEI_A = (0.6, 0.93), {"O": 0.97, "N": 1.01}


def lengthen_hydrogen_bonds(structure: Structure) -> list[str]:
    """Put hydrogens that X-rays drew towards their neighbour where the nuclei are, in place.

    Parameters
    ----------
    structure
        Ordered; one with partial occupancies stays as it is, as some of its neighbours may be left out.

    Returns
    -------
    list of str
        What was done, in words; empty if nothing.
    """
    moved = 0
    for i, site in enumerate(structure if structure.is_ordered else ()):
        if site.specie.symbol not in ("H", "D"):
            continue
        near = [n for n in structure.get_neighbors(site, _XRAY_BOND_A[1]) if n.specie.symbol in _NUCLEI_A]
        if len(near) == 1 and near[0].nn_distance > _XRAY_BOND_A[0]:
            arm = (site.coords - near[0].coords) / near[0].nn_distance
            place = near[0].coords + _NUCLEI_A[near[0].specie.symbol] * arm
            structure.replace(i, site.species, place, coords_are_cartesian=True, properties=site.properties)
            moved += 1
    if not moved:
        return []
    return [
        f"{moved} hydrogens within {_XRAY_BOND_A[1]:g} A of O or N, where X-rays see them, were put at "
        f"{_NUCLEI_A['O']:g} and {_NUCLEI_A['N']:g} A"
    ]
