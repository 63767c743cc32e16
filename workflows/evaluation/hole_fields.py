"""From three finished cycles of a cell, each with its holes in other orbitals, to the crystal field of each hole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...analysis.magnetism.hole_field import LARGEST_OVERLAP, HoleField, largest_overlap
from ...analysis.results.checks import Check, held
from .t2g_orbitals import LEAST_T2G_WEIGHT, octahedron_axes

if TYPE_CHECKING:
    from ase import Atoms

    from ...analysis.results.document import Provenance

FloatArray = NDArray[np.float64]
# A site's moment that changes by more than this between the states is another spin state.
SAME_MOMENT_muB = 0.2


@dataclass(frozen=True)
class FoundHole:
    """What a cycle ended in.

    Attributes
    ----------
    hole, filled
        The empty orbital and the fuller of the other two, in yz, xz, xy of the octahedron, of length 1.
    t2g_weight
        Of the hole, before it was projected on t2g.
    energy_eV, moments_muB
        Of the cell.
    iterations
        Of the cycle without bias.
    """

    hole: FloatArray
    filled: FloatArray
    t2g_weight: float
    energy_eV: float
    moments_muB: FloatArray
    iterations: int


def hole_field(
    atoms: Atoms,
    ion: int,
    holes: Sequence[FoundHole],
    provenance: Provenance,
    *,
    spin_orbit_meV: float,
    spin_orbit_source: str,
    moved: int = 1,
) -> HoleField:
    """The document of three states of an ion, with what could be wrong with them; `moved` ions share the energies."""
    rows = np.array([f.hole for f in holes])
    energies = 1000.0 * np.array([f.energy_eV for f in holes]) / moved
    moments = np.array([f.moments_muB for f in holes])
    turned = float(np.max(np.abs(moments - moments[0])))
    checks = [
        _bounded("three different holes", largest_overlap(rows), LARGEST_OVERLAP, "overlap of two of the orbitals"),
        held("holes in t2g", min(f.t2g_weight for f in holes), LEAST_T2G_WEIGHT, must_be="above").model_copy(
            update={"note": "least weight of a hole in t2g"}
        ),
        _bounded("same moments in the three states", turned, SAME_MOMENT_muB, "largest change of a site's moment"),
    ]
    return HoleField(
        site=ion,
        element=atoms.get_chemical_symbols()[ion],
        axes=octahedron_axes(atoms, ion).tolist(),
        holes=rows.tolist(),
        energies_meV=[float(x) for x in energies - energies.min()],
        spin_orbit_meV=spin_orbit_meV,
        spin_orbit_source=spin_orbit_source,
        checks=checks,
        provenance=provenance,
    )


def _bounded(name: str, value: float, limit: float, note: str) -> Check:
    return held(name, value, limit).model_copy(update={"note": note})
