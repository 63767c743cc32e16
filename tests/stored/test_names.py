"""Stored names: found without an import of ours, one for each class and job function, and never lost."""

import importlib
import json
import pickle
import subprocess
import sys

import pytest
from jobflow import Flow, Job, Maker
from magnetoionics.analysis.results.calculation import Band, Calculation, Check
from magnetoionics.analysis.results.document import Document
from magnetoionics.analysis.study.documents import OrderEnergy, Study
from magnetoionics.stored import SCHEMA_VERSION, renamed
from magnetoionics.stored import __name__ as STORED
from magnetoionics.stored.base import Stored
from magnetoionics.stored.old_names import MODULES
from magnetoionics.stored.resolve import homes, is_stored_kind, stored_object
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.jobs import relax_structure
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.flows.study import MagnetoionicStudyMaker
from monty.json import MontyDecoder, MontyEncoder, MSONable, jsanitize
from pydantic import ValidationError

OLD = [(module, entry.partition("=")[0]) for module, names in MODULES.items() for entry in names.split()]
# What pip may leave out; their engines refuse to be imported then.
OPTIONAL = ("bvlain", "chgnet", "diep", "gpaw", "sevenn", "atomate2", "emmet", "custodian", "jobflow_remote", "pymongo")


def imported(module):
    try:
        return importlib.import_module(f"magnetoionics.{module}")
    except ImportError as error:
        if (error.name or "").split(".")[0] in OPTIONAL:
            pytest.skip(f"{error.name} is not installed")
        raise


