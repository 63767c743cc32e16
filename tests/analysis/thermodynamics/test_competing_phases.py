"""Competing phases: structures, one engine for all, three modes of references, refusals of mixed energies."""

import numpy as np
import pytest
from magnetoionics.analysis.defects.charge_states import charge_lines
from magnetoionics.analysis.defects.defect_energies import VacancyFormation
from magnetoionics.analysis.defects.energy_corrections import mp2020_defects
from magnetoionics.analysis.defects.formation import formation_lines
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.thermodynamics.computed_phases import (
    ComputedPhases,
    ReferenceSet,
    oxygen_ladder,
    reference_set,
)
from magnetoionics.analysis.thermodynamics.energy_corrections import (
    ComputedEnergy,
    apply_mp2020,
    require_consistent,
)
from magnetoionics.analysis.thermodynamics.phases import formula_composition
from magnetoionics.analysis.thermodynamics.references import (
    CompoundEnergy,
    ReferenceEnergies,
    fit_species_energies,
)
from magnetoionics.analysis.thermodynamics.stability_window import (
    at,
    load_experimental_phases,
    stability_window,
)
from magnetoionics.structures.competing_phases import competing_formulas, competing_phase
from magnetoionics.structures.spins import total_moment
from magnetoionics.structures.units import EV_PER_KJ_PER_MOL
from magnetoionics.workflows.engine import CannotDoError, get_engine
from magnetoionics.workflows.flows.competing_phases import CompetingPhasesMaker
from pymatgen.core import Composition
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

GROUPS = {
    "Fe": "Im-3m", "Co": "P6_3/mmc", "Li": "Im-3m", "FeO": "Fm-3m", "CoO": "Fm-3m", "Fe2O3": "R-3c", "Fe3O4": "Fd-3m",
    "CaO": "Fm-3m", "SrO": "Fm-3m", "BaO": "Fm-3m", "MnO": "Fm-3m", "MnO2": "P4_2/mnm", "La2O3": "P-3m1",
    "Y2O3": "Ia-3", "Al2O3": "R-3c", "Co3O4": "Fd-3m", "Li2O": "Fm-3m",
    "Li2O2": "P6_3/mmc", "LiFeO2": "I4_1/amd", "LiFe5O8": "P4_332",
}  # fmt: skip
MOMENTS = {
    "Fe": 2.2,
    "Co": 1.7,
    "O2": 2.0,
    "FeO": 0,
    "MnO": 0,
    "MnO2": 0,
    "CoO": 0,
    "Fe2O3": 0,
    "Fe3O4": 4,
    "Co3O4": 0,
    "LiFeO2": 0,
    "LiFe5O8": 5,
}
# Shortest metal-oxygen distance that makes sense, or metal-metal of the elements, O-O of the rest.
NEAREST = {
    "Fe": 2.48, "Co": 2.50, "Li": 3.04, "O2": 1.208, "FeO": 2.16, "CoO": 2.13, "Fe2O3": 1.94, "Fe3O4": 1.89,
    "CaO": 2.41, "SrO": 2.58, "BaO": 2.77, "MnO": 2.22, "MnO2": 1.88, "La2O3": 2.37, "Y2O3": 2.25, "Al2O3": 1.85,
    "Co3O4": 1.92, "Li2O": 2.00, "Li2O2": 1.56, "LiFeO2": 2.03, "LiFe5O8": 1.88,
}  # fmt: skip
VALUES = {"Co": -7.0, "Fe": -8.3, "Li": -1.9, "O": -4.9}
PBE_U = {"Co": 3.32, "Fe": 5.3}


def tag(**change):
    base = {"engine": "vasp", "level_of_theory": "VASP", "functional": "PBE", "hubbard_U_eV": PBE_U}
    return Provenance(**(base | change))


class RecordingEngine:
    """Takes every structure and remembers what it was asked to relax."""

    name = "recording"

    def __init__(self):
        self.relaxed = []

    def require(self, capability):
        assert capability == "relax"

    def check(self, structure):
        pass

    def relax(self, structure, *, name, cell):
        from jobflow import job

        self.relaxed.append(name)
        return job(lambda: None)()


