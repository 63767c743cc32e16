"""Concentrations: mass action, neutrality, known limits, quenching, an independent solver, Brouwer slopes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from magnetoionics.analysis.defects.brouwer import (
    BrouwerDiagram,
    DefectThermodynamics,
    brouwer_diagram,
    film_composition,
    films_dataframe,
)
from magnetoionics.analysis.defects.carriers import carriers_per_A3, effective_dos_per_A3, fermi_integral_half
from magnetoionics.analysis.defects.charge_states import BandEdges, ChargeLine
from magnetoionics.analysis.defects.concentrations import (
    ConcentrationSet,
    DefectSites,
    SolidSolution,
    quench,
    solve_concentrations,
)
from magnetoionics.analysis.defects.defect_energies import VacancyFormation
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.thermodynamics.gases import gas_of
from magnetoionics.analysis.thermodynamics.references import ReferenceEnergies
from magnetoionics.analysis.thermodynamics.stability_window import at, load_experimental_phases, stability_window
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K

TAG = Provenance(engine="vasp", level_of_theory="VASP", functional="PBE", hubbard_U_eV={"Co": 3.32, "Fe": 5.3})
EDGES = BandEdges(vbm_eV=3.0, gap_eV=1.6, electron_mass=1.2, hole_mass=2.5, source="known", provenance=TAG)
HOST = SolidSolution(
    formula="CoFe2O4",
    composition={"Co": 1.0, "Fe": 2.0, "O": 4.0},
    volume_A3=73.8,
    sites=[
        DefectSites(label="V_Fe(B)", site="Fe(B)", per_formula=1.0),
        DefectSites(label="Co_Fe(B)", site="Fe(B)", per_formula=1.0),
        DefectSites(label="V_O", site="O", per_formula=4.0, degeneracy={1: 2.0}),
    ],
    removed={"V_Fe(B)": {"Fe": 1}, "Co_Fe(B)": {"Fe": 1, "Co": -1}, "V_O": {"O": 1}},
)


def line(label, charge, energy):
    return ChargeLine(label=label, charge=charge, at_vbm_eV=energy, correction_eV=0.0)


LINES = [
    line("V_Fe(B)", 0, 2.5),
    line("V_Fe(B)", -1, 2.8),
    line("V_Fe(B)", -3, 4.4),
    line("Co_Fe(B)", 0, 1.0),
    line("Co_Fe(B)", -1, 1.3),
    line("V_O", 0, 3.2),
    line("V_O", 1, 1.9),
    line("V_O", 2, 0.9),
]


def weight(energy, temperature):
    return math.exp(-energy / (BOLTZMANN_eV_PER_K * temperature))


def by_key(made):
    return {(d.label, d.charge): d for d in made.defects}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.0, 5.0), min_size=len(LINES), max_size=len(LINES)), st.floats(250, 1600))
def test_every_set_is_neutral_and_obeys_mass_action(energies, temperature):
    lines = [x.model_copy(update={"at_vbm_eV": e}) for x, e in zip(LINES, energies, strict=True)]
    made = solve_concentrations(HOST, lines, temperature, TAG, edges=EDGES)
    states = by_key(made)
    charge = sum(q * d.per_cm3 for (_, q), d in states.items()) + made.holes_per_cm3 - made.electrons_per_cm3
    size = sum(abs(q) * d.per_cm3 for (_, q), d in states.items()) + made.holes_per_cm3 + made.electrons_per_cm3
    assert abs(charge) <= 1e-7 * size
    assert {c.name: c.passed for c in made.checks}["charge neutrality"]
    assert {c.name: c.passed for c in made.checks}["mass action"]
    for site, total in (("Fe(B)", 1.0), ("O", 4.0)):
        own = [d for (label, _), d in states.items() if (label == "V_O") == (site == "O")]
        assert sum(d.per_formula for d in own) <= total * (1 + 1e-12)
    # Two defects on one site: their ratio is that of their weights, however full the site is.
    one, other = states["V_Fe(B)", 0], states["Co_Fe(B)", 0]
    if one.per_formula > 1e-250 and other.per_formula > 1e-250:
        found = BOLTZMANN_eV_PER_K * temperature * math.log(one.per_formula / other.per_formula)
        assert found == pytest.approx(energies[3] - energies[0], abs=1e-9)


def test_dilute_limit_and_degeneracy_by_hand():
    made = solve_concentrations(HOST, LINES, 900.0, TAG, edges=EDGES)
    level = made.fermi_eV
    d = by_key(made)["V_O", 1]
    assert d.formation_energy_eV == pytest.approx(1.9 + level)
    assert d.per_formula == pytest.approx(4.0 * 2.0 * weight(1.9 + level, 900.0), rel=1e-3)
    assert d.per_cm3 == pytest.approx(d.per_formula / 73.8e-24)


def test_a_free_defect_fills_its_sites_and_no_more():
    made = solve_concentrations(HOST, [line("V_Fe(B)", 0, -1.0), line("Co_Fe(B)", 0, -1.0)], 600.0, TAG)
    assert made.fermi_eV is None
    assert by_key(made)["V_Fe(B)", 0].per_formula == pytest.approx(0.5, abs=1e-6)
    assert made.composition["Fe"] == pytest.approx(1.0, abs=1e-6)
    assert not next(c for c in made.checks if c.name == "dilute").passed


def test_without_defects_the_level_is_the_intrinsic_one():
    made = solve_concentrations(HOST, [line("V_O", 2, 30.0)], 700.0, TAG, edges=EDGES)
    kT = BOLTZMANN_eV_PER_K * 700
    expected = 0.5 * 1.6 + 0.75 * kT * math.log(2.5 / 1.2)
    assert made.fermi_eV == pytest.approx(expected, abs=1e-4)
    assert made.electrons_per_cm3 == pytest.approx(made.holes_per_cm3, rel=1e-7)
    product = effective_dos_per_A3(1.2, 700) * effective_dos_per_A3(2.5, 700) * weight(1.6, 700) * 1e48
    assert made.electrons_per_cm3 * made.holes_per_cm3 == pytest.approx(product, rel=1e-3)


def test_carriers_of_parabolic_bands():
    # 2.51e19 per cm3 at 300 K for the free-electron mass
    assert effective_dos_per_A3(1.0, 300) * 1e24 == pytest.approx(2.509e19, rel=1e-3)
    assert fermi_integral_half(-12.0) == pytest.approx(math.exp(-12.0), rel=1e-4)
    # Known value of the normalised integral at zero: (1 - 2^(-1/2)) zeta(3/2)
    assert fermi_integral_half(0.0) == pytest.approx(0.765147024, abs=1e-8)
    assert fermi_integral_half(60.0) == pytest.approx(4 * 60**1.5 / (3 * math.sqrt(math.pi)), rel=1e-3)


def test_a_parabolic_density_of_states_gives_the_same_carriers():
    hbar2 = 7.619964  # hbar^2 / m_e, eV A^2
    energies = np.linspace(0.0, 8.0, 160001)
    gap, vbm = 1.6, 3.0
    above = np.clip(energies - vbm - gap, 0, None)
    below = np.clip(vbm - energies, 0, None)
    states = (2 * 1.2 / hbar2) ** 1.5 * np.sqrt(above) + (2 * 2.5 / hbar2) ** 1.5 * np.sqrt(below)
    given = BandEdges(
        vbm_eV=vbm, gap_eV=gap, dos_energies_eV=energies.tolist(),
        dos_states_per_eV=(states / (2 * np.pi**2)).tolist(), dos_volume_A3=1.0, source="", provenance=TAG,
    )  # fmt: skip
    for level in (0.3, 0.8, 1.5):
        assert carriers_per_A3(given, level, 800.0) == pytest.approx(carriers_per_A3(EDGES, level, 800.0), rel=2e-3)


def test_an_undoped_host_has_its_intrinsic_carriers():
    """N = sqrt(Nc Nv) exp(-Eg/2kT), and a level shifted from the middle by kT/2 ln(Nv/Nc)."""
    bare = HOST.model_copy(update={"sites": [], "removed": {}})
    temperature_K = 900.0
    thermal = temperature_K * 8.617333262e-5
    electrons, holes = (effective_dos_per_A3(m, temperature_K) for m in (EDGES.electron_mass, EDGES.hole_mass))
    expected = math.sqrt(electrons * holes) * math.exp(-EDGES.gap_eV / (2 * thermal)) * 1e24
    neutral = [x for x in LINES if x.charge == 0]
    for found in (
        solve_concentrations(bare, [], temperature_K, TAG, edges=EDGES),
        solve_concentrations(HOST, neutral, temperature_K, TAG, edges=EDGES),
    ):
        assert found.electrons_per_cm3 == pytest.approx(expected, rel=1e-3)
        assert found.holes_per_cm3 == pytest.approx(expected, rel=1e-3)
        shift = 0.5 * thermal * math.log(holes / electrons)
        assert found.fermi_eV == pytest.approx(EDGES.gap_eV / 2 + shift, abs=1e-3)
    blind = EDGES.model_copy(update={"electron_mass": None, "hole_mass": None})
    assert solve_concentrations(HOST, neutral, temperature_K, TAG, edges=blind).fermi_eV is None


def test_a_density_of_states_on_another_scale_is_refused():
    energies = np.linspace(-5.0, 6.0, 2201)
    states = np.where((energies <= 0) | (energies >= 1.6), 3.0, 0.0)

    def given(shift, gap=1.6):
        return BandEdges(
            vbm_eV=shift, gap_eV=gap, dos_energies_eV=energies.tolist(), dos_states_per_eV=states.tolist(),
            dos_volume_A3=73.8, source="", provenance=TAG,
        )  # fmt: skip

    for small in (-0.04, 0.0, 0.04):
        assert given(small).has_carriers
    for shift in (-0.08, 0.08, 3.0, -2.0):
        with pytest.raises(ValueError, match="on two energy scales"):
            given(shift)
    with pytest.raises(ValueError, match=r"conduction band minimum is given at 1\.900 eV.*has it at 1\.60"):
        given(0.0, gap=1.9)
    with pytest.raises(ValueError, match="has no states within 1 eV"):
        given(20.0)


def test_quenching_keeps_totals_and_moves_charges():
    grown = solve_concentrations(HOST, LINES, 1100.0, TAG, edges=EDGES)
    cold = quench(grown, HOST, LINES, 300.0, edges=EDGES)
    for label in ("V_Fe(B)", "Co_Fe(B)", "V_O"):
        assert cold.total_per_formula(label) == pytest.approx(grown.total_per_formula(label), rel=1e-9)
    assert cold.frozen_at_K == 1100.0
    assert cold.composition == pytest.approx(grown.composition)
    assert all(c.passed for c in cold.checks if c.name != "dilute")
    slow = solve_concentrations(HOST, LINES, 300.0, TAG, edges=EDGES)
    assert slow.total_per_formula("V_O") < 1e-3 * cold.total_per_formula("V_O")
    again = quench(grown, HOST, LINES, 1100.0, edges=EDGES)
    assert again.fermi_eV == pytest.approx(grown.fermi_eV, abs=1e-9)
    assert ConcentrationSet.model_validate_json(cold.model_dump_json()) == cold
    assert {"per_cm3", "formation_energy_eV"} <= set(cold.to_dataframe().columns)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="above 0 K"):
        solve_concentrations(HOST, LINES, 0.0, TAG, edges=EDGES)
    with pytest.raises(ValueError, match="band edges"):
        solve_concentrations(HOST, LINES, 300.0, TAG)
    with pytest.raises(ValueError, match="no sites or composition given for V_Co"):
        solve_concentrations(HOST, [line("V_Co", 0, 1.0)], 300.0, TAG)
    with pytest.raises(ValueError, match="frozen totals on O"):
        solve_concentrations(HOST, LINES, 300.0, TAG, edges=EDGES, frozen_per_formula={"V_O": 5.0})
    massless = EDGES.model_copy(update={"electron_mass": None})
    with pytest.raises(ValueError, match="effective masses"):
        solve_concentrations(HOST, LINES, 300.0, TAG, edges=massless)


def test_py_sc_fermi_finds_the_same_dilute_crystal():
    """Independent solver with its own Fermi statistics, on one density of states; no site competition there."""
    pytest.importorskip("py_sc_fermi")
    from py_sc_fermi.defect_charge_state import DefectChargeState
    from py_sc_fermi.defect_species import DefectSpecies
    from py_sc_fermi.defect_system import DefectSystem
    from py_sc_fermi.dos import DOS

    energies = np.linspace(-5.0, 6.0, 110001)
    states = np.where((energies <= 0) | (energies >= 1.6), 3.0, 0.0)
    electrons = float(np.trapezoid(np.where(energies <= 0, states, 0.0), energies))
    given = BandEdges(
        vbm_eV=0.0, gap_eV=1.6, dos_energies_eV=energies.tolist(), dos_states_per_eV=states.tolist(),
        dos_volume_A3=73.8, source="", provenance=TAG,
    )  # fmt: skip
    lines = [line(x.label, x.charge, x.at_vbm_eV + 0.6) for x in LINES]
    made = solve_concentrations(HOST, lines, 800.0, TAG, edges=given)
    sites = {"V_Fe(B)": 1, "Co_Fe(B)": 1, "V_O": 4}
    species = [
        DefectSpecies(
            label, n,
            {
                x.charge: DefectChargeState(x.charge, 2 if (label, x.charge) == ("V_O", 1) else 1, x.at_vbm_eV)
                for x in lines if x.label == label
            },
        )
        for label, n in sites.items()
    ]  # fmt: skip
    theirs = DefectSystem(
        species, DOS(dos=states, edos=energies, bandgap=1.6, nelect=round(electrons)), 73.8, 800.0,
        convergence_tolerance=1e-16, n_trial_steps=5000,
    )  # fmt: skip
    level = theirs.get_sc_fermi()[0]
    assert made.fermi_eV == pytest.approx(level, abs=1e-6)
    for one in species:
        for charge, found in one.charge_state_concentrations(level, 800.0).items():
            ours = by_key(made)[one.name, charge].per_formula
            assert ours == pytest.approx(float(found), rel=1e-5)


def vacancy(label, element, energy, charge):
    return VacancyFormation(
        label=label, removed={element: 1}, energy_difference_eV=energy, charge=charge, vbm_eV=3.0,
        correction_eV=0.0, provenance=TAG,
    )  # fmt: skip


@pytest.fixture(scope="module")
def window():
    return stability_window("CoFe2O4", load_experimental_phases(["Co", "Fe", "O"]))


@pytest.fixture(scope="module")
def system(window):
    defects = [vacancy("V_O", "O", 9.0 + 3.0, 0), vacancy("V_O", "O", 9.0 - 6.5, 2), vacancy("V_Fe(B)", "Fe", 20.0, -3)]
    host = HOST.model_copy(update={"sites": [s for s in HOST.sites if s.label != "Co_Fe(B)"]})
    references = ReferenceEnergies({"Co": -7.0, "Fe": -8.3, "O": -4.9}, provenance=TAG)
    return DefectThermodynamics(defects, host, window, references, EDGES)


def test_mass_action_of_oxygen_vacancies_along_the_pressure(system):
    """O_O = V_O'' + 2 e' + 1/2 O2(g): [V] n^2 p^(1/2) is constant as long as the band is not degenerate."""
    made = brouwer_diagram(system, 1200.0, n=21)
    charged = next(c for c in made.curves if c.label == "V_O" and c.charge == 2)
    product = np.array(charged.per_cm3) * np.array(made.electrons_per_cm3) ** 2 * np.sqrt(made.pressures_atm)
    assert product == pytest.approx(np.full(21, product[0]), rel=0.02)
    assert made.worst_neutrality < 1e-8
    assert made.worst_mass_action_eV < 1e-9
    assert all(made.inside)
    assert made.delta_mu_O_eV[0] == pytest.approx(system.window.delta_mu_O_min_eV, abs=1e-9)
    assert BrouwerDiagram.model_validate_json(made.model_dump_json()) == made
    assert "V_O_per_cm3" in made.to_dataframe().columns


