"""Python's search for circles: seldom while we work, as before for the caller afterwards."""

import gc

import pytest
from magnetoionics.hpc.collecting import seldom_collecting
from magnetoionics.hpc.study_folder import study_run


@pytest.fixture
def thresholds():
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize(("callers", "inside"), [((700, 10, 10), 50_000), ((0, 10, 10), 0), ((90_000, 5, 5), 90_000)])
def test_what_the_caller_has_set_holds_again_and_is_never_lowered(thresholds, callers, inside):
    gc.set_threshold(*callers)
    seen = []

    @seldom_collecting()
    def fails():
        seen.append(gc.get_threshold()[0])
        raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert seen == [inside]
    assert gc.get_threshold() == callers


def test_a_study_and_a_report_run_so(thresholds, monkeypatch):
    gc.set_threshold(700, 10, 10)
    seen = []

    def refuse(*_):
        seen.append(gc.get_threshold()[0])
        raise KeyError

    monkeypatch.setattr(study_run, "resolved_engine", refuse)
    monkeypatch.setattr(study_run, "study_under", refuse)
    for call in (study_run.run_study, study_run.rebuild_report):
        with pytest.raises(KeyError):
            call("cofe2o4")
    assert seen == [50_000, 50_000]
    assert gc.get_threshold() == (700, 10, 10)
