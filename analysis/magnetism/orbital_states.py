"""Anisotropy of a cell from the crystal fields of its t2g holes: E(n), cubic constants with an error, orbital moments.

The method is `hole_field.METHOD`: its energies are total energies of real orbitals, spin-orbit coupling comes on top.
They are never mixed with those of the force theorem or of self-consistent spinors, which are other methods of a map.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pymatgen.core import Structure

from ...structures.magnetic_symmetry import site_rotations
from ...structures.spins import is_non_collinear, reduced_formula_units
from ...structures.units import MEV_PER_A3_TO_MJ_PER_M3
from ..results.calculation import Check
from ..results.checks import held
from ..results.document import Document, Provenance
from .anisotropy import AnisotropyMap, cubic_operations
from .directions import lebedev_directions
from .hole_field import METHOD, HoleField, QUENCHED_BELOW_muB, one_after_another, symmetrised

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
# Differences of energies between real orbitals in DFT+U are good to about this much.
REAL_HOLES_meV = 5.0
# Sources of an error of K1.
ENERGIES = f"{REAL_HOLES_meV:g} meV in the holes' energies"
OVERLAP = "overlap of the orbitals"
SYMMETRY = "symmetry of the site"
# Of relaxed cells, Angstrom.
_SYMPREC_A = 1e-2
# Of covalency; the free ion's L is 1.
REDUCTIONS = (1.0, 0.9, 0.8)
_ORDER = 15


class HoleAnisotropy(Document):
    """Cubic constants of ions with a crystal field of their holes, averaged over the cubic operations.

    Attributes
    ----------
    temperature_K, orbital_reduction
        What they hold for.
    K1_meV_per_ion, K1_MJ_per_m3, K2_MJ_per_m3
        Of E = K1 (a1^2 a2^2 + ...) + K2 a1^2 a2^2 a3^2.
    K1_error_MJ_per_m3, K1_error_parts_MJ_per_m3
        Root of the sum of the squares of: half of the range of K1 while the holes' energies move by `REAL_HOLES_meV`
        each; what it changes to make the orbitals orthogonal one after the other instead of all at once; and what it
        changes to give the field the symmetry of its site.
    orbital_moment_100_muB
        Mean along <100> after averaging.
    """

    temperature_K: float
    orbital_reduction: float
    K1_meV_per_ion: float
    K1_MJ_per_m3: float
    K2_MJ_per_m3: float
    K1_error_MJ_per_m3: float
    orbital_moment_100_muB: float
    K1_error_parts_MJ_per_m3: dict[str, float] = Field(default_factory=dict)


class OrbitalState(Document):
    """Crystal fields of the holes of one cell.

    Attributes
    ----------
    state
        E.g. ``pristine``, ``before``, ``after``.
    fields
        One for each ion whose hole was moved.
    map
        E(n) of these ions together at 0 K with the free ion's L.
    constants
        By temperature and orbital reduction; they mean something in a crystal of cubic parent.
    """

    state: str
    fields: list[HoleField]
    map: AnisotropyMap
    constants: list[HoleAnisotropy]
    checks: list[Check] = Field(default_factory=list)
    assumptions: list[str] = Field(default_factory=list)
    provenance: Provenance = Field(repr=False)


class OrbitalStates(Document):
    """Crystal fields of the holes of several states of a study."""

    states: list[OrbitalState]
    checks: list[Check] = Field(default_factory=list)
    assumptions: list[str] = Field(default_factory=list)
    provenance: Provenance = Field(repr=False)

    def to_dataframe(self) -> pd.DataFrame:
        """One row per state, temperature and orbital reduction, with the energies of the first ion's holes."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "state": one.state,
                    "ions": len(one.fields),
                    "hole_energies_meV": ", ".join(f"{e:.1f}" for e in sorted(one.fields[0].energies_meV)),
                    "spin_orbit_meV": one.fields[0].spin_orbit_meV,
                    **hole_anisotropy.model_dump(exclude={"K1_error_parts_MJ_per_m3"}),
                }
                for one in self.states
                for hole_anisotropy in one.constants
            ]
        )


def cubic_anisotropy(
    fields: Sequence[HoleField],
    volume_per_ion_A3: float,
    temperature_K: float = 0.0,
    orbital_reduction: float = 1.0,
    rotations: Sequence[FloatArray] | None = None,
) -> HoleAnisotropy:
    """K1 and K2 of ions that sit in all orientations of a cubic crystal with equal weight.

    Parameters
    ----------
    fields
        One ion, or several that share the crystal equally.
    volume_per_ion_A3
        Volume of the crystal per such ion.
    temperature_K, orbital_reduction
        See `HoleField.energies`.
    rotations
        Of each ion's site, see `symmetrised`; None leaves that part of the error out.
    """
    k1, k2 = _cubic_meV(fields, temperature_K, orbital_reduction)
    moved = [_cubic_meV(_shifted(fields, s), temperature_K, orbital_reduction)[0] for s in _shifts(fields)]
    to_volume = MEV_PER_A3_TO_MJ_PER_M3 / volume_per_ion_A3
    parts = {ENERGIES: (max(moved) - min(moved)) / 2}
    for source, readings in _other_readings(fields, rotations).items():
        parts[source] = max(abs(_cubic_meV(r, temperature_K, orbital_reduction)[0] - k1) for r in readings)
    along = cubic_operations() @ np.array([0.0, 0.0, 1.0])
    return HoleAnisotropy(
        temperature_K=temperature_K,
        orbital_reduction=orbital_reduction,
        K1_meV_per_ion=k1,
        K1_MJ_per_m3=k1 * to_volume,
        K2_MJ_per_m3=k2 * to_volume,
        K1_error_MJ_per_m3=float(np.linalg.norm(list(parts.values()))) * to_volume,
        K1_error_parts_MJ_per_m3={source: part * to_volume for source, part in parts.items()},
        orbital_moment_100_muB=float(np.mean([f.orbital_moments_muB(along, orbital_reduction) for f in fields])),
    )


