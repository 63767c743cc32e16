"""A grain of a film: Stoner-Wohlfarth's fields, Sharrock's coercivity, shape, strain and bias."""

import numpy as np
import pytest
from magnetoionics.analysis.magnetism.anisotropy import AnisotropyMap
from magnetoionics.analysis.magnetism.directions import lebedev_directions
from magnetoionics.analysis.magnetism.grain import (
    MAGNETOELASTIC,
    Grain,
    Magnetoelastic,
    coercive_field_T,
    grain_state,
    magnetisation_A_per_m,
)
from magnetoionics.workflows.engine import get_engine
from scipy import constants as c
from scipy.optimize import brentq

MEV_PER_A3 = 160.2176634
M = 3e5
Z = np.array([0.0, 0.0, 1.0])
ELASTIC = Magnetoelastic(-590e-6, 120e-6, 257.0, 150.0, 85.0, "test")


def map_of(energy, volume=100.0):
    """E(n) from MJ/m3."""
    vectors = lebedev_directions(15).vectors
    values = energy(vectors) * volume / MEV_PER_A3
    return AnisotropyMap(
        state="after", directions=vectors.tolist(), energies_meV=(values - values.min()).tolist(),
        cell_volume_A3=volume, formula_units=1.0, ions="", provenance=get_engine("local").provenance(),
    )  # fmt: skip


def grain(**changes):
    given = {
        "volume_m3": 1e-24, "temperature_K": 300.0, "sweep_T_per_s": 0.01, "attempt_Hz": 1e9,
        "magnetisation_A_per_m": M, "shape_factor": 0.0, "normal": Z,
    }  # fmt: skip
    return Grain(**{**given, **changes})


def uniaxial(k):
    return lambda n: -k * n[:, 2] ** 2


def cubic(k):
    return lambda n: k * (n[:, 0] ** 2 * n[:, 1] ** 2 + n[:, 1] ** 2 * n[:, 2] ** 2 + n[:, 2] ** 2 * n[:, 0] ** 2)


def test_uniaxial_grain():
    """Barrier K, switching field 2K/M, K V/kT with the grain's volume."""
    found = grain_state(map_of(uniaxial(0.2)), grain())
    assert abs(found.easy_axis[2]) == pytest.approx(1.0, abs=1e-6)
    assert found.barrier_MJ_per_m3 == pytest.approx(0.2, rel=0.01)
    assert found.switching_0K_T == pytest.approx(2 * 0.2e6 / M, rel=1e-3)
    assert found.stability == pytest.approx(found.barrier_MJ_per_m3 * 1e6 * 1e-24 / (c.k * 300))
    assert found.crystal_MJ_per_m3 == pytest.approx(-0.2, rel=1e-6)


@pytest.mark.parametrize(("k", "barrier", "field"), [(0.3, 1 / 4, 2.0), (-0.3, 1 / 12, 4 / 3)])
def test_cubic_grain(k, barrier, field):
    """K1 > 0: over <110>, K1/4 and 2K1/M; K1 < 0: from <111> over <110>, |K1|/12 and 4|K1|/(3M)."""
    found = grain_state(map_of(cubic(k)), grain())
    assert found.barrier_MJ_per_m3 == pytest.approx(barrier * abs(k), rel=0.02)
    assert found.switching_0K_T == pytest.approx(field * abs(k) * 1e6 / M, rel=2e-3)


def sharrock_T(b0, stability, sweep, attempt_Hz):
    """B0 {1 - sqrt[ln(f0 t / ln 2) / stability]} with t = B0 / [2 stability R (1 - B/B0)]; 10.1063/1.358282."""

    def excess(x):
        seconds = b0 / (2 * stability * sweep * (1 - x))
        return x - 1 + np.sqrt(max(np.log(attempt_Hz * seconds / np.log(2)), 0.0) / stability)

    return b0 * brentq(excess, 0.0, 1 - 1e-9)


@pytest.mark.parametrize("stability", [60.0, 100.0, 300.0])
@pytest.mark.parametrize("sweep", [1e-3, 0.1, 1e3])
def test_coercive_field_is_sharrock_s(stability, sweep):
    found = coercive_field_T(1.3, stability, sweep, 1e9)
    assert found == pytest.approx(sharrock_T(1.3, stability, sweep, 1e9), rel=0.02)
    assert 0 < found < 1.3


