"""Vacancy flow: every distinct vacancy, from one or several starts, against one static of the host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from jobflow import Flow, Job, job
from pymatgen.core import Structure

from ...analysis.defects.degeneracy import orientations, spin_states
from ...analysis.defects.size_correction import SizeCorrection
from ...analysis.defects.starts import judged_starts, where_electrons_sit
from ...analysis.defects.vacancies import VacancySet, VacancyState
from ...analysis.magnetism.oxidation_states import defect_difference
from ...analysis.results.calculation import Calculation, InvalidResultError, require_valid
from ...structures.defects.initial_states import DefectStart, StartKind, start_kinds, start_labels
from ...structures.defects.vacancies import VacancySite, distinct_vacancies, remove_site, representatives
from ...structures.host import HostKey, get_host, portable_host
from ..engine import Engine
from ..jobs.outputs import output_of
from ..maker import EngineMaker
from ..settings.bounds import require_at_least
from ..stage import Question, Stage, StageOption, StudyInMaking
from .building import Repeats, build_start, build_supercell, present_vacancies, tolerant, vacancy_sites

MOST_STARTS = 8


@dataclass
class VacancyFormationMaker(EngineMaker):
    """Energies of every distinct vacancy of a host.

    Attributes
    ----------
    engine
        Supplies ``relax`` and ``static``.
    repeats
        Supercell repeats of the host's ordered cell.
    starts
        Kinds of start, see `structures.defects.initial_states`: the cell as built by default. An engine with electrons
        ends in the state nearest to its start, so a result to be published needs ``START_KINDS``, within
        `most_starts`. Rigid ions end in one state from all.
    only
        Elements and sublattices to leave out all others; None takes all that the host names, or of many a few that
        stand for them where the engine has a limit, see `Engine.vacancy_limit`.
    most_starts
        Budget of starts for each vacancy, the most promising first; None for all.
    """

    as_before: ClassVar[Mapping[str, Any]] = {"most_starts": None}

    engine: Engine = field(kw_only=True)
    repeats: Repeats = (2, 2, 2)
    starts: Sequence[StartKind] = ("as built",)
    only: Sequence[tuple[str, str]] | None = None
    most_starts: int | None = None
    name: str = "vacancies"

    def __post_init__(self) -> None:
        """Look the engine up if it was named, and hold the budget to its range.

        Raises
        ------
        ValueError
            If the budget is no whole number above zero; errors of `EngineMaker` too.
        """
        super().__post_init__()
        if self.most_starts is not None:
            require_at_least(self, 1, ("most_starts",))

    def make(self, bulk: Calculation, host_key: HostKey, order: str | None = None) -> Flow:
        """Flow whose output is a `VacancySet`.

        Parameters
        ----------
        bulk
            Relaxed ordered cell, or a reference to it.
        host_key, order
            Host and cation order of `bulk`.
        """
        host_key = portable_host(host_key)
        self.engine.require("relax")
        self.engine.require("static")
        host_cell = build_supercell(bulk, self.repeats)
        host = self.engine.static(output_of(host_cell), name="host supercell")
        jobs: list[Job | Flow] = [host_cell, host]
        sites = study_sites(self.engine, vacancy_sites(host_key, order), self.only)
        cell = get_host(host_key).structure(order)
        starts = [start_labels(cell, site.index, tuple(self.starts))[: self.most_starts] for site in sites]
        relaxed: list[list[Calculation]] = []
        for site, own in zip(sites, starts, strict=True):
            outputs = []
            for start in own:
                built = build_start(bulk, self.repeats, site.index, start)
                name = f"{site.label} relax" if len(own) == 1 else f"{site.label} {start.label} relax"
                done = self.engine.relax(output_of(built), name=name)
                jobs += [built, done]
                outputs.append(output_of(done))
            relaxed.append(outputs)
        corrected = self.engine.size_corrections(bulk, self.repeats, [site.index for site in sites])
        if corrected is not None:
            jobs.append(corrected)
        output = None if corrected is None else corrected.output
        collected = tolerant(collect_vacancies(host.output, sites, starts, relaxed, output))
        return Flow([*jobs, collected], output=collected.output, name=self.name)


def study_sites(engine: Engine, sites: list[VacancySite], only: Sequence[tuple[str, str]] | None) -> list[VacancySite]:
    """Sites that a study computes: all that were asked for by name, else no more than the engine's limit."""
    chosen = chosen_sites(sites, only)
    return chosen if only is not None else representatives(chosen, engine.vacancy_limit())


def chosen_sites(sites: list[VacancySite], only: Sequence[tuple[str, str]] | None) -> list[VacancySite]:
    """Sites of the wanted elements and sublattices.

    Raises
    ------
    ValueError
        If one that is wanted is not among them.
    """
    if only is None:
        return sites
    wanted, known = {tuple(pair) for pair in only}, {(s.element, s.sublattice) for s in sites}
    if not wanted or wanted - known:
        names = ", ".join(f"{e} on {s}" for e, s in sorted(wanted - known)) or "no vacancy"
        raise ValueError(f"{names} asked for; this host has {', '.join(f'{e} on {s}' for e, s in sorted(known))}")
    return [s for s in sites if (s.element, s.sublattice) in wanted]


