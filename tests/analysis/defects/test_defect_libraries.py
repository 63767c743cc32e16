"""Formation energies, transition levels and potentials against pymatgen-analysis-defects and doped, same entries."""

import re

import numpy as np
import pytest
from magnetoionics.analysis.defects.charge_corrections import efnv_correction, freysoldt_correction
from magnetoionics.analysis.defects.charge_states import BandEdges, fermi_diagram
from magnetoionics.analysis.defects.defect_energies import VacancyFormation
from magnetoionics.analysis.defects.exchange_formats import (
    from_computed_entries,
    from_defect_entries,
    planar_potential,
    site_potentials,
)
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.thermodynamics.computed_phases import reference_set
from magnetoionics.analysis.thermodynamics.phases import formula_composition
from magnetoionics.analysis.thermodynamics.references import ReferenceEnergies
from magnetoionics.analysis.thermodynamics.stability_window import (
    at,
    load_experimental_phases,
    stability_window,
)
from magnetoionics.structures.host import get_host
from pymatgen.analysis.phase_diagram import PhaseDiagram
from pymatgen.core import Composition, Element, PeriodicSite
from pymatgen.entries.compatibility import MaterialsProject2020Compatibility
from pymatgen.entries.computed_entries import ComputedEntry, ComputedStructureEntry, ConstantEnergyAdjustment

VBM, GAP = 3.217, 1.62
TAG = Provenance(engine="vasp", level_of_theory="VASP", functional="PBE", hubbard_U_eV={"Co": 3.32, "Fe": 5.3})
REFERENCES = ReferenceEnergies({"Co": -7.108, "Fe": -8.456, "O": -4.948}, provenance=TAG)
EDGES = BandEdges(vbm_eV=VBM, gap_eV=GAP, source="known", provenance=TAG)
STATES = {
    ("Fe", "B"): {0: (13.21, 0.0), -1: (16.02, 0.21), -2: (19.13, 0.83), -3: (22.05, 1.87)},
    ("O", "O"): {0: (9.4, 0.0), 1: (5.31, 0.2), 2: (1.7, 0.79)},
    ("Co", "B"): {0: (11.3, 0.0), -2: (17.4, 0.8)},
}


@pytest.fixture(scope="module")
def host():
    """The ordered cell without properties, its energy from the measured enthalpy, and the window."""
    cell = get_host("cofe2o4").structure()
    window = stability_window("CoFe2O4", load_experimental_phases(["Co", "Fe", "O"]))
    units = cell.composition["O"] / 4
    energy = units * window.host_formation_energy_eV + sum(
        n * REFERENCES[str(el)] for el, n in cell.composition.items()
    )
    return cell, energy, window


def site_of(cell, kind):
    element, sublattice = kind
    index = next(
        i for i, s in enumerate(cell) if s.specie.symbol == element and s.properties["sublattice"] == sublattice
    )
    return index, PeriodicSite(Element(element), cell[index].frac_coords, cell.lattice)


def entries(cell, host_energy, kind, vacancy, entry_class, **more):
    bare = cell.copy(site_properties={})
    index, site = site_of(cell, kind)
    without = bare.copy()
    without.remove_sites([index])
    bulk = ComputedStructureEntry(bare, host_energy)
    return [
        entry_class(
            defect=vacancy(bare, site),
            charge_state=q,
            sc_entry=ComputedStructureEntry(without, host_energy + energy),
            corrections={"finite size": correction},
            bulk_entry=bulk,
            **more,
        )
        for q, (energy, correction) in STATES[kind].items()
    ]


def ours(kind):
    return [
        VacancyFormation(
            label="x", removed={kind[0]: 1}, energy_difference_eV=energy, charge=q, vbm_eV=VBM,
            correction_eV=correction, provenance=TAG,
        )
        for q, (energy, correction) in STATES[kind].items()
    ]  # fmt: skip


