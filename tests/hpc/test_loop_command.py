"""``magnetoionics fit`` with a measured loop: units, instrument files, a table, a figure, bad input in one line."""

import csv
import json

import numpy as np
import pytest
from magnetoionics.hpc.api import load
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.measurements.loops import read_loop
from magnetoionics.hpc.measurements.table import folder_for_results


@pytest.fixture(scope="module")
def loop(own_study):
    """Of the study's own grains before the hop, as an instrument sweeps."""
    made = load(own_study).device.loops[0]
    down, moment = np.array(made.fields_T), np.array(made.moment_share)
    return made, np.concatenate([down, -down]), np.concatenate([moment, -moment])


def quantum_design(field_T, moment):
    """As MultiVu writes: a header, then many columns, most of them empty."""
    rows = "\n".join(
        f",{n},{1e4 * float(f)!r},,{float(m)!r}," for n, (f, m) in enumerate(zip(field_T, moment, strict=True))
    )
    head = "Comment,Time Stamp (sec),Magnetic Field (Oe),Long Moment (emu),Moment (emu),M. Std. Err. (emu)"
    return f"[Header]\nTITLE,x\nINFO,sample, one\n[Data]\n{head}\nfirst,0,,,,\n{rows}\n"


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("field_T", 1.0),
        ("field_Oe", 1e4),
        ("field_kOe", 10.0),
        ("field_kA_per_m", 1 / (4e-4 * np.pi)),
        ("Field (mT)", 1e3),
    ],
)
def test_units_of_the_field(tmp_path, name, factor):
    path = tmp_path / "loop.csv"
    path.write_text(f"# a film\n{name}, moment_emu\n{2 * factor!r}, 1e-4\n{-0.5 * factor!r}, -2e-5\n")
    field, moment = read_loop(path)
    assert field == pytest.approx([2.0, -0.5])
    assert moment == [1e-4, -2e-5]


def test_a_loop_of_the_study_is_its_own_grains(own_study, loop, tmp_path, capsys):
    made, field, moment = loop
    path = tmp_path / "film.dat"
    path.write_text(quantum_design(field, 2e-4 * moment))
    assert main(["fit", str(own_study), str(path), "--output", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "before the hop" in said
    with (tmp_path / "out" / "loop.csv").open() as stream:
        rows = {r["what"]: r for r in csv.DictReader(stream)}
    assert float(rows["measured"]["coercive_T"]) == pytest.approx(made.coercive_T, rel=2e-3)
    assert float(rows["before"]["coercive_T"]) == pytest.approx(made.coercive_T, rel=1e-6)
    # Large grains hardly feel heat, so that their field says little of how large they are.
    assert float(rows["before"]["diameter_m"]) == pytest.approx(2e-8, rel=0.1)
    assert json.loads((tmp_path / "out" / "loop.json").read_text())["measured"]["largest_T"] == max(abs(field))
    assert (tmp_path / "out" / "loop.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("field_T,contrast\n1,2\n", "no column of a moment"),
        ("field_T,moment_emu\n1,2\n2,3\n", "8 points or more"),
        ("field_T,moment_emu\n1,2\n2,inf\n", "no finite number"),
        ("field_T,moment_emu\n1,2\n2,high\n", "no finite number"),
    ],
)
def test_bad_loops_are_one_line(own_study, tmp_path, capsys, text, said):
    path = tmp_path / "loop.csv"
    path.write_text(text)
    assert main(["fit", str(own_study), str(path), "--output", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_a_film_above_its_ordering_has_no_grains(own_study, loop, tmp_path, capsys):
    _, field, moment = loop
    path = tmp_path / "loop.csv"
    path.write_text("field_T,moment_emu\n" + "\n".join(f"{f},{m}" for f, m in zip(field, moment, strict=True)))
    assert main(["fit", str(own_study), str(path), "--film", "temperature_K: 900"]) == 2
    assert "above its T_C" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["loop.csv", "fit.csv", "diffusion.csv"])
def test_a_measurement_is_not_replaced_by_the_result_of_its_name(name, tmp_path):
    """A folder of one's own, with the measurement in it, is where people send the results."""
    data = tmp_path / name
    data.write_text("mine")
    for target in (tmp_path, tmp_path / "more" / ".."):
        (tmp_path / "more").mkdir(exist_ok=True)
        with pytest.raises(UserError, match="would be replaced"):
            folder_for_results(target, data.stem, data)
    assert folder_for_results(tmp_path / "new", data.stem, data) == tmp_path / "new"
    assert folder_for_results(tmp_path, "other", data) == tmp_path
    with pytest.raises(UserError, match="is a file"):
        folder_for_results(data, "other", data)


@pytest.mark.parametrize("command", ["fit", "diffusion"])
def test_the_command_leaves_the_measurement_as_it_was(own_study, tmp_path, capsys, command):
    data = tmp_path / {"fit": "loop.csv", "diffusion": "diffusion.csv"}[command]
    data.write_text("field_T,moment\n1,1\n-1,-1\n1,1\n")
    first = [str(own_study), str(data)] if command == "fit" else [str(data), str(own_study)]
    assert main([command, *first, "--output", str(tmp_path)]) == 2
    assert "would be replaced" in " ".join(capsys.readouterr().err.split())
    assert data.read_text() == "field_T,moment\n1,1\n-1,-1\n1,1\n"
    assert list(tmp_path.iterdir()) == [data]
