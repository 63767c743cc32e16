"""The same command on a finished study has nothing to do; changed options add to it; another study is refused."""

import io
import json

import pytest
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.study_folder.files import RESULTS, check_output_folder, read_study
from magnetoionics.hpc.study_folder.study_run import run_study, study_under
from magnetoionics.hpc.terminal import Console


def run(folder, **changed):
    out = io.StringIO()
    asked = {"engine_name": "local", "quick": True, "stages": ["competing phases"], **changed}
    run_study(asked.pop("host", "nio"), output=folder, console=Console(file=out, width=200), **asked)
    return out.getvalue()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished") / "study"
    run(folder, stages=["vacancies", "migration"])
    return folder


def test_same_command_has_nothing_to_do_and_writes_nothing(finished):
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in (finished / RESULTS, finished / "report.html")}
    said = run(finished, stages=["vacancies", "migration"])
    assert "done, nothing to do" in said
    assert read_study(finished).migration[0].band_file
    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in before} == before
    # Nor is anything lost: the store still knows which study it holds.
    assert study_under(finished, None)[0].migration[0].forward_eV == read_study(finished).migration[0].forward_eV


def test_another_stage_is_added_and_what_was_there_stays(finished, tmp_path):
    import shutil

    folder = tmp_path / "study"
    shutil.copytree(finished, folder)
    energies = {v.label: v.energy_minus_host_eV for v in read_study(folder).vacancies}
    said = run(folder, stages=["anisotropy"])
    assert "nothing to do" not in said
    study = read_study(folder)
    assert energies
    assert {v.label: v.energy_minus_host_eV for v in study.vacancies} == energies
    assert study.anisotropy is not None
    # Back to what was asked first: nothing is taken away.
    run(folder, stages=["vacancies"])
    assert read_study(folder).anisotropy is not None


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"host": "coo"}, "material nio there, coo asked for"),
        ({"quick": False}, "repeats of the cell"),
        ({"engine_name": "ase:ase.calculators.emt:EMT"}, "engine local there, ase asked for"),
    ],
)
def test_another_study_is_refused_by_what_differs(finished, changed, named):
    before = (finished / RESULTS).read_bytes()
    with pytest.raises(UserError) as refused:
        run(finished, **{"stages": ["vacancies"], **changed})
    assert named in str(refused.value)
    assert "--output" in str(refused.value)
    assert (finished / RESULTS).read_bytes() == before


def test_overwrite_begins_anew(finished, tmp_path):
    import shutil

    folder = tmp_path / "study"
    shutil.copytree(finished, folder)
    run(folder, stages=["anisotropy"], overwrite=True)
    assert json.loads((folder / RESULTS).read_text())["vacancies"] == []


def test_only_a_run_goes_on_in_a_folder_that_holds_a_study(finished):
    """An import or another command that writes studies must not take one's place unasked."""
    before = (finished / RESULTS).read_bytes()
    with pytest.raises(UserError, match="already holds a study"):
        check_output_folder(finished, overwrite=False)
    check_output_folder(finished, overwrite=False, goes_on=True)
    assert (finished / RESULTS).read_bytes() == before
