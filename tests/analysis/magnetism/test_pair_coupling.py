"""Mapped pairs as a frozen reference, with the sign of D, and what Moriya's rules leave of D."""

from itertools import combinations

import numpy as np
import pytest
from magnetoionics.analysis.magnetism.exchange import FourStateResult
from magnetoionics.analysis.magnetism.frozen_reference import FrozenReference, frozen_coupling, with_pairs
from magnetoionics.analysis.magnetism.pair_coupling import (
    allowed_D,
    coupling_of_pairs,
    equivalent_pairs_check,
    symmetry_check,
)
from magnetoionics.analysis.magnetism.unidirectional import frozen_reference_energy, u_model
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine
from pymatgen.core import Lattice, Structure

J, D = 5.0, np.array([0.3, -0.7, 1.1])
ALONG_110 = np.array([1.0, 1.0, 0.0]) / np.sqrt(2)


def pair(first=0, second=1, j=J, d=D, gamma=None):
    return FourStateResult(
        first=first,
        second=second,
        J_meV=j,
        D_meV=None if d is None else [float(x) for x in d],
        distance_A=2.9,
        images=1,
        provenance=get_engine("local").provenance(),
        Gamma_meV=gamma,
    )


def molecule(symbols, places):
    """Ions in the middle of a large box, so that no symmetry comes from the lattice but that of the cube."""
    return Structure(Lattice.cubic(20), symbols, np.array(places) + 10.0, coords_are_cartesian=True)


def test_sign_of_d_from_the_pair_to_the_unidirectional_vector():
    """-D.(e_i x e_j) with e_i = n and e_j = p is -n.(p x (-D)): u = J p + p x D, not its mirror image."""
    found = coupling_of_pairs([pair()], [1.0, 1.0], {1})
    u = u_model(found.h_meV, found.D_meV, found.Gamma_meV, ALONG_110)
    assert np.allclose(u, [4.31, 2.76, -0.71], atol=0.005)
    rng = np.random.default_rng(0)
    n = rng.normal(size=(20, 3))
    n /= np.linalg.norm(n, axis=1, keepdims=True)
    energies = -J * n @ ALONG_110 - np.cross(n, ALONG_110) @ D
    assert np.allclose(-n @ u, energies, atol=1e-12)


@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, 1), (-1, -1)])
@pytest.mark.parametrize("named", [(0, 1), (1, 0)])
def test_energy_of_a_reference_is_that_of_its_pair(signs, named):
    """In every order of the two moments, and whichever ion the pair names first."""
    gamma = [0.2, -0.4, 0.5]
    matrix = np.array([[0, 0.5, -0.4], [0.5, 0, 0.2], [-0.4, 0.2, 0]])
    found = coupling_of_pairs([pair(*named, gamma=gamma)], signs, {1})
    rng = np.random.default_rng(1)
    n, p = (v / np.linalg.norm(v) for v in rng.normal(size=(2, 3)))
    spins = {0: signs[0] * n, 1: signs[1] * p}
    one, two = spins[named[0]], spins[named[1]]
    expected = -J * one @ two - D @ np.cross(one, two) + one @ matrix @ two
    assert frozen_reference_energy(n[None], found.h_meV, found.D_meV, found.Gamma_meV, p)[0] == pytest.approx(expected)


def test_pairs_become_a_reference_of_the_cell():
    cell = get_host("cofe2o4").structure("Imma")
    a, b = (
        next(i for i, s in enumerate(cell) if s.properties["sublattice"] == k and s.specie.symbol == "Fe") for k in "AB"
    )
    made = with_pairs(FrozenReference(sublattice="A", p=[1, 1, 0], h_meV=1.0), cell, [pair(a, b, j=-J)])
    found = frozen_coupling(cell, made, state="before", mover=0)
    # A frozen and first, moments antiparallel: two signs, and one of the convention.
    assert found.h_meV == pytest.approx(J)
    assert np.allclose(found.D_meV, -D)
    assert "four-state energies of 1 pairs" in made.source


def test_refusals():
    for pairs, message in (
        ([], "no pair was given"),
        ([pair(), pair(1, 0)], "given twice"),
        ([pair(0, 2)], "both turning"),
        ([pair(1, 3)], "both frozen"),
        ([pair(4, 1)], "no moment"),
    ):
        with pytest.raises(ValueError, match=message):
            coupling_of_pairs(pairs, [1, 1, 1, 1, 0], {1, 3})
    with pytest.raises(ValueError, match="not both"):
        FrozenReference(sublattice="A", p=[1, 0, 0], h_meV=1.0, D_meV=[0, 0, 1], d0_meV_per_A2=0.1)


