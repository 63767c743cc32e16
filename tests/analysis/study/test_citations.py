"""Whatever a study rests on is cited, nothing else is, and the paragraph on methods says only what was done."""

import gzip
import re
from importlib.resources import files

import pytest
from magnetoionics.analysis.study.citations import FILE, SOFTWARE, bibliography, bibtex, citations_of, reference_line
from magnetoionics.analysis.study.methods import methods_paragraph
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.study_folder.citing import cite_study, with_citations
from magnetoionics.hpc.study_folder.files import read_study
from magnetoionics.workflows.engine import Engine
from magnetoionics.workflows.stage import stages

OF_FUNCTIONALS = {"pbe", "dudarev1998"}


def engine_classes():
    from importlib import import_module
    from pkgutil import iter_modules

    from magnetoionics.workflows import engines

    for module in iter_modules(engines.__path__):
        try:
            made = import_module(f"{engines.__name__}.{module.name}").ENGINE
        except ImportError:
            continue
        yield made if isinstance(made, type) else type(made)


@pytest.fixture
def folder(repository, tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    packed = repository / "tests" / "data" / "version-2" / "results.json.gz"
    (kept / "results.json").write_bytes(gzip.decompress(packed.read_bytes()))
    return kept


@pytest.fixture
def study(folder):
    return with_citations(read_study(folder))


def test_bibliography_is_complete_and_nothing_in_it_is_idle():
    entries = bibliography()
    named = {key for stage in stages() for key in stage.citations} | {*SOFTWARE} | OF_FUNCTIONALS
    named |= {key for kind in engine_classes() for key in kind.citations}
    assert {key for key in named if not key.startswith("10.")} <= set(entries)
    # Engines that are not installed here name the others.
    assert set(entries) - named <= {
        "chgnet",
        "sevennet",
        "diep",
        "softbv",
        "softbv2019",
        "gpaw2024",
        "vasp1996",
        "paw1999",
        "blochl1994",
        "atomate2",
    }
    assert all(issubclass(kind, Engine) for kind in engine_classes())
    dois = [entry["doi"] for entry in entries.values()]
    assert len(set(dois)) == len(dois)
    for key, entry in entries.items():
        assert re.fullmatch(r"10\.\d{4,5}/\S+", entry["doi"]), key
        assert re.fullmatch(r"(19|20)\d\d", entry["year"]), key
        assert entry["author"], key
        assert entry["journal"], key


def test_bibtex_is_read_back_as_the_same_entries():
    import bibtexparser

    whole = files("magnetoionics").joinpath(FILE).read_text(encoding="utf-8")
    assert {e["ID"]: e for e in bibtexparser.loads(whole).entries} == bibliography()
    keys = list(bibliography())
    again = {e["ID"]: e for e in bibtexparser.loads(bibtex(keys)).entries}
    assert again == bibliography()
    assert "doi = {10.1103/PhysRevB.1.1}" in bibtex(["10.1103/PhysRevB.1.1"])
    with pytest.raises(ValueError, match=r"no key .* and no DOI"):
        bibtex(["somebody2020"])


def test_reference_reads_as_in_a_paper():
    assert reference_line("vasp1996") == (
        "Kresse and Furthmüller, Phys. Rev. B 54, 11169 (1996), https://doi.org/10.1103/PhysRevB.54.11169"
    )
    assert reference_line("neb2000climbing").startswith("Henkelman et al., J. Chem. Phys. 113, 9901 (2000)")


def test_functional_and_u_are_cited_only_where_they_were_used(study):
    assert "pedone2006" in citations_of(study)
    assert not OF_FUNCTIONALS & set(citations_of(study))

    def computed_with(functional, u):
        provenance = study.engine.provenance.model_copy(update={"functional": functional, "hubbard_U_eV": u})
        return study.model_copy(update={"engine": study.engine.model_copy(update={"provenance": provenance})})

    assert set(citations_of(computed_with("PBE+U", {"Co": 3.32}))) >= OF_FUNCTIONALS
    assert OF_FUNCTIONALS & set(citations_of(computed_with("PBE", {"Co": 0.0}))) == {"pbe"}


def test_methods_say_what_was_done_and_what_was_left_out(study):
    whole = methods_paragraph(study)
    assert "Vineyard" in whole
    assert "nudged elastic band" in whole
    for left_out in study.engine.provenance.left_out:
        assert left_out in whole
    less = methods_paragraph(study.model_copy(update={"vibrations": None, "migration": [], "anisotropy": None}))
    assert "Vineyard" not in less
    assert "nudged elastic band" not in less
    assert "directions of the magnetisation" not in less


def test_command_prints_both_and_replaces_no_file(folder, tmp_path, capsys):
    assert main(["cite", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "All quantities of " in said
    assert said.count("@article{") == len(citations_of(with_citations(read_study(folder))))
    file = tmp_path / "study.bib"
    cite_study(folder, file)
    assert file.read_text().count("@article{") == said.count("@article{")
    with pytest.raises(UserError, match="exists"):
        cite_study(folder, file)
