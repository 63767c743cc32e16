"""Task documents of atomate2 (emmet's TaskDoc), alone or as outputs in a JSON file of a jobflow store, read as runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pymatgen.core import Structure

from ...analysis.results.checks import Check
from ..evaluation.guards import guard
from ..vasp.finished.document import HubbardBlock, PawDataSet, VaspRun
from ..vasp.finished.electrons import functional_of
from ..vasp.finished.files import run_files
from ..vasp.finished.outcar_text import element_of
from ..vasp.finished.reader import read_run

TASK_MARKS = ('"calcs_reversed"', '"orig_inputs"')
NOT_HELD = "a task document holds no site potentials and no valences: charged cells are not told by it"


def tasks_in(content: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every task document in some JSON, with its name: bare, in a list, or as the output of a job."""
    documents = content if isinstance(content, list) else [content]
    for number, document in enumerate(documents, start=1):
        if not isinstance(document, Mapping):
            continue
        inner = document.get("output")
        task = inner if isinstance(inner, Mapping) and inner.get("calcs_reversed") else document
        if task.get("calcs_reversed"):
            name = task.get("task_label") or document.get("name") or "task"
            yield f"{number} {name}", task


def run_of_task(task: Mapping[str, Any]) -> VaspRun:
    """The last calculation of a task as a run, judged by its files where they are, else by what the document holds.

    Parameters
    ----------
    task
        With ``calcs_reversed``, the last calculation first.

    Raises
    ------
    KeyError, ValueError
        If the document is not laid out as emmet's.
    """
    last = task["calcs_reversed"][0]
    folder = str(last.get("dir_name") or task.get("dir_name") or "").rpartition(":")[2]
    if folder and Path(folder).is_dir() and {"vasprun.xml", "OUTCAR"} & set(run_files(Path(folder))):
        # Its files hold more than the document: site potentials, valences, hashes.
        return read_run(folder)
    given, output = last["input"], last["output"]
    incar, parameters = dict(given.get("incar") or {}), dict(given.get("parameters") or {})
    structure = Structure.from_dict(output["structure"])
    blocks = [(str(el), int(n)) for el, n in structure.composition.get_el_amt_dict().items()]
    steps = output.get("ionic_steps") or []
    loops = [len(step.get("electronic_steps") or []) for step in steps]
    relaxes = int(incar.get("NSW", parameters.get("NSW", 0)) or 0) > 0
    specs = given.get("potcar_spec") or []
    run = VaspRun(
        folder=str(last.get("dir_name") or task.get("dir_name") or ""),
        kind="relaxation" if relaxes else "static",
        version=last.get("vasp_version"),
        functional=functional_of(incar, parameters),
        hubbard=[
            HubbardBlock(element=el, shell=2, U_eV=float(u), J_eV=0.0)
            for el, u in (given.get("hubbards") or {}).items()
            if u
        ],
        incar=incar,
        parameters=parameters,
        formula=" ".join(f"{el}{n}" for el, n in blocks),
        structure=structure,
        energy_eV=float(steps[-1]["e_0_energy"]) if steps else None,
        ionic_steps=len(steps),
        electronic_steps=loops,
        forces_eV_per_A=steps[-1].get("forces") if steps else None,
        gap_eV=output.get("bandgap"),
        vbm_eV=output.get("vbm"),
        cbm_eV=output.get("cbm"),
        electrons=parameters.get("NELECT"),
        noncollinear=bool(parameters.get("LNONCOLLINEAR")),
        spin_orbit=bool(parameters.get("LSORBIT")),
        site_moments_muB=_moments(structure),
        total_moment_muB=(output.get("outcar") or {}).get("total_magnetization"),
        paw=[_data_set(str(s["titel"]), dict(blocks)) for s in specs],
        notes=[NOT_HELD],
    )
    return run.model_copy(update={"checks": _checks(run, last, steps)})


def _data_set(titel: str, counts: Mapping[str, int]) -> PawDataSet:
    element = element_of(titel)
    return PawDataSet(element=element, count=counts[element], titel=titel)


def _moments(structure: Structure) -> list[float] | None:
    """Collinear moments that emmet put on the sites."""
    moments = structure.site_properties.get("magmom")
    if moments is None or not all(isinstance(m, int | float) for m in moments):
        return None
    return [float(m) for m in moments]


def _checks(run: VaspRun, last: Mapping[str, Any], steps: list[Any]) -> list[Check]:
    settings = {**run.incar, **run.parameters}
    done = str(last.get("has_vasp_completed")).rsplit(".", 1)[-1].lower() in ("true", "successful", "success")
    loop = run.electronic_steps[-1] if run.electronic_steps else 0
    most, moves = int(settings.get("NELM", 60)), int(settings.get("NSW", 0) or 0)
    out = [
        guard("finished", done, "the task says that VASP did not complete"),
        guard("energy", run.energy_eV is not None, "no ionic step was finished: there is no energy"),
        guard("electronic convergence", 0 < loop < most, f"the last loop took {loop} of at most {most} steps"),
    ]
    note = "NELECT was asked for, and without the valences of the PAW sets its charge is unknown: give the folder"
    out.append(guard("charge of the cell", "NELECT" not in run.incar, note))
    if run.kind == "relaxation":
        out.append(guard("ions converged", len(steps) < moves, f"the relaxation used up its {moves} steps"))
    return out
