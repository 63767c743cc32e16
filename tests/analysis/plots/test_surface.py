"""What a notebook calls: one place to run and load, documents that plot and tabulate themselves."""

import re

import magnetoionics
import matplotlib.pyplot as plt
import numpy as np
import pytest
from magnetoionics.analysis.study.documents import Study
from magnetoionics.analysis.study.tables import TABLES
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.errors import UserError


@pytest.fixture(scope="module")
def folder(own_study):
    return own_study


@pytest.fixture(scope="module")
def study(folder):
    return magnetoionics.load(folder)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_every_name_of_the_surface_is_there():
    for name in magnetoionics.__all__:
        assert getattr(magnetoionics, name) is not None
    with pytest.raises(AttributeError, match="magnetoionics has no 'runn'; it has"):
        _ = magnetoionics.runn


def test_load_takes_the_folder_or_the_file(folder, study):
    assert isinstance(study, Study)
    assert magnetoionics.load(folder / "results.json") == study
    with pytest.raises(UserError, match=r"holds no results\.json"):
        magnetoionics.load(folder / "figures")


UNITS = {"eV", "A", "A3", "cm3", "m3", "muB", "meV", "s", "K", "atm", "formula", "units", "m", "Hz", "THz"}
# Only on request: empty here, and not an error.
EMPTY_FOR_THIS_STUDY = {"contents", "phases", "charged", "charged_moments", "levels"}


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_rows_and_units(study, name):
    table = study.to_dataframe(name)
    assert bool(len(table)) == (name not in EMPTY_FOR_THIS_STUDY)
    plain = ("value", "limit", "low", "mid", "high", "share_after_the_hop", "equilibrium_after")
    numeric = [c for c in table.select_dtypes("float") if c not in plain]
    assert [c for c in numeric if c.rsplit("_", 1)[-1] not in UNITS] == []


def test_tables_hold_the_numbers_of_the_study(study):
    (hop,) = study.migration
    assert study.to_dataframe("migration").loc[hop.label, "forward_eV"] == hop.forward_eV
    field = study.to_dataframe("field")
    assert np.allclose(field.forward_eV - field.backward_eV, field.delta_eV)
    assert list(hop.to_dataframe().energy_eV) == [p.energy_eV for p in hop.images]
    assert list(study.retention.to_dataframe().retention_s) == [p.retention_s for p in study.retention.points]
    map_ = study.anisotropy.maps[0]
    assert np.allclose(map_.to_dataframe()[["n_x", "n_y", "n_z"]], map_.vectors)


def test_example_of_the_readme_runs_as_it_stands(folder, repository, tmp_path, monkeypatch, capsys):
    text = (repository / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "cofe2o4-study").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(example, "README.md", "exec"), names)
    assert capsys.readouterr().out.split() == [str(v) for v in (*["Co(B)", "->", "V_Fe(B)"], *_barriers(folder))]
    assert {p.name for p in tmp_path.glob("*.pdf")} == {"formation.pdf", "barriers.pdf"}
    assert len(list(names["flow"].iterflow())) > 10
    # Commands that read a finished study, with its folder in place of DIR.
    for command in ("status DIR", "claims DIR"):
        assert f"magnetoionics {command} " in text
        assert main(command.replace("DIR", "cofe2o4-study").split()) == 0


def _barriers(folder):
    hop = magnetoionics.load(folder).migration[0]
    return hop.forward_eV, hop.backward_eV


def test_documents_show_themselves_in_a_few_words(study):
    text = repr(study)
    assert text.startswith("Study of CoFe2O4 (Imma), engine local, 56 atoms")
    assert f"{study.migration[0].forward_eV:.2f} eV" in text
    assert len(text) < 1500
    assert str(study) == text
    hop = repr(study.migration[0])
    assert hop.startswith("Migration(label='Co(B) -> V_Fe(B)'")
    assert "images=[9 entries]" in hop
    assert max(len(repr(d)) for d in (*study.anisotropy.maps, study.retention, study.chemical_potentials)) < 1500


def test_unknown_table_and_figure_say_what_there_is(study):
    with pytest.raises(ValueError, match="no table 'magic'; tables: stages, orders, vacancies"):
        study.to_dataframe("magic")
    with pytest.raises(ValueError, match="it has: formation, "):
        study.plot("magic")


def test_documents_plot_themselves_on_a_given_axis(study):
    _, ax = plt.subplots()
    (hop,) = study.migration
    assert hop.plot("field", ax=ax) is ax.figure
    assert hop.plot().axes
    assert study.retention.plot().axes
    assert study.chemical_potentials.lines.plot().axes
    assert study.anisotropy.maps[0].plot((1, 1, 0)).axes
    assert study.plot("band").axes


def test_html_for_notebooks_is_escaped(study):
    hostile = study.model_copy(deep=True)
    hostile.host.formula = "<script>"
    assert "<script>" not in hostile._repr_html_()
    assert f"{study.migration[0].forward_eV:.2f} eV" in study._repr_html_()
    hostile.host.title = "<img src=x>"
    assert "<img" not in hostile.host._repr_html_()
    assert "How long the written state is kept" in study.retention._repr_html_()
