"""``magnetoionics film``: files, refusals, and the film of a study's own hop."""

import json

import pandas as pd
import pytest
from kept_study import kept_study
from magnetoionics.analysis.device.film_of_study import film_model_of_hop
from magnetoionics.analysis.device.film_run import FilmRun
from magnetoionics.hpc import filming
from magnetoionics.hpc.errors import UserError


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setattr(filming, "read_study", lambda folder: kept_study())


def test_a_film_of_the_hop_has_its_numbers():
    study = kept_study()
    hop, cell = study.migration[0], study.host.structure
    film = film_model_of_hop(hop, cell, thickness_nm=5.0)
    assert film.barrier_eV == pytest.approx((hop.forward_eV + hop.backward_eV) / 2)
    # A vacancy of a cation is negative; as many places a volume as the crystal has B sites: 16 in a cube.
    assert -3 < film.charge_e < -1
    assert film.sites_per_nm2 / 100 / film.plane_spacing_A == pytest.approx(16 / cell.volume * len(cell) / 56, rel=1e-9)


def test_command_writes_tables_and_figures(told, tmp_path):
    film = {"thickness_nm": 1.5, "occupation": 0.01, "sites_per_nm2": 0.5}
    run = filming.film_study(tmp_path, model=film, voltage_V=0.2, pulse_s=100.0, wait_s=1.0)
    assert {p.name for p in tmp_path.iterdir()} == {
        "film.json",
        "film.csv",
        "film.svg",
        "film-profile.svg",
        "film-current_voltage.svg",
    }
    assert FilmRun.model_validate(json.loads((tmp_path / "film.json").read_text())).contrast == run.contrast
    write, _, erase, _ = run.ends()
    # Negative vacancies go against the field.
    assert run.contrast[write] < 0 < run.contrast[erase]


def test_moment_and_anisotropy_come_out_where_an_ion_has_them(told, tmp_path, capsys):
    film = {"thickness_nm": 1.5, "occupation": 0.1, "sites_per_nm2": 0.5, "right": {"kind": "reservoir"}}
    entries = {"model": film, "voltage_V": 0.2, "pulse_s": 100.0, "wait_s": 1.0}
    run = filming.film_study(tmp_path, **entries, per_ion_muB=-5.0, per_ion_meV=0.2)
    table, end = pd.read_csv(tmp_path / "film.csv"), run.ends()[1]
    gained = run.content_per_nm2[end] - run.content_per_nm2[0]
    assert gained > 0.1
    assert table["moment_change_muB_per_nm2"][end] == pytest.approx(-5.0 * gained)
    # 0.2 meV an ion, 0.5 places a nm2: 0.016 mJ/m2 for each unit of occupation.
    filled = run.right_occupation[end] - run.right_occupation[0]
    assert table["right_anisotropy_change_J_per_m2"][end] == pytest.approx(1.602177e-5 * filled)
    assert table["left_anisotropy_change_J_per_m2"][end] != table["right_anisotropy_change_J_per_m2"][end]
    with pytest.raises(UserError, match="--per-ion-meV nan must lie between -100 and 100"):
        filming.film_study(tmp_path, **entries, per_ion_meV=float("nan"))
    assert "moment_change_muB_per_nm2 at the end of every step" in capsys.readouterr().out.replace("\n", " ")


def test_cycles_write_the_endurance_and_say_what_tires(told, tmp_path, capsys):
    traps = {"share": 0.1, "depth_eV": 0.5, "barrier_eV": 0.8}
    film = {"thickness_nm": 1.5, "occupation": 0.01, "sites_per_nm2": 0.5, "traps": traps}
    filming.film_study(tmp_path, model=film, voltage_V=0.2, pulse_s=100.0, wait_s=1.0, cycles=3)
    assert "fatigue: stated traps" in " ".join(capsys.readouterr().out.split())
    table = pd.read_csv(tmp_path / "film-endurance.csv")
    assert table["cycle"].tolist() == [1, 2, 3]
    assert abs(table["window"].iloc[2]) < abs(table["window"].iloc[0])
    assert (tmp_path / "film-endurance.svg").is_file()
    with pytest.raises(UserError, match="depth_eV"):
        filming.film_study(tmp_path, model=film | {"traps": traps | {"depth_eV": -1}})


def test_the_same_film_ion_by_ion_stands_beside_it(told, tmp_path, capsys):
    film = {"thickness_nm": 1.5, "occupation": 0.1, "sites_per_nm2": 0.5, "right": {"kind": "reservoir"}}
    run = filming.film_study(tmp_path, model=film, voltage_V=0.2, pulse_s=1.0, wait_s=0.1, side=40)
    walked = pd.read_csv(tmp_path / "film-ion_by_ion.csv")
    for n, end in enumerate(run.ends()):
        assert walked["contrast"][n] == pytest.approx(run.contrast[end], abs=0.05)
        planes = [walked[f"plane {k + 1}"][n] for k in range(run.model.planes)]
        assert planes == pytest.approx(run.profile[end], abs=0.05)
    assert f"{walked['contrast'][0]:+.3f}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"side": 1}, "side 1 must lie"),
        ({"side": 30, "sweep_V_per_s": 1.0}, "constant voltage"),
        ({"model": "thicknes: 3"}, "no thicknes"),
        ({"model": "thickness_nm: -3"}, "greater than 0"),
        ({"model": "left: {kind: golden}"}, "blocking"),
        ({"cycles": 0}, "0 cycles"),
        ({"voltage_V": float("nan")}, "no film of .*: voltage_V: Input should be a finite number; e.g."),
        ({"pulse_s": -1.0}, "no film of .*: duration_s: Input should be greater than 0; e.g."),
        ({"sweep_V_per_s": -1.0}, "must be positive"),
    ],
)
def test_bad_films_are_refused_with_an_example(told, tmp_path, given, said):
    with pytest.raises(UserError, match=said) as error:
        filming.film_study(tmp_path, **given)
    assert "thickness_nm: 20" in str(error.value)
    assert not list(tmp_path.iterdir())