@pytest.mark.parametrize("formula", [*GROUPS, "O2"])
def test_structures_are_what_they_say(formula):
    phase = competing_phase(formula)
    cell = phase.build()
    assert cell.composition.reduced_formula == Composition(formula).reduced_formula
    if formula in GROUPS:
        bare = cell.copy(site_properties={})
        assert SpacegroupAnalyzer(bare, 1e-3).get_space_group_symbol() == GROUPS[formula]
    distances = cell.distance_matrix + 99 * np.eye(len(cell))
    if len(cell) == 1:
        distances = np.array([[cell.lattice.abc[0] * np.sqrt(3) / 2]])
    if len(cell) > 1 and formula not in ("Fe", "Li"):
        assert distances.min() == pytest.approx(NEAREST[formula], abs=0.02)
    units = len(cell) / Composition(formula).num_atoms
    if formula in MOMENTS:
        assert total_moment(cell) / units == pytest.approx(MOMENTS[formula], abs=1e-9)
    assert phase.source


def test_spins_of_the_antiferromagnets_alternate():
    """Hematite: irons that share a face are antiparallel. CoO: so are those across a straight Co-O-Co bond."""
    hematite = competing_phase("Fe2O3").build()
    iron = [i for i, s in enumerate(hematite) if s.specie.symbol == "Fe"]
    for i in iron:
        near = sorted(
            (n for n in hematite.get_neighbors(hematite[i], 3.0) if n.specie.symbol == "Fe"),
            key=lambda n: n.nn_distance,
        )
        assert near[0].nn_distance == pytest.approx(2.90, abs=0.02)
        assert near[0].properties["magmom"] == -hematite[i].properties["magmom"]
    monoxide = competing_phase("CoO").build()
    for site in monoxide:
        if site.specie.symbol == "Co":
            far = [n for n in monoxide.get_neighbors(site, 4.3) if n.specie.symbol == "Co" and n.nn_distance > 4.2]
            assert len(far) == 6
            assert all(n.properties["magmom"] == -site.properties["magmom"] for n in far)


def test_formulas_of_a_host():
    assert competing_formulas(["Co", "Fe", "O"]) == [
        "Co",
        "Fe",
        "O2",
        "Co3O4",
        "CoFe2O4",
        "CoO",
        "Fe2O3",
        "Fe3O4",
        "FeO",
    ]
    assert {"Li2O2", "LiFeO2", "LiFe5O8", "Li"} <= set(competing_formulas(["Li", "Fe", "O"]))
    with pytest.raises(ValueError, match="no structure for 'LiCoO2'"):
        competing_phase("LiCoO2")


def computed(formulas, oxygen_error=0.0, **change):
    """Energies known so that measured enthalpies come out, O2 overbound by an error per atom."""
    measured = {p.formula: p.formation_energy_eV for p in load_experimental_phases(["Co", "Fe", "Li", "O"])}
    energies = []
    for f in formulas:
        atoms = formula_composition(f)
        value = measured.get(f, 0.0) + sum(n * VALUES[el] for el, n in atoms.items())
        if f == "O2":
            value -= 2 * oxygen_error
        kind = "peroxide" if f == "Li2O2" else "oxide"
        energies.append(ComputedEnergy(formula=f, energy_eV=value, oxide_type=kind, provenance=tag(**change)))
    return ComputedPhases(energies=energies)


OXIDES = ["CoO", "Co3O4", "FeO", "Fe2O3", "Fe3O4", "CoFe2O4"]


@pytest.mark.parametrize("mode", ["elements", "redox ladder", "fitted"])
def test_of_polymorphs_the_lowest_is_taken_among_competing_phases_and_elements_too(mode):
    """Twice CoO gave the ladder a step of no length; a metal's higher polymorph shifted its reference."""
    names = [*OXIDES, "Fe", "Co", "O2"]
    clean = computed(names, hubbard_U_eV=PBE_U)
    zincblende, wuestite, hcp = (
        next(e for e in clean.energies if e.formula == f).model_copy(update={"energy_eV": e_up})
        for f, e_up in (
            (f, next(e.energy_eV for e in clean.energies if e.formula == f) + up)
            for f, up in (("CoO", 0.2), ("CoO", 0.1), ("Co", 0.05))
        )
    )
    several = ComputedPhases(energies=[zincblende, hcp, *clean.energies, wuestite])
    one, other = (reference_set(phases, mode) for phases in (clean, several))
    assert other.references.reference_energies_eV == pytest.approx(one.references.reference_energies_eV)
    assert [p.formula for p in other.phases] == [
        p.formula for p in sorted(one.phases, key=lambda p: p.formula != "CoO")
    ]
    windows = [stability_window("CoFe2O4", made.phases) for made in (one, other)]
    assert windows[1].delta_mu_O_max_eV == pytest.approx(windows[0].delta_mu_O_max_eV)
    assert "CoO: the lowest of 3 structures is taken; the next lies 0.050 eV per atom above" in other.notes
    assert "Co: the lowest of 2 structures is taken; the next lies 0.050 eV per atom above" in other.notes


