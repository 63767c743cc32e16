"""Entries that pymatgen-analysis-defects writes itself, made of public runs, give what the folders give."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from magnetoionics.analysis.study.defect_exchange import study_entries
from magnetoionics.workflows.importing.entries import read_defect_entries
from magnetoionics.workflows.importing.study import IMPORT_STAGE, import_with_bands
from magnetoionics.workflows.vasp.finished.reader import read_run
from pymatgen.core import PeriodicSite
from pymatgen.entries.computed_entries import ComputedStructureEntry


def imported(paths, **said):
    return import_with_bands(paths, **said)[0]


def entry_of(folder: Path) -> ComputedStructureEntry:
    run = read_run(folder)
    parameters = {"run_type": "HSE06", "hubbards": {}, "potcar_symbols": [b.titel for b in run.paw]}
    return ComputedStructureEntry(run.structure, run.energy_eV, parameters=parameters)


@pytest.fixture
def file(real: Path, tmp_path: Path) -> Path:
    core = pytest.importorskip("pymatgen.analysis.defects.core")
    thermo = pytest.importorskip("pymatgen.analysis.defects.thermo")
    folder = real / "vasp/collection/f_defects/srtio3_v_o_hse_6.3.0"
    bulk = entry_of(folder / "bulk")
    site = next(s for s in bulk.structure if s.specie.symbol == "O")
    missing = PeriodicSite("O", site.frac_coords, bulk.structure.lattice)
    defect = core.Vacancy(bulk.structure, missing, oxi_state=2)
    entries = [
        thermo.DefectEntry(
            defect=defect,
            charge_state=q,
            sc_entry=entry_of(folder / f"vac_O_{q}/vasp_std"),
            bulk_entry=bulk,
            corrections={"freysoldt": 0.25 * q} if q else {},
        )
        for q in (0, 2)
    ]
    path = tmp_path / "entries.json.gz"
    with gzip.open(path, "wt") as stream:
        json.dump([e.as_dict() for e in entries], stream, default=lambda x: x.tolist())
    return path


def test_entries_are_matched_and_keep_their_correction(file: Path) -> None:
    study = imported([file], dielectric=6.33)
    assert study.host.formula == "SrTiO3"
    (vacancy,) = study.vacancies
    assert (vacancy.label, vacancy.energy_minus_host_eV) == ("V_O", pytest.approx(12.635189469999887, abs=1e-8))
    # The list names no band edges: levels against the valence band need them.
    assert study.charged is None
    assert "band edges" in study.not_done("charged defects")


def test_edges_of_the_file_bring_levels(file: Path) -> None:
    with gzip.open(file, "rt") as stream:
        entries = json.load(stream)
    whole = file.with_name("thermo.json")
    whole.write_text(json.dumps({"defect_entries": entries, "vbm": 3.1735, "band_gap": 3.3414}))
    study = imported([whole], dielectric=6.33)
    assert study.charged is not None
    charged = next(s for s in study.charged.states if s.charge == 2)
    assert charged.energy_difference_eV == pytest.approx(-0.6107096600001114, abs=1e-8)
    assert (charged.corrections[0].method, charged.correction_eV) == ("as given", 0.5)
    # The relaxed cell goes on to other programs.
    assert charged.structure is not None
    (entry,) = [e for e in study_entries(study) if e.charge_state == 2]
    assert entry.sc_entry.energy - entry.bulk_entry.energy == pytest.approx(-0.6107096600001114, abs=1e-8)
    (level,) = study.charged.levels()
    assert level.level_eV == pytest.approx((12.635189469999887 + 0.6107096600001114 - 0.5) / 2 - 3.1735, abs=1e-6)
    record = study.observables[IMPORT_STAGE]
    assert [f.what for f in record.folders if f.role == "defect"] == [
        "V_O, charge +0, 134 atoms",
        "V_O, charge +2, 134 atoms",
    ]


def test_no_class_of_a_file_is_made(tmp_path: Path) -> None:
    """Unknown classes are plain mappings here; a file without entries is refused by name."""
    path = tmp_path / "strange.json"
    path.write_text(json.dumps({"@module": "os", "@class": "system", "defect_entries": []}))
    with pytest.raises(ValueError, match=r"strange\.json holds no defect entry"):
        read_defect_entries(path)


def test_inputs_that_were_never_run_are_said(tmp_path: Path) -> None:
    path = tmp_path / "inputs.json"
    path.write_text(json.dumps({"@class": "DefectEntry", "name": "v_O_0", "sc_entry": {"energy": 0.0}}))
    found = read_defect_entries(path)
    assert (found.runs, found.unfinished) == ([], ["v_O_0"])
