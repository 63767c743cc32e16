"""Loops against Stoner and Wohlfarth, shifts against Meiklejohn and Bean, pulses against the two-state law."""

import json

import numpy as np
import pytest
from magnetoionics.analysis.kinetics.rates import rate_per_s, two_state_population
from magnetoionics.analysis.magnetism.anisotropy import AnisotropyMap
from magnetoionics.analysis.magnetism.directions import lebedev_directions
from magnetoionics.analysis.magnetism.hysteresis import (
    MEV_PER_MUB_T,
    Loop,
    loop_of,
    particle_loop,
    switching_path,
)
from magnetoionics.analysis.magnetism.unidirectional import exchange_bias_T, u_model
from magnetoionics.analysis.results.document import Provenance

MOMENT = 20.0
ANISOTROPY_meV = 1.0
# Anisotropy field 2K/m.
FIELD_T = 2 * ANISOTROPY_meV / (MOMENT * MEV_PER_MUB_T)


def uniaxial(n):
    return ANISOTROPY_meV * (1 - n[:, 2] ** 2)


def stoner_wohlfarth_switching(angle_deg):
    """Switching field over 2K/M, (cos^(2/3) + sin^(2/3))^(-3/2) (10.1098/rsta.1948.0007)."""
    angle = np.radians(angle_deg)
    return (np.abs(np.cos(angle)) ** (2 / 3) + np.abs(np.sin(angle)) ** (2 / 3)) ** -1.5


@pytest.mark.parametrize("angle", [10, 45, 70])
def test_switching_field_is_the_astroid(angle):
    axis = [np.sin(np.radians(angle)), 0, np.cos(np.radians(angle))]
    loop = loop_of(uniaxial, MOMENT, axis, maximum_T=1.5 * FIELD_T, points=61)
    m, f = np.array(loop.along[:61]), np.array(loop.fields_T[:61])
    jump = f[int(np.argmin(np.diff(m))) + 1]
    step = 3 * FIELD_T / 60
    assert -jump / FIELD_T == pytest.approx(stoner_wohlfarth_switching(angle), abs=1.1 * step / FIELD_T)
    assert loop.remanence == pytest.approx(np.cos(np.radians(angle)), abs=1e-3)
    assert abs(loop.shift_T) < 1e-3 * FIELD_T


def test_a_loop_that_never_crosses_zero_is_read_back():
    loop = loop_of(uniaxial, MOMENT, [0, 0, 1], u_meV=[0, 0, 50.0], maximum_T=FIELD_T, points=11)
    assert loop.shift_T is None
    said = loop.model_dump(mode="json")
    assert Loop.model_validate(json.loads(json.dumps(said))) == loop
    older = json.dumps(said | {"shift_T": float("nan"), "coercive_T": float("nan")})
    assert Loop.model_validate_json(older) == loop


def test_astroid_closed_form():
    assert stoner_wohlfarth_switching(45) == pytest.approx(0.5)
    assert stoner_wohlfarth_switching(0) == pytest.approx(1.0)
    assert stoner_wohlfarth_switching(90) == pytest.approx(1.0)


def test_random_particles():
    """Mean over fields at random to the axis: 1/2 stays, and half of it is left at 0.479 of 2K/M."""
    cosines, weights = np.polynomial.legendre.leggauss(16)
    points, down = 81, []
    for c in (cosines + 1) / 2:
        made = loop_of(uniaxial, MOMENT, [np.sqrt(1 - c**2), 0, c], maximum_T=1.2 * FIELD_T, points=points)
        down.append(made.along[:points])
    mean, fields = weights @ np.array(down) / 2, np.array(made.fields_T[:points]) / FIELD_T
    assert np.interp(0.0, fields[::-1], mean[::-1]) == pytest.approx(0.5, abs=2e-3)
    assert -np.interp(0.0, mean[::-1], fields[::-1]) == pytest.approx(0.479, abs=0.015)


def test_u_shifts_the_loop_as_meiklejohn_and_bean_say():
    points, u = 41, 0.5
    free = loop_of(uniaxial, MOMENT, [0, 0, 1], maximum_T=3 * FIELD_T, points=points)
    biased = loop_of(uniaxial, MOMENT, [0, 0, 1], u_meV=[0, 0, u], maximum_T=3 * FIELD_T, points=points)
    # The nudge off the saddle turns the moment a little before the exact field.
    assert biased.shift_T == pytest.approx(-exchange_bias_T(u, MOMENT), abs=1e-3 * FIELD_T)
    assert biased.coercive_T == pytest.approx(free.coercive_T, abs=1e-3 * FIELD_T)
    assert free.coercive_T == pytest.approx(FIELD_T, rel=1e-3)


def test_loop_of_a_map_uses_its_energies():
    directions = lebedev_directions(9).vectors
    map_ = AnisotropyMap(
        state="x",
        directions=directions.tolist(),
        energies_meV=uniaxial(directions).tolist(),
        cell_volume_A3=600.0,
        formula_units=8,
        ions="test",
        provenance=Provenance(engine="test", level_of_theory="arithmetic"),
    )
    loop = particle_loop(map_, -MOMENT, [0, 0, 2.0], points=41)
    assert loop.coercive_T == pytest.approx(FIELD_T, rel=0.15)
    assert loop.remanence == pytest.approx(1.0, abs=1e-6)
    with pytest.raises(ValueError, match="no loop"):
        particle_loop(map_, 0.0, [0, 0, 1])
    with pytest.raises(ValueError, match="length"):
        particle_loop(map_, 1.0, [0, 0, 0])


def population(start, field, duration):
    half = 2 * 2.967e-10 / 2 * field
    forward, backward = (rate_per_s(0.6 - sign * half, 300.0) for sign in (1, -1))
    return float(two_state_population(duration, start, forward, backward))


def test_pulse_writes_the_part_of_u_that_a_mirror_reverses():
    p, d, none = np.array([1.0, 0, 0]), np.array([0, 0.3, -0.2]), np.zeros((3, 3))
    before, after = u_model(0.5, d, none, p), u_model(0.5, np.diag([1.0, -1, -1]) @ d, none, p)
    path = switching_path(before, after, [(3e8, 1.0), (-3e8, 1.0)], population, reference="A sublattice")
    shares = [s.population_after for s in path.steps]
    assert shares[0] == 0
    assert shares[1] > 0.99
    assert shares[2] < 0.01
    assert np.allclose(path.steps[1].u_meV, after, atol=1e-2)
    assert np.allclose(path.unchanged_part_meV, [0.5, 0, 0])
    assert np.linalg.norm(path.reversed_part_meV) == pytest.approx(np.linalg.norm(np.cross(p, d)))
    assert "writes +-0.361 meV" in path.verdict


def test_no_reference_no_sense():
    path = switching_path([0, 0, 0], [0, 0, 0], [(1e8, 1.0)], population, reference=None)
    assert path.verdict.startswith("axes only")
    with pytest.raises(ValueError, match="time reversal"):
        switching_path([0, 0, 1], [0, 0, 0], [(1e8, 1.0)], population, reference=None)
    with pytest.raises(ValueError, match="pulse"):
        switching_path([0, 0, 0], [0, 0, 0], [], population, reference=None)
