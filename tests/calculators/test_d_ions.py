"""Ions of one to nine d electrons: spectra of textbooks, spin crossovers of Tanabe and Sugano, and what crystals do."""

from dataclasses import replace

import numpy as np
import pytest
from magnetoionics.calculators.d_ions import D_IONS, PER_CM_eV, parameters_of
from magnetoionics.calculators.ligand_field import LigandFieldModel, LigandFieldParameters, angular_overlap
from magnetoionics.calculators.single_ions import SingleIonParameters, ion_name, single_ion_map
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import to_atoms

OCTAHEDRON = np.vstack([np.eye(3), -np.eye(3)])
TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
SQUARE = OCTAHEDRON[[0, 1, 3, 4]]
UP = [0.0, 0.0, 1.0]


def spin_of(model, field):
    """Twice the spin, from the moment in a strong exchange field."""
    return round(float(np.linalg.norm(model.moments(field, UP)[0])))


def first_gap_per_cm(electrons, bonds, **change):
    """Distance of the ground level to the next, without spin-orbit coupling."""
    parameters = replace(LigandFieldParameters(zeta_eV=0.0, shielding=0.0), **change)
    levels = LigandFieldModel(parameters, electrons).levels(angular_overlap(bonds, parameters))
    return float(levels[levels > levels[0] + 1e-6][0] - levels[0]) / PER_CM_eV


@pytest.mark.parametrize("electrons", [1, 4, 6, 9])
def test_a_cube_splits_one_electron_or_hole_by_10dq(electrons):
    """D and 5D terms: 3 e_sigma - 4 e_pi in an octahedron, -4/9 of it in a tetrahedron."""
    p = LigandFieldParameters(e_sigma_eV=0.4, e_pi_eV=0.1)
    ten_dq = (3 * p.e_sigma_eV - 4 * p.e_pi_eV) / PER_CM_eV
    octahedron = first_gap_per_cm(electrons, 2.1 * OCTAHEDRON, e_sigma_eV=0.4, e_pi_eV=0.1)
    tetrahedron = first_gap_per_cm(electrons, 2.1 * TETRAHEDRON, e_sigma_eV=0.4, e_pi_eV=0.1)
    assert octahedron == pytest.approx(ten_dq, rel=1e-6)
    assert tetrahedron == pytest.approx(4 / 9 * ten_dq, rel=1e-6)


@pytest.mark.parametrize(("electrons", "bonds"), [(3, OCTAHEDRON), (8, OCTAHEDRON)])
def test_4a2_and_3a2_reach_their_first_state_of_the_same_spin_by_10dq(electrons, bonds):
    """4A2g -> 4T2g and 3A2g -> 3T2g: 10Dq whatever the repulsion; small enough that no other spin lies below."""
    p = {"e_sigma_eV": 0.30, "e_pi_eV": 0.05, "racah_B_eV": 0.1, "racah_C_eV": 0.45}
    assert first_gap_per_cm(electrons, 2.1 * bonds, **p) == pytest.approx(0.7 / PER_CM_eV, rel=1e-6)


# Dq/B of the crossover and C/B of the diagram: Y. Tanabe and S. Sugano, J. Phys. Soc. Jpn. 9, 766 (1954).
CROSSOVERS = [(4, 4.61, 2.7, 4, 2), (5, 4.477, 2.8, 5, 1), (6, 4.8, 2.0, 4, 0), (7, 4.633, 2.2, 3, 1)]


@pytest.mark.parametrize(("electrons", "ratio", "at", "high", "low"), CROSSOVERS)
def test_spin_crosses_over_where_tanabe_and_sugano_have_it(electrons, ratio, at, high, low):
    B = 0.1

    def spin(dq_over_b):
        e_sigma = 10 * dq_over_b * B / 3
        p = LigandFieldParameters(
            racah_B_eV=B, racah_C_eV=ratio * B, e_sigma_eV=e_sigma, e_pi_eV=0.0, zeta_eV=0.0, exchange_eV=1e-3
        )
        return spin_of(LigandFieldModel(p, electrons), angular_overlap(2.1 * OCTAHEDRON, p))

    assert spin(at - 0.15) == high
    assert spin(at + 0.15) == low


# Spins of these ions in oxides; Co3+ low spin in LiCoO2 and high spin in a tetrahedron.
SPINS = {"Ti3+": 1, "V3+": 2, "V2+": 3, "Cr3+": 3, "Mn4+": 3, "Cr2+": 4, "Mn3+": 4, "Mn2+": 5, "Ni2+": 2, "Cu2+": 1}


