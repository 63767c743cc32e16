"""Hops without direction: as many as a migration graph counts, and the ways into a vacancy add up."""

from dataclasses import replace

import numpy as np
import pytest
from magnetoionics.structures.cells.binary_oxides import reference_phase
from magnetoionics.structures.cells.default_size import default_repeats
from magnetoionics.structures.cells.supercell import repeats_for_distance, supercell
from magnetoionics.structures.defects.hops import atom_in_the_way
from magnetoionics.structures.defects.inventory import take_inventory
from magnetoionics.structures.defects.undirected_hops import same_hop, undirected_hops
from magnetoionics.structures.defects.vacancies import distinct_vacancies
from magnetoionics.structures.host import HopKind, get_host
from magnetoionics.structures.symmetry import orbits
from magnetoionics.workflows.flows.hops import all_hops, hop_kinds
from pymatgen.core import Lattice, Structure

VALENCES = {"O": -2, "N": -3, "F": -1, "Li": 1, "Ti": 4, "Ce": 4, "Sr": 2, "La": 3, "Fe": 3, "Co": 3, "Mg": 2}
VALENCES |= {"Hf": 4, "Gd": 3, "P": 5}


def prepared(cell):
    """Cell without spins in which every element is a sublattice of its own."""
    symbols = [s.specie.symbol for s in cell]
    properties = {"sublattice": symbols, "valence": [float(VALENCES.get(s, 2)) for s in symbols]}
    properties["magmom"] = [0.0] * len(cell)
    return Structure(cell.lattice, symbols, cell.frac_coords, site_properties=properties)


def group(symbol, lattice, species, coords):
    return prepared(Structure.from_spacegroup(symbol, lattice, species, coords))


def ours(cell, element, cutoff):
    big = supercell(cell, repeats_for_distance(cell, 2 * cutoff))
    return undirected_hops(cell, big, [HopKind(element, element, element, element, cutoff)])[0]


RUTILE = group("P4_2/mnm", Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]])
FLUORITE = group("Fm-3m", Lattice.cubic(5.411), ["Ce", "O"], [[0, 0, 0], [0.25] * 3])
PEROVSKITE = group("Pm-3m", Lattice.cubic(3.905), ["Sr", "Ti", "O"], [[0, 0, 0], [0.5] * 3, [0.5, 0.5, 0]])
# Orthoferrite, Marezio et al., Acta Cryst. B 26, 2008 (1970), rounded.
ORTHOFERRITE = group(
    "Pbnm",
    Lattice.orthorhombic(5.557, 5.565, 7.854),
    ["La", "Fe", "O", "O"],
    [[-0.0065, 0.0292, 0.25], [0.5, 0, 0], [0.075, 0.487, 0.25], [-0.281, 0.2815, 0.039]],
)
LAYERED = group("R-3m", Lattice.hexagonal(2.816, 14.05), ["Li", "Co", "O"], [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.26]])
COBALT_NITRIDE = group("Fm-3m", Lattice.cubic(4.27), ["Co", "N"], [[0, 0, 0], [0.5] * 3])
ROUTES = [
    (RUTILE, "O", 3.0),
    (RUTILE, "Ti", 3.6),
    (FLUORITE, "O", 4.0),
    (PEROVSKITE, "O", 3.0),
    (ORTHOFERRITE, "O", 3.2),
    (LAYERED, "Li", 3.0),
    (LAYERED, "O", 2.9),
    (COBALT_NITRIDE, "N", 3.1),
    (prepared(reference_phase("Fe2O3")), "O", 2.8),
    (prepared(reference_phase("Fe2O3")), "Fe", 3.4),
    (prepared(reference_phase("ZnO")), "O", 3.4),
    (prepared(reference_phase("MgO")), "Mg", 3.1),
    # Baddeleyite has two oxygens and many hops between them, bixbyite a large cell, olivine a channel.
    (prepared(get_host("hfo2").structure()), "O", 2.9),
    (prepared(get_host("gd2o3").structure()), "O", 3.1),
    (prepared(get_host("lifepo4").structure()), "Li", 3.5),
    pytest.param(prepared(get_host("srcoo25").structure()), "O", 3.0, marks=pytest.mark.slow),
]


@pytest.mark.parametrize("cell,element,cutoff", ROUTES)  # noqa: PT006
def test_as_many_as_a_migration_graph_counts(cell, element, cutoff):
    """pymatgen-analysis-diffusion joins sites by hops and groups those by symmetry, direction apart."""
    full_path_mapper = pytest.importorskip("pymatgen.analysis.diffusion.neb.full_path_mapper")
    bare = Structure(cell.lattice, [s.specie.symbol for s in cell], cell.frac_coords)
    graph = full_path_mapper.MigrationGraph.with_distance(
        structure=bare, migrating_specie=element, max_distance=cutoff, symprec=1e-3
    )
    graph.assign_cost_to_graph()
    found = ours(cell, element, cutoff)
    assert len(found) == len({hop["hop_label"] for hop in graph.unique_hops.values()})


