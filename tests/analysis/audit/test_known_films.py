"""Films of cobalt that are shipped: numbers from their maps, changes by oxygen, and the verdicts that rest on them."""

import numpy as np
import pytest
from magnetoionics.analysis.audit import devices, known_films
from magnetoionics.analysis.audit.known_films import (
    FilmAnisotropy,
    error_mJ_per_m2,
    films_in_words,
    oxygen_changes_mJ_per_m2,
)
from magnetoionics.analysis.study.reference_calculations import load_reference_calculations
from scipy.constants import e as CHARGE

KEPT = [*known_films.known_films(), *known_films.known_films("dzp")]


def made(place, points, whole, layers=(0.0, 0.0, 0.0, 0.0)):
    return FilmAnisotropy(
        place=place,
        points=points,
        whole_mJ_per_m2=whole,
        layers_mJ_per_m2=list(layers),
        moments_muB=[1.8] * 4,
        atoms=5,
        source="",
    )


def test_changes_are_of_the_densest_mesh_that_both_have():
    films = [made("above", 12, 0.5), made("clean", 12, 0.2), made("above", 18, 0.9), made("clean", 18, 0.4)]
    assert oxygen_changes_mJ_per_m2(films) == pytest.approx({"above": 0.5})
    assert oxygen_changes_mJ_per_m2(films[:3]) == pytest.approx({"above": 0.3})
    assert oxygen_changes_mJ_per_m2([made("above", 12, 0.5)]) == {}


def test_error_adds_the_mesh_and_the_far_half():
    films = [made("clean", 12, 0.2), made("above", 12, 0.5, (0.1, -0.3, 5.0, 7.0)), made("clean", 18, 0.25)]
    assert error_mJ_per_m2(films[:2]) is None
    assert error_mJ_per_m2(films) == pytest.approx(0.05 + 0.2)
    # The clean number is that of the mesh on which the change is.
    assert "+0.20 mJ/m2 clean on 12x12 points" in films_in_words(films)
    assert "above it: +0.30, with 1.8 muB in the upper layer (+-0.25" in films_in_words(films)


@pytest.mark.parametrize(
    ("above", "below", "lowered", "bonds"),
    [
        (0.9, 0.8, "contradicted", "reproduced"),
        (-0.9, -0.8, "reproduced", "contradicted"),
        (0.9, -0.8, "undecided", "reproduced"),
        (0.1, 0.1, "undecided", "undecided"),
    ],
)
def test_verdicts_follow_the_films(above, below, lowered, bonds, monkeypatch):
    films = [made("clean", 12, 0.0), made("clean", 18, 0.2), made("above", 18, 0.2 + above)]
    films.append(made("below", 18, 0.2 + below))
    monkeypatch.setattr(devices, "known_films", lambda: films)
    found = {key: devices.CLOSED_FORMS[key]() for key in ("C16", "C17")}
    assert (found["C16"].verdict, found["C17"].verdict) == (lowered, bonds)
    assert found["C17"].value == pytest.approx(above)
    assert found["C16"].by == "gpaw (GPAW)"
    monkeypatch.setattr(devices, "known_films", list)
    assert devices.CLOSED_FORMS["C16"]().by == "closed form"


@pytest.mark.parametrize("film", KEPT, ids=lambda f: f.source)
def test_number_is_that_of_the_map(film):
    kept = load_reference_calculations()[film.source]
    map_, cell = kept.anisotropy, kept.calculation.structure
    along = {axis: np.argmax(map_.vectors @ np.eye(3)[axis]) for axis in range(3)}
    x, y, z = (map_.energies[along[axis]] for axis in range(3))
    area_m2 = cell.volume / cell.lattice.c * 1e-20
    assert film.whole_mJ_per_m2 == pytest.approx(1e3 * (0.5 * (x + y) - z) * 1e-3 * CHARGE / area_m2, abs=0.02)
    # In second order the sites' shares are the whole; what is missing is the oxygen's and of fourth order.
    assert sum(film.layers_mJ_per_m2) == pytest.approx(
        film.whole_mJ_per_m2, abs=max(0.1, 0.15 * abs(film.whole_mJ_per_m2))
    )
    assert film.moments_muB[0] == pytest.approx(1.8, abs=0.15)
