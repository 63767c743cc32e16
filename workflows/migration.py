"""Migration flow: build the hop, converge its band, read the barriers and the field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from jobflow import Flow, Maker, job

from ..analysis.assembly import keffer_of_mover
from ..analysis.calculation import Band, Calculation, require_valid
from ..analysis.migration import Migration, migration_from_band
from ..structures.hops import Hop
from ..structures.host import Host, HostKey
from .building import Repeats, build_hop
from .engine import Engine


@dataclass
class MigrationMaker(Maker):
    """One hop of a host with its barriers under a field.

    Attributes
    ----------
    engine
        Supplies ``band``.
    repeats
        Supercell repeats of the host's ordered cell.
    fields_V_per_A
        Signed fields along the hop.
    """

    engine: Engine = field(kw_only=True)
    repeats: Repeats = (2, 2, 2)
    fields_V_per_A: Sequence[float] = ()
    name: str = "migration"

    def make(self, bulk: Calculation, host_key: HostKey, hop_number: int = 0) -> Flow:
        """Flow whose output is a dictionary: ``band`` (`Band`) and ``read``, another with ``migration``
        (`Migration`), the structures ``before`` and ``after``, the mover's ``keffer`` sums and the
        ``relation_matrices`` of the two states.

        Parameters
        ----------
        bulk
            Relaxed ordered cell, or a reference to it.
        host_key
            Host that declares the hop.
        hop_number
            Which of the host's hops.
        """
        self.engine.require("band")
        hop = build_hop(bulk, self.repeats, host_key, hop_number)
        band = self.engine.band(
            hop.output.initial,
            hop.output.final,
            hop.output.intermediates,
            mover=hop.output.mover,
            name="band",
        )
        read = read_migration(hop.output, band.output, list(self.fields_V_per_A))
        return Flow([hop, band, read], output={"band": band.output, "read": read.output}, name=self.name)


@job(name="read migration")
def read_migration(hop: Hop, band: Band, fields_V_per_A: list[float]) -> dict[str, Any]:
    """Barriers, humps and the field from a converged band, and the two states it joins.

    Raises
    ------
    InvalidResultError
        If the band failed a guard.
    """
    require_valid(band.checks, "the band")
    before, after = band.images[0].structure, band.images[-1].structure
    return {
        "migration": read_hop(hop, band, fields_V_per_A),
        "before": before,
        "after": after,
        "keffer": {"before": keffer_of_mover(before, hop.mover), "after": keffer_of_mover(after, hop.mover)},
        "relation_matrices": hop.relation_matrices,
        "mover": hop.mover,
    }


def hop_label(host: Host) -> str:
    """The first declared hop of a host in words."""
    kind = host.hops[0]
    return f"{kind.ion}({kind.from_sublattice}) -> V_{kind.vacancy_element}({kind.vacancy_sublattice})"


def read_hop(hop: Hop, band: Band, fields_V_per_A: list[float]) -> Migration:
    """A band as a migration of the hop it was made for."""
    return migration_from_band(
        band,
        label=f"{hop.ion}({hop.from_sublattice}) -> {hop.vacancy}",
        ion=hop.ion,
        host_site=hop.from_sublattice,
        vacancy=hop.vacancy,
        displacement_A=hop.displacement_A,
        multiplicity=hop.multiplicity,
        relation=hop.relations,
        fields_V_per_A=fields_V_per_A,
    )
