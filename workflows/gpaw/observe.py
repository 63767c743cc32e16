"""What a converged GPAW calculation says beside its energy: moments, gap, total moment."""

from __future__ import annotations

from typing import Any

import numpy as np


def gap_eV(calculator: Any) -> float:
    """Smallest gap between occupied and empty states over both spins and all k-points, eV; 0 for a metal.

    On a mesh of k-points the levels of a metal leave a distance too: what tells it is that the number of filled states
    differs from one point to another.

    Parameters
    ----------
    calculator
        Converged GPAW calculator.
    """
    fermi, points = calculator.get_fermi_level(), range(len(calculator.get_ibz_k_points()))
    for spin in range(calculator.get_number_of_spins()):
        filled = {int(np.sum(np.asarray(calculator.get_eigenvalues(kpt=k, spin=spin)) <= fermi)) for k in points}
        if len(filled) > 1:
            return 0.0
    highest, lowest = edges_eV(calculator)
    return max(0.0, lowest - highest)


def edges_eV(calculator: Any) -> tuple[float, float]:
    """Highest occupied and lowest empty state over both spins and all k-points, eV; arguments as `gap_eV`."""
    fermi = calculator.get_fermi_level()
    edges = []
    for spin in range(calculator.get_number_of_spins()):
        for k in range(len(calculator.get_ibz_k_points())):
            levels = np.asarray(calculator.get_eigenvalues(kpt=k, spin=spin))
            edges.append((levels[levels <= fermi].max(initial=-np.inf), levels[levels > fermi].min(initial=np.inf)))
    below, above = zip(*edges, strict=True)
    return float(max(below)), float(min(above))


def levels_eV(calculator: Any) -> tuple[np.ndarray, np.ndarray]:
    """All eigenvalues and the states per cell that each stands for; arguments as `gap_eV`.

    Returns
    -------
    levels, states
        Shape (n,); states are weights of the k-points, doubled without spin polarisation.
    """
    weights = np.asarray(calculator.get_k_point_weights(), dtype=float)
    spins = calculator.get_number_of_spins()
    holds = 2.0 if spins == 1 else 1.0
    levels, states = [], []
    for spin in range(spins):
        for k, weight in enumerate(weights / weights.sum()):
            found = np.asarray(calculator.get_eigenvalues(kpt=k, spin=spin), dtype=float)
            levels.append(found)
            states.append(np.full(len(found), holds * weight))
    return np.concatenate(levels), np.concatenate(states)


def occupations(calculator: Any) -> np.ndarray:
    """Occupation of every level of `levels_eV`, 0 to 1, in its order; arguments as `gap_eV`."""
    spins, points = calculator.get_number_of_spins(), len(calculator.get_k_point_weights())
    # Without raw, GPAW 26.7 multiplies its own occupations by the weights, in place.
    numbers = [
        np.asarray(calculator.get_occupation_numbers(kpt=k, spin=spin, raw=True), dtype=float)
        for spin in range(spins)
        for k in range(points)
    ]
    return np.concatenate(numbers)
