"""A film in words: its plane, what strains it, how its surface is tilted, and where it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from .films import (
    DEFAULT_POISSON,
    Miller,
    miscut_normal,
    misfit,
    slab_ending_in,
    slabs,
    strained,
    surface_normal,
)
from .films import termination as ending

FloatArray = NDArray[np.float64]
_CUBIC_A = 1e-3
_CUBIC_DEG = 1e-3


@dataclass(frozen=True)
class Film:
    """A film of a host.

    Attributes
    ----------
    plane
        Miller indices (hkl) of the film in the host's cell.
    substrate
        One of `films.SUBSTRATES_A`, on which the film grows coherently; or
    strain
        its strain in the plane. Neither: unstrained.
    poisson
        Poisson ratio, see `films.strained`.
    miscut_deg, towards
        Tilt of the surface in degrees from the plane's normal towards a direction [uvw] of the cell.
    slab_A, vacuum_A
        Least thickness of a slab, if slabs are wanted, and of its vacuum, in Angstrom.
    top
        Wanted composition of the slab's top layer; all terminations without.
    """

    plane: Miller
    substrate: str | None = None
    strain: float | None = None
    poisson: float = DEFAULT_POISSON
    miscut_deg: float = 0.0
    towards: Miller | None = None
    slab_A: float | None = None
    vacuum_A: float = 15.0
    top: str | None = None

    @classmethod
    def from_entries(cls, entries: Any) -> Film:
        """Film from plain values, e.g. of YAML ``plane: [0, 0, 1], substrate: MgO``.

        Raises
        ------
        ValueError
            If entries are unknown, missing, of another kind or contradict each other.
        """
        known = [f.name for f in fields(cls)]
        if not isinstance(entries, Mapping) or "plane" not in entries or not set(entries) <= set(known):
            raise ValueError(
                f"a film is a mapping with plane: [h, k, l] and any of {', '.join(known[1:])}: {entries!r}"
            )
        values = dict(entries)
        for name in ("plane", "towards"):
            if name in values:
                values[name] = _indices(name, values[name])
        for name in ("strain", "poisson", "miscut_deg", "slab_A", "vacuum_A"):
            if name in values and (isinstance(values[name], bool) or not isinstance(values[name], int | float)):
                raise ValueError(f"{name} of a film is a number, not {values[name]!r}")
        film = cls(**values)
        if film.substrate is not None and film.strain is not None:
            raise ValueError("a film has a substrate or a strain, not both")
        if film.miscut_deg and film.towards is None:
            raise ValueError(f"a miscut of {film.miscut_deg:g} degrees needs its direction, e.g. towards: [1, 1, 0]")
        if film.top is not None and film.slab_A is None:
            raise ValueError("a termination needs a slab: give its thickness as slab_A")
        return film

    def strain_of(self, cell: Structure) -> float:
        """Strain in the plane; on a substrate that of a cubic cell whose axis is the cell's a.

        Raises
        ------
        ValueError
            If the substrate is unknown or the cell is not a cube or a row of cubes.
        """
        if self.substrate is None:
            return self.strain or 0.0
        lengths, angles = np.array(cell.lattice.abc), np.array(cell.lattice.angles)
        rows = lengths / lengths.min()
        if np.any(np.abs(angles - 90) > _CUBIC_DEG) or np.any(np.abs(rows - np.rint(rows)) > _CUBIC_A):
            raise ValueError(
                f"the misfit to {self.substrate} is known for cubic cells; this one has axes "
                f"{', '.join(f'{x:.3f}' for x in lengths)} A: give the strain instead"
            )
        return misfit(float(lengths.min()), self.substrate)

    def strained(self, cell: Structure) -> Structure:
        """The host's cell as it is in the film; errors as `strain_of` and `films.strained`."""
        strain = self.strain_of(cell)
        return strained(cell, self.plane, strain, self.poisson) if strain else cell

    def normal(self, cell: Structure) -> FloatArray:
        """Unit vector across the surface, miscut included, along which a film's field points; shape (3,)."""
        upright = surface_normal(cell, self.plane)
        if not self.miscut_deg or self.towards is None:
            return upright
        tilt = cell.lattice.get_cartesian_coords(self.towards)
        return miscut_normal(upright.tolist(), tilt.tolist(), self.miscut_deg)

    def slabs(self, cell: Structure) -> list[Structure]:
        """Slabs of a (strained) cell: all terminations, or the one with the wanted top; none if none are wanted.

        Raises
        ------
        ValueError
            If no cut has the wanted top layer.
        """
        if self.slab_A is None:
            return []
        if self.top is not None:
            return [slab_ending_in(cell, self.plane, self.slab_A, self.top, self.vacuum_A)]
        return slabs(cell, self.plane, self.slab_A, self.vacuum_A)

    def in_words(self, cell: Structure) -> str:
        """E.g. ``(0 0 1) film, strained by +0.38 % on MgO``."""
        out = f"({' '.join(map(str, self.plane))}) film, strained by {self.strain_of(cell):+.2%}"
        out += f" on {self.substrate}" if self.substrate else ""
        if self.miscut_deg and self.towards is not None:
            out += f", miscut by {self.miscut_deg:g} degrees towards [{' '.join(map(str, self.towards))}]"
        return out


def slab_name(slab: Structure) -> str:
    """Both terminations, e.g. ``"top FeO2, bottom Co"``."""
    return f"top {ending(slab)}, bottom {ending(slab, top=False)}"


def _indices(name: str, value: Any) -> Miller:
    good = isinstance(value, list | tuple) and len(value) == 3
    if not good or not all(isinstance(x, int) and not isinstance(x, bool) for x in value):
        raise ValueError(f"{name} of a film is three whole numbers such as [0, 0, 1], not {value!r}")
    return int(value[0]), int(value[1]), int(value[2])
