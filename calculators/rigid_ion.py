"""ASE calculator for rigid ions: Ewald sum plus a published short-range pair potential."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress
from numpy.typing import ArrayLike, NDArray

from .ewald import far_field, screened_pairs
from .mesh import MeshLattice, mesh_lattice
from .pairs import HalfPairs, PairGeometry, half_pairs, pair_geometry
from .potentials import PairPotential, PairTerm, Species, potential
from .reciprocal import EwaldParameters, ReciprocalLattice, ewald_parameters, reciprocal_lattice, split_at

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

MESH_FROM: int = 1000
"""Number of ions from which the reciprocal sum goes over a mesh."""
OVERLAP: float = 0.5
"""Distance below which two ions count as overlapping, Angstrom."""


def model_charges(
    symbols: Sequence[str], valences: Sequence[float] | FloatArray, potential: PairPotential
) -> FloatArray:
    """Return the charges that a potential gives to ions of known valence.

    Parameters
    ----------
    symbols : sequence of str
        Chemical symbols, length n.
    valences : sequence of float
        Formal charges, fractional for mean-valence ions, length n.
    potential : PairPotential
        Potential.

    Returns
    -------
    numpy.ndarray
        Valence times the potential's charge scale, elementary charges, shape (n,).

    Raises
    ------
    ValueError
        If the lengths differ or the potential has no such ion.
    """
    values = np.asarray(valences, dtype=float)
    if values.shape != (len(symbols),):
        raise ValueError(f"{len(symbols)} symbols need as many valences, not shape {values.shape}")
    for symbol, valence in set(zip(symbols, values.tolist(), strict=True)):
        potential.nearest_species(symbol, valence)
    return values * potential.charge_scale


def spread_charge(charges: ArrayLike, keep: ArrayLike, total: float = 0.0) -> FloatArray:
    """Bring a cell to a given net charge by shifting the charge of some ions equally.

    A field on a charged cell has no defined energy: after taking out an ion, spread its charge over the
    cations other than the moving one.

    Parameters
    ----------
    charges : array_like
        Elementary charges, shape (n,).
    keep : array_like of bool
        True for ions whose charge stays, shape (n,).
    total : float
        Wanted net charge.

    Returns
    -------
    numpy.ndarray
        New charges, shape (n,), that add up to `total`.

    Raises
    ------
    ValueError
        If the shapes differ, or every ion is kept though charge is missing.
    """
    q, fixed = np.array(charges, dtype=float), np.asarray(keep, dtype=bool)
    if q.ndim != 1 or fixed.shape != q.shape:
        raise ValueError(f"charges {q.shape} and keep {fixed.shape} must both have shape (n,)")
    missing = total - q.sum()
    if fixed.all():
        if abs(missing) > 1e-9:
            raise ValueError(f"{missing:+.6g} e must go somewhere, but keep is True for every ion")
        return q
    q[~fixed] += missing / np.count_nonzero(~fixed)
    return q


@dataclass(frozen=True)
class _Ions:
    """What the ions of a structure are, kept while elements and valences stay the same."""

    numbers: IntArray
    valence: FloatArray | None
    species: tuple[Species, ...]
    charges: FloatArray

    def serves(self, atoms: Atoms) -> bool:
        valence = atoms.arrays.get("valence")
        if (valence is None) != (self.valence is None) or not np.array_equal(atoms.numbers, self.numbers):
            return False
        return valence is None or np.array_equal(valence, self.valence)


@dataclass(frozen=True)
class _Neighbours:
    """Neighbour list and wave vectors that stay valid while the ions move little in a fixed cell."""

    cell: FloatArray
    positions: FloatArray
    species: tuple[Species, ...]
    pairs: HalfPairs
    lattice: ReciprocalLattice | MeshLattice
    short_range: tuple[tuple[PairTerm, IntArray], ...]
    charges: FloatArray
    products: FloatArray

    def serves(self, atoms: Atoms, species: tuple[Species, ...], charges: FloatArray, skin: float) -> bool:
        if (species is not self.species and species != self.species) or not np.array_equal(self.cell, atoms.cell.array):
            return False
        if not np.array_equal(charges, self.charges):
            return False
        moved = np.einsum("ix,ix->i", *2 * (atoms.positions - self.positions,))
        return bool(moved.max() <= (0.5 * skin) ** 2)


class RigidIonCalculator(Calculator):
    """Energy, forces and stress of ions with fixed charges and pair forces.

    Parameters
    ----------
    potential : str or PairPotential
        Name in the registry of :mod:`.potentials`, or a potential.
    valences : mapping or sequence of float, optional
        Valence of each element, or of each ion. Left out, ``atoms.arrays["valence"]`` is used, else the only
        valence that the potential has for the element. A fractional valence takes the short-range
        terms of the nearest tabulated species.
    charges : sequence of float, optional
        Charge of each ion in elementary charges; left out, see :func:`model_charges`. A net charge is
        neutralised by a uniform background.
    accuracy : float
        Accuracy of the Ewald sum, eV per ion and eV/Angstrom.
    skin : float
        Extra reach of the neighbour list, Angstrom; the list is kept until an ion moves by half of it.

    Notes
    -----
    `dipole` is the sum of charge times position (e Angstrom) of the positions as they are given: nothing is
    wrapped into the cell. In a periodic cell only differences along a continuous path mean something; an
    ion moved by a lattice vector, or in a charged cell a shifted origin, changes it.

    Raises
    ------
    ValueError
        On construction for an unknown potential, in a calculation if the cell is not periodic in three
        directions, a valence is missing or unknown, a shape is wrong, or ions are closer than 0.5 Angstrom.
    """

    implemented_properties: list[str] = [  # noqa: RUF012
        "energy",
        "free_energy",
        "energies",
        "forces",
        "stress",
        "charges",
        "dipole",
    ]

    def __init__(
        self,
        potential: str | PairPotential = "pedone",
        *,
        valences: Mapping[str, float] | Sequence[float] | FloatArray | None = None,
        charges: Sequence[float] | FloatArray | None = None,
        accuracy: float = 1e-6,
        skin: float = 0.4,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.potential = _named(potential)
        self._valences = valences
        self._charges = None if charges is None else np.array(charges, dtype=float)
        self._accuracy = accuracy
        self._skin = skin
        self._ions: _Ions | None = None
        self._neighbours: _Neighbours | None = None

    def check_state(self, atoms: Atoms, tol: float = 1e-15) -> list[str]:
        """Return what changed since the last calculation, valences included.

        Parameters
        ----------
        atoms : ase.Atoms
            Structure to compare with the last one.
        tol : float
            Tolerance of ASE's comparison.

        Returns
        -------
        list of str
            Names of the changes.
        """
        changes: list[str] = super().check_state(atoms, tol=tol)  # type: ignore[no-untyped-call]
        if self.atoms is not None:
            old, new = (a.arrays.get("valence") for a in (self.atoms, atoms))
            same = old is new if old is None or new is None else np.array_equal(old, new)
            if not same:
                changes.append("initial_charges")
        return changes

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Compute all implemented properties and store them in ``results``.

        Parameters
        ----------
        atoms : ase.Atoms, optional
            Structure, periodic in three directions.
        properties, system_changes : sequence of str
            As ASE hands them over; everything is computed at once.

        Raises
        ------
        ValueError
            See the class.
        """
        super().calculate(atoms, list(properties), list(system_changes))  # type: ignore[no-untyped-call]
        structure = self.atoms
        if structure is None:
            raise ValueError("no structure was given; pass atoms or attach the calculator to one")
        if not structure.pbc.all():
            raise ValueError(f"pbc is {structure.pbc.tolist()}; the Ewald sum needs atoms.pbc = True")
        known = self._ions
        if known is None or not known.serves(structure):
            known = self._ions = self._identify(structure)
        self.results = self._evaluate(structure, known.species, known.charges)

    def _identify(self, atoms: Atoms) -> _Ions:
        symbols = list(atoms.symbols)
        valences = _valences(atoms, symbols, self._valences, self.potential)
        charges = self._ion_charges(symbols, valences)
        ions = list(zip(symbols, valences, strict=True))
        lookup = {ion: self.potential.nearest_species(*ion) for ion in set(ions)}
        given = atoms.arrays.get("valence")
        return _Ions(
            atoms.numbers.copy(), None if given is None else given.copy(), tuple(lookup[i] for i in ions), charges
        )

    def _ion_charges(self, symbols: list[str], valences: list[float]) -> FloatArray:
        if self._charges is None:
            return model_charges(symbols, valences, self.potential)
        if self._charges.shape != (len(symbols),):
            raise ValueError(f"charges of shape {self._charges.shape} are not one per ion ({len(symbols)})")
        return self._charges

    def _evaluate(self, atoms: Atoms, species: tuple[Species, ...], charges: FloatArray) -> dict[str, Any]:
        neighbours = self._neighbours
        if neighbours is None or not neighbours.serves(atoms, species, charges, self._skin):
            neighbours = self._neighbours = self._collect(atoms, species, charges)
        geometry = pair_geometry(neighbours.pairs, atoms.positions)
        _refuse_overlap(geometry, atoms)
        value, slope = self._pair_terms(neighbours, geometry)
        forces, virial = geometry.forces_and_virial(slope)
        potential, far_forces, far_virial = far_field(atoms.positions, charges, neighbours.lattice)
        energies = geometry.pairs.halves(value) + 0.5 * charges * potential
        stress = (virial + far_virial) / neighbours.lattice.volume
        return {
            "energy": float(energies.sum()),
            "free_energy": float(energies.sum()),
            "energies": energies,
            "forces": forces + far_forces,
            "stress": full_3x3_to_voigt_6_stress(stress),  # type: ignore[no-untyped-call]
            "charges": charges.copy(),
            "dipole": charges @ atoms.positions,
        }

    def _collect(self, atoms: Atoms, species: tuple[Species, ...], charges: FloatArray) -> _Neighbours:
        cell, positions = atoms.cell.array.copy(), atoms.positions.copy()
        split, lattice = self._split(cell, len(atoms))
        reach = max(split.real_cutoff, self.potential.cutoff) + self._skin
        pairs = half_pairs(cell, positions, reach)
        near = pair_geometry(pairs, positions).distances < self.potential.cutoff + self._skin
        terms = _sort_by_species(self.potential, species, pairs, near)
        products = charges.take(pairs.first) * charges.take(pairs.second)
        return _Neighbours(cell, positions, species, pairs, lattice, terms, charges.copy(), products)

    def _split(self, cell: FloatArray, n_atoms: int) -> tuple[EwaldParameters, ReciprocalLattice | MeshLattice]:
        """Wave vectors one by one for small cells; for large ones a mesh, and the pairs of the short-range terms."""
        if n_atoms < MESH_FROM:
            split = ewald_parameters(cell, n_atoms, self._accuracy)
            return split, reciprocal_lattice(cell, split)
        split = split_at(self.potential.cutoff, self._accuracy)
        return split, mesh_lattice(cell, split, self._accuracy)

    def _pair_terms(self, neighbours: _Neighbours, geometry: PairGeometry) -> tuple[FloatArray, FloatArray]:
        """Energy and (dE/dr)/r of every pair, Coulomb and short range together."""
        energy, pull = screened_pairs(geometry, neighbours.lattice.parameters)
        energy *= neighbours.products
        pull *= neighbours.products
        for term, chosen in neighbours.short_range:
            distance = geometry.distances.take(chosen)
            value, slope = self.potential.short_range(term, distance)
            slope /= distance
            energy[chosen] += value
            pull[chosen] += slope
        return energy, pull


