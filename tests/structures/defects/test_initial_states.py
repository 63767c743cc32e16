"""Starts of a vacancy, the compensation found in its moments, and Neel counts of lithium ferrite."""

import numpy as np
import pytest
from magnetoionics.analysis.defects.vacancies import VacancySet
from magnetoionics.analysis.magnetism.oxidation_states import changed_ions, compensation_text, site_moments
from magnetoionics.analysis.report.page import report_html
from magnetoionics.analysis.results.calculation import Calculation, Check, InvalidResultError, invalid_because
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.hpc.local.store import open_store
from magnetoionics.structures.defects.charge_compensation import compensations
from magnetoionics.structures.defects.initial_states import (
    START_KINDS,
    DefectStart,
    start_kinds,
    start_labels,
    started,
)
from magnetoionics.structures.defects.vacancies import distinct_vacancies, remove_site
from magnetoionics.structures.host import get_host
from magnetoionics.structures.spins import total_moment, total_valence
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.flows.study import MagnetoionicStudyMaker
from magnetoionics.workflows.flows.vacancies import VacancyFormationMaker, collect_vacancies
from matplotlib import pyplot as plt

TAG = Provenance(engine="vasp", level_of_theory="VASP", functional="PBE")


@pytest.fixture(scope="module")
def cobalt():
    cell = get_host("cofe2o4").structure()
    return cell, distinct_vacancies(cell, "Fe", "B")[0]


@pytest.fixture(scope="module")
def lithium():
    return get_host("life5o8").structure()


def test_every_neutral_compensation_is_a_start(cobalt):
    cell, site = cobalt
    labels = [s.label for s in start_labels(cell, site.index)]
    assert labels[:2] == ["as built", "rattled"]
    assert {"3 Co3+(B) low spin", "3 Co3+(B) high spin", "3 Fe4+(B)"} <= set(labels)
    assert len(labels) == len(set(labels))
    with pytest.raises(ValueError, match="unknown start 'shaken'"):
        start_labels(cell, site.index, ("shaken",))


def test_starts_are_neutral_have_their_totals_and_hold_their_charge(cobalt):
    cell, site = cobalt
    # Those with distorted bonds need ShakeNBreak.
    kinds = tuple(kind for kind in START_KINDS if kind != "distorted")
    for start in start_labels(cell, site.index, kinds):
        made = started(cell, site.index, start)
        assert len(made) == 55
        if start.kind != "localised":
            continue
        assert total_valence(made) == 0
        mode = next(m for m in compensations(cell, site.index) if m.charge_e == 0 and m.label == start.label)
        assert total_moment(made) == mode.total_moment_muB
        plain = remove_site(cell, site.index)
        moved = np.linalg.norm(made.cart_coords - plain.cart_coords, axis=1)
        changed = [i for i in range(55) if made[i].properties["valence"] != plain[i].properties["valence"]]
        assert len(changed) == 3
        # The nearest of their kind to the vacancy.
        away = cell.lattice.get_all_distances(cell[site.index].frac_coords, plain.frac_coords)[0]
        kind = plain[changed[0]].specie.symbol, plain[changed[0]].properties["sublattice"]
        alike = [i for i in range(55) if (plain[i].specie.symbol, plain[i].properties["sublattice"]) == kind]
        if len(alike) > 3 and set(changed) <= set(alike):
            assert max(away[changed]) <= min(away[[i for i in alike if i not in changed]]) + 1e-3
        # Shorter bonds about the ions that lost an electron, and cations where they were.
        for i in changed:
            bonds = [n.nn_distance for n in made.get_neighbors(made[i], 2.6) if n.specie.symbol == "O"]
            before = [n.nn_distance for n in plain.get_neighbors(plain[i], 2.6) if n.specie.symbol == "O"]
            assert np.mean(bonds) < np.mean(before)
        assert max(m for m, s in zip(moved, made, strict=True) if s.specie.symbol != "O") < 1e-12
        assert 0 < moved.max() < 0.3


def test_an_oxygen_vacancy_starts_with_longer_bonds_about_its_electrons(cobalt):
    cell, _ = cobalt
    site = distinct_vacancies(cell, "O", "O")[0]
    start = next(s for s in start_labels(cell, site.index) if s.label == "2 Fe2+(B)")
    made, plain = started(cell, site.index, start), remove_site(cell, site.index)
    changed = next(i for i in range(55) if made[i].properties["valence"] != plain[i].properties["valence"])
    length = [
        np.mean([n.nn_distance for n in c.get_neighbors(c[changed], 2.6) if n.specie.symbol == "O"])
        for c in (made, plain)
    ]
    assert length[0] > length[1]


