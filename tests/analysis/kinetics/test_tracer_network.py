"""Correlation of tracers over real networks, against onsager on the bare lattices, our own walk, and the literature."""

import numpy as np
import pytest
from magnetoionics.analysis.kinetics.crowded import crowded_diffusion
from magnetoionics.analysis.kinetics.tracer_network import tracer_correlation
from magnetoionics.analysis.kinetics.uniform_network import correlation_factor, uniform_network
from magnetoionics.analysis.kinetics.walk import steady_walk, walk_of
from pymatgen.core import Lattice, Structure

pytest.importorskip("onsager")
T = 1000.0
PLACES = [[0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]


def anions():
    """Oxygen of a cubic perovskite, with one barrier for all jumps."""
    cell = Structure(Lattice.cubic(3.93), ["O"] * 3, PLACES, site_properties={"sublattice": ["O"] * 3})
    return uniform_network(cell, "O", 2.78, 0.6, -2.0, ion="O", label="O -> V_O")


def stretched():
    """Jumps to and from the first place cost 0.1 eV more."""
    net = anions()
    hops = [
        h.model_copy(update={"forward_eV": h.forward_eV + 0.1, "backward_eV": h.backward_eV + 0.1})
        if 0 in (h.start, h.end)
        else h
        for h in net.hops
    ]
    return net.model_copy(update={"hops": hops})


@pytest.fixture(scope="module")
def slow():
    return tracer_correlation(stretched(), T)


def test_oxygen_of_a_perovskite_has_the_published_factor():
    """0.69: T. Ishigaki et al., J. Solid State Chem. 73, 179 (1988)."""
    found = tracer_correlation(anions(), T)
    assert found.factors == pytest.approx([0.69] * 3, abs=0.005)
    assert correlation_factor(anions())[0] == pytest.approx(found.correlation, abs=1e-4)


A = 3.0
LAYERS = {
    "square": (Lattice.tetragonal(A, 10), [[0, 0, 0]], A, 1 / (np.pi - 1)),
    "triangular": (Lattice.hexagonal(A, 10), [[0, 0, 0]], A, 0.5601),
    "honeycomb": (Lattice.hexagonal(A, 10), [[1 / 3, 2 / 3, 0], [2 / 3, 1 / 3, 0]], A / 3**0.5, 1 / 3),
    # The translations of a rhombohedral cell all lead out of the layers.
    "triangular of a rhombohedral crystal": (Lattice.rhombohedral(5.0, 34.0), [[0, 0, 0]], 2.924, 0.5601),
}


def even(lattice, places, distance_A):
    cell = Structure(lattice, ["Li"] * len(places), places, site_properties={"sublattice": ["Li"] * len(places)})
    return uniform_network(cell, "Li", distance_A, 0.5, 1.0, ion="Li", label="Li -> V_Li")


@pytest.mark.parametrize("name", LAYERS)
def test_layers_have_the_factors_of_two_dimensions(name):
    """K. Compaan and Y. Haven, 10.1039/TF9565200786, and a walk of all ions; onsager refuses them in words."""
    lattice, places, distance, right = LAYERS[name]
    net = even(lattice, places, distance)
    found, said = correlation_factor(net)
    assert found == pytest.approx(right, abs=1e-4)
    assert "layers" in said
    if name == "triangular":
        walked = crowded_diffusion(net, 0.99, T, cells=14, hops_per_ion=40)
        assert walked.correlation == pytest.approx(right, abs=4 * walked.correlation_error + 0.015)
        assert walked.correlation_error < 0.02
    with pytest.raises(ValueError, match=r"2 of three directions.*--occupation"):
        tracer_correlation(net, T)


def test_close_packing_of_two_layers_is_nearly_that_of_three():
    """0.7812 in the planes of hcp and 0.7815 across, by the same authors."""
    found = tracer_correlation(
        even(Lattice.hexagonal(A, A * (8 / 3) ** 0.5), [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]], A), T
    )
    assert found.factors == pytest.approx([0.7812, 0.7812, 0.7815], abs=1e-4)


def test_what_the_library_cannot_solve_is_said():
    """Diamond in its conventional cell: an error inside the package."""
    places = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    both = [*places, *(np.add(p, 0.25).tolist() for p in places)]
    with pytest.raises(ValueError, match="onsager cannot solve the network of Li"):
        tracer_correlation(even(Lattice.cubic(A), both, A * 3**0.5 / 4), T)


