"""The page of documents is made from the code, and holds all of them with all their fields."""

import json

import pytest
from magnetoionics.analysis.study.documents import Study
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.printing.documents import document_fields, document_kinds, documents_page, one_document


@pytest.fixture(scope="module")
def kinds():
    return {kind.__name__: kind for kind in document_kinds()}


def test_every_document_that_results_hold_is_on_the_page(repository, kinds):
    schema = json.loads((repository / "docs" / "results.schema.json").read_text(encoding="utf-8"))
    assert set(schema["$defs"]) <= set(kinds)
    page = documents_page()
    for name, kind in kinds.items():
        _, _, section = page.partition(f"## {name}\n")
        own = section.split("\n## ")[0]
        assert [f for f in kind.model_fields if f"| `{f}`" not in own] == []
    assert page.count("\n## ") == len(kinds) > 100


def test_fields_say_their_type_and_what_they_are(kinds):
    fields = {f.name: f for f in document_fields(kinds["VacancyResult"])}
    assert fields["moment_change_muB"].words.startswith("Collinear sum of the cell")
    assert fields["oxygen_poor"].kind == "EnergyRange | None"
    assert (fields["label"].optional, fields["size_error_eV"].optional) == (False, True)
    # One text for several names, and those of a class that a document inherits from.
    assert fields["oxygen_poor"].words == fields["oxygen_rich"].words
    assert {f.name for f in document_fields(Study)} == set(Study.model_fields)


def test_most_fields_are_explained(kinds):
    told = [bool(f.words) for kind in kinds.values() for f in document_fields(kind)]
    assert sum(told) > 0.85 * len(told)


def test_the_command_prints_one_and_knows_its_neighbours(capsys):
    assert main(["documents", "migration"]) == 0
    assert "backward_eV" in capsys.readouterr().out
    with pytest.raises(UserError, match=r"did you mean .*Migration"):
        one_document("migrat")
    assert main(["documents", "nothing"]) == 2
