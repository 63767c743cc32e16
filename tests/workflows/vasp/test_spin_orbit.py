"""E(n) on the emulator: the map is the ligand field's, whichever way the moments are turned, and faults are caught."""

from types import SimpleNamespace

import numpy as np
import pytest
from magnetoionics.analysis.builder.attempts import Attempts
from magnetoionics.analysis.builder.inputs import sound_maps

pytest.importorskip("atomate2", reason="the engine vasp needs atomate2")

from magnetoionics.analysis.magnetism.anisotropy import AnisotropyMap
from magnetoionics.analysis.results.calculation import Check, invalid_because
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.flows.anisotropy import AnisotropyMaker, collect_maps
from magnetoionics.workflows.vasp.anisotropy_map import map_of_directions
from magnetoionics.workflows.vasp.settings import SpinOrbitSettings, VaspSettings
from magnetoionics.workflows.vasp.spin_orbit import DirectionEnergy, axis_frame, direction_inputs
from vasp_emulator.cobalt_model import cobalt_energies
from vasp_running import engine, run

# Two axes and their opposites: closed under time reversal, few enough to be quick.
DIRECTIONS = [[0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [0.6, 0.8, 0.0], [-0.6, -0.8, 0.0]]


@pytest.fixture(scope="module")
def cell():
    return get_host("cofe2o4").structure()


def make_map(cell, folder, directions=DIRECTIONS, **options) -> AnisotropyMap:
    settings = VaspSettings(kpoint_mesh=(2, 2, 2))
    made = engine(settings, anisotropy=SpinOrbitSettings(**options))
    return run(made.spin_orbit(cell, directions=directions, state="pristine", name="E(n)"), folder)


def test_frame_is_a_rotation_onto_saxis():
    for axis in np.random.default_rng(2).normal(size=(20, 3)):
        frame = axis_frame(axis)
        assert np.allclose(frame @ frame.T, np.eye(3))
        assert np.linalg.det(frame) == pytest.approx(1)
        assert np.allclose(frame @ [0, 0, 1], axis / np.linalg.norm(axis))


def test_both_frames_hold_the_same_moments(cell):
    for start in ("density", "atoms"):
        incar, moments = direction_inputs(cell, VaspSettings(), SpinOrbitSettings(), [0.6, 0.0, 0.8], start)
        cartesian = np.array(moments) @ axis_frame(incar["SAXIS"]).T
        assert np.allclose(cartesian, np.outer(cell.site_properties["magmom"], [0.6, 0.0, 0.8]))
        assert incar["ISYM"] == -1
        assert incar["EDIFF"] <= 1e-7
        assert incar["LMAXMIX"] == 4


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [{"starts": ("density", "atoms")}, {"self_consistent": False}], ids=["scf", "force"]
)
def test_map_is_the_models(cell, tmp_path, options):
    found = make_map(cell, tmp_path, **options)
    assert invalid_because(found.checks) == []
    atoms = to_atoms(cell)
    model = 1000.0 * cobalt_energies(atoms, get_engine("local").formal_charges(atoms, None), DIRECTIONS).sum(axis=0)
    assert found.energies_meV == pytest.approx(model - model.min(), abs=2e-5)
    assert np.ptp(found.energies_meV) > 0.1
    orbital = np.array(found.orbital_moments_muB)
    cobalt = [s.specie.symbol == "Co" for s in cell]
    assert orbital.shape == (len(DIRECTIONS), len(cell))
    assert (orbital[:, cobalt] > 0.1).all()
    assert (orbital[:, np.logical_not(cobalt)] == 0).all()
    assert found.method == ("force theorem" if options.get("self_consistent") is False else "self-consistent")


@pytest.mark.parametrize(
    ("fault", "guard"),
    [
        ("odd", "odd part within the noise"),
        ("tilt", "spins along the direction"),
        ("moments", "moments kept"),
    ],
)
def test_a_map_that_fails_a_guard_is_not_used(cell, tmp_path, monkeypatch, fault, guard):
    monkeypatch.setenv("VASP_EMULATOR_FAULT", fault)
    found = make_map(cell, tmp_path, directions=DIRECTIONS[:2])
    assert any(reason.startswith(guard) for reason in invalid_because(found.checks))
    attempts = Attempts()
    parts = SimpleNamespace(maps=collect_maps.original({"pristine": found}), migration=None)
    assert sound_maps(parts, attempts) is None
    (reason,) = attempts.reasons["anisotropy"]
    assert reason.startswith("E(n) of pristine: no result")
    assert guard in reason


