"""How long a study takes: wall seconds and force calls by stage, as Markdown.

Run ``python benchmarks/study_time.py [--quick] [--host HOST]``; without ``--quick`` both sizes are timed. Each study
is computed from nothing in a temporary folder. Force calls are those that the jobs record; the relaxations of the
reference oxides are not counted by the engine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from magnetoionics.hpc.local.store import open_store
from magnetoionics.hpc.study_folder.study_run import run_study
from rich.console import Console

SIZES = {"quick": True, "full": False}


def time_study(host: str, *, quick: bool) -> dict[str, Any]:
    """Timings (s) and force calls by stage, and atoms in the band's cell."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = run_study(host, quick=quick, output=Path(scratch) / "study", console=Console(quiet=True))
        results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        store = open_store(folder)
        calls = force_calls(store)
        store.close()
    return {"seconds": results["timings"], "calls": calls, "atoms": results["migration"][0]["cell_atoms"]}


def force_calls(store: Any) -> dict[str, int]:
    """Energy-and-force evaluations by stage, from the outputs that hold such a number."""
    calls: dict[str, int] = {}
    for document in store.query({}, properties=["output", "metadata"], load=True):
        output = document.get("output")
        if isinstance(output, dict) and "force_calls" in output:
            stage = (document.get("metadata") or {}).get("stage", "other")
            calls[stage] = calls.get(stage, 0) + int(output["force_calls"])
    return calls


def machine() -> str:
    """What the numbers were taken on, in one line."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    packages = ", ".join(f"{p} {version(p)}" for p in ("magnetoionics", "numpy", "scipy"))
    return (
        f"{platform.system()} {platform.machine()}, {usable} cores, Python {platform.python_version()}, "
        f"{packages}, OMP_NUM_THREADS {threads}"
    )


def table(measured: dict[str, dict[str, Any]]) -> str:
    """Stages as rows; wall seconds and force calls of each size as columns."""
    head = ["stage"]
    for size, one in measured.items():
        head += [f"{size}, {one['atoms']} atoms (s)", f"{size}, force calls"]
    stages = list(dict.fromkeys(s for one in measured.values() for s in one["seconds"]))
    rows = []
    for stage in stages:
        row = [stage]
        for one in measured.values():
            counted = sum(one["calls"].values()) if stage == "total" else one["calls"].get(stage)
            row += [f"{one['seconds'].get(stage, 0.0):.2f}", "–" if counted is None else str(counted)]
        rows.append(row)
    lines = [head, ["-", *["-:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time a study by stage.")
    parser.add_argument("--quick", action="store_true", help="only the small cells")
    parser.add_argument("--host", default="cofe2o4", help="host material")
    options = parser.parse_args()
    sizes = ["quick"] if options.quick else list(SIZES)
    load = f"load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else "load unknown"
    measured = {size: time_study(options.host, quick=SIZES[size]) for size in sizes}
    print(f"{options.host}; {machine()}; {load}\n\n{table(measured)}")


if __name__ == "__main__":
    main()
