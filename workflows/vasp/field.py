"""Berry-phase polarisation, Born charges, and runs in a finite field, all refused where the insulator would break down.

VASP takes the field as the force on an electron, eV/Angstrom (EFIELD_PEAD); the force on an ion of charge Z is Z F.
It needs at least two k points along the field, an insulator, and NCORE = 1. That the ions are pushed, and which way,
is measured: each run in a field has one without beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from atomate2.vasp.jobs.base import BaseVaspMaker
from atomate2.vasp.jobs.core import RelaxMaker
from atomate2.vasp.run import DEFAULT_HANDLERS
from atomate2.vasp.sets.core import RelaxSetGenerator, StaticSetGenerator
from custodian.vasp.handlers import LargeSigmaHandler
from emmet.core.tasks import TaskDoc
from jobflow import Flow, Response, job

from ...analysis.kinetics.applied_field import breakdown_V_per_A, check_breakdown
from ...analysis.kinetics.polarisation import Polarisation, band_with_dipoles
from ...analysis.results.calculation import Band, Calculation, Check, require_valid
from ...stored.base import Stored
from ..evaluation.guards import guard, insulator
from ..jobs.outputs import function_of
from . import guards
from .inputs import Incar, field_tags, generator, occupation_tags, relax_incar, static_incar
from .jobs import (
    MagneticStaticMaker,
    calculation_flow,
    marks_of_run,
    provenance,
    read_calculation,
    run_ordered,
)
from .order import block_order, in_order
from .own_runs import run_guards, run_in, spins_kept
from .parsed import folder_of, there, vasp_run
from .settings import MAKER_RUN_ONLY, VaspSettings, VaspSettingsError, expected_electrons

if TYPE_CHECKING:
    from atomate2.vasp.sets.base import VaspInputGenerator
    from pymatgen.core import Structure

SAME_PLACE_A = 1e-3


def polarisation_incar(structure: Structure, settings: VaspSettings, *, born: bool) -> Incar:
    """Tags of a Berry-phase dipole, or of Born charges by linear response."""
    tags = static_incar(structure, settings) | {"ISYM": -1, "NCORE": 1, "EDIFF": min(settings.ediff_eV, 1e-7)}
    if born:
        return tags | {"LEPSILON": True, "LPEAD": True, "IBRION": -1, "NSW": 0}
    return tags | {"LCALCPOL": True, "DIPOL": [0.5, 0.5, 0.5]}


@dataclass
class PolarisationMaker(Stored, BaseVaspMaker):
    """Berry-phase dipole (LCALCPOL) or Born charges (LEPSILON) of a cell."""

    run_only: ClassVar[frozenset[str]] = MAKER_RUN_ONLY
    name: str = "polarisation"
    settings: VaspSettings = field(default_factory=VaspSettings)
    born: bool = False

    def planned(self, structure: Structure) -> VaspInputGenerator:
        """Input-set generator for a structure in VASP's order."""
        incar = polarisation_incar(structure, self.settings, born=self.born)
        return generator(StaticSetGenerator, incar, self.settings, structure)

    @vasp_run
    def make(self, structure: Structure, prev_dir: str | Path | None = None) -> Response[Any]:
        """See atomate2's `BaseVaspMaker.make`; outputs a ``TaskDoc``."""
        return run_ordered(self, structure, prev_dir)


@dataclass
class VaspFieldMaker(Stored, RelaxMaker):
    """Single point or relaxation of the ions in a field (EFIELD_PEAD)."""

    run_only: ClassVar[frozenset[str]] = MAKER_RUN_ONLY
    settings: VaspSettings = field(default_factory=VaspSettings)
    field_V_per_A: Sequence[float] = (0.0, 0.0, 0.0)
    relax: bool = True
    occupation_matrices: str | None = None
    cell: ClassVar[bool] = False

    @property
    def relaxes(self) -> bool:
        """Whether forces are held against their bound."""
        return self.relax

    def planned(self, structure: Structure) -> VaspInputGenerator:
        """Input-set generator for a structure in VASP's order."""
        if self.relax:
            incar = relax_incar(structure, self.settings, cell=False)
        else:
            incar = static_incar(structure, self.settings)
        incar |= field_tags(self.field_V_per_A, self.settings) | occupation_tags(self.occupation_matrices)
        return generator(RelaxSetGenerator if self.relax else StaticSetGenerator, incar, self.settings, structure)

    @vasp_run
    def make(self, structure: Structure, prev_dir: str | Path | None = None) -> Response[Any]:
        """See atomate2's `BaseVaspMaker.make`; refuses a mesh that cannot resolve the field."""
        refuse_thin_mesh(self.settings.mesh(structure))
        return run_ordered(self, structure, prev_dir)


def refuse_thin_mesh(mesh: Sequence[int]) -> None:
    """A field or a Berry phase needs neighbours in k along every axis."""
    if min(mesh) < 2:
        raise VaspSettingsError(
            f"mesh {list(mesh)} has one point along an axis: a field and a Berry phase need two; set kpoint_mesh"
        )


