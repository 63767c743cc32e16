"""A whole small study by the engine vasp on the emulator: inputs, custodian, parsing, documents, report."""

import pytest

pytest.importorskip("atomate2", reason="the engine vasp needs atomate2")

from magnetoionics.analysis.builder.inputs import StudyInputs
from magnetoionics.analysis.results.calculation import Calculation, Check, InvalidResultError, invalid_because
from magnetoionics.analysis.study.documents import Study
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.flows.study import MagnetoionicStudyMaker, study_job
from magnetoionics.workflows.vasp.settings import SpinOrbitSettings, VaspSettings
from vasp_running import engine, kept_ready, run, schemas_made_once


@pytest.mark.slow
def test_study_runs_from_inputs_to_verdicts(tmp_path):
    with kept_ready() as ready, schemas_made_once():
        how = SpinOrbitSettings(self_consistent=False, lebedev_order=7)
        made = engine(VaspSettings(kpoint_mesh=(2, 2, 2)), anisotropy=how, commands=ready)
        maker = MagnetoionicStudyMaker(engine=made, repeats=(1, 1, 1), is_quick=True)
        study = run(maker.make("cofe2o4"), tmp_path)
    assert isinstance(study, Study)
    assert study.engine.name == "vasp"
    assert study.engine.level_of_theory == "VASP"
    # Single points by the hundred are asked for by name.
    assert [s.stage for s in study.stages if not s.done] == ["vibrations"]
    assert {m.state for m in study.anisotropy.maps} == {"pristine", "before", "after"}
    for found in study.anisotropy.maps:
        assert invalid_because(found.checks) == []
        assert found.method == "force theorem"
    assert study.migration[0].forward_eV > 0.2
    assert "point charges" in study.migration[0].field_treatment
    text = study.model_dump_json(by_alias=True)
    assert Study.model_validate_json(text).engine.name == "vasp"


def test_an_invalid_host_ends_the_study_and_another_order_is_left_out():
    broken = [Check(name="moments kept", passed=False, note="a spin flipped", invalidates=True)]
    cell = get_host("cofe2o4").structure()
    bulk = Calculation(
        name="bulk Imma",
        structure=cell,
        energy_eV=-1.0,
        max_force_eV_per_A=0.0,
        force_calls=1,
        total_moment_muB=21.0,
        provenance=get_engine("local").provenance(),
    )
    engine_result = MagnetoionicStudyMaker.quick(get_engine("local")).engine_result(cell)
    bad = bulk.model_copy(update={"checks": broken})
    with pytest.raises(InvalidResultError, match=r"bulk Imma.*a spin flipped"):
        study_job.original(StudyInputs("cofe2o4", "Imma", engine_result, [], {"host": {"Imma": bad}}))
    bulks = {"Imma": bulk, "P4_122": bad}
    study = study_job.original(StudyInputs("cofe2o4", "Imma", engine_result, [], {"host": bulks}))
    assert [o.order for o in study.host.orders] == ["Imma"]
    # The moment is what was computed, not what the spins started from.
    assert study.host.moment_per_formula_muB == pytest.approx(21.0 / 8)
