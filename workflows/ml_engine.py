"""What the machine-learned potentials share: ions in fields by charges, references from oxides, no spin-orbit."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..analysis.document import Provenance
from ..calculators.field import UniformFieldCalculator
from ..calculators.rigid_ion import spread_charge
from .ase_jobs import AseEngine, plain, versions
from .engine import CannotDoError, Capability
from .oxide_references import fit_references

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator
    from jobflow import Job
    from pymatgen.core import Structure

_LEFT_OUT = (
    "spin states are not followed: the site moments are those the structure came with",
    "no charge states: every cell is neutral, and where its holes sit is not computed",
)


@dataclass
class MLEngine(AseEngine):
    """A machine-learned interatomic potential whose weights come with its package.

    Attributes
    ----------
    born_charges
        Effective charge (e) by element for the work of a field; formal valences if None. What is missing for
        neutrality is spread over the cations but the mover.
    field_V_per_A
        Uniform internal field that acts on these charges, V/Angstrom; needs a fixed cell.
    threads
        Threads of the tensor library.
    """

    tier: ClassVar[str] = "ML"
    blas_threads: ClassVar[int | None] = 1
    package: ClassVar[str]
    functional: ClassVar[str]
    training_U_eV: ClassVar[Mapping[str, float]] = {"Co": 3.32, "Fe": 5.3, "Ni": 6.2}
    known_limits: ClassVar[tuple[str, ...]]

    born_charges: dict[str, float] | None = None
    field_V_per_A: tuple[float, float, float] = (0.0, 0.0, 0.0)
    threads: int = 1

    @abstractmethod
    def bare_calculator(self) -> Calculator:
        """The potential without a field; the weights are loaded once per process."""

    def cannot(self) -> dict[Capability, str]:
        """No electrons, so no spin-orbit coupling."""
        return {"spin_orbit": f"{self.package} is a potential of the ions: it has no electrons to couple spin to orbit"}

    def check(self, structure: Structure) -> None:
        """Refuse an element without a Born charge, where Born charges were given."""
        absent = sorted({s.specie.symbol for s in structure} - set(self.born_charges or ()))
        if self.born_charges is not None and absent:
            raise CannotDoError(f"born_charges has no entry for {', '.join(absent)}; give one per element")

    def charges(self, atoms: Atoms, mover: int | None) -> NDArray[np.float64]:
        """Charges on which a field acts, e, shape (n,), adding up to zero."""
        valence = np.asarray(atoms.arrays["valence"], dtype=float)
        given = self.born_charges
        bare = valence if given is None else np.array([given[s] for s in atoms.get_chemical_symbols()])
        keep = valence < 0
        if mover is not None:
            keep[mover] = True
        return np.asarray(spread_charge(bare, keep))

    def relax(self, structure: Structure, *, name: str, cell: bool = False, mover: int | None = None) -> Job:
        """See `Engine.relax`; a moving cell in a field is refused, for the stress lacks the field's part."""
        if cell and any(self.field_V_per_A):
            raise CannotDoError("the cell cannot relax in a field: relax it at field zero, then the ions in the field")
        return super().relax(structure, name=name, cell=cell, mover=mover)

    def make_calculator(self, atoms: Atoms, mover: int | None) -> Calculator:
        """The potential, in the engine's field if there is one; the field's energy is zero at `atoms`."""
        bare = self.bare_calculator()
        if not any(self.field_V_per_A):
            return bare
        return UniformFieldCalculator(bare, self.field_V_per_A, self.charges(atoms, mover), atoms.positions)

    def dipole_charges(self, atoms: Atoms, mover: int | None) -> tuple[NDArray[np.float64], str]:
        """Formal or supplied Born charges."""
        what = "formal charges" if self.born_charges is None else "Born charges supplied by element"
        return self.charges(atoms, mover), f"{what}; the missing charge is spread over the cations but the mover"

    def quiet(self) -> AbstractContextManager[object]:
        """Context with `threads` threads for the tensor library and one for BLAS."""
        return self._few_threads()

    @contextmanager
    def _few_threads(self) -> Iterator[None]:
        import torch

        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            with super().quiet():
                yield
        finally:
            torch.set_num_threads(before)

    def provenance(self, left_out: Sequence[str] = ()) -> Provenance:
        """Provenance with the weights' name, the functional of the training data and the versions."""
        return Provenance(
            engine=self.name,
            tier="ML",
            functional=self.functional,
            hubbard_U_eV=dict(self.training_U_eV),
            settings={k: plain(v) for k, v in self.settings().items()},
            versions=versions("magnetoionics", "ase", "torch", self.package),
            left_out=[*_LEFT_OUT, *self.known_limits, *left_out],
        )

    def spin_orbit(
        self,
        structure: Structure,
        *,
        directions: Sequence[Sequence[float]],
        state: str,
        name: str,
        near: Sequence[float] | None = None,
    ) -> Job:
        """Refused: see `cannot`."""
        self.require("spin_orbit")
        raise AssertionError("unreachable: require refuses")

    def references(self, formulas: Sequence[str], *, name: str) -> Job:
        """Element energies fitted to the experimental enthalpies of these oxides, never to a metal."""
        made = fit_references(self, list(formulas))
        made.name = name
        return made


def require_wheel(package: str) -> None:
    """Fail with ImportError if a package is missing, without the seconds of importing it."""
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise ImportError(f"{package} is not installed", name=package)
