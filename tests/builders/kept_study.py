"""The quick study of cofe2o4 that `tests/data` keeps, as version 1 of the schema wrote it."""

import json
from pathlib import Path

from magnetoionics.analysis.study.documents import Study

KEPT = Path(__file__).parents[1] / "data" / "cofe2o4-quick.json"


def kept_study() -> Study:
    """The study."""
    return Study.read_stored(json.loads(KEPT.read_text(encoding="utf-8")), 1)
