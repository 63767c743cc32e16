"""``magnetoionics fit``: a user's contrast in, parameters with errors and a figure out; every bad input in one line."""

import csv
import json
import shutil

import numpy as np
import pytest
from kept_study import KEPT, kept_study
from magnetoionics.analysis.device.ensemble import contrast_against_voltage
from magnetoionics.analysis.device.film import FilmAssumptions, film_of_hop
from magnetoionics.hpc.cli import main


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "study"
    made.mkdir()
    shutil.copy(KEPT, made / "results.json")
    return made


@pytest.fixture
def data(tmp_path):
    hop = kept_study().migration[0]
    film = film_of_hop(hop, FilmAssumptions(thickness_m=2e-8))
    truth = film.model_copy(update={"barrier_eV": film.barrier_eV + 0.02, "local_field_factor": 1.4})
    volts = np.linspace(-4, 4, 17)
    noise = np.random.default_rng(1).normal(0, 0.1, len(volts))
    contrast = 12 * np.array(contrast_against_voltage(truth, volts.tolist(), 0.1).y) + noise
    path = tmp_path / "data.csv"
    rows = [f"{v:.4f}, {c:.6f}, 0.1" for v, c in zip(volts, contrast, strict=True)]
    path.write_text("# measured\nvoltage_V, contrast, sigma\n" + "\n".join(rows) + "\n")
    return path, truth


def test_known_parameters_come_back_within_their_errors(folder, data, capsys):
    path, truth = data
    assert main(["fit", str(folder), str(path), "--pulse-s", "0.1", "--film", "thickness_m: 2e-8"]) == 0
    assert "local_field_factor" in capsys.readouterr().out
    with (folder / "fit.csv").open() as stream:
        rows = {r["parameter"]: (float(r["value"]), float(r["standard_error"])) for r in csv.DictReader(stream)}
    for name, value in (("barrier_eV", truth.barrier_eV), ("local_field_factor", 1.4), ("scale", 12.0)):
        found, error = rows[name]
        assert abs(found - value) < 4 * error
        assert error < 0.1 * value
    whole = json.loads((folder / "fit.json").read_text())
    assert whole["parameters"]["thickness_m"] == 2e-8
    assert (folder / "fit.png").stat().st_size > 5000
    assert (folder / "fit.svg").is_file()


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("volts,contrast\n1,2\n", [], "no column voltage_V"),
        ("voltage_V,contrast\n1,2\n2,high\n", [], "line 3"),
        ("voltage_V,contrast\n1,2\n2,3\n", [], "cannot determine"),
        ("voltage_V,contrast,sigma\n1,2,0\n2,3,1\n", [], "must be positive"),
        ("voltage_V,contrast\n1,2\n", ["--parameters", "colour"], "no ensemble parameters"),
        ("voltage_V,contrast\n1,2\n", ["--pulse-s", "0"], "must be positive"),
        ("voltage_V,contrast\n1,2\n", ["--film", "thickness: 1"], "entries: thickness_m"),
        (None, [], "cannot be read"),
    ],
)
def test_bad_input_is_one_line(folder, tmp_path, capsys, text, words, said):
    path = tmp_path / "bad.csv"
    if text is not None:
        path.write_text(text)
    assert main(["fit", str(folder), str(path), *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert sorted(p.name for p in folder.iterdir()) == ["results.json"]
