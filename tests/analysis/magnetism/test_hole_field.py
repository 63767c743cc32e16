"""Crystal field of a t2g hole: limits known in closed form, symmetry, and what is refused."""

import numpy as np
import pytest
from magnetoionics.analysis.magnetism.directions import lebedev_directions
from magnetoionics.analysis.magnetism.hole_field import HoleField, orthonormal, symmetrised, t2g_orbital_momentum
from magnetoionics.analysis.magnetism.orbital_states import ENERGIES, OVERLAP, SYMMETRY, cubic_anisotropy
from magnetoionics.analysis.results.checks import invalid_because
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.study.reference_calculations import load_reference_calculations
from magnetoionics.calculators.d_shell import D_ORBITALS, orbital_momentum
from magnetoionics.calculators.ligand_field import LigandFieldModel, LigandFieldParameters
from magnetoionics.structures.host import get_host
from magnetoionics.structures.magnetic_symmetry import site_rotations
from slonczewski import slonczewski_energies, slonczewski_k1_eV

SOURCE = Provenance(engine="known energies", level_of_theory="arithmetic")
TRIGONAL = np.array([1.0, 1.0, 1.0]) / np.sqrt(3)
ACROSS = np.array([[2.0, -1.0, -1.0], [0.0, 1.0, -1.0]]) / np.sqrt([[6.0], [2.0]])
CUBIC = np.eye(3)
VOLUME_A3 = 8.392**3 / 8


def field(energies, holes=(*ACROSS, TRIGONAL), spin_orbit=38.3, axes=CUBIC):
    return HoleField(
        site=0,
        element="Co",
        axes=np.asarray(axes).tolist(),
        holes=np.asarray(holes).tolist(),
        energies_meV=list(energies),
        spin_orbit_meV=spin_orbit,
        spin_orbit_source="known",
        provenance=SOURCE,
    )


def test_t2g_momentum_is_that_of_the_whole_shell_inside_t2g():
    """The shell of the ligand field, built from matrices of the orbitals, in yz, xz, xy."""
    inside = orbital_momentum()[:, [1, 3, 0]][:, :, [1, 3, 0]]
    assert np.allclose(np.abs(t2g_orbital_momentum()), np.abs(inside))
    # An l = 1 shell with the sign of L reversed: [Lx, Ly] = -i Lz.
    for lx, ly, lz in (inside, t2g_orbital_momentum()):
        assert np.allclose(lx @ ly - ly @ lx, -1j * lz)
    assert D_ORBITALS.shape == (5, 3, 3)


def test_trigonal_doublet_is_slonczewskis():
    """Far below the singlet a doublet with L = 1 along its axis is left (Slonczewski 1958): E = -lambda |n.m|."""
    far = field((0.0, 0.0, 1e7))
    n = lebedev_directions(9).vectors
    closed = 1000 * slonczewski_energies(n, [TRIGONAL], 0.0383)[0]
    assert np.allclose(far.energies(n), closed, atol=1e-3)
    warm = 1000 * slonczewski_energies(n, [TRIGONAL], 0.0383, 300.0)[0]
    assert np.allclose(far.energies(n, 300.0), warm, atol=1e-3)
    found = cubic_anisotropy([far], VOLUME_A3)
    assert found.K1_meV_per_ion == pytest.approx(1000 * slonczewski_k1_eV(0.0383), rel=1e-4)
    assert far.orbital_moments_muB([TRIGONAL])[0] == pytest.approx(1.0, abs=1e-4)