@pytest.mark.parametrize("kind", ["competing phase", "host"])
def test_of_measured_polymorphs_the_lowest_bounds_the_window(kind):
    """Maghemite lies 15.3 kJ/mol above hematite (Laberty, Navrotsky, Geochim. Cosmochim. Acta 62, 2905): no bound."""
    known = load_experimental_phases(["Co", "Fe", "O"])
    hematite = next(p for p in known if p.formula == "Fe2O3")
    up = hematite.formation_energy_eV + 15.3 * EV_PER_KJ_PER_MOL
    maghemite = hematite.model_copy(update={"formation_energy_eV": up})
    host, elements = ("CoFe2O4", ["Co", "Fe", "O"]) if kind == "competing phase" else ("Fe2O3", ["Fe", "O"])
    phases = [p for p in known if set(formula_composition(p.formula)) <= set(elements)]
    one, other = (stability_window(host, given) for given in (phases, [maghemite, *phases]))
    assert (other.delta_mu_O_min_eV, other.delta_mu_O_max_eV) == (one.delta_mu_O_min_eV, one.delta_mu_O_max_eV)
    assert other.host_formation_energy_eV == one.host_formation_energy_eV


@pytest.mark.parametrize("mode", ["elements", "redox ladder", "fitted"])
def test_every_mode_returns_the_measured_window_from_consistent_energies(mode):
    made = reference_set(computed([*OXIDES, "Fe", "Co", "O2"]), mode)
    window = stability_window("CoFe2O4", made.phases)
    assert window.delta_mu_O_min_eV == pytest.approx(-2.622, abs=0.001)
    assert window.delta_mu_O_max_eV == pytest.approx(-1.254, abs=0.001)
    assert made.references.reference_energies_eV == pytest.approx({k: VALUES[k] for k in ("Co", "Fe", "O")}, abs=1e-8)
    assert ReferenceSet.model_validate_json(made.model_dump_json()) == made


def test_ladder_finds_the_error_of_the_oxygen_molecule():
    phases = computed([*OXIDES, "Fe", "Co", "O2"], oxygen_error=0.68)
    ladder = reference_set(phases, "redox ladder")
    assert ladder.oxygen_minus_half_O2_eV == pytest.approx(0.68, abs=1e-9)
    assert {s.reaction for s in ladder.ladder} == {"CoO -> Co3O4", "FeO -> Fe3O4", "Fe3O4 -> Fe2O3"}
    assert ladder.references.indicative
    # With the molecule as reference the same oxides look too little bound, by the error per O.
    raw = reference_set(phases, "elements")
    cobalt = {p.formula: p.formation_energy_eV for p in raw.phases}["CoO"]
    right = {p.formula: p.formation_energy_eV for p in ladder.phases}["CoO"]
    assert cobalt - right == pytest.approx(0.68)


def test_ladder_is_exact_for_an_error_of_the_metals():
    """A +U shift per cation cancels in every step: only the cation references take it up."""
    shifted = computed(OXIDES)
    for e in shifted.energies:
        e.energy_eV += 2.2 * e.composition.get("Fe", 0) + 1.6 * e.composition.get("Co", 0)
    made = reference_set(shifted, "redox ladder")
    assert made.references.reference_energies_eV["O"] == pytest.approx(VALUES["O"])
    assert made.references.reference_energies_eV["Fe"] == pytest.approx(VALUES["Fe"] + 2.2)


def test_missing_phases_are_named():
    with pytest.raises(ValueError, match=r"need Co \(not among the phases given\)"):
        reference_set(computed([*OXIDES, "Fe", "O2"]), "elements")
    with pytest.raises(ValueError, match="two oxides of one cation"):
        oxygen_ladder([CompoundEnergy(formula="CoO", model_energy_eV=0, formation_energy_eV=0)])
    with pytest.raises(ValueError, match="do not fix all of Co, Fe"):
        reference_set(computed(["Fe2O3", "Fe3O4", "CoFe2O4"]), "redox ladder")


