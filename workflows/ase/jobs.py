"""Jobs for every engine that is an ASE calculator: relax, static, band."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import numpy as np
from jobflow import job
from numpy.typing import NDArray

from ...analysis.results.calculation import Band, BandImage, Calculation
from ...analysis.results.checks import Check, failed, held
from ...analysis.results.document import Provenance
from ...stored.caching import installed_versions
from ...stored.content import content
from ...structures.spins import total_moment
from ..band.checks import BandResult
from ..band.driver import BandDriver, BandSettings, CallCounter, relax
from ..band.ends import Mover, movers_of
from ..band.record import EvaluationRecord
from ..band.surrogate import SurrogateBandDriver
from ..band.two_engines import band_from_cheap_path
from ..engine import Engine, get_engine
from ..evaluation.checkpoint import Checkpoint, checkpoint
from ..evaluation.guards import no_spin_flip
from ..settings.bounds import require_at_least, require_finite_settings, require_positive
from .atoms import from_atoms, to_atoms

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator
    from jobflow import Flow, Job
    from pymatgen.core import Structure

BAND_METHODS = ("surrogate", "classic")
OF_EARLIER_ATTEMPTS = "force calls were taken from the record of an earlier attempt; they are counted too"


@dataclass(frozen=True)
class Observed:
    """What an engine knows of the electrons of a finished calculation, and whether it may be used.

    Attributes
    ----------
    site_moments_muB, total_moment_muB, gap_eV
        As in `Calculation`; None where the engine has none.
    checks
        Guards that the engine holds.
    """

    site_moments_muB: list[float] | None = None
    total_moment_muB: float | None = None
    gap_eV: float | None = None
    checks: tuple[Check, ...] = ()


@dataclass
class AseEngine(Engine):
    """Engine whose energies come from an ASE calculator.

    Attributes
    ----------
    fmax_eV_per_A
        Force bound of relaxations at fixed cell.
    cell_fmax_eV_per_A
        Force bound of relaxations with the cell: tighter, because supercells repeat their error.
    stress_limit_eV_per_A3
        Largest stress that a relaxed cell may keep.
    max_steps
        Optimiser steps of a relaxation.
    band_settings
        See `BandSettings`.
    band_method
        ``surrogate`` (few force calls, falls back on the other) or ``classic`` (climbing-image bands).
    band_start
        Name of a cheaper engine whose converged path the surrogate starts from, e.g. ``local``.
    blas_threads
        Threads for matrix products; None leaves the environment's choice. Engines with small matrices set 1:
        spinning threads slow a busy machine down severalfold.
    """

    blas_threads: ClassVar[int | None] = None

    fmax_eV_per_A: float = 0.01
    cell_fmax_eV_per_A: float = 0.002
    stress_limit_eV_per_A3: float = 2e-4
    max_steps: int = 500
    band_settings: BandSettings = field(default_factory=BandSettings)
    band_method: Literal["surrogate", "classic"] = "surrogate"
    band_start: str | None = None

    def __post_init__(self) -> None:
        if self.band_method not in BAND_METHODS:
            raise ValueError(f"band_method is {self.band_method!r}; choose one of: {', '.join(BAND_METHODS)}")
        if self.band_start is not None and self.band_method == "classic":
            raise ValueError("band_start needs band_method 'surrogate'; leave one of them out")
        require_positive(self, ("fmax_eV_per_A", "cell_fmax_eV_per_A", "stress_limit_eV_per_A3"))
        require_at_least(self, 1, ("max_steps",))
        require_finite_settings(self)

    @abstractmethod
    def make_calculator(self, atoms: Atoms, mover: Mover | None) -> Calculator:
        """A fresh calculator for these atoms; `mover`, one ion or a list of them, keeps its valence."""

    def make_cell_calculator(self, atoms: Atoms) -> Calculator:
        """A calculator for a cell that relaxes with its ions, where symmetry may be used; the usual one by default."""
        return self.make_calculator(atoms, None)

    @abstractmethod
    def dipole_charges(self, atoms: Atoms, mover: Mover | None) -> tuple[NDArray[np.float64], str]:
        """Charges (e) for the dipole along a band, summing to zero, and where they come from."""

    def before_cell(self, atoms: Atoms, record: Checkpoint) -> None:
        """What must be known before a cell is relaxed, kept in the job's record; nothing by default."""

    def after_cell(self, atoms: Atoms, record: Checkpoint) -> list[Check]:
        """Checks of a relaxed cell beside forces and stress; none by default."""
        return []

    def observe(self, atoms: Atoms) -> Observed:
        """What the engine found beside energy and forces; nothing by default."""
        return Observed()

    def identity(self) -> dict[str, Any]:
        """See `Stored.identity`: ASE's optimisers lead every ion, and a cheaper engine may have found the path."""
        start = None if self.band_start is None else content(get_engine(self.band_start))
        return {"versions": installed_versions("ase"), **({"band_start": start} if start else {})}

    def quiet(self) -> AbstractContextManager[object]:
        """Context in which this engine's matrix products use `blas_threads`."""
        if self.blas_threads is None:
            return nullcontext()
        from threadpoolctl import threadpool_limits

        return cast(AbstractContextManager[object], threadpool_limits(limits=self.blas_threads, user_api="blas"))

    def relax(self, structure: Structure, *, name: str, cell: bool = False, mover: int | None = None) -> Job:
        """See `Engine.relax`."""
        relaxation = relax_structure(self, structure, name=name, cell=cell, mover=mover)
        relaxation.name = name
        return relaxation

    def static(self, structure: Structure, *, name: str, mover: int | None = None) -> Job:
        """See `Engine.static`."""
        static_job = static_structure(self, structure, name=name, mover=mover)
        static_job.name = name
        return static_job

    def band(
        self,
        initial: Structure,
        final: Structure,
        intermediates: Sequence[Structure],
        *,
        mover: Mover,
        name: str,
    ) -> Job | Flow:
        """See `Engine.band`."""
        band_job = converge_band(self, initial, final, intermediates, mover=mover)
        band_job.name = name
        return band_job


