"""Kept first-principles results: they reload, name themselves, and agree with what must hold exactly."""

import gap_cells
import numpy as np
import pytest
from evidence_task import U_SETS
from magnetoionics.analysis.defects.host_window import experimental_window
from magnetoionics.analysis.results.calculation import Calculation, Check
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.study.reference_calculations import (
    ReferenceCalculation,
    load_reference_calculations,
    load_start,
    reference_calculations_folder,
)
from magnetoionics.analysis.thermodynamics.phases import load_experimental_phases
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.gpaw.settings import start_moments
from pymatgen.core import Composition
from reference_results import evidence_vacancies, hop_energies_eV
from reference_tasks import (
    DOPED_STARTS,
    PHASES,
    VACANCIES,
    defect_cell,
    doped_cell,
    doped_oxide,
    hop_point,
    lithium_ferrite,
    measured_hop,
    not_in_chain,
    phase,
    quotable,
    single_point,
    task,
    task_names,
)

KEPT = load_reference_calculations()


def test_there_is_evidence():
    assert KEPT


def test_no_kept_calculation_rests_on_a_failed_check():
    assert [n for n, kept in KEPT.items() if kept.calculation is not None and kept.sound is None] == []
    assert [n for n, kept in KEPT.items() if kept.band is not None and not kept.band.converged] == []


@pytest.mark.parametrize("name", sorted(KEPT))
def test_document_says_how_it_was_made(name):
    found = KEPT[name]
    assert found.cpu_seconds > 0
    assert name in found.command
    meta_gga = "r2scan" in name
    assert found.provenance.functional == ("MGGA_X_R2SCAN+MGGA_C_R2SCAN" if meta_gga else "PBE")
    stated = next((U_SETS[part]["Fe"] for part in name.split("-") if part in U_SETS), 5.3)
    # Metals and r2SCAN have no U, and ZnO has sets of its own.
    if name.startswith("gapzno"):
        assert found.provenance.hubbard_U_eV in gap_cells.ZINC_OXIDE_U_eV.values()
    else:
        without = meta_gga or name.startswith(("film", "wire", "states", "limetal"))
        assert found.provenance.hubbard_U_eV.get("Fe") == (None if without else stated)
    assert found.provenance.versions["gpaw"]
    if found.calculation is None:
        assert found.numbers or found.holes or found.band
    else:
        assert found.calculation.provenance == found.provenance


@pytest.mark.parametrize("name", sorted(n for n in KEPT if n.startswith(("imma", "p4122")) and KEPT[n].calculation))
def test_bulk_ferrite_is_the_neel_ferrimagnet(name):
    done = KEPT[name].calculation
    # Three unpaired spins per formula unit are an integer in an insulator.
    assert done.total_moment_muB / (done.structure.composition["O"] / 4) == pytest.approx(3.0, abs=1e-3)
    # It takes U to open it.
    assert done.gap_eV > (0.1 if "r2scan" in name else 0.3)
    for site, moment in zip(done.structure, done.site_moments_muB, strict=True):
        wanted = site.properties["magmom"]
        assert moment * wanted > 0 or abs(wanted) < 1


@pytest.mark.parametrize("name", sorted(n for n in KEPT if n.startswith("imma") and KEPT[n].anisotropy))
def test_map_has_the_symmetry_of_the_orthorhombic_cell(name):
    found = KEPT[name].anisotropy
    # Imma here has its axes along [110], [1-10] and [001]: mirrors exchange x and y.
    mirror = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    fit = found.fit()
    images = fit(found.vectors @ mirror)
    assert np.abs(images - fit(found.vectors)).max() < 0.02
    _, odd = found.even_odd()
    assert np.abs(odd).max() < 0.02


def test_born_charge_of_the_mover_has_the_mirror_of_the_cell():
    kept = KEPT["bornco-pw400-k2"]
    tensor = np.array([kept.numbers[f"born_charge_e_row_{axis}"] for axis in "xyz"])
    mirror = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    assert np.abs(mirror @ tensor @ mirror - tensor).max() < 0.02
    assert 1.5 < np.trace(tensor) / 3 < 2.5


