"""Starts of charged defects: placed holes, a budget, the lowest kept, and what one charge teaches the others."""

from dataclasses import dataclass

import numpy as np
import pytest
from jobflow import job, run_locally
from magnetoionics.analysis.defects.charged_cells import ChargedCell
from magnetoionics.analysis.defects.starts import where_electrons_sit
from magnetoionics.analysis.results.calculation import Calculation
from magnetoionics.analysis.results.checks import held
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.study.reference_calculations import (
    ReferenceCalculation,
    load_start,
    reference_calculations_folder,
)
from magnetoionics.structures.defects.charge_compensation import compensated_cell, formal_charge, holders
from magnetoionics.structures.defects.difference import cell_difference
from magnetoionics.structures.defects.initial_states import (
    START_KINDS,
    defect_starts,
    distorted_neighbours,
    require_shakenbreak,
    started_cell,
)
from magnetoionics.structures.defects.kind import built_defect, distinct_defects
from magnetoionics.structures.defects.vacancies import distinct_vacancies, remove_site
from magnetoionics.structures.drafting.files import drafted_reference
from magnetoionics.structures.host import get_host
from magnetoionics.structures.layers import not_three_dimensional
from magnetoionics.structures.spins import total_moment
from magnetoionics.workflows.engines.local import LocalEngine
from magnetoionics.workflows.flows.charged_defects import ChargedVacanciesMaker
from magnetoionics.workflows.flows.vacancies import VacancyFormationMaker, budget_from
from pymatgen.core import Lattice, Structure

TAG = Provenance(engine="toy", level_of_theory="arithmetic")
DIELECTRIC = [[12.0, 0, 0], [0, 12.0, 0], [0, 0, 12.0]]
CLOSED_eV = -0.4


def toy(structure, charge):
    """An engine whose energy falls with every Co without a moment, and keeps the moments of its start."""
    moments = np.array(structure.site_properties["magmom"], dtype=float)
    cobalt = np.array([s.specie.symbol == "Co" for s in structure])
    energy = CLOSED_eV * float(np.sum(cobalt & (np.abs(moments) < 0.1)))
    done = Calculation(
        name="toy", structure=structure, energy_eV=energy, max_force_eV_per_A=0.0, force_calls=1,
        total_moment_muB=float(moments.sum()), site_moments_muB=moments.tolist(), provenance=TAG,
    )  # fmt: skip
    return ChargedCell(calculation=done, charge=charge, vbm_eV=1.0, cbm_eV=2.5)


@job
def toy_job(structure, charge):
    return toy(structure, charge)


@dataclass
class ToyEngine(LocalEngine):
    def charged(self, structure, charge, *, relax, name):
        made = toy_job(structure, charge)
        made.name = name
        return made


@pytest.fixture(scope="module")
def cell():
    return get_host("cofe2o4").structure()


def run(maker, cell, **more):
    bulk = toy(cell, 0).calculation
    flow = maker.make(bulk, "cofe2o4", **more)
    made = run_locally(flow, log=False)
    return next(o[max(o)].output for k, o in made.items() if k == flow.jobs[-1].uuid), [j.name for j in flow.jobs]


def test_every_charge_has_its_starts_and_the_good_one_is_tried_on_the_others(cell):
    maker = ChargedVacanciesMaker(
        engine=ToyEngine(), repeats=(1, 1, 1), only=[("Fe", "B")], charges=(-1, -2, -3), dielectric=DIELECTRIC,
        starts=("as built", "localised"), most_starts=4,
    )  # fmt: skip
    found, names = run(maker, cell)
    assert sum("q=-1" in n for n in names) == 4
    assert sum("q=-3" in n for n in names) == 1
    states = {s.charge: s for s in found.states}
    assert set(states) == {-1, -2, -3}
    # Two closed shells of q = -1 are lower than the one that q = -2 was given, and than the bare q = -3.
    for state in states.values():
        assert state.energy_difference_eV == pytest.approx(2 * CLOSED_eV)
        assert state.starts[0].above_lowest_eV == 0.0
        assert min(s.above_lowest_eV for s in state.starts) == 0.0
    assert states[-2].starts[0].label == "end of q=-1 2 Co3+(B) low spin"
    assert states[-1].starts[0].label == "2 Co3+(B) low spin"
    assert states[-1].starts[0].compensation == "2 Co(B) -> Co3+ low spin"
    assert states[-1].starts[-1].above_lowest_eV == pytest.approx(-2 * CLOSED_eV)
    assert len(states[-1].changed_ions) == 2
    assert len(states[-1].sites) == 55
    assert len(states[-1].starts[0].site_moments_muB) == 55
    assert sum("the cell as built ends 0.80 eV above" in note for note in found.notes) == 3
    assert not any("one electronic start" in note for note in found.notes)


