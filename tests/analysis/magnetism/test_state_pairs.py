"""Pairs of states: relations from the structure obeyed by the maps, and u carried by them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from magnetoionics.analysis.magnetism.anisotropy import AnisotropyMap
from magnetoionics.analysis.magnetism.directions import lebedev_directions
from magnetoionics.analysis.magnetism.harmonics import real_harmonics
from magnetoionics.analysis.magnetism.state_pairs import axial_matrix, state_pair
from magnetoionics.analysis.magnetism.unidirectional import frozen_reference_energy, u_model
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.calculators.single_ions import single_ion_map
from magnetoionics.structures.defects.collinear_pairs import collinear_pairs
from magnetoionics.structures.defects.vacancies import remove_site
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import to_atoms

N = lebedev_directions(9).vectors
HOP = "before and after the hop"


def make_map(energies, state="x", directions=N):
    return AnisotropyMap(
        state=state,
        directions=np.asarray(directions).tolist(),
        energies_meV=[float(e) for e in energies],
        cell_volume_A3=600.0,
        formula_units=8,
        ions="test",
        provenance=Provenance(engine="test", level_of_theory="arithmetic"),
    )


def even(n, seed=0):
    return real_harmonics(n, (0, 2, 4)) @ np.random.default_rng(seed).normal(size=15)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_u_of_a_mirrored_state_is_the_carried_u_of_the_first(seed):
    """Heisenberg, Dzyaloshinskii and symmetric parts turn as scalar, axial vector and tensor; p along the hop."""
    rng = np.random.default_rng(seed)
    h, d, g = rng.normal(), rng.normal(size=3), rng.normal(size=(3, 3))
    g = g + g.T
    mirror = np.diag([-1.0, 1, 1])
    a = axial_matrix(mirror)
    for p in ([1.0, 0, 0], [0, 1.0, 0]):
        first = make_map(even(N) + frozen_reference_energy(N, h, d, g, p))
        second = make_map(even(N @ a) + frozen_reference_energy(N, h, a @ d, a @ g @ a.T, p))
        pair = state_pair(first, second, [("mirror", mirror)], kind=HOP, reference="A sublattice", p=p)
        (relation,) = pair.relations
        assert relation.u_deviation_meV < 1e-9
        assert np.allclose(pair.first_u_meV, u_model(h, d, g, p), atol=1e-9)
        assert pair.verdict == "a direction"
        oblique = state_pair(first, second, [("mirror", mirror)], kind=HOP, reference="A", p=[1.0, 1.0, 0])
        assert oblique.relations[0].expected_u_meV is None


def test_verdicts():
    same, other = make_map(even(N)), make_map(even(N, 1))
    assert state_pair(same, same, [("inversion", -np.eye(3))], kind=HOP).verdict == "nothing"
    assert state_pair(same, other, [], kind=HOP).verdict == "an axis"
    odd = make_map(even(N) - 0.2 * N[:, 0])
    assert state_pair(same, odd, [], kind=HOP).verdict == "spurious odd part"
    assert state_pair(odd, odd, [], kind=HOP, reference="film", p=[1, 0, 0]).verdict == "nothing"
    wrong = state_pair(same, other, [("inversion", -np.eye(3))], kind=HOP)
    assert not wrong.relations[0].obeyed
    with pytest.raises(ValueError, match="or neither"):
        state_pair(same, same, [], kind=HOP, reference="film")
    with pytest.raises(ValueError, match="different directions"):
        state_pair(same, make_map(even(N[::-1]), directions=N[::-1]), [], kind=HOP)


@pytest.mark.parametrize(("order", "relation"), [("Imma", "inversion"), ("P4_122", "twofold axis")])
def test_right_and_left_ion_of_a_real_vacancy(order, relation):
    """Either Co hops into V_Fe: the map of one outcome is the other's, carried by the operation of the structure."""
    directions = lebedev_directions(7).vectors
    cell = get_host("cofe2o4").structure(order)
    iron = [i for i, s in enumerate(cell) if s.specie.symbol == "Fe" and s.properties["sublattice"] == "B"]
    index, pair = next(
        (i, p) for i in iron for p in collinear_pairs(cell, i, "Co") if p.relations and relation in p.relations
    )
    maps = []
    for mover in (pair.right, pair.left):
        moved = cell.copy()
        moved.translate_sites([mover], cell[index].frac_coords - cell[mover].frac_coords, to_unit_cell=True)
        atoms = to_atoms(remove_site(moved, index))
        # Every Co within the cell, with the charges of the ideal crystal: symmetry holds for each ion and the sum.
        cobalt = [i for i, s in enumerate(atoms.get_chemical_symbols()) if s == "Co"]
        found = single_ion_map(atoms, atoms.arrays["valence"], directions, sites=cobalt)
        maps.append(make_map(1e3 * found.total_eV, directions=directions))
    relations = list(zip(pair.relations, pair.relation_matrices, strict=True))
    result = state_pair(*maps, relations, kind="right and left ion")
    assert all(r.obeyed for r in result.relations)
    assert max(r.deviation_meV for r in result.relations) < 1e-3
    if order == "Imma":
        # Inversion alone: the two outcomes have one and the same map.
        assert result.verdict == "nothing"
    else:
        assert result.verdict == "an axis"
