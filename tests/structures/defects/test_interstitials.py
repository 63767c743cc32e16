"""Interstitial sites, inserted ions and complexes: Wyckoff positions of spinel and counts by hand."""

import json

import numpy as np
import pytest
from magnetoionics.structures.defects.complexes import PointDefect, distinct_complexes, with_complex
from magnetoionics.structures.defects.interstitials import (
    InterstitialSite,
    distinct_interstitial_sites,
    interstitial_name,
    void_wyckoff,
    with_interstitial,
)
from magnetoionics.structures.host import get_host
from magnetoionics.structures.spins import total_moment, total_valence
from monty.json import MontyDecoder, MontyEncoder
from pymatgen.core import Lattice, Structure


@pytest.fixture(scope="module")
def normal():
    return get_host("cofe2o4").structure("normal")


@pytest.fixture(scope="module")
def imma():
    return get_host("cofe2o4").structure("Imma")


def test_interstitial_sites_of_spinel_are_16c_48f_and_8b(normal):
    """Distances to oxygen by u: 16c, 48f and 8b of Fd-3m at a = 8.392 A, u = 0.381."""
    sites = {(v.kind, v.multiplicity): v for v in distinct_interstitial_sites(normal)}
    assert set(sites) == {("octahedron", 16), ("tetrahedron", 48), ("tetrahedron", 8)}
    a, u = 8.392, 0.381
    assert sites["octahedron", 16].anion_A == pytest.approx(
        a * np.sqrt((u - 0.125) ** 2 + 2 * (u - 0.375) ** 2), abs=1e-3
    )
    assert sites["tetrahedron", 8].anion_A == pytest.approx(a * np.sqrt(3) * (0.5 - u), abs=1e-3)
    # 16c has its nearest cations on A, at a sqrt(3)/8; 8b on B likewise
    assert sites["octahedron", 16].cation_A == pytest.approx(a * np.sqrt(3) / 8, abs=1e-3)
    assert sites["tetrahedron", 8].cation_A == pytest.approx(a * np.sqrt(3) / 8, abs=1e-3)


@pytest.mark.parametrize(("key", "total"), [("cofe2o4", 72), ("life5o8", 72), ("gamma_fe2o3", 3 * 72 + 8)])
def test_every_interstitial_site_is_found_once(key, total):
    """16 + 48 + 8 per cube; the tripled cube of maghemite has 8 empty octahedra of B besides."""
    assert sum(v.multiplicity for v in distinct_interstitial_sites(get_host(key).structure())) == total


def test_lithium_goes_into_the_empty_octahedron_of_maghemite():
    cell = get_host("gamma_fe2o3").structure()
    sites = [v for v in distinct_interstitial_sites(cell) if v.kind == "octahedron"]
    filled = with_interstitial(cell, sites[0].position, "Li", 1.0, "16d")
    assert total_valence(filled) == pytest.approx(1)
    assert total_moment(filled) == pytest.approx(total_moment(cell))
    # vacant B sites are farther from the cations than 16c, which shares faces with A
    assert sites[0].cation_A > sites[-1].cation_A
    assert sum(v.multiplicity for v in sites if v.cation_A > 2.5) == 8


def test_a_taken_place_is_refused(imma):
    with pytest.raises(ValueError, match="taken"):
        with_interstitial(imma, imma[0].frac_coords, "Li", 1.0, "x")


def test_vacancy_pairs_of_iron_and_oxygen_in_imma(imma):
    """Each of 8 Fe(B) has 6 oxygens around it: 48 nearest pairs."""
    members = [PointDefect("Fe", "B"), PointDefect("O", "O")]
    found = distinct_complexes(imma, members, 2.3)
    assert sum(c.multiplicity for c in found) == 48
    assert {c.label for c in found} == {"V_Fe(B)+V_O"}
    built = with_complex(imma, found[0])
    assert len(built) == 54
    assert total_valence(built) == pytest.approx(-1)


def test_equal_members_are_counted_once(normal):
    """16 B sites with 6 neighbours each: 48 pairs, all alike; 32 triangles of two kinds of tetrahedra, 4 per B4."""
    iron = PointDefect("Fe", "B")
    pairs = distinct_complexes(normal, [iron, iron], 3.0)
    assert [c.multiplicity for c in pairs] == [48]
    triangles = distinct_complexes(normal, [iron, iron, iron], 3.0)
    assert sum(c.multiplicity for c in triangles) == 32


