"""A split interstitial: two ions share one site of the host, as a dumbbell along a direction."""

from __future__ import annotations

import re
from itertools import permutations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from ...spins import along, high_spin_moment
from ...symmetry import operations
from ..interstitials import OCCUPIED_A
from ..kind import KindOfDefect, PlacedDefect
from ..vacancies import distinct_vacancies

FloatArray = NDArray[np.float64]
FAMILIES = ("100", "110", "111")
SEPARATION_A = {"cation": 2.0, "anion": 1.5}
"""Between the two ions before relaxation: short of two cations' usual distance; that of a peroxide."""
_TEXT = re.compile(r"([A-Z][a-z]?)([0-9]*)([+-])_i\(([A-Z][a-z]?)(?:\(([^()]+)\))?(?:<(100|110|111)>)?\)")
_SAME = 1e-3


class Dumbbell(KindOfDefect):
    """``Fe3+_i(Fe(B)<110>)``, or along all three families of directions: ``Fe3+_i(Fe(B))``; ``O2-_i(O)`` of anions.

    Directions are Cartesian ones of the cell, which are those of the cube in the built-in spinels.
    """

    name = "split interstitial"
    example = "Fe3+_i(Fe(B)<110>)"

    def reads(self, text: str) -> bool:
        """An ion with its charge, ``_i`` and the site that it shares."""
        return _TEXT.fullmatch(text.strip()) is not None

    def distinct(self, cell: Structure, text: str) -> list[PlacedDefect]:
        """One for each class of sites and directions."""
        match = _TEXT.fullmatch(text.strip())
        assert match is not None
        ion, sign = match[1], 1.0 if match[3] == "+" else -1.0
        valence = sign * float(match[2] or 1)
        element, sublattice = match[4], match[5] or match[4]
        out = []
        for site in distinct_vacancies(cell, element, sublattice):
            where = site.label.removeprefix("V_")
            if sign * float(cell[site.index].properties["valence"]) < 0:
                raise ValueError(
                    f"{text}: {ion} and the {element} whose site it would share have charges of unlike sign"
                )
            for family in (match[6],) if match[6] else FAMILIES:
                classes = distinct_axes(cell, site.index, family, like=ion == element)
                for n, (axis, count) in enumerate(classes, start=1):
                    number = f",{n}" if len(classes) > 1 else ""
                    out.append(
                        PlacedDefect(
                            self.name,
                            f"{ion}_i({where}<{family}>{number})",
                            ion,
                            sublattice,
                            {ion: -1},
                            site.multiplicity * count,
                            {"site": site.index, "axis": axis, "valence": valence},
                        )
                    )
        return out

    def built(self, cell: Structure, placed: PlacedDefect) -> Structure:
        """The cell with the ion of the site moved half the dumbbell's length and the other one at the end.

        Raises
        ------
        ValueError
            If an atom is in the way.
        """
        site, valence = placed.place["site"], placed.place["valence"]
        half = 0.5 * SEPARATION_A["cation" if valence > 0 else "anion"] * np.asarray(placed.place["axis"], dtype=float)
        out = cell.copy()
        at = cell[site].coords
        out.translate_sites([site], -half, frac_coords=False)
        properties: dict[str, Any] = {**cell[site].properties, "valence": valence}
        if "magmom" in properties:
            properties["magmom"] = along(properties["magmom"], high_spin_moment(placed.element, valence))
        out.append(placed.element, at + half, coords_are_cartesian=True, properties=properties)
        apart = out.distance_matrix[[site, -1]]
        apart[[0, 1], [site, len(out) - 1]] = np.inf
        if (nearest := float(apart.min())) < OCCUPIED_A:
            raise ValueError(f"{placed.label}: the ions of the dumbbell come within {nearest:.2f} A of another")
        return out


def directions(family: str) -> FloatArray:
    """Unit vectors of a family of cubic directions, Cartesian, shape (n, 3): 6, 12 or 8 of them."""
    digits = [int(c) for c in family]
    signed = {tuple(s * d for s, d in zip(signs, p, strict=True)) for p in permutations(digits) for signs in _SIGNS}
    vectors = np.array(sorted(signed, reverse=True), dtype=float)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1)[:, None])


_SIGNS = tuple(product((1, -1), repeat=3))


def distinct_axes(cell: Structure, site: int, family: str, *, like: bool) -> list[tuple[list[float], int]]:
    """Symmetry-distinct directions of a dumbbell on a site, each with how many are equivalent.

    Parameters
    ----------
    cell, site
        Host and the shared site; valences and spins are colours.
    family
        ``100``, ``110`` or ``111``.
    like
        Whether both ions are of one element: a direction and its opposite are then one dumbbell.

    Returns
    -------
    list of (axis, count)
        Unit vector, Cartesian, shape (3,).
    """
    at = cell[site].frac_coords
    turns = []
    for op in operations(cell):
        moved = op.rotation @ at + op.translation - at
        if np.linalg.norm((moved - np.rint(moved)) @ cell.lattice.matrix) < 0.1:
            turns.append(op.cartesian)
    left = list(directions(family))
    out = []
    while left:
        axis = left[0]
        images = [turn @ axis for turn in turns]
        if like:
            images += [-image for image in images]
        own = [d for d in left if any(np.abs(d - image).max() < _SAME for image in images)]
        left = [d for d in left if not any(d is one for one in own)]
        out.append(([float(x) for x in axis], len(own) // (2 if like else 1)))
    return out


KIND = Dumbbell()
