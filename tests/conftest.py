"""What several test files share about the checkout."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from without_figures import without_figures

NO_PUBLIC_FILES = "the public files of ../shared/real are not beside this checkout"
_NOT_SOURCE = {".git", ".venv", "__pycache__", "build", "dist", "node_modules"}


def _files_by_git(root: Path) -> list[str] | None:
    """Tracked files and those that git does not ignore; None outside a git checkout."""
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    if done.returncode != 0:
        return None
    return [name for name in done.stdout.split("\0") if name]


def _files_by_walking(root: Path) -> list[str]:
    inside = [p.relative_to(root) for p in root.rglob("*") if p.is_file()]
    return [
        p.as_posix()
        for p in inside
        if not any(part in _NOT_SOURCE or part.endswith((".egg-info", "_cache")) for part in p.parts)
    ]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository root, which is the package."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def checkout_files(repository: Path) -> list[str]:
    """Source files of the checkout, relative to its root: tracked or new, never ignored ones."""
    names = _files_by_git(repository)
    if names is None:
        names = _files_by_walking(repository)
    return sorted(n for n in names if (repository / n).is_file())


@pytest.fixture(scope="session")
def quick_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the quick study of CoFe2O4, computed once for all tests; who changes something in it takes a copy."""
    from magnetoionics.hpc.study_folder.study_run import run_study

    base = tmp_path_factory.getbasetemp()
    # Workers of pytest-xdist have folders of their own inside that of the run.
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, whole = shared / "quick" / "cfo", shared / "quick" / "whole"
    folder.parent.mkdir(exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            run_study("cofe2o4", quick=True, output=folder)
            whole.touch()
    return folder


@pytest.fixture(scope="module")
def own_study(quick_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `quick_study` for the tests of one file."""
    return Path(shutil.copytree(quick_study, tmp_path_factory.mktemp("own") / "cfo"))


@pytest.fixture
def no_figures() -> Iterator[None]:
    """Folders and reports hold empty pictures."""
    with without_figures():
        yield


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where every optional package is meant to be installed, a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    wanted = exitstatus == 0 and os.environ.get("MAGNETOIONICS_SKIP_IS_FAILURE")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    # Public files lie beside some checkouts only.
    if wanted and any(NO_PUBLIC_FILES not in str(report.longrepr) for report in skipped):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def real(repository: Path) -> Path:
    """Public files that this project did not write, beside the checkout; a test that needs them is skipped without."""
    folder = Path(os.environ.get("MAGNETOIONICS_REAL") or repository.parent / "shared" / "real")
    if not folder.is_dir():
        pytest.skip(NO_PUBLIC_FILES)
    return folder
