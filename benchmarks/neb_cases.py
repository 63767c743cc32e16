"""Twelve published migration barriers by the installed machine-learned engines.

Run ``OMP_NUM_THREADS=1 python benchmarks/neb_cases.py [--engines sevennet chgnet ...] [--write]``. The cases lie in
``neb_cases/`` of the public data beside the checkout (``MAGNETOIONICS_REAL``, else ``../shared/real``). Each band is a
line of `benchmarks/data/neb_cases.jsonl` as soon as it ends, and a second run makes only what is missing; ``--write``
computes nothing and puts the tables into docs/ml_benchmarks.md, those of `vacancy_cases.py` too. An engine's weights
follow a colon: ``chgnet:r2scan``.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
from ase.io import read as read_frames
from magnetoionics.workflows.band.driver import BandSettings, CallCounter
from magnetoionics.workflows.band.surrogate import SurrogateBandDriver
from magnetoionics.workflows.engine import get_engine

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("MAGNETOIONICS_REAL", ROOT.parent / "shared" / "real")) / "neb_cases"
ROWS, PAGE = ROOT / "benchmarks" / "data" / "neb_cases.jsonl", ROOT / "docs" / "ml_benchmarks.md"
ENGINES = ("sevennet", "chgnet", "diep")
SETTINGS = BandSettings(fmax_eV_per_A=0.05, relax_fmax_eV_per_A=0.02, max_steps=120, end_steps=300)
MOST_CALLS, SMALL = 700, 75
SPINELS = "SPINEL"
# What the cases' source found for MACE-MP-0 over its 40 spinels, eV: mean and median absolute error of max - min.
PEER_eV = (0.315, 0.170)


def cases() -> list[dict]:
    """The published cases, spinels in small cells first."""
    found: list[dict] = json.loads((DATA / "cases.json").read_text(encoding="utf-8"))
    return sorted(found, key=lambda c: (c["atoms"] > SMALL, c["crystal_class"] != SPINELS, c["atoms"]))


class Budget(CallCounter):
    """Counts force calls, and ends the band when too many are spent."""

    def attach(self, calculator, where=""):
        counted = super().attach(calculator, where)
        calculate = counted.calculate

        def limited(*args, **kwargs):
            if self.calls >= MOST_CALLS:
                raise RuntimeError(f"{MOST_CALLS} force calls spent in {where or 'the search'}")
            calculate(*args, **kwargs)

        counted.calculate = limited
        return counted


def compute(case: dict, name: str) -> dict:
    """One band: what it gives and what it cost."""
    engine_name, _, weights = name.partition(":")
    engine = get_engine(engine_name, **({"weights": weights} if weights else {}))
    initial, final = read_frames(DATA / f"{case['name']}.extxyz", index=":")
    begin, row = time.process_time(), {"case": case["name"], "engine": name, "versions": versions(engine.package)}
    with engine.quiet():
        driver = SurrogateBandDriver(engine.bare_calculator, SETTINGS)
        driver.counter = Budget()
        try:
            result = driver.run(initial, final, [], case["mover"])
        except Exception as error:
            return row | {"failed": [str(error)], "calls": driver.counter.calls, "cpu_s": spent(begin)}
    energies = np.array([p.energy for p in result.points])
    return row | {
        "max_minus_min_eV": round(float(np.ptp(energies)), 4),
        "forward_eV": round(float(energies.max() - energies[0]), 4),
        "reverse_eV": round(float(energies.max() - energies[-1]), 4),
        "kinds": [p.kind for p in result.points],
        "energies_eV": [round(float(e - energies[0]), 4) for e in energies],
        "calls": result.force_calls,
        "end_calls": driver.end_calls,
        "failed": [f"{c.name}: {c.value:.3g} {c.unit}" for c in result.checks if c.passed is False],
        "notes": result.notes,
        "cpu_s": spent(begin),
    }


def spent(begin: float) -> float:
    return round(time.process_time() - begin, 1)


def versions(package: str) -> dict[str, str]:
    return {p: version(p) for p in ("ase", "torch", package)}


def read(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def make_rows(file: Path, engines: list[str], names: list[str] | None) -> None:
    """Compute every band that the file lacks, and append it."""
    done = {(r["case"], r["engine"]) for r in read(file)}
    for case in cases():
        for name in engines:
            if (case["name"], name) in done or (names and case["name"] not in names):
                continue
            row = compute(case, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8") as handle:
                handle.write(json.dumps(row) + "\n")
            print(json.dumps({k: v for k, v in row.items() if k != "notes"}), flush=True)


def table(rows: list[dict]) -> str:
    """Height of each path, forward barrier and force calls by engine; errors over the hops that all of them reached."""
    engines = list(dict.fromkeys(r["engine"] for r in rows))
    head = ["hop", "atoms", "published", "MACE-MP-0", *engines]
    out = ["| " + " | ".join(head) + " |", "|-|-:|-:|-:|" + "-|" * len(engines)]
    for case in cases():
        cells = [_cell(rows, case["name"], engine) for engine in engines]
        if any(cells):
            said = [f"{case['ion']} in {case['name'].split('_')[0]}", str(case["atoms"])]
            said += [f"{case['barrier_eV']:.2f}", f"{case['mace_mp0_relaxed_eV']:.2f}"]
            out.append("| " + " | ".join([*said, *(cell or "not run" for cell in cells)]) + " |")
    for engine in engines:
        out.append(f"\n{errors(rows, engine)}")
    return "\n".join(out)


def _cell(rows: list[dict], case: str, engine: str) -> str:
    row = next((r for r in rows if (r["case"], r["engine"]) == (case, engine)), None)
    if row is None:
        return ""
    if "max_minus_min_eV" not in row:
        return f"no path after {row['calls']} calls"
    if row["failed"]:
        return f"no result after {row['calls']} calls: {row['failed'][0].partition(':')[0]}"
    return f"{row['max_minus_min_eV']:.2f} ({row['forward_eV']:.2f}), {row['calls']}"


def errors(rows: list[dict], engine: str) -> str:
    """Mean and median error of one engine on the hops that it reached, and MACE-MP-0's on the same."""
    reached = {r["case"]: r["max_minus_min_eV"] for r in rows if r["engine"] == engine and r.get("failed") == []}
    mine = [(c, abs(reached[c["name"]] - c["barrier_eV"])) for c in cases() if c["name"] in reached]
    if not mine:
        return f"{engine}: no hop reached with every check."
    other = [abs(c["mace_mp0_relaxed_eV"] - c["barrier_eV"]) for c, _ in mine]
    found = [error for _, error in mine]
    return (
        f"{engine}: mean and median error {np.mean(found):.3f} and {np.median(found):.3f} eV on {len(mine)} hops; "
        f"MACE-MP-0 on the same {np.mean(other):.3f} and {np.median(other):.3f} eV."
    )


def write_page(parts: dict[str, str]) -> None:
    """Put texts between their marks."""
    page = PAGE.read_text(encoding="utf-8")
    for mark, text in parts.items():
        head, rest = page.split(f"<!-- {mark} -->\n", 1)
        page = f"{head}<!-- {mark} -->\n\n{text}\n\n<!-- end of {mark} -->{rest.split(f'<!-- end of {mark} -->', 1)[1]}"
    PAGE.write_text(page, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Published barriers by the installed ML engines.")
    parser.add_argument("--engines", nargs="+", default=list(ENGINES))
    parser.add_argument("--cases", nargs="+", default=None)
    parser.add_argument("--rows", type=Path, default=ROWS)
    parser.add_argument("--write", action="store_true", help="Put the kept rows into docs/ml_benchmarks.md.")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    if options.write:
        import vacancy_cases

        write_page({"hops": table(read(options.rows)), "vacancies": vacancy_cases.table()})
        return
    make_rows(options.rows, options.engines, options.cases)


if __name__ == "__main__":
    main()
