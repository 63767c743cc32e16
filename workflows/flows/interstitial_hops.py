"""Stage of the hops of an interstitial ion between empty octahedra of the anions, over the tetrahedra between them."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
from jobflow import Flow, job
from pymatgen.core import Structure

from ...analysis.kinetics.hop_set import HopSet
from ...analysis.kinetics.migration import Migration
from ...analysis.kinetics.network import network_of_interstitials
from ...analysis.results.calculation import Calculation, require_valid
from ...structures.cells.supercell import supercell
from ...structures.defects.hops import Hop, make_hop
from ...structures.defects.interstitial_hops import interstitial_hops
from ...structures.defects.interstitials import distinct_interstitial_sites, with_interstitial
from ...structures.host import Host, HostKey, get_host
from ..jobs.outputs import output_of
from ..stage import Question, Stage, StageOption, StudyInMaking
from .building import Repeats, as_repeats, tolerant
from .hops import ended_bands, read_numbered

# A band more costs what a whole study does; beyond this many the rest is named and left out.
MOST_HOPS = 6
# Octahedra that share an edge are a sqrt(2)/4 apart in a spinel: 2.9 to 3.0 A.
CUTOFF_A = 3.3
_ION = re.compile(r"([A-Z][a-z]?)([0-9]*)\+")


def ion_from(text: str) -> tuple[str, float]:
    """An ion with its charge, such as ``Co2+``.

    Raises
    ------
    ValueError
        If it is none.
    """
    found = _ION.fullmatch(str(text).strip())
    if found is None:
        raise ValueError("no positive ion; write e.g. Co2+ or Li+")
    return found[1], float(found[2] or 1)


def ion_of_hop(host: Host, cell: Structure) -> tuple[str, float]:
    """The ion of the host's own hop with its valence there.

    Raises
    ------
    ValueError
        If the host names no hop.
    """
    if not host.hops:
        raise ValueError(f"host {host.key} names no hop; name the ion with --interstitial")
    kind = host.hops[0]
    sites = [s for s in cell if (s.specie.symbol, s.properties["sublattice"]) == (kind.ion, kind.from_sublattice)]
    if not sites:
        raise ValueError(f"the cell has no {kind.ion} on {kind.from_sublattice}")
    return kind.ion, float(sites[0].properties["valence"])


def octahedral_hops(big: Structure, ion: str, valence: float) -> list[Hop]:
    """Distinct hops between empty octahedra of a supercell, the shortest first.

    Raises
    ------
    ValueError
        If there are no two such places in reach.
    """
    anions = Counter(s.specie.symbol for s in big if s.properties["valence"] < 0).most_common(1)
    if not anions:
        raise ValueError("the cell has no anions between which an ion could sit")
    sites = [s for s in distinct_interstitial_sites(big, anions[0][0]) if s.kind == "octahedron"]
    if not sites:
        raise ValueError("the cell has no empty octahedra")
    return interstitial_hops(big, sites, ion, valence, CUTOFF_A)


@job(name="interstitial hop")
def build_interstitial_hop(
    bulk: Calculation,
    repeats: Repeats,
    ion: str,
    valence: float,
    start: list[float],
    step: list[float],
    places: list[str],
    ways: int,
) -> Hop:
    """The same hop in a supercell of the relaxed cell; `start` and `step` are fractional."""
    require_valid(bulk.checks, bulk.name)
    big = supercell(bulk.structure, as_repeats(repeats))
    state = with_interstitial(big, start, ion, valence, places[0])
    begin = state[-1].coords
    end = begin + np.asarray(step) @ big.lattice.matrix
    return make_hop(state, len(state) - 1, begin, end, ways, places[1])


@job(name="collect interstitial hops")
def collect_interstitial_hops(
    host_key: HostKey,
    order: str,
    engine: str,
    migrations: list[Migration | None],
    absent: list[str],
    names: list[str],
    cell: Structure,
) -> HopSet:
    """Hops of the interstitial, with their network in the cell.

    Raises
    ------
    InvalidResultError
        If no band came to an end.
    """
    host = get_host(host_key)
    there, lost = ended_bands(migrations, names)
    sound = [m for m in there if not m.why_no_result]
    networks = [network_of_interstitials(cell, sound, sound[0].ion)] if sound else []
    return HopSet(
        host=host.key,
        formula=host.formula,
        order=order,
        engine=engine,
        migrations=there,
        absent=[*absent, *lost],
        cell=cell,
        networks=networks,
    )


class InterstitialHopsStage(Stage):
    """An inserted ion that goes through the empty octahedra."""

    name = "interstitial hops"
    place = 80.0
    needs = ("relax", "band")
    kinds = ("neb",)
    document = HopSet
    options = (
        StageOption(
            "interstitial", "Ion of the stage interstitial_hops, e.g. Co2+ [default: that of the host's hop].", ion_from
        ),
    )

    def host_reason(self, question: Question) -> str:
        """There must be empty octahedra of anions."""
        if not any(s.properties["valence"] < 0 for s in question.cell):
            return "the cell has no anions between which an ion could sit"
        return ""

    def build(self, study: StudyInMaking) -> Flow:
        """A band for each distinct hop between octahedra."""
        cell = study.host.structure(study.order)
        ion, valence = study.option("interstitial") or ion_of_hop(study.host, cell)
        big = supercell(cell, as_repeats(study.maker.repeats))
        jobs: list[Any] = []
        outputs: list[Any] = []
        names: list[str] = []
        absent: list[str] = []
        for hop in octahedral_hops(big, ion, valence):
            label = f"{hop.ion}({hop.from_sublattice}) -> {hop.vacancy}, {hop.distance_A:.2f} A"
            if len(names) == MOST_HOPS:
                absent.append(f"{label}: more than {MOST_HOPS} bands")
                continue
            step = np.asarray(hop.displacement_A) @ np.linalg.inv(big.lattice.matrix)
            start = [float(x) for x in hop.initial[hop.mover].frac_coords]
            places = [hop.from_sublattice, hop.vacancy]
            built = build_interstitial_hop(
                study.bulk, study.maker.repeats, ion, valence, start, step.tolist(), places, hop.multiplicity
            )
            out = output_of(built)
            name = f"band {label}"
            band = study.engine.band(out.initial, out.final, out.intermediates, mover=out.mover, name=name)
            read = tolerant(read_numbered(out, band.output, [], [], None, study.bulk.structure))
            jobs += [built, band, read]
            outputs.append(read.output)
            names.append(label)
        last = tolerant(
            collect_interstitial_hops(
                study.host_key, study.order, study.engine.name, outputs, absent, names, study.bulk.structure
            )
        )
        return Flow([*jobs, last], output=last.output, name=self.name)


STAGE = InterstitialHopsStage()