@pytest.mark.parametrize("fault", ["", "penalty"])
def test_held_moments_and_occupation_matrices_reach_the_run(cell, tmp_path, monkeypatch, fault):
    monkeypatch.setenv("VASP_EMULATOR_FAULT", fault)
    radii = {"Fe": 1.302, "Co": 1.302, "O": 0.82}
    matrices = "1 occupation matrix of this emulator\n"
    found = make_map(cell, tmp_path, DIRECTIONS[:2], constrain_eV=10.0, rwigs_A=radii, occupation_matrices=matrices)
    penalty = next(c for c in found.checks if c.name == "penalty of the constraint")
    assert penalty.passed is (fault == "")
    assert penalty.value == pytest.approx(2.5e-8 if fault == "" else 1e-3)
    assert bool(invalid_because(found.checks)) is (fault != "")
    files = list(tmp_path.glob("store/files/*direction*/OCCMATRIX*"))
    # Both directions, and one of them once more in the other frame.
    assert len(files) == 3
    assert found.method == "self-consistent, constrained moments"


def test_flow_of_the_maker_has_one_density_per_state(cell):
    flow = AnisotropyMaker(engine=engine(), lebedev_order=3).make({"pristine": cell, "before": cell})
    names = [job.name for job, _ in flow.iterflow()]
    assert sum("collinear density" in n for n in names) == 2
    assert sum(", from density" in n for n in names) == 2 * 6
    # Of each state one direction once more, from turned moments.
    assert sum(", from atoms" in n for n in names) == 2
    plain = AnisotropyMaker(engine=engine(anisotropy=SpinOrbitSettings(compare_frames=False)), lebedev_order=3)
    assert all(", from atoms" not in job.name for job, _ in plain.make({"pristine": cell}).iterflow())


def direction_of(energy_eV, start, checks=()):
    return DirectionEnergy(
        direction=[0.0, 0.0, 1.0], start=start, energy_eV=energy_eV, spin_muB=[], kpoints=8, kpoint_mesh=[2, 2, 2],
        folder="", checks=list(checks),
    )  # fmt: skip


@pytest.mark.parametrize(("apart_eV", "passed"), [(2e-6, True), (-3e-3, False)])
def test_one_direction_in_both_frames_is_compared_and_not_taken(cell, apart_eV, passed):
    """With U VASP's two ways to turn moments are known to differ; the map keeps to one of them."""
    kept = [direction_of(-5.0, "density"), direction_of(-5.0, "density")]
    kept[1].direction = [0.0, 0.0, -1.0]
    map_ = map_of_directions(
        kept, cell, [], state="pristine", how=SpinOrbitSettings(), provenance=get_engine("local").provenance(),
        second=direction_of(-5.0 + apart_eV, "atoms"), ediff_eV=1e-7,
    )  # fmt: skip
    assert map_.energies_meV == [0.0, 0.0]
    check = next(c for c in map_.checks if c.name == "one direction with SAXIS and with turned moments")
    assert check.passed is passed
    assert check.value == pytest.approx(abs(1000 * apart_eV), rel=1e-6)
    assert not check.invalidates
    errors = {p.source: p.value_meV for p in map_.error_parts}
    assert errors["EDIFF"] == pytest.approx(2e-4)
    assert errors["electronic starts"] == pytest.approx(abs(1000 * apart_eV), rel=1e-6)


def test_a_second_frame_that_failed_a_guard_tells_nothing(cell):
    broken = Check(name="moments kept", passed=False, note="lost")
    kept = [direction_of(-5.0, "density"), direction_of(-5.0, "density")]
    kept[1].direction = [0.0, 0.0, -1.0]
    map_ = map_of_directions(
        kept, cell, [], state="pristine", how=SpinOrbitSettings(), provenance=get_engine("local").provenance(),
        second=direction_of(-9.0, "atoms", [broken]), ediff_eV=None,
    )  # fmt: skip
    assert map_.error_parts == []
    assert next(c for c in map_.checks if "SAXIS" in c.name).passed is None


@pytest.mark.parametrize(
    ("options", "other"),
    [
        ({}, "atoms"),
        ({"starts": ("atoms",)}, "density"),
        ({"starts": ("density", "atoms")}, None),
        ({"self_consistent": False}, None),
        ({"compare_frames": False}, None),
    ],
)
def test_which_start_the_second_run_takes(options, other):
    assert SpinOrbitSettings(**options).other_start == other


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"starts": ()}, "starts"),
        ({"self_consistent": False, "starts": ("atoms",)}, "force theorem"),
        ({"constrain_eV": 10.0}, "rwigs_A"),
    ],
)
def test_bad_choices_are_refused(options, word):
    with pytest.raises(ValueError, match=word):
        SpinOrbitSettings(**options)