def test_all_states_of_d7_end_in_the_hole_where_the_octahedron_and_the_exchange_are_strong():
    """-V of the hole as the field of an electron and zeta = 2 lambda: what is left falls as one over 10Dq."""
    hole = field((0.0, 34.7, 102.0))
    n = lebedev_directions(7).vectors
    expected = hole.energies(n)
    left = []
    for strength_eV in (50.0, 500.0):
        electron = np.diag([0.0, 0.0, strength_eV, 0.0, strength_eV])
        electron[np.ix_([1, 3, 0], [1, 3, 0])] -= hole.field_meV / 1000
        stiff = LigandFieldParameters(
            racah_B_eV=0.0, racah_C_eV=0.0, zeta_eV=2 * hole.spin_orbit_meV / 1000, exchange_eV=4 * strength_eV
        )
        energies = 1000 * LigandFieldModel(stiff, 7).ground_energies([electron], n)[0]
        left.append(np.ptp(energies - expected))
    assert np.ptp(expected) > 15.0
    assert left[0] < 0.2
    assert left[1] == pytest.approx(left[0] / 10, rel=0.05)


def test_split_doublet_is_second_order():
    """Two real orbitals of one axis couple along it: E = E_0 - (lambda <0|L.n|1>)^2 / (E_1 - E_0)."""
    gap, size = 4000.0, 10.0
    far = field((0.0, gap, 1e7), spin_orbit=size)
    along = float(far.energies([TRIGONAL])[0])
    assert along == pytest.approx(-(size**2) / gap, rel=1e-3)
    assert far.orbital_moments_muB([TRIGONAL])[0] == pytest.approx(2 * size / gap, rel=1e-3)


def test_energies_of_cobalt_ferrite_give_the_measured_order_of_magnitude():
    """Real holes at 80.7 and 116 meV, lambda 38.3 meV: K1 2.7 MJ/m3, and 2.0 with k = 0.9; measured about 2 at 0 K."""
    default = np.array([0.752, 0.466, 0.466]) / np.linalg.norm([0.752, 0.466, 0.466])
    odd = np.array([0.0, 1.0, -1.0]) / np.sqrt(2)
    made = field((0.0, 80.7, 116.05), (default, odd, np.cross(default, odd)))
    assert cubic_anisotropy([made], VOLUME_A3).K1_MJ_per_m3 == pytest.approx(2.7, abs=0.1)
    reduced = cubic_anisotropy([made], VOLUME_A3, orbital_reduction=0.9)
    assert reduced.K1_MJ_per_m3 == pytest.approx(2.0, abs=0.1)
    assert cubic_anisotropy([made], VOLUME_A3, 300.0).K1_MJ_per_m3 < 0.7 * 2.7
    assert 0.3 < reduced.orbital_moment_100_muB < 0.6


def test_error_of_k1_grows_with_overlap_and_with_a_broken_symmetry():
    """Orthogonal holes that obey their site leave only the energies' own error; either fault adds to it."""
    thirds = 2 * np.pi / 3
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    turns = [np.eye(3) + np.sin(n * thirds) * cross + (1 - np.cos(n * thirds)) * cross @ cross for n in range(3)]
    clean = cubic_anisotropy([field((0.0, 0.0, 100.0))], VOLUME_A3, rotations=[np.array(turns)])
    assert clean.K1_error_parts_MJ_per_m3[OVERLAP] == pytest.approx(0.0, abs=1e-9)
    assert clean.K1_error_parts_MJ_per_m3[SYMMETRY] == pytest.approx(0.0, abs=1e-9)
    assert clean.K1_error_MJ_per_m3 == pytest.approx(clean.K1_error_parts_MJ_per_m3[ENERGIES])
    # A threefold axis cannot part the doublet: what parts it is an error, and half of it stays in the mean.
    parted = field((0.0, 20.0, 100.0))
    assert symmetrised(parted, turns).energies_meV == pytest.approx([0.0, 0.0, 90.0])
    broken = cubic_anisotropy([parted], VOLUME_A3, rotations=[np.array(turns)])
    whole = cubic_anisotropy([symmetrised(parted, turns)], VOLUME_A3)
    assert broken.K1_error_parts_MJ_per_m3[SYMMETRY] == pytest.approx(abs(whole.K1_MJ_per_m3 - broken.K1_MJ_per_m3))
    assert broken.K1_error_parts_MJ_per_m3[SYMMETRY] > 0.5
    tilted = np.array([*ACROSS, TRIGONAL]) + 0.25 * np.array([TRIGONAL, np.zeros(3), np.zeros(3)])
    slanted = cubic_anisotropy([field((0.0, 40.0, 100.0), tilted)], VOLUME_A3)
    assert slanted.K1_error_parts_MJ_per_m3[OVERLAP] > 0.1
    assert SYMMETRY not in slanted.K1_error_parts_MJ_per_m3
    assert slanted.K1_error_MJ_per_m3**2 == pytest.approx(
        sum(part**2 for part in slanted.K1_error_parts_MJ_per_m3.values())
    )


