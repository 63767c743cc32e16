"""Formation energies: exact slopes, refusals, joint ordering, and reference energies that come back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from magnetoionics.analysis.defects.formation import (
    CompoundEnergy,
    FormationLines,
    VacancyFormation,
    composition_after,
    fit_species_energies,
    formation_bounds,
    formation_energy_eV,
    formation_lines,
    order_at,
)
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.thermodynamics.phases import formula_composition
from magnetoionics.analysis.thermodynamics.references import ReferenceEnergies
from magnetoionics.analysis.thermodynamics.stability_window import (
    at,
    combination_bounds,
    load_experimental_phases,
    stability_window,
)
from magnetoionics.analysis.thermodynamics.window_errors import combination_errors
from pydantic import ValidationError

REFERENCES_eV = {"Co": -7.0, "Fe": -8.3, "O": -4.9}
OXIDES = ["CoO", "Co3O4", "FeO", "Fe2O3", "Fe3O4", "CoFe2O4"]


def tag(**change):
    base = {"engine": "vasp", "level_of_theory": "VASP", "functional": "PBE", "hubbard_U_eV": {"Co": 3.32, "Fe": 5.3}}
    return Provenance(**(base | change))


REFERENCES = ReferenceEnergies(REFERENCES_eV, provenance=tag())


def vacancy(label, removed, energy, **more):
    return VacancyFormation(label=label, removed=removed, energy_difference_eV=energy, **({"provenance": tag()} | more))


def known(formulas, energies=None, offset=0.0):
    """Compounds whose model energies follow from known element energies, one of them off by `offset`."""
    energies = energies or REFERENCES
    measured = {f: -2.0 - 0.1 * i for i, f in enumerate(formulas)}
    return [
        CompoundEnergy(
            formula=f,
            model_energy_eV=measured[f]
            + sum(n * energies[el] for el, n in formula_composition(f).items())
            + (offset if i == 0 else 0.0),
            formation_energy_eV=measured[f],
        )
        for i, f in enumerate(formulas)
    ]


@pytest.fixture(scope="module")
def window():
    return stability_window("CoFe2O4", load_experimental_phases(["Co", "Fe", "O"]))


@pytest.fixture(scope="module")
def defects():
    return [
        vacancy("V_Fe(B)", {"Fe": 1}, 13.0),
        vacancy("V_Fe(A)", {"Fe": 1}, 14.2),
        vacancy("V_Co(B)", {"Co": 1}, 10.5),
        vacancy("V_O", {"O": 1}, 9.0),
    ]


def test_removing_one_iron_from_the_cube_gives_the_films_ratio():
    left = composition_after("Co8Fe16O32", {"Fe": 1})
    assert left == {"Co": 8.0, "Fe": 15.0, "O": 32.0}
    assert left["Fe"] / left["Co"] == 1.875
    assert composition_after({"Fe": 1.0, "O": 1.0}, {"Fe": 1, "Li": -1}) == {"O": 1.0, "Li": 1.0}
    with pytest.raises(ValueError, match="too few Fe"):
        composition_after("CoFe2O4", {"Fe": 3})


@settings(max_examples=50, deadline=None)
@given(st.floats(-20, 20), st.floats(-4, 0), st.integers(-3, 3), st.floats(0, 2))
def test_formation_energy_is_the_sum_of_its_terms(energy, potential, charge, fermi):
    value = formation_energy_eV(
        energy,
        {"Fe": 1, "Co": -1},
        REFERENCES,
        {"Fe": potential, "Co": -1.0},
        charge=charge,
        fermi_eV=fermi,
        vbm_eV=3.0,
        correction_eV=0.4,
    )
    assert value == pytest.approx(energy - 8.3 + potential + 7.0 + 1.0 + charge * (fermi + 3.0) + 0.4)


def test_missing_energies_are_named():
    with pytest.raises(ValueError, match="no reference energy for Li"):
        formation_energy_eV(1.0, {"Li": 1}, REFERENCES, {"Li": -1.0})
    with pytest.raises(ValueError, match="no chemical potential for Fe"):
        formation_energy_eV(1.0, {"Fe": 1}, REFERENCES, {"O": -1.0})


def test_charged_defect_without_correction_is_refused():
    with pytest.raises(ValidationError, match="needs vbm_eV and correction_eV"):
        vacancy("V_Fe'''", {"Fe": 1}, 13.0, charge=-3)
    vacancy("V_Fe'''", {"Fe": 1}, 13.0, charge=-3, vbm_eV=3.0, correction_eV=2.2)


def test_charge_tilts_the_line_against_the_fermi_level(window):
    charged = vacancy("V_Fe'''", {"Fe": 1}, 13.0, charge=-3, vbm_eV=3.0, correction_eV=2.2)
    low = formation_bounds(charged, window, REFERENCES, -2.0, fermi_eV=0.0)
    high = formation_bounds(charged, window, REFERENCES, -2.0, fermi_eV=1.0)
    assert np.subtract(high, low) == pytest.approx([-3.0, -3.0])
    # Three electrons from the valence band maximum at 3.0 eV, and the correction.
    neutral = formation_bounds(vacancy("V_Fe", {"Fe": 1}, 13.0), window, REFERENCES, -2.0)
    assert np.subtract(low, neutral) == pytest.approx([-3 * 3.0 + 2.2] * 2)


def test_oxygen_vacancy_rises_with_slope_one(window, defects):
    line = next(x for x in formation_lines(defects, window, REFERENCES).lines if x.label == "V_O")
    grid = np.linspace(window.delta_mu_O_min_eV, window.delta_mu_O_max_eV, 101)
    for values in (line.low_eV, line.mid_eV, line.high_eV):
        assert np.diff(values) / np.diff(grid) == pytest.approx(1.0, abs=1e-9)
    assert line.mid_eV[0] == pytest.approx(9.0 - 4.9 + window.delta_mu_O_min_eV)


def test_iron_vacancy_follows_the_phases_that_bound_iron(window, defects):
    """Fe-rich side: Fe3O4 (slope -4/3), then Fe2O3 (-3/2). Fe-poor: Co (-2), CoO (-3/2), Co3O4 (-4/3)."""
    grid = np.linspace(window.delta_mu_O_min_eV, window.delta_mu_O_max_eV, 4001)
    line = formation_lines(defects[:1], window, REFERENCES, delta_mu_O_eV=list(grid)).lines[0]
    high, low = (np.diff(v) / np.diff(grid) for v in (line.high_eV, line.low_eV))
    magnetite_to_hematite, metal_to_monoxide, monoxide_to_spinel = -2.39888, -2.42065, -2.08071
    left, right = grid[:-1], grid[1:]
    assert high[right < magnetite_to_hematite] == pytest.approx(-4 / 3, abs=1e-6)
    assert high[left > magnetite_to_hematite] == pytest.approx(-3 / 2, abs=1e-6)
    # host plane with dmu_Co = 0, with CoO, with Co3O4: 2 dmu_Fe = dH - dmu_Co - 4 dmu_O
    assert low[right < metal_to_monoxide] == pytest.approx(-2.0, abs=1e-6)
    assert low[(left > metal_to_monoxide) & (right < monoxide_to_spinel)] == pytest.approx(-3 / 2, abs=1e-6)
    assert low[left > monoxide_to_spinel] == pytest.approx(-4 / 3, abs=1e-6)


def test_band_closes_at_the_edges_and_the_middle_is_an_allowed_point(window, defects):
    made = formation_lines(defects, window, REFERENCES, n=11)
    for line in made.lines:
        assert line.high_eV[0] - line.low_eV[0] == pytest.approx(0.0, abs=1e-6)
        assert line.high_eV[-1] - line.low_eV[-1] == pytest.approx(0.0, abs=1e-6)
    point = at(window, made.delta_mu_O_eV[5], 0.5)
    assert made.lines[0].mid_eV[5] == pytest.approx(13.0 - 8.3 + point["Fe"])


def test_outside_is_refused_unless_asked_and_then_marked(window, defects):
    with pytest.raises(ValueError, match="outside the window"):
        formation_lines(defects, window, REFERENCES, delta_mu_O_eV=[-2.0, -0.2])
    made = formation_lines(defects, window, REFERENCES, delta_mu_O_eV=[-2.0, -0.2], outside=True)
    assert made.inside == [True, False]
    with pytest.raises(ValueError, match="outside the window"):
        order_at(defects, window, REFERENCES, -0.2)


def test_mixed_functionals_are_refused(window, defects):
    other = vacancy("V_O", {"O": 1}, 9.0, provenance=tag(functional="PBEsol"))
    with pytest.raises(ValueError, match="different functional"):
        formation_lines([*defects, other], window, REFERENCES)
    with pytest.raises(ValueError, match="different functional"):
        order_at([*defects, other], window, REFERENCES, -2.0)
    with pytest.raises(ValueError, match="different hubbard_U_eV"):
        formation_lines(
            [defects[0], vacancy("V_O", {"O": 1}, 9.0, provenance=tag(hubbard_U_eV={}))],
            window,
            ReferenceEnergies({}, provenance=tag()),
        )
    fit = fit_species_energies([c.model_copy(update={"provenance": tag(engine="local")}) for c in known(OXIDES)])
    with pytest.raises(ValueError, match="different engine"):
        formation_lines(defects, window, fit)
    with pytest.raises(ValueError, match="no defects"):
        formation_lines([], window, REFERENCES)


def test_dataframe_and_json_hold_every_point(window, defects):
    made = formation_lines(defects, window, REFERENCES, n=7)
    table = made.to_dataframe()
    assert len(table) == 28
    assert set(table["label"]) == {d.label for d in defects}
    assert (table["low_eV"] <= table["high_eV"] + 1e-12).all()
    assert FormationLines.model_validate_json(made.model_dump_json()) == made


def test_order_bounds_differences_jointly(window, defects):
    ranked = order_at(defects, window, REFERENCES, -2.0)
    assert [r.energy_eV for r in ranked] == sorted(r.energy_eV for r in ranked)
    assert ranked[0].decided
    assert (ranked[0].above_first_low_eV, ranked[0].above_first_high_eV) == (0.0, 0.0)
    by_label = {r.label: r for r in ranked}
    assert ranked[0].label == "V_O"
    for fraction in (0.0, 0.3, 1.0):
        point = at(window, -2.0, fraction)
        iron = formation_energy_eV(13.0, {"Fe": 1}, REFERENCES, point)
        oxygen = formation_energy_eV(9.0, {"O": 1}, REFERENCES, point)
        entry = by_label["V_Fe(B)"]
        assert entry.above_first_low_eV - 1e-9 <= iron - oxygen <= entry.above_first_high_eV + 1e-9


def test_order_is_decided_only_beyond_the_error_bar(window):
    fit = fit_species_energies(known(OXIDES, offset=1.0))
    like = [vacancy("V_Fe(B)", {"Fe": 1}, 13.0), vacancy("V_Fe(A)", {"Fe": 1}, 13.01)]
    ranked = order_at(like, window, fit, -2.0)
    assert ranked[1].error_bar_eV == 0.0
    assert ranked[1].above_first_low_eV == pytest.approx(0.01)
    assert ranked[1].decided
    unlike = order_at([like[0], vacancy("V_Co(B)", {"Co": 1}, 10.9)], window, fit, -2.0)
    apart = fit.error_eV({"Co": 1, "Fe": -1})
    # The fit's part with the errors of the enthalpies between which the difference of the potentials lies.
    assert apart < unlike[1].error_bar_eV < np.hypot(apart, 0.4)
    assert 0 < unlike[1].above_first_low_eV < unlike[1].error_bar_eV
    assert not unlike[1].decided


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-60, 60), min_size=3, max_size=3))
def test_fit_recovers_known_energies(values):
    truth = dict(zip(("Co", "Fe", "O"), values, strict=True))
    fit = fit_species_energies(known(OXIDES, truth))
    assert fit.reference_energies_eV == pytest.approx(truth, abs=1e-8)
    assert fit.rms_eV < 1e-8
    assert (fit.compounds, fit.rank, fit.degrees_of_freedom) == (6, 3, 3)


def test_fit_reports_what_it_misses():
    fit = fit_species_energies(known(OXIDES, offset=1.0))
    assert fit.indicative
    residuals = np.array(list(fit.residuals_eV.values()))
    assert fit.rms_eV == pytest.approx(np.sqrt(np.mean(residuals**2)))
    assert fit.error_bar_eV == pytest.approx(np.sqrt(np.sum(residuals**2) / 3))
    for made in known(OXIDES, offset=1.0):
        atoms = formula_composition(made.formula)
        model = made.model_energy_eV - sum(n * fit.reference_energies_eV[el] for el, n in atoms.items())
        assert model - made.formation_energy_eV == pytest.approx(fit.residuals_eV[made.formula])
    # the normal equations of equal weight per atom
    for el in ("Co", "Fe", "O"):
        sizes = {f: formula_composition(f) for f in OXIDES}
        moment = sum(fit.residuals_eV[f] * atoms.get(el, 0.0) / sum(atoms.values()) ** 2 for f, atoms in sizes.items())
        assert moment == pytest.approx(0.0, abs=1e-9)


def test_fit_does_not_depend_on_how_large_a_formula_unit_is_written():
    once = known(OXIDES, offset=0.7)
    doubled = [
        CompoundEnergy(formula=f"({c.formula})2", model_energy_eV=2 * c.model_energy_eV,
                       formation_energy_eV=2 * c.formation_energy_eV)
        if c.formula == "Fe2O3" else c
        for c in once
    ]  # fmt: skip
    first, second = fit_species_energies(once), fit_species_energies(doubled)
    assert first.reference_energies_eV == pytest.approx(second.reference_energies_eV, abs=1e-9)


def test_fit_without_freedom_has_no_error_bar(window):
    fit = fit_species_energies(known(["CoO", "Fe2O3", "Fe3O4"]))
    assert fit.degrees_of_freedom == 0
    assert fit.error_bar_eV is None
    assert "zero by construction" in fit.note
    ranked = order_at([vacancy("a", {"Fe": 1}, 0.0), vacancy("b", {"O": 1}, 99.0)], window, fit, -2.0)
    assert not ranked[1].decided


# Residuals of the embedded engine's four oxides of Co and Fe, eV per formula unit; one degree of freedom is left.
RIGID_IONS_eV = {"CoO": -0.110518, "Co3O4": 0.451281, "Fe2O3": -0.690737, "Fe3O4": 0.902562}


def rigid_ion_fit():
    made = [
        CompoundEnergy(
            formula=f,
            model_energy_eV=r + sum(n * REFERENCES[el] for el, n in formula_composition(f).items()),
            formation_energy_eV=0.0,
        )
        for f, r in RIGID_IONS_eV.items()
    ]
    return fit_species_energies(made)


def test_errors_of_single_energies_follow_from_the_covariance_of_the_fit():
    """One residual per formula unit (1.23 eV) for all of them was too small by two, and too large for a difference."""
    fit = rigid_ion_fit()
    assert fit.error_bar_eV == pytest.approx(1.228, abs=1e-3)
    assert fit.error_eV({"Fe": 1}) == pytest.approx(2.48, abs=0.01)
    assert fit.error_eV({"Co": 1}) == pytest.approx(2.01, abs=0.01)
    assert fit.error_eV({"O": 1}) == pytest.approx(1.74, abs=0.01)
    assert fit.error_eV({"Co": 1, "Fe": -1}) == pytest.approx(0.67, abs=0.01)
    assert fit.error_eV({"Fe": 1, "Co": 0}) == fit.error_eV({"Fe": 1})
    assert fit.error_eV({"Fe": 0}) == 0.0


def test_covariance_is_that_of_many_draws():
    """Noise of one size per atom in the compounds, fitted again and again."""
    rng, sigma = np.random.default_rng(5), 0.2
    tables = [formula_composition(f) for f in OXIDES]
    sizes = np.array([sum(t.values()) for t in tables])
    drawn, said = [], []
    for _ in range(400):
        noise = sigma * sizes * rng.normal(size=len(OXIDES))
        made = [
            c.model_copy(update={"model_energy_eV": c.model_energy_eV + x})
            for c, x in zip(known(OXIDES), noise, strict=True)
        ]
        fit = fit_species_energies(made)
        drawn.append([fit.reference_energies_eV[el] for el in ("Co", "Fe", "O")])
        said.append(fit.covariance_eV2)
    assert np.mean(said, axis=0) == pytest.approx(np.cov(np.array(drawn).T), rel=0.25, abs=0.01)


def test_held_references_give_the_host_exactly_and_are_the_constrained_least_squares():
    from scipy.optimize import minimize

    fit, host = rigid_ion_fit(), "CoFe2O4"
    held = fit.held_to(host, -40.0, -11.0)
    atoms = formula_composition(host)
    assert sum(n * held.reference_energies_eV[el] for el, n in atoms.items()) == pytest.approx(-29.0, abs=1e-9)
    assert held.error_eV(atoms) == pytest.approx(0.0, abs=1e-6)
    assert held.error_eV({"Fe": 1}) < fit.error_eV({"Fe": 1})
    assert held.exact == host
    tables = {f: formula_composition(f) for f in RIGID_IONS_eV}
    target = {f: r + sum(n * REFERENCES[el] for el, n in tables[f].items()) for f, r in RIGID_IONS_eV.items()}

    def squares(x):
        e = dict(zip(("Co", "Fe", "O"), x, strict=True))
        return sum(
            ((target[f] - sum(n * e[el] for el, n in t.items())) / sum(t.values())) ** 2 for f, t in tables.items()
        )

    rule = {"type": "eq", "fun": lambda x: x[0] + 2 * x[1] + 4 * x[2] + 29.0}
    start = [held.reference_energies_eV[el] + 0.1 for el in ("Co", "Fe", "O")]
    best = minimize(squares, start, constraints=[rule], method="SLSQP", options={"ftol": 1e-14})
    assert best.x == pytest.approx([held.reference_energies_eV[el] for el in ("Co", "Fe", "O")], abs=1e-3)
    with pytest.raises(ValueError, match="no reference energy for Li"):
        fit.held_to("LiFeO2", 0.0, 0.0)


def test_what_a_fit_without_freedom_misses_of_the_host_gives_its_errors():
    """FeO and Fe2O3 fix Fe and O; magnetite held exactly leaves one degree of freedom: drawn again and again."""
    oxides, host, miss = ("FeO", "Fe2O3"), "Fe3O4", 4.87
    fit = fit_species_energies(known(oxides))
    atoms = formula_composition(host)
    exact = sum(n * fit.reference_energies_eV[el] for el, n in atoms.items()) - 11.0 + miss
    held = fit.held_to(host, exact, -11.0)
    assert fit.error_eV({"Fe": 1}) is None
    tables = [formula_composition(f) for f in oxides]
    shares = np.array([[t.get(el, 0.0) for el in ("Fe", "O")] for t in tables])
    shares = shares / shares.sum(axis=1)[:, None]
    n = np.array([atoms[el] for el in ("Fe", "O")])
    matrix = np.block([[2 * shares.T @ shares, n[:, None]], [n[None, :], np.zeros((1, 1))]])
    target = shares @ [fit.reference_energies_eV[el] for el in ("Fe", "O")]

    def constrained(values):
        return np.linalg.solve(matrix, [*(2 * shares.T @ values), exact + 11.0])[:2]

    best = constrained(target)
    assert [held.reference_energies_eV[el] for el in ("Fe", "O")] == pytest.approx(best, abs=1e-9)
    sigma = float(np.linalg.norm(target - shares @ best))
    rng = np.random.default_rng(7)
    drawn = np.array([constrained(target + sigma * rng.normal(size=2)) for _ in range(4000)])
    assert held.error_eV({"Fe": 1}) == pytest.approx(np.std(drawn[:, 0]), rel=0.05)
    assert held.error_eV({"Fe": 1, "O": -1}) == pytest.approx(np.std(drawn[:, 0] - drawn[:, 1]), rel=0.05)
    assert held.error_eV(atoms) == pytest.approx(0.0, abs=1e-6)
    # A host that is itself one of the fitted compounds misses nothing, which says nothing.
    assert fit.held_to("Fe2O3", -30.0, -8.0).error_eV({"Fe": 1}) is None


def test_references_without_a_covariance_keep_their_one_error():
    old = rigid_ion_fit().model_copy(update={"covariance_eV2": None})
    assert old.error_eV({"Fe": 1}) == old.error_bar_eV
    held = old.held_to("CoFe2O4", -40.0, -11.0)
    assert held.covariance_eV2 is None
    assert sum(n * held.reference_energies_eV[el] for el, n in formula_composition("CoFe2O4").items()) == pytest.approx(
        -29
    )


def test_window_errors_are_those_of_shifted_enthalpies(window):
    """Each enthalpy moved by its own error, the bounds moved with it: added in quadrature, the same number."""
    phases = load_experimental_phases(["Co", "Fe", "O"])
    amounts, mu = {"Fe": 1.0, "Co": -1.0}, -2.0
    base = combination_bounds(window, amounts, mu)
    moved = []
    for i, p in enumerate(phases):
        other = list(phases)
        step = 0.01 * p.uncertainty_eV
        other[i] = p.model_copy(update={"formation_energy_eV": p.formation_energy_eV + step})
        change = np.subtract(combination_bounds(stability_window("CoFe2O4", other), amounts, mu), base)
        moved.append(change / 0.01)
    assert combination_errors(window, amounts, mu) == pytest.approx(np.linalg.norm(moved, axis=0), rel=1e-3)
    assert combination_errors(window, {"O": 1.0}, mu) == pytest.approx((0.0, 0.0))


def test_plain_references_are_refused_and_named_ones_pass_the_guards(window, defects):
    with pytest.raises(ValueError, match="reference energies need their provenance"):
        formation_lines(defects, window, dict(REFERENCES))
    other = ReferenceEnergies(REFERENCES, provenance=tag(hubbard_U_eV={"Fe": 4.0}))
    with pytest.raises(ValueError, match="different hubbard_U_eV"):
        formation_lines(defects, window, other)
    corrected = ReferenceEnergies(REFERENCES, provenance=tag(settings={"correction_scheme": "MP2020"}))
    with pytest.raises(ValueError, match="corrected by none and by MP2020"):
        order_at(defects, window, corrected, -2.0)


def test_size_errors_enter_and_cancel_between_like_defects(window):
    like = [
        vacancy("V_Fe(B)", {"Fe": 1}, 13.0, correction_eV=1.0, size_error_eV=0.3),
        vacancy("V_Fe(A)", {"Fe": 1}, 13.5, correction_eV=1.0, size_error_eV=0.3),
        vacancy("V_Co(B)", {"Co": 1}, 10.0, correction_eV=0.5, size_error_eV=0.4),
    ]
    bare = [d.model_copy(update={"correction_eV": None, "size_error_eV": 0.0}) for d in like]
    lines = formation_lines(like, window, REFERENCES, n=3).lines
    plain = formation_lines(bare, window, REFERENCES, n=3).lines
    assert np.subtract(lines[0].mid_eV, plain[0].mid_eV) == pytest.approx(1.0)
    assert lines[0].error_bar_eV == pytest.approx(np.hypot(plain[0].error_bar_eV, 0.3))
    ranked = {r.label: r for r in order_at(like, window, REFERENCES, -2.0)}
    first = order_at(like, window, REFERENCES, -2.0)[0].label
    assert first == "V_Co(B)"
    assert ranked["V_Fe(B)"].error_bar_eV > 0.5
    only_iron = order_at(like[:2], window, REFERENCES, -2.0)
    assert only_iron[1].error_bar_eV == 0.0


def test_undetermined_elements_are_named():
    with pytest.raises(ValueError, match="undetermined: Co, O"):
        fit_species_energies(known(["CoO"]))
    with pytest.raises(ValueError, match=r"undetermined: Co, Fe, O\."):
        fit_species_energies(known(["CoO", "Fe2O3"]))
    with pytest.raises(ValueError, match=r"undetermined: Co, Li\."):
        fit_species_energies(known(["Fe2O3", "Fe3O4", "LiCoO2"], REFERENCES | {"Li": -2.0}))
    with pytest.raises(ValueError, match="repeated: CoO"):
        fit_species_energies(known(["CoO", "Fe2O3"]) + known(["CoO"]))
    with pytest.raises(ValueError, match="no compounds"):
        fit_species_energies([])


def test_fitted_lines_are_indicative_with_an_error_bar(window):
    fit = fit_species_energies(known(OXIDES, offset=0.5))
    line = formation_lines([vacancy("V_Fe(B)", {"Fe": 1}, 13.0)], window, fit, n=3).lines[0]
    assert line.indicative
    assert fit.error_eV({"Fe": 1}) < line.error_bar_eV < np.hypot(fit.error_eV({"Fe": 1}), 0.4)
