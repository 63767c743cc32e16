"""``run HOST --quick`` for every host and every engine that claims it: a plan, or one sentence that says why not."""

import pytest
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.study_folder.files import read_study
from magnetoionics.hpc.study_options import StudyOptions
from magnetoionics.structures.host import get_host, host_keys
from magnetoionics.workflows.engine import CannotDoError, UnknownEngineError, engine_names, get_engine
from magnetoionics.workflows.flows.chemical_potentials import references_reason
from magnetoionics.workflows.flows.competing_phases import phases_reason
from magnetoionics.workflows.flows.plan import plan_stages


def installed():
    """Engines that are here; one that needs the name of a calculator has nothing of its own to run."""
    found = []
    for name in (n for n in engine_names() if n != "ase"):
        try:
            found.append(get_engine(name).name)
        except UnknownEngineError:
            continue
    return found


# Seconds each on one core; the others are run by benchmarks/hosts.py.
RUN_IN_CI = ["tio2"]


def claims(engine, key):
    try:
        engine.check(get_host(key).structure())
    except CannotDoError:
        return False
    return True


@pytest.mark.parametrize("name", installed())
def test_every_host_has_a_plan_or_a_sentence(name):
    """Nothing in between: no traceback, no empty study, and the hop has room in the supercell that is chosen."""
    engine = get_engine(name)
    sentences = {}
    for key in host_keys():
        host = get_host(key)
        repeats = StudyOptions().repeats(key, None, quick=True)
        try:
            planned = plan_stages(engine, host, host.orders[0], repeats=repeats)
        except CannotDoError as error:
            sentences[key] = str(error)
            continue
        done = {stage.stage for stage in planned if stage.done}
        assert "vacancies" in done, key
        assert "migration" in done, (key, [s.reason for s in planned if s.stage == "migration"])
    assert all(len(text) > 30 and "\n" not in text for text in sentences.values())
    for key in ("cofe2o4", "nife2o4", "mgfe2o4", "zn095co005o", "fe3o4"):
        assert key not in sentences


@pytest.mark.parametrize(
    ("formula", "references", "said"),
    [
        ("NiFe2O4", ("NiO", "Fe2O3", "Fe3O4"), ""),
        ("NiO", ("NiO",), "1 of 2 are independent"),
        ("TiO2", (), "they have no O, Ti"),
        ("Fe4N", ("Fe", "N2", "Fe4N"), ""),
    ],
)
def test_references_that_do_not_fix_each_element_are_said(formula, references, said):
    """One oxide leaves the metal's energy to be traded for oxygen's, which a least-squares fit would hide or refuse."""
    reason = references_reason(formula, references)
    assert (said in reason) if said else not reason


def test_oxide_hosts_of_the_field_have_a_window_of_an_engines_own():
    """Where no table has the host's enthalpy: the engine's own oxides, oxygen from a metal with two of them."""
    without = {key for key in host_keys() if phases_reason(get_host(key), get_host(key).structure())}
    assert not without & {"lafeo3", "srfeo3", "srcoo3", "srcoo25", "lsmo", "yig", "mnfe2o4", "nife2o4", "licoo2"}
    assert {"con", "fe4n", "nioh2", "bifeo3", "lifepo4"} <= without


def test_an_engine_that_cannot_says_so_on_the_command_line(capsys, tmp_path):
    """Exit code 2, one line, the element, and an engine that can."""
    cannot = [key for key in host_keys() if not claims(get_engine("local"), key)]
    assert "fe4n" in cannot
    assert main(["run", "fe4n", "--quick", "--output", str(tmp_path / "s")]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert "has no N;" in said[0]
    assert "--engine" in said[0]


@pytest.mark.slow
@pytest.mark.every_host
@pytest.mark.parametrize("name", [n for n in installed() if n not in ("gpaw", "vasp")])
@pytest.mark.parametrize("key", host_keys())
def test_a_quick_run_of_every_host_ends_with_a_report_or_a_sentence(name, key, tmp_path, capsys):
    """Whatever the engine claims it also ends: parts that are no result say why, and nothing is unexpected."""
    code = main(["run", key, "--quick", "--engine", name, "--output", str(tmp_path / "s")])
    if not claims(get_engine(name), key):
        assert code == 2
        assert len(capsys.readouterr().err.strip().splitlines()) >= 1
        return
    assert code in (0, 1)
    assert (tmp_path / "s" / "report.html").stat().st_size > 10_000
    assert not [stage for stage in read_study(tmp_path / "s").stages if "unexpected" in stage.reason]


@pytest.mark.slow
@pytest.mark.parametrize("key", [k for k in host_keys() if k in RUN_IN_CI])
def test_a_quick_run_gives_a_study(key, tmp_path):
    """Oxygen in rutile: about 0.7 eV measured for the vacancy, 0.87 eV by DFT for the shortest hop."""
    assert main(["run", key, "--quick", "--stages", "migration", "--output", str(tmp_path / "s")]) == 0
    hop = read_study(tmp_path / "s").migration[0]
    assert 0.4 < hop.forward_eV < 1.2
