"""The JSON schema of results.json, generated from the documents.

Regenerate the shipped file with ``python -m magnetoionics.hpc.study_folder.schema docs/results.schema.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from .files import VERSION


def study_schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of results.json; descriptions are the documents' docstrings."""
    from ...analysis.study.documents import Study
    from ...stored import SCHEMA_VERSION

    schema = Study.model_json_schema(by_alias=True, mode="serialization")
    version = {"const": SCHEMA_VERSION, "description": "Of this schema; version 1 did not say so.", "type": "integer"}
    schema["properties"] = {VERSION: version, **schema["properties"]}
    schema["required"] = [VERSION, *schema["required"]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def write_schema(path: Path) -> None:
    """Write the schema as indented JSON."""
    path.write_text(json.dumps(study_schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_schema(Path(sys.argv[1]))
