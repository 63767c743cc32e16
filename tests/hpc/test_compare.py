"""Several studies in one report."""

import shutil
from pathlib import Path

import magnetoionics
import pytest
from magnetoionics.analysis.plots.comparison import plot_bands
from magnetoionics.analysis.report.comparison import comparison_html
from magnetoionics.analysis.study.comparison import compare
from magnetoionics.hpc.cli import main
from undrawn_studies import run_study


@pytest.fixture(scope="module")
def folders(quick_study, tmp_path_factory):
    root = tmp_path_factory.mktemp("compare")
    return [
        Path(shutil.copytree(quick_study, root / "whole")),
        run_study("cofe2o4", quick=True, order="P4_122", output=root / "vacancies", stages=["vacancies"]),
        run_study("life5o8", quick=True, output=root / "lithium", stages=["host"]),
    ]


@pytest.fixture(scope="module")
def studies(folders):
    return {f.name: magnetoionics.load(f) for f in folders[:2]}


def test_rows_hold_the_numbers_of_each_study(studies):
    rows = {r.quantity: r.values for r in compare(studies)}
    whole, vacancies = studies.values()
    assert rows["volume per formula unit"] == [whole.host.volume_per_formula_A3, vacancies.host.volume_per_formula_A3]
    barrier = rows["Co(B) -> V_Fe(B): forward barrier"]
    assert barrier == [whole.migration[0].forward_eV, None]
    like = {v.label: v.energy_minus_host_eV for v in whole.vacancies}
    assert rows["V_Fe(B) minus V_Fe(A)"][0] == pytest.approx(like["V_Fe(B)"] - like["V_Fe(A)"])


def test_anisotropy_stands_with_its_error(studies):
    whole = studies["whole"]
    rows = {r.quantity: r for r in compare(studies)}
    pristine = next(s for s in whole.anisotropy.summaries if s.state == "pristine")
    amplitude = rows["hard minus easy at 0 K, pristine"]
    assert amplitude.values[0] == pytest.approx(pristine.hard_minus_easy_meV / 8)
    assert amplitude.errors == [pytest.approx(pristine.error_meV / 8), None]
    constant = rows["K1 of the host at 0 K"]
    assert constant.values == [whole.anisotropy.cubic.K1_MJ_per_m3, None]
    assert constant.errors == [whole.anisotropy.cubic.K1_error_MJ_per_m3, None]
    assert f"{constant.values[0]:.4g} ± {constant.errors[0]:.2g}" in comparison_html(studies)
    assert rows["volume per formula unit"].errors == [None, None]


def test_a_study_compared_with_itself_shows_no_difference(studies):
    whole = studies["whole"]
    assert all(a == b for a, b in (r.values for r in compare({"a": whole, "b": whole})))


def test_page_names_engines_numbers_and_verdicts(studies):
    html = comparison_html(studies)
    assert "whole" in html
    assert "P4_122" in html
    assert f"{studies['whole'].migration[0].forward_eV:.2f} eV forward" in html
    assert html.count("<img") == 1


def test_command_writes_and_refuses(folders, tmp_path, capsys):
    out = tmp_path / "c.html"
    assert main(["compare", *map(str, folders[:2]), "--output", str(out)]) == 0
    assert out.read_text().startswith("<!doctype html>")
    capsys.readouterr()
    for words, said in (
        ([*map(str, folders[:2]), "--output", str(out)], "--overwrite"),
        ([str(folders[0]), str(folders[2])], "different materials"),
        ([str(folders[0])], "at least two"),
        ([str(tmp_path), str(folders[0])], "holds no results.json"),
    ):
        target = [] if "--output" in words else ["--output", str(tmp_path / "other.html")]
        assert main(["compare", *words, *target]) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "other.html").exists()


def test_bands_of_nothing_are_refused():
    with pytest.raises(ValueError, match="no migration to draw"):
        plot_bands({})
