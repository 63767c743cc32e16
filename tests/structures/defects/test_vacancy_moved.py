"""A vacancy beside which another ion leaves its site is a result with a note, not a failure of the study."""

from magnetoionics.analysis.defects.starts import where_electrons_sit
from magnetoionics.analysis.results.calculation import Calculation
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.structures.defects.vacancies import distinct_vacancies, remove_site
from magnetoionics.structures.host import get_host


def done(structure):
    return Calculation(
        name="x",
        structure=structure,
        energy_eV=0.0,
        max_force_eV_per_A=0.0,
        force_calls=1,
        total_moment_muB=0.0,
        provenance=Provenance(engine="test", level_of_theory="arithmetic"),
    )


def test_ion_that_left_its_site_is_noted():
    cell = get_host("cofe2o4").structure("Imma")
    site = distinct_vacancies(cell, "Fe", "B")[0]
    defect = remove_site(cell, site.index)
    assert where_electrons_sit(done(cell), done(defect)) == ([], "none found", 0.0)
    mover = next(i for i, s in enumerate(defect) if s.specie.symbol == "Fe" and s.properties["sublattice"] == "B")
    defect.translate_sites([mover], [0.0, 0.0, 1.6 / 8.39])
    ions, text, _ = where_electrons_sit(done(cell), done(defect))
    assert ions == []
    assert text.startswith("not read:")
    assert "moved 1.6" in text