def refuse_breakdown(field_V_per_A: Sequence[float], gap_eV: float, structure: Structure, mesh: Sequence[int]) -> None:
    """Refuse a field that tilts the bands by more than the gap over the longest axis, or over what the mesh resolves.

    With N k points along an axis the electrons see N cells in a row: a stationary state needs |F . a| < gap / N
    (10.1103/PhysRevLett.89.117602). VASP itself warns from a tenth of that on.

    Raises
    ------
    ValueError
        With the largest field allowed.
    """
    if not gap_eV > 0:
        raise ValueError(f"gap {gap_eV!r} eV must be positive: no field is held self-consistently in a metal")
    lengths = structure.lattice.abc
    along = [float(np.dot(field_V_per_A, axis)) / n for axis, n in zip(structure.lattice.matrix, lengths, strict=True)]
    resolved = [n * points for n, points in zip(lengths, mesh, strict=True)]
    whole = float(np.linalg.norm(field_V_per_A))
    for size, length in [(whole, max(lengths)), *zip(along, resolved, strict=True)]:
        way_out = f"shorten the cell along it: it breaks down a gap of {gap_eV:g} eV over {length:g} A"
        check_breakdown(size, breakdown_V_per_A(gap_eV, length), way_out)


def field_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Maker fields without the handler that cannot read the OUTCAR of a run in a field (custodian issue 360)."""
    handlers = [h for h in DEFAULT_HANDLERS if not isinstance(h, LargeSigmaHandler)]
    return {**fields, "run_vasp_kwargs": {**fields["run_vasp_kwargs"], "handlers": handlers}}


@job(name="read polarisation")
def read_polarisation(task: TaskDoc, structure: Structure, *, name: str, maker: PolarisationMaker) -> Polarisation:
    """A `Polarisation` from an atomate2 document, sites in the order of `structure`."""
    order = block_order(structure)
    ordered = in_order(structure, order)
    place = np.argsort(order)
    run = run_in(folder_of(task))
    checks = [
        *run_guards(run, maker.planned(ordered), maker.settings, expected_electrons(ordered, maker.settings)),
        spins_kept(ordered, run.site_moments_muB),
        insulator(run.gap_eV),
    ]
    born = run.born_charges_e if maker.born else None
    if maker.born and (born is None or len(born) != len(structure)):
        checks.append(guard("Born charges", False, "the output holds no Born charges for every ion"))
        born = None
    dipole = run.dipole_e_A if not maker.born else None
    if not maker.born and dipole is None:
        checks.append(guard("Berry phase", False, "the output holds no Berry-phase dipole"))
    return Polarisation(
        name=name,
        structure=structure,
        dipole_e_A=dipole,
        # VASP's rows are the field, its columns the displacement: Z_ab = d F_b / d E_a = d p_a / d u_b.
        born_charges_e=None if born is None else np.asarray(born, dtype=float)[place].tolist(),
        dielectric=run.dielectric_electronic if maker.born else None,
        gap_eV=run.gap_eV,
        checks=checks,
        provenance=provenance(maker.settings, run, {"folder": folder_of(task)}),
    )


def polarisation_flow(
    structure: Structure, name: str, settings: VaspSettings, fields: dict[str, Any], *, born: bool
) -> Flow:
    """One polarisation run and its document."""
    maker = PolarisationMaker(settings=settings, born=born, **field_fields(fields))
    run = maker.make(structure)
    run.name = f"{name}: vasp"
    run.update_metadata(marks_of_run("static"))
    read = read_polarisation(run.output, structure, name=name, maker=maker)
    read.name = name
    return Flow([run, read], output=read.output, name=name)


@job(name="polarise band")
def polarise_band(
    band: Band, *, settings: VaspSettings, fields: dict[str, Any], born: bool, name: str
) -> Response[Any]:
    """Polarisation of every image, then the band with those dipoles; replaced by those jobs.

    Raises
    ------
    InvalidResultError
        If the band failed a guard.
    """
    require_valid(band.checks, "the band")
    flows = [
        polarisation_flow(image.structure, f"{name}: image {k}", settings, fields, born=born)
        for k, image in enumerate(band.images)
    ]
    last = dress_band(band, [flow.output for flow in flows])
    return Response(replace=Flow([*flows, last], output=last.output))


def polarised_flow(band: Flow, name: str, settings: VaspSettings, fields: dict[str, Any], *, born: bool) -> Flow:
    """A band's flow followed by the polarisation of its images."""
    dressed = polarise_band(band.output, settings=settings, fields=fields, born=born, name=f"{name} polarisation")
    dressed.name = name
    band.name = f"{name} at zero field"
    return Flow([band, dressed], output=dressed.output, name=name)


