"""VASP inputs: functional, U, moments, meshes and symmetry are stated in every file, or refused."""

from itertools import pairwise

import numpy as np
import pytest
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.vasp.order import back_in_order, block_order, in_order
from magnetoionics.workflows.vasp.settings import (
    VaspSettings,
    VaspSettingsError,
    expected_electrons,
    hosts_hubbard_U,
    in_field,
)


@pytest.fixture(scope="module")
def cell():
    return get_host("cofe2o4").structure()


def test_u_is_the_hosts():
    assert hosts_hubbard_U()["Co"] == get_host("cofe2o4").hubbard_U_eV["Co"]
    assert VaspSettings().hubbard_U_eV["Fe"] == get_host("life5o8").hubbard_U_eV["Fe"]


def test_pbesol_with_u_fitted_for_pbe_is_refused():
    with pytest.raises(VaspSettingsError, match="fitted with PBE"):
        VaspSettings(functional="PBEsol")
    stated = VaspSettings(functional="PBEsol", hubbard_U_eV={"Fe": 4.0, "Co": 3.0}, hubbard_fitted_for="PBEsol")
    assert stated.hubbard_U_eV == {"Fe": 4.0, "Co": 3.0}


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"functional": "SCAN"}, "SCAN"),
        ({"hubbard_U_eV": {"Fe": -1.0}}, "outside"),
        ({"ediff_spin_orbit_eV": 1e-5}, "anisotropies"),
        ({"encut_eV": 0.0}, "encut_eV"),
        ({"ncore": 0}, "ncore"),
        ({"kpoint_mesh": (2, 2)}, "three"),
        ({"efield_pead_sign": 0}, "-1 or 1"),
    ],
)
def test_bad_settings_are_refused(options, word):
    with pytest.raises(VaspSettingsError, match=word):
        VaspSettings(**options)


def test_silence_about_u_or_moments_is_refused(cell):
    with pytest.raises(VaspSettingsError, match="no U is stated for Co"):
        VaspSettings(hubbard_U_eV={"Fe": 5.3}).check(cell)
    bare = cell.copy()
    bare.remove_site_property("magmom")
    with pytest.raises(VaspSettingsError, match="magmom"):
        VaspSettings().check(bare)


def test_mesh_follows_the_spacing_and_survives_relaxation(cell):
    settings = VaspSettings()
    mesh = settings.mesh(cell)
    spacing = np.array(cell.lattice.reciprocal_lattice.abc) / mesh
    assert (spacing <= settings.kpoint_spacing_per_A * 1.02).all()
    for scale in (0.985, 1.015):
        assert settings.mesh(cell.copy().apply_strain(scale - 1)) == mesh


def test_long_edges_take_few_points_and_a_field_takes_two(cell):
    big = supercell(cell, (2, 2, 2))
    assert VaspSettings().mesh(big) == [1, 1, 1]
    assert in_field(VaspSettings()).mesh(big) == [2, 2, 2]
    assert VaspSettings(long_edge_kpoints=None, kpoint_spacing_per_A=0.15).mesh(big) == [3, 3, 3]
    # A film: only its long edge is cut, and never below what the spacing asks for.
    assert VaspSettings().mesh(supercell(cell, (2, 1, 1))) == [1, 4, 4]
    assert VaspSettings(long_edge_kpoints=5).mesh(big) == [2, 2, 2]
    # A lattice that relaxes by a per cent keeps its mesh.
    edge = big.lattice.a
    for scale in (0.99, 1.01):
        assert VaspSettings(long_edge_A=edge).mesh(big.copy().apply_strain(scale - 1)) == [1, 1, 1]


def test_order_round_trip_keeps_sites_properties_and_continuity(cell):
    mixed = in_order(cell, np.random.default_rng(1).permutation(len(cell)).tolist())
    order = block_order(mixed)
    ordered = in_order(mixed, order)
    symbols = [s.specie.symbol for s in ordered]
    assert sum(a != b for a, b in pairwise(symbols)) == len(set(symbols)) - 1
    assert ordered == ordered.get_sorted_structure()
    wrapped = ordered.copy()
    for k in range(len(wrapped)):
        wrapped.translate_sites([k], [0.001, 0.0, 0.0], frac_coords=True, to_unit_cell=True)
    back, values = back_in_order(wrapped, order, mixed, [float(m) for m in ordered.site_properties["magmom"]])
    assert values == mixed.site_properties["magmom"]
    assert back.site_properties["sublattice"] == mixed.site_properties["sublattice"]
    assert np.allclose(back.frac_coords - mixed.frac_coords, [0.001, 0, 0], atol=1e-9)


def test_electrons_of_a_cell(cell):
    # 8 Co with 9, 16 Fe_pv with 14, 32 O with 6 electrons.
    assert expected_electrons(cell) == 8 * 9 + 16 * 14 + 32 * 6
    charged = cell.copy()
    charged.set_charge(-3)
    assert expected_electrons(charged) == expected_electrons(cell) + 3


def test_real_space_projection_goes_by_the_edges_of_a_cell(cell):
    """Supercells, which are compared with each other alone; never one of two cells with the same edges."""
    from magnetoionics.workflows.vasp.inputs import static_incar

    settings = VaspSettings(real_space_edge_A=15.0)
    big = supercell(cell, (2, 2, 2))
    assert static_incar(cell, settings)["LREAL"] is False
    shortest = min(big.lattice.abc)
    edge = VaspSettings(real_space_edge_A=shortest)
    empty = big.copy()
    empty.remove_sites([0])
    assert static_incar(big, edge)["LREAL"] == static_incar(empty, edge)["LREAL"] == "Auto"
    squeezed = big.copy()
    squeezed.scale_lattice(0.97**3 * big.volume)
    assert static_incar(squeezed, edge)["LREAL"] is False
    assert static_incar(big, VaspSettings())["LREAL"] is False
    with pytest.raises(VaspSettingsError, match="positive"):
        VaspSettings(real_space_edge_A=0.0)
