"""Vacancy and neighbours: counts, a fit that separates them, and the local engine's numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from magnetoionics.analysis.defects.binding import BindingSample, VacancyBinding, fit_binding
from magnetoionics.analysis.results.calculation import Calculation
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.structures.cells.cation_order import sites_on
from magnetoionics.structures.cells.random_cells import quasi_random, random_cell
from magnetoionics.structures.cells.sqs import short_range_order
from magnetoionics.structures.defects.collinear_pairs import count_in_line
from magnetoionics.structures.defects.vacancies import near_cations
from magnetoionics.structures.host import get_host
from magnetoionics.structures.spins import total_moment, total_valence
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.flows.binding import BindingMaker, collect_binding, mixed_sites

TAG = Provenance(engine="local", level_of_theory="local")


@pytest.fixture(scope="module")
def ordered():
    return get_host("cofe2o4").structure()


@pytest.fixture(scope="module")
def places(ordered):
    """Cell, site, Co neighbours and pairs in line of every iron on B of ten random cells."""
    out = []
    for n in range(10):
        cell = random_cell(ordered, "B", n)
        for i in sites_on(cell, "B"):
            if cell[i].specie.symbol == "Fe":
                out.append((n, i, near_cations(cell, i).get("Co", 0), count_in_line(cell, i, "Co")))
    return out


def calculation(structure, energy_eV):
    return Calculation(
        name="known", structure=structure, energy_eV=energy_eV, max_force_eV_per_A=0.0, force_calls=1,
        total_moment_muB=0.0, site_moments_muB=[0.0] * len(structure), provenance=TAG,
    )  # fmt: skip


def known(places, b, c, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return [
        BindingSample(
            cell=cell, site=site, neighbours=n, collinear_pairs=p,
            energy_eV=13.0 + 0.3 * cell + b * n + c * p + noise * rng.normal(), converged=True,
        )
        for cell, site, n, p in places
    ]  # fmt: skip


def test_random_places_keep_what_a_crystal_keeps(ordered):
    made = random_cell(ordered, "B", 3)
    assert made.composition == ordered.composition
    assert total_moment(made) == total_moment(ordered)
    assert total_valence(made) == 0
    for i, (a, b) in enumerate(zip(ordered, made, strict=True)):
        assert np.allclose(a.frac_coords, b.frac_coords)
        if a.properties["sublattice"] != "B":
            assert a.specie == b.specie, i
    assert all(
        s.properties["valence"] == (2 if s.specie.symbol == "Co" else 3 if s.specie.symbol == "Fe" else -2)
        for s in made
    )
    assert [s.specie for s in random_cell(ordered, "B", 3)] == [s.specie for s in made]
    with pytest.raises(ValueError, match="one kind of ion"):
        random_cell(ordered, "A", 1)


def test_quasi_random_cells_are_nearer_to_random_than_most(ordered):
    best = np.abs(short_range_order(quasi_random(ordered, "B", "Co", 1, tries=60), "B", "Co"))
    others = [np.abs(short_range_order(random_cell(ordered, "B", s), "B", "Co")) for s in range(20)]
    assert best[0] <= np.median([o[0] for o in others])


def test_random_cells_have_the_surroundings_that_ordered_ones_lack(ordered, places):
    in_order = {near_cations(ordered, i)["Co"] for i in sites_on(ordered, "B") if ordered[i].specie.symbol == "Fe"}
    assert in_order == {4}
    counts = [n for _, _, n, _ in places]
    assert len(set(counts)) >= 5
    # 8 Co on the 15 other B sites of the cube, six neighbours
    assert np.mean(counts) == pytest.approx(6 * 8 / 15, abs=0.15)
    # equal counts with unequal pairs: without them the fit could not tell the two apart
    assert any(len({p for _, _, n, p in places if n == k}) > 1 for k in (2, 3, 4))


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_known_effects_come_back(places, b, c):
    made = fit_binding("V_Fe(B)", known(places, b, c), TAG, neighbour="Co")
    assert made.per_neighbour.value_eV == pytest.approx(b, abs=1e-9)
    assert made.per_pair.value_eV == pytest.approx(c, abs=1e-9)
    assert made.between_two.value_eV == pytest.approx(2 * b + c, abs=1e-9)
    assert made.degrees_of_freedom == len(places) - 10 - 2


def test_errors_cover_the_truth_as_often_as_they_say(places):
    inside = 0
    for seed in range(200):
        made = fit_binding("V", known(places, 0.05, -0.1, noise=0.2, seed=seed), TAG, neighbour="Co")
        inside += abs(made.per_pair.value_eV + 0.1) < made.per_pair.error_eV
    # At least the 68 per cent of one standard error: the larger of two estimates is used.
    assert 0.66 < inside / 200 < 0.90


def test_signs_need_two_standard_errors(places):
    strong = fit_binding("V", known(places, 0.1, -0.3, noise=0.05), TAG, neighbour="Co")
    assert (strong.per_neighbour.sign, strong.per_pair.sign) == (1, -1)
    weak = fit_binding("V", known(places, 0.0, 0.0, noise=0.05, seed=4), TAG, neighbour="Co")
    assert weak.per_pair.sign == 0
    assert VacancyBinding.model_validate_json(strong.model_dump_json()) == strong
    assert len(strong.to_dataframe()) == len(places)


def test_what_cannot_be_told_apart_is_refused(places):
    same = [(c, s, n, n // 2) for c, s, n, _ in places if n % 2 == 0]
    with pytest.raises(ValueError, match="vary together"):
        fit_binding("V", known(same, 0.1, 0.1), TAG, neighbour="Co")
    with pytest.raises(ValueError, match="too few"):
        fit_binding("V", known(places[:8], 0.1, 0.1), TAG, neighbour="Co")
    failed = known(places, 0.1, 0.1)
    failed[0].converged = False
    assert fit_binding("V", failed, TAG, neighbour="Co").rejected == 1
    with pytest.raises(ValueError, match="at least 3"):
        BindingMaker(engine=get_engine("local"), cells=2).make("cofe2o4")


def test_what_mixes_is_the_hosts_own():
    """The main hop's vacancy first; other spinels have their own ions, rock salt has one kind of cation."""
    found = {
        key: mixed_sites(get_host(key), get_host(key).structure()) for key in ("cofe2o4", "nife2o4", "life5o8", "coo")
    }
    assert found["cofe2o4"][0] == ("Fe", "B", "Co")
    assert found["nife2o4"][0] == ("Fe", "B", "Ni")
    assert ("Li", "B", "Fe") in found["life5o8"]
    assert found["coo"] == []
    flow = BindingMaker(engine=get_engine("local"), cells=3).make("nife2o4")
    assert dict(flow.jobs[-1].function_kwargs) == {}
    assert flow.jobs[-1].function_args[-1] == "Ni"
    with pytest.raises(ValueError, match="coo has no vacancy"):
        BindingMaker(engine=get_engine("local"), cells=3).make("coo")


def test_a_vacancy_is_measured_against_its_own_cell(ordered, places):
    """Cells that differ by 1 eV: all their vacancies cost 13 eV, and 0.1 eV less for each Co beside them."""
    whole = [calculation(ordered, -400.0 - n) for n in range(10)]
    bare = [calculation(ordered, whole[cell].energy_eV + 13.0 - 0.1 * near) for cell, _, near, _ in places]
    made = collect_binding.original("V_Fe(B)", "random", whole, [list(p) for p in places], bare, "Co")
    assert [s.energy_eV for s in made.data] == pytest.approx([13.0 - 0.1 * near for _, _, near, _ in places])
    assert made.per_neighbour.value_eV == pytest.approx(-0.1)


@pytest.mark.slow
def test_local_engine_over_three_cells():
    from jobflow import run_locally

    flow = BindingMaker(engine=get_engine("local"), cells=3).make("cofe2o4")
    made = run_locally(flow, log=False)[flow.jobs[-1].uuid][1].output
    assert made.samples + made.rejected == 24
    assert made.samples >= 20
    assert made.residual_eV < made.spread_eV
