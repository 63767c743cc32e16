"""Bounded fuzzing of everything that comes from outside: a clear refusal or a right result, never a traceback."""

import json
import shutil
import sys

import ase.io
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from magnetoionics.analysis.study.documents import Study
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.local.store import open_store
from magnetoionics.hpc.study_folder.files import read_study
from magnetoionics.hpc.study_folder.stored_study import STUDY_JOB
from magnetoionics.hpc.study_folder.study_run import study_under
from magnetoionics.structures.host import Host, get_host
from magnetoionics.structures.io.files import write_structure
from magnetoionics.structures.io.host_entries import HostFileError
from magnetoionics.structures.io.host_files import HostReference
from magnetoionics.structures.io.safe_json import UnsafeFileError
from magnetoionics.structures.io.untrusted_input import read_structure_file
from program_inputs import abinit_text, fdf_text, stru_text
from pymatgen.core import Structure
from undrawn_studies import run_study
from user_hosts import ENTRIES, bare_atoms

BOUNDED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# Modules of the standard library that nothing loads: one that is there afterwards was imported by a file.
UNUSED = ["antigravity", "this", "turtledemo.clock", "idlelib.idle", "lib2to3.main", "wsgiref.simple_server"]

OTHERS = {
    "a.xsf": "xsf",
    "a.cfg": "cfg",
    "a.gen": "gen",
    "a.pwi": "espresso-in",
    "a.res": "res",
}
# Of programs that ase does not write for.
PROGRAMS = {"a.fdf": fdf_text, "a.stru": stru_text, "a.abi": abinit_text}

atoms = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        ["CoFe2O4", "Fe", "O", "B", "../x", "/etc/passwd", "nan", "!!python/name:os.system", "<script>", "\0"]
    ),
)
values = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(max_size=8), inner, max_size=3),
        st.builds(lambda m, x: {"@module": m, "@class": "main", "x": x}, st.sampled_from([*UNUSED, "os"]), inner),
        st.builds(lambda m: {"@module": m, "@callable": "main", "@bound": None}, st.sampled_from([*UNUSED, "os"])),
    ),
    max_leaves=6,
)


def check_reason(error):
    """A refusal says why."""
    assert len(str(error).strip()) > 10


@pytest.fixture(autouse=True)
def nothing_is_imported():
    before = [m for m in UNUSED if m in sys.modules]
    yield
    assert [m for m in UNUSED if m in sys.modules] == before