@pytest.mark.parametrize("kind", STATES)
def test_pymatgen_analysis_defects_agrees(host, kind):
    core = pytest.importorskip("pymatgen.analysis.defects.core")
    thermo = pytest.importorskip("pymatgen.analysis.defects.thermo")
    cell, host_energy, window = host
    phases = []
    for p in [*window.phases[1:]]:
        atoms = formula_composition(p.formula)
        energy = p.formation_energy_eV + sum(n * REFERENCES[el] for el, n in atoms.items())
        phases.append(ComputedEntry(Composition(p.formula), energy))
    phases += [ComputedEntry(Composition(el), e) for el, e in REFERENCES.items()]
    made = thermo.FormationEnergyDiagram(
        entries(cell, host_energy, kind, core.Vacancy, thermo.DefectEntry), phases, VBM, GAP
    )
    for mu, fraction in ((-2.6, 0.5), (-1.9, 0.0), (-1.3, 1.0)):
        point = at(window, mu, fraction)
        diagram = fermi_diagram(ours(kind), EDGES, window, REFERENCES, point)
        potentials = {Element(el): x for el, x in point.items()}
        for fermi in np.linspace(0, GAP, 9):
            expected = made.get_formation_energy(float(fermi), potentials)
            assert diagram.lowest("x", float(fermi))[0] == pytest.approx(expected, abs=1e-6)
        kinks = [x for x, _ in made.get_transitions(potentials, 0.0, GAP)][1:-1]
        assert [t.level_eV for t in diagram.transitions if t.in_gap] == pytest.approx(kinks, abs=1e-6)
    # Both find the same corners of the stability region.
    theirs = sorted(tuple(round(float(c[Element(el)]), 4) for el in window.elements) for c in made.chempot_limits)
    mine = sorted(tuple(round(v[el], 4) for el in window.elements) for v in window.vertices)
    assert np.allclose(theirs, mine, atol=2e-3)


@pytest.mark.parametrize("kind", STATES)
def test_doped_agrees(host, kind):
    core = pytest.importorskip("doped.core")
    cell, host_energy, window = host
    found = entries(cell, host_energy, kind, core.Vacancy, core.DefectEntry, calculation_metadata={"vbm": VBM})
    point = at(window, -1.9, 0.4)
    diagram = fermi_diagram(ours(kind), EDGES, window, REFERENCES, point)
    by_charge = {line.charge: line for line in diagram.lines}
    for entry in found:
        for fermi in (0.0, 0.55, GAP):
            expected = entry.formation_energy(chempots=point, el_refs=REFERENCES, vbm=VBM, fermi_level=fermi)
            line = by_charge[entry.charge_state]
            assert line.at_vbm_eV + line.charge * fermi == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("library", ["pymatgen.analysis.defects.core", "doped.core"])
def test_their_entries_become_our_documents(host, library):
    core = pytest.importorskip(library)
    thermo = pytest.importorskip("pymatgen.analysis.defects.thermo")
    kind = ("Fe", "B")
    cell, host_energy, window = host
    entry_class = core.DefectEntry if library.startswith("doped") else thermo.DefectEntry
    made = from_defect_entries(
        entries(cell, host_energy, kind, core.Vacancy, entry_class), VBM, TAG, label=lambda _: "V_Fe(B)"
    )
    assert [d.charge for d in made] == [0, -1, -2, -3]
    point = at(window, -1.9, 0.4)
    theirs = fermi_diagram(made, EDGES, window, REFERENCES, point)
    direct = fermi_diagram(ours(kind), EDGES, window, REFERENCES, point)
    assert [x.at_vbm_eV for x in theirs.lines] == pytest.approx([x.at_vbm_eV for x in direct.lines], abs=1e-9)
    bare = entries(cell, host_energy, kind, core.Vacancy, entry_class)
    bare[1].corrections = {}
    with pytest.raises(ValueError, match="no finite-size correction"):
        from_defect_entries(bare, VBM, TAG)
    bare[0].bulk_entry = None
    with pytest.raises(ValueError, match="no bulk entry"):
        from_defect_entries(bare, VBM, TAG)


def test_potentials_of_vasp_files(host):
    from types import SimpleNamespace

    from pymatgen.io.vasp import VolumetricData

    cell = host[0].copy(site_properties={})
    grid = np.random.default_rng(1).normal(size=(4, 6, 8))
    made = planar_potential(VolumetricData(cell, {"total": grid}))
    assert [len(a) for a in made.averages_eV] == [4, 6, 8]
    assert made.averages_eV[2] == pytest.approx(grid.mean(axis=(0, 1)))
    read = site_potentials(cell, SimpleNamespace(electrostatic_potential=[-30.0] * len(cell)))
    assert read.potentials_V == [30.0] * len(cell)
    with pytest.raises(ValueError, match="no average electrostatic"):
        site_potentials(cell, SimpleNamespace(electrostatic_potential=[]))


