"""Defect entries that doped or pymatgen-analysis-defects wrote, read as plain JSON: no class that a file names is made.

Each entry becomes a run with the energy, the cell, the settings and the site potentials that it carries, so that it is
matched, judged and corrected as a folder is.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Element, Lattice, Structure

from ..vasp.finished.document import HubbardBlock, PawDataSet, VaspRun
from ..vasp.finished.electrons import functional_of
from ..vasp.finished.outcar_text import element_of
from .tasks import run_of_task, tasks_in

NOT_JUDGED = "convergence and moments are not in an entry: nothing of them was judged here"
_BULK = "bulk"


@dataclass
class EntryRun:
    """One entry as a run.

    Attributes
    ----------
    name
        As the entry is called; ``bulk`` for the perfect cell.
    run
        Its energy, cell and settings.
    correction_eV
        The corrections that the entry carries, summed; None without any.
    """

    name: str
    run: VaspRun
    correction_eV: float | None = None


@dataclass
class EntrySet:
    """Entries of one file.

    Attributes
    ----------
    runs
        The perfect cell first.
    dielectric
        Permittivity that the corrections used, if the file says.
    unfinished
        Names of entries without energies: inputs that were never run.
    """

    runs: list[EntryRun] = field(default_factory=list)
    dielectric: list[list[float]] | None = None
    unfinished: list[str] = field(default_factory=list)


def read_defect_entries(path: Path) -> EntrySet:
    """Read a JSON file of defect entries, gzipped or not.

    Parameters
    ----------
    path
        doped's ``DefectThermodynamics`` or ``DefectEntry``, a list or mapping of entries, or a
        ``FormationEnergyDiagram`` of pymatgen-analysis-defects.

    Raises
    ------
    ValueError
        If the file is no JSON or holds no entry.
    """
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as stream:
        content = json.load(stream)
    if tasks := list(tasks_in(content)):
        return EntrySet(runs=[EntryRun(name, run_of_task(task)) for name, task in tasks])
    vbm = content.get("vbm") if isinstance(content, dict) else None
    gap = content.get("band_gap") if isinstance(content, dict) else None
    out = EntrySet()
    for entry in _entries(content):
        name = str(entry.get("name") or "entry")
        own, bulk = entry.get("sc_entry") or {}, entry.get("bulk_entry") or {}
        if not own.get("energy") or not own.get("structure"):
            out.unfinished.append(name)
            continue
        details = _plain(entry.get("calculation_metadata") or {})
        settings = details.get("run_metadata") or {}
        edges = (vbm if vbm is not None else details.get("vbm"), gap if gap is not None else details.get("gap"))
        of_bulk = details.get("bulk_site_potentials")
        if bulk.get("energy") and bulk.get("structure"):
            known = next((r for r in out.runs if r.name == _BULK), None)
            if known is None or (known.run.electron_potentials_eV is None and of_bulk is not None):
                perfect = _run(f"{path.name}: {_BULK}", bulk, settings, "bulk", 0, of_bulk, edges)
                out.runs = [EntryRun(_BULK, perfect), *(r for r in out.runs if r.name != _BULK)]
        charge = int(entry.get("charge_state") or 0)
        run = _run(f"{path.name}: {name}", own, settings, "defect", charge, details.get("defect_site_potentials"))
        corrections = entry.get("corrections") or {}
        total = float(sum(corrections.values())) if corrections else None
        out.runs.append(EntryRun(name, run, total))
        if out.dielectric is None and details.get("dielectric") is not None:
            tensor = np.asarray(details["dielectric"], dtype=float)
            full = np.eye(3) * tensor if tensor.ndim < 2 else tensor
            out.dielectric = (0.5 * (full + full.T)).tolist()
    if not out.runs and not out.unfinished:
        raise ValueError(f"{path.name} holds no defect entry")
    return out


def _entries(content: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(content, list):
        for item in content:
            yield from _entries(item)
    elif isinstance(content, dict):
        if "sc_entry" in content:
            yield content
        elif "defect_entries" in content:
            yield from _entries(content["defect_entries"])
        elif "@class" not in content:
            yield from _entries(list(content.values()))


def _plain(value: Any) -> Any:
    """Arrays that were written as a mapping with their data, as the data."""
    if isinstance(value, dict):
        if value.get("@class") == "array":
            return value.get("data")
        return {k: _plain(v) for k, v in value.items()}
    return value


def _run(
    name: str,
    entry: Mapping[str, Any],
    settings: Mapping[str, Any],
    which: str,
    charge: int,
    potentials: list[float] | None,
    edges: tuple[float | None, float | None] = (None, None),
) -> VaspRun:
    structure = _structure(entry["structure"])
    parameters = entry.get("parameters") or {}
    incar = settings.get(f"{which}_incar") or {}
    mesh = (settings.get(f"{which}_kpoints") or {}).get("kpoints") or []
    hubbards = {el: float(u) for el, u in (parameters.get("hubbards") or {}).items() if u}
    titels = {element_of(t): t for t in parameters.get("potcar_symbols") or []}
    counts = structure.composition.get_el_amt_dict()
    vbm, gap = edges
    return VaspRun(
        folder=name,
        kind="relaxation",
        functional=functional_of(incar, {}) if incar else _functional(parameters),
        hubbard=[HubbardBlock(element=el, shell=2, U_eV=u, J_eV=0.0) for el, u in hubbards.items()],
        incar=dict(incar),
        formula=structure.composition.formula,
        structure=structure,
        energy_eV=float(entry["energy"]),
        charge_e=float(charge),
        vbm_eV=None if vbm is None else float(vbm),
        cbm_eV=None if vbm is None or gap is None else float(vbm) + float(gap),
        gap_eV=None if gap is None else float(gap),
        # doped turns the sign of what OUTCAR prints.
        electron_potentials_eV=None if potentials is None else [-float(x) for x in potentials],
        kpoint_mesh=[int(n) for n in mesh[0]] if len(mesh) == 1 and len(mesh[0]) == 3 else None,
        paw=[PawDataSet(element=el, count=round(n), titel=titels.get(el, "")) for el, n in counts.items()],
        notes=[NOT_JUDGED],
    )


def _functional(parameters: Mapping[str, Any]) -> str | None:
    """From pymatgen's name of a kind of run; ``GGA`` says no more than that."""
    functional = str(parameters.get("run_type") or "").upper().removesuffix("+U")
    return {"GGA": "PBE", "": None}.get(functional, functional)


def _structure(content: Mapping[str, Any]) -> Structure:
    """Cell from plain values: lattice, elements, fractional coordinates."""
    symbols, coords = [], []
    for site in content["sites"]:
        symbols.append(Element(str(site["species"][0]["element"])))
        coords.append([float(x) for x in site["abc"]])
    return Structure(Lattice(np.asarray(_plain(content["lattice"]["matrix"]), dtype=float)), symbols, coords)
