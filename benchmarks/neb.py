"""Force calls and rate of right barriers: the surrogate band beside ASE's methods.

Run with ``OMP_NUM_THREADS=1 python benchmarks/neb.py ROWS.jsonl [METHOD ...]``; prints the tables of
docs/neb_benchmark.md. Each band is a line of the file as soon as it ends, and a second run makes only what
is missing. Ends are relaxed first, alike for all and not counted; every evaluation between them is.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from ase.mep import NEB, DyNEB
from ase.mep.autoneb import AutoNEB
from ase.mep.neb import NEBOptimizer
from ase.optimize import BFGS, FIRE, LBFGS
from band_cases import Case, gold_on_aluminium, oxide, start_path, vacancy
from magnetoionics.workflows.band import BandSettings, CallCounter, relax
from magnetoionics.workflows.band_surrogate import SurrogateBandDriver

MOST_CALLS = 500
RIGHT_EV = 0.005
LARGE = 50  # dense BFGS takes about a second a step on bands of such cells; LBFGS stands in
METHODS = ("ours", "BFGS", "BFGS k=5", "FIRE", "NEBOptimizer", "DyNEB", "AutoNEB")


@dataclass
class Trial:
    """A case with its peers' settings; `barrier_eV` is of a tight split band or published."""

    build: Callable[[], Case]
    images: int
    fmax: float
    barrier_eV: float
    seeds: tuple[int | None, ...] = (None, 0, 1, 2, 3, 4)
    pair_potential: bool = False


TRIALS = {
    "Cu vacancy, 31": Trial(lambda: vacancy("Cu", 2), 5, 0.02, 0.7917),
    "Au on Al(100), 13": Trial(gold_on_aluminium, 5, 0.02, 0.3744),
    "Co in CoFe2O4, 55": Trial(lambda: oxide("cofe2o4", "Co"), 7, 0.03, 0.7202, pair_potential=True),
    "Li in LiFe5O8, 55": Trial(lambda: oxide("life5o8", "Li"), 7, 0.03, 0.2912, pair_potential=True),
    "Cu vacancy, 107": Trial(lambda: vacancy("Cu", 3), 5, 0.02, 0.7916),
    "Co in CoFe2O4, 447": Trial(
        lambda: oxide("cofe2o4", "Co", 2), 7, 0.03, 0.7585, seeds=(None, 0), pair_potential=True
    ),
}


class Enough(Exception):
    """The calls allowed to a method are spent."""


class LimitedCounter(CallCounter):
    def attach(self, calculator):
        counted = super().attach(calculator)
        calculate = counted.calculate

        def limited(*args, **kwargs):
            if self.calls >= MOST_CALLS:
                raise Enough
            return calculate(*args, **kwargs)

        counted.calculate = limited
        return counted


def highest(path: list[Atoms]) -> float:
    return max(a.calc.results["energy"] for a in path if "energy" in a.calc.results)


def ase_band(method: str, path: list[Atoms], make, fmax: float) -> tuple[int, float, bool]:
    """Calls, highest energy, and whether the method itself stopped."""
    counter = LimitedCounter()
    for image in path[1:-1]:
        image.calc = counter.attach(make())
    spring = {"k": 5.0 if "k=5" in method else 0.1, "climb": True, "method": "improvedtangent"}
    newton = LBFGS if len(path[0]) > LARGE else BFGS
    if method == "DyNEB":
        neb, kind = DyNEB(path, fmax=fmax, dynamic_relaxation=True, **spring), newton
    else:
        kind = {"FIRE": FIRE, "NEBOptimizer": NEBOptimizer}.get(method, newton)
        neb = NEB(path, **spring)
    try:
        done = kind(neb, logfile=None).run(fmax=fmax, steps=MOST_CALLS)
    except Enough:
        return counter.calls, highest(path), False
    return counter.calls, highest(path), bool(done) or kind is NEBOptimizer


def auto_band(path: list[Atoms], make, fmax: float, from_ends: bool) -> tuple[int, float, bool]:
    """AutoNEB: images added one by one between the ends, or the given start images."""
    counter = LimitedCounter()

    def attach(images: list[Atoms]) -> None:
        for image in images:
            image.calc = counter.attach(make())

    with tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        for n, image in enumerate((path[0], path[-1]) if from_ends else path):
            write(f"{folder}/neb{n:03d}.traj", image)
        driver = AutoNEB(
            attach,
            f"{folder}/neb",
            n_simul=3,
            n_max=len(path),
            fmax=[0.1, fmax],
            maxsteps=[20, 200],
            k=0.1,
            method="improvedtangent",
            optimizer=LBFGS if len(path[0]) > LARGE else BFGS,
            parallel=False,
        )
        try:
            driver.run()
        except Enough:
            return counter.calls, highest([a for a in driver.all_images if a.calc is not None]), False
    return counter.calls, max(driver.get_energies()), True


