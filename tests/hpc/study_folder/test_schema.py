"""The shipped JSON schema is the documents' own, and results.json obeys it."""

import json

import jsonschema
import pytest
from magnetoionics.analysis.study.documents import Study
from magnetoionics.hpc.study_folder.schema import study_schema, write_schema
from magnetoionics.stored import SCHEMA_VERSION

FIX = "regenerate it: python -m magnetoionics.hpc.study_folder.schema docs/results.schema.json"


@pytest.fixture(scope="module")
def results(quick_study):
    return json.loads((quick_study / "results.json").read_text(encoding="utf-8"))


def test_shipped_schema_is_current(repository, tmp_path):
    shipped = repository / "docs" / "results.schema.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == study_schema(), FIX
    write_schema(tmp_path / "schema.json")
    assert shipped.read_bytes() == (tmp_path / "schema.json").read_bytes(), FIX


def test_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(study_schema())


def test_schema_names_what_a_reader_sees():
    schema = study_schema()
    assert schema["properties"]["schema_version"]["const"] == SCHEMA_VERSION
    assert schema["required"][0] == "schema_version"
    assert schema["$defs"]["HostResult"]["properties"]["structure"]["type"] == "object"


def test_results_obey_the_schema(results):
    jsonschema.validate(results, study_schema())


def test_schema_refuses_a_typo(results):
    hop = results["migration"][0]
    wrong = results | {"migration": [hop | {"forward": 1.0}]}
    with pytest.raises(jsonschema.ValidationError, match="forward"):
        jsonschema.validate(wrong, study_schema())


def test_results_make_the_round_trip(results):
    study = Study.model_validate(results)
    assert study.host.structure.composition.reduced_formula == "Fe2CoO4"
    again = study.model_dump(mode="json", by_alias=True)
    assert {"schema_version": SCHEMA_VERSION, **json.loads(json.dumps(again))} == results
