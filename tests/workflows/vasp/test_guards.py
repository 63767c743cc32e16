"""Every guard passes what is right and catches the error it is for."""

import numpy as np
import pytest
from magnetoionics.analysis.results.calculation import (
    Check,
    InvalidResultError,
    invalid_because,
    require_valid,
)
from magnetoionics.analysis.results.checks import held
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.thermodynamics.references import CompoundEnergy, fit_species_energies
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.guards import guard, moments_kept, odd_part_is_noise
from magnetoionics.workflows.vasp import guards
from magnetoionics.workflows.vasp.band_judgement import judge_segment
from magnetoionics.workflows.vasp.outcar import constraint_penalty_eV, last_table, vector_table
from magnetoionics.workflows.vasp.settings import VaspBandSettings

START = [5.0, -5.0, 3.0, 0.0]


def test_a_check_that_fails_stops_the_next_step_unless_the_number_does_not_rest_on_it():
    aside = Check(name="sizes of the moments kept", passed=False, invalidates=False)
    require_valid([aside, Check(name="not done", passed=None)], "a relaxation")
    loose = held("forces relaxed", 0.9, 0.01, unit="eV/A")
    with pytest.raises(InvalidResultError, match=r"forces relaxed: 0.9 eV/A, must be below 0.01 eV/A"):
        require_valid([loose], "a relaxation")
    broken = guard("moments kept", False, "a spin flipped")
    with pytest.raises(InvalidResultError, match=r"bulk is invalid.*moments kept: a spin flipped"):
        require_valid([loose, broken], "bulk")
    assert invalid_because([guard("moments kept", True, "not shown")]) == []


@pytest.mark.parametrize(
    ("found", "passed"),
    [
        ([4.2, -4.1, 2.7, 0.1], True),
        ([4.2, 4.1, 2.7, 0.1], False),
        ([4.2, -4.1, 0.3, 0.1], False),
        ([4.2, -4.1], False),
        (None, False),
    ],
    ids=["kept", "flipped", "collapsed", "short", "lost"],
)
def test_moments(found, passed):
    assert moments_kept(START, found).passed is passed


@pytest.mark.parametrize(
    ("energies", "passed"),
    [
        ([-1.0, -1.1, -1.1000001], True),
        ([-1.0, -1.1, -1.2], False),
        ([-1.0] * 5, False),
        ([-1.0], False),
    ],
    ids=["converged", "moving", "cut off", "no loop"],
)
def test_electronic_convergence_is_read_off_the_energies(energies, passed):
    assert guards.electronically_converged(energies, 1e-6, 5).passed is passed


def test_charge_state_and_mesh():
    assert guards.electrons_match(488.0, 488.0).passed
    assert guards.electrons_match(491.0, 488.0).passed is False
    assert guards.electrons_match(None, 488.0).passed is False
    assert guards.mesh_kept((2, 2, 2), [2, 2, 2]).passed
    assert guards.mesh_kept((3, 2, 2), [2, 2, 2]).passed is False
    assert guards.mesh_kept(None, [2, 2, 2]).passed is False
    assert guards.one_kpoint_set([(8, (2, 2, 2))] * 3).passed
    assert guards.one_kpoint_set([(8, (2, 2, 2)), (4, (2, 2, 2))]).passed is False


@pytest.mark.parametrize(
    ("incar", "parameters", "passed"),
    [
        ({"ENCUT": 520.0, "GGA": "Pe", "LCLIMB": True}, {"ENMAX": 520.0}, True),
        ({"ENCUT": 520.0, "GGA": "Pe", "LCLIMB": True}, {"ENMAX": 400.0}, False),
        ({"ENCUT": 520.0, "GGA": "Ps", "LCLIMB": True}, {}, False),
        ({"ENCUT": 520.0, "GGA": "Pe"}, {}, False),
        ({"ENCUT": 520.0, "GGA": "Pe", "LCLIMB": False}, {}, False),
    ],
    ids=["kept", "cut-off", "functional", "climbing unset", "climbing off"],
)
def test_settings(incar, parameters, passed):
    asked = {"ENCUT": 520, "GGA": "PE", "LCLIMB": True}
    assert guards.settings_kept(incar, parameters, asked).passed is passed


