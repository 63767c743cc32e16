"""Charged defects as a flow: host and its edges, dielectric tensor, every defect in every charge state and start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, ClassVar

from jobflow import Flow, Job, Response, job
from pymatgen.core import Structure

from ...analysis.defects.band_filling import band_filling
from ...analysis.defects.charged_cells import (
    LEFT_OUT,
    ONE_START,
    ChargedCell,
    ChargedVacancies,
    ChargedVacancy,
    DielectricResult,
    band_edges,
    corrections_of,
)
from ...analysis.defects.degeneracy import orientations, spin_states
from ...analysis.defects.starts import SAME_STATE_eV, beaten_starts, judged_starts, where_electrons_sit
from ...analysis.defects.vacancies import VacancySet
from ...analysis.magnetism.oxidation_states import as_found, site_moments
from ...analysis.results.calculation import Calculation, invalid_because, require_valid
from ...analysis.results.document import Document
from ...stored.caching import cache_version
from ...structures.cells.supercell import supercell
from ...structures.defects.charge_compensation import charges_to_neutral
from ...structures.defects.difference import cell_difference, charge_centre
from ...structures.defects.initial_states import DefectStart, StartKind, defect_starts
from ...structures.defects.kind import PlacedDefect, built_defect, distinct_defects
from ...structures.defects.vacancies import same_site_in
from ...structures.host import HostKey, get_host, portable_host
from ...structures.layers import not_three_dimensional
from ...structures.spins import total_valence
from ..engine import Engine
from ..jobs.outputs import output_of
from ..maker import EngineMaker
from ..settings.bounds import require_at_least
from ..stage import Question, Stage, StudyInMaking
from .building import Repeats, as_repeats, build_supercell, tolerant, vacancy_sites
from .point_defects import asked_defects, build_defect_start
from .vacancies import MOST_STARTS, study_sites

FROM_NEUTRAL = DefectStart("neutral defect as kept", "localised")


class TriedStart(Document):
    """The end of one charge state tried on another.

    Attributes
    ----------
    defect
        Index among the flow's defects.
    start
        Label.
    """

    defect: int
    start: str
    cell: ChargedCell


@dataclass
class ChargedVacanciesMaker(EngineMaker):
    """Every distinct vacancy of a host, and other defects, from neutral to fully ionised.

    Attributes
    ----------
    engine
        Supplies ``charged``, and ``dielectric`` unless `dielectric` is given.
    repeats
        Supercell repeats of the host's ordered cell.
    only
        Elements and sublattices of vacancies to leave out all others.
    charges
        Charges to compute of those from neutral to fully ionised; None computes all.
    starts
        Kinds of start of every charge, see `structures.defects.initial_states`. With more than one kind, the end of a
        start that was worth it for one charge is tried on the others.
    most_starts
        Budget of starts for each charge, the most promising first; None for all.
    also
        Other defects in words, see `structures.defects.kind`.
    dielectric
        Static relative permittivity, shape (3, 3), for an engine that cannot compute one; `source` says whose.
    source
        Where a given permittivity comes from.
    """

    as_before: ClassVar[Mapping[str, Any]] = {"starts": ("as built",), "most_starts": None, "also": ()}

    engine: Engine = field(kw_only=True)
    repeats: Repeats = (2, 2, 2)
    only: Sequence[tuple[str, str]] | None = None
    charges: Sequence[int] | None = None
    starts: Sequence[StartKind] = ("as built",)
    most_starts: int | None = MOST_STARTS
    also: Sequence[str] = ()
    dielectric: Sequence[Sequence[float]] | None = None
    source: str = ""
    name: str = "charged vacancies"

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

    def make(self, bulk: Calculation, host_key: HostKey, order: str | None = None, neutral: Any = None) -> Flow:
        """Flow whose output is a `ChargedVacancies`.

        Parameters
        ----------
        bulk
            Relaxed ordered cell, or a reference to it.
        host_key, order
            Host and cation order of `bulk`.
        neutral
            `VacancySet` of the neutral vacancies, or a reference to one: the neutral charge goes on from what it kept.

        Raises
        ------
        CannotDoError
            If the engine cannot do charged cells, or no dielectric tensor and none is given.
        ValueError
            If the host is a slab, a wire or a molecule in vacuum.
        """
        host_key = portable_host(host_key)
        self.engine.require("charged")
        if reason := not_three_dimensional(get_host(host_key).structure(order)):
            raise ValueError(reason)
        jobs: list[Job | Flow] = []
        tensor: DielectricResult | None = None
        if self.dielectric is None:
            self.engine.require("dielectric")
            charged_job = self.engine.dielectric(bulk.structure, name="dielectric tensor")
            jobs.append(charged_job)
            tensor = output_of(charged_job)
        host_cell = build_supercell(bulk, self.repeats)
        host = self.engine.charged(output_of(host_cell), 0, relax=False, name="host with potentials")
        jobs += [host_cell, host]
        dense: Any = None
        if (finer := self.engine.with_dense_mesh()) != self.engine:
            levels = finer.charged(bulk.structure, 0, relax=False, name="host with a dense mesh")
            jobs.append(levels)
            dense = output_of(levels)
        placed, vacancies = self.placed_defects(host_key, order)
        cells = supercell(get_host(host_key).structure(order), as_repeats(self.repeats))
        starts: list[list[DefectStart]] = []
        dielectric_jobs: list[list[ChargedCell]] = []
        for one in placed:
            before = neutral if one.label in vacancies else None
            own = self.starts_of(built_defect(cells, one), has_neutral=before is not None)
            outputs = []
            for start in own:
                if start.label == FROM_NEUTRAL.label:
                    built = kept_cell(before, one.label)
                else:
                    built = build_defect_start(bulk, self.repeats, one, start)
                several = sum(s.charge_e == start.charge_e for s in own) > 1
                name = f"{one.label} q={start.charge_e:+d}{f' {start.label}' if several else ''}"
                done = self.engine.charged(output_of(built), start.charge_e, relax=True, name=name)
                jobs += [built, done]
                outputs.append(output_of(done))
            starts.append(own)
            dielectric_jobs.append(outputs)
        tried: Any = []
        if tuple(self.starts) != ("as built",):
            again = tolerant(try_on_other_charges(self.engine, placed, starts, dielectric_jobs, neutral))
            jobs.append(again)
            tried = again.output
        given = None if self.dielectric is None else [[float(x) for x in row] for row in self.dielectric]
        collected = tolerant(
            collect_charged(
                bulk,
                self.repeats,
                host.output,
                tensor,
                given,
                self.source,
                placed,
                starts,
                dielectric_jobs,
                tried,
                dense,
            )
        )
        return Flow([*jobs, collected], output=collected.output, name=self.name)

    def placed_defects(self, host_key: HostKey, order: str | None) -> tuple[list[PlacedDefect], set[str]]:
        """All defects at their places in the unrelaxed supercell, and the labels of the vacancies among them."""
        cell = get_host(host_key).structure(order)
        big = supercell(cell, as_repeats(self.repeats))
        sites = study_sites(self.engine, vacancy_sites(host_key, order), self.only)
        vacancies = [
            PlacedDefect(
                "vacancy",
                site.label,
                site.element,
                site.sublattice,
                {site.element: 1},
                site.multiplicity * prod(self.repeats),
                {"site": same_site_in(big, cell, site.index)},
            )
            for site in sites
        ]
        labels = {one.label for one in vacancies}
        others = [one for one in distinct_defects(big, self.also) if one.label not in labels]
        for one in others:
            self.engine.check(built_defect(big, one))
        return [*vacancies, *others], labels

    def starts_of(self, cell: Structure, *, has_neutral: bool) -> list[DefectStart]:
        """Starts of every charge of a defect; the neutral one goes on from the stage before where that computed it."""
        own: list[DefectStart] = []
        full = round(total_valence(cell))
        for charge in reversed(charges_to_neutral(full)):
            if self.charges is not None and charge not in self.charges:
                continue
            if charge == 0 and has_neutral:
                own.append(FROM_NEUTRAL)
                continue
            own += defect_starts(cell, charge, tuple(self.starts), most=self.most_starts, full_charge=full)
        return own


@job(name="neutral defect as kept")
def kept_cell(neutral: VacancySet, label: str) -> Structure:
    """Relaxed cell of a neutral defect with the moments that were found."""
    return as_found(next(v.calculation for v in neutral.vacancies if v.label == label))


@job(name="try starts on other charges")
def try_on_other_charges(
    engine: Engine,
    placed: list[PlacedDefect],
    starts: list[list[DefectStart]],
    found: list[list[ChargedCell | None]],
    neutral: VacancySet | None = None,
) -> Response[Any] | list[TriedStart]:
    """Relax every other charge from the end of each start that was worth it, nearest charge first."""
    jobs: list[Job | Flow] = []
    # Neutral vacancies whose cell as built was the lowest are no news to the other charges.
    plain = {v.label for v in neutral.vacancies if not beaten_starts(v.label, v.starts)} if neutral else set()
    places: list[tuple[int, str]] = []
    cells: list[Any] = []
    for number, (one, own, outputs) in enumerate(zip(placed, starts, found, strict=True)):
        charges = list(dict.fromkeys(start.charge_e for start in own))
        for start, cell in worthwhile(own, outputs):
            if start.label == FROM_NEUTRAL.label and one.label in plain:
                continue
            for charge in sorted(charges, key=lambda q: (abs(q - start.charge_e), q)):
                if charge == start.charge_e:
                    continue
                label = f"end of q={start.charge_e:+d} {start.label}"
                name = f"{one.label} q={charge:+d} {label}"
                done = engine.charged(as_found(cell.calculation), charge, relax=True, name=name)
                jobs.append(done)
                places.append((number, label))
                cells.append(output_of(done))
    if not jobs:
        return []
    last = tolerant(listed_tries(places, cells))
    return Response(replace=Flow([*jobs, last], output=last.output))


@job(name="tried starts")
def listed_tries(places: list[tuple[int, str]], cells: list[ChargedCell | None]) -> list[TriedStart]:
    """The tries that came to an end."""
    return [
        TriedStart(defect=number, start=label, cell=cell)
        for (number, label), cell in zip(places, cells, strict=True)
        if cell is not None
    ]


def worthwhile(
    starts: Sequence[DefectStart], cells: Sequence[ChargedCell | None]
) -> list[tuple[DefectStart, ChargedCell]]:
    """The lowest sound start of each charge where it is not the cell as built, or ends clearly below that."""
    out = []
    for charge in dict.fromkeys(start.charge_e for start in starts):
        sound = [
            (start, cell)
            for start, cell in zip(starts, cells, strict=True)
            if start.charge_e == charge and cell is not None and not invalid_because(cell.calculation.checks)
        ]
        if not sound:
            continue
        start, cell = min(sound, key=lambda pair: pair[1].calculation.energy_eV)
        plain = [c.calculation.energy_eV for s, c in sound if s.kind == "as built"]
        if start.kind != "as built" and (not plain or plain[0] - cell.calculation.energy_eV > SAME_STATE_eV):
            out.append((start, cell))
    return out


@job(name="collect charged vacancies")
@cache_version(2)
def collect_charged(
    bulk: Calculation,
    repeats: Repeats,
    host: ChargedCell,
    tensor: DielectricResult | None,
    given: list[list[float]] | None,
    source: str,
    placed: list[PlacedDefect],
    starts: list[list[DefectStart]],
    found: list[list[ChargedCell | None]],
    tried: list[TriedStart] | None,
    dense: ChargedCell | None = None,
) -> ChargedVacancies:
    """Keep the lowest start of every charge state, correct it and put it beside the defect's label.

    Raises
    ------
    InvalidResultError
        If the host or the dielectric tensor failed a guard.
    ValueError
        If the host has no gap.
    """
    if tensor is not None:
        require_valid(tensor.checks, tensor.name)
        permittivity, where = tensor.static, f"{tensor.name}, engine {tensor.provenance.engine}"
    else:
        assert given is not None
        permittivity, where = given, source or "given"
    edges = band_edges(host, permittivity, source=where, dense=dense)
    big = supercell(bulk.structure, as_repeats(repeats))
    states: list[ChargedVacancy] = []
    notes = list(LEFT_OUT)
    for number, (one, own, outputs) in enumerate(zip(placed, starts, found, strict=True)):
        ends = [(s.label, s.charge_e, cell) for s, cell in zip(own, outputs, strict=True)]
        ends += [(t.start, t.cell.charge, t.cell) for t in tried or () if t.defect == number]
        built = built_defect(big, one)
        position = cell_difference(big, built).changes[0].position
        for charge in dict.fromkeys(start.charge_e for start in own):
            there = [(label, cell) for label, q, cell in ends if q == charge and cell is not None]
            name = f"{one.label} q={charge:+d}"
            if not there:
                notes.append(f"{name} is left out: its relaxation ended with an error")
                continue
            labels, cells = [label for label, _ in there], [cell for _, cell in there]
            lowest, listed = judged_starts(host.calculation, labels, [c.calculation for c in cells], charge)
            cell = cells[lowest]
            done = cell.calculation
            if refused := invalid_because(done.checks):
                notes.append(f"{name} is left out: {'; '.join(refused)}")
                continue
            if len(listed) == 1 and ONE_START not in notes:
                notes.insert(0, ONE_START)
            if beaten := beaten_starts(name, listed):
                notes.append(beaten)
            at = charge_centre(cell_difference(host.calculation.structure, done.structure), done.structure)
            corrections, why = corrections_of(cell, host, permittivity, position, charge_at=at)
            notes += [note for note in why if note not in notes]
            changed = where_electrons_sit(host.calculation, done, charge)[0]
            states.append(
                ChargedVacancy(
                    label=one.label,
                    element=one.element,
                    sublattice=one.sublattice,
                    # Of the host's ordered cell, where equivalent places of the supercell repeat.
                    multiplicity=max(1, round(one.multiplicity / prod(repeats))),
                    charge=charge,
                    removed=one.removed,
                    energy_difference_eV=done.energy_eV - host.calculation.energy_eV,
                    total_moment_muB=done.total_moment_muB,
                    starts=listed,
                    changed_ions=changed,
                    sites=site_moments(host.calculation, done, charge),
                    structure=as_found(done),
                    degeneracy=orientations(built, done.structure, [ion.site for ion in changed])
                    * spin_states(big, done.total_moment_muB),
                    corrections=corrections,
                    band_filling=band_filling(cell, host, position),
                    checks=done.checks,
                    provenance=done.provenance,
                )
            )
    return ChargedVacancies(edges=edges, states=states, notes=notes)


class ChargedDefectsStage(Stage):
    """Every vacancy of the study, and every other defect that was asked for, in every charge state."""

    name = "charged defects"
    not_for_films = "the corrections of charged cells are those of a crystal without vacuum"
    citations = ("freysoldt2014", "kumagai2014")
    place = 90.0
    needs = ("charged", "dielectric")
    kinds = ("relax", "static")
    document = ChargedVacancies

    def why_not(self, question: Question) -> str:
        """They stand on the neutral ones."""
        reason = super().why_not(question)
        if reason or question.done("vacancies"):
            return reason
        return "they are the charge states of the vacancies, which are not computed"

    def host_reason(self, question: Question) -> str:
        """A homogeneous permittivity screens in a crystal, not in a slab."""
        return not_three_dimensional(question.cell)

    def build(self, study: StudyInMaking) -> Flow:
        """Dielectric tensor, host and charged cells."""
        maker = ChargedVacanciesMaker(
            engine=study.engine,
            repeats=study.maker.repeats,
            only=study.maker.vacancies,
            starts=study.maker.starts,
            most_starts=study.option("most_starts"),
            also=asked_defects(study) if "point defects" in study.outputs else (),
        )
        return maker.make(study.bulk, study.host_key, study.order, study.outputs["vacancies"])


STAGE = ChargedDefectsStage()
