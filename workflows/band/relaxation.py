"""Relaxing one structure of a band, and giving it up when its budget is spent."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms
from ase.optimize import LBFGS

from .ends import BandInputError


def relax(atoms: Atoms, fmax: float, steps: int) -> None:
    """Relax the ions in place with LBFGS (dense BFGS costs minutes a step at 450 atoms)."""
    quiet_lbfgs(atoms, 0.1, 50).run(fmax=fmax, steps=steps)


def relax_within(atoms: Atoms, what: str, fmax_eV_per_A: float, steps: int, budget: int | None) -> None:
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

    Raises
    ------
    BandInputError
        If it still moves after the budget; naming force, bound and ways out.
    """
    relax(atoms, fmax_eV_per_A, steps if budget is None else budget)
    if budget is None:
        return
    left = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
    if left > fmax_eV_per_A:
        raise BandInputError(
            f"the {what} still moves after {budget} steps: {left:.3f} eV/A, must be below {fmax_eV_per_A:g} eV/A; the "
            "path was not searched. Relax the end beforehand, raise end_steps or relax_fmax_eV_per_A, or distort the "
            "start: a symmetric one may lie on a saddle"
        )


def quiet_lbfgs(target: Any, maxstep: float, memory: int) -> LBFGS:
    """An LBFGS that prints nothing, for atoms or a band."""
    quiet: Any = None
    return LBFGS(target, logfile=quiet, maxstep=maxstep, memory=memory)
