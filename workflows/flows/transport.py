"""Stage of transport: what the hop makes of diffusion, mobility and drift."""

from __future__ import annotations

from typing import Any

from jobflow import Job, job
from pymatgen.core import Structure

from ...analysis.kinetics.attempt_frequency import AttemptFrequency
from ...analysis.kinetics.migration import Migration
from ...analysis.study.transport import Transport, transport_of
from ..stage import Stage, StageOption, StudyInMaking
from .building import tolerant


def _share(said: Any) -> float:
    share = float(said)
    if not 0 < share < 1:
        raise ValueError(f"occupation {share} must lie between 0 and 1, both left out")
    return share


@job(name="transport")
def transport_job(
    hop: Migration | None,
    cell: Structure,
    vibrations: AttemptFrequency | None = None,
    occupation: float | None = None,
) -> Transport:
    """Transport by the hop; see `transport_of`.

    Raises
    ------
    ValueError
        As `transport_of`, and if the calculation of the hop failed.
    """
    if hop is None:
        raise ValueError("the calculation of the hop failed, so nothing follows for transport")
    return transport_of(hop, cell, vibrations, occupation=occupation)


class TransportStage(Stage):
    """Diffusion, mobility and drift of what the hop carries, from its rates; no calculation of its own."""

    name = "transport"
    not_for_films = "its hops are not repeated in three directions"
    place = 85.0
    after = ("migration",)
    when = "unasked"
    document = Transport
    options = (
        StageOption(
            "occupation",
            "Share of their places that the hop's ions fill, to walk all of them in the stage transport, e.g. 0.7 "
            "[default: one vacancy alone].",
            _share,
        ),
    )

    def build(self, study: StudyInMaking) -> Job:
        """One small job behind the band's and that of the vibrations."""
        read = study.outputs["migration"]["read"]
        share = study.option("occupation")
        # Only where it was asked for, so that earlier studies keep their keys.
        crowd = {} if share is None else {"occupation": share}
        return tolerant(
            transport_job(read["migration"], study.bulk.structure, study.outputs.get("vibrations"), **crowd)
        )


STAGE = TransportStage()
