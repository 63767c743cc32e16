"""Charge states against the Fermi level: lines, levels, refusals."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from magnetoionics.analysis.defects.charge_states import (
    BandEdges,
    ChargeLine,
    FermiDiagram,
    fermi_diagram,
    transition_levels,
)
from magnetoionics.analysis.defects.defect_energies import VacancyFormation, formation_energy_eV
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.thermodynamics.references import ReferenceEnergies
from magnetoionics.analysis.thermodynamics.stability_window import (
    at,
    load_experimental_phases,
    solubility_limit,
    stability_window,
)

TAG = Provenance(engine="vasp", level_of_theory="VASP", functional="PBE", hubbard_U_eV={"Co": 3.32, "Fe": 5.3})
REFERENCES = ReferenceEnergies({"Co": -7.0, "Fe": -8.3, "O": -4.9}, provenance=TAG)
EDGES = BandEdges(vbm_eV=3.0, gap_eV=1.6, source="known", provenance=TAG)


def state(label, removed, energy, charge, correction=0.3, **more):
    given = {"vbm_eV": 3.0, "correction_eV": correction if charge else 0.0, "provenance": TAG} | more
    return VacancyFormation(label=label, removed=removed, energy_difference_eV=energy, charge=charge, **given)


@pytest.fixture(scope="module")
def window():
    return stability_window("CoFe2O4", load_experimental_phases(["Co", "Fe", "O"]))


@pytest.fixture(scope="module")
def states():
    iron = [state("V_Fe(B)", {"Fe": 1}, e, q) for q, e in ((0, 13.0), (-1, 16.4), (-2, 20.0), (-3, 24.0))]
    oxygen = [state("V_O", {"O": 1}, e, q) for q, e in ((0, 9.0), (1, 5.0), (2, 1.5))]
    return iron + oxygen


def test_lines_are_the_formation_energies(window, states):
    point = at(window, -2.0, 0.3)
    made = fermi_diagram(states, EDGES, window, REFERENCES, point)
    for fermi in (0.0, 0.7, 1.6):
        for label in made.labels():
            direct = {
                s.charge: formation_energy_eV(
                    s.energy_difference_eV, s.removed, REFERENCES, point,
                    charge=s.charge, fermi_eV=fermi, vbm_eV=3.0, correction_eV=s.correction_eV,
                )
                for s in states if s.label == label
            }  # fmt: skip
            energy, charge = made.lowest(label, fermi)
            assert energy == pytest.approx(min(direct.values()), abs=1e-9)
            assert direct[charge] == pytest.approx(energy, abs=1e-9)
    assert FermiDiagram.model_validate_json(made.model_dump_json()) == made
    assert list(made.to_dataframe()["defect"]) == [t.label for t in made.transitions]


def test_levels_do_not_depend_on_the_potentials(window, states):
    one, other = (
        fermi_diagram(states, EDGES, window, REFERENCES, at(window, mu, f)).transitions
        for mu, f in ((-2.5, 0.1), (-1.3, 0.9))
    )
    assert [t.level_eV for t in one] == pytest.approx([t.level_eV for t in other], abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-6, 6), min_size=1, max_size=6), st.integers(-3, 0))
def test_the_envelope_is_the_lowest_line_everywhere(energies, lowest):
    lines = [ChargeLine(label="x", charge=lowest + n, at_vbm_eV=e, correction_eV=0) for n, e in enumerate(energies)]
    levels = transition_levels(lines, 2.0)
    assert [t.level_eV for t in levels] == sorted(t.level_eV for t in levels)
    for before, after in pairwise(levels):
        assert before.charge_above == after.charge_below
    current = levels[0].charge_below if levels else lines[-1].charge
    by_charge = {line.charge: line.at_vbm_eV for line in lines}
    for fermi in np.linspace(-15, 15, 61):
        charge = current
        for t in levels:
            charge = t.charge_above if fermi >= t.level_eV else charge
        assert by_charge[charge] + charge * fermi == pytest.approx(
            min(e + q * fermi for q, e in by_charge.items()), abs=1e-7
        )


def test_level_by_hand(states, window):
    made = fermi_diagram(states, EDGES, window, REFERENCES, at(window, -2.0, 0.5))
    # V_Fe: q = -1 lies at +0.7 eV above q = 0, q = -2 at 20.0 - 13.0 - 6.0 + 0.3 = 1.3: -1 is never the lowest.
    level = next(t for t in made.transitions if t.label == "V_Fe(B)")
    assert (level.charge_below, level.charge_above) == (0, -2)
    assert level.level_eV == pytest.approx(0.65)
    assert level.in_gap


def test_points_off_the_plane_or_outside_are_refused(window, states):
    point = at(window, -2.0, 0.5)
    with pytest.raises(ValueError, match="not in equilibrium"):
        fermi_diagram(states, EDGES, window, REFERENCES, point | {"Fe": point["Fe"] - 0.5})
    off = point | {"Co": point["Co"] + 4.0, "Fe": point["Fe"] - 2.0}
    with pytest.raises(ValueError, match="would form"):
        fermi_diagram(states, EDGES, window, REFERENCES, off)
    assert not fermi_diagram(states, EDGES, window, REFERENCES, off, outside=True).inside
    with pytest.raises(ValueError, match="no potential of Co"):
        fermi_diagram(states, EDGES, window, REFERENCES, {"Fe": -2.0, "O": -2.0})


def test_dopants_beyond_their_solubility_are_outside(window, states):
    """Li is limited by LiFeO2 and Zn, of which no phase is given, by its metal; a limit is still inside."""
    phases = load_experimental_phases(["Co", "Fe", "Li", "O"])
    point = at(window, -2.0, 0.5)
    limit, by = solubility_limit("Li", phases, point)
    assert by == "LiFeO2"
    references = ReferenceEnergies({**REFERENCES, "Li": -1.9, "Zn": -1.3}, provenance=TAG)
    dopant = state("Li_Fe", {"Fe": 1, "Li": -1}, 5.0, 0)

    def made(potential, **more):
        return fermi_diagram([*states, dopant], EDGES, window, references, point | potential, **more)

    assert made({"Li": limit}, foreign=phases).inside
    with pytest.raises(ValueError, match="LiFeO2 would form"):
        made({"Li": limit + 0.01}, foreign=phases)
    assert not made({"Li": limit + 0.01}, foreign=phases, outside=True).inside
    assert made({"Li": limit, "Zn": 0.0}, foreign=phases).inside
    with pytest.raises(ValueError, match=r"Zn \(element\) would form"):
        made({"Li": limit, "Zn": 0.01}, foreign=phases)
    # The energy itself is bounded from below by that limit: one lithium for one iron.
    energy, _ = made({"Li": limit}, foreign=phases).lowest("Li_Fe", 0.0)
    assert energy == pytest.approx(5.0 + (-8.3 + point["Fe"]) - (-1.9 + limit))


def test_inconsistent_states_are_refused(window, states):
    point = at(window, -2.0, 0.5)
    with pytest.raises(ValueError, match="given twice"):
        fermi_diagram([*states, states[0]], EDGES, window, REFERENCES, point)
    wrong = state("V_O", {"O": 1}, 0.0, 3, vbm_eV=2.5)
    with pytest.raises(ValueError, match="band edges say"):
        fermi_diagram([*states, wrong], EDGES, window, REFERENCES, point)
    other = EDGES.model_copy(update={"provenance": TAG.model_copy(update={"functional": "HSE06"})})
    with pytest.raises(ValueError, match="different functional"):
        fermi_diagram(states, other, window, REFERENCES, point)


def test_incomplete_edges_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        BandEdges(vbm_eV=0, gap_eV=1, dielectric=(0.1 * np.eye(3)).tolist(), source="", provenance=TAG)
    with pytest.raises(ValueError, match="density of states needs"):
        BandEdges(vbm_eV=0, gap_eV=1, dos_energies_eV=[0.0, 1.0], source="", provenance=TAG)