def places(value, path=()):
    """Every position in a document, the long lists by their first two entries."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for k in range(min(2, len(value))):
            yield from places(value[k], (*path, k))


def changed(document, changes):
    """The document with some of its positions replaced or removed."""
    out = json.loads(json.dumps(document))
    for path, (remove, new) in changes:
        if not path:
            continue
        try:
            place = out
            for key in path[:-1]:
                place = place[key]
            if remove:
                del place[path[-1]]
            else:
                place[path[-1]] = new
        except (KeyError, IndexError, TypeError):
            continue
    return out


def changes_of(document):
    one = st.tuples(st.sampled_from(list(places(document))), st.tuples(st.booleans(), values))
    return st.lists(one, min_size=1, max_size=3)


HOST = {
    **{key: value for key, value in ENTRIES.items() if key != "hops"},
    "key": "mine",
    "title": "my ferrite",
    "structures": {"measured": "ferrite.cif"},
    "references": ["CoO", "Fe2O3"],
    "hubbard_U_eV": {"Co": 3.32},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("fuzz")
    write_structure(get_host("cofe2o4").structure(), made / "ferrite.cif")
    (made / "host.yaml").write_text(yaml.safe_dump(HOST))
    return made


def test_unchanged_host_loads(folder):
    assert isinstance(HostReference.from_file(folder / "host.yaml").host(), Host)


@settings(BOUNDED, max_examples=25)
@given(changes=changes_of(HOST))
def test_host_files(changes, folder):
    file = folder / "fuzzed.yaml"
    file.write_text(yaml.safe_dump(changed(HOST, changes), allow_unicode=True), encoding="utf-8")
    try:
        assert isinstance(HostReference.from_file(file).host(), Host)
    except HostFileError as error:
        check_reason(error)


@BOUNDED
@given(text=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_as_a_host_file(text, folder):
    file = folder / "bytes.yaml"
    file.write_bytes(text)
    with pytest.raises(HostFileError):
        HostReference.from_file(file).host()


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    made = tmp_path_factory.mktemp("structures")
    cell = get_host("cofe2o4").structure("normal")
    out = {}
    for name in ("a.cif", "a.vasp", "a.json", "a.extxyz"):
        write_structure(cell, made / name)
        out[name] = (made / name).read_bytes()
        assert len(read_structure_file(made / name)) == len(cell)
    atoms = bare_atoms(cell)
    for name, kind in OTHERS.items():
        extra = {"pseudopotentials": dict.fromkeys(("Co", "Fe", "O"), "x.upf")} if kind == "espresso-in" else {}
        ase.io.write(made / name, atoms, format=kind, **extra)
        out[name] = (made / name).read_bytes()
        assert len(read_structure_file(made / name)) == len(cell)
    for name, text in PROGRAMS.items():
        (made / name).write_text(text(cell))
        out[name] = (made / name).read_bytes()
        assert len(read_structure_file(made / name)) == len(cell)
    return out


@settings(BOUNDED, max_examples=250)
@given(data=st.data(), name=st.sampled_from(["a.cif", "a.vasp", "a.json", "a.extxyz", *OTHERS, *PROGRAMS]))
def test_structure_files(data, name, contents, tmp_path):
    content = bytearray(contents[name])
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = min(len(content), start + data.draw(st.integers(0, 60)))
        content[start:end] = data.draw(st.binary(max_size=30))
    file = tmp_path / name
    file.write_bytes(bytes(content))
    try:
        assert isinstance(read_structure_file(file), Structure)
    except (ValueError, OSError) as error:
        check_reason(error)


@pytest.fixture(scope="module")
def study_folder(tmp_path_factory):
    return run_study("cofe2o4", quick=True, stages=["host"], output=tmp_path_factory.mktemp("fuzz") / "cfo")


@pytest.fixture(scope="module")
def study(study_folder):
    return json.loads((study_folder / "results.json").read_text())


@pytest.fixture(scope="module")
def store(study_folder, tmp_path_factory):
    """A store to spoil, and the documents that a report is made from."""
    folder = tmp_path_factory.mktemp("stores")
    shutil.copytree(study_folder / "store", folder / "store")
    made = open_store(folder).docs_store
    return folder, made, {n: made.query_one({"name": n}) for n in (STUDY_JOB, "timings")}


OTHER_CLASSES = st.sampled_from(
    [
        {"@module": "pymatgen.core.lattice", "@class": "Lattice", "matrix": "x"},
        {"@module": "magnetoionics.analysis.kinetics.hop_set", "@class": "HopSet"},
        {"@module": "magnetoionics.analysis.study.documents", "@class": "nothing"},
        {"@module": "magnetoionics.analysis.no_such_module", "@class": "Study"},
        {"@module": "datetime", "@class": "datetime", "string": "x"},
        {"@module": "numpy", "@class": "array", "dtype": "O", "data": [1]},
    ]
)


@settings(BOUNDED, max_examples=25)
@given(data=st.data())
def test_stores(data, store):
    """A whole row with a right checksum, and anything in it."""
    folder, docs, documents = store
    name = data.draw(st.sampled_from(sorted(documents)))
    output = {"output": documents[name]["output"], "study": documents[name].get("study")}
    if data.draw(st.booleans()):
        output["output"] = data.draw(st.one_of(OTHER_CLASSES, values))
    else:
        output = changed(output, data.draw(changes_of(output)))
    docs.update([*documents.values(), {**documents[name], "output": None, **output}])
    try:
        assert isinstance(study_under(folder, None)[0], Study)
    except (UserError, UnsafeFileError) as error:
        check_reason(error)


@settings(BOUNDED, max_examples=100)
@given(data=st.data())
def test_results(data, study, tmp_path):
    raw = changed(study, data.draw(changes_of(study)))
    (tmp_path / "results.json").write_text(json.dumps(raw))
    try:
        assert isinstance(read_study(tmp_path), Study)
    except UserError as error:
        check_reason(error)


@BOUNDED
@given(data=st.data())
def test_torn_results(data, study, tmp_path):
    text = json.dumps(study).encode()
    cut = data.draw(st.integers(0, len(text) - 1))
    (tmp_path / "results.json").write_bytes(text[:cut] + data.draw(st.binary(max_size=5)))
    with pytest.raises(UserError):
        read_study(tmp_path)


COMMANDS = [
    "run",
    "status",
    "report",
    "claims",
    "hosts",
    "engines",
    "version",
    "submit",
    "fetch",
    "campaign",
    "cluster",
]
OPTIONS = ["--engine", "--order", "--output", "--jobs", "--quick", "--project", "--help", "--watch", "--stages", "-j"]
WORDS = ["init", "doctor", "nowhere", "../..", "-1", "0", "local", "normal", "cofe2o5", "x.yaml", "", "host,", "\u2603"]


@settings(BOUNDED, max_examples=120)
@given(words=st.lists(st.one_of(st.sampled_from([*COMMANDS, *OPTIONS, *WORDS]), st.text(max_size=6)), max_size=5))
def test_command_lines(words, tmp_path_factory, monkeypatch, capsys):
    """No host that exists is among the words: nothing can be computed, everything else must be said in one line."""
    place = tmp_path_factory.getbasetemp() / "lines"
    place.mkdir(exist_ok=True)
    monkeypatch.chdir(place)
    code = main(words)
    said = capsys.readouterr()
    assert code in (0, 1, 2)
    assert "Traceback" not in said.out + said.err
    if code == 2:
        assert said.err.count("\n") == 1 or not words
    assert list(place.iterdir()) == []
