"""A key holds what makes the number and nothing of how it was run."""

import importlib.metadata
import importlib.util
import json
import sys
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
from jobflow import Flow, Job, job
from magnetoionics.hpc.local.job_hashes import job_content, job_key
from magnetoionics.stored import sources
from magnetoionics.stored.sources import code_identity
from magnetoionics.structures.host import get_host
from magnetoionics.structures.hosts import cofe2o4
from magnetoionics.workflows.ase.jobs import relax_structure
from magnetoionics.workflows.ase.ml_engine import MLEngine
from magnetoionics.workflows.ase.weights import UNKNOWN
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.engines.ase import AseCalculatorEngine
from magnetoionics.workflows.flows.building import build_hop
from monty.json import MontyDecoder, jsanitize

CELL = get_host("cofe2o4").structure("normal")
CALCULATOR = """
import importlib
from pathlib import Path
from ase.calculators.lj import LennardJones
import {helper}
from {package}.inner import scale
called = importlib.import_module("{helper}_called")
parameters = (Path(__file__).parent / "parameters.json").read_text()

class Mine(LennardJones):
    factor = {helper}.FACTOR
"""


def key_of(engine, cell=CELL, **options):
    return job_key(engine.relax(cell, name="x", **options), {})


@pytest.fixture
def calculator(tmp_path, monkeypatch):
    """A user's calculator in the current folder, with a helper, a package and weights beside it."""
    name = f"mine_{tmp_path.name.replace('-', '_')}"
    files = {
        "class": tmp_path / f"{name}.py",
        "helper": tmp_path / f"{name}_helper.py",
        "package": tmp_path / f"{name}_package" / "inner.py",
        "called": tmp_path / f"{name}_helper_called.py",
        "parameters": tmp_path / "parameters.json",
        "weights": tmp_path / "weights.pt",
    }
    files["package"].parent.mkdir()
    (files["package"].parent / "__init__.py").write_text("")
    files["called"].write_text("SHIFT = 0.0\n")
    files["parameters"].write_text("{}")
    files["package"].write_text("scale = 1.0\n")
    files["helper"].write_text("FACTOR = 2.0\n")
    files["weights"].write_bytes(b"one")
    files["class"].write_text(CALCULATOR.format(helper=f"{name}_helper", package=f"{name}_package"))
    monkeypatch.syspath_prepend(tmp_path)
    yield f"{name}:Mine", files
    for module in [m for m in sys.modules if m.startswith(name)]:
        del sys.modules[module]


@pytest.mark.parametrize("edited", ["class", "helper", "package", "called", "parameters", "weights"])
def test_an_edited_calculator_is_another(calculator, edited):
    path, files = calculator
    engine = AseCalculatorEngine(calculator=path, calculator_options={"weights": str(files["weights"]), "rc": 5.0})
    before = key_of(engine)
    assert key_of(engine) == before
    files[edited].write_bytes(files[edited].read_bytes() + b"\n# changed\n")
    assert key_of(engine) != before


def test_a_calculator_elsewhere_with_the_same_sources_is_the_same(calculator, tmp_path, monkeypatch):
    path, files = calculator
    before = key_of(AseCalculatorEngine(calculator=path))
    other = tmp_path / "moved"
    other.mkdir()
    for file in (*(files[n] for n in ("class", "helper", "called", "parameters")), files["package"].parent):
        file.rename(other / file.name)
    for module in [m for m in sys.modules if m.startswith(path.partition(":")[0])]:
        del sys.modules[module]
    monkeypatch.syspath_prepend(other)
    assert key_of(AseCalculatorEngine(calculator=path)) == before


@pytest.mark.parametrize("marker", ["", "__init__.py"])
def test_an_edited_calculator_in_a_folder_with_or_without_a_marker_is_another(tmp_path, monkeypatch, marker):
    name = f"folder_{tmp_path.name.replace('-', '_')}"
    (tmp_path / name).mkdir()
    if marker:
        (tmp_path / name / marker).write_text("")
    (tmp_path / name / "mine.py").write_text("from ase.calculators.lj import LennardJones as Mine\n")
    monkeypatch.syspath_prepend(tmp_path)
    engine = AseCalculatorEngine(calculator=f"{name}.mine:Mine")
    before = key_of(engine)
    (tmp_path / name / "mine.py").write_text("from ase.calculators.emt import EMT as Mine\n")
    assert key_of(engine) != before