def test_rattling_breaks_the_symmetry_near_the_vacancy_only(cobalt):
    cell, site = cobalt
    plain, made = remove_site(cell, site.index), started(cell, site.index, DefectStart("rattled", "rattled"))
    moved = np.linalg.norm(made.cart_coords - plain.cart_coords, axis=1)
    away = cell.lattice.get_all_distances(cell[site.index].frac_coords, plain.frac_coords)[0]
    assert np.all(moved[away > 4.5] == 0)
    assert 0.01 < np.sqrt(np.mean(moved[away < 4.5] ** 2)) < 0.1
    again = started(cell, site.index, DefectStart("rattled", "rattled"))
    assert np.array_equal(made.cart_coords, again.cart_coords)


def as_calculated(structure, scale):
    """Moments as a calculation shows them: a share of the spin-only ones."""
    out = structure.copy()
    out.add_site_property("magmom", [scale.get(s.specie.symbol, 1.0) * s.properties["magmom"] for s in structure])
    return out


@pytest.mark.parametrize(
    ("label", "found"),
    [
        ("3 Co3+(B) low spin", "3 Co(B) -> Co3+ low spin"),
        ("3 Co3+(B) high spin", "3 Co(B) -> Co3+"),
        ("3 Fe4+(B)", "3 Fe(B) -> Fe4+"),
    ],
)
def test_the_compensation_is_found_from_scaled_moments(cobalt, label, found):
    cell, site = cobalt
    start = DefectStart(label, "localised")
    scale = {"Fe": 0.83, "Co": 0.89}
    ions = changed_ions(as_calculated(cell, scale), as_calculated(started(cell, site.index, start), scale))
    assert compensation_text(ions) == found
    assert [i.distance_A for i in ions] == sorted(i.distance_A for i in ions)
    assert changed_ions(cell, remove_site(cell, site.index)) == []
    assert compensation_text([]) == "none found"


def test_a_reversed_moment_is_called_reversed(cobalt):
    cell, site = cobalt
    made = remove_site(cell, site.index)
    iron = next(i for i, s in enumerate(made) if s.specie.symbol == "Fe")
    made[iron].properties["magmom"] *= -1
    assert compensation_text(changed_ions(cell, made)).endswith("Fe3+ reversed")
    with pytest.raises(ValueError, match="does not belong"):
        changed_ions(cell, cell)


def calculation(structure, energy, *, converged=True, valid=True, name="x"):
    checks = [Check(name="forces relaxed", passed=converged)]
    checks.append(Check(name="spin flipped", passed=valid, invalidates=True))
    return Calculation(
        name=name, structure=structure, energy_eV=energy, max_force_eV_per_A=0, force_calls=1,
        total_moment_muB=total_moment(structure), checks=checks, provenance=TAG,
    )  # fmt: skip


def test_the_lowest_usable_start_is_kept_and_all_are_shown(cobalt):
    cell, site = cobalt
    starts = [s for s in start_labels(cell, site.index) if s.label in ("as built", "3 Co3+(B) low spin", "3 Fe4+(B)")]
    cells = [started(cell, site.index, s) for s in starts]
    energies = {"as built": (-390.0, {}), "3 Co3+(B) low spin": (-391.0, {}), "3 Fe4+(B)": (-395.0, {"valid": False})}
    done = [calculation(c, energies[s.label][0], **energies[s.label][1]) for c, s in zip(cells, starts, strict=True)]
    made = collect_vacancies.original(calculation(cell, -400.0), [site], [starts], [done])
    (state,) = made.vacancies
    assert state.calculation.energy_eV == -391.0
    assert [s.label for s in state.starts] == ["3 Co3+(B) low spin", "as built", "3 Fe4+(B)"]
    assert [s.above_lowest_eV for s in state.starts] == [0.0, 1.0, -4.0]
    assert "spin flipped" in state.starts[-1].refused
    assert len(state.changed_ions) == 3
    # Neel totals of Co8Fe15O32: 24 - 5 with three moments of 3 gone
    assert state.calculation.total_moment_muB == 10
    assert VacancySet.model_validate_json(made.model_dump_json()).vacancies[0].starts == state.starts
    lost = calculation(cells[0], 0, valid=False)
    # A vacancy without a sound start is there to be looked at; its checks keep it out of every ranking.
    (refused,) = collect_vacancies.original(calculation(cell, 0.0), [site], [starts[:1]], [[lost]]).vacancies
    assert invalid_because(refused.calculation.checks) == ["spin flipped"]
    # Starts that ended with an error come as None: the others go on, and a vacancy without any is named.
    some = collect_vacancies.original(
        calculation(cell, 0.0), [site, site], [starts, starts], [[None, *done[1:]], [None] * 3]
    )
    assert [s.label for s in some.vacancies[0].starts] == [s.label for s in starts[1:]]
    assert list(some.left_out) == [site.label]
    with pytest.raises(InvalidResultError, match="no relaxation came to an end"):
        collect_vacancies.original(calculation(cell, 0.0), [site], [starts[:1]], [[None]])


