"""The shipped JSON schema is the documents' own, and results.json obeys it."""

import json

import jsonschema
import pytest
from magnetoionics.hpc.schema import study_schema
from magnetoionics.hpc.study_runner import run_study


def test_shipped_schema_is_current(repository):
    shipped = json.loads((repository / "docs" / "results.schema.json").read_text(encoding="utf-8"))
    fix = "regenerate it: python -m magnetoionics.hpc.schema docs/results.schema.json"
    assert shipped == study_schema(), fix


def test_results_obey_the_schema(tmp_path):
    folder = run_study("cofe2o4", quick=True, output=tmp_path / "cfo")
    results = json.loads((folder / "results.json").read_text())
    jsonschema.validate(results, study_schema())
    results["migration"][0]["forward"] = 1.0
    with pytest.raises(jsonschema.ValidationError, match="forward"):
        jsonschema.validate(results, study_schema())