def test_one_start_is_said_and_antisites_have_charges(cell):
    maker = ChargedVacanciesMaker(
        engine=ToyEngine(), repeats=(1, 1, 1), only=[("O", "O")], charges=(0, 1, 2, -1), dielectric=DIELECTRIC,
        also=["Co_Fe(A)", "Li+_i"],
    )  # fmt: skip
    found, _ = run(maker, cell)
    assert "one electronic start per charge state" in found.notes[0]
    by_label = {}
    for s in found.states:
        by_label.setdefault(s.label, []).append(s.charge)
    # Co2+ on a site of Fe3+ is -1 when ionised, Li+ between the ions +1.
    assert by_label.pop("Co_Fe(A)") == [0, -1]
    assert all(charges == [0, 1] for label, charges in by_label.items() if label.startswith("Li_i"))
    assert any(label.startswith("Li_i") for label in by_label)
    antisite = next(s for s in found.states if (s.label, s.charge) == ("Co_Fe(A)", -1))
    assert antisite.removed == {"Fe": 1, "Co": -1}
    assert antisite.multiplicity == 8
    assert antisite.corrections[0].total_eV > 0.05


@job
def unrelaxed_job(structure, charge):
    made = toy(structure, charge)
    made.calculation.checks.append(held("forces relaxed", 0.3, 0.01, unit="eV/A"))
    return made


class Unrelaxing(ToyEngine):
    """Its cells of charge +1 keep forces of 0.3 eV/Angstrom."""

    def charged(self, structure, charge, *, relax, name):
        return (unrelaxed_job if charge == 1 else toy_job)(structure, charge)


def test_a_charge_whose_forces_are_left_is_left_out_and_said(cell):
    maker = ChargedVacanciesMaker(
        engine=Unrelaxing(), repeats=(1, 1, 1), only=[("O", "O")], charges=(0, 1, 2), dielectric=DIELECTRIC
    )
    found, _ = run(maker, cell)
    assert {s.charge for s in found.states} == {0, 2}
    labels = {s.label for s in found.states}
    said = [note for note in found.notes if "is left out" in note]
    assert {note.split(" q=+1")[0] for note in said} == labels
    assert all("forces relaxed" in note for note in said)


def test_holes_of_every_charge_add_up_on_cations_and_on_oxygen(cell):
    bare = remove_site(cell, distinct_vacancies(cell, "Fe", "A")[0].index)
    centre = cell[distinct_vacancies(cell, "Fe", "A")[0].index].frac_coords
    assert formal_charge(bare) == -3
    for charge in (-2, -1, 0):
        for start in defect_starts(bare, charge, ("localised", "on anions", "mixed")):
            assert formal_charge(started_cell(bare, centre, start)) == charge
    # Neel: 24 + 5; each hole of oxygen points against the B ions that it is bonded to.
    assert total_moment(bare) == 29
    (hole,) = defect_starts(bare, 0, ("on anions",))
    assert hole.label == "3 O-(O)"
    assert total_moment(started_cell(bare, centre, hole)) == 26
    mixed = {s.label: total_moment(started_cell(bare, centre, s)) for s in defect_starts(bare, 0, ("mixed",))}
    assert mixed["2 Co3+(B) high spin + 1 O-(O)"] == 30
    assert mixed["2 Co3+(B) low spin + 1 Fe4+(A)"] == 24


def test_electrons_reduce_the_ion_that_takes_them_first():
    """In TiO2 the two electrons of a missing oxygen sit on Ti, which the table of ferrites' ions does not name."""
    rutile = get_host("tio2").structure()
    bare = remove_site(rutile, next(i for i, s in enumerate(rutile) if s.specie.symbol == "O"))
    (mode,) = holders(bare, -2)
    assert (mode.element, mode.valence, mode.moment_muB) == ("Ti", 3, 1.0)
    cobaltite = get_host("cofe2o4").structure()
    assert [m.label for m in holders(cobaltite, -1)] == ["1 Fe2+(A)", "1 Fe2+(B)"]
    # Fe3+ takes the electron before Ti4+ does.
    doped = built_defect(cobaltite, distinct_defects(cobaltite, ["Ti4+_Fe(B)"])[0])
    assert [m.label for m in holders(doped, -1)] == ["1 Fe2+(A)", "1 Fe2+(B)", "1 Ti3+(B)"]
    assert [m.element for m in holders(cobaltite, 1, anions=True)] == ["Co", "Co", "Fe", "Fe", "O"]