def test_mixed_energies_are_refused_and_named():
    mixed = computed(OXIDES)
    mixed.energies[2].provenance = tag(hubbard_U_eV={})
    with pytest.raises(ValueError, match=r"CoO and FeO do not go together.*hubbard_U_eV"):
        reference_set(mixed, "fitted")
    other = {"host": tag(), "V_Fe(B)": tag(functional="PBEsol")}
    with pytest.raises(ValueError, match=r"host and V_Fe.B. do not go together.*functional"):
        require_consistent(other)
    half = apply_mp2020(computed(["CoO"]).energies)[0].provenance
    with pytest.raises(ValueError, match="corrected by none, CoO by MP2020"):
        require_consistent({"host": tag(), "CoO": half})
    require_consistent({"host": tag(), "measured": Provenance(engine="experiment", level_of_theory="experiment")})


def test_mp2020_joins_metals_and_oxides_and_reaches_the_defect_cell():
    cells = [
        ComputedEnergy(formula="Co8Fe16O32", energy_eV=-400.0, provenance=tag()),
        ComputedEnergy(formula="Co8Fe15O32", energy_eV=-390.0, provenance=tag()),
        ComputedEnergy(formula="Fe", energy_eV=-8.3, provenance=tag(hubbard_U_eV={})),
        ComputedEnergy(formula="Li2O2", energy_eV=-19.0, oxide_type="peroxide", provenance=tag(hubbard_U_eV={})),
    ]
    host, defect, metal, peroxide = apply_mp2020(cells)
    assert host.correction_eV == pytest.approx(-32 * 0.687 - 16 * 2.256 - 8 * 1.638, abs=0.02)
    assert metal.correction_eV == 0.0
    # Correcting the host alone, or nothing, puts the iron vacancy off by the cation's correction.
    change = (defect.energy_eV - host.energy_eV) - (cells[1].energy_eV - cells[0].energy_eV)
    assert change == pytest.approx(2.256, abs=1e-3)
    assert peroxide.correction_eV == pytest.approx(-2 * 0.465, abs=1e-3)
    require_consistent({e.formula: e.provenance for e in (host, defect, metal, peroxide)})


# Per atom in an oxide, eV (Wang et al., 10.1038/s41598-021-94550-5).
MP2020_eV = {"O": -0.687, "Fe": -2.256, "Co": -1.638, "Li": 0.0}


def uncorrected(formulas):
    """Energies that MP2020 turns into the measured enthalpies: PBE+U oxides without their corrections, PBE elements."""
    made = computed(formulas)
    for e in made.energies:
        if len(e.composition) > 1:
            e.energy_eV -= sum(n * MP2020_eV[el] for el, n in e.composition.items())
        else:
            e.provenance = tag(hubbard_U_eV={})
    return made


def test_mp2020_is_a_mode_from_phases_to_formation_energies():
    """PBE metals beside PBE+U oxides: the measured window, and each vacancy with its own correction."""
    phases = uncorrected([*OXIDES, "Fe", "Co", "O2"])
    with pytest.raises(ValueError, match=r"do not go together.*hubbard_U_eV"):
        reference_set(phases, "elements")
    made = reference_set(phases, "MP2020")
    window = stability_window("CoFe2O4", made.phases)
    assert window.delta_mu_O_min_eV == pytest.approx(-2.622, abs=0.001)
    assert window.delta_mu_O_max_eV == pytest.approx(-1.254, abs=0.001)
    assert made.references.reference_energies_eV == pytest.approx({k: VALUES[k] for k in ("Co", "Fe", "O")})
    assert "O2 at 298 K, 0.045 eV per O above that of the gas" in made.references.note
    assert made.references.note.startswith("references are the computed elements, corrected by MP2020")
    host = ComputedEnergy(formula="Co8Fe16O32", energy_eV=-400.0, provenance=tag())
    raw = [
        VacancyFormation(label=f"V_{el}", removed={el: 1}, energy_difference_eV=10.0, provenance=tag())
        for el in ("Fe", "Co", "O")
    ]
    with pytest.raises(ValueError, match="corrected by none and by MP2020"):
        formation_lines(raw, window, made.references)
    defects = mp2020_defects(raw, host)
    assert [d.energy_difference_eV - 10.0 for d in defects] == pytest.approx([2.256, 1.638, 0.687], abs=1e-3)
    lines = formation_lines(defects, window, made.references, n=2)
    oxygen = next(line for line in lines.lines if line.label == "V_O")
    assert oxygen.low_eV[0] == pytest.approx(10.687 + VALUES["O"] + window.delta_mu_O_min_eV, abs=1e-3)
    assert not any(line.indicative for line in lines.lines)
    with pytest.raises(ValueError, match=r"the host and V_Fe do not go together.*functional"):
        mp2020_defects([d.model_copy(update={"provenance": tag(functional="PBEsol")}) for d in raw], host)


