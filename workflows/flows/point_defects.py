"""Stage of the point defects that are asked for: substitutions, antisites, interstitials, complexes, vacancies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

from jobflow import Flow, Job, job
from pymatgen.core import Structure

from ...analysis.defects.starts import judged_starts, where_electrons_sit
from ...analysis.defects.vacancies import VacancySet, VacancyState
from ...analysis.results.calculation import Calculation, require_valid
from ...analysis.results.checks import InvalidResultError
from ...structures.cells.supercell import supercell
from ...structures.defects.difference import cell_difference
from ...structures.defects.initial_states import DefectStart, StartKind, defect_starts, started_cell
from ...structures.defects.kind import PlacedDefect, built_defect, distinct_defects
from ...structures.host import HostKey, get_host, portable_host
from ...structures.spins import total_valence
from ..jobs.outputs import output_of
from ..maker import EngineMaker
from ..stage import Stage, StageOption, StudyInMaking
from .building import Repeats, as_repeats, build_supercell, tolerant


@dataclass
class PointDefectsMaker(EngineMaker):
    """Energies of point defects of any kind, in a supercell of the relaxed host.

    Attributes
    ----------
    repeats
        Supercell repeats of the host's ordered cell.
    starts, most_starts
        Kinds of start of each defect, and how many each may cost; the lowest is kept, all are listed.
    """

    as_before: ClassVar[Mapping[str, Any]] = {"starts": ("as built",), "most_starts": None}

    repeats: Repeats = (2, 2, 2)
    starts: Sequence[StartKind] = ("as built",)
    most_starts: int | None = None
    name: str = "point defects"

    def make(self, bulk: Calculation, host_key: HostKey, asked: Sequence[str], order: str | None = None) -> Flow:
        """Flow whose output is a `VacancySet` of the defects.

        Parameters
        ----------
        bulk
            Relaxed ordered cell, or a reference to it.
        host_key, order
            Host and cation order of `bulk`.
        asked
            The defects in words, see `structures.defects.kind`.

        Raises
        ------
        CannotDoError
            If the engine cannot relax, or cannot describe a cell with one of the defects.
        ValueError
            If one cannot be read or has no place.
        """
        self.engine.require("relax")
        self.engine.require("static")
        host_key = portable_host(host_key)
        big = supercell(get_host(host_key).structure(order), as_repeats(self.repeats))
        placed = distinct_defects(big, asked)
        if not placed:
            raise ValueError("no point defect was asked for, and the host has no antisites; name some")
        for one in placed:
            self.engine.check(built_defect(big, one))
        host_cell = build_supercell(bulk, self.repeats)
        host = self.engine.static(output_of(host_cell), name="host supercell")
        jobs: list[Job | Flow] = [host_cell, host]
        starts = [self.starts_of(built_defect(big, one)) for one in placed]
        relaxed: list[Any] = []
        for one, own in zip(placed, starts, strict=True):
            outputs = []
            for start in own:
                plain = start.kind == "as built"
                built = (
                    build_point_defect(bulk, self.repeats, one)
                    if plain
                    else build_defect_start(bulk, self.repeats, one, start)
                )
                name = f"{one.label} relax" if plain else f"{one.label} {start.label} relax"
                done = self.engine.relax(output_of(built), name=name)
                jobs += [built, done]
                outputs.append(output_of(done))
            relaxed.append(outputs)
        # What is not said leaves keys as they were.
        several = any(len(own) > 1 for own in starts)
        more: dict[str, Any] = {"starts": starts} if several else {}
        ends = relaxed if several else [outputs[0] for outputs in relaxed]
        collected = tolerant(collect_point_defects(output_of(host), placed, ends, prod(self.repeats), **more))
        return Flow([*jobs, collected], output=collected.output, name=self.name)

    def starts_of(self, cell: Structure) -> list[DefectStart]:
        """Starts of a neutral defect, at least the cell as built."""
        own = defect_starts(cell, 0, tuple(self.starts), most=self.most_starts, full_charge=round(total_valence(cell)))
        return own or [DefectStart("as built", "as built")]


@job(name="point defect")
def build_point_defect(bulk: Calculation, repeats: Repeats, placed: PlacedDefect) -> Structure:
    """Supercell of a relaxed cell with a defect at a place of the unrelaxed one; sites keep their order."""
    require_valid(bulk.checks, bulk.name)
    return built_defect(supercell(bulk.structure, as_repeats(repeats)), placed)


@job(name="defect")
def build_defect_start(bulk: Calculation, repeats: Repeats, placed: PlacedDefect, start: DefectStart) -> Structure:
    """Supercell of a relaxed cell with a defect at a place of the unrelaxed one, in one start."""
    require_valid(bulk.checks, bulk.name)
    big = supercell(bulk.structure, as_repeats(repeats))
    cell = built_defect(big, placed)
    centre = cell_difference(big, cell).changes[0].position
    return started_cell(cell, centre, start, full_charge=round(total_valence(cell)))


@job(name="collect point defects")
def collect_point_defects(
    host: Calculation,
    placed: list[PlacedDefect],
    relaxed: list[Any],
    cells: int,
    starts: list[list[DefectStart]] | None = None,
) -> VacancySet:
    """Put the energies beside the labels; a defect of which nothing came is left out.

    Parameters
    ----------
    host
        Static of the supercell.
    placed, relaxed
        Defects and their relaxations, None where one ended with an error; of several `starts` a list for each.
    cells
        Ordered cells in the supercell.
    starts
        Of each defect; None where each has its cell as built alone.

    Raises
    ------
    InvalidResultError
        If the host failed a check, or nothing came of any defect.
    """
    require_valid(host.checks, host.name)
    states, left_out = [], {}
    for n, one in enumerate(placed):
        own = [DefectStart("as built", "as built")] if starts is None else starts[n]
        ends: list[Calculation | None] = [relaxed[n]] if starts is None else relaxed[n]
        there = [(start, done) for start, done in zip(own, ends, strict=True) if done is not None]
        if not there:
            left_out[one.label] = "its relaxation ended with an error"
            continue
        state = VacancyState(
            label=one.label,
            element=one.element,
            sublattice=one.sublattice,
            # Of the host's ordered cell, where equivalent places of the supercell repeat.
            multiplicity=max(1, round(one.multiplicity / cells)),
            near_cations=None,
            removed=one.removed,
            calculation=there[0][1],
        )
        states.append(state if len(own) == 1 else _lowest(host, state, there))
    if not states:
        raise InvalidResultError(f"no relaxation came to an end: {', '.join(left_out)}")
    return VacancySet(host=host, vacancies=states, left_out=left_out)


def _lowest(host: Calculation, state: VacancyState, there: list[tuple[DefectStart, Calculation]]) -> VacancyState:
    """The state with its lowest start, all of them listed."""
    done = [end for _, end in there]
    kept, listed = judged_starts(host, [start.label for start, _ in there], done)
    ions = where_electrons_sit(host, done[kept])[0]
    return state.model_copy(update={"calculation": done[kept], "starts": listed, "changed_ions": ions})


def antisites(cell: Structure) -> list[str]:
    """Every cation of the cell on the site of another one, where its valence leaves no choice."""
    valences: dict[str, set[float]] = {}
    for site in cell:
        valences.setdefault(site.specie.symbol, set()).add(float(site.properties["valence"]))
    places = sorted({(s.specie.symbol, s.properties["sublattice"]) for s in cell if s.properties["valence"] > 0})
    cations = {element for element, _ in places}
    fixed = [el for el in sorted(cations) if len(valences[el]) == 1]
    return [f"{new}_{el}({place})" for el, place in places for new in fixed if new != el]


def defects_from(said: str | Sequence[str]) -> tuple[str, ...]:
    """Defects in words, separated by semicolons in a text.

    Raises
    ------
    ValueError
        If there is none.
    """
    words = said.split(";") if isinstance(said, str) else said
    names = tuple(word.strip() for word in words if word.strip())
    if not names:
        raise ValueError("no defect; write e.g. 'Co_Fe(A);Li+_i;V_Fe(B)+V_O within 3'")
    return names


def asked_defects(study: StudyInMaking) -> Sequence[str]:
    """Defects that a study was asked for in words; all antisites if none were named."""
    return study.option("defects") or antisites(study.host.structure(study.order))


class PointDefectsStage(Stage):
    """Defects of any kind beside the vacancies, in one list with them; antisites of the cations if none are named."""

    name = "point defects"
    place = 25.0
    needs = ("relax", "static")
    kinds = ("relax", "static")
    document = VacancySet
    options = (
        StageOption(
            "defects",
            "Defects of the stage point_defects, e.g. 'Co_Fe(A);Li+_i;V_Fe(B)+V_O within 3' [default: all antisites].",
            defects_from,
        ),
    )

    def build(self, study: StudyInMaking) -> Flow:
        """A relaxation for each distinct place of each defect."""
        maker = PointDefectsMaker(
            engine=study.engine,
            repeats=study.maker.repeats,
            starts=study.maker.starts,
            most_starts=study.option("most_starts"),
        )
        return maker.make(study.bulk, study.host_key, asked_defects(study), study.order)


STAGE = PointDefectsStage()