def test_renamed_file_is_refused(tmp_path):
    name, text = next((p.stem, p.read_text()) for p in reference_calculations_folder().glob("*.json"))
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(ValueError, match=name):
        load_reference_calculations(tmp_path)
    assert isinstance(ReferenceCalculation.model_validate_json(text), ReferenceCalculation)


@pytest.mark.parametrize(
    ("name", "formula", "kind", "mesh"),
    [
        ("imma-pw500-k2", "Co2 Fe4 O8", "map", (2, 2, 2)),
        ("p4122-pw500-k2", "Co4 Fe8 O16", "map", (2, 2, 2)),
        ("host28-pw500-k221", "Co4 Fe8 O16", "static", (2, 2, 1)),
        ("vfea28-pw400-k111", "Co4 Fe7 O16", "relax", (1, 1, 1)),
        ("vcob28-pw500-k221", "Co3 Fe8 O16", "static", (2, 2, 1)),
        ("vcob28-pw500-k221-relaxed", "Co3 Fe8 O16", "relax", (2, 2, 1)),
        ("vo28-pw400-k111", "Co4 Fe8 O15", "relax", (1, 1, 1)),
        ("hop56before-pw400-k1", "Co8 Fe15 O32", "map", (1, 1, 1)),
        ("hop56middle-pw400-k1", "Co8 Fe15 O32", "static", (1, 1, 1)),
        ("coo-pw500-k442", "Co2 O2", "static", (4, 4, 2)),
        ("fe2o3-pw500-k222", "Fe4 O6", "static", (2, 2, 2)),
        ("bornco-pw400-k2", "Co2 Fe4 O8", "born", (2, 2, 2)),
    ],
)
def test_task_is_the_cell_that_its_name_says(name, formula, kind, mesh):
    job = task(name)
    assert job.structure.composition == Composition(formula)
    assert job.kind == kind
    assert job.settings.cutoff_eV == float(name.split("pw")[1][:3])
    assert job.settings.k_mesh == mesh
    if kind == "born":
        assert job.structure[job.ion].specie.symbol == "Co"


def count_of_iron(structure, sublattice):
    return sum(s.specie.symbol == "Fe" and s.properties["sublattice"] == sublattice for s in structure)


def test_vacancies_of_iron_sit_where_they_say():
    whole = defect_cell("host")
    assert whole.lattice.abc == pytest.approx((5.934, 5.934, 8.392), abs=0.002)
    assert whole.lattice.angles == pytest.approx((90, 90, 90))
    for key, sublattice in (("vfea", "A"), ("vfeb", "B")):
        for left in (defect_cell(key), task(f"{key}28-pw400-k111").structure):
            assert count_of_iron(left, sublattice) == count_of_iron(whole, sublattice) - 1


def test_two_cobalt_of_zinc_oxide_share_the_oxygen_that_is_missing():
    whole, bare = (doped_cell(start) for start in DOPED_STARTS)
    assert whole.composition == Composition("Co2 Zn14 O16")
    assert bare.composition == Composition("Co2 Zn14 O15")

    def oxygen_of_cobalt(cell):
        cobalt = [i for i, s in enumerate(cell) if s.specie.symbol == "Co"]
        return [{n.index for n in cell.get_neighbors(cell[i], 2.2) if n.specie.symbol == "O"} for i in cobalt]

    assert [len(found) for found in oxygen_of_cobalt(whole)] == [4, 4]
    assert [len(found) for found in oxygen_of_cobalt(bare)] == [3, 3]
    assert len(set.intersection(*oxygen_of_cobalt(whole))) == 1
    for start in DOPED_STARTS:
        along, against = (task(doped_oxide(start, spins, "u44")) for spins in ("fm", "afm"))
        assert along.structure.lattice == against.structure.lattice
        assert np.allclose(along.structure.frac_coords, against.structure.frac_coords)
        assert sorted(m for m in along.structure.site_properties["magmom"] if m) == [3.0, 3.0]
        assert sorted(m for m in against.structure.site_properties["magmom"] if m) == [-3.0, 3.0]
        assert along.settings.hubbard_U_eV["Co"] == 4.0
        assert along.basis == "dzp"


