"""The d shell against edrixs, an independent exact-diagonalisation code (pip install edrixs)."""

from dataclasses import replace

import numpy as np
import pytest
from magnetoionics.calculators.d_ions import D_IONS, parameters_of
from magnetoionics.calculators.ligand_field import LigandFieldModel, LigandFieldParameters, angular_overlap
from magnetoionics.calculators.single_ions import ion_name

edrixs = pytest.importorskip("edrixs")

# The real orbitals in edrixs's order z2, zx, zy, x2-y2, xy, as places in ours: xy, yz, z2, xz, x2-y2.
ORDER = [2, 3, 1, 4, 0]


def edrixs_levels(electrons, parameters, field, direction):
    f2 = 49 * parameters.racah_B_eV + 7 * parameters.racah_C_eV
    f4 = 63 * parameters.racah_C_eV / 5
    repulsion = edrixs.get_umat_slater("d", 0.0, f2, f4)
    to_complex = edrixs.tmat_r2c("d", True)
    real = np.kron(field[np.ix_(ORDER, ORDER)], np.eye(2))
    one = edrixs.cb_op(real.astype(complex), to_complex)
    one = one + edrixs.atom_hsoc("d", parameters.zeta_eV)
    spin = [edrixs.get_sx(2), edrixs.get_sy(2), edrixs.get_sz(2)]
    one = one + parameters.exchange_eV * sum(n * s for n, s in zip(direction, spin, strict=True))
    basis = edrixs.get_fock_bin_by_N(10, electrons)
    # get_umat_slater has no factor of one half to add: four_fermion takes its tensor as it is.
    h = edrixs.two_fermion(one, basis) + edrixs.four_fermion(repulsion, basis)
    return np.linalg.eigvalsh(h)


OCTAHEDRON = np.vstack([np.eye(3), -np.eye(3)])
PLACES = {
    "octahedron": OCTAHEDRON,
    "tetrahedron": np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3),
    "square plane": OCTAHEDRON[[0, 1, 3, 4]],
}


@pytest.mark.parametrize("species", sorted(D_IONS), ids=ion_name)
@pytest.mark.parametrize("place", list(PLACES))
def test_every_ion_of_the_table_agrees_in_every_coordination(species, place):
    """One to nine electrons with the ion's own parameters, slightly out of the regular place."""
    parameters, ion = parameters_of(species), D_IONS[species]
    rng = np.random.default_rng(3)
    bonds = parameters.reference_distance_A * PLACES[place]
    field = angular_overlap(bonds + rng.normal(0, 0.05, bonds.shape), parameters)
    direction = np.array([0.36, 0.48, 0.8])
    ours = LigandFieldModel(parameters, ion.electrons).levels(field, direction)
    theirs = edrixs_levels(ion.electrons, parameters, field, direction)
    assert np.abs(theirs - ours).max() < 1e-6


def test_assumed_spin_orbit_constants_are_those_that_edrixs_ships():
    for (symbol, _), ion in D_IONS.items():
        assert edrixs.get_atom_data(symbol, "3d", ion.electrons)["v_soc_i"] == [ion.spin_orbit_eV]


@pytest.mark.parametrize("electrons", [2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("seed", [0, 1])
def test_all_levels_agree_to_a_microelectronvolt(electrons, seed):
    rng = np.random.default_rng(seed)
    parameters = LigandFieldParameters()
    bonds = 2.1 * OCTAHEDRON + rng.normal(0, 0.1, (6, 3))
    field = angular_overlap(bonds, parameters)
    direction = rng.normal(size=3)
    direction /= np.linalg.norm(direction)
    ours = LigandFieldModel(parameters, electrons).levels(field, direction)
    theirs = edrixs_levels(electrons, parameters, field, direction)
    assert np.ptp(ours) > 5
    shift = theirs[0] - ours[0]
    assert np.abs(theirs - ours - shift).max() < 1e-6
    # Leaving out F0 makes the two zeros of energy the same as well.
    assert abs(shift) < 1e-6


@pytest.mark.parametrize("name", ["racah_B_eV", "racah_C_eV", "zeta_eV", "exchange_eV"])
def test_a_parameter_that_is_off_by_a_tenth_of_a_per_mille_would_be_seen(name):
    parameters = LigandFieldParameters()
    field = angular_overlap(2.1 * np.vstack([np.eye(3), -np.eye(3)]), parameters)
    off = replace(parameters, **{name: 1.0001 * getattr(parameters, name)})
    direction = np.array([0.6, 0.0, 0.8])
    ours = LigandFieldModel(parameters, 7).levels(field, direction)
    assert np.abs(edrixs_levels(7, off, field, direction) - ours).max() > 1e-6
