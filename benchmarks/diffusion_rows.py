"""Tracer diffusion of cobalt in finished studies beside the published rows of Lu, Tinkler and Dieckmann (1993).

Run: python benchmarks/diffusion_rows.py STUDY... [--figure rows.png]

The rows are read from spinels.json in the folder ``diffusion`` of MAGNETOIONICS_REAL; those of x = 0.2 stand nearest to
CoFe2O4 (x = 1/3). Prints rms distance, slope at the highest activities and the place of the minimum.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import numpy as np
from magnetoionics.analysis.study.transport import Transport, total_log10_D
from magnetoionics.hpc.study_folder.files import read_study


def rows() -> np.ndarray:
    """Measured log10 a and log10 D at 1473 K, shape (n, 2)."""
    path = Path(os.environ["MAGNETOIONICS_REAL"]) / "diffusion" / "spinels.json"
    table = json.loads(path.read_text(encoding="utf-8"))
    return np.array(table[next(key for key in table if key.startswith("log10 D of Co"))]["0.2"])


def judged(total: list[tuple[float, float]], measured: np.ndarray) -> tuple[float, float, float | None]:
    """Rms in decades at the measured activities, slope at the highest ones, and log10 a of the minimum inside."""
    a, d = np.array(sorted(total)).T
    off = np.interp(measured[:, 0], a, d) - measured[:, 1]
    lowest = int(np.argmin(d))
    inside = 0 < lowest < len(d) - 1
    return (
        float(np.sqrt(np.mean(off**2))),
        float((d[-1] - d[-2]) / (a[-1] - a[-2])),
        float(a[lowest]) if inside else None,
    )


def main() -> None:
    """Print one line for each study, and the measured one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", nargs="+", type=Path)
    parser.add_argument("--figure", type=Path)
    given = parser.parse_args()
    measured = rows()
    curves = {}
    for folder in given.studies:
        study = read_study(folder)
        found = study.observables.get("transport")
        name = f"{folder.name} ({study.engine.name})"
        if not isinstance(found, Transport) or not found.tracer:
            print(f"{name}: no tracer diffusion")
            continue
        total = total_log10_D(found.tracer, found.interstitials)
        if len(total) < 2:
            print(f"{name}: {next(t.reason for t in found.tracer if t.reason)}")
            continue
        curves[name] = total
        rms, slope, minimum = judged(total, measured)
        where = "none" if minimum is None else f"{minimum:.1f}"
        print(f"{name}: rms {rms:.1f} decades, slope {slope:+.2f}, minimum at log a = {where}")
    rms, slope, minimum = judged([tuple(row) for row in measured.tolist()], measured)
    print(f"measured, x = 0.2: slope {slope:+.2f}, minimum at log a = {minimum:.1f}")
    if given.figure:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(5.6, 3.8), layout="constrained")
        axis = figure.add_subplot()
        for name, total in curves.items():
            axis.plot(*np.array(total).T, ".-", label=name)
        axis.plot(*measured.T, "ks", label="measured, x = 0.2")
        axis.set_xlabel("log10 a(O2)")
        axis.set_ylabel("log10 D / (cm2/s)")
        axis.legend(fontsize=7)
        figure.savefig(given.figure, dpi=160)


if __name__ == "__main__":
    main()
