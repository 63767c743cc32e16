"""Which of several starts of a defect is kept, and where the electrons of each sit."""

from __future__ import annotations

from collections.abc import Sequence

from ..magnetism.oxidation_states import (
    ChangedIon,
    as_found,
    changed_ions,
    compensation_text,
    defect_difference,
    electrons_missing,
)
from ..results.calculation import Calculation
from ..results.checks import invalid_because
from .vacancies import StartEnergy

# Two relaxations that end this near to each other ended in one state; what ShakeNBreak asks of a start that is kept.
SAME_STATE_eV = 0.05


def judged_starts(
    host: Calculation, labels: Sequence[str], done: Sequence[Calculation], charge: int = 0
) -> tuple[int, list[StartEnergy]]:
    """The start that is kept, and all of them with what their electrons did.

    Parameters
    ----------
    host
        Perfect cell.
    labels, done
        Starts and where they ended; at least one.
    charge
        Of the cells, e.

    Returns
    -------
    kept, starts
        Index of the lowest sound start, of the lowest of all if none is sound, to be looked at: its checks keep it out
        of every ranking; and all starts, sound ones first, the lowest of them at their head.
    """
    reasons = ["; ".join(invalid_because(c.checks)) for c in done]
    usable = [k for k, reason in enumerate(reasons) if not reason] or list(range(len(done)))
    lowest = min(usable, key=lambda k: (not done[k].converged, done[k].energy_eV))
    listed = []
    for label, c, reason in zip(labels, done, reasons, strict=True):
        _, text, moved = where_electrons_sit(host, c, charge)
        listed.append(
            StartEnergy(
                label=label,
                above_lowest_eV=c.energy_eV - done[lowest].energy_eV,
                total_moment_muB=c.total_moment_muB,
                compensation=text,
                converged=c.converged,
                refused=reason,
                distortion_A=moved,
                site_moments_muB=c.site_moments_muB,
            )
        )
    return lowest, sorted(listed, key=lambda s: (bool(s.refused), s.above_lowest_eV))


def where_electrons_sit(
    host: Calculation, done: Calculation, charge: int = 0
) -> tuple[list[ChangedIon], str, float | None]:
    """Ions that changed, in words, and the largest displacement (Angstrom) of an ion that kept its site.

    Where an ion left its site nothing is read, and the words say so.
    """
    perfect, cell = as_found(host), as_found(done)
    try:
        ions = changed_ions(perfect, cell, charge)
        difference = defect_difference(perfect, cell)
    except ValueError as error:
        return [], f"not read: {error}", None
    text = compensation_text(ions)
    missing = round(electrons_missing(perfect, difference, charge, cell))
    loose = abs(missing) - len(ions)
    if ions and loose > 0:
        text += f", {loose} {'hole' if missing > 0 else 'electron'}{'s' if loose > 1 else ''} on no one ion"
    return ions, text, difference.largest_A


def beaten_starts(label: str, starts: Sequence[StartEnergy], error_eV: float = SAME_STATE_eV) -> str:
    """What a reader has to know of a defect whose cell as built ends above another start; empty if it does not.

    Parameters
    ----------
    label
        Of the defect, with its charge.
    starts
        All its starts.
    error_eV
        What two ends of one state may differ by.
    """
    sound = [s for s in starts if not s.refused]
    plain = next((s for s in sound if s.label == "as built"), None)
    best = min(sound, key=lambda s: s.above_lowest_eV, default=None)
    if plain is None or best is None or plain.above_lowest_eV - best.above_lowest_eV <= error_eV:
        return ""
    rise = plain.above_lowest_eV - best.above_lowest_eV
    return f"{label}: the cell as built ends {rise:.2f} eV above the start {best.label} ({best.compensation})"