def test_path_of_the_hop_starts_and_ends_in_octahedra_and_its_middle_in_a_tetrahedron():
    def oxygen_within(structure, mover, reach_A):
        return sum(n.specie.symbol == "O" for n in structure.get_neighbors(structure[mover], reach_A))

    states = {name: load_start(f"hop56-{name}") for name in ("before", "saddle1", "middle", "saddle2", "after")}
    hop = measured_hop()
    assert all(s.structure.composition == hop.initial.composition for s in states.values())
    assert oxygen_within(states["before"].structure, hop.mover, 2.6) == 6
    assert oxygen_within(states["after"].structure, hop.mover, 2.6) == 6
    assert oxygen_within(states["middle"].structure, hop.mover, 2.3) == 4
    energies = [s.energy_eV for s in states.values()]
    assert energies[0] < energies[2] < min(energies[1], energies[3])


def known(name, energy_eV, moment_muB=0.0):
    """A document of a task with an energy that was put in."""
    job = task(name)
    provenance = Provenance(engine="known", level_of_theory="arithmetic", functional="none")
    done = Calculation(
        name=name,
        structure=job.structure,
        energy_eV=energy_eV,
        max_force_eV_per_A=0.0,
        force_calls=1,
        total_moment_muB=moment_muB,
        provenance=provenance,
    )
    return ReferenceCalculation(
        name=name, what="", command="", calculation=done, cpu_seconds=1, wall_seconds=1, provenance=provenance
    )


def test_formation_energies_come_back_from_known_ones():
    # Energies made of measured enthalpies and arbitrary elements; every vacancy costs 2 eV beyond its element.
    elements = {"Fe": -7.0, "Co": -6.0, "O": -5.0}
    formed = {p.formula: p.formation_energy_eV for p in load_experimental_phases(["Fe", "Co", "O"])}
    kept = {}
    for key, (formula, _) in PHASES.items():
        name = phase(key)
        counts = task(name).structure.composition.get_el_amt_dict()
        units = sum(counts.values()) / sum(Composition(formula).values())
        total = sum(elements[e] * n for e, n in counts.items()) + units * formed[formula]
        kept[name] = known(name, total)
    host = 4 * (formed["CoFe2O4"] + elements["Co"] + 2 * elements["Fe"] + 4 * elements["O"])
    kept[single_point("host")] = known(single_point("host"), host, 12.0)
    for key, (element, _) in VACANCIES.items():
        kept[single_point(key)] = known(single_point(key), host - elements[element] + 2.0, 7.0)
    found = evidence_vacancies(kept)
    assert found.missing == []
    measured = experimental_window("CoFe2O4")[0]
    window = found.window.window
    assert window.delta_mu_O_max_eV == pytest.approx(measured.delta_mu_O_max_eV, abs=0.02)
    by_label = {v.label: v for v in found.vacancies}
    assert set(by_label) == {"V_Fe(A)", "V_Fe(B)", "V_Co(B)", "V_O"}
    oxygen = by_label["V_O"]
    assert oxygen.oxygen_rich_eV == pytest.approx([2.0 + window.delta_mu_O_max_eV] * 2, abs=0.05)
    assert oxygen.moment_change_muB == pytest.approx(-5.0)
    # The cost of a cation is that of its element's potential: both vacancies of iron alike.
    assert by_label["V_Fe(A)"].oxygen_rich_eV == pytest.approx(by_label["V_Fe(B)"].oxygen_rich_eV)
    assert evidence_vacancies({}) is None
    assert oxygen.ions == "relaxed at these settings"
    # A relaxation counts where it is lower, and only there.
    for key, change, label in (("vo", -0.3, "V_O"), ("vcob", 0.3, "V_Co(B)")):
        point, relaxed = quotable(key)
        kept[relaxed] = known(relaxed, kept[point].calculation.energy_eV + change, 7.0)
        again = {v.label: v.oxygen_rich_eV[0] for v in evidence_vacancies(kept).vacancies}
        assert again[label] - by_label[label].oxygen_rich_eV[0] == pytest.approx(min(change, 0.0))


