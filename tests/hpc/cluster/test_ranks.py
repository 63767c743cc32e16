"""Ranks of a band: shared equally by its images, refused before anything is submitted."""

import pytest
from magnetoionics.hpc.cluster.probe import vtst_problems
from magnetoionics.hpc.cluster.project import ClusterSettings
from magnetoionics.hpc.cluster.ranks import check_band_ranks, ranks_of_kind, shared_per_node
from magnetoionics.hpc.cluster.table import KindSettings, default_table
from magnetoionics.hpc.errors import UserError


@pytest.mark.parametrize("cores", [16, 24, 32, 36, 40, 48, 64, 96, 128])
@pytest.mark.parametrize("nodes", [1, 2, 4])
@pytest.mark.parametrize("scheduler", ["slurm", "pbs", "sge"])
def test_default_resources_suit_the_images_of_the_usual_protocol(scheduler, nodes, cores):
    settings = ClusterSettings(
        name="demo", scheduler=scheduler, work_dir="/scratch/demo", cores_per_node=cores, neb_nodes=nodes
    )
    table = default_table(settings)
    ranks = ranks_of_kind(table.kinds["neb"])
    assert ranks % 3 == 0
    assert 0.8 * nodes * cores <= ranks <= nodes * cores
    check_band_ranks(table, 3)


def test_one_core_is_left_alone():
    assert shared_per_node(1, 1) == 1
    assert shared_per_node(4, 32) == 30


def test_ranks_that_do_not_fit_are_refused_with_the_next_that_do():
    table = default_table(ClusterSettings(name="demo", scheduler="slurm", work_dir="/scratch/demo"))
    table.kinds["neb"] = KindSettings(worker="neb", resources={"nodes": 4, "processes_per_node": 32})
    with pytest.raises(UserError, match=r"3 images cannot share 128 ranks equally.*processes_per_node of neb to 30"):
        check_band_ranks(table, 3)
    check_band_ranks(table, 4)
    check_band_ranks(table, None)
    table.kinds["neb"] = KindSettings(worker="neb")
    check_band_ranks(table, 3)


@pytest.mark.parametrize(("content", "lacks"), [(b"VTST: version 4.1", False), (b"nothing of it", True)])
def test_a_binary_tells_whether_it_has_vtst(tmp_path, monkeypatch, content, lacks):
    program = tmp_path / "vasp_std"
    # The words lie across the border of two reads.
    program.write_bytes(b"\x7fELF" + b"\0" * ((1 << 24) - 8) + content)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    problems = vtst_problems("srun -n 64 vasp_std")
    assert bool(problems) is lacks
    if lacks:
        assert "without VTST" in problems[0][0]


def test_nothing_is_said_of_a_script(tmp_path, monkeypatch):
    program = tmp_path / "vasp_std"
    program.write_text("#!/bin/sh\nexec real_vasp\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert vtst_problems("srun vasp_std") == []
    assert vtst_problems("srun vasp_gam") == []


def test_inputs_for_a_project_refuse_a_band_that_its_ranks_cannot_share(tmp_path, monkeypatch, capsys):
    from magnetoionics.hpc.cli import main
    from magnetoionics.hpc.cluster import actions

    pytest.importorskip("atomate2", reason="the engine vasp needs atomate2")
    table = default_table(ClusterSettings(name="demo", scheduler="slurm", work_dir="/scratch/demo"))
    table.kinds["neb"] = KindSettings(worker="neb", resources={"nodes": 1, "processes_per_node": 32})
    monkeypatch.setattr(actions, "project_table", lambda name: {"demo": table}[name])
    words = ["inputs", "cofe2o4", "--engine", "vasp", "--output", str(tmp_path / "three"), "--project", "demo"]
    assert main(words) == 2
    assert "3 images cannot share 32 ranks" in capsys.readouterr().err
    assert not (tmp_path / "three").exists()
