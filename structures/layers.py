"""Layers of a film, a stack or an interface: which sublattices they hold, what they are for, and where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from pymatgen.core import Lattice, Structure

from .cells.supercell import repeats_for_images

ROLES = ("substrate", "electrode", "film", "oxide", "electrolyte", "spacer", "cap")
# Of a cell that only its plane is asked about.
_TALL_A = 1e3
# No bond crosses this much; the layers of van der Waals crystals are 3 to 4 A apart, with organic ions between up to 6.
VACUUM_A = 7.0


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes
    ----------
    name
        Of this layer alone.
    role
        One of `ROLES`; several layers may have one role.
    sublattices
        Whose sites it is made of; each belongs to one layer.
    """

    name: str
    role: str
    sublattices: tuple[str, ...]


@dataclass(frozen=True)
class LayerPlace:
    """A layer in a cell.

    Attributes
    ----------
    layer
        Which.
    composition
        Its atoms in the cell.
    low_A, high_A
        Heights of its lowest and highest atom above the plane of the cell's first two axes.
    """

    layer: Layer
    composition: str
    low_A: float
    high_A: float


def check_layers(layers: Sequence[Layer], cell: Structure | None = None) -> None:
    """Refuse layers that cannot be, or that a cell does not have.

    Parameters
    ----------
    layers
        From the bottom; none for a crystal.
    cell
        With the site property ``sublattice``.

    Raises
    ------
    ValueError
        Naming the layer and what is allowed.
    """
    if not layers:
        return
    if wrong := [f"{x.role!r} of layer {x.name}" for x in layers if x.role not in ROLES]:
        raise ValueError(f"no role {', '.join(wrong)}; a layer is one of {', '.join(ROLES)}")
    named, labels = [x.name for x in layers], [s for x in layers for s in x.sublattices]
    if doubled := sorted({x for x in named if named.count(x) > 1} | {x for x in labels if labels.count(x) > 1}):
        raise ValueError(f"{', '.join(doubled)}: a layer has a name, and a sublattice a layer, of its own")
    if cell is None:
        return
    there = set(cell.site_properties["sublattice"])
    if odd := sorted(there.symmetric_difference(labels)):
        raise ValueError(
            f"sublattices {', '.join(odd)} are in the cell or in the layers, and not in both: the cell has "
            f"{', '.join(sorted(there))}"
        )
    places = layer_places(cell, layers)
    for below, above in pairwise(places):
        if above.low_A + above.high_A <= below.low_A + below.high_A:
            raise ValueError(
                f"layer {above.layer.name} ({above.low_A:.1f} to {above.high_A:.1f} A) does not stand above "
                f"{below.layer.name} ({below.low_A:.1f} to {below.high_A:.1f} A): list layers from the bottom, with "
                "the cell's third axis across them, and shift atoms so that none is cut by the cell's edge"
            )


def normal(lattice: Lattice) -> np.ndarray:
    """Unit vector across the plane of the first two axes, on the third one's side, shape (3,)."""
    across = np.cross(lattice.matrix[0], lattice.matrix[1])
    return np.asarray(across / np.linalg.norm(across))


def heights_A(cell: Structure) -> np.ndarray:
    """Of every atom above the plane of the first two axes, within one cell, shape (n,)."""
    inside = cell.lattice.get_cartesian_coords(np.mod(np.round(cell.frac_coords, 9), 1.0))
    return np.asarray(inside @ normal(cell.lattice))


def layer_places(cell: Structure, layers: Sequence[Layer]) -> list[LayerPlace]:
    """Every layer of a cell, as listed; the cell has the site property ``sublattice``."""
    heights, labels = heights_A(cell), np.array(cell.site_properties["sublattice"])
    places = []
    for layer in layers:
        own = np.flatnonzero(np.isin(labels, layer.sublattices))
        atoms = Structure.from_sites([cell[int(i)] for i in own]).composition.formula
        places.append(LayerPlace(layer, atoms.replace(" ", ""), float(heights[own].min()), float(heights[own].max())))
    return places


def vacuum_A(cell: Structure) -> float:
    """Largest height without an atom, through the cell's edge too; without vacuum the distance of two planes."""
    heights = np.sort(heights_A(cell))
    whole = float(cell.lattice.matrix[2] @ normal(cell.lattice))
    return float(np.diff(np.append(heights, heights[0] + whole)).max())


def not_three_dimensional(cell: Structure) -> str:
    """Why a cell is no crystal in three directions: an axis along which a layer without atoms parts it; empty if none.

    Parameters
    ----------
    cell
        Any cell; layers of a crystal such as MoS2 or V2O5, some 3 A apart, hold together.
    """
    for axis, name in enumerate("abc"):
        spacing = float(cell.lattice.volume / np.linalg.norm(np.cross(*np.delete(cell.lattice.matrix, axis, axis=0))))
        heights = np.sort(np.mod(cell.frac_coords[:, axis], 1.0))
        gap = spacing * float(np.diff(np.append(heights, heights[0] + 1.0)).max())
        if gap >= VACUUM_A:
            return (
                f"{gap:.1f} A along {name} hold no atom: the cell is a slab, a wire or a molecule in vacuum, whose "
                "charge a homogeneous permittivity does not screen, so that no correction here holds. Take the bulk "
                "crystal, or the energies of a program for charged slabs"
            )
    return ""


def repeats_in_plane(cell: Structure, images_A: float) -> tuple[int, int, int]:
    """Fewest repeats in the plane that keep a point and its images apart; one across it."""
    tall = Lattice([*cell.lattice.matrix[:2], _TALL_A * normal(cell.lattice)])
    first, second, _ = repeats_for_images(Structure(tall, ["H"], [[0.0, 0.0, 0.0]]), images_A)
    return first, second, 1
