"""What the ranges of single-ion parameters do to axes and K1: ``python benchmarks/single_ions.py [--write]``."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from jobflow import run_locally
from magnetoionics.analysis.magnetism.anisotropy import (
    AnisotropyMap,
    cubic_constants,
    cubic_operations,
    summarise,
)
from magnetoionics.analysis.magnetism.unidirectional import axis_angle_deg
from magnetoionics.calculators.parameter_sources import SOURCES, ParameterSource
from magnetoionics.calculators.single_ions import SingleIonParameters
from magnetoionics.hpc.study_folder.study_run import run_study, study_under
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.engines.local import LocalEngine, single_ion_anisotropy
from magnetoionics.workflows.flows.anisotropy import AnisotropyMaker
from pymatgen.core import Structure

PAGE = Path(__file__).resolve().parent.parent / "docs" / "single_ions.md"
# The host whose map shows the ion, in its ordered cell.
HOSTS = {"cobalt": "cofe2o4", "ferrous": "fe3o4", "ferric": "life5o8"}
HEAD = (
    "| ion | parameter | mark | value | range | K1 (MJ/m³) | easy axis turns (°) | hop tilts easy axis by (°) |",
    "|-|-|-|-:|-:|-:|-:|-:|",
)


def relaxed(host_key: str) -> Structure:
    job = get_engine("local").relax(get_host(host_key).structure(), name="bulk", cell=True)
    return run_locally(job, log=False, raise_immediately=True)[job.uuid][1].output.structure


def ends_of_hop() -> list[Structure]:
    """Before and after the hop of CoFe2O4 in 55 atoms."""
    with tempfile.TemporaryDirectory() as folder:
        study = run_study("cofe2o4", quick=True, stages=["migration"], output=Path(folder) / "study")
        band = study_under(study, None)[1]["hop-1"]
    return [band.images[0].structure, band.images[-1].structure]


def mapped(cell: Structure, parameters: SingleIonParameters) -> AnisotropyMap:
    engine = LocalEngine(single_ions=parameters)
    directions = AnisotropyMaker(engine=engine, lebedev_order=13).directions()
    return single_ion_anisotropy.original(engine, cell, directions=directions, state="pristine")


def k1_and_axis(map_: AnisotropyMap) -> tuple[float, list[float]]:
    return cubic_constants(map_, average=True).K1_MJ_per_m3, summarise(map_).easy_axis


def turned_deg(first: list[float], second: list[float], cubic: bool) -> float:
    """Angle of two easy axes; in a cubic crystal of the nearest equivalent ones."""
    operations = cubic_operations() if cubic else [np.eye(3)]
    return min(axis_angle_deg(first, op @ np.array(second)) for op in operations)


def tilt_deg(ends: list[Structure], parameters: SingleIonParameters) -> float:
    first, second = (summarise(mapped(cell, parameters)).easy_axis for cell in ends)
    return axis_angle_deg(first, second)


def row(s: ParameterSource, cell: Structure, start: list[float], ends: list[Structure]) -> str:
    ion = getattr(SingleIonParameters(), s.ion)
    both = [SingleIonParameters(**{s.ion: replace(ion, **{s.name: value})}) for value in (s.low, s.high)]
    found = [k1_and_axis(mapped(cell, p)) for p in both]
    turn = max(turned_deg(f[1], start, s.ion == "ferric") for f in found)
    tilts = [f"{tilt_deg(ends, p):.1f}" for p in both] if s.ion == "cobalt" else []
    return (
        f"| {s.ion} | `{s.name}` | {s.mark} | {getattr(ion, s.name):g} | {s.low:g} to {s.high:g} | "
        f"{found[0][0]:.3f} to {found[1][0]:.3f} | {turn:.1f} | {' to '.join(tilts)} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="Put the table into docs/single_ions.md.")
    options = parser.parse_args()
    cells = {ion: relaxed(host) for ion, host in HOSTS.items()}
    ends = ends_of_hop()
    start = {ion: k1_and_axis(mapped(cell, SingleIonParameters())) for ion, cell in cells.items()}
    table = list(HEAD)
    for s in SOURCES:
        table.append(row(s, cells[s.ion], start[s.ion][1], ends))
        print(table[-1], flush=True)
    listed = [
        f"{get_host(HOSTS[ion]).formula} {start[ion][0]:.3f} MJ/m³, easy axis "
        f"({', '.join(f'{round(x, 2) + 0.0:.2f}' for x in start[ion][1])})"
        for ion in HOSTS
    ]
    first = f"{'; '.join(listed)}; the hop tilts the easy axis by {tilt_deg(ends, SingleIonParameters()):.1f}°"
    print(first)
    if options.write:
        head, rest = PAGE.read_text(encoding="utf-8").split("<!-- table -->\n", 1)
        tail = rest.split("<!-- end of table -->", 1)[1]
        body = f"With the values as stated: {first}.\n\n" + "\n".join(table)
        PAGE.write_text(f"{head}<!-- table -->\n\n{body}\n\n<!-- end of table -->{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
