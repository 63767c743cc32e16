"""What is exported is read by other programs: pandas, LaTeX's rules, pymatgen's reader of OPTIMADE."""

import io
import json
import shutil
from pathlib import Path

import magnetoionics
import numpy as np
import pandas as pd
import pytest
from kept_study import kept_study
from made_studies import CFO, TAG, charge_states, known_study
from magnetoionics.analysis.defects.doped_exchange import from_doped
from magnetoionics.analysis.study.defect_exchange import study_thermodynamics
from magnetoionics.analysis.study.table_text import csv_text, latex_text
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.study_folder.export import export_study
from magnetoionics.hpc.study_folder.study_run import rebuild_report
from magnetoionics.hpc.terminal import Console
from magnetoionics.structures.host import get_host
from magnetoionics.structures.io.optimade import optimade_document
from monty.json import MontyDecoder
from pymatgen.core import DummySpecies, Lattice, Structure
from pymatgen.ext.optimade import OptimadeRester

DATA = Path(__file__).parents[2] / "data" / "version-2"


def test_text_that_would_be_a_formula_is_led_by_an_apostrophe_and_numbers_are_whole():
    frame = pd.DataFrame(
        {"name": ["=1+1", "+cmd", "-2.5", "@x", "V_Fe(B)"], "value_eV": [-0.1 - 0.2, 2.0, np.nan, 1e-30, 5.0]}
    ).set_index("name")
    read = pd.read_csv(io.StringIO(csv_text(frame)))
    assert list(read["name"]) == ["'=1+1", "'+cmd", "-2.5", "'@x", "V_Fe(B)"]
    assert np.array_equal(read["value_eV"], frame["value_eV"], equal_nan=True)
    heads = csv_text(pd.DataFrame({"=a": [1]})).splitlines()[0]
    assert heads == "'=a"


def test_latex_escapes_what_it_would_run():
    frame = pd.DataFrame({"hop_of": [r"Co(B) -> V_Fe(B)", r"50 % & \input{x}"], "value": [0.123456789, 1.0]})
    text = latex_text(frame, "A_b", "tab:x")
    rows = [line for line in text.splitlines() if line.endswith(r"\\") and "&" in line]
    assert r"Co(B) $\rightarrow$ V\_Fe(B) & 0.123457 \\" in rows
    assert r"50 \% \& \textbackslash{}input\{x\} & 1 \\" in rows
    assert r"\input" not in text.replace(r"\textbackslash{}input", "")
    assert r"\caption{A\_b}" in text


@pytest.mark.parametrize("table", ["vacancies", "migration", "anisotropy", "claims", "orders", "checks"])
def test_tables_of_a_study_come_back(table):
    study = kept_study()
    frame = study.to_dataframe(table)
    read = pd.read_csv(io.StringIO(study.to_csv(table)))
    assert len(read) == len(frame) > 0
    assert study.to_latex(table).count(r"\begin{longtable}") == 1
    for name in frame.select_dtypes("number"):
        # pandas' quick reader of numbers may miss the last bit.
        assert read[name].to_numpy(float) == pytest.approx(frame[name].to_numpy(float), rel=1e-14, nan_ok=True)


def test_pymatgen_reads_our_optimade_document():
    cell = get_host("cofe2o4").structure()
    document = json.loads(json.dumps(optimade_document({"host": cell})))
    read = OptimadeRester._get_snls_from_resource(document, "x", "y")["host"].structure
    assert np.allclose(read.lattice.matrix, cell.lattice.matrix)
    assert [s.specie.symbol for s in read] == [s.specie.symbol for s in cell]
    assert np.allclose(read.distance_matrix, cell.distance_matrix, atol=1e-8)
    said = document["data"][0]["attributes"]
    assert (said["chemical_formula_reduced"], said["chemical_formula_anonymous"]) == ("CoFe2O4", "A4B2C")
    assert said["elements_ratios"] == pytest.approx([1 / 7, 2 / 7, 4 / 7])
    assert said["_magnetoionics_moments_muB"] == cell.site_properties["magmom"]


def test_a_shared_site_is_refused():
    shared = Structure(Lattice.cubic(4), [{"Co": 0.5, "Fe": 0.5}, DummySpecies("X")], [[0, 0, 0], [0.5, 0.5, 0.5]])
    with pytest.raises(ValueError, match="that several ions share"):
        optimade_document({"x": shared})


def test_command_writes_tables_and_structures(tmp_path, capsys):
    folder = tmp_path / "cfo"
    shutil.copytree(DATA / "store", folder / "store")
    rebuild_report(folder, Console(quiet=True))
    assert main(["export", str(folder)]) == 0
    out = tmp_path / "cfo-export"
    assert (out / "tables" / "migration.csv").is_file()
    plain = json.loads((out / "structures.pymatgen.json").read_text())
    cells = {name: MontyDecoder().process_decoded(value) for name, value in plain.items()}
    kept = magnetoionics.load_structures(folder)
    assert list(cells) == list(kept)
    assert cells["host"] == magnetoionics.load(folder).host.structure
    hop = magnetoionics.load(folder).migration[0]
    images = [kept[f"hop-1 image {n + 1}"] for n in range(len(hop.images))]
    assert hop.interactive("band", structures=images).layout.sliders[0].steps[-1].label == str(len(images))
    assert main(["export", str(folder)]) == 2
    assert "exists; give another folder" in capsys.readouterr().err


def test_charge_states_go_out_for_the_programs_of_charged_defects(tmp_path, monkeypatch):
    """Of the study that results.json holds; each file is read by its own package."""
    thermodynamics = pytest.importorskip("doped.thermodynamics")
    system_of = pytest.importorskip("py_sc_fermi.defect_system")
    study = known_study("cofe2o4", CFO, charged=charge_states())
    monkeypatch.setattr("magnetoionics.hpc.study_folder.export.read_study", lambda folder: study)
    monkeypatch.setattr("magnetoionics.hpc.study_folder.export.study_structures", lambda folder, study: {})
    out = export_study(tmp_path / "cfo", point="O-poor")
    assert (out / "formation_diagram.pdf").stat().st_size > 5000
    for wrong, said in (("O-full", "write middle, O-poor"), ("Ni-rich", "has no Ni"), ("O=-9", "outside")):
        with pytest.raises(UserError, match=said):
            export_study(tmp_path / "cfo", tmp_path / "other", wrong)
    assert not (tmp_path / "other").exists()
    read = thermodynamics.DefectThermodynamics.from_json(out / "defects.doped.json.gz")
    expected = {(x.charge_below, x.charge_above): x.level_eV for x in study.charged.levels()}
    levels = read.get_transition_levels()["eV from VBM"]
    assert levels["V_O(1)", "ε(+2/0)"] == pytest.approx(expected[2, 0], abs=6e-4)
    system = system_of.DefectSystem.from_dict(json.loads((out / "defects.py_sc_fermi.json").read_text()))
    middle = study_thermodynamics(study).at_temperature(1000.0)
    potential = 0.5 * (middle.window.delta_mu_O_min_eV + middle.window.delta_mu_O_max_eV)
    assert system.get_sc_fermi()[0] == pytest.approx(middle.concentrations(1000.0, potential).fermi_eV, abs=2e-3)
    entries = json.loads((out / "defects.entries.json").read_text())
    assert [e["charge_state"] for e in entries] == [0, 2]
    back = from_doped(read, TAG)
    assert {(d.label, d.charge) for d in back.defects} == {("V_O(1)", 0), ("V_O(1)", 2)}
