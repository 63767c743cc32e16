"""Every vasprun.xml and OUTCAR below some folders, read by this package and by pymatgen, value by value.

    python benchmarks/vasp_against_pymatgen.py FOLDER...

Prints what differs and how many runs are sound. Not compared is what the two mean differently: runs ended early, of
which pymatgen takes the step in flight, molecular dynamics, to which it adds a step, and EDIFFG = 0, which it calls
converged.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from magnetoionics.workflows.vasp.finished.document import VaspRun
from magnetoionics.workflows.vasp.finished.files import file_kind
from magnetoionics.workflows.vasp.finished.reader import read_run
from pymatgen.io.vasp import Outcar, Vasprun

Difference = tuple[str, str]


def close(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two values agree; None agrees with None alone."""
    if one is None or other is None:
        return one is None and other is None
    first, second = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    return first.shape == second.shape and bool(np.allclose(first, second, rtol=0, atol=tolerance))


def of_vasprun(run: VaspRun, path: Path) -> Iterator[Difference]:
    """What pymatgen's `Vasprun` says otherwise."""
    their = Vasprun(path, parse_potcar_file=False, exception_on_bad_xml=False, parse_dos=False)
    finished = next(c.passed for c in run.checks if c.name == "finished")
    if not their.ionic_steps or run.structure is None:
        yield from [] if run.energy_eV is None else [("steps", f"{run.ionic_steps} and {len(their.ionic_steps)}")]
        return
    if not finished or run.kind == "molecular dynamics":
        return
    values: list[tuple[str, Any, Any, float]] = [
        ("energy", run.energy_eV, float(their.final_energy), 1e-6),
        ("steps", run.ionic_steps, len(their.ionic_steps), 0.0),
        ("positions", run.structure.frac_coords, their.final_structure.frac_coords, 1e-6),
        ("lattice", run.structure.lattice.matrix, their.final_structure.lattice.matrix, 1e-6),
        ("forces", run.forces_eV_per_A, their.ionic_steps[-1].get("forces"), 1e-6),
        ("electrons", run.electrons, their.parameters.get("NELECT"), 1e-6),
        ("k points", run.kpoints, len(their.actual_kpoints), 0.0),
    ]
    if run.gap_eV is not None:
        gap, cbm, vbm, _ = their.eigenvalue_band_properties
        values.append(("band edges", [run.gap_eV, run.cbm_eV, run.vbm_eV], [gap, cbm, vbm], 1e-4))
    yield from ((name, f"{str(a)[:60]} and {str(b)[:60]}") for name, a, b, t in values if not close(a, b, t))
    hubbards = {el: u for el, u in their.hubbards.items() if u}
    if hubbards != {el: u for el, u in run.hubbard_U_eV.items() if u}:
        yield "U", f"{run.hubbard_U_eV} and {hubbards}"
    judged = {c.name: c.passed for c in run.checks}
    ediffg = float(run.parameters.get("EDIFFG", run.incar.get("EDIFFG", -1.0)))
    if judged["electronic convergence"] != their.converged_electronic:
        yield "electronic convergence", f"{judged['electronic convergence']} and {their.converged_electronic}"
    if judged["ions converged"] not in (None, their.converged_ionic) and ediffg != 0.0:
        yield "ionic convergence", f"{judged['ions converged']} and {their.converged_ionic}"


def of_outcar(run: VaspRun, path: Path) -> Iterator[Difference]:
    """What pymatgen's `Outcar` says otherwise."""
    their = Outcar(path)
    if not next(c.passed for c in run.checks if c.name == "finished"):
        return
    values: list[tuple[str, Any, Any, float]] = [("energy", run.energy_eV, their.final_energy, 1e-5)]
    moments = [m["tot"] for m in their.magnetization or []]
    if moments and not run.noncollinear:
        values.append(("moments", run.site_moments_muB, moments, 1e-5))
    elif moments and run.site_moment_vectors_muB is not None:
        # Theirs stand in the frame of SAXIS: only lengths compare.
        lengths = np.linalg.norm(run.site_moment_vectors_muB, axis=1)
        values.append(("moments", lengths, [np.linalg.norm(m.moment) for m in moments], 2e-3))
    if their.total_mag is not None and not run.noncollinear:
        values.append(("total moment", run.total_moment_muB, their.total_mag, 1e-5))
    for name, ours in (("born", run.born_charges_e), ("dielectric_tensor", run.dielectric_electronic)):
        found = getattr(their, name, None)
        if found is not None and len(found):
            values.append((name, ours, found, 1e-4))
    yield from ((name, f"{str(a)[:60]} and {str(b)[:60]}") for name, a, b, t in values if not close(a, b, t))


COMPARE: dict[str, Callable[[VaspRun, Path], Iterator[Difference]]] = {"vasprun.xml": of_vasprun, "OUTCAR": of_outcar}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path)
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    counts: Counter[str] = Counter()
    for top in options.folders:
        for path in sorted(p for p in top.rglob("*") if p.is_file() and file_kind(p.name) in COMPARE):
            counts["files"] += 1
            run = read_run(path)
            counts["sound" if run.usable else "refused"] += 1
            try:
                found = list(COMPARE[str(file_kind(path.name))](run, path))
            except Exception as error:  # pymatgen fails on odd files in many ways
                counts["not read by pymatgen"] += 1
                print(f"{path}: pymatgen: {type(error).__name__}: {str(error)[:80]}")
                continue
            counts["different"] += bool(found)
            for name, text in found:
                print(f"{path}: {name}: {text}")
    print(", ".join(f"{n} {what}" for what, n in counts.items()))
    return 1 if counts["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
