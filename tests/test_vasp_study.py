"""A whole small study by the engine vasp on the emulator: inputs, custodian, parsing, documents, report."""

import pytest

pytest.importorskip("atomate2", reason="the engine vasp needs atomate2")

from magnetoionics.analysis.calculation import invalid_because
from magnetoionics.analysis.study import Study
from magnetoionics.workflows.study import MagnetoionicStudyMaker
from magnetoionics.workflows.vasp.settings import SpinOrbitSettings, VaspSettings
from vasp_running import engine, run


@pytest.mark.slow
def test_study_runs_from_inputs_to_verdicts(tmp_path):
    made = engine(VaspSettings(kpoint_mesh=(2, 2, 2)), anisotropy=SpinOrbitSettings(self_consistent=False))
    maker = MagnetoionicStudyMaker(engine=made, repeats=(1, 1, 1), lebedev_order=7, is_quick=True)
    study = run(maker.make("cofe2o4"), tmp_path)
    assert isinstance(study, Study)
    assert study.engine.name == "vasp"
    assert study.engine.tier == "VASP"
    assert all(stage.done for stage in study.stages)
    assert {m.state for m in study.anisotropy.maps} == {"pristine", "before", "after"}
    for found in study.anisotropy.maps:
        assert invalid_because(found.checks) == []
        assert found.method == "force theorem"
    assert study.migration[0].forward_eV > 0.2
    assert "point charges" in study.migration[0].field_tier
    text = study.model_dump_json(by_alias=True)
    assert Study.model_validate_json(text).engine.name == "vasp"
