"""All distinct hops of a host in one document: a table, a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ..results.checks import no_result
from ..results.document import Document, StructureField
from .migration import Migration
from .network import HopNetwork
from .profiles import saddle_images

if TYPE_CHECKING:
    import pandas as pd


class HopSet(Document):
    """Every distinct hop of a host with its barriers.

    Attributes
    ----------
    host, formula, order, engine
        Of whom, by whom.
    migrations
        The hops, lowest forward barrier first.
    absent
        Pairs of ion and vacancy without a single hop between them, with the reason.
    cell
        Relaxed ordered cell; None in results of older versions.
    networks
        The graph of each ion's hops.
    """

    schema_: Literal["magnetoionics.hops/1"] = "magnetoionics.hops/1"
    host: str
    formula: str
    order: str
    engine: str
    migrations: list[Migration]
    absent: list[str]
    cell: StructureField | None = Field(default=None, repr=False)
    networks: list[HopNetwork] = Field(default_factory=list, repr=False)

    def to_dataframe(self) -> pd.DataFrame:
        """One row per hop and field along it: barriers both ways, reaction energy, controlling saddle, saddles, minima.

        `identity_residual_eV` is forward minus backward minus reaction energy.
        """
        import pandas as pd

        return pd.DataFrame([row for m in self.migrations for row in _rows(m)])

    def network_dataframe(self) -> pd.DataFrame:
        """One row per hop of the cell, see `HopNetwork.to_dataframe`; empty without a network."""
        import pandas as pd

        tables = [n.to_dataframe() for n in self.networks]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()

    def field_dataframe(self) -> pd.DataFrame:
        """One row per hop, direction, treatment and field: both barriers, rates, controlling saddle and residuals."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "hop": m.label,
                    "distance_A": m.distance_A,
                    "direction": f.direction_in_words,
                    **p.model_dump(),
                    "no_result": no_result(m.why_no_result),
                }
                for m in self.migrations
                for f in m.field_studies
                for p in f.points
            ]
        )


def _rows(hop: Migration) -> list[dict[str, object]]:
    base: dict[str, object] = {
        "hop": hop.label,
        "distance_A": hop.distance_A,
        "multiplicity": hop.multiplicity,
        "atoms": hop.cell_atoms,
        "saddles": len(saddle_images([p.energy_eV for p in hop.images])),
        "minima_between": len(hop.intermediates),
        "relation": ", ".join(hop.relation),
        "converged": hop.converged,
        "no_result": no_result(hop.why_no_result),
        "force_calls": hop.force_calls,
    }
    return [
        base
        | {
            "field_V_per_m": f.field_V_per_m,
            "forward_eV": f.forward_eV,
            "backward_eV": f.backward_eV,
            "delta_eV": f.delta_eV,
            "controlling_saddle": None if f.controlling_saddle_index is None else f.controlling_saddle_index + 1,
            "identity_residual_eV": f.residual_i_eV,
        }
        for f in hop.field
    ]
