"""Bond-valence force field: Morse wells between ions of unlike sign, screened Coulomb repulsion between like ones.

H. Chen and S. Adams, IUCrJ 4, 614 (2017), 10.1107/S2052252517010211, and Acta Cryst. B 75, 18 (2019): D0, Rmin and
alpha of a cation and an anion follow from bond-valence parameters, which were fitted to bond lengths. The repulsion of
ions of one sign is that of their valences over the root of their principal quantum numbers, screened over f times the
sum of their covalent radii. Nothing else acts: energies are sums over near pairs, and no charge has to be made up for.
The tables are those that the package bvlain ships (MIT licence).
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.data import atomic_numbers
from numpy.typing import NDArray
from scipy.special import erfc

from ..structures.units import COULOMB_eV_A
from .pairs import HalfPairs, half_pairs, pair_geometry
from .potentials import MorseWall, PairTerm, Species, tapered

FloatArray = NDArray[np.float64]
PACKAGE = "bvlain"
# f of the paper that bvlain and softBV take.
SCREENING = 0.74
CUTOFF_A, TAPER_A, _SKIN_A = 10.0, 1.0, 0.5
# A mean valence of 3.33 stands for 3; farther off it is another ion.
_NEAR = 1.0
_VOIGT = [0, 4, 8, 5, 2, 1]


@dataclass(frozen=True)
class ScreenedCoulomb:
    """``k erfc(r / s) / r``.

    Parameters
    ----------
    strength : float
        k, eV Angstrom.
    length : float
        s, Angstrom.
    """

    strength: float
    length: float

    def value_and_slope(self, distance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return energy (eV) and dE/dr (eV/Angstrom), same shape as `distance` (Angstrom)."""
        x = distance / self.length
        value = self.strength * erfc(x) / distance
        slope = -value / distance - 2.0 * self.strength / (np.sqrt(np.pi) * self.length) * np.exp(-x * x) / distance
        return value, slope


def tables_installed() -> bool:
    """Whether the package that ships the tables is there."""
    return find_spec(PACKAGE) is not None


