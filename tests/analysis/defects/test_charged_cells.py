"""Defects that remove and add atoms, and their charge transition levels, which no chemical potential enters."""

from __future__ import annotations

import pytest
from magnetoionics.analysis.defects.charge_corrections import point_charge_correction
from magnetoionics.analysis.defects.charge_states import BandEdges, charge_lines, transition_levels
from magnetoionics.analysis.defects.charged_cells import ChargedVacancies, ChargedVacancy, DielectricResult
from magnetoionics.analysis.defects.formation import formation_energy_eV
from magnetoionics.analysis.results.checks import held
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.thermodynamics.references import ReferenceEnergies
from magnetoionics.analysis.thermodynamics.stability_window import Phase, stability_window
from pymatgen.core import Lattice

PROVENANCE = Provenance(engine="test", level_of_theory="VASP", functional="PBE")
DIELECTRIC = [[10.0, 0.0, 0.0], [0.0, 10.0, 0.0], [0.0, 0.0, 10.0]]
EDGES = BandEdges(vbm_eV=2.0, gap_eV=3.0, dielectric=DIELECTRIC, source="test", provenance=PROVENANCE)


def state(charge: int, energy_eV: float, removed: dict[str, int] | None = None) -> ChargedVacancy:
    """Charge state of an antisite, corrected as a point charge."""
    correction = point_charge_correction(charge, Lattice.cubic(12.0).matrix, DIELECTRIC)
    return ChargedVacancy(
        label="Mg_O",
        element="O",
        sublattice="O",
        multiplicity=4,
        charge=charge,
        removed=removed or {},
        energy_difference_eV=energy_eV,
        total_moment_muB=0.0,
        corrections=[correction] if charge else [],
        provenance=PROVENANCE,
    )


def test_a_state_that_says_nothing_else_is_a_vacancy() -> None:
    assert state(0, 1.0).removed == {"O": 1}
    found = ChargedVacancies(edges=EDGES, states=[state(0, 1.0, {"O": 1, "Mg": -1})]).formations()[0]
    assert found.removed == {"O": 1, "Mg": -1}
    energies, potentials = {"Mg": -1.5, "O": -5.0}, {"Mg": -0.25, "O": -2.0}
    # An atom of oxygen goes to its reservoir, one of magnesium comes from its own.
    expected = 1.0 + (-5.0 - 2.0) - (-1.5 - 0.25)
    assert formation_energy_eV(1.0, found.removed, energies, potentials) == pytest.approx(expected)


def test_levels_without_potentials_are_those_with_them() -> None:
    removed = {"O": 1, "Mg": -1}
    charged = ChargedVacancies(edges=EDGES, states=[state(q, 5.0 - 3.1 * q + 0.2 * q * q, removed) for q in (0, 1, 2)])
    by_hand = charged.states[1].energy_difference_eV + 2.0 + charged.states[1].correction_eV
    levels = charged.levels()
    assert [(t.charge_below, t.charge_above) for t in levels] in ([(2, 1), (1, 0)], [(2, 0)])
    # eps(+1/0) lies where the two lines cross: E_f(0) = E_f(+1) + E_F.
    one = next(t for t in levels if t.charge_above == 0)
    if one.charge_below == 1:
        assert one.level_eV == pytest.approx(charged.states[0].energy_difference_eV - by_hand)
    window = stability_window(
        "MgO", [Phase(formula="MgO", formation_energy_eV=-6.0, source="test", provenance=PROVENANCE)]
    )
    point = {"Mg": -2.5, "O": -3.5}
    references = ReferenceEnergies({"Mg": -1.5, "O": -5.0}, provenance=EDGES.provenance)
    lines = charge_lines(
        charged.formations(),
        EDGES,
        window,
        references,
        point,
    )
    for found, other in zip(levels, transition_levels(lines, EDGES.gap_eV), strict=True):
        assert found.level_eV == pytest.approx(other.level_eV)


def test_a_charge_state_that_failed_a_check_gives_neither_energy_nor_level() -> None:
    states = [state(q, 5.0 - 3.1 * q) for q in (0, 1, 2)]
    states[1].checks.append(held("forces relaxed", 0.3, 0.01, unit="eV/A"))
    charged = ChargedVacancies(edges=EDGES, states=states)
    assert [s.charge for s in charged.sound_states] == [0, 2]
    assert [f.charge for f in charged.formations()] == [0, 2]
    assert [(t.charge_below, t.charge_above) for t in charged.levels()] == [(2, 0)]


def test_ions_and_electrons_screen_together_and_the_tensor_is_symmetric() -> None:
    found = DielectricResult(
        name="dielectric tensor",
        electronic=[[5.0, 0.2, 0.0], [0.0, 5.0, 0.0], [0.0, 0.0, 6.0]],
        ionic=[[7.0, 0.0, 0.0], [0.2, 8.0, 0.0], [0.0, 0.0, 9.0]],
        provenance=PROVENANCE,
    )
    assert [list(map(float, row)) for row in found.static] == [[12.0, 0.2, 0.0], [0.2, 13.0, 0.0], [0.0, 0.0, 15.0]]