def modules_in(value):
    if isinstance(value, dict):
        if "@module" in value:
            yield value["@module"], value.get("@class", value.get("@callable"))
        for inside in value.values():
            yield from modules_in(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from modules_in(inside)


@pytest.mark.parametrize("module", MODULES)
def test_names_of_version_1_lead_to_what_they_are_called_today(module):
    held = imported(module)
    for entry in MODULES[module].split():
        old, _, stored = entry.partition("=")
        found = getattr(held, old)
        assert found is stored_object(stored or old)
        assert found.__name__ == renamed.NAMES.get(stored or old, stored or old)


def test_old_modules_hold_nothing_else():
    vacancies = importlib.import_module("magnetoionics.analysis.vibrations")
    with pytest.raises(AttributeError):
        _ = vacancies.Study
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("magnetoionics.analysis.nothing")


def test_no_two_stored_things_have_one_name():
    """Else a stored name would mean whichever file comes first."""
    for name, modules in homes().items():
        if len(modules) > 1:
            stored = [m for m in modules if is_stored_kind(getattr(imported(m), name, None))]
            assert len(stored) < 2, f"{name} is stored by {', '.join(stored)}: rename one"


def all_below(kind):
    for below in kind.__subclasses__():
        yield below
        yield from all_below(below)


def test_what_is_stored_is_written_by_its_name():
    """Every settings class, engine and Maker of the package, by its base; documents by monty's handler."""
    for module in {m for modules in homes().values() for m in modules if m.startswith(("structures.", "workflows."))}:
        try:
            importlib.import_module(f"magnetoionics.{module}")
        except ImportError as error:
            if (error.name or "").split(".")[0] not in OPTIONAL:
                raise
    own = [c for c in all_below(MSONable) if c.__module__.startswith("magnetoionics.") and c is not Stored]
    assert [
        c.__name__ for c in own if not issubclass(c, Stored) and not c.__module__.startswith("magnetoionics.hpc")
    ] == []
    assert {"LocalEngine", "Hop", "BandSettings"} <= {c.__name__ for c in own}


def vasp_jobs():
    engine = imported("workflows.engines.vasp").ENGINE()
    cell = get_host("cofe2o4").structure("normal")
    return [
        engine.relax(cell, name="relax"),
        engine.band(cell, cell, [], mover=0, name="band"),
        engine.spin_orbit(cell, directions=[[0, 0, 1]], state="pristine", name="map"),
        engine.charged(cell, 1, relax=True, name="charged"),
        engine.dielectric(cell, name="dielectric"),
        engine.references(["CoO", "Fe2O3", "Co3O4"], name="references"),
        engine.in_field(cell, [0, 0, 0.01], gap_eV=1.0, relax=True, name="in field"),
    ]


@pytest.mark.parametrize("engine", ["local", "vasp"])
def test_a_flow_stores_no_module_of_this_package(engine):
    if engine == "vasp":
        flow = Flow(vasp_jobs())
    else:
        flow = MagnetoionicStudyMaker.quick(get_engine("local")).make("cofe2o4", None)
    plain = jsanitize(flow, strict=True, enum_values=True)
    own = {m for m, _ in modules_in(plain) if m.split(".")[0] == "magnetoionics"}
    assert own == {STORED}
    again = Flow.from_dict(plain)
    assert [j.name for j, _ in again.iterflow()] == [j.name for j, _ in flow.iterflow()]
    assert json.loads(json.dumps(jsanitize(again, strict=True, enum_values=True))) == json.loads(json.dumps(plain))


DECODE = """
import json, sys
from monty.json import MontyDecoder
made = MontyDecoder().process_decoded(json.loads(sys.stdin.read()))
print([f"{type(m).__name__} {getattr(m, '__name__', '')}" for m in made])
"""


def test_a_process_that_imported_nothing_reads_new_and_old_names():
    now = [Check(name="x", passed=True), get_engine("local"), relax_structure]
    check = {"@module": "magnetoionics.analysis.calculation", "@class": "Check", "@version": "0.1.0"}
    point = {"@module": "magnetoionics.analysis.study", "@class": "GasPoint"}
    old = [
        check | {"name": "x", "passed": None},
        point | dict.fromkeys(stored_object("GasPoint").model_fields, 0.0),
        {"@module": "magnetoionics.workflows.ase_jobs", "@callable": "relax_structure", "@bound": None},
    ]
    text = json.dumps([*now, *old], cls=MontyEncoder)
    done = subprocess.run([sys.executable, "-c", DECODE], input=text, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.replace("'", '"')) == [
        "Check ",
        "LocalEngine ",
        "function relax_structure",
        "Check ",
        "GasPoint ",
        "function relax_structure",
    ]


def test_documents_and_settings_come_back_as_they_went():
    engine = get_engine("local", fmax_eV_per_A=0.02)
    check = Check(name="x", passed=False, value=1.5, invalidates=True)
    plain = json.loads(json.dumps(jsanitize({"a": [engine, check]}, strict=True)))
    assert plain["a"][0]["schema_version"] == plain["a"][1]["schema_version"] == SCHEMA_VERSION
    settings, document = MontyDecoder().process_decoded(plain)["a"]
    assert (settings.as_dict(), document) == (plain["a"][0], check)
    assert pickle.loads(pickle.dumps([engine, check])) == [engine, check]
    assert pickle.loads(pickle.dumps(relax_structure)) is relax_structure


class Elsewhere(Document):
    """A document of somebody's own package."""

    size: int


def test_documents_of_other_packages_keep_their_module():
    made = jsanitize(Elsewhere(size=1), strict=True)
    assert (made["@module"], made["@class"]) == (Elsewhere.__module__, "Elsewhere")


def test_renamed_fields_are_read_from_what_is_stored_and_nowhere_else(monkeypatch):
    change = {99: {"Check": renamed.fields(label="name"), "Calculation": renamed.without("color")}}
    monkeypatch.setattr(renamed, "CHANGES", {**renamed.CHANGES, **change})
    inside = {"label": "x", "passed": True}
    cell = get_host("cofe2o4").structure().as_dict()
    old = {"name": "a", "structure": cell, "energy_eV": 0.0, "max_force_eV_per_A": 0.0, "force_calls": 0}
    old |= {
        "total_moment_muB": 0.0,
        "checks": [inside],
        "color": 3,
        "provenance": {"engine": "e", "level_of_theory": "local"},
    }
    read = Calculation.read_stored(old, 98)
    assert read.checks[0].name == "x"
    stored = {"@module": "magnetoionics.analysis.calculation", "@class": "Calculation", **old}
    assert MontyDecoder().process_decoded(stored) == read
    for newer in (lambda: Calculation.read_stored(old, 99), lambda: Calculation(**old)):
        with pytest.raises(ValidationError, match=r"label|color"):
            newer()


def test_names_lead_to_documents_settings_and_job_functions_only():
    for name in ("get_engine", "run_study", "os", "resolve_nothing", "UserError"):
        with pytest.raises(AttributeError):
            stored_object(name)
    assert stored_object("Study") is Study
    assert stored_object("Band") is Band
    assert issubclass(stored_object("AnisotropyMaker"), Maker)
    assert Job(relax_structure.original, function_args=(1,)).as_dict()["function"]["@module"] == STORED
    assert OrderEnergy.__module__ != STORED