def _named(model: str | PairPotential) -> PairPotential:
    return potential(model) if isinstance(model, str) else model


def _valences(
    atoms: Atoms,
    symbols: list[str],
    given: Mapping[str, float] | Sequence[float] | FloatArray | None,
    model: PairPotential,
) -> list[float]:
    """Valence of each ion from the argument, the structure or the potential, in this order."""
    by_element: dict[str, float] = {}
    if given is None and "valence" in atoms.arrays:
        given = atoms.arrays["valence"]
    if isinstance(given, Mapping):
        by_element.update(given)
    elif given is not None:
        values = np.asarray(given, dtype=float)
        if values.shape != (len(symbols),) or not np.isfinite(values).all():
            raise ValueError(f"valences {values.shape} are not one finite number per ion ({len(symbols)})")
        return [float(value) for value in values]
    for element in sorted(set(symbols) - set(by_element)):
        known = model.valences(element)
        if len(known) > 1:
            raise ValueError(
                f"the valence of {element} is open: potential {model.name!r} has {known}; pass valences="
                f"{{{element!r}: {known[-1]}}} or set atoms.arrays['valence'] for each ion"
            )
        by_element[element] = float(known[0] if known else model.nearest_species(element, 0.0)[1])
    return [float(by_element[symbol]) for symbol in symbols]


