"""K1 and K2 against temperature: Brillouin's function, Callen and Callen, Slonczewski's ion, and a study's stage."""

import numpy as np
import pytest
from magnetoionics.analysis.magnetism.anisotropy import AnisotropyMap, cubic_constants
from magnetoionics.analysis.magnetism.directions import lebedev_directions
from magnetoionics.analysis.magnetism.thermal_anisotropy import (
    brillouin_order,
    callen_callen,
    easy_axis_of,
    thermal_anisotropy,
)
from magnetoionics.hpc.errors import UserError
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.engines.local import LocalEngine, single_ion_anisotropy
from magnetoionics.workflows.flows.thermal_anisotropy import temperatures_from
from undrawn_studies import run

MEV_PER_A3 = 160.2176634
K_meV = 0.08617333262


def cubic_map(k1, k2, volume=100.0):
    vectors = lebedev_directions(15).vectors
    a, b, c = (vectors**2).T
    energies = (k1 * (a * b + b * c + c * a) + k2 * a * b * c) * volume / MEV_PER_A3
    return AnisotropyMap(
        state="T", directions=vectors.tolist(), energies_meV=(energies - energies.min()).tolist(),
        cell_volume_A3=volume, formula_units=1.0, ions="", provenance=get_engine("local").provenance(),
    )  # fmt: skip


def test_mean_field_order_has_its_limits():
    """M of S = 1/2 is tanh(m T_C/T); near T_C m^2 = (10/3)(S + 1)^2/((S + 1)^2 + S^2)(1 - T/T_C)."""
    half = brillouin_order(400.0, 800.0, 0.5)
    assert half == pytest.approx(np.tanh(2 * half), abs=1e-9)
    for spin in (0.5, 2.5):
        near = brillouin_order(0.999 * 800, 800.0, spin)
        assert near**2 == pytest.approx(10 / 3 * (spin + 1) ** 2 / ((spin + 1) ** 2 + spin**2) * 1e-3, rel=0.01)
    assert (brillouin_order(0.0, 800.0, 2.5), brillouin_order(800.0, 800.0, 2.5)) == (1.0, 0.0)
    with pytest.raises(ValueError, match="T_C > 0"):
        brillouin_order(300.0, 0.0, 2.5)


def test_power_laws_are_those_of_classical_spins_at_low_temperature():
    """Average of the two harmonics over exp(x cos) about an axis: m^10 and m^21 as x grows, by quadrature."""
    grid, weights = np.polynomial.legendre.leggauss(400)
    weights = weights * np.exp(300.0 * (grid - 1))
    weights /= weights.sum()
    legendre = np.polynomial.legendre.Legendre
    order = weights @ grid
    kappa = [weights @ legendre.basis(degree)(grid) for degree in (4, 6)]
    first, second = callen_callen(2.0, 0.0, [order])
    assert first[0] / 2.0 == pytest.approx(kappa[0], rel=2e-3)
    _, sixth = callen_callen(0.0, 3.0, [order])
    assert sixth[0] / 3.0 == pytest.approx(kappa[1], rel=2e-3)
    # What belongs to l = 4 alone: K1 + K2/11.
    first, second = callen_callen(1.0, -2.0, [order])
    assert first[0] + second[0] / 11 == pytest.approx((1.0 - 2.0 / 11) * kappa[0], rel=2e-3)


def test_easy_axes():
    assert [easy_axis_of(*k) for k in ((1, 0), (-1, 0), (-1, 9), (1, -12), (-1, 2))] == [
        "<100>", "<111>", "<110>", "<111>", "<111>",
    ]  # fmt: skip