def test_a_budget_takes_the_first_in_the_order_of_promise(cell):
    bare = remove_site(cell, distinct_vacancies(cell, "Fe", "B")[0].index)
    every = defect_starts(bare, 0)
    assert [START_KINDS.index(s.kind) for s in every] == sorted(START_KINDS.index(s.kind) for s in every)
    assert defect_starts(bare, 0, most=3) == every[:3]
    assert [s.label for s in defect_starts(bare, -3)] == ["as built", "rattled"]
    with pytest.raises(ValueError, match="a budget of 0 starts"):
        defect_starts(bare, 0, most=0)
    assert [distorted_neighbours(n) for n in (0, -1, 2, 4, 5, 6)] == [0, 1, 2, 4, 3, 2]


@pytest.mark.parametrize(("text", "charge", "moved"), [("V_O", 0, 2), ("Co_Fe(A)", 0, 1)])
def test_bonds_are_those_of_shakenbreak(cell, text, charge, moved):
    """The nearest neighbours come nearer by the share that the start says; the rattling is there too."""
    pytest.importorskip("shakenbreak", reason="distorted bonds need shakenbreak")
    placed = distinct_defects(cell, [text])[0]
    bare, centre = built_defect(cell, placed), cell[placed.place["site"]].frac_coords
    start = next(s for s in defect_starts(bare, charge, ("distorted",)) if s.label == "bonds -40 %")
    made = started_cell(bare, centre, start)
    before, after = (c.lattice.get_all_distances(centre, c.frac_coords)[0] for c in (bare, made))
    share = after[before > 0.1] / before[before > 0.1]
    assert np.sum(share < 0.7) == moved
    assert np.all(np.abs(share[share < 0.7] - 0.6) < 0.06)
    assert np.all(share[share >= 0.7] > 0.9)
    assert made.site_properties["magmom"] == bare.site_properties["magmom"]


def test_distorted_starts_say_what_they_need(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"magnetoionics\[distortions\]"):
        require_shakenbreak()


def test_a_hole_on_no_one_ion_is_said(cell):
    """Of three holes two sit on Co; the third is in no moment, and that of oxygen is named."""
    site = distinct_vacancies(cell, "Fe", "B")[0]
    bare, centre = remove_site(cell, site.index), cell[site.index].frac_coords
    host = toy(cell, 0).calculation
    two = compensated_cell(bare, centre, [holders(bare, 2)[0]])
    assert where_electrons_sit(host, toy(two, 0).calculation)[1] == "2 Co(B) -> Co3+ low spin, 1 hole on no one ion"
    assert where_electrons_sit(host, toy(two, -1).calculation, -1)[1] == "2 Co(B) -> Co3+ low spin"
    oxygen = compensated_cell(bare, centre, [holders(bare, 1, anions=True)[-1]])
    assert where_electrons_sit(host, toy(oxygen, -2).calculation, -2)[1] == "1 O(O) -> O-"


def test_both_known_states_of_an_iron_vacancy_on_a_are_among_its_starts():
    """PBE+U of 28 atoms has states of V_Fe(A) with totals 14 and 18 muB; the kept calculation is the latter."""
    perfect, bare = load_start("host28").structure, load_start("vfea28").structure
    centre = cell_difference(perfect, bare).changes[0].position
    totals = {
        s.label: total_moment(started_cell(bare, centre, s))
        for s in defect_starts(bare, 0, ("as built", "localised", "on anions", "mixed"))
    }
    assert totals["as built"] == 17
    assert totals["3 O-(O)"] == totals["3 Fe4+(B)"] == 14
    assert totals["2 Co3+(B) high spin + 1 O-(O)"] == 18
    host, iron, cobalt = (
        ReferenceCalculation.model_validate_json(
            (reference_calculations_folder() / f"{name}28-pw500-k221.json").read_text()
        ).calculation
        for name in ("host", "vfea", "vfeb")
    )
    assert iron.total_moment_muB == pytest.approx(18, abs=0.05)
    assert where_electrons_sit(host, iron)[1] == "2 Co(B) -> Co3+, 1 hole on no one ion"
    assert where_electrons_sit(host, cobalt)[1] == "3 Co(B) -> Co3+"


OXYFLUORIDE = Structure(
    Lattice.tetragonal(4.65, 3.05),
    ["Fe", "Fe", "O", "O", "F", "F"],
    [[0, 0, 0], [0.5, 0.5, 0.5], [0.305, 0.305, 0], [0.805, 0.195, 0.5], [0.695, 0.695, 0], [0.195, 0.805, 0.5]],
)
SULFIDE = Structure.from_spacegroup(
    "P6_3/mmc", Lattice.hexagonal(3.45, 5.75), ["Fe", "S"], [[0, 0, 0], [1 / 3, 2 / 3, 0.25]]
)


