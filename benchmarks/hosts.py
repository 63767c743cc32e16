"""Every built-in host with every engine: structures, hops, and ``run --quick`` with its result and time.

    python benchmarks/hosts.py [HOST ...] [--engine local] [--limit 600] [--budget 3600]   # runs what is missing
    python benchmarks/hosts.py --campaign FOLDER                           # takes what a campaign computed there
    python benchmarks/hosts.py --write                                     # docs/hosts.md from what is kept

Each cell of the table is kept in benchmarks/data/hosts.json as soon as it ends, so that a run that was stopped goes on
where it was. Cells that are kept are run again with --again, those that ran out of time with a longer --limit.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

from magnetoionics.analysis.study.validity import failures
from magnetoionics.hpc.campaigns.here import kept_outcomes
from magnetoionics.hpc.study_folder.files import read_study
from magnetoionics.structures.defects.inventory import take_inventory
from magnetoionics.structures.host import get_host, host_keys
from magnetoionics.workflows.engine import CannotDoError, UnknownEngineError, get_engine

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "benchmarks" / "data" / "hosts.json"
PAGE = ROOT / "docs" / "hosts.md"
_RUN = "import sys; from magnetoionics.hpc.cli import main; sys.exit(main(sys.argv[1:]))"


LEAST_S = 60.0
_TOO_LONG = "more than "
ORDER = ("local", "softbv", "sevennet", "chgnet", "diep", "gpaw", "vasp")
_KNOWN = [
    "Known values beside those of `local`: oxygen in rutile about 0.7 eV; Li in LiFePO4 about 0.27 eV by DFT, where",
    "rigid ions with partial charges have next to no barrier: take an engine with electrons there (`sevennet` has 0.26",
    "eV in the cell of [the published hops](ml_benchmarks.md)). `softbv` is a quick look: see [limits](limits.md).",
]


def structures_of(key: str) -> dict[str, Any]:
    """Distinct vacancies and hops of a host, and the seconds that it took to list them."""
    begin = time.perf_counter()
    found = take_inventory(get_host(key), image_distance_A=7.0)
    return {
        "atoms": len(found.cell),
        "vacancies": len(found.vacancies),
        "hops": len(found.hops),
        "seconds": time.perf_counter() - begin,
    }


def quick_run(key: str, engine: str, limit_s: float) -> dict[str, Any]:
    """What ``run HOST --quick --engine ENGINE`` gives: main hop's barriers, or the sentence that says why not."""
    try:
        get_engine(engine).check(get_host(key).structure())
    except (CannotDoError, UnknownEngineError) as error:
        return {"result": "cannot", "reason": " ".join(str(error).split())}
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        command = ["run", key, "--quick", "--engine", engine, "--output", f"{folder}/study"]
        try:
            done = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", _RUN, *command],
                capture_output=True,
                text=True,
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {
                "result": "not finished",
                "reason": f"more than {limit_s:g} s on a busy machine",
                "limit_s": limit_s,
            }
        out: dict[str, Any] = {"seconds": time.perf_counter() - begin, "exit_code": done.returncode}
        results = Path(folder) / "study" / "results.json"
        if not results.exists():
            return {**out, "result": "refused", "reason": " ".join(done.stderr.split())[-400:]}
        study = json.loads(results.read_text())
    out["result"] = "a study" if done.returncode == 0 else "a study, parts of it no result"
    return out | _hop(study)


def _hop(study: dict[str, Any]) -> dict[str, Any]:
    hop = next(iter(study["migration"]), None)
    if hop is None:
        return {}
    good = not any(c["passed"] is False and c["invalidates"] for c in hop["checks"])
    return {"hop": hop["label"], "forward_eV": hop["forward_eV"] if good else None}


