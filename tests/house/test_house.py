"""The rules of the house: imports go down, tools agree, nothing ties it to one machine, help is quick."""

from __future__ import annotations

import graphlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults import faults
from import_graph import ANALYSIS, Import, imports_of, module_graph, room_graph

# Which rooms a room may import besides itself.
MAY_IMPORT = {
    "stored": set(),
    "structures": {"stored"},
    "calculators": {"structures", "stored"},
    "analysis": {"structures", "stored"},
    "workflows": {"analysis", "structures", "calculators", "stored"},
    "hpc": {"workflows", "analysis", "structures", "stored"},
}
# What lies in the floor itself, and its rooms: a new module has a room of its own kind, or one is named here.
WORKFLOWS = {"engine", "errors", "maker", "stage", "thermal"}
WORKFLOW_ROOMS = {
    "ase",
    "band",
    "engines",
    "evaluation",
    "field",
    "flows",
    "gpaw",
    "importing",
    "jobs",
    "settings",
    "vasp",
    "vibrations",
}
ENGINES = "workflows/engines/"
NO_ENGINE_OUTSIDE = ("ase.calculators", "atomate2", "gpaw", "torch", "jobflow", "maggma")
LONGEST_FILE = 450
HELP_SECONDS = 0.5

# Folders of one machine's users; written so that this line does not match itself.
MACHINE_PATH = re.compile(r"(?<![\w.~*])/(?:home|root|Users|work)/[\w.$-]")


@pytest.fixture(scope="session")
def package_files(checkout_files: list[str]) -> list[str]:
    return [f for f in checkout_files if f.endswith(".py") and (f == "__init__.py" or f.split("/")[0] in MAY_IMPORT)]


@pytest.fixture(scope="session")
def imports(repository: Path, package_files: list[str]) -> list[Import]:
    return [i for f in package_files for i in imports_of(f, (repository / f).read_text(encoding="utf-8"))]


def test_imports_inside_the_package_are_relative(imports: list[Import]) -> None:
    assert [str(i) for i in imports if i.level == 0 and i.module.split(".")[0] == "magnetoionics"] == []
    escaping = [i for i in imports if i.level > len(Path(i.path).parts)]
    assert [str(i) for i in escaping] == []


def test_imports_go_down(imports: list[Import]) -> None:
    wrong = []
    for i in imports:
        if i.level == 0 or i.path == "__init__.py" or i.target == ("__version__",):
            continue
        room = i.target[0]
        if room not in MAY_IMPORT[i.floor] | {i.floor}:
            wrong.append(str(i))
    assert wrong == []


def test_only_engines_know_engines(imports: list[Import]) -> None:
    named = [
        i
        for i in imports
        if i.level and i.target[:2] == ("workflows", "engines") and len(i.target) > 2
        if not i.path.startswith(ENGINES)
    ]
    assert [str(i) for i in named] == []
    low = [i for i in imports if i.level == 0 and i.floor in ("structures", "analysis")]
    known = [
        i for i in low if f"{i.module}.{i.name}.".startswith(tuple(f"{package}." for package in NO_ENGINE_OUTSIDE))
    ]
    assert [str(i) for i in known] == []


def _order(graph: dict[str, set[str]]) -> list[str]:
    """Whoever is imported first; raises a CycleError that names a circle."""
    return list(graphlib.TopologicalSorter(graph).static_order())


def test_no_circles_at_load(imports: list[Import], package_files: list[str]) -> None:
    assert _order(module_graph(imports, package_files, at_load=True))


def test_no_circles_inside_functions_either(imports: list[Import], package_files: list[str]) -> None:
    modules = module_graph(imports, package_files, at_load=False)
    assert _order(modules)
    assert _order(room_graph({path: others for path, others in modules.items() if path != "__init__.py"}))


def test_rooms_of_analysis_import_only_what_stands_left_of_them(imports: list[Import]) -> None:
    """Also inside functions, and for types."""
    wrong = []
    for i in imports:
        if i.floor == "analysis" and i.level and i.target[0] == "analysis" and len(i.target) > 2:
            here, there = Path(i.path).parts[1], i.target[1]
            if ANALYSIS.index(there) > ANALYSIS.index(here):
                wrong.append(str(i))
    assert wrong == []
    assert {Path(i.path).parts[1] for i in imports if i.floor == "analysis"} <= set(ANALYSIS)


def test_workflows_have_rooms(package_files: list[str]) -> None:
    inside = [Path(f).parts[1:] for f in package_files if f.startswith("workflows/")]
    assert {parts[0].removesuffix(".py") for parts in inside if len(parts) == 1} == WORKFLOWS | {"__init__"}
    assert {parts[0] for parts in inside if len(parts) > 1} == WORKFLOW_ROOMS


