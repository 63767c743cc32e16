"""The whole study as one flow: host, references, vacancies, migration, anisotropy, assembly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from jobflow import Flow, Maker, job

from ..analysis.anisotropy import AnisotropyMap
from ..analysis.assembly import StudyInputs, assemble
from ..analysis.calculation import Calculation
from ..analysis.chemical_potentials import stability_window
from ..analysis.migration import Migration
from ..analysis.phases import load_experimental_phases
from ..analysis.references import SpeciesFit
from ..analysis.study import EngineResult, Study
from ..analysis.vacancies import VacancySet
from ..structures.host import get_host
from .anisotropy import AnisotropyMaker
from .building import Repeats
from .engine import Engine
from .migration import MigrationMaker
from .vacancies import VacancyFormationMaker

FIELDS_V_PER_M = (0.0, 1e7, -1e7, 5e7, -5e7, 1e8, -1e8, 2e8, -2e8, 5e8, -5e8, 1e9, -1e9)
_PER_METRE = 1e-10


@dataclass
class MagnetoionicStudyMaker(Maker):
    """Which vacancy forms, which ion moves, over what barrier, with what effect, for how long.

    Attributes
    ----------
    engine
        Supplies every calculation.
    repeats
        Supercell repeats of the host's ordered cell.
    lebedev_order
        Order of the direction set of E(n).
    fields_V_per_m
        Signed fields along the hop.
    is_quick
        Noted in the result.
    """

    engine: Engine = field(kw_only=True)
    repeats: Repeats = (2, 2, 2)
    lebedev_order: int = 15
    fields_V_per_m: Sequence[float] = FIELDS_V_PER_M
    is_quick: bool = False
    name: str = "magneto-ionic study"

    @classmethod
    def full(cls, engine: Engine) -> MagnetoionicStudyMaker:
        """Cells of about 450 atoms."""
        return cls(engine=engine)

    @classmethod
    def quick(cls, engine: Engine) -> MagnetoionicStudyMaker:
        """Cells of about 56 atoms: seconds, with a size error of the order of 0.1 eV."""
        return cls(engine=engine, repeats=(1, 1, 1), lebedev_order=13, is_quick=True)

    def make(self, host_key: str, order: str | None = None) -> Flow:
        """Flow whose output is a `Study`.

        Parameters
        ----------
        host_key
            A host of `structures.hosts`.
        order
            Cation order; the host's first by default.

        Raises
        ------
        ValueError
            If the host or the order is unknown, the host declares no hop, its formation enthalpy is
            not known or it is not stable, or a field is beyond breakdown.
        CannotDoError
            If the engine cannot do a stage.
        """
        host = get_host(host_key)
        chosen = host.orders[0] if order is None else order
        for capability in ("relax", "static", "band", "spin_orbit", "references"):
            self.engine.require(capability)
        if not host.hops:
            raise ValueError(
                f"host {host.key} declares no hop: its study would have no migration; declare one in its file"
            )
        self.engine.check(host.structure(chosen))
        hop = host.hops[0]
        filled = {(site.specie.symbol, site.properties["sublattice"]) for site in host.structure(chosen)}
        needed = {(hop.ion, hop.from_sublattice), (hop.vacancy_element, hop.vacancy_sublattice), *host.vacancies}
        if missing := sorted(needed - filled):
            raise ValueError(
                f"order {chosen} of {host.key} has no {', '.join(f'{e} on {s}' for e, s in missing)}, which its "
                "vacancies and hops need; choose another --order"
            )
        elements = sorted({str(e) for e in host.structure(chosen).composition.elements})
        stability_window(host.formula, load_experimental_phases(elements))
        self._check_fields(host.gap_eV, host.structure(chosen).lattice.a)

        bulks = {name: self.engine.relax(host.structure(name), name=f"bulk {name}", cell=True) for name in host.orders}
        bulk = bulks[chosen].output
        references = self.engine.references(host.references, name="reference energies")
        vacancies = VacancyFormationMaker(engine=self.engine, repeats=self.repeats).make(bulk, host_key, chosen)
        migration = MigrationMaker(
            engine=self.engine,
            repeats=self.repeats,
            fields_V_per_A=[f * _PER_METRE for f in self.fields_V_per_m],
        ).make(bulk, host_key)
        anisotropy = AnisotropyMaker(engine=self.engine, lebedev_order=self.lebedev_order).make(
            {
                "pristine": bulk.structure,
                "before": migration.output["before"],
                "after": migration.output["after"],
            }
        )
        last = assemble_study(
            host_key,
            chosen,
            self._engine_result(),
            {name: made.output for name, made in bulks.items()},
            references.output,
            vacancies.output,
            migration.output["migration"],
            migration.output["keffer"],
            migration.output["relation_matrices"],
            anisotropy.output,
        )
        stages = [
            ("host", list(bulks.values())),
            ("references", [references]),
            ("vacancies", [vacancies]),
            ("migration", [migration]),
            ("anisotropy", [anisotropy]),
            ("analysis", [last]),
        ]
        jobs: list[Any] = []
        for stage, members in stages:
            for member in members:
                member.update_metadata({"stage": stage}, dynamic=True)
                jobs.append(member)
        return Flow(jobs, output=last.output, name=f"{self.name}: {host.formula}")

    def _check_fields(self, gap_eV: float, length_A: float) -> None:
        from ..calculators.field import check_breakdown

        for value in self.fields_V_per_m:
            check_breakdown(value * _PER_METRE, gap_eV, length_A)

    def _engine_result(self) -> EngineResult:
        return EngineResult(
            name=self.engine.name,
            tier=self.engine.tier,
            summary=self.engine.summary,
            cannot={str(k): v for k, v in self.engine.cannot().items()},
            supercell_repeats=list(self.repeats),
            quick=self.is_quick,
            provenance=self.engine.provenance(),
        )


@job(name="assemble study")
def assemble_study(
    host_key: str,
    order: str,
    engine: EngineResult,
    bulks: dict[str, Calculation],
    references: SpeciesFit,
    vacancies: VacancySet,
    migration: Migration,
    keffer: dict[str, list[float]],
    relation_matrices: list[list[list[float]]],
    maps: dict[str, AnisotropyMap],
) -> Study:
    """Judge everything that was computed; outputs a `Study`."""
    inputs = StudyInputs(
        host=get_host(host_key),
        order=order,
        engine=engine,
        bulks=bulks,
        references=references,
        vacancies=vacancies,
        migration=migration,
        relation_matrices=relation_matrices,
        keffer=keffer,
        maps=maps,
    )
    return assemble(inputs)
