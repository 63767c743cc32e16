"""Other people's files never run code, never write outside their folder, and bring no script into a report."""

import json
import os
import pickle
import re
import subprocess
import sys
import zlib

import pytest
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.local.sqlite_store import SqliteStore
from magnetoionics.hpc.local.store import refuse_links
from magnetoionics.hpc.study_folder.files import read_study, write_study
from magnetoionics.structures.host import get_host
from magnetoionics.structures.io.files import inner_path, read_structure
from magnetoionics.structures.io.host_entries import HostFileError
from magnetoionics.structures.io.host_files import HostReference
from magnetoionics.structures.io.safe_json import UnsafeFileError, check_classes, loads
from magnetoionics.structures.io.untrusted_input import read_structure_file, read_yaml
from without_figures import without_figures

# Standard modules that nothing here needs: if one is loaded, a file has had it imported.
TRAP = "antigravity_trap"


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A module that leaves a mark when it is imported or its class is built."""
    place = tmp_path / "modules"
    place.mkdir()
    mark = tmp_path / "executed"
    (place / f"{TRAP}.py").write_text(
        f"open({str(mark)!r}, 'w').close()\n"
        "class Bomb:\n    @classmethod\n    def from_dict(cls, d):\n        return cls()\n"
        "def fire():\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(place))
    yield mark
    sys.modules.pop(TRAP, None)
    assert not mark.exists(), "a file from outside was executed"


BOMBS = [
    {"@module": TRAP, "@class": "Bomb"},
    {"@module": TRAP, "@callable": "fire", "@bound": None},
    {"@module": "os", "@callable": "system"},
    {"@module": "subprocess", "@class": "Popen", "args": ["true"]},
    {"@module": "magnetoionics.hpc.study_folder.study_run", "@class": "run_study"},
    {"@module": "magnetoionics.analysis.study.documents", "@callable": "Study"},
    {"@module": f"magnetoionics.analysis.x.{TRAP}/../..", "@class": "Study"},
    {"@module": "pymatgen.core.structure", "@class": "__builtins__"},
    {"@module": "pymatgen.io.vasp.outputs.os", "@class": "system"},
    {"@module": ["os"], "@class": "system"},
    {"@module": "os", "@class": None},
    {"@module": "numpy.f2py", "@class": "main"},
    {"@module": "pickle", "@class": "Unpickler"},
    {"@module": "pymatgen.io.vasp.outputs", "@class": "Vasprun", "filename": "/dev/zero"},
    {"@module": "magnetoionics.workflows.engines.ase", "@class": "AseCalculatorEngine", "calculator": "os:system"},
    {"@module": "torch", "@class": "load"},
    # By the names of stores: an engine, a job function, what is stored nowhere.
    {"@module": "magnetoionics.stored", "@class": "AseCalculatorEngine", "calculator": "os:system"},
    {"@module": "magnetoionics.stored", "@class": "LocalEngine"},
    {"@module": "magnetoionics.stored", "@callable": "relax_structure", "@bound": None},
    {"@module": "magnetoionics.stored", "@class": "run_study"},
    {"@module": "magnetoionics.stored", "@class": "resolve"},
    {"@module": "magnetoionics.workflows.local", "@class": "LocalEngine"},
    # Taken over from elsewhere by a module whose own classes are data.
    {"@module": "magnetoionics.analysis.calculation", "@class": "Provenance"},
    {"@module": "magnetoionics.analysis.results.calculation", "@class": "Band"},
    {"@module": "pymatgen.io.vasp.sets", "@class": "Vasprun", "filename": "/dev/zero"},
    {"@module": "pymatgen.core.structure", "@class": "Path"},
]


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda b: f"{b['@module']}.{b.get('@class', b.get('@callable'))}")
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_unknown_classes_are_refused_before_anything_is_imported(bomb, depth, trap):
    value = bomb
    for _ in range(depth):
        value = {"a": [1.0, {"b": value}]}
    with pytest.raises(UnsafeFileError, match="nothing was read"):
        loads(json.dumps(value), "results.json")


def test_bomb_behind_numbers_in_a_list_is_found(trap):
    for row in ([1.0, BOMBS[0]], ["x", [BOMBS[0]]], [[1.0], BOMBS[0]], [None, BOMBS[0]]):
        with pytest.raises(UnsafeFileError):
            check_classes(row, "x")


def test_deep_nesting_is_refused_not_recursed():
    for text in ("[" * 100000 + "]" * 100000, '{"a":' * 5000 + "1" + "}" * 5000):
        with pytest.raises(ValueError, match="nested"):
            loads(text, "x.json")


def test_summary_of_a_vasp_run_is_let_through_and_stays_a_mapping():
    """Documents of VASP runs name Outcar, whose constructor would read a file; nothing may ever call it."""
    from monty.json import MontyDecoder
    from pymatgen.io.vasp.outputs import Outcar

    named = {"@module": "pymatgen.io.vasp.outputs", "@class": "Outcar", "filename": "/dev/zero", "efermi": 1.0}
    check_classes({"calcs_reversed": [{"output": {"outcar": named}}]}, "jobs.sqlite")
    assert not hasattr(Outcar, "from_dict")
    assert MontyDecoder().decode(json.dumps(named)) == named


def test_own_documents_are_let_through(study):
    raw = json.loads((study / "results.json").read_text())
    check_classes(raw, "results.json")


@pytest.fixture(scope="module")
def study(own_study):
    return own_study


@pytest.fixture
def raw(study):
    return json.loads((study / "results.json").read_text())


def put(folder, raw):
    folder.mkdir(exist_ok=True)
    (folder / "results.json").write_text(json.dumps(raw))
    return folder


def test_bomb_in_a_structure_of_results_is_refused(raw, trap, tmp_path):
    """A site's properties are decoded by pymatgen, deep inside the document's validation."""
    raw["host"]["structure"]["sites"][0]["properties"]["magmom"] = BOMBS[0]
    with pytest.raises(UserError, match="nothing was read"):
        read_study(put(tmp_path / "s", raw))
    assert main(["claims", str(tmp_path / "s")]) == 2


def test_bomb_in_a_store_is_refused(trap, study, tmp_path, capsys):
    import shutil
    import sqlite3

    folder = tmp_path / "copy"
    shutil.copytree(study, folder)
    with sqlite3.connect(folder / "store" / "jobs.sqlite") as db:
        uuid, body = db.execute("SELECT uuid, body FROM documents WHERE name = 'study'").fetchone()
        document = json.loads(zlib.decompress(body))
        document["output"]["host"]["structure"]["sites"][0]["properties"]["x"] = BOMBS[0]
        db.execute("UPDATE documents SET body = ? WHERE uuid = ?", (zlib.compress(json.dumps(document).encode()), uuid))
    assert main(["report", str(folder)]) == 2
    assert "nothing was read" in capsys.readouterr().err


def test_pickles_are_not_opened(trap, tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.system, (f"touch {tmp_path / 'executed'}",))

    body = pickle.dumps(Evil())
    for name in ("host.yaml", "a.json", "b.cif", "c.extxyz", "POSCAR", "d.pkl", "e.traj"):
        (tmp_path / name).write_bytes(body)
    with pytest.raises(HostFileError):
        HostReference.from_file(tmp_path / "host.yaml").host()
    for name in ("a.json", "b.cif", "c.extxyz", "POSCAR", "d.pkl", "e.traj"):
        with pytest.raises((ValueError, OSError)):
            read_structure_file(tmp_path / name)
    store = SqliteStore(str(tmp_path / "s.sqlite"))
    store.connect()
    store._open.execute("INSERT INTO documents VALUES ('a', 1, 'x', ?)", (body,))
    with pytest.raises(RuntimeError, match="damaged"):
        list(store.query())


@pytest.mark.parametrize(
    "text",
    [
        "key: !!python/object/apply:os.system ['touch executed']",
        "key: !!python/name:os.system",
        "key: !!python/object/new:subprocess.Popen [['true']]",
        "a: &a [x, x]\nb: [*a, *a]",
        "a: &a {<<: *a}",
        "[" * 5000 + "]" * 5000,
        "key: !<tag:example.org,2020:x> 1",
        "\0",
    ],
)
def test_yaml_tags_aliases_and_depth_are_refused(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "host.yaml"
    file.write_text(text)
    with pytest.raises(HostFileError):
        HostReference.from_file(file).host()
    assert not (tmp_path / "executed").exists()


def test_devices_and_huge_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no plain file"):
        read_yaml(tmp_path)
    if os.path.exists("/dev/zero"):
        (tmp_path / "x.cif").symlink_to("/dev/zero")
        with pytest.raises(ValueError, match="no plain file"):
            read_structure_file(tmp_path / "x.cif")
    big = tmp_path / "big.yaml"
    with big.open("wb") as stream:
        stream.truncate(5 * 1024**2)
    with pytest.raises(ValueError, match="MB"):
        read_yaml(big)


def test_bomb_in_a_structure_file_is_refused(trap, tmp_path):
    plain = get_host("cofe2o4").structure("normal").as_dict()
    plain["sites"][0]["properties"] = {"magmom": BOMBS[0]}
    file = tmp_path / "a.json"
    file.write_text(json.dumps(plain))
    for read in (read_structure, read_structure_file):
        with pytest.raises(UnsafeFileError):
            read(file)


def test_symmetry_operations_of_a_cif_are_not_evaluated(trap, tmp_path):
    """Old parsers handed these words to `eval`."""
    evil = f"__import__('{TRAP}')"
    for key in (
        "_symmetry_equiv_pos_as_xyz",
        "_space_group_symop_magn_operation.xyz",
        "_space_group_magn.transform_BNS_Pp_abc",
    ):
        file = tmp_path / "a.cif"
        file.write_text(
            "data_x\n_cell_length_a 4\n_cell_length_b 4\n_cell_length_c 4\n_cell_angle_alpha 90\n_cell_angle_beta 90\n"
            f'_cell_angle_gamma 90\nloop_\n{key}\n"{evil}"\n_space_group_magn.number_BNS 1.1\n'
            "loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n"
            "_atom_site_fract_z\nFe1 Fe 0 0 0\n"
        )
        try:
            read_structure_file(file)
        except ValueError:
            continue


UP = "../../../escaped.extxyz"


def test_results_write_inside_their_folder_only(study, raw, tmp_path):
    from magnetoionics.analysis.study.documents import Study
    from magnetoionics.hpc.local.store import open_store
    from magnetoionics.hpc.study_folder.stored_study import load_study

    folder = tmp_path / "inner" / "study"
    folder.mkdir(parents=True)
    before = snapshot(tmp_path, folder)
    _, bands = load_study(open_store(study).docs_store)
    (band,) = bands.values()
    absolute = str(tmp_path / "escaped.extxyz")
    names = [UP, absolute, "..", "bands/../../escaped", "a/b/c", "C:\\x\\y", "\0x", ""]
    raw["migration"][0]["band_file"] = UP
    write_study(Study.model_validate(raw), dict.fromkeys(names, band), folder)
    assert snapshot(tmp_path, folder) == before
    assert {p.parent.name for p in folder.rglob("*.extxyz")} == {"bands"}


def test_names_of_a_host_lead_nowhere(tmp_path):
    """Sublattices and orders come from a host file, and are parts of the names of what is written."""
    from magnetoionics.hpc.printing.structures import _write
    from magnetoionics.workflows.vasp.plan import folder_name

    cell = get_host("cofe2o4").structure("normal")

    class Found:
        def structures(self):
            for evil in ("V_Fe(../../../../x)", "/etc/x", "..", "a\0b", "x" * 400):
                yield f"vacancies/{evil}", cell

    folder = tmp_path / "a" / "b" / "out"
    before = snapshot(tmp_path, folder)
    folder.mkdir(parents=True)
    assert _write(Found(), {}, folder) == 5
    assert snapshot(tmp_path, folder) == [*before, str(tmp_path / "a"), str(tmp_path / "a" / "b")]
    assert sum(p.suffix == ".cif" for p in folder.rglob("*")) == 5
    assert str(inner_path("hops/01-Co(B)-V_Fe(B)/initial")) == "hops/01-Co(B)-V_Fe(B)/initial"
    assert "/" not in folder_name("bulk_../../x")


@pytest.mark.parametrize(
    "place", ["store", "figures", "bands", "results.json", "store/jobs.sqlite", "store/files/V_O", "figures/band.png"]
)
def test_links_out_of_a_study_are_not_written_through(place, study, tmp_path, capsys):
    import shutil

    folder, outside = tmp_path / "study", tmp_path / "outside"
    folder.mkdir()
    for name in ("store", "figures", "bands"):
        shutil.copytree(study / name, folder / name)
    link = folder / place
    if link.exists():
        link.rename(outside)
    else:
        outside.mkdir()
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(outside)
    before = {p: p.stat().st_mtime_ns for p in [outside, *outside.rglob("*")]}
    for words in (["report", str(folder)], ["run", "cofe2o4", "--quick", "--output", str(folder)]):
        assert main(words) == 2
        assert "leads out" in capsys.readouterr().err
    assert {p: p.stat().st_mtime_ns for p in [outside, *outside.rglob("*")]} == before


def test_links_within_a_study_are_its_own_affair(study, tmp_path):
    import shutil

    shutil.copytree(study / "store", tmp_path / "store")
    (tmp_path / "band.png").symlink_to("figures/band.png")
    refuse_links(tmp_path)


def snapshot(root, without):
    return sorted(str(p) for p in root.rglob("*") if not p.is_relative_to(without))


SCRIPTS = [
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "</title>",
    "javascript:alert(1)",
    "{{ 7*7 }}",
    "</script><script>alert(2)",
]


# Texts that a person or an engine writes freely; the others are names that the report looks up.
FREE_TEXTS = {"title", "summary", "note", "notes", "reason", "claim", "test", "left_out", "dipole_note", "functional"}
FREE_TEXTS |= {"not_checked", "assumptions", "system", "cubic_note", "ions", "space_group"}


def _strings(value, path=()):
    if isinstance(value, dict):
        for k, v in value.items():
            yield from _strings(v, (*path, k))
    elif isinstance(value, list):
        for k, v in enumerate(value[:2]):
            yield from _strings(v, (*path, k))
    elif isinstance(value, str):
        yield path


def _set(value, path, new):
    for k in path[:-1]:
        value = value[k]
    value[path[-1]] = new


def test_no_text_of_results_becomes_markup_in_the_report(raw):
    """Every free text of the document at once, then the report is parsed: no element or attribute may be new."""
    from html.parser import HTMLParser

    from magnetoionics.analysis.report.page import report_html
    from magnetoionics.analysis.study.documents import Study

    class Elements(HTMLParser):
        def __init__(self):
            super().__init__()
            self.tags, self.handlers = [], []

        def handle_starttag(self, tag, attrs):
            self.tags.append(tag)
            self.handlers += [k for k, v in attrs if k.startswith("on") or (v or "").lower().startswith("javascript:")]

    def parsed(study):
        parser = Elements()
        html = report_html(study)
        parser.feed(html)
        return parser, html

    with without_figures():
        clean, _ = parsed(Study.model_validate(raw))
    assert clean.handlers == []
    evil = json.loads(json.dumps(raw))
    changed = 0
    for n, path in enumerate(list(_strings(raw))):
        if next((k for k in reversed(path) if isinstance(k, str)), "") in FREE_TEXTS or "sources" in path:
            _set(evil, path, SCRIPTS[n % len(SCRIPTS)])
            changed += 1
    assert changed > 30
    dirty, html = parsed(Study.model_validate(evil))
    assert dirty.handlers == []
    assert dirty.tags.count("script") == clean.tags.count("script")
    assert "img src=x" not in re.sub(r"&lt;.*?&gt;", "", html)
    assert "<script>alert" not in html


def test_no_secret_reaches_results_or_report(tmp_path):
    """Passwords of the environment and of a project file stay where they are."""
    secret = "correct-horse-battery"
    environment = {
        **os.environ,
        "MAGNETOIONICS_DB_PASSWORD": secret,
        "PMG_MAPI_KEY": secret,
        "AWS_SECRET_ACCESS_KEY": secret,
    }
    program = "from magnetoionics.hpc.cli import entry; entry()"
    command = [
        sys.executable,
        "-c",
        program,
        "run",
        "cofe2o4",
        "--quick",
        "--stages",
        "host",
        "--output",
        str(tmp_path / "s"),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert secret not in done.stdout + done.stderr
    for file in (tmp_path / "s").rglob("*"):
        if file.is_file():
            assert secret.encode() not in file.read_bytes(), file
    store = SqliteStore(str(tmp_path / "s" / "store" / "jobs.sqlite"))
    store.connect()
    assert secret not in json.dumps(list(store.query()))
