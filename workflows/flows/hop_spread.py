"""Stage of the spread: the host's hop in every cation order that has it, and every distinct place of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobflow import Flow, job

from ...analysis.kinetics.hop_spread import HopSpread, spread_hop
from ...analysis.kinetics.migration import Migration
from ...analysis.results.calculation import Calculation
from ...structures.defects.undirected_hops import NumberedHop
from ...structures.host import Host, get_host
from ..jobs.outputs import output_of
from ..stage import Question, Stage, StudyInMaking
from .building import Repeats, tolerant
from .hops import all_hops, build_hop_of, read_numbered

# A band more costs what a whole study does; beyond this many the rest is named and left out.
MOST_HOPS = 8


@job(name="spread over hops and orders")
def collect_spread(
    labels: list[tuple[str, str]],
    migrations: list[Migration | None],
    bulks: dict[str, Calculation],
    absent: list[str],
) -> HopSpread:
    """All hops of the kind with their decay times.

    Raises
    ------
    ValueError
        If no band came to an end.
    """
    spread_hops, tags = [], []
    for (order, label), migration in zip(labels, migrations, strict=True):
        if migration is None:
            spread_hops.append(spread_hop(order, label, None, None, "its band ended with an error"))
            continue
        tags.append(migration.provenance)
        spread_hops.append(
            spread_hop(order, label, migration.forward_eV, migration.backward_eV, "; ".join(migration.why_no_result))
        )
    if not tags:
        raise ValueError("no band of another hop came to an end")
    energies = {name: bulk.energy_eV / len(bulk.structure) for name, bulk in bulks.items()}
    atoms = {name: bulk.structure.composition.reduced_composition.num_atoms for name, bulk in bulks.items()}
    lowest = min(energies[name] * atoms[name] for name in energies)
    above = {name: energies[name] * atoms[name] - lowest for name in energies}
    return HopSpread(hops=spread_hops, relative_eV_per_formula=above, absent=absent, provenance=tags[0])


class HopSpreadStage(Stage):
    """Barriers of the other distinct hops and cation orders: one hop of one order is one draw."""

    name = "hop spread"
    place = 95.0
    needs = ("relax", "band")
    kinds = ("neb",)
    after = ("migration",)
    document = HopSpread

    def host_reason(self, question: Question) -> str:
        """There must be a hop at all."""
        return "" if question.host.hops else f"host {question.host.key} names no hop"

    def build(self, study: StudyInMaking) -> Flow:
        """A band for each distinct hop of the host's own kind, in every order whose cell is relaxed anyway."""
        host = get_host(study.host_key)
        bulks = study.outputs["host"]
        jobs: list[Any] = []
        labels: list[tuple[str, str]] = []
        outputs: list[Any] = []
        absent: list[str] = []
        known = {order: _numbers(host, order, study.maker.repeats, absent) for order in bulks}
        for order, number in _chosen(known, absent):
            bulk = bulks[order]
            hop = build_hop_of(bulk, study.maker.repeats, number, host.structure(order))
            out = output_of(hop)
            name = f"band {order} {number.label}"
            band = study.engine.band(out.initial, out.final, out.intermediates, mover=out.mover, name=name)
            read = read_numbered(out, band.output, [], [], None, bulk.structure)
            jobs += [hop, band, read]
            labels.append((order, number.label))
            outputs.append(read.output)
        last = tolerant(collect_spread(labels, outputs, dict(bulks), absent))
        return Flow([*jobs, last], output=last.output, name=self.name)


def _chosen(known: Mapping[str, list[NumberedHop]], absent: list[str]) -> list[tuple[str, NumberedHop]]:
    """As many hops as a study pays for, from every order in turn; how many are left is added to `absent`."""
    turns = [(n, order, number) for order, hops in known.items() for n, number in enumerate(hops)]
    places = {order: place for place, order in enumerate(known)}
    taken = sorted(turns, key=lambda turn: (turn[0], places[turn[1]]))[:MOST_HOPS]
    for order, hops in known.items():
        of_order = sum(name == order for _, name, _ in taken)
        if of_order < len(hops):
            absent.append(f"{order}: {len(hops) - of_order} of {len(hops)} distinct hops, beyond {MOST_HOPS} bands")
    return [(order, number) for _, order, number in sorted(taken, key=lambda turn: (places[turn[1]], turn[0]))]


def _numbers(host: Host, order: str, repeats: Repeats, absent: list[str]) -> list[NumberedHop]:
    """Distinct hops of the host's first kind in one order; what there is not is added to `absent`."""
    try:
        hops, _ = all_hops(host, host.structure(order), repeats)
    except ValueError as error:
        absent.append(f"{order}: {error}")
        return []
    own = [n for n in hops if n.kind == host.hops[0]]
    if not own:
        absent.append(f"{order}: no {host.hops[0].ion} on {host.hops[0].from_sublattice} beside such a vacancy")
    return own


STAGE = HopSpreadStage()
