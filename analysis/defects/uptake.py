"""Moment against Li content of a spinel: Li put into its empty octahedra, one Fe3+ reduced per Li.

The arithmetic is Neel's; which Fe is reduced is assumed, the empty octahedra are found from the structure.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field
from pymatgen.core import Composition, Structure
from scipy import constants as _c

from ...structures.defects.interstitials import interstitial_centres, with_interstitial
from ...structures.spins import high_spin_moment, total_moment
from ...structures.units import MU_B_J_PER_T
from ..results.document import Document

_MU_B_NA = MU_B_J_PER_T * _c.N_A
_OCTAHEDRON = 6


class MomentCurve(Document):
    """Moment against content.

    Attributes
    ----------
    formula
        Formula unit of the host.
    ion
        Whose content; for O the content is what is missing.
    content
        Ions added per formula unit.
    moment_muB, specific_Am2_per_kg
        Per formula unit, and per mass with its Li.
    capacity
        Empty octahedra per formula unit.
    assumptions
        What is assumed.
    """

    formula: str
    content: list[float]
    moment_muB: list[float]
    specific_Am2_per_kg: list[float]
    capacity: float
    assumptions: list[str] = Field(default_factory=list)
    ion: str = "Li"


def am2_per_kg(moment_muB: float, formula: str, added: float = 0.0, ion: str = "Li") -> float:
    """Specific magnetisation of a moment per formula unit with some more of an ion in it (negative: taken out)."""
    grams = float(Composition(formula).weight) + added * float(Composition(ion).weight)
    return moment_muB * _MU_B_NA / (grams * 1e-3)


def empty_octahedra(structure: Structure) -> list[list[float]]:
    """Fractional positions of the anions' empty octahedra (16c of spinel, and cation vacancies)."""
    centres, _, corners = interstitial_centres(structure)
    return [[float(x) for x in c] for c, k in zip(centres, corners, strict=True) if k == _OCTAHEDRON]


def lithiated(structure: Structure, count: int, reduced: str = "B") -> Structure:
    """Cell with Li in its empty octahedra, far from each other, and as many Fe3+ reduced to Fe2+ nearby.

    Parameters
    ----------
    structure
        Cell with site properties ``valence``, ``sublattice`` and ``magmom``.
    count
        Li to put in.
    reduced
        Sublattice on which Fe is reduced: assumed, not computed.

    Returns
    -------
    Structure
        Neutral, Li at its end; unrelaxed.

    Raises
    ------
    ValueError
        If there are too few empty octahedra or Fe3+ on that sublattice.
    """
    places = empty_octahedra(structure)
    if not 0 <= count <= len(places):
        raise ValueError(f"{count} Li do not fit: the cell has {len(places)} empty octahedra")
    iron = [
        i
        for i, s in enumerate(structure)
        if s.specie.symbol == "Fe" and s.properties["sublattice"] == reduced and round(s.properties["valence"]) == 3
    ]
    if len(iron) < count:
        raise ValueError(f"{count} Li need as many Fe3+ on {reduced}, the cell has {len(iron)}")
    out = structure.copy()
    for position in _spread(structure, places, count):
        out = with_interstitial(out, position, "Li", 1.0, "16c")
        distance = structure.lattice.get_all_distances(position, structure.frac_coords[iron])[0]
        chosen = iron.pop(int(np.argmin(np.round(distance, 4))))
        sense = float(np.sign(structure[chosen].properties["magmom"]))
        out[chosen].properties["valence"] = 2.0
        out[chosen].properties["magmom"] = sense * high_spin_moment("Fe", 2.0)
    return out


def _spread(structure: Structure, places: list[list[float]], count: int) -> list[list[float]]:
    """Places chosen one by one, each as far as possible from those before."""
    if count == 0:
        return []
    table = structure.lattice.get_all_distances(places, places)
    chosen = [0]
    while len(chosen) < count:
        nearest = table[:, chosen].min(axis=1)
        nearest[chosen] = -1.0
        chosen.append(int(np.argmax(np.round(nearest, 6))))
    return [places[i] for i in chosen]


