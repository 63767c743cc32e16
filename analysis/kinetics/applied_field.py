"""A field as a person states it, as a vector in V/Angstrom: per metre, per centimetre or as a voltage over a film."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import Lattice

from ...structures.units import V_PER_A_TO_V_PER_M, V_PER_M_TO_V_PER_A

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


def field_from_text(text: str, *, lattice: Lattice | None = None, hop_A: ArrayLike | None = None) -> FloatArray:
    """Field vector of a statement such as ``"4 V over 60 nm along [0 0 1]"``.

    Parameters
    ----------
    text
        Three numbers with a unit (Cartesian vector), or a magnitude with a unit and ``along`` a direction: ``hop``,
        ``-hop``, a crystal direction ``[u v w]``, or a Cartesian vector ``x, y, z``. A voltage needs ``over`` a length.
    lattice
        Needed for crystal directions.
    hop_A
        Displacement of the hop, shape (3,); needed for ``hop``.

    Returns
    -------
    ndarray
        V/Angstrom, shape (3,).

    Raises
    ------
    ValueError
        If the text cannot be read, or what it needs was not given.
    """
    found = _TEXT.match(text)
    if found is None:
        raise ValueError(f"field {text!r} cannot be read; {_HELP}")
    numbers = _numbers(found["value"], text)
    scale = _scale(found["unit"], found["length"], found["length_unit"], text)
    if len(numbers) == 3 and found["direction"] is None:
        return np.asarray(scale * numbers)
    if len(numbers) != 1 or found["direction"] is None:
        raise ValueError(f"field {text!r} needs one number and a direction, or three numbers and none; {_HELP}")
    return np.asarray(scale * numbers[0] * _direction(found["direction"], text, lattice, hop_A))


def magnitude_and_direction(text: str, along: str = "hop") -> tuple[float, str]:
    """Size of a stated field and its direction in words, before hop and lattice are known.

    Parameters
    ----------
    text
        As for `field_from_text`; the direction may be missing.
    along
        Direction of a field that names none.

    Returns
    -------
    tuple
        V/m, signed, and what `field_from_text` reads after ``along``.

    Raises
    ------
    ValueError
        If the text or the direction cannot be read.
    """
    found = _TEXT.match(text)
    if found is None:
        raise ValueError(f"field {text!r} cannot be read; {_HELP}")
    numbers = _numbers(found["value"], text)
    scale = _scale(found["unit"], found["length"], found["length_unit"], text) * V_PER_A_TO_V_PER_M
    if not np.isfinite(numbers).all():
        raise ValueError(f"field {text!r} is not finite; {_HELP}")
    if len(numbers) == 3 and found["direction"] is None:
        size = float(np.linalg.norm(numbers))
        if size == 0:
            raise ValueError(f"field {text!r} has no direction; give one number and 'along'")
        return scale * size, ", ".join(f"{x:g}" for x in numbers / size)
    if len(numbers) != 1:
        raise ValueError(f"field {text!r} needs one number and a direction, or three numbers and none; {_HELP}")
    direction = (found["direction"] or along).strip()
    check_direction(direction)
    return scale * float(numbers[0]), direction


def check_direction(text: str) -> None:
    """Refuse a direction that `field_from_text` could not read after ``along``.

    Raises
    ------
    ValueError
        Naming it.
    """
    _direction(text, f"1 V/m along {text}", Lattice.cubic(1.0), [1.0, 0.0, 0.0])


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


def _direction(text: str, whole: str, lattice: Lattice | None, hop_A: ArrayLike | None) -> FloatArray:
    if text in ("hop", "-hop"):
        if hop_A is None:
            raise ValueError(f"field {whole!r} is along a hop, but no hop was given")
        vector = np.asarray(hop_A, dtype=float) * (-1.0 if text.startswith("-") else 1.0)
    elif text.startswith("[") and text.endswith("]"):
        if lattice is None:
            raise ValueError(f"field {whole!r} is along a crystal direction, but no lattice was given")
        vector = np.asarray(lattice.get_cartesian_coords(_three(text[1:-1], whole)), dtype=float)
    else:
        vector = _three(text, whole)
    size = float(np.linalg.norm(vector))
    if size < 1e-12:
        raise ValueError(f"field {whole!r} has a direction without length")
    return vector / size


def _three(text: str, whole: str) -> FloatArray:
    numbers = _numbers(text, whole)
    if numbers.shape != (3,):
        raise ValueError(f"direction {text!r} of field {whole!r} is not three numbers")
    return numbers
