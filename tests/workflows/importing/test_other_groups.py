"""Runs of other groups as they stand in public repositories, against what doped and pymatgen make of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from magnetoionics.analysis.study.documents import Study
from magnetoionics.workflows.importing.study import IMPORT_STAGE, import_with_bands

# doped's own answers for V_O in SrTiO3 (its tests/data/SrTiO3/STO_wo_Al_thermo.json.gz): cell minus bulk, correction
STO = {
    0: (12.635189469999887, 0.0),
    1: (6.045617029999903, 0.15302033195940212),
    2: (-0.6107096600001114, 0.6642796696536775),
}
STO_PERMITTIVITY = 6.33


def imported(paths, **said):
    return import_with_bands(paths, **said)[0]


def folders(study: Study) -> dict:
    return {f.folder: f for f in study.observables[IMPORT_STAGE].folders}


@pytest.fixture(scope="module")
def defects(real: Path) -> Path:
    return real / "vasp/collection/f_defects"


def test_strontium_titanate_equals_doped(defects: Path) -> None:
    """OUTCAR files alone, HSE06; the defects were run with LASPH and the bulk without, which has to be answered for."""
    pytest.importorskip("pydefect")
    folder = defects / "srtio3_v_o_hse_6.3.0"
    refused = imported([folder], dielectric=STO_PERMITTIVITY)
    assert refused.charged is None
    assert refused.vacancies == []
    assert folders(refused)["vac_O_2/vasp_std"].reasons == ["LASPH = True, not False as in bulk"]

    study = imported([folder], dielectric=STO_PERMITTIVITY, accepted=["LASPH"])
    assert folders(study)["vac_O_2/vasp_std"].notes == ["accepted: LASPH = True, not False as in bulk"]
    assert study.charged is not None
    found = {s.charge: (s.energy_difference_eV, s.correction_eV) for s in study.charged.states}
    for charge, (energy, correction) in STO.items():
        assert found[charge][0] == pytest.approx(energy, abs=1e-8)
        assert found[charge][1] == pytest.approx(correction, abs=1e-6)
    assert {s.corrections[0].method for s in study.charged.states if s.charge} == {"eFNV"}
    assert (study.charged.edges.vbm_eV, study.charged.edges.gap_eV) == pytest.approx((3.1735, 3.3414), abs=1e-4)


def test_window_of_zirconia_equals_doped(defects: Path) -> None:
    """References from the elements of the set, as doped takes them; the window is that of its limits."""
    folder = defects / "la_zro2_competing_phases_hse_5.4.4"
    right = json.loads((folder / "answer_of_doped/zro2_la_chempots.json").read_text())
    study = imported([folder], formula="ZrO2")
    assert study.competing_phases is not None
    window = study.competing_phases.window
    assert window is not None
    limits = [{el: v for el, v in point.items() if el != "La"} for point in right["limits_wrt_el_refs"].values()]
    assert len(window.vertices) == len(limits)
    for point in limits:
        assert any(point == pytest.approx(vertex, abs=2e-5) for vertex in window.vertices)
    references = study.competing_phases.references
    assert references is not None
    for element in ("Zr", "O"):
        assert references.references.reference_energies_eV[element] == pytest.approx(
            right["elemental_refs"][element], abs=1e-4
        )
    # Polymorphs are told from the host by their crystal, metastable ones by their energy.
    assert folders(study)["Zr3O_EaH_0.004/vasp_std"].reasons == ["lies 0.013 eV per atom above Zr3O_EaH_0.0/vasp_std"]
    assert folders(study)["ZrO2_EaH_0.009/vasp_std"].what == "another crystal of ZrO2, 24 atoms"
    assert folders(study)["ZrO2_EaH_0.009/vasp_std"].reasons == [
        "0.008 eV per atom above the host, which stands for it"
    ]
    assert not study.vacancies
    assert "no cell with a defect" in study.not_done("vacancies")


def test_vanadium_pentoxide_with_u(real: Path, tmp_path: Path) -> None:
    """DFT+U cells of 126 and 125 atoms as two files of any name."""
    for name in ("v2o5_bulk_6.4.1.xml.gz", "v2o5_v_O_6.4.1.xml.gz"):
        shutil.copy(real / "vasp" / name, tmp_path / name)
    study = imported([tmp_path])
    assert study.host.formula == "V2O5"
    assert study.engine.provenance.hubbard_U_eV == {"V": 3.25}
    (vacancy,) = study.vacancies
    assert (vacancy.element, vacancy.removed, vacancy.cell_atoms) == ("O", {"O": 1}, 125)
    from pymatgen.io.vasp import Vasprun

    runs = [
        Vasprun(str(tmp_path / n), parse_dos=False, parse_eigen=False, parse_potcar_file=False)
        for n in ("v2o5_v_O_6.4.1.xml.gz", "v2o5_bulk_6.4.1.xml.gz")
    ]
    assert vacancy.energy_minus_host_eV == pytest.approx(runs[0].final_energy - runs[1].final_energy, abs=1e-6)


def test_levels_of_theory_are_never_mixed(real: Path, tmp_path: Path) -> None:
    """A vacancy with U beside a perfect cell without it, made by naming another U in the file."""
    import gzip

    with gzip.open(real / "vasp/v2o5_v_O_6.4.1.xml.gz", "rt") as stream:
        text = stream.read()
    assert "3.2500" in text
    (tmp_path / "defect").mkdir()
    (tmp_path / "defect/vasprun.xml").write_text(text.replace("3.25000000", "4.00000000").replace("3.2500", "4.0000"))
    (tmp_path / "bulk").mkdir()
    shutil.copy(real / "vasp/v2o5_bulk_6.4.1.xml.gz", tmp_path / "bulk/vasprun.xml.gz")
    study = imported([tmp_path])
    assert study.vacancies == []
    assert folders(study)["defect"].reasons == ["U(V) = 4 eV, not 3.25 eV as in bulk"]
    assert np.isclose(study.engine.provenance.hubbard_U_eV["V"], 3.25)


def test_host_must_be_named_where_nothing_says_it(defects: Path) -> None:
    with pytest.raises(ValueError, match=r"--host.*La2O3.*ZrO2"):
        imported([defects / "la_zro2_competing_phases_hse_5.4.4"])
    with pytest.raises(ValueError, match=r"no run of MgO among the folders"):
        imported([defects / "gaas_study_5.2.2"], formula="MgO")


def test_failed_runs_are_named_and_never_used(real: Path) -> None:
    failed = real / "vasp/collection/h_failed"
    names = ("nelm_5.4.4", "aiida_converged_5.4.4", "aiida_elec-unconverged_5.4.4")
    study = imported([failed / name for name in names])
    assert study.host.formula == "Si"
    used = {name for name, f in folders(study).items() if f.used}
    refused = {name: " ".join(f.reasons) for name, f in folders(study).items() if not f.used}
    assert len(used) == 1
    for name in ("nelm_5.4.4/000", "aiida_elec-unconverged_5.4.4"):
        assert "electronic convergence" in refused[name]


def test_bands_are_judged_and_listed_beside_their_host(real: Path) -> None:
    """A band makes no study by itself, and says in the record what it is."""
    study = imported(
        [
            real / "vasp/collection/e_neb/al_vacancy_static_5.2.2",
            real / "vasp/collection/h_failed/aiida_converged_5.4.4",
        ],
        formula="Si",
    )
    band = next(f for f in study.observables[IMPORT_STAGE].folders if f.role == "band")
    assert band.what.startswith("band of 3 images")
    assert not band.used
    assert band.reasons == ["a hop in Al, not in Si"]
    assert study.migration == []
    assert "band" in study.not_done("migration")