def test_rotations_of_a_site_are_its_own():
    """B site of a spinel with all B ions alike: D3d, twelve operations, all fixing its <111> axis up to its sense."""
    cell = get_host("cofe2o4").structure("normal")
    site = next(i for i, s in enumerate(cell) if s.properties["sublattice"] == "B")
    turns = site_rotations(cell, site)
    assert len(turns) == 12
    assert np.allclose(np.linalg.det(turns), 1.0)
    diagonals = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
    assert sum(np.allclose(np.abs(turns @ d @ d), 1.0) for d in diagonals) == 1


def test_map_turns_with_the_crystal_and_is_even():
    turn = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    n = lebedev_directions(9).vectors
    plain = field((0.0, 40.0, 90.0))
    turned = field((0.0, 40.0, 90.0), axes=np.eye(3) @ turn)
    assert np.allclose(turned.energies(n @ turn), plain.energies(n), atol=1e-9)


def test_orbitals_found_need_not_be_quite_orthogonal():
    tilted = np.array([[1.0, 0.1, 0.0], [0.0, 1.0, 0.1], [0.05, 0.0, 1.0]])
    made = orthonormal(tilted)
    assert np.allclose(made @ made.T, np.eye(3))
    assert np.min(np.diag(made @ tilted.T)) > 0.98


def test_two_states_that_are_one_are_refused():
    with pytest.raises(ValueError, match=r"overlap by 1\.00; at most 0\.3"):
        orthonormal([[1.0, 0, 0], [1.0, 0, 0], [0, 0, 1.0]])


@pytest.mark.parametrize(
    ("change", "match"), [({"temperature_K": -1.0}, "-1.0 K"), ({"orbital_reduction": 1.5}, "1.5")]
)
def test_absurd_conditions_are_refused(change, match):
    with pytest.raises(ValueError, match=match):
        field((0.0, 1.0, 2.0)).energies([[0, 0, 1.0]], **change)


def test_kept_holes_of_cobalt_ferrite_give_what_the_formulation_prints(repository):
    (found,) = load_reference_calculations()["imma-pw400-k2-holes"].holes
    assert not invalid_because(found.checks)
    assert sorted(found.energies_meV) == pytest.approx([0.0, 34.7, 102.0], abs=0.1)
    made = [cubic_anisotropy([found], VOLUME_A3, orbital_reduction=k) for k in (1.0, 0.9, 0.8)]
    printed = ", ".join(f"{m.K1_MJ_per_m3:.1f}" for m in made[:2]) + f" and {made[2].K1_MJ_per_m3:.1f} MJ/m³"
    text = " ".join((repository / "docs" / "formulation.md").read_text(encoding="utf-8").split())
    assert f"L = {made[0].orbital_moment_100_muB:.2f} μB along ⟨100⟩ and K₁ = {printed}" in text
    assert f"{cubic_anisotropy([found], VOLUME_A3, 300.0).K1_MJ_per_m3:.1f} MJ/m³ at 300 K" in text
    assert f"λ = {found.spin_orbit_meV:.1f} meV" in text
    for u in (3, 4):
        (other,) = load_reference_calculations()[f"imma-pw400-k2-u{u}{u}-holes"].holes
        assert not invalid_because(other.checks)
        low, middle, high = sorted(other.energies_meV)
        assert f"{low:.0f}, {middle:.0f} and {high:.0f} meV with" in text