def _other_readings(
    fields: Sequence[HoleField], rotations: Sequence[FloatArray] | None
) -> dict[str, list[list[HoleField]]]:
    """What the same three energies may as well mean, by what leaves it open."""
    readings = {
        OVERLAP: [
            [f.model_copy(update={"holes": one_after_another(f.holes, order).tolist()}) for f in fields]
            for order in permutations(range(3))
        ]
    }
    if rotations is not None:
        readings[SYMMETRY] = [[symmetrised(f, r) for f, r in zip(fields, rotations, strict=True)]]
    return readings


def _cubic_meV(fields: Sequence[HoleField], temperature_K: float, orbital_reduction: float) -> tuple[float, float]:
    axes = np.array([[0, 0, 1], [1, 1, 0], [1, 1, 1]], dtype=float)
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    turned = np.einsum("oab,nb->noa", cubic_operations(), axes)
    e100, e110, e111 = (
        float(np.mean([f.energies(row, temperature_K, orbital_reduction) for f in fields])) for row in turned
    )
    k1 = 4 * (e110 - e100)
    return k1, 27 * (e111 - e100) - 9 * k1


def _shifts(fields: Sequence[HoleField]) -> list[FloatArray]:
    """Both upper holes up or down; a hole at or near the lowest one cannot go below it."""
    return [np.array(s) * REAL_HOLES_meV for s in product((-1.0, 1.0), repeat=2)] if fields else []


def _shifted(fields: Sequence[HoleField], shift_meV: FloatArray) -> list[HoleField]:
    out = []
    for one in fields:
        energies = np.array(one.energies_meV)
        upper = np.argsort(energies)[1:]
        energies[upper] = np.maximum(energies[upper] + shift_meV, 0.0)
        out.append(one.model_copy(update={"energies_meV": energies.tolist()}))
    return out


def orbital_state(
    fields: Sequence[HoleField],
    structure: Structure,
    *,
    state: str,
    temperature_K: float,
    whole: bool,
    electrons: Sequence[int],
) -> OrbitalState:
    """What the crystal fields of a cell's holes say of its anisotropy.

    Parameters
    ----------
    fields
        Of its ions.
    structure, state
        The cell.
    temperature_K
        Of the constants beside those at 0 K.
    whole
        Whether these are all ions of the cell with an open t2g shell.
    electrons
        Numbers of d electrons of the ions.

    Raises
    ------
    ValueError
        If there is no field, or two holes of an ion are one state.
    """
    if not fields:
        raise ValueError(f"state {state} has no ion with a hole")
    directions = lebedev_directions(_ORDER).vectors
    energies = np.sum([f.energies(directions) for f in fields], axis=0)
    moments = np.zeros((len(directions), len(structure)))
    for f in fields:
        moments[:, f.site] = f.orbital_moments_muB(directions)
    checks = [c for f in fields for c in f.checks]
    map_ = AnisotropyMap(
        state=state,
        directions=directions.tolist(),
        energies_meV=[float(e) for e in energies - energies.min()],
        cell_volume_A3=float(structure.volume),
        formula_units=reduced_formula_units(structure),
        ions=f"holes of {len(fields)} {'/'.join(sorted({f.element for f in fields}))}",
        method=METHOD,
        orbital_moments_muB=moments.tolist(),
        checks=checks,
        provenance=fields[0].provenance,
    )
    volume = float(structure.volume) / len(fields)
    temperatures = sorted({0.0, temperature_K})
    rotations = None
    if "magmom" in structure.site_properties and not is_non_collinear(structure):
        rotations = [site_rotations(structure, f.site, _SYMPREC_A) for f in fields]
    constants = [cubic_anisotropy(fields, volume, t, k, rotations=rotations) for t in temperatures for k in REDUCTIONS]
    least = min(float(f.orbital_moments_muB(directions).max()) for f in fields)
    quenched = held("orbital moment of the hole", least, QUENCHED_BELOW_muB, must_be="above", unit="muB")
    which = "/".join(f"d{n}" for n in electrons)
    return OrbitalState(
        state=state,
        fields=list(fields),
        map=map_,
        constants=constants if whole else [],
        checks=[*checks, quenched.model_copy(update={"invalidates": False})],
        assumptions=[
            f"{METHOD} ({which}): total energies of three real orbitals per ion, all {len(fields)} moved together, and "
            "spin-orbit coupling in t2g on top; not comparable with the force theorem or self-consistent spinors",
            f"error of K1 at 0 K, MJ/m3: {_parts_in_words(constants[0])}; K1 goes with about the inverse cube of the "
            "holes' splitting, one cation order and no relaxation by the hole are behind it, and the orbital reduction "
            "is not computed: read it within a factor of two",
            f"at {temperature_K:g} K with a stiff spin: the exchange field does not fall",
        ],
        provenance=fields[0].provenance,
    )


def _parts_in_words(constants: HoleAnisotropy) -> str:
    return ", ".join(f"{size:.2g} by {source}" for source, size in constants.K1_error_parts_MJ_per_m3.items())


def orbital_states(states: Sequence[OrbitalState]) -> OrbitalStates:
    """All states of a study.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not states:
        raise ValueError("no state has an ion with an open t2g shell")
    return OrbitalStates(
        states=list(states),
        checks=[c.model_copy(update={"name": f"{s.state}: {c.name}"}) for s in states for c in s.checks],
        assumptions=list(dict.fromkeys(a for s in states for a in s.assumptions)),
        provenance=states[0].provenance,
    )
