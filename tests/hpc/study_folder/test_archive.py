"""An archive is read back as the study that went in, opens with other programs, and refuses what was changed."""

import gzip
import hashlib
import json
import shutil
import sqlite3
import zipfile
from pathlib import Path

import magnetoionics
import pytest
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.study_folder.archive import archive_study
from magnetoionics.hpc.study_folder.study_run import rebuild_report
from magnetoionics.hpc.terminal import Console
from pymatgen.core import Structure

DATA = Path(__file__).parents[2] / "data" / "version-2"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished") / "study"
    shutil.copytree(DATA / "store", folder / "store")
    (folder / "results.json").write_bytes(gzip.decompress((DATA / "results.json.gz").read_bytes()))
    rebuild_report(folder, Console(quiet=True))
    return folder


@pytest.fixture(scope="module")
def archived(finished):
    return archive_study(finished, licence="CC-BY-4.0", console=Console(quiet=True))


def test_archive_is_read_back_as_the_study(finished, archived):
    assert archived == finished.with_suffix(".zip")
    assert magnetoionics.load(archived) == magnetoionics.load(finished)


def test_archive_opens_with_other_programs(finished, archived, tmp_path):
    """zipfile, SQLite, pymatgen's CIF reader and sha256sum's format are the witnesses."""
    with zipfile.ZipFile(archived) as packed:
        assert packed.testzip() is None
        packed.extractall(tmp_path)
    for line in (tmp_path / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest
    host = Structure.from_file(tmp_path / "structures" / "host.cif")
    study = magnetoionics.load(finished)
    assert host.composition == study.host.structure.composition
    assert host.volume == pytest.approx(study.host.structure.volume, rel=1e-6)
    vacancy = next((tmp_path / "structures").glob("V_O(1)_relax.cif"), None) or next(
        (tmp_path / "structures").glob("V_O*.cif")
    )
    assert Structure.from_file(vacancy).composition["O"] == study.host.structure.composition["O"] - 1
    with sqlite3.connect(tmp_path / "store" / "jobs.sqlite") as jobs:
        assert jobs.execute("pragma integrity_check").fetchone() == ("ok",)
    metadata = json.loads((tmp_path / "metadata.json").read_text())
    assert metadata["license"] == "CC-BY-4.0"
    assert "10.1021/jp0611018" in metadata["references"]
    assert "CC-BY-4.0" in (tmp_path / "README.md").read_text()


def test_same_study_gives_the_same_bytes(finished, archived, tmp_path):
    again = archive_study(finished, tmp_path / "again.zip", "CC-BY-4.0", Console(quiet=True))
    assert again.read_bytes() == archived.read_bytes()


def test_changed_results_are_refused(archived, tmp_path):
    changed = tmp_path / "changed.zip"
    with zipfile.ZipFile(archived) as old, zipfile.ZipFile(changed, "w") as new:
        for item in old.infolist():
            content = old.read(item)
            new.writestr(item, content.replace(b'"energy_minus_host_eV": -', b'"energy_minus_host_eV": ', 1))
    with pytest.raises(UserError, match="not what was packed"):
        magnetoionics.load(changed)
    (tmp_path / "no.zip").write_bytes(archived.read_bytes()[:1000])
    with pytest.raises(UserError, match="no archive of a study"):
        magnetoionics.load(tmp_path / "no.zip")
    with pytest.raises(UserError, match="there is no file"):
        magnetoionics.load(tmp_path / "nowhere.zip")


def test_damaged_study_and_file_that_is_there_are_refused(finished, archived, tmp_path, capsys):
    assert main(["archive", str(finished)]) == 2
    assert "exists" in capsys.readouterr().err
    copy = tmp_path / "study"
    shutil.copytree(finished, copy)
    report = copy / "report.html"
    report.write_text(report.read_text() + "x")
    with pytest.raises(UserError, match=r"report\.html"):
        archive_study(copy)
    assert not copy.with_suffix(".zip").exists()


def test_study_is_saved_and_loaded_as_one_file(finished, tmp_path):
    study = magnetoionics.load(finished)
    file = study.save(tmp_path / "mine.json")
    assert magnetoionics.load(file) == study
    with pytest.raises(UserError, match="not a Study; a Study that is here needs no load"):
        magnetoionics.load(study)
    with pytest.raises(ValueError, match="exists"):
        study.save(file)
    with pytest.raises(ValueError, match=r"\.json"):
        study.save(tmp_path / "mine.txt")


def test_completion_shows_results_and_no_machinery(finished):
    names = dir(magnetoionics.load(finished))
    assert {"vacancies", "migration", "plot", "save", "to_dataframe"} <= set(names)
    assert [n for n in names if n.startswith(("model_", "_")) or n in ("json", "dict", "copy", "parse_obj")] == []


def test_html_of_a_document_says_what_it_is_and_no_class_name(finished):
    study = magnetoionics.load(finished)
    for document in (study.host, study.migration[0], study.vacancies[0]):
        text = document._repr_html_()
        assert type(document).__name__ not in text
        assert "Provenance</td>" not in text
