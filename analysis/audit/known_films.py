"""Perpendicular anisotropy of cobalt films by first principles that the package ships, against the oxygen's place."""

from __future__ import annotations

import re
from functools import cache

import numpy as np

from ...structures.units import MEV_PER_A2_TO_mJ_PER_M2
from ..magnetism.anisotropy import AnisotropyMap
from ..magnetism.uniaxial import uniaxial_constants
from ..results.checks import invalid_because
from ..results.document import Document
from ..study.reference_calculations import ReferenceCalculation, reference_calculations_folder

_NAME = re.compile(r"film(?P<place>[a-z]+)-(pw\d+|(?P<basis>[a-z]+))-n(?P<points>\d+)")
CLEAN = "clean"


class FilmAnisotropy(Document):
    """Spin-orbit anisotropy of one film, positive for a moment along the normal; dipoles of the film's shape left out.

    Attributes
    ----------
    place
        Of the oxygen: ``clean``, ``above`` the surface layer, ``below`` it, ``both``.
    points
        k-points along both edges.
    basis
        Other than plane waves; empty for those.
    whole_mJ_per_m2
        Energy with the moment in the plane, mean over it, minus that along the normal, per area of the film.
    layers_mJ_per_m2
        Shares of the layers of cobalt in second order, from the clean side upwards.
    moments_muB
        Spin moments of those layers.
    atoms, source
        In the cell, and the name of the calculation.
    """

    place: str
    points: int
    basis: str = ""
    whole_mJ_per_m2: float
    layers_mJ_per_m2: list[float]
    moments_muB: list[float]
    atoms: int
    source: str


def known_films(basis: str = "") -> list[FilmAnisotropy]:
    """All that are shipped and sound, the coarsest mesh first: in plane waves, or in another basis."""
    return [film for film in _films() if film.basis == basis]


def oxygen_changes_mJ_per_m2(films: list[FilmAnisotropy]) -> dict[str, float]:
    """What oxygen adds to the anisotropy, by its place, on the densest mesh that film and clean film share."""
    changes = {}
    for film in films:
        clean = next((f for f in films if _pair(f, film)), None)
        if clean is not None:
            changes[film.place] = film.whole_mJ_per_m2 - clean.whole_mJ_per_m2
    return changes


def _pair(clean: FilmAnisotropy, film: FilmAnisotropy) -> bool:
    """Whether one is the clean film on the mesh of the other, which is not."""
    return clean.place == CLEAN != film.place and clean.points == film.points


def error_mJ_per_m2(films: list[FilmAnisotropy]) -> float | None:
    """What a change by oxygen at one surface leaves open; None where no film has two meshes.

    The largest change of a film between its two densest meshes, and the largest that oxygen makes in the far half of
    the film, which a thick one would not feel; added.
    """
    by_place: dict[str, list[FilmAnisotropy]] = {}
    for film in films:
        by_place.setdefault(film.place, []).append(film)
    meshes = [abs(f[-1].whole_mJ_per_m2 - f[-2].whole_mJ_per_m2) for f in by_place.values() if len(f) > 1]
    far = [0.0]
    for film in films:
        clean = next((f for f in by_place.get(CLEAN, []) if f.points == film.points), None)
        if clean is not None:
            half = len(film.layers_mJ_per_m2) // 2
            far.append(abs(sum(film.layers_mJ_per_m2[:half]) - sum(clean.layers_mJ_per_m2[:half])))
    return max(meshes) + max(far) if meshes else None


@cache
def _films() -> tuple[FilmAnisotropy, ...]:
    films = []
    for path in reference_calculations_folder().glob("film*.json"):
        named = _NAME.fullmatch(path.stem)
        reference = ReferenceCalculation.model_validate_json(path.read_text())
        map_ = reference.anisotropy
        if named and map_ is not None and reference.sound is not None and not invalid_because(map_.checks):
            films.append(_film(named, reference, map_))
    return tuple(sorted(films, key=lambda film: (film.points, film.place)))


def _film(named: re.Match[str], reference: ReferenceCalculation, map_: AnisotropyMap) -> FilmAnisotropy:
    if reference.calculation is None or reference.calculation.site_moments_muB is None:
        raise ValueError(f"{reference.name} holds a map without its moments")
    cell = reference.calculation.structure
    normal = np.cross(*cell.lattice.matrix[:2])
    per_area = MEV_PER_A2_TO_mJ_PER_M2 / float(np.linalg.norm(normal))
    cobalt = sorted((i for i, s in enumerate(cell) if s.specie.symbol == "Co"), key=lambda i: cell[i].coords @ normal)
    layers = [one for site in cobalt if (one := map_.of_ions([site])) is not None]
    return FilmAnisotropy(
        place=named["place"],
        points=int(named["points"]),
        basis=named["basis"] or "",
        whole_mJ_per_m2=per_area * uniaxial_constants(map_, normal).across_minus_along_meV,
        layers_mJ_per_m2=[per_area * uniaxial_constants(one, normal).across_minus_along_meV for one in layers],
        moments_muB=[reference.calculation.site_moments_muB[i] for i in cobalt],
        atoms=len(cell),
        source=reference.name,
    )


PLACES = {
    "above": "one O on every surface Co, in the hollow above it",
    "below": "one O for every surface Co, in the octahedron under it",
    "both": "one above and one below every surface Co",
}


def films_in_words(films: list[FilmAnisotropy]) -> str:
    """Numbers of the clean film and what oxygen adds to them, with the error of the mesh; empty without films."""
    changes = oxygen_changes_mJ_per_m2(films)
    if not changes:
        return ""
    clean = next(f for f in reversed(films) if f.place == CLEAN and any(_pair(f, other) for other in films))
    error = error_mJ_per_m2(films)
    told = "no denser mesh was tried" if error is None else f"+-{error:.2f} by mesh and thickness"
    upper_muB = {film.place: film.moments_muB[-1] for film in films}
    said = "; ".join(
        f"{PLACES[place]}: {change:+.2f}, with {upper_muB[place]:.1f} muB in the upper layer"
        for place, change in changes.items()
    )
    atoms = len(clean.layers_mJ_per_m2)
    return (
        f"gpaw, PBE without U, force theorem, a free film of {atoms} layers of hcp Co(0001), ions relaxed: spin-orbit "
        f"anisotropy {clean.whole_mJ_per_m2:+.2f} mJ/m2 clean on {clean.points}x{clean.points} points (both surfaces "
        "and the layers between, positive along the normal, no dipoles of the shape); oxygen at one surface adds, in "
        f"mJ/m2, {said} ({told}; data/gpaw/film*.json)"
    )