def test_classic_slope_where_vacancies_and_electrons_balance(window):
    """2 [V_O''] = n: both fall as p^(-1/6)."""
    defects = [vacancy("V_O", "O", 9.0 - 12.0, 2)]
    host = SolidSolution(formula="CoFe2O4", composition=HOST.composition, volume_A3=73.8, sites=[HOST.sites[2]],
                         removed={"V_O": {"O": 1}})  # fmt: skip
    light = EDGES.model_copy(update={"gap_eV": 3.4})
    made = brouwer_diagram(
        DefectThermodynamics(
            defects, host, window, ReferenceEnergies({"Co": -7.0, "Fe": -8.3, "O": -4.9}, provenance=TAG), light
        ),
        900.0,
        n=41,
    )
    p, n = np.log(made.pressures_atm), np.array(made.electrons_per_cm3)
    clear = np.array(made.holes_per_cm3) < 1e-4 * n
    assert clear.sum() > 5
    slopes = np.diff(np.log(n))[clear[:-1] & clear[1:]] / np.diff(p)[clear[:-1] & clear[1:]]
    assert slopes == pytest.approx(np.full(len(slopes), -1 / 6), abs=2e-3)


def test_outside_the_window_is_refused_unless_asked(system):
    with pytest.raises(ValueError, match="outside the window"):
        brouwer_diagram(system, 1200.0, pressures_atm=[1e-30])
    made = brouwer_diagram(system, 1200.0, pressures_atm=[1e-30, 1e-6], outside=True)
    assert made.inside == [False, True]
    refused = film_composition(system, 1200.0, 1e-30)
    assert refused.ratios == []
    assert "not stable" in refused.note
    assert film_composition(system, 1200.0, 1e-30, outside=True).ratios


