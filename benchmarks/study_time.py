"""What a study costs: CPU time by what it goes into, peak memory, wall time and force calls by stage, as Markdown.

Run ``python benchmarks/study_time.py [--quick] [--host HOST]``; without ``--quick`` both sizes are measured. Each study
is computed from nothing in a temporary folder by a Python of its own, imports included, after one that compiles what
is compiled once. A timer of CPU time interrupts it 250 times a second of CPU time, and the CPU time since the last
interruption is counted to what the interrupted code was doing. ``report`` is `magnetoionics report` of the study just
finished, ``help`` is ``magnetoionics --help``.
Force calls are those that the jobs record; the relaxations of the reference oxides are not counted by the engine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any

SIZES = ("quick", "full")
GOALS_s = {"quick": 6.0, "full": 12.0, "report": 2.0, "help": 0.1}
INTERVAL_s = 0.004
PHYSICS = "physics"
_ROOT = str(Path(__file__).resolve().parents[1])
# What a frame's file says of the whole stack, wherever it stands in it: physics for a figure is the figure's.
_WHOLE = {
    "imports, compiled code loaded": ("<frozen importlib", "/numba/"),
    "figures": ("/matplotlib/", f"{_ROOT}/analysis/plots/", f"{_ROOT}/analysis/results/figures.py"),
    "report": (f"{_ROOT}/analysis/report/",),
}
# The innermost frame of one of these decides otherwise.
_INNERMOST = {
    "store, documents, JSON": (
        *("/json/", "/monty/", "/pydantic/", "/jobflow/", "/maggma/", "/copy.py", "/networkx/"),
        *(f"{_ROOT}/{room}/" for room in ("hpc", "stored")),
        f"{_ROOT}/structures/io/",
    ),
    PHYSICS: (
        *(f"{_ROOT}/{room}/" for room in ("calculators", "analysis", "structures", "workflows")),
        "/ase/",
        "/spglib/",
    ),
}
_OTHER = "other"
# As a user's Python does, the first study leaves our modules compiled for the next.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def purpose(files: list[str]) -> str:
    """What a stack is for, from the files of its frames, the innermost first."""
    for what, parts in _WHOLE.items():
        if any(part in file for file in files for part in parts):
            return what
    for file in files:
        for what, parts in _INNERMOST.items():
            if any(part in file for part in parts):
                return what
    return _OTHER


def measure_here(host: str, size: str) -> dict[str, Any]:
    """Compute one study in this process and say what it cost."""
    counted: dict[str, float] = defaultdict(float)
    last_s = time.process_time()

    def sample(_: int, frame: FrameType | None) -> None:
        # A compiled routine that runs for many intervals is interrupted once, when it returns: time is what counts.
        nonlocal last_s
        now_s = time.process_time()
        files = []
        while frame is not None:
            files.append(frame.f_code.co_filename)
            frame = frame.f_back
        counted[purpose(files[:-1])] += now_s - last_s
        last_s = now_s

    signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_s, INTERVAL_s)
    try:
        from magnetoionics.hpc.study_folder.study_run import run_study
        from rich.console import Console

        with tempfile.TemporaryDirectory() as scratch:
            began = time.process_time()
            folder = run_study(host, quick=size == "quick", output=Path(scratch) / "study", console=Console(quiet=True))
            signal.setitimer(signal.ITIMER_PROF, 0)
            usage = resource.getrusage(resource.RUSAGE_SELF)
            results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
            again = cpu_s("report", str(folder))
            return {
                "seconds": results["timings"],
                "calls": force_calls(folder),
                "atoms": results["migration"][0]["cell_atoms"],
                "cpu_s": usage.ru_utime + usage.ru_stime,
                "start_s": began,
                "memory_MB": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6,
                "counted": counted,
                "report_s": again,
            }
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def cpu_s(*words: str) -> float:
    """CPU seconds of one command of the package, in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "magnetoionics", *words], check=True, capture_output=True, env=_ENVIRONMENT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(host: str, size: str) -> dict[str, Any]:
    """As `measure_here`, in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--host", host, "--only", size],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=_ENVIRONMENT,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def force_calls(folder: Path) -> dict[str, int]:
    """Energy-and-force evaluations by stage, from the outputs that hold such a number."""
    from magnetoionics.hpc.local.store import open_store

    store: Any = open_store(folder)
    calls: dict[str, int] = {}
    for document in store.query({}, properties=["output", "metadata"], load=True):
        output = document.get("output")
        if isinstance(output, dict) and "force_calls" in output:
            stage = (document.get("metadata") or {}).get("stage", "other")
            calls[stage] = calls.get(stage, 0) + int(output["force_calls"])
    store.close()
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


def loop_s() -> float:
    """CPU seconds of a fixed piece of plain Python, by which a loaded machine is told from a quiet one."""
    began = time.process_time()
    total, names = 0, {}
    for i in range(1_000_000):
        total += i * i % 7
    for i in range(200_000):
        names[str(i)] = i
    return time.process_time() - began


def of_goal(name: str, value: float) -> str:
    """A number of CPU seconds beside its goal."""
    return f"{value:.2f} (goal {GOALS_s[name]:g})"


def cost_table(measured: dict[str, dict[str, Any]]) -> str:
    """CPU time of each size, where it goes, and peak memory."""
    kinds = [PHYSICS, *_WHOLE, *(k for k in _INNERMOST if k != PHYSICS), _OTHER]
    rows = [["CPU time (s)", *(of_goal(size, one["cpu_s"]) for size, one in measured.items())]]
    for kind in kinds:
        shares = [100 * one["counted"].get(kind, 0) / sum(one["counted"].values()) for one in measured.values()]
        rows.append([f"{kind} (%{', goal 60' if kind == PHYSICS else ''})", *(f"{share:.0f}" for share in shares)])
    rows.append(["`report` again (s)", *(of_goal("report", one["report_s"]) for one in measured.values())])
    rows.append(["peak memory (MB)", *(f"{one['memory_MB']:.0f}" for one in measured.values())])
    return markdown([["", *measured], ["-", *["-:"] * len(measured)], *rows])


def stage_table(measured: dict[str, dict[str, Any]]) -> str:
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
    return markdown([head, ["-", *["-:"] * (len(head) - 1)], *rows])


def markdown(lines: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what a study costs.")
    parser.add_argument("--quick", action="store_true", help="only the small cells")
    parser.add_argument("--host", default="cofe2o4", help="host material")
    parser.add_argument("--only", choices=SIZES, help="one size, in this process, as JSON")
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure_here(options.host, options.only)))
        return
    sizes = SIZES[:1] if options.quick else SIZES
    load = f"load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else "load unknown"
    measure(options.host, "quick")
    loops = [loop_s()]
    measured = {}
    for size in sizes:
        measured[size] = measure(options.host, size)
        loops.append(loop_s())
    helped = min(cpu_s("--help") for _ in range(5))
    print(f"{options.host}; {machine()}; {load}; a loop of plain Python {sum(loops) / len(loops):.3f} s\n")
    print(f"{cost_table(measured)}\n\n`--help`: {of_goal('help', helped)} CPU s\n\n{stage_table(measured)}")


if __name__ == "__main__":
    main()
