"""Stray fields of blocks against magpylib, a dipole and an endless film."""

import numpy as np
import pytest
from magnetoionics.analysis.magnetism.stray_field import (
    Block,
    Tip,
    phase_deg,
    stray_curvature_T_per_m2,
    stray_field_T,
)
from scipy import constants as c

BLOCK = Block((-5e-8, -3e-8, -2e-8), (1e-8, 4e-8, 0.0), 4e5)
POINTS = np.array([[0, 0, 3e-8], [5e-8, -2e-8, 1e-8], [2e-7, 1e-7, 5e-8], [0, 0, -9e-8]])


def test_field_of_a_block_is_magpylib_s():
    magpylib = pytest.importorskip("magpylib")
    peer = magpylib.magnet.Cuboid(
        dimension=(6e-8, 7e-8, 2e-8), position=(-2e-8, 0.5e-8, -1e-8), magnetization=(0, 0, 4e5)
    )
    assert stray_field_T([BLOCK], POINTS) == pytest.approx(peer.getB(POINTS)[:, 2], rel=1e-9)
    h = 2e-10
    three = [peer.getB(POINTS + np.array([0, 0, k * h]))[:, 2] for k in (-1, 0, 1)]
    assert stray_curvature_T_per_m2([BLOCK], POINTS) == pytest.approx(
        (three[0] - 2 * three[1] + three[2]) / h**2, rel=2e-4
    )


def test_far_away_a_block_is_a_dipole():
    """B_z = mu0 m/(2 pi z^3) on the axis, so that the phase is (Q/k) m_tip 6 mu0 m/(pi z^5)."""
    block, z = Block((-1e-9, -1e-9, -1e-9), (1e-9, 1e-9, 1e-9), 4e5), 5e-8
    moment = 4e5 * 8e-27
    point = [[0.0, 0.0, z]]
    assert stray_field_T([block], point)[0] == pytest.approx(c.mu_0 * moment / (2 * np.pi * z**3), rel=2e-3)
    expected = np.degrees(200 / 2.8 * 1e-16 * 6 * c.mu_0 * moment / (np.pi * z**5))
    assert phase_deg([block], point, Tip())[0] == pytest.approx(expected, rel=5e-3)
    assert phase_deg([block], point, Tip(moment_A_m2=-1e-16))[0] == pytest.approx(-expected, rel=5e-3)


def test_a_wide_film_has_no_stray_field():
    """And a stripe of it is seen at its edges alone, with opposite signs on either side."""
    film = Block((-1e-4, -1e-4, -1e-8), (1e-4, 1e-4, 0.0), 4e5)
    small = stray_field_T([BLOCK], [[0, 0, 3e-8]])[0]
    assert abs(stray_field_T([film], [[0, 0, 3e-8]])[0]) < 1e-2 * small
    edge = phase_deg([film], [[1e-4 - 3e-8, 0, 5e-8], [1e-4 + 3e-8, 0, 5e-8]], Tip())
    assert edge[0] > 0 > edge[1]


def test_the_tip_is_above_the_film():
    with pytest.raises(ValueError, match="above the blocks"):
        phase_deg([BLOCK], [[0, 0, -1e-8]], Tip())
    with pytest.raises(ValueError, match="stiffness and quality"):
        Tip(stiffness_N_per_m=0.0)
