"""All distinct hops of a host as one flow: relaxed cell, one band per hop, one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from jobflow import Flow, Job, job
from pymatgen.core import Structure

from ...analysis.kinetics.field_treatments import FieldStudy
from ...analysis.kinetics.hop_set import HopSet
from ...analysis.kinetics.migration import Migration
from ...analysis.kinetics.network import HopNetwork, network_of_hops
from ...analysis.kinetics.site_charges import SiteCharges, band_with_charges
from ...analysis.results.calculation import Band, Calculation
from ...analysis.results.checks import InvalidResultError, require_valid
from ...structures.cells.supercell import supercell
from ...structures.defects.hops import Hop
from ...structures.defects.undirected_hops import NumberedHop, hops_into, same_hop, undirected_hops
from ...structures.host import HopKind, Host, HostKey, get_host, portable_host
from ...structures.units import V_PER_M_TO_V_PER_A
from ..engine import Engine
from ..field.requests import FieldRequest
from ..jobs.outputs import output_of
from ..maker import EngineMaker
from .building import Repeats, as_repeats, tolerant
from .migration import read_hop

FIELDS_V_PER_M = (0.0, 1e8, -1e8, 5e8, -5e8)


@dataclass
class AllHopsMaker(EngineMaker):
    """Barriers of every distinct hop between the sublattices that a host names.

    Attributes
    ----------
    engine
        Supplies ``relax`` and ``band``.
    repeats
        Supercell repeats of the host's ordered cell.
    fields_V_per_m
        Signed fields along each hop: positive is along it, negative against it.
    fields
        Other fields, directions, charges and bands relaxed in the field, see `FieldRequest`.
    """

    engine: Engine = field(kw_only=True)
    repeats: Repeats = (2, 2, 2)
    fields_V_per_m: Sequence[float] = FIELDS_V_PER_M
    fields: FieldRequest = field(default_factory=FieldRequest)
    name: str = "hops"

    def make(self, host_key: HostKey, order: str | None = None) -> Flow:
        """Flow whose output is a `HopSet`.

        Parameters
        ----------
        host_key, order
            Host and cation order, the host's first by default.

        Raises
        ------
        ValueError
            If the host or order is unknown, there is no hop, or a field is beyond breakdown.
        CannotDoError
            If the engine cannot relax or find bands, or cannot describe the material.
        """
        host_key = portable_host(host_key)
        self.engine.require("relax")
        self.engine.require("band")
        host = get_host(host_key)
        chosen = host.orders[0] if order is None else order
        cell = host.structure(chosen)
        self.engine.check(cell)
        default = [f * V_PER_M_TO_V_PER_A for f in self.fields_V_per_m]
        fields = self.fields.checked(self.engine, cell, host.gap_eV, default, self.repeats)
        hops, absent = all_hops(host, cell, self.repeats)
        if not hops:
            raise ValueError(f"order {chosen} of {host.key} has no hop: {'; '.join(absent) or 'none is named'}")
        bulk = self.engine.relax(cell, name=f"{host.key} cell", cell=not host.layers)
        jobs, migrations, bands = [bulk], [], []
        for number in hops:
            built = build_hop_of(output_of(bulk), self.repeats, number, cell)
            out = output_of(built)
            band = self.engine.band(
                out.initial, out.final, out.intermediates, mover=out.mover, name=f"band {number.label}"
            )
            relaxed = output_of(bulk).structure
            more, studies = self.fields.jobs(
                self.engine, out, output_of(band), relaxed, fields, label=number.label, gap_eV=host.gap_eV
            )
            read = tolerant(
                read_numbered(
                    out, band.output, fields.along_hop_V_per_A, studies, self.fields.charges, bulk.output.structure
                )
            )
            jobs += [built, band, *more, read]
            migrations.append(read.output)
            bands.append(band.output)
        names = [number.label for number in hops]
        last = tolerant(
            collect_hops(host_key, chosen, self.engine.name, migrations, absent, names, bulk.output.structure)
        )
        return Flow([*jobs, last], output=last.output, name=f"{self.name}: {host.formula}")


def hop_kinds(host: Host, cell: Structure) -> list[HopKind]:
    """Every ion into every vacancy of its own sign on the sublattice pairs that the host's own hops join.

    Cations and atoms of metals go into the vacancies of each other, anions into those of anions. The host's own hops
    come first.
    """
    anions = {(s.specie.symbol, s.properties["sublattice"]): s.properties["valence"] < 0 for s in cell}
    kinds = [
        k for k in host.hops if {(k.ion, k.from_sublattice), (k.vacancy_element, k.vacancy_sublattice)} <= set(anions)
    ]
    for kind in host.hops:
        for ion, start in sorted(anions):
            for element, place in sorted(anions):
                hop_kind = HopKind(ion, start, element, place, kind.cutoff_A)
                joined = (start, place) == (kind.from_sublattice, kind.vacancy_sublattice)
                if joined and anions[ion, start] == anions[element, place] and hop_kind not in kinds:
                    kinds.append(hop_kind)
    return kinds


def all_hops(host: Host, cell: Structure, repeats: Repeats) -> tuple[list[NumberedHop], list[str]]:
    """Distinct hops of a host, a hop and its reverse once; in words the ions and vacancies without one."""
    hops, absent = undirected_hops(cell, supercell(cell, repeats), hop_kinds(host, cell))
    return hops, [f"{k.ion}({k.from_sublattice}) -> {label}: {reason}" for k, label, reason in absent]


def plain_kind(kind: HopKind) -> list[str | float]:
    """A kind as plain values, for a job's arguments."""
    return [kind.ion, kind.from_sublattice, kind.vacancy_element, kind.vacancy_sublattice, kind.cutoff_A]


