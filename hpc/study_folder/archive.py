"""One file of a finished study for a repository: results, structures, bands, report, job store, versions, licence."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..local.store import STORE_FILE, STORE_FOLDER, has_store
from ..terminal import Console
from .asked import DRAFT
from .citing import with_citations
from .files import RESULTS, read_results, read_study
from .integrity import SUMS, read_sums, verify
from .structures import relaxed_cells
from .writing import write_whole

if TYPE_CHECKING:
    from ...analysis.study.documents import Study

README = "README.md"
METADATA = "metadata.json"
STRUCTURES = "structures"
# Of one file inside an archive that is read back: a study's results have some megabytes.
_LARGEST_BYTES = 500_000_000
# Archives of equal content are equal to the byte.
_DATE = (1980, 1, 1, 0, 0, 0)


def archive_study(
    folder: Path, output: Path | None = None, licence: str | None = None, console: Console | None = None
) -> Path:
    """Write a study's folder as one zip file that `magnetoionics.load` reads.

    Parameters
    ----------
    folder
        Of a finished study; what it holds is checked against its checksums first.
    output
        The file; ``FOLDER.zip`` beside the folder by default. One that is there already is not replaced.
    licence
        Under which others may use the data, e.g. ``CC-BY-4.0``; said to be not stated by default.
    console
        Where to report; stderr by default.

    Returns
    -------
    Path
        The archive.

    Raises
    ------
    UserError
        If there is no study, one of its files is not what was written, or the archive exists.
    """
    study = with_citations(read_study(folder))
    damaged = verify(folder)[1]
    if damaged:
        raise UserError(f"{damaged[0]}; rebuild it with `magnetoionics report {folder}` before it is archived")
    target = output or folder.resolve().with_suffix(".zip")
    if target.exists():
        raise UserError(f"{target} exists; give another file with --output, or move it")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in _files(folder, study, licence):
            packed.writestr(zipfile.ZipInfo(name, _DATE), data, zipfile.ZIP_DEFLATED)
    write_whole(target, content.getvalue())
    size = target.stat().st_size / 1e6
    (console or Console(stderr=True)).print(f"{target}  ({size:.1f} MB)", style="bold", markup=False)
    return target


def read_archive(path: Path) -> Study:
    """The study of an archive that `archive_study` wrote, held to the checksum that lies in it.

    Raises
    ------
    UserError
        If it is no archive of a study, or its results are not those that were packed.
    """
    import hashlib

    try:
        with zipfile.ZipFile(path) as packed:
            results, sums = (_read(packed, name) for name in (RESULTS, SUMS))
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise UserError(f"{path} is no archive of a study ({error}); `magnetoionics archive DIR` writes one") from error
    digest = hashlib.sha256(results).hexdigest()
    if f"{digest}  {RESULTS}" not in sums.decode("utf-8", "replace").splitlines():
        raise UserError(f"{RESULTS} in {path} is damaged: it is not what was packed (its checksum differs)")
    return read_results(results, f"{path}:{RESULTS}", "get the archive again")


def _read(packed: zipfile.ZipFile, name: str) -> bytes:
    """A file of an archive, if it is not larger unpacked than any study's is."""
    if packed.getinfo(name).file_size > _LARGEST_BYTES:
        raise ValueError(f"{name} has more than {_LARGEST_BYTES} bytes unpacked")
    return packed.read(name)


def _files(folder: Path, study: Study, licence: str | None) -> Iterator[tuple[str, bytes]]:
    """Names and contents, the same ones for the same study."""
    yield README, _readme(study, licence).encode()
    yield METADATA, (json.dumps(_metadata(study, licence), indent=1) + "\n").encode()
    names = [*sorted(read_sums(folder) or {RESULTS: ""}), SUMS, DRAFT]
    for name in (n for n in names if (folder / n).is_file()):
        yield name, (folder / name).read_bytes()
    if has_store(folder):
        yield f"{STORE_FOLDER}/{STORE_FILE}", _whole_database(folder / STORE_FOLDER / STORE_FILE)
    for name, cif in sorted(_structures(folder, study).items()):
        yield f"{STRUCTURES}/{name}.cif", cif.encode()


def _structures(folder: Path, study: Study) -> dict[str, str]:
    """The relaxed host and every relaxed cell of the store, as CIF files by what they are."""
    from pymatgen.io.cif import CifWriter

    cells = {_file_name(name): structure for name, structure in relaxed_cells(folder, study).items()}
    return {name: str(CifWriter(structure)) for name, structure in cells.items()}


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.+-]+", "_", name).strip("_.") or "cell"


def _whole_database(path: Path) -> bytes:
    """A SQLite file with what its write-ahead log still holds."""
    with (
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(":memory:")) as copy,
    ):
        source.backup(copy)
        return bytes(copy.serialize())


def _metadata(study: Study, licence: str | None) -> dict[str, Any]:
    """What a repository asks for; creators are the user's to fill in."""
    from ...analysis.study.citations import bibliography, citations_of

    provenance = study.engine.provenance
    entries = bibliography()
    return {
        "title": f"Magneto-ionic study of {study.host.formula} ({study.host.title}), engine {study.engine.name}",
        "upload_type": "dataset",
        "creators": [],
        "license": licence,
        "keywords": ["magneto-ionics", study.host.formula, study.engine.name, study.engine.level_of_theory],
        "level_of_theory": study.engine.level_of_theory,
        "functional": provenance.functional,
        "hubbard_U_eV": provenance.hubbard_U_eV,
        "versions": provenance.versions,
        "references": [entries[key]["doi"] if key in entries else key for key in citations_of(study)],
    }


def _readme(study: Study, licence: str | None) -> str:
    from ...analysis.study.citations import citations_of, reference_line
    from ...analysis.study.methods import methods_paragraph

    sources = "\n".join(f"- {reference_line(key)}" for key in citations_of(study))
    return f"""# {study.host.formula}: {study.host.title}, engine {study.engine.name}

Licence: {licence or "not stated"}. Creators: to be filled in here and in `{METADATA}`.

{methods_paragraph(study)}

| file | holds |
|-|-|
| `{RESULTS}` | every number with its provenance; `magnetoionics.load("THIS.zip")` reads it |
| `report.html` | the same for a reader, opens offline |
| `{STRUCTURES}/*.cif` | relaxed cells |
| `bands/*.extxyz` | images of the hops |
| `figures/` | figures |
| `{STORE_FOLDER}/{STORE_FILE}` | every calculation; unpack and `magnetoionics report` or `--reuse` it |
| `{SUMS}` | checksums, for `sha256sum -c` |

## Sources

{sources}
"""