def test_correction_schemes_are_never_mixed():
    """A scheme is part of an energy wherever energies are added: window, references, formation energies, levels."""
    plain, other = tag(), tag(settings={"correction_scheme": "other"})
    window = stability_window("CoFe2O4", load_experimental_phases(["Co", "Fe", "O"]))
    defects = [
        VacancyFormation(label=name, removed={"O": 1}, energy_difference_eV=10.0, provenance=p)
        for name, p in (("a", plain), ("b", other))
    ]
    message = "corrected by none and by other must not be combined"
    with pytest.raises(ValueError, match=message):
        formation_lines(defects, window, ReferenceEnergies(VALUES, provenance=plain))
    with pytest.raises(ValueError, match=message):
        charge_lines(defects, None, window, ReferenceEnergies(VALUES, provenance=plain), at(window, -1.8))
    phases = reference_set(computed(OXIDES), "redox ladder").phases
    phases[0].provenance = other
    with pytest.raises(ValueError, match="corrected by other and by none must not be combined"):
        stability_window("CoFe2O4", phases)
    compounds = [
        CompoundEnergy(formula=f, model_energy_eV=-10.0, formation_energy_eV=-2.0, provenance=p)
        for f, p in (("CoO", plain), ("Co3O4", other))
    ]
    with pytest.raises(ValueError, match=message):
        fit_species_energies(compounds)


def test_elements_may_have_an_engine_of_their_own():
    """The metals of the mode MP2020 are computed without U: another engine for them, and for nothing else."""
    oxides, metals = RecordingEngine(), RecordingEngine()
    CompetingPhasesMaker(engine=oxides, elements_engine=metals).make(["Fe", "O"], ["Fe", "O2", "FeO", "Fe2O3"])
    assert metals.relaxed == ["Fe relax", "O2 relax"]
    assert oxides.relaxed == ["FeO relax", "Fe2O3 relax"]


@pytest.mark.parametrize(
    ("formula", "change", "message"),
    [
        ("CoO", {"functional": "r2SCAN"}, "fitted to PBE"),
        ("CoO", {"hubbard_U_eV": {"Co": 4.0}}, "Invalid U value of 4.0 on Co"),
        ("Fe2O3", {"hubbard_U_eV": {}}, "Invalid U value of 0.0 on Fe"),
        ("Fe", {}, "element with U"),
    ],
)
def test_mp2020_refuses_what_it_was_not_fitted_to(formula, change, message):
    with pytest.raises(ValueError, match=message):
        apply_mp2020(computed([formula], **change).energies)
    with pytest.raises(ValueError, match="corrected already"):
        apply_mp2020(apply_mp2020(computed(["CoO"]).energies))


@pytest.mark.slow
def test_local_engine_computes_its_oxides_and_says_what_it_cannot():
    from jobflow import run_locally

    flow = CompetingPhasesMaker(engine=get_engine("local")).make(["Fe", "Li", "O"])
    made = run_locally(flow, log=False)[flow.jobs[-1].uuid][1].output
    assert {"Fe", "Li", "O2", "Li2O2"} <= set(made.left_out)
    assert all("local" in reason for reason in made.left_out.values())
    references = reference_set(made, "fitted")
    assert references.references.degrees_of_freedom >= 1
    assert {p.formula for p in references.phases} >= {"LiFe5O8", "LiFeO2", "Fe2O3", "Li2O"}
    with pytest.raises(ValueError, match="references from elements need"):
        reference_set(made, "elements")


def test_an_engine_that_can_do_none_is_refused():
    with pytest.raises(CannotDoError, match="can describe none"):
        CompetingPhasesMaker(engine=get_engine("local")).make(["Fe"])