@job(name="hop")
def build_numbered_hop(
    bulk: Calculation,
    repeats: Repeats,
    kind: list[str | float],
    vacancy: int,
    hop: int,
    ways: int | None = None,
    along: list[float] | None = None,
) -> Hop:
    """One distinct hop in a supercell of the relaxed cell.

    `ways` are its equivalent ones, where a cell shows fewer; `along` is its displacement in fractions of the ordered
    cell, by which it is found again: relaxing may take a hop beyond the cutoff, or change the order of lengths.
    """
    require_valid(bulk.checks, bulk.name)
    big = supercell(bulk.structure, as_repeats(repeats))
    what = HopKind(*kind)  # type: ignore[arg-type]
    if along is None:
        hops = hops_into(bulk.structure, big, what, vacancy)[hop]
    else:
        hops = same_hop(bulk.structure, big, what, vacancy, along)
    return hops if ways is None else replace(hops, multiplicity=ways)


def build_hop_of(bulk: Calculation, repeats: Repeats, numbered: NumberedHop, cell: Structure) -> Job:
    """Job of `build_numbered_hop` for a hop of the unrelaxed ordered cell."""
    # Always said, for a relaxed cell may show another number of equivalent ones.
    along = cell.lattice.get_fractional_coords(numbered.hop.displacement_A)
    return build_numbered_hop(
        bulk,
        repeats,
        plain_kind(numbered.kind),
        numbered.vacancy,
        numbered.number,
        ways=numbered.ways,
        along=[round(float(x), 6) for x in along],
    )


@job(name="read hop")
def read_numbered(
    hop: Hop,
    band: Band | None,
    fields_V_per_A: list[float],
    studies: list[FieldStudy | None],
    charges: SiteCharges | None,
    cell: Structure,
) -> Migration:
    """Barriers, saddles and the fields of one hop; `charges` replace those of the band's dipoles.

    A band that failed a check is read all the same, to be looked at: its `Migration` says that it is no result.

    Raises
    ------
    InvalidResultError
        If there is no band.
    """
    if band is None:
        raise InvalidResultError("its band ended with an error")
    there = [field_study for field_study in studies or [] if field_study is not None]
    if charges is not None:
        band = band_with_charges(band, charges, cell)
    # The mover ends on the site of the ion that it pushes on.
    start, end = ([float(x) for x in state[hop.mover].coords] for state in (hop.initial, hop.final))
    placed = {"start_A": start, "pushed_A": None if hop.pushed is None else end}
    return read_hop(hop, band, fields_V_per_A).model_copy(update={"field_studies": there, **placed})


def ended_bands(migrations: Sequence[Migration | None], names: Sequence[str]) -> tuple[list[Migration], list[str]]:
    """Hops whose bands came to an end, the lowest barrier first, what is no result last; and words on the others.

    Raises
    ------
    InvalidResultError
        If there are none.
    """
    there = [m for m in migrations if m is not None]
    if not there:
        raise InvalidResultError(f"no band came to an end: {', '.join(names)}")
    lost = [name for name, m in zip(names, migrations, strict=True) if m is None]
    ordered = sorted(there, key=lambda m: (bool(m.why_no_result), m.forward_eV))
    return ordered, [f"{name}: its band ended with an error" for name in lost]


@job(name="collect hops")
def collect_hops(
    host_key: HostKey,
    order: str,
    engine: str,
    migrations: list[Migration | None],
    absent: list[str],
    names: list[str],
    cell: Structure | None = None,
) -> HopSet:
    """All hops of a host, the lowest barrier first and behind them what is no result.

    A hop whose band ended with an error comes as None and is named among the absent.

    Raises
    ------
    InvalidResultError
        If no band came to an end.
    """
    host = get_host(host_key)
    ordered, lost = ([], []) if not migrations else ended_bands(migrations, names)
    absent = [*absent, *lost]
    alike = Counter(m.label for m in ordered)
    seen: Counter[str] = Counter()
    for hop in ordered:
        name = hop.label
        if alike[name] > 1:
            seen[name] += 1
            hop.label = f"{name} ({seen[name]})"
    return HopSet(
        host=host.key,
        formula=host.formula,
        order=order,
        engine=engine,
        migrations=ordered,
        absent=absent,
        cell=cell,
        networks=_networks(cell, ordered),
    )


def _networks(cell: Structure | None, migrations: Sequence[Migration]) -> list[HopNetwork]:
    """Graph of the hops of each ion that has a result."""
    if cell is None:
        return []
    sound = [m for m in migrations if m.start_A is not None and not m.why_no_result]
    return [network_of_hops(cell, migrations, ion) for ion in dict.fromkeys(m.ion for m in sound)]
