"""Which defects still move after a crystal has been cooled."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ...structures.units import BOLTZMANN_eV_PER_K


def mobile_defects(
    barriers_eV: Mapping[str, float],
    temperature_K: float,
    time_s: float,
    distance_A: float,
    *,
    hop_A: float = 3.0,
    attempt_Hz: float = 1e13,
) -> set[str]:
    """Defects that still reach a sink after cooling.

    Parameters
    ----------
    barriers_eV
        Lowest barrier of each defect's hops.
    temperature_K, time_s
        Where and how long the crystal is held.
    distance_A
        To the nearest surface or grain boundary.
    hop_A, attempt_Hz
        Length of a hop, and its attempt frequency.

    Returns
    -------
    set of str
        Those whose diffusion length sqrt(6 D t), D = hop^2 / 6 times their rate, is at least the distance.

    Raises
    ------
    ValueError
        For a number that is not positive and finite.
    """
    given = {"temperature": temperature_K, "time": time_s, "distance": distance_A, "hop": hop_A, "attempt": attempt_Hz}
    for name, value in given.items():
        if not 0 < value < math.inf:
            raise ValueError(f"the {name} must be positive and finite, got {value}")
    hops = (distance_A / hop_A) ** 2
    return {
        label
        for label, barrier in barriers_eV.items()
        if attempt_Hz * math.exp(-barrier / (BOLTZMANN_eV_PER_K * temperature_K)) * time_s >= hops
    }
