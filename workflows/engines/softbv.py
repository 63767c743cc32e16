"""The embedded engine ``softbv``: bond valences, for the many ions that rigid ions with charges do not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...analysis.results.checks import Check, held
from ...analysis.results.document import Provenance
from ...calculators.bond_valence import PACKAGE, BondValenceCalculator, species_of, tables_installed, terms_of
from ...calculators.field import UniformFieldCalculator
from ...stored.caching import installed_versions
from ..ase.atoms import to_atoms
from ..ase.jobs import plain_settings, versions
from ..band.ends import Mover
from ..engine import CannotDoError, Capability
from ..evaluation.checkpoint import Checkpoint
from .local import LocalEngine

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator
    from jobflow import Job
    from pymatgen.core import Structure

    from ...analysis.results.calculation import Calculation

if not tables_installed():
    raise ImportError(f"{PACKAGE} is not installed", name=PACKAGE)

_WIDER = "engines sevennet, chgnet, gpaw and vasp know such ions: --engine sevennet"
_START = "start_volume_A3"
# Of the measured volume; five per cent of each edge.
MOST_VOLUME_CHANGE = 0.15
_LEFT_OUT = (
    "electrons: bonds of fixed valences, no polarisation, no charge transfer",
    "forces beyond some 6 A: like ions repel each other through a screen, and a missing charge is not felt",
)


@dataclass
class SoftBVEngine(LocalEngine):
    """softBV force field (Chen and Adams, 10.1107/S2052252517010211) with the single-ion models of `local`.

    Bond valences and a screened repulsion, fitted to bond lengths of many crystals and to no energy: the field's quick
    look at where an ion passes. Valences alone are formal; nothing is spread but in the work of a field.
    """

    name: ClassVar[str] = "softbv"
    citations: ClassVar[tuple[str, ...]] = ("softbv", "softbv2019")
    summary: ClassVar[str] = "bond valences of nearly all ions and single-ion anisotropy: seconds, a quick look"
    phases_on_request: ClassVar[str] = "its energies are those of bond lengths: no enthalpy follows from them"

    potential_name: str = "softbv"

    def __post_init__(self) -> None:
        """Refuse another potential, or a charge that this one has no use for.

        Raises
        ------
        ValueError
            Naming the setting.
        """
        super().__post_init__()
        if self.potential_name != "softbv" or self.charge_mode != "spread":
            raise ValueError(
                f"potential_name = {self.potential_name!r}, charge_mode = {self.charge_mode!r}: engine softbv has its "
                "own potential and feels no missing charge; take engine local for others"
            )

    def identity(self) -> dict[str, Any]:
        """See `Stored.identity`: the tables too."""
        made = super().identity()
        return {**made, "versions": {**made["versions"], **installed_versions(PACKAGE)}}

    def cannot(self) -> dict[Capability, str]:
        """No element energies: the parameters come from bond lengths."""
        return {"references": "its parameters come from bond lengths, so that its energies are no enthalpies"}

    def references(self, formulas: Sequence[str], *, name: str) -> Job:
        """Refused: see `cannot`."""
        self.require("references")
        return super().references(formulas, name=name)

    def check(self, structure: Structure) -> None:
        """Refuse ions and pairs that the tables lack."""
        try:
            terms_of(sorted(set(species_of(to_atoms(structure)))))
        except ValueError as error:
            raise CannotDoError(f"engine softbv cannot describe this material: {error}; {_WIDER}") from error

    def provenance(self, left_out: Sequence[str] = ()) -> Provenance:
        """Provenance with the tables' version."""
        return Provenance(
            engine=self.name,
            level_of_theory="local",
            functional="bond valence, softBV",
            settings={k: plain_settings(v) for k, v in self.settings().items()},
            versions=versions("magnetoionics", "ase", "pymatgen", "vesin", PACKAGE),
            left_out=[*_LEFT_OUT, *left_out],
        )

    def charges(self, atoms: Atoms, mover: Mover | None) -> NDArray[np.float64]:
        """Formal charges on which a field acts, what a vacancy lacks spread over the cations but the mover."""
        return self._spread(atoms, mover)

    def bare_charges(self, atoms: Atoms) -> NDArray[np.float64]:
        """The ions' valences."""
        return np.asarray(atoms.arrays["valence"], dtype=float)

    def formal_charges(self, atoms: Atoms, mover: Mover | None) -> NDArray[np.float64]:
        """As `charges`."""
        return self._spread(atoms, mover)

    def before_cell(self, atoms: Atoms, record: Checkpoint) -> None:
        """Keep the volume that the cell starts from."""
        atoms.info[_START] = float(atoms.get_volume())

    def after_cell(self, atoms: Atoms, record: Checkpoint) -> list[Check]:
        """Some crystals do not hold together by bond valences: rutile MnO2 doubles its edges."""
        change = abs(float(atoms.get_volume()) / atoms.info[_START] - 1.0)
        way_out = "bond valences do not hold this crystal together: take another engine, --engine chgnet"
        return [held("volume kept", change, MOST_VOLUME_CHANGE, note=way_out if change >= MOST_VOLUME_CHANGE else "")]

    def size_corrections(self, bulk: Calculation, repeats: tuple[int, int, int], sites: Sequence[int]) -> Job | None:
        """None: a missing charge is not felt, nor are its images."""
        return None

    def make_calculator(self, atoms: Atoms, mover: Mover | None) -> Calculator:
        """A bond-valence calculator, in the engine's field if there is one (zero energy at `atoms`)."""
        bare = BondValenceCalculator()
        if not any(self.field_V_per_A):
            return bare
        return UniformFieldCalculator(bare, self.field_V_per_A, self.formal_charges(atoms, mover), atoms.positions)


ENGINE = SoftBVEngine
