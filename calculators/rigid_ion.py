"""ASE calculator for rigid ions: Ewald sum plus a published short-range pair potential."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from numpy.typing import ArrayLike, NDArray

from ..structures.units import COULOMB_eV_A
from .ewald import far_field
from .mesh import MeshLattice, mesh_lattice
from .pairs import HalfPairs, half_pairs
from .potentials import PairPotential, PairTerm, Species, potential
from .reciprocal import EwaldParameters, ReciprocalLattice, ewald_parameters, reciprocal_lattice, split_at
from .splines import ERFC_STEPS, TermSplines, erfc_spline, term_splines

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

MESH_FROM: int = 2000
"""Number of ions from which the reciprocal sum goes over a mesh."""
OVERLAP: float = 0.5
"""Distance below which two ions count as overlapping, Angstrom."""
_COINCIDE = 1e-6
_VOIGT = np.array([0, 4, 8, 5, 2, 1])


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
    species = set(zip(symbols, values.tolist(), strict=True))
    # An element that the potential does not know is named before a valence that it does not know.
    for symbol, valence in sorted(species, key=lambda s: (bool(potential.valences(s[0])), s)):
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
        if not np.array_equal(atoms.numbers, self.numbers):
            return False
        if valence is None or self.valence is None:
            return valence is None and self.valence is None
        return np.array_equal(valence, self.valence)


@dataclass(frozen=True)
class _Neighbours:
    """Neighbour list and wave vectors that stay valid while the ions move little in a fixed cell."""

    cell: FloatArray
    positions: FloatArray
    species: tuple[Species, ...]
    pairs: HalfPairs
    lattice: ReciprocalLattice | MeshLattice
    kind: NDArray[np.int8]
    splines: TermSplines

    def serves(self, atoms: Atoms, species: tuple[Species, ...], skin: float) -> bool:
        if (species is not self.species and species != self.species) or not np.array_equal(self.cell, atoms.cell.array):
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
        self._spare: Atoms | None = None
        self._ions: _Ions | None = None
        self._neighbours: _Neighbours | None = None

    def check_state(self, atoms: Atoms, tol: float = 1e-15) -> list[str]:
        """Return what changed since the last calculation, valences included.

        Parameters
        ----------
        atoms : ase.Atoms
            Structure to compare with the last one.
        tol : float
            Largest difference that counts as none.

        Returns
        -------
        list of str
            Names of the changes. Initial moments and charges do not matter here.
        """
        old = self.atoms
        if old is None or len(old) != len(atoms) or not _same(old.arrays.get("valence"), atoms.arrays.get("valence")):
            return list(all_changes)
        changes = [] if np.array_equal(old.numbers, atoms.numbers) else ["numbers"]
        if np.abs(old.positions - atoms.positions).max() > tol:
            changes.append("positions")
        if np.abs(old.cell.array - atoms.cell.array).max() > tol:
            changes.append("cell")
        if not np.array_equal(old.pbc, atoms.pbc):
            changes.append("pbc")
        return changes

    def reset(self) -> None:
        """Forget the last calculation; its copy of the structure is kept to be filled again."""
        self._spare = self.atoms
        self.atoms = None
        self.results = {}

    def _snapshot(self, atoms: Atoms, changes: Sequence[str]) -> Atoms:
        """Own copy of a structure; ASE's costs more than the energy of a small cell, so an old one is filled."""
        spare = self._spare
        if spare is None or not set(changes) <= {"positions"} or len(spare) != len(atoms):
            fresh: Atoms = atoms.copy()
            return fresh
        spare.positions[:] = atoms.positions
        return spare

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
        if atoms is not None:
            self.atoms = self._snapshot(atoms, system_changes)
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
        from .kernels import pair_sums

        neighbours = self._neighbours
        if neighbours is None or not neighbours.serves(atoms, species, self._skin):
            neighbours = self._neighbours = self._collect(atoms, species)
        pairs, lattice, splines = neighbours.pairs, neighbours.lattice, neighbours.splines
        potential, forces, virial = far_field(atoms.positions, charges, lattice)
        energies = 0.5 * charges * potential
        shortest, closest = pair_sums(
            atoms.positions,
            charges,
            pairs.rows,
            pairs.second,
            pairs.image,
            pairs.translations,
            neighbours.kind,
            COULOMB_eV_A,
            lattice.parameters.alpha,
            lattice.parameters.real_cutoff,
            erfc_spline(),
            ERFC_STEPS,
            splines.tables,
            splines.start,
            splines.steps,
            splines.cutoff,
            energies,
            forces,
            virial,
        )
        if shortest < OVERLAP**2:
            _refuse_overlap(atoms, int(pairs.first[closest]), int(pairs.second[closest]), shortest**0.5)
        energy, stress = float(energies.sum()), virial / lattice.volume
        return {
            "energy": energy,
            "free_energy": energy,
            "energies": energies,
            "forces": forces,
            "stress": stress.take(_VOIGT),
            "charges": charges.copy(),
            "dipole": charges @ atoms.positions,
        }

    def _collect(self, atoms: Atoms, species: tuple[Species, ...]) -> _Neighbours:
        cell, positions = atoms.cell.array.copy(), atoms.positions.copy()
        split, lattice = self._split(cell, len(atoms))
        reach = max(split.real_cutoff, self.potential.cutoff) + self._skin
        pairs = half_pairs(cell, positions, reach, compiled=True)
        terms, kind = _terms_of_pairs(self.potential, species, pairs)
        splines = term_splines(terms, self.potential.cutoff, self.potential.taper)
        return _Neighbours(cell, positions, species, pairs, lattice, kind, splines)

    def _split(self, cell: FloatArray, n_atoms: int) -> tuple[EwaldParameters, ReciprocalLattice | MeshLattice]:
        """Wave vectors one by one for small cells; for large ones a mesh, and the pairs of the short-range terms."""
        if n_atoms < MESH_FROM:
            split = ewald_parameters(cell, n_atoms, self._accuracy)
            return split, reciprocal_lattice(cell, split)
        split = split_at(self.potential.cutoff, self._accuracy)
        return split, mesh_lattice(cell, split, self._accuracy)


def _same(one: FloatArray | None, other: FloatArray | None) -> bool:
    return one is other if one is None or other is None else np.array_equal(one, other)


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


def _terms_of_pairs(
    model: PairPotential, species: tuple[Species, ...], pairs: HalfPairs
) -> tuple[tuple[PairTerm, ...], NDArray[np.int8]]:
    """Short-range terms of the species present, and which of them each pair has (-1 for none)."""
    kinds = sorted(set(species))
    number = np.array([kinds.index(one) for one in species], dtype=np.intp)
    terms: list[PairTerm] = []
    table = np.full((len(kinds), len(kinds)), -1, dtype=np.int8)
    for a, one in enumerate(kinds):
        for b in range(a, len(kinds)):
            term = model.term(one, kinds[b])
            if term is not None:
                table[a, b] = table[b, a] = len(terms)
                terms.append(term)
    return tuple(terms), table[number.take(pairs.first), number.take(pairs.second)]


def _refuse_overlap(atoms: Atoms, i: int, j: int, distance: float) -> None:
    if distance < _COINCIDE:
        raise ValueError(f"atoms {i} and {j} coincide; remove one of the duplicates")
    raise ValueError(
        f"ions {i} ({atoms.symbols[i]}) and {j} ({atoms.symbols[j]}) are {distance:.3f} A"
        f" apart; below {OVERLAP} A a rigid-ion model has no meaning. Check the structure or the path images"
    )
