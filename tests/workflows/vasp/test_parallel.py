"""NCORE, KPAR and the Gamma-only build follow from the job and its ranks, and change no key."""

import sys
from dataclasses import replace

import pytest

pytest.importorskip("atomate2", reason="the engine vasp needs atomate2")

import vasp_running
from magnetoionics.hpc.local.job_hashes import job_key
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.vasp.jobs import MagneticRelaxMaker, MagneticStaticMaker, common_fields
from magnetoionics.workflows.vasp.order import block_order, in_order
from magnetoionics.workflows.vasp.parallel import (
    RANKS,
    gamma_suffices,
    parallel_tags,
    ranks_of_command,
    ready,
    shared,
)
from magnetoionics.workflows.vasp.settings import SpinOrbitSettings, VaspCommands, VaspSettings
from magnetoionics.workflows.vasp.spin_orbit import DirectionMaker
from pymatgen.io.vasp import Incar

NAMES = (RANKS, "SLURM_NTASKS", "SLURM_NTASKS_PER_NODE", "SLURM_NNODES", "PBS_NP", "NSLOTS", "OMP_NUM_THREADS")


@pytest.fixture(autouse=True)
def no_scheduler(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def cell():
    found = get_host("cofe2o4").structure()
    return in_order(found, block_order(found))


@pytest.mark.parametrize(
    ("ranks", "points", "ncore", "kpar"),
    [
        (64, 1, 8, 1),
        (64, 8, 4, 8),
        (64, 32, 2, 32),
        # Two groups leave none idle; three, four and six would idle a sixth of the time.
        (48, 10, 6, 2),
        (128, 1, 16, 1),
        (1, 20, 1, 1),
        (7, 7, 1, 7),
    ],
)
def test_shares_divide_the_ranks(ranks, points, ncore, kpar):
    assert shared(ranks, points) == (ncore, kpar)
    assert shared(ranks, points, one_band_a_rank=True) == (1, kpar)
    assert ranks % kpar == (ranks // kpar) % ncore == 0


def test_ranks_are_those_of_the_command_then_of_the_scheduler(monkeypatch):
    assert ranks_of_command("srun vasp_std") is None
    assert ranks_of_command("mpirun -np 64 vasp_std") == 64
    assert ranks_of_command("srun -N 3 -n 384 vasp_std") == 384
    assert ranks_of_command("srun --ntasks=32 vasp_std") == 32
    monkeypatch.setenv("SLURM_NTASKS_PER_NODE", "48(x2)")
    monkeypatch.setenv("SLURM_NNODES", "2")
    assert ranks_of_command("srun vasp_std") == 96
    monkeypatch.setenv("SLURM_NTASKS", "80")
    assert ranks_of_command("srun vasp_std") == 80
    assert ranks_of_command("srun -n 40 vasp_std") == 40


def test_kinds_of_job_that_allow_one_band_a_rank(cell, monkeypatch):
    plain = {"ISYM": 0, "NSW": 0}
    assert parallel_tags(plain, cell, (1, 1, 1), 64) == {"NCORE": 8, "KPAR": 1}
    for more in ({"LEPSILON": True}, {"IBRION": 8}, {"EFIELD_PEAD": [0, 0, 0.01]}, {"LCALCPOL": True}):
        assert parallel_tags({**plain, **more}, cell, (1, 1, 1), 64)["NCORE"] == 1
    # Images share the ranks, and what cannot be shared is left to the check of the band.
    assert parallel_tags({**plain, "IMAGES": 4}, cell, (1, 1, 1), 64) == {"NCORE": 4, "KPAR": 1}
    assert parallel_tags({**plain, "IMAGES": 3}, cell, (1, 1, 1), 64) == {}
    # The user's own come first, each for itself.
    assert parallel_tags({**plain, "NPAR": 2}, cell, (1, 1, 1), 64) == {"KPAR": 1}
    assert parallel_tags({**plain, "KPAR": 2}, cell, (1, 1, 1), 64) == {"NCORE": 8}
    assert parallel_tags(plain, cell, (1, 1, 1), None) == {}
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert parallel_tags(plain, cell, (1, 1, 1), 16)["NCORE"] == 1


def test_gamma_build_is_for_real_orbitals_alone(cell):
    commands = VaspCommands(standard="srun vasp_std", noncollinear="srun vasp_ncl", gamma="srun vasp_gam")
    big = supercell(cell, (2, 2, 2))
    big = in_order(big, block_order(big))
    gamma = VaspSettings(kpoint_mesh=(1, 1, 1))

    def command(maker, structure):
        return ready(maker, maker.planned(structure), structure).run_vasp_kwargs["vasp_cmd"]

    still = MagneticStaticMaker(settings=gamma, **common_fields(commands))
    assert command(still, big) == "srun vasp_gam"
    assert command(MagneticStaticMaker(settings=VaspSettings(), **common_fields(commands)), cell) == "srun vasp_std"
    assert command(replace(still, extra={"LCALCPOL": True}), big) == "srun vasp_std"
    spinors = DirectionMaker(
        settings=gamma, how=SpinOrbitSettings(), start="atoms", **common_fields(commands, noncollinear=True)
    )
    assert command(spinors, big) == "srun vasp_ncl"
    assert not gamma_suffices({}, (2, 1, 1))
    none = MagneticStaticMaker(settings=gamma, **common_fields(replace(commands, gamma=None)))
    assert command(none, big) == "srun vasp_std"


def test_commands_and_shares_are_in_no_key(cell, monkeypatch):
    keys = set()
    for commands in (VaspCommands(), VaspCommands(gamma="srun vasp_gam")):
        for settings in (VaspSettings(), VaspSettings(ncore=4, kpar=2)):
            keys.add(job_key(MagneticRelaxMaker(settings=settings, **common_fields(commands)).make(cell), {}))
    assert len(keys) == 1


def test_a_run_writes_its_share_and_takes_the_gamma_build(tmp_path, monkeypatch):
    """The emulator stands for vasp_gam behind a shell that leaves a trace."""
    still = get_host("cofe2o4").structure("normal")
    start = vasp_running.commands()
    gamma = tmp_path / "vasp_gam"
    gamma.write_text(f"#!/bin/sh\ntouch gamma-was-here\nexec {start.standard}\n")
    gamma.chmod(0o755)
    monkeypatch.setenv(RANKS, "16")
    engine = vasp_running.engine(
        VaspSettings(kpoint_mesh=(1, 1, 1)),
        commands=replace(start, standard=f"{sys.executable} -c 1/0", gamma=str(gamma)),
    )
    done = vasp_running.run(engine.static(still, name="still"), tmp_path / "study")
    assert done.converged
    (trace,) = (tmp_path / "study").rglob("gamma-was-here")
    written = Incar.from_file(next(trace.parent.glob("INCAR*")))
    assert (written["NCORE"], written["KPAR"]) == (4, 1)