def layer(height_A):
    half = 1.565 / height_A
    places = [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.5 + half], [2 / 3, 1 / 3, 0.5 - half]]
    return Structure(Lattice.hexagonal(3.16, height_A), ["Mo", "S", "S"], places)


def drafted(structure, folder):
    path = folder / "host.cif"
    structure.to(filename=str(path))
    return drafted_reference(path)


@pytest.mark.parametrize(
    ("structure", "repeats", "charges", "holes"),
    [
        (OXYFLUORIDE, (2, 2, 2), {"V_Fe": {0, -1, -2, -3}, "V_O": {0, 1, 2}, "V_F": {0, 1}}, "3 O-(O)"),
        (SULFIDE, (1, 1, 1), {"V_Fe": {0, -1, -2}, "V_S": {0, 1, 2}}, "2 S-(S)"),
    ],
)
def test_other_and_mixed_anions_have_their_own_charges_and_holes(structure, repeats, charges, holes, tmp_path):
    """Fluorine gives up one electron and takes no hole; oxygen and sulfur two, and hold them."""
    key = drafted(structure, tmp_path)
    maker = ChargedVacanciesMaker(
        engine=ToyEngine(), repeats=repeats, dielectric=DIELECTRIC, starts=("as built", "on anions")
    )
    flow = maker.make(toy(get_host(key).structure(), 0).calculation, key)
    found = {}
    for name in (j.name for j in flow.jobs if " q=" in j.name):
        label, charge = name.split(" q=")[0].split("(")[0], int(name.split(" q=")[1].split()[0])
        found.setdefault(label, set()).add(charge)
    assert found == charges
    starts = [j.name for j in flow.jobs]
    assert any(name.endswith(f"q=+0 {holes}") for name in starts)
    assert not any("F-(" in name or "F0" in name for name in starts)


def test_charged_defects_of_a_single_layer_are_refused_and_layers_of_a_crystal_are_not(tmp_path):
    key = drafted(layer(18.0), tmp_path)
    maker = ChargedVacanciesMaker(engine=ToyEngine(), repeats=(2, 2, 1), dielectric=DIELECTRIC)
    with pytest.raises(ValueError, match=r"14\.9 A along c hold no atom: the cell is a slab"):
        maker.make(toy(get_host(key).structure(), 0).calculation, key)
    assert not_three_dimensional(layer(6.2)) == ""
    # Whichever axis it is, and where the vacuum crosses the edge of the cell.
    turned = Structure(Lattice.orthorhombic(12.0, 3.0, 3.0), ["Mg", "O"], [[0.9, 0, 0], [0.08, 0.5, 0.5]])
    assert not_three_dimensional(turned).startswith("9.8 A along a")


@pytest.mark.parametrize("maker", [VacancyFormationMaker, ChargedVacanciesMaker])
@pytest.mark.parametrize("most", [0, -3, 2.5, float("nan"), float("inf")])
def test_a_budget_that_is_none_is_refused(maker, most):
    """A negative one would leave out the least promising starts, as many as it says."""
    with pytest.raises(ValueError, match=f"most_starts = {most} must be a whole number of at least 1"):
        maker(engine=LocalEngine(), most_starts=most)


@pytest.mark.parametrize("said", ["0", "-3", "nan", "2.5", "", -1])
def test_a_budget_is_read_from_the_command_line(said):
    assert budget_from(" 7 ") == budget_from(7) == 7
    with pytest.raises(ValueError, match="a whole number of at least 1"):
        budget_from(said)


def test_the_start_that_wins_for_a_published_dimer_is_among_ours():
    """V_Cd of CdTe: the published ground state holds a Te-Te bond of 2.75 A (ShakeNBreak), ideal ions 4.6 A apart."""
    pytest.importorskip("shakenbreak", reason="distorted bonds need shakenbreak")
    from dimer_start import cadmium_telluride, shortest_A, started_vacancies

    apart = {label: shortest_A(cell) for label, cell in started_vacancies(cadmium_telluride()).items()}
    assert apart["as built"] == pytest.approx(13.086768 / 2 / np.sqrt(2))
    assert apart["rattled"] > 4.4
    assert apart["bonds -40 %"] == pytest.approx(2.75, abs=0.2)
    # It is tried before all other changes of the bonds.
    assert next(label for label in apart if label.startswith("bonds")) == "bonds -40 %"
