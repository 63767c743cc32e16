"""Moments and masses against missing oxygen and lithium, counted by hand on LiFe5O8: 2 Fe3+ on A, 3 on B."""

import numpy as np
import pytest
from magnetoionics.analysis.defects.uptake import content_curves, empty_octahedra, lithiated, oxygen_curve
from magnetoionics.structures.host import get_host
from magnetoionics.structures.spins import total_moment

# Per mol; a Bohr magneton per formula unit is 5.58494 A m2/mol.
LI_G, FE_G, O_G = 6.94, 55.845, 15.999
MU_B_PER_MOL = 5.58494


@pytest.fixture(scope="module")
def ferrite():
    return get_host("life5o8").structure()


@pytest.mark.parametrize(("reduced", "per_oxygen_muB"), [("B", -2.0), ("A", 2.0)])
def test_two_irons_are_reduced_per_missing_oxygen(ferrite, reduced, per_oxygen_muB):
    """Neel: (3 - 2) x 5 muB; Fe2+ has 4 muB, which takes 1 muB per ion from B, and gives 1 muB back from A."""
    curve = oxygen_curve(ferrite, per_formula_of="LiFe5O8", reduced=reduced, largest=0.5, points=3)
    assert curve.content == [0.0, 0.25, 0.5]
    assert curve.moment_muB == pytest.approx([5.0 + per_oxygen_muB * x for x in curve.content])
    assert curve.capacity == {"A": 1.0, "B": 1.5}[reduced]
    grams = [LI_G + 5 * FE_G + (8 - x) * O_G for x in curve.content]
    expected = [1e3 * MU_B_PER_MOL * m / g for m, g in zip(curve.moment_muB, grams, strict=True)]
    assert curve.specific_Am2_per_kg == pytest.approx(expected, rel=1e-4)


def test_no_more_oxygen_than_iron_can_pay_for(ferrite):
    with pytest.raises(ValueError, match="4 Fe3\\+ on B, fewer are there"):
        oxygen_curve(ferrite, per_formula_of="LiFe5O8", largest=2.0)


def test_lithium_reduces_the_iron_beside_it(ferrite):
    made = lithiated(ferrite, 1)
    irons = [i for i, s in enumerate(ferrite) if s.specie.symbol == "Fe" and s.properties["sublattice"] == "B"]
    (changed,) = [i for i in irons if made[i].properties["valence"] == 2]
    away = made.lattice.get_all_distances(made[-1].frac_coords, made.frac_coords[irons])[0]
    assert made[-1].specie.symbol == "Li"
    assert made[-1].distance(made[changed]) == pytest.approx(np.min(away))
    assert np.max(away) > np.min(away) + 1.0
    assert total_moment(made) == pytest.approx(total_moment(ferrite) - 1.0)
    with pytest.raises(ValueError, match="do not fit"):
        lithiated(ferrite, len(empty_octahedra(ferrite)) + 1)


def test_curves_follow_from_the_ions_and_not_from_claims():
    """Fe3+ and Li+ on A and B: one electron per Li, two per missing O, each 1 muB off B; elsewhere nothing is said."""
    for key in ("life5o8", "gamma_fe2o3"):
        host = get_host(key)
        li, oxygen = content_curves(host.structure(), host.formula)
        assert (li.ion, oxygen.ion) == ("Li", "missing O")
        assert (li.moment_muB[-1] - li.moment_muB[0]) / li.content[-1] == pytest.approx(-1.0)
        assert (oxygen.moment_muB[-1] - oxygen.moment_muB[0]) / oxygen.content[-1] == pytest.approx(-2.0)
    for key in ("cofe2o4", "fe3o4", "licoo2"):
        host = get_host(key)
        assert content_curves(host.structure(), host.formula) == []
