"""Force calls and rate of right barriers: the surrogate band beside ASE's methods.

Run ``OMP_NUM_THREADS=1 python benchmarks/neb.py [--held-out] [--methods NAME ...] [--rows FILE] [--write]``: the
first tables of docs/neb_benchmark.md come from it without ``--held-out``, the last from it with; ``--write`` puts them
there. Each band is a line of the file as soon as it ends, and a second run makes only what is missing. Ends are
relaxed first, alike for all and not counted; every evaluation between them is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import ase
import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from ase.mep import NEB, DyNEB
from ase.mep.autoneb import AutoNEB
from ase.mep.neb import NEBOptimizer
from ase.optimize import BFGS, FIRE, LBFGS
from band_cases import Case, adatom, gold_on_aluminium, oxide, oxide_hop, start_path, vacancy
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.band.driver import BandDriver, BandSettings, CallCounter, relax
from magnetoionics.workflows.band.surrogate import SurrogateBandDriver

ROOT = Path(__file__).resolve().parents[1]
ROWS, PAGE = ROOT / "benchmarks" / "data" / "neb_rows.jsonl", ROOT / "docs" / "neb_benchmark.md"
MOST_CALLS = 500
RIGHT_EV = 0.005
LARGE = 50  # dense BFGS takes about a second a step on bands of such cells; LBFGS stands in
REFERENCE, OURS = "reference", "ours"
METHODS = (OURS, "BFGS", "BFGS k=5", "FIRE", "NEBOptimizer", "DyNEB", "AutoNEB")


@dataclass
class Trial:
    """A case with its peers' settings."""

    build: Callable[[], Case]
    images: int
    fmax: float
    seeds: tuple[int | None, ...] = (None, 0, 1, 2, 3, 4)
    pair_potential: bool = False
    between: Callable[[], list[Atoms]] = list


def _metal(build: Callable[[], Case]) -> Trial:
    return Trial(build, images=5, fmax=0.02)


def _oxide(host: str, ion: str, repeats: int = 1) -> Trial:
    def between() -> list[Atoms]:
        return [to_atoms(s) for s in oxide_hop(host, ion, repeats).intermediates]

    return Trial(lambda: oxide(host, ion, repeats), images=7, fmax=0.03, pair_potential=True, between=between)


TRIALS = {
    "Cu vacancy, 31": _metal(lambda: vacancy("Cu", 2)),
    "Au on Al(100), 13": _metal(gold_on_aluminium),
    "Co in CoFe2O4, 55": _oxide("cofe2o4", "Co"),
    "Li in LiFe5O8, 55": _oxide("life5o8", "Li"),
    "Cu vacancy, 107": _metal(lambda: vacancy("Cu", 3)),
    "Co in CoFe2O4, 447": _oxide("cofe2o4", "Co", 2),
}
HELD_OUT = {
    "Ni vacancy, 31": _metal(lambda: vacancy("Ni", 2)),
    "Pd vacancy, 31": _metal(lambda: vacancy("Pd", 2)),
    "Al vacancy, 31": _metal(lambda: vacancy("Al", 2)),
    "Cu on Cu(111), 28": _metal(lambda: adatom("Cu", "Cu")),
    "Pt on Ag(111), 28": _metal(lambda: adatom("Ag", "Pt")),
    "Fe in CoFe2O4, 55": _oxide("cofe2o4", "Fe"),
    "Fe in LiFe5O8, 55": _oxide("life5o8", "Fe"),
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


def our_band(path: list[Atoms], make, mover: int, fmax: float) -> tuple[int, float, bool, int, list[str]]:
    driver = SurrogateBandDriver(make, BandSettings(fmax_eV_per_A=fmax))
    result = driver.run(path[0], path[-1], [], mover, start=path)
    return _judged(result, result.force_calls - driver.end_calls)


def reference_band(
    initial: Atoms, final: Atoms, between: list[Atoms], make, mover: int
) -> tuple[int, float, bool, int, list[str]]:
    """The classic driver's split climbing-image bands: many images, tight bounds, known intermediates."""
    tight = BandSettings(images_per_segment=7, fmax_eV_per_A=0.01, relax_fmax_eV_per_A=0.005, max_steps=400)
    result = BandDriver(make, tight).run(initial.copy(), final.copy(), between, mover)
    return _judged(result, result.force_calls, result.points[0].energy)


def _judged(result, calls: int, zero: float = 0.0) -> tuple[int, float, bool, int, list[str]]:
    failed = [c.name for c in result.checks if not c.passed]
    saddles = sum(p.kind == "saddle" for p in result.points)
    notes = [n for n in result.notes if "ordinary band" in n]
    return calls, max(p.energy for p in result.points) - zero, not failed, saddles, failed + notes


def fingerprint() -> str:
    """Changes with the source of the band drivers."""
    files = sorted((ROOT / "workflows").glob("band*.py"))
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()[:10]


def make_rows(file: Path, trials: dict[str, Trial], methods: list[str]) -> None:
    """Run every band that the file lacks."""
    known = {(r["case"], r["method"], r["seed"]) for r in read(file)}
    for method in (REFERENCE, *methods):
        for case, trial in trials.items():
            seeds = (None,) if method == REFERENCE else trial.seeds
            todo = [seed for seed in seeds if (case, method, seed) not in known]
            if todo:
                _make_case(file, case, trial, method, todo)


def _make_case(file: Path, case: str, trial: Trial, method: str, seeds: list[int | None]) -> None:
    initial, final, mover, make = trial.build()
    for atoms in (initial, final):
        atoms.calc = make()
        relax(atoms, 0.01, 500)
        known_point = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces(apply_constraint=False)}
        atoms.calc = SinglePointCalculator(atoms, **known_point)
    base = initial.get_potential_energy()
    for seed in seeds:
        path = start_path(initial, final, trial.images, seed, trial.pair_potential)
        for kept, end in ((path[0], initial), (path[-1], final)):
            kept.calc = SinglePointCalculator(kept, **end.calc.results)
        begin, saddles, failed = time.process_time(), None, []
        if method == REFERENCE:
            calls, height, finished, saddles, failed = reference_band(initial, final, trial.between(), make, mover)
        elif method == OURS:
            calls, top, finished, saddles, failed = our_band(path, make, mover, trial.fmax)
            height = top - base
        elif method == "AutoNEB":
            calls, top, finished = auto_band(path, make, trial.fmax, from_ends=seed is None)
            height = top - base
        else:
            calls, top, finished = ase_band(method, path, make, trial.fmax)
            height = top - base
        row = {
            "case": case,
            "method": method,
            "seed": seed,
            "calls": calls,
            "barrier_eV": round(float(height), 4),
            "finished": finished,
            "saddles": saddles,
            "failed": failed,
            "cpu_s": round(time.process_time() - begin, 1),
            "ase": ase.__version__,
            "driver": fingerprint() if method in (REFERENCE, OURS) else None,
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(row) + "\n")
        print(row, flush=True)


