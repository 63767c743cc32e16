"""Channels of chains of one atom by first principles that the package ships: what spin-orbit coupling does to them."""

from __future__ import annotations

import re
from functools import cache

from ..results.document import Document
from ..study.reference_calculations import ReferenceCalculation, reference_calculations_folder

_NAME = re.compile(r"wire(?P<element>[a-z]+)-pw\d+-n(?P<points>\d+)-d(?P<hundredths>\d+)")


class WireChannels(Document):
    """Bands that cross the Fermi level of a chain; each carries e2/h without scattering.

    Attributes
    ----------
    element, spacing_A, points
        Of the chain, and k-points along it.
    up, down
        Channels of both spins without spin-orbit coupling.
    along, across
        Channels with it, the moment along the chain and across it.
    source
        Name of the calculation.
    """

    element: str
    spacing_A: float
    points: int
    up: float
    down: float
    along: float
    across: float
    source: str

    @property
    def quanta(self) -> float:
        """Conductance without spin-orbit coupling in units of 2 e2/h."""
        return (self.up + self.down) / 2

    @property
    def resistance_change(self) -> float:
        """Resistance with the moment along the chain over that with it across, minus 1."""
        return self.across / self.along - 1


@cache
def known_wires() -> tuple[WireChannels, ...]:
    """All that are shipped and sound, by element and spacing."""
    wires = []
    for path in reference_calculations_folder().glob("wire*.json"):
        named = _NAME.fullmatch(path.stem)
        reference = ReferenceCalculation.model_validate_json(path.read_text())
        if named and reference.sound is not None:
            wires.append(
                WireChannels(
                    element=named["element"].capitalize(),
                    spacing_A=int(named["hundredths"]) / 100,
                    points=int(named["points"]),
                    up=reference.number("channels_up"),
                    down=reference.number("channels_down"),
                    along=reference.number("channels_along"),
                    across=reference.number("channels_across"),
                    source=reference.name,
                )
            )
    return tuple(sorted(wires, key=lambda wire: (wire.element, wire.spacing_A)))


def _what_it_is() -> str:
    """The model and what it leaves out."""
    points = min(wire.points for wire in known_wires())
    return (
        "endless chains of one atom at assumed spacings, without leads and scattering, where two crossings between "
        f"neighbouring ones of {points} k-points would be missed"
    )


def quanta_in_words() -> str:
    """Channels of every chain without spin-orbit coupling; empty without chains."""
    each = "; ".join(
        f"{w.element} at {w.spacing_A:g} A {w.up:g} + {w.down:g}, {w.quanta:g} of 2 e2/h" for w in known_wires()
    )
    return each and f"gpaw, PBE, {_what_it_is()}, channels of both spins: {each}"


def directions_in_words() -> str:
    """Channels of every chain with the moment along and across it; empty without chains."""
    each = "; ".join(
        f"{w.element} at {w.spacing_A:g} A {w.along:g} along, {w.across:g} across: R {w.resistance_change:+.0%}"
        for w in known_wires()
    )
    return each and (
        f"gpaw, PBE with spin-orbit coupling, {_what_it_is()}, bands that cross the Fermi level with the moment along "
        f"and across the current: {each}"
    )
