"""No document holds a number that is none, whichever way it comes in."""

import math

import numpy as np
import pytest
from magnetoionics.analysis.defects.charge_states import BandEdges
from magnetoionics.analysis.defects.defect_energies import VacancyFormation
from magnetoionics.analysis.kinetics.retention import RetentionPoint
from magnetoionics.analysis.results.calculation import Calculation
from magnetoionics.analysis.results.checks import Check
from magnetoionics.analysis.results.document import Provenance, require_finite
from pydantic import ValidationError
from pymatgen.core import Structure

SOURCE = Provenance(engine="test", level_of_theory="arithmetic")
LOST = [float("nan"), float("inf"), float("-inf")]


def vacancy(energy):
    return VacancyFormation(
        label="V_O", removed={"O": 1}, energy_difference_eV=energy, indicative=False, note="", provenance=SOURCE
    )


def calculation(structure=None, energy=-1.0, forces=None):
    return Calculation(
        name="bulk",
        structure=structure or Structure(4 * np.eye(3), ["Fe", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]),
        energy_eV=energy,
        max_force_eV_per_A=0.0,
        force_calls=1,
        total_moment_muB=0.0,
        forces_eV_per_A=forces,
        provenance=SOURCE,
    )


@pytest.mark.parametrize("lost", LOST)
def test_energies_that_are_none_are_refused_before_they_are_ranked(lost):
    with pytest.raises(ValidationError, match=r"energy_difference_eV\n.*finite number"):
        vacancy(lost)
    with pytest.raises(ValidationError, match=r"energy_eV\n.*finite number"):
        calculation(energy=lost)
    with pytest.raises(ValidationError, match=r"value\n.*finite number"):
        Check(name="force", passed=False, value=lost)


@pytest.mark.parametrize("lost", LOST)
def test_numbers_deep_inside_are_found(lost):
    with pytest.raises(ValidationError, match=r"forces_eV_per_A\.1\.2\n.*finite number"):
        calculation(forces=[[0, 0, 0], [0, 0, lost]])
    with pytest.raises(ValidationError, match=r"settings\['mesh'\]\[1\] is"):
        Provenance(engine="test", level_of_theory="arithmetic", settings={"mesh": [1.0, lost]})
    with pytest.raises(ValidationError, match="coordinates of FeO"):
        calculation(Structure(4 * np.eye(3), ["Fe", "O"], [[0, 0, 0], [0.5, lost, 0.5]]))
    with pytest.raises(ValidationError, match="site properties of FeO"):
        calculation(calculation().structure.copy(site_properties={"magmom": [lost, 0.0]}))


@pytest.mark.parametrize("lost", LOST)
def test_a_copy_with_new_values_obeys_the_same_rule(lost):
    with pytest.raises(ValueError, match=r"VacancyFormation\.energy_difference_eV is"):
        vacancy(1.0).model_copy(update={"energy_difference_eV": lost})
    with pytest.raises(ValueError, match=r"Calculation\.forces_eV_per_A\[0\]\[2\] is"):
        calculation().model_copy(update={"forces_eV_per_A": [[0.0, 0.0, lost]]})
    assert vacancy(1.0).model_copy(update={"energy_difference_eV": 2.0}).energy_difference_eV == 2.0


def test_band_edges_that_are_none_are_refused():
    with pytest.raises(ValidationError, match="finite number"):
        BandEdges(vbm_eV=float("nan"), gap_eV=2.0, provenance=SOURCE)


def test_a_time_may_be_endless_but_not_unknown():
    point = RetentionPoint(temperature_K=1.0, retention_s=math.inf)
    assert RetentionPoint.model_validate_json(point.model_dump_json()) == point
    with pytest.raises(ValidationError, match="NaN"):
        RetentionPoint(temperature_K=1.0, retention_s=math.nan)


def test_arrays_are_named_by_index():
    with pytest.raises(ValueError, match=r"hessian\[1, 0\] is nan"):
        require_finite(np.array([[0.0, 1.0], [np.nan, 0.0]]), "hessian")
    require_finite({"counts": np.array([1, 2]), "text": "nan", "none": None}, "settings")
