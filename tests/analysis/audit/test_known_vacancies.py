"""Vacancies by first principles: what hangs on the set of U, and when C5 is decided."""

import json

import pytest
from magnetoionics.analysis.audit.first_principles import REFERENCE_CELL_ERROR_eV, judged_vacancies
from magnetoionics.analysis.audit.known_vacancies import VacanciesOfU, known_vacancies
from magnetoionics.analysis.thermodynamics.phases import load_experimental_phases

# Cells by formula units: oxides as the evidence has them.
UNITS = {"coo-pw500-k442": 2, "fe2o3-pw500-k222": 2, "co3o4-pw500-k222": 2}


def energies(repository, last):
    """Energies of documents as they lie there, eV, read without the package."""
    folder = repository / "data" / "gpaw"
    found = {}
    for name in [*UNITS, *(f"{key}28-pw500-k221" for key in ("host", "vfeb", "vcob"))]:
        paths = [p for p in (folder / f"{name}{last}.json", folder / f"{name}{last}-relaxed.json") if p.exists()]
        found[name] = min(json.loads(p.read_text())["calculation"]["energy_eV"] for p in paths)
    return found


def of_sets(*pairs):
    """One set of U for each pair of V_Co(B) minus V_Fe(B) at the poor and the rich edge."""
    return [
        VacanciesOfU(
            engine="gpaw",
            level_of_theory="GPAW",
            hubbard_U_eV={"Co": u, "Fe": u},
            cell_atoms=28,
            poor={"V_Fe(B)": 2.0, "V_Co(B)": 2.0 + poor, "V_Fe(A)": 4.0},
            rich={"V_Fe(B)": 1.0, "V_Co(B)": 1.0 + rich, "V_Fe(A)": 3.0},
            moment_changes_muB={"V_Fe(B)": -2.0, "V_Co(B)": -3.0, "V_Fe(A)": 6.0},
            largest_forces_eV_per_A={"V_Fe(B)": 0.04, "V_Co(B)": 0.04, "V_Fe(A)": None},
            missing_phases=["FeO"],
            source="",
        )
        for u, (poor, rich) in enumerate(pairs, start=3)
    ]


@pytest.mark.parametrize(
    ("last", "u"), [("", {"Co": 3.32, "Fe": 5.3}), *((f"-u{n}{n}", {"Co": float(n), "Fe": float(n)}) for n in (3, 4))]
)
def test_the_difference_of_two_cations_by_hand(repository, last, u):
    """Beside Fe2O3 the host meets metallic cobalt at the oxygen-poor edge and Co3O4 at the oxygen-rich one.

    The enthalpy of 3 CoO + O -> Co3O4, computed and measured, gives the energy of oxygen; that of CoO the metal's.
    """
    read = energies(repository, last)
    monoxide, iron_oxide, spinel = (read[name] / units for name, units in UNITS.items())
    host = read["host28-pw500-k221"] / 4
    formed = {p.formula: p.formation_energy_eV for p in load_experimental_phases(["Co", "Fe", "O"])}
    oxygen = (spinel - 3 * monoxide) - (formed["Co3O4"] - 3 * formed["CoO"])
    metal = monoxide - oxygen - formed["CoO"]
    poor_mu_O = host - iron_oxide - metal
    rich_mu_O = spinel - 3 * (host - iron_oxide)
    (found,) = (v for v in known_vacancies("cofe2o4") if v.hubbard_U_eV == u)
    apart = []
    for mu_Co, mu_O in ((metal, poor_mu_O), ((spinel - 4 * rich_mu_O) / 3, rich_mu_O)):
        mu_Fe = (iron_oxide - 3 * mu_O) / 2
        apart.append(read["vcob28-pw500-k221"] + mu_Co - read["vfeb28-pw500-k221"] - mu_Fe)
    assert found.above("V_Co(B)", "V_Fe(B)") == pytest.approx(tuple(apart), abs=1e-3)


@pytest.mark.parametrize(
    ("pairs", "verdict", "value"),
    [
        ([(-0.8, -0.2), (-0.7, 0.1), (-0.5, 0.3)], "contradicted", -0.5),
        ([(-0.8, -0.2), (-0.7, 0.1)], "undecided", -0.7),
        ([(-0.8, -0.2), (-0.7, 0.1), (-0.3, 0.3)], "undecided", -0.3),
        ([(0.5, 0.6), (0.9, 0.7), (1.5, 0.8)], "reproduced", 0.5),
        ([(0.5, 0.3), (0.9, 0.7), (1.5, 0.8)], "undecided", 0.3),
    ],
)
def test_all_sets_of_u_have_to_say_the_same_beyond_the_error_of_the_cell(pairs, verdict, value):
    assert REFERENCE_CELL_ERROR_eV == 0.4
    found = judged_vacancies(of_sets(*pairs))
    assert (found.verdict, found.value) == (verdict, pytest.approx(value))
    assert ("here are" in found.reason) == (len(pairs) < 3)
    assert (
        f"U = Co 3, Fe 3 eV: V_Co(B) {pairs[0][0]:+.2f} and {pairs[0][1]:+.2f} eV, V_Fe(A) +2.00 and +2.00 eV"
        in found.reason
    )


def test_an_iron_vacancy_of_the_other_sublattice_counts_too():
    sets = of_sets((0.5, 0.6), (0.9, 0.7), (1.5, 0.8))
    for vacancies in sets:
        vacancies.poor["V_Fe(A)"] = 1.0
    assert judged_vacancies(sets).verdict == "contradicted"


def test_phases_that_a_window_does_not_know_are_named():
    assert "(docs/engines.md), window without FeO: formation" in judged_vacancies(of_sets((-0.8, -0.2))).reason
    whole = of_sets((-0.8, -0.2))
    whole[0].missing_phases = []
    assert "without" not in judged_vacancies(whole).reason
    assert known_vacancies("cofe2o4")[0].missing_phases == ["Fe3O4", "FeO"]


def test_a_vacancy_whose_ions_are_of_another_u_says_so():
    sets = of_sets((-0.8, -0.2), (-0.7, 0.1), (-0.5, 0.3))
    assert "relaxed it lies lower" not in judged_vacancies(sets).reason
    sets[1].largest_forces_eV_per_A["V_Co(B)"] = 0.82
    assert "V_Co(B) -0.70 and +0.10 eV (not its own ions, forces to 0.8 eV/A" in judged_vacancies(sets).reason


def test_other_hosts_have_none():
    assert known_vacancies("nife2o4") == ()
