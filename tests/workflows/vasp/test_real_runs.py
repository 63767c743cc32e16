"""Every public VASP run that lies beside the checkout, value by value; the table of benchmarks/vasp_real.py."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import vasp_real
from magnetoionics.workflows.vasp.finished.band import read_band
from magnetoionics.workflows.vasp.finished.reader import read_run
from pymatgen.io.vasp import Vasprun

ROOT = Path(os.environ.get("MAGNETOIONICS_REAL") or Path(__file__).resolve().parents[4] / "shared" / "real") / "vasp"
CASES = [p.relative_to(ROOT).as_posix() for p in vasp_real.cases(ROOT)] if ROOT.is_dir() else []


@pytest.mark.parametrize("case", CASES or [pytest.param("", marks=pytest.mark.skip("no public files beside"))])
def test_every_value_of_right_json(case: str) -> None:
    judged = vasp_real.judge_case(ROOT / case)
    assert judged.wrong == []
    # One folder holds doped's answer to its siblings and no file of a run.
    assert judged.compared > 0 or case.endswith("answer_of_doped")


def test_table_counts_what_is_wrong(real: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table that cannot fail says nothing: an energy that is 1 meV off is one wrong case."""
    folder = shutil.copytree(real / "vasp/collection/d_lepsilon/si_6.2.1", tmp_path / "si")
    right = folder / "right.json"
    right.write_text(right.read_text(encoding="utf-8").replace("-10.66629988", "-10.66529988"), encoding="utf-8")
    assert vasp_real.main([str(tmp_path)]) == 1
    assert "0 of 1 cases right" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["v2o5_bulk_6.4.1.xml.gz", "v2o5_v_O_6.4.1.xml.gz"])
def test_whole_cell_and_vacancy_of_v2o5(real: Path, tmp_path: Path, name: str) -> None:
    """U of V is 3.25 eV in <incar>; energy and edges are pymatgen's."""
    shutil.copy(real / "vasp" / name, tmp_path / "vasprun.xml.gz")
    run = read_run(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = Vasprun(tmp_path / "vasprun.xml.gz", parse_potcar_file=False)
    gap, cbm, vbm, direct = other.eigenvalue_band_properties
    assert run.usable
    assert run.hubbard_U_eV == {"V": 3.25, "O": 0.0}
    assert run.energy_eV == pytest.approx(float(other.final_energy), abs=1e-8)
    assert (run.gap_eV, run.cbm_eV, run.vbm_eV) == pytest.approx((gap, cbm, vbm), abs=1e-8)
    assert run.gap_direct == direct
    assert run.structure is not None
    assert np.allclose(run.structure.frac_coords, other.final_structure.frac_coords, atol=1e-8)


def test_linear_response_of_5_4_4(real: Path) -> None:
    """Born charges and dielectric tensor as the file writes them; every loop of it reached EDIFF."""
    folder = real / "vasp" / "lepsilon_5.4.4"
    run = read_run(folder)
    text = gzip.decompress((folder / "vasprun.xml.gz").read_bytes()).decode()
    block = text.split('<array name="born_charges" >')[1].split("</set>")[0]
    first = np.loadtxt(io.StringIO(block.split("<set>")[1].replace("<v>", "").replace("</v>", "")))
    assert run.usable
    assert run.kind == "linear response"
    assert run.response_steps > 0
    assert run.born_charges_e is not None
    assert np.allclose(run.born_charges_e[0], first, atol=1e-8)
    assert run.dielectric_electronic is not None
    assert np.diag(run.dielectric_electronic).min() > 1


def test_band_of_5_4_4_without_vasprun_xml(real: Path, tmp_path: Path) -> None:
    """VTST itself prints how far the middle image lies above its neighbours: 0.215721 and 0.215723 eV."""
    with tarfile.open(real / "vasp" / "neb_vtst_5.4.4.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    band = read_band(tmp_path / "neb")
    energies = [p.energy_eV for p in band.points]
    assert energies[0] is None
    assert energies[-1] is None
    assert energies[2] - energies[1] == pytest.approx(0.215721, abs=1e-6)
    assert energies[2] - energies[3] == pytest.approx(0.215723, abs=1e-6)
    assert band.span_eV == pytest.approx(0.215723, abs=1e-6)
    assert band.vtst == "VTST: version 3.2, (02/03/18)"
    # Both ends hold a POSCAR only, so the barrier is not known and nobody is told one.
    assert band.barrier_eV is None
    assert any("00, 04" in reason for reason in band.reasons)
    moved = next(c for c in band.checks if c.name == "images moved")
    assert moved.passed
