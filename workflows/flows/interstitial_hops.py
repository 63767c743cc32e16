"""Hops of an ion that was inserted: from one empty place to the next, alone or pushing an ion of the host on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from jobflow import Flow, job
from pymatgen.core import Structure

from ...analysis.kinetics.hop_set import HopSet
from ...analysis.kinetics.migration import Migration
from ...analysis.kinetics.network import network_of_interstitials
from ...analysis.results.calculation import Calculation, require_valid
from ...structures.cells.supercell import supercell
from ...structures.defects.hops import Hop, make_hop
from ...structures.defects.hydrogen import at_bond_length
from ...structures.defects.insertion import insertion_of, ion_from
from ...structures.defects.interstitialcy import pushing_hop
from ...structures.defects.interstitials import with_interstitial
from ...structures.host import Host, HostKey, get_host, portable_host
from ..engine import Engine
from ..jobs.outputs import output_of
from ..maker import EngineMaker
from ..stage import Question, Stage, StageOption, StudyInMaking
from .building import Repeats, as_repeats, tolerant
from .hops import ended_bands, read_numbered

if TYPE_CHECKING:
    from jobflow import Job

# A band more costs what a whole study does; beyond this many of ions alone, and of ions that push, the rest is named
# and left out.
MOST_HOPS, MOST_PUSHES = 6, 3
# Octahedra that share an edge are a sqrt(2)/4 apart in a spinel: 2.9 to 3.0 A.
CUTOFF_A = 3.3


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


def inserted_hops(big: Structure, ion: str, valence: float) -> tuple[list[Hop], list[str]]:
    """Distinct hops of an inserted ion in a supercell that are computed, and in words those that are not.

    Raises
    ------
    ValueError
        If there are none.
    """
    insertion = insertion_of(big, ion, valence, CUTOFF_A)
    alone = [h for h in insertion.hops if h.pushed is None]
    pushing = [h for h in insertion.hops if h.pushed is not None]
    hops = [*alone[:MOST_HOPS], *pushing[:MOST_PUSHES]]
    if not hops:
        raise ValueError("; ".join(insertion.not_possible) or f"the cell has no places between which {ion} could hop")
    rest = [*alone[MOST_HOPS:], *pushing[MOST_PUSHES:]]
    left = [f"{_name(h)}: more than {MOST_HOPS} bands, {MOST_PUSHES} of ions that are pushed on" for h in rest]
    return hops, [*left, *insertion.not_possible]


def _name(hop: Hop) -> str:
    return f"{hop.label}, {hop.distance_A:.2f} A"


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
    pushed: int | None = None,
) -> Hop:
    """The same hop in a supercell of the relaxed cell; `start` and `step` are fractional.

    `pushed` is the index of the ion of the host whose site the inserted one takes. A hydrogen begins and ends at its
    bond length from the relaxed anion.
    """
    require_valid(bulk.checks, bulk.name)
    big = supercell(bulk.structure, as_repeats(repeats))
    begin, end = (big.lattice.get_cartesian_coords(np.asarray(x)) for x in (start, np.add(start, step)))
    if pushed is not None:
        site = big[pushed]
        middle = (np.asarray(start) + np.add(start, step)) / 2
        image = np.rint(middle - site.frac_coords)
        via = big.lattice.get_cartesian_coords(site.frac_coords + image)
        labels = (f"i({places[0]})", places[1])
        return pushing_hop(big, pushed, np.array([begin, via, end]), (ion, valence), labels, ways)
    if ion == "H" and valence > 0:
        begin, end = (at_bond_length(big, x) for x in (begin, end))
    state = with_interstitial(big, big.lattice.get_fractional_coords(begin), ion, valence, places[0])
    return make_hop(state, len(state) - 1, state[-1].coords, end + state[-1].coords - begin, ways, places[1])


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
    sound = _of_one_network([m for m in there if not m.why_no_result])
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


def _of_one_network(hops: list[Migration]) -> list[Migration]:
    """Hops of the ion alone, and those in which it pushes between places of theirs; all where it never goes alone.

    Energies of places that no hop joins to the others are not known against them.
    """
    alone = [m for m in hops if m.pushed_A is None]
    places = {place for m in alone for place in (f"i({m.host_site})", m.vacancy)}
    return [m for m in hops if not alone or {f"i({m.host_site})", m.vacancy} <= places]


def insertion_jobs(
    engine: Engine, bulk: Any, cell: Structure, repeats: Repeats, host_key: HostKey, order: str, ion: tuple[str, float]
) -> tuple[list[Job | Flow], Job]:
    """Jobs that build each hop and converge its band, and the last, whose output is a `HopSet`.

    Parameters
    ----------
    engine
        Supplies ``band``.
    bulk
        Calculation of the relaxed ordered cell, or a reference to it.
    cell
        The cell before it was relaxed, which says what hops there are.
    repeats, host_key, order
        Of the supercell, and whose.
    ion
        Element and valence of what is inserted.

    Raises
    ------
    ValueError
        If there are no hops.
    """
    big = supercell(cell, as_repeats(repeats))
    hops, absent = inserted_hops(big, *ion)
    jobs: list[Job | Flow] = []
    outputs: list[Any] = []
    for hop in hops:
        step = np.asarray(hop.displacement_A) @ np.linalg.inv(big.lattice.matrix)
        start = [float(x) for x in hop.initial[hop.mover].frac_coords]
        places = [hop.from_sublattice, hop.vacancy]
        # What is not said leaves keys as they were.
        more = {} if hop.pushed is None else {"pushed": hop.pushed}
        built = build_interstitial_hop(bulk, repeats, *ion, start, step.tolist(), places, hop.multiplicity, **more)
        out = output_of(built)
        mover = out.mover if hop.pushed is None else [out.mover, out.pushed]
        band = engine.band(out.initial, out.final, out.intermediates, mover=mover, name=f"band {_name(hop)}")
        read = tolerant(read_numbered(out, band.output, [], [], None, bulk.structure))
        jobs += [built, band, read]
        outputs.append(read.output)
    names = [_name(hop) for hop in hops]
    last = tolerant(collect_interstitial_hops(host_key, order, engine.name, outputs, absent, names, bulk.structure))
    return jobs, last


@dataclass
class InsertedHopsMaker(EngineMaker):
    """Barriers of every distinct hop of an ion that is put into a host.

    Attributes
    ----------
    engine
        Supplies ``relax`` and ``band``.
    repeats
        Supercell repeats of the host's ordered cell.
    """

    engine: Engine = field(kw_only=True)
    repeats: Repeats = (2, 2, 2)
    name: str = "inserted hops"

    def make(self, host_key: HostKey, ion: str, order: str | None = None) -> Flow:
        """Flow whose output is a `HopSet`.

        Parameters
        ----------
        host_key, order
            Host and cation order, the host's first by default.
        ion
            What is inserted, e.g. ``"Li+"``.

        Raises
        ------
        ValueError
            If the host, the order or the ion is unknown, or there is no hop.
        CannotDoError
            If the engine cannot relax or find bands, or cannot describe the material with the ion in it.
        """
        host_key = portable_host(host_key)
        self.engine.require("relax")
        self.engine.require("band")
        host = get_host(host_key)
        chosen = host.orders[0] if order is None else order
        cell, inserted = host.structure(chosen), ion_from(ion)
        self.engine.check(cell)
        hops, _ = inserted_hops(supercell(cell, as_repeats(self.repeats)), *inserted)
        self.engine.check(hops[0].initial)
        bulk = self.engine.relax(cell, name=f"{host.key} cell", cell=not host.layers)
        jobs, last = insertion_jobs(self.engine, output_of(bulk), cell, self.repeats, host_key, chosen, inserted)
        return Flow([bulk, *jobs, last], output=last.output, name=f"{self.name}: {ion} in {host.formula}")


class InterstitialHopsStage(Stage):
    """An inserted ion that goes from one empty place to the next."""

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
        """There must be anions."""
        if not any(s.properties["valence"] < 0 for s in question.cell):
            return "the cell has no anions between which an ion could sit"
        return ""

    def build(self, study: StudyInMaking) -> Flow:
        """A band for each distinct hop."""
        cell = study.host.structure(study.order)
        ion = study.option("interstitial") or ion_of_hop(study.host, cell)
        jobs, last = insertion_jobs(
            study.engine, study.bulk, cell, study.maker.repeats, study.host_key, study.order, ion
        )
        return Flow([*jobs, last], output=last.output, name=self.name)


STAGE = InterstitialHopsStage()