def test_evidence_that_failed_a_guard_is_not_used():
    """An invalid relaxation far below its single point must not become the formation energy."""
    lost = Check(name="moments kept", passed=False, note="site 3 flipped", invalidates=True)

    def spoil(evidence, change):
        done = evidence.calculation
        spoiled = done.model_copy(update={"energy_eV": done.energy_eV + change, "checks": [lost]})
        return evidence.model_copy(update={"calculation": spoiled})

    point, relaxed = quotable("vcob")
    before = {v.label: v.oxygen_rich_eV for v in evidence_vacancies(KEPT).vacancies}
    after = evidence_vacancies({**KEPT, relaxed: spoil(KEPT[point], -3.0)})
    only_point = evidence_vacancies({k: e for k, e in KEPT.items() if k != relaxed})
    assert {v.label: v.oxygen_rich_eV for v in after.vacancies} == {
        v.label: v.oxygen_rich_eV for v in only_point.vacancies
    }
    assert before.keys() == {v.label for v in after.vacancies}
    saddle = hop_point("saddle1")
    assert "saddle1" not in hop_energies_eV({**KEPT, saddle: spoil(KEPT[saddle], -1.0)})


def test_energies_of_the_hop_count_from_the_state_before():
    kept = {hop_point(s): known(hop_point(s), e) for s, e in (("before", -400.0), ("middle", -399.6))}
    assert hop_energies_eV(kept) == pytest.approx({"before": 0.0, "middle": 0.4})
    assert hop_energies_eV({hop_point("after"): known(hop_point("after"), 1.0)}) == {}


def test_every_kept_document_is_a_task():
    assert set(KEPT) <= set(task_names())
    with pytest.raises(ValueError, match="unknown evidence 'magic'"):
        task("magic")


def test_chain_refuses_other_cells():
    hop = [task(f"hop56{state}-pw400-k1") for state in ("before", "saddle1", "after")]
    assert not_in_chain(hop) == ""
    assert not_in_chain([*hop, task("vo28-pw400-k111")]) == "vo28-pw400-k111"


def test_vacancies_say_what_relaxed_their_ions():
    said = {v.label: v.ions for v in evidence_vacancies(KEPT).vacancies}
    assert set(said) == {"V_Fe(A)", "V_Fe(B)", "V_Co(B)", "V_O"}
    for key, label in (("vo", "V_O"), ("vfea", "V_Fe(A)")):
        point, relaxed = (KEPT.get(name) for name in quotable(key))
        if relaxed is None:
            assert said[label].startswith("relaxed by ")
            assert said[label].removeprefix("relaxed by ") in point.provenance.left_out[-1]


def test_electronic_starts_of_one_defect_begin_apart_in_gpaw():
    begun = []
    for where in ("", "a", "b"):
        cell = task(lithium_ferrite("life56vo", where)).structure
        begun.append(start_moments([s.specie.symbol for s in cell], cell.site_properties["magmom"]))
    # Two electrons on iron: two sites begin lower, on another sublattice.
    assert [int(np.sum(begun[0] != other)) for other in begun[1:]] == [2, 2]
    assert int(np.sum(begun[1] != begun[2])) == 4


@pytest.mark.parametrize(("name", "symbol", "charge"), [("life55band-dzp-k1", "Li", 0), ("cfo55band-dzp-k1", "Co", -3)])
def test_paths_lead_one_ion_into_the_vacancy_without_the_point_group(name, symbol, charge):
    """V_Fe(B) of cobalt ferrite keeps the three electrons of the iron that left, so that it has no hole to place."""
    path = task(name)
    apart = [a.distance(b) for a, b in zip(path.structure, path.final, strict=True)]
    assert path.structure[path.ion].specie.symbol == symbol
    assert apart[path.ion] == max(apart) > 2.5
    assert (path.symmetry, path.kind, path.settings.charge) == ("time reversal", "band", charge)
    assert path.settings.parameters(to_atoms(path.structure)).get("charge", 0) == charge


def test_a_document_says_the_symmetry_that_its_basis_is_computed_with():
    other = {n: e.provenance.settings for n, e in KEPT.items() if "basis" in e.provenance.settings}
    assert other
    assert {n: s["symmetry"] for n, s in other.items()} == {
        n: "time reversal" if "band" in n else "full" for n in other
    }
