"""Moments of lithium ferrite without an oxygen, without a lithium and with one more, by shipped first principles."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from ..results.calculation import Calculation
from ..results.checks import invalid_because
from ..results.document import Document
from ..study.reference_calculations import (
    ReferenceCalculation,
    forces_in_words,
    largest_force_eV_per_A,
    reference_calculations_folder,
)
from .evidence import Judgement
from .first_principles import SETS_OF_U

_WHOLE = "life56"
# Heads of the calculations' names, what is there in words, and the sign of the claimed change of the moment.
DEFECTS = {"life56vo": ("V_O", -1), "life56li": ("inserted Li", -1), "life56vli": ("V_Li", 1)}
# Below half a Bohr magneton per defect nothing changed hands.
SMALL_muB = 0.5
# An ion whose moment fell by this much from that of the whole crystal took an electron up.
_REDUCED_muB = 0.2


class FerriteMoment(Document):
    """What one defect changes of the moment of its cell, in the lowest of the electronic starts.

    Attributes
    ----------
    defect, hubbard_U_eV
        One of `DEFECTS` and U of Fe.
    change_muB
        Moment of the cell minus that of the whole one with the same U.
    reduced
        Number of iron ions on each sublattice that took an electron up, by their moments.
    next_start_eV
        How far the next electronic start ended above; None if there was one start.
    own_ions
        Whether the ions were relaxed with these electrons: a small polaron needs its own distortion.
    largest_force_eV_per_A
        What is left on the ions.
    cell_atoms, source
        In the cell, and the name of the calculation.
    """

    defect: str
    hubbard_U_eV: float
    change_muB: float
    reduced: dict[str, int]
    next_start_eV: float | None
    own_ions: bool
    largest_force_eV_per_A: float | None
    cell_atoms: int
    source: str

    @property
    def in_words(self) -> str:
        """One clause: U, change, where the electrons are."""
        where = " and ".join(f"{count} Fe({sublattice})" for sublattice, count in sorted(self.reduced.items()) if count)
        taken = f", electrons taken up by {where}" if where else ", no iron took an electron up"
        taken = taken if self.defect != "life56vli" else ""
        other = f", the next start {self.next_start_eV:.2f} eV above" if self.next_start_eV is not None else ""
        return f"{self.change_muB:+.2f} muB for U = {self.hubbard_U_eV:g} eV{taken}{other}"


@cache
def known_ferrite_moments() -> tuple[FerriteMoment, ...]:
    """All that are shipped with the whole cell of the same U, by defect and U."""
    by_setting: dict[tuple[str, float], list[tuple[str, Calculation]]] = {}
    for path in sorted(reference_calculations_folder().glob(f"{_WHOLE}*.json")):
        calculation = ReferenceCalculation.model_validate_json(path.read_text()).calculation
        if calculation is not None and not invalid_because(calculation.checks):
            key = path.stem.partition("-")[0], calculation.provenance.hubbard_U_eV["Fe"]
            by_setting.setdefault(key, []).append((path.name, calculation))
    moments = []
    for (defect, u), starts in by_setting.items():
        whole = by_setting.get((_WHOLE, u))
        if defect not in DEFECTS or not whole:
            continue
        starts.sort(key=lambda named: named[1].energy_eV)
        name, lowest = starts[0]
        moments.append(
            FerriteMoment(
                defect=defect,
                hubbard_U_eV=u,
                # The cycles settle moments to some 1e-3 muB.
                change_muB=round(lowest.total_moment_muB - whole[0][1].total_moment_muB, 2) + 0.0,
                reduced=_reduced(lowest, whole[0][1]),
                next_start_eV=starts[1][1].energy_eV - lowest.energy_eV if len(starts) > 1 else None,
                own_ions=lowest.force_calls > 1,
                largest_force_eV_per_A=largest_force_eV_per_A([lowest, whole[0][1]]),
                cell_atoms=len(lowest.structure),
                source=f"data/gpaw/{name}",
            )
        )
    return tuple(sorted(moments, key=lambda moment: (list(DEFECTS).index(moment.defect), moment.hubbard_U_eV)))


def _reduced(made: Calculation, whole: Calculation) -> dict[str, int]:
    """Iron ions by sublattice whose moment lies below the mean of the whole crystal's."""
    counts = {}
    for sublattice in ("A", "B"):
        mean = [abs(m) for site, m in _irons(whole) if site == sublattice]
        bound = sum(mean) / len(mean) - _REDUCED_muB
        counts[sublattice] = sum(site == sublattice and abs(m) < bound for site, m in _irons(made))
    return counts


def _irons(made: Calculation) -> list[tuple[str, float]]:
    return [
        (str(site.properties["sublattice"]), moment)
        for site, moment in zip(made.structure, made.site_moments_muB or [], strict=True)
        if site.specie.symbol == "Fe"
    ]


def beside_ferrite(own: Judgement) -> Judgement:
    """C11 with what shipped first principles say of the three defects; they decide once `SETS_OF_U` sets of U
    agree, with ions relaxed by the same electrons.
    """
    moments = known_ferrite_moments()
    if not moments:
        return own
    verdict = own.verdict
    signs = {defect: _signs(moments, defect) for defect in DEFECTS}
    if all(m.own_ions for m in moments) and all(len(s) >= SETS_OF_U for s in signs.values()):
        as_claimed = [set(s) == {sign} for (_, sign), s in zip(DEFECTS.values(), signs.values(), strict=True)]
        verdict = "reproduced" if all(as_claimed) else "undecided" if any(as_claimed) else "contradicted"
    oxygen = [m.change_muB for m in moments if m.defect == "life56vo"]
    value = min(oxygen, key=abs) if oxygen else None
    return Judgement(verdict, value, "muB per V_O", f"{moments_in_words(moments)}; {own.reason}", by="gpaw (GPAW)")


def _signs(moments: Sequence[FerriteMoment], defect: str) -> list[int]:
    return [
        0 if abs(m.change_muB) < SMALL_muB else 1 if m.change_muB > 0 else -1 for m in moments if m.defect == defect
    ]


def _ions(moments: Sequence[FerriteMoment]) -> str:
    if all(m.own_ions for m in moments):
        return "ions relaxed"
    left = forces_in_words(m.largest_force_eV_per_A for m in moments)
    return f"ions by a potential{left}, without the distortion that would hold an electron on one iron"


def moments_in_words(moments: Sequence[FerriteMoment]) -> str:
    """Each defect with its sets of U."""
    clauses = []
    for defect, (title, sign) in DEFECTS.items():
        words = "; ".join(m.in_words for m in moments if m.defect == defect)
        if words:
            clauses.append(f"{title} (claimed: {'a rise' if sign > 0 else 'a fall'}) {words}")
    return (
        f"gpaw, PBE+U in atomic orbitals (dzp) at Gamma, {min(m.cell_atoms for m in moments)} to "
        f"{max(m.cell_atoms for m in moments)} atoms of LiFe5O8, "
        f"{_ions(moments)}, neutral: {'. '.join(clauses)}"
    )
