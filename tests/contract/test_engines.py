"""What every engine keeps, of every host that it can describe; a new engine or host is a row more."""

import importlib.util
import json
from dataclasses import replace

import numpy as np
import pytest
from jobflow import run_locally
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.structures.host import get_host, host_keys
from magnetoionics.workflows.engine import CAPABILITIES, engine_names, get_engine
from magnetoionics.workflows.errors import CannotDoError
from monty.json import MontyDecoder, MontyEncoder

OWN = "ase:screened_ions:ScreenedIons"
PACKAGES = {
    "chgnet": "chgnet",
    "sevennet": "sevenn",
    "diep": "diep",
    "softbv": "bvlain",
    "gpaw": "gpaw",
    "vasp": "atomate2",
}
NAMES = [OWN if name == "ase" else name for name in engine_names()]
# A single point of the others takes minutes, or a cluster.
QUICK = [name for name in NAMES if name not in ("gpaw", "vasp")]
# eV/A; potentials of single precision cannot do better.
FORCE_ERROR = {"local": 1e-4, "softbv": 1e-4, OWN: 1e-4}
# Directions of E(n), each with the one against it.
UPWARDS = [[0.0, 0.0, 1.0], [0.6, 0.48, 0.64], [-0.8, 0.36, 0.48]]


@pytest.fixture(params=NAMES)
def engine(request):
    package = PACKAGES.get(request.param)
    if package and importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    return get_engine(request.param)


@pytest.fixture(scope="module")
def ferrite():
    return get_host("cofe2o4:primitive").structure()


def run(job):
    return next(iter(run_locally(job, log=False, ensure_success=True)[job.uuid].values())).output


def can_describe(key):
    """Whether the engine `local` knows the ions of a host."""
    try:
        get_engine("local").check(get_host(key).structure())
    except CannotDoError:
        return False
    return True


def call(engine, capability, cell):
    """The method of a capability with the least that it takes."""
    methods = {
        "relax": lambda: engine.relax(cell, name="x"),
        "static": lambda: engine.static(cell, name="x"),
        "band": lambda: engine.band(cell, cell, [], mover=0, name="x"),
        "spin_orbit": lambda: engine.spin_orbit(cell, directions=UPWARDS, state="x", name="x"),
        "references": lambda: engine.references(["CoO", "Fe2O3"], name="x"),
        "charged": lambda: engine.charged(cell, 1, relax=False, name="x"),
        "dielectric": lambda: engine.dielectric(cell, name="x"),
    }
    return methods[capability]()


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_what_it_cannot_it_refuses_with_its_reason_and_the_rest_it_does(engine, ferrite, capability):
    reason = engine.missing().get(capability)
    if reason is None:
        engine.require(capability)
        assert call(engine, capability, ferrite).output is not None
        return
    assert len(reason.split()) > 2
    with pytest.raises(CannotDoError, match=f"{engine.name} cannot do {capability}"):
        engine.require(capability)
    with pytest.raises(CannotDoError):
        call(engine, capability, ferrite)


def test_it_is_the_same_after_json(engine):
    text = json.dumps(engine, cls=MontyEncoder)
    again = json.loads(text, cls=MontyDecoder)
    assert (type(again), again) == (type(engine), engine)
    assert json.dumps(again, cls=MontyEncoder) == text


def test_its_provenance_is_whole(engine):
    made = engine.provenance(["a thing left out"])
    assert made.engine.startswith(engine.name)
    assert made.level_of_theory == engine.level_of_theory
    assert "a thing left out" in made.left_out
    assert made.versions
    assert all(made.versions.values())
    assert made.settings
    assert Provenance.model_validate_json(made.model_dump_json()) == made


def shaken(cell, distance_A, seed=4):
    """Every site moved by a distance, the same way in every run."""
    made = cell.copy()
    for n, vector in enumerate(np.random.default_rng(seed).normal(size=(len(made), 3))):
        made.translate_sites([n], distance_A * vector / np.linalg.norm(vector), frac_coords=False, to_unit_cell=False)
    return made


def shaken_and_mixed(cell, seed=3):
    """Sites moved by 0.05 A and in another order."""
    made = shaken(cell, 0.05)
    order = np.random.default_rng(seed).permutation(len(made))
    return made, made.from_sites([made[int(i)] for i in order]), order


def along(engine, cell, step, size=0.004):
    """-dE/ds along a displacement of all ions, by central difference, and the forces there."""
    energies = []
    for sign in (1, -1):
        moved = cell.copy()
        for n, vector in enumerate(step):
            moved.translate_sites([n], sign * size * vector, frac_coords=False, to_unit_cell=False)
        energies.append(run(engine.static(moved, name="x")).energy_eV)
    return -(energies[0] - energies[1]) / (2 * size)


@pytest.mark.parametrize("engine", QUICK, indirect=True)
def test_forces_are_minus_the_slope_and_sites_keep_their_order(engine, ferrite):
    cell, mixed, order = shaken_and_mixed(ferrite)
    done, other = run(engine.static(cell, name="x")), run(engine.static(mixed, name="x"))
    error = FORCE_ERROR.get(f"{OWN}" if engine.name == "ase" else engine.name, 0.02)
    step = np.random.default_rng(5).normal(size=(len(cell), 3))
    step /= np.linalg.norm(step)
    assert along(engine, cell, step) == pytest.approx(float(np.sum(step * done.forces_eV_per_A)), abs=error)
    assert other.energy_eV == pytest.approx(done.energy_eV, abs=1e-4)
    assert np.array(other.forces_eV_per_A) == pytest.approx(np.array(done.forces_eV_per_A)[order], abs=1e-3)
    assert done.provenance == engine.provenance()
    relaxed = run(replace(engine, max_steps=2).relax(mixed, name="x")).structure
    assert [s.specie for s in relaxed] == [s.specie for s in mixed]
    assert relaxed.site_properties["sublattice"] == mixed.site_properties["sublattice"]
    assert max(a.distance(b) for a, b in zip(relaxed, mixed, strict=True)) < 0.5


@pytest.mark.parametrize("key", filter(can_describe, host_keys()))
def test_of_every_host_the_local_forces_are_the_slope_and_reversed_moments_cost_nothing(key):
    engine, host = get_engine("local"), get_host(key)
    missing = engine.cannot_with(host.structure())
    cell = shaken(host.structure(), 0.03)
    step = np.random.default_rng(7).normal(size=(len(cell), 3))
    step /= np.linalg.norm(step)
    forces = run(engine.static(cell, name="x")).forces_eV_per_A
    assert along(engine, cell, step) == pytest.approx(float(np.sum(step * forces)), abs=2e-4)
    if "spin_orbit" not in missing:
        map_ = run(engine.spin_orbit(cell, directions=[*UPWARDS, *(-np.array(UPWARDS)).tolist()], state="x", name="x"))
        energies = np.array(map_.energies_meV)
        assert np.ptp(energies[:3]) > 1e-6
        assert energies[:3] == pytest.approx(energies[3:], abs=1e-6 * max(1.0, np.abs(energies).max()))
