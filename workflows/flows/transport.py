"""Stage of transport: what the hop makes of diffusion, mobility and drift."""

from __future__ import annotations

from jobflow import Job, job
from pymatgen.core import Structure

from ...analysis.kinetics.attempt_frequency import AttemptFrequency
from ...analysis.kinetics.migration import Migration
from ...analysis.study.transport import Transport, transport_of
from ..stage import Stage, StudyInMaking
from .building import tolerant


@job(name="transport")
def transport_job(hop: Migration | None, cell: Structure, vibrations: AttemptFrequency | None = None) -> Transport:
    """Transport by the hop; see `transport_of`.

    Raises
    ------
    ValueError
        As `transport_of`, and if the calculation of the hop failed.
    """
    if hop is None:
        raise ValueError("the calculation of the hop failed, so nothing follows for transport")
    return transport_of(hop, cell, vibrations)


class TransportStage(Stage):
    """Diffusion, mobility and drift of what the hop carries, from its rates; no calculation of its own."""

    name = "transport"
    not_for_films = "its hops are not repeated in three directions"
    place = 85.0
    after = ("migration",)
    when = "unasked"
    document = Transport

    def build(self, study: StudyInMaking) -> Job:
        """One small job behind the band's and that of the vibrations."""
        read = study.outputs["migration"]["read"]
        return tolerant(transport_job(read["migration"], study.bulk.structure, study.outputs.get("vibrations")))


STAGE = TransportStage()