def read(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def right(row: dict, reference: dict) -> bool:
    """Reported as finished, within 5 meV, and, where saddles are listed, all of them."""
    near = abs(row["barrier_eV"] - reference["barrier_eV"]) <= RIGHT_EV
    return bool(row["finished"] and near and row["saddles"] in (None, reference["saddles"]))


def table(rows: list[dict], trials: dict[str, Trial]) -> str:
    """Calls from the clean start / over the rattled ones, and the number right; `+` where stopped."""
    methods = [m for m in METHODS if any(r["method"] == m and r["case"] in trials for r in rows)]
    out = ["| case | reference, eV | saddles | " + " | ".join(methods) + " |", "|---" * (len(methods) + 3) + "|"]
    total = dict.fromkeys(methods, (0, 0))
    for case in trials:
        here = [r for r in rows if r["case"] == case]
        reference = next((r for r in here if r["method"] == REFERENCE), None)
        if reference is None:
            continue
        cells = []
        for method in methods:
            mine = [r for r in here if r["method"] == method]
            good = sum(right(r, reference) for r in mine)
            total[method] = (total[method][0] + good, total[method][1] + len(mine))
            cells.append(f"{_range(mine)}, {good}/{len(mine)}" if mine else "not run")
        out.append(f"| {case} | {reference['barrier_eV']:.4f} | {reference['saddles']} | " + " | ".join(cells) + " |")
    out.append("| right in all | | | " + " | ".join(f"{a}/{b}" for a, b in total.values()) + " |")
    return "\n".join(out)


def _range(rows: list[dict]) -> str:
    clean = [_calls(r) for r in rows if r["seed"] is None]
    rattled = sorted((r for r in rows if r["seed"] is not None), key=lambda r: (r["calls"], not r["finished"]))
    spread = dict.fromkeys([_calls(rattled[0]), _calls(rattled[-1])]) if rattled else ["-"]
    return f"{clean[0] if clean else '-'} / {'-'.join(spread)}"


def _calls(row: dict) -> str:
    return f"{row['calls']}{'' if row['finished'] else '+'}"


def origin(rows: list[dict]) -> str:
    """What the rows were made with."""
    ours = sorted({r["driver"] for r in rows if r["method"] == OURS})
    versions = sorted({r["ase"] for r in rows})
    return f"{len(rows)} bands; ASE {', '.join(versions)}; band driver {', '.join(ours)}."


def put(mark: str, text: str) -> None:
    """Replace what stands between two marks of the page."""
    head, rest = PAGE.read_text(encoding="utf-8").split(f"<!-- {mark} -->\n", 1)
    tail = rest.split(f"<!-- end of {mark} -->", 1)[1]
    PAGE.write_text(f"{head}<!-- {mark} -->\n\n{text}\n\n<!-- end of {mark} -->{tail}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Force calls of bands, ours beside ASE's.")
    parser.add_argument("--held-out", action="store_true", help="The cases that the driver was not tuned on.")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--rows", type=Path, default=ROWS, help="File of the rows (benchmarks/data/neb_rows.jsonl).")
    parser.add_argument("--write", action="store_true", help="Put the table into docs/neb_benchmark.md.")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    np.seterr(all="ignore")
    mark, trials = ("held out", HELD_OUT) if options.held_out else ("table", TRIALS)
    make_rows(options.rows, trials, options.methods)
    rows = [r for r in read(options.rows) if r["case"] in trials]
    text = f"{table(rows, trials)}\n\n{origin(rows)}"
    print(text)
    if options.write:
        put(mark, text)


if __name__ == "__main__":
    main()
