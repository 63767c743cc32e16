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
from magnetoionics.analysis.thermodynamics.phases import DATA_SETS_KEY, check_consistent
from magnetoionics.analysis.thermodynamics.references import CompoundEnergy, fit_species_energies
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.evaluation.guards import guard, holes_of, moments_kept, odd_part_is_noise
from magnetoionics.workflows.vasp import guards
from magnetoionics.workflows.vasp.band_judgement import judge_segment
from magnetoionics.workflows.vasp.finished.document import PawDataSet
from magnetoionics.workflows.vasp.inputs import field_tags
from magnetoionics.workflows.vasp.outcar import constraint_penalty_eV
from magnetoionics.workflows.vasp.settings import VaspBandSettings, VaspSettings, VaspSettingsError

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
    ("change", "steps", "limit", "passed"),
    [
        (9e-7, 3, 1e-6, True),
        (1.0e-8, 12, 1e-8, True),
        # A change below EDIFF printed with 8 decimals.
        (1.5e-8, 12, 1e-8, True),
        (2e-8, 12, 1e-8, False),
        # EDIFF below the printed digits.
        (1e-8, 12, 1e-10, True),
        (0.1, 3, 1e-6, False),
        (0.0, 60, 1e-6, False),
        (None, 1, 1e-6, False),
    ],
    ids=["converged", "last digit", "printed", "one digit more", "below print", "moving", "cut off", "no loop"],
)
def test_electronic_convergence_is_read_off_the_energies(change, steps, limit, passed):
    assert guards.electronically_converged(change, steps, limit, 60).passed is passed


@pytest.mark.parametrize(
    ("found", "holes", "passed"),
    [
        ([4.2, -4.1, 0.03, 2.6], 3, True),
        ([4.2, -4.1, 0.03, 2.6], 0, False),
        ([4.2, -4.1, 0.03, 0.02], 1, False),
        ([4.2, 0.03, 2.7, 2.6], 3, False),
        ([4.2, -4.1, 1.2, 2.6], 3, False),
        ([4.2, -4.1, -2.7, 2.6], 3, False),
        ([0.0, 0.0, 0.0, 0.0], 3, False),
    ],
    ids=["Co3+ beside a vacancy", "no hole", "two for one hole", "iron", "half", "flipped", "no spins at all"],
)
def test_a_closed_shell_beside_a_vacancy_is_no_lost_moment(found, holes, passed):
    check = moments_kept([5.0, -5.0, 3.0, 3.0], found, elements=["Fe", "Fe", "Co", "Co"], holes=holes)
    assert check.passed is passed
    assert check.invalidates
    if passed:
        assert "site(s) 2 took up a hole" in check.note


def test_holes_are_what_the_formal_charges_lack():
    cell = get_host("cofe2o4").structure()
    iron = next(i for i, s in enumerate(cell) if s.specie.symbol == "Fe")
    oxygen = next(i for i, s in enumerate(cell) if s.specie.symbol == "O")
    assert holes_of(cell) == pytest.approx(0)
    for index, holes in ((iron, 3.0), (oxygen, 0.0)):
        empty = cell.copy()
        empty.remove_sites([index])
        assert holes_of(empty) == pytest.approx(holes)
    empty = cell.copy()
    empty.remove_sites([iron])
    empty.set_charge(-3)
    assert holes_of(empty) == pytest.approx(0)


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


def test_settings_of_which_parameters_hold_only_a_part():
    """What VASP writes of LDAUTYPE, LDAUU, ISPIN of a non-collinear run and a padded GGA is no change."""
    asked = {"LDAUTYPE": 2, "LDAUU": [0.0, 3.9], "ISPIN": 2, "GGA": "PE", "SAXIS": [0.57735027, 0.57735027, 0.57735027]}
    incar = {"LDAUTYPE": [2], "LDAUU": [0.0, 3.9], "ISPIN": 2, "GGA": "Pe  ", "SAXIS": [0.57735027] * 3}
    parameters = {"LDAUTYPE": [2], "LDAUU": [0.0], "ISPIN": 1, "GGA": "PE  ", "SAXIS": [0.57735027] * 3}
    assert guards.settings_kept(incar, parameters, asked, noncollinear=True).passed
    assert guards.settings_kept(incar, parameters, asked).passed is False
    assert guards.settings_kept(incar | {"LDAUU": [3.9, 0.0]}, parameters, asked, noncollinear=True).passed is False
    assert guards.settings_kept(incar, parameters | {"LDAUTYPE": [1]}, asked, noncollinear=True).passed is False


def test_a_field_is_kept_to_the_digits_that_vasp_prints():
    asked = [0.0, 0.0, -0.0123456789]
    assert guards.field_kept([0.0, 0.0, -0.01234568], asked).passed
    assert guards.field_kept([0.0, 0.0, -0.01234569], asked).passed is False
    assert guards.field_kept([0.0, 0.0, 0.01234568], asked).passed is False
    assert guards.field_kept(None, asked).passed is False


def test_a_field_that_vasp_would_ignore_is_refused():
    tags = field_tags([0.0, 0.0, 0.02], VaspSettings())
    assert tags["EFIELD_PEAD"] == [0.0, 0.0, -0.02]
    with pytest.raises(VaspSettingsError, match="1e-05 V/A"):
        field_tags([9e-6, 0.0, 0.02], VaspSettings())


def test_data_sets_are_those_that_were_asked_for():
    found = [PawDataSet(element="Fe", count=4, titel="PAW_PBE Fe_pv 02Aug2007")]
    assert guards.data_sets_kept(found, {"Fe": "Fe_pv"}).passed
    assert guards.data_sets_kept(found, {"Fe": "Fe"}).passed is False
    assert guards.data_sets_kept([], {"Fe": "Fe"}).passed is False


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
        source = Provenance(engine="vasp", level_of_theory="VASP", functional=functional, hubbard_U_eV={"Fe": u})
        return CompoundEnergy(formula=formula, model_energy_eV=-10.0, formation_energy_eV=-3.0, provenance=source)

    fit_species_energies([compound("FeO"), compound("Fe2O3")])
    for other in (compound("Fe2O3", functional="PBEsol"), compound("Fe2O3", u=4.0)):
        with pytest.raises(ValueError):
            fit_species_energies([compound("FeO"), other])


def test_penalty_of_constrained_moments():
    assert constraint_penalty_eV(" E_p =  0.36856E-07  lambda =  0.500E+02") == pytest.approx(3.6856e-8)
    assert constraint_penalty_eV("nothing") is None


def test_energies_of_two_paw_data_sets_are_not_mixed():
    def source(titel, digest=None):
        sets = {"Fe": {"titel": titel, "potcar_md5": digest, "header_sha256": None}}
        return Provenance(engine="vasp", level_of_theory="VASP", functional="PBE", settings={DATA_SETS_KEY: sets})

    pv, plain = "PAW_PBE Fe_pv 02Aug2007", "PAW_PBE Fe 06Sep2000"
    check_consistent([source(pv), source(pv), Provenance(engine="vasp", level_of_theory="VASP", functional="PBE")])
    check_consistent([source(pv, "a"), source(pv)])
    for other in (source(plain), source(pv, "b")):
        with pytest.raises(ValueError, match="PAW data sets of Fe"):
            check_consistent([source(pv, "a"), other])
    # Not only with the first: the second and the third differ.
    bare = Provenance(engine="vasp", level_of_theory="VASP", functional="PBE")
    with pytest.raises(ValueError, match="PAW data sets of Fe"):
        check_consistent([bare, source(pv), source(plain)])
