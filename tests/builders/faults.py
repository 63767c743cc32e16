"""Single faults in the core, and whether the tests see them.

``faults.yaml`` holds the list: what would be wrong, the file, its text, the text with the fault, and the tests that
must fail. Its tests must pass without it first: a test that fails anyway sees nothing. Then each fault is put into a
copy of the checkout, its tests are run there, and the copy is set right again. It takes an hour, so it is no part of
CI::

    python tests/builders/faults.py                 # all of them; writes docs/faults.md as it goes
    python tests/builders/faults.py --untried       # those without a verdict on the page, which are added to it
    python tests/builders/faults.py "order energies"  # those whose name holds the words; prints only

A fault whose text is no longer in its file is told as such: correct the list with the code.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import importlib
import os
import py_compile
import re
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("faults.yaml")
PAGE = ROOT / "docs" / "faults.md"
_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", "*_cache", "build", "dist", "site", "node_modules")
SECONDS = 1200
_TOO_LONG = -100
UNTRIED = "not run yet"
BROKEN = "its tests fail without it"
_HEAVY = [
    "numpy",
    "scipy.optimize",
    "scipy.interpolate",
    "scipy.special",
    "pandas",
    "numba",
    "spglib",
    "pydantic",
    "rich.table",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "pymatgen.core",
    "pymatgen.symmetry.analyzer",
    "pymatgen.analysis.phase_diagram",
    "pymatgen.entries.compatibility",
    "ase.io",
    "ase.optimize",
    "jobflow",
    "maggma.stores",
    "vesin",
    "jinja2",
    "typer.testing",
    "hypothesis",
    "pytest",
]


@dataclass(frozen=True)
class Fault:
    """One wrong line.

    Attributes
    ----------
    name
        What would be wrong.
    file
        Relative to the checkout.
    old, new
        Text that stands there once, and the text with the fault.
    tests
        Arguments of pytest.
    """

    name: str
    file: str
    old: str
    new: str
    tests: list[str]


@dataclass
class Outcome:
    """What became of a fault: ``seen`` by a test, ``survived``, ``no such text``, or its tests fail without it."""

    fault: Fault
    verdict: str
    by: str = ""
    seconds: float = field(default=0.0, compare=False)


def faults() -> list[Fault]:
    """The list, a file's tests standing for those of its faults that name none of their own."""
    found = []
    for part in yaml.safe_load(LIST.read_text(encoding="utf-8")):
        for one in part["faults"]:
            tests = one.get("tests", part["tests"])
            found.append(Fault(one["name"], one.get("file", part["file"]), one["old"], one["new"], tests))
    return found


def put_in(root: Path, fault: Fault) -> str:
    """Put a fault into a checkout; returns the file as it was.

    Raises
    ------
    LookupError
        If its text does not stand there exactly once.
    """
    path = root / fault.file
    text = path.read_text(encoding="utf-8")
    if text.count(fault.old) != 1:
        raise LookupError(f"{fault.file} holds {fault.old!r} {text.count(fault.old)} times")
    path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
    return text


def try_fault(copy: Path, fault: Fault, sound: dict[tuple[str, ...], str]) -> Outcome:
    """Run a fault's tests on a copy that has it, and before on one that has none.

    `sound` keeps what the tests said without a fault, by the tests: nothing, or which failed.
    """
    tests = tuple(fault.tests)
    if tests not in sound:
        code, said = _pytest_in(copy, fault.tests)
        sound[tests] = "" if code == 0 else next(iter(_failed(said)), f"pytest ended with {code}")
    if sound[tests]:
        return Outcome(fault, BROKEN, sound[tests])
    try:
        right = put_in(copy, fault)
    except (LookupError, OSError) as error:
        return Outcome(fault, "no such text", str(error))
    begin = time.perf_counter()
    try:
        code, said = _pytest_in(copy, fault.tests)
    finally:
        (copy / fault.file).write_text(right, encoding="utf-8")
    failed = _failed(said)
    verdict = {0: "survived", 1: "seen", _TOO_LONG: "seen"}.get(code, f"pytest ended with {code}")
    by = failed[0] if failed else "no end in sight" if code == _TOO_LONG else ""
    return Outcome(fault, verdict, by, time.perf_counter() - begin)


def _failed(said: str) -> list[str]:
    return re.findall(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)


