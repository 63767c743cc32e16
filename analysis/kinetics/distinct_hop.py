"""Symmetry-distinct hops of a network's carrier, read off computed bands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .rates import ASSUMED_ATTEMPT_Hz

if TYPE_CHECKING:
    from .migration import Migration, ProfilePoint

FloatArray = NDArray[np.float64]
# Shallower rests of a hop that pushes are passed, not places of their own: two kT where D is measured.
DUMBBELL_DEPTH_eV = 0.26


@dataclass(frozen=True)
class DistinctHop:
    """A hop of the carrier that symmetry copies.

    Attributes
    ----------
    label
        In words.
    start_A, displacement_A
        Cartesian, shape (3,).
    forward_eV, backward_eV, forward_Hz, backward_Hz
        Barriers and prefactors.
    saddle_dipole_e_A, end_dipole_e_A
        As in `NetworkHop`.
    ends
        Labels of the two places.
    pushed_A
        Site of an ion of the host that is pushed on, Cartesian, shape (3,): one step may be made over several such.
    axes
        Of the dumbbells that the two places are, Cartesian unit vectors of any sense, shape (3,); None of places of one
        ion. Dumbbells along other axes on the same site are other places.
    """

    label: str
    start_A: FloatArray
    displacement_A: FloatArray
    forward_eV: float
    backward_eV: float
    saddle_dipole_e_A: FloatArray
    end_dipole_e_A: FloatArray
    forward_Hz: float = ASSUMED_ATTEMPT_Hz
    backward_Hz: float = ASSUMED_ATTEMPT_Hz
    ends: tuple[str, str] = ("", "")
    pushed_A: FloatArray | None = None
    axes: tuple[FloatArray | None, FloatArray | None] = (None, None)


def of_ion(hop: Migration) -> list[DistinctHop]:
    """The hop of an inserted ion; in two where it rests half way as a dumbbell on the site of the ion that it pushes.

    A rest shallower than `DUMBBELL_DEPTH_eV` is passed and no place of its own.
    """
    dipoles = _dipoles(hop)
    whole = DistinctHop(
        label=hop.label,
        start_A=np.asarray(hop.start_A),
        displacement_A=np.asarray(hop.displacement_A),
        forward_eV=hop.forward_eV,
        backward_eV=hop.backward_eV,
        saddle_dipole_e_A=dipoles[0],
        end_dipole_e_A=dipoles[1],
        ends=(f"i({hop.host_site})", hop.vacancy),
        pushed_A=None if hop.pushed_A is None else np.asarray(hop.pushed_A),
    )
    inside = hop.images[1:-1]
    if hop.pushed_A is None or not inside:
        return [whole]
    energies = [p.energy_eV for p in hop.images]
    # Between the highest image on either side of it, the lowest.
    wells = [(min(max(energies[:n]), max(energies[n + 1 :])) - energies[n], n) for n in range(1, len(energies) - 1)]
    depth, at = max(wells)
    if depth < DUMBBELL_DEPTH_eV:
        return [whole]
    step = whole.displacement_A
    axis = step / np.linalg.norm(step)
    middle = f"i({hop.label.rpartition(' pushing ')[2]}<{_family(axis)}>)"
    first, second = max(energies[:at]), max(energies[at + 1 :])
    begin, up, rest, down, end = (
        _dipole(hop.images[n], hop) for n in (0, energies.index(first), at, energies.index(second, at + 1), -1)
    )
    into = DistinctHop(
        label=f"{hop.label}, half way",
        start_A=whole.start_A,
        displacement_A=step / 2,
        forward_eV=first - energies[0],
        backward_eV=first - energies[at],
        saddle_dipole_e_A=up - begin,
        end_dipole_e_A=rest - begin,
        ends=(whole.ends[0], middle),
        axes=(None, axis),
    )
    out = DistinctHop(
        label=f"{hop.label}, half way",
        start_A=whole.start_A + step / 2,
        displacement_A=step / 2,
        forward_eV=second - energies[at],
        backward_eV=second - energies[-1],
        saddle_dipole_e_A=down - rest,
        end_dipole_e_A=end - rest,
        ends=(middle, whole.ends[1]),
        axes=(axis, None),
    )
    # Of one name: where symmetry swaps the places, the way out is that in, backwards.
    return [into, out]


def _family(axis: FloatArray) -> str:
    """``110`` of a direction of the cube; the nearest of the three families."""
    families = {"100": [1.0, 0.0, 0.0], "110": [1.0, 1.0, 0.0], "111": [1.0, 1.0, 1.0]}
    sizes = np.sort(np.abs(axis))[::-1]
    return max(families, key=lambda f: float(sizes @ families[f]) / float(np.linalg.norm(families[f])))


def of_vacancy(hop: Migration) -> DistinctHop:
    """The same hop as one of the vacancy: it starts where the ion ends."""
    step, dipoles = np.asarray(hop.displacement_A), _dipoles(hop)
    return DistinctHop(
        label=hop.label,
        start_A=np.asarray(hop.start_A) + step,
        displacement_A=-step,
        forward_eV=hop.forward_eV,
        backward_eV=hop.backward_eV,
        saddle_dipole_e_A=dipoles[0],
        end_dipole_e_A=dipoles[1],
        ends=(hop.vacancy.removeprefix("V_"), f"{hop.ion}({hop.host_site})"),
    )


def _dipoles(hop: Migration) -> tuple[FloatArray, FloatArray]:
    """Dipole at the highest image and at the end, minus that at the start, e Angstrom."""
    top = max(hop.images, key=lambda p: p.energy_eV)
    first, saddle, end = (_dipole(p, hop) for p in (hop.images[0], top, hop.images[-1]))
    return saddle - first, end - first


def _dipole(point: ProfilePoint, hop: Migration) -> FloatArray:
    if point.dipole_e_A is not None:
        return np.asarray(point.dipole_e_A)
    step = np.asarray(hop.displacement_A)
    return np.asarray(step / np.linalg.norm(step) * point.dipole_along_hop_e_A)
