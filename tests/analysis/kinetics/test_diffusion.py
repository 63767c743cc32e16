"""Correlation factors of textbooks, the Einstein relation, and D of a study beside what it was made from."""

import math

import numpy as np
import pytest
from magnetoionics.analysis.kinetics.diffusion import (
    mobility_cm2_per_Vs,
    tracer_diffusivity_cm2_per_s,
    vacancy_correlation_factor,
)

FCC = [[0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
BCC = [[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]]
# K. Compaan and Y. Haven, Trans. Faraday Soc. 52, 786 (1956).
KNOWN = {
    "fcc": (FCC, [[0, 0, 0]], 0.75, 0.7815),
    "simple cubic": (np.eye(3), [[0, 0, 0]], 1.1, 0.6531),
    "bcc": (BCC, [[0, 0, 0]], 0.9, 0.7272),
    "diamond": (FCC, [[0, 0, 0], [0.25, 0.25, 0.25]], 0.45, 0.5),
}


@pytest.mark.parametrize("name", list(KNOWN))
def test_correlation_factors_are_those_of_textbooks(name):
    pytest.importorskip("onsager")
    lattice, sites, cutoff, right = KNOWN[name]
    assert vacancy_correlation_factor(lattice, sites, cutoff) == pytest.approx(right, abs=1e-4)


def test_several_kinds_of_jumps_are_refused():
    pytest.importorskip("onsager")
    with pytest.raises(ValueError, match=r"2 of jumps up to 1\.5 A"):
        vacancy_correlation_factor(np.eye(3), [[0, 0, 0]], 1.5)


def test_einstein_a_walk_spreads_as_its_diffusivity_says():
    """Mean square of 4000 walks of 400 steps against 6 D t."""
    jumps = np.vstack([np.eye(3), -np.eye(3)]) * 3.0
    rate, steps = 1e6, 400
    walks = jumps[np.random.default_rng(5).integers(0, 6, (4000, steps))].sum(axis=1)
    seconds = steps / (6 * rate)
    measured = float(np.mean(np.sum(walks**2, axis=1))) * 1e-16 / (6 * seconds)
    assert tracer_diffusivity_cm2_per_s(1.0, rate, jumps, 1.0) == pytest.approx(measured, rel=0.04)


def test_mobility_is_that_of_einstein():
    """KT at 300 K is 25.85 meV."""
    assert mobility_cm2_per_Vs(1.0, 2.0, 300.0) == pytest.approx(2 / 0.025852, rel=1e-4)
    with pytest.raises(ValueError, match="0"):
        mobility_cm2_per_Vs(1.0, 2.0, 0.0)


@pytest.mark.parametrize("wrong", [{"site_fraction": 1.2}, {"correlation": -0.1}])
def test_shares_lie_between_zero_and_one(wrong):
    given = {"site_fraction": 0.1, "rate_of_jump_per_s": 1.0, "jumps_A": np.eye(3), "correlation": 0.5} | wrong
    with pytest.raises(ValueError, match="between 0 and 1"):
        tracer_diffusivity_cm2_per_s(**given)


def test_d_is_linear_in_what_it_is_made_of():
    base = tracer_diffusivity_cm2_per_s(1e-3, 1e9, np.full((6, 1), 2.9), 2 / 3)
    assert base == pytest.approx(2 / 3 * 1e-3 * 1e9 * 2.9**2 * 1e-16, rel=1e-12, abs=0)
    assert math.isclose(tracer_diffusivity_cm2_per_s(2e-3, 1e9, np.full((6, 1), 2.9), 1 / 3), base)
