"""Small jobs that build structures from relaxed ones, for every engine alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jobflow import Job, OnMissing, job
from pymatgen.core import Structure

from ...analysis.results.calculation import Calculation, require_valid
from ...structures.cells.supercell import supercell
from ...structures.defects.hops import Hop, distinct_hops, hop_along
from ...structures.defects.initial_states import DefectStart, started
from ...structures.defects.vacancies import VacancySite, distinct_vacancies, same_site_in
from ...structures.host import HopKind, Host, HostKey, get_host

Repeats = tuple[int, int, int]


def as_repeats(counts: Sequence[int]) -> Repeats:
    """Three counts as a tuple, whatever JSON made of it."""
    a, b, c = counts
    return int(a), int(b), int(c)


def vacancy_sites(host_key: HostKey, order: str | None) -> list[VacancySite]:
    """Every distinct vacancy that a host names and the order has a site for, in its unrelaxed ordered cell."""
    host = get_host(host_key)
    cell = host.structure(order)
    return [
        v
        for element, sublattice in present_vacancies(host, cell)
        for v in distinct_vacancies(cell, element, sublattice)
    ]


@job(name="pristine")
def accept_structure(bulk: Calculation) -> Structure:
    """Structure of a calculation that may be built on.

    Raises
    ------
    InvalidResultError
        If it failed a guard: no map is made of a state that was lost.
    """
    require_valid(bulk.checks, bulk.name)
    return bulk.structure


@job(name="supercell")
def build_supercell(bulk: Calculation, repeats: Repeats) -> Structure:
    """Repeat a relaxed cell."""
    require_valid(bulk.checks, bulk.name)
    return supercell(bulk.structure, as_repeats(repeats))


@job(name="vacancy")
def build_start(bulk: Calculation, repeats: Repeats, cell_index: int, start: DefectStart) -> Structure:
    """Supercell of a relaxed cell without one site, named by its index in the cell, in one start."""
    require_valid(bulk.checks, bulk.name)
    big = supercell(bulk.structure, as_repeats(repeats))
    return started(big, same_site_in(big, bulk.structure, cell_index), start)


@job(name="hop")
def build_hop(bulk: Calculation, repeats: Repeats, host_key: HostKey, hop_number: int = 0) -> Hop:
    """Shortest distinct hop of one of the host's own kinds, in a supercell of the relaxed cell."""
    require_valid(bulk.checks, bulk.name)
    kind = get_host(host_key).hops[hop_number]
    return shortest_hop(bulk.structure, as_repeats(repeats), kind)


@job(name="same hop")
def build_same_hop(bulk: Calculation, repeats: Repeats, host_key: HostKey, displacement_A: list[float]) -> Hop:
    """The host's first hop along the displacement that it has in another supercell of the same cell."""
    require_valid(bulk.checks, bulk.name)
    kind = get_host(host_key).hops[0]
    cell = bulk.structure
    big = supercell(cell, as_repeats(repeats))
    vacancy = distinct_vacancies(cell, kind.vacancy_element, kind.vacancy_sublattice)[0]
    index = same_site_in(big, cell, vacancy.index)
    return hop_along(big, index, vacancy.label, kind.ion, kind.from_sublattice, np.asarray(displacement_A))


def shortest_hop(cell: Structure, repeats: Repeats, kind: HopKind) -> Hop:
    """First of `distinct_hops` of a kind into its first distinct vacancy."""
    big = supercell(cell, repeats)
    vacancy = distinct_vacancies(cell, kind.vacancy_element, kind.vacancy_sublattice)[0]
    index = same_site_in(big, cell, vacancy.index)
    return distinct_hops(big, index, vacancy.label, kind.ion, kind.from_sublattice, kind.cutoff_A)[0]


def present_vacancies(host: Host, cell: Structure) -> list[tuple[str, str]]:
    """The host's vacancies, (element, sublattice), whose sites the cell has."""
    filled = filled_sites(cell)
    return [pair for pair in host.vacancies if pair in filled]


def filled_sites(cell: Structure) -> set[tuple[str, str]]:
    """Elements and sublattices that a cell has."""
    return {(site.specie.symbol, site.properties["sublattice"]) for site in cell}


def tolerant(job: Job) -> Job:
    """A job that runs although some of its inputs failed: those come to it as None."""
    job.config.on_missing_references = OnMissing.NONE
    return job
