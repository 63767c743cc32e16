"""What a host is: everything that has to be said about a material, and nothing that can be computed."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from pymatgen.core import Structure

from .checks.hosts import LONGEST_HOP_A, check_host_numbers, require_within
from .layers import Layer, check_layers
from .similar import did_you_mean
from .spins import formula_units, set_moments, total_moment, total_valence

# Moments are sums of whole numbers; anything beyond rounding is a wrong valence or sense.
MOMENT_TOLERANCE_muB = 1e-6
# Stated spins of mean valences and metals are rounded to two digits or so.
STATED_TOLERANCE_muB = 0.01


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
        Band gap used for the breakdown check of applied fields; 0 for a metal, which is put into no field.
    claims
        Ids of the review's claims that this host serves.
    sources
        Where each parameter comes from.
    moment_by_order_muB
        Expected totals of the orders whose moment differs from the default order's.
    anion
        Element by which formula units are counted.
    measured
        What of it is measured, by the names of `sources`; everything else is a model's, assumed or idealised.
    cubic_parent
        Whether the undecorated crystal is cubic with its axes along x, y, z, so that an average over the 48
        cubic operations means a crystal with all variants of the order.
    no_window
        Why tabulated enthalpies say nothing about this crystal, e.g. another polymorph has its formula;
        empty where they do.
    layers
        Of a film or an interface, from the bottom, with the third axis of the cell across them; none of a crystal.
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
    measured: tuple[str, ...] = ()
    layers: tuple[Layer, ...] = ()
    _cells: dict[str, Structure] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse numbers out of range, see `host_bounds`."""
        moments = {"moment_per_formula_muB": self.moment_per_formula_muB}
        moments |= {f"moment_by_order_muB of {order}": m for order, m in self.moment_by_order_muB.items()}
        check_host_numbers(self.formula, self.gap_eV, self.anions_per_formula, moments, self.hubbard_U_eV)
        check_layers(self.layers)
        if self.layers and self.cubic_parent:
            raise ValueError(f"{self.formula} has layers, so its parent is not cubic")
        for hop in self.hops:
            require_within(f"cutoff_A of the hop of {hop.ion}", hop.cutoff_A, 0.5, LONGEST_HOP_A)

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
            meant = did_you_mean(chosen, self.orders)
            raise ValueError(f"{self.key} has no order {chosen!r}{meant}; known: {', '.join(self.orders)}")
        if chosen not in self._cells:
            cell = set_moments(self.build_cell(chosen), self.spin_sense)
            if abs(total_valence(cell)) > 1e-9:
                raise RuntimeError(f"{self.key} in order {chosen} carries charge {total_valence(cell)} e")
            check_layers(self.layers, cell)
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
        moment = self.moment_per_formula(self.structure(order))
        whole = all(float(x).is_integer() for x in np.ravel(self.structure(order).site_properties["magmom"]))
        if abs(moment - expected) > (MOMENT_TOLERANCE_muB if whole else STATED_TOLERANCE_muB):
            raise RuntimeError(
                f"{self.key} in order {order} has {moment:g} muB per formula unit, stated are {expected:g}; "
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
