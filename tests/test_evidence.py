"""Kept first-principles results: they reload, name themselves, and agree with what must hold exactly."""

import numpy as np
import pytest
from magnetoionics.analysis.evidence import Evidence, evidence_folder, load_evidence

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
