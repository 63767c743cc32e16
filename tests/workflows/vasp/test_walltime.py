"""A run that sees its limit coming stops after its ionic step, and what it leaves is no result."""

import gzip
import json
import time

import pytest

pytest.importorskip("atomate2", reason="the engine vasp needs atomate2")

from custodian.vasp.handlers import WalltimeHandler
from magnetoionics.workflows.vasp.walltime import (
    STOPPED,
    BUFFER_s,
    StoppedForTimeError,
    refuse_stopped,
    seconds_left,
    with_stop,
)


def test_the_end_of_the_job_is_slurms_or_the_users(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_END_TIME", raising=False)
    monkeypatch.delenv("MAGNETOIONICS_END_TIME", raising=False)
    assert seconds_left() is None
    assert with_stop({"vasp_cmd": "vasp_std"}) == {"vasp_cmd": "vasp_std"}
    monkeypatch.setenv("MAGNETOIONICS_END_TIME", str(int(time.time()) + 7200))
    assert seconds_left() == pytest.approx(7200, abs=5)
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(int(time.time()) + 3600))
    assert seconds_left() == pytest.approx(3600, abs=5)


def test_custodian_writes_stopcar_before_the_limit_and_not_earlier(real, monkeypatch, tmp_path):
    """The very handler that is handed over, beside a real OUTCAR whose ionic steps take seconds."""
    source = real / "vasp" / "collection" / "b_dftu" / "feo_5.3.5" / "OUTCAR.gz"
    (tmp_path / "OUTCAR").write_bytes(gzip.decompress(source.read_bytes()))
    monkeypatch.chdir(tmp_path)
    for left, stops in ((BUFFER_s + 3600, False), (BUFFER_s - 60, True)):
        monkeypatch.setenv("SLURM_JOB_END_TIME", str(int(time.time()) + left))
        handler = with_stop({"handlers": []})["handlers"][-1]
        assert isinstance(handler, WalltimeHandler)
        assert bool(handler.check()) is stops
    found = handler.correct()
    assert "LSTOP = .TRUE." in (tmp_path / "STOPCAR").read_text(encoding="utf-8")
    # What custodian keeps of it is what the result is refused by.
    (tmp_path / "custodian.json").write_text(json.dumps([{"corrections": [found]}]), encoding="utf-8")
    with pytest.raises(StoppedForTimeError, match=STOPPED):
        refuse_stopped(tmp_path)


def test_other_corrections_and_no_log_are_no_stop(tmp_path):
    refuse_stopped(tmp_path)
    log = [{"corrections": [{"errors": ["brmix"], "actions": []}]}, {"corrections": None}]
    (tmp_path / "custodian.json").write_text(json.dumps(log), encoding="utf-8")
    refuse_stopped(tmp_path)


def test_the_doctor_knows_the_sentence():
    pytest.importorskip("jobflow_remote", reason="clusters need jobflow-remote")
    from magnetoionics.hpc.cluster import doctor

    assert STOPPED in doctor._WALLTIME