def test_what_the_electrons_did_is_read_from_the_moments_found(cobalt):
    """Not from those of the start: a start may fall back, and a cell as built may find its holes by itself."""
    cell, site = cobalt
    scale = {"Fe": 0.83, "Co": 0.89}
    wanted = ("as built", "3 Co3+(B) low spin")
    starts = [s for s in start_labels(cell, site.index) if s.label in wanted]
    built, held = (started(cell, site.index, s) for s in starts)
    holes = started(cell, site.index, DefectStart("3 Fe4+(B)", "localised"))

    def found(structure, moments_from, energy):
        moments = as_calculated(moments_from, scale).site_properties["magmom"]
        return calculation(structure, energy).model_copy(update={"site_moments_muB": moments})

    host = found(cell, cell, -400.0)
    done = [found(built, holes, -391.0), found(held, built, -390.0)]
    (state,) = collect_vacancies.original(host, [site], [starts], [done]).vacancies
    assert [(s.label, s.compensation) for s in state.starts] == [
        ("as built", "3 Fe(B) -> Fe4+"),
        ("3 Co3+(B) low spin", "none found"),
    ]
    assert [ion.moment_muB for ion in state.changed_ions] == pytest.approx([0.83 * 4.0] * 3)
    sites = site_moments(host, state.calculation)
    assert len(sites) == 55
    assert sum(m.moment_muB for m in sites) == pytest.approx(sum(done[0].site_moments_muB))
    assert [m.distance_A for m in sites] == sorted(m.distance_A for m in sites)
    assert sum(m.moment_muB == pytest.approx(0.83 * 4.0) for m in sites) == 3
    # Oxidation states: three Fe4+ as suggested, all others as the host has them.
    assert sum(m.ion == "Fe4+" for m in sites) == 3
    assert {m.ion for m in sites} == {"Fe4+", "Fe3+", "Co2+", "O2-"}
    assert {m.orbital_muB for m in sites} == {None}
    turning = done[0].model_copy(update={"orbital_moments_muB": [[0.3, 0.0, 0.4]] + [[0.0, 0.0, 0.0]] * 54})
    found_orbital = [m for m in site_moments(host, turning) if m.orbital_muB]
    assert [m.orbital_muB for m in found_orbital] == pytest.approx([0.5])
    # An engine without spins hands back what the cell was built with.
    assert site_moments(calculation(cell, 0.0), calculation(built, 0.0))[-1].moment_muB in {-5, 0, 3, 5}


# Co8Fe16O32 (+24 muB) without one B iron and Li4Fe20O32 (+20 muB) without one ion: totals by Neel's count.
LITHIUM = {
    ("Li", "B"): {"none": 20, "1 Fe4+(A)": 21, "1 Fe4+(B)": 19},
    ("Fe", "B"): {"none": 15, "3 Fe4+(A)": 18, "3 Fe4+(B)": 12},
    ("Fe", "A"): {"none": 25, "3 Fe4+(A)": 28, "3 Fe4+(B)": 22},
    ("O", "O"): {"none": 20, "2 Fe2+(A)": 22, "2 Fe2+(B)": 18},
}