def test_spins_must_stay_along_the_direction():
    n = np.array([0.6, 0.0, 0.8])
    moments = np.outer([4.0, -4.0, 2.5], n)
    along = moments @ n
    assert guards.direction_kept(moments, along, n, [0, 1, 2], 2.0).value == pytest.approx(0, abs=1e-4)
    away = np.outer([4.0, -4.0, 2.5], [0.8, 0.0, 0.6])
    check = guards.direction_kept(away, away @ n, n, [0, 1, 2], 2.0)
    assert check.passed is False
    assert check.value == pytest.approx(np.degrees(np.arccos(0.96)), abs=1e-4)
    assert guards.penalty_small(1e-8, 1e-6).passed
    assert guards.penalty_small(1e-4, 1e-6).passed is False
    assert guards.penalty_small(None, 1e-6).passed is False


def test_odd_part_above_the_noise():
    axes = [[0, 0, 1], [0, 0, -1], [1, 0, 0], [-1, 0, 0]]
    even = np.array([0.0, 0.0, 1.0, 1.0])
    small = np.array([0.04, -0.04, 0.0, 0.0])
    assert odd_part_is_noise(axes, even, None).passed
    assert odd_part_is_noise(axes, even + small, None).passed
    assert odd_part_is_noise(axes, even + 5 * small, None).passed is False
    assert odd_part_is_noise(axes, even + small, 0.01).passed is False


def test_a_converged_band_is_not_judged_by_its_raw_forces():
    """A straight path on an inverted parabola: raw forces are large, the force on the band vanishes."""
    cell = get_host("cofe2o4").structure()
    path, energies, forces = [], [], []
    for x in (-0.4, -0.2, 0.0, 0.2, 0.4):
        image = cell.copy()
        image.translate_sites([0], [x, 0, 0], frac_coords=False, to_unit_cell=False)
        force = np.zeros((len(cell), 3))
        force[0, 0] = 4.0 * x
        path.append(image)
        energies.append(-2.0 * x**2)
        forces.append(force)
    checks = {c.name: c for c in judge_segment(path, energies, forces[1:-1], VaspBandSettings(), "segment")}
    assert max(np.abs(f).max() for f in forces[1:-1]) > 0.5
    assert checks["NEB residual of segment"].value == pytest.approx(0, abs=1e-8)
    assert all(c.passed for c in checks.values())
    assert checks["curvature along the path at segment"].value == pytest.approx(-4.0)
    side = [f + np.array([0.0, 0.1, 0.0]) for f in forces]
    bad = {c.name: c for c in judge_segment(path, energies, side[1:-1], VaspBandSettings(), "segment")}
    assert bad["NEB residual of segment"].passed is False
    dipped = [0.0, 0.5, 0.1, 0.6, 0.0]
    hidden = {c.name: c for c in judge_segment(path, dipped, forces[1:-1], VaspBandSettings(), "segment")}
    assert hidden["no minimum inside segment"].value == pytest.approx(0.4)
    assert hidden["no minimum inside segment"].passed is False


def test_energies_of_another_functional_or_u_are_not_mixed():
    def compound(formula, functional="PBE", u=5.3):
        source = Provenance(engine="vasp", tier="VASP", functional=functional, hubbard_U_eV={"Fe": u})
        return CompoundEnergy(formula=formula, model_energy_eV=-10.0, formation_energy_eV=-3.0, provenance=source)

    fit_species_energies([compound("FeO"), compound("Fe2O3")])
    for other in (compound("Fe2O3", functional="PBEsol"), compound("Fe2O3", u=4.0)):
        with pytest.raises(ValueError):
            fit_species_energies([compound("FeO"), other])


def test_tables_of_an_outcar():
    text = "\n".join(
        [
            *(
                f" orbital moment ({axis})\n\n# of ion       s       p       d       tot\n{'-' * 42}\n"
                f"    1        0.000   0.000   {v:.3f}   {v:.3f}\n    2        0.000   0.000  -0.010  -0.010\n"
                f"{'-' * 42}\ntot          0.000   0.000   0.000   0.000\n"
                for axis, v in zip("xyz", (0.1, 0.2, 0.3), strict=True)
            )
        ]
    )
    text = "header\n" + text
    assert last_table(text, "orbital moment (y)").tolist() == [0.2, -0.01]
    assert vector_table(text, "orbital moment")[0].tolist() == [0.1, 0.2, 0.3]
    assert last_table(text, "magnetization (x)") is None
    assert constraint_penalty_eV(" E_p =  0.36856E-07  lambda =  0.500E+02") == pytest.approx(3.6856e-8)
    assert constraint_penalty_eV("nothing") is None
