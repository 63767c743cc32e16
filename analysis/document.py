"""The common ground of all results: a pydantic base class and the provenance of a number."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pymatgen.core import Structure

Tier = Literal["local", "ML", "GPAW", "VASP", "experiment", "arithmetic"]


def _structure_dict(structure: Structure) -> dict[str, Any]:
    return dict(structure.as_dict())


# pymatgen reads itself back from a dictionary; only the way out to JSON is missing.
StructureField = Annotated[Structure, PlainSerializer(_structure_dict)]


class Document(BaseModel):
    """Base of every result. Unknown keys are refused, so a typo never passes as a result."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Provenance(Document):
    """Where a number comes from and what it leaves out.

    Units are eV for ``hubbard_U_eV``; ``settings`` holds plain JSON values only.
    """

    engine: str
    tier: Tier
    functional: str | None = None
    hubbard_U_eV: dict[str, float] = Field(default_factory=dict)
    settings: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    left_out: list[str] = Field(default_factory=list)
