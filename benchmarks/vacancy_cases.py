"""Neutral oxygen vacancies of magnetic oxides by the installed ML engines, beside published PBE+U differences.

Run ``OMP_NUM_THREADS=1 python benchmarks/vacancy_cases.py [--engines sevennet chgnet ...]``. The published values are
in ``vacancies/`` of the public data beside the checkout; their oxygen reference is not stated, so energies are compared
after the mean over the materials is taken off. Rows go to `benchmarks/data/vacancy_cases.jsonl`; the command
``neb_cases.py --write`` puts the table into docs/ml_benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.filters import UnitCellFilter
from ase.optimize import LBFGS
from ase.spacegroup import crystal
from magnetoionics.workflows.ase.ml_engine import MLEngine
from magnetoionics.workflows.engine import get_engine
from neb_cases import DATA, ROOT, read, versions

ROWS = ROOT / "benchmarks" / "data" / "vacancy_cases.jsonl"
PUBLISHED = DATA.parent / "vacancies" / "neutral_V_O.json"
FMAX_eV_per_A, MOST_STEPS = 0.03, 150


def rock_salt(metal: str, a: float) -> Atoms:
    cell = crystal([metal, "O"], [(0, 0, 0), (0.5, 0.5, 0.5)], spacegroup=225, cellpar=[a, a, a, 90, 90, 90])
    return cell.repeat(2)


def hematite() -> Atoms:
    sites, size = [(0, 0, 0.3553), (0.306, 0, 0.25)], [5.038, 5.038, 13.772, 90, 90, 120]
    return crystal(["Fe", "O"], sites, spacegroup=167, cellpar=size).repeat((2, 2, 1))


def perovskite() -> Atoms:
    sites = [(0.5, 0.5, 0.5), (0, 0, 0), (0.5, 0, 0)]
    return crystal(["Sr", "Fe", "O"], sites, spacegroup=221, cellpar=[3.851] * 3 + [90] * 3).repeat(2)


def spinel() -> Atoms:
    sites = [(1 / 8, 1 / 8, 1 / 8), (0.5, 0.5, 0.5), (0.26, 0.26, 0.26)]
    cell = crystal(["Fe", "Fe", "O"], sites, spacegroup=227, cellpar=[8.397] * 3 + [90] * 3, setting=2)
    return cell


# Measured lattices; one distinct oxygen each.
CASES: dict[str, Callable[[], Atoms]] = {
    "NiO": lambda: rock_salt("Ni", 4.177),
    "MnO": lambda: rock_salt("Mn", 4.445),
    "CoO": lambda: rock_salt("Co", 4.260),
    "SrFeO3": perovskite,
    "Fe3O4": spinel,
    "Fe2O3": hematite,
}


def published_eV() -> dict[str, float]:
    """Lowest vacancy of each material, mean over its polymorphs in the file."""
    rows = json.loads(PUBLISHED.read_text(encoding="utf-8"))["rows"]
    values = {name: [min(found) for material, _, found, _ in rows if material == name] for name in CASES}
    return {name: float(np.mean(found)) for name, found in values.items()}


def compute(name: str, engine_name: str) -> dict:
    engine = get_engine(engine_name)
    assert isinstance(engine, MLEngine)
    begin, cell = time.process_time(), CASES[name]()
    with engine.quiet():
        cell.calc = engine.bare_calculator()
        forces = [settle(UnitCellFilter(cell, hydrostatic_strain=True), cell)]
        defect = cell.copy()
        del defect[next(a.index for a in defect if a.symbol == "O")]
        # Off the symmetric place, which may be a saddle.
        defect.rattle(0.02, seed=1)
        defect.calc = engine.bare_calculator()
        forces.append(settle(defect, defect))
        removal = float(defect.get_potential_energy() - cell.get_potential_energy())
    return {
        "case": name,
        "engine": engine_name,
        "atoms": len(cell),
        "removal_eV": round(removal, 4),
        "lattice_share": round(float((cell.get_volume() / CASES[name]().get_volume()) ** (1 / 3)), 4),
        "largest_force_eV_per_A": round(max(forces), 3),
        "relaxed": max(forces) <= FMAX_eV_per_A,
        "versions": versions(engine.package),
        "cpu_s": round(time.process_time() - begin, 1),
    }


def settle(target: Atoms | UnitCellFilter, atoms: Atoms) -> float:
    """Relax; largest force left, eV/A."""
    LBFGS(target, logfile=None, maxstep=0.1).run(fmax=FMAX_eV_per_A, steps=MOST_STEPS)
    return float(np.linalg.norm(atoms.get_forces(), axis=1).max())


def table() -> str:
    """Differences from the mean over the materials, eV."""
    rows, right = [r for r in read(ROWS) if r["relaxed"]], published_eV()
    engines = list(dict.fromkeys(r["engine"] for r in rows))
    out = ["| material | PBE+U | " + " | ".join(engines) + " |", "|-|" + "-:|" * (len(engines) + 1)]
    common = [n for n in CASES if all(any(r["case"] == n and r["engine"] == e for r in rows) for e in engines)]
    columns = {"": np.array([right[n] for n in common])}
    for engine in engines:
        found = {r["case"]: r["removal_eV"] for r in rows if r["engine"] == engine}
        columns[engine] = np.array([found[n] for n in common])
    columns = {k: v - v.mean() for k, v in columns.items()}
    for i, name in enumerate(common):
        out.append(f"| {name} | " + " | ".join(f"{v[i]:+.2f}" for v in columns.values()) + " |")
    errors = [f"{np.abs(v - columns['']).mean():.2f}" for k, v in columns.items() if k]
    out.append("| mean error of a difference from the mean | | " + " | ".join(errors) + " |")
    return "\n".join(out)


def main() -> None:
    parser = argparse.ArgumentParser(description="Oxygen vacancies by the installed ML engines.")
    parser.add_argument("--engines", nargs="+", default=["sevennet", "chgnet"])
    parser.add_argument("--rows", type=Path, default=ROWS)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    done = {(r["case"], r["engine"]) for r in read(options.rows)}
    for name in CASES:
        for engine in options.engines:
            if (name, engine) in done:
                continue
            row = compute(name, engine)
            options.rows.parent.mkdir(parents=True, exist_ok=True)
            with options.rows.open("a", encoding="utf-8") as handle:
                handle.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
