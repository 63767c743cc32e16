"""Studies of known energies: numbers whose consequences are known in closed form."""

from __future__ import annotations

import numpy as np
from magnetoionics.analysis.builder.build import build_study
from magnetoionics.analysis.builder.inputs import StudyInputs
from magnetoionics.analysis.defects.charge_corrections import point_charge_correction
from magnetoionics.analysis.defects.charge_states import BandEdges
from magnetoionics.analysis.defects.charged_cells import ChargedVacancies, ChargedVacancy
from magnetoionics.analysis.defects.vacancies import VacancySet, VacancyState
from magnetoionics.analysis.results.calculation import Calculation
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.thermodynamics.computed_phases import ComputedPhases
from magnetoionics.analysis.thermodynamics.energy_corrections import ComputedEnergy
from magnetoionics.analysis.thermodynamics.phases import formula_composition, load_experimental_phases
from magnetoionics.structures.defects.kind import built_defect, distinct_defects
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.flows.plan import plan_stages
from magnetoionics.workflows.flows.study import MagnetoionicStudyMaker

ELEMENT_eV = {"Co": -7.0, "Fe": -8.3, "Li": -1.9, "O": -4.9}
TAG = Provenance(engine="vasp", level_of_theory="VASP", functional="PBE", hubbard_U_eV={"Co": 3.32, "Fe": 5.3})
# No measured value of LiFe5O8 is in use: a known one, stable by 0.1 eV against 2 Fe2O3 + LiFeO2, from O2 at 0 K.
KNOWN_eV = {"LiFe5O8": -24.598}
CFO, LFO = ["CoO", "Co3O4", "FeO", "Fe2O3", "Fe3O4"], ["FeO", "Fe2O3", "Fe3O4", "Li2O", "Li2O2", "LiFeO2"]


def energy(formula, shift_eV=0.0, **change):
    measured = {p.formula: p.formation_energy_eV for p in load_experimental_phases(ELEMENT_eV)} | KNOWN_eV
    value = measured[formula] + sum(n * ELEMENT_eV[el] for el, n in formula_composition(formula).items())
    kind = "peroxide" if formula == "Li2O2" else "oxide"
    tag = TAG.model_copy(update=change)
    return ComputedEnergy(formula=formula, energy_eV=value + shift_eV, oxide_type=kind, provenance=tag)


def phases(formulas, **change):
    return ComputedPhases(energies=[energy(f, **change) for f in formulas])


def one(name, cell, energy_eV):
    return Calculation(
        name=name, structure=cell, energy_eV=energy_eV, max_force_eV_per_A=0.0, force_calls=1, total_moment_muB=20.0,
        provenance=TAG,
    )  # fmt: skip


def known_study(key, formulas, shift_eV=0.0, charged=None):
    host = get_host(key)
    cell = host.structure()
    units = cell.composition[host.anion] / host.anions_per_formula
    bulk = one("bulk", cell, units * energy(host.formula, shift_eV).energy_eV)
    empty = VacancyState(
        label="V_O(O)", element="O", sublattice="O", multiplicity=32, near_cations=None,
        calculation=one("V_O", cell, bulk.energy_eV + 8.0),
    )  # fmt: skip
    engine = (
        MagnetoionicStudyMaker.quick(get_engine("local"))
        .engine_result(cell)
        .model_copy(update={"name": "vasp", "level_of_theory": "VASP"})
    )
    asked = ["vacancies", "competing phases"]
    outputs = {
        "host": {host.orders[0]: bulk},
        "vacancies": VacancySet(host=bulk, vacancies=[empty]),
        "competing phases": phases(formulas),
        "charged defects": charged,
    }
    planned = plan_stages(get_engine("local"), host, host.orders[0], asked)
    return build_study(StudyInputs(key, host.orders[0], engine, planned, outputs))


def charge_states():
    """Neutral and doubly charged V_O of CoFe2O4 with cells, levels and a density of states, all invented."""
    cell = get_host("cofe2o4").structure()
    energies = np.linspace(-4.0, 9.0, 2601)
    states = np.where((energies < 3.2) | (energies > 4.6), 30.0, 0.0)
    edges = BandEdges(
        vbm_eV=3.2, gap_eV=1.4, dos_energies_eV=energies.tolist(), dos_states_per_eV=states.tolist(),
        dos_volume_A3=cell.volume, source="invented", provenance=TAG,
    )  # fmt: skip
    one = distinct_defects(cell, ["V_O"])[0]
    return ChargedVacancies(
        edges=edges,
        states=[
            ChargedVacancy(
                label=one.label, element="O", sublattice="O", multiplicity=one.multiplicity, charge=q,
                energy_difference_eV=energy, total_moment_muB=20.0, structure=built_defect(cell, one), provenance=TAG,
                corrections=[point_charge_correction(q, cell.lattice.matrix, 12.0)] if q else [],
            )
            for q, energy in ((0, 9.6), (2, 2.0))
        ],
    )  # fmt: skip