@pytest.mark.parametrize(
    ("path", "source", "target"),
    [
        ("hpc/cli.py", "from .. import __version__", ("__version__",)),
        ("hpc/cli.py", "from ..structures.host import get_host", ("structures", "host", "get_host")),
        ("hpc/cli.py", "from .errors import UserError", ("hpc", "errors", "UserError")),
        ("structures/hosts/x.py", "from ..host import Host", ("structures", "host", "Host")),
        ("workflows/engines/x.py", "from ...analysis import study", ("analysis", "study")),
        ("structures/__init__.py", "from .host import Host", ("structures", "host", "Host")),
    ],
)
def test_relative_imports_are_resolved(path: str, source: str, target: tuple[str, ...]) -> None:
    (found,) = imports_of(path, source)
    assert found.target == target


def _tool(*arguments: str, cwd: Path) -> None:
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_lint(repository: Path) -> None:
    _tool("ruff", "check", "--no-cache", "--output-format=concise", ".", cwd=repository)


def test_ruff_format(repository: Path) -> None:
    _tool("ruff", "format", "--check", "--no-cache", ".", cwd=repository)


def test_strict_types(repository: Path, tmp_path: Path) -> None:
    """Through a link with the package's name, because a checkout may be called anything.

    Classes of the extras are base classes here: without them mypy knows nothing of what derives from them.
    """
    for extra in ("phonopy", "atomate2", "qtoolkit"):
        pytest.importorskip(extra, exc_type=ImportError)
    (tmp_path / "magnetoionics").symlink_to(repository, target_is_directory=True)
    _tool(
        "mypy",
        "--strict",
        "--config-file",
        str(repository / "pyproject.toml"),
        "--cache-dir",
        str(tmp_path / "cache"),
        *(
            word
            for room in ("structures", "calculators", "stored", "analysis", "workflows", "hpc")
            for word in ("-p", f"magnetoionics.{room}")
        ),
        cwd=tmp_path,
    )


def _texts(repository: Path, files: list[str]) -> Iterator[tuple[str, str]]:
    for name in files:
        try:
            yield name, (repository / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def test_no_file_knows_a_machine(repository: Path, checkout_files: list[str]) -> None:
    found = [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in _texts(repository, checkout_files)
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]
    assert found == []


def test_files_stay_readable(repository: Path, checkout_files: list[str]) -> None:
    lengths = {
        name: len(text.splitlines())
        for name, text in _texts(repository, [f for f in checkout_files if f.endswith(".py")])
    }
    assert {name: n for name, n in lengths.items() if n > LONGEST_FILE} == {}


HEAVY = ("torch", "atomate2", "pymatgen.analysis", "pymatgen.io")
SLOW_TO_START = ("jobflow", "maggma", "pymatgen", "matplotlib", "scipy", "ase", "pandas")


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("magnetoionics", HEAVY),
        ("magnetoionics.structures", HEAVY),
        ("magnetoionics.hpc.cli", HEAVY + SLOW_TO_START),
    ],
)
def test_import_is_light(module: str, unwanted: tuple[str, ...], tmp_path: Path) -> None:
    program = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout)
    assert module in loaded
    assert [m for m in loaded if f"{m}.".startswith(tuple(f"{u}." for u in unwanted))] == []


def test_every_fault_of_the_list_can_be_put_into_its_file(repository: Path) -> None:
    """A count of faults that are seen holds as long as each of them stands for a line of today."""
    counts = {(f.file, f.old): (repository / f.file).read_text(encoding="utf-8").count(f.old) for f in faults()}
    assert [f"{file} holds {text!r} {n} times" for (file, text), n in counts.items() if n != 1] == []


def seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_answers_at_once(tmp_path: Path) -> None:
    """Processor time, best of five: whatever else the machine does is not counted."""
    beside = shutil.which("magnetoionics", path=str(Path(sys.executable).parent))
    command = [beside] if beside else [sys.executable, "-c", "from magnetoionics.hpc.cli import entry; entry()"]
    seconds = []
    for _ in range(5):
        begin = seconds_of_children()
        done = subprocess.run(
            [*command, "--help"],
            cwd=tmp_path,
            env={**os.environ, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        seconds.append(seconds_of_children() - begin)
        assert done.returncode == 0, done.stderr
        assert "run" in done.stdout
        if seconds[-1] < HELP_SECONDS:
            break
    assert min(seconds) < HELP_SECONDS