def our_band(path: list[Atoms], make, mover: int, fmax: float) -> tuple[int, float, bool, int]:
    driver = SurrogateBandDriver(make, BandSettings(fmax_eV_per_A=fmax))
    result = driver.run(path[0], path[-1], [], mover, start=path)
    passed = all(c.passed for c in result.checks)
    humps = sum(p.kind == "saddle" for p in result.points)
    return result.force_calls - driver.end_calls, max(p.energy for p in result.points), passed, humps


def make_rows(file: Path, methods: list[str]) -> None:
    """Run every band that the file lacks."""
    lines = file.read_text().splitlines() if file.exists() else []
    known = {(r["case"], r["method"], r["seed"]) for r in map(json.loads, lines)}
    for case, trial in TRIALS.items():
        todo = [(m, s) for m in methods for s in trial.seeds if (case, m, s) not in known]
        if not todo:
            continue
        initial, final, mover, make = trial.build()
        for atoms in (initial, final):
            atoms.calc = make()
            relax(atoms, 0.01, 500)
            known_point = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces(apply_constraint=False)}
            atoms.calc = SinglePointCalculator(atoms, **known_point)
        base = initial.get_potential_energy()
        for method, seed in todo:
            path = start_path(initial, final, trial.images, seed, trial.pair_potential)
            for kept, end in ((path[0], initial), (path[-1], final)):
                kept.calc = SinglePointCalculator(kept, **end.calc.results)
            begin, humps = time.perf_counter(), None
            if method == "ours":
                calls, top, finished, humps = our_band(path, make, mover, trial.fmax)
            elif method == "AutoNEB":
                calls, top, finished = auto_band(path, make, trial.fmax, from_ends=seed is None)
            else:
                calls, top, finished = ase_band(method, path, make, trial.fmax)
            row = {
                "case": case,
                "method": method,
                "seed": seed,
                "calls": calls,
                "barrier_eV": round(top - base, 4),
                "finished": finished,
                "humps": humps,
                "right": bool(finished and abs(top - base - trial.barrier_eV) <= RIGHT_EV),
                "seconds": round(time.perf_counter() - begin, 1),
            }
            with file.open("a") as handle:
                handle.write(json.dumps(row) + "\n")
            print(row, flush=True)


def table(rows: list[dict]) -> str:
    """Calls from the clean start / over the rattled ones, and the number right; `+` where stopped."""
    methods = [m for m in METHODS if any(r["method"] == m for r in rows)]
    out = ["| case | reference, eV | " + " | ".join(methods) + " |", "|---" * (len(methods) + 2) + "|"]
    for case, trial in TRIALS.items():
        cells = []
        for method in methods:
            mine = [r for r in rows if r["case"] == case and r["method"] == method]
            clean = [_calls(r) for r in mine if r["seed"] is None]
            rattled = sorted((r for r in mine if r["seed"] is not None), key=lambda r: r["calls"])
            spread = dict.fromkeys([_calls(rattled[0]), _calls(rattled[-1])]) if rattled else ["-"]
            right = f"{sum(r['right'] for r in mine)}/{len(mine)}"
            cells.append(f"{clean[0] if clean else '-'} / {'-'.join(spread)}, {right}")
        out.append(f"| {case} | {trial.barrier_eV:.4f} | " + " | ".join(cells) + " |")
    return "\n".join(out)


def _calls(row: dict) -> str:
    return f"{row['calls']}{'' if row['finished'] else '+'}"


def main(arguments: list[str]) -> None:
    if not arguments:
        raise SystemExit("usage: python benchmarks/neb.py ROWS.jsonl [METHOD ...]; methods: " + ", ".join(METHODS))
    if unknown := set(arguments[1:]) - set(METHODS):
        raise SystemExit(f"unknown method {sorted(unknown)}; known: {', '.join(METHODS)}")
    warnings.filterwarnings("ignore")
    np.seterr(all="ignore")
    file = Path(arguments[0])
    make_rows(file, arguments[1:] or list(METHODS))
    print(table([json.loads(line) for line in file.read_text().splitlines()]))


if __name__ == "__main__":
    main(sys.argv[1:])
