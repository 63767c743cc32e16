"""Charged cells with potentials and band edges, and the static dielectric tensor, by VASP through atomate2."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from atomate2.vasp.jobs.base import BaseVaspMaker
from atomate2.vasp.sets.core import StaticSetGenerator
from emmet.core.tasks import TaskDoc
from jobflow import Flow, Response, job
from pymatgen.io.vasp import Locpot, Vasprun

from ...analysis.defects.charge_corrections import SitePotentials
from ...analysis.defects.charged_cells import ChargedCell, DielectricResult, counted_states
from ...analysis.defects.exchange_formats import planar_potential
from ...stored.base import Stored
from ..evaluation.guards import guard, insulator
from ..jobs.outputs import function_of, output_of
from .field import field_fields
from .inputs import Incar, generator, static_incar
from .jobs import (
    MagneticRelaxMaker,
    MagneticStaticMaker,
    calculation_flow,
    marks_of_run,
    provenance,
    read_calculation,
)
from .order import block_order, in_order
from .outcar import file_of
from .own_runs import run_guards, run_in, spins_kept
from .parsed import folder_of, there, vasp_run
from .settings import MAKER_RUN_ONLY, VaspSettings, expected_electrons

if TYPE_CHECKING:
    from atomate2.vasp.sets.base import VaspInputGenerator
    from pymatgen.core import Structure

POTENTIALS: Incar = {"LVHAR": True}


@job(name="charge")
def with_charge(structure: Structure, charge: int) -> Structure:
    """The same cell with a net charge, from which NELECT follows."""
    out = structure.copy()
    out.set_charge(charge)
    return out


def charged_flow(
    structure: Structure, charge: int, *, relax: bool, name: str, settings: VaspSettings, fields: dict[str, Any]
) -> Flow:
    """Relax the ions if asked, then a single point that writes potentials; outputs a `ChargedCell`."""
    cell = with_charge(structure, charge)
    jobs: list[Any] = [cell]
    start = output_of(cell)
    if relax:
        relaxed = calculation_flow(MagneticRelaxMaker(settings=settings, **fields), start, f"{name} relax", settings)
        jobs.append(relaxed)
        start = output_of(relaxed).structure
    maker = MagneticStaticMaker(settings=settings, extra=dict(POTENTIALS), **fields)
    run = maker.make(start)
    run.name = f"{name}: vasp"
    run.update_metadata(marks_of_run("static"))
    before = relaxed.output if relax else None
    read = read_charged(run.output, start, charge, name=name, settings=settings, maker=maker, relaxed=before)
    read.name = name
    return Flow([*jobs, run, read], output=read.output, name=name)


@job(name="read charged cell")
def read_charged(
    task: TaskDoc,
    structure: Structure,
    charge: int,
    *,
    name: str,
    settings: VaspSettings,
    maker: Any,
    relaxed: Any = None,
) -> ChargedCell:
    """A `ChargedCell` from a single point that wrote LOCPOT, with the checks of the relaxation before it."""
    done = function_of(read_calculation)(task, structure, name=name, settings=settings, maker=maker)
    checks = [*done.checks, charge_kept(structure, charge)]
    if relaxed is not None:
        checks += [c for c in relaxed.checks if c.name not in {own.name for own in checks} or c.passed is False]
    order = block_order(structure)
    potentials = run_in(folder_of(task)).electron_potentials_eV
    sites = None
    if potentials and len(potentials) == len(structure):
        place = np.argsort(order)
        # VASP prints what an electron feels.
        sites = SitePotentials(structure=done.structure, potentials_V=[-float(potentials[int(k)]) for k in place])
    else:
        checks.append(guard("potentials at the ions", False, "the OUTCAR holds none for every ion"))
    planes = planar_potential(Locpot.from_file(str(file_of(folder_of(task), "LOCPOT"))))
    vasprun = Vasprun(str(file_of(folder_of(task), "vasprun.xml")), parse_dos=False, parse_potcar_file=False)
    _, cbm, vbm, _ = cast("tuple[float, float, float, bool]", vasprun.eigenvalue_band_properties)
    energies, states, filled = states_of(vasprun)
    return ChargedCell(
        calculation=done.model_copy(update={"checks": checks}),
        charge=charge,
        site_potentials=sites,
        planes=planes,
        vbm_eV=float(vbm) if np.isfinite(vbm) else None,
        cbm_eV=float(cbm) if np.isfinite(cbm) else None,
        dos_energies_eV=energies,
        dos_states_per_eV=states,
        dos_filled_per_eV=filled,
    )


def charge_kept(structure: Structure, charge: int) -> Any:
    """Whether the cell that was computed is the one that was asked for."""
    found = structure._charge or 0.0
    note = f"the structure carries {found:+g} e and {charge:+d} was asked for"
    return guard("charge of the cell", abs(found - charge) < 1e-6, note, found, charge, "e")


def states_of(vasprun: Vasprun) -> tuple[list[float], list[float], list[float]]:
    """Density of states of a run, both spins, per cell, see `counted_states`, and its filled part."""
    weights = np.asarray(vasprun.actual_kpoints_weights, dtype=float)
    weights = weights / weights.sum()
    channels = list(there(vasprun.eigenvalues, "eigenvalues").values())
    # One channel holds two electrons per state without spin polarisation.
    holds = 2.0 if len(channels) == 1 and not vasprun.parameters.get("LNONCOLLINEAR", False) else 1.0
    levels = np.concatenate([c[:, :, 0].ravel() for c in channels])
    shares = np.concatenate([np.repeat(weights, c.shape[1]) for c in channels]) * holds
    occupied = np.concatenate([c[:, :, 1].ravel() for c in channels])
    return *counted_states(levels, shares), counted_states(levels, shares * occupied)[1]


def dielectric_incar(structure: Structure, settings: VaspSettings) -> Incar:
    """Tags of density-functional perturbation theory for fields and displacements, as atomate2's dielectric set."""
    return static_incar(structure, settings) | {
        "IBRION": 8,
        "NSW": 1,
        "LEPSILON": True,
        "LPEAD": True,
        "ISYM": 2,
        "NCORE": 1,
        "EDIFF": min(settings.ediff_eV, 1e-7),
    }


