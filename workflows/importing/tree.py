"""Finished runs and bands in a tree of folders, found by what the folders hold; names are only repeated."""

from __future__ import annotations

import lzma
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..vasp.finished.band import image_folders
from ..vasp.finished.files import file_kind, open_bytes
from .tasks import TASK_MARKS

PlaceKind = Literal["run", "band", "defect entries"]
# More folders than any study has: a home directory was given by mistake.
MOST_RUNS = 5000
_OUTPUTS = ("vasprun.xml", "OUTCAR")
_ENTRY_NAMES = (".json", ".json.gz")
_ENTRY_CLASSES = ('"DefectThermodynamics"', '"DefectEntry"', '"FormationEnergyDiagram"')
_MAY_BE_OUTPUT = re.compile(r"vasprun|outcar|\.xml(\.gz)?$", re.IGNORECASE)
_LARGEST_JSON_bytes = 400_000_000


@dataclass(frozen=True)
class Place:
    """A folder or file that holds something.

    Attributes
    ----------
    path
        Where it is.
    name
        Its path below the one that was given, by which it is called.
    kind
        ``run``, ``band`` or ``defect entries`` (a file of doped or pymatgen-analysis-defects).
    output
        What a single file is, ``vasprun.xml`` or ``OUTCAR``, by its first lines; empty for a folder.
    problem
        Why it cannot be looked into; empty where it can.
    """

    path: Path
    name: str
    kind: PlaceKind
    output: str = ""
    problem: str = ""


def find_places(paths: Iterable[str | Path]) -> list[Place]:
    """Everything below some paths that can be read.

    Parameters
    ----------
    paths
        Folders, searched to the bottom, or single files (a vasprun.xml, a doped JSON file).

    Returns
    -------
    list of Place
        In the order of their names, none twice. Folders of a band's images are not runs of their own. Folders that may
        not be read, and links to folders outside, are among them with their problem.

    Raises
    ------
    FileNotFoundError
        If a path does not exist.
    ValueError
        If there is nothing to read, or more than a study has.
    """
    places: dict[Path, Place] = {}
    given = [Path(p).expanduser() for p in paths]
    for path in given:
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist; give the folder in which the runs lie")
        for place in _below(path, several=len(given) > 1):
            places.setdefault(place.path.resolve(), place)
            if len(places) > MOST_RUNS:
                raise ValueError(f"more than {MOST_RUNS} runs below {path}: give the folder of one study")
    if all(place.problem for place in places.values()):
        raise ValueError(
            f"no finished run below {', '.join(map(str, given))}: a run has a vasprun.xml or an OUTCAR, gzipped or not"
            + "".join(f"; {place.name}: {place.problem}" for place in places.values())
        )
    return sorted(places.values(), key=lambda p: p.name)


def _below(path: Path, *, several: bool) -> Iterator[Place]:
    if path.is_file():
        kind: PlaceKind = "defect entries" if path.name.endswith(_ENTRY_NAMES) else "run"
        yield Place(path, path.name, kind, output_kind(path) or "")
        return
    closed: list[OSError] = []

    def name_of(folder: Path) -> str:
        relative = folder.relative_to(path).as_posix()
        if relative == ".":
            return path.resolve().name
        return f"{path.resolve().name}/{relative}" if several else relative

    for folder, inner, names in os.walk(path, onerror=closed.append):
        inner[:] = sorted(n for n in inner if not n.startswith("."))
        here = Path(folder)
        name = name_of(here)
        yield from _links_out(path, here, inner, name_of)
        if len(image_folders(here)) > 2:
            yield Place(here, name, "band")
            inner[:] = [n for n in inner if not (len(n) == 2 and n.isdigit())]
        elif any(file_kind(n) in _OUTPUTS for n in names):
            yield Place(here, name, "run")
        else:
            for file in sorted(n for n in names if _MAY_BE_OUTPUT.search(n)):
                if output := output_kind(here / file):
                    yield Place(here / file, f"{name}/{file}", "run", output)
        for file in sorted(names):
            if file.endswith(_ENTRY_NAMES) and _holds_entries(here / file):
                yield Place(here / file, f"{name}/{file}", "defect entries")
    for error in closed:
        unread = Path(str(error.filename))
        yield Place(unread, name_of(unread), "run", problem=f"may not be read: {error.strerror}")


def _links_out(top: Path, here: Path, inner: list[str], name_of: Callable[[Path], str]) -> Iterator[Place]:
    """Links to folders elsewhere, which are not followed: one of them may lead to a whole file system."""
    for link in (here / n for n in inner if (here / n).is_symlink()):
        target = link.resolve()
        if not target.is_relative_to(top.resolve()) and not top.resolve().is_relative_to(target):
            why = "a link to another folder, which is not followed: name that folder, too, if its runs belong here"
            yield Place(link, name_of(link), "run", problem=why)


def output_kind(path: Path) -> str | None:
    """What a file is by its first lines, whatever its name: ``vasprun.xml``, ``OUTCAR`` or None."""
    if not path.is_file():
        return None
    try:
        with open_bytes(path) as stream:
            head = stream.read(2000).decode("utf-8", errors="replace")
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return None
    if "<modeling>" in head:
        return "vasprun.xml"
    return "OUTCAR" if re.match(r"\s*vasp\.\d", head) else None


def _holds_entries(path: Path) -> bool:
    """Whether a JSON file names a class of defect entries near its beginning or end."""
    import gzip

    # A pipe or a device would be waited for.
    if not path.is_file() or path.stat().st_size > _LARGEST_JSON_bytes:
        return False
    try:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as stream:
            text = stream.read(200_000)
    except (OSError, UnicodeDecodeError, EOFError, zlib.error):
        return False
    return any(name in text for name in (*_ENTRY_CLASSES, *TASK_MARKS))
