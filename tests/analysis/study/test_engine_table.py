"""The table of engines: made from stored documents, and the page is what the command writes."""

import importlib.util

import pytest
from engine_summary import (
    load_summaries,
    summary_of_reference_calculation,
    summary_of_study,
)
from kept_study import kept_study
from magnetoionics.analysis.report.tables import host_table
from magnetoionics.analysis.study.reference_calculations import load_reference_calculations


@pytest.fixture(scope="module")
def table(repository):
    spec = importlib.util.spec_from_file_location("engines_table", repository / "benchmarks" / "engines_table.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_is_what_the_command_writes(table, repository, monkeypatch, tmp_path):
    monkeypatch.setattr(table, "PAGE", tmp_path / "engines.md")
    monkeypatch.setattr("sys.argv", ["engines_table.py"])
    table.main()
    assert (tmp_path / "engines.md").read_text() == (repository / "docs" / "engines.md").read_text()


def test_every_column_says_how_it_was_made():
    for found in load_summaries():
        assert found.command.startswith("magnetoionics run cofe2o4")
        assert found.provenance.versions
        assert found.cubic_lattice_A == pytest.approx(8.392, rel=0.03)


def test_cell_that_was_not_relaxed_is_called_so(table, repository):
    study = kept_study()
    assert host_table(study).caption.startswith("Relaxed host")
    assert "not relaxed" not in table.cells(summary_of_study(study, "command"))["lattice"]
    study.engine.provenance.settings["measured_cells"] = True
    assert "not relaxed" in host_table(study).caption
    assert "not relaxed" in table.cells(summary_of_study(study, "command"))["lattice"]


def test_what_was_not_computed_is_said(table):
    (kept,) = [e for n, e in load_reference_calculations().items() if n == "imma-pw400-k2"]
    column = table.cells(summary_of_reference_calculation(kept, "cofe2o4", "Imma"))
    assert column["barrier"] == column["lattice"] == "not computed"
    assert column["moment"] == "3.000"
    assert column["sites"].startswith("Co(B) 2.59")
