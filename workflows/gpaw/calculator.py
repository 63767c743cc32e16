"""GPAW as an ASE calculator that rescues its own convergence and knows its Pulay stress."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from numpy.typing import NDArray

from .settings import RESCUE_MIXERS, GpawSettings, Symmetry, start_moments

_KEPT = ("energy", "free_energy", "forces", "stress", "magmom", "magmoms")


class NotConvergedError(RuntimeError):
    """No mixer of the ladder converged."""


class GpawCalculator(Calculator):
    """GPAW with a ladder of mixers.

    Parameters
    ----------
    settings : GpawSettings
        Of the self-consistent cycle.
    moments_muB : array_like
        Start moments, shape (n,), signed; cut to the free atom's.
    symmetry : str
        What the cycle may use, see `GpawSettings.parameters`.
    log : Path, optional
        GPAW's text output, appended to; none by default.
    make : callable, optional
        Makes the calculator from its parameters; ``gpaw.GPAW`` by default.

    Attributes
    ----------
    attempts : list of str
        What each cycle needed, for the provenance.
    pulay_eV_per_A3 : float
        Added to the three normal stresses; see `measure_pulay_stress`.
    """

    implemented_properties: list[str] = list(_KEPT)  # noqa: RUF012

    def __init__(
        self,
        settings: GpawSettings,
        moments_muB: Sequence[float] | NDArray[np.float64],
        *,
        symmetry: Symmetry = "full",
        log: Path | None = None,
        make: Callable[..., Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.settings = settings
        self.moments = np.asarray(moments_muB, dtype=float)
        self.symmetry = symmetry
        self.log = log
        self.attempts: list[str] = []
        self.pulay_eV_per_A3 = 0.0
        self._make = make
        self._live: Any = None

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Energy, forces and moments, and the stress if asked for.

        Raises
        ------
        NotConvergedError
            If no mixer converges.
        """
        super().calculate(atoms, list(properties), list(system_changes))  # type: ignore[no-untyped-call]
        structure = cast(Atoms, self.atoms)
        wanted = {"energy", "free_energy", "forces", "magmom", "magmoms"} | ({"stress"} & set(properties))
        live = self.converged(structure)
        self.results = {name: live.get_property(name, live.atoms) for name in sorted(wanted)}
        self.results = self._at_constant_cutoff(self.results)

    def _at_constant_cutoff(self, results: dict[str, Any]) -> dict[str, Any]:
        if "stress" not in results:
            return results
        normal = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
        return {**results, "stress": results["stress"] + self.pulay_eV_per_A3 * normal}

    def measure_pulay_stress(self, atoms: Atoms, share: float = 0.03) -> float:
        """Find what the stress at fixed plane waves lacks of that at a fixed cut-off, and add it from now on.

        A strain changes the cut-off that a number of plane waves stands for, so that
        (dE/d epsilon)_cutoff = (dE/d epsilon)_waves + (2/3) E_cut (dE/dE_cut) for each normal strain
        (Dacosta, Nielsen, Kunc, 10.1088/0022-3719/19/17/012). At 400 eV this is more than the stress itself in oxides.

        Parameters
        ----------
        atoms
            Where to measure; it is kept for all later geometries.
        share
            Step of the cut-off, relative; two calculations.

        Returns
        -------
        float
            eV/Angstrom^3.
        """
        energies = []
        for sign in (1, -1):
            other = replace(self.settings, cutoff_eV=self.settings.cutoff_eV * (1 + sign * share))
            probe = GpawCalculator(other, self.moments, symmetry=self.symmetry, log=self.log, make=self._make)
            energies.append(float(probe.get_property("energy", atoms)))  # type: ignore[no-untyped-call]
        slope = (energies[0] - energies[1]) / (2 * share * self.settings.cutoff_eV)
        self.pulay_eV_per_A3 = 2.0 / 3.0 * self.settings.cutoff_eV * slope / float(atoms.get_volume())
        return self.pulay_eV_per_A3

    @property
    def live(self) -> Any:
        """The GPAW calculator of the last geometry; None if nothing was computed, only read from a checkpoint."""
        return self._live

    def converged(self, atoms: Atoms) -> Any:
        """The GPAW calculator itself, self-consistent for these atoms.

        Raises
        ------
        NotConvergedError
            With every attempt.
        """
        from gpaw import KohnShamConvergenceError

        tried = []
        for number, mixer in enumerate(RESCUE_MIXERS):
            name = "GPAW's own mixer" if mixer is None else f"mixer {json.dumps(mixer)}"
            moving = self._bare(atoms)
            live = self._live if number == 0 and self._live is not None else self._new(moving, mixer)
            try:
                live.get_property("energy", moving)
            except KohnShamConvergenceError:
                tried.append(f"{name}: not converged in {self.settings.max_iterations} iterations")
                self._live = None
                continue
            self._live = live
            self.attempts += [*tried, f"{name}: converged"] if tried else []
            return live
        raise NotConvergedError(
            f"GPAW did not converge {atoms.get_chemical_formula()}: {'; '.join(tried)}. "
            "Check the start moments and the geometry, or raise max_iterations"
        )

    def _bare(self, atoms: Atoms) -> Atoms:
        bare = Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=True)
        bare.set_initial_magnetic_moments(
            start_moments(bare.get_chemical_symbols(), self.moments, self.settings.charge)
        )
        return bare

    def _new(self, atoms: Atoms, mixer: dict[str, Any] | None) -> Any:
        if self._make is None:
            from gpaw import GPAW

            self._make = GPAW
        # One log for all geometries of a run: a file opened by name would be emptied by every new calculator.
        text = None if self.log is None else self.log.open("a")
        return self._make(**self.settings.parameters(atoms, symmetry=self.symmetry, mixer=mixer), txt=text)
