"""Kept first-principles results: they reload, name themselves, and agree with what must hold exactly."""

import numpy as np
import pytest
from magnetoionics.analysis.evidence import Evidence, evidence_folder, load_evidence
from magnetoionics.workflows.gpaw.evidence import task, task_names
from pymatgen.core import Composition

KEPT = load_evidence()


def test_there_is_evidence():
    assert KEPT


@pytest.mark.parametrize("name", sorted(KEPT))
def test_document_says_how_it_was_made(name):
    found = KEPT[name]
    assert found.cpu_seconds > 0
    assert name in found.command
    assert found.provenance.functional == "PBE"
    assert found.provenance.hubbard_U_eV["Fe"] == 5.3
    assert found.provenance.versions["gpaw"]
    assert found.calculation.provenance == found.provenance


@pytest.mark.parametrize("name", sorted(n for n in KEPT if n.startswith(("imma", "p4122"))))
def test_bulk_ferrite_is_the_neel_ferrimagnet(name):
    done = KEPT[name].calculation
    # Three unpaired spins per formula unit are an integer in an insulator.
    assert done.total_moment_muB / (done.structure.composition["O"] / 4) == pytest.approx(3.0, abs=1e-3)
    assert done.gap_eV > 0.3
    for site, moment in zip(done.structure, done.site_moments_muB, strict=True):
        wanted = site.properties["magmom"]
        assert moment * wanted > 0 or abs(wanted) < 1


@pytest.mark.parametrize("name", sorted(n for n in KEPT if n.startswith("imma")))
def test_map_has_the_symmetry_of_the_orthorhombic_cell(name):
    found = KEPT[name].anisotropy
    # Imma here has its axes along [110], [1-10] and [001]: mirrors exchange x and y.
    mirror = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    fit = found.fit()
    images = fit(found.vectors @ mirror)
    assert np.abs(images - fit(found.vectors)).max() < 0.02
    _, odd = found.even_odd()
    assert np.abs(odd).max() < 0.02


def test_renamed_file_is_refused(tmp_path):
    name, text = next((p.stem, p.read_text()) for p in evidence_folder().glob("*.json"))
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(ValueError, match=name):
        load_evidence(tmp_path)
    assert isinstance(Evidence.model_validate_json(text), Evidence)


@pytest.mark.parametrize(
    ("name", "formula", "kind"),
    [
        ("imma-pw500-k2", "Co2 Fe4 O8", "map"),
        ("p4122-pw500-k2", "Co4 Fe8 O16", "map"),
        ("host28-pw500-k221", "Co4 Fe8 O16", "static"),
        ("vfea28-pw400-k221", "Co4 Fe7 O16", "relax"),
        ("vcob28-pw500-k221", "Co3 Fe8 O16", "static"),
        ("vo28-pw400-k221", "Co4 Fe8 O15", "relax"),
        ("hop56-middle-pw400-k2", "Co8 Fe15 O32", "map"),
        ("bornco-pw400-k2", "Co2 Fe4 O8", "born"),
    ],
)
def test_task_is_the_cell_that_its_name_says(name, formula, kind):
    job = task(name)
    assert job.structure.composition == Composition(formula)
    assert job.kind == kind
    assert job.settings.cutoff_eV == float(name.split("pw")[1][:3])
    assert job.settings.k_mesh == ((2, 2, 1) if "k221" in name else (2, 2, 2))
    if kind == "born":
        assert job.structure[job.ion].specie.symbol == "Co"


def test_vacancies_of_iron_sit_where_they_say():
    whole = task("host28-pw400-k221").structure
    for name, sublattice in (("vfea28-pw400-k221", "A"), ("vfeb28-pw400-k221", "B")):
        left = task(name).structure
        count = sum(s.specie.symbol == "Fe" and s.properties["sublattice"] == sublattice for s in whole)
        assert sum(s.specie.symbol == "Fe" and s.properties["sublattice"] == sublattice for s in left) == count - 1


def test_every_kept_document_is_a_task():
    assert set(KEPT) <= set(task_names())
    with pytest.raises(ValueError, match="unknown evidence 'magic'"):
        task("magic")
