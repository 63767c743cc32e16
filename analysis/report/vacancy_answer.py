"""The first row of a study: which cation vacancy forms, as far as the numbers carry it."""

from __future__ import annotations

from collections.abc import Sequence

from ..results.checks import failed, invalid_because
from ..study.documents import Study, VacancyResult
from ..study.vacancy_order import UNLIKE_CHARGES, sizes_apart_eV, vacancy_difference
from ..study.validity import formation_checks
from ..thermodynamics.gases import GASES, edge_words
from .beside import better_words, with_more
from .model import Answer

QUESTION = "Which cation vacancy forms?"


def vacancy_answer(study: Study) -> Answer:
    """The row; the order within one element comes first, for there the errors of the references cancel.

    A formation energy below zero beyond its error is no answer: it says that the references or the engine are wrong,
    and only the order within one element is left.
    """
    beside = better_words(study, "vacancies")
    alone = [v for v in study.vacancies if v.removed in ({}, {v.element: 1})]
    cations = [v for v in alone if v.element not in GASES and not invalid_because(v.checks)]
    if not cations:
        any_ = any(v.element not in GASES for v in alone)
        none = "no cation vacancy of this study passed its checks" if any_ else "this study has no cation vacancy"
        reason = study.not_done("vacancies") or none
        return with_more(Answer(QUESTION, "not computed", f"vacancies: {reason}"), beside)
    ranked = [v for v in cations if v.oxygen_rich is not None]
    wrong = [(v, c) for v in ranked for c in failed(formation_checks(v))]
    like = like_for_like(cations)
    if not ranked or wrong:
        short = "; ".join(like) or "no result"
        why = f"no formation energies: {_first_sentence(study.not_done('chemical potentials'))}"
        if wrong:
            vacancy, check = min(wrong, key=lambda item: item[1].value or 0.0)
            unlike = " between unlike ions" if len({_ion(v) for v in cations}) > 1 else ""
            why = (
                f"no result{unlike}: {vacancy.label}, {check.in_words}; a stable host has none below zero, "
                "so that references or engine are wrong by more than the error says"
            )
        return with_more(Answer(QUESTION, short, why), beside)
    return with_more(_ranked_answer(study, ranked, like), beside)


def like_for_like(vacancies: Sequence[VacancyResult]) -> list[str]:
    """The easiest vacancy of each ion that has several, e.g. ``V_Fe(B) before V_Fe(A) by 1.34 eV``.

    Ions of one element and one charge: Fe2+ and Fe3+ of magnetite are two. Two that lie nearer than the errors of
    their cells' size are not told apart.
    """
    out = []
    for ion in dict.fromkeys(_ion(v) for v in vacancies):
        own = sorted((v for v in vacancies if _ion(v) == ion), key=lambda v: v.corrected_minus_host_eV)
        if len(own) < 2:
            continue
        first, second = own[:2]
        apart = second.corrected_minus_host_eV - first.corrected_minus_host_eV
        more = f" ({len(own) - 2} more of {first.element} above)" if len(own) > 2 else ""
        if apart <= sizes_apart_eV(first, second):
            out.append(f"{first.label} or {second.label}: not told apart{more}")
        else:
            out.append(f"{first.label} before {second.label} by {apart:.2f} eV{more}")
    return out


def _ion(vacancy: VacancyResult) -> tuple[str, float]:
    """Element and size of the missing charge, by the correction that a cell of this size gives it."""
    return vacancy.element, round(vacancy.size_correction_eV or 0.0, 3)


def _first_sentence(reason: str) -> str:
    """What is wrong, without what to do about it: the stages' table says both."""
    return reason.split(". ")[0]


def _ranked_answer(study: Study, vacancies: Sequence[VacancyResult], like: list[str]) -> Answer:
    edges = {v.label: v.oxygen_rich for v in vacancies if v.oxygen_rich is not None}
    ordered = sorted(vacancies, key=lambda v: edges[v.label].low_eV)
    # Of each ion only its easiest vacancy competes: among like ions the order is known.
    easiest = {_ion(v): v for v in sorted(vacancies, key=lambda v: -v.corrected_minus_host_eV)}
    ordered = [v for v in ordered if easiest[_ion(v)] is v]
    lowest = ordered[0]
    best = edges[lowest.label]
    open_ = [v.label for v in ordered[1:] if _ion(v) != _ion(lowest) and _undecided(study, v, lowest)]
    error = "no error bar" if lowest.error_bar_eV is None else f"references ± {lowest.error_bar_eV:.2f} eV"
    if best.low_eV < 0:
        error += "; a stable host has none below zero: this one is so within that error"
    detail = f"{lowest.label}: {best.low_eV:.2f} eV at the {_rich(study)} edge ({error})"
    if open_:
        detail += f", which leaves its order with {', '.join(open_)} open"
        detail += f": {UNLIKE_CHARGES}" if study.engine.level_of_theory == "local" else ""
    return Answer(QUESTION, " or ".join([lowest.label, *open_]), "; ".join([*like, detail]))


def _rich(study: Study) -> str:
    potentials = study.chemical_potentials
    return edge_words("O" if potentials is None else potentials.window.anion)[1]


def _undecided(study: Study, one: VacancyResult, lowest: VacancyResult) -> bool:
    """Whether the order of two unlike vacancies stays open at some potential of the window."""
    potentials = study.chemical_potentials
    if potentials is None or study.engine.level_of_theory == "local":
        return True
    apart = vacancy_difference(one, lowest, potentials.window, potentials.references)
    return apart.error_eV is None or apart.low_eV < apart.error_eV