@job(name="band with dipoles")
def dress_band(band: Band, found: list[Polarisation]) -> Band:
    """The band with Berry-phase or Born-charge dipoles.

    Raises
    ------
    InvalidResultError
        If the polarisation of an image failed a guard.
    """
    for one in found:
        require_valid(one.checks, one.name)
    return band_with_dipoles(band, found)


def field_flow(
    structure: Structure,
    field_V_per_A: Sequence[float],
    *,
    gap_eV: float,
    relax: bool,
    name: str,
    settings: VaspSettings,
    fields: dict[str, Any],
    matrices: str | None = None,
) -> Flow:
    """A single point or a relaxation of the ions in a field, as a `Calculation`.

    Parameters
    ----------
    structure
        Cell, or a reference to one; the breakdown is checked at once for a cell, and for a reference when it is there.
    field_V_per_A
        V/Angstrom, shape (3,).
    gap_eV
        Gap for the check against breakdown.
    relax, name, settings, fields
        As elsewhere.
    matrices
        Text of an OCCMATRIX file.
    """
    maker = VaspFieldMaker(
        settings=settings,
        field_V_per_A=[float(x) for x in field_V_per_A],
        relax=relax,
        occupation_matrices=matrices,
        **field_fields(fields),
    )
    started = start_in_field(structure, maker, gap_eV, name)
    started.name = name
    return Flow([started], output=started.output, name=name)


@job(name="start in field")
def start_in_field(structure: Structure, maker: VaspFieldMaker, gap_eV: float, name: str) -> Response[Any]:
    """Refuse a field beyond breakdown, else run; replaced by the run and its reading.

    Raises
    ------
    ValueError
        If the field breaks the insulator down.
    """
    mesh = maker.settings.mesh(structure)
    refuse_breakdown(maker.field_V_per_A, gap_eV, structure, mesh)
    refuse_thin_mesh(mesh)
    shared = {key: getattr(maker, key) for key in ("run_vasp_kwargs", "stop_children_kwargs", "write_input_set_kwargs")}
    still = MagneticStaticMaker(settings=maker.settings, occupation_matrices=maker.occupation_matrices, **shared)
    bare = calculation_flow(still, structure, f"{name}, start without the field", maker.settings)
    run = maker.make(structure)
    run.name = f"{name}: vasp"
    run.update_metadata(marks_of_run("relax"))
    read = read_in_field(run.output, structure, bare.output, maker=maker, name=name)
    return Response(replace=Flow([bare, run, read], output=read.output))


@job(name="read in field")
def read_in_field(
    task: TaskDoc, structure: Structure, bare: Calculation, *, maker: VaspFieldMaker, name: str
) -> Calculation:
    """A `Calculation` in a field; its energy is the electric enthalpy, whose zero depends on the branch.

    Parameters
    ----------
    task, structure, maker, name
        As in `read_calculation`.
    bare
        Single point of `structure` without the field, which the forces of the first step are held against.

    Raises
    ------
    InvalidResultError
        If the single point failed a guard.
    """
    require_valid(bare.checks, bare.name)
    done: Calculation = function_of(read_calculation)(task, structure, name=name, settings=maker.settings, maker=maker)
    run = run_in(folder_of(task))
    asked = list(maker.field_V_per_A)
    extra = [
        guards.field_kept(run.incar.get("EFIELD_PEAD"), field_tags(asked, maker.settings)["EFIELD_PEAD"]),
        insulator(run.gap_eV),
        _pushes(task, structure, bare, asked),
    ]
    settings = {**done.provenance.settings, "field_V_per_A": asked}
    source = done.provenance.model_copy(update={"settings": settings})
    calls = done.force_calls + bare.force_calls
    return done.model_copy(update={"checks": [*done.checks, *extra], "provenance": source, "force_calls": calls})


def _pushes(task: TaskDoc, structure: Structure, bare: Calculation, field_V_per_A: Sequence[float]) -> Check:
    """The guard `field_pushes` of the first ionic step; undone where that step is not the start's."""
    place = np.argsort(block_order(structure))
    first = there(there(task.calcs_reversed, "VASP run")[-1].output, "output")
    steps = first.ionic_steps or []
    valences = structure.site_properties.get("valence")
    name, why = guards.FIELD_PUSHES, ""
    if valences is None:
        why = "the sites carry no valences"
    elif not steps or steps[0].forces is None or bare.forces_eV_per_A is None:
        why = "the output holds no forces of the first step"
    else:
        away = structure.frac_coords - there(steps[0].structure, "structure").frac_coords[place]
        if float(np.abs((away - np.rint(away)) @ structure.lattice.matrix).max()) > SAME_PLACE_A:
            why = "the run went on from a cut one: its first step is not the start's"
    if why:
        return Check(name=name, passed=None, note=f"{why}, so it was not measured whether the ions feel the field")
    assert valences is not None
    on = np.asarray(steps[0].forces, dtype=float)[place]
    return guards.field_pushes(on - np.asarray(bare.forces_eV_per_A), valences, field_V_per_A)