def _sort_by_species(
    model: PairPotential, species: tuple[Species, ...], pairs: HalfPairs, near: NDArray[np.bool_]
) -> tuple[tuple[PairTerm, IntArray], ...]:
    """Group the pairs within reach by short-range term."""
    kinds = sorted(set(species))
    number = np.array([kinds.index(one) for one in species], dtype=np.intp)
    first, second = number[pairs.first], number[pairs.second]
    low, high = np.minimum(first, second), np.maximum(first, second)
    groups = []
    for a, one in enumerate(kinds):
        for b in range(a, len(kinds)):
            term = model.term(one, kinds[b])
            if term is not None:
                groups.append((term, np.flatnonzero(near & (low == a) & (high == b))))
    return tuple(groups)


def _refuse_overlap(geometry: PairGeometry, atoms: Atoms) -> None:
    if not len(geometry.distances) or geometry.distances.min() >= OVERLAP:
        return
    worst = int(geometry.distances.argmin())
    i, j = int(geometry.pairs.first[worst]), int(geometry.pairs.second[worst])
    raise ValueError(
        f"ions {i} ({atoms.symbols[i]}) and {j} ({atoms.symbols[j]}) are {geometry.distances[worst]:.3f} A"
        f" apart; below {OVERLAP} A a rigid-ion model has no meaning. Check the structure or the path images"
    )
