"""Hosts from published crystals: space group, lattice, sites and their magnetic order as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pymatgen.core import Lattice, Structure

from ..elements import materials_project_U_eV
from ..host_definition import HopKind, Host
from ..space_groups import crystal
from ..spins import Spin, site_moment

# A site's fractional coordinates in the conventional cell (which repeats count from) to +1 or -1.
SpinPattern = Callable[[float, float, float], int]
_HOLDERS = ("He", "Ne", "Ar", "Kr", "Xe", "Rn", "Pu", "Am", "Cm")


@dataclass(frozen=True)
class CrystalSite:
    """One Wyckoff position of a crystal.

    Attributes
    ----------
    element, sublattice, valence
        As in a host.
    position
        Fractional coordinates of a representative.
    spin
        What `spins.site_moment` takes; None for Hund's first rule.
    """

    element: str
    sublattice: str
    valence: float
    position: tuple[float, float, float]
    spin: Spin | None = None


def crystal_host(
    *,
    key: str,
    title: str,
    formula: str,
    space_group: str,
    lattice: Lattice,
    sites: Sequence[CrystalSite],
    moment_per_formula_muB: float,
    anions_per_formula: int,
    gap_eV: float,
    sources: Mapping[str, str],
    measured: Sequence[str],
    order: str | None = None,
    repeats: tuple[int, int, int] = (1, 1, 1),
    primitive: bool = False,
    spin_sense: Mapping[str, int] | None = None,
    pattern: SpinPattern | None = None,
    vacancies: Sequence[tuple[str, str]],
    hops: Sequence[HopKind] = (),
    references: Sequence[str] = (),
    anion: str = "O",
    no_window: str = "",
    replaced: Mapping[int, tuple[str, float]] | None = None,
) -> Host:
    """Host of a published crystal.

    Parameters
    ----------
    key, title, formula, moment_per_formula_muB, anions_per_formula, gap_eV, sources, measured, vacancies, hops, \
references, anion, no_window, spin_sense
        As `Host` has them. Without `spin_sense` all magnetic sublattices point along z.
    space_group, lattice, sites
        The crystal, in the setting of the symbol.
    order
        Name of its cation order; the space group by default.
    repeats, primitive
        Cell that is taken: repeats of the conventional one, or the primitive one.
    pattern
        Sign of the spin of each magnetic site by its coordinates in the conventional cell; for antiferromagnets.
    replaced
        Ions (element, valence) put in the place of some sites of the repeated cell, by index.
    """
    name = order or space_group.replace("/", "_")

    def build(_: str) -> Structure:
        return _cell(space_group, lattice, sites, repeats, primitive, pattern, replaced or {})

    magnetic = {s.sublattice for s in sites if site_moment(s.element, s.valence, s.spin)}
    elements = {s.element for s in sites}
    return Host(
        key=key,
        title=title,
        formula=formula,
        build_cell=build,
        orders=(name,),
        spin_sense=dict(spin_sense) if spin_sense is not None else dict.fromkeys(sorted(magnetic), 1),
        moment_per_formula_muB=moment_per_formula_muB,
        anions_per_formula=anions_per_formula,
        vacancies=tuple(vacancies),
        hops=tuple(hops),
        references=tuple(references),
        hubbard_U_eV=materials_project_U_eV(elements) if gap_eV > 0 and anion in ("O", "F") else {},
        gap_eV=gap_eV,
        claims=(),
        sources=dict(sources),
        anion=anion,
        no_window=no_window,
        measured=tuple(measured),
    )


def _cell(
    space_group: str,
    lattice: Lattice,
    sites: Sequence[CrystalSite],
    repeats: tuple[int, int, int],
    primitive: bool,
    pattern: SpinPattern | None,
    replaced: Mapping[int, tuple[str, float]],
) -> Structure:
    """The crystal with site properties; holders of the places keep equal elements on unlike positions apart."""
    holders = _HOLDERS[: len(sites)]
    cell = crystal(space_group, lattice, holders, [s.position for s in sites])
    of = dict(zip(holders, sites, strict=True))
    if primitive:
        cell = cell.get_primitive_structure()
    cell.make_supercell(repeats)
    labels, valences, spins, symbols = [], [], [], []
    for i, place in enumerate(cell):
        site = of[place.specie.symbol]
        symbol, valence = replaced.get(i, (site.element, site.valence))
        symbols.append(symbol)
        labels.append(site.sublattice)
        valences.append(float(valence))
        x, y, z = (float(v) for v in lattice.get_fractional_coords(place.coords))
        spins.append(site.spin if pattern is None else _signed(site, pattern(x, y, z)))
    properties = {"sublattice": labels, "valence": valences}
    if any(s is not None for s in spins):
        properties["spin"] = spins
    return Structure(cell.lattice, symbols, cell.frac_coords, to_unit_cell=True, site_properties=properties)


def _signed(site: CrystalSite, sign: int) -> Spin | None:
    moment = site_moment(site.element, site.valence, site.spin)
    if isinstance(moment, list) or not moment:
        return site.spin
    return sign * moment


def anion_hop(element: str, cutoff_A: float, sublattice: str | None = None) -> HopKind:
    """Hop of an anion into a vacancy of its own kind."""
    place = sublattice or element
    return HopKind(element, place, element, place, cutoff_A)