def test_vacancies_of_the_library_diffuse_as_ours(slow):
    ours = steady_walk(walk_of(stretched()), T).diffusivity_A2_per_s * 1e-16
    assert np.array(slow.vacancy_cm2_per_s) == pytest.approx(ours, rel=1e-9, abs=1e-9 * ours.max())


def test_places_of_unequal_energy_and_prefactors_count():
    """The first place lies 0.08 eV higher: left over 0.6 eV, entered over 0.68 eV, tried half as often."""
    net = anions()
    hops = [
        h.model_copy(
            update={
                "forward_eV": 0.6 if h.start == 0 else 0.68,
                "backward_eV": 0.6 if h.end == 0 else 0.68,
                "forward_Hz": 5e12,
                "backward_Hz": 5e12,
            }
        )
        if 0 in (h.start, h.end)
        else h
        for h in net.hops
    ]
    sites = [s.model_copy(update={"energy_eV": 0.08 if n == 0 else 0.0}) for n, s in enumerate(net.sites)]
    uneven = net.model_copy(update={"hops": hops, "sites": sites})
    ours = steady_walk(walk_of(uneven), T).diffusivity_A2_per_s * 1e-16
    theirs = np.array(tracer_correlation(uneven, T).vacancy_cm2_per_s)
    assert theirs == pytest.approx(ours, rel=1e-9, abs=1e-9 * ours.max())


def test_a_tracer_is_held_where_few_ways_lead_on(slow):
    """The places 1 and 2 form sheets across z, in which jumps are fast: there the tracer jumps back and forth more."""
    x, y, z = slow.factors
    assert x == pytest.approx(y, rel=1e-6)
    assert x < 0.6889 < z


def test_many_kinds_of_jumps_are_solved_where_the_cell_is_symmetric_enough():
    """Every pair of places its own barrier: more kinds than three, and the vacancy of the library is ours."""
    net = anions()
    pairs = sorted({(min(h.start, h.end), max(h.start, h.end), h.image[2] == 0) for h in net.hops})
    raised = {p: 0.02 * n for n, p in enumerate(pairs)}
    hops = []
    for h in net.hops:
        more = raised[min(h.start, h.end), max(h.start, h.end), h.image[2] == 0]
        hops.append(h.model_copy(update={"label": f"{more}", "forward_eV": 0.6 + more, "backward_eV": 0.6 + more}))
    many = net.model_copy(update={"hops": hops})
    assert len(pairs) > 3
    ours = steady_walk(walk_of(many), T).diffusivity_A2_per_s * 1e-16
    found = tracer_correlation(many, T)
    assert np.array(found.vacancy_cm2_per_s) == pytest.approx(ours, rel=1e-6, abs=1e-6 * ours.max())
    assert 0.4 < min(found.factors) < max(found.factors) < 0.8


def test_a_walk_of_all_ions_finds_the_factors_of_the_library(slow):
    """One vacancy in a hundred places, by kinetic Monte Carlo: for more jumps than the library solves."""
    walked = crowded_diffusion(stretched(), 0.99, T, cells=10, hops_per_ion=100, runs=12)
    vacancies = (1 - walked.occupation) * np.diag(slow.vacancy_cm2_per_s)
    errors = np.diag(walked.tracer_error_cm2_per_s) / vacancies
    assert np.abs(np.diag(walked.tracer_cm2_per_s) / vacancies - slow.factors).max() < 0.01 + 3 * errors.max()
    assert errors.max() < 0.015


def test_networks_without_a_tracer_say_why():
    net = anions()
    with pytest.raises(ValueError, match="inserted ion"):
        tracer_correlation(net.model_copy(update={"carrier": "ion"}), T)
    with pytest.raises(ValueError, match="change the order"):
        tracer_correlation(net.model_copy(update={"mismatch_eV": 0.3}), T)
    # Two cells with every hop a kind of its own have no symmetry left.
    places = [[x / 2, y, z] for x, y, z in PLACES] + [[(x + 1) / 2, y, z] for x, y, z in PLACES]
    cell = Structure(
        Lattice.orthorhombic(7.86, 3.93, 3.93), ["O"] * 6, places, site_properties={"sublattice": ["O"] * 6}
    )
    wide = uniform_network(cell, "O", 2.78, 0.6, -2.0, ion="O", label="O -> V_O")
    own = [h.model_copy(update={"label": f"{n}"}) for n, h in enumerate(wide.hops)]
    with pytest.raises(ValueError, match=r"48 jumps of .*crowded_diffusion"):
        tracer_correlation(wide.model_copy(update={"hops": own}), T)
    with pytest.raises(ValueError, match="2 kT"):
        tracer_correlation(net, 5000.0)