def calculation(
    engine: AseEngine, atoms: Atoms, structure: Structure, name: str, calls: int, limit: float | None, note: str = ""
) -> Calculation:
    """A finished calculation as a document; `limit` (eV/A) bounds a relaxation's forces, `note` says how it went."""
    largest = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
    checks = []
    if limit is not None:
        checks.append(held("forces relaxed", largest, limit, unit="eV/A", note=note))
    final = from_atoms(atoms, structure)
    seen = engine.observe(atoms)
    return Calculation(
        name=name,
        structure=final,
        energy_eV=float(atoms.get_potential_energy()),
        max_force_eV_per_A=largest,
        force_calls=calls,
        total_moment_muB=total_moment(final) if seen.total_moment_muB is None else seen.total_moment_muB,
        site_moments_muB=seen.site_moments_muB,
        gap_eV=seen.gap_eV,
        # A relaxed structure's are near zero and not worth their room in the store.
        forces_eV_per_A=atoms.get_forces().tolist() if limit is None else None,
        checks=[*checks, *seen.checks],
        provenance=engine.provenance(),
    )


@job
def relax_structure(
    engine: AseEngine, structure: Structure, *, name: str, cell: bool, mover: int | None
) -> Calculation:
    """Relax with an ASE calculator; outputs a `Calculation`."""
    atoms = to_atoms(structure)
    counter = CallCounter()
    checks: list[Check] = []
    said: list[str] = []
    with engine.quiet(), checkpoint(engine, atoms, mover, cell) as record:
        calculator = engine.make_cell_calculator(atoms) if cell else engine.make_calculator(atoms, mover)
        atoms.calc = counter.attach(record.attach(calculator))
        if cell:
            engine.before_cell(atoms, record)
            checks.append(relax_cell(engine, atoms))
            checks.extend(engine.after_cell(atoms, record))
        else:
            said = relax(atoms, engine.fmax_eV_per_A, engine.max_steps, name)
    done = calculation(engine, atoms, structure, name, counter.calls, engine.fmax_eV_per_A, "; ".join(said))
    done.checks.extend(checks)
    return done


