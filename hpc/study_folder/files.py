"""What a study leaves in its folder: results.json, figures, bands, report; written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError

if TYPE_CHECKING:
    from ...analysis.results.calculation import Band
    from ...analysis.study.documents import Study

RESULTS = "results.json"
VERSION = "schema_version"
REPORT = "report.html"
FIGURES = "figures"
BANDS = "bands"
DRY_RUN = "dry-run"


def write_whole(path: Path, text: str) -> None:
    """Write a text file through a temporary neighbour, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def check_output_folder(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that cannot be written or already holds a study, before anything is computed.

    Raises
    ------
    UserError
        With the folder and the fix.
    """
    from ..local.store import refuse_links

    if folder.exists() and not folder.is_dir():
        raise UserError(f"output {folder} is a file; give a folder with --output")
    refuse_links(folder)
    if (folder / RESULTS).exists() and not overwrite and not has_failed_stages(folder):
        raise UserError(
            f"{folder} already holds a study; rebuild its report with `magnetoionics report {folder}`, "
            "choose another --output, or replace it with --overwrite"
        )
    if folder.is_dir() and not (folder / RESULTS).exists() and not (folder / "store").exists():
        foreign = sorted(p.name for p in folder.iterdir() if p.name != DRY_RUN)
        if foreign:
            raise UserError(
                f"{folder} holds files that are no study ({', '.join(foreign[:3])}); "
                "choose an empty folder with --output"
            )
    _try_writing(folder)


def has_failed_stages(folder: Path) -> bool:
    """Whether a written study lacks parts that failed: the same command then computes those, and nothing again."""
    try:
        stages = json.loads((folder / RESULTS).read_bytes())["stages"]
        return any(s["failed"] for s in stages)
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _try_writing(folder: Path) -> None:
    """Make the folder and a file in it: permission bits do not tell about read-only file systems."""
    existed = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f"output folder {folder} cannot be written ({error.strerror}); choose another with --output"
        ) from error
    if not existed:
        folder.rmdir()


def read_study(folder: Path) -> Study:
    """The study in a folder's results.json.

    Raises
    ------
    UserError
        If there is none, or it is not a study of this version or an older one.
    """
    from pydantic import ValidationError

    from ...analysis.study.documents import Study
    from ...structures.io.safe_json import UnsafeFileError, loads

    path = folder / RESULTS
    if not path.is_file():
        raise UserError(f"{folder} holds no {RESULTS}; run a study with `magnetoionics run HOST --output {folder}`")
    try:
        # Checked first: a structure decodes whatever class its site properties name.
        content, version = versioned(loads(path.read_bytes(), str(path)), str(path))
        return Study.read_stored(content, version)
    except UnsafeFileError as error:
        raise UserError(str(error)) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(x) for x in first["loc"])
        raise UserError(
            f"{path} is no study of this version ({where or 'file'}: {first['msg']}); "
            f"rebuild it with `magnetoionics report {folder}`"
        ) from error
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}); rebuild it with `magnetoionics report {folder}`") from error


def set_bad_results_aside(folder: Path) -> list[str]:
    """Move a results.json aside that is no whole JSON, if the store is there to write it again from."""
    from ..local.recovery import damaged_folder
    from ..local.store import STORE_FILE, STORE_FOLDER, refuse_links

    refuse_links(folder)
    path = folder / RESULTS
    if not path.is_file() or not (folder / STORE_FOLDER / STORE_FILE).is_file():
        return []
    try:
        json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        aside = damaged_folder(folder / STORE_FOLDER)
        path.replace(aside / RESULTS)
        return [f"{path} was damaged ({error}): moved to {aside}, written again from the store"]
    return []


def versioned(content: Any, where: str) -> tuple[dict[str, Any], int]:
    """Fields of a written document, and the version of the schema that wrote them.

    Raises
    ------
    ValueError
        If it is no mapping, or its version is none.
    UserError
        If a later version of this package wrote it.
    """
    from ...stored import SCHEMA_VERSION

    if not isinstance(content, dict):
        raise ValueError(f"it holds a {type(content).__name__}, no mapping")
    # Version 1 did not say so.
    version = content.pop(VERSION, 1)
    if type(version) is not int or version < 1:
        raise ValueError(f"its {VERSION} is {str(version)[:20]!r}; versions are 1 to {SCHEMA_VERSION}")
    if version > SCHEMA_VERSION:
        raise UserError(
            f"{where} has {VERSION} {version}, and this version of magnetoionics reads 1 to {SCHEMA_VERSION}: "
            "upgrade magnetoionics"
        )
    return content, version


def write_study(study: Study, bands: Mapping[str, Band], folder: Path) -> None:
    """Write everything that a person or another program reads.

    Parameters
    ----------
    study
        The finished study.
    bands
        Bands by the file stem that `Migration.band_file` names.
    folder
        The study's folder.
    """
    from ...analysis.plots.study import study_figures
    from ...analysis.report.page import report_html
    from ...stored import SCHEMA_VERSION
    from .figures import write_figures

    for stem, band in bands.items():
        write_band(band, folder / BANDS / f"{band_stem(stem)}.extxyz")
    figures = study_figures(study)
    write_figures(figures, folder / FIGURES)
    write_whole(folder / REPORT, report_html(study, figures, bands))
    # Last: a folder with results is a finished study, and one without is resumed.
    content = {VERSION: SCHEMA_VERSION, **study.model_dump(mode="json", by_alias=True)}
    write_whole(folder / RESULTS, json.dumps(content, indent=1) + "\n")


def band_stem(name: str) -> str:
    """File stem of a band, whatever a document calls it: the last part of a path, plain characters only."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".extxyz")
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in last)[:80]
    return plain.strip(".") or "band"


def write_band(band: Band, path: Path) -> None:
    """All images of a band as extended XYZ with energies, arc length, site moments and valences."""
    import io

    from ase.io import write

    from ...workflows.ase.atoms import to_atoms

    frames = []
    for image in band.images:
        atoms = to_atoms(image.structure)
        # ASE would read a column called magmom as one total of the frame.
        atoms.set_initial_magnetic_moments(atoms.arrays.pop("magmom"))
        atoms.info.update(
            energy_eV=image.energy_eV,
            arc_A=image.arc_A,
            mover_A=image.mover_A,
            kind=image.kind,
            mover=band.mover,
        )
        frames.append(atoms)
    text = io.StringIO()
    write(text, frames, format="extxyz")
    write_whole(path, text.getvalue())
