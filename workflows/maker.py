"""Base of the flows' Makers: they take an engine as an object or by name."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobflow import Maker

from ..stored.base import Stored
from .engine import Engine, get_engine


@dataclass
class EngineMaker(Stored, Maker):
    """A Maker whose jobs an engine supplies.

    Attributes
    ----------
    engine
        An `Engine`, or its name as `get_engine` takes it.
    """

    engine: Engine = field(kw_only=True)
    name: str = "flow"

    def __post_init__(self) -> None:
        """Look the engine up if it was named; whatever relaxes as an engine does may stand for one.

        Raises
        ------
        UnknownEngineError
            If it is neither.
        """
        if not hasattr(self.engine, "relax"):
            self.engine = get_engine(self.engine)
