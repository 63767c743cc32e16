"""Jobs in which an engine converges a band in a uniform field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from jobflow import Response, job
from numpy.typing import NDArray
from pymatgen.core import Structure

from ...analysis.kinetics.field_treatments import PERMITTIVITY
from ...analysis.kinetics.polarisation import implied_permittivity
from ...analysis.kinetics.site_charges import SiteCharges, band_with_charges
from ...analysis.results.calculation import Band, require_valid
from ...calculators.field import UniformFieldCalculator
from ..ase.atoms import to_atoms
from ..ase.jobs import AseEngine, Observed, converge_band
from ..band.ends import Mover
from ..engine import Engine
from ..jobs.outputs import function_of

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator


class EngineInField:
    """An engine whose calculators feel a uniform field by effective charges; all else is the engine's.

    Parameters
    ----------
    engine
        Without a field of its own.
    field_V_per_A
        Shape (3,).
    tensors_e
        Charges of the ions, shape (n, 3, 3); those of the engine's dipoles if None.
    """

    def __init__(
        self, engine: AseEngine, field_V_per_A: Sequence[float], tensors_e: NDArray[np.float64] | None
    ) -> None:
        self._engine = engine
        self._field = [float(x) for x in field_V_per_A]
        self._tensors = tensors_e

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def charges(self, atoms: Atoms, mover: Mover | None) -> NDArray[np.float64]:
        """Charges or tensors on which the field acts."""
        return self._engine.dipole_charges(atoms, mover)[0] if self._tensors is None else self._tensors

    def as_dict(self) -> dict[str, Any]:
        """What a checkpoint's name depends on."""
        charges = None if self._tensors is None else self._tensors.tolist()
        return {"engine": self._engine.as_dict(), "field": self._field, "charges": charges}

    def make_calculator(self, atoms: Atoms, mover: Mover | None) -> Calculator:
        """The engine's calculator in the field, whose work is zero at `atoms`."""
        charges = self.charges(atoms, mover)
        bare = self._engine.make_calculator(atoms, mover)
        return UniformFieldCalculator(bare, self._field, charges, atoms.positions)

    def observe(self, atoms: Atoms) -> Observed:
        """What the engine itself sees."""
        if not isinstance(atoms.calc, UniformFieldCalculator):
            return self._engine.observe(atoms)
        bare = atoms.copy()
        bare.calc = atoms.calc.calculator
        return self._engine.observe(bare)


def _with_permittivity(made: Band, band: Band, inside: EngineInField, field_V_per_A: NDArray[np.float64]) -> Band:
    """The band with the static permittivity that its first state implies by relaxing in the field."""
    before, after = band.images[0].structure, made.images[0].structure
    moved = after.cart_coords - before.cart_coords
    charges = inside.charges(to_atoms(before), band.mover)
    value = implied_permittivity(moved, charges, field_V_per_A, before.volume)
    settings = {**made.provenance.settings, PERMITTIVITY: value}
    return made.model_copy(update={"provenance": made.provenance.model_copy(update={"settings": settings})})


@job(name="band in field")
def band_in_field(
    engine: Engine,
    band: Band,
    direction: Sequence[float],
    field_V_per_A: float,
    gap_eV: float | None = None,
    charges: SiteCharges | None = None,
    cell: Structure | None = None,
) -> Band | Response[Any]:
    """Converge the band again in a field, from the ends and minima of the zero-field one; energies hold its work.

    An engine that computes elsewhere replaces this job by its own, with its self-consistent field.

    Parameters
    ----------
    engine
        Converges it.
    band
        Zero-field band.
    direction, field_V_per_A
        Of positive fields, and the signed field.
    gap_eV
        For the check against breakdown of an engine with a self-consistent field, which knows its k points.
    charges, cell
        Charges of single sites in place of the engine's own, and the ordered cell that they may belong to.

    Raises
    ------
    InvalidResultError
        If the zero-field band failed a guard.
    """
    require_valid(band.checks, "the zero-field band")
    unit = np.asarray(direction, dtype=float) / np.linalg.norm(direction)
    first, last = band.images[0].structure, band.images[-1].structure
    between = [i.structure for i in band.images if i.kind == "minimum"]
    if not isinstance(engine, AseEngine):
        there = engine.with_field([float(c) for c in field_V_per_A * unit], gap_eV=gap_eV)
        name = f"band at {field_V_per_A:g} V/A"
        return Response(replace=there.band(first, last, between, mover=band.mover, name=name))
    tensors = None if charges is None else charges.tensors_for(first, band.mover, cell)[0]  # type: ignore[arg-type]
    inside = EngineInField(engine, field_V_per_A * unit, tensors)
    made: Band = function_of(converge_band)(inside, first, last, between, mover=band.mover)
    made = _with_permittivity(made, band, inside, field_V_per_A * unit)
    return made if charges is None else band_with_charges(made, charges, cell)  # type: ignore[arg-type]
