"""Formation energies, figures and tables of a sulfide, a nitride and a fluoride: the gas is theirs, not oxygen."""

import pytest
from magnetoionics.analysis.builder.potentials import warm_windows
from magnetoionics.analysis.defects.formation import VacancyFormation, formation_lines
from magnetoionics.analysis.plots.formation import plot_formation
from magnetoionics.analysis.plots.window import plot_window
from magnetoionics.analysis.report.phase_tables import warm_table, window_table
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.study.documents import ChemicalPotentialsResult
from magnetoionics.analysis.thermodynamics.gases import GASES
from magnetoionics.analysis.thermodynamics.phases import formula_composition, load_experimental_phases
from magnetoionics.analysis.thermodynamics.references import CompoundEnergy, fit_species_energies
from magnetoionics.analysis.thermodynamics.stability_window import stability_window
from magnetoionics.structures.cells.binary_oxides import reference_phase
from magnetoionics.structures.cells.reference_salts import SALTS, salt_references

MADE_UP = Provenance(engine="made up", level_of_theory="ML")
WORDS = {"NiS2": ("S", "sulfur"), "CrN": ("N", "nitrogen"), "CoF2": ("F", "fluorine")}
CATIONS = {"NiS2": "Ni", "CrN": "Cr", "CoF2": "Co"}


def references(formula):
    """A model whose elements are at -1, -2, ... eV, so that its compounds are those plus their measured enthalpies."""
    anion = WORDS[formula][0]
    compounds, elements = [], {}
    measured = {
        p.formula: p.formation_energy_eV for p in load_experimental_phases(["Li", "Mg", CATIONS[formula], anion])
    }
    for name in [*salt_references(anion, [CATIONS[formula]]), formula]:
        atoms = formula_composition(name)
        for el in atoms:
            elements.setdefault(el, -1.0 - len(elements))
        model = sum(n * elements[el] for el, n in atoms.items()) + measured.get(name, 0.0)
        if name not in [c.formula for c in compounds]:
            made = CompoundEnergy(
                formula=name, model_energy_eV=model, formation_energy_eV=measured.get(name, 0.0), provenance=MADE_UP
            )
            compounds.append(made)
    return fit_species_energies(compounds), elements


@pytest.fixture(scope="module", params=list(WORDS))
def case(request):
    formula = request.param
    window = stability_window(formula, load_experimental_phases(formula_composition(formula)))
    fitted, elements = references(formula)
    anion = WORDS[formula][0]
    vacancy = VacancyFormation(
        label=f"V_{anion}", removed={anion: 1}, energy_difference_eV=9.0, indicative=False, note="", provenance=MADE_UP
    )
    return formula, window, fitted, elements, formation_lines([vacancy], window, fitted, n=5)


def test_the_salts_fix_the_energy_of_every_element(case):
    _, _, fitted, elements, _ = case
    assert fitted.reference_energies_eV == pytest.approx(elements, abs=1e-9)


def test_vacancy_of_the_anion_follows_its_own_potential(case):
    _, window, _, elements, lines = case
    # E_f = E_defect - E_host + e_X + dmu_X, whatever the cation does.
    expected = [9.0 + elements[window.anion] + mu for mu in lines.delta_mu_O_eV]
    assert lines.anion == window.anion
    assert lines.lines[0].low_eV == pytest.approx(expected, abs=1e-9)
    assert lines.lines[0].high_eV == pytest.approx(expected, abs=1e-9)


def test_figures_and_tables_name_the_gas(case):
    formula, window, fitted, _, lines = case
    anion, word = WORDS[formula]
    axis = plot_formation(lines, temperature_K=900.0).axes[0]
    tops = " ".join(a.get_xlabel() for a in axis.child_axes)
    assert axis.get_xlabel().startswith(f"{word} potential Δμ$_{anion}$")
    assert f"p({anion}$_2$)" in tops
    assert "O$_2$" not in tops
    assert plot_window(window).axes[0].get_xlabel() == f"{word} potential Δμ$_{anion}$ (eV)"
    table = window_table(window)
    assert [row[0].text for row in table.rows] == [f"{word}-poor", f"{word}-rich"]
    assert f"Δμ({anion}) (eV)" in table.columns
    made = ChemicalPotentialsResult(
        window=window, references=fitted, lines=lines, oxygen_gas=[], warm=warm_windows(window)
    )
    assert f"p({anion}₂) there (atm)" in warm_table(made).columns


def test_warm_edges_are_pressures_of_that_gas():
    warm = warm_windows(stability_window("CrN", load_experimental_phases(["Cr", "N"])))
    point = next(w for w in warm if w.temperature_K == 1200)
    # CrN -> Cr2N needs less than one atmosphere of N2 at 1200 K, and gives it off by itself near 1350 K.
    assert 1e-3 < point.poor_atm < 1
    assert GASES["N"].pressure_atm_for(point.poor_eV, 1200.0) == pytest.approx(point.poor_atm)


@pytest.mark.parametrize("formula", sorted(SALTS))
def test_reference_cells_are_neutral_and_have_bonds_of_their_ions(formula):
    cell = reference_phase(formula)
    shortest = min(cell.get_neighbors(cell[0], 4.0), key=lambda n: n.nn_distance).nn_distance
    radii = {"N2": (1.0, 1.2), "Fe4N": (1.8, 2.7)}.get(formula, (1.8, 3.2))
    assert sum(cell.site_properties["valence"]) == pytest.approx(0.0, abs=1e-9)
    assert radii[0] < shortest < radii[1]
    assert cell.composition.reduced_formula == formula
