"""A user's host through a whole study: the same numbers as the built-in host, wherever the files are by then."""

import json

import pytest
import yaml
from magnetoionics.hpc import api
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.cluster.submit import job_keys
from magnetoionics.hpc.study_folder import study_run as study_runner
from magnetoionics.hpc.study_folder.files import RESULTS
from magnetoionics.hpc.study_folder.study_run import build_flow
from magnetoionics.structures.host import get_host, portable_host
from magnetoionics.structures.io.host_files import HostReference
from monty.json import MontyDecoder, jsanitize
from pymatgen.core import Structure
from user_hosts import ENTRIES as BASE

ENTRIES = {
    **BASE,
    "structures": {"Imma": "Cells/Ferrite.cif"},
    "cubic_parent": True,
    "vacancies": [["Fe", "A"], ["Fe", "B"], ["Co", "B"], ["O", "O"]],
    "references": ["CoO", "Co3O4", "Fe2O3", "Fe3O4"],
}
STAGES = ["vacancies", "migration"]


def key_of(flow):
    """Of a study: the keys of all its jobs."""
    return tuple(sorted(job_keys(job for job, _ in flow.iterflow()).values()))


def write_host(folder, **changes):
    cell = get_host("cofe2o4").structure("Imma")
    (folder / "Cells").mkdir(parents=True, exist_ok=True)
    bare = Structure(cell.lattice, [s.specie.symbol for s in cell], cell.frac_coords)
    (folder / "Cells" / "Ferrite.cif").write_text(str(bare.to(fmt="cif", significant_figures=12)))
    path = folder / "MyFerrite.yaml"
    path.write_text(yaml.safe_dump({**ENTRIES, **changes}))
    return path


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder whose name has capitals, as the current one."""
    folder = tmp_path / "Some Folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("no_figures")
def test_the_study_of_a_user_host_has_the_numbers_of_the_built_in_host(here, monkeypatch):
    """Cobalt ferrite from a CIF whose files vanish when the flow is built: everything is in the jobs."""
    path = write_host(here / "Hosts")
    build = study_runner._build_flow

    def build_and_remove(*arguments, **options):
        flow = build(*arguments, **options)
        path.unlink()
        (path.parent / "Cells" / "Ferrite.cif").unlink()
        return flow

    with monkeypatch.context() as patch:
        patch.setattr(study_runner, "_build_flow", build_and_remove)
        mine = api.run("Hosts/MyFerrite.yaml", quick=True, stages=STAGES)
    assert (here / "MyFerrite-study" / RESULTS).exists()
    built_in = api.run("cofe2o4", quick=True, stages=STAGES, output=here / "built-in")
    assert mine.host.key == "MyFerrite"
    assert mine.host.space_group == built_in.host.space_group
    for ours, theirs in zip(mine.vacancies, built_in.vacancies, strict=True):
        assert (ours.label, ours.multiplicity) == (theirs.label, theirs.multiplicity)
        assert ours.energy_minus_host_eV == pytest.approx(theirs.energy_minus_host_eV, abs=1e-6)
    (ours,), (theirs,) = mine.migration, built_in.migration
    assert ours.forward_eV == pytest.approx(theirs.forward_eV, abs=1e-6)
    assert ours.backward_eV == pytest.approx(theirs.backward_eV, abs=1e-6)


def test_jobs_carry_the_content_and_not_the_path(here):
    """Serialised, sent, and the files gone: what arrives is the whole host."""
    path = write_host(here)
    flow = build_flow(str(path), "local", quick=True, stages=STAGES)
    wanted = get_host(str(path)).structure()
    text = json.dumps([jsanitize(job.as_dict(), strict=True) for job, _ in flow.iterflow()])
    assert str(here) not in text
    for file in (path, here / "Cells" / "Ferrite.cif"):
        file.unlink()
    sent = json.loads(text, cls=MontyDecoder)
    carried = [a for job in sent for a in (*job.function_args, *job.function_kwargs.values())]
    references = [a for a in carried if isinstance(a, HostReference)]
    assert references
    assert not [a for a in carried if isinstance(a, str) and a.endswith(".yaml")]
    for reference in references:
        cell = get_host(reference).structure()
        assert cell == wanted
        assert cell.site_properties == wanted.site_properties


def test_keys_depend_on_the_content_alone(here):
    first = write_host(here / "one")
    second = write_host(here / "two")
    changed = write_host(here / "three", gap_eV=1.6)
    moved = write_host(here / "four")
    cif = here / "four" / "Cells" / "Ferrite.cif"
    cif.write_text(cif.read_text().replace("8.39200", "8.40200"))
    keys = [key_of(build_flow(str(p), "local", quick=True, stages=STAGES)) for p in (first, second, changed, moved)]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3
    assert portable_host(str(first)).content == portable_host(str(second)).content


@pytest.mark.parametrize("form", ["relative", "absolute", "dotted"])
def test_paths_keep_their_case(here, form):
    path = write_host(here / "Hosts")
    given = {"relative": "Hosts/MyFerrite.yaml", "absolute": str(path), "dotted": "./Hosts/../Hosts/MyFerrite.yaml"}
    assert get_host(given[form]).key == "MyFerrite"
    assert portable_host(given[form]) == portable_host(str(path))


def test_the_command_refuses_a_bad_host_file_in_one_line(here, capsys):
    path = write_host(here, moment_per_formula_muB=5)
    assert main(["run", str(path), "--quick"]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "has 3 muB per formula unit, stated are 5" in message
    assert main(["run", "Nothing.yaml"]) == 2
    assert "Nothing.yaml" in capsys.readouterr().err
    assert sorted(p.name for p in here.iterdir()) == ["Cells", "MyFerrite.yaml"]


def test_built_in_hosts_stay_names():
    assert portable_host(" CoFe2O4 ") == "cofe2o4"