def test_a_module_put_among_the_installed_ones_by_hand_is_known_by_its_source(tmp_path, monkeypatch):
    place = tmp_path / "site-packages"
    place.mkdir()
    (place / "by_hand.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(place)
    before = code_identity("by_hand")
    (place / "by_hand.py").write_text("x = 2\n")
    assert code_identity("by_hand") != before
    assert before["sources"]


def test_somebodys_edited_job_function_is_another(tmp_path, monkeypatch):
    name = f"jobs_{tmp_path.name.replace('-', '_')}"
    file = tmp_path / f"{name}.py"
    file.write_text("from jobflow import job\n\n@job\ndef f(x):\n    return x\n")
    monkeypatch.syspath_prepend(tmp_path)
    made = importlib.import_module(name).f(1)
    before = job_key(made, {})
    assert job_key(made, {}) == before
    file.write_text(file.read_text().replace("return x", "return -x"))
    assert job_key(made, {}) != before
    del sys.modules[name]


@dataclass
class Potential(MLEngine):
    """Stands for an ML potential whose package need not be installed."""

    name: ClassVar[str] = "potential"
    summary: ClassVar[str] = ""
    package: ClassVar[str] = "chgnet"
    trainings: ClassVar[dict] = {"0.2.0": UNKNOWN, "0.3.0": UNKNOWN}
    known_limits: ClassVar[tuple[str, ...]] = ()

    weights: str = "0.3.0"

    def bare_calculator(self):
        raise NotImplementedError


def with_versions(monkeypatch, **changed):
    """Installed versions with some changed, and with all that the engines need."""
    true = TRUE_VERSION
    wanted = {"ase": "3.29.0", "torch": "2.13", "chgnet": "0.4.2"}

    def version(name):
        return changed.get(name.replace("-", "_")) or wanted.get(name) or true(name)

    monkeypatch.setattr(importlib.metadata, "version", version)


TRUE_VERSION = importlib.metadata.version
LENNARD_JONES = "ase.calculators.lj:LennardJones"


@pytest.mark.parametrize(
    ("engine", "package"),
    [
        (get_engine("local"), "ase"),
        (AseCalculatorEngine(calculator=LENNARD_JONES), "ase"),
        (Potential(), "ase"),
        (Potential(), "torch"),
        (Potential(), "chgnet"),
        (AseCalculatorEngine(calculator="atomate2:CHGNet"), "torch"),
        (AseCalculatorEngine(calculator="atomate2:CHGNet"), "chgnet"),
    ],
    ids=lambda v: v if isinstance(v, str) else f"{type(v).__name__} {getattr(v, 'calculator', '')}",
)
def test_another_version_of_what_computes_is_another(engine, package, monkeypatch):
    with_versions(monkeypatch)
    before = key_of(engine)
    with_versions(monkeypatch, **{package: "99.0"})
    assert key_of(engine) != before


def test_other_weights_are_others(tmp_path):
    weights = tmp_path / "w.pth"
    weights.write_bytes(b"one")
    engine = Potential(weights=str(weights))
    before = key_of(engine)
    weights.write_bytes(b"three")
    assert len({before, key_of(engine), key_of(Potential(weights="0.2.0"))}) == 3


@pytest.mark.parametrize(("name", "package"), [("chgnet", "chgnet"), ("sevennet", "sevenn"), ("gpaw", "gpaw")])
def test_installed_engines_name_what_they_compute_with(name, package):
    pytest.importorskip(package)
    identity = get_engine(name).identity()
    assert {"ase", package} <= set(identity["versions"])
    if name != "gpaw":
        assert identity["weights"]
        assert all(len(digest) == 16 for digest in identity["weights"].values())


def test_settings_structure_and_inputs_are_in_it():
    engine = get_engine("local")
    moved, turned = CELL.copy(), CELL.copy()
    moved.translate_sites([0], [1e-9, 0, 0])
    turned.add_site_property("magmom", [-m for m in CELL.site_properties["magmom"]])
    ions = engine.single_ions
    keys = [
        key_of(engine),
        key_of(engine, cell=True),
        key_of(engine, moved),
        key_of(engine, turned),
        key_of(replace(engine, fmax_eV_per_A=0.02)),
        key_of(replace(engine, single_ions=replace(ions, cobalt=replace(ions.cobalt, zeta_eV=0.06)))),
        key_of(replace(engine, band_settings=replace(engine.band_settings, images_per_segment=5))),
        job_key(engine.static(CELL, name="x"), {}),
    ]
    assert len(set(keys)) == len(keys)


def test_versions_of_functions_and_of_classes_are_in_it(monkeypatch):
    engine = get_engine("local")
    keys = [key_of(engine)]
    monkeypatch.setattr(relax_structure.original, "cache_version", 2, raising=False)
    keys.append(key_of(engine))
    monkeypatch.setattr(type(engine), "cache_version", 2)
    keys.append(key_of(engine))
    monkeypatch.setattr(type(engine.single_ions), "cache_version", 2)
    keys.append(key_of(engine))
    assert len(set(keys)) == 4


def test_the_definition_of_a_named_host_is_in_it(monkeypatch):
    first = relax_structure(get_engine("local"), CELL, name="x", cell=True, mover=None)
    hop = build_hop(first.output, (1, 1, 1), "cofe2o4")
    keys = {first.uuid: job_key(first, {})}
    before = job_key(hop, keys)
    host = cofe2o4.HOST
    longer = replace(host, hops=(replace(host.hops[0], cutoff_A=host.hops[0].cutoff_A + 0.1), *host.hops[1:]))
    monkeypatch.setattr(cofe2o4, "HOST", longer)
    assert job_key(hop, keys) != before
    monkeypatch.setattr(cofe2o4, "HOST", replace(host, title="another title", claims=()))
    assert job_key(hop, keys) == before


def test_what_comes_before_is_in_it():
    engine = get_engine("local")
    found = []
    for accuracy in (1e-6, 1e-7):
        first = replace(engine, accuracy=accuracy).relax(CELL, name="a")
        then = engine.static(first.output.structure, name="b")
        found.append(job_key(then, {first.uuid: job_key(first, {})}))
    assert found[0] != found[1]


# What must not be in it.


def test_no_version_of_this_package_and_no_module_is_in_it(monkeypatch):
    made = get_engine("local").relax(CELL, name="x")
    with_versions(monkeypatch)
    before = job_key(made, {})
    monkeypatch.setattr("magnetoionics.__version__", "99.0")
    with_versions(monkeypatch, magnetoionics="99.0", pymatgen="99.0", jobflow="99.0")
    assert job_key(made, {}) == before
    text = json.dumps(job_content(made, {}))
    assert "magnetoionics" not in text
    assert "pymatgen." not in text


def test_names_of_this_run_and_ways_to_call_are_not_in_it():
    engine = get_engine("local")
    first = relax_structure(engine, CELL, name="x", cell=False, mover=None)
    again = relax_structure(structure=CELL, engine=engine, name="x", mover=None, cell=False)
    again.name, again.metadata = "display", {"stage": "other", "kind": "relax"}
    assert first.uuid != again.uuid
    assert job_key(first, {}) == job_key(again, {})


def test_json_leaves_the_key_as_it_is():
    engine = get_engine("local")
    for made in (engine.relax(CELL, name="a"), engine.band(CELL, CELL, [CELL], mover=0, name="b")):
        again = Job.from_dict(json.loads(json.dumps(jsanitize(made, strict=True, enum_values=True))))
        assert job_key(again, {}) == job_key(made, {})


def test_threads_are_not_in_it(monkeypatch):
    with_versions(monkeypatch)
    assert key_of(Potential(threads=8)) == key_of(Potential())


def vasp_keys(**dft):
    """Keys of every kind of job of VASP, by their names."""
    pytest.importorskip("atomate2")
    from magnetoionics.workflows.engines.vasp import VaspEngine
    from magnetoionics.workflows.vasp.settings import VaspBandSettings, VaspCommands, VaspSettings

    commands = VaspCommands(**dft.pop("commands", {}))
    path = VaspBandSettings(**dft.pop("path", {}))
    engine = VaspEngine(dft=VaspSettings(**dft), commands=commands, path=path)
    flow = Flow(
        [
            engine.relax(CELL, name="relax"),
            engine.band(CELL, CELL, [], mover=0, name="band"),
            engine.spin_orbit(CELL, directions=[[0, 0, 1]], state="pristine", name="map"),
            engine.charged(CELL, 1, relax=True, name="charged"),
            engine.dielectric(CELL, name="dielectric"),
            engine.in_field(CELL, [0, 0, 0.01], gap_eV=1.0, relax=True, name="in field"),
        ]
    )
    keys = {}
    found = {}
    for made, _ in flow.iterflow():
        keys[made.uuid] = job_key(made, keys)
        found[str(made.name)] = keys[made.uuid]
    return found


@pytest.fixture(scope="module")
def plain_vasp_keys():
    return vasp_keys()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "change",
    [
        {"ncore": 8, "kpar": 4},
        {"incar": {"all": {"NCORE": 8, "KPAR": 2, "NSIM": 8, "LPLANE": True}}},
        {"incar": {"all": {"ncore": 8}, "relax": {"KPAR": 4}, "band": {"NCORE": 4, "NCORE_IN_IMAGE1": 2}}},
        {"commands": {"standard": "srun -n 512 vasp_std", "noncollinear": "srun vasp_ncl", "band": "mpirun vtst"}},
        {"commands": {"poll_s": 99.0, "max_errors": 1, "potcar_spec": True}},
        {"path": {"ranks": 96}},
    ],
    ids=str,
)
def test_how_vasp_is_run_is_not_in_it(change, plain_vasp_keys):
    changed = vasp_keys(**change)
    assert [name for name in plain_vasp_keys if changed[name] != plain_vasp_keys[name]] == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "change",
    [
        {"encut_eV": 600.0},
        {"incar": {"all": {"ALGO": "All"}}},
        {"incar": {"all": {"ALGO": "All", "NCORE": 8}}},
        {"potcar": {"Fe": "Fe"}},
        {"kpoint_mesh": (2, 2, 2)},
    ],
    ids=str,
)
def test_what_vasp_computes_is_in_it(change, plain_vasp_keys):
    changed = vasp_keys(**change)
    # Which charge a cell gets follows from no setting.
    assert [name for name in plain_vasp_keys if changed[name] == plain_vasp_keys[name]] == ["charge"]


