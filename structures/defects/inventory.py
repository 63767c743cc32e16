"""Every distinct vacancy and hop of a host in one list, with the ions in line: what a study would have to compute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from pymatgen.core import Structure

from ..cells.film_cells import Film
from ..cells.supercell import image_distance_A as images_apart_A
from ..cells.supercell import repeats_for_distance, supercell
from ..host_definition import Host
from .charge_compensation import Compensation, compensated, compensations
from .collinear_pairs import CollinearPair, collinear_pairs
from .complexes import DefectComplex, distinct_complexes, members_from_text, with_complex
from .hops import Hop
from .insertion import CUTOFF_A, insertion_of, ion_from
from .interstitials import InterstitialSite
from .undirected_hops import undirected_hops
from .vacancies import VacancySite, distinct_vacancies, remove_site, same_site_in


@dataclass
class Inventory:
    """What a host's cell can lose and what can move in it.

    Attributes
    ----------
    host, order
        Of whom.
    cell
        Ordered cell; multiplicities count sites of this cell.
    repeats
        Of the cell, in which vacancies and hops are built.
    vacancies
        Of every ion of the cell, one per symmetry class; those that the host names come first.
    collinear_pairs
        Per vacancy: pairs in line with it of every ion that a hop of the host takes into it, or of the main mover
        where none does; never of an ion of the other sign.
    hops
        Into the vacancies of each kind that the host names, one per symmetry class; a hop and its reverse are one.
    not_possible
        Hops of the host that there are not, with the reason.
    interstitial_sites, interstitial_names
        Places of an ion, if one is to be inserted: empty polyhedra, or for hydrogen beside an anion.
    insertions
        Hops of the inserted ion between them, those in which it pushes an ion of the host on behind the others.
    complexes
        Asked for, one per symmetry class; multiplicities count in the repeated cell.
    compensations
        Charge states of each vacancy (its label) with the ions that make up for them, if asked for.
    slabs
        Of the film, if it asks for them.
    """

    host: Host
    order: str
    cell: Structure
    repeats: tuple[int, int, int]
    vacancies: list[VacancySite] = field(default_factory=list)
    collinear_pairs: list[list[CollinearPair]] = field(default_factory=list)
    hops: list[Hop] = field(default_factory=list)
    not_possible: list[str] = field(default_factory=list)
    interstitial_sites: list[InterstitialSite] = field(default_factory=list)
    interstitial_names: list[str] = field(default_factory=list)
    insertions: list[Hop] = field(default_factory=list)
    complexes: list[DefectComplex] = field(default_factory=list)
    compensations: list[tuple[str, Compensation]] = field(default_factory=list)
    slabs: list[Structure] = field(default_factory=list)

    def structures(self) -> Iterator[tuple[str, Structure]]:
        """Names with slashes and structures: the host, every vacancy, the ends and intermediates of every hop."""
        big = supercell(self.cell, self.repeats)
        yield "host/cell", self.cell
        yield "host/supercell", big
        for vacancy in self.vacancies:
            yield f"vacancies/{vacancy.label}", remove_site(big, same_site_in(big, self.cell, vacancy.index))
        for folder, hops in (("hops", self.hops), ("insertions", self.insertions)):
            for number, hop in enumerate(hops, start=1):
                name = f"{folder}/{number:02d}-{hop.ion}({hop.from_sublattice})-{hop.vacancy}"
                yield f"{name}/initial", hop.initial
                yield f"{name}/final", hop.final
                for k, trial in enumerate(hop.intermediates, start=1):
                    yield f"{name}/intermediate-{k}", trial
        for number, defect in enumerate(self.complexes, start=1):
            yield f"complexes/{number:02d}-{defect.label}", with_complex(big, defect)
        sites = {v.label: same_site_in(big, self.cell, v.index) for v in self.vacancies} if self.compensations else {}
        for label, mode in self.compensations:
            name = f"charges/{label}/{mode.charge_e:+d}-{mode.label.replace(' ', '-')}"
            yield name, compensated(big, sites[label], mode)
        for number, slab in enumerate(self.slabs, start=1):
            yield f"slabs/{number:02d}", slab


def take_inventory(
    host: Host,
    order: str | None = None,
    image_distance_A: float = 8.0,
    insert: str | None = None,
    insertion_cutoff_A: float = CUTOFF_A,
    *,
    complexes: Sequence[tuple[str, float]] = (),
    charges: bool = False,
    film: Film | None = None,
) -> Inventory:
    """List every distinct vacancy and hop of a host.

    Parameters
    ----------
    host, order
        Which cell; the host's first order by default.
    image_distance_A
        Smallest distance of a defect from its images, in Angstrom; at least twice the longest hop.
    insert
        Ion to put into empty polyhedra, e.g. ``"Li+"``; none by default.
    insertion_cutoff_A
        Longest hop between interstitial sites, in Angstrom.
    complexes
        Members in words (see `complexes.members_from_text`) and largest distance between any two, in Angstrom.
    charges
        Whether to list the ions that make up for the charge of each vacancy.
    film
        Whose strain the cell has, and whose slabs are cut.

    Returns
    -------
    Inventory
        Multiplicities of vacancies sum to the sites of the cell.

    Raises
    ------
    ValueError
        If the order is unknown, the image distance is not positive, the ion has no charge, a complex does not exist
        or is too large for the cell, or the film cannot be.
    """
    chosen = host.orders[0] if order is None else order
    cell = host.structure(chosen) if film is None else film.strained(host.structure(chosen))
    # A long hop needs room: the ion and its image must not both reach the vacancy.
    room_A = max([image_distance_A, *(2 * kind.cutoff_A for kind in host.hops)]) if image_distance_A > 0 else 0.0
    out = Inventory(host, chosen, cell, repeats_for_distance(cell, room_A))
    big = supercell(cell, out.repeats)
    mover = (host.hops[0].ion, host.hops[0].from_sublattice) if host.hops else None
    present = {(s.specie.symbol, s.properties["sublattice"]) for s in cell}
    named = [kind for kind in host.vacancies if kind in present]
    for element, sublattice in [*named, *sorted(present - set(named))]:
        out.vacancies += distinct_vacancies(cell, element, sublattice, mover if mover in present else None)
    for vacancy in out.vacancies:
        out.collinear_pairs.append(
            [p for ion in _movers(host, cell, vacancy) for p in collinear_pairs(cell, vacancy.index, ion)]
        )
    there = [k for k in host.hops if (k.vacancy_element, k.vacancy_sublattice) in present]
    for kind in (k for k in host.hops if k not in there):
        place = f"{kind.vacancy_element}({kind.vacancy_sublattice})"
        out.not_possible.append(f"{kind.ion} into V_{place}: the order has no {place}")
    numbered, absent = undirected_hops(cell, big, there)
    out.hops = [replace(one.hop, multiplicity=one.ways) for one in numbered]
    out.not_possible += [f"{k.ion}({k.from_sublattice}) into {label}: {reason}" for k, label, reason in absent]
    if insert is not None:
        insertion = insertion_of(big, *ion_from(insert), insertion_cutoff_A)
        out.interstitial_sites, out.interstitial_names, out.insertions = (
            insertion.sites,
            insertion.names,
            insertion.hops,
        )
        out.not_possible += insertion.not_possible
    for text, cutoff_A in complexes:
        out.complexes += _complexes(big, text, cutoff_A)
    if charges:
        out.compensations = [(v.label, mode) for v in out.vacancies for mode in compensations(cell, v.index)]
    out.slabs = [] if film is None else film.slabs(cell)
    return out


def _complexes(big: Structure, text: str, cutoff_A: float) -> list[DefectComplex]:
    room = images_apart_A(big.lattice) / 2
    if not 0 < cutoff_A < room:
        raise ValueError(
            f"members of {text} within {cutoff_A:g} A: in a cell whose images are {2 * room:.2f} A apart they must lie "
            f"within 0 to {room:.2f} A; ask for a larger image distance"
        )
    return distinct_complexes(big, members_from_text(big, text), cutoff_A)


def _movers(host: Host, cell: Structure, vacancy: VacancySite) -> list[str]:
    """Elements that a hop of the host takes into a vacancy; the main mover where none does and its sign allows it."""
    place = (vacancy.element, vacancy.sublattice)
    into = list(dict.fromkeys(k.ion for k in host.hops if (k.vacancy_element, k.vacancy_sublattice) == place))
    signs = {s.specie.symbol: np.sign(s.properties["valence"]) for s in cell}
    main = [host.hops[0].ion] if host.hops and host.hops[0].ion in signs else []
    return into or [ion for ion in main if signs[ion] == signs[vacancy.element]]
