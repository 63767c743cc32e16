"""Point defects of any kind in a study: the same vacancy by both stages, and all in one list with their energies."""

import pytest
from magnetoionics.analysis.results.calculation import Calculation
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.defects.initial_states import DefectStart
from magnetoionics.structures.defects.kind import built_defect, distinct_defects
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.flows.point_defects import PointDefectsMaker, build_defect_start, collect_point_defects
from undrawn_studies import run

CELL = get_host("cofe2o4").structure("Imma")


def calculation(structure, energy_eV=-3.0):
    return Calculation(
        name="x",
        structure=structure,
        energy_eV=energy_eV,
        max_force_eV_per_A=0.001,
        force_calls=1,
        total_moment_muB=float(sum(s.properties["magmom"] for s in structure)),
        provenance=Provenance(engine="x", level_of_theory="VASP", functional="PBE"),
    )


def test_an_inserted_ion_has_the_starts_of_a_vacancy():
    """Two electrons come with Co2+: nowhere said, on two Fe, or only with ions displaced."""
    maker = PointDefectsMaker(engine="local", repeats=(1, 1, 1), starts=("as built", "rattled", "localised"))
    names = [job.name for job, _ in maker.make(CELL, "cofe2o4", ["Co2+_i"], "Imma").iterflow()]
    own = [n.removesuffix(" relax") for n in names if n.startswith("Co_i(16c,1)")]
    assert own[:2] == ["Co_i(16c,1)", "Co_i(16c,1) rattled"]
    assert "Co_i(16c,1) 2 Fe2+(B)" in own
    few = PointDefectsMaker(engine="local", repeats=(1, 1, 1), starts=("as built", "rattled"), most_starts=1)
    plain = [job.name for job, _ in few.make(CELL, "cofe2o4", ["Co2+_i"], "Imma").iterflow()]
    assert not [n for n in plain if "rattled" in n]
    (placed, *_) = distinct_defects(CELL, ["Co2+_i"])
    electrons = build_defect_start.original(calculation(CELL), (1, 1, 1), placed, DefectStart("2 Fe2+(B)", "localised"))
    built = built_defect(CELL, placed)
    gained = sum(a.properties["valence"] - b.properties["valence"] for a, b in zip(built, electrons, strict=True))
    assert gained == pytest.approx(2.0)


def test_the_lowest_start_of_a_point_defect_is_kept_and_all_are_listed():
    big = supercell(CELL, (1, 1, 1))
    (placed, *_) = distinct_defects(big, ["Co2+_i"])
    host, ends = calculation(big), [calculation(built_defect(big, placed), energy) for energy in (-5.0, -5.7)]
    starts = [[DefectStart("as built", "as built"), DefectStart("rattled", "rattled")]]
    (state,) = collect_point_defects.original(host, [placed], [ends], 1, starts).vacancies
    assert state.calculation.energy_eV == -5.7
    assert [(s.label, s.above_lowest_eV) for s in state.starts] == [("rattled", 0.0), ("as built", pytest.approx(0.7))]
    (half,) = collect_point_defects.original(host, [placed], [[ends[0], None]], 1, starts).vacancies
    assert half.calculation.energy_eV == -5.0
    (plain,) = collect_point_defects.original(host, [placed], ends[:1], 1).vacancies
    assert plain.starts == []


@pytest.mark.slow
def test_defects_of_any_kind_stand_among_the_vacancies(tmp_path):
    asked, two = {"quick": True, "quiet": True}, ["Co_Fe(A)", "Fe_Co(B)"]
    both = run(
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
    alone = run(
        "cofe2o4", stages=["point_defects"], defects="V_Fe(B)", output=tmp_path / "a", reuse=[tmp_path / "b"], **asked
    )
    (same,) = alone.vacancies
    assert same.energy_minus_host_eV == pytest.approx(rows["V_Fe(B)"].energy_minus_host_eV, abs=2e-3)
    assert same.multiplicity == rows["V_Fe(B)"].multiplicity == 8
