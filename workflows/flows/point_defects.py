"""Stage of the point defects that are asked for: substitutions, antisites, interstitials, complexes, vacancies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from jobflow import Flow, Job, job
from pymatgen.core import Structure

from ...analysis.defects.vacancies import VacancySet, VacancyState
from ...analysis.results.calculation import Calculation, require_valid
from ...analysis.results.checks import InvalidResultError
from ...structures.cells.supercell import supercell
from ...structures.defects.kind import PlacedDefect, built_defect, distinct_defects
from ...structures.host import HostKey, get_host, portable_host
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
    """

    repeats: Repeats = (2, 2, 2)
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
        relaxed = []
        for one in placed:
            built = build_point_defect(bulk, self.repeats, one)
            done = self.engine.relax(output_of(built), name=f"{one.label} relax")
            jobs += [built, done]
            relaxed.append(output_of(done))
        collected = tolerant(collect_point_defects(output_of(host), placed, relaxed, prod(self.repeats)))
        return Flow([*jobs, collected], output=collected.output, name=self.name)


@job(name="point defect")
def build_point_defect(bulk: Calculation, repeats: Repeats, placed: PlacedDefect) -> Structure:
    """Supercell of a relaxed cell with a defect at a place of the unrelaxed one; sites keep their order."""
    require_valid(bulk.checks, bulk.name)
    return built_defect(supercell(bulk.structure, as_repeats(repeats)), placed)


@job(name="collect point defects")
def collect_point_defects(
    host: Calculation, placed: list[PlacedDefect], relaxed: list[Calculation | None], cells: int
) -> VacancySet:
    """Put the energies beside the labels; a defect of which nothing came is left out.

    Raises
    ------
    InvalidResultError
        If the host failed a check, or nothing came of any defect.
    """
    require_valid(host.checks, host.name)
    states, left_out = [], {}
    for one, done in zip(placed, relaxed, strict=True):
        if done is None:
            left_out[one.label] = "its relaxation ended with an error"
            continue
        states.append(
            VacancyState(
                label=one.label,
                element=one.element,
                sublattice=one.sublattice,
                # Of the host's ordered cell, where equivalent places of the supercell repeat.
                multiplicity=max(1, round(one.multiplicity / cells)),
                near_cations=None,
                removed=one.removed,
                calculation=done,
            )
        )
    if not states:
        raise InvalidResultError(f"no relaxation came to an end: {', '.join(left_out)}")
    return VacancySet(host=host, vacancies=states, left_out=left_out)


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
        maker = PointDefectsMaker(engine=study.engine, repeats=study.maker.repeats)
        return maker.make(study.bulk, study.host_key, asked_defects(study), study.order)


STAGE = PointDefectsStage()
