"""Vacancy flow: one relaxation per distinct vacancy, against one static of the host."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobflow import Flow, Maker, job

from ..analysis.calculation import Calculation, require_valid
from ..analysis.vacancies import VacancySet, VacancyState
from ..structures.host import HostKey
from ..structures.vacancies import VacancySite
from .building import Repeats, build_supercell, build_vacancy, vacancy_sites
from .engine import Engine


@dataclass
class VacancyFormationMaker(Maker):
    """Energies of every distinct vacancy of a host.

    Attributes
    ----------
    engine
        Supplies ``relax`` and ``static``.
    repeats
        Supercell repeats of the host's ordered cell.
    """

    engine: Engine = field(kw_only=True)
    repeats: Repeats = (2, 2, 2)
    name: str = "vacancies"

    def make(self, bulk: Calculation, host_key: HostKey, order: str | None = None) -> Flow:
        """Flow whose output is a `VacancySet`.

        Parameters
        ----------
        bulk
            Relaxed ordered cell, or a reference to it.
        host_key, order
            Host and cation order of `bulk`.
        """
        self.engine.require("relax")
        self.engine.require("static")
        host_cell = build_supercell(bulk, self.repeats)
        host = self.engine.static(host_cell.output, name="host supercell")
        jobs: list[Flow] = [host_cell, host]
        sites, relaxed = vacancy_sites(host_key, order), []
        for site in sites:
            built = build_vacancy(bulk, self.repeats, site.index)
            done = self.engine.relax(built.output, name=f"{site.label} relax")
            jobs += [built, done]
            relaxed.append(done.output)
        collected = collect_vacancies(host.output, sites, relaxed)
        return Flow([*jobs, collected], output=collected.output, name=self.name)


@job(name="collect vacancies")
def collect_vacancies(host: Calculation, sites: list[VacancySite], relaxed: list[Calculation]) -> VacancySet:
    """Put the energies beside the sites' labels.

    Raises
    ------
    InvalidResultError
        If one of them failed a guard: an energy difference with it means nothing.
    """
    for made in (host, *relaxed):
        require_valid(made.checks, made.name)
    states = [
        VacancyState(
            label=site.label,
            element=site.element,
            sublattice=site.sublattice,
            multiplicity=site.multiplicity,
            cobalt_neighbours=site.cobalt_neighbours,
            calculation=calculation,
        )
        for site, calculation in zip(sites, relaxed, strict=True)
    ]
    return VacancySet(host=host, vacancies=states)
