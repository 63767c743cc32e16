"""Tracer diffusion of cobalt in finished studies beside the published rows of Lu, Tinkler and Dieckmann (1993).

Run: python benchmarks/diffusion_rows.py STUDY... [--figure rows.png] [--kept]

With --kept the engines whose vacancies and barriers lie in data/ are rows too, at 1 atm: the formation energy goes on
from the oxygen-rich edge with the slope between the edges.

The rows are read from spinels.json in the folder ``diffusion`` of MAGNETOIONICS_REAL; those of x = 0.2 stand nearest to
CoFe2O4 (x = 1/3). Prints rms distance, slopes at the highest and lowest activities, and the minimum.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from pathlib import Path

import numpy as np
from magnetoionics.analysis.study.measured_diffusion import measured_for
from magnetoionics.analysis.study.tracer import minimum_of, total_log10_D
from magnetoionics.analysis.study.transport import Transport
from magnetoionics.hpc.study_folder.files import read_study


def rows() -> np.ndarray:
    """Measured log10 a and log10 D at 1473 K, shape (n, 2)."""
    path = Path(os.environ["MAGNETOIONICS_REAL"]) / "diffusion" / "spinels.json"
    table = json.loads(path.read_text(encoding="utf-8"))
    return np.array(table[next(key for key in table if key.startswith("log10 D of Co"))]["0.2"])


def judged(total: list[tuple[float, float]], measured: np.ndarray) -> tuple[float, float, float]:
    """Rms in decades at the measured activities, slope at the highest ones and at the lowest ones."""
    a, d = np.array(sorted(total)).T
    off = np.interp(measured[:, 0], a, d) - measured[:, 1]
    high, low = (d[-1] - d[-2]) / (a[-1] - a[-2]), (d[1] - d[0]) / (a[1] - a[0])
    return float(np.sqrt(np.mean(off**2))), float(high), float(low)


# Oxygen-rich edge of the window: from measured enthalpies, and of GPAW's own phases.
RICH_EDGE_eV = {"gpaw": -1.32}
MEASURED_EDGE_eV = -1.25
# Oxygen per vacancy from one edge to the other: Fe2O3 bounds Fe at both, Co3O4 and CoO bound Co.
SLOPE = {"V_Fe(B)": 1.5, "V_Co(B)": 1.0}


def kept_rows() -> list[str]:
    """One line for each kept engine and vacancy: E_f + E_m at 1473 K and 1 atm, log D, and how far that is."""
    from magnetoionics.analysis.audit.known_values import better_calculations
    from magnetoionics.analysis.thermodynamics.oxygen_gas import delta_mu_O_eV
    from magnetoionics.structures.units import BOLTZMANN_eV_PER_K

    (measured,) = measured_for("CoFe2O4")
    mu, thermal = delta_mu_O_eV(measured.temperature_K, 1.0), BOLTZMANN_eV_PER_K * measured.temperature_K
    known = {q: better_calculations("cofe2o4", "Imma", "local", q) for q in ("vacancies", "barrier")}
    bands = {k.engine: sorted(k.values.values()) for k in known["barrier"]}
    # Six neighbours at 2.97 A, exact f of the octahedral sites, 1e13 Hz.
    prefactor = math.log10(0.5549 * 2.97e-8**2 * 1e13)
    out = []
    for engine in known["vacancies"]:
        for vacancy, slope in SLOPE.items():
            barrier = sum(bands[engine.engine]) / 2
            formation = engine.rich[vacancy] + slope * (RICH_EDGE_eV.get(engine.engine, MEASURED_EDGE_eV) - mu)
            log_D = prefactor - (formation + barrier) / thermal / math.log(10)
            out.append(
                f"{engine.engine}, {vacancy}: E_f {formation:.2f} + E_m {barrier:.2f} eV, log D {log_D:.1f}, "
                f"{log_D - measured.log10_D(0.0):+.1f} decades from x = 0.2"
            )
    return out


def main() -> None:
    """Print one line for each study, and the measured one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", nargs="*", type=Path)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--kept", action="store_true", help="the engines of data/ too")
    given = parser.parse_args()
    if given.kept:
        print("\n".join(kept_rows()))
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
        rms, slope, low = judged(total, measured)
        minimum = minimum_of(found.tracer, found.interstitials)
        where = "none" if minimum is None else f"{minimum:.1f}"
        print(f"{name}: rms {rms:.1f} decades, slopes {slope:+.2f} and {low:+.2f}, minimum at log a = {where}")
    _, slope, low = judged([tuple(row) for row in measured.tolist()], measured)
    lowest = measured_for("CoFe2O4")[0].log10_a_of_minimum
    print(f"measured, x = 0.2: slopes {slope:+.2f} and {low:+.2f}, minimum at log a = {lowest:.1f}")
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