def test_film_ratios_follow_from_the_vacancies(system):
    film = film_composition(system, 1200.0, 1e-6)
    found = film.vacancies_per_formula
    expected = (2 - found["V_Fe(B)"]) / 1.0
    assert film.ratio("Fe/Co").mid == pytest.approx(expected, abs=1e-12)
    assert film.ratio("Co/O").mid == pytest.approx(1 / (4 - found["V_O"]), abs=1e-12)
    for r in film.ratios:
        assert r.low <= r.mid <= r.high
    wide = film_composition(
        DefectThermodynamics(system.defects, system.host, system.window, system.references, EDGES, error_bar_eV=0.5),
        1200.0, 1e-6,
    )  # fmt: skip
    assert wide.ratio("Fe/Co").low < film.ratio("Fe/Co").low
    table = films_dataframe([film, wide])
    assert len(table) == 6


def test_antisites_say_who_sits_where(window):
    """Co on A and Fe on B in equal numbers: the inversion falls below 1, and each element is conserved."""
    references = ReferenceEnergies({"Co": -7.0, "Fe": -8.3, "O": -4.9}, provenance=TAG)
    point = at(window, float(gas_of("O").delta_mu_eV(900.0, 1e-6)))
    exchange = references["Fe"] + point["Fe"] - references["Co"] - point["Co"]
    defects = [
        VacancyFormation(label=label, removed=removed, energy_difference_eV=energy, provenance=TAG)
        for label, removed, energy in (
            ("Co_Fe(A)", {"Fe": 1, "Co": -1}, 0.30 - exchange),
            ("Fe_Co(B)", {"Co": 1, "Fe": -1}, 0.35 + exchange),
        )
    ]
    sites = [
        DefectSites(label="Co_Fe(A)", site="Fe(A)", per_formula=1),
        DefectSites(label="Fe_Co(B)", site="Co(B)", per_formula=1),
    ]
    host = HOST.model_copy(update={"sites": sites, "removed": {d.label: d.removed for d in defects}})
    film = film_composition(DefectThermodynamics(defects, host, window, references), 900.0, 1e-6)
    moved = film.vacancies_per_formula
    assert film.occupancy["A"] == pytest.approx({"Co": moved["Co_Fe(A)"], "Fe": 1 - moved["Co_Fe(A)"]})
    assert film.occupancy["B"] == pytest.approx({"Co": 1 - moved["Fe_Co(B)"], "Fe": moved["Fe_Co(B)"]})
    thermal = BOLTZMANN_eV_PER_K * 900.0
    assert film.occupancy["A"]["Co"] == pytest.approx(1 / (1 + np.exp(0.30 / thermal)))
    iron = 2 - moved["Co_Fe(A)"] + moved["Fe_Co(B)"]
    cobalt = 1 + moved["Co_Fe(A)"] - moved["Fe_Co(B)"]
    assert film.ratio("Fe/Co").mid == pytest.approx(iron / cobalt)
    plain = HOST.model_copy(update={"sites": [s for s in HOST.sites if s.label != "Co_Fe(B)"]})
    bare = DefectThermodynamics([vacancy("V_O", "O", 12.0, 0)], plain, window, references)
    assert film_composition(bare, 900.0, 1e-6).occupancy == {}


def test_a_frozen_defect_leaves_the_other_what_is_left_of_its_sites():
    """Neutral states alone: Co on a share w/(1 + w) of the 0.4 sites that 0.6 frozen vacancies leave."""
    neutral = [line("V_Fe(B)", 0, 2.5), line("Co_Fe(B)", 0, 0.1), line("V_O", 0, 3.2)]
    made = solve_concentrations(HOST, neutral, 1100.0, TAG, edges=EDGES, frozen_per_formula={"V_Fe(B)": 0.6})
    found, w = by_key(made), weight(0.1, 1100.0)
    assert found["V_Fe(B)", 0].per_formula == pytest.approx(0.6)
    assert found["Co_Fe(B)", 0].per_formula == pytest.approx(0.4 * w / (1 + w))
