"""A gap of ZnO between metals by first principles that the package ships: decay in it, polarised electrons at it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache

from ..device.closed_forms import julliere_tmr
from ..results.document import Document
from ..study.reference_calculations import ReferenceCalculation, reference_calculations_folder

_METAL = re.compile(r"states(?P<element>[a-z]+)-pw\d+-k(?P<points>\d+)")
_MIDDLE = 0.5
# Width of the gap in the examples, Angstrom.
GAP_A = 5.0


class MetalStates(Document):
    """Densities of states of a ferromagnet at its Fermi level.

    Attributes
    ----------
    element, points
        Of the metal, and k-points along an edge of its zone.
    up_per_eV, down_per_eV
        Of the majority and the minority, 1/(eV atom).
    moment_muB
        Per atom.
    source
        Name of the calculation.
    """

    element: str
    points: int
    up_per_eV: float
    down_per_eV: float
    moment_muB: float
    source: str

    @property
    def polarisation(self) -> float:
        """(up - down)/(up + down)."""
        return (self.up_per_eV - self.down_per_eV) / (self.up_per_eV + self.down_per_eV)


class GapDecay(Document):
    """How fast a current decays along c of ZnO, k = 0 across it.

    Attributes
    ----------
    hubbard_U_eV
        On d of Zn and p of O.
    gap_eV
        Between both edges at that k.
    shares_of_gap, decay_per_A
        Energies above the valence edge over the gap, and the slowest decay of an amplitude there, 1/Angstrom.
    source
        Name of the calculation.
    """

    hubbard_U_eV: dict[str, float]
    gap_eV: float
    shares_of_gap: list[float]
    decay_per_A: list[float]
    source: str

    @property
    def middle_per_A(self) -> float:
        """Decay of an amplitude in the middle of the gap, 1/Angstrom."""
        return self.decay_per_A[self.shares_of_gap.index(_MIDDLE)]


@cache
def known_metals() -> tuple[MetalStates, ...]:
    """All that are shipped and sound, by element, the coarsest mesh first."""
    metals = []
    for path in reference_calculations_folder().glob("states*.json"):
        reference, named = ReferenceCalculation.model_validate_json(path.read_text()), _METAL.fullmatch(path.stem)
        sound = reference.sound
        if sound is None or named is None:
            continue
        metals.append(
            MetalStates(
                element=named["element"].capitalize(),
                points=int(named["points"]),
                up_per_eV=reference.number("states_up_per_eV"),
                down_per_eV=reference.number("states_down_per_eV"),
                moment_muB=sound.total_moment_muB / len(sound.structure),
                source=reference.name,
            )
        )
    return tuple(sorted(metals, key=lambda metal: (metal.element, metal.points)))


@cache
def known_decays() -> tuple[GapDecay, ...]:
    """All that are shipped and sound, the narrowest gap first."""
    decays = [
        GapDecay(
            hubbard_U_eV=reference.provenance.hubbard_U_eV,
            gap_eV=reference.number("gap_eV"),
            shares_of_gap=_numbers(reference, "shares_of_gap"),
            decay_per_A=_numbers(reference, "decay_per_A"),
            source=reference.name,
        )
        for path in reference_calculations_folder().glob("gapzno*.json")
        if (reference := ReferenceCalculation.model_validate_json(path.read_text())).sound is not None
    ]
    return tuple(sorted(decays, key=lambda decay: decay.gap_eV))


def _numbers(reference: ReferenceCalculation, name: str) -> list[float]:
    value = reference.numbers[name]
    if not isinstance(value, list):
        raise ValueError(f"{reference.name}: {name} is a list")
    return value


def densest(metals: Sequence[MetalStates]) -> dict[str, tuple[MetalStates, float]]:
    """Each metal on its densest mesh, and how far the next coarser one is from its polarisation."""
    of: dict[str, list[MetalStates]] = {}
    for metal in metals:
        of.setdefault(metal.element, []).append(metal)
    return {
        element: (found[-1], abs(found[-1].polarisation - found[-2].polarisation) if len(found) > 1 else math.nan)
        for element, found in of.items()
    }


def polarised_in_words() -> str:
    """Polarisation of each metal, and what Julliere makes of cobalt against iron; empty without metals."""
    best = densest(known_metals())
    if not best:
        return ""
    each = ", ".join(
        f"{element} {metal.polarisation:+.2f}{_error(error)}" for element, (metal, error) in sorted(best.items())
    )
    words = f"densities of states at the Fermi level, gpaw, PBE, bulk, are polarised by {each} (+ is the majority)"
    if "Co" in best and "Fe" in best:
        ratio = julliere_tmr(best["Co"][0].polarisation, best["Fe"][0].polarisation)
        words += f", which makes Julliere's ratio {ratio:+.2f} between Co and Fe"
    return words


def _error(error: float) -> str:
    return "" if math.isnan(error) else f" +-{error:.2f} by mesh"


def decays_in_words() -> str:
    """Decay in the middle of each gap, and what passes `GAP_A`; empty without calculations."""
    each = "; ".join(
        f"{decay.middle_per_A:.3f} for a gap of {decay.gap_eV:.2f} eV ({_of_U(decay.hubbard_U_eV)}), so that "
        f"{GAP_A / 10:g} nm pass {math.exp(-2 * decay.middle_per_A * GAP_A):.1e}"
        for decay in known_decays()
    )
    return each and (
        f"the slowest evanescent state in the middle of the gap of ZnO, along c and with no k across, gpaw in atomic "
        f"orbitals, decays in 1/A by {each}"
    )


def _of_U(hubbard_U_eV: dict[str, float]) -> str:
    return ", ".join(f"U {e} {u:g} eV" for e, u in sorted(hubbard_U_eV.items())) or "no U"