def test_constants_of_each_temperature():
    found = thermal_anisotropy(
        [cubic_map(2.0, -1.0), cubic_map(0.5, 0.0)], [0, 300], [1.0, 0.9], ordering_K=800, spin=2.5, order_source="x"
    )
    assert found.K1_MJ_per_m3 == pytest.approx([2.0, 0.5])
    assert found.K2_MJ_per_m3 == pytest.approx([-1.0, 0.0], abs=1e-9)
    assert found.easy_axis == ["<100>", "<100>"]
    assert found.callen_K1_MJ_per_m3[1] == pytest.approx((2 - 1 / 11) * 0.9**10 + 0.9**21 / 11)
    with pytest.raises(ValueError, match="first of them at 0 K"):
        thermal_anisotropy([cubic_map(1, 0)], [300], [1.0], ordering_K=800, spin=2.5, order_source="x")


def test_slonczewski_s_ion_at_300_K():
    """A doublet with X n.m along four axes: f = -kT ln 2cosh(X.n/kT); K1 of 16.605 meV at 0 K is 0.6243 at 300 K."""
    vectors = lebedev_directions(31).vectors
    axes = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
    size, kT = 24.55, K_meV * 300
    energies = (-kT * np.log(2 * np.cosh(size * vectors @ axes.T / kT))).mean(axis=1)
    ion = cubic_map(0, 0).model_copy(
        update={"directions": vectors.tolist(), "energies_meV": (energies - energies.min()).tolist()}
    )
    cubic = 4 * (
        (-kT * np.log(2 * np.cosh(size * axes @ (np.array([1, 1, 0]) / np.sqrt(2)) / kT))).mean()
        - (-kT * np.log(2 * np.cosh(size * axes @ np.array([1.0, 0, 0]) / kT))).mean()
    )
    assert cubic == pytest.approx(0.6243, rel=2e-3)
    assert cubic_constants(ion, average=True).K1_meV_per_cell == pytest.approx(cubic, rel=0.1)


def test_the_stage_follows_m_of_t(tmp_path):
    study = run(
        "cofe2o4:primitive",
        quick=True,
        stages=["temperature"],
        temperature_K="300,1000",
        output=tmp_path / "s",
        quiet=True,
    )
    found = study.observables["temperature"]
    assert found.temperatures_K == [0.0, 300.0, 1000.0]
    assert found.ordering_K == 793
    assert found.order[1] == pytest.approx(brillouin_order(300, 793, 2.5))
    # Above T_C there is no exchange field, and no direction is better than another.
    assert found.K1_MJ_per_m3[2] == pytest.approx(0.0, abs=1e-9)
    assert found.easy_axis[2] == "none"
    # With the exchange fields of 0 K 0.48 MJ/m3 are left of 1.6 at 300 K; fields that follow M(T) leave a little less.
    stiff = single_ion_anisotropy.original(
        LocalEngine().at_temperature(300.0, 1.0),
        study.host.structure,
        directions=lebedev_directions(15).vectors.tolist(),
        state="pristine",
    )
    left = cubic_constants(stiff, average=True).K1_MJ_per_m3
    assert found.K1_MJ_per_m3[0] == pytest.approx(1.59, rel=0.03)
    assert left == pytest.approx(0.48, rel=0.03)
    assert 0.8 * left < found.K1_MJ_per_m3[1] < 0.95 * left
    # With the exchange field of 0 K it falls less: the field weighs the levels against each other.
    assert any("T_C: 793" in m for m in found.measured)
    page = (tmp_path / "s" / "report.html").read_text()
    assert "300" in page
    # Where T_C and the couplings come from stands on the page, not in the file of results alone.
    assert any("lattice and cation order as at 0 K" in line for line in found.assumptions)
    assert "lattice and cation order as at 0 K" in page
    assert study.plot("temperature").axes


def test_refusals(tmp_path):
    for wrong, message in ((float("nan"), "from 0 to 5000"), ("-3", "from 0 to 5000")):
        with pytest.raises(ValueError, match=message):
            temperatures_from(wrong)
    with pytest.raises(ValueError, match="from 0 to 1"):
        LocalEngine().at_temperature(300.0, 1.2)
    with pytest.raises(UserError, match="no cubic parent"):
        run("nio", stages=["temperature"], output=tmp_path / "n", quiet=True)
