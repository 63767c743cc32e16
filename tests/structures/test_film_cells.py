"""Films: strain by closed formulas, miscut angles, slabs that keep what bulk sites carry."""

import numpy as np
import pytest
from magnetoionics.structures.cells.binary_oxides import wurtzite
from magnetoionics.structures.cells.films import (
    angle_to_field_deg,
    miscut_normal,
    misfit,
    slab_ending_in,
    slabs,
    strained,
    surface_normal,
    termination,
)
from magnetoionics.structures.host import get_host
from pymatgen.core import Composition


@pytest.fixture(scope="module")
def cfo():
    return get_host("cofe2o4").structure("normal")


def test_misfit_of_cobalt_ferrite():
    """2 x 4.212 / 8.392, 2 x 3.905 / 8.392 and 2 x 3.93 / 8.392."""
    assert misfit(8.392, "MgO") == pytest.approx(0.0038, abs=1e-4)
    assert misfit(8.392, "SrTiO3") == pytest.approx(-0.0694, abs=1e-4)
    assert misfit(8.392, "SrRuO3") == pytest.approx(2 * 3.93 / 8.392 - 1)
    with pytest.raises(ValueError, match="MgO"):
        misfit(8.392, "glass")


@pytest.mark.parametrize("hkl", [(0, 0, 1), (1, 1, 0), (1, 1, 1)])
def test_strain_stretches_the_plane_and_thins_the_film(cfo, hkl):
    strain, nu = 0.01, 0.3
    film = strained(cfo, hkl, strain, nu)
    assert film.site_properties == cfo.site_properties
    normal = surface_normal(cfo, hkl)
    change = np.linalg.inv(cfo.lattice.matrix) @ film.lattice.matrix
    across = -2 * nu / (1 - nu) * strain
    assert np.allclose(normal @ change, (1 + across) * normal)
    in_plane = np.cross(normal, [0.3, -0.8, 0.5])
    assert np.allclose(in_plane @ change, (1 + strain) * in_plane)
    assert np.allclose(surface_normal(film, hkl), normal)


def test_strain_without_a_film_is_refused(cfo):
    with pytest.raises(ValueError, match="not coherent"):
        strained(cfo, (0, 0, 1), 0.2)
    with pytest.raises(ValueError, match="Poisson"):
        strained(cfo, (0, 0, 1), 0.01, 0.7)
    with pytest.raises(ValueError, match="no plane"):
        surface_normal(cfo, (0, 0, 0))


@pytest.mark.parametrize("degrees", [0.0, 8.9, 36.6])
def test_miscut_tilts_the_field_from_the_hop(degrees):
    tilted = miscut_normal([1, 1, 0], [0, 0, 1], degrees)
    assert np.linalg.norm(tilted) == pytest.approx(1)
    assert angle_to_field_deg([1, 1, 0], tilted) == pytest.approx(degrees, abs=1e-5)
    with pytest.raises(ValueError, match="parallel"):
        miscut_normal([1, 1, 0], [2, 2, 0], 5)
    with pytest.raises(ValueError, match="outside 0 to 90"):
        miscut_normal([1, 1, 0], [0, 0, 1], 100)


def test_slabs_keep_composition_valence_and_moments(cfo):
    found = slabs(cfo, (0, 0, 1), 7.0, 12.0)
    # Along [001] spinel alternates layers of A and of B with O.
    assert {termination(s, top=side) for s in found for side in (True, False)} == {"Co", "FeO2"}
    for slab in found:
        assert slab.composition.reduced_composition == cfo.composition.reduced_composition
        assert slab.lattice.c >= 7.0 + 12.0 - 1e-6
        for site in slab:
            expected = {"Co": (2, -3, "A"), "Fe": (3, 5, "B"), "O": (-2, 0, "O")}[site.specie.symbol]
            p = site.properties
            assert (p["valence"], p["magmom"], p["sublattice"]) == expected
    with pytest.raises(ValueError, match="positive"):
        slabs(cfo, (0, 0, 1), 0.0)


def to_the_anions(cell):
    """Every cation's moment pointed at its first neighbour: a vector that shows any turn of the axes."""
    out = cell.copy()
    moments = []
    for site in cell:
        near = [n for n in cell.get_neighbors(site, 2.4) if n.specie.symbol == "O"] if site.specie.symbol != "O" else []
        moments.append((near[0].coords - site.coords).tolist() if near else [0.0, 0.0, 0.0])
    out.add_site_property("magmom", moments)
    return out


def pointing_at_an_anion(slab):
    """Share of the cations with all their neighbours whose moment still points at one of them."""
    hits = []
    for site in slab:
        bonds = [n.coords - site.coords for n in slab.get_neighbors(site, 2.4) if n.specie.symbol == "O"]
        if site.specie.symbol != "O" and len(bonds) == (4 if site.properties["sublattice"] == "A" else 6):
            hits.append(min(np.linalg.norm(np.array(site.properties["magmom"]) - b) for b in bonds) < 1e-6)
    return np.mean(hits)


@pytest.mark.parametrize("hkl", [(0, 0, 1), (1, 1, 0), (1, 2, 0)])
def test_slabs_have_their_normal_along_c_and_vectors_that_fit(cfo, hkl):
    cell = to_the_anions(cfo.get_primitive_structure(use_site_props=True))
    for slab in slabs(cell, hkl, 9.0, 12.0):
        assert np.allclose(slab.lattice.matrix[2] / slab.lattice.c, surface_normal(cell, hkl))
        assert np.linalg.det(slab.lattice.matrix) > 0
        assert pointing_at_an_anion(slab) == 1.0


@pytest.mark.parametrize("top", ["Zn", "O"])
def test_a_slab_with_the_wanted_layer_on_top(top):
    """Wurtzite is polar: one of the two is the other turned over, and moments along the bonds turn with it."""
    bulk = wurtzite("Zn", 3.25, 5.21, 0.382)
    bulk.add_site_property("sublattice", ["A" if s.specie.symbol == "Zn" else "O" for s in bulk])
    slab = slab_ending_in(to_the_anions(bulk), (0, 0, 1), 12.0, top)
    assert termination(slab) == Composition(top).reduced_formula
    assert pointing_at_an_anion(slab) == 1.0
    assert np.linalg.det(slab.lattice.matrix) > 0
    with pytest.raises(ValueError, match=r"no \(0 0 1\) slab ends in LiO; known: O2, Zn"):
        slab_ending_in(bulk, (0, 0, 1), 12.0, "LiO")
