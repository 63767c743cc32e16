"""The states of a hop whose ions vibrate, and what their Hessians say: shared by engines here and on a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.geometry import find_mic
from pymatgen.analysis.structure_matcher import StructureMatcher

from ...analysis.kinetics.attempt_frequency import (
    AttemptFrequency,
    Modes,
    ShellPrefactor,
    frequencies_THz,
    judge_modes,
    vineyard_Hz,
    without_translations,
)
from ...analysis.results.calculation import Band
from ...analysis.results.checks import failed, require_valid
from ...analysis.results.document import Provenance
from ..ase.atoms import to_atoms
from .hessian import FloatArray, displaced

STATES = ("initial", "saddle", "final")
_SHELL_A = 1.0
_ONE_ENERGY_eV = 1e-3
# Largest distance of matched atoms over the mean length per atom.
_ONE_PLACE = 0.02


@dataclass(frozen=True)
class Request:
    """What was asked for.

    Attributes
    ----------
    label
        The hop in words.
    radius_A
        Atoms within this distance of the mover's path vibrate; None takes all.
    displacement_A
        Step of the finite differences.
    force_limit_eV_per_A
        Largest force on a state that still counts as stationary.
    """

    label: str
    radius_A: float | None
    displacement_A: float
    force_limit_eV_per_A: float


@dataclass(frozen=True)
class StateHessian:
    """One state's Hessian (eV/A^2), its frequencies (THz) and its largest force (eV/A)."""

    hessian: FloatArray
    frequencies: FloatArray
    largest_force: float


class VibratingHop:
    """Both ends and the controlling saddle of a band, and the atoms that vibrate in them.

    Parameters
    ----------
    band
        Converged band.
    radius_A
        As in `Request`.

    Raises
    ------
    InvalidResultError
        If the band failed a guard.
    """

    def __init__(self, band: Band, radius_A: float | None) -> None:
        require_valid(band.checks, "the band")
        self.images = [band.images[0], max(band.images[1:-1], key=lambda i: i.energy_eV), band.images[-1]]
        self.states = [to_atoms(i.structure) for i in self.images]
        self.mover = band.mover
        self.distance = _distance_from_path([to_atoms(i.structure) for i in band.images], band.mover)
        self.everything = radius_A is None
        inside = self.distance <= (np.inf if radius_A is None else radius_A)
        self.chosen: list[int] = np.flatnonzero(inside).tolist()

    def displaced(self, displacement_A: float) -> Iterator[Atoms]:
        """For each state the state itself, then its displaced copies."""
        for state in self.states:
            yield state
            yield from displaced(state, self.chosen, displacement_A)

    def attempt_frequency(
        self, request: Request, hessians: list[StateHessian], force_calls: int, provenance: Provenance
    ) -> AttemptFrequency:
        """The document of the hop from the Hessians of its three states."""
        modes = [
            Modes(
                state=name,
                frequencies_THz=(without_translations(s.frequencies) if self.everything else s.frequencies).tolist(),
                largest_translation_THz=float(np.sort(np.abs(s.frequencies))[2]) if self.everything else None,
                largest_force_eV_per_A=s.largest_force,
                asymmetry_eV_per_A2=float(np.abs(s.hessian - s.hessian.T).max()),
            )
            for name, s in zip(STATES, hessians, strict=True)
        ]
        checks = judge_modes(modes, request.force_limit_eV_per_A)
        # Modes of a state that is not stationary are those of a slope: Vineyard's product means nothing there.
        sound = not failed(checks)
        equal = self.equal_ends()
        forward, backward = _prefactors([np.array(m.frequencies_THz) for m in modes], equal) if sound else (None, None)
        shells = self._shells([s.hessian for s in hessians], equal) if sound else []
        initial, saddle, final = (i.energy_eV for i in self.images)
        return AttemptFrequency(
            label=request.label,
            method="Gamma modes" if self.everything else "partial Hessian",
            radius_A=request.radius_A,
            atoms=len(self.chosen),
            forward_Hz=forward,
            backward_Hz=backward,
            shells=shells,
            relative_error=_relative_error(shells, forward, backward),
            modes=modes,
            forward_eV=saddle - initial,
            backward_eV=saddle - final,
            equal_ends=equal,
            displacement_A=request.displacement_A,
            force_calls=force_calls,
            checks=checks,
            provenance=provenance,
        )

    def equal_ends(self) -> bool:
        """Whether both ends are one state at two places: of one energy, and one structure to a rotation and a shift."""
        first, last = self.images[0], self.images[-1]
        if abs(first.energy_eV - last.energy_eV) > _ONE_ENERGY_eV:
            return False
        matcher = StructureMatcher(
            ltol=0.01, stol=0.1, angle_tol=0.5, primitive_cell=False, scale=False, attempt_supercell=False
        )
        off = matcher.get_rms_dist(first.structure, last.structure)  # type: ignore[no-untyped-call]
        return off is not None and off[1] < _ONE_PLACE

    def _shells(self, hessians: list[FloatArray], equal: bool) -> list[ShellPrefactor]:
        """Prefactors of ever larger spheres, cut from the Hessians that are there: no force call more."""
        distance, masses = self.distance[self.chosen], self.states[0].get_masses()[self.chosen]
        shells: list[ShellPrefactor] = []
        for radius in np.arange(2.5, float(distance.max()), _SHELL_A):
            inside = np.flatnonzero(distance <= radius)
            if len(inside) == len(distance) or (shells and len(inside) == shells[-1].atoms):
                continue
            block = (3 * inside[:, None] + np.arange(3)).ravel()
            modes = [frequencies_THz(h[np.ix_(block, block)], masses[inside]) for h in hessians]
            forward, backward = _prefactors(modes, equal)
            if forward is not None and backward is not None:
                shells.append(
                    ShellPrefactor(radius_A=float(radius), atoms=len(inside), forward_Hz=forward, backward_Hz=backward)
                )
        return shells


def _distance_from_path(path: list[Atoms], mover: int) -> FloatArray:
    """Smallest distance of each atom from the mover along a path, Angstrom, shape (n,).

    Each image is asked for itself: with the neighbours where they stand at one end, or with one of several saddles
    only, ends that a symmetry exchanges would get neighbours that it does not exchange, and unlike prefactors.
    """
    rows = [find_mic(image.positions - image.positions[mover], image.cell, image.pbc)[1] for image in path]
    distance = np.min(rows, axis=0)
    distance[mover] = 0.0
    return np.asarray(distance)


def _prefactors(modes: list[FloatArray], equal: bool) -> tuple[float | None, float | None]:
    """Forward and backward prefactors, of equal ends their geometric mean; None where the modes do not allow one."""
    out: list[float | None] = []
    for end in (modes[0], modes[2]):
        try:
            out.append(vineyard_Hz(end, modes[1]))
        except ValueError:
            out.append(None)
    forward, backward = out
    if equal and forward is not None and backward is not None:
        forward = backward = float(np.sqrt(forward * backward))
    return forward, backward


def _relative_error(shells: list[ShellPrefactor], forward: float | None, backward: float | None) -> float | None:
    if not shells or forward is None or backward is None:
        return None
    last = shells[-1]
    return max(abs(last.forward_Hz / forward - 1), abs(last.backward_Hz / backward - 1))
