"""Harmonic vibrations of the states of a hop: Vineyard's prefactors, free energies, and what they rest on.

Frequencies are in THz (cycles per picosecond); an imaginary one is written as a negative number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import constants as _c

from ...structures.units import BOLTZMANN_eV_PER_K, PLANCK_eV_S
from ..results.checks import Check, failed, held
from ..results.document import Document, Provenance
from .rates import rate_per_s
from .retention import DEFAULT_TEMPERATURES_K, Retention, retention

FloatArray = NDArray[np.float64]
Method = Literal["Gamma modes", "partial Hessian"]
# sqrt(eV / (A^2 u)) as an angular frequency, in cycles per picosecond.
_TO_THZ = math.sqrt(_c.e / (1e-20 * _c.atomic_mass)) / (2 * math.pi) * 1e-12


def frequencies_THz(hessian: ArrayLike, masses_u: ArrayLike) -> FloatArray:
    """Frequencies of a Hessian, ascending, imaginary ones negative.

    Parameters
    ----------
    hessian
        Second derivatives of the energy, eV/Angstrom^2, shape (3n, 3n); made symmetric here.
    masses_u
        Masses, u, shape (n,).

    Returns
    -------
    ndarray
        Shape (3n,), THz.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    matrix, masses = np.asarray(hessian, dtype=float), np.asarray(masses_u, dtype=float)
    if matrix.shape != (3 * len(masses), 3 * len(masses)):
        raise ValueError(f"a Hessian of {len(masses)} atoms has shape {(3 * len(masses),) * 2}, not {matrix.shape}")
    weight = 1.0 / np.sqrt(np.repeat(masses, 3))
    values = np.linalg.eigvalsh(0.5 * (matrix + matrix.T) * weight[:, None] * weight)
    return np.asarray(np.sign(values) * np.sqrt(np.abs(values)) * _TO_THZ)


def without_translations(frequencies: ArrayLike) -> FloatArray:
    """Drop the three frequencies of smallest size, which are the rigid translations of a whole cell."""
    values = np.asarray(frequencies, dtype=float)
    return np.sort(values[np.argsort(np.abs(values), kind="stable")[3:]])


def vineyard_Hz(minimum_THz: ArrayLike, saddle_THz: ArrayLike) -> float:
    """Attempt frequency: product of the modes of the minimum over that of the real modes of the saddle.

    Parameters
    ----------
    minimum_THz, saddle_THz
        All modes without translations, equal in number.

    Raises
    ------
    ValueError
        If the minimum has an imaginary mode, the saddle not exactly one, or the numbers differ.

    References
    ----------
    G. H. Vineyard, J. Phys. Chem. Solids 3, 121 (1957), DOI 10.1016/0022-3697(57)90059-8.
    """
    low, high = np.asarray(minimum_THz, dtype=float), np.asarray(saddle_THz, dtype=float)
    if low.shape != high.shape:
        raise ValueError(
            f"minimum and saddle have {low.size} and {high.size} modes; the same atoms must vibrate in both"
        )
    if (low <= 0).any():
        raise ValueError(
            f"the minimum has {int((low <= 0).sum())} modes that are not real: it is no minimum; relax it further"
        )
    if (high <= 0).sum() != 1:
        raise ValueError(
            f"the saddle has {int((high <= 0).sum())} imaginary modes; a first-order saddle has exactly one"
        )
    return float(1e12 * np.exp(np.log(low).sum() - np.log(high[high > 0]).sum()))


def vibrational_free_energy_eV(modes_THz: ArrayLike, temperature_K: float) -> float:
    """Free energy of quantum oscillators, zero-point energy included; imaginary modes are left out.

    Parameters
    ----------
    modes_THz
        Frequencies, any shape.
    temperature_K
        Zero gives the zero-point energy.

    Raises
    ------
    ValueError
        If the temperature is negative.
    """
    if temperature_K < 0:
        raise ValueError(f"temperature {temperature_K} K must not be negative")
    modes = np.asarray(modes_THz, dtype=float)
    quantum = PLANCK_eV_S * 1e12 * modes[modes > 0]
    if temperature_K == 0:
        return float(0.5 * quantum.sum())
    thermal = BOLTZMANN_eV_PER_K * temperature_K
    return float((0.5 * quantum + thermal * np.log(-np.expm1(-quantum / thermal))).sum())