def test_limits_of_the_coercive_field():
    assert coercive_field_T(1.3, 1e7, 0.01, 1e9) == pytest.approx(1.3, rel=0.01)
    assert coercive_field_T(1.3, 60.0, 1e13, 1e9) == 1.3
    # Superparamagnetic: turned before the field starts to count.
    assert coercive_field_T(1.3, 15.0, 1e-6, 1e9) == 0.0
    rates = [coercive_field_T(1.3, 80.0, r, 1e9) for r in (1e-3, 1.0, 1e3)]
    assert rates == sorted(rates)
    with pytest.raises(ValueError, match="must be positive"):
        coercive_field_T(1.3, 80.0, 0.0, 1e9)


def test_a_film_adds_its_shape():
    """A uniaxial film lies in its plane once mu0 M^2/2 exceeds K."""
    shape = 0.5e-6 * c.mu_0 * M**2
    weak, strong = (grain_state(map_of(uniaxial(k)), grain(shape_factor=1.0)) for k in (0.5 * shape, 2.0 * shape))
    assert weak.shape_MJ_per_m3 == pytest.approx(shape)
    assert abs(weak.easy_axis[2]) < 1e-3
    assert abs(strong.easy_axis[2]) > 0.999
    assert strong.barrier_MJ_per_m3 == pytest.approx(shape, rel=0.02)
    assert magnetisation_A_per_m(3.0, 73.9) == pytest.approx(3.0 * 9.2740100783e-24 / 73.9e-30)


def test_strain_of_a_001_film_has_its_closed_form():
    """e_zz = -2 (c12/c11) e, and K = -B1 (1 + 2 c12/c11) e along the normal less in the plane: B1 = 94.7 MJ/m3."""
    strain = ELASTIC.strain_of_film(0.01, Z)
    assert np.allclose(strain, np.diag([0.01, 0.01, -0.02 * 150 / 257]), atol=1e-12)
    assert ELASTIC.b1_MJ_per_m3 == pytest.approx(1.5 * 590e-6 * 107e3)
    found = grain_state(map_of(uniaxial(0.0)), grain(), elastic=ELASTIC, in_plane_strain=0.01)
    expected = -ELASTIC.b1_MJ_per_m3 * 0.01 * (1 + 2 * 150 / 257)
    assert found.strain_MJ_per_m3 == pytest.approx(expected)
    # Stretched in its plane, CoFe2O4 (negative lambda100) is magnetised across it.
    assert abs(found.easy_axis[2]) > 0.999


def test_a_free_surface_has_no_stress_and_a_111_film_feels_lambda111():
    for normal in ([1, 1, 0], [1, 1, 1], [1, 2, 3]):
        strain = ELASTIC.strain_of_film(0.01, normal)
        assert np.allclose(ELASTIC._stress(strain) @ np.array(normal), 0, atol=1e-9)
        assert np.allclose(strain, strain.T)
    # Elongation of a crystal strained by its own magnetisation along [111] is lambda111: the minimum of elastic and
    # magnetoelastic energy, -B2/(3 c44).
    assert -ELASTIC.b2_MJ_per_m3 / (3e3 * ELASTIC.c44_GPa) == pytest.approx(120e-6)
    assert -2 * ELASTIC.b1_MJ_per_m3 / (3e3 * (257.0 - 150.0)) == pytest.approx(-590e-6)
    assert MAGNETOELASTIC["cofe2o4"].source


def test_bias_is_held_against_the_barrier_and_kt():
    """E = K sin^2 - u cos loses its second minimum at u = 2K; between the senses of a grain lies 2uV."""
    volume = 100.0
    u = np.array([0.0, 0.0, 0.1 * volume / MEV_PER_A3])
    found = grain_state(map_of(uniaxial(0.2), volume), grain(), u_meV=u)
    assert found.bias_over_barrier == pytest.approx(0.5, rel=0.01)
    assert found.bias_over_kT == pytest.approx(2 * 0.1e6 * 1e-24 / (c.k * 300), rel=1e-6)
    assert grain_state(map_of(uniaxial(0.2)), grain()).bias_over_kT is None