@cache
def _table(name: str) -> Mapping[int, Any]:
    """A table of the package, by atomic number; read without importing it, which takes seconds."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(f"{PACKAGE} is not installed", name=PACKAGE)
    with (Path(spec.submodule_search_locations[0]) / "data" / f"{name}.pkl").open("rb") as file:
        found: Mapping[int, Any] = pickle.load(file)
    return found


def _nearest(known: Mapping[int, Any], valence: float) -> int | None:
    """The tabulated valence of the same sign that stands for this one; None if none is less than 1 away."""
    fits = [v for v in known if v * valence > 0 and abs(v - valence) < _NEAR]
    return min(fits, key=lambda v: (abs(v - valence), -v), default=None)


def _ion(species: Species | tuple[str, float]) -> str:
    symbol, valence = species
    return f"{symbol}{abs(valence):.3g}{'-' if valence < 0 else '+'}"


def morse_term(cation: tuple[str, float], anion: tuple[str, float]) -> MorseWall:
    """The well of a cation and an anion.

    Parameters
    ----------
    cation, anion : tuple of str and float
        Element and valence; a mean valence takes the table's nearest, less than 1 away.

    Returns
    -------
    MorseWall
        Without a wall.

    Raises
    ------
    ValueError
        If the table has no such pair.
    """
    ions = _table("cation").get(atomic_numbers[cation[0]], {})
    valence = _nearest(ions, cation[1])
    row = None
    if valence is not None:
        counterions = ions[valence].get(atomic_numbers[anion[0]], {})
        other = _nearest(counterions, anion[1])
        row = None if other is None else counterions[other]
    # Some rows of chalcogenides and halides have a negative alpha: no well at all.
    if row is None or not row["alpha"] > 0:
        raise ValueError(f"the softBV table has no bond of {_ion(cation)} and {_ion(anion)}")
    return MorseWall(float(row["d0"]), float(row["alpha"]), float(row["r_min"]), 0.0)


def repulsion_term(one: tuple[str, float], other: tuple[str, float]) -> ScreenedCoulomb:
    """The repulsion of two ions of one sign; parameters and errors as `morse_term`."""
    radii, shells = [], []
    for symbol, valence in (one, other):
        number = atomic_numbers[symbol]
        known = _table("covalent_radii_softvb").get(number, {})
        nearest = _nearest(known, valence)
        if nearest is None or number not in _table("quantum_n"):
            raise ValueError(f"the softBV table has no radius of {_ion((symbol, valence))}")
        radii.append(float(known[nearest]))
        shells.append(float(_table("quantum_n")[number]))
    strength = COULOMB_eV_A * one[1] * other[1] / np.sqrt(shells[0] * shells[1])
    return ScreenedCoulomb(float(strength), SCREENING * sum(radii))


def terms_of(species: Sequence[tuple[str, float]]) -> dict[tuple[int, int], PairTerm]:
    """The term of each pair of species, by their places in the list, the smaller first.

    Raises
    ------
    ValueError
        If a species has no valence, or a pair no entry.
    """
    for symbol, valence in species:
        if not np.isfinite(valence) or abs(valence) < 1e-6:
            raise ValueError(f"{symbol} has valence {valence:g}: bonds of the softBV table are those of ions")
    terms: dict[tuple[int, int], PairTerm] = {}
    for a, one in enumerate(species):
        for b, other in enumerate(species[a:], start=a):
            if one[1] * other[1] > 0:
                terms[a, b] = repulsion_term(one, other)
            else:
                terms[a, b] = morse_term(*sorted((one, other), key=lambda s: -s[1]))
    return terms


def species_of(atoms: Atoms) -> list[tuple[str, float]]:
    """Element and valence of each ion, as the array ``valence`` says.

    Raises
    ------
    ValueError
        If the atoms have no valences.
    """
    if "valence" not in atoms.arrays:
        raise ValueError(
            "bond valences need the ions' own: set atoms.arrays['valence'], e.g. 3 for Fe3+ and -2 for O2-"
        )
    return list(zip(atoms.get_chemical_symbols(), map(float, atoms.arrays["valence"]), strict=True))


@dataclass(frozen=True)
class _Neighbours:
    cell: FloatArray
    positions: FloatArray
    species: list[tuple[str, float]]
    pairs: HalfPairs
    groups: list[tuple[PairTerm, NDArray[np.intp]]]


class BondValenceCalculator(Calculator):
    """ASE calculator of the softBV force field; valences are those of ``atoms.arrays['valence']``."""

    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._near: _Neighbours | None = None

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """See `ase.calculators.calculator.Calculator.calculate`.

        Raises
        ------
        ValueError
            If an ion or a pair is not in the tables, or two atoms coincide.
        """
        super().calculate(atoms, list(properties), list(system_changes))  # type: ignore[no-untyped-call]
        assert self.atoms is not None
        near = self._neighbours(self.atoms)
        geometry = pair_geometry(near.pairs, self.atoms.positions)
        energy, pull = 0.0, np.zeros(len(geometry.distances))
        for term, which in near.groups:
            r = geometry.distances[which]
            value, slope = tapered(term, r, CUTOFF_A, TAPER_A)
            energy += float(value.sum())
            pull[which] = slope / r
        forces, virial = geometry.forces_and_virial(pull)
        stress = virial / self.atoms.get_volume()
        self.results = {
            "energy": energy,
            "free_energy": energy,
            "forces": forces,
            "stress": stress.take(_VOIGT),
        }

    def _neighbours(self, atoms: Atoms) -> _Neighbours:
        species, near = species_of(atoms), self._near
        if (
            near is not None
            and near.species == species
            and np.array_equal(near.cell, atoms.cell.array)
            and np.abs(atoms.positions - near.positions).max() < _SKIN_A / (2.0 * np.sqrt(3.0))
        ):
            return near
        kinds = sorted(set(species))
        number = np.array([kinds.index(one) for one in species], dtype=np.intp)
        pairs = half_pairs(atoms.cell.array, atoms.positions, CUTOFF_A + _SKIN_A)
        of_first, of_second = number.take(pairs.first), number.take(pairs.second)
        low, high = np.minimum(of_first, of_second), np.maximum(of_first, of_second)
        groups = [(term, np.flatnonzero((low == a) & (high == b))) for (a, b), term in terms_of(kinds).items()]
        self._near = _Neighbours(atoms.cell.array.copy(), atoms.positions.copy(), species, pairs, groups)
        return self._near
