"""What a user says about a study that no calculation of it knows."""

from __future__ import annotations

from pydantic import Field

from .device_study import FilmDeclaration
from .document import Document
from .frozen_reference import FrozenReference
from .switching import FieldPulse


class Declarations(Document):
    """Reference, pulse and film of a study.

    Attributes
    ----------
    reference
        What is frozen; None, the default: nothing.
    pulse, film
        Field pulse of the switching path; film of the device figures.
    """

    reference: FrozenReference | None = None
    pulse: FieldPulse = Field(default_factory=FieldPulse)
    film: FilmDeclaration = Field(default_factory=FilmDeclaration)
