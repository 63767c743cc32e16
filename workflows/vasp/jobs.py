"""Jobs of VASP runs: atomate2's Makers with our settings, and the step from its documents to ours."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from atomate2 import SETTINGS
from atomate2.vasp.jobs.base import BaseVaspMaker
from atomate2.vasp.jobs.core import RelaxMaker, StaticMaker
from atomate2.vasp.sets.core import RelaxSetGenerator, StaticSetGenerator
from emmet.core.tasks import TaskDoc
from jobflow import Flow, job

from ...analysis.results.calculation import Calculation
from ...analysis.results.checks import Check, held
from ...analysis.results.document import Provenance
from ...analysis.thermodynamics.phases import DATA_SETS_KEY
from ...stored.base import Stored
from ..evaluation.guards import guard
from ..jobs.kinds import Kind, calculation_marks
from ..jobs.outputs import function_of
from . import guards
from .continuation import earlier_steps, go_on
from .finished.document import VaspRun
from .inputs import OCCUPATION_FILE, Incar, generator, occupation_tags, relax_incar, static_incar
from .order import block_order, in_order
from .own_runs import final_energy_eV, placed, run_guards, run_in, spins_kept
from .parallel import ready
from .parsed import folder_of, there, vasp_run
from .settings import MAKER_RUN_ONLY, VaspCommands, VaspSettings, expected_electrons
from .slim import slim_task
from .walltime import refuse_stopped, with_stop

if TYPE_CHECKING:
    from atomate2.vasp.sets.base import VaspInputGenerator
    from jobflow import Job, Response
    from pymatgen.core import Structure

STRESS_LIMIT_kB = 2.0


def marks_of_run(kind: Kind) -> dict[str, Any]:
    """Metadata of a VASP run: it computes, and writes files into a folder of its own."""
    return {"own_folder": True, **calculation_marks(kind)}


def common_fields(commands: VaspCommands, *, noncollinear: bool = False) -> dict[str, Any]:
    """Fields that all our Makers share; commands left open are atomate2's ``VASP_CMD`` and ``VASP_NCL_CMD``."""
    standard = commands.standard or SETTINGS.VASP_CMD
    command = (commands.noncollinear or SETTINGS.VASP_NCL_CMD) if noncollinear else standard
    return {
        "run_vasp_kwargs": run_arguments(commands, command),
        # The run's own state is judged by our guards, not by a tag.
        "stop_children_kwargs": {"handle_unsuccessful": False},
        "write_input_set_kwargs": {
            "potcar_spec": commands.potcar_spec,
            "from_prev": False,
            "apply_incar_updates": False,
        },
    }


def run_arguments(commands: VaspCommands, command: str) -> dict[str, Any]:
    """Arguments of atomate2's `run_vasp`; which jobs run on the Gamma-only build is decided by `parallel.ready`."""
    return {
        "vasp_cmd": command,
        **({} if commands.gamma is None else {"vasp_gamma_cmd": commands.gamma}),
        "max_errors": commands.max_errors,
        "vasp_job_kwargs": {"auto_gamma": False, "auto_npar": False},
        "custodian_kwargs": {"polling_time_step": commands.poll_s},
    }


@dataclass
class MagneticRelaxMaker(Stored, RelaxMaker):
    """atomate2's relaxation with DFT+U, moments and mesh of `VaspSettings`.

    `occupation_matrices` is the text of an OCCMATRIX file, see `VaspEngine`.
    """

    run_only: ClassVar[frozenset[str]] = MAKER_RUN_ONLY
    relaxes: ClassVar[bool] = True
    settings: VaspSettings = field(default_factory=VaspSettings)
    cell: bool = False
    occupation_matrices: str | None = None

    def planned(self, structure: Structure) -> VaspInputGenerator:
        """Input-set generator for a structure in VASP's order."""
        incar = relax_incar(structure, self.settings, cell=self.cell) | occupation_tags(self.occupation_matrices)
        return generator(RelaxSetGenerator, incar, self.settings, structure)

    @vasp_run
    def make(self, structure: Structure, prev_dir: str | Path | None = None) -> Response[Any]:
        """See atomate2's `BaseVaspMaker.make`; outputs a ``TaskDoc``."""
        return run_ordered(self, structure, prev_dir)


@dataclass
class MagneticStaticMaker(Stored, StaticMaker):
    """atomate2's single point with DFT+U, moments and mesh of `VaspSettings`; further fields as above."""

    run_only: ClassVar[frozenset[str]] = MAKER_RUN_ONLY
    relaxes: ClassVar[bool] = False
    settings: VaspSettings = field(default_factory=VaspSettings)
    extra: Incar = field(default_factory=dict)
    occupation_matrices: str | None = None

    def planned(self, structure: Structure) -> VaspInputGenerator:
        """Input-set generator for a structure in VASP's order."""
        incar = static_incar(structure, self.settings) | self.extra | occupation_tags(self.occupation_matrices)
        return generator(StaticSetGenerator, incar, self.settings, structure)

    @vasp_run
    def make(self, structure: Structure, prev_dir: str | Path | None = None) -> Response[Any]:
        """See atomate2's `BaseVaspMaker.make`; outputs a ``TaskDoc``."""
        return run_ordered(self, structure, prev_dir)