@pytest.mark.parametrize("cell,element,cutoff", ROUTES)  # noqa: PT006
def test_the_hops_are_all_pairs_of_neighbours(cell, element, cutoff):
    """Sites of a kind times ways into one, halved where the way back is one of them, are the open pairs of a cell."""
    vacancies = distinct_vacancies(cell, element, element)
    kind_of = {site: n for n, group in enumerate(orbits(cell)) for site in group}
    pairs = 0
    for one in ours(cell, element, cutoff):
        vacancy = vacancies[one.vacancy]
        start = cell.lattice.get_fractional_coords(cell[vacancy.index].coords - one.hop.displacement_A)
        apart = cell.lattice.get_all_distances(start, cell.frac_coords)[0]
        back_is_one = kind_of[int(np.argmin(apart))] == kind_of[vacancy.index]
        pairs += vacancy.multiplicity * one.ways * (1 if back_is_one else 2)
    neighbours = [
        (site, n)
        for site in cell
        if site.specie.symbol == element
        for n in cell.get_neighbors(site, cutoff)
        if n.specie.symbol == element and atom_in_the_way(cell, n.coords, site.coords) is None
    ]
    assert pairs == len(neighbours)


def test_a_hop_between_unlike_sites_has_one_band_and_keeps_its_own_ways():
    """O1 and O2 of Pbnm: hops between the two are listed with the vacancy that comes first."""
    found = ours(ORTHOFERRITE, "O", 3.2)
    assert len(found) == 6
    kinds = {one.vacancy for one in found}
    assert kinds == {0, 1}


@pytest.mark.parametrize(
    ("key", "ion", "cutoff", "count"),
    [("life5o8", ("Fe", "B"), 3.3, 1), ("gamma_fe2o3", ("Fe", "B"), 3.3, 12)],
)
def test_counts_of_built_in_hosts(key, ion, cutoff, count):
    cell = get_host(key).structure()
    found, _ = undirected_hops(cell, supercell(cell, (1, 1, 1)), [HopKind(*ion, *ion, cutoff)])
    assert len(found) == count


def test_the_reverse_of_an_exchange_is_another_defect():
    """Co into the place of Fe leaves V_Co: its way back into V_Co is not the hop of Co into V_Fe of the list."""
    host = get_host("cofe2o4")
    cell = host.structure("Imma")
    found, _ = all_hops(host, cell, (1, 1, 1))
    movers = [(one.kind.ion, one.kind.vacancy_element) for one in found]
    assert ("Co", "Fe") in movers
    assert ("Fe", "Co") in movers


def test_hops_do_not_depend_on_the_shape_of_the_supercell():
    """A long supercell of a cubic crystal shows one hop as two; they are one, with the crystal's ways."""
    kinds = [HopKind("O", "O", "O", "O", 2.9)]
    cube, _ = undirected_hops(PEROVSKITE, supercell(PEROVSKITE, (2, 2, 2)), kinds)
    slab, _ = undirected_hops(PEROVSKITE, supercell(PEROVSKITE, (2, 2, 3)), kinds)
    assert [(one.ways, one.label) for one in cube] == [(8, "O(O) V_O 1")]
    assert [(one.ways, one.label) for one in slab] == [(8, "O(O) V_O 1")]


@pytest.mark.parametrize(("key", "strain"), [("tio2", (0.0, 0.0, 0.06)), ("gamma_fe2o3", (0.004, 0.004, -0.007))])
def test_a_hop_is_found_again_in_the_relaxed_cell(key, strain):
    """The hop along c of rutile, 2.96 A, is longer than its cutoff of 3 A by then; those of gamma-Fe2O3 are equal."""
    host = get_host(key)
    cell = host.structure()
    relaxed = cell.copy()
    relaxed.apply_strain(list(strain))
    kind = host.hops[0]
    repeats = default_repeats(cell, True, [kind.cutoff_A])
    found, _ = undirected_hops(cell, supercell(cell, repeats), [kind])
    big = supercell(relaxed, repeats)
    for number in found:
        along = cell.lattice.get_fractional_coords(number.hop.displacement_A)
        again = same_hop(relaxed, big, kind, number.vacancy, along)
        assert relaxed.lattice.get_fractional_coords(again.displacement_A) == pytest.approx(along, abs=1e-6)
        assert again.mover == number.hop.mover
    with pytest.raises(ValueError, match=r"^no (O|Fe)\("):
        same_hop(relaxed, big, kind, 0, 0.6 * along)


def test_anions_hop_where_a_host_names_them():
    host = get_host("zn095co005o")
    cell = host.structure("near")
    kinds = hop_kinds(host, cell)
    assert kinds == list(host.hops)
    found, absent = all_hops(host, cell, (1, 1, 1))
    assert found
    assert all(one.kind.ion == "O" for one in found)
    assert not absent


def test_no_anion_goes_into_the_place_of_a_cation():
    host = replace(get_host("cofe2o4"), hops=(HopKind("Fe", "B", "Fe", "B", 3.3), HopKind("O", "O", "O", "O", 3.0)))
    for kind in hop_kinds(host, host.structure()):
        assert (kind.ion == "O") == (kind.vacancy_element == "O")


@pytest.mark.parametrize(
    ("case", "count"),
    [
        ("h01-reversed-hops/tio2.yaml", 3),
        ("h01-reversed-hops/hfo2.yaml", 10),
        ("h01-reversed-hops/bifeo3.yaml", 4),
        ("h02-anion-hop-command/tio2b.yaml", 2),
    ],
)
def test_public_cells(real, case, count):
    host = get_host(str(real / "structures" / case))
    found = take_inventory(host)
    assert len(found.hops) == count
    numbered, absent = all_hops(host, host.structure(), repeats_for_distance(host.structure(), 8.0))
    assert len(numbered) == count
    assert not absent
    assert np.all([one.ways >= 1 for one in numbered])
