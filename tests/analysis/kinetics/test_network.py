"""Graphs of hops: closed forms of simple lattices, the spinel's B sites, percolation by counting."""

import math
from dataclasses import replace

import numpy as np
import pytest
from kept_study import kept_study
from magnetoionics.analysis.kinetics.network import (
    DistinctHop,
    HopNetwork,
    network_in_words,
    network_of,
    network_of_hops,
    network_of_interstitials,
)
from magnetoionics.analysis.kinetics.walk import steady_walk, walk_of
from magnetoionics.analysis.results.checks import held
from magnetoionics.structures.host import get_host
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K
from magnetoionics.workflows.flows.hops import all_hops
from pymatgen.core import Lattice, Structure

FCC = Structure(Lattice.cubic(4.0), ["Cu"] * 4, [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
SC = Structure(Lattice.cubic(3.0), ["Po"], [[0, 0, 0]])


def plain_hop(label, start_A, displacement_A, barrier_eV, charge_e=0.0):
    """A symmetric hop of a point charge with its saddle halfway."""
    start, step = np.asarray(start_A, dtype=float), np.asarray(displacement_A, dtype=float)
    return DistinctHop(label, start, step, barrier_eV, barrier_eV, charge_e * step / 2, charge_e * step)


def made(cell, *hops):
    return network_of(cell, hops, ion="X", carrier="vacancy")


@pytest.mark.parametrize(
    ("cell", "step", "hops"),
    [(SC, [3.0, 0, 0], 3), (FCC, [2.0, 2.0, 0], 24)],
    ids=["simple cubic", "fcc"],
)
def test_symmetry_gives_all_bonds_once(cell, step, hops):
    """Z/2 bonds per site: 3 of simple cubic, 6 of each of four sites of fcc; every place has z of them."""
    net = made(cell, plain_hop("hop", [0, 0, 0], step, 0.7, 2.0))
    assert len(net.hops) == hops
    assert len(net.sites) == len(cell)
    assert [p.barrier_eV for p in net.percolation] == [0.7] * 3
    moved = np.array([h.displacement_A for h in net.hops])
    # A cubic star: the second moment is isotropic.
    assert np.allclose(moved.T @ moved, np.eye(3) * np.sum(moved**2) / 3)
    assert np.allclose([np.cross(h.end_dipole_e_A, h.displacement_A) for h in net.hops], 0, atol=1e-9)
    for h in net.hops:
        start, end = (np.array(net.sites[n].fractional) for n in (h.start, h.end))
        assert (end + h.image - start) @ np.array(net.lattice_A) == pytest.approx(h.displacement_A, abs=1e-9)


def test_a_chain_leads_along_its_axis_only():
    chain = Structure(Lattice.tetragonal(5.0, 3.0), ["Li"], [[0, 0, 0]])
    net = made(chain, plain_hop("hop", [0, 0, 0], [0, 0, 3.0], 0.4))
    assert [p.barrier_eV for p in net.percolation] == [None, None, 0.4]
    assert net.along([1, 1, 0]).barrier_eV is None
    assert net.along([1, 0, 1]).barrier_eV == 0.4
    assert "a none" in network_in_words(net)


def test_the_second_lowest_barrier_joins_what_the_lowest_leaves_apart():
    """A dimerised chain: short hops join pairs, and only the long ones lead through."""
    cell = Structure(Lattice.tetragonal(5.0, 6.0), ["Li", "Li"], [[0, 0, 0.2], [0, 0, 0.8]])
    short = plain_hop("short", [0, 0, -1.2], [0, 0, 2.4], 0.2)
    long = plain_hop("long", [0, 0, 1.2], [0, 0, 3.6], 0.9)
    assert [p.barrier_eV for p in made(cell, short).percolation] == [None] * 3
    both = made(cell, short, long)
    assert both.percolation[2].barrier_eV == 0.9
    assert both.percolation[2].limiting_hop == "long"


def test_layers_are_crossed_at_the_price_of_the_hop_between_them():
    cell = Structure(Lattice.tetragonal(3.0, 7.0), ["Li"], [[0, 0, 0]])
    net = made(cell, plain_hop("in", [0, 0, 0], [3, 0, 0], 0.3), plain_hop("across", [0, 0, 0], [0, 0, 7], 1.1))
    assert [p.barrier_eV for p in net.percolation] == [0.3, 0.3, 1.1]
    assert net.along([0, 1, 1]).barrier_eV == 0.3


def test_saddles_count_from_the_lowest_place():
    """Two places that differ by 0.3 eV: the way leads over 0.5 eV above the lower one, whichever is named first."""
    cell = Structure(Lattice.tetragonal(5.0, 6.0), ["Li", "Na"], [[0, 0, 0], [0, 0, 0.5]])
    up = plain_hop("up", [0, 0, 0], [0, 0, 3.0], 0.5)
    for hop in (replace(up, backward_eV=0.2), replace(up, start_A=np.array([0, 0, 3.0]), forward_eV=0.2)):
        net = made(cell, hop)
        assert net.mismatch_eV < 1e-9
        assert sorted(s.energy_eV for s in net.sites) == pytest.approx([0, 0.3])
        assert net.percolation[2].barrier_eV == pytest.approx(0.5)


def test_the_b_sites_of_a_spinel_are_corner_sharing_tetrahedra():
    """Pyrochlore lattice: 16 sites and 48 bonds in the cubic cell, every site with six neighbours at a sqrt(2)/4."""
    species, places = ["Mg", "Al", "O"], [[1 / 8] * 3, [1 / 2] * 3, [0.2624] * 3]
    cell = Structure.from_spacegroup("Fd-3m:2", Lattice.cubic(8.08), species, places)
    site = next(s for s in cell if s.specie.symbol == "Al")
    near = next(n for n in cell.get_neighbors(site, 3.0) if n.specie.symbol == "Al")
    assert near.nn_distance == pytest.approx(8.08 * np.sqrt(2) / 4)
    net = made(cell, plain_hop("hop", site.coords, near.coords - site.coords, 0.6))
    assert (len(net.sites), len(net.hops)) == (16, 48)
    assert {p.barrier_eV for p in net.percolation} == {0.6}


def test_hops_of_cobalt_ferrite_become_the_network_of_its_vacancies():
    """In the Imma order pure chains of Co run along [110]: Co alone percolates there, with Fe everywhere."""
    host = get_host("cofe2o4")
    cell = host.structure("Imma")
    numbers, _ = all_hops(host, cell, (1, 1, 1))
    kept, hops = kept_study().migration[0], []
    for n in numbers:
        hop = kept.model_copy()
        hop.ion, hop.vacancy, hop.label = n.hop.ion, n.hop.vacancy, n.label
        hop.displacement_A = n.hop.displacement_A
        hop.start_A = [float(x) for x in n.hop.initial[n.hop.mover].coords]
        hops.append(hop)
    own = [h for h in hops if h.vacancy == "V_Co(B)"]
    net = network_of_hops(cell, own, "Co")
    chain = next(np.array(h.displacement_A) for h in net.hops)
    across = np.cross(chain, [0.3, 0.2, 0.9])
    assert net.along(chain).barrier_eV is not None
    assert net.along(across).barrier_eV is None
    whole = network_of_hops(cell, hops, "Co")
    assert whole.along(across).barrier_eV is not None
    assert HopNetwork.model_validate(whole.model_dump()) == whole
    assert {s.label for s in whole.sites} == {"Co(B)", "Fe(B)"}
    failed = held("forces", 1.0, 0.05, unit="eV/A")
    bad = [h.model_copy(update={"checks": [*h.checks, failed]}) for h in own]
    with pytest.raises(ValueError, match="no hop of Co is a result"):
        network_of_hops(cell, bad, "Co")
    assert whole.plot() is not None


def _pushing(energies_eV, relation=("inversion",)):
    """An inserted ion in an fcc host that pushes one of the host's own on, straight through its site."""
    kept = kept_study().migration[0]
    point = kept.images[0]
    images = [
        point.model_copy(update={"energy_eV": e, "arc_A": float(n), "dipole_e_A": [float(n), 0.0, 0.0]})
        for n, e in enumerate(energies_eV)
    ]
    top = max(energies_eV)
    return kept.model_copy(
        update={
            "label": "Ni(8c) -> i(8c) pushing Ni(M)",
            "ion": "Ni",
            "host_site": "8c",
            "vacancy": "i(8c)",
            "images": images,
            "forward_eV": top - energies_eV[0],
            "backward_eV": top - energies_eV[-1],
            "start_A": [1.0, 1.0, 1.0],
            "displacement_A": [-2.0, -2.0, -2.0],
            "pushed_A": [0.0, 0.0, 0.0],
            "relation": list(relation),
        }
    )


ROCK_SALT = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.0), ["Ni", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
ROCK_SALT.add_site_property("sublattice", ["M" if s.specie.symbol == "Ni" else "O" for s in ROCK_SALT])
ROCK_SALT.add_site_property("valence", [2.0 if s.specie.symbol == "Ni" else -2.0 for s in ROCK_SALT])


@pytest.mark.parametrize("relation", [("inversion",), ()])
def test_a_dumbbell_that_holds_is_a_place_of_its_own(relation):
    """Four axes of <111> on each of four sites, each between two of the eight tetrahedra."""
    found = network_of_interstitials(ROCK_SALT, [_pushing([0.0, 0.7, -0.2, 0.7, 0.0], relation)], "Ni")
    labels = [s.label for s in found.sites]
    assert labels.count("i(8c)") == 8
    assert labels.count("i(Ni(M)<111>)") == 16
    assert len(found.hops) == 32
    assert all(s.energy_eV == pytest.approx(0.2) for s in found.sites if s.label == "i(8c)")
    assert all(s.energy_eV == pytest.approx(0.0, abs=1e-9) for s in found.sites if s.label != "i(8c)")
    barriers = {(found.sites[h.start].label, round(h.forward_eV, 6), round(h.backward_eV, 6)) for h in found.hops}
    assert barriers <= {("i(8c)", 0.7, 0.9), ("i(Ni(M)<111>)", 0.9, 0.7)}
    assert found.percolation[0].barrier_eV == pytest.approx(0.9)


def test_a_dumbbell_in_passing_leaves_the_hop_whole():
    """The ion then walks as over the one hop: two tops in a row halve its rate, and a deep rest holds it."""
    shallow = network_of_interstitials(ROCK_SALT, [_pushing([0.0, 0.7, 0.6, 0.7, 0.0])], "Ni")
    assert len(shallow.sites) == 8
    assert len(shallow.hops) == 16
    deep = network_of_interstitials(ROCK_SALT, [_pushing([0.0, 0.7, 0.1, 0.7, 0.0])], "Ni")
    kT = BOLTZMANN_eV_PER_K * 1000
    D = [float(np.trace(steady_walk(walk_of(n), 1000.0).diffusivity_A2_per_s)) for n in (shallow, deep)]
    # Share of the time in a tetrahedron, and one of two tops from there.
    weight = 8 / (8 + 16 * math.exp(-0.1 / kT))
    assert D[1] / D[0] == pytest.approx(weight / 2, rel=1e-6)
