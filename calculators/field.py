"""Uniform electric field on top of any ASE calculator, with point charges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

NEUTRAL_TOLERANCE: float = 1e-6
"""Largest net charge that counts as neutral, elementary charges."""


class UniformFieldCalculator(Calculator):
    """Add the work of a uniform field on point charges to any ASE calculator.

    The energy is ``E0 - F . sum_i q_i (r_i - r_i0)`` and the force on an ion ``f_i0 + q_i F`` (with a tensor its
    transpose times F). This is the
    point-charge treatment of the three ways to include a field; the electronic response is in the charges.

    Parameters
    ----------
    calculator : ase calculator
        Gives E0 and its forces for the same structure.
    field_V_per_A : array_like
        Internal macroscopic field, V/Angstrom, shape (3,).
    charges : array_like
        Charges that the field acts on (formal, model or Born), elementary charges, shape (n,), or tensors
        Z_ab = d p_a / d u_b, shape (n, 3, 3).
    reference_positions : array_like
        Positions at which the field energy is zero, Angstrom, shape (n, 3).
    allow_charged : bool
        Accept a net charge; the energy then depends on the reference positions.

    Notes
    -----
    Displacements are taken as they are, without minimum image: positions must be continuous with the
    reference. An ion wrapped across the cell changes the energy by the work over a whole lattice vector.
    The stress is the one of the wrapped calculator: the strain derivative of the field term is left out,
    so keep the cell fixed when a field is on.

    Raises
    ------
    ValueError
        If a shape is wrong, a number is not finite, or the net charge exceeds 1e-6 e without
        `allow_charged`; in a calculation if the number of ions differs.
    """

    implemented_properties: list[str] = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012

    def __init__(
        self,
        calculator: Any,
        field_V_per_A: ArrayLike,
        charges: ArrayLike,
        reference_positions: ArrayLike,
        *,
        allow_charged: bool = False,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calculator = calculator
        self.field = np.array(field_V_per_A, dtype=float)
        self.charges = np.array(charges, dtype=float)
        self.reference_positions = np.array(reference_positions, dtype=float)
        self._validate(allow_charged)
        offered = getattr(calculator, "implemented_properties", ["energy", "forces"])
        self.implemented_properties = [
            name for name in type(self).implemented_properties if name in offered or name == "free_energy"
        ]

    def field_energy(self, positions: ArrayLike) -> float:
        """Return the work term ``-F . sum_i q_i (r_i - r_i0)``.

        Parameters
        ----------
        positions : array_like
            Angstrom, shape (n, 3), continuous with the reference positions.

        Returns
        -------
        float
            eV.

        Raises
        ------
        ValueError
            If the number of ions differs from that of the charges.
        """
        shift = np.asarray(positions, dtype=float)
        if shift.shape != self.reference_positions.shape:
            raise ValueError(f"positions {shift.shape} and reference {self.reference_positions.shape} differ")
        return -float(np.sum((shift - self.reference_positions) * self._pull))

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Compute the requested properties with the wrapped calculator and add the field.

        Parameters
        ----------
        atoms : ase.Atoms, optional
            Structure; its own calculator is not touched.
        properties, system_changes : sequence of str
            As ASE hands them over.

        Raises
        ------
        ValueError
            If the number of ions differs from that of the charges.
        """
        super().calculate(atoms, list(properties), list(system_changes))  # type: ignore[no-untyped-call]
        structure = self.atoms
        if structure is None:
            raise ValueError("no structure was given; pass atoms or attach the calculator to one")
        work = self.field_energy(structure.positions)
        # Many codes give the forces with the energy; asking for both avoids a second calculation in a path.
        wanted = {"energy", "forces", *properties} & set(self.implemented_properties) - {"free_energy"}
        bare = {name: self.calculator.get_property(name, structure) for name in sorted(wanted)}
        self.results = {**bare, "energy": bare["energy"] + work, "free_energy": bare["energy"] + work}
        if "free_energy" in getattr(self.calculator, "implemented_properties", ()):
            self.results["free_energy"] = self.calculator.get_property("free_energy", structure) + work
        if "forces" in bare:
            self.results["forces"] = bare["forces"] + self._pull

    @property
    def _pull(self) -> FloatArray:
        """Force of the field on every ion, eV/Angstrom, shape (n, 3)."""
        if self.charges.ndim == 1:
            return np.asarray(self.charges[:, None] * self.field)
        return np.asarray(np.einsum("nab,a->nb", self.charges, self.field))

    def _validate(self, allow_charged: bool) -> None:
        shapes = self.field.shape, self.charges.shape, self.reference_positions.shape
        n_ions = len(self.charges) if self.charges.ndim else 0
        if shapes not in (((3,), (n_ions,), (n_ions, 3)), ((3,), (n_ions, 3, 3), (n_ions, 3))):
            raise ValueError(
                f"field, charges and reference have shapes {shapes}; want (3,), (n,) or (n, 3, 3), and (n, 3)"
            )
        for name in ("field", "charges", "reference_positions"):
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"{name} must be finite numbers")
        total = self.charges.sum(axis=0)
        net = float(total.flat[np.argmax(np.abs(total))]) if total.ndim else float(total)
        if abs(net) > NEUTRAL_TOLERANCE and not allow_charged:
            raise ValueError(
                f"the charges add up to {net:+.6g} e: the energy of a charged cell in a field depends on the"
                " origin. Neutralise them with spread_charge(), or pass allow_charged=True and state the"
                " reference positions"
            )
