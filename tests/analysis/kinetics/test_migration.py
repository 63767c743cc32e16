"""A real band whose ends are mirror images: what symmetry demands of barriers and fields."""

from operator import add, truediv

import numpy as np
import pytest
from jobflow import Flow, JobStore, job
from maggma.stores import MemoryStore
from magnetoionics.analysis.kinetics.migration import migration_from_band
from magnetoionics.analysis.results.calculation import Check
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.structures.defects.hops import distinct_hops
from magnetoionics.structures.defects.vacancies import distinct_vacancies
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import CannotDoError, UnknownEngineError, get_engine

FIELDS = (0.0, 0.01, -0.01, 0.05, -0.05)


@pytest.fixture(scope="module")
def hop_and_band():
    """Fe -> V_Fe(B) in the normal spinel, where a mirror and a twofold axis exchange the two states."""
    cell = get_host("cofe2o4").structure("normal")
    (vacancy,) = distinct_vacancies(cell, "Fe", "B")
    (hop,) = distinct_hops(cell, vacancy.index, vacancy.label, "Fe", "B", 3.3)
    made = get_engine("local").band(hop.initial, hop.final, hop.intermediates, mover=hop.mover, name="band")
    store = JobStore(MemoryStore())
    store.connect()
    summary = LocalRunner(store).run(Flow([made]))
    assert summary.finished, summary.failed
    return hop, made.output.resolve(store)


def read(hop, band):
    return migration_from_band(
        band,
        label="Fe -> V_Fe(B)",
        ion=hop.ion,
        host_site=hop.from_sublattice,
        vacancy=hop.vacancy,
        displacement_A=hop.displacement_A,
        multiplicity=hop.multiplicity,
        relation=hop.relations,
        fields_V_per_A=FIELDS,
    )


def test_mirror_hop_has_equal_ends_and_equal_barriers(hop_and_band):
    result = read(*hop_and_band)
    assert result.converged
    assert result.relation == ["mirror", "twofold axis"]
    assert result.forward_eV == pytest.approx(result.backward_eV, abs=2e-3)
    assert any("exchanged by the host" in c.name and c.passed for c in result.checks)


def test_mirror_path_under_the_reversed_field_swaps_the_barriers(hop_and_band):
    rows = {round(f.field_V_per_m * 1e-10, 3): f for f in read(*hop_and_band).field}
    for strength in (0.01, 0.05):
        assert rows[strength].forward_eV == pytest.approx(rows[-strength].backward_eV, abs=2e-3)
        assert rows[strength].delta_eV == pytest.approx(-rows[-strength].delta_eV, abs=2e-3)


def test_dipole_is_odd_about_the_middle_of_a_mirror_path(hop_and_band):
    hop, band = hop_and_band
    unit = np.array(hop.displacement_A) / hop.distance_A
    along = band.dipoles_e_A @ unit
    assert along + along[::-1] == pytest.approx(along[-1], abs=0.02)


def test_unequal_ends_of_a_mirror_hop_fail_the_check(hop_and_band):
    hop, band = hop_and_band
    wrong = band.model_copy(deep=True)
    wrong.images[-1].energy_eV += 0.05
    result = read(hop, wrong)
    assert not result.converged


def test_failed_check_of_the_band_is_passed_on(hop_and_band):
    hop, band = hop_and_band
    bad = band.model_copy(deep=True)
    bad.checks.append(Check(name="known", passed=False))
    assert not read(hop, bad).converged


def test_engine_says_what_it_cannot_do_and_unknown_engines_are_refused():
    engine = get_engine("local")
    engine.require("band")

    class Mute(type(engine)):
        def cannot(self):
            return {"spin_orbit": "no electrons"}

    with pytest.raises(CannotDoError, match="no electrons"):
        Mute().require("spin_orbit")
    with pytest.raises(UnknownEngineError, match="local"):
        get_engine("dft++")


def test_failed_job_stops_only_what_depends_on_it():
    bad = job(truediv)(1, 0)
    child, other = job(add)(bad.output, 1), job(add)(2, 1)
    store = JobStore(MemoryStore())
    store.connect()
    events = []
    summary = LocalRunner(store, events.append).run(Flow([bad, child, other]))
    assert not summary.finished
    assert sorted(e.state for e in events if e.name == "add" and e.state != "running") == ["done", "skipped"]
    assert other.output.resolve(store) == 3
    assert summary.failed["truediv"].startswith("ZeroDivisionError")
