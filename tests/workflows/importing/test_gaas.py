"""A whole defect study of another group (GaAs, 8 atoms, VASP 5.2.2), imported with nothing but its folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from magnetoionics.analysis.study.documents import Study
from magnetoionics.workflows.importing.study import IMPORT_STAGE, import_with_bands

PERMITTIVITY = 12.9


@pytest.fixture(scope="module")
def folder(real: Path) -> Path:
    return real / "vasp/collection/f_defects/gaas_study_5.2.2"


@pytest.fixture(scope="module")
def study(folder: Path) -> Study:
    return import_with_bands([folder], dielectric=PERMITTIVITY)[0]


def test_energies_and_charges_are_those_of_the_collection(study: Study, folder: Path) -> None:
    right = json.loads((folder / "study.json").read_text())
    assert study.host.formula == "GaAs"
    assert study.charged is not None
    names = {"Ga3 As4": "V_Ga", "Ga3 Bi1 As3": "Bi_As+V_Ga", "Ga3 As5": "As_Ga"}
    expected = {
        (names[d["formula"]], round(d["charge_from_NELECT"])): d["E_defect_minus_E_bulk_eV"] for d in right["defects"]
    }
    found = {(s.label, s.charge): s.energy_difference_eV for s in study.charged.states}
    assert found == pytest.approx(expected, abs=1e-6)
    assert study.charged.edges.vbm_eV == pytest.approx(right["bulk"]["vbm_eV"], abs=1e-6)
    assert study.charged.edges.gap_eV == pytest.approx(right["bulk"]["gap_eV"], abs=1e-6)


def test_every_folder_is_named_and_used_once(study: Study) -> None:
    record = study.observables[IMPORT_STAGE]
    used = {f.folder: f.what for f in record.folders if f.used}
    assert len(record.folders) == 18
    assert used["defect_group1_q=n3_sp"] == "V_Ga, charge -3, 7 atoms"
    assert used["defect_group3_q=p2_sp"] == "As_Ga, charge +2, 8 atoms"
    # The static runs on the relaxed cells are used, and the relaxations say so.
    assert set(used) == {f.folder for f in record.folders if f.folder.endswith("_sp")}
    left = next(f for f in record.folders if f.folder == "defect_group1_q=n1_opt")
    assert left.reasons == ["the same configuration as defect_group1_q=n1_sp, which is used"]


def test_what_is_missing_is_left_out_with_its_reason(study: Study) -> None:
    assert study.chemical_potentials is None
    assert "no element and no competing phase" in study.not_done("chemical potentials")
    assert study.not_done("migration")
    assert all(v.oxygen_rich is None for v in study.vacancies)


def test_levels_cross_where_the_lines_do(study: Study) -> None:
    """Levels by hand from energies, corrections and the valence band maximum."""
    assert study.charged is not None
    states = {(s.label, s.charge): s for s in study.charged.states}
    one, none = states["As_Ga", 1], states["As_Ga", 0]
    by_hand = none.energy_difference_eV - one.energy_difference_eV - one.correction_eV - study.charged.edges.vbm_eV
    level = next(t for t in study.charged.levels() if (t.label, t.charge_above) == ("As_Ga", 0))
    assert level.level_eV == pytest.approx(by_hand)


def test_without_a_permittivity_charges_are_left_out(folder: Path) -> None:
    study = import_with_bands([folder])[0]
    assert study.charged is None
    assert "LEPSILON" in study.not_done("charged defects")
    assert {v.label for v in study.vacancies} == {"V_Ga", "As_Ga", "Bi_As+V_Ga"}


def test_study_survives_its_file(study: Study) -> None:
    again = Study.model_validate_json(study.model_dump_json(by_alias=True))
    assert again.observables == study.observables
    assert again.vacancies == study.vacancies
