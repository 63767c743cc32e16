"""Evanescent states against chains whose decay is known in closed form."""

import numpy as np
import pytest
from magnetoionics.analysis.device.complex_bands import decay_constant_per_A, hopping_blocks
from scipy.constants import electron_volt, hbar, m_e

PERIOD_A = 2.5
K = np.arange(-3, 4) / 7


def blocks(bloch):
    return hopping_blocks(np.array([bloch(2 * np.pi * k) for k in K]), K)


ONE = blocks(lambda _: np.eye(1))


@pytest.mark.parametrize("energy", [-3.0, -2.01, 2.5, 7.0])
def test_outside_its_band_a_chain_of_neighbours_decays_by_the_inverse_hyperbolic_cosine(energy):
    chain = blocks(lambda k: [[-2 * np.cos(k)]])
    assert decay_constant_per_A(chain, ONE, PERIOD_A, energy) == pytest.approx(np.arccosh(abs(energy) / 2) / PERIOD_A)


def test_inside_its_band_nothing_decays():
    assert decay_constant_per_A(blocks(lambda k: [[-2 * np.cos(k)]]), ONE, PERIOD_A, 0.7) == 0.0


def test_two_hoppings_decay_in_the_middle_of_their_gap_by_the_logarithm_of_their_ratio():
    """Su-Schrieffer-Heeger chain: at E = 0 an amplitude falls by w/v from cell to cell."""
    chain = blocks(lambda k: [[0, 1.0 + 0.4 * np.exp(-1j * k)], [1.0 + 0.4 * np.exp(1j * k), 0]])
    two = blocks(lambda _: np.eye(2))
    assert decay_constant_per_A(chain, two, PERIOD_A, 0.0) == pytest.approx(np.log(1 / 0.4) / PERIOD_A)
    v, w, energy = 1.0, 0.4, 0.3
    expected = np.arccosh((v**2 + w**2 - energy**2) / (2 * v * w)) / PERIOD_A
    assert decay_constant_per_A(chain, two, PERIOD_A, energy) == pytest.approx(expected)


def test_the_slower_of_two_chains_and_further_neighbours_count():
    both = blocks(lambda k: np.diag([-2 * np.cos(k), -np.cos(k)]))
    two = blocks(lambda _: np.eye(2))
    assert decay_constant_per_A(both, two, PERIOD_A, 3.0) == pytest.approx(np.arccosh(1.5) / PERIOD_A)
    further = blocks(lambda k: [[-2 * np.cos(k) - 0.6 * np.cos(2 * k)]])
    kappa = decay_constant_per_A(further, ONE, PERIOD_A, -4.0)
    assert -2 * np.cosh(kappa * PERIOD_A) - 0.6 * np.cosh(2 * kappa * PERIOD_A) == pytest.approx(-4.0)


def test_orbitals_that_overlap_decay_as_the_same_chain_does():
    """(E S - H) of the overlapping chain is that of another one with its hopping shifted by the energy."""
    overlap = blocks(lambda k: [[1 + 0.2 * np.cos(k)]])
    energy = 4.0
    expected = np.arccosh(energy / (2 + 0.2 * energy)) / PERIOD_A
    assert decay_constant_per_A(blocks(lambda k: [[-2 * np.cos(k)]]), overlap, PERIOD_A, energy) == pytest.approx(
        expected
    )


def test_below_a_parabola_it_is_the_decay_of_a_free_electron():
    """On a fine grid a barrier of 0.1 eV gives sqrt(2 m V)/hbar."""
    step_A = 0.05
    hopping = hbar**2 / (2 * m_e * (step_A * 1e-10) ** 2) / electron_volt
    grid = blocks(lambda k: [[2 * hopping * (1 - np.cos(k))]])
    free = np.sqrt(2 * m_e * 0.1 * electron_volt) / hbar * 1e-10
    assert decay_constant_per_A(grid, ONE, step_A, -0.1) == pytest.approx(free, rel=1e-4)


def test_meshes_and_blocks_that_cannot_be_right_are_refused():
    with pytest.raises(ValueError, match="odd number of equally spaced"):
        hopping_blocks(np.ones((4, 1, 1)), [0, 0.25, 0.5, 0.75])
    with pytest.raises(ValueError, match="odd number of equally spaced"):
        hopping_blocks(np.ones((3, 1, 1)), [0, 0.1, 0.2])
    far = blocks(lambda k: [[-2 * np.cos(3 * k)]])
    with pytest.raises(ValueError, match="3 periods apart"):
        decay_constant_per_A(far, ONE, PERIOD_A, 0.0)
    with pytest.raises(ValueError, match="positive"):
        decay_constant_per_A(ONE, ONE, -1.0, 0.0)
    with pytest.raises(ValueError, match="do not couple"):
        decay_constant_per_A(ONE, ONE, PERIOD_A, 0.0)
