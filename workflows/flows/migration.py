"""Migration flow: build the hop, converge its band, read the barriers and the field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from jobflow import Flow, job
from pymatgen.core import Structure

from ...analysis.builder.build import keffer_of_mover
from ...analysis.kinetics.migration import Migration, migration_from_band
from ...analysis.kinetics.site_charges import SiteCharges, band_with_charges
from ...analysis.results.calculation import Band, Calculation
from ...structures.defects.hops import Hop
from ...structures.host import Host, HostKey, get_host, portable_host
from ..engine import Engine
from ..field.requests import FieldRequest
from ..jobs.outputs import output_of
from ..maker import EngineMaker
from ..stage import Question, Stage, StudyInMaking
from .building import Repeats, build_hop, filled_sites, shortest_hop


@dataclass
class MigrationMaker(EngineMaker):
    """One hop of a host with its barriers under a field.

    Attributes
    ----------
    engine
        Supplies ``band``.
    repeats
        Supercell repeats of the host's ordered cell.
    fields_V_per_A
        Signed fields along the hop.
    fields
        Fields in all treatments; the default puts `fields_V_per_A` into the treatments that need no calculation.
    """

    engine: Engine = field(kw_only=True)
    repeats: Repeats = (2, 2, 2)
    fields_V_per_A: Sequence[float] = ()
    fields: FieldRequest = field(default_factory=FieldRequest)
    name: str = "migration"

    def make(self, bulk: Calculation, host_key: HostKey, hop_number: int = 0, order: str | None = None) -> Flow:
        """Flow whose output is a dictionary: ``band`` (`Band`), ``fields`` (a `FieldStudy` for each direction) and
        ``read``, another with ``migration`` (`Migration`), the structures ``before`` and ``after``, the mover's
        ``keffer`` sums and the ``relation_matrices`` of the two states.

        Parameters
        ----------
        bulk
            Relaxed ordered cell, or a reference to it.
        host_key
            Host that names the hop.
        hop_number
            Which of the host's hops.
        order
            Cation order of `bulk`, the host's first by default.

        Raises
        ------
        ValueError
            If a field is unreadable or beyond breakdown, or charges do not fit.
        CannotDoError
            If the engine finds no bands, or relaxes none in a field and was asked to.
        """
        host_key = portable_host(host_key)
        self.engine.require("band")
        hop = build_hop(bulk, self.repeats, host_key, hop_number)
        out = output_of(hop)
        band = self.engine.band(out.initial, out.final, out.intermediates, mover=out.mover, name="band")
        host = get_host(host_key)
        cell = bulk.structure if isinstance(bulk, Calculation) else host.structure(order)
        fields = self.fields.checked(self.engine, cell, host.gap_eV, self.fields_V_per_A, self.repeats)
        read = read_migration(hop.output, band.output, fields.along_hop_V_per_A, self.fields.charges, bulk.structure)
        label = hop_label(host, hop_number)
        jobs, studies = self.fields.jobs(
            self.engine, out, output_of(band), bulk.structure, fields, label=label, gap_eV=host.gap_eV
        )
        output = {"band": band.output, "read": read.output, "fields": studies}
        return Flow([hop, band, read, *jobs], output=output, name=self.name)


@job(name="read migration")
def read_migration(
    hop: Hop,
    band: Band,
    fields_V_per_A: list[float],
    charges: SiteCharges | None = None,
    cell: Structure | None = None,
) -> dict[str, Any]:
    """Barriers, saddles and the field from a converged band, and the two states it joins.

    `charges` replace those of the band's dipoles; `cell` is the ordered cell that they may belong to.

    A band that failed a check is read all the same, to be looked at: its `Migration` says that it is no result.
    """
    if charges is not None:
        band = band_with_charges(band, charges, cell)  # type: ignore[arg-type]
    before, after = band.images[0].structure, band.images[-1].structure
    return {
        "migration": read_hop(hop, band, fields_V_per_A),
        "before": before,
        "after": after,
        "keffer": {"before": keffer_of_mover(before, hop.mover), "after": keffer_of_mover(after, hop.mover)},
        "relation_matrices": hop.relation_matrices,
        "mover": hop.mover,
        "end_moments_muB": band.end_moments_muB,
    }


def hop_label(host: Host, number: int = 0) -> str:
    """One of the hops of a host in words."""
    kind = host.hops[number]
    return f"{kind.ion}({kind.from_sublattice}) -> V_{kind.vacancy_element}({kind.vacancy_sublattice})"


def read_hop(hop: Hop, band: Band, fields_V_per_A: list[float]) -> Migration:
    """A band as a migration of the hop it was made for."""
    return migration_from_band(
        band,
        label=hop.label,
        ion=hop.ion,
        host_site=hop.from_sublattice,
        vacancy=hop.vacancy,
        displacement_A=hop.displacement_A,
        multiplicity=hop.multiplicity,
        relation=hop.relations,
        fields_V_per_A=fields_V_per_A,
    )


def _hop_reason(host: Host, order: str, cell: Structure) -> str:
    if not host.hops:
        return f"host {host.key} names no hop; name one in its file"
    hop = host.hops[0]
    needed = {(hop.ion, hop.from_sublattice), (hop.vacancy_element, hop.vacancy_sublattice)}
    if absent := sorted(needed - filled_sites(cell)):
        return f"order {order} of {host.key} has no {', '.join(f'{e} on {s}' for e, s in absent)}, which its hop needs"
    return ""


def room_reason(host: Host, cell: Structure, repeats: tuple[int, int, int]) -> str:
    """Why the main hop has no room; only cells whose images come near are built for it."""
    lengths = [n * length for n, length in zip(repeats, cell.lattice.abc, strict=True)]
    if min(lengths) > 2 * host.hops[0].cutoff_A:
        return ""
    try:
        shortest_hop(cell, repeats, host.hops[0])
    except ValueError as error:
        return str(error)
    return ""


class MigrationStage(Stage):
    """The first hop that the host names, with its fields."""

    name = "migration"
    citations = ("neb2000climbing", "neb2000tangent")
    place = 50.0
    needs = ("relax", "band")
    kinds = ("neb", "relax", "static")
    when = "unasked"
    main = True

    def host_reason(self, question: Question) -> str:
        """The order must have the ion, the vacancy and room for them."""
        host, cell = question.host, question.cell
        absent = _hop_reason(host, question.order, cell)
        return absent or ("" if question.repeats is None else room_reason(host, cell, question.repeats))

    def note(self, question: Question) -> str:
        """Default fields that the host does not stand."""
        if question.fields is None:
            return ""
        return question.fields.left_out(question.default_fields_V_per_A, question.host.gap_eV, question.cell)

    def build(self, study: StudyInMaking) -> Flow:
        """Hop, band, barriers and fields."""
        maker = study.maker
        return MigrationMaker(
            engine=study.engine,
            repeats=maker.repeats,
            fields_V_per_A=maker.default_fields_V_per_A,
            fields=maker.fields,
        ).make(study.bulk, study.host_key, order=study.order)

    def result(self, output: Any) -> Any:
        """What was read from the band; the band itself is large, and only its vibrations need it."""
        return {"read": output["read"], "fields": output["fields"]}


STAGE = MigrationStage()