def preload(copy: Path) -> None:
    """Import the libraries that take time, once for all faults, and compile the copy.

    The package itself is imported anew for each fault, since a registry that stayed would refuse what registers with
    it again. Compiled files count by the hash of their text, so that a fault of equal length in the same second is
    read.
    """
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(copy.parent))
    compileall.compile_dir(copy, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    for name in _HEAVY:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _pytest_in(copy: Path, tests: list[str]) -> tuple[int, str]:
    """Exit code and output of pytest in a copy of the checkout, in a fork of this process."""
    with tempfile.TemporaryFile("w+") as said:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            os._exit(_child(copy, tests))
        end, status = time.monotonic() + SECONDS, None
        while status is None and time.monotonic() < end:
            done, waited = os.waitpid(child, os.WNOHANG)
            status = waited if done else None
            time.sleep(0.1)
        if status is None:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        said.seek(0)
        return (_TOO_LONG if status is None else os.waitstatus_to_exitcode(status)), said.read()


def _child(copy: Path, tests: list[str]) -> int:
    import pytest

    os.chdir(copy)
    os.environ.setdefault("MAGNETOIONICS_REAL", str(ROOT.parent / "shared" / "real"))
    begun = copy.parent / "begun"
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--no-header", f"--basetemp={begun}", *tests]))


def kept(text: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Verdict and first test that fails, by name and file, from a page that was written before."""
    rows = re.findall(r"^\| (.+?) \| `(.+?)` \| (.+?) \| (.*?) ?\|$", text, re.MULTILINE)
    return {(name, file): (verdict, by.strip()) for name, file, verdict, by in rows}


def with_kept(found: list[Outcome], text: str) -> list[Outcome]:
    """What was tried now, and of every other fault of the list what the page said of it."""
    now, before = {(o.fault.name, o.fault.file): o for o in found}, kept(text)
    out = []
    for fault in faults():
        key = (fault.name, fault.file)
        out.append(now.get(key) or Outcome(fault, *before.get(key, (UNTRIED, ""))))
    return out


def page(found: list[Outcome]) -> str:
    """The table of the documentation."""
    seen = sum(one.verdict == "seen" for one in found)
    tried = sum(one.verdict in ("seen", "survived") for one in found)
    rows = [f"| {o.fault.name} | `{o.fault.file}` | {o.verdict} | {_test(o.by)} |" for o in found]
    return "\n".join(
        [
            "# Faults that the tests see",
            "",
            "Written by `python tests/builders/faults.py`, which puts single faults into the core, most of them where",
            "numbers are copied, renamed or chosen, and runs the tests that are meant to see each, which pass without",
            "the fault. The list is [faults.yaml](../tests/builders/faults.yaml).",
            "",
            f"{seen} of the {tried} that were tried are seen; the list has {len(found)}.",
            "",
            "| what is wrong | where | verdict | first test that fails |",
            "|-|-|-|-|",
            *rows,
            "",
        ]
    )


def _test(node: str) -> str:
    file, _, name = node.partition("::")
    return f"`{Path(file).name}`: {name.split('[')[0].removeprefix('test_').replace('_', ' ')}" if name else node


def main() -> int:
    """Try the faults that were asked for; the number of those that no test sees is the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="parts of the names of faults; all by default")
    parser.add_argument("--page", action="store_true", help="write the page of the documentation")
    parser.add_argument("--untried", action="store_true", help="those without a verdict on the page; writes it")
    asked = parser.parse_args()
    chosen = [f for f in faults() if not asked.words or any(w in f.name or w in f.file for w in asked.words)]
    before = PAGE.read_text(encoding="utf-8")
    if asked.untried:
        done = {key for key, (verdict, _) in kept(before).items() if verdict in ("seen", "survived")}
        chosen = [f for f in chosen if (f.name, f.file) not in done]
    found: list[Outcome] = []
    sound: dict[tuple[str, ...], str] = {}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "magnetoionics"
        shutil.copytree(ROOT, copy, ignore=_LEFT_OUT, symlinks=True)
        preload(copy)
        for fault in chosen:
            one = try_fault(copy, fault, sound)
            found.append(one)
            print(f"{one.verdict:12} {fault.file}: {fault.name}  [{one.by}] {one.seconds:.0f} s", flush=True)
            if asked.page or asked.untried or not asked.words:
                PAGE.write_text(page(with_kept(found, before)), encoding="utf-8")
    return sum(one.verdict != "seen" for one in found)


if __name__ == "__main__":
    sys.exit(main())
