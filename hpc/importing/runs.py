"""Brings finished VASP runs in: a study folder from what a group already has."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..study_folder.files import REPORT, check_output_folder
from ..terminal import Console

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ...analysis.study.documents import Study
    from ...structures.host import Host

_NUMBERS = {1: "a number", 3: "its diagonal", 9: "all of it, row by row"}


def import_runs(
    paths: Sequence[str | Path] | str | Path = (),
    *,
    host: str | None = None,
    output: str | Path | None = None,
    dielectric: str | float | Sequence[Sequence[float]] | None = None,
    accept: Collection[str] = (),
    store: str | Path | None = None,
    overwrite: bool = False,
    quiet: bool = False,
) -> Study:
    """A study from finished VASP runs, written as any other; nothing is computed.

    Parameters
    ----------
    paths
        Folders, searched to the bottom, or files; gzipped or not. What each holds decides what it is, not its name.
    host
        A built-in host, a host file, a structure file, or a formula; by default the run whose cell the others differ
        from by a defect.
    output
        Folder of the study; ``FORMULA-import`` in the current one by default.
    dielectric
        Static relative permittivity for the corrections of charged cells: a number, three or nine numbers; by default
        that of a linear-response run among the folders.
    accept
        Differences between runs that are known and answered for, e.g. ``["LASPH"]``; they are noted in the report.
    store
        Task documents of a jobflow store besides, see `task_stores.open_source`; `paths` may then be empty.
    overwrite
        Replace a study that the folder holds.
    quiet
        Say nothing on stderr.

    Returns
    -------
    Study
        With ``observables["imported folders"]``: what each folder was taken for, and what it lacks.

    Raises
    ------
    UserError
        If there is nothing to read, nothing says which run is the host, or no run of the host may be used.
    """
    from ...workflows.importing.study import IMPORT_STAGE, import_with_bands
    from ..study_folder.study_run import keep_study
    from .task_stores import stored_tasks

    console = Console(stderr=True, quiet=quiet)

    def say(text: str, style: str = "") -> None:
        # One line each, whatever a folder is called, and whole in a log file.
        console.print(" ".join(text.split()), markup=False, highlight=False, soft_wrap=True, style=style)

    given = [paths] if isinstance(paths, str | Path) else list(paths)
    if not given and store is None:
        raise UserError("nothing to import: give folders with finished runs, or --store")
    built_in, formula, cell = named_host(host)
    tensor = permittivity(dielectric)
    if output is not None:
        check_output_folder(Path(output), overwrite=overwrite)
    try:
        study, bands = import_with_bands(
            given,
            host=built_in,
            formula=formula,
            cell=cell,
            dielectric=tensor,
            accepted=accept,
            tasks=() if store is None else stored_tasks(str(store)),
            progress=lambda name: say(f"reading {name}"),
        )
    except (ValueError, OSError) as error:
        raise UserError(str(error)) from error
    folder = Path(f"{study.host.formula.lower()}-import") if output is None else Path(output)
    check_output_folder(folder, overwrite=overwrite)
    keep_study(study, bands, folder)
    for found in study.observables[IMPORT_STAGE].folders:  # type: ignore[attr-defined]
        remarks = "; ".join([*found.reasons, *(f"lacks {x}" for x in found.lacks)])
        mark = "used" if found.used else "left out"
        say(f"{found.folder}: {found.what} ({found.role}), {mark}{f': {remarks}' if remarks else ''}")
    say(str(folder / REPORT), "bold")
    return study


def named_host(host: str | None) -> tuple[Host | None, str | None, Structure | None]:
    """A host as the user names it: built in, or its formula and a cell of it.

    Raises
    ------
    UserError
        If it is none of these.
    """
    from pymatgen.core import Composition, Element

    from ...structures.host import UnknownHostError, get_host, host_keys, is_host_file
    from ...structures.io.untrusted_input import read_structure_file

    if host is None:
        return None, None, None
    if is_host_file(host) or host.strip().lower().partition(":")[0] in host_keys():
        try:
            return get_host(host), None, None
        except UnknownHostError as error:
            raise UserError(str(error)) from error
    if Path(host).is_file():
        try:
            cell = read_structure_file(Path(host))
        except (ValueError, OSError) as error:
            raise UserError(f"host {host}: {error}") from error
        return None, cell.composition.reduced_formula, cell
    try:
        known = all(Element.is_valid_symbol(e.symbol) for e in Composition(host).elements)
    except (ValueError, AttributeError):
        known = False
    if not known:
        raise UserError(
            f"host {host!r} is no built-in host, no file and no formula; built in: {', '.join(host_keys())}"
        )
    return None, Composition(host).reduced_formula, None


def permittivity(given: str | float | Sequence[Sequence[float]] | None) -> Any:
    """A permittivity as the user gives it: a number, or a (3, 3) tensor.

    Raises
    ------
    UserError
        If a text holds neither one, three nor nine numbers, or the tensor is impossible.
    """
    from ...analysis.defects.charge_corrections import dielectric_tensor

    if given is None:
        return None
    try:
        if isinstance(given, str):
            values = [float(x) for x in json.loads(f"[{given}]")]
            if len(values) not in _NUMBERS:
                raise UserError(f"a permittivity is {', '.join(_NUMBERS.values())}; got {len(values)} numbers")
            rows = {1: [[values[0] if i == j else 0.0 for j in range(3)] for i in range(3)]}
            if len(values) == 3:
                rows[3] = [[values[i] if i == j else 0.0 for j in range(3)] for i in range(3)]
            if len(values) == 9:
                rows[9] = [values[3 * i : 3 * i + 3] for i in range(3)]
            given = rows[len(values)]
        return dielectric_tensor(given).tolist()
    except UserError:
        raise
    except (ValueError, TypeError) as error:
        raise UserError(f"permittivity {given!r}: {error}") from error
