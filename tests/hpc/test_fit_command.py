"""``magnetoionics fit``: a user's contrast in, parameters with errors and a figure out; every bad input in one line."""

import csv
import json
import shutil

import numpy as np
import pytest
from kept_study import KEPT, kept_study
from magnetoionics.analysis.device.ensemble import contrast_after, contrast_against_voltage, currents_after
from magnetoionics.analysis.device.ensemble_fit import Measurement, fit_contrast, fit_curve
from magnetoionics.analysis.device.film import FilmAssumptions, film_of_hop
from magnetoionics.analysis.device.intercalation import Isotherm
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.measurements.fitting import read_curve


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


def assert_refused(folder, path, words, said, capsys):
    """In one line, with nothing written beside the study."""
    assert main(["fit", str(folder), str(path), *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert sorted(p.name for p in folder.iterdir()) == ["results.json"]


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
    assert_refused(folder, path, words, said, capsys)


def film():
    return film_of_hop(kept_study().migration[0], FilmAssumptions(thickness_m=2e-8))


def test_semicolons_and_decimal_commas_are_read_as_they_are_meant(tmp_path):
    plain, german = tmp_path / "plain.csv", tmp_path / "german.csv"
    plain.write_text("voltage_V,moment_emu,sigma\n-1.5,0.25,0.1\n2.0,-3.5e-2,0.1\n")
    german.write_text("# gemessen\nvoltage_V; moment_emu; sigma\n-1,5; 0,25; 0,1\n2,0; -3,5e-2; 0,1\n")
    assert read_curve(german) == read_curve(plain)
    assert read_curve(german).y == [0.25, -0.035]
    assert read_curve(german).quantity == "moment_emu"


@pytest.mark.parametrize(
    ("against", "quantity", "x"),
    [
        ("time_s", "contrast", np.geomspace(1e-3, 3e2, 15)),
        ("wait_s", "contrast", np.geomspace(1e-3, 3e2, 15)),
        ("temperature_K", "offset and contrast", np.linspace(200, 400, 15)),
        ("voltage_V", "current", np.linspace(-2, 2, 15)),
        ("voltage_V", "offset and contrast", np.linspace(-2, 2, 15)),
    ],
)
def test_every_kind_of_curve_gives_back_its_parameters(against, quantity, x):
    truth = film().model_copy(update={"barrier_eV": film().barrier_eV + 0.03, "asymmetry_eV": 0.0})
    how = Measurement(against=against, quantity=quantity, pulse_s=0.3, voltage_V=1.0)
    level = 5.0 if quantity == "offset and contrast" else 0.0
    noise = np.random.default_rng(3).normal(0, 0.01, len(x))
    signal = how.signal(truth, x.tolist())
    y = level + 7 * (signal / np.abs(signal).max() + noise)
    start = truth.model_copy(update={"barrier_eV": film().barrier_eV})
    fit = fit_curve(start, how, x.tolist(), y.tolist(), ["barrier_eV"])
    assert fit.values["barrier_eV"] == pytest.approx(truth.barrier_eV, abs=max(4 * fit.errors["barrier_eV"], 1e-6))
    assert fit.errors["barrier_eV"] < 0.01
    assert fit.offset == pytest.approx(level, abs=0.1)
    assert fit.unphysical == []
    assert np.abs(fit.curve(x.tolist()) - y).max() < 0.3


def test_current_is_the_rate_of_the_contrast():
    p, step = film(), 1e-4
    now, later = contrast_after(p, [(1.0, 0.2)])[0], contrast_after(p, [(1.0, 0.2 + step)])[0]
    assert currents_after(p, [(1.0, 0.2)])[0] == pytest.approx((later - now) / step, rel=1e-3)


def test_odd_data_of_an_uneven_hop_name_the_cure_and_mark_what_no_film_has():
    """The film of the issue: both senses show the same, and a field factor of tens makes up for the hop's own ends."""
    uneven = film().model_copy(update={"asymmetry_eV": 0.15})
    truth = film().model_copy(update={"asymmetry_eV": 0.0})
    volts = np.linspace(-4, 4, 17)
    data = contrast_against_voltage(truth, volts.tolist(), 0.1).y
    fit = fit_contrast(uneven, volts.tolist(), data, 0.1)
    assert any("--parameters barrier_eV,local_field_factor,asymmetry_eV" in note for note in fit.notes)
    assert fit.unphysical
    assert any(note.startswith("unphysical: ") for note in fit.notes)
    cured = fit_contrast(uneven, volts.tolist(), data, 0.1, ["barrier_eV", "local_field_factor", "asymmetry_eV"])
    assert cured.values["local_field_factor"] == pytest.approx(1.0, rel=0.02)
    assert cured.values["asymmetry_eV"] == pytest.approx(0.0, abs=2e-3)
    assert cured.notes == []


def test_data_against_time_ask_for_the_voltage(folder, tmp_path, capsys):
    path = tmp_path / "time.csv"
    path.write_text("time_s,contrast\n" + "\n".join(f"{t},{t / 10}" for t in range(1, 9)))
    assert main(["fit", str(folder), str(path), "--parameters", "barrier_eV"]) == 2
    assert "need the voltage" in capsys.readouterr().err
    assert main(["fit", str(folder), str(path), "--parameters", "barrier_eV", "--voltage-V", "2"]) == 0
    assert json.loads((folder / "fit.json").read_text())["measurement"]["against"] == "time_s"


def test_several_times_give_barrier_and_thickness(folder, tmp_path, capsys):
    """Times of a hop with the study's charge and distance over 8 nm: written both ways at two voltages, and kept."""
    hop = kept_study().migration[0]
    charge = abs(hop.images[-1].dipole_along_hop_e_A) / hop.distance_A
    lines = ["switching_time_s;voltage_V;temperature_K;error_decades"]
    for volts in (-3.0, -2.0, 0.0, 2.0, 3.0):
        for kelvin in (300.0, 350.0):
            lowered = 0.95 - charge * hop.distance_A * abs(volts) / 80 / 2
            lines.append(
                f"{1e-13 * np.exp(lowered / 8.617333e-5 / kelvin):.6g};{volts};{kelvin};0,05".replace(".", ",")
            )
    path = tmp_path / "times.csv"
    path.write_text("\n".join(lines) + "\n")
    words = ["--ranges", "thickness_nm: [2, 50], attempt_Hz: 1.0e+13", "--output", str(tmp_path / "out")]
    assert main(["fit", str(folder), str(path), *words]) == 0
    assert "barrier_eV" in capsys.readouterr().out
    whole = json.loads((tmp_path / "out" / "fit.json").read_text())
    low, middle, high = whole["barrier_eV"]
    assert low < 0.95 < high
    assert middle == pytest.approx(0.95, abs=0.01)
    assert whole["remains"]["thickness_nm"][1] == pytest.approx(8, rel=0.05)
    for event, (low, _, high) in zip(whole["events"], whole["log10_times"], strict=True):
        assert low - 0.1 < np.log10(event["time_s"]) < high + 0.1
    assert (tmp_path / "out" / "fit.png").stat().st_size > 5000
    with (tmp_path / "out" / "fit.csv").open() as stream:
        named = {r["quantity"] for r in csv.DictReader(stream)}
    assert named == {"barrier_eV", "asymmetry_eV", "thickness_nm", "permittivity"}


def test_a_cycle_gives_its_isotherm(folder, tmp_path):
    cell = Isotherm(middle_V=1.35, repulsion_eV=0.4, moment=74, per_ion=-20, overpotential_V=0.05)
    rows = ["voltage_V,moment_Am2_per_kg,branch"]
    for way, name in ((1.0, "in"), (-1.0, "out")):
        rows += [f"{v:.3f},{cell.moment_at(v, way):.6f},{name}" for v in np.linspace(1.0, 1.9, 12)]
    path = tmp_path / "cycle.csv"
    path.write_text("\n".join(rows) + "\n")
    assert main(["fit", str(folder), str(path), "--output", str(tmp_path / "out")]) == 0
    values = json.loads((tmp_path / "out" / "fit.json").read_text())["values"]
    assert values == pytest.approx(
        {"middle_V": 1.35, "repulsion_eV": 0.4, "moment": 74, "per_ion": -20, "overpotential_V": 0.05}, rel=1e-3
    )
    assert (tmp_path / "out" / "fit.svg").is_file()


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("switching_time_s,temperature_K\n1,300\n", [], "it needs switching_time_s"),
        ("switching_time_s,voltage_V\n-1,2\n", [], "line 2: time_s"),
        ("switching_time_s,voltage_V\nsoon,2\n", [], "soon as switching_time_s"),
        ("switching_time_s,voltage_V\n1,2\n", ["--ranges", "colour: 3"], "colour is no quantity"),
        ("switching_time_s,voltage_V\n1,2\n", ["--ranges", "thickness_nm: [1]"], "cannot be read"),
        ("voltage_V,moment,branch\n1,2,up\n", [], "up as branch"),
        ("voltage_V,current,branch\n1,2,in\n", [], "it needs voltage_V"),
        ("voltage_V,moment,branch\n1,2,in\n1.2,3,in\n", [], "cannot determine"),
    ],
)
def test_bad_times_and_cycles_are_one_line(folder, tmp_path, capsys, text, words, said):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    assert_refused(folder, path, words, said, capsys)
