"""One study for several U: which U are run, what is refused, and the table that stands at the end."""

import csv
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import magnetoionics
import pytest
from magnetoionics.analysis.study.comparison import verdicts_against
from magnetoionics.hpc.campaigns.campaign import Campaign, specs, study_flow
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.u_scan import REPORT, TABLE, engine_with_u, holds_for, run_u_scan, u_engines
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.engines.local import LocalEngine

OWN = {"Co": 3.32, "Fe": 5.3}


@dataclass
class EngineWithU(LocalEngine):
    """The local engine as if it had electrons with a U."""

    hubbard_U_eV: dict = field(default_factory=lambda: dict(OWN))

    def with_hubbard_U(self, hubbard_U_eV):
        return replace(self, hubbard_U_eV={**self.hubbard_U_eV, **hubbard_U_eV})

    def provenance(self, left_out=()):
        return super().provenance(left_out).model_copy(update={"hubbard_U_eV": self.hubbard_U_eV})


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("own", OWN),
        ("3", {"Co": 3.0, "Fe": 3.0}),
        ("Co=4", {"Co": 4.0, "Fe": 5.3}),
        (" Co=4+Fe=4.5 ", {"Co": 4.0, "Fe": 4.5}),
        ("Co=0", {"Co": 0.0, "Fe": 5.3}),
    ],
)
def test_a_word_states_u(word, wanted):
    assert engine_with_u(EngineWithU(), "cofe2o4", word).provenance().hubbard_U_eV == wanted


@pytest.mark.parametrize(
    ("word", "said"),
    [("soft", "is none"), ("Co=x", "is none"), ("Ni=3", "holds no Ni"), ("nan", "finite"), ("Co=inf", "finite")],
)
def test_what_is_no_u_is_refused_in_words(word, said):
    with pytest.raises(UserError, match=said):
        engine_with_u(EngineWithU(), "cofe2o4", word)


def test_an_engine_without_u_says_so(tmp_path, capsys):
    code = main(["run", "cofe2o4", "--u-scan", "own,3,4", "--output", str(tmp_path / "study")])
    assert code == 2
    assert "local has no U to choose" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "study").exists()


def test_less_than_three_different_u_are_refused():
    assert list(u_engines(EngineWithU(), "cofe2o4", "own,3,4")) == ["Co3.32-Fe5.3", "Co3-Fe3", "Co4-Fe4"]
    with pytest.raises(UserError, match="has 2 different ones"):
        u_engines(EngineWithU(), "cofe2o4", "own,3,Co=3+Fe=3.0")


def test_engines_of_dft_take_u():
    pytest.importorskip("atomate2")
    engine = get_engine("vasp")
    changed = engine.with_hubbard_U({"Co": 3.0})
    assert changed.dft.hubbard_U_eV == {**engine.dft.hubbard_U_eV, "Co": 3.0}
    assert engine.dft.hubbard_U_eV["Co"] != 3.0


def test_gpaw_takes_u():
    pytest.importorskip("gpaw")
    assert get_engine("gpaw").with_hubbard_U({"Co": 3.0, "Fe": 4.0}).dft.setups()["Co"] == ":d,3"


def test_scan_runs_each_u_and_ends_with_one_table(tmp_path, capsys):
    folder = run_u_scan(
        "cofe2o4", "own,3,4", engine_name=EngineWithU(), quick=True, stages=["host"], output=tmp_path / "scan"
    )
    with (folder / TABLE).open() as stream:
        head, *rows = csv.reader(stream)
    assert head == ["quantity", "unit", "Co3.32-Fe5.3", "Co3-Fe3", "Co4-Fe4"]
    ran = [magnetoionics.load(folder / name).engine.provenance.hubbard_U_eV for name in head[2:]]
    assert ran == [OWN, {"Co": 3.0, "Fe": 3.0}, {"Co": 4.0, "Fe": 4.0}]
    volumes = next(row for row in rows if row[0] == "volume per formula unit")
    assert float(volumes[2]) > 0
    assert (folder / REPORT).is_file()
    assert "Co3.32-Fe5.3" in capsys.readouterr().out


def test_verdicts_name_the_u_that_they_hold_for():
    def study(verdict):
        claims = [SimpleNamespace(id="C4", verdict=verdict), SimpleNamespace(id="C5", verdict="not computed")]
        return SimpleNamespace(claims=claims)

    found = verdicts_against({"Co3": study("reproduced"), "Co4": study("reproduced"), "Co5": study("contradicted")})
    assert list(found) == ["C4"]
    assert holds_for(found["C4"]) == "reproduced for U in Co3, Co4; contradicted for U in Co5"


def test_a_campaign_scans_u_too():
    pytest.importorskip("atomate2")
    campaign = Campaign(name="u", hosts=["cofe2o4"], engines=["vasp"], stages=["host"], u_scan=["own", 3, "Co=4+Fe=4"])
    made = specs(campaign)
    assert [s.hubbard_U for s in made] == ["own", "3.0", "Co=4+Fe=4"]
    assert made[0].about() != made[1].about()
    flows = [str(study_flow(s).as_dict()) for s in made]
    assert "4.0" in flows[2]
    assert len(set(flows)) == 3
    (refused,) = specs(Campaign(name="u", hosts=["cofe2o4"], u_scan=[3.0]))
    with pytest.raises(UserError, match="has no U to choose"):
        study_flow(refused)
