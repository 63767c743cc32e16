"""The structures of a study's folder: host, relaxed cells of the store, images of the bands."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ..local.store import has_store, read_store

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ...analysis.study.documents import Study

BANDS = "bands"


def study_structures(folder: Path, study: Study) -> dict[str, Structure]:
    """Relaxed cells by what they are: ``host``, the names of their jobs, ``hop-1 image 1`` and on.

    Parameters
    ----------
    folder
        Of the study.
    study
        What it holds.

    Returns
    -------
    dict
        Valences and moments are site properties, where they are known.
    """
    return {**relaxed_cells(folder, study), **_images(folder)}


def relaxed_cells(folder: Path, study: Study) -> dict[str, Structure]:
    """The host, and every relaxed cell of the store by the name of its job."""
    from monty.json import MontyDecoder

    from ...structures.io.safe_json import check_classes

    structures: dict[str, Structure] = {"host": study.host.structure}
    if has_store(folder):
        with closing(read_store(folder)) as store:
            for job in store.query({}, properties=["name", "output"]):
                output = job.get("output")
                if isinstance(output, dict) and output.get("@class") == "Calculation":
                    check_classes(output, f"the job {job['name']}")
                    structures[str(job["name"])] = MontyDecoder().process_decoded(output["structure"])
    return {name: structure for name, structure in structures.items() if structure is not None}


def _images(folder: Path) -> dict[str, Structure]:
    """Images of the bands, in order."""
    from ase.io import read
    from pymatgen.io.ase import AseAtomsAdaptor

    structures = {}
    for file in sorted((folder / BANDS).glob("*.extxyz")):
        for n, atoms in enumerate(read(file, index=":"), start=1):
            structures[f"{file.stem} image {n}"] = AseAtomsAdaptor.get_structure(atoms)
    return structures
