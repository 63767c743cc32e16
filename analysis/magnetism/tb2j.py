"""Couplings that TB2J wrote (``exchange.out``), as a spin model.

TB2J sums over pairs from either end, E = - sum J e_i.e_j - sum D.(e_i x e_j) with unit vectors, so that a bond that
counts once has twice its J and D. X. He et al., 10.1016/j.cpc.2021.107938.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .spin_model import SpinModel

FloatArray = NDArray[np.float64]
FILE = "exchange.out"
# Numbers have four decimals in meV.
_PRINTED_meV = 2e-4
_LARGEST_FILE_BYTES = 200_000_000
_ATOM = re.compile(r"^\s*([A-Z][a-z]?)(\d+)((?:\s+-?\d+\.\d+){5,7})\s*$")
_NUMBER = r"\s*(-?\d+(?:\.\d+)?)"
_PAIR = re.compile(rf"^\s*([A-Z][a-z]?\d+)\s+([A-Z][a-z]?\d+)\s*\({_NUMBER},{_NUMBER},{_NUMBER}\)\s*(-?\d+\.\d+)\s*\(")
_CHIRAL = re.compile(rf"DMI:\s*\({_NUMBER}{_NUMBER}{_NUMBER}\)")


def read_tb2j(path: Path) -> SpinModel:
    """Spin model of an ``exchange.out``, or of the folder that holds it.

    Anisotropic symmetric exchange and biquadratic terms are left out.

    Raises
    ------
    ValueError
        If the file is no output of TB2J, or the two ends of a bond disagree.
    """
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise ValueError(f"there is no {file}; give the file {FILE} of TB2J, or its folder")
    if file.stat().st_size > _LARGEST_FILE_BYTES:
        raise ValueError(
            f"{file} has {file.stat().st_size / 1e6:.0f} MB; at most {_LARGEST_FILE_BYTES / 1e6:.0f} are read"
        )
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    lattice = _lattice(lines, file)
    names, places, moments = _atoms(lines, lattice, file)
    return _model(lines, lattice, names, places, moments, file)


def _lattice(lines: list[str], file: Path) -> FloatArray:
    at = next((n for n, line in enumerate(lines) if line.startswith("Cell (Angstrom)")), None)
    try:
        rows = (
            np.array([[float(x) for x in line.split()] for line in lines[at + 1 : at + 4]]) if at is not None else None
        )
    except ValueError:
        rows = None
    if rows is None or rows.shape != (3, 3) or not np.isfinite(rows).all() or abs(np.linalg.det(rows)) < 1e-6:
        raise ValueError(f"{file} names no cell: it is no {FILE} of TB2J")
    return rows


def _atoms(lines: list[str], lattice: FloatArray, file: Path) -> tuple[list[str], FloatArray, FloatArray]:
    matchs = [m for line in lines if (m := _ATOM.match(line))]
    if not matchs:
        raise ValueError(f"{file} names no atoms: it is no {FILE} of TB2J")
    numbers = [[float(x) for x in m.group(3).split()] for m in matchs]
    vectors = np.array([row[4:] if len(row) == 7 else [0.0, 0.0, row[4]] for row in numbers])
    axis = vectors[int(np.argmax(np.linalg.norm(vectors, axis=1)))]
    along = vectors @ (axis / max(float(np.linalg.norm(axis)), 1e-12))
    sense = -1.0 if axis[np.argmax(np.abs(axis))] < 0 else 1.0
    places = np.array([row[:3] for row in numbers]) @ np.linalg.inv(lattice)
    return [m.group(1) + m.group(2) for m in matchs], places, sense * along


def _model(
    lines: list[str], lattice: FloatArray, names: list[str], places: FloatArray, moments: FloatArray, file: Path
) -> SpinModel:
    place = {name: n for n, name in enumerate(names)}
    values: dict[tuple[int, ...], FloatArray] = {}
    key: tuple[int, ...] | None = None
    for line in lines:
        if (m := _PAIR.match(line)) is not None:
            if m.group(1) not in place or m.group(2) not in place:
                raise ValueError(f"{file}: a bond names {m.group(1)}-{m.group(2)}, which is no atom of it")
            key = (place[m.group(1)], place[m.group(2)], *(int(float(m.group(k))) for k in (3, 4, 5)))
            values[key] = np.array([2 * float(m.group(6)), 0.0, 0.0, 0.0])
        elif key is not None and (m := _CHIRAL.search(line)) is not None:
            values[key][1:] = [2 * float(m.group(k)) for k in (1, 2, 3)]
    if not values:
        raise ValueError(f"{file} names no bond: it is no {FILE} of TB2J")
    once = _counted_once(values, file)
    spins = sorted({i for bond in once for i in bond[:2]})
    number = {site: n for n, site in enumerate(spins)}
    bonds = np.array(list(once))
    numbers = np.array(list(once.values()))
    elements = [names[i].rstrip("0123456789") for i in spins]
    return SpinModel(
        lattice_A=lattice,
        places=places[spins],
        elements=elements,
        labels=[names[i] for i in spins],
        moments_muB=moments[spins],
        pairs=np.array([[number[int(i)], number[int(j)]] for i, j in bonds[:, :2]]),
        images=bonds[:, 2:],
        J_meV=numbers[:, 0],
        D_meV=numbers[:, 1:],
        source=f"TB2J, {file.name}",
    )


def _counted_once(values: dict[tuple[int, ...], FloatArray], file: Path) -> dict[tuple[int, ...], FloatArray]:
    """One end of each bond; both ends with half of it where a spin meets its own image."""
    once: dict[tuple[int, ...], FloatArray] = {}
    for key, value in values.items():
        i, j, *cell = key
        back = (j, i, *(-x for x in cell))
        other = values.get(back)
        mirrored = value * np.array([1.0, -1.0, -1.0, -1.0])
        if other is None or float(np.abs(other - mirrored).max()) > 2 * _PRINTED_meV:
            raise ValueError(
                f"{file}: bond {key} and its other end disagree or one is missing: the file is cut or edited"
            )
        if i == j:
            once[key] = value / 2
        elif i < j:
            once[key] = value
    return once
