"""Jobs that only GPAW has: E(n) by the force theorem or with relaxed spinors, and Born charges."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from jobflow import job
from pymatgen.core import Structure

from ...analysis.kinetics.polarisation import Polarisation, band_with_dipoles, sum_rule
from ...analysis.magnetism.anisotropy import AnisotropyMap
from ...analysis.magnetism.map_errors import EMPTY_BANDS, K_MESH, ErrorPart
from ...analysis.results.calculation import Band, Calculation, Check, require_valid
from ...stored.caching import cache_version
from ...structures.spins import reduced_formula_units
from ..ase.atoms import to_atoms
from ..ase.jobs import calculation
from ..band.driver import CallCounter
from ..evaluation.checkpoint import Checkpoint, checkpoint
from ..evaluation.guards import guard, insulator, moments_kept, odd_part_is_noise, orbital_moment_of_open_shells
from ..jobs.outputs import function_of
from .calculator import GpawCalculator
from .observe import gap_eV
from .polarisation import born_charge_e, dipole_e_A, refuse_thin_kpoints
from .settings import QUOTABLE_CUTOFF_eV
from .spin_orbit import MAP_EMPTY_eV, force_theorem, self_consistent

if TYPE_CHECKING:
    from ase import Atoms

    from ..ase.jobs import AseEngine
    from .settings import GpawSettings

# Spins that turned further from their start than this belong to another direction.
LARGEST_TURN_deg = 5.0
# Two bounds of the empty levels, this far apart, show what those above them do.
_MORE_EMPTY_eV = 2.0
# Points of the mesh that measures the error of another one, along each axis.
_DENSER = 1.5


@job
def as_measured(engine: AseEngine, structure: Structure, *, name: str) -> Calculation:
    """Energy and forces of a perfect crystal as it is, with its symmetry; outputs a `Calculation`.

    No bound is set on the forces: nothing is claimed to be relaxed, see the provenance.
    """
    atoms = to_atoms(structure)
    counter = CallCounter()
    with engine.quiet(), checkpoint(engine, atoms, name) as record:
        atoms.calc = counter.attach(record.attach(engine.make_cell_calculator(atoms)))
        return calculation(engine, atoms, structure, name, counter.calls, None)


@job
@cache_version(3)
def map_of_state(
    engine: AseEngine,
    structure: Structure,
    *,
    directions: Sequence[Sequence[float]],
    state: str,
    spinors: GpawSettings | None = None,
    scratch: str | None = None,
) -> AnisotropyMap:
    """E(n) in meV per cell; outputs an `AnisotropyMap`, invalid if moments were lost or the odd part is no noise.

    Parameters
    ----------
    engine
        Makes the calculator of the force theorem, and signs the result.
    structure, directions, state
        What is mapped.
    spinors
        Settings of self-consistent spinors; the force theorem if None.
    scratch
        Folder for the log of the spinors.
    """
    vectors = np.asarray(directions, dtype=float)
    orbital: list[list[float]] | None = None
    errors: list[ErrorPart] = []
    with engine.quiet():
        if spinors is not None:
            energies, checks = _relaxed_spinors(spinors, structure, vectors, scratch)
        else:
            atoms = to_atoms(structure)
            # With time reversal used in the cycle, E(n) = E(-n) would hold by construction and measure nothing.
            maker = _for_maps(engine)
            atoms.calc = _without_symmetry(maker, atoms)
            live = cast(GpawCalculator, atoms.calc).converged(atoms)
            moments = [float(m) for m in live.get_property("magmoms", live.atoms)]
            checks = [moments_kept([float(m) for m in atoms.arrays["magmom"]], moments)]
            energies, table = force_theorem(live, vectors.tolist())
            errors = _errors(maker, atoms, live, vectors, energies, state)
            orbital = [[float(x) for x in row] for row in table]
    checks.append(odd_part_is_noise(vectors.tolist(), energies, None))
    checks += orbital_moment_of_open_shells(structure, orbital)
    return AnisotropyMap(
        state=state,
        directions=vectors.tolist(),
        energies_meV=[float(e) for e in energies],
        cell_volume_A3=float(structure.volume),
        formula_units=reduced_formula_units(structure),
        ions="all electrons",
        method="force theorem" if spinors is None else "self-consistent",
        orbital_moments_muB=orbital,
        error_parts=errors,
        checks=checks,
        provenance=engine.provenance(),
    )


def _for_maps(engine: AseEngine) -> AseEngine:
    """The engine with empty states converged, which the coupling mixes in, unless its settings say how many."""
    dft = getattr(engine, "dft", None)
    if dft is None or dft.empty_eV is not None:
        return engine
    return cast("AseEngine", replace(cast(Any, engine), dft=replace(dft, empty_eV=MAP_EMPTY_eV)))


def _errors(
    engine: AseEngine, atoms: Atoms, live: Any, vectors: np.ndarray, energies_meV: np.ndarray, state: str
) -> list[ErrorPart]:
    """Change of the largest difference of a map with fewer empty bands and, of a host, on a denser mesh."""
    dft = getattr(engine, "dft", None)
    if dft is None:
        return []
    ends = [vectors[int(np.argmin(energies_meV))].tolist(), vectors[int(np.argmax(energies_meV))].tolist()]
    span = float(np.ptp(energies_meV))

    def change(calculator: Any, up_to_eV: float | None) -> float:
        two = force_theorem(calculator, ends, up_to_eV)[0]
        return abs(float(two[1] - two[0]) - span)

    fewer = max(change(live, dft.empty_eV + more) for more in (0.0, _MORE_EMPTY_eV))
    error_parts = [
        ErrorPart(source=EMPTY_BANDS, value_meV=fewer, note=f"fewer of the levels from {dft.empty_eV:g} eV up")
        # A sum that is the very same left nothing out.
        if fewer > 0
        else ErrorPart(source=EMPTY_BANDS, note=f"not measured: no levels above {dft.empty_eV:g} eV were computed")
    ]
    why = ""
    if state != "pristine":
        why = "not measured: see the host"
    elif dft.cutoff_eV < QUOTABLE_CUTOFF_eV:
        why = "not measured: settings for looking"
    if why:
        return [*error_parts, ErrorPart(source=K_MESH, note=why)]
    mesh = dft.mesh(atoms.cell.array)
    denser = tuple(max(n + 1, math.ceil(_DENSER * n)) for n in mesh)
    other = replace(cast(Any, engine), dft=replace(dft, k_mesh=denser))
    again = cast(GpawCalculator, other.make_calculator(atoms, None, symmetry="full")).converged(atoms)
    note = f"{'x'.join(map(str, mesh))} against {'x'.join(map(str, denser))}, easy and hard axis"
    return [*error_parts, ErrorPart(source=K_MESH, value_meV=change(again, None), note=note)]


def _without_symmetry(engine: AseEngine, atoms: Atoms) -> GpawCalculator:
    return cast(GpawCalculator, cast(Any, engine).make_calculator(atoms, None, symmetry="off"))


def _relaxed_spinors(
    settings: GpawSettings, structure: Structure, vectors: np.ndarray, scratch: str | None
) -> tuple[np.ndarray, list[Check]]:
    atoms = to_atoms(structure)
    asked = [float(m) for m in atoms.arrays["magmom"]]
    log = None if scratch is None else Path(scratch).resolve() / "spinors.txt"
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
    energies, moments = [], []
    for vector in vectors:
        energy, spinors = self_consistent(settings, atoms, vector.tolist(), log)
        energies.append(1000.0 * energy)
        moments.append(spinors)
    relative = np.array(energies)
    return relative - relative.min(), spinor_checks(asked, vectors, moments)


def spinor_checks(asked_muB: Sequence[float], vectors: np.ndarray, found_muB: Sequence[np.ndarray]) -> list[Check]:
    """Guards of relaxed spinors: spins that kept sense and size, and still point along the direction they stand for.

    Parameters
    ----------
    asked_muB
        Collinear start moments, signed along the direction.
    vectors
        Directions, shape (n, 3).
    found_muB
        For each direction the Cartesian site moments, shape (n_sites, 3).
    """
    signs = np.sign(np.asarray(asked_muB, dtype=float))
    turns, kept = [], []
    for vector, moments in zip(vectors, found_muB, strict=True):
        unit = vector / np.linalg.norm(vector)
        staggered = (signs[:, None] * moments).sum(axis=0)
        cosine = float(staggered @ unit) / max(float(np.linalg.norm(staggered)), 1e-12)
        turns.append(float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))))
        kept.append(moments_kept(asked_muB, [float(m) for m in moments @ unit]))
    worst = max(turns)
    note = f"the spins turned {worst:.1f} degrees away: energies are booked under the wrong direction"
    return [
        guard("spins along the direction", worst <= LARGEST_TURN_deg, note, worst, LARGEST_TURN_deg, "degrees"),
        next((c for c in kept if c.passed is False), kept[0]),
    ]


@job
def polarisation_of(engine: AseEngine, structure: Structure, *, name: str, born: bool) -> Polarisation:
    """Berry-phase dipole of a cell, and the Born charges of all its ions if asked; outputs a `Polarisation`.

    Born charges cost six calculations for each ion; every dipole is kept in the job's checkpoint.
    """
    atoms = to_atoms(structure)
    calculator = _without_symmetry(engine, atoms)
    refuse_thin_kpoints(calculator.settings.mesh(atoms.cell.array))
    with engine.quiet(), checkpoint(engine, atoms, "polarisation", born) as record:
        live = calculator.converged(atoms)
        moments = [float(m) for m in live.get_property("magmoms", live.atoms)]
        gap = gap_eV(live)
        dipole = _recorded_dipole(calculator, atoms, record)
        whole = dipole(atoms)
        tensors = [born_charge_e(dipole, atoms, ion) for ion in range(len(atoms))] if born else None
    checks = [moments_kept([float(m) for m in atoms.arrays["magmom"]], moments), insulator(gap)]
    if tensors is not None:
        checks.append(sum_rule(tensors))
    return Polarisation(
        name=name,
        structure=structure,
        # With both a dipole and Born charges a path would take the dipole; who asked for charges wants these.
        dipole_e_A=None if born else [float(x) for x in whole],
        born_charges_e=None if tensors is None else np.asarray(tensors).tolist(),
        gap_eV=gap,
        checks=checks,
        provenance=engine.provenance(),
    )


def _recorded_dipole(calculator: GpawCalculator, start: Atoms, record: Checkpoint) -> Callable[[Atoms], np.ndarray]:
    """Dipole of displaced atoms, e Angstrom, computed once for each displacement."""

    def dipole(moved: Atoms) -> np.ndarray:
        away = moved.positions - start.positions
        label = " ".join(f"{i}{'xyz'[a]}{away[i, a]:+.4f}" for i, a in zip(*np.nonzero(away), strict=True))
        known: list[float] = []

        def component(axis: int) -> float:
            if not known:
                known.extend(float(x) for x in dipole_e_A(calculator.converged(moved)))
            return known[axis]

        return np.array([record.number(f"dipole {label} {axis}", partial(component, axis)) for axis in range(3)])

    return dipole


@job(name="polarise band")
def polarise_path(engine: AseEngine, band: Band, *, name: str, born: bool) -> Band:
    """The band with Berry-phase or Born-charge dipoles of its images.

    Raises
    ------
    InvalidResultError
        If the band, or the polarisation of an image, failed a guard.
    """
    require_valid(band.checks, "the band")
    polarisations = [
        function_of(polarisation_of)(engine, image.structure, name=f"{name}: image {k}", born=born)
        for k, image in enumerate(band.images)
    ]
    for one in polarisations:
        require_valid(one.checks, one.name)
    return band_with_dipoles(band, polarisations)


@job
def born_charge_of_ion(engine: AseEngine, structure: Structure, ion: int, *, axes: list[int]) -> list[list[float]]:
    """Born charge by central differences of the Berry phase, e, shape (3, len(axes)).

    Raises
    ------
    ValueError
        If the mesh has one point along an axis.
    InvalidResultError
        If a displaced cell has no gap or other moments: its phase is none.
    """
    atoms = to_atoms(structure)
    calculator = _without_symmetry(engine, atoms)
    refuse_thin_kpoints(calculator.settings.mesh(atoms.cell.array))
    asked = [float(m) for m in atoms.arrays["magmom"]]

    def dipole(moved: Atoms) -> np.ndarray:
        live = calculator.converged(moved)
        found = [float(m) for m in live.get_property("magmoms", live.atoms)]
        require_valid([moments_kept(asked, found), insulator(gap_eV(live))], f"the Berry phase beside ion {ion}")
        return dipole_e_A(live)

    with engine.quiet():
        found = born_charge_e(dipole, atoms, ion, axes=tuple(axes))
    return [[float(x) for x in row] for row in found]
