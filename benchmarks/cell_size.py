"""Barrier of the main hop against the size of the cell: ``python benchmarks/cell_size.py [--write]``."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from jobflow import run_locally
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.flows.migration import MigrationMaker

PAGE = Path(__file__).resolve().parent.parent / "docs" / "rigid_ion_benchmark.md"
HOSTS = ("cofe2o4", "life5o8")


def row(host_key: str, repeats: tuple[int, int, int]) -> str:
    engine, host = get_engine("local"), get_host(host_key)
    begin = time.process_time()
    bulk = engine.relax(host.structure(), name="bulk", cell=True)
    relaxed = run_locally(bulk, log=False, raise_immediately=True)[bulk.uuid][1].output
    flow = MigrationMaker(engine=engine, repeats=repeats).make(relaxed, host_key)
    last = next(j for j, _ in flow.iterflow() if j.name == "read migration")
    hop = run_locally(flow, log=False, raise_immediately=True)[last.uuid][1].output["migration"]
    seconds = time.process_time() - begin
    failed = ", ".join(c.name for c in hop.checks if c.passed is False)
    return (
        f"| {host.formula}, {hop.label} | {hop.cell_atoms} | {hop.forward_eV:.3f} | {hop.backward_eV:.3f} | "
        f"{f'no: {failed}' if failed else 'yes'} | {hop.force_calls} | {seconds:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="Put the table into docs/rigid_ion_benchmark.md.")
    parser.add_argument("--repeats", nargs="*", default=["1,1,1", "1,1,2", "1,2,2", "2,2,2", "3,3,3", "4,4,4"])
    options = parser.parse_args()
    table = [
        "| hop | atoms | forward (eV) | back (eV) | all checks passed | force calls | CPU s |",
        "|--|--:|--:|--:|--|--:|--:|",
    ]
    for host in HOSTS:
        for text in options.repeats:
            a, b, c = (int(n) for n in text.split(","))
            table.append(row(host, (a, b, c)))
            print(table[-1], flush=True)
    if options.write:
        head, rest = PAGE.read_text(encoding="utf-8").split("<!-- sizes -->\n", 1)
        tail = rest.split("<!-- end of sizes -->", 1)[1]
        PAGE.write_text(
            head + "<!-- sizes -->\n\n" + "\n".join(table) + "\n\n<!-- end of sizes -->" + tail, encoding="utf-8"
        )


if __name__ == "__main__":
    main()
