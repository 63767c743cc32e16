"""Charged vacancies as a flow: host and its edges, dielectric tensor, every vacancy in every charge state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from jobflow import Flow, Job, job

from ...analysis.defects.charged_cells import (
    LEFT_OUT,
    ChargedCell,
    ChargedVacancies,
    ChargedVacancy,
    DielectricResult,
    band_edges,
    corrections_of,
)
from ...analysis.results.calculation import Calculation, invalid_because, require_valid
from ...structures.cells.supercell import supercell
from ...structures.defects.initial_states import DefectStart
from ...structures.defects.vacancies import VacancySite, same_site_in
from ...structures.host import HostKey, get_host, portable_host
from ..engine import Engine
from ..maker import EngineMaker
from ..outputs import output_of
from ..stage import Question, Stage, StudyInMaking
from .building import Repeats, as_repeats, build_start, build_supercell, vacancy_sites
from .vacancies import study_sites

_AS_BUILT = DefectStart("as built", "as built")


@dataclass
class ChargedVacanciesMaker(EngineMaker):
    """Every distinct vacancy of a host from neutral to fully ionised.

    Attributes
    ----------
    engine
        Supplies ``charged``, and ``dielectric`` unless `dielectric` is given.
    repeats
        Supercell repeats of the host's ordered cell.
    only
        Elements and sublattices to leave out all others.
    charges
        Charges to compute of those that `charge_states` gives; None computes all.
    dielectric
        Static relative permittivity, shape (3, 3), for an engine that cannot compute one; `source` says whose.
    source
        Where a given permittivity comes from.
    """

    engine: Engine = field(kw_only=True)
    repeats: Repeats = (2, 2, 2)
    only: Sequence[tuple[str, str]] | None = None
    charges: Sequence[int] | None = None
    dielectric: Sequence[Sequence[float]] | None = None
    source: str = ""
    name: str = "charged vacancies"

    def make(self, bulk: Calculation, host_key: HostKey, order: str | None = None) -> Flow:
        """Flow whose output is a `ChargedVacancies`.

        Parameters
        ----------
        bulk
            Relaxed ordered cell, or a reference to it.
        host_key, order
            Host and cation order of `bulk`.

        Raises
        ------
        CannotDoError
            If the engine cannot do charged cells, or no dielectric tensor and none is given.
        """
        host_key = portable_host(host_key)
        self.engine.require("charged")
        jobs: list[Job | Flow] = []
        tensor: DielectricResult | None = None
        if self.dielectric is None:
            self.engine.require("dielectric")
            made = self.engine.dielectric(bulk.structure, name="dielectric tensor")
            jobs.append(made)
            tensor = output_of(made)
        host_cell = build_supercell(bulk, self.repeats)
        host = self.engine.charged(output_of(host_cell), 0, relax=False, name="host with potentials")
        jobs += [host_cell, host]
        cell = get_host(host_key).structure(order)
        sites = study_sites(self.engine, vacancy_sites(host_key, order), self.only)
        charges = [charge_states(float(cell[site.index].properties["valence"]), self.charges) for site in sites]
        found: list[list[ChargedCell]] = []
        for site, own in zip(sites, charges, strict=True):
            empty = build_start(bulk, self.repeats, site.index, _AS_BUILT)
            jobs.append(empty)
            states = []
            for q in own:
                done = self.engine.charged(output_of(empty), q, relax=True, name=f"{site.label} q={q:+d}")
                jobs.append(done)
                states.append(output_of(done))
            found.append(states)
        given = None if self.dielectric is None else [[float(x) for x in row] for row in self.dielectric]
        collected = collect_charged(bulk, self.repeats, host.output, tensor, given, self.source, sites, found)
        return Flow([*jobs, collected], output=collected.output, name=self.name)


def charge_states(valence: float, wanted: Sequence[int] | None = None) -> list[int]:
    """Charges of an ion's vacancy from neutral to fully ionised: 0 to -3 for Fe3+, 0 to +2 for O2-."""
    full = -round(valence)
    step = 1 if full >= 0 else -1
    known = list(range(0, full + step, step))
    return known if wanted is None else [q for q in known if q in wanted]


@job(name="collect charged vacancies")
def collect_charged(
    bulk: Calculation,
    repeats: Repeats,
    host: ChargedCell,
    tensor: DielectricResult | None,
    given: list[list[float]] | None,
    source: str,
    sites: list[VacancySite],
    found: list[list[ChargedCell]],
) -> ChargedVacancies:
    """Correct every charge state and put it beside the site's label.

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
    edges = band_edges(host, permittivity, source=where)
    big = supercell(bulk.structure, as_repeats(repeats))
    states, notes = [], list(LEFT_OUT)
    for site, own in zip(sites, found, strict=True):
        position = big[same_site_in(big, bulk.structure, site.index)].frac_coords
        for cell in own:
            done = cell.calculation
            if refused := invalid_because(done.checks):
                notes.append(f"{site.label} q={cell.charge:+d} is left out: {'; '.join(refused)}")
                continue
            corrections, why = corrections_of(cell, host, permittivity, [float(x) for x in position])
            notes += [note for note in why if note not in notes]
            states.append(
                ChargedVacancy(
                    label=site.label,
                    element=site.element,
                    sublattice=site.sublattice,
                    multiplicity=site.multiplicity,
                    charge=cell.charge,
                    energy_difference_eV=done.energy_eV - host.calculation.energy_eV,
                    total_moment_muB=done.total_moment_muB,
                    corrections=corrections,
                    checks=done.checks,
                    provenance=done.provenance,
                )
            )
    return ChargedVacancies(edges=edges, states=states, notes=notes)


class ChargedDefectsStage(Stage):
    """Every vacancy of the study in every charge state."""

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

    def build(self, study: StudyInMaking) -> Flow:
        """Dielectric tensor, host and charged cells."""
        maker = ChargedVacanciesMaker(engine=study.engine, repeats=study.maker.repeats, only=study.maker.vacancies)
        return maker.make(study.bulk, study.host_key, study.order)


STAGE = ChargedDefectsStage()
