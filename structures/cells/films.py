"""Films: strain from a substrate, tilted surfaces and slabs, with the site properties kept."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Composition, Lattice, Structure

FloatArray = NDArray[np.float64]
Miller = tuple[int, int, int]
# Cubic or pseudocubic lattice parameters at room temperature in Angstrom, general literature.
SUBSTRATES_A = {"SrTiO3": 3.905, "SrRuO3": 3.93, "MgO": 4.212}
# A larger misfit is not taken up by strain: the film relaxes by dislocations.
LARGEST_STRAIN = 0.10
DEFAULT_POISSON = 0.3


def misfit(lattice_A: float, substrate: str) -> float:
    """In-plane strain of a cubic film that grows coherently, cube on cube, with the nearest whole ratio.

    Parameters
    ----------
    lattice_A
        Cubic lattice parameter of the film, in Angstrom.
    substrate
        One of `SUBSTRATES_A`.

    Returns
    -------
    float
        Positive for a film that is stretched; +0.4 % for CoFe2O4 on MgO.

    Raises
    ------
    ValueError
        If the substrate is not known.
    """
    if substrate not in SUBSTRATES_A:
        raise ValueError(f"unknown substrate {substrate!r}; known: {', '.join(SUBSTRATES_A)}")
    a = SUBSTRATES_A[substrate]
    return max(1, round(lattice_A / a)) * a / lattice_A - 1.0


def surface_normal(structure: Structure, hkl: Miller) -> FloatArray:
    """Unit vector across the planes (hkl), Cartesian, shape (3,).

    Raises
    ------
    ValueError
        If all three indices are zero.
    """
    if not any(hkl):
        raise ValueError("(000) is no plane")
    normal = np.asarray(hkl, dtype=float) @ structure.lattice.reciprocal_lattice_crystallographic.matrix
    return np.asarray(normal / np.linalg.norm(normal))


def strained(structure: Structure, hkl: Miller, strain: float, poisson: float = DEFAULT_POISSON) -> Structure:
    """Film under equal biaxial strain in the plane (hkl), free across it.

    Parameters
    ----------
    structure
        Bulk cell in the film's orientation of the lattice.
    hkl
        Film plane.
    strain
        In-plane strain, e.g. from `misfit`.
    poisson
        Poisson ratio nu of an isotropic film: the strain across is ``-2 nu / (1 - nu)`` times the one in the plane.

    Returns
    -------
    Structure
        Fractional coordinates and site properties as before.

    Raises
    ------
    ValueError
        If the strain is beyond 10 % or the Poisson ratio is outside -1 to 0.5.
    """
    if abs(strain) > LARGEST_STRAIN:
        raise ValueError(f"a strain of {strain:.1%} is beyond {LARGEST_STRAIN:.0%}: such a film is not coherent")
    if not -1.0 < poisson <= 0.5:
        raise ValueError(f"Poisson ratio {poisson} is outside -1 to 0.5")
    normal = surface_normal(structure, hkl)
    across = -2 * poisson / (1 - poisson) * strain
    deformation = np.eye(3) * (1 + strain) + (across - strain) * np.outer(normal, normal)
    out = structure.copy()
    out.lattice = Lattice(structure.lattice.matrix @ deformation.T)
    return out


def miscut_normal(normal: Sequence[float], towards: Sequence[float], degrees: float) -> FloatArray:
    """Surface normal that is tilted from a direction towards another.

    Parameters
    ----------
    normal, towards
        Cartesian vectors, shape (3,); only the part of `towards` across `normal` counts.
    degrees
        Miscut angle, 0 to 90.

    Returns
    -------
    ndarray
        Unit vector, shape (3,); the field of a film points along it.

    Raises
    ------
    ValueError
        If the angle is outside 0 to 90 degrees or the two directions are parallel.
    """
    if not 0 <= degrees <= 90:
        raise ValueError(f"miscut {degrees} degrees is outside 0 to 90")
    up = np.asarray(normal, dtype=float) / np.linalg.norm(normal)
    across = np.asarray(towards, dtype=float) - (np.asarray(towards, dtype=float) @ up) * up
    length = float(np.linalg.norm(across))
    if length < 1e-9:
        raise ValueError("the tilt direction is parallel to the normal")
    angle = math.radians(degrees)
    return np.asarray(math.cos(angle) * up + math.sin(angle) * across / length)


def angle_to_field_deg(displacement: Sequence[float], field_direction: Sequence[float]) -> float:
    """Angle between a hop's displacement and a field, 0 to 180 degrees."""
    first, second = np.asarray(displacement, dtype=float), np.asarray(field_direction, dtype=float)
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def slabs(structure: Structure, hkl: Miller, thickness_A: float, vacuum_A: float = 15.0) -> list[Structure]:
    """Slabs of a film plane, one per distinct termination, by pymatgen.

    Parameters
    ----------
    structure
        Bulk cell with site properties.
    hkl
        Film plane.
    thickness_A, vacuum_A
        Least thickness of the slab and of the vacuum, in Angstrom.

    Returns
    -------
    list of Structure
        c along the plane's normal, Cartesian axes and site properties those of the bulk: fields, displacements and
        vector moments keep their meaning. All have the bulk's composition: cuts that differ only by turning the
        slab over are one slab, with one termination on top and the other at the bottom.

    Raises
    ------
    ValueError
        If a thickness is not positive.
    """
    if thickness_A <= 0 or vacuum_A <= 0:
        raise ValueError(f"slab {thickness_A} A and vacuum {vacuum_A} A must be positive")
    from pymatgen.core.surface import SlabGenerator

    normal = surface_normal(structure, hkl)
    # Its default turns the axes and leaves vectors on the sites as they were.
    generator = SlabGenerator(
        structure, hkl, thickness_A, vacuum_A, center_slab=True, primitive=False, reorient_lattice=False
    )
    return [_upwards(s.get_orthogonal_c_slab(), normal) for s in generator.get_slabs()]


