"""What a study leaves in its folder: results.json, figures, bands, report; written whole or not at all."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from .integrity import SUMS, altered, sums_of, written_before
from .writing import remove_leftovers, write_whole

if TYPE_CHECKING:
    from ...analysis.results.calculation import Band
    from ...analysis.study.documents import Study

RESULTS = "results.json"
VERSION = "schema_version"
REPORT = "report.html"
FIGURES = "figures"
BANDS = "bands"
DRY_RUN = "dry-run"


def check_output_folder(folder: Path, *, overwrite: bool, goes_on: bool = False) -> None:
    """Refuse a folder that cannot be written or already holds a study, before anything is computed.

    With `goes_on` a study with its job store is no reason: what it has is added to.

    Raises
    ------
    UserError
        With the folder and the fix.
    """
    from ..local.store import refuse_links

    if folder.exists() and not folder.is_dir():
        raise UserError(f"output {folder} is a file; give a folder with --output")
    refuse_links(folder)
    if is_written(folder) and not overwrite and not (goes_on and (folder / "store").exists()):
        lacks = ", and no job store to go on from" if goes_on else ""
        raise UserError(
            f"{folder} already holds a study{lacks}; rebuild its report with `magnetoionics report {folder}`, "
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


def is_written(folder: Path) -> bool:
    """Whether a folder holds a whole study: the report comes last, and one cut off before it goes on from its store."""
    return (folder / RESULTS).exists() and ((folder / REPORT).exists() or not (folder / "store").exists())


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
    path = folder / RESULTS
    if not path.is_file():
        raise UserError(f"{folder} holds no {RESULTS}; run a study with `magnetoionics run HOST --output {folder}`")
    if why := altered(folder, RESULTS):
        raise UserError(f"{why}; rebuild it from the store with `magnetoionics report {folder}`")
    return read_results(path.read_bytes(), str(path), f"rebuild it with `magnetoionics report {folder}`")


def read_results(content: bytes, name: str, cure: str) -> Study:
    """The study in the content of a results.json of this version or an older one.

    Parameters
    ----------
    content
        Of the file.
    name, cure
        What to call it, and what to do if it is no study.

    Raises
    ------
    UserError
        If it is none.
    """
    from pydantic import ValidationError

    from ...analysis.study.documents import Study
    from ...structures.io.safe_json import UnsafeFileError, loads

    try:
        # Checked first: a structure decodes whatever class its site properties name.
        plain, version = versioned(loads(content, name), name)
        return Study.read_stored(plain, version)
    except UnsafeFileError as error:
        raise UserError(str(error)) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(x) for x in first["loc"])
        raise UserError(f"{name} is no study of this version ({where or 'file'}: {first['msg']}); {cure}") from error
    except ValueError as error:
        raise UserError(f"{name} is damaged ({error}); {cure}") from error


def set_bad_results_aside(folder: Path) -> list[str]:
    """Move a results.json aside that is not what was written, if the store is there to write it again from."""
    from ..local.recovery import damaged_folder
    from ..local.store import STORE_FILE, STORE_FOLDER, refuse_links

    refuse_links(folder)
    path = folder / RESULTS
    if not path.is_file() or not (folder / STORE_FOLDER / STORE_FILE).is_file():
        return []
    reason = altered(folder, RESULTS)
    try:
        json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        reason = str(error)
    if not reason:
        return []
    aside = damaged_folder(folder / STORE_FOLDER)
    path.replace(aside / RESULTS)
    return [f"{path} was damaged ({reason}): moved to {aside}, written again from the store"]


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


def write_study(
    study: Study, bands: Mapping[str, Band], folder: Path, *, png: bool = False, further: bool = False
) -> list[str]:
    """Write everything that a person or another program reads: the numbers first, the checksums last.

    Parameters
    ----------
    study
        The finished study.
    bands
        Bands by file stem, see `band_stems`.
    folder
        The study's folder.
    png
        Whether each figure is written as PNG too, which takes as long again.
    further
        Whether figures are drawn too that a page shows only when a reader opens them, `NamedFigure.aside`; they take
        nearly as long as the others. Those that the folder has from earlier are drawn in any case.

    Returns
    -------
    list of str
        Figures that could not be drawn, and why; the rest is written.

    Raises
    ------
    UserError
        If there is no room, or the folder may not be written.
    """
    from ...analysis.plots.study import study_figures
    from ...analysis.report.page import report_html
    from ...stored import SCHEMA_VERSION
    from .figures import write_figures

    content = {VERSION: SCHEMA_VERSION, **study.model_dump(mode="json", by_alias=True)}
    try:
        for place in (folder, folder / FIGURES, folder / BANDS):
            remove_leftovers(place)
        before = written_before(folder)
        (folder / SUMS).unlink(missing_ok=True)
        write_whole(folder / RESULTS, json.dumps(content, indent=1) + "\n")
        written = [RESULTS]
        for stem, band in bands.items():
            name = f"{BANDS}/{band_stem(stem)}.extxyz"
            write_band(band, folder / name)
            written.append(name)
        untouched = {name.removeprefix(f"{FIGURES}/") for name in before}
        offered = study_figures(study)
        figures = {
            name: figure
            for name, figure in offered.items()
            if further or not figure.aside or (folder / FIGURES / f"{name}.svg").exists()
        }
        drawn, not_drawn = write_figures(figures, folder / FIGURES, png=png, untouched=untouched)
        # A folder with a report is a finished study, and one without is resumed.
        left = {name: figure for name, figure in offered.items() if name not in figures}
        write_whole(folder / REPORT, report_html(study, figures, bands, left=left))
        written += [f"{FIGURES}/{name}" for name in drawn] + [REPORT]
        for name in before.difference(written):  # of an earlier report: it shows other numbers
            (folder / name).unlink(missing_ok=True)
        write_whole(folder / SUMS, sums_of(folder, written))
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written ({error.strerror or error}): free some megabytes or see to the permissions; "
            f"what is computed is kept, and `magnetoionics report {folder}` writes the rest"
        ) from error
    return not_drawn


def band_stems(study: Study) -> list[str]:
    """File stems of the bands of the study's migrations."""
    return [f"hop-{number}" for number, _ in enumerate(study.migration, start=1)]


def with_band_files(study: Study, bands: Collection[str]) -> Study:
    """The study whose migrations name the files of their bands, of those stems that there are."""
    named = [
        hop.model_copy(update={"band_file": f"{BANDS}/{stem}.extxyz" if stem in bands else None})
        for hop, stem in zip(study.migration, band_stems(study), strict=True)
    ]
    return study.model_copy(update={"migration": named})


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