def test_a_new_setting_at_what_was_before_leaves_the_key(monkeypatch):
    engine = get_engine("local")
    plain = key_of(engine)
    monkeypatch.setattr(type(engine), "as_before", {"accuracy": engine.accuracy})
    old = key_of(engine)
    assert key_of(replace(engine, accuracy=1e-7)) != old != plain
    assert "accuracy" not in job_content(engine.relax(CELL, name="x"), {})["arguments"]["engine"]


@job
def somebodys(x):
    return x


def test_decoded_references_are_named_by_keys():
    first = somebodys(1)
    second = somebodys({"a": [first.output.b["c"]]})
    content = job_content(second, {first.uuid: "k"})
    assert content["arguments"]["x"] == {"a": [{"output of": "k", "attributes": [["a", "b"], ["i", "c"]]}]}
    plain = jsanitize(second.function_args, strict=True)
    again = somebodys(*MontyDecoder().process_decoded(plain))
    assert job_content(again, {first.uuid: "k"}) == content


@pytest.mark.filterwarnings("ignore")
def test_the_data_sets_of_the_release_are_in_it(plain_vasp_keys, monkeypatch):
    from magnetoionics.workflows.vasp import settings

    true = settings.recommended()
    monkeypatch.setattr(settings, "recommended", lambda: {**true, "Nb": "Nb_sv_GW"})
    changed = vasp_keys()
    assert [name for name in plain_vasp_keys if changed[name] == plain_vasp_keys[name]] == ["charge"]


def test_sources_are_read_once_for_each_state_of_theirs(tmp_path, monkeypatch):
    """A study asks for every job; a large package of the user's is not parsed for each."""
    folder = tmp_path / "large_own"
    folder.mkdir()
    (folder / "__init__.py").write_text("TABLE = 'numbers.csv'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    first = code_identity("large_own")
    read = []
    follow = sources._follow
    monkeypatch.setattr(sources, "_follow", lambda *args: read.append(args[0]) or follow(*args))
    assert code_identity("large_own") == first
    assert read == []
    states = [first]
    for name, text in (("numbers.csv", "1"), ("numbers.csv", "12"), ("more.py", "X = 1\n")):
        (folder / name).write_text(text)
        states.append(code_identity("large_own"))
    assert len({str(state) for state in states}) == 4
    assert read == ["large_own"] * 3
