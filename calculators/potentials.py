"""Published pair potentials for oxides, as data with their sources.

A species is an element with a valence, e.g. ``("Fe", 3)``. Coulomb terms are not part of a potential;
they follow from the model charges and are summed by :mod:`.ewald`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .pedone import ROWS as PEDONE_ROWS

FloatArray = NDArray[np.float64]
Species = tuple[str, int]

OXIDE: Species = ("O", -2)
LITHIUM: Species = ("Li", 1)
COBALT: Species = ("Co", 2)
FERROUS: Species = ("Fe", 2)
FERRIC: Species = ("Fe", 3)


class PairTerm(Protocol):
    """Short-range energy of one pair of species as a function of distance."""

    def value_and_slope(self, distance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return energy (eV) and dE/dr (eV/Angstrom), same shape as `distance` (Angstrom)."""
        ...


@dataclass(frozen=True)
class MorseWall:
    """Morse well with an r^-12 wall, ``D {[1 - exp(-a (r - r0))]^2 - 1} + C / r^12``.

    Parameters
    ----------
    depth : float
        D, eV.
    width : float
        a, 1/Angstrom.
    minimum : float
        r0, Angstrom.
    wall : float
        C, eV Angstrom^12.
    """

    depth: float
    width: float
    minimum: float
    wall: float

    def value_and_slope(self, distance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return energy (eV) and dE/dr (eV/Angstrom), same shape as `distance` (Angstrom)."""
        decay = np.exp(-self.width * (distance - self.minimum))
        inverse_6 = 1.0 / (distance * distance) ** 3
        repulsion = self.wall * inverse_6 * inverse_6
        value = self.depth * decay * (decay - 2.0) + repulsion
        slope = 2.0 * self.depth * self.width * decay * (1.0 - decay) - 12.0 * repulsion / distance
        return value, slope


@dataclass(frozen=True)
class BuckinghamCore:
    """Buckingham term with a repulsive core, ``A exp(-r/rho) - C/r^6 + K (1 - x)^3 x^-8``, ``x = r/R < 1``.

    The core is this package's addition. It is zero for r >= R together with its first two derivatives, so
    that crystals, whose distances exceed R, are untouched; below R it outgrows both ``-C/r^6`` and the
    Coulomb attraction, so that ions cannot fall into each other.

    Parameters
    ----------
    prefactor : float
        A, eV.
    range : float
        rho, Angstrom.
    dispersion : float
        C, eV Angstrom^6.
    core_radius : float
        R, Angstrom.
    core_strength : float
        K, eV.
    """

    prefactor: float
    range: float
    dispersion: float
    core_radius: float
    core_strength: float = 5.0

    def value_and_slope(self, distance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return energy (eV) and dE/dr (eV/Angstrom), same shape as `distance` (Angstrom)."""
        value = self.prefactor * np.exp(-distance / self.range)
        slope = -value / self.range
        if self.dispersion:
            attraction = self.dispersion / (distance * distance) ** 3
            value = value - attraction
            slope = slope + 6.0 * attraction / distance
        close = distance < self.core_radius
        if close.any():
            x = distance[close] / self.core_radius
            gap, power = 1.0 - x, x**-8
            value[close] += self.core_strength * gap**3 * power
            steepness = gap**2 * power * (3.0 + 8.0 * gap / x)
            slope[close] -= self.core_strength / self.core_radius * steepness
        return value, slope


@dataclass(frozen=True)
class PairPotential:
    """A rigid-ion model: charges and short-range terms of pairs of species.

    Parameters
    ----------
    name : str
        Name in the registry.
    doi : str
        Source of the parameters.
    formal_charge, model_charge : mapping
        Species to elementary charges. Their ratio is the same for all species of a potential.
    terms : mapping
        Sorted pair of species to its short-range term; pairs that are left out have only Coulomb terms.
    cutoff : float
        Distance from which on every short-range term is zero, Angstrom.
    taper : float
        Width of the range below the cutoff in which terms go to zero, Angstrom.
    unverified : tuple of Species
        Species whose terms were quoted from general literature and not checked against the source.
    note : str
        What a reader of results must know.
    """

    name: str
    doi: str
    formal_charge: Mapping[Species, float]
    model_charge: Mapping[Species, float]
    terms: Mapping[tuple[Species, Species], PairTerm]
    cutoff: float = 8.0
    taper: float = 1.0
    unverified: tuple[Species, ...] = ()
    note: str = ""

    @property
    def charge_scale(self) -> float:
        """Model charge over formal charge, the same for all species."""
        return self.model_charge[OXIDE] / self.formal_charge[OXIDE]

    def valences(self, element: str) -> tuple[int, ...]:
        """Return the tabulated valences of an element, ascending; empty if it is unknown.

        Parameters
        ----------
        element : str
            Chemical symbol.

        Returns
        -------
        tuple of int
            Valences.
        """
        return tuple(sorted(valence for symbol, valence in self.model_charge if symbol == element))

    def nearest_species(self, element: str, valence: float) -> Species:
        """Return the tabulated species that stands for an ion of a possibly fractional valence.

        Parameters
        ----------
        element : str
            Chemical symbol.
        valence : float
            Formal charge; halfway between two species the higher one is taken.

        Returns
        -------
        Species
            Element and tabulated valence, less than 1 away from `valence`.

        Raises
        ------
        ValueError
            If the element is unknown or no tabulated valence is less than 1 away.
        """
        known = self.valences(element)
        if not known:
            elements = sorted({symbol for symbol, _ in self.model_charge})
            raise ValueError(f"potential {self.name!r} has no {element}; it knows {', '.join(elements)}")
        nearest = min(known, key=lambda tabulated: (abs(tabulated - valence), -tabulated))
        if not abs(nearest - valence) < 1.0:
            raise ValueError(
                f"potential {self.name!r} has no {element} of valence {valence:g}; tabulated: {known}. Give"
                " the ion a tabulated valence and, if its charge differs, pass charges explicitly"
            )
        return (element, nearest)

    def term(self, first: Species, second: Species) -> PairTerm | None:
        """Return the short-range term of two species in any order, or None for Coulomb only.

        Parameters
        ----------
        first, second : Species
            The two species.

        Returns
        -------
        PairTerm or None
            The bare term, without taper.
        """
        return self.terms.get(_pair(first, second))


def tapered(term: PairTerm, distance: FloatArray, cutoff: float, taper: float) -> tuple[FloatArray, FloatArray]:
    """Evaluate a term that is taken to zero over the last Angstrom before the cutoff.

    A quintic taper keeps energy, force and force constant continuous; below ``cutoff - taper`` the term is the
    published one. (Subtracting the value and slope at 8 Angstrom instead would expand CoFe2O4 by 0.010 Angstrom with
    the Pedone terms; the taper changes it by 0.001.)

    Parameters
    ----------
    term : PairTerm
        The bare term.
    distance : numpy.ndarray
        Angstrom, shape (n,).
    cutoff, taper : float
        End, and length of the taper before it, Angstrom.

    Returns
    -------
    tuple of numpy.ndarray
        Energy (eV) and dE/dr (eV/Angstrom), zero from the cutoff on.
    """
    value, slope = term.value_and_slope(distance)
    far = np.flatnonzero(distance > cutoff - taper)
    x = np.minimum((distance[far] - cutoff) / taper + 1.0, 1.0)
    weight = 1.0 - x**3 * (10.0 - x * (15.0 - 6.0 * x))
    weight_slope = -30.0 * (x * (1.0 - x)) ** 2 / taper
    slope[far] = slope[far] * weight + value[far] * weight_slope
    value[far] *= weight
    return value, slope


def _pair(first: Species, second: Species) -> tuple[Species, Species]:
    return (first, second) if first <= second else (second, first)


def _to_oxide(terms: Mapping[Species, PairTerm]) -> Mapping[tuple[Species, Species], PairTerm]:
    return MappingProxyType({_pair(species, OXIDE): term for species, term in terms.items()})


def _charges(scale: float, species: Iterable[Species]) -> Mapping[Species, float]:
    return MappingProxyType({s: scale * s[1] for s in species})


_LEWIS_CATLOW = (OXIDE, LITHIUM, COBALT, FERROUS, FERRIC)


PEDONE_2006 = PairPotential(
    name="pedone",
    doi="10.1021/jp0611018",
    formal_charge=_charges(1.0, PEDONE_ROWS),
    model_charge=_charges(0.6, PEDONE_ROWS),
    terms=_to_oxide({species: MorseWall(*row) for species, row in PEDONE_ROWS.items()}),
    note="Partial charges; cations interact with each other by Coulomb terms only.",
)
"""A. Pedone, G. Malavasi, M. C. Menziani, A. N. Cormack, U. Segre, J. Phys. Chem. B 110, 11780 (2006)."""

LEWIS_CATLOW_1985 = PairPotential(
    name="lewis-catlow",
    doi="10.1088/0022-3719/18/6/010",
    formal_charge=_charges(1.0, _LEWIS_CATLOW),
    model_charge=_charges(1.0, _LEWIS_CATLOW),
    terms=_to_oxide(
        {
            OXIDE: BuckinghamCore(22764.0, 0.149, 27.88, core_radius=2.0),
            LITHIUM: BuckinghamCore(262.54, 0.3476, 0.0, core_radius=1.5),
            COBALT: BuckinghamCore(696.3, 0.3362, 0.0, core_radius=1.5),
            FERROUS: BuckinghamCore(694.1, 0.3399, 0.0, core_radius=1.5),
            FERRIC: BuckinghamCore(1102.4, 0.3299, 0.0, core_radius=1.5),
        }
    ),
    unverified=(LITHIUM, COBALT, FERROUS, FERRIC),
    note=(
        "Full charges, oxygen shells left out; the core below 1.5 A (cation-O) and 2.0 A (O-O) is not part of"
        " the published model; the cation terms were not checked against the paper."
    ),
)
"""G. V. Lewis, C. R. A. Catlow, J. Phys. C: Solid State Phys. 18, 1149 (1985), as a rigid-ion model."""

_REGISTRY: Mapping[str, PairPotential] = MappingProxyType(
    {model.name: model for model in (PEDONE_2006, LEWIS_CATLOW_1985)}
)


def potential(name: str) -> PairPotential:
    """Return a potential by its name.

    Parameters
    ----------
    name : str
        ``"pedone"`` or ``"lewis-catlow"``; case and ``_`` against ``-`` do not matter.

    Returns
    -------
    PairPotential
        The potential.

    Raises
    ------
    ValueError
        If there is no potential of that name.
    """
    pair_potential = _REGISTRY.get(name.strip().lower().replace("_", "-"))
    if pair_potential is None:
        raise ValueError(f"no pair potential is called {name!r}; known: {', '.join(sorted(_REGISTRY))}")
    return pair_potential
