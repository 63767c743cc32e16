"""Uniaxial constants against known energies and closed forms."""

import numpy as np
import pytest
from magnetoionics.analysis.magnetism.anisotropy import AnisotropySummary, summarise
from magnetoionics.analysis.magnetism.uniaxial import quadrupole_tensor, uniaxial_constants
from maps import even_energy, make_map

AXIS = np.array([2.0, -1.0, 2.0]) / 3


def known(k1, k2, k3):
    def energy(n):
        x = 1 - (n @ AXIS) ** 2
        return k1 * x + k2 * x**2 + k3 * x**3

    return energy


@pytest.mark.parametrize(("k1", "k2", "k3"), [(1.0, 0.0, 0.0), (-0.7, 0.2, 0.0), (0.8, -0.3, 0.25)])
def test_known_constants_are_recovered(k1, k2, k3):
    found = uniaxial_constants(make_map(known(k1, k2, k3)))
    assert np.allclose(found.Ku_meV_per_cell, [k1, k2, k3], atol=1e-9)
    assert abs(AXIS @ found.axis) == pytest.approx(1, abs=1e-9)
    # 1 meV per 600 A^3 = 0.267 MJ/m^3
    assert found.Ku_MJ_per_m3[0] == pytest.approx(k1 * 1.602176634e-22 / 600e-30 / 1e6, rel=1e-9)
    assert found.Ku1_meV_per_formula == pytest.approx(k1 / 8, rel=1e-9)
    assert found.across_minus_along_meV == pytest.approx(k1 + k2 + k3, abs=1e-9)
    assert found.rest_rms_meV < 1e-7
    assert found.biaxiality < 1e-9


def test_average_around_any_axis_is_what_ku_says():
    """Energies around circles at three angles, averaged by hand; what Ku leaves is the rest."""
    map_ = make_map(even_energy(6))
    found = uniaxial_constants(map_, axis=AXIS)
    side = np.cross(AXIS, [0, 0, 1.0]) / np.linalg.norm(np.cross(AXIS, [0, 0, 1.0]))
    other, turn = np.cross(AXIS, side), 2 * np.pi * np.arange(48) / 48
    base = even_energy(6)(AXIS[None])[0]
    for theta in (0.4, 1.1, np.pi / 2):
        ring = np.cos(theta) * AXIS + np.sin(theta) * (np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * other)
        x = np.sin(theta) ** 2
        said = float(np.dot(found.Ku_meV_per_cell, [x, x**2, x**3]))
        assert even_energy(6)(ring).mean() - base == pytest.approx(said, abs=1e-9)
    n = np.random.default_rng(0).normal(size=(40_000, 3))
    n /= np.linalg.norm(n, axis=1)[:, None]
    x = 1 - (n @ AXIS) ** 2
    left = even_energy(6)(n) - np.stack([x, x**2, x**3], axis=1) @ found.Ku_meV_per_cell
    assert np.std(left) == pytest.approx(found.rest_rms_meV, rel=0.02)


def test_l2_part_is_a_traceless_tensor():
    tensor = np.array([[0.3, 0.1, -0.2], [0.1, -0.5, 0.4], [-0.2, 0.4, 0.2]])
    map_ = make_map(lambda n: np.einsum("ni,ij,nj->n", n, tensor, n))
    assert np.allclose(quadrupole_tensor(map_.fit()), tensor, atol=1e-12)


def test_biaxial_map_says_how_far_it_is_from_uniaxial():
    found = uniaxial_constants(make_map(lambda n: n[:, 0] ** 2 - n[:, 2] ** 2))
    assert found.biaxiality == pytest.approx(1, abs=1e-9)
    # <(x^2 - z^2)^2> = 4/15, of which the zonal part holds (3/2)^2 <(z^2 - 1/3)^2> = 1/5.
    assert found.rest_rms_meV == pytest.approx(np.sqrt(4 / 15 - 1 / 5), rel=1e-9)


def test_cubic_map_has_no_ku_unless_an_axis_is_named():
    def cubic(n):
        a, b, c = (n**2).T
        return a * b + b * c + c * a

    map_ = make_map(cubic)
    with pytest.raises(ValueError, match="no axis is distinguished"):
        uniaxial_constants(map_)
    assert summarise(map_).uniaxial is None
    # Around [001] the average of K1 is sin^2 - (7/8) sin^4.
    assert np.allclose(uniaxial_constants(map_, axis=[0, 0, 2]).Ku_meV_per_cell, [1, -7 / 8, 0], atol=1e-9)
    with pytest.raises(ValueError, match="no length"):
        uniaxial_constants(map_, axis=[0, 0, 0])


def test_errors_are_the_scatter():
    rng, clean, found, said = np.random.default_rng(4), make_map(known(1.0, 0.3, 0.0)), [], []
    for _ in range(200):
        noisy = clean.energies + rng.normal(0, 0.01, len(clean.energies))
        one = uniaxial_constants(clean.model_copy(update={"energies_meV": noisy.tolist()}), axis=AXIS)
        found.append(one.Ku_meV_per_cell)
        said.append(one.Ku_errors_meV_per_cell)
    assert np.sqrt(np.mean(np.square(said), axis=0)) == pytest.approx(np.std(found, axis=0), rel=0.2)


def test_summary_holds_it_and_survives_json():
    summary = summarise(make_map(known(1.0, 0.0, 0.0)))
    assert summary.uniaxial.Ku_meV_per_cell[0] == pytest.approx(1, abs=1e-9)
    assert AnisotropySummary.model_validate_json(summary.model_dump_json()) == summary
