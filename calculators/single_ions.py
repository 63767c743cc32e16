"""E(n) of every open-shell ion that has a model: 3d ions of one to nine electrons by ligand field, Fe3+ as S = 5/2."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from ..stored.base import Stored
from .crystal_field import site_fields
from .d_ions import D_IONS, parameters_of
from .ligand_field import LigandFieldModel, LigandFieldParameters
from .pairs import neighbour_vectors
from .spin_hamiltonian import FerricParameters, ferric_energies

__all__ = [
    "MODELLED",
    "S_STATES",
    "SingleIonMap",
    "SingleIonParameters",
    "ions_within",
    "open_shell_sites",
    "restriction_error_eV",
    "s_state_ions",
    "single_ion_map",
]

FloatArray = NDArray[np.float64]
Species = tuple[str, int]
#: Electrons of the ions that have a model.
MODELLED: Mapping[Species, int] = {
    ("Co", 2): 7,
    ("Fe", 2): 6,
    ("Fe", 3): 5,
    **{species: ion.electrons for species, ion in D_IONS.items()},
}
#: Half-filled 4f shells: no orbital moment, so that E(n) is zero but for splittings of some 0.1 K, which are left out.
S_STATES: frozenset[Species] = frozenset({("Gd", 3), ("Eu", 2)})
# A stated moment this far from that of the model's ground state is another spin state.
_OTHER_SPIN_muB = 1.0
# Directions that show the anisotropy of ions left out.
_PROBE = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [1, -1, 0], [1, 0, -1], [0, 1, -1]], dtype=float)


def _ferrous() -> LigandFieldParameters:
    return LigandFieldParameters(racah_B_eV=0.100, racah_C_eV=0.44, zeta_eV=0.047, r2_a0_squared=1.39)


@dataclass(frozen=True)
class SingleIonParameters(Stored):
    """Every assumed parameter of the single-ion models; none is fitted to an anisotropy.

    Attributes
    ----------
    cobalt
        Co2+, all 120 states of d7; see `LigandFieldParameters`.
    ferrous
        Fe2+, all 210 states of d6. Racah B and C 0.88 of the free ion's 917 and 4040 1/cm, spin-orbit constant
        0.94 of about 400 1/cm, <r^2> = 1.39 Bohr radii squared, all secondary: the book they are quoted from was not
        opened. The angular overlap is that of Co2+, whose radius is close (assumed): 10Dq = 1.06 eV at 2.10 A.
        Marks as in `parameter_sources`.
    ferric
        Fe3+, S = 5/2; see `FerricParameters`.
    others
        Of other ions by name, e.g. ``Ni2+``, where they are not to be those of `d_ions`.
    """

    as_before: ClassVar[Mapping[str, Any]] = {"others": {}}

    cobalt: LigandFieldParameters = field(default_factory=LigandFieldParameters)
    ferrous: LigandFieldParameters = field(default_factory=_ferrous)
    ferric: FerricParameters = field(default_factory=FerricParameters)
    others: dict[str, LigandFieldParameters] = field(default_factory=dict)

    def of(self, species: Species) -> LigandFieldParameters:
        """Ligand-field parameters of an ion; KeyError for one that has none."""
        if species in (("Co", 2), ("Fe", 2)):
            return self.cobalt if species == ("Co", 2) else self.ferrous
        name = ion_name(species)
        return self.others[name] if name in self.others else parameters_of(species)

    def with_order(self, order: float) -> SingleIonParameters:
        """The same ions in exchange fields of M(T)/M(0) times their size.

        Raises
        ------
        ValueError
            If the order is not from 0 to 1.
        """
        if not 0 <= order <= 1:
            raise ValueError(f"order {order} must be from 0 to 1: it is M(T)/M(0)")

        def weaker(parameters: LigandFieldParameters) -> LigandFieldParameters:
            return replace(parameters, exchange_eV=order * parameters.exchange_eV)

        names = {ion_name(species): species for species in D_IONS}
        return SingleIonParameters(
            cobalt=weaker(self.cobalt),
            ferrous=weaker(self.ferrous),
            ferric=replace(self.ferric, exchange_eV=order * self.ferric.exchange_eV),
            others={name: weaker(self.of(species)) for name, species in names.items()},
        )


def ion_name(species: Species) -> str:
    """``Ni2+``."""
    return f"{species[0]}{species[1]}+"


@dataclass(frozen=True)
class SingleIonMap:
    """E(n) of the modelled ions of a crystal.

    Attributes
    ----------
    sites
        Indices of the ions, shape (n_ions,).
    species
        Their element and valence.
    energies_eV
        Shape (n_ions, n_directions).
    left_out
        Open-shell ions that have no model, with their number.
    """

    sites: list[int]
    species: list[Species]
    energies_eV: FloatArray
    left_out: dict[str, int]

    @property
    def total_eV(self) -> FloatArray:
        """Sum over the ions, shape (n_directions,)."""
        return np.asarray(self.energies_eV.sum(axis=0))

    @property
    def names(self) -> str:
        """What contributes, e.g. ``"8 Co2+, 16 Fe3+"``."""
        return ", ".join(f"{n} {ion_name(s)}" for s, n in sorted(Counter(self.species).items()))


# Of the superposition model of Fe3+.
_FEWEST_OXYGENS = 3


def open_shell_sites(atoms: Atoms) -> tuple[dict[int, Species], dict[str, int]]:
    """Ions with a model by index, and the number of other open shells, by species name; `S_STATES` are neither.

    Fe3+ among other anions has no model: its parameters are those of oxygen.

    Parameters
    ----------
    atoms
        With the arrays ``valence`` and, to recognise other magnetic ions, ``magmom``. A valence that is no whole
        number is rounded.
    """
    valences = atoms.arrays.get("valence")
    if valences is None:
        raise ValueError("the atoms carry no valences; single-ion models need the array 'valence'")
    moments = atoms.arrays.get("magmom", np.zeros(len(atoms)))
    known: dict[int, Species] = {}
    others: Counter[str] = Counter()
    for i, (symbol, valence, moment) in enumerate(zip(atoms.get_chemical_symbols(), valences, moments, strict=True)):
        species = (symbol, round(float(valence)))
        if species in MODELLED:
            known[i] = species
        elif np.linalg.norm(moment) > 1e-6 and species not in S_STATES:
            others[ion_name(species)] += 1
    if np.any((valences < 0) & (np.array(atoms.get_chemical_symbols()) != "O")):
        ferric = [i for i, species in known.items() if species == ("Fe", 3)]
        for i, bonds in _oxygen_bonds(atoms, ferric, SingleIonParameters().ferric.ligand_cutoff_A).items():
            if len(bonds) < _FEWEST_OXYGENS:
                others[f"{ion_name(known.pop(i))} among other anions than oxygen"] += 1
    return known, dict(others)


def s_state_ions(atoms: Atoms) -> dict[str, int]:
    """Number of ions in an S state of 4f7 by name, e.g. ``{"Gd3+": 32}``: they add nothing to E(n)."""
    valences = atoms.arrays.get("valence", np.zeros(len(atoms)))
    ions = [(s, round(float(v))) for s, v in zip(atoms.get_chemical_symbols(), valences, strict=True)]
    return dict(Counter(ion_name(species) for species in ions if species in S_STATES))


def ions_within(atoms: Atoms, near: ArrayLike, radius_A: float) -> list[int]:
    """Indices of atoms within a radius of a fractional position, periodic images included."""
    if not radius_A > 0:
        raise ValueError(f"radius {radius_A} A must be positive")
    delta = atoms.get_scaled_positions() - np.asarray(near, dtype=float)
    delta -= np.rint(delta)
    return [int(i) for i in np.flatnonzero(np.linalg.norm(delta @ atoms.cell.array, axis=1) <= radius_A)]


def single_ion_map(
    atoms: Atoms,
    charges: ArrayLike,
    directions: ArrayLike,
    *,
    parameters: SingleIonParameters | None = None,
    sites: Sequence[int] | None = None,
    temperature_K: float = 0.0,
) -> SingleIonMap:
    """E(n) of each modelled ion.

    Parameters
    ----------
    atoms
        Periodic structure with the array ``valence``.
    charges
        Charges of all ions for the l = 2 field, e, shape (n_atoms,).
    directions
        Shape (n_directions, 3).
    parameters
        Default `SingleIonParameters`.
    sites
        Ions to compute; all modelled ones by default.
    temperature_K
        0 for the ground state, else the free energy -kT ln Z over all states (populations).

    Raises
    ------
    ValueError
        If the structure is not periodic, has no valences, or no ion with a model.
    """
    if not atoms.pbc.all():
        raise ValueError(f"the point-charge field is that of a crystal, but pbc is {atoms.pbc.tolist()}")
    used = parameters or SingleIonParameters()
    known, others = open_shell_sites(atoms)
    chosen = [i for i in known if sites is None or i in set(sites)]
    if not chosen:
        wanted = ", ".join(ion_name(s) for s in MODELLED)
        raise ValueError(f"no ion with a single-ion model here; there are models for {wanted}")
    energies = np.zeros((len(chosen), len(np.asarray(directions))))
    row = {site: r for r, site in enumerate(chosen)}
    place = (atoms.cell.array, atoms.positions, atoms.get_chemical_symbols(), charges)
    for species in dict.fromkeys(known[i] for i in chosen):
        if species == ("Fe", 3):
            continue
        mine = [i for i in chosen if known[i] == species]
        parameters_here = used.of(species)
        model = LigandFieldModel(parameters_here, MODELLED[species])
        fields = site_fields(*place, mine, parameters_here)
        if other := _other_spin(atoms, mine[0], model, fields[0]):
            others[f"{ion_name(species)} ({other})"] = len(mine)
            chosen = [i for i in chosen if i not in set(mine)]
            continue
        energies[[row[i] for i in mine]] = model.ground_energies(fields, directions, temperature_K)
    if not chosen:
        raise ValueError(f"no ion with a single-ion model here: {'; '.join(others)}")
    ferric = [i for i in chosen if known[i] == ("Fe", 3)]
    for i, bonds in _oxygen_bonds(atoms, ferric, used.ferric.ligand_cutoff_A).items():
        energies[row[i]] = ferric_energies(bonds, directions, used.ferric, temperature_K)
    return SingleIonMap(chosen, [known[i] for i in chosen], energies[[row[i] for i in chosen]], others)


def restriction_error_eV(
    atoms: Atoms,
    charges: ArrayLike,
    inside: Sequence[int],
    *,
    parameters: SingleIonParameters | None = None,
    temperature_K: float = 0.0,
) -> float:
    """Anisotropy of the ions that a restriction leaves out: their spread over seven directions, eV.

    The seven directions (axes, diagonals of faces and of the cube) span all terms of degree 2 and sample degree 4, so
    this is measured on the ions left out and not a bound on every direction.
    """
    known, _ = open_shell_sites(atoms)
    outside = [i for i in known if i not in set(inside)]
    if not outside:
        return 0.0
    left = single_ion_map(atoms, charges, _PROBE, parameters=parameters, sites=outside, temperature_K=temperature_K)
    return float(np.ptp(left.total_eV))


def _other_spin(atoms: Atoms, site: int, model: LigandFieldModel, field: FloatArray) -> str:
    """How the stated moment of a site differs from that of the model's ground state; empty if it does not."""
    stated = atoms.arrays.get("magmom")
    if stated is None:
        return ""
    size = float(np.linalg.norm(stated[site]))
    moment = float(np.linalg.norm(model.moments(field, [0.0, 0.0, 1.0])[0]))
    if abs(size - moment) < _OTHER_SPIN_muB:
        return ""
    return f"stated with {size:g} muB, its ligand field gives {moment:.1f} muB"


def _oxygen_bonds(atoms: Atoms, sites: Sequence[int], cutoff_A: float) -> dict[int, FloatArray]:
    if not sites:
        return {}
    first, second, vectors = neighbour_vectors(atoms.cell.array, atoms.positions, cutoff_A)
    oxygen = np.array([s == "O" for s in atoms.get_chemical_symbols()])[second]
    return {i: vectors[(first == i) & oxygen] for i in sites}
