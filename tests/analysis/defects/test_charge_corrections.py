"""Charge corrections: closed forms, scaling laws, and two libraries on one synthetic defect."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from magnetoionics.analysis.defects.charge_corrections import (
    PlanarPotential,
    SitePotentials,
    efnv_correction,
    freysoldt_correction,
    point_charge_correction,
    point_charge_eV,
)
from magnetoionics.structures.units import COULOMB_eV_A
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

CUBE = np.eye(3)
BCC = np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]) / 2
FCC = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2


def makov_payne_eV(charge, length_A, dielectric=1.0):
    """q^2 alpha k_e / (2 eps L) of a cubic cell (10.1103/PhysRevB.51.4014), with alpha of the simple cubic lattice."""
    return 2.837297479480619 * COULOMB_eV_A * charge**2 / (2 * dielectric * length_A)


def test_makov_payne_closed_form():
    assert makov_payne_eV(1, 10.0) == pytest.approx(2.0428, abs=5e-5)
    # V_Fe''' in the 56-atom cell with eps = 10
    assert makov_payne_eV(-3, 8.39, 10.0) == pytest.approx(2.19, abs=0.01)


def test_the_sum_is_makov_payne_in_a_cube():
    assert point_charge_eV(1, 10 * CUBE, 1.0) == pytest.approx(makov_payne_eV(1, 10.0), abs=1e-9)


@pytest.mark.parametrize(("cell", "coefficient"), [(BCC, 0.895929255682), (FCC, 0.895873615195)])
def test_wigner_lattices_of_bcc_and_fcc(cell, coefficient):
    """Energy per electron of the two Wigner crystals, -A e^2 / 2 r_s with A = 2 x 0.8959 (known constants)."""
    volume = abs(np.linalg.det(cell))
    radius = (3 * volume / (4 * np.pi)) ** (1 / 3)
    assert point_charge_eV(1, cell, 1.0) * radius / COULOMB_eV_A == pytest.approx(coefficient, abs=1e-8)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(1.0, 30.0), min_size=3, max_size=3),
    st.lists(st.floats(-1, 1), min_size=9, max_size=9),
    st.integers(-3, 3),
)
def test_scaling_and_rotation(eigenvalues, shear, charge):
    lattice = 8.0 * np.eye(3) + np.reshape(shear, (3, 3))
    epsilon = np.diag(eigenvalues)
    value = point_charge_eV(charge, lattice, epsilon)
    assert value == pytest.approx(charge**2 * point_charge_eV(1, lattice, epsilon), abs=1e-9)
    assert point_charge_eV(charge, 2 * lattice, epsilon) == pytest.approx(value / 2, abs=1e-8)
    assert point_charge_eV(charge, lattice, 3 * epsilon) == pytest.approx(value / 3, abs=1e-8)
    turn = Rotation.from_rotvec([0.3, -0.8, 0.5]).as_matrix()
    turned = point_charge_eV(charge, lattice @ turn.T, turn @ epsilon @ turn.T)
    assert turned == pytest.approx(value, abs=1e-8)
    # Along its long axes a medium screens most: the value lies between those of the extreme scalars.
    bounds = sorted(point_charge_eV(charge, lattice, e) for e in (min(eigenvalues), max(eigenvalues)))
    if np.allclose(shear, 0):
        assert bounds[0] - 1e-9 <= value <= bounds[1] + 1e-9


def test_impossible_media_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        point_charge_eV(1, 10 * CUBE, 0.5)
    with pytest.raises(ValueError, match="symmetric"):
        point_charge_eV(1, 10 * CUBE, [[5, 1, 0], [0, 5, 0], [0, 0, 5]])
    with pytest.raises(ValueError, match="independent"):
        point_charge_eV(1, [[1, 0, 0], [2, 0, 0], [0, 0, 1]], 5.0)


def test_neutral_cells_need_no_correction():
    made = point_charge_correction(0, 8 * CUBE, 10.0)
    assert made.total_eV == 0.0
    assert made.method == "point charge"


# A rock-salt cube without one anion: the perfect crystal's potential is any number per species, the charged
# cell adds the exact potential of a periodic point charge in the medium, and perhaps a constant.
LENGTH, EPSILON, CHARGE = 10.0, 8.0, 2


def _cells():
    small = Structure.from_spacegroup("Fm-3m", Lattice.cubic(LENGTH / 2), ["Mg", "O"], [[0, 0, 0], [0.5] * 3])
    bulk = small * (2, 2, 2)
    oxygen = next(i for i, s in enumerate(bulk) if s.specie.symbol == "O")
    defect = bulk.copy()
    defect.remove_sites([oxygen])
    return bulk, defect, bulk[oxygen].frac_coords


def _lattice_potential(positions, width_A=0.0):
    """Potential (V) at positions of a periodic charge, Gaussian of a width, mean zero; by Fourier sum."""
    n = 24
    k = 2 * np.pi / LENGTH * np.stack(np.meshgrid(*[np.arange(-n, n + 1)] * 3, indexing="ij"), -1).reshape(-1, 3)
    square = (k**2).sum(axis=1)
    k, square = k[square > 0], square[square > 0]
    weight = np.exp(-square * width_A**2 / 2) / square
    phases = np.cos(positions @ k.T)
    return 4 * np.pi * COULOMB_eV_A * CHARGE / EPSILON / LENGTH**3 * phases @ weight


def _site_documents(constant_V):
    bulk, defect, hole = _cells()
    own = {"Mg": -20.0, "O": 15.0}
    base = SitePotentials(structure=bulk, potentials_V=[own[s.specie.symbol] for s in bulk])
    away = (defect.frac_coords - hole) * LENGTH
    # A narrow Gaussian has the point charge's potential outside, apart from a constant of the mean.
    width = 0.35
    shift = 2 * np.pi * COULOMB_eV_A * CHARGE * width**2 / (EPSILON * LENGTH**3)
    extra = _lattice_potential(away, width) - shift + constant_V
    values = [own[s.specie.symbol] + x for s, x in zip(defect, extra, strict=True)]
    return SitePotentials(structure=defect, potentials_V=values), base


@pytest.mark.parametrize("constant", [0.0, 0.15])
def test_efnv_returns_the_point_charge_and_minus_q_times_a_constant(constant):
    pytest.importorskip("pydefect")
    made = efnv_correction(CHARGE, EPSILON, *_site_documents(constant))
    exact = makov_payne_eV(CHARGE, LENGTH, EPSILON)
    assert made.electrostatic_eV == pytest.approx(exact, abs=1e-4)
    assert made.point_charge_eV == pytest.approx(exact, abs=1e-9)
    assert made.alignment_eV == pytest.approx(-CHARGE * constant, abs=2e-3)
    assert made.total_eV == pytest.approx(exact - CHARGE * constant, abs=2e-3)


@pytest.mark.parametrize("constant", [0.0, 0.15])
def test_freysoldt_agrees_with_efnv_on_the_same_defect(constant):
    pytest.importorskip("pymatgen.analysis.defects.corrections.freysoldt")
    n, width = 60, 0.9 / np.sqrt(2) * 0.529177
    _, _, hole = _cells()
    k = 2 * np.pi / LENGTH * np.arange(1, n // 2)
    planes = []
    for axis in range(3):
        x = (np.arange(n) / n - hole[axis]) * LENGTH
        waves = np.cos(np.outer(x, k)) * 2 * np.exp(-(k**2) * width**2 / 2) / k**2
        electric = 4 * np.pi * COULOMB_eV_A * CHARGE / EPSILON / LENGTH**3 * waves.sum(axis=1)
        # The mean of a potential is lost in a periodic cell; that of the point charge is what counts.
        shift = 2 * np.pi * COULOMB_eV_A * CHARGE * width**2 / (EPSILON * LENGTH**3)
        planes.append(list(-(electric - shift + constant)))
    lattice = (LENGTH * CUBE).tolist()
    made = freysoldt_correction(
        CHARGE,
        EPSILON,
        PlanarPotential(lattice_A=lattice, averages_eV=planes),
        PlanarPotential(lattice_A=lattice, averages_eV=[[0.0] * n] * 3),
        list(hole),
    )
    exact = makov_payne_eV(CHARGE, LENGTH, EPSILON)
    # The library's model charge has a finite width; its own sums stop at 1e-4.
    assert made.total_eV == pytest.approx(exact - CHARGE * constant, abs=0.02)
    assert type(made).model_validate_json(made.model_dump_json()) == made


def test_potentials_of_other_cells_are_refused():
    short = PlanarPotential(lattice_A=(LENGTH * CUBE).tolist(), averages_eV=[[0.0] * 10] * 3)
    longer = PlanarPotential(lattice_A=(LENGTH * CUBE).tolist(), averages_eV=[[0.0] * 12] * 3)
    with pytest.raises(ValueError, match="share cell and grid"):
        freysoldt_correction(1, 5.0, short, longer, [0, 0, 0])
    bulk, defect, _ = _cells()
    squeezed = bulk.copy()
    squeezed.apply_strain(0.01)
    with pytest.raises(ValueError, match="same lattice"):
        efnv_correction(
            1,
            5.0,
            SitePotentials(structure=defect, potentials_V=[0.0] * len(defect)),
            SitePotentials(structure=squeezed, potentials_V=[0.0] * len(squeezed)),
        )
    with pytest.raises(ValueError, match="potentials for"):
        SitePotentials(structure=bulk, potentials_V=[0.0])
