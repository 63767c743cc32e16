"""What of a study is no result: parts whose calculations failed, and numbers that rest on a failed check."""

from __future__ import annotations

from dataclasses import dataclass

from ..defects.formation import not_below_zero
from ..results.checks import Check, invalid_because, no_result
from .documents import Study, VacancyResult
from .observables import checks_of


@dataclass(frozen=True)
class Failure:
    """One part of a study that is no result, and why.

    Attributes
    ----------
    part
        E.g. ``Co(B) -> V_Fe(B)`` or ``stage vibrations``.
    reasons
        Checks that failed, or what ended the calculation.
    """

    part: str
    reasons: tuple[str, ...]

    @property
    def in_words(self) -> str:
        """One line."""
        return f"{self.part}: {no_result(self.reasons, most=3)}"


def formation_checks(vacancy: VacancyResult) -> list[Check]:
    """Checks of a vacancy's formation energies, also of a study that was written before there were any."""
    if vacancy.formation_checks or vacancy.oxygen_rich is None or vacancy.oxygen_poor is None:
        return vacancy.formation_checks
    lowest = min(vacancy.oxygen_rich.low_eV, vacancy.oxygen_poor.low_eV)
    return [not_below_zero(lowest, vacancy.error_bar_eV)]


def failures(study: Study) -> list[Failure]:
    """Everything of a study that must not be used, in the order of the page; empty if all of it may."""
    failed = [Failure(f"stage {s.stage}", (s.reason,)) for s in study.stages if s.failed]
    checked = [(v.label, v.checks) for v in study.vacancies]
    if study.charged is not None:
        checked += [(f"{s.label}, q = {s.charge:+d}", s.checks) for s in study.charged.states]
    if study.chemical_potentials is not None:
        checked.append(("formation energies", study.chemical_potentials.checks))
    checked += [(f"hop {m.label}", m.checks) for m in study.migration]
    if study.vibrations is not None:
        checked.append((f"vibrations of {study.vibrations.label}", study.vibrations.checks))
    if study.anisotropy is not None:
        checked += [(f"E(n) of {m.state}", m.checks) for m in study.anisotropy.maps]
    checked += [(f"stage {stage}", checks_of(document)) for stage, document in study.observables.items()]
    return failed + [Failure(part, tuple(why)) for part, checks in checked if (why := invalid_because(checks))]
