"""Figures are drawn again where their numbers, their code or their file changed, and kept elsewhere."""

import hashlib
import json
import shutil
from functools import partial
from pathlib import Path

import pytest
from magnetoionics.analysis.plots.migration import plot_band
from magnetoionics.analysis.plots.retention import plot_retention
from magnetoionics.analysis.plots.study import study_figures
from magnetoionics.analysis.results import figures as drawing
from magnetoionics.analysis.results.figures import NamedFigure
from magnetoionics.analysis.study.documents import Study
from magnetoionics.hpc.study_folder import drawn_before
from magnetoionics.hpc.study_folder.drawn_before import is_only_shapes, origin
from magnetoionics.hpc.study_folder.figures import write_figures
from magnetoionics.hpc.study_folder.files import versioned
from magnetoionics.hpc.study_folder.study_run import rebuild_report, study_under

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn") / "study"
    shutil.copytree(DATA / "version-2", folder)
    rebuild_report(folder)
    return folder


@pytest.fixture
def study(written, tmp_path):
    return Path(shutil.copytree(written, tmp_path / "study"))


@pytest.fixture
def drawn(monkeypatch):
    """Names of the functions that draw, each time that one does."""
    calls, draw = [], drawing.draw_with
    monkeypatch.setattr(drawing, "draw_with", lambda f, *a, **k: calls.append(f.func.__name__) or draw(f, *a, **k))
    return calls


def test_a_second_report_draws_nothing_and_is_the_same(study, drawn):
    before = {p.name: p.read_bytes() for p in [study / "report.html", *(study / "figures").iterdir()]}
    assert len(before) > 8
    rebuild_report(study)
    assert drawn == []
    assert {p.name: p.read_bytes() for p in [study / "report.html", *(study / "figures").iterdir()]} == before


def test_further_figures_are_drawn_when_asked_for_and_stay(study, drawn):
    own = json.loads((study / "results.json").read_text(encoding="utf-8"))
    further = {n for n, f in study_figures(Study.read_stored(*versioned(own, ""))).items() if f.aside}
    page = (study / "report.html").read_text(encoding="utf-8")
    assert further
    assert not further & {p.stem for p in (study / "figures").iterdir()}
    assert "report DIR --further" in page
    rebuild_report(study, further=True)
    assert len(drawn) == len(further)
    assert further < {p.stem for p in (study / "figures").iterdir()}
    assert "report DIR --further" not in (study / "report.html").read_text(encoding="utf-8")
    drawn.clear()
    rebuild_report(study)
    assert drawn == []
    assert further < {p.stem for p in (study / "figures").iterdir()}


def test_what_somebody_changed_is_drawn_again(study, drawn):
    path = study / "figures" / "band.svg"
    right = path.read_bytes()
    path.write_bytes(right.replace(b"<defs>", b"<defs/><defs>", 1))
    (study / "figures" / "retention.svg").unlink()
    rebuild_report(study)
    assert sorted(drawn) == ["plot_band", "plot_retention"]
    assert path.read_bytes() == right


def test_other_code_draws_everything_again(study, drawn, monkeypatch):
    monkeypatch.setattr(drawn_before, "_drawing_code", lambda: "another version of matplotlib")
    rebuild_report(study)
    assert len(drawn) > 8


def test_other_numbers_have_another_origin(study):
    found, _ = study_under(study, None)
    hop = found.migration[0]
    other = hop.model_copy(update={"forward_eV": hop.forward_eV + 1e-12})

    def of(document, function=plot_band, **options):
        return origin(NamedFigure("migration", partial(function, document, **options), "alt", "caption"))

    assert of(hop) == of(hop.model_copy())
    assert len({of(hop), of(other), of(hop, plot_retention), of(hop, normal=(0, 0, 1)), of(hop, normal=(1, 1, 0))}) == 5
    assert of(object()) is None


@pytest.mark.parametrize(
    "inserted",
    [
        "<script>alert(1)</script>",
        "<foreignObject><p/></foreignObject>",
        '<g onclick="alert(1)"/>',
        '<image href="https://example.org/a.png"/>',
        "<use xlink:href='file:///etc/passwd'/>",
        "<style>@import 'x.css';</style>",
        "<style>*{background: url(https://example.org)}</style>",
        '<!DOCTYPE svg [<!ENTITY a "b">]>',
        "<?xml-stylesheet href='x'?>",
        "<a xlink:href='javascript:alert(1)'/>",
        "<animate/>",
    ],
)
def test_scripts_handlers_and_links_are_more_than_shapes(written, inserted):
    right = (written / "figures" / "band.svg").read_text()
    assert is_only_shapes(right)
    assert not is_only_shapes(right.replace("<defs>", f"{inserted}<defs>", 1))


def test_a_figure_with_a_script_is_never_packed_into_a_report(study, drawn):
    """A folder from somebody else, whose checksums fit."""
    path = study / "figures" / "band.svg"
    right = path.read_text()
    path.write_text(right.replace("<defs>", "<script>alert(1)</script><defs>", 1))
    sums = study / "SHA256SUMS"
    lines = [line for line in sums.read_text().splitlines() if not line.endswith("figures/band.svg")]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    sums.write_text("\n".join([*lines, f"{digest}  figures/band.svg"]) + "\n")
    found, _ = study_under(study, None)
    made = NamedFigure("migration", partial(plot_band, found.migration[0]), "alt", "caption")
    write_figures({"band": made}, study / "figures", untouched={"band.svg"})
    assert drawn == ["plot_band"]
    assert path.read_text() == right
