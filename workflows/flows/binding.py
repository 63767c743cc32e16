"""Flow for the neighbours of a vacancy: the same vacancy in many random cells, energies fitted to its surroundings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from jobflow import Flow, job
from pymatgen.core import Structure

from ...analysis.defects.binding import BindingSample, VacancyBinding, fit_binding
from ...analysis.results.calculation import Calculation
from ...structures.cells.cation_order import sites_on
from ...structures.cells.random_cells import quasi_random, random_cell
from ...structures.defects.collinear_pairs import count_in_line
from ...structures.defects.vacancies import near_cations, remove_site
from ...structures.host import Host, HostKey, get_host, portable_host
from ..engine import Engine
from ..jobs.outputs import output_of
from ..maker import EngineMaker
from ..stage import Question, Stage, StudyInMaking
from .building import filled_sites

# Cells of the stage, eight vacancies each.
_RANDOM_CELLS, _QUICK_RANDOM_CELLS = 12, 5


@dataclass
class BindingMaker(EngineMaker):
    """Energies of one vacancy against its neighbours of one element, over random or quasi-random cells.

    Attributes
    ----------
    engine
        Supplies ``relax``.
    cells
        Number of cells, one seed each.
    method
        ``random``, or ``quasi-random``: each cell the best of many by its pair statistics.
    seed
        Of the first cell.
    """

    engine: Engine = field(kw_only=True)
    cells: int = 10
    method: Literal["random", "quasi-random"] = "random"
    seed: int = 1
    name: str = "vacancy binding"

    def make(
        self,
        host_key: HostKey,
        order: str | None = None,
        *,
        element: str | None = None,
        sublattice: str | None = None,
        near: str | None = None,
    ) -> Flow:
        """Flow whose output is a `VacancyBinding`.

        Parameters
        ----------
        host_key, order
            Host whose ordered cell gives its ions random places.
        element, sublattice
            The vacancy; all such sites of every cell are taken out in turn.
        near
            The neighbour that counts. What is None is the host's own, see `mixed_sites`.

        Raises
        ------
        CannotDoError
            If the engine cannot relax or cannot describe the material.
        ValueError
            If the sublattice is not mixed, or there are fewer than 3 cells.
        """
        host_key = portable_host(host_key)
        if self.cells < 3:
            raise ValueError(f"binding needs at least 3 random cells, got {self.cells}")
        self.engine.require("relax")
        host = get_host(host_key)
        ordered = host.structure(order)
        self.engine.check(ordered)
        element, sublattice, near = one_mixture(host, ordered, element, sublattice, near)
        jobs, pristine, places, relaxed = [], [], [], []
        for n in range(self.cells):
            cell = self._cell(ordered, sublattice, near, self.seed + n)
            whole = self.engine.relax(cell, name=f"random cell {n + 1}", cell=True)
            jobs.append(whole)
            pristine.append(whole.output)
            for site in sites_on(cell, sublattice):
                if cell[site].specie.symbol != element:
                    continue
                counts = (near_cations(cell, site).get(near, 0), count_in_line(cell, site, near))
                built = take_out(whole.output, site)
                done = self.engine.relax(output_of(built), name=f"cell {n + 1} V_{element} {site} relax")
                jobs += [built, done]
                places.append([n, site, *counts])
                relaxed.append(done.output)
        label = f"V_{element}({sublattice})"
        last = collect_binding(label, f"{self.cells} {self.method} cells", pristine, places, relaxed, near)
        return Flow([*jobs, last], output=last.output, name=self.name)

    def _cell(self, ordered: Structure, sublattice: str, near: str, seed: int) -> Structure:
        if self.method == "quasi-random":
            return quasi_random(ordered, sublattice, near, seed)
        return random_cell(ordered, sublattice, seed)


def mixed_sites(host: Host, cell: Structure) -> list[tuple[str, str, str]]:
    """Vacancies of a host on sublattices that several elements share: element, sublattice and another element there.

    Parameters
    ----------
    host
        Whose vacancies are asked for; those that its main hop goes into come first, with the ion that hops.
    cell
        The host in one of its orders.
    """
    filled = filled_sites(cell)
    sites = [
        (element, place, other)
        for element, place in host.vacancies
        for other in sorted(e for e, p in filled if p == place and e != element)
        if (element, place) in filled
    ]
    hops = [(h.vacancy_element, h.vacancy_sublattice, h.ion) for h in host.hops]
    return sorted(sites, key=lambda one: one not in hops)


def one_mixture(
    host: Host, cell: Structure, element: str | None, sublattice: str | None, near: str | None
) -> tuple[str, str, str]:
    """The first of `mixed_sites` with what is given; any mixed place of the cell if all three are.

    Raises
    ------
    ValueError
        If there is none.
    """
    asked = (element, sublattice, near)
    for one in mixed_sites(host, cell):
        if all(want in (None, is_) for want, is_ in zip(asked, one, strict=True)):
            return one
    if element and sublattice and near and {(element, sublattice), (near, sublattice)} <= filled_sites(cell):
        return element, sublattice, near
    said = ", ".join(f"{name} {value}" for name, value in zip(("element", "sublattice", "near"), asked, strict=True))
    raise ValueError(
        f"{host.key} has no vacancy beside another cation of its sublattice with {said}; "
        f"there are: {mixed_sites(host, cell) or 'none'}"
    )


@job(name="vacancy in random cell")
def take_out(cell: Calculation, site: int) -> Structure:
    """The relaxed cell without one site."""
    return remove_site(cell.structure, site)


@job(name="collect binding")
def collect_binding(
    label: str,
    method: str,
    pristine: list[Calculation],
    places: list[list[int]],
    relaxed: list[Calculation],
    # Jobs that version 2 submitted do not say it.
    neighbour: str = "Co",
) -> VacancyBinding:
    """Fit the energies; `places` holds cell, site, neighbours and pairs in line of each vacancy."""
    samples = [
        BindingSample(
            cell=cell,
            site=site,
            neighbours=near,
            collinear_pairs=pairs,
            energy_eV=done.energy_eV - pristine[cell].energy_eV,
            converged=done.converged and pristine[cell].converged,
        )
        for (cell, site, near, pairs), done in zip(places, relaxed, strict=True)
    ]
    return fit_binding(label, samples, pristine[0].provenance, neighbour=neighbour, method=method)


class BindingStage(Stage):
    """What the other ion of a mixed sublattice does to a vacancy beside it, of Co to V_Fe in CoFe2O4; many cells."""

    name = "binding"
    place = 80.0
    needs = ("relax",)
    kinds = ("relax",)
    document = VacancyBinding

    def host_reason(self, question: Question) -> str:
        """A cation must share its sublattice with another one, and be one of the host's vacancies."""
        if mixed_sites(question.host, question.cell):
            return ""
        return f"no vacancy of {question.host.key} in order {question.order} is on a sublattice of two kinds of cations"

    def build(self, study: StudyInMaking) -> Flow:
        """Random cells, fewer for a quick study."""
        cells = _QUICK_RANDOM_CELLS if study.maker.is_quick else _RANDOM_CELLS
        return BindingMaker(engine=study.engine, cells=cells).make(study.host_key, study.order)


STAGE = BindingStage()