def relax_cell(engine: AseEngine, atoms: Atoms) -> Check:
    """Relax ions and cell in place; the returned check holds the largest stress left."""
    from ase.filters import UnitCellFilter
    from ase.optimize import BFGS

    limit = engine.stress_limit_eV_per_A3
    # The filter's cell force is stress times volume per atom: without this bound a loose fmax ends above the limit.
    fmax = min(engine.cell_fmax_eV_per_A, 0.9 * limit * atoms.get_volume() / len(atoms))
    # ASE types its optimisers for atoms alone, but they take filters.
    movable: Any = UnitCellFilter(atoms)
    BFGS(movable, logfile=None, maxstep=0.1).run(fmax=fmax, steps=engine.max_steps)
    pressure = float(np.abs(atoms.get_stress()).max())
    return held("stress relaxed", pressure, limit, unit="eV/A^3")


@job
def static_structure(engine: AseEngine, structure: Structure, *, name: str, mover: int | None) -> Calculation:
    """Energy and forces with an ASE calculator; outputs a `Calculation`."""
    atoms = to_atoms(structure)
    counter = CallCounter()
    atoms.calc = counter.attach(engine.make_calculator(atoms, mover))
    with engine.quiet():
        atoms.get_forces()
        return calculation(engine, atoms, structure, name, counter.calls, None)


@job
def converge_band(
    engine: AseEngine,
    initial: Structure,
    final: Structure,
    intermediates: Sequence[Structure],
    *,
    mover: Mover,
) -> Band:
    """Converge a band with the band driver; outputs a `Band`."""
    first, last = to_atoms(initial), to_atoms(final)
    between = [to_atoms(s) for s in intermediates]
    with engine.quiet(), checkpoint(engine, first, last, *between, mover) as record:
        if engine.band_method == "classic":

            def make() -> Calculator:
                return record.attach(engine.make_calculator(first, mover))

            result = _classic_band(make, engine.band_settings, first, last, between, mover)
            seen = [engine.observe(point.atoms) for point in result.points]
        else:
            result, seen = _surrogate_band(engine, first, last, between, mover, record.path)
    result.checks.extend(band_guards(seen))
    charges, note = engine.dipole_charges(first, mover)
    band = band_document(result, initial, movers_of(mover)[0], charges, note, engine.provenance())
    for image, observed in zip(band.images, seen, strict=True):
        image.site_moments_muB = observed.site_moments_muB
    return band.model_copy(update={"end_moments_muB": _end_moments_muB(seen)})


def _end_moments_muB(seen: Sequence[Observed]) -> tuple[float, float] | None:
    """Total moments of the two ends, where the engine found both."""
    first, last = (image.total_moment_muB for image in (seen[0], seen[-1]))
    return None if first is None or last is None else (first, last)


def _classic_band(
    make: Callable[[], Calculator],
    settings: BandSettings,
    first: Atoms,
    last: Atoms,
    between: Sequence[Atoms],
    mover: Mover,
) -> BandResult:
    """The climbing-image bands; where a check of the path fails, the surrogate's search from the same ends if it holds.

    A saddle close beside a known minimum has no image of its own in a band of few images.
    """
    result = BandDriver(make, settings).run(first, last, between, mover)
    wrong = failed(result.checks)
    if not wrong or any(c.of_ends for c in wrong):
        return result
    ends = [result.points[0].atoms.copy(), result.points[-1].atoms.copy()]
    try:
        other = SurrogateBandDriver(make, settings).run(ends[0], ends[1], [], mover)
    except ValueError:
        return result
    if any(c.passed is False for c in other.checks):
        return result
    other.force_calls += result.force_calls
    other.notes.insert(
        0, f"the climbing-image bands failed ({wrong[0].name}); the surrogate's search from the same ends held"
    )
    return other


