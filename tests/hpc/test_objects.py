"""The public face takes names, files and objects alike, and what it computes is the same."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.study_folder.study_run import default_folder
from magnetoionics.structures.host import UnknownHostError, get_host, portable_host
from magnetoionics.structures.io.host_content import HostContent
from magnetoionics.workflows.engine import UnknownEngineError, get_engine
from magnetoionics.workflows.engines.local import LocalEngine
from magnetoionics.workflows.flows.hops import AllHopsMaker
from magnetoionics.workflows.flows.study import MagnetoionicStudyMaker
from magnetoionics.workflows.flows.vacancies import VacancyFormationMaker
from monty.json import MontyDecoder, MontyEncoder
from undrawn_studies import run
from user_hosts import ENTRIES, bare_atoms


def mine():
    """A host that has no file: lithium ferrite without its oxygen vacancies."""
    return replace(get_host("life5o8"), key="mine", title="my ferrite", vacancies=(("Li", "B"),))


def test_a_study_of_objects_is_that_of_names(tmp_path):
    asked = {"quick": True, "stages": ["vacancies"], "quiet": True}
    by_objects = run(mine(), engine=LocalEngine(), output=tmp_path / "objects", **asked)
    by_names = run("life5o8", engine="local", output=tmp_path / "names", **asked)
    assert by_objects.host.key == "mine"
    assert [v.label for v in by_objects.vacancies] == ["V_Li(B)"]
    (same,) = [v for v in by_names.vacancies if v.label == "V_Li(B)"]
    assert by_objects.vacancies[0].energy_minus_host_eV == same.energy_minus_host_eV
    # A changed engine is another calculation, and its settings are kept.
    coarse = run(
        get_host("life5o8"), engine=get_engine("local", fmax_eV_per_A=0.2), output=tmp_path / "coarse",
        reuse=[tmp_path / "names"], **asked,
    )  # fmt: skip
    assert coarse.engine.provenance.settings["fmax_eV_per_A"] == 0.2


def test_a_built_in_host_travels_by_name_and_another_one_by_content():
    assert portable_host(get_host("cofe2o4")) == "cofe2o4"
    content = portable_host(mine())
    assert isinstance(content, HostContent)
    # As a job on another machine reads it.
    again = MontyDecoder().decode(MontyEncoder().encode(content)).host()
    assert (again.key, again.vacancies, again.hops) == ("mine", mine().vacancies, mine().hops)
    assert again.orders == mine().orders
    for order in again.orders:
        assert again.structure(order) == mine().structure(order)
        assert again.structure(order).site_properties == mine().structure(order).site_properties
    assert portable_host(content) is content


def test_makers_take_names_files_and_objects(tmp_path):
    flows = (
        MagnetoionicStudyMaker.quick("local").make("cofe2o4"),
        MagnetoionicStudyMaker.quick(LocalEngine()).make(get_host("cofe2o4")),
    )
    by_name, by_object = ([j.name for j, _ in flow.iterflow()] for flow in flows)
    assert by_name == by_object
    assert VacancyFormationMaker(engine="local").engine == LocalEngine()
    hops = AllHopsMaker(engine="local", repeats=(1, 1, 1)).make(mine())
    assert any(j.name.startswith("band") for j, _ in hops.iterflow())


def test_what_is_neither_name_nor_object_is_refused(tmp_path):
    with pytest.raises(UserError, match="a host is a name, a host file or a Host, not a int"):
        run(3, output=tmp_path / "x")
    with pytest.raises(UserError, match="an engine is a name or an Engine, not a dict"):
        run("cofe2o4", engine={"name": "local"}, output=tmp_path / "x")
    with pytest.raises(UnknownHostError, match=r"no host file, whose name ends in .*, nor a structure file"):
        get_host(Path("ferrite.txt"))
    with pytest.raises(UnknownEngineError, match="ase:package"):
        VacancyFormationMaker(engine=object())
    assert not (tmp_path / "x").exists()


def test_a_host_file_is_a_text_or_a_path(tmp_path):
    bare_atoms(get_host("cofe2o4").structure()).write(tmp_path / "mine.cif")
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(ENTRIES))
    assert get_host(path).key == get_host(str(path)).key == "mine"
    assert portable_host(path).content == portable_host(str(path)).content
    assert default_folder(path) == default_folder(str(path)) == Path("mine-study")
    assert default_folder(get_host(path)) == Path("mine-study")


def test_a_file_with_the_name_of_a_material_is_none_of_its_files(tmp_path):
    """What is measured of the built-in CoO is not said of a CoO.cif, whose order it does not even have."""
    file = tmp_path / "CoO.cif"
    get_host("coo").structure().to(filename=str(file))
    assert get_host("coo").key == "coo"
    assert (get_host(file).key, get_host(file).orders) == ("coo_file", ("measured",))
