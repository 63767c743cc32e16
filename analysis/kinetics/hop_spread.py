"""How far the time that a written difference lasts depends on the cation order and on which of the hops it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import ConfigDict, Field

from ..results.document import Document, Provenance, Unbounded
from .rates import ASSUMED_ATTEMPT_Hz, rate_per_s, why_no_rate

if TYPE_CHECKING:
    import pandas as pd


class SpreadHop(Document):
    """One distinct hop of one cation order.

    Attributes
    ----------
    order, hop
        Which.
    forward_eV, backward_eV
        Barriers; None where there is no band.
    decay_300K_s
        1/(k_f + k_b) at 300 K with the prefactor that is assumed for all.
    no_result
        Why the barriers are none; empty if they are.
    """

    model_config = ConfigDict(ser_json_inf_nan="constants")

    order: str
    hop: str
    forward_eV: float | None
    backward_eV: float | None
    decay_300K_s: Unbounded | None = None
    no_result: str = ""

    @property
    def barriers_eV(self) -> tuple[float, float]:
        """Both barriers.

        Raises
        ------
        ValueError
            If there is no band.
        """
        if self.forward_eV is None or self.backward_eV is None:
            raise ValueError(f"{self.order}, {self.hop}: {self.no_result or 'no band'}")
        return self.forward_eV, self.backward_eV


class HopSpread(Document):
    """Hops of one kind over cation orders and distinct places.

    Attributes
    ----------
    hops
        All that were computed; those without a result say why.
    relative_eV_per_formula
        Energy of each order above the lowest, where known.
    absent
        Orders and hops that are not among them, with the reason.
    """

    hops: list[SpreadHop]
    relative_eV_per_formula: dict[str, float] = Field(default_factory=dict)
    absent: list[str] = Field(default_factory=list)
    provenance: Provenance = Field(repr=False)

    @property
    def with_barrier(self) -> list[SpreadHop]:
        """Hops with a result."""
        return [h for h in self.hops if not h.no_result and h.decay_300K_s is not None]

    def to_dataframe(self) -> pd.DataFrame:
        """One row per hop: order, hop, forward_eV, backward_eV, decay_300K_s, no_result."""
        import pandas as pd

        return pd.DataFrame([h.model_dump() for h in self.hops])


def spread_hop(
    order: str, hop: str, forward_eV: float | None, backward_eV: float | None, no_result: str = ""
) -> SpreadHop:
    """One hop with its decay time; none without a result or a rate law."""
    decay = None
    if forward_eV is not None and backward_eV is not None and not no_result:
        no_result = why_no_rate(min(forward_eV, backward_eV), 300.0)
    if forward_eV is not None and backward_eV is not None and not no_result:
        decay = 1.0 / sum(rate_per_s(e, 300.0, ASSUMED_ATTEMPT_Hz) for e in (forward_eV, backward_eV))
    return SpreadHop(
        order=order,
        hop=hop,
        forward_eV=forward_eV,
        backward_eV=backward_eV,
        decay_300K_s=decay,
        no_result=no_result,
    )


def spread_in_words(hops: Sequence[SpreadHop], duration: Sequence[str]) -> str:
    """From the shortest to the longest decay, e.g. ``over 3 hops of 2 orders it is 2.9 ms to 2.4 s``.

    Parameters
    ----------
    hops
        With a result.
    duration
        Shortest and longest decay time in words.
    """
    orders = len({h.order for h in hops})
    what = f"{len(hops)} hop{'s' if len(hops) > 1 else ''} of {orders} cation order{'s' if orders > 1 else ''}"
    return f"over {what} it is {duration[0]} to {duration[1]}"
