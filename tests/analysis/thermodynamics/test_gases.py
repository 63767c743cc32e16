"""Potentials of N2, F2 and S2 against the NIST-JANAF tables; what nitrides, fluorides and sulfides do in their gas."""

import numpy as np
import pytest
from magnetoionics.analysis.thermodynamics.gases import GASES, edge_words, gas_of, potential_anion
from magnetoionics.analysis.thermodynamics.phases import formula_composition, load_experimental_phases
from magnetoionics.analysis.thermodynamics.stability_window import at, stability_window
from magnetoionics.analysis.thermodynamics.temperature import oxygen_loss, window_at
from magnetoionics.analysis.thermodynamics.thermal import thermal_free_energy

KJ_PER_EV = 96.4853321
# NIST-JANAF (M. W. Chase, 1998), tables N-023, F-054 and S-012 at 1 bar: H(0) - H(298) in kJ/mol, and by temperature
# -[G - H(298)]/T in J/(mol K).
JANAF = {
    "N": (-8.670, {300: 191.610, 500: 194.917, 1000: 206.708, 1500: 216.277}),
    "F": (-8.825, {300: 202.790, 500: 206.452, 1000: 219.930, 1500: 230.839}),
    "S": (-9.124, {300: 228.166, 500: 231.958, 1000: 245.760, 1500: 256.832}),
}
# Formation of S2 gas from the reference state of sulfur, kJ/mol: at 500 K liquid sulfur, at 1000 K the gas itself.
JANAF_S2_FORMATION_kJ = {500: 49.019}
CASES = [(el, t, value, h0) for el, (h0, table) in JANAF.items() for t, value in table.items()]


def window(formula):
    return stability_window(formula, load_experimental_phases(formula_composition(formula)))


@pytest.mark.parametrize(("element", "temperature", "function", "heat_content"), CASES)
def test_measured_spectroscopy_tables(element, temperature, function, heat_content):
    gas = GASES[element]
    expected = (-temperature * function / 1000 - heat_content) / KJ_PER_EV / 2
    # Anharmonicity, the module's own word: below 1 meV up to 1000 K and 2.5 meV for F2 at 1500 K.
    allowed = 1.0e-3 if temperature <= 1000 else 2.5e-3
    assert gas.delta_mu_eV(temperature, 1 / 1.01325) - gas.zero_eV == pytest.approx(expected, abs=allowed)


@pytest.mark.parametrize(("element", "heat_content"), [(el, h0) for el, (h0, _) in JANAF.items()])
def test_heat_content_is_that_of_the_tables(element, heat_content):
    assert GASES[element].heat_content_eV() == pytest.approx(-heat_content / KJ_PER_EV / 2, abs=3e-4)


def test_half_a_molecule_of_sulfur_stands_above_the_melt_as_tabulated():
    melt = thermal_free_energy("S", 500.0).value_eV
    gap = GASES["S"].delta_mu_eV(500.0, 1 / 1.01325) - melt
    assert gap == pytest.approx(JANAF_S2_FORMATION_kJ[500] / KJ_PER_EV / 2, abs=2e-3)


def test_vapour_of_boiling_sulfur_is_mostly_not_S2():
    # At the boiling point, 717.8 K at 1 atm, most of the vapour is S8 and S6: S2 alone has a few per cent of it.
    pressure = GASES["S"].pressure_atm_for(thermal_free_energy("S", 717.8).value_eV, 717.8)
    assert 0.01 < pressure < 0.15


def test_pyrite_gives_off_sulfur_where_it_does():
    # FeS2 -> FeS + S2/2: measured vapour over both reaches one atmosphere at 962 to 1016 K (743 C, where pyrite melts
    # under its own vapour); at 873 K it is a hundredth of it.
    loss = oxygen_loss(window("FeS2"), 1.0)
    assert 940 < loss.temperature_K < 1030
    assert loss.reaction == "FeS2 -> FeS + S"


def test_chromium_nitride_loses_nitrogen_between_1250_and_1400_K():
    # CrN -> Cr2N at 1 atm of N2: 1323 to 1353 K in the assessed phase diagram.
    loss = oxygen_loss(window("CrN"), 1.0)
    assert 1230 < loss.temperature_K < 1430
    assert "Cr2N" in loss.reaction


@pytest.mark.parametrize(
    ("formula", "anion", "poor", "rich"),
    [
        ("CrN", "N", "Cr2N", "N2 at 0 K"),
        ("NiS", "S", "Ni3S2", "NiS2"),
        ("CoS2", "S", "Co3S4", "S forms"),
        ("CoF2", "F", "Co + F2", "CoF3"),
    ],
)
def test_windows_of_other_anions(formula, anion, poor, rich):
    made = window(formula)
    assert made.anion == anion == made.elements[-1]
    assert made.delta_mu_O_min_eV < made.delta_mu_O_max_eV <= 1e-9
    assert poor in made.oxygen_poor.reaction
    assert rich in made.oxygen_rich.reaction
    middle = 0.5 * (made.delta_mu_O_min_eV + made.delta_mu_O_max_eV)
    point = at(made, middle)
    total = sum(n * point[el] for el, n in made.composition.items())
    assert point[anion] == middle
    assert total == pytest.approx(made.host_formation_energy_eV, abs=1e-9)


def test_edge_of_a_fluoride_is_its_formation_energy():
    # The highest fluorine potential is that of F2; the lowest half the enthalpy of CoF2, with F2 counted from 0 K.
    made = window("CoF2")
    expected = -671.5 / KJ_PER_EV / 2 + 8.825 / KJ_PER_EV / 2
    assert made.delta_mu_O_min_eV == pytest.approx(expected, abs=1e-3)
    assert made.oxygen_poor.sensitivity == pytest.approx({"CoF2": 0.5})


def test_a_warm_window_of_a_fluoride_follows_the_tabulated_free_energy():
    # JANAF: Gibbs energy of formation of FeF2 at 1000 K from the elements and F2 at 1 bar.
    made = window_at(window("FeF2"), 1000.0)
    gas = GASES["F"].delta_mu_eV(1000.0, 1 / 1.01325)
    formation = 2 * (made.delta_mu_O_min_eV - gas)
    assert formation == pytest.approx(-568.045 / KJ_PER_EV, abs=5e-3)


def test_anions_are_chosen_in_one_order_and_others_are_refused():
    assert potential_anion(["K", "F", "O"]) == "O"
    assert potential_anion({"Fe": 4.0, "N": 1.0}) == "N"
    assert potential_anion(["Fe", "Co"]) is None
    assert edge_words("N") == ("nitrogen-poor", "nitrogen-rich")
    with pytest.raises(ValueError, match="no gas of Se is known"):
        gas_of("Se")
    with pytest.raises(ValueError, match="the nitrogen pressure must be positive"):
        GASES["N"].delta_mu_eV(np.array([300.0]), -1.0)
