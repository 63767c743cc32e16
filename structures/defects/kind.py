"""What a kind of point defect is: how it is written, where it can be in a cell, and what it removes and adds.

A new kind is one file in ``structures/defects/kinds`` with ``KIND`` set to an object of a subclass of `KindOfDefect`;
the stage ``point defects`` of a study then computes it, and its energies stand among those of the vacancies.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pymatgen.core import Structure

from ...stored.base import Stored


@dataclass(frozen=True)
class PlacedDefect(Stored):
    """A defect at one of its symmetry-distinct places in a cell.

    Attributes
    ----------
    kind
        Name of its kind.
    label
        E.g. ``Co_Fe(A)``, ``Li_i(16c)``, ``V_Fe(B)+V_O``; numbered where a kind of site splits.
    element, sublattice
        What was removed, and from where; of an interstitial what was added.
    removed
        Atoms removed by element; negative for atoms added.
    multiplicity
        Equivalent places in the cell.
    place
        What its kind needs to build it: sites, a position, valences.
    """

    kind: str
    label: str
    element: str
    sublattice: str
    removed: dict[str, int]
    multiplicity: int
    place: dict[str, Any]


class KindOfDefect(ABC):
    """One kind of point defect.

    Attributes
    ----------
    name
        In words.
    example
        As a user writes one.
    """

    name: ClassVar[str]
    example: ClassVar[str]

    @abstractmethod
    def reads(self, text: str) -> bool:
        """Whether a text is written like one of this kind."""

    @abstractmethod
    def distinct(self, cell: Structure, text: str) -> list[PlacedDefect]:
        """Every symmetry-distinct defect that a text asks for.

        Raises
        ------
        ValueError
            If the cell has no place for it.
        """

    @abstractmethod
    def built(self, cell: Structure, placed: PlacedDefect) -> Structure:
        """The cell with the defect; relaxed or not, it is the one that was searched."""


def kinds_of_defects() -> list[KindOfDefect]:
    """All kinds that have a file, by name."""
    from . import kinds

    found = []
    for module in pkgutil.iter_modules(kinds.__path__):
        kind = getattr(importlib.import_module(f"{kinds.__name__}.{module.name}"), "KIND", None)
        if not isinstance(kind, KindOfDefect):
            raise TypeError(f"structures/defects/kinds/{module.name}.py must set KIND to a KindOfDefect")
        found.append(kind)
    return sorted(found, key=lambda kind: kind.name)


def distinct_defects(cell: Structure, asked: Sequence[str]) -> list[PlacedDefect]:
    """Every symmetry-distinct defect that some texts ask for.

    Parameters
    ----------
    cell
        Perfect cell with site properties.
    asked
        Each as the kinds' examples show.

    Raises
    ------
    ValueError
        If a text is of no kind, the cell has no place for it, or two ask for one defect.
    """
    known = kinds_of_defects()
    out: list[PlacedDefect] = []
    for text in asked:
        kind = next((k for k in known if k.reads(text)), None)
        if kind is None:
            examples = "; ".join(f"{k.name}: {k.example}" for k in known)
            raise ValueError(f"{text!r} is no point defect; write e.g. {examples}")
        out += kind.distinct(cell, text)
    labels = [placed.label for placed in out]
    if doubled := sorted({label for label in labels if labels.count(label) > 1}):
        raise ValueError(f"{', '.join(doubled)} asked for twice")
    return out


def built_defect(cell: Structure, placed: PlacedDefect) -> Structure:
    """The cell with a defect in it."""
    return next(k for k in kinds_of_defects() if k.name == placed.kind).built(cell, placed)


def net_removed(gone: Sequence[str], come: Sequence[str]) -> dict[str, int]:
    """Atoms removed by element, negative for atoms added; elements that cancel are left out."""
    net: Mapping[str, int] = {el: gone.count(el) - come.count(el) for el in sorted({*gone, *come})}
    return {el: n for el, n in net.items() if n}
