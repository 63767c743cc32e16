"""A VASP run that is killed goes on from its last ionic step, alone and as a band, and never from a stale output."""

import numpy as np
import pytest

pytest.importorskip("atomate2", reason="the engine vasp needs atomate2")

from jobflow import Flow
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.hpc.local.store import open_store
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.flows.building import shortest_hop
from magnetoionics.workflows.vasp.continuation import go_on
from magnetoionics.workflows.vasp.finished.band import read_image
from magnetoionics.workflows.vasp.jobs import MagneticRelaxMaker, MagneticStaticMaker, common_fields
from magnetoionics.workflows.vasp.order import block_order, in_order
from magnetoionics.workflows.vasp.outcar import run_text
from magnetoionics.workflows.vasp.segment import SegmentMaker, segment_fields, start_images
from magnetoionics.workflows.vasp.settings import VaspBandSettings, VaspSettings
from pymatgen.io.vasp import Poscar
from vasp_running import commands, engine, run


def positions(folder, name):
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return Poscar.from_file(path, check_for_potcar=False).structure.frac_coords
    raise AssertionError(f"no {name} in {folder}")


def steps(folder):
    return run_text(folder, "OSZICAR").count(" F= ")


def killed(flow, folder, after, monkeypatch):
    """Run until the emulator is killed after that many ionic steps."""
    monkeypatch.setenv("VASP_EMULATOR_CUT", str(after))
    summary = LocalRunner(open_store(folder)).run(flow)
    monkeypatch.delenv("VASP_EMULATOR_CUT")
    assert not summary.finished


@pytest.fixture
def shaken():
    cell = get_host("cofe2o4").structure("normal")
    cell.perturb(0.05)
    return cell


def test_relaxation_killed_twice_goes_on_from_its_last_step(shaken, tmp_path, monkeypatch):
    def flow():
        return engine().relax(shaken, name="bulk")

    whole = run(flow(), tmp_path / "whole")
    assert whole.force_calls > 8
    for _ in range(2):
        killed(flow(), tmp_path / "cut", 4, monkeypatch)
    done = run(flow(), tmp_path / "cut")
    (folder,) = (tmp_path / "cut").glob("store/files/*vasp*")
    first, second = folder / "cut-1", folder / "cut-2"
    assert steps(first) == steps(second) == 4
    assert not np.allclose(positions(first, "POSCAR"), positions(first, "CONTCAR"), atol=1e-3)
    for earlier, later in ((first, second), (second, folder)):
        np.testing.assert_allclose(positions(later, "POSCAR"), positions(earlier, "CONTCAR"), atol=1e-9)
    assert done.converged
    assert done.force_calls == 8 + steps(folder)
    assert steps(folder) < whole.force_calls
    # Both stop where the forces are below their limit: the energies agree to second order in that.
    assert done.energy_eV == pytest.approx(whole.energy_eV, abs=2e-3)


def test_band_killed_goes_on_with_its_last_images(tmp_path, monkeypatch):
    host = get_host("cofe2o4")
    hop = shortest_hop(host.structure(), (1, 1, 1), host.hops[0])
    images = start_images(hop.initial, hop.final, 3)
    settings, band = VaspSettings(kpoint_mesh=(1, 1, 1)), VaspBandSettings(max_steps=4)

    def flow():
        fields = segment_fields(commands(), common_fields(commands()))
        made = SegmentMaker(settings=settings, band=band, **fields).make(images)
        made.update_metadata({"own_folder": True})
        return Flow([made], output=made.output)

    killed(flow(), tmp_path, 3, monkeypatch)
    task = run(flow(), tmp_path)
    (folder,) = tmp_path.glob("store/files/NEB*")
    for number in ("01", "02", "03"):
        before, now = folder / "cut-1" / number, folder / number
        assert not np.allclose(positions(before, "POSCAR"), positions(before, "CONTCAR"), atol=1e-4)
        np.testing.assert_allclose(positions(now, "POSCAR"), positions(before, "CONTCAR"), atol=1e-9)
    for number in ("00", "04"):
        np.testing.assert_array_equal(
            positions(folder / number, "POSCAR"), positions(folder / "cut-1" / number, "POSCAR")
        )
    assert all(read_image(task.dir_name, k).energy_eV is not None for k in (1, 2, 3))


@pytest.fixture
def cut_run(shaken, tmp_path, monkeypatch):
    """A folder in which a relaxation has written a CONTCAR; gives the structure, its inputs and the positions."""
    monkeypatch.chdir(tmp_path)
    ordered = in_order(shaken, block_order(shaken))
    planned = MagneticRelaxMaker(settings=VaspSettings()).planned(ordered)
    assert go_on([ordered], planned) == [ordered]
    moved = ordered.copy()
    moved.perturb(0.02)
    Poscar(ordered).write_file("POSCAR")
    Poscar(moved).write_file("CONTCAR", significant_figures=16)
    (tmp_path / "queue.out").write_text("the scheduler's")
    return ordered, planned, moved


def test_start_keeps_site_properties_and_other_files(cut_run, tmp_path):
    ordered, planned, moved = cut_run
    (start,) = go_on([ordered], planned)
    shift = start.frac_coords - moved.frac_coords
    np.testing.assert_allclose(shift, np.rint(shift), atol=1e-9)  # the same place, unwrapped
    assert np.abs(start.frac_coords - ordered.frac_coords).max() < 0.02
    assert start.site_properties == ordered.site_properties
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cut-1", "queue.out", "start-of-run.json"]


@pytest.mark.parametrize("damage", ["empty", "half", "same place"])
def test_damaged_contcar_is_not_used(cut_run, tmp_path, damage):
    ordered, planned, moved = cut_run
    text = (tmp_path / "CONTCAR").read_text()
    if damage == "same place":
        moved.translate_sites([0], moved.frac_coords[1] - moved.frac_coords[0], to_unit_cell=False)
        Poscar(moved).write_file("CONTCAR")
    else:
        (tmp_path / "CONTCAR").write_text("" if damage == "empty" else text[: len(text) // 2])
    (start,) = go_on([ordered], planned)
    np.testing.assert_allclose(start.frac_coords, ordered.frac_coords, atol=1e-9)


def test_other_inputs_start_from_their_own_structure(cut_run):
    ordered, _, _ = cut_run
    other = MagneticRelaxMaker(settings=VaspSettings(encut_eV=400)).planned(ordered)
    (start,) = go_on([ordered], other)
    np.testing.assert_array_equal(start.frac_coords, ordered.frac_coords)
    still = MagneticStaticMaker(settings=VaspSettings()).planned(ordered)
    assert go_on([ordered], still) == [ordered]
    assert go_on([ordered], still) == [ordered]
