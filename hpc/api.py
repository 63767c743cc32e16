"""What a notebook calls: run a study, load one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..analysis.study.documents import Study
from ..structures.host import HostKey
from ..workflows.engine import Engine
from .assumptions import Said, read_assumptions
from .errors import UserError
from .study_folder.archive import read_archive
from .study_folder.files import RESULTS, read_results, read_study
from .study_folder.structures import study_structures
from .study_folder.study_run import run_study, study_under
from .study_options import FieldOptions, StudyOptions
from .terminal import Console

if TYPE_CHECKING:
    from pymatgen.core import Structure


def load(path: str | Path, *, reference: Said = None, pulse: Said = None, film: Said = None) -> Study:
    """A finished study, under other assumptions if some are given; its folder stays as it is.

    Parameters
    ----------
    path
        Folder of a study, its results.json, a file that `Study.save` wrote, or an archive (``.zip``).
    reference, pulse, film
        Frozen reference, field pulse and film, see `assumptions.read_assumptions`; given, the folder's store is needed.

    Raises
    ------
    UserError
        If there is no study, the file is not one of this version, or an assumption does not fit it.
    """
    if not isinstance(path, str | Path):
        raise UserError(
            f"load takes the path of a study, not a {type(path).__name__}; a Study that is here needs no load"
        )
    given = Path(path)
    if given.suffix == ".zip" or (given.suffix == ".json" and given.name != RESULTS):
        return _of_one_file(given, reference, pulse, film)
    folder = given.parent if given.name == RESULTS else given
    if reference is None and pulse is None and film is None:
        return read_study(folder)
    return study_under(folder, read_assumptions(reference, pulse, film))[0]


def load_structures(path: str | Path) -> dict[str, Structure]:
    """The relaxed cells of a study's folder as pymatgen's structures.

    Parameters
    ----------
    path
        Folder of a study, or its results.json.

    Returns
    -------
    dict
        By what they are: ``host``, the names of their jobs, and the images of each hop in order (``hop-1 image 1``).

    Raises
    ------
    UserError
        If there is no study.
    """
    given = Path(path)
    folder = given.parent if given.name == RESULTS else given
    return study_structures(folder, read_study(folder))


def _of_one_file(path: Path, *assumptions: Said) -> Study:
    """The study of an archive or of a JSON file; other assumptions need the store of a folder."""
    if not path.is_file():
        raise UserError(f"there is no file {path}; give the folder of a study, its results.json or an archive")
    if any(said is not None for said in assumptions):
        raise UserError(
            f"{path} is one file: unpack it, or give the study's folder, whose store assumptions start from"
        )
    if path.suffix == ".zip":
        return read_archive(path)
    return read_results(path.read_bytes(), str(path), "get it again from its study")


def run(
    host: HostKey,
    *,
    engine: str | Engine = "local",
    order: str | None = None,
    output: str | Path | None = None,
    quick: bool = False,
    stages: Sequence[str] | None = None,
    starts: str | None = None,
    reference: Said = None,
    pulse: Said = None,
    film: Said = None,
    enthalpies: Said = None,
    fields_V_per_m: Sequence[float] = (),
    field_along: str = "hop",
    relax_in_field: bool = False,
    born_charges: str | Path | None = None,
    image_distance_A: float | None = None,
    jobs: int = 1,
    reuse: Sequence[str | Path] = (),
    overwrite: bool = False,
    quiet: bool = False,
    **of_stages: Any,
) -> Study:
    """Compute a study, as ``magnetoionics run`` does, and load it.

    Parameters
    ----------
    host
        Name, host file (text or ``Path``), or a `Host`.
    engine
        Name, as on the command line, or an `Engine`.
    order
        Cation order, the host's first by default.
    output
        Folder; ``HOST-study`` in the current one by default. An unfinished study in it is resumed.
    quick
        Smaller cells and fewer directions.
    stages
        Some of ``host``, ``vacancies``, ``competing phases``, ``migration``, ``vibrations``, ...; what can be done
        without hundreds of slow jobs by default.
    starts
        Starts of each vacancy and charge, comma separated, or ``all``; see `structures.defects.initial_states`.
    reference, pulse, film
        As in `load`.
    enthalpies
        Formation enthalpies of your own by formula, kJ/mol, e.g. ``{"LiFe5O8": -2368}``.
    fields_V_per_m, field_along
        Sizes of fields, each along and against a direction: ``hop``, ``[0 0 1]`` or ``1,1,0``.
    relax_in_field
        Converge the band in every field too.
    born_charges
        File with the charges on which the field acts.
    image_distance_A
        Least distance of a defect and its images, from which the supercell follows; else 2x2x2 of the ordered cell, or
        the cell itself if quick; small cells are repeated until the images are 10 A, or 7 A, apart.
    jobs
        Processes that compute at a time.
    reuse
        Folders of other studies: what they have computed is taken from there.
    overwrite
        Replace a study that the folder holds.
    quiet
        No progress bars.
    **of_stages
        Options of stages, as on the command line, e.g. ``vibrating_A=4.0`` or ``maps=["V_O(1)"]``.

    Raises
    ------
    UserError
        For bad input, or if a calculation failed.
    """
    fields = FieldOptions(
        sizes_V_per_m=",".join(f"{f!r}" for f in map(float, fields_V_per_m)) or None,
        along=field_along,
        relaxed=relax_in_field,
        born_charges=None if born_charges is None else Path(born_charges),
    )
    folder = run_study(
        host,
        engine_name=engine,
        order=order,
        output=None if output is None else Path(output),
        quick=quick,
        overwrite=overwrite,
        stages=stages,
        starts=starts,
        jobs=jobs,
        reuse=[Path(folder) for folder in reuse],
        assumptions=read_assumptions(reference, pulse, film, enthalpies),
        options=StudyOptions(fields=fields, image_distance_A=image_distance_A, of_stages=of_stages),
        console=Console(quiet=True) if quiet else None,
    )
    return read_study(folder)
