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


def test_states_along_the_hop_are_those_that_the_engine_found(hop_and_band):
    """A Co that closes its shell at the saddle and is Co2+ again after it; without moments nothing is said."""
    hop, band = hop_and_band
    assert all(p.total_moment_muB is None and not p.changed_ions for p in read(hop, band).images)
    start = [0.9 * m for m in band.images[0].structure.site_properties["magmom"]]
    co = next(i for i, s in enumerate(band.images[0].structure) if s.specie.symbol == "Co")
    top = max(range(len(band.images)), key=lambda k: band.images[k].energy_eV)
    closed = [0.05 if i == co else m for i, m in enumerate(start)]
    images = [
        image.model_copy(update={"site_moments_muB": closed if k == top else start})
        for k, image in enumerate(band.images)
    ]
    made = read(hop, band.model_copy(update={"images": images}))
    assert [len(p.changed_ions) for p in made.images] == [int(k == top) for k in range(len(images))]
    (ion,) = made.images[top].changed_ions
    assert (ion.site, ion.suggests) == (co, "Co3+ low spin")
    between = images[top].structure.get_distance(co, band.mover)
    assert ion.distance_A == pytest.approx(between)
    assert made.images[0].total_moment_muB == pytest.approx(sum(start))
    assert made.images[top].total_moment_muB == pytest.approx(sum(start) - start[co] + 0.05)
    frame = made.to_dataframe()
    assert list(frame["ions_that_changed"]).count("none found") == len(images) - 1
    assert frame["ions_that_changed"][top] == f"1 Co({ion.sublattice}) -> Co3+ low spin"
