"""A job that fails costs what rests on it alone: the rest of a study is computed, written and said."""

import json

import numpy as np
import pytest
from jobflow import Flow, JobStore, OnMissing, job
from magnetoionics.analysis.kinetics.rates import format_duration, rate_per_s
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.local.job_errors import is_expected, reason_of
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.hpc.local.store import open_store
from magnetoionics.hpc.study_folder.files import read_study
from magnetoionics.structures.host import UnknownHostError, get_host

FAILS = {"now": True}
LOGGED = " (unexpected; its traceback is in store/errors.log)"


@job
def may_fail(number):
    if FAILS["now"]:
        raise ArithmeticError("no number came")
    return number


@job
def works(number):
    return number


@job
def collect(numbers):
    return list(numbers)


@job
def total(numbers):
    return sum(n or 0 for n in numbers)


def flow():
    first, second = may_fail(1), works(2)
    first.update_metadata({"stage": "vacancies"})
    collected = collect([first.output, second.output])
    collected.config.on_missing_references = OnMissing.NONE
    last = total(collected.output)
    strict = collect([first.output])
    strict.name = "strict"
    return Flow([first, second, collected, last, strict], output=last.output), (collected, last, strict)


def output_of(store: JobStore, made):
    return store.get_output(made.uuid, load=True)


def test_a_tolerant_job_gets_none_and_what_follows_runs(tmp_path):
    FAILS["now"] = True
    store = open_store(tmp_path)
    made, (collected, last, strict) = flow()
    summary = LocalRunner(store).run(made)
    assert output_of(store, collected) == [None, 2]
    assert output_of(store, last) == 2
    assert summary.failed == {"may_fail": f"ArithmeticError: no number came{LOGGED}", "strict": "an input failed"}
    assert summary.failed_by_stage == {"vacancies": [f"may_fail: ArithmeticError: no number came{LOGGED}"]}
    # What came of a part is not taken for the whole once the other part is there.
    FAILS["now"] = False
    again, (collected, last, strict) = flow()
    summary = LocalRunner(store).run(again)
    assert summary.finished
    assert output_of(store, collected) == [1, 2]
    assert output_of(store, last) == 3
    assert output_of(store, strict) == [1]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_refusal_is_a_sentence_and_a_mistake_has_its_class_and_a_traceback(jobs, tmp_path):
    store = open_store(tmp_path)
    refuses, mistaken = job(get_host)("nothing"), job(len)(3)
    summary = LocalRunner(store, jobs=jobs).run(Flow([refuses, mistaken]))
    with pytest.raises(UnknownHostError) as refused:
        get_host("nothing")
    assert summary.failed["get_host"] == str(refused.value)
    assert summary.failed["len"] == f"TypeError: object of type 'int' has no len(){LOGGED}"
    log = (tmp_path / "store" / "errors.log").read_text()
    assert log.startswith("len\n")
    assert "Traceback" in log
    assert "UnknownHostError" not in log


def test_what_c_raises_inside_this_package_is_a_mistake_of_it():
    """The last frame is ours for both: only the first is a sentence that somebody wrote."""
    with pytest.raises(ValueError, match="temperature -1 K") as said:
        rate_per_s(0.5, -1)
    with pytest.raises(ValueError, match="ambiguous") as mistake:
        format_duration(np.zeros(2))
    assert is_expected(said.value)
    assert not is_expected(mistake.value)


def test_too_little_memory_is_said_with_its_limit(monkeypatch):
    """Under `ulimit -v 700000` it was llvmlite's file that "cannot be found"."""
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda what: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    unlimited = reason_of(MemoryError("Unable to allocate 74.5 GiB"), "bulk")
    assert "too little memory: allow more" in unlimited
    assert "memory" not in reason_of(OSError("libllvmlite.so cannot be found"), "bulk")
    monkeypatch.setattr(resource, "getrlimit", lambda what: (7 * 10**8, resource.RLIM_INFINITY))
    assert "too little memory (this process may take 0.7 GB: ulimit -v)" in reason_of(
        OSError("libllvmlite.so cannot be found"), "bulk"
    )
    assert "memory" not in reason_of(ArithmeticError("no number came"), "bulk")


@pytest.mark.slow
@pytest.mark.usefixtures("no_figures")
def test_a_band_cut_off_after_three_steps_gives_no_result_and_the_command_says_so(tmp_path, capfd, monkeypatch):
    """Ends at 0.9 eV/A and the saddle at 1.1 eV/A; taken as a result it says "kept 2.5 h" (converged: 1.4 s)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "three.yaml").write_text("band_settings:\n  max_steps: 3\n")
    asked = ["run", "cofe2o4", "--quick", "--engine", "local:three.yaml", "--output", "cut"]
    assert main(asked) == 1
    said = " ".join(capfd.readouterr().err.split())
    assert "no result: hop Co(B) -> V_Fe(B): initial end relaxed: 0.924 eV/A, must be below 0.01 eV/A" in said
    study = read_study(tmp_path / "cut")
    assert study.retention is study.switching is study.device is None
    assert study.vibrations is None
    assert {m.state for m in study.anisotropy.maps} == {"pristine"}
    assert {"V_Fe(A)", "V_Fe(B)", "V_Co(B)"} <= {v.label for v in study.vacancies}
    ended = {s.stage: s for s in study.stages}
    assert (ended["vibrations"].done, ended["vibrations"].failed) == (False, True)
    assert "the band is invalid and must not be used" in ended["vibrations"].reason
    written = json.loads((tmp_path / "cut" / "results.json").read_text())
    assert written["retention"] is None
    hop = written["migration"][0]
    assert hop["converged"] is False
    assert all(c["invalidates"] for c in hop["checks"])
    page = (tmp_path / "cut" / "report.html").read_text()
    assert "it rests on the band" in page
