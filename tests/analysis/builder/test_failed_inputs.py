"""A study is built from what passed: what did not is shown, named, and enters nothing."""

import numpy as np
import pytest
from made_studies import CFO, ELEMENT_eV, energy, one, phases
from magnetoionics.analysis.builder.build import build_study
from magnetoionics.analysis.builder.inputs import StudyInputs
from magnetoionics.analysis.defects.vacancies import VacancySet, VacancyState
from magnetoionics.analysis.results.calculation import Band, BandImage
from magnetoionics.analysis.results.checks import InvalidResultError, held
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.study.validity import failures
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.flows.plan import plan_stages
from magnetoionics.workflows.flows.study import MagnetoionicStudyMaker
from magnetoionics.workflows.vibrations.states import Request, StateHessian, VibratingHop
from pymatgen.core import Structure

LOOSE = held("forces relaxed", 0.3, 0.01, unit="eV/A")


def study(loose=(), **changed):
    """A host of known energies with three vacancies; those named are not relaxed."""
    host = get_host("cofe2o4")
    order, cell = host.orders[0], host.structure()
    bulk = one("bulk", cell, 8 * energy(host.formula).energy_eV)
    vacancies = []
    for label, element, above in (("V_Fe(B)", "Fe", 1.0), ("V_Fe(A)", "Fe", 2.0), ("V_Co(B)", "Co", 1.5)):
        made = one(label, cell, bulk.energy_eV - ELEMENT_eV[element] + above)
        if label in loose:
            made.checks.append(LOOSE)
        vacancies.append(
            VacancyState(
                label=label, element=element, sublattice=label[-2], multiplicity=8, near_cations=None,
                calculation=made,
            )
        )  # fmt: skip
    engine = MagnetoionicStudyMaker.quick(get_engine("local")).engine_result(cell)
    engine = engine.model_copy(update={"name": "vasp", "level_of_theory": "VASP"})
    outputs = {
        "host": {order: bulk},
        "vacancies": VacancySet(host=bulk, vacancies=vacancies),
        "competing phases": phases(CFO),
    } | changed
    planned = plan_stages(get_engine("local"), host, order, ["vacancies", "competing phases"])
    return build_study(StudyInputs("cofe2o4", order, engine, planned, outputs))


def test_a_vacancy_that_is_not_relaxed_is_shown_and_not_ranked():
    made = study(loose=["V_Fe(B)"])
    rows = {v.label: v for v in made.vacancies}
    assert set(rows) == {"V_Fe(B)", "V_Fe(A)", "V_Co(B)"}
    assert rows["V_Fe(B)"].oxygen_rich is None
    assert rows["V_Fe(B)"].energy_minus_host_eV == pytest.approx(1.0 - ELEMENT_eV["Fe"])
    assert rows["V_Fe(A)"].oxygen_rich is not None
    assert [line.label for line in made.chemical_potentials.lines.lines] == ["V_Fe(A)", "V_Co(B)"]
    assert [f.part for f in failures(made)] == ["V_Fe(B)"]
    assert failures(study()) == []


def test_a_vacancy_of_which_nothing_came_is_named():
    whole = study()
    vacancies = VacancySet(
        host=one("bulk", whole.host.structure, 8 * energy("CoFe2O4").energy_eV),
        vacancies=[],
        left_out={"V_O(1)": "its relaxation ended with an error"},
    )
    made = study(vacancies=vacancies)
    stage = next(s for s in made.stages if s.stage == "vacancies")
    assert (stage.done, stage.failed) == (True, True)
    assert "V_O(1) is left out: its relaxation ended with an error" in stage.reason


def test_a_stage_of_which_nothing_came_is_left_out_and_the_rest_is_there():
    made = study(**{"competing phases": None})
    ended = {s.stage: s for s in made.stages}
    assert (ended["competing phases"].done, ended["competing phases"].failed) == (False, True)
    assert made.competing_phases is None
    assert made.chemical_potentials is None
    assert len(made.vacancies) == 3
    gone = study(vacancies=None)
    assert gone.vacancies == []
    assert any(f.part == "stage vacancies" for f in failures(gone))