class Modes(Document):
    """Modes of one state, without translations.

    Attributes
    ----------
    state
        ``initial``, ``saddle`` or ``final``.
    frequencies_THz
        Ascending; imaginary ones negative.
    largest_translation_THz
        Largest size of the three modes that were taken off; None for a partial Hessian, which has none.
    largest_force_eV_per_A
        Of the state itself: modes are exact only where it vanishes.
    asymmetry_eV_per_A2
        Largest difference of the Hessian and its transpose: the error of the finite differences.
    """

    state: Literal["initial", "saddle", "final"]
    frequencies_THz: list[float]
    largest_translation_THz: float | None
    largest_force_eV_per_A: float
    asymmetry_eV_per_A2: float

    @property
    def imaginary(self) -> int:
        """Number of imaginary modes."""
        return sum(f <= 0 for f in self.frequencies_THz)

    def free_energy_eV(self, temperature_K: float) -> float:
        """Vibrational free energy, see `vibrational_free_energy_eV`."""
        return vibrational_free_energy_eV(self.frequencies_THz, temperature_K)


class ShellPrefactor(Document):
    """Prefactors with only the atoms of a sphere around the mover vibrating."""

    radius_A: float
    atoms: int
    forward_Hz: float
    backward_Hz: float


class AttemptFrequency(Document):
    """Computed prefactors of a hop.

    Attributes
    ----------
    label
        The hop.
    method
        ``Gamma modes`` (all atoms, phonopy) or ``partial Hessian`` (a sphere around the mover).
    radius_A, atoms
        Of the sphere (None for all atoms), and how many atoms vibrate.
    forward_Hz, backward_Hz
        Vineyard's prefactors from the initial and from the final state; None if any check failed: an imaginary mode
        more or less, or a state that is not stationary, whose modes are those of a slope.
    shells
        The same with smaller spheres: how the partial Hessian converges.
    relative_error
        Largest relative change of a prefactor from the last smaller sphere to the result; None if there is none.
    modes
        Of the initial state, the controlling saddle and the final state.
    forward_eV, backward_eV
        Barriers without vibrations, for `rate_per_s`.
    equal_ends
        Whether both ends are one defect at two places of the crystal. Their modes are then the same, and what a sphere
        cuts unlike from both is its error: the mean of both stands for either, and neither place is preferred.
    """

    label: str
    method: Method
    radius_A: float | None
    atoms: int
    forward_Hz: float | None
    backward_Hz: float | None
    shells: list[ShellPrefactor]
    relative_error: float | None
    modes: list[Modes]
    forward_eV: float
    backward_eV: float
    equal_ends: bool = False
    displacement_A: float
    force_calls: int
    checks: list[Check]
    provenance: Provenance

    def state(self, name: str) -> Modes:
        """Modes of ``initial``, ``saddle`` or ``final``."""
        return next(m for m in self.modes if m.state == name)

    @property
    def in_words(self) -> str:
        """Which ions vibrate, and how far the prefactors still change with their number."""
        if self.radius_A is None:
            return f"all {self.atoms} ions vibrate"
        one = "; both ends are one defect, so both ways have one prefactor" if self.equal_ends else ""
        change = "" if self.relative_error is None else f", {self.relative_error:.0%} from the next smaller sphere"
        return f"{self.atoms} ions within {self.radius_A:g} A of the mover vibrate{change}{one}"

    @property
    def failed_in_words(self) -> str:
        """Checks that failed."""
        return "; ".join(c.in_words for c in failed(self.checks))

    def rate_per_s(self, temperature_K: float, *, backward: bool = False) -> float:
        """Harmonic transition-state rate with quantum oscillators, (kT/h) exp[-(E_b + dF_vib)/kT].

        Tunnelling is left out. At high temperature it becomes Vineyard's rate.
        """
        barrier = self.backward_eV if backward else self.forward_eV
        rise = self._rise_eV(temperature_K, backward)
        return rate_per_s(barrier + rise, temperature_K, BOLTZMANN_eV_PER_K * temperature_K / PLANCK_eV_S)

    def _rise_eV(self, temperature_K: float, backward: bool) -> float:
        """Vibrational free energy of the saddle over that of a start, of the mean of both where they are equal."""
        ends = [self.state(name).free_energy_eV(temperature_K) for name in ("initial", "final")]
        start = sum(ends) / 2 if self.equal_ends else ends[int(backward)]
        return self.state("saddle").free_energy_eV(temperature_K) - start

    def attempts_Hz(self, temperature_K: float) -> tuple[float, float]:
        """Rates of attempts forward and back at a temperature: `rate_per_s` over exp(-E_b/kT).

        Raises
        ------
        ValueError
            As `quantum_factor`.
        """
        factors = [self.quantum_factor(temperature_K, backward=back) for back in (False, True)]
        return (self.forward_Hz or 0.0) * factors[0], (self.backward_Hz or 0.0) * factors[1]

    def quantum_factor(self, temperature_K: float, *, backward: bool = False) -> float:
        """Rate of quantum oscillators over that of classical ones with Vineyard's prefactor; 1 at high temperature.

        To first order exp[-(h/kT)^2 (sum of f^2 at the saddle - sum of f^2 in the minimum)/24] over the real modes
        (E. Wigner, 10.1103/PhysRev.40.749): stiff saddles, such as a light ion in a narrow face, make it less than 1.

        Raises
        ------
        ValueError
            If a check on the modes failed, so that there is no prefactor.
        """
        classical = self.backward_Hz if backward else self.forward_Hz
        if classical is None:
            raise ValueError(f"no prefactor was computed for {self.label}: {self.failed_in_words}")
        rise = self._rise_eV(temperature_K, backward)
        thermal = BOLTZMANN_eV_PER_K * temperature_K
        return float(thermal / (PLANCK_eV_S * classical) * np.exp(-rise / thermal))

    def retention(self, temperatures_K: Sequence[float] = DEFAULT_TEMPERATURES_K) -> Retention:
        """How long both states of the hop are kept, with their own barriers, computed prefactors and quantum rates.

        Raises
        ------
        ValueError
            If a check on the modes failed, so that there is no prefactor.
        """
        if self.backward_Hz is None:
            raise ValueError(f"no prefactor was computed for {self.label}: {self.failed_in_words}")
        quantum = [(self.quantum_factor(t), self.quantum_factor(t, backward=True)) for t in temperatures_K]
        return retention(
            self.backward_eV,
            self.provenance,
            forward_eV=self.forward_eV,
            attempt_Hz=self.backward_Hz,
            forward_Hz=self.forward_Hz,
            attempt_source="Vineyard",
            note=self.in_words,
            temperatures_K=temperatures_K,
            quantum=quantum,
        )


def judge_modes(modes: Sequence[Modes], force_limit_eV_per_A: float) -> list[Check]:
    """Exactly one imaginary mode at the saddle, none elsewhere, small forces, translations near zero."""
    checks = []
    for m in modes:
        wanted = int(m.state == "saddle")
        name = f"{m.state} state has {'exactly one' if wanted else 'no'} imaginary mode"
        checks.append(held(name, m.imaginary, wanted, must_be="equal to"))
        checks.append(
            held(f"{m.state} state is stationary", m.largest_force_eV_per_A, force_limit_eV_per_A, unit="eV/A")
        )
        if m.largest_translation_THz is not None:
            checks.append(
                held(f"{m.state} state's translations cost nothing", m.largest_translation_THz, 0.1, unit="THz")
            )
    return checks
