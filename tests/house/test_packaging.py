"""The wheel holds the whole package and nothing else; README and CI run the same line."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

ROOMS = ("stored", "structures", "calculators", "workflows", "analysis", "hpc")
DATA = (
    "py.typed",
    "data/gpaw/*.json",
    "data/espresso/*.json",
    "data/engines/*.json",
    "data/references.bib",
    "analysis/audit/*.json",
    "analysis/study/*.json",
    "analysis/thermodynamics/*.json",
    "analysis/plots/*.mplstyle",
    "analysis/report/*.html",
    "analysis/report/*.css",
    "analysis/report/*.js",
    "analysis/report/*.js.gz",
    "analysis/report/*.LICENSE",
)
# Files that may lie in a room without being shipped.
NOTES = ("*.md",)

SET_UP = "python3 -m venv .venv && .venv/bin/pip install -e"
RUN = f"{SET_UP} . && .venv/bin/magnetoionics run cofe2o4"
TEST = f"{SET_UP} '.[test]' && .venv/bin/python -m pytest -n logical --dist loadfile"
FIRST_SCREEN_LINES = 40


def _expected(files: list[str]) -> set[str]:
    """Files of the checkout that belong into the wheel: modules of the rooms, and data."""
    of_package = {f for f in files if f in ("__init__.py", "__main__.py") or f.split("/")[0] in ROOMS}
    modules = {f for f in of_package if f.endswith(".py")}
    return modules | {f for f in files if any(fnmatch(f, pattern) for pattern in DATA)}


@pytest.fixture(scope="session")
def project(repository: Path) -> dict[str, Any]:
    return tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def wheel(repository: Path, checkout_files: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a clean copy; without isolation, so that no network is needed."""
    base = tmp_path_factory.mktemp("wheel")
    copy = base / "a checkout"
    for name in checkout_files:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(repository / name, copy / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(base), str(copy)]
    done = subprocess.run(command, cwd=base, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = base.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def wheel_files(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_wheel_holds_every_module_and_data_file_and_nothing_else(
    wheel_files: set[str], checkout_files: list[str]
) -> None:
    shipped = {n for n in wheel_files if ".dist-info/" not in n}
    expected = {f"magnetoionics/{name}" for name in _expected(checkout_files)}
    assert len(expected) > 30
    assert expected - shipped == set(), "missing from the wheel"
    assert shipped - expected == set(), "in the wheel without belonging there"


def test_wheel_carries_licence_metadata_and_command(wheel: Path, wheel_files: set[str]) -> None:
    assert any(n.endswith("licenses/LICENSE") for n in wheel_files)
    with zipfile.ZipFile(wheel) as archive:
        metadata = next(n for n in wheel_files if n.endswith(".dist-info/METADATA"))
        scripts = next(n for n in wheel_files if n.endswith(".dist-info/entry_points.txt"))
        assert "License-Expression: BSD-3-Clause" in archive.read(metadata).decode()
        assert "magnetoionics = magnetoionics.hpc.cli:entry" in archive.read(scripts).decode()


def test_every_file_in_a_room_is_shipped_or_a_note(checkout_files: list[str]) -> None:
    in_rooms = {f for f in checkout_files if f.split("/")[0] in ROOMS}
    stray = {f for f in in_rooms - _expected(checkout_files) if not any(fnmatch(f, n) for n in NOTES)}
    assert stray == set(), "add a package-data pattern in pyproject.toml and in DATA here"


def test_wheel_works_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    program = f"""
import importlib.resources, json, sys
sys.path.insert(0, {str(site)!r})
import magnetoionics
from magnetoionics.structures.host import get_host, host_keys
from magnetoionics.workflows.engine import engine_names
import magnetoionics.hpc.cli
data = importlib.resources.files("magnetoionics.analysis.audit")
print(json.dumps({{
    "file": magnetoionics.__file__,
    "hosts": host_keys(),
    "engines": engine_names(),
    "sites": len(get_host("cofe2o4").structure()),
    "data": sorted(p.name for p in data.iterdir()),
}}))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert Path(seen["file"]).is_relative_to(site)
    assert "cofe2o4" in seen["hosts"]
    assert "local" in seen["engines"]
    assert seen["sites"] > 0
    assert "claims.json" in seen["data"]


def test_every_package_folder_is_listed(project: dict[str, Any], checkout_files: list[str]) -> None:
    folders = {str(Path(f).parent) for f in checkout_files if Path(f).name == "__init__.py"}
    found = {"magnetoionics" if f == "." else "magnetoionics." + f.replace("/", ".") for f in folders}
    assert sorted(project["tool"]["setuptools"]["packages"]) == sorted(found)


def test_every_folder_with_modules_is_a_package(checkout_files: list[str]) -> None:
    folders = {Path(f).parent for f in checkout_files if f.endswith(".py") and f.split("/")[0] in ROOMS}
    assert {str(f) for f in folders if f"{f.as_posix()}/__init__.py" not in checkout_files} == set()


def test_the_version_is_the_same_everywhere(project: dict[str, Any], repository: Path) -> None:
    tree = ast.parse((repository / "__init__.py").read_text(encoding="utf-8"))
    stated = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__"
    ]
    version = project["project"]["version"]
    assert stated == [version]
    citation = (repository / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {version}\n" in citation
    assert f"\n## {version} " in (repository / "CHANGELOG.md").read_text(encoding="utf-8")


def test_readme_gives_both_commands_alone_in_the_first_screen(repository: Path) -> None:
    lines = (repository / "README.md").read_text(encoding="utf-8").splitlines()
    first_screen = "\n".join(lines[:FIRST_SCREEN_LINES])
    blocks = re.findall(r"^```bash\n(.*?)^```$", first_screen, flags=re.MULTILINE | re.DOTALL)
    assert f"{RUN}\n" in blocks
    assert f"{TEST}\n" in blocks


def test_ci_runs_the_second_command_verbatim(repository: Path) -> None:
    script = repository / ".ci" / "run"
    text = script.read_text(encoding="utf-8")
    assert text.splitlines()[-1] == TEST, "it must be last: its exit status is the script's"
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in text
    assert script.stat().st_mode & 0o111, "not executable"
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