def test_everything_rests_on_the_host():
    host = get_host("cofe2o4")
    broken = one("bulk Imma", host.structure(), -1.0)
    broken.checks.append(LOOSE)
    with pytest.raises(InvalidResultError, match=r"bulk Imma is invalid.*forces relaxed: 0.3 eV/A, must be below 0.01"):
        study(host={host.orders[0]: broken})
    with pytest.raises(InvalidResultError, match="was not computed, and everything rests on it"):
        study(host={host.orders[0]: None})


def hop(force_eV_per_A):
    """Two atoms on a path with one saddle, their modes made up: one imaginary at the saddle."""
    source = Provenance(engine="test", level_of_theory="arithmetic")
    cell = Structure(np.eye(3) * 8, ["Fe", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    images = [
        BandImage(
            energy_eV=e, arc_A=x, mover_A=x, dipole_e_A=[0, 0, 0], kind=k, structure=cell.copy(),
        )
        for e, x, k in ((0.0, 0.0, "end"), (0.5, 1.0, "saddle"), (0.0, 2.0, "end"))
    ]  # fmt: skip
    band = Band(
        mover=0, images=images, dipole_source="point charges", force_calls=1, checks=[], not_checked=[],
        provenance=source,
    )  # fmt: skip
    modes = ([4.0, 5.0, 6.0], [-3.0, 5.0, 6.0], [4.0, 5.0, 6.0])
    states = [StateHessian(np.eye(3), np.array(m), force_eV_per_A) for m in modes]
    vibrating = VibratingHop(band, 2.0)
    return vibrating.attempt_frequency(Request("hop", 2.0, 0.01, 0.05), states, 1, source)


def test_ends_that_a_mirror_exchanges_have_neighbours_that_it_exchanges():
    """Two saddles, neighbours drawn after the mover: the sphere is that of the whole path, each image by itself."""
    ends = [[-1.5, 0, 0], [1.5, 0, 0]]
    path = [ends[0], [-0.9, 0, 0], [0, 0, 0], [0.9, 0, 0], ends[1]]
    images = []
    for n, at in enumerate(path):
        # Each of the two neighbours comes 0.3 A nearer where the mover is beside it.
        near = [0.3 * (n == 0), 0.3 * (n == len(path) - 1)]
        places = [at, [-1.5, 3.4 - near[0], 0], [1.5, 3.4 - near[1], 0], [-0.9, 0, 3.1], [0.9, 0, 3.1]]
        cell = Structure(np.eye(3) * 20, ["Li", "O", "O", "O", "O"], places, coords_are_cartesian=True)
        kind = {1: "saddle", 2: "minimum", 3: "saddle"}.get(n, "end")
        energy = {1: 0.3, 2: 0.1, 3: 0.3}.get(n, 0.0)
        images.append(BandImage(energy_eV=energy, arc_A=n, mover_A=n, dipole_e_A=[0, 0, 0], kind=kind, structure=cell))
    band = Band(
        mover=0, images=images, dipole_source="point charges", force_calls=1, checks=[], not_checked=[],
        provenance=Provenance(engine="test", level_of_theory="arithmetic"),
    )  # fmt: skip
    assert VibratingHop(band, 3.2).chosen == [0, 1, 2, 3, 4]
    assert VibratingHop(band, 3.105).chosen == [0, 1, 2, 3, 4]
    assert VibratingHop(band, 3.05).chosen == [0]


def test_vibrations_of_states_that_are_not_stationary_give_no_prefactor():
    sound = hop(0.01)
    assert sound.forward_Hz == pytest.approx(4e12)
    slope = hop(0.3)
    assert slope.forward_Hz is slope.backward_Hz is None
    assert slope.shells == []
    assert "initial state is stationary: 0.3 eV/A, must be below 0.05 eV/A" in slope.failed_in_words
    with pytest.raises(ValueError, match="no prefactor was computed"):
        slope.retention()