@dataclass
class DielectricTensorMaker(Stored, BaseVaspMaker):
    """Static dielectric tensor by linear response, electrons and ions."""

    run_only: ClassVar[frozenset[str]] = MAKER_RUN_ONLY
    name: str = "dielectric"
    settings: VaspSettings = field(default_factory=VaspSettings)

    def planned(self, structure: Structure) -> VaspInputGenerator:
        """Input-set generator for a structure in VASP's order."""
        return generator(StaticSetGenerator, dielectric_incar(structure, self.settings), self.settings, structure)

    @vasp_run
    def make(self, structure: Structure, prev_dir: str | Path | None = None) -> Response[Any]:
        """See atomate2's `BaseVaspMaker.make`; outputs a ``TaskDoc``."""
        from .jobs import run_ordered

        return run_ordered(self, structure, prev_dir)


def dielectric_flow(structure: Structure, *, name: str, settings: VaspSettings, fields: dict[str, Any]) -> Flow:
    """One linear-response run and its `DielectricResult`."""
    maker = DielectricTensorMaker(settings=settings, **field_fields(fields))
    run = maker.make(structure)
    run.name = f"{name}: vasp"
    run.update_metadata(marks_of_run("static"))
    read = read_dielectric(run.output, structure, name=name, maker=maker)
    read.name = name
    return Flow([run, read], output=read.output, name=name)


@job(name="read dielectric tensor")
def read_dielectric(
    task: TaskDoc, structure: Structure, *, name: str, maker: DielectricTensorMaker
) -> DielectricResult:
    """A `DielectricResult` from an atomate2 document, with every guard held."""
    ordered = in_order(structure, block_order(structure))
    run = run_in(folder_of(task))
    electronic = np.asarray(run.dielectric_electronic or np.zeros((3, 3)), dtype=float)
    ionic = np.asarray(run.dielectric_ionic or np.zeros((3, 3)), dtype=float)
    lowest = float(np.linalg.eigvalsh(0.5 * (ionic + ionic.T))[0])
    checks = [
        *run_guards(run, maker.planned(ordered), maker.settings, expected_electrons(ordered, maker.settings)),
        spins_kept(ordered, run.site_moments_muB),
        insulator(run.gap_eV),
        guard("electronic tensor", bool(electronic.any()), "the output holds no dielectric tensor"),
        # A soft mode makes it negative or huge: the structure is then no minimum.
        guard("ionic tensor", lowest > 0, f"its smallest eigenvalue is {lowest:.3g}", lowest, 0.0),
    ]
    return DielectricResult(
        name=name,
        electronic=electronic.tolist(),
        ionic=ionic.tolist(),
        checks=checks,
        provenance=provenance(maker.settings, run, {"folder": folder_of(task)}),
    )