@pytest.mark.parametrize("species", sorted(D_IONS), ids=ion_name)
def test_each_ion_has_its_known_spin_in_an_octahedron(species):
    p = parameters_of(species)
    model = LigandFieldModel(p, D_IONS[species].electrons)
    found = float(np.linalg.norm(model.moments(angular_overlap(p.reference_distance_A * OCTAHEDRON, p), UP)[0]))
    if species == ("Co", 3):
        assert found < 0.5
        tetrahedron = angular_overlap(1.90 * TETRAHEDRON, p)
        assert float(np.linalg.norm(model.moments(tetrahedron, UP)[0])) == pytest.approx(4, abs=0.3)
    else:
        assert found == pytest.approx(SPINS[ion_name(species)], abs=0.3)


def test_nickel_is_diamagnetic_in_a_strong_square_and_not_in_a_tetrahedron():
    p = replace(parameters_of(("Ni", 2)), e_sigma_eV=1.5, e_pi_eV=0.2, zeta_eV=1e-3)
    model = LigandFieldModel(p, 8)
    square = float(np.linalg.norm(model.moments(angular_overlap(p.reference_distance_A * SQUARE, p), UP)[0]))
    tetrahedron = float(np.linalg.norm(model.moments(angular_overlap(p.reference_distance_A * TETRAHEDRON, p), UP)[0]))
    assert square < 0.2
    assert tetrahedron == pytest.approx(2, abs=0.2)


def test_first_line_of_ruby_and_of_nickel_oxide():
    """Cr3+ 4A2 -> 4T2 of ruby 18 000 1/cm (at 1.98 A, so 19 000 and more here); NiO's 3T2 at 8 700 to 9 100 1/cm."""
    for species, bond_A, low, high in ((("Cr", 3), 1.98, 17_000, 20_500), (("Ni", 2), 2.09, 8_300, 9_300)):
        p = replace(parameters_of(species), zeta_eV=0.0)
        levels = LigandFieldModel(p, D_IONS[species].electrons).levels(angular_overlap(bond_A * OCTAHEDRON, p))
        same_spin = (levels - levels[0]) / PER_CM_eV
        ten_dq = (3 * p.e_sigma_eV - 4 * p.e_pi_eV) * (p.reference_distance_A / bond_A) ** 5 / PER_CM_eV
        assert low < ten_dq < high
        assert np.abs(same_spin - ten_dq).min() < 1.0


def test_nickel_ferrite_has_the_anisotropy_of_nickel_too():
    """K1 of NiFe2O4 is some -6e-3 MJ/m3 (Smit and Wijn), a thousandth of cobalt's: Ni2+ has no orbital moment."""
    nickel, cobalt = (to_atoms(get_host(key).structure()) for key in ("nife2o4", "cofe2o4"))
    n = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=float)
    found = single_ion_map(nickel, nickel.arrays["valence"], n)
    assert found.names == "16 Fe3+, 8 Ni2+"
    assert found.left_out == {}
    per_ion = np.ptp(found.energies_eV[[s == ("Ni", 2) for s in found.species]], axis=1).max()
    other = single_ion_map(cobalt, cobalt.arrays["valence"], n)
    per_cobalt = np.ptp(other.energies_eV[[s == ("Co", 2) for s in other.species]], axis=1).max()
    assert 0 < per_ion < 0.1 * per_cobalt


def test_another_stated_spin_is_left_out_by_name():
    atoms = to_atoms(get_host("nife2o4").structure())
    nickel = [i for i, s in enumerate(atoms.get_chemical_symbols()) if s == "Ni"]
    atoms.arrays["magmom"][nickel] = 0.0
    found = single_ion_map(atoms, atoms.arrays["valence"], np.eye(3))
    assert set(found.species) == {("Fe", 3)}
    assert found.energies_eV.shape == (len(found.sites), 3)
    assert list(found.left_out) == ["Ni2+ (stated with 0 muB, its ligand field gives 2.0 muB)"]


def test_parameters_of_an_ion_can_be_ones_own_and_survive_json():
    own = replace(parameters_of(("Ni", 2)), zeta_eV=0.05)
    given = SingleIonParameters(others={"Ni2+": own})
    assert given.of(("Ni", 2)).zeta_eV == 0.05
    assert given.of(("Mn", 2)) == parameters_of(("Mn", 2))
    assert SingleIonParameters.from_dict(given.as_dict()) == given
