"""Host materials as small tables, found in ``structures/hosts``: one file per host."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from pymatgen.core import Structure

from .spins import formula_units, set_moments, total_moment, total_valence

if TYPE_CHECKING:
    from .io.host_files import HostReference

# How a host is named: a key, the path of a host file, or a host file's content.
HostKey: TypeAlias = "str | HostReference"
# Moments are sums of whole numbers; anything beyond rounding is a wrong valence or sense.
MOMENT_TOLERANCE_muB = 1e-6
# A built-in host's name with this behind it is the same material in the primitive cell of its first order.
PRIMITIVE = ":primitive"
# A host's name with one of these endings is the path of a user's host file.
HOST_FILE_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True)
class HopKind:
    """A migration that matters for a host: which ion goes into which vacancy.

    Attributes
    ----------
    ion
        Element symbol of the mover.
    from_sublattice, vacancy_sublattice
        Sublattices of the mover and of the vacancy.
    vacancy_element
        Element whose removal made the vacancy.
    cutoff_A
        Longest hop to consider, in Angstrom.
    """

    ion: str
    from_sublattice: str
    vacancy_element: str
    vacancy_sublattice: str
    cutoff_A: float


@dataclass(frozen=True)
class Host:
    """What has to be said about a material, and nothing that can be computed.

    Attributes
    ----------
    key, title, formula
        Name on the command line, name for people, formula unit.
    build_cell
        ``order -> Structure`` with site properties ``valence``, ``sublattice`` and optionally ``spin`` (see
        `spins.set_moments`).
    orders
        Cation orders that `build_cell` knows; the first is the default.
    spin_sense
        +1 or -1 per magnetic sublattice.
    moment_per_formula_muB
        Expected total of the default order (length of the sum for vectors); see `check_moment`.
    anions_per_formula
        Anions in the formula unit, by which formula units are counted.
    vacancies
        (element, sublattice) pairs worth a formation energy.
    hops
        Migrations worth a barrier; the first is the study's main one.
    references
        Formulas of the competing phases.
    hubbard_U_eV
        Default U, fitted for PBE.
    gap_eV
        Band gap used for the breakdown check of applied fields.
    claims
        Ids of the review's claims that this host serves.
    sources
        Where each parameter comes from.
    moment_by_order_muB
        Expected totals of the orders whose moment differs from the default order's.
    anion
        Element by which formula units are counted.
    cubic_parent
        Whether the undecorated crystal is cubic with its axes along x, y, z, so that an average over the 48
        cubic operations means a crystal with all variants of the order.
    no_window
        Why tabulated enthalpies say nothing about this crystal, e.g. another polymorph has its formula;
        empty where they do.
    """

    key: str
    title: str
    formula: str
    build_cell: Callable[[str], Structure]
    orders: tuple[str, ...]
    spin_sense: Mapping[str, int]
    moment_per_formula_muB: float
    anions_per_formula: int
    vacancies: tuple[tuple[str, str], ...]
    hops: tuple[HopKind, ...]
    references: tuple[str, ...]
    hubbard_U_eV: Mapping[str, float]
    gap_eV: float
    claims: tuple[str, ...]
    sources: Mapping[str, str] = field(default_factory=dict)
    moment_by_order_muB: Mapping[str, float] = field(default_factory=dict)
    anion: str = "O"
    cubic_parent: bool = False
    no_window: str = ""
    _cells: dict[str, Structure] = field(default_factory=dict, init=False, repr=False, compare=False)

    def structure(self, order: str | None = None) -> Structure:
        """The ordered cell with its spins.

        Parameters
        ----------
        order
            One of `orders`; the first by default.

        Returns
        -------
        Structure
            Charge-neutral cell with site properties ``valence``, ``sublattice``, ``magmom`` (muB).

        Raises
        ------
        ValueError
            If the order is unknown.
        RuntimeError
            If the built cell is charged.
        """
        chosen = self.orders[0] if order is None else order
        if chosen not in self.orders:
            raise ValueError(f"{self.key} has no order {chosen!r}; known: {', '.join(self.orders)}")
        if chosen not in self._cells:
            cell = set_moments(self.build_cell(chosen), self.spin_sense)
            if abs(total_valence(cell)) > 1e-9:
                raise RuntimeError(f"{self.key} in order {chosen} carries charge {total_valence(cell)} e")
            self._cells[chosen] = cell
        return self._cells[chosen].copy()

    def check_moment(self, order: str) -> None:
        """Build an order and compare its moment with the stated one.

        Raises
        ------
        RuntimeError
            If they differ.
        """
        expected = self.moment_by_order_muB.get(order, self.moment_per_formula_muB)
        found = self.moment_per_formula(self.structure(order))
        if abs(found - expected) > MOMENT_TOLERANCE_muB:
            raise RuntimeError(
                f"{self.key} in order {order} has {found:g} muB per formula unit, stated are {expected:g}; "
                "correct the valences, the spin sense or the stated moment"
            )

    def moment_per_formula(self, structure: Structure) -> float:
        """Total moment of a cell per formula unit, in muB; the length of the sum for vectors."""
        return total_moment(structure) / formula_units(structure, self.anion, self.anions_per_formula)


class UnknownHostError(ValueError):
    """There is no host of this name; the message lists those that are."""


def host_keys() -> list[str]:
    """Names of all built-in hosts, sorted."""
    from . import hosts

    return sorted(m.name for m in pkgutil.iter_modules(hosts.__path__) if not m.name.startswith("_"))


def get_host(key: HostKey) -> Host:
    """A built-in host by name (case does not matter), or a user's host by its YAML file or its content.

    Parameters
    ----------
    key
        Name, name with ``:primitive`` (see `primitive_host`), path of a host file (relative or absolute, case kept),
        or what `portable_host` returns.

    Raises
    ------
    UnknownHostError
        If there is no such host, or the file cannot be used (see `user_host.load_host`).
    """
    found = portable_host(key)
    if not isinstance(found, str):
        return found.host()
    name = found.removesuffix(PRIMITIVE)
    module = importlib.import_module(f".hosts.{name}", __package__)
    host = module.HOST
    if not isinstance(host, Host):
        raise TypeError(f"structures/hosts/{name}.py must define HOST as a Host")
    return primitive_host(host) if found.endswith(PRIMITIVE) else host


def primitive_host(host: Host) -> Host:
    """The same material in the primitive cell of its first order, the only one it then has.

    For engines that can afford nothing larger: CoFe2O4 in Imma order has 14 atoms instead of 56.

    Parameters
    ----------
    host
        A built-in host.

    Returns
    -------
    Host
        With ``:primitive`` behind its key.
    """
    first = host.orders[0]

    def build(order: str) -> Structure:
        return host.build_cell(order).get_primitive_structure(use_site_props=True, tolerance=0.05)

    return replace(
        host,
        key=host.key + PRIMITIVE,
        title=f"{host.title}, primitive cell",
        build_cell=build,
        orders=(first,),
        moment_per_formula_muB=host.moment_by_order_muB.get(first, host.moment_per_formula_muB),
        moment_by_order_muB={},
    )


def portable_host(key: HostKey) -> HostKey:
    """What a job may carry to another machine: a built-in host's name, or the whole content of a user's host.

    Parameters and errors as for `get_host`.
    """
    if not isinstance(key, str):
        return key
    if is_host_file(key):
        from .io.host_files import HostReference

        return HostReference.from_file(key.strip())
    name = key.strip().lower()
    if name.removesuffix(PRIMITIVE) not in host_keys():
        raise UnknownHostError(
            f"unknown host {key!r}; known hosts: {', '.join(host_keys())}; a host of your own is a file ending in .yaml"
        )
    return name


def is_host_file(key: str) -> bool:
    """Whether a host's name is the path of a host file."""
    return key.strip().lower().endswith(HOST_FILE_ENDINGS)
