"""Tracer diffusion in finished studies beside published rows, engine by engine.

Run: python benchmarks/diffusion_rows.py STUDY... [--figure rows.png] [--kept] [--keep] [--rows FILE.json]

The rows are read from spinels.json in the folder ``diffusion`` of MAGNETOIONICS_REAL, or from another file that the
command diffusion reads. Those of x = 0.2 stand nearest to CoFe2O4 (x = 1/3). Prints rms distance, slopes at the highest
and lowest activities, the minimum, and
activation energies. With --kept the engines whose vacancies and barriers lie in data/ are rows too: the formation
energy goes on from the oxygen-rich edge with the slope between the edges, and each says which share of empty sites,
frozen in, would give iron in films of Fe3O4 (10.1103/PhysRevResearch.2.023406); and so are whole studies with
interstitials, whose D stands in benchmarks/data/diffusion_studies.json, where --keep writes those that are given.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from magnetoionics.analysis.audit.known_values import better_calculations
from magnetoionics.analysis.kinetics.hop_set import HopSet
from magnetoionics.analysis.kinetics.network import HopNetwork
from magnetoionics.analysis.plots.tracer_rows import plot_rows
from magnetoionics.analysis.study.documents import Study
from magnetoionics.analysis.study.measured_diffusion import measured_for
from magnetoionics.analysis.study.tracer_rows import RowsBeside, TracerRows, beside_rows, two_branches
from magnetoionics.analysis.study.transport import Transport
from magnetoionics.analysis.thermodynamics.oxygen_gas import delta_mu_O_eV
from magnetoionics.hpc.measurements.tracer_file import read_tracer_rows
from magnetoionics.hpc.study_folder.files import read_study
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K

STUDIES = Path(__file__).parent / "data" / "diffusion_studies.json"
# D of Fe in films of Fe3O4 between 470 and 770 K, cm2/s, at the middle.
FILMS_K, FILMS_LOG10_D = 620.0, -16.0


def rows(path: Path | None = None) -> list[TracerRows]:
    """Every group of measured rows of a file."""
    return read_tracer_rows(path or Path(os.environ["MAGNETOIONICS_REAL"]) / "diffusion" / "spinels.json")


# Oxygen-rich edge of the window: from measured enthalpies, and of GPAW's own phases.
RICH_EDGE_eV = {"gpaw": -1.32}
MEASURED_EDGE_eV = -1.25
# Oxygen per vacancy from one edge to the other: Fe2O3 bounds Fe at both, Co3O4 and CoO bound Co.
SLOPE = {"V_Fe(B)": 1.5, "V_Co(B)": 1.0}
# f d2 nu: exact f of the octahedral sites, six neighbours at 2.97 A, 1e13 Hz; cm2/s.
PREFACTOR = math.log10(0.5549 * 2.97e-8**2 * 1e13)
NEAREST = "x = 0.2"


@dataclass(frozen=True)
class KeptEngine:
    """Vacancies and barrier of CoFe2O4 by an engine whose results lie in data/."""

    name: str
    rich_eV: dict[str, float]
    barrier_eV: float

    def formation_eV(self, vacancy: str, kelvin: float, log10_a: float) -> float:
        """On the line through the edges of the window."""
        edge = RICH_EDGE_eV.get(self.name, MEASURED_EDGE_eV)
        return self.rich_eV[vacancy] + SLOPE[vacancy] * (edge - delta_mu_O_eV(kelvin, 10**log10_a))

    def log10_D(self, vacancy: str, kelvin: float, log10_a: float) -> float:
        """Of cobalt by that vacancy, cm2/s."""
        energy = self.formation_eV(vacancy, kelvin, log10_a) + self.barrier_eV
        return PREFACTOR - energy / (BOLTZMANN_eV_PER_K * kelvin) / math.log(10)


def kept_engines() -> list[KeptEngine]:
    """All of them, the better ones first."""
    known = {q: better_calculations("cofe2o4", "Imma", "local", q) for q in ("vacancies", "barrier")}
    barriers = {k.engine: sum(k.values.values()) / len(k.values) for k in known["barrier"]}
    return [KeptEngine(k.engine, k.rich, barriers[k.engine]) for k in known["vacancies"]]


def kept_rows() -> list[str]:
    """What each vacancy costs each engine at 1473 K and 1 atm, and the share of empty sites that the films ask for."""
    (measured,) = measured_for("CoFe2O4")
    out = []
    for engine in kept_engines():
        for vacancy in SLOPE:
            at = vacancy, measured.temperature_K, 0.0
            out.append(
                f"{engine.name}, {vacancy}: E_f {engine.formation_eV(*at):.2f} + E_m {engine.barrier_eV:.2f} eV, log D "
                f"{engine.log10_D(*at):.1f}, {engine.log10_D(*at) - measured.log10_D(0.0):+.1f} decades from x = 0.2"
            )
        share = PREFACTOR - engine.barrier_eV / (BOLTZMANN_eV_PER_K * FILMS_K) / math.log(10) - FILMS_LOG10_D
        out.append(f"{engine.name}: one empty site in {10**share:.1e} gives the films of Fe3O4 at {FILMS_K:.0f} K")
    return out


def keep(folders: list[Path]) -> None:
    """Write D of studies, by vacancies, by interstitials, and beside the measurement, into the kept file."""
    content: dict[str, Any] = {}
    for folder in folders:
        study = read_study(folder)
        found = study.observables["transport"]
        assert isinstance(found, Transport)
        branches = {
            name: [None if t.log10_D is None else round(t.log10_D, 4) for t in part]
            for name, part in (("vacancies", found.tracer), ("interstitials", found.interstitials))
        }
        own = study.observables.get("interstitial hops")
        bands = [m.label for m in own.migrations] if isinstance(own, HopSet) else []
        content[folder.name] = {
            "engine": study.engine.name,
            "host": study.host.formula,
            "atoms": len(study.host.structure),
            "hop": found.hop,
            "barrier_eV": round(found.barrier_eV, 4),
            "interstitial_bands": bands,
            "interstitials_left_out": own.absent if isinstance(own, HopSet) else [],
            "interstitial_barriers_eV": sorted({round(h.forward_eV, 4) for n in networks(study) for h in n.hops}),
            "log10_a": [round(math.log10(t.p_O2_atm), 4) for t in found.tracer],
            **branches,
            "beside": found.beside[0].model_dump(exclude={"measured", "log10_measured"}),
        }
    STUDIES.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def networks(study: Study) -> list[HopNetwork]:
    """Of the interstitials of a study."""
    own = study.observables.get("interstitial hops")
    return own.networks if isinstance(own, HopSet) else []


def kept_studies() -> dict[str, dict[str, Any]]:
    """What `keep` wrote."""
    content: dict[str, dict[str, Any]] = json.loads(STUDIES.read_text(encoding="utf-8"))
    return content


def study_rows() -> list[str]:
    """One line for each kept study."""
    (measured,) = measured_for("CoFe2O4")
    out = []
    for one in kept_studies().values():
        b = one["beside"]
        lowest = "none" if b["minimum_computed"] is None else f"{b['minimum_computed']:.1f}"
        out.append(
            f"{one['engine']}, vacancies and interstitials: {b['rms_decades']:.1f} decades rms, slopes "
            f"{b['slope_computed']:+.2f} and {b['low_slope_computed']:+.2f} ({b['slope_measured']:+.2f} and "
            f"{b['low_slope_measured']:+.2f} measured), minimum at log a = {lowest} "
            f"({measured.log10_a_of_minimum:.1f} measured)"
        )
    return out


def kept_beside(group: TracerRows) -> list[RowsBeside]:
    """Each kept engine beside measured rows, by the vacancy that gives more, and each kept study."""
    out = []
    for name, one in kept_studies().items():
        b = one["beside"]
        order = sorted(range(len(b["log10_a"])), key=lambda n: b["log10_a"][n])
        a, D = ([b[key][n] for n in order] for key in ("log10_a", "log10_computed"))
        at = np.interp(group.log10_a, a, D).tolist()
        off = [x - y for x, y in zip(at, group.log10_D, strict=True)]
        out.append(
            RowsBeside(
                study=name,
                engine=one["engine"],
                ion="Co",
                rows=group,
                log10_computed=at,
                inside_window=[True] * len(at),
                rms_decades=math.sqrt(sum(x * x for x in off) / len(off)),
                minimum_computed=b["minimum_computed"],
            )
        )
    for engine in kept_engines():
        places = zip(group.temperature_K, group.log10_a, strict=True)
        D = [max(engine.log10_D(v, kelvin, a) for v in SLOPE) for kelvin, a in places]
        squares = [(c - m) ** 2 for c, m in zip(D, group.log10_D, strict=True)]
        out.append(
            RowsBeside(
                study="data/, vacancies",
                engine=engine.name,
                ion="Co",
                rows=group,
                log10_computed=D,
                inside_window=[True] * len(D),
                rms_decades=math.sqrt(sum(squares) / len(D)),
            )
        )
    return out


def line(one: RowsBeside) -> str:
    """What one study has beside one group of rows."""
    parts = [f"{one.study} ({one.engine}), {one.rows.ion} in {one.rows.composition}"]
    parts.append("no D" if one.rms_decades is None else f"rms {one.rms_decades:.1f} decades")
    parts += [
        f"slopes {high:+.2f} and {low:+.2f} ({right:+.2f} and {left:+.2f} measured)"
        for high, low, right, left in one.slopes.values()
    ]
    if one.minimum_measured is not None:
        lowest = "none" if one.minimum_computed is None else f"{one.minimum_computed:.1f}"
        parts.append(f"minimum at log a = {lowest} ({one.minimum_measured:.1f} measured)")
    if one.energy_measured_eV is not None:
        computed = "none" if one.energy_computed_eV is None else f"{one.energy_computed_eV:.2f}"
        parts.append(f"E = {computed} eV ({one.energy_measured_eV:.2f} measured)")
    return ", ".join(parts + one.notes)


def main() -> None:
    """Print the measured minima, and one line for each study and group of rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", nargs="*", type=Path)
    parser.add_argument("--rows", type=Path, help="another file of measured rows")
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--kept", action="store_true", help="the engines of data/ too")
    parser.add_argument("--keep", action="store_true", help="write D of the studies into benchmarks/data")
    given = parser.parse_args()
    if given.keep:
        keep(given.studies)
    groups = rows(given.rows)
    for group in groups:
        shape = two_branches(group, range(len(group.log10_a)))
        if shape is not None:
            print(f"{group.ion} in {group.composition}: lowest at log a = {shape.log10_a_of_minimum:.1f} (measured)")
    found = []
    if given.kept:
        print("\n".join([*kept_rows(), *study_rows()]))
        found += [one for group in groups if group.composition.endswith(NEAREST) for one in kept_beside(group)]
    for folder in given.studies:
        study = read_study(folder)
        found += [beside_rows(study, group, name=folder.name) for group in groups]
    print("\n".join(line(one) for one in found))
    if given.figure and found:
        plot_rows(found).savefig(given.figure, dpi=160)


if __name__ == "__main__":
    main()
