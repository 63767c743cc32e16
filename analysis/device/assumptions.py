"""What a user says about a study that no calculation of it knows."""

from __future__ import annotations

from pydantic import Field

from ..kinetics.switching import FieldPulse
from ..magnetism.frozen_reference import FrozenReference
from ..results.document import Document
from ..thermodynamics.phases import Phase
from .film import FilmAssumptions


class Assumptions(Document):
    """Reference, pulse and film of a study, and enthalpies of the user's own.

    Attributes
    ----------
    reference
        What is frozen; None, the default: nothing.
    pulse, film
        Field pulse of the switching path; film of the device figures.
    enthalpies
        Formation enthalpies used before those of the table, for the window from measured ones.
    """

    reference: FrozenReference | None = None
    pulse: FieldPulse = Field(default_factory=FieldPulse)
    film: FilmAssumptions = Field(default_factory=FilmAssumptions)
    enthalpies: list[Phase] = Field(default_factory=list)
