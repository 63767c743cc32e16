"""Maps E(n) with a known energy, for the tests of what is read from maps."""

from collections.abc import Callable

import numpy as np
from magnetoionics.analysis.magnetism.anisotropy import AnisotropyMap
from magnetoionics.analysis.magnetism.directions import lebedev_directions
from magnetoionics.analysis.magnetism.harmonics import real_harmonics
from magnetoionics.analysis.results.document import Provenance

PROVENANCE = Provenance(engine="test", level_of_theory="arithmetic")
Energy = Callable[[np.ndarray], np.ndarray]


def make_map(energy: Energy, order: int = 15, state: str = "pristine") -> AnisotropyMap:
    """A map of eight formula units in 600 A^3 on a Lebedev set."""
    directions = lebedev_directions(order).vectors
    return AnisotropyMap(
        state=state,
        directions=directions.tolist(),
        energies_meV=[float(x) for x in energy(directions)],
        cell_volume_A3=600.0,
        formula_units=8,
        ions="test",
        provenance=PROVENANCE,
    )


def even_energy(seed: int) -> Energy:
    """A random energy of even harmonics up to l = 4."""
    coefficients = np.random.default_rng(seed).normal(size=15)
    return lambda n: real_harmonics(n, (0, 2, 4)) @ coefficients