@job(name="collect vacancies")
def collect_vacancies(
    host: Calculation,
    sites: list[VacancySite],
    starts: list[list[DefectStart]],
    relaxed: list[list[Calculation | None]],
    corrections: list[SizeCorrection] | None = None,
) -> VacancySet:
    """Put the energies beside the sites' labels; of several starts the lowest is kept and all are listed.

    A start that gave nothing is None and left out, and so is a vacancy without any.

    Raises
    ------
    InvalidResultError
        If the host failed a check, or nothing came of any vacancy.
    """
    require_valid(host.checks, host.name)
    states, left_out = [], {}
    none: list[SizeCorrection | None] = [None] * len(sites)
    corrections_by_state = list(corrections) if corrections else none
    for site, own, done, correction in zip(sites, starts, relaxed, corrections_by_state, strict=True):
        there = [(start, one) for start, one in zip(own, done, strict=True) if one is not None]
        if there:
            state = _state(host, site, [start for start, _ in there], [one for _, one in there])
            states.append(state.model_copy(update={"size_correction": correction}))
        else:
            left_out[site.label] = "its relaxation ended with an error"
    if not states:
        raise InvalidResultError(f"no relaxation came to an end: {', '.join(left_out)}")
    return VacancySet(host=host, vacancies=states, left_out=left_out)


@job(name="vacancy's structure")
def vacancy_structure(vacancies: VacancySet, label: str) -> Structure:
    """Relaxed cell of one vacancy, in the state that was kept."""
    return next(v.calculation.structure for v in vacancies.vacancies if v.label == label)


def _state(host: Calculation, site: VacancySite, starts: list[DefectStart], done: list[Calculation]) -> VacancyState:
    lowest, listed = judged_starts(host, [start.label for start in starts], done)
    changed = where_electrons_sit(host, done[lowest])[0]
    return VacancyState(
        label=site.label,
        element=site.element,
        sublattice=site.sublattice,
        multiplicity=site.multiplicity,
        near_cations=site.near_cations,
        calculation=done[lowest],
        starts=listed,
        changed_ions=changed,
        degeneracy=_degeneracy(host, done[lowest], [ion.site for ion in changed]),
    )


def _degeneracy(host: Calculation, done: Calculation, changed: list[int]) -> float:
    """Orientations and spins of a relaxed vacancy; 1 where an ion left its site, so that none is known to be vacant."""
    try:
        vacant = defect_difference(host.structure, done.structure).changes[0].site
        if vacant is None:
            return 1.0
        ways = orientations(remove_site(host.structure, vacant), done.structure, changed)
    except ValueError:
        return 1.0
    return ways * spin_states(host.structure, done.total_moment_muB)


def starts_from(said: str | Sequence[str]) -> tuple[StartKind, ...]:
    """Kinds of start from a text or a list; errors as `start_kinds`."""
    return start_kinds(said if isinstance(said, str) else ",".join(said))


def budget_from(said: int | str) -> int:
    """A number of starts from a text.

    Raises
    ------
    ValueError
        If it is no whole number of at least 1.
    """
    text = str(said).strip()
    if not text.isdecimal() or int(text) < 1:
        raise ValueError("a budget of starts is a whole number of at least 1")
    return int(text)


class VacanciesStage(Stage):
    """Every distinct vacancy that the host names."""

    name = "vacancies"
    place = 20.0
    needs = ("relax", "static")
    when = "unasked"
    main = True
    document = VacancySet
    kinds = ("relax", "static")
    options = (
        StageOption(
            "starts",
            "Starts of each vacancy, point defect and charge: as_built,rattled,localised,on_anions,distorted,mixed or "
            "all; the lowest is kept [default: as_built].",
            starts_from,
            ("as built",),
            of_maker="starts",
        ),
        StageOption(
            "most_starts",
            "Budget of starts of each vacancy, point defect and charge, the most promising first "
            f"[default: {MOST_STARTS}].",
            budget_from,
            MOST_STARTS,
        ),
    )

    def host_reason(self, question: Question) -> str:
        """The order must have a site of one of the host's vacancies."""
        host = question.host
        if present_vacancies(host, question.cell):
            return ""
        return f"host {host.key} names no vacancy that its order {question.order} has a site for"

    def note(self, question: Question) -> str:
        """How many of the host's vacancies stand for the others."""
        sites = [
            site
            for element, sublattice in present_vacancies(question.host, question.cell)
            for site in distinct_vacancies(question.cell, element, sublattice)
        ]
        few = representatives(sites, question.engine.vacancy_limit())
        if question.only_vacancies or len(few) == len(sites):
            return ""
        return (
            f"{len(few)} of {len(sites)} distinct vacancies, one of each element, sublattice and surrounding and then "
            "those with most equivalent sites; most_vacancies in the engine's settings, or vacancies by name, computes "
            "others"
        )

    def build(self, study: StudyInMaking) -> Flow:
        """All vacancies, or those that the study is limited to, from the starts that it asks for."""
        maker = study.maker
        return VacancyFormationMaker(
            engine=study.engine,
            repeats=maker.repeats,
            only=maker.vacancies,
            starts=maker.starts,
            most_starts=study.option("most_starts"),
        ).make(study.bulk, study.host_key, study.order)


STAGE = VacanciesStage()