def slab_ending_in(
    structure: Structure, hkl: Miller, thickness_A: float, top: str, vacuum_A: float = 15.0
) -> Structure:
    """The slab of a film plane with a given termination on top; turned over if it has it at the bottom.

    Parameters
    ----------
    structure, hkl, thickness_A, vacuum_A
        As in `slabs`.
    top
        Composition of the top layer, e.g. ``"FeO2"`` (see `termination`).

    Returns
    -------
    Structure
        As from `slabs`.

    Raises
    ------
    ValueError
        If no cut has that layer; the message lists those that there are.
    """
    structures = slabs(structure, hkl, thickness_A, vacuum_A)
    wanted = Composition(top).reduced_formula
    for slab in structures:
        if termination(slab) == wanted:
            return slab
    for slab in structures:
        if termination(slab, top=False) == wanted:
            return _turned_over(slab)
    known = sorted({termination(s, top=side) for s in structures for side in (True, False)})
    raise ValueError(f"no ({' '.join(map(str, hkl))}) slab ends in {top}; known: {', '.join(known)}")


def _upwards(slab: Structure, normal: FloatArray) -> Structure:
    """The same atoms with c along a normal, and not against it; right-handed."""
    a, b, c = slab.lattice.matrix
    vectors = [a, b, c] if c @ normal > 0 else [b, a, -c]
    symbols, properties = [s.specie.symbol for s in slab], slab.site_properties
    return Structure(
        Lattice(vectors),
        symbols,
        slab.cart_coords,
        coords_are_cartesian=True,
        to_unit_cell=True,
        site_properties=properties,
    )


def _turned_over(slab: Structure) -> Structure:
    """The slab turned by half a circle about its a axis, vector moments with it."""
    axis = slab.lattice.matrix[0] / slab.lattice.a
    turn = 2 * np.outer(axis, axis) - np.eye(3)
    a, b, c = slab.lattice.matrix @ turn
    properties = dict(slab.site_properties)
    if "magmom" in properties:
        properties["magmom"] = [
            [float(x) for x in turn @ np.asarray(m)] if np.ndim(m) else m for m in properties["magmom"]
        ]
    symbols = [s.specie.symbol for s in slab]
    coords = slab.frac_coords * [1, -1, -1]
    return Structure(Lattice([a, -b, -c]), symbols, coords, to_unit_cell=True, site_properties=properties)


def termination(slab: Structure, depth_A: float = 0.6, top: bool = True) -> str:
    """Composition of the slab's top or bottom layer, within a depth in Angstrom, as a reduced formula."""
    heights = slab.frac_coords[:, 2] * slab.lattice.d_hkl((0, 0, 1)) * (1 if top else -1)
    layer = [s.specie.symbol for s, h in zip(slab, heights, strict=True) if h > heights.max() - depth_A]
    return Structure(slab.lattice, layer, np.zeros((len(layer), 3))).composition.reduced_formula
