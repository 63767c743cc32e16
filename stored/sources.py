"""Identity of code that is none of this package's: version of what is installed, hashes of sources that are not."""

from __future__ import annotations

import ast
import hashlib
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import PACKAGE
from .caching import file_digest, installed_versions

# What a calculator computes with; upgrading anything else of its requirements changes no number.
_BACKENDS = ("torch", "jax", "jaxlib", "tensorflow", "e3nn", "dgl", "torch-geometric", "matgl", "ase", "tblite", "xtb")

_CODE = (".py", ".so", ".pyd")
# What a calculator writes while it runs makes no number.
_WRITTEN = (".log", ".out", ".err", ".traj", ".lock", ".pyc")
_IMPORTERS = ("import_module", "__import__")
_LONGEST_NAME = 255


def code_identity(module: str) -> dict[str, Any]:
    """What tells one state of a module's code from another.

    Parameters
    ----------
    module
        Importable name.

    Returns
    -------
    dict
        ``versions`` of the distribution that it is installed from and of the numerical libraries that this requires;
        or, for files that no distribution installed, ``sources``: one hash of them, of all that they import of the
        kind, also by name, and of files beside them that they name. Empty if it cannot be found.
    """
    top = module.partition(".")[0]
    files = _own_files(top)
    if files is None:
        return {"versions": _versions(top)}
    known = _identities.get((top, tuple(files)))
    if known is None or known[0] != _stamps(known[0]):
        paths = _all_files(top, files)
        watched = {path for of_name in paths.values() for path in of_name + _beside(of_name)}
        # A file that comes to lie beside them changes its folder.
        watched |= {path.parent for path in watched}
        known = _identities[top, tuple(files)] = _stamps(watched), _sources_identity(paths)
    return dict(known[1])


# By top-level module and its files: when what makes the identity was last changed, and the identity.
_identities: dict[tuple[str, tuple[Path, ...]], tuple[dict[Path, tuple[int, int]], dict[str, Any]]] = {}


def _stamps(paths: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Size and time of change of each that is there."""
    stamps = {}
    for path in paths:
        try:
            state = path.stat()
        except OSError:
            continue
        stamps[path] = state.st_size, state.st_mtime_ns
    return stamps


def _sources_identity(paths: dict[str, list[Path]]) -> dict[str, Any]:
    # Names, and not where they lie: the same code elsewhere makes the same number.
    lines = [f"{name} {file_digest(path)}" for name in sorted(paths) for path in paths[name] + _beside(paths[name])]
    installed = {k: v for name in _imported(paths) for k, v in _versions(name).items() if _own_files(name) is None}
    return {
        "sources": hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16],
        "versions": {k: v for k, v in sorted(installed.items()) if k in _BACKENDS},
    }


def latest_change_s(module: str) -> float:
    """When one of the files that `code_identity` hashes was last changed, s since 1970; 0 for an installed module."""
    top = module.partition(".")[0]
    files = _own_files(top)
    if files is None:
        return 0.0
    return max(p.stat().st_mtime for paths in _all_files(top, files).values() for p in paths + _beside(paths))


def _all_files(top: str, files: list[Path]) -> dict[str, list[Path]]:
    """Sources by top-level module: of one that is not installed, and of all of the kind that it imports."""
    paths: dict[str, list[Path]] = {}
    _follow(top, files, paths)
    return paths


def _own_files(top: str) -> list[Path] | None:
    """Sources of a top-level module that no distribution installed; None for an installed or unknown one."""
    if top in sys.stdlib_module_names or top == PACKAGE:
        return None
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    # A folder without __init__.py has places and no origin.
    folders = [Path(place) for place in spec.submodule_search_locations or ()]
    places = folders or ([Path(spec.origin)] if spec.origin is not None else [])
    if not places or (all(_is_installed(place) for place in places) and top in _distributions()):
        return None
    files = [path for folder in folders for path in sorted(folder.rglob("*"))] or places
    return [path for path in files if path.suffix in _CODE and path.is_file()] or None


def _is_installed(path: Path) -> bool:
    places = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")}
    return any(path.resolve().is_relative_to(p) for p in places) or "site-packages" in path.parts


def _follow(top: str, files: list[Path], paths: dict[str, list[Path]]) -> None:
    paths[top] = files
    for name in _imports(files):
        more = None if name in paths else _own_files(name)
        if more is not None:
            _follow(name, more, paths)


def _imported(paths: dict[str, list[Path]]) -> Iterator[str]:
    for files in paths.values():
        yield from _imports(files)


def _imports(files: list[Path]) -> set[str]:
    return set().union(*(_named_in(path, file_digest(path))[0] for path in files))


def _beside(files: list[Path]) -> list[Path]:
    """Files that sources name as a text and that lie beside them: parameters that they read."""
    named = {path.parent / text for path in files for text in _named_in(path, file_digest(path))[1]}
    return sorted(path for path in named - set(files) if path.is_file())


@cache
def _named_in(path: Path, digest: str) -> tuple[frozenset[str], frozenset[str]]:
    """Top-level modules that a file with this content imports, and its texts that may name a file beside it."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return frozenset(), frozenset()
    names: set[str] = set()
    texts: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in _IMPORTERS:
            names |= {str(a.value).partition(".")[0] for a in node.args[:1] if isinstance(a, ast.Constant)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _may_name_a_file(node.value):
            texts.add(node.value)
    return frozenset(names - {""}), frozenset(texts)


def _may_name_a_file(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_NAME and text.isprintable() and not text.endswith(_WRITTEN)


@cache
def _distributions() -> dict[str, list[str]]:
    return {name: list(of) for name, of in packages_distributions().items()}


def _versions(top: str) -> dict[str, str]:
    """Of the distributions that a module is installed from, and of the libraries that they compute with."""
    names = set(_distributions().get(top, [top]))
    for name in tuple(names):
        try:
            needed = requires(name) or []
        except PackageNotFoundError:
            continue
        names |= {b for b in _BACKENDS if any(_names(line, b) for line in needed)}
    return installed_versions(*sorted(names))


def _names(requirement: str, package: str) -> bool:
    text = requirement.lower().replace("_", "-")
    return text.startswith(package) and not text[len(package) :][:1].isalnum() and text[len(package) :][:1] != "-"
