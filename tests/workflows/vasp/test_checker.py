"""The Materials Project's checker over our relaxations and single points; table of benchmarks/vasp_checker.py."""

from dataclasses import replace

import pytest

pytest.importorskip("atomate2", reason="the engine vasp needs atomate2")
pytest.importorskip("pymatgen.io.validation", reason="the checker is pymatgen-io-validation")

import vasp_checker
from magnetoionics.workflows.engine import PROTOCOLS

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("host", vasp_checker.HOSTS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_inputs_pass_or_the_difference_is_explained(host, protocol):
    verdicts = vasp_checker.judge(host, protocol)
    assert [v.job for v in verdicts] == ["bulk relaxation", "single point", "defect relaxation"]
    assert [v.reference for v in verdicts] == ["MPRelaxSet", "MPStaticSet", "MPRelaxSet"]
    for found in verdicts:
        assert found.open == []
        # U, smearing, PREC, LASPH, EDIFF, mesh and the rest are as the Materials Project has them, or stricter.
        meant = {"ENCUT"} if protocol == "fast" else set()
        if protocol == "fast" and found.job == "single point":
            meant |= {"LREAL"}  # the checker lets relaxations have it
        assert {vasp_checker.tag(r) for r in found.reasons} == {"LDAUL", *meant}
        assert {vasp_checker.tag(r) for r in found.same_shells} == meant


def test_what_is_not_explained_is_seen(monkeypatch, capsys):
    from magnetoionics.workflows.engine import get_engine

    coarse = get_engine("vasp:balanced")
    coarse = replace(coarse, dft=replace(coarse.dft, kpoint_mesh=(1, 1, 1), hubbard_U_eV={"Co": 5.0, "Fe": 5.3}))
    monkeypatch.setattr(vasp_checker, "get_engine", lambda name: coarse)
    assert vasp_checker.main(["--host", "cofe2o4", "--protocol", "balanced"]) == 1
    out = capsys.readouterr().out
    assert "! INPUT SETTINGS --> LDAUU" in out
    assert "! INPUT SETTINGS --> KPOINTS" in out
