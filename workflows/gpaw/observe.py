"""What a converged GPAW calculation says beside its energy: moments, gap, total moment."""

from __future__ import annotations

from typing import Any

import numpy as np


def gap_eV(calculator: Any) -> float:
    """Smallest gap between occupied and empty states over both spins and all k-points, eV; 0 for a metal.

    Parameters
    ----------
    calculator
        Converged GPAW calculator.
    """
    fermi = calculator.get_fermi_level()
    edges = []
    for spin in range(calculator.get_number_of_spins()):
        for k in range(len(calculator.get_ibz_k_points())):
            levels = np.asarray(calculator.get_eigenvalues(kpt=k, spin=spin))
            edges.append((levels[levels <= fermi].max(initial=-np.inf), levels[levels > fermi].min(initial=np.inf)))
    below, above = zip(*edges, strict=True)
    return max(0.0, float(min(above) - max(below)))
