"""Every number of the results of small studies, kept and compared one by one.

``python tests/builders/golden.py compare OLD NEW`` compares two results.json (or study folders) and prints what
changed, was renamed, came or went; ``python tests/builders/golden.py write`` computes the small studies again and
replaces what `tests/golden` keeps, after printing the same. Read what it prints: it belongs into the commit message.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import json
import math
import pkgutil
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from threadpoolctl import threadpool_limits

FOLDER = Path(__file__).resolve().parents[1] / "golden"
_ASE = "ase:screened_ions:ScreenedIons"
# Arguments of `magnetoionics.run` by the name of the file that keeps the result.
STUDIES: dict[str, dict[str, Any]] = {
    "cofe2o4-local": {"host": "cofe2o4", "quick": True},
    "life5o8-local": {"host": "life5o8", "quick": True},
    "cofe2o4-ase": {"host": "cofe2o4", "engine": _ASE, "quick": True, "stages": ["vacancies", "migration"]},
    "life5o8-ase": {"host": "life5o8", "engine": _ASE, "quick": True, "stages": ["migration"]},
}
# What no two runs share: wall time, and the versions of what is installed.
VOLATILE = ("timings", "versions")
# What a band's driver met on its way, which turns on the last bits of a processor: the images between the stationary
# ones, how often it called, which minima it tried, and the residuals at which it stopped.
ON_THE_WAY = re.compile(r"\.(images|notes|force_calls)\b|\.checks\[\d+\]\.value$")
# Rounding of another machine's BLAS, amplified by a relaxation; anything that a physicist means is larger. Of a band
# that an ASE calculator computes through a surrogate, two machines agreed to 4e-3 in places and 4e-6 in barriers: the
# ends and the saddle are stationary to the force at which their search stops.
RELATIVE, ABSOLUTE = {"local": 1e-6, "ase": 6e-3}, 1e-7
# Barriers are held closer than the rest.
BARRIER = re.compile(r"(forward|backward)_eV$")
RELATIVE_BARRIER = 1e-3
# Numbers in a text that are nothing but rounding.
_ROUNDING = re.compile(r"\b\d+(\.\d+)?e-(09|[1-9]\d)\b")


@dataclass
class Comparison:
    """What differs between two results, by the path of each value."""

    changed: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    numbers: int = 0

    @property
    def same_numbers(self) -> bool:
        """Whether no value changed and none went; what is only renamed or new does not count."""
        return not (self.changed or self.gone)

    def lines(self, most: int = 40) -> Iterator[str]:
        """The differences in words, at most so many of each kind."""
        kinds = {
            "changed": [f"{k}: {a!r} -> {b!r}{_shift(a, b)}" for k, (a, b) in self.changed.items()],
            "renamed": [f"{k} -> {name}" for k, name in self.renamed.items()],
            "gone": self.gone,
            "new": self.new,
        }
        for kind, found in kinds.items():
            yield from (f"{kind}: {line}" for line in found[:most])
            if len(found) > most:
                yield f"{kind}: and {len(found) - most} more"
        yield f"{self.numbers} numbers compared, {len(self.changed)} values changed, {len(self.gone)} gone"


def _shift(a: Any, b: Any) -> str:
    return f" ({b - a:+.3g})" if _is_number(a) and _is_number(b) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def compare(
    old: Any,
    new: Any,
    *,
    relative: float = 0.0,
    absolute: float = 0.0,
    skipped: re.Pattern[str] | None = None,
) -> Comparison:
    """Compare two decoded results.json value by value.

    Parameters
    ----------
    old, new
        Decoded JSON.
    relative, absolute
        Tolerances of numbers as in `math.isclose`; by default numbers must be equal to the last bit.
    skipped
        Paths that may differ, e.g. `ON_THE_WAY` between two machines.
    """
    found = Comparison()
    _walk(old, new, "", found, relative, absolute)
    if skipped is not None:
        found.changed = {path: pair for path, pair in found.changed.items() if not skipped.search(path)}
        found.gone = [path for path in found.gone if not skipped.search(path)]
    return found


def _walk(old: Any, new: Any, path: str, out: Comparison, relative: float, absolute: float) -> None:
    if isinstance(old, dict) and isinstance(new, dict):
        matches = {key: key for key in old if key in new}
        free = [key for key in new if key not in old]
        for key in old:
            if key in matches or key in VOLATILE:
                continue
            match = next((k for k in free if compare(old[key], new[k]).same_numbers and old[key] not in ({}, [])), None)
            if match is None:
                out.gone.append(f"{path}.{key}")
                continue
            free.remove(match)
            matches[key] = match
            out.renamed[f"{path}.{key}"] = match
        out.new += [f"{path}.{key}" for key in free if key not in VOLATILE]
        for key, other in matches.items():
            if key not in VOLATILE:
                _walk(old[key], new[other], f"{path}.{key}", out, relative, absolute)
    elif isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            out.changed[f"{path}.length"] = (len(old), len(new))
        for n, (a, b) in enumerate(zip(old, new, strict=False)):
            _walk(a, b, f"{path}[{n}]", out, relative, absolute)
    elif _is_number(old) and _is_number(new):
        out.numbers += 1
        if old != new and not math.isclose(old, new, rel_tol=_bound(path, relative), abs_tol=absolute):
            out.changed[path] = (old, new)
    elif _without_rounding(old) != _without_rounding(new):
        out.changed[path] = (old, new)


def _bound(path: str, relative: float) -> float:
    """Relative tolerance of a number where other numbers have this one."""
    if BARRIER.search(path):
        return min(relative, RELATIVE_BARRIER)
    return relative


def _without_rounding(value: Any) -> Any:
    return _ROUNDING.sub("0", value) if isinstance(value, str) else value


def read(path: Path) -> Any:
    """Decoded results.json of a file, a study's folder, or what `tests/golden` keeps."""
    path = path / "results.json" if path.is_dir() else path
    raw = path.read_bytes()
    return json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)