def band_guards(seen: Sequence[Observed]) -> list[Check]:
    """Guards over all images of a path: each image's own, by its number, and no spin that turns on the way."""
    checks = [
        check.model_copy(update={"name": f"{check.name} (image {n})"})
        for n, image in enumerate(seen)
        for check in image.checks
        if check.passed is False
    ]
    moments = [image.site_moments_muB for image in seen]
    all_moments = [m for m in moments if m is not None]
    if len(all_moments) == len(moments) and moments:
        turned = [no_spin_flip(a, b) for a, b in pairwise(all_moments)]
        checks.append(
            next((c for c in turned if c.passed is False), turned[0]).model_copy(
                update={"name": "no spin flip between images"}
            )
        )
    return checks


def _surrogate_band(
    engine: AseEngine, first: Atoms, last: Atoms, between: Sequence[Atoms], mover: Mover, file: Path | None
) -> tuple[BandResult, list[Observed]]:
    """The surrogate's band; its record holds every force call, survives a kill and goes when the band is done."""

    def look(atoms: Atoms) -> dict[str, Any]:
        seen = engine.observe(atoms)
        return {**vars(seen), "checks": [c.model_dump(mode="json") for c in seen.checks]}

    path = file.with_suffix(".band.jsonl") if file is not None else None

    def make() -> Calculator:
        return engine.make_calculator(first, mover)

    record = EvaluationRecord(path, observe=look)
    earlier = len(record)
    if engine.band_start is None:
        result = SurrogateBandDriver(make, engine.band_settings, record=record).run(first, last, between, mover)
    else:
        cheap = get_engine(engine.band_start)
        if not isinstance(cheap, AseEngine):
            raise ValueError(
                f"band_start {engine.band_start!r} is no engine that computes here; use local or an ML one"
            )
        result = band_from_cheap_path(
            make,
            lambda: cheap.make_calculator(first, mover),
            first,
            last,
            between,
            mover,
            engine.band_settings,
            record=record,
        )
    seen = []
    for point in result.points:
        found = record.seen(point.atoms)
        seen.append(Observed(**{**found, "checks": tuple(Check(**c) for c in found.get("checks", ()))}))
    if path is not None:
        path.unlink(missing_ok=True)
    if earlier:
        result.force_calls += earlier
        result.notes.append(f"{earlier} {OF_EARLIER_ATTEMPTS}")
    return result, seen


def band_document(
    result: BandResult,
    like: Structure,
    mover: int,
    charges: NDArray[np.float64],
    dipole_note: str,
    provenance: Provenance,
) -> Band:
    """A converged path as a document, with point-charge dipoles.

    Raises
    ------
    ValueError
        If the charges do not sum to zero: the work of a field would depend on the origin.
    """
    if abs(float(np.sum(charges))) > 1e-6:
        raise ValueError(f"dipole charges sum to {np.sum(charges):.3g} e; a field needs a neutral cell")
    origin = result.points[0]
    arc, previous, images = 0.0, origin, []
    for point in result.points:
        arc += float(np.linalg.norm(point.atoms.positions - previous.atoms.positions))
        moved = point.atoms.positions - origin.atoms.positions
        images.append(
            BandImage(
                energy_eV=point.energy - origin.energy,
                arc_A=arc,
                mover_A=float(np.linalg.norm(moved[mover])),
                dipole_e_A=[float(x) for x in charges @ moved],
                kind=point.kind,
                structure=from_atoms(point.atoms, like),
            )
        )
        previous = point
    return Band(
        mover=mover,
        images=images,
        dipole_source="point charges",
        dipole_note=dipole_note,
        force_calls=result.force_calls,
        checks=result.checks,
        not_checked=result.not_checked,
        notes=result.notes,
        provenance=provenance,
    )


def versions(*packages: str) -> dict[str, str]:
    """Installed versions for a provenance."""
    from importlib.metadata import version

    return {p: version(p) for p in packages}


def plain_settings(value: Any) -> Any:
    """Settings as plain JSON values (dataclasses become dictionaries)."""
    from dataclasses import asdict, is_dataclass

    if is_dataclass(value) and not isinstance(value, type):
        return {k: plain_settings(v) for k, v in asdict(value).items()}
    return value