def run_ordered(maker: Any, structure: Structure, prev_dir: str | Path | None) -> Response[Any]:
    """Write, run and parse with a generator made for this very structure, sites in blocks of one species.

    In the folder of a run that was cut off it goes on from there.
    """
    ordered = in_order(structure, block_order(structure))
    maker.settings.check(ordered)
    planned = maker.planned(ordered)
    (start,) = go_on([ordered], planned)
    if (matrices := getattr(maker, "occupation_matrices", None)) is not None:
        Path(OCCUPATION_FILE).write_text(matrices, encoding="utf-8")
    set_up = ready(maker, planned, ordered)
    stopping = replace(set_up, run_vasp_kwargs=with_stop(set_up.run_vasp_kwargs))
    response: Response[Any] = function_of(BaseVaspMaker.make)(stopping, start, prev_dir)
    refuse_stopped(Path.cwd())
    slim_task(response.output)
    return response


def copy_density(prev_dir: str | Path) -> None:
    """Bring CHGCAR, and nothing else, from another run: a stale output would pass for this run's own."""
    from atomate2.common.files import copy_files, get_zfile, gunzip_files
    from atomate2.utils.path import strip_hostname

    source = Path(strip_hostname(str(prev_dir)))
    density = there(get_zfile(list(source.iterdir()), "CHGCAR"), "CHGCAR")
    copy_files(source, include_files=[density.name])
    gunzip_files(include_files=[density.name], allow_missing=True, force=True)


def provenance(
    settings: VaspSettings,
    run: VaspRun | None = None,
    extra: dict[str, Any] | None = None,
    left_out: tuple[str, ...] = (),
) -> Provenance:
    """Where a VASP number comes from, the PAW data sets that were read included."""
    from ..ase.jobs import versions

    packages = versions("magnetoionics", "atomate2", "custodian", "pymatgen")
    sets: dict[str, Any] = {}
    if run is not None:
        packages |= {k: v for k, v in (("vasp", run.version), ("vtst", run.vtst)) if v is not None}
        sets = {DATA_SETS_KEY: run.data_sets}
    return Provenance(
        engine="vasp",
        level_of_theory="VASP",
        functional=settings.functional,
        hubbard_U_eV=dict(settings.hubbard_U_eV),
        settings={**_plain(settings.as_dict()), **sets, **(extra or {})},
        versions=packages,
        left_out=list(left_out),
    )


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in values.items() if not k.startswith("@")}


@job(name="read calculation")
def read_calculation(
    task: TaskDoc,
    structure: Structure,
    *,
    name: str,
    settings: VaspSettings,
    maker: Any,
) -> Calculation:
    """A `Calculation` from an atomate2 document, with the order and properties of `structure` and every guard held.

    Parameters
    ----------
    task
        What atomate2 parsed.
    structure
        What was handed to the Maker.
    name
        Name of the result.
    settings, maker
        What was asked for.
    """
    order = block_order(structure)
    planned = maker.planned(in_order(structure, order))
    run = run_in(folder_of(task))
    final, moments = placed(run, order, structure)
    final.add_site_property("moment", moments if moments else [None] * len(final))
    forces = np.asarray(run.forces_eV_per_A, dtype=float)
    checks = [
        spins_kept(structure, moments or None),
        *run_guards(run, planned, settings, expected_electrons(structure, settings)),
    ]
    if maker.relaxes:
        checks.append(guards.forces_relaxed(forces, settings.force_eV_per_A))
        if getattr(maker, "cell", False):
            checks.append(_stress_check(run))
    return Calculation(
        name=name,
        structure=final,
        energy_eV=final_energy_eV(run),
        max_force_eV_per_A=float(np.linalg.norm(forces, axis=1).max()),
        force_calls=run.ionic_steps + earlier_steps(folder_of(task)),
        total_moment_muB=run.total_moment_muB or 0.0,
        site_moments_muB=moments or None,
        orbital_moments_muB=None
        if run.orbital_moments_muB is None
        else np.asarray(run.orbital_moments_muB)[np.argsort(order)].tolist(),
        gap_eV=run.gap_eV,
        forces_eV_per_A=None if maker.relaxes else forces[np.argsort(order)].tolist(),
        checks=checks,
        provenance=provenance(settings, run, {"kpoint_mesh": settings.mesh(structure), "folder": folder_of(task)}),
    )


def _stress_check(run: VaspRun) -> Check:
    if run.stress_kB is None:
        return guard("stress relaxed", False, "the output holds no stress")
    largest = float(np.abs(np.asarray(run.stress_kB)).max())
    return held("stress relaxed", largest, STRESS_LIMIT_kB, unit="kB")


def calculation_flow(
    maker: MagneticRelaxMaker | MagneticStaticMaker, structure: Structure, name: str, settings: VaspSettings
) -> Flow:
    """One VASP run and its `Calculation`."""
    run: Job = maker.make(structure)
    run.name = f"{name}: vasp"
    run.update_metadata(marks_of_run("relax" if isinstance(maker, MagneticRelaxMaker) else "static"))
    read = read_calculation(run.output, structure, name=name, settings=settings, maker=maker)
    read.name = name
    return Flow([run, read], output=read.output, name=name)