def kept(name: str) -> Any:
    """What `tests/golden` keeps of a study."""
    return read(FOLDER / f"{name}.json.gz")


def against_kept(name: str, new: Any) -> Comparison:
    """What changed of a study since it was kept, on whatever machine."""
    relative = RELATIVE[name.rpartition("-")[2]]
    return compare(kept(name), new, relative=relative, absolute=ABSOLUTE, skipped=ON_THE_WAY)


def computed(name: str, folder: Path) -> Any:
    """Results of one of `STUDIES`, computed anew, its claims judged by the study alone."""
    import magnetoionics

    given = dict(STUDIES[name])
    # A time of 1e102 s is off by 1 % where its barrier is off by 4e-5 eV, which a second thread of BLAS makes.
    with nothing_shipped(), threadpool_limits(1):
        magnetoionics.run(given.pop("host"), output=folder, quiet=True, **given)
    return read(folder)


@contextmanager
def nothing_shipped() -> Iterator[None]:
    """Hide `data/gpaw` from the audit: docs/claims.md follows it, what a study computes does not."""
    from magnetoionics.analysis import audit

    names = [one.name for one in pkgutil.iter_modules(audit.__path__) if one.name.startswith("known_")]
    modules = [importlib.import_module(f"{audit.__name__}.{name}") for name in names]
    with tempfile.TemporaryDirectory() as empty, ExitStack() as stack:
        for module in modules:
            for folder in ("reference_calculations_folder", "starts_folder"):
                if hasattr(module, folder):
                    stack.enter_context(patch.object(module, folder, lambda: Path(empty)))
            for cache in (one for one in vars(module).values() if hasattr(one, "cache_clear")):
                cache.cache_clear()
                stack.callback(cache.cache_clear)
        yield


def write(names: list[str]) -> None:
    """Compute the studies again, print how they differ from what is kept, and keep the new ones."""
    FOLDER.mkdir(exist_ok=True)
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            new = computed(name, Path(folder) / "study")
        target = FOLDER / f"{name}.json.gz"
        if target.exists():
            print(f"== {name}", *against_kept(name, new).lines(), sep="\n")
        for key in VOLATILE:
            new.pop(key, None)
        target.write_bytes(gzip.compress(json.dumps(new, separators=(",", ":")).encode(), mtime=0))


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="command", required=True)
    two = parts.add_parser("compare", help="compare two results")
    two.add_argument("old", type=Path)
    two.add_argument("new", type=Path)
    two.add_argument("--relative", type=float, default=0.0, help="relative tolerance of numbers [default: none]")
    two.add_argument("--absolute", type=float, default=0.0, help="absolute tolerance of numbers [default: none]")
    again = parts.add_parser("write", help="compute the small studies again and keep them")
    again.add_argument("names", nargs="*", default=list(STUDIES), help=f"some of {', '.join(STUDIES)}")
    given = parser.parse_args()
    if given.command == "write":
        write(given.names)
        return 0
    found = compare(read(given.old), read(given.new), relative=given.relative, absolute=given.absolute)
    print(*found.lines(), sep="\n")
    return 0 if found.same_numbers else 1


if __name__ == "__main__":
    sys.exit(main())
