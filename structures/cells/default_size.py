"""How large a supercell is that nobody asked for: the images of a defect must be some way apart, whatever the cell."""

from __future__ import annotations

from collections.abc import Iterable

from pymatgen.core import Lattice, Structure

from .supercell import image_distance_A, repeats_for_images

Repeats = tuple[int, int, int]
# A quick study keeps the 56-atom cube of a spinel (8.3 A); nearer images share neighbours of a neighbour.
QUICK_IMAGES_A = 7.0
FULL_IMAGES_A = 10.0
# Cells whose 2x2x2 repeat is larger take the fewest repeats that keep the images apart.
MOST_ATOMS = 700


def default_repeats(cell: Structure, quick: bool, hops_A: Iterable[float] = ()) -> Repeats:
    """Repeats of an ordered cell for defects in it.

    Parameters
    ----------
    cell
        Ordered cell.
    quick
        The cell itself if its images are 7 A apart, else the fewest repeats that bring them so far; otherwise 2x2x2
        or what 10 A need.
    hops_A
        Longest hops (Angstrom) that must find room: an ion and its image must not both reach a vacancy.

    Returns
    -------
    tuple of int
        Repeats along a, b, c.
    """
    apart = shortest_image_distance_A(quick, hops_A)
    start: Repeats = (1, 1, 1) if quick else (2, 2, 2)
    atoms = len(cell) * start[0] * start[1] * start[2]
    if images_A(cell, start) >= apart and (quick or atoms <= MOST_ATOMS):
        return start
    return repeats_for_images(cell, apart)


def shortest_image_distance_A(quick: bool, hops_A: Iterable[float] = ()) -> float:
    """How far a defect and its images must be apart; parameters as in `default_repeats`."""
    return max([QUICK_IMAGES_A if quick else FULL_IMAGES_A, *(2.0 * hop for hop in hops_A)])


def images_A(cell: Structure, repeats: Repeats) -> float:
    """Distance of a point and its images in a repeated cell, in Angstrom."""
    return image_distance_A(Lattice([n * row for n, row in zip(repeats, cell.lattice.matrix, strict=True)]))


def cells_in_words(cell: Structure, repeats: Repeats) -> str:
    """Size of a supercell in words, e.g. ``"2x2x3 of the ordered cell (72 atoms, images 8.9 A apart)"``."""
    atoms = len(cell) * repeats[0] * repeats[1] * repeats[2]
    times = "x".join(str(n) for n in repeats)
    return f"{times} of the ordered cell ({atoms} atoms, images {images_A(cell, repeats):.1f} A apart)"
