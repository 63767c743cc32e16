"""Tables and structures of a finished study for other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from monty.json import MontyEncoder

from ..errors import UserError
from ..terminal import Console
from .files import read_study
from .structures import study_structures
from .writing import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...analysis.study.documents import Study

ENTRIES, DOPED, PY_SC_FERMI = "defects.entries.json", "defects.doped.json.gz", "defects.py_sc_fermi.json"
FORMATION = "formation_diagram.pdf"
TABLES, OPTIMADE, PYMATGEN = "tables", "structures.optimade.json", "structures.pymatgen.json"


def export_study(folder: Path, output: Path | None = None, point: str | None = None) -> Path:
    """Write every table of a study as CSV and LaTeX, and its structures for OPTIMADE's and pymatgen's readers.

    Charge states go out for pymatgen-analysis-defects, doped (where they are installed) and py-sc-fermi besides.

    Parameters
    ----------
    folder
        Of a finished study.
    output
        New folder; ``FOLDER-export`` beside it by default.
    point
        Chemical potentials of a formation diagram in words, see `named_points.named_point`; None draws none.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UserError
        If there is no study, the output is there already, or the point cannot be read or drawn.
    """
    from ...structures.io.optimade import optimade_document

    study = read_study(folder)
    resolved = folder.resolve()
    target = output or resolved.with_name(f"{resolved.name}-export")
    if target.exists():
        raise UserError(f"{target} exists; give another folder with --output, or move it")
    diagram = None if point is None else _formation_diagram(study, point)
    (target / TABLES).mkdir(parents=True)
    if diagram is not None:
        diagram.savefig(target / FORMATION)
    names = _write_tables(study, target / TABLES)
    structures = study_structures(folder, study)
    write_whole(target / OPTIMADE, json.dumps(optimade_document(structures)) + "\n")
    written = _write_defects(study, target)
    plain = {name: structure.as_dict() for name, structure in structures.items()}
    write_whole(target / PYMATGEN, json.dumps(plain, default=float) + "\n")
    Console(stderr=True).print(
        f"{target}  ({len(names)} tables, {len(structures)} structures{written})", style="bold", markup=False
    )
    return target


def _formation_diagram(study: Study, point: str) -> Figure:
    """Formation energies against the Fermi level, with the stability region and the point on it beside."""
    from ...analysis.plots.fermi import plot_fermi
    from ...analysis.study.defect_exchange import study_fermi

    try:
        diagram = study_fermi(study, point)
    except ValueError as error:
        raise UserError(f"--point: {error}") from error
    if diagram is None or study.chemical_potentials is None:
        raise UserError("--point: the study has no charge states with chemical potentials, so no formation diagram")
    return plot_fermi(diagram, window=study.chemical_potentials.window)


def _write_defects(study: Study, folder: Path) -> str:
    """Charge states for other programs, each where its package is installed; what was written and what is missing."""
    from ...analysis.defects.charge_corrections import MissingDefectLibraryError
    from ...analysis.study.defect_exchange import study_doped, study_entries, study_py_sc_fermi

    if study.charged is None:
        return ""
    said = []
    if (system := study_py_sc_fermi(study)) is not None:
        write_whole(folder / PY_SC_FERMI, json.dumps(system) + "\n")
        said.append("py-sc-fermi")
    try:
        entries = [entry.as_dict() for entry in study_entries(study)]
        write_whole(folder / ENTRIES, json.dumps(entries, cls=MontyEncoder) + "\n")
        said.append("pymatgen-analysis-defects")
        defects = study_doped(study)
        assert defects is not None
        defects.to_json(folder / DOPED)
        said.append("doped")
    except (MissingDefectLibraryError, ValueError) as error:
        Console(stderr=True).print(f"not written: {error}", markup=False)
    return f", charge states for {' and '.join(said)}" if said else ""


def _write_tables(study: Study, folder: Path) -> list[str]:
    """The tables that have rows, each as CSV and LaTeX."""
    names = [name for name in study.table_names() if len(study.to_dataframe(name))]
    for name in names:
        write_whole(folder / f"{name}.csv", study.to_csv(name))
        write_whole(folder / f"{name}.tex", study.to_latex(name))
    return names
