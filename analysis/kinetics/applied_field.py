"""A field as a person states it, read once: its size in V/Angstrom and its direction; and the field of breakdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import Lattice

from ...stored.base import Stored
from ...structures.layers import normal
from ...structures.units import V_PER_M_TO_V_PER_A

FloatArray = NDArray[np.float64]

_PER_A = {"V/m": V_PER_M_TO_V_PER_A, "V/cm": 1e-8, "kV/cm": 1e-5, "MV/cm": 1e-2, "V/nm": 0.1, "V/A": 1.0}
_LENGTH_A = {"A": 1.0, "nm": 10.0, "um": 1e4, "mm": 1e7}
_TEXT = re.compile(
    r"^\s*(?P<value>[-+.\deE,\s]+?)\s*(?P<unit>[kM]?V(?:/\w+)?)"
    r"(?:\s+over\s+(?P<length>[.\deE+-]+)\s*(?P<length_unit>\w+))?"
    r"(?:\s+along\s+(?P<direction>.+?))?\s*$"
)
_HELP = (
    "write e.g. '1e8 V/m along hop', '0.5 MV/cm along [0 0 1]', '4 V over 60 nm along [0 0 1]' or '0, 0, 1e8 V/m'; "
    f"units: {', '.join(_PER_A)}"
)
_STATE_A_LIMIT = "state another limit (--breakdown-V-per-m, breakdown_V_per_m)"
_NO_LENGTH = 1e-12


@dataclass(frozen=True)
class Direction(Stored):
    """Direction of positive fields, read once; a unit vector as soon as the hop and the lattice are known.

    Attributes
    ----------
    words
        As it was asked for.
    of
        What `components` belong to: the hop or the normal of a film's plane (they are its sign), the ordered cell's
        axes, or Cartesian axes.
    components
        Shape (3,).
    """

    words: str
    of: Literal["hop", "normal", "crystal", "Cartesian"]
    components: tuple[float, float, float]

    @classmethod
    def from_text(cls, text: str) -> Direction:
        """Read ``hop``, ``normal``, both with a minus too, a crystal direction ``[u v w]`` or a vector ``x, y, z``.

        Raises
        ------
        ValueError
            Naming what cannot be read, or has no length.
        """
        words = text.strip()
        sign = -1.0 if words.startswith("-") else 1.0
        if words.removeprefix("-") == "hop":
            return cls(words, "hop", (sign, sign, sign))
        if words.removeprefix("-") == "normal":
            return cls(words, "normal", (sign, sign, sign))
        crystal = words.startswith("[") and words.endswith("]")
        numbers = _numbers(words[1:-1] if crystal else words, f"1 V/m along {text}")
        if numbers.shape != (3,) or not np.isfinite(numbers).all():
            raise ValueError(f"direction {text!r} of a field is not three numbers; {_HELP}")
        if float(np.linalg.norm(numbers)) < _NO_LENGTH:
            raise ValueError(f"field direction {text!r} has a direction without length")
        x, y, z = (float(n) for n in numbers)
        return cls(words, "crystal" if crystal else "Cartesian", (x, y, z))

    def unit(self, lattice: Lattice | None = None, hop_A: ArrayLike | None = None) -> FloatArray:
        """Unit vector, shape (3,).

        Parameters
        ----------
        lattice
            Of the ordered cell; needed for crystal directions.
        hop_A
            Displacement of the hop, shape (3,); needed for ``hop``.

        Raises
        ------
        ValueError
            If what it needs was not given.
        """
        vector = np.array(self.components)
        if self.of == "hop":
            if hop_A is None:
                raise ValueError(f"field direction {self.words!r} is along a hop, but no hop was given")
            vector = vector * np.asarray(hop_A, dtype=float)
        elif self.of != "Cartesian":
            if lattice is None:
                raise ValueError(f"field direction {self.words!r} is of a crystal, but no lattice was given")
            axes = lattice.get_cartesian_coords(vector)
            vector = np.asarray(vector * normal(lattice) if self.of == "normal" else axes, dtype=float)
        size = float(np.linalg.norm(vector))
        if size < _NO_LENGTH:
            raise ValueError(f"field direction {self.words!r} has a direction without length")
        return vector / size


def read_field(text: str, along: Direction | None = None) -> tuple[float, Direction]:
    """A field as it is stated, such as ``"4 V over 60 nm along [0 0 1]"``.

    Parameters
    ----------
    text
        Three numbers with a unit (Cartesian vector), or a magnitude with a unit and ``along`` a direction: ``hop``,
        ``normal`` (across the first two axes of the cell, for films), a crystal direction ``[u v w]``, or a Cartesian
        vector ``x, y, z``. A voltage needs ``over`` a length.
    along
        Direction of a field that names none.

    Returns
    -------
    tuple
        Signed size, V/Angstrom, and the direction of positive fields.

    Raises
    ------
    ValueError
        If the text cannot be read, is zero as a vector, or has no direction.
    """
    match = _TEXT.match(text)
    if match is None:
        raise ValueError(f"field {text!r} cannot be read; {_HELP}")
    numbers = _numbers(match["value"], text)
    scale = _scale(match["unit"], match["length"], match["length_unit"], text)
    if not np.isfinite(numbers).all():
        raise ValueError(f"field {text!r} is not finite; {_HELP}")
    if len(numbers) == 3 and match["direction"] is None:
        size = float(np.linalg.norm(numbers))
        if size == 0:
            raise ValueError(f"field {text!r} has no direction; give one number and 'along'")
        x, y, z = (float(n) for n in numbers / size)
        return scale * size, Direction(", ".join(f"{c:.15g}" for c in (x, y, z)), "Cartesian", (x, y, z))
    direction = along if match["direction"] is None else Direction.from_text(match["direction"])
    if len(numbers) != 1 or direction is None:
        raise ValueError(f"field {text!r} needs one number and a direction, or three numbers and none; {_HELP}")
    return scale * float(numbers[0]), direction


def field_from_text(text: str, *, lattice: Lattice | None = None, hop_A: ArrayLike | None = None) -> FloatArray:
    """Field vector of a statement, V/Angstrom, shape (3,); parameters and errors as `read_field`, `Direction.unit`."""
    size_V_per_A, direction = read_field(text)
    return size_V_per_A * direction.unit(lattice, hop_A)


def breakdown_V_per_A(gap_eV: float, length_A: float) -> float:
    """Field that tilts the bands by the gap over a length, V/Angstrom; 0 for a metal.

    Beyond it the filled states at one end lie above the empty ones at the other, and an insulating ground state
    exists no longer.

    Raises
    ------
    ValueError
        If the gap is negative, the length not positive, or one of them not finite.

    References
    ----------
    I. Souza, J. Iniguez, D. Vanderbilt, Phys. Rev. Lett. 89, 117602 (2002),
    DOI 10.1103/PhysRevLett.89.117602.
    """
    if not (gap_eV >= 0 and length_A > 0 and np.isfinite(gap_eV) and np.isfinite(length_A)):
        raise ValueError(f"gap {gap_eV!r} eV must not be negative, and length {length_A!r} A must be positive")
    return gap_eV / length_A


def check_breakdown(field_V_per_A: ArrayLike, limit_V_per_A: float, way_out: str = _STATE_A_LIMIT) -> None:
    """Refuse a field beyond the breakdown field.

    Parameters
    ----------
    field_V_per_A
        Vector, shape (3,), or size.
    limit_V_per_A
        From `breakdown_V_per_A`, or as stated.
    way_out
        End of the message.

    Raises
    ------
    ValueError
        With the limit and what to do.
    """
    size = float(np.linalg.norm(np.asarray(field_V_per_A, dtype=float)))
    if not size <= limit_V_per_A:
        size_V_per_m, limit_V_per_m = size / V_PER_M_TO_V_PER_A, limit_V_per_A / V_PER_M_TO_V_PER_A
        raise ValueError(
            f"field {size_V_per_m:.3g} V/m is beyond the breakdown field of {limit_V_per_m:.3g} V/m, at which no "
            f"insulator is left; lower it, or {way_out}"
        )


def film_field_V_per_A(
    voltage_V: float, thickness_nm: float, permittivity: float, others: Sequence[tuple[float, float]] = ()
) -> float:
    """Internal field of one layer in a stack of dielectrics under a voltage.

    The displacement is the same in all layers: ``F = V / (t + eps * sum_i t_i / eps_i)``.

    Parameters
    ----------
    voltage_V, thickness_nm, permittivity
        Voltage on the whole stack; thickness and relative permittivity of the layer.
    others
        (thickness in nm, relative permittivity) of every other layer between the electrodes.

    Raises
    ------
    ValueError
        If a thickness or permittivity is not positive.
    """
    for thickness, eps in ((thickness_nm, permittivity), *others):
        if not (thickness > 0 and eps > 0):
            raise ValueError(f"thickness {thickness} nm and permittivity {eps} must be positive")
    reduced = thickness_nm + permittivity * sum(t / eps for t, eps in others)
    return voltage_V / (10.0 * reduced)


def _numbers(text: str, whole: str) -> FloatArray:
    try:
        return np.array([float(word) for word in re.split(r"[,\s]+", text.strip()) if word])
    except ValueError as error:
        raise ValueError(f"field {whole!r} has no readable number; {_HELP}") from error


def _scale(unit: str, length: str | None, length_unit: str | None, whole: str) -> float:
    if unit in _PER_A and length is None:
        return _PER_A[unit]
    if unit == "V" and length is not None and length_unit in _LENGTH_A:
        thickness = float(length) * _LENGTH_A[length_unit]
        if thickness > 0:
            return 1.0 / thickness
    raise ValueError(f"field {whole!r} has no usable unit; a voltage needs 'over' a thickness in nm; {_HELP}")