def known_entries(**u):
    """PBE elements and PBE+U oxides as a database hands them out, uncorrected energies known."""
    made = {"Fe": ({}, -8.46), "Co": ({}, -7.11), "O2": ({}, -9.87)}
    hubbards = {"Co": 3.32, "Fe": 5.3} | u
    for formula, energy in (("CoO", -12.5), ("Co3O4", -43.1), ("FeO", -13.1), ("Fe2O3", -34.2), ("CoFe2O4", -47.0)):
        elements = Composition(formula).as_dict()
        made[formula] = ({el: hubbards.get(el, 0.0) for el in elements}, energy)
    return [
        ComputedEntry(
            Composition(formula) * 2, 2 * energy, entry_id=formula, data={"oxide_type": "oxide"},
            parameters={"run_type": "GGA+U" if any(u.values()) else "GGA", "hubbards": u, "software": "vasp"},
        )
        for formula, (u, energy) in made.items()
    ]  # fmt: skip


def test_entries_of_a_database_become_competing_phases():
    """With corrections taken off and put on again they give the formation energies of pymatgen's phase diagram."""
    corrected = MaterialsProject2020Compatibility(check_potcar=False).process_entries(known_entries(), inplace=False)
    diagram = PhaseDiagram(corrected)
    made = reference_set(from_computed_entries(corrected), "MP2020")
    theirs = {e.entry_id: diagram.get_form_energy(e) / 2 for e in corrected if len(e.composition) > 1}
    ours = {p.formula: p.formation_energy_eV for p in made.phases}
    assert set(ours) == {"CoO", "Co3O4", "FeO", "Fe2O3", "CoFe2O4"}
    assert ours == pytest.approx(theirs, abs=1e-6)
    window = stability_window("CoFe2O4", made.phases)
    limits = diagram.get_all_chempots(Composition("CoFe2O4"))
    oxygen = [c[Element("O")] - made.references.reference_energies_eV["O"] for c in limits.values()]
    assert window.delta_mu_O_min_eV == pytest.approx(min(oxygen), abs=1e-5)
    assert window.delta_mu_O_max_eV == pytest.approx(max(oxygen), abs=1e-5)


def test_entries_that_do_not_go_together_are_refused(host):
    with pytest.raises(ValueError, match=r"U = 4.0 eV on Fe, another entry 5.3"):
        from_computed_entries(known_entries() + known_entries(Fe=4.0)[-1:])
    silent = known_entries()
    silent[0].parameters.pop("run_type")
    with pytest.raises(ValueError, match="does not say its run_type"):
        from_computed_entries(silent)
    thermo = pytest.importorskip("pymatgen.analysis.defects.thermo")
    core = pytest.importorskip("pymatgen.analysis.defects.core")
    cell, host_energy, _ = host
    (one, *_) = entries(cell, host_energy, ("O", "O"), core.Vacancy, thermo.DefectEntry)
    one.bulk_entry.parameters |= {"run_type": "GGA+U"}
    one.sc_entry.parameters |= {"run_type": "r2SCAN"}
    with pytest.raises(ValueError, match=r"run_type is 'r2SCAN' in the defect cell and 'GGA.U' in the bulk cell"):
        from_defect_entries([one], VBM, TAG)
    one.sc_entry.parameters |= {"run_type": "GGA+U"}
    one.bulk_entry.energy_adjustments = [ConstantEnergyAdjustment(-3.0, name="anion correction")]
    with pytest.raises(ValueError, match="corrected by nothing, the bulk cell by anion correction"):
        from_defect_entries([one], VBM, TAG)


