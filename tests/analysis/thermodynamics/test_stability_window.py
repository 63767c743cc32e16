"""Stability windows: measured edges, exact polytope properties, pymatgen as an independent judge."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.thermodynamics import polytope
from magnetoionics.analysis.thermodynamics.phases import (
    EV_PER_KJ_PER_MOL,
    Phase,
    check_consistent,
    decomposition,
    formula_composition,
    load_experimental_phases,
)
from magnetoionics.analysis.thermodynamics.stability_window import (
    ChemicalPotentials,
    at,
    combination_bounds,
    coupled_points,
    solubility_limit,
    stability_window,
)

CFO = ("Co", "Fe", "O")


def element_bounds(window, delta_mu_O_eV):
    """Lowest and highest potential of each element at one oxygen potential."""
    return {el: combination_bounds(window, {el: 1.0}, delta_mu_O_eV) for el in window.elements}


def phase(formula, energy, **more):
    tag = Provenance(engine="test", level_of_theory="arithmetic")
    return Phase(formula=formula, formation_energy_eV=energy, source="known", **({"provenance": tag} | more))


def shifted(phases, formula, kJ):
    change = kJ * EV_PER_KJ_PER_MOL
    return [
        p.model_copy(update={"formation_energy_eV": p.formation_energy_eV + change * (p.formula == formula)})
        for p in phases
    ]


def invented_quaternary():
    """A four-element oxide with binary competitors; energies invented, the host 0.8 eV below its mixture."""
    binaries = [phase("La2O3", -18.6), phase("SrO", -6.1), phase("MnO", -4.0), phase("MnO2", -5.4)]
    binaries += [phase("Mn2O3", -9.9), phase("Mn3O4", -14.4), phase("LaMnO3", -14.8)]
    mixture, _ = decomposition({"La": 1, "Sr": 1, "Mn": 2, "O": 6}, binaries)
    return [*binaries, phase("LaSrMn2O6", mixture - 0.8)]


@pytest.fixture(scope="module")
def phases():
    return load_experimental_phases(CFO)


@pytest.fixture(scope="module")
def window(phases):
    return stability_window("CoFe2O4", phases)


@pytest.fixture(scope="module", params=["CoFe2O4", "Fe3O4", "LiFeO2", "LaSrMn2O6"])
def any_window(request):
    if request.param == "LaSrMn2O6":
        return stability_window(request.param, invented_quaternary())
    return stability_window(request.param, load_experimental_phases(["Co", "Fe", "Li", "O"]))


def test_cobalt_ferrite_window_from_measured_enthalpies(window):
    assert window.delta_mu_O_min_eV == pytest.approx(-2.62, abs=0.01)
    assert window.delta_mu_O_max_eV == pytest.approx(-1.25, abs=0.01)
    assert window.oxygen_poor.reaction == "CoFe2O4 -> Co + 2/3 Fe3O4 + 2/3 O2"
    assert window.oxygen_rich.reaction == "CoFe2O4 + 1/6 O2 -> 1/3 Co3O4 + Fe2O3"


def test_edges_by_hand(window):
    """The two reaction enthalpies per O atom, in kJ/mol; 4.34 lead from O2 at 0 to 298 K."""
    rich = ((-824.2 + -918.8 / 3 + 1088.7) * 3 + 4.343) * EV_PER_KJ_PER_MOL
    poor = ((-1088.7 + 1118.4 * 2 / 3) * 0.75 + 4.343) * EV_PER_KJ_PER_MOL
    assert window.delta_mu_O_max_eV == pytest.approx(rich, abs=1e-5)
    assert window.delta_mu_O_min_eV == pytest.approx(poor, abs=1e-5)


def test_other_cobalt_oxide_enthalpy_moves_only_the_upper_edge(window):
    other = stability_window("CoFe2O4", load_experimental_phases(CFO, alternatives=["Co3O4"]))
    assert other.delta_mu_O_max_eV == pytest.approx(-1.162, abs=1e-3)
    assert other.delta_mu_O_min_eV == pytest.approx(window.delta_mu_O_min_eV, abs=1e-9)


@pytest.mark.parametrize("kJ", [5.0, -5.0])
def test_five_kJ_in_the_host_move_the_upper_edge_by_0p16(phases, window, kJ):
    moved = stability_window("CoFe2O4", shifted(phases, "CoFe2O4", kJ))
    change = moved.delta_mu_O_max_eV - window.delta_mu_O_max_eV
    assert abs(change) == pytest.approx(0.155, abs=1e-3)
    assert change == pytest.approx(window.oxygen_rich.sensitivity["CoFe2O4"] * kJ * EV_PER_KJ_PER_MOL)


@pytest.mark.parametrize("formula", ["CoFe2O4", "Fe2O3", "Co3O4", "Fe3O4", "CoO"])
def test_sensitivities_are_the_derivatives_of_the_edges(phases, window, formula):
    step = 0.05
    moved = stability_window("CoFe2O4", shifted(phases, formula, step))
    for name in ("oxygen_poor", "oxygen_rich"):
        before, after = getattr(window, name), getattr(moved, name)
        slope = (after.delta_mu_O_eV - before.delta_mu_O_eV) / (step * EV_PER_KJ_PER_MOL)
        assert slope == pytest.approx(before.sensitivity.get(formula, 0.0), abs=1e-6)


def test_edge_errors_add_in_quadrature(window):
    unit = 5.0 * EV_PER_KJ_PER_MOL
    assert window.oxygen_rich.uncertainty_eV == pytest.approx(unit * np.sqrt(9 + 9 + (9 / 5) ** 2), rel=1e-9)
    assert window.oxygen_poor.uncertainty_eV == pytest.approx(unit * np.sqrt(0.75**2 + 0.5**2), rel=1e-9)


def test_vertices_lie_on_the_plane_and_violate_no_phase(any_window):
    for vertex, touching in zip(any_window.vertices, any_window.vertex_phases, strict=True):
        assert sum(n * vertex[el] for el, n in any_window.composition.items()) == pytest.approx(
            any_window.host_formation_energy_eV, abs=1e-9
        )
        assert_allowed(any_window, vertex)
        assert len(touching) >= len(any_window.elements) - 1
    oxygen = [v["O"] for v in any_window.vertices]
    assert min(oxygen) == pytest.approx(any_window.delta_mu_O_min_eV, abs=1e-7)
    assert max(oxygen) == pytest.approx(any_window.delta_mu_O_max_eV, abs=1e-7)


def assert_allowed(window: ChemicalPotentials, point):
    assert all(value <= 1e-7 for value in point.values())
    for other in window.phases:
        energy = sum(n * point[el] for el, n in formula_composition(other.formula).items())
        assert energy <= other.formation_energy_eV + 1e-6, other.formula


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from(["first", "second"]))
def test_points_inside_are_allowed_and_on_the_plane(any_window, depth, fraction, which):
    x = any_window.delta_mu_O_min_eV + depth * (any_window.delta_mu_O_max_eV - any_window.delta_mu_O_min_eV)
    cations = [el for el in any_window.elements if el != "O"]
    vary = cations[0] if which == "first" else cations[-1]
    point = at(any_window, x, fraction, vary=vary)
    assert point["O"] == x
    total = sum(n * point[el] for el, n in any_window.composition.items())
    assert total == pytest.approx(any_window.host_formation_energy_eV, abs=1e-7)
    assert_allowed(any_window, point)
    low, high = element_bounds(any_window, x)[vary]
    assert point[vary] == pytest.approx(low + fraction * (high - low), abs=1e-7)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.01, 1), min_size=30, max_size=30))
def test_mixtures_of_vertices_are_allowed_and_within_the_bounds(any_window, weights):
    share = np.array(weights[: len(any_window.vertices)])
    share /= share.sum()
    point = {
        el: float(sum(w * v[el] for w, v in zip(share, any_window.vertices, strict=True))) for el in any_window.elements
    }
    assert_allowed(any_window, point)
    for el, (low, high) in element_bounds(any_window, point["O"]).items():
        assert low - 1e-9 <= point[el] <= high + 1e-9


def test_dropping_half_spaces_beforehand_changes_no_vertex(any_window, monkeypatch):
    monkeypatch.setattr(polytope, "_SETS_AT_ONCE", 0)
    again = stability_window(any_window.host_formula, any_window.phases)
    assert again.vertices == any_window.vertices
    assert again.vertex_phases == any_window.vertex_phases


def test_pymatgen_finds_the_same_vertices(any_window):
    from pymatgen.analysis.chempot_diagram import ChemicalPotentialDiagram
    from pymatgen.analysis.phase_diagram import PDEntry

    entries = [PDEntry(el, 0.0) for el in any_window.elements]
    entries += [PDEntry(p.formula, p.formation_energy_eV) for p in any_window.phases]
    diagram = ChemicalPotentialDiagram(entries)
    order = [el.symbol for el in diagram.elements]
    host = next(f for f in diagram.domains if formula_composition(f) == any_window.composition)
    theirs = diagram.domains[host]
    ours = np.array([[v[el] for el in order] for v in any_window.vertices])
    for point in ours:
        assert np.min(np.max(np.abs(theirs - point), axis=1)) < 1e-5
    for point in theirs:
        assert np.min(np.max(np.abs(ours - point), axis=1)) < 1e-5


def test_bounds_agree_with_a_linear_program(any_window):
    from scipy.optimize import linprog

    elements = any_window.elements
    x = 0.3 * any_window.delta_mu_O_min_eV + 0.7 * any_window.delta_mu_O_max_eV
    rows = [[formula_composition(p.formula).get(el, 0.0) for el in elements] for p in any_window.phases[1:]]
    limits = [p.formation_energy_eV for p in any_window.phases[1:]]
    plane = [[any_window.composition[el] for el in elements], [float(el == "O") for el in elements]]
    amounts = {el: (-1.0) ** i * (i + 1) for i, el in enumerate(elements)}
    cost = np.array([amounts[el] for el in elements])
    for sense, ours in zip((1, -1), combination_bounds(any_window, amounts, x), strict=True):
        found = linprog(
            sense * cost,
            A_ub=rows,
            b_ub=limits,
            A_eq=plane,
            b_eq=[any_window.host_formation_energy_eV, x],
            bounds=(None, 0),
        )
        assert sense * found.fun == pytest.approx(ours, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.02, 0.98), st.lists(st.floats(-3, 3), min_size=4, max_size=4))
def test_coupled_points_span_the_slice(any_window, depth, weights):
    x = any_window.delta_mu_O_min_eV + depth * (any_window.delta_mu_O_max_eV - any_window.delta_mu_O_min_eV)
    points = coupled_points(any_window, x)
    kinds = len(any_window.elements)
    assert len(points) == {2: 1, 3: 2}.get(kinds, len(points))
    assert len(points) >= kinds - 1
    for point in points:
        assert point["O"] == x
        total = sum(n * point[el] for el, n in any_window.composition.items())
        assert total == pytest.approx(any_window.host_formation_energy_eV, abs=1e-7)
        assert_allowed(any_window, point)
    amounts = dict(zip(any_window.elements, weights, strict=False))
    sums = [sum(n * point[el] for el, n in amounts.items()) for point in points]
    assert (min(sums), max(sums)) == pytest.approx(combination_bounds(any_window, amounts, x), abs=1e-5)


def test_no_coupled_point_lies_between_others():
    """Dropping any corner of a quaternary slice shrinks its area."""
    from scipy.spatial import ConvexHull

    made = stability_window("LaSrMn2O6", invented_quaternary())
    middle = 0.5 * (made.delta_mu_O_min_eV + made.delta_mu_O_max_eV)
    flat = np.array([[p["La"], p["Sr"]] for p in coupled_points(made, middle)])
    area = ConvexHull(flat).volume
    for i in range(len(flat)):
        rest = np.delete(flat, i, axis=0)
        assert len(rest) < 3 or ConvexHull(rest).volume < area - 1e-9


def test_one_coupled_point_is_left_at_each_edge(window):
    for edge in (window.delta_mu_O_min_eV, window.delta_mu_O_max_eV):
        (only,) = coupled_points(window, edge)
        assert only == pytest.approx(at(window, edge), abs=1e-5)
    with pytest.raises(ValueError, match=r"outside.*-2\.622 to -1\.254 eV"):
        coupled_points(window, -0.5)
    assert coupled_points(window, -0.5, outside=True)[0]["O"] == -0.5


def test_outside_is_refused_with_range_and_reactions(window):
    with pytest.raises(ValueError, match=r"-3\.000 eV is outside.*-2\.622 to -1\.254 eV.*outside=True"):
        at(window, -3.0)
    with pytest.raises(ValueError, match="outside the window"):
        element_bounds(window, -0.5)


def test_outside_on_request_stays_on_the_plane_and_joins_the_edge(window):
    for x in (-3.2, -0.4):
        point = at(window, x, outside=True)
        assert point["O"] == x
        assert sum(n * point[el] for el, n in window.composition.items()) == pytest.approx(
            window.host_formation_energy_eV
        )
    edge = window.delta_mu_O_max_eV
    near, over = at(window, edge, outside=True), at(window, edge + 1e-6, outside=True)
    assert max(abs(near[el] - over[el]) for el in near) < 1e-5


def test_bad_requests_are_refused(window):
    with pytest.raises(ValueError, match="fraction"):
        at(window, -2.0, 1.5)
    with pytest.raises(ValueError, match="cannot vary 'Li'"):
        at(window, -2.0, vary="Li")
    with pytest.raises(ValueError, match="solubility_limit"):
        combination_bounds(window, {"Li": 1}, -2.0)
    with pytest.raises(ValueError, match="oxide"):
        stability_window("CoFe2", [])
    with pytest.raises(ValueError, match="no alternative enthalpy of Fe2O3"):
        load_experimental_phases(CFO, alternatives=["Fe2O3"])


def test_missing_host_says_what_is_missing_and_what_it_would_take():
    with pytest.raises(ValueError, match=r"no formation energy of LiFe5O8.*below -24\.498 eV.*2 Fe2O3 \+ LiFeO2"):
        stability_window("LiFe5O8", load_experimental_phases(["Li", "Fe", "O"]))


def test_added_host_opens_a_window():
    known = load_experimental_phases(["Li", "Fe", "O"])
    edge, _ = decomposition(formula_composition("LiFe5O8"), known)
    made = stability_window("LiFe5O8", [*known, phase("Li0.5Fe2.5O4", (edge - 0.2) / 2)])
    assert made.host_formula == "Li0.5Fe2.5O4"
    assert made.delta_mu_O_min_eV < made.delta_mu_O_max_eV <= 0
    assert any("weakly known enthalpies: LiFeO2" in note for note in made.left_out)
    assert any("mixed" in note for note in made.left_out)


def test_unstable_host_is_refused_with_its_decomposition():
    with pytest.raises(ValueError, match=r"FeO is unstable: 0\.079 eV.*1/4 Fe3O4.*more than 7\.7 kJ/mol deeper"):
        stability_window("FeO", load_experimental_phases(["Fe", "O"]))


def test_oxygen_gas_limits_a_host_that_nothing_else_limits():
    made = stability_window("Li2O", [phase("Li2O", -6.2)])
    assert made.delta_mu_O_max_eV == 0.0
    assert made.oxygen_rich.products == []
    assert made.oxygen_poor.reaction == "Li2O -> 2 Li + 1/2 O2"


def test_foreign_element_is_limited_by_its_first_phase(window):
    everything = load_experimental_phases(["Co", "Fe", "Li", "O"])
    point = at(window, -2.0)
    limit, by = solubility_limit("Li", everything, point)
    assert by == "LiFeO2"
    assert limit == pytest.approx((-750 + 2 * 4.343) * EV_PER_KJ_PER_MOL - point["Fe"] - 2 * point["O"], abs=1e-4)
    assert solubility_limit("Zn", everything, point) == (0.0, "Zn")


def test_window_survives_json(window):
    again = ChemicalPotentials.model_validate_json(window.model_dump_json())
    assert again.vertices == window.vertices
    assert element_bounds(again, -2.0) == element_bounds(window, -2.0)


def test_mixed_settings_are_refused():
    base = {"engine": "vasp", "level_of_theory": "VASP", "functional": "PBE", "hubbard_U_eV": {"Fe": 5.3}}
    measured = Provenance(engine="experiment", level_of_theory="experiment")
    check_consistent([Provenance(**base), Provenance(**base), measured])
    check_consistent([Provenance(**base), Provenance(**(base | {"hubbard_U_eV": {"Fe": 5.3, "O": 0.0}}))])
    for change in ({"functional": "PBEsol"}, {"functional": None}, {"hubbard_U_eV": {}}, {"engine": "gpaw"}):
        with pytest.raises(ValueError, match=f"different {next(iter(change))} "):
            check_consistent([measured, Provenance(**base), Provenance(**(base | change))])
    mixed = [
        phase("Fe3O4", -11.6, provenance=Provenance(**base)),
        phase("Fe2O3", -8.5, provenance=Provenance(**(base | {"functional": "HSE06"}))),
    ]
    with pytest.raises(ValueError, match="different functional"):
        stability_window("Fe3O4", mixed)


def test_every_potential_has_two_ends_and_what_bounds_them(any_window):
    """The ends are those of the corners, and each reaction balances and costs nothing at its end."""
    window = any_window
    assert [(e.element, e.end) for e in window.edges] == [
        (el, end) for el in window.elements for end in ("lowest", "highest")
    ]
    energies = {p.formula: p.formation_energy_eV for p in window.phases}
    for edge in window.edges:
        values = [v[edge.element] for v in window.vertices]
        extreme = min(values) if edge.end == "lowest" else max(values)
        assert edge.delta_mu_eV == pytest.approx(extreme, abs=1e-6)
        if "->" not in edge.reaction:
            assert edge.delta_mu_eV == pytest.approx(0.0, abs=1e-9)
            continue
        change: Counter[str] = Counter()
        cost = 0.0
        for sign, side in zip((-1, 1), edge.reaction.split(" -> "), strict=True):
            for part in side.split(" + "):
                number, formula = part.split() if " " in part else ("1", part)
                amount = sign * float(Fraction(number))
                cost += amount * energies.get(formula, 0.0)
                atoms = formula_composition(formula)
                if list(atoms) == [edge.element]:
                    cost += amount * atoms[edge.element] * edge.delta_mu_eV
                for el, n in atoms.items():
                    change[el] += amount * n
        assert max(abs(n) for n in change.values()) < 1e-6
        assert cost == pytest.approx(0.0, abs=1e-6)
    oxygen = window.edges[-2:]
    assert [e.reaction for e in oxygen] == [window.oxygen_poor.reaction, window.oxygen_rich.reaction]


def test_ends_of_the_cations_of_cobalt_ferrite(window):
    """By hand: Co metal ends the range of Co; Co + CoFe2O4 -> ... ends that of Fe, H(CoFe2O4) - H(Fe3O4) below zero."""
    found = {(e.element, e.end): e for e in window.edges}
    assert found["Co", "highest"].reaction == "Co forms"
    assert found["Co", "highest"].delta_mu_eV == pytest.approx(0.0, abs=1e-9)
    iron = found["Fe", "highest"]
    assert iron.reaction == "CoFe2O4 + Fe -> Co + Fe3O4"
    assert iron.delta_mu_eV == pytest.approx((-1118.4 + 1088.7) / 96.485, abs=1e-3)
    assert iron.uncertainty_eV == pytest.approx(np.hypot(5.0, 5.0) / 96.485, abs=1e-3)
    table = window.to_dataframe()
    assert list(table.columns) == ["element", "end", "delta_mu_eV", "uncertainty_eV", "reaction"]
    assert len(table) == 6


def test_magnesium_ferrite_is_stable_up_to_the_potential_of_air():
    """Its edge by hand: a third of the enthalpy from MgO, iron and O2, which takes 4.34 kJ per O to 0 K."""
    found = stability_window("MgFe2O4", load_experimental_phases(["Mg", "Fe", "O"]))
    assert found.oxygen_poor.reaction == "MgFe2O4 -> 2 Fe + MgO + 3/2 O2"
    poor = ((-1442.3 + 601.6) / 3 + 4.343) * EV_PER_KJ_PER_MOL
    assert found.delta_mu_O_min_eV == pytest.approx(poor, abs=1e-4)
    assert found.delta_mu_O_max_eV == 0
