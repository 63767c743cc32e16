"""What is known of two states of a moving ion and of the operations that relate them; made by `state_pairs`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..results.document import Document

PairKind = Literal["before and after the hop", "right and left ion"]


class PairRelation(Document):
    """One operation of the host that exchanges the states.

    Attributes
    ----------
    name
        Kind of the operation, e.g. ``mirror``.
    axial
        Matrix that acts on directions of magnetisation, shape (3, 3).
    deviation_meV
        Largest difference between the second map, carried by the operation, and the first.
    obeyed
        Whether it is within the tolerance.
    expected_u_meV, u_deviation_meV
        u of the second state from that of the first, and how far it is off; None without a reference that the
        operation keeps or reverses.
    """

    name: str
    axial: list[list[float]]
    deviation_meV: float
    obeyed: bool
    expected_u_meV: list[float] | None = None
    u_deviation_meV: float | None = None


class StatePair(Document):
    """Two states, their relations, and what a switch between them writes.

    Attributes
    ----------
    kind
        Which pair it is.
    first_u_meV, second_u_meV
        u of each map, shape (3,).
    reversed_part_meV, unchanged_part_meV
        Half difference and half sum of the two.
    verdict, reason
        What is written: ``nothing``, ``an axis``, ``a tilt of u``, ``a direction`` (u changes sign along its change)
        or ``spurious odd part``.
    """

    kind: PairKind
    relations: list[PairRelation]
    reference: str | None
    first_u_meV: list[float]
    second_u_meV: list[float]
    reversed_part_meV: list[float]
    unchanged_part_meV: list[float]
    verdict: str
    reason: str
    assumptions: list[str] = Field(default_factory=list)
