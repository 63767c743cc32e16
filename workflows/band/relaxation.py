"""Relaxing a structure or a band: what goes in circles is told, and gone about otherwise or given up."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from ase import Atoms
from ase.optimize import FIRE, LBFGS
from numpy.typing import NDArray

from .ends import BandInputError

FloatArray = NDArray[np.float64]
# So many steps without a smaller force, and with energies that lead nowhere, are a circle.
CIRCLE_STEPS = 60
# A force smaller by less than this is the same one.
SMALLER = 0.99
# Mean energies of both halves of a circle differ by less than this share of their range.
NO_TREND = 0.1


class Circle(NamedTuple):
    """The last steps of an optimiser that goes in circles.

    Attributes
    ----------
    step
        Number of steps it had made.
    lowest_eV_per_A, highest_eV_per_A
        Forces of its last steps.
    range_eV
        Between the lowest and the highest energy of its last steps.
    """

    step: int
    lowest_eV_per_A: float
    highest_eV_per_A: float
    range_eV: float

    def __str__(self) -> str:
        return (
            f"went in circles at step {self.step} (forces of {self.lowest_eV_per_A:.3f} to {self.highest_eV_per_A:.3f} "
            f"eV/A and energies within {self.range_eV:.2g} eV in {CIRCLE_STEPS} steps)"
        )


class Watched:
    """An optimiser that stops where it goes in circles, and keeps the best that it came through.

    Parameters
    ----------
    optimizer
        Of ASE, for atoms or a band.
    """

    def __init__(self, optimizer: LBFGS | FIRE) -> None:
        self.optimizer: Any = optimizer
        self.circle: Circle | None = None
        self.best: FloatArray | None = None
        self._forces: list[float] = []
        self._energies: list[float] = []
        self._since = 0

    @property
    def steps(self) -> int:
        """Steps made so far."""
        return int(self.optimizer.nsteps)

    def run(self, fmax_eV_per_A: float, steps: int) -> bool:
        """Whether it converged; False too where it was stopped."""
        converged = False
        for converged in self.optimizer.irun(fmax=fmax_eV_per_A, steps=steps):
            self._look()
            if self.circle is not None and not converged:
                return False
        return bool(converged)

    def return_to_best(self) -> None:
        """Put the target where its forces were smallest."""
        if self.best is not None:
            self.optimizer.optimizable.set_x(self.best)

    def _look(self) -> None:
        target = self.optimizer.optimizable
        force = float(target.gradient_norm(target.get_gradient()))
        if not self._forces or force < SMALLER * min(self._forces):
            self.best, self._since = np.array(target.get_x()), len(self._forces)
        self._forces.append(force)
        self._energies.append(float(target.get_value()))
        if len(self._forces) - self._since <= CIRCLE_STEPS:
            return
        forces, energies = self._forces[-CIRCLE_STEPS:], np.array(self._energies[-CIRCLE_STEPS:])
        first, second = np.split(energies, 2)
        span = float(np.ptp(energies))
        if abs(float(first.mean() - second.mean())) <= NO_TREND * span:
            self.circle = Circle(self.steps, min(forces), max(forces), span)


def descend(target: Any, what: str, fmax_eV_per_A: float, steps: int, maxstep_A: float, memory: int) -> list[str]:
    """Relax with LBFGS; where that goes in circles, with FIRE from the best place that it came through.

    Parameters
    ----------
    target
        Atoms or a band.
    what
        Its name in what is said.
    fmax_eV_per_A
        Bound on the forces.
    steps
        Of both optimisers together.
    maxstep_A
        Longest step of LBFGS.
    memory
        Steps that LBFGS remembers.

    Returns
    -------
    list of str
        What was done about a circle, and what it means where FIRE ends in one too; empty if there was none.
    """
    first = Watched(quiet_lbfgs(target, maxstep_A, memory))
    if first.run(fmax_eV_per_A, steps) or first.circle is None:
        return []
    first.return_to_best()
    quiet: Any = None
    second = Watched(FIRE(target, logfile=quiet, maxstep=maxstep_A / 2))
    done = second.run(fmax_eV_per_A, max(steps - first.steps, 0))
    said = f"{what}: LBFGS {first.circle}"
    if done:
        return [f"{said}; FIRE converged from its best place in {second.steps} steps"]
    if second.circle is None:
        return [f"{said}; FIRE went on from its best place and did not converge in the {second.steps} steps left"]
    second.return_to_best()
    return [
        f"{said}, and so did FIRE, in {second.steps} steps: the energy has a kink there or its forces are not its "
        "slope (electrons that flip between states, a cutoff); the place with the smallest forces was kept"
    ]


def relax(atoms: Atoms, fmax: float, steps: int, what: str = "structure") -> list[str]:
    """Relax the ions in place with LBFGS (dense BFGS costs minutes a step at 450 atoms); see `descend`."""
    return descend(atoms, what, fmax, steps, 0.1, 50)


def relax_within(atoms: Atoms, what: str, fmax_eV_per_A: float, steps: int, budget: int | None) -> list[str]:
    """Relax in place; with a budget, fewer steps are no relaxation but the end of it.

    Parameters
    ----------
    atoms
        With a calculator.
    what
        Its name in the refusal.
    fmax_eV_per_A
        Bound on the forces.
    steps
        Optimiser steps without a budget.
    budget
        Optimiser steps after which it must be relaxed; None for no such rule.

    Returns
    -------
    list of str
        As `descend`.

    Raises
    ------
    BandInputError
        If it still moves after the budget; naming force, bound and ways out.
    """
    said = relax(atoms, fmax_eV_per_A, steps if budget is None else budget, what)
    if budget is None:
        return said
    left = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
    if left > fmax_eV_per_A:
        raise BandInputError(
            f"the {what} still moves after {budget} steps: {left:.3f} eV/A, must be below {fmax_eV_per_A:g} eV/A; the "
            "path was not searched. Relax the end beforehand, raise end_steps or relax_fmax_eV_per_A, or distort the "
            "start: a symmetric one may lie on a saddle" + "".join(f". {note}" for note in said)
        )
    return said


def quiet_lbfgs(target: Any, maxstep: float, memory: int) -> LBFGS:
    """An LBFGS that prints nothing, for atoms or a band."""
    quiet: Any = None
    return LBFGS(target, logfile=quiet, maxstep=maxstep, memory=memory)
