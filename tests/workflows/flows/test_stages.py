"""A study by stages: what an engine or a host cannot do is left out with its reason, the rest is computed."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from jobflow import JobStore
from jobflow.managers.local import run_locally
from maggma.stores import MemoryStore
from magnetoionics.analysis.magnetism.anisotropy import AnisotropyMap
from magnetoionics.analysis.magnetism.directions import lebedev_directions
from magnetoionics.analysis.report.page import report_html
from magnetoionics.analysis.study.documents import Study
from magnetoionics.structures.defects.initial_states import start_labels, started
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import CannotDoError, get_engine
from magnetoionics.workflows.engines.local import LocalEngine
from magnetoionics.workflows.flows.hop_spread import MOST_HOPS, _chosen, _numbers
from magnetoionics.workflows.flows.plan import plan_stages
from magnetoionics.workflows.flows.study import MagnetoionicStudyMaker
from undrawn_studies import run_study


@dataclass
class NoSpinOrbit(LocalEngine):
    """The embedded engine without E(n)."""

    name: ClassVar[str] = "no spin-orbit"

    def cannot(self):
        return {"spin_orbit": "scalar energies only"}


@dataclass
class RelaxOnly(LocalEngine):
    """An engine that can relax and nothing else."""

    name: ClassVar[str] = "relax only"

    def cannot(self):
        return dict.fromkeys(("static", "band", "spin_orbit", "references"), "not written")


def plan(engine, key="cofe2o4", order=None, requested=None):
    host = get_host(key)
    return {s.stage: s for s in plan_stages(engine, host, order or host.orders[0], requested)}


def test_everything_is_done_where_everything_is_possible():
    planned = plan(get_engine("local"))
    # Competing phases are left to engines that can order oxides.
    assert [k for k, s in planned.items() if not s.done] == ["competing phases"]


def test_missing_capability_leaves_out_its_stage_alone():
    planned = plan(NoSpinOrbit())
    assert [k for k, s in planned.items() if not s.done] == ["competing phases", "anisotropy"]
    assert "scalar energies only" in planned["anisotropy"].reason


def test_stage_asked_for_by_name_is_refused_if_it_cannot_be_done():
    with pytest.raises(ValueError, match="scalar energies only"):
        plan(NoSpinOrbit(), requested=["anisotropy"])
    with pytest.raises(ValueError, match="unknown stage 'magic'; stages: host, vacancies"):
        plan(NoSpinOrbit(), requested=["magic"])


def test_engine_that_can_do_nothing_but_the_host_is_refused_for_a_whole_study():
    with pytest.raises(CannotDoError, match="not written"):
        plan(RelaxOnly())
    assert plan(RelaxOnly(), requested=["host"])["host"].done


def test_order_without_the_mover_has_vacancies_but_no_hop():
    planned = plan(get_engine("local"), order="normal")
    assert planned["vacancies"].done
    assert planned["migration"].reason == "order normal of cofe2o4 has no Co on B, which its hop needs"


def test_unknown_enthalpy_leaves_out_only_the_potentials():
    planned = plan(get_engine("local"), "life5o8")
    assert planned["vacancies"].done
    assert planned["migration"].done
    assert "no formation energy of LiFe5O8" in planned["chemical potentials"].reason


def read(folder):
    return Study.model_validate_json((folder / "results.json").read_text())


def test_vacancies_alone(tmp_path):
    folder = run_study("cofe2o4", quick=True, output=tmp_path / "v", stages=["vacancies"])
    study = read(folder)
    assert study.chemical_potentials is not None
    assert study.vacancies
    assert not study.migration
    assert study.retention is study.anisotropy is study.unidirectional is None
    assert study.not_done("migration") == "not asked for"
    claims = {c.id: c for c in study.claims}
    assert claims["C5"].verdict != "not computed"
    assert claims["C8"].verdict == "not computed"
    assert "no migration" in claims["C8"].reason
    assert not (folder / "bands").exists()
    assert "Not computed: migration (not asked for)" in report_html(study)


def test_lithium_ferrite_vacancies_and_hop(tmp_path):
    study = read(run_study("life5o8", quick=True, output=tmp_path / "l", stages=["vacancies", "migration"]))
    assert study.host.moment_per_formula_muB == pytest.approx(5.0)
    changes = {v.label: v.moment_change_muB for v in study.vacancies}
    # Neel: an A ion points down, a B ion up, Li and O carry none.
    assert changes["V_Fe(A)"] == pytest.approx(5.0)
    assert changes["V_Fe(B)"] == pytest.approx(-5.0)
    assert changes["V_Li(B)"] == pytest.approx(0.0)
    # Two kinds of oxygen, 8c and 24e.
    oxygen = [v for v in study.vacancies if v.element == "O"]
    assert sorted(v.multiplicity for v in oxygen) == [8, 24]
    assert [v.moment_change_muB for v in oxygen] == pytest.approx([0.0, 0.0])
    assert all(v.oxygen_rich is None for v in study.vacancies)
    (hop,) = study.migration
    assert hop.ion == "Li"
    assert hop.converged
    assert study.retention.barrier_eV == hop.backward_eV
    assert study.vibrations is None
    assert study.retention.attempt_frequency_source == "assumed"
    assert study.retention.attempt_frequency_Hz == 1e13
    assert "is assumed: vibrations of the hop were not computed" in report_html(study)


class NotQuick(LocalEngine):
    quick_forces: ClassVar[bool] = False


def test_vibrations_are_asked_of_a_slow_engine_by_name_only():
    assert "only if named" in plan(NotQuick())["vibrations"].reason
    assert plan(NotQuick(), requested=["migration", "vibrations"])["vibrations"].done
    assert plan(get_engine("local"), requested=["migration"])["vibrations"].reason == "not asked for"
    with pytest.raises(ValueError, match="those of the hop of the stage migration"):
        plan(get_engine("local"), requested=["vibrations"])


def test_anisotropy_of_the_host_alone(tmp_path):
    study = read(run_study("cofe2o4", quick=True, output=tmp_path / "a", stages=["anisotropy"]))
    assert [m.state for m in study.anisotropy.maps] == ["pristine"]
    assert study.unidirectional is None
    assert "Only the host" in report_html(study)


def test_maghemite_does_not_borrow_the_window_of_hematite():
    reason = plan(get_engine("local"), "gamma_fe2o3")["chemical potentials"].reason
    assert "hematite" in reason


def test_anisotropy_counts_the_host_s_formula_units(tmp_path):
    study = read(run_study("life5o8", quick=True, output=tmp_path / "u", stages=["anisotropy"]))
    (pristine,) = study.anisotropy.maps
    assert pristine.formula_units == 4
    assert pristine.formula_units * study.host.volume_per_formula_A3 == pytest.approx(pristine.cell_volume_A3)


def test_maps_of_vacancies_are_planned_and_refused():
    maker = replace(
        MagnetoionicStudyMaker.quick(get_engine("local"), ["vacancies", "anisotropy"]), vacancy_maps=["V_O(2)"]
    )
    names = [j.name for j, _ in maker.make("life5o8").iterflow()]
    assert "E(n) V_O(2)" in names
    assert "E(n) V_O(1)" not in names
    with pytest.raises(ValueError, match=r"no vacancy V_O to map; this study computes .*V_O\(1\)"):
        replace(maker, vacancy_maps=["V_O"]).plan("life5o8")
    with pytest.raises(ValueError, match="need the stages vacancies and anisotropy"):
        replace(maker, stages=["anisotropy"]).plan("life5o8")


def test_ferrous_ions_beside_an_oxygen_vacancy_carry_the_anisotropy():
    """V_O of lithium ferrite leaves two electrons: 2 Fe2+ of 20 Fe, with a hundred times the anisotropy of the Fe3+."""
    cell = get_host("life5o8").structure()
    oxygen = next(i for i, s in enumerate(cell) if s.specie.symbol == "O")
    (start,) = [s for s in start_labels(cell, oxygen, ("localised",)) if s.label == "2 Fe2+(B)"]
    engine = LocalEngine(charge_mode="explicit")
    directions = lebedev_directions(5).vectors.tolist()
    maps = []
    for structure in (cell, started(cell, oxygen, start)):
        made = engine.spin_orbit(structure, directions=directions, state="x", name="E(n)")
        found = run_locally(made, store=JobStore(MemoryStore()), log=False)
        maps.append(AnisotropyMap.model_validate(found[made.uuid][1].output))
    assert [m.ions for m in maps] == ["20 Fe3+", "2 Fe2+, 18 Fe3+"]
    assert np.ptp(maps[1].energies) > 50 * np.ptp(maps[0].energies)
    assert np.abs(maps[1].even_odd()[1]).max() < 1e-9
    assert "those that its start chose" in " ".join(maps[1].provenance.left_out)


def test_a_spread_that_is_too_dear_takes_hops_of_every_order_and_counts_the_rest():
    host = get_host("fe3o4")
    absent: list[str] = []
    known = {order: _numbers(host, order, (1, 1, 1), absent) for order in host.orders}
    absent.clear()
    known = {order: found for order, found in known.items() if found}
    assert len(known) > 1
    taken = _chosen(known, absent)
    assert len(taken) == MOST_HOPS
    assert {order for order, _ in taken} == set(known)
    left = sum(len(found) for found in known.values()) - MOST_HOPS
    assert sum(int(line.partition(": ")[2].split()[0]) for line in absent) == left
