"""The engine auto: the best installed one that can, with the reasons; what each engine does of each host."""

import sys

import pytest
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.study_folder.files import read_study
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import CannotDoError
from magnetoionics.workflows.flows.automatic import RANKED, choose_engine
from magnetoionics.workflows.flows.plan import stages_by_engine


@pytest.fixture
def without_ml(monkeypatch):
    """As in an environment that has neither an ML package nor tables of bond valences."""
    for package, engine in (("sevenn", "sevennet"), ("chgnet", "chgnet"), ("bvlain", "softbv")):
        monkeypatch.setitem(sys.modules, package, None)
        monkeypatch.setitem(sys.modules, f"magnetoionics.workflows.engines.{engine}", None)


def test_without_ml_packages_the_rigid_ions_are_chosen_and_the_reasons_said(without_ml):
    engine, said = choose_engine("nife2o4")
    assert engine.name == "local"
    assert said.startswith("engine local: rigid ions")
    assert "passed over: sevennet: not installed; chgnet: not installed" in said


def test_a_stage_that_needs_electrons_passes_the_potentials_over():
    engine, said = choose_engine("cofe2o4", stages=["anisotropy"])
    assert engine.name == "local"
    assert "sevennet: not installed" in said or "stage anisotropy cannot be done" in said


def test_the_best_installed_one_is_the_first_of_the_ranking():
    pytest.importorskip("sevenn")
    engine, said = choose_engine("cofe2o4")
    assert engine.name == next(iter(RANKED)) == "sevennet"
    assert "it leaves out vibrations, anisotropy" in said


def test_what_none_can_do_is_refused_with_every_reason(without_ml, monkeypatch):
    from dataclasses import replace

    from magnetoionics.structures.cells.spinel import inverse_spinel

    cadmium = replace(get_host("cofe2o4"), build_cell=lambda order: inverse_spinel(8.7, 0.381, "Cd", "Fe", order))
    with pytest.raises(CannotDoError, match=r"local: .*no Cd.*pip install.*sevennet.*--engine gpaw") as refused:
        choose_engine(cadmium)
    # Installed it gives its reason, and else it is one of the ways out.
    assert "softbv" in str(refused.value)


def test_the_command_says_which_engine_it_took(without_ml, tmp_path, capsys):
    folder = tmp_path / "study"
    asked = ["run", "cofe2o4", "--quick", "--engine", "auto", "--stages", "migration", "--output", str(folder)]
    assert main(asked) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "engine local: rigid ions: seconds, indicative numbers; passed over: sevennet: not installed" in said
    assert read_study(folder).engine.provenance.engine == "local"


def test_every_built_in_host_has_an_engine_that_is_always_there():
    for key in ("nife2o4", "mgfe2o4", "fe3o4", "zn095co005o"):
        found = stages_by_engine(get_host(key), ["local"])["local"]
        assert {"host", "vacancies", "migration"} <= set(found.done), key
        assert all(reason.startswith(stage) for stage, reason in found.left_out.items())


def test_hosts_by_engine_is_a_table_with_its_reasons_below(capsys):
    assert main(["hosts", "cofe2o4", "--engines"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "V vacancies" in said
    assert "[1]" in said