MORIYA = {
    # T. Moriya, 10.1103/PhysRev.120.91, rules 1 to 5, for a bond along x about the origin.
    "inversion centre halfway": (
        molecule(["Fe", "Fe", "O", "O"], [[-1, 0, 0], [1, 0, 0], [0.3, 1, 2], [-0.3, -1, -2]]),
        "",
    ),
    "mirror across the bond": (
        molecule(
            ["Fe", "Fe", "O", "O", "F", "F"],
            [[-1, 0, 0], [1, 0, 0], [0.4, 1, 2], [-0.4, 1, 2], [2.1, -1, 1], [-2.1, -1, 1]],
        ),
        "yz",
    ),
    "mirror through both": (
        molecule(["Fe", "Fe", "O", "F"], [[-1, 0, 0], [1, 0, 0], [0.3, 2, 0], [0.9, -1.4, 0]]),
        "z",
    ),
    "twofold axis across the bond": (
        molecule(["Fe", "Fe", "O", "O", "F"], [[-1, 0, 0], [1, 0, 0], [0.4, 1, 2], [-0.4, -1, 2], [0, 0, -1.3]]),
        "xy",
    ),
    "threefold axis along the bond": (
        Structure(
            Lattice.hexagonal(9, 12),
            ["Fe", "Fe", "O", "O", "O"],
            [[0, 0, 0.4], [0, 0, 0.6], [0.1, 0.25, 0.53], [0.75, 0.85, 0.53], [0.15, 0.9, 0.53]],
        ),
        "z",
    ),
    "a bridging ion": (molecule(["Fe", "Fe", "O"], [[-1.5, 0, 0], [1.5, 0, 0], [0, 1.3, 0]]), "z"),
}


@pytest.mark.parametrize("rule", MORIYA)
def test_moriya_rules(rule):
    structure, allowed = MORIYA[rule]
    left = allowed_D(structure, 0, 1, [1.0, 2.0, 3.0])
    wanted = [value if axis in allowed else 0.0 for axis, value in zip("xyz", (1.0, 2.0, 3.0), strict=True)]
    assert np.allclose(left, wanted, atol=1e-9)
    check = symmetry_check(structure, pair(gamma=[0.0, 0.0, 0.0]))
    assert check.passed is np.allclose(np.delete(D, ["xyz".index(a) for a in allowed]), 0)
    assert symmetry_check(structure, pair(d=[0.0] * 3, gamma=[0.0] * 3)).passed


def test_nearest_neighbours_of_the_spinel():
    """D of B-B lies across the bond, along the normal of the mirror plane that holds it.

    The pyrochlore lattice: D is along <110>
    (M. Elhajal et al., 10.1103/PhysRevB.71.094420).
    """
    cell = get_host("fe3o4").structure()
    plain = Structure(cell.lattice, [s.specie.symbol for s in cell], cell.frac_coords)
    b = [i for i, s in enumerate(cell) if s.properties["sublattice"] == "B"]
    first, second = next((i, j) for i, j in combinations(b, 2) if cell.get_distance(i, j) < 3.1)
    bond = cell.lattice.get_cartesian_coords(
        (lambda v: v - np.round(v))(cell.frac_coords[second] - cell.frac_coords[first])
    )
    found = allowed_D(plain, first, second, [1.0, 2.0, 3.0], symprec=1e-2)
    assert abs(found @ bond) < 1e-9
    size = np.sort(np.abs(found))
    assert size[0] == pytest.approx(0, abs=1e-9)
    assert size[1] == pytest.approx(size[2])
    assert size[2] > 0.1


def test_equivalent_pairs_must_agree():
    """Three Fe of a triangle about a threefold axis, O in the middle above: J equal, D turned."""
    turn = np.array([[-0.5, -np.sqrt(0.75), 0], [np.sqrt(0.75), -0.5, 0], [0, 0, 1]])
    corner = np.array([1.6, 0.0, 0.0])
    lattice = Lattice.hexagonal(11, 14)
    places = [corner, turn @ corner, turn @ turn @ corner, [0, 0, 1.1]]
    cell = Structure(lattice, ["Fe", "Fe", "Fe", "O"], places, coords_are_cartesian=True)
    d = allowed_D(cell, 0, 1, D)
    equal = [pair(0, 1, d=d), pair(1, 2, d=turn @ d)]
    assert equivalent_pairs_check(cell, equal).passed
    assert not equivalent_pairs_check(cell, [equal[0], pair(1, 2, d=d)]).passed
    assert not equivalent_pairs_check(cell, [equal[0], pair(1, 2, j=J + 1, d=turn @ d)]).passed
    with pytest.raises(ValueError, match="no operation"):
        equivalent_pairs_check(MORIYA["a bridging ion"][0], [pair(0, 1), pair(0, 2)])
