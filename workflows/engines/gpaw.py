"""GPAW (Mortensen et al., 10.1063/5.0182685): PBE+U in plane waves, spin-orbit coupling, Berry phases; no licence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import numpy as np
from numpy.typing import NDArray

from ...analysis.results.checks import Check, held
from ...analysis.results.document import Provenance
from ...calculators.rigid_ion import spread_charge
from ...stored.caching import installed_versions
from ...structures.spins import is_non_collinear
from ..ase.jobs import AseEngine, Observed, plain_settings, versions
from ..ase.ml_engine import require_wheel
from ..ase.oxide_references import fit_references
from ..band.driver import BandSettings
from ..band.ends import Mover, movers_of
from ..engine import CannotDoError, Capability, Protocol, UnknownEngineError
from ..evaluation.guards import moments_kept
from ..gpaw.calculator import GpawCalculator
from ..gpaw.observe import gap_eV
from ..gpaw.protocols import protocol_options
from ..gpaw.settings import GpawSettings, QUOTABLE_CUTOFF_eV, Symmetry, image_charge_note
from ..gpaw.spin_orbit import SPINOR_FUNCTIONAL
from ..settings.engine_settings import EngineSettingsError

if TYPE_CHECKING:
    from ase import Atoms
    from jobflow import Flow, Job
    from pymatgen.core import Structure

    from ..evaluation.checkpoint import Checkpoint

require_wheel("gpaw")

# Strain of the three points, and the largest that still counts as relaxed: a third of a per cent of the lattice.
SIZE_STEP = 0.015
LARGEST_SIZE_ERROR = 0.003
MEASURED_CELLS = "perfect crystals at their measured lattice and positions, not relaxed"
# The word behind the engine's name that stands for `rough_options`.
ROUGH = "rough"


@dataclass
class GpawEngine(AseEngine):
    """DFT+U by GPAW.

    Attributes
    ----------
    dft
        Cut-off, mesh, U and convergence.
    born_charges
        Effective charge (e) by element for the work of a field along a band; formal valences if None.
    scratch
        Folder of GPAW's own logs; None writes none. An interrupted relaxation or band goes on from its checkpoint,
        see `workflows.evaluation.checkpoint`.
    self_consistent_spin_orbit
        Relax the spinors for every direction instead of the force theorem on one density; GPAW does so with LDA only.
    dipoles
        Where a band's dipoles come from: formal charges (or `born_charges`), the Born charges of every image, or its
        Berry phase, which costs one calculation for each image.
    measured_cells
        Compute a perfect crystal where its host gives it, lattice and ions measured, instead of relaxing its cell:
        one calculation in place of some twenty. Reference oxides are relaxed all the same.
    """

    name: ClassVar[str] = "gpaw"
    level_of_theory: ClassVar[str] = "GPAW"
    citations: ClassVar[tuple[str, ...]] = ("gpaw2024", "blochl1994")
    summary: ClassVar[str] = "GPAW: first principles without a licence, PBE+U in plane waves; hours on a laptop"
    blas_threads: ClassVar[int | None] = 1
    run_only: ClassVar[frozenset[str]] = frozenset({"scratch"})
    no_charged_cells: ClassVar[str] = (
        "no linear response of electrons and ions; give ChargedVacanciesMaker a permittivity and its source"
    )
    phases_on_request: ClassVar[str] = "cells of up to 30 atoms to relax, many hours; ask with --stages"

    fmax_eV_per_A: float = 0.02
    cell_fmax_eV_per_A: float = 0.02
    max_steps: int = 100
    dft: GpawSettings = field(default_factory=GpawSettings)
    born_charges: dict[str, float] | None = None
    scratch: str | None = "gpaw-scratch"
    self_consistent_spin_orbit: bool = False
    measured_cells: bool = False
    dipoles: Literal["formal", "Born", "Berry"] = "formal"

    def __post_init__(self) -> None:
        """Refuse spinors that GPAW cannot relax, before anything is computed.

        Raises
        ------
        ValueError
            With the way out.
        """
        super().__post_init__()
        if self.self_consistent_spin_orbit and self.dft.functional != SPINOR_FUNCTIONAL:
            raise ValueError(
                f"self_consistent_spin_orbit with functional {self.dft.functional}: GPAW relaxes spinors with "
                f"{SPINOR_FUNCTIONAL} only. Leave it out for the force theorem, or set functional: {SPINOR_FUNCTIONAL} "
                "and a hubbard_U_eV that belongs to it"
            )

    @classmethod
    def options_from_text(cls, text: str) -> dict[str, Any]:
        """``gpaw:rough`` for `rough_options`, else a settings file; errors as `Engine.options_from_text`."""
        if text.strip().lower() == ROUGH:
            return rough_options()
        try:
            return super().options_from_text(text)
        except EngineSettingsError:
            raise
        except UnknownEngineError as error:
            raise UnknownEngineError(f"{error}; gpaw:{ROUGH} is for looking") from error

    @classmethod
    def protocols(cls) -> Mapping[Protocol, dict[str, Any]]:
        """See `Engine.protocols`."""
        return protocol_options()

    def cannot(self) -> dict[Capability, str]:
        """Nothing is missing; what each result leaves out is in its provenance."""
        return {}

    def check(self, structure: Structure) -> None:
        """Refuse elements whose charge for the field is missing, and moments that are none or vectors.

        Raises
        ------
        CannotDoError
            Naming them.
        """
        absent = sorted({s.specie.symbol for s in structure} - set(self.born_charges or ()))
        if self.born_charges is not None and absent:
            raise CannotDoError(f"born_charges has no entry for {', '.join(absent)}; give one per element")
        if "magmom" not in structure.site_properties:
            raise CannotDoError("the structure carries no site moments: DFT would start from no magnetic order")
        if is_non_collinear(structure):
            raise CannotDoError(
                "its moments are vectors, and GPAW runs here with spins along one axis: give numbers along z, or take "
                "chgnet or sevennet, whose energies know no directions"
            )

    def identity(self) -> dict[str, Any]:
        """See `Stored.identity`: GPAW and its PAW data sets."""
        return {**super().identity(), "versions": installed_versions("ase", "gpaw", "gpaw-data")}

    def settings(self) -> dict[str, Any]:
        """See `Engine.settings`; where files lie decides no number and belongs to one machine."""
        return {k: v for k, v in super().settings().items() if k != "scratch"}

    def provenance(self, left_out: Sequence[str] = ()) -> Provenance:
        """Functional, U, settings and versions."""
        rough = [f"cut-off below {QUOTABLE_CUTOFF_eV:g} eV: for looking, not for quoting"]
        return Provenance(
            engine=self.name,
            level_of_theory="GPAW",
            functional=self.dft.functional,
            hubbard_U_eV=dict(self.dft.hubbard_U_eV),
            settings={k: plain_settings(v) for k, v in self.settings().items()},
            versions=versions("magnetoionics", "ase", "gpaw", "gpaw-data", "numpy"),
            left_out=[
                "finite temperature",
                image_charge_note(self.dft.charge),
                *(rough if self.dft.cutoff_eV < QUOTABLE_CUTOFF_eV else []),
                *([MEASURED_CELLS] if self.measured_cells else []),
                *left_out,
            ],
        )

    def with_hubbard_U(self, hubbard_U_eV: Mapping[str, float]) -> GpawEngine:
        """See `Engine.with_hubbard_U`."""
        return replace(self, dft=replace(self.dft, hubbard_U_eV={**self.dft.hubbard_U_eV, **hubbard_U_eV}))

    def relax(self, structure: Structure, *, name: str, cell: bool = False, mover: int | None = None) -> Job:
        """See `Engine.relax`; with `measured_cells` a cell is computed where it is."""
        from ..gpaw.jobs import as_measured

        if not (cell and self.measured_cells):
            return super().relax(structure, name=name, cell=cell, mover=mover)
        job = as_measured(self, structure, name=name)
        job.name = name
        return job

    def make_calculator(
        self, atoms: Atoms, mover: Mover | None, *, symmetry: Symmetry = "time reversal"
    ) -> GpawCalculator:
        """GPAW with the rescue ladder; its moments start from those that the atoms carry.

        The point group stays unused by default: ions that relax would keep it.
        """
        moments = atoms.arrays["magmom"]
        if self.scratch is None:
            return GpawCalculator(self.dft, moments, symmetry=symmetry)
        folder = Path(self.scratch).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / f"{atoms.get_chemical_formula()}.txt"
        return GpawCalculator(self.dft, moments, symmetry=symmetry, log=log)

    def make_cell_calculator(self, atoms: Atoms) -> GpawCalculator:
        """With the symmetry of the start: a perfect crystal keeps it, and needs a fraction of the k-points."""
        return self.make_calculator(atoms, None, symmetry="full")

    def dipole_charges(self, atoms: Atoms, mover: Mover | None) -> tuple[NDArray[np.float64], str]:
        """Formal or supplied Born charges, fixed along the path."""
        valence = np.asarray(atoms.arrays["valence"], dtype=float)
        given = self.born_charges
        bare = valence if given is None else np.array([given[s] for s in atoms.get_chemical_symbols()])
        keep = valence < 0
        if mover is not None:
            keep[movers_of(mover)] = True
        what = "formal charges" if given is None else "Born charges supplied by element, fixed along the path"
        return np.asarray(spread_charge(bare, keep)), f"{what}; the missing charge is spread over the other cations"

    def before_cell(self, atoms: Atoms, record: Checkpoint) -> None:
        """Measure the Pulay stress, without which a cell would relax to the size of too few plane waves."""
        live = cast(GpawCalculator, atoms.calc)
        name = f"Pulay stress of {atoms.get_chemical_formula()}"
        live.pulay_eV_per_A3 = record.number(name, lambda: live.measure_pulay_stress(atoms))

    def after_cell(self, atoms: Atoms, record: Checkpoint) -> list[Check]:
        """Whether the relaxed cell lies at the minimum of the energy at constant cut-off, by three points."""
        calculator = self.make_cell_calculator(atoms)

        def energy(strain: float) -> float:
            scaled = atoms.copy()
            scaled.set_cell(atoms.cell.array * (1 + strain), scale_atoms=True)
            return float(calculator.get_property("energy", scaled))  # type: ignore[no-untyped-call]

        formula = atoms.get_chemical_formula()
        energies = {
            strain: record.number(f"energy of {formula} at strain {strain:g}", partial(energy, strain))
            for strain in (-SIZE_STEP, 0.0, SIZE_STEP)
        }
        return [size_check(energies)]

    def observe(self, atoms: Atoms) -> Observed:
        """Moments as found, and the guard that they are those asked for."""
        moments = [float(m) for m in atoms.get_magnetic_moments()]
        asked = [float(m) for m in atoms.arrays["magmom"]]
        live = cast(GpawCalculator, atoms.calc).live
        return Observed(
            site_moments_muB=moments,
            total_moment_muB=float(atoms.get_magnetic_moment()),
            gap_eV=None if live is None else gap_eV(live),
            checks=(moments_kept(asked, moments),),
        )

    def spin_orbit(
        self,
        structure: Structure,
        *,
        directions: Sequence[Sequence[float]],
        state: str,
        name: str,
        near: Sequence[float] | None = None,
    ) -> Job:
        """E(n) of the whole cell, by the force theorem or self-consistently."""
        from ..gpaw.jobs import map_of_state

        spinors = self.dft if self.self_consistent_spin_orbit else None
        job = map_of_state(self, structure, directions=directions, state=state, spinors=spinors, scratch=self.scratch)
        job.name = name
        return job

    def orbital_state(
        self,
        structure: Structure,
        *,
        state: str,
        name: str,
        ions: Sequence[int] | None = None,
        temperature_K: float = 300.0,
    ) -> Job:
        """See `KnowsHoles`: three collinear calculations with the holes of the ions in three orbitals."""
        from ..gpaw.holes import orbital_state_of

        job = orbital_state_of(
            self,
            structure,
            settings=self.dft,
            state=state,
            ions=ions,
            temperature_K=temperature_K,
            scratch=self.scratch,
        )
        job.name = name
        return job

    def with_dense_mesh(self, factor: int = 3) -> GpawEngine:
        """See `Engine.with_dense_mesh`."""
        dft = self.dft
        mesh = None if dft.k_mesh is None else (factor * dft.k_mesh[0], factor * dft.k_mesh[1], factor * dft.k_mesh[2])
        return replace(self, dft=replace(dft, k_mesh=mesh, k_spacing_per_A=dft.k_spacing_per_A / factor))

    def charged(self, structure: Structure, charge: int, *, relax: bool, name: str) -> Job:
        """See `Engine.charged`."""
        from ..gpaw.charged import charged_cell

        job = charged_cell(self, structure, charge, relax=relax, name=name)
        job.name = name
        return job

    def band(
        self,
        initial: Structure,
        final: Structure,
        intermediates: Sequence[Structure],
        *,
        mover: Mover,
        name: str,
    ) -> Job | Flow:
        """See `Engine.band`; with `dipoles` its images get theirs afterwards."""
        band = super().band(initial, final, intermediates, mover=mover, name=name)
        if self.dipoles == "formal":
            return band
        from jobflow import Flow

        from ..gpaw.jobs import polarise_path

        dressed = polarise_path(self, band.output, name=name, born=self.dipoles == "Born")
        dressed.name, band.name = name, f"{name} at zero field"
        return Flow([band, dressed], output=dressed.output, name=name)

    def polarisation(self, structure: Structure, *, name: str) -> Job:
        """See `Engine.polarisation`."""
        from ..gpaw.jobs import polarisation_of

        job = polarisation_of(self, structure, name=name, born=False)
        job.name = name
        return job

    def born_tensors(self, structure: Structure, *, name: str) -> Job:
        """See `Engine.born_tensors`, here by finite displacements: six calculations for each ion."""
        from ..gpaw.jobs import polarisation_of

        job = polarisation_of(self, structure, name=name, born=True)
        job.name = name
        return job

    def references(self, formulas: Sequence[str], *, name: str) -> Job:
        """Element energies fitted to the enthalpies of oxides with their magnetic orders, at the same settings."""
        job = fit_references(self, list(formulas), spins=True)
        job.name = name
        return job

    def born(self, structure: Structure, ion: int, *, name: str, axes: Sequence[int] = (0, 1, 2)) -> Job:
        """Born charge of one ion from Berry phases; outputs a list of shape (3, len(axes)), e."""
        from ..gpaw.jobs import born_charge_of_ion

        job = born_charge_of_ion(self, structure, ion, axes=list(axes))
        job.name = name
        return job


def rough_options() -> dict[str, Any]:
    """Settings that finish on a laptop: 400 eV, loose bounds and measured cells, for looking and not for quoting.

    A stress of 5e-3 eV/Angstrom^3 (0.8 GPa) is some 0.15 % of strain in a spinel.
    """
    return {
        "dft": GpawSettings(cutoff_eV=400.0, energy_eV=1e-4, density_e=1e-4, eigenstates_eV2=2e-8),
        "fmax_eV_per_A": 0.1,
        "cell_fmax_eV_per_A": 0.05,
        "stress_limit_eV_per_A3": 5e-3,
        "max_steps": 40,
        "measured_cells": True,
        "band_settings": BandSettings(fmax_eV_per_A=0.1, relax_fmax_eV_per_A=0.1, max_steps=60),
    }


def size_check(energies_eV: Mapping[float, float], limit: float = LARGEST_SIZE_ERROR) -> Check:
    """Isotropic strain from a cell to the minimum of a parabola through three energies.

    Parameters
    ----------
    energies_eV
        Energy by strain; three strains.
    limit
        Largest strain that passes.

    Raises
    ------
    ValueError
        If there are not three.
    """
    if len(energies_eV) != 3:
        raise ValueError(f"a parabola needs three energies, not {len(energies_eV)}")
    a, b, _ = np.polyfit(list(energies_eV), list(energies_eV.values()), 2)
    minimum = -b / (2 * a) if a > 0 else float("inf")
    return held(
        "strain to the energy minimum at constant cut-off",
        abs(minimum),
        limit,
        note="the stress of plane waves misses part of the slope: raise the cut-off" if abs(minimum) > limit else "",
    )


ENGINE = GpawEngine
