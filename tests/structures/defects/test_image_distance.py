"""The supercell of a study follows from how far a defect and its images are to be apart."""

import pytest
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.study_folder.study_run import build_flow
from magnetoionics.hpc.study_options import StudyOptions

FAR = StudyOptions(image_distance_A=16.0)


def test_only_short_axes_are_repeated():
    """Maghemite's ordered cell is 25 A long."""
    assert FAR.repeats("gamma_fe2o3", None, False) == (2, 2, 1)
    assert FAR.repeats("cofe2o4", None, True) == (2, 2, 2)
    assert StudyOptions().repeats("cofe2o4", None, True) == (1, 1, 1)


def test_every_job_of_a_study_has_the_same_cell():
    flow = build_flow("cofe2o4:primitive", "local", quick=True, stages=["vacancies", "migration"], options=FAR)
    used = {(j.name, j.function_args[1]) for j, _ in flow.iterflow() if j.name in ("supercell", "vacancy", "hop")}
    assert used == {(name, (3, 3, 3)) for name in ("supercell", "vacancy", "hop")}


@pytest.mark.parametrize("distance", [0.0, 2.0, 500.0])
def test_distances_of_no_supercell_are_refused(distance):
    with pytest.raises(UserError, match=r"--image-distance .* must lie between 4 and 60 A"):
        StudyOptions(image_distance_A=distance).repeats("cofe2o4", None, True)


@pytest.mark.parametrize("command", ["run", "hops", "inputs"])
def test_commands_take_it(tmp_path, capsys, command):
    if command == "inputs":
        pytest.importorskip("atomate2")
    folder = tmp_path / "out"
    assert main([command, "cofe2o4", "--image-distance", "1", "--output", str(folder)]) == 2
    assert "must lie between 4 and 60 A" in " ".join(capsys.readouterr().err.split())
    assert not folder.exists()