@pytest.mark.parametrize("library", ["pymatgen.analysis.defects.core", "doped.core"])
def test_entries_that_would_give_a_wrong_energy_in_silence_are_refused(host, library):
    """A bulk cell of another size was worth +1356 eV; FNV added to eFNV counts the images twice."""
    core = pytest.importorskip(library)
    thermo = pytest.importorskip("pymatgen.analysis.defects.thermo")
    entry_class = core.DefectEntry if library.startswith("doped") else thermo.DefectEntry
    cell, host_energy, _ = host

    def made():
        return entries(cell, host_energy, ("Fe", "B"), core.Vacancy, entry_class)

    other = made()
    half = cell.copy(site_properties={})
    half.make_supercell([2, 1, 1])
    other[0].bulk_entry = ComputedStructureEntry(half, 2 * host_energy)
    with pytest.raises(ValueError, match=r"the bulk entry holds Fe32 Co16 O64, but the defect cell .* the same size"):
        from_defect_entries(other, VBM, TAG)

    twice = made()
    twice[1].corrections = {"kumagai_charge_correction": 0.21, "freysoldt_charge_correction": 0.19}
    said = r"q = -1 has corrections 'kumagai_charge_correction' \(\+0.210 eV\), 'freysoldt.*alternatives"
    with pytest.raises(ValueError, match=said):
        from_defect_entries(twice, VBM, TAG)
    twice[1].corrections = {"kumagai_charge_correction": 0.21, "band filling": -0.05}
    assert from_defect_entries(twice, VBM, TAG)[1].correction_eV == pytest.approx(0.16)

    with pytest.raises(ValueError, match=r"q = \+0 is given twice"):
        from_defect_entries([*made(), made()[0]], VBM, TAG)

    tetrahedral = entries(cell, host_energy, ("Fe", "B"), core.Vacancy, entry_class)[:1]
    _, on_a = site_of(cell, ("Fe", "A"))
    tetrahedral[0].defect = core.Vacancy(cell.copy(site_properties={}), on_a)
    with pytest.raises(ValueError, match="stands for two sites"):
        from_defect_entries([*made()[1:], *tetrahedral], VBM, TAG)
    named = from_defect_entries(
        [*made()[1:], *tetrahedral], VBM, TAG, label=lambda e: f"V at {e.defect.site.frac_coords}"
    )
    assert len({d.label for d in named}) == 2


TENSOR = [[11.0, 0.6, 0.0], [0.6, 13.0, 0.0], [0.0, 0.0, 9.0]]


def test_corrections_of_charged_cells_agree_with_doped(host):
    """The same files of VASP by two roads: sign of the potentials, order of the sites, place of the defect, tensor."""
    core = pytest.importorskip("doped.core")
    corrections = pytest.importorskip("doped.corrections")
    pytest.importorskip("pydefect")
    from types import SimpleNamespace

    from pymatgen.io.vasp import VolumetricData

    kind, rng = ("Fe", "B"), np.random.default_rng(3)
    cell, host_energy, _ = host
    index, site = site_of(cell, kind)
    bulk = cell.copy(site_properties={})
    defect = bulk.copy()
    defect.remove_sites([index])
    own = {"Co": -60.0, "Fe": -50.0, "O": -80.0}

    def outcar(structure, extra):
        felt = [own[s.specie.symbol] + x for s, x in zip(structure, extra, strict=True)]
        return SimpleNamespace(electrostatic_potential=felt)

    away = defect.lattice.get_all_distances(site.frac_coords, defect.frac_coords)[0]
    ends = outcar(bulk, np.zeros(len(bulk))), outcar(defect, 3.0 / away + 0.02 * rng.normal(size=len(defect)))
    grid = np.indices((30, 30, 42)).reshape(3, -1).T / (30, 30, 42)
    near = np.cos(2 * np.pi * (grid - site.frac_coords)).sum(axis=1).reshape(30, 30, 42)
    volumes = VolumetricData(bulk, {"total": 0.1 * near.copy()}), VolumetricData(defect, {"total": 0.6 * near - 0.03})
    entry = entries(cell, host_energy, kind, core.Vacancy, core.DefectEntry)[-1]
    entry.sc_defect_frac_coords = site.frac_coords
    assert entry.charge_state == -3

    ours = efnv_correction(-3, TENSOR, site_potentials(defect, ends[1]), site_potentials(bulk, ends[0]))
    radius = float(re.search(r"outside ([\d.]+) A", ours.note)[1])
    # doped keeps VASP's numbers with the sign that a positive charge feels.
    for name, end in zip(("bulk", "defect"), ends, strict=True):
        entry.calculation_metadata[f"{name}_site_potentials"] = -np.array(end.electrostatic_potential)
    theirs = corrections.get_kumagai_correction(entry, TENSOR, defect_region_radius=radius, verbose=False)
    assert abs(ours.alignment_eV) > 0.1
    assert ours.total_eV == pytest.approx(theirs.correction_energy, abs=1e-6)

    ours = freysoldt_correction(
        -3, TENSOR, planar_potential(volumes[1]), planar_potential(volumes[0]), site.frac_coords.tolist()
    )
    planes = [{i: v.get_average_along_axis(i) for i in range(3)} for v in volumes]
    theirs = corrections.get_freysoldt_correction(
        entry, np.array(TENSOR), defect_locpot=planes[1], bulk_locpot=planes[0], verbose=False
    )
    assert abs(ours.alignment_eV) > 0.01
    assert ours.total_eV == pytest.approx(theirs.correction_energy, abs=1e-6)