@pytest.mark.parametrize("kind", LITHIUM)
def test_lithium_ferrite_totals_are_neels(lithium, kind):
    assert total_moment(lithium) == 20
    for site in distinct_vacancies(lithium, *kind):
        modes = compensations(lithium, site.index)
        neutral = {m.label: m.total_moment_muB for m in modes if m.charge_e == 0}
        bare = next(m for m in modes if m.label == "none")
        assert {"none": bare.total_moment_muB, **neutral} == LITHIUM[kind]
        for start in start_labels(lithium, site.index, ("localised",)):
            assert total_moment(started(lithium, site.index, start)) == LITHIUM[kind][start.label]


@pytest.mark.slow
def test_local_engine_relaxes_the_vacancies_of_lithium_ferrite():
    from jobflow import Flow, run_locally

    engine = get_engine("local")
    bulk = engine.relax(get_host("life5o8").structure(), name="bulk", cell=True)
    flow = VacancyFormationMaker(engine=engine, repeats=(1, 1, 1)).make(bulk.output, "life5o8")
    out = run_locally(Flow([bulk, flow]), log=False)
    made = out[flow.jobs[-1].uuid][1].output
    assert made.host.total_moment_muB == pytest.approx(20)
    for v in made.vacancies:
        assert v.calculation.converged
        assert v.calculation.total_moment_muB == pytest.approx(LITHIUM[v.element, v.sublattice]["none"])
        assert [s.label for s in v.starts] == ["as built"]
        assert v.changed_ions == []
    energy = {v.label: v.calculation.energy_eV - made.host.energy_eV for v in made.vacancies}
    assert energy["V_Fe(B)"] < energy["V_Fe(A)"]


@pytest.mark.slow
def test_rigid_ions_end_in_one_state_from_a_rattled_start():
    """No electrons, so a start that only breaks the symmetry changes nothing; both are listed."""
    from jobflow import Flow, run_locally

    engine = get_engine("local")
    bulk = engine.relax(get_host("cofe2o4").structure(), name="bulk", cell=True)
    maker = VacancyFormationMaker(engine=engine, repeats=(1, 1, 1), starts=("as built", "rattled"))
    flow = maker.make(bulk.output, "cofe2o4")
    made = run_locally(Flow([bulk, flow]), log=False)[flow.jobs[-1].uuid][1].output
    for v in made.vacancies:
        assert {s.label for s in v.starts} == {"as built", "rattled"}
        assert v.starts[0].above_lowest_eV == 0.0
        assert v.starts[1].above_lowest_eV == pytest.approx(0.0, abs=0.02)


def test_kinds_of_start_are_read_from_the_command_line(capsys, tmp_path):
    assert start_kinds("localised, as_built") == ("as built", "localised")
    assert start_kinds("all") == START_KINDS
    with pytest.raises(ValueError, match="unknown start 'shaken'; starts: as_built, rattled, localised, on_anions,"):
        start_kinds("shaken")
    folder = str(tmp_path / "s")
    assert main(["run", "cofe2o4", "--quick", "--stages", "host", "--starts", "all", "--output", folder]) == 2
    assert "add vacancies to the stages" in capsys.readouterr().err
    assert main(["run", "cofe2o4", "--quick", "--starts", "all", "--output", folder]) == 2
    assert "cannot start a vacancy localised" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_a_study_shows_every_start(tmp_path):
    maker = MagnetoionicStudyMaker(
        engine=get_engine("local"), repeats=(1, 1, 1), is_quick=True, stages=["vacancies"],
        vacancies=[("Fe", "B")], starts=start_kinds("as_built,rattled"),
    )  # fmt: skip
    flow, store = maker.make("cofe2o4"), open_store(tmp_path)
    assert LocalRunner(store).run(flow).finished
    study = flow.output.resolve(store)
    (vacancy,) = study.vacancies
    assert sorted(s.label for s in vacancy.starts) == ["as built", "rattled"]
    # Rigid ions have one state: both ends agree within what the force bound leaves.
    assert [s.above_lowest_eV for s in vacancy.starts] == pytest.approx([0.0, 0.0], abs=2e-3)
    assert [m.moment_muB for m in vacancy.sites].count(5.0) + [m.moment_muB for m in vacancy.sites].count(-5.0) == 15
    assert not vacancy.moments_computed
    assert study.to_dataframe("moments")["moment_muB"].sum() == pytest.approx(vacancy.total_moment_muB)
    page = report_html(study)
    assert "Starts of each defect" in page
    assert "rattled" in page
    assert len(study.to_dataframe("starts")) == 2
    plt.close("all")