def of_campaign(folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """What `magnetoionics campaign --here FOLDER` has computed or been refused so far, by host and engine."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    outcomes = kept_outcomes(folder)
    for name in sorted({*outcomes, *(p.name for p in folder.iterdir() if p.is_dir())}):
        key, engine = name.split("-")[0], name.split("-")[-1]
        cell = _of_outcome(folder / name / "results.json", str(outcomes.get(name, {}).get("said", "")))
        if cell:
            found.setdefault(key, {})[engine] = cell
    return found


def _of_outcome(results: Path, said: str) -> dict[str, Any]:
    """One cell of the table; empty where nothing is known yet."""
    kind, _, reason = said.partition(": ")
    if kind == "refused":
        return {"result": "cannot", "reason": reason}
    if results.is_file():
        study = json.loads(results.read_text())
        result = "a study, parts of it no result" if failures(read_study(results.parent)) else "a study"
        return {"result": result, "seconds": study["timings"]["total"], **_hop(study)}
    if reason.startswith(_TOO_LONG):
        limit_s = float(reason.removeprefix(_TOO_LONG).removesuffix(" s"))
        return {"result": "not finished", "reason": f"{reason} on a busy machine", "limit_s": limit_s}
    return {"result": kind, "reason": reason} if kind else {}


def to_run(found: dict[str, Any] | None, limit_s: float, again: bool) -> bool:
    """Whether a cell of the table is missing, or ended for want of time and has more now."""
    if found is None or again:
        return True
    return found["result"] == "not finished" and limit_s > found.get("limit_s", limit_s)


def run_cells(kept: dict[str, Any], hosts: list[str], asked: argparse.Namespace) -> None:
    """Compute cells, host by host, until the budget is spent; each is kept as it ends."""
    end = time.monotonic() + asked.budget
    for engine in asked.engine or ["local"]:
        for key in hosts:
            row = kept.setdefault(key, {"engines": {}})
            row.setdefault("structures", structures_of(key))
            limit = min(asked.limit, end - time.monotonic())
            if not to_run(row["engines"].get(engine), limit, asked.again):
                continue
            # What has no time left for a study is not run, which is not the same as a study that took too long.
            if limit < min(asked.limit, LEAST_S):
                print(f"budget spent before {key} by {engine}", flush=True)
                return
            row["engines"][engine] = quick_run(key, engine, limit)
            print(key, engine, row["engines"][engine], flush=True)
            KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def page(kept: dict[str, Any]) -> str:
    """The table as Markdown."""
    found = {engine for rows in kept.values() for engine in rows.get("engines", {})}
    engines = sorted(found, key=lambda e: (ORDER.index(e) if e in ORDER else len(ORDER), e))
    head = "| host | cell | distinct vacancies | distinct hops | " + " | ".join(f"`{e}`" for e in engines) + " |"
    lines = [
        "# Hosts and engines",
        "",
        "Made by `python benchmarks/hosts.py`: each built-in host, what its cell offers, and what `run HOST --quick`",
        "gives with each engine: the barrier of its first hop (eV) and the time, or why not. Times are those of a busy",
        "machine; where a check of the band fails, no barrier is shown. `magnetoionics hosts` says what is measured.",
        "",
        head,
        "|" + "-|" * (4 + len(engines)),
    ]
    notes: list[str] = []
    for key in sorted(kept):
        row = kept[key]
        host = get_host(key)
        cells = [_of_engine(row.get("engines", {}).get(engine), notes) for engine in engines]
        found = row["structures"]
        lines.append(
            f"| `{key}`, {host.formula} | {found['atoms']} atoms | {found['vacancies']} | {found['hops']} | "
            + " | ".join(cells)
            + " |"
        )
    lines += ["", *_KNOWN]
    lines += ["", "Why not:", "", *(f"{n}. {note}" for n, note in enumerate(notes, start=1)), ""]
    return "\n".join(lines)


def _of_engine(found: dict[str, Any] | None, notes: list[str]) -> str:
    if found is None:
        return "not run"
    reason = found.get("reason", "")
    if reason:
        plain = reason.replace("|", "/")
        if plain not in notes:
            notes.append(plain)
        return f"{found['result']} ({notes.index(plain) + 1})"
    barrier = found.get("forward_eV")
    words = f"{barrier:.2f} eV" if barrier is not None else found["result"]
    return f"{words}, {found['seconds']:.0f} s"


def main() -> None:
    """Run what is asked for, keep it, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hosts", nargs="*", default=[])
    parser.add_argument("--engine", action="append", default=[])
    parser.add_argument("--limit", type=float, default=600.0, help="seconds per run")
    parser.add_argument("--budget", type=float, default=float("inf"), help="seconds of all runs together")
    parser.add_argument("--again", action="store_true", help="also what is kept")
    parser.add_argument("--campaign", type=Path, help="folder of a campaign whose results are taken")
    parser.add_argument("--write", action="store_true", help="only write the page")
    asked = parser.parse_args()
    warnings.filterwarnings("ignore")
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    if asked.campaign is not None:
        for key, engines in of_campaign(asked.campaign).items():
            row = kept.setdefault(key, {"engines": {}})
            row.setdefault("structures", structures_of(key))
            row["engines"] |= engines
        KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    if not asked.write and asked.campaign is None:
        run_cells(kept, asked.hosts or host_keys(), asked)
    PAGE.write_text(page(kept))


if __name__ == "__main__":
    main()
