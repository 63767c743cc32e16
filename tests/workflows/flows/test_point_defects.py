"""Point defects of any kind in a study: the same vacancy by both stages, and all in one list with their energies."""

import magnetoionics
import pytest


@pytest.mark.slow
def test_defects_of_any_kind_stand_among_the_vacancies(tmp_path):
    asked, two = {"quick": True, "quiet": True}, ["Co_Fe(A)", "Fe_Co(B)"]
    both = magnetoionics.run(
        "cofe2o4",
        stages=["vacancies", "point_defects"],
        defects=two,
        output=tmp_path / "b",
        **asked,
    )
    rows = {v.label: v for v in both.vacancies}
    assert {"V_Fe(B)", "Co_Fe(A)", "Fe_Co(B)"} <= set(rows)
    assert rows["Co_Fe(A)"].removed == {"Fe": 1, "Co": -1}
    # Fe3+ of A (5 down) becomes Co2+ (3 down); Co2+ of B (3 up) becomes Fe3+ (5 up).
    assert rows["Co_Fe(A)"].moment_change_muB == pytest.approx(2.0)
    assert rows["Fe_Co(B)"].moment_change_muB == pytest.approx(2.0)
    lines = {line.label: line for line in both.chemical_potentials.lines.lines}
    # Together they exchange the two ions, and no reservoir: the same at both ends of the window.
    pair = [lines["Co_Fe(A)"].mid_eV[i] + lines["Fe_Co(B)"].mid_eV[i] for i in (0, -1)]
    assert pair[0] == pytest.approx(pair[1], abs=1e-9)
    assert pair[0] == pytest.approx(rows["Co_Fe(A)"].energy_minus_host_eV + rows["Fe_Co(B)"].energy_minus_host_eV)
    alone = magnetoionics.run(
        "cofe2o4", stages=["point_defects"], defects="V_Fe(B)", output=tmp_path / "a", reuse=[tmp_path / "b"], **asked
    )
    (same,) = alone.vacancies
    assert same.energy_minus_host_eV == pytest.approx(rows["V_Fe(B)"].energy_minus_host_eV, abs=2e-3)
    assert same.multiplicity == rows["V_Fe(B)"].multiplicity == 8
