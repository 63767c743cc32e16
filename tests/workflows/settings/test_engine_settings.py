"""Settings of an engine from a file on the command line, and the primitive cell as a host."""

import json

import pytest
from magnetoionics.hpc.cli import main
from magnetoionics.structures.host import UnknownHostError, get_host, portable_host
from magnetoionics.workflows.engine import UnknownEngineError, get_engine
from magnetoionics.workflows.flows.study import MagnetoionicStudyMaker


def settings(tmp_path, text):
    path = tmp_path / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    return f"local:{path}"


def test_file_sets_fields_and_blocks_and_leaves_the_rest(tmp_path):
    text = "fmax_eV_per_A: 5e-3\nband_settings:\n  images_per_segment: 5\n  check_reverse: true\n"
    found, default = get_engine(settings(tmp_path, text)), get_engine("local")
    # YAML reads 5e-3, which has no point, as a text.
    assert found.fmax_eV_per_A == 0.005
    assert found.band_settings.images_per_segment == 5
    assert found.band_settings.check_reverse is True
    assert found.band_settings.fmax_eV_per_A == default.band_settings.fmax_eV_per_A
    assert found.accuracy == default.accuracy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fmax: 0.1\n", "settings.yaml has no setting fmax; known: .*fmax_eV_per_A"),
        ("band_settings: 3\n", "band_settings takes a block with some of: images_per_segment"),
        ("band_settings:\n  images: 3\n", "band_settings has no setting images; known: images_per_segment"),
        ("fmax_eV_per_A: tight\n", "fmax_eV_per_A = 'tight'"),
        ("band_method: fast\n", "band_method = 'fast'"),
        ("band_method: classic\nband_start: local\n", "band_start needs band_method 'surrogate'"),
        ("- 1\n", "must hold the settings of engine local"),
        ("a: *b\n", "alias"),
    ],
)
def test_bad_files_are_refused_with_entry_and_remedy(tmp_path, text, message):
    with pytest.raises(UnknownEngineError, match=message):
        get_engine(settings(tmp_path, text))


def test_no_file_is_refused(tmp_path):
    with pytest.raises(UnknownEngineError, match=r"there is no file none.yaml"):
        get_engine(f"local:{tmp_path}/none.yaml")
    with pytest.raises(UnknownEngineError, match="takes a settings file"):
        get_engine("local:tight")


def test_primitive_cell_is_the_same_crystal():
    whole, small = get_host("cofe2o4"), get_host("CoFe2O4:Primitive")
    assert portable_host("CoFe2O4:Primitive") == "cofe2o4:primitive" == small.key
    cell = small.structure()
    assert len(cell) == 14
    assert small.orders == ("Imma",)
    assert cell.volume == pytest.approx(whole.structure("Imma").volume / 4)
    assert small.moment_per_formula(cell) == pytest.approx(3.0)
    small.check_moment("Imma")
    with pytest.raises(UnknownHostError):
        get_host("cofe2o4:conventional")


def test_cell_without_room_for_the_hop_leaves_migration_out():
    small = MagnetoionicStudyMaker.quick(get_engine("local"))
    planned = {s.stage: s for s in small.plan("cofe2o4:primitive")}
    assert not planned["migration"].done
    assert "an ion and its image both reach" in planned["migration"].reason
    assert planned["vacancies"].done
    doubled = MagnetoionicStudyMaker.full(get_engine("local")).plan("cofe2o4:primitive")
    assert next(s for s in doubled if s.stage == "migration").done


@pytest.mark.usefixtures("no_figures")
def test_study_of_the_primitive_cell_with_a_settings_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    engine = settings(tmp_path, "fmax_eV_per_A: 0.05\n")
    assert main(["run", "cofe2o4:primitive", "--engine", engine, "--quick", "--stages", "vacancies"]) == 0
    folder = tmp_path / "cofe2o4-primitive-study"
    found = json.loads((folder / "results.json").read_text())
    assert found["host"]["cell_atoms"] == 14
    assert found["engine"]["provenance"]["settings"]["fmax_eV_per_A"] == 0.05
    assert {v["label"] for v in found["vacancies"]} >= {"V_Fe(A)", "V_Fe(B)", "V_Co(B)"}
    assert "Cells of 14 atoms" in (folder / "report.html").read_text()