def moment_curve(
    structure: Structure,
    counts: Sequence[int] | None = None,
    *,
    per_formula_of: str,
    reduced: str = "B",
) -> MomentCurve:
    """Moment of a host against inserted Li, from its structure.

    Parameters
    ----------
    structure
        Cell of the host.
    counts
        Li in the cell; by default up to one per formula unit, or as many as fit.
    per_formula_of
        Formula unit, e.g. ``"Fe2O3"``.
    reduced
        Sublattice on which Fe is reduced.
    """
    units = structure.composition["O"] / Composition(per_formula_of)["O"]
    room = len(empty_octahedra(structure))
    numbers = list(counts) if counts is not None else list(range(0, min(int(units), room) + 1, max(1, int(units) // 8)))
    moments = [total_moment(lithiated(structure, n, reduced)) / units for n in numbers]
    contents = [n / units for n in numbers]
    return MomentCurve(
        formula=per_formula_of,
        content=contents,
        moment_muB=moments,
        specific_Am2_per_kg=[am2_per_kg(m, per_formula_of, x) for m, x in zip(moments, contents, strict=True)],
        capacity=room / units,
        assumptions=[
            "collinear high-spin moments (Neel)",
            f"one Fe3+ on {reduced} becomes Fe2+ per Li (assumed)",
            "no Fe moves from A to 16c",
        ],
    )


def oxygen_curve(
    structure: Structure, *, per_formula_of: str, reduced: str = "B", largest: float = 0.25, points: int = 6
) -> MomentCurve:
    """Moment of a host against missing oxygen: each takes two electrons less away, and two Fe3+ become Fe2+.

    Parameters
    ----------
    structure
        Cell with site properties ``valence``, ``sublattice`` and ``magmom``.
    per_formula_of
        Formula unit.
    reduced
        Sublattice on which Fe is reduced: assumed, not computed.
    largest
        Most O taken out per formula unit.
    points
        Contents from 0 to `largest`.

    Raises
    ------
    ValueError
        If there is too little Fe3+ on that sublattice.
    """
    units = structure.composition["O"] / Composition(per_formula_of)["O"]
    senses = [
        float(np.sign(s.properties["magmom"]))
        for s in structure
        if s.specie.symbol == "Fe" and s.properties["sublattice"] == reduced and round(s.properties["valence"]) == 3
    ]
    if len(senses) / units < 2 * largest:
        raise ValueError(f"{largest:g} O per {per_formula_of} need {2 * largest:g} Fe3+ on {reduced}, fewer are there")
    step = 2 * float(np.mean(senses)) * (high_spin_moment("Fe", 2.0) - high_spin_moment("Fe", 3.0))
    contents = np.linspace(0, largest, points).tolist()
    moments = [total_moment(structure) / units + step * x for x in contents]
    return MomentCurve(
        formula=per_formula_of,
        content=contents,
        moment_muB=moments,
        specific_Am2_per_kg=[am2_per_kg(m, per_formula_of, -x, "O") for m, x in zip(moments, contents, strict=True)],
        capacity=len(senses) / units / 2,
        assumptions=[
            "collinear high-spin moments (Neel)",
            f"two Fe3+ on {reduced} become Fe2+ per O missing (assumed)",
        ],
        ion="missing O",
    )


def content_curves(structure: Structure, formula: str) -> list[MomentCurve]:
    """Curves of inserted Li and of missing O; none but for ferrites whose cations are Fe3+ and Li+ on A and B.

    In any other host it is not known whose valence changes.
    """
    cations = [s for s in structure if float(s.properties["valence"] or 0) > 0]
    species = {(s.specie.symbol, round(s.properties["valence"])) for s in cations}
    places = {s.properties["sublattice"] for s in cations if s.specie.symbol == "Fe"}
    if not (("Fe", 3) in species and species <= {("Fe", 3), ("Li", 1)} and places == {"A", "B"}):
        return []
    return [moment_curve(structure, per_formula_of=formula), oxygen_curve(structure, per_formula_of=formula)]
