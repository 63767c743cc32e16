"""Files of a finished VASP folder by what they are: gzipped or not, plain or with the endings that tools append."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

# OUTCAR before its first rival: a name with an ending ranks behind the plain one.
KINDS = ("vasprun.xml", "OUTCAR", "OSZICAR", "INCAR", "KPOINTS", "POSCAR", "CONTCAR", "POTCAR")
_COMPRESSED: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def file_kind(name: str) -> str | None:
    """What a file name stands for, e.g. ``"vasprun.xml"`` for ``vasprun.relax2.xml.gz``; None for other files."""
    plain = _without_compression(name)
    if re.fullmatch(r"vasprun(\.[\w-]+)*\.xml([._-].*)?", plain):
        return "vasprun.xml"
    head = re.split(r"[._]", plain, maxsplit=1)[0]
    # Further k points of a band structure are no mesh of the run.
    if (
        head not in KINDS
        or plain == f"{head}.spec"
        or plain.upper().startswith("KPOINTS_OPT")
        or plain.endswith((".png", ".json", ".py", ".orig"))
    ):
        return None
    return head


def run_files(folder: Path) -> dict[str, Path]:
    """Files of one run.

    Parameters
    ----------
    folder
        A folder, or one file of a run (then only that file is used).

    Returns
    -------
    dict
        Path of each kind that is there; of several the plain name, else the last of a numbered series
        (``vasprun.xml.relax2.gz`` before ``vasprun.xml.relax1.gz``), never an empty file beside a filled one.

    Raises
    ------
    FileNotFoundError
        If the path does not exist.
    ValueError
        If a single file is given whose name says nothing of what it is.
    """
    folder = Path(folder)
    if folder.is_file():
        kind = file_kind(folder.name)
        if kind is None:
            raise ValueError(f"{folder.name} is no file of a VASP run; known are {', '.join(KINDS)}, gzipped or not")
        return {kind: folder}
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} does not exist")
    files: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        kind = file_kind(path.name) if path.is_file() else None
        if kind is not None:
            files.setdefault(kind, []).append(path)
    return {kind: max(paths, key=lambda p: _rank(p, kind)) for kind, paths in files.items()}


def _rank(path: Path, kind: str) -> tuple[bool, bool, list[int], str]:
    plain = _without_compression(path.name)
    numbers = [int(n) for n in re.findall(r"\d+", plain)]
    return path.stat().st_size > 0, plain == kind, numbers, path.name


def _without_compression(name: str) -> str:
    for ending in _COMPRESSED:
        name = name.removesuffix(ending)
    return name


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file for reading, decompressed, judged by its first bytes and not by its name."""
    with path.open("rb") as stream:
        start = stream.read(6)
    for magic, opener in ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ", lzma.open)):
        if start.startswith(magic):
            return cast(IO[bytes], opener(path, "rb"))
    return path.open("rb")


def read_bytes(path: Path) -> bytes:
    """A file, decompressed; what was cut off in its compression is left out."""
    parts: list[bytes] = []
    with open_bytes(path) as stream:
        try:
            while part := stream.read(1 << 22):
                parts.append(part)
        except (EOFError, OSError):
            # A compressed file that was cut off: what came before the cut still counts.
            pass
    return b"".join(parts)


def decompressed_text(path: Path) -> str:
    """Text of a file, decompressed; bytes of no known encoding are replaced."""
    return read_bytes(path).decode("utf-8", errors="replace")
