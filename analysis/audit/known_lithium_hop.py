"""Barrier of lithium into V_Fe(B) of lithium ferrite by shipped first principles, U by U."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain

from ..results.calculation import Calculation
from ..results.document import Document
from ..study.documents import Verdict
from ..study.reference_calculations import (
    ReferenceCalculation,
    forces_in_words,
    largest_force_eV_per_A,
    reference_calculations_folder,
)
from .evidence import Judgement
from .first_principles import SETS_OF_U
from .known_bands import KnownBand, SAME_STATE_muB, known_bands, largest_change_muB
from .lithium import EASY_BARRIER_eV

HEAD, BAND = "life55", "life55band"
_ENDS = ("before", "after")


class LithiumHop(Document):
    """The hop at one U of Fe.

    Attributes
    ----------
    hubbard_U_eV
        Of Fe.
    forward_eV, back_eV
        From the end before and from the end after it to the highest saddle.
    same_state
        Whether the moment of every iron stays within 0.3 muB at all points; else their energies are those of
        different electronic states, and no barrier.
    largest_force_eV_per_A
        What is left on the ions.
    cell_atoms, source
        In the cell, and the names of the calculations.
    """

    hubbard_U_eV: float
    forward_eV: float
    back_eV: float
    same_state: bool
    largest_force_eV_per_A: float | None
    cell_atoms: int
    source: str

    @property
    def in_words(self) -> str:
        """One clause."""
        how = f"U = {self.hubbard_U_eV:g} eV"
        if not self.same_state:
            return f"{how}: no barrier, its points have electrons in different places"
        return f"{how}: {self.forward_eV:.2f} eV in and {self.back_eV:.2f} eV out"


@cache
def known_lithium_hops() -> tuple[LithiumHop, ...]:
    """All of which both ends and a saddle are there, by U."""
    by_u: dict[float, dict[str, Calculation]] = {}
    for path in sorted(reference_calculations_folder().glob(f"{HEAD}*.json")):
        point = ReferenceCalculation.model_validate_json(path.read_text()).sound
        if point is not None:
            name = path.stem.removeprefix(HEAD).partition("-")[0]
            by_u.setdefault(point.provenance.hubbard_U_eV["Fe"], {})[name] = point
    return tuple(_hop(u, points) for u, points in sorted(by_u.items()) if _complete(points))


def _complete(points: Mapping[str, Calculation]) -> bool:
    return set(_ENDS) <= set(points) and any(name.startswith("saddle") for name in points)


def _hop(u: float, points: Mapping[str, Calculation]) -> LithiumHop:
    top = max(point.energy_eV for name, point in points.items() if name.startswith("saddle"))
    return LithiumHop(
        hubbard_U_eV=u,
        forward_eV=top - points["before"].energy_eV,
        back_eV=top - points["after"].energy_eV,
        same_state=_change_of_iron_muB(list(points.values())) < SAME_STATE_muB,
        largest_force_eV_per_A=largest_force_eV_per_A(points.values()),
        cell_atoms=len(points["before"].structure),
        source=", ".join(f"data/gpaw/{point.name}.json" for point in points.values()),
    )


def _change_of_iron_muB(points: Sequence[Calculation]) -> float:
    """Of the moment of one iron between any two points."""
    iron = [i for i, s in enumerate(points[0].structure) if s.specie.symbol == "Fe"]
    return largest_change_muB([[(point.site_moments_muB or [])[i] for i in iron] for point in points])


def beside_lithium_hop(own: Judgement) -> Judgement:
    """C12 with what shipped first principles say of the hop; they decide once `SETS_OF_U` sets of U agree.

    Fewer sets leave a verdict of theirs standing, and take one away that they do not share. Where a whole path was
    converged, its barriers count instead of those of single points at the same U.
    """
    hops, bands = known_lithium_hops(), known_bands(BAND)
    if not hops and not bands:
        return own
    by_u: dict[float, LithiumHop | KnownBand] = {h.hubbard_U_eV: h for h in hops if h.same_state}
    by_u |= {band.hubbard_U_eV["Fe"]: band for band in bands if band.same_state}
    barriers = [(h.forward_eV, h.back_eV) for h in by_u.values()]
    verdict, value = own.verdict, own.value
    if barriers and (said := _verdict(barriers)) != verdict:
        verdict = "undecided"
    if len(barriers) >= SETS_OF_U:
        verdict = said
        value = max(chain.from_iterable(barriers))
    atoms = hops[0].cell_atoms if hops else bands[0].cell_atoms
    text = f"gpaw, PBE+U in atomic orbitals (dzp) at Gamma, {atoms} atoms: "
    if hops:
        left = forces_in_words(h.largest_force_eV_per_A for h in hops)
        text += (
            f"single points at the stationary points of SevenNet's path{left}, {'; '.join(h.in_words for h in hops)}; "
        )
    if bands:
        text += f"its own climbing band with relaxed ends, {'; '.join(b.in_words for b in bands)}; "
    return Judgement(
        verdict, value, own.unit, f"{text}{own.reason}", by="gpaw (GPAW)" if value is not own.value else own.by
    )


def _verdict(barriers: Sequence[tuple[float, float]]) -> Verdict:
    harder, easier = [max(both) for both in barriers], [min(both) for both in barriers]
    if max(harder) <= EASY_BARRIER_eV:
        return "reproduced"
    return "contradicted" if min(easier) > EASY_BARRIER_eV else "undecided"
