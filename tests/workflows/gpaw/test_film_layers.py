"""Films: their cells without GPAW, and with it E(n) shared out over the sites."""

import numpy as np
import pytest
from film_cells import A_A, LAYERS, PLACES, film, layer_energies_meV


@pytest.mark.parametrize("place", PLACES)
def test_film_is_close_packed_with_oxygen_where_it_says(place):
    cell = film(place)
    cobalt = [i for i, s in enumerate(cell) if s.specie.symbol == "Co"]
    oxygen = [i for i, s in enumerate(cell) if s.specie.symbol == "O"]
    assert len(cobalt) == LAYERS
    assert len(oxygen) == {"clean": 0, "above": 1, "below": 1, "both": 2}[place]
    assert cell.lattice.a == pytest.approx(A_A)
    # Bulk neighbours where no oxygen opens the layers, and no ions on top of each other anywhere.
    assert cell.get_distance(cobalt[0], cobalt[1]) == pytest.approx(2.50, abs=0.02)
    apart = cell.distance_matrix[np.triu_indices(len(cell), 1)]
    assert apart.min() > 1.8
    top = cell.cart_coords[cobalt[-1]][2]
    sides = {"above": [True], "below": [False], "both": [False, True], "clean": []}[place]
    assert sorted(cell.cart_coords[i][2] > top for i in oxygen) == sides
    for site in oxygen:
        bonds = [d for c in cobalt if (d := cell.get_distance(site, c)) < 2.1]
        # Three Co in the layer below; under the layer also the three of the surface, by their images.
        assert 1.8 < min(bonds) < 2.05


@pytest.mark.slow
def test_shares_of_the_sites_add_up_to_the_band_energy():
    pytest.importorskip("gpaw")
    from ase.build import hcp0001
    from gpaw import GPAW

    atoms = hcp0001("Co", (1, 1, 2), a=A_A, vacuum=4.0)
    atoms.pbc = True
    atoms.set_initial_magnetic_moments([1.7, 1.7])
    atoms.calc = GPAW(
        mode={"name": "pw", "ecut": 250},
        xc="PBE",
        kpts={"size": (6, 6, 1), "gamma": True},
        nbands="140%",
        occupations={"name": "fermi-dirac", "width": 0.1},
        convergence={"density": 1e-4, "eigenstates": 1e-5},
        txt=None,
    )
    atoms.get_potential_energy()
    directions, energies, shares, orbital = layer_energies_meV(atoms.calc)
    vectors = np.array(directions)
    # Each pair n and -n is one energy; the two layers are images of each other.
    assert np.ptp(shares[:, 0] - shares[:, 1]) < 0.02 * np.ptp(shares[:, 0])
    along, across = np.abs(vectors[:, 2]) > 0.999, np.abs(vectors[:, 2]) < 1e-9
    whole = energies[across].mean() - energies[along].mean()
    summed = shares.sum(axis=1)[across].mean() - shares.sum(axis=1)[along].mean()
    assert abs(whole) > 0.05
    # Second order in the coupling: what the shares leave out is of fourth order.
    assert summed == pytest.approx(whole, rel=0.05)
    assert orbital.shape == (len(vectors), 2)
    assert (orbital > 0.02).all()
