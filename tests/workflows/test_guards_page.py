"""The page of silent errors names a test for each, and those tests exist."""

import re


def test_every_named_guard_test_exists(repository):
    text = (repository / "docs" / "guards.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| what happens")]
    assert len(rows) > 30
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert named, row
        for file, test in named:
            assert f"def {test}(" in (repository / file).read_text(encoding="utf-8"), f"{file} has no {test}"
