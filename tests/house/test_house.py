"""The rules of the house: imports go down, tools agree, nothing ties it to one machine, help is quick."""

from __future__ import annotations

import ast
import graphlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

# Which rooms a room may import besides itself.
MAY_IMPORT = {
    "structures": set(),
    "calculators": {"structures"},
    "analysis": {"structures"},
    "workflows": {"analysis", "structures", "calculators"},
    "hpc": {"workflows", "analysis", "structures"},
}
ENGINES = "workflows/engines/"
NO_ENGINE_OUTSIDE = ("ase.calculators", "atomate2", "gpaw", "torch", "jobflow", "maggma")
LONGEST_FILE = 450
HELP_SECONDS = 0.7

# Folders of one machine's users; written so that this line does not match itself.
MACHINE_PATH = re.compile(r"(?<![\w.~*])/(?:home|root|Users|work)/[\w.$-]")


@dataclass(frozen=True)
class Import:
    """One import statement of a file of the package."""

    path: str
    line: int
    level: int
    module: str
    name: str
    at_load: bool

    @property
    def target(self) -> tuple[str, ...]:
        """Parts of the imported module, counted from the package's root, for relative imports."""
        folder = Path(self.path).parent.parts
        base = folder[: len(folder) - (self.level - 1)]
        return (*base, *(self.module.split(".") if self.module else ()), self.name)

    @property
    def room(self) -> str:
        return self.path.split("/")[0]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: from {'.' * self.level}{self.module} import {self.name}"


def _statements(node: ast.AST, at_load: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, at_load
            continue
        lazy = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        yield from _statements(child, at_load and not lazy and not typing_only)


def _imports_of(path: str, source: str) -> Iterator[Import]:
    for statement, at_load in _statements(ast.parse(source), True):
        for alias in statement.names:
            if isinstance(statement, ast.Import):
                yield Import(path, statement.lineno, 0, alias.name, "", at_load)
            else:
                yield Import(path, statement.lineno, statement.level, statement.module or "", alias.name, at_load)


@pytest.fixture(scope="session")
def package_files(checkout_files: list[str]) -> list[str]:
    return [f for f in checkout_files if f.endswith(".py") and (f == "__init__.py" or f.split("/")[0] in MAY_IMPORT)]


@pytest.fixture(scope="session")
def imports(repository: Path, package_files: list[str]) -> list[Import]:
    return [i for f in package_files for i in _imports_of(f, (repository / f).read_text(encoding="utf-8"))]


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
        if room not in MAY_IMPORT[i.room] | {i.room}:
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
    low = [i for i in imports if i.level == 0 and i.room in ("structures", "analysis")]
    known = [
        i for i in low if f"{i.module}.{i.name}.".startswith(tuple(f"{package}." for package in NO_ENGINE_OUTSIDE))
    ]
    assert [str(i) for i in known] == []


def test_no_circles_at_load(imports: list[Import], package_files: list[str]) -> None:
    names = {tuple(f.removesuffix("/__init__.py").removesuffix(".py").split("/")): f for f in package_files}
    graph: dict[str, set[str]] = {f: set() for f in package_files}
    for i in imports:
        if i.level and i.at_load:
            found = names.get(i.target) or names.get(i.target[:-1])
            if found is not None and found != i.path:
                graph[i.path].add(found)
    assert list(graphlib.TopologicalSorter(graph).static_order())


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
    (found,) = _imports_of(path, source)
    assert found.target == target


def _tool(*arguments: str, cwd: Path) -> None:
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_lint(repository: Path) -> None:
    _tool("ruff", "check", "--no-cache", "--output-format=concise", ".", cwd=repository)


def test_ruff_format(repository: Path) -> None:
    _tool("ruff", "format", "--check", "--no-cache", ".", cwd=repository)


def test_strict_types(repository: Path, tmp_path: Path) -> None:
    """Through a link with the package's name, because a checkout may be called anything."""
    (tmp_path / "magnetoionics").symlink_to(repository, target_is_directory=True)
    _tool(
        "mypy",
        "--strict",
        "--config-file",
        str(repository / "pyproject.toml"),
        "--cache-dir",
        str(tmp_path / "cache"),
        "-p",
        "magnetoionics.structures",
        "-p",
        "magnetoionics.analysis",
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


def test_help_answers_at_once(tmp_path: Path) -> None:
    """Best of five, because another process may hold the cores for a moment."""
    beside = shutil.which("magnetoionics", path=str(Path(sys.executable).parent))
    command = [beside] if beside else [sys.executable, "-c", "from magnetoionics.hpc.cli import entry; entry()"]
    seconds = []
    for _ in range(5):
        begin = time.perf_counter()
        done = subprocess.run(
            [*command, "--help"],
            cwd=tmp_path,
            env={**os.environ, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        seconds.append(time.perf_counter() - begin)
        assert done.returncode == 0, done.stderr
        assert "run" in done.stdout
        if seconds[-1] < HELP_SECONDS:
            break
    assert min(seconds) < HELP_SECONDS