def test_vacancy_with_a_cobalt_antisite(imma):
    """Each B site has 6 A neighbours at a sqrt(11)/8 = 3.479 A: 8 x 6 pairs. Charge -3 - 1."""
    members = [PointDefect("Fe", "B"), PointDefect("Fe", "A", "Co", 2.0)]
    found = distinct_complexes(imma, members, 3.6)
    assert sum(c.multiplicity for c in found) == 48
    built = with_complex(imma, found[0])
    assert total_valence(built) == pytest.approx(-4)
    # V_Fe(B) takes +5 away, Co on A has -3 in place of -5
    assert total_moment(built) == pytest.approx(24 - 5 + 2)


def test_impossible_complexes_are_refused(imma):
    iron = PointDefect("Fe", "B")
    with pytest.raises(ValueError, match="2 or 3 members"):
        distinct_complexes(imma, [iron], 3)
    with pytest.raises(ValueError, match="raise the cutoff"):
        distinct_complexes(imma, [iron, iron], 1.0)
    with pytest.raises(ValueError, match="no Ni"):
        distinct_complexes(imma, [iron, PointDefect("Ni", "B")], 3.0)
    with pytest.raises(ValueError, match="valence of Co"):
        with_complex(imma, distinct_complexes(imma, [iron, PointDefect("Fe", "A", "Co")], 3.6)[0])


def test_interstitial_sites_and_complexes_travel(imma):
    found = [
        distinct_interstitial_sites(imma)[0],
        distinct_complexes(imma, [PointDefect("Fe", "B"), PointDefect("O", "O")], 2.3)[0],
    ]
    again = json.loads(json.dumps(found, cls=MontyEncoder), cls=MontyDecoder)
    assert isinstance(again[0], InterstitialSite)
    assert again == found


# Empty polyhedra of anions in structure types, by the International Tables (origin choice 2 of Fd-3m for the letters).
EMPTY_PLACES = {
    "rock salt": ("Fm-3m", Lattice.cubic(4.18), [[0, 0, 0], [0.5, 0.5, 0.5]], {"8c": "tetrahedron"}),
    "corundum": (
        "R-3c", Lattice.hexagonal(5.038, 13.772), [[0, 0, 0.3553], [0.3059, 0, 0.25]],
        {"6b": "octahedron", "36f": "tetrahedron"},
    ),
    "rutile": (
        "P4_2/mnm", Lattice.tetragonal(4.594, 2.959), [[0, 0, 0], [0.305, 0.305, 0]],
        {"4d": "tetrahedron", "4g": "tetrahedron", "8i": "tetrahedron"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", EMPTY_PLACES)
@pytest.mark.parametrize("form", ["conventional", "primitive", "supercell"])
def test_voids_have_the_letters_of_their_own_group(kind, form):
    group, lattice, places, expected = EMPTY_PLACES[kind]
    cell = Structure.from_spacegroup(group, lattice, ["Ni", "O"], places)
    cell = cell.get_primitive_structure() if form == "primitive" else cell
    cell = cell * (1, 1, 2) if form == "supercell" else cell
    found = {void_wyckoff(cell, v.position): v.kind for v in distinct_interstitial_sites(cell)}
    assert found == expected


def test_group_and_sublattices_of_a_spinel_agree(normal):
    """Up to the choice of origin, which exchanges 8a with 8b and 16c with 16d."""
    other = {"8a": "8b", "16d": "16c"}
    for site in distinct_interstitial_sites(normal):
        found = void_wyckoff(normal, site.position)
        assert other.get(found, found) == interstitial_name(normal, site.position, site.kind)


def test_without_symmetry_the_kind_is_all_there_is():
    cell = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.18), ["Ni", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    generator = np.random.default_rng(0)
    for i in range(len(cell)):
        cell.translate_sites([i], generator.uniform(-0.02, 0.02, 3))
    site = distinct_interstitial_sites(cell)[0]
    assert void_wyckoff(cell, site.position) == ""
    assert interstitial_name(cell, site.position, site.kind) == site.kind
