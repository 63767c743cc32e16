"""Vibrations of defects: closed forms, refusals, and modes of the local engine's cells."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from magnetoionics.analysis.defects.defect_vibrations import (
    CellModes,
    O2_ZERO_POINT_eV_PER_ATOM,
    defect_vibrations,
    vibrational_term,
)
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.hpc.errors import UserError
from magnetoionics.structures.host import get_host
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K, PLANCK_eV_S
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.flows.defect_vibrations import DefectVibrationsMaker
from magnetoionics.workflows.flows.vacancies import VacancyFormationMaker
from undrawn_studies import run

TAG = Provenance(engine="local", level_of_theory="local")


def test_zero_point_energy_of_oxygen():
    # omega_e / 2 - omega_e x_e / 4 = 787.1 per cm for the molecule, a known value of 97.6 meV
    assert pytest.approx(0.0976 / 2, abs=2e-4) == O2_ZERO_POINT_eV_PER_ATOM


def test_classical_limit_of_one_softened_mode():
    """Hot oscillators: kT ln of the ratio of frequencies, and kT ln(h nu / kT) for each mode that is gone."""
    host, defect = [5.0] * 9, [4.0, *[5.0] * 5]
    kT = BOLTZMANN_eV_PER_K * 20000
    term = vibrational_term("V_O", defect, host, {"O": 1}, 20000, {"O": 0.0})
    quantum = PLANCK_eV_S * 5e12
    assert term.total_eV == pytest.approx(kT * math.log(4 / 5) - 3 * kT * math.log(quantum / kT), abs=2e-4)
    cold = vibrational_term("V_O", defect, host, {"O": 1}, 0.0, {})
    assert cold.total_eV == pytest.approx(0.5 * PLANCK_eV_S * 1e12 * (-1.0 - 15.0) + O2_ZERO_POINT_eV_PER_ATOM)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="reservoir of Fe"):
        vibrational_term("V_Fe", [5.0] * 6, [5.0] * 9, {"Fe": 1}, 900.0, {})
    with pytest.raises(ValueError, match="differ by 0 modes"):
        vibrational_term("V_O", [5.0] * 9, [5.0] * 9, {"O": 1}, 900.0, {})


@pytest.mark.slow
def test_modes_of_the_local_engines_cells():
    pytest.importorskip("phonopy")
    from jobflow import Flow, run_locally

    engine = get_engine("local", fmax_eV_per_A=0.002)
    bulk = engine.relax(get_host("cofe2o4").structure(), name="bulk", cell=True)
    flow = VacancyFormationMaker(engine=engine, repeats=(1, 1, 1)).make(bulk.output, "cofe2o4")
    modes = DefectVibrationsMaker(engine=engine).make(flow.output, ["V_Fe(B)"])
    out = run_locally(Flow([bulk, flow, modes]), log=False)
    made = out[modes.jobs[-1].uuid][1].output
    assert isinstance(made, CellModes)
    assert len(made.host_THz) == 3 * 56 - 3
    assert len(made.vacancies_THz["V_Fe(B)"]) == 3 * 55 - 3
    assert min(made.host_THz) > 0
    assert 10 < max(made.host_THz) < 40
    found = made.vacancies_THz["V_Fe(B)"]
    term = vibrational_term("V_Fe(B)", found, made.host_THz, {"Fe": 1}, 5000.0, {"Fe": 0.0})
    assert all(c.passed for c in term.checks)
    kT = BOLTZMANN_eV_PER_K * 5000
    classical = kT * sum(
        sign * np.log(PLANCK_eV_S * 1e12 * np.array(m) / kT).sum() for sign, m in ((1, found), (-1, made.host_THz))
    )
    assert term.total_eV == pytest.approx(classical, abs=0.02)
    # An iron of some THz, three modes: its place in the crystal is worth -3 kT ln(h nu / kT) of free energy.
    einstein = math.exp(-classical / (3 * kT)) * kT / (PLANCK_eV_S * 1e12)
    assert 3 < einstein < 20


def vacancies(*removed):
    return SimpleNamespace(
        vacancies=[
            SimpleNamespace(label=f"V_{element}", removed={element: 1}, calculation=SimpleNamespace(checks=[]))
            for element in removed
        ]
    )


def modes(host, **found):
    return CellModes(host_THz=host, vacancies_THz=found, force_calls=1, provenance=TAG)


def test_terms_of_a_study_are_those_of_the_kernel_as_far_as_reservoirs_are_known():
    made = defect_vibrations(vacancies("O", "Fe"), modes([5.0] * 9, V_O=[4.0] * 6, V_Fe=[6.0] * 6), [0.0, 900.0])
    by = {(t.label, t.temperature_K): t for t in made.terms}
    oxygen = vibrational_term("V_O", [4.0] * 6, [5.0] * 9, {"O": 1}, 900.0, {})
    assert by["V_O", 900.0].total_eV == pytest.approx(oxygen.total_eV)
    assert by["V_O", 900.0].cells_eV == pytest.approx(oxygen.total_eV - O2_ZERO_POINT_eV_PER_ATOM)
    # Zero points of six modes of 6 THz less nine of 5 THz.
    assert by["V_Fe", 0.0].cells_eV == pytest.approx(0.5 * PLANCK_eV_S * 1e12 * (36 - 45))
    assert by["V_Fe", 0.0].total_eV is None
    assert "reservoir of Fe" in by["V_Fe", 0.0].note
    assert len(made.to_dataframe()) == 4


def test_a_cell_that_is_no_minimum_has_no_term():
    made = defect_vibrations(vacancies("O", "Fe"), modes([5.0] * 9, V_O=[-4.0] + [4.0] * 5), [300.0])
    assert made.terms == []
    assert "modes of V_O that are not real" in made.left_out["V_O"]
    assert made.left_out["V_Fe"] == "its modes were not computed"
    assert made.to_dataframe()["note"].str.startswith("no result: ").all()
    lost = defect_vibrations(vacancies("O"), modes([-5.0] + [5.0] * 8, V_O=[4.0] * 6), [300.0])
    assert lost.terms == []
    assert lost.checks[0].passed is False
    for wrong in ([], [-1.0]):
        with pytest.raises(ValueError, match="none of them below 0 K"):
            defect_vibrations(vacancies("O"), modes([5.0] * 9, V_O=[4.0] * 6), wrong)


def test_the_stage_is_asked_for_by_name(tmp_path):
    pytest.importorskip("phonopy")
    study = run(
        "cofe2o4", quick=True, stages=["vacancies", "defect_vibrations"], output=tmp_path / "s", quiet=True,
        vibrational_term_K=[0, 1000],
    )  # fmt: skip
    frame = study.to_dataframe("defect_vibrations")
    assert set(frame["temperature_K"]) == {0.0, 1000.0}
    assert set(frame["label"]) == {v.label for v in study.vacancies}
    cold = frame[frame["temperature_K"] == 0.0]
    assert cold["total_eV"].notna().tolist() == [label.startswith("V_O") for label in cold["label"]]
    # Every mode of the ion that is gone had a zero-point energy of some ten meV.
    assert cold["cells_eV"].between(-0.2, 0.0).all()
    page = (tmp_path / "s" / "report.html").read_text()
    assert "Defect vibrations" in page
    with pytest.raises(UserError, match="no list of temperatures between 0 and 10000 K"):
        run("cofe2o4", stages=["vacancies", "defect_vibrations"], vibrational_term_K="warm")
