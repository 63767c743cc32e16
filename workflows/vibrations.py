"""Vibrations of a converged hop: prefactors both ways from all atoms or from a sphere around the mover."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from ase import Atoms
from ase.geometry import find_mic
from jobflow import Flow, Maker, job

from ..analysis.calculation import Band, require_valid
from ..analysis.vibrations import (
    AttemptFrequency,
    Modes,
    ShellPrefactor,
    frequencies_THz,
    judge_modes,
    vineyard_Hz,
    without_translations,
)
from .ase_jobs import AseEngine
from .atoms import to_atoms
from .band import CallCounter
from .engine import CannotDoError, Engine
from .hessian import FloatArray, full_hessian, partial_hessian

STATES = ("initial", "saddle", "final")
_SHELL_A = 1.0


@dataclass
class VibrationsMaker(Maker):
    """Attempt frequencies of a hop from a converged band.

    Attributes
    ----------
    engine
        An engine that computes here (an ASE calculator).
    radius_A
        Only atoms within this distance of the mover's path vibrate; None takes all atoms, through phonopy.
    displacement_A
        Step of the finite differences.
    force_limit_eV_per_A
        Largest force on a state that still counts as stationary.
    """

    engine: Engine = field(kw_only=True)
    radius_A: float | None = None
    displacement_A: float = 0.01
    force_limit_eV_per_A: float = 0.05
    name: str = "vibrations"

    def make(self, band: Band, label: str = "hop") -> Flow:
        """Flow whose output is an `AttemptFrequency`.

        Parameters
        ----------
        band
            Converged band, or a reference to it.
        label
            The hop in words.

        Raises
        ------
        CannotDoError
            If the engine is no ASE calculator.
        ValueError
            If the radius or the step is not positive.
        """
        if not isinstance(self.engine, AseEngine):
            raise CannotDoError(f"engine {self.engine.name} gives no forces here; vibrations need an ASE calculator")
        for name in ("radius_A", "displacement_A"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} = {value} must be positive")
        made = attempt_frequency(
            self.engine,
            band,
            label,
            radius_A=self.radius_A,
            displacement_A=self.displacement_A,
            force_limit_eV_per_A=self.force_limit_eV_per_A,
        )
        return Flow([made], output=made.output, name=self.name)


@job(name="vibrations")
def attempt_frequency(
    engine: AseEngine,
    band: Band,
    label: str,
    *,
    radius_A: float | None,
    displacement_A: float,
    force_limit_eV_per_A: float,
) -> AttemptFrequency:
    """Modes of both ends and the controlling saddle; outputs an `AttemptFrequency`.

    Raises
    ------
    InvalidResultError
        If the band failed a guard.
    """
    require_valid(band.checks, "the band")
    images = [band.images[0], max(band.images[1:-1], key=lambda i: i.energy_eV), band.images[-1]]
    states = [to_atoms(i.structure) for i in images]
    counter = CallCounter()
    distance = _distance_from_path(states, band.mover)
    everything = radius_A is None
    chosen = np.arange(len(distance)) if radius_A is None else np.flatnonzero(distance <= radius_A)
    with engine.quiet():
        found = [_state(engine, s, band.mover, chosen, everything, displacement_A, counter) for s in states]
    hessians = [hessian for hessian, _, _ in found]
    modes = [
        Modes(
            state=name,  # type: ignore[arg-type]
            frequencies_THz=(without_translations(f) if everything else f).tolist(),
            largest_translation_THz=float(np.sort(np.abs(f))[2]) if everything else None,
            largest_force_eV_per_A=force,
            asymmetry_eV_per_A2=float(np.abs(h - h.T).max()),
        )
        for name, (h, f, force) in zip(STATES, found, strict=True)
    ]
    checks = judge_modes(modes, force_limit_eV_per_A)
    forward, backward = _prefactors([np.array(m.frequencies_THz) for m in modes])
    shells = _shells(hessians, states[0].get_masses(), distance, chosen)
    return AttemptFrequency(
        label=label,
        method="Gamma modes" if everything else "partial Hessian",
        radius_A=radius_A,
        atoms=len(chosen),
        forward_Hz=forward,
        backward_Hz=backward,
        shells=shells,
        relative_error=_relative_error(shells, forward, backward),
        modes=modes,
        forward_eV=images[1].energy_eV - images[0].energy_eV,
        backward_eV=images[1].energy_eV - images[2].energy_eV,
        displacement_A=displacement_A,
        force_calls=counter.calls,
        checks=checks,
        provenance=engine.provenance(["harmonic vibrations: no anharmonicity, no tunnelling"]),
    )


def _distance_from_path(states: list[Atoms], mover: int) -> FloatArray:
    """Smallest distance of each atom from the mover's place in the three states, Angstrom, shape (n,)."""
    first = states[0]
    rows = [find_mic(first.positions - state.positions[mover], first.cell, first.pbc)[1] for state in states]
    distance = np.min(rows, axis=0)
    distance[mover] = 0.0
    return np.asarray(distance)


def _state(
    engine: AseEngine,
    atoms: Atoms,
    mover: int,
    chosen: np.ndarray,
    everything: bool,
    displacement_A: float,
    counter: CallCounter,
) -> tuple[FloatArray, FloatArray, float]:
    calculator = counter.attach(engine.make_calculator(atoms, mover))

    def forces(moved: Atoms) -> FloatArray:
        return np.array(calculator.get_property("forces", moved))

    largest = float(np.linalg.norm(forces(atoms), axis=1).max())
    if everything:
        hessian, frequencies = full_hessian(atoms, mover, forces, displacement_A)
    else:
        hessian = partial_hessian(atoms, chosen.tolist(), forces, displacement_A)
        frequencies = frequencies_THz(hessian, atoms.get_masses()[chosen])
    return hessian, frequencies, largest


def _prefactors(modes: list[FloatArray]) -> tuple[float | None, float | None]:
    """Forward and backward prefactors; None where the modes do not allow one."""
    out = []
    for end in (modes[0], modes[2]):
        try:
            out.append(vineyard_Hz(end, modes[1]))
        except ValueError:
            out.append(None)
    return out[0], out[1]


def _shells(
    hessians: list[FloatArray], masses: FloatArray, distance: FloatArray, chosen: np.ndarray
) -> list[ShellPrefactor]:
    """Prefactors of ever larger spheres, cut from the Hessians that are there: no force call more."""
    reach = float(distance[chosen].max())
    shells: list[ShellPrefactor] = []
    for radius in np.arange(2.5, reach, _SHELL_A):
        inside = np.flatnonzero(distance[chosen] <= radius)
        if len(inside) == len(chosen) or (shells and len(inside) == shells[-1].atoms):
            continue
        block = (3 * inside[:, None] + np.arange(3)).ravel()
        modes = [frequencies_THz(h[np.ix_(block, block)], masses[chosen[inside]]) for h in hessians]
        forward, backward = _prefactors(modes)
        if forward is not None and backward is not None:
            shells.append(
                ShellPrefactor(radius_A=float(radius), atoms=len(inside), forward_Hz=forward, backward_Hz=backward)
            )
    return shells


def _relative_error(shells: list[ShellPrefactor], forward: float | None, backward: float | None) -> float | None:
    if not shells or forward is None or backward is None:
        return None
    last = shells[-1]
    return max(abs(last.forward_Hz / forward - 1), abs(last.backward_Hz / backward - 1))
