"""Tables and structures of a finished study for other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from ..terminal import Console
from .files import read_study
from .structures import study_structures
from .writing import write_whole

if TYPE_CHECKING:
    from ...analysis.study.documents import Study

TABLES, OPTIMADE, PYMATGEN = "tables", "structures.optimade.json", "structures.pymatgen.json"


def export_study(folder: Path, output: Path | None = None) -> Path:
    """Write every table of a study as CSV and LaTeX, and its structures for OPTIMADE's and pymatgen's readers.

    Parameters
    ----------
    folder
        Of a finished study.
    output
        New folder; ``FOLDER-export`` beside it by default.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UserError
        If there is no study, or the output is there already.
    """
    from ...structures.io.optimade import optimade_document

    study = read_study(folder)
    resolved = folder.resolve()
    target = output or resolved.with_name(f"{resolved.name}-export")
    if target.exists():
        raise UserError(f"{target} exists; give another folder with --output, or move it")
    (target / TABLES).mkdir(parents=True)
    names = _write_tables(study, target / TABLES)
    structures = study_structures(folder, study)
    write_whole(target / OPTIMADE, json.dumps(optimade_document(structures)) + "\n")
    plain = {name: structure.as_dict() for name, structure in structures.items()}
    write_whole(target / PYMATGEN, json.dumps(plain, default=float) + "\n")
    Console(stderr=True).print(
        f"{target}  ({len(names)} tables, {len(structures)} structures)", style="bold", markup=False
    )
    return target


def _write_tables(study: Study, folder: Path) -> list[str]:
    """The tables that have rows, each as CSV and LaTeX."""
    names = [name for name in study.table_names() if len(study.to_dataframe(name))]
    for name in names:
        write_whole(folder / f"{name}.csv", study.to_csv(name))
        write_whole(folder / f"{name}.tex", study.to_latex(name))
    return names
