"""E(n) by VASP: one collinear density, then a non-collinear run for every direction on the same k points.

VASP counts moments in a frame whose z axis is SAXIS. A collinear density can only be read along that axis,
so runs that start from it turn SAXIS; runs from scratch keep SAXIS = z and turn the moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from atomate2.vasp.jobs.base import BaseVaspMaker
from atomate2.vasp.sets.core import StaticSetGenerator
from emmet.core.tasks import TaskDoc
from jobflow import Flow, job
from pydantic import Field

from ...analysis.results.calculation import Check
from ...analysis.results.document import Document
from ...stored.base import Stored
from ..evaluation.guards import guard
from ..jobs.outputs import function_of
from . import guards
from .continuation import go_on
from .finished.spin_frame import axis_frame as axis_frame
from .inputs import OCCUPATION_FILE, Incar, common_incar, generator, occupation_tags
from .jobs import copy_density, marks_of_run, provenance
from .order import block_order, in_order
from .outcar import constraint_penalty_eV, run_text
from .own_runs import final_energy_eV, run_guards, run_in, spins_kept
from .parallel import ready
from .parsed import folder_of, vasp_run
from .settings import MAKER_RUN_ONLY, SpinOrbitSettings, Start, VaspSettings, expected_electrons

if TYPE_CHECKING:
    from atomate2.vasp.sets.base import VaspInputGenerator
    from jobflow import Response
    from pymatgen.core import Structure


class DirectionEnergy(Document):
    """One non-collinear run.

    `spin_muB` and `orbital_muB` hold each site's spin and orbital moment along n; both in the order of the structure
    that was handed over.
    """

    direction: list[float]
    start: str
    energy_eV: float
    spin_muB: list[float]
    orbital_muB: list[float] | None = None
    kpoints: int
    kpoint_mesh: list[int]
    folder: str
    checks: list[Check] = Field(default_factory=list)


def direction_inputs(
    structure: Structure, settings: VaspSettings, how: SpinOrbitSettings, direction: Sequence[float], start: Start
) -> tuple[Incar, list[list[float]]]:
    """INCAR and start moments (VASP's frame, shape (n_sites, 3)) of one direction.

    Parameters
    ----------
    structure
        With collinear moments, in VASP's order.
    settings, how
        See there.
    direction
        Unit vector n; a moment of positive sign points along it.
    start
        Where the electrons start from.
    """
    n = [float(x) for x in direction]
    sizes = [float(m) for m in structure.site_properties["magmom"]]
    turned = start == "density"
    moments = [[0.0, 0.0, m] if turned else [m * x for x in n] for m in sizes]
    incar = common_incar(structure, settings) | {
        # VASP sets it to 1 itself, and from 6.5 on stops if it finds 2 beside LNONCOLLINEAR and MAGMOM.
        "ISPIN": None,
        "LSORBIT": True,
        "LNONCOLLINEAR": True,
        "SAXIS": n if turned else [0.0, 0.0, 1.0],
        "ICHARG": (1 if how.self_consistent else 11) if turned else 2,
        "ISYM": -1,
        "NSW": 0,
        "IBRION": -1,
        "ISIF": 2,
        "LORBMOM": True,
        "GGA_COMPAT": False,
        "EDIFF": settings.ediff_spin_orbit_eV,
    }
    if how.constrain_eV is not None:
        elements = list(dict.fromkeys(s.specie.symbol for s in structure))
        if missing := [e for e in elements if e not in how.rwigs_A]:
            raise ValueError(f"rwigs_A has no radius for {', '.join(missing)}")
        incar |= {
            "I_CONSTRAINED_M": 1,
            "LAMBDA": how.constrain_eV,
            "RWIGS": [how.rwigs_A[e] for e in elements],
            "M_CONSTR": [x for m in moments for x in m],
        }
    return incar | occupation_tags(how.occupation_matrices), moments


@dataclass
class CollinearDensityMaker(Stored, BaseVaspMaker):
    """Collinear run whose density the non-collinear ones read: same k points, no symmetry, LMAXMIX for d shells."""

    run_only: ClassVar[frozenset[str]] = MAKER_RUN_ONLY
    name: str = "collinear density"
    settings: VaspSettings = field(default_factory=VaspSettings)

    def planned(self, structure: Structure) -> VaspInputGenerator:
        """Input-set generator for a structure in VASP's order."""
        incar = common_incar(structure, self.settings) | {
            "NSW": 0,
            "IBRION": -1,
            "ISIF": 2,
            "ISYM": -1,
            "LCHARG": True,
            "GGA_COMPAT": False,
            "EDIFF": self.settings.ediff_spin_orbit_eV,
        }
        return generator(StaticSetGenerator, incar, self.settings, structure)

    @vasp_run
    def make(self, structure: Structure, prev_dir: str | Path | None = None) -> Response[Any]:
        """See atomate2's `BaseVaspMaker.make`; outputs a ``TaskDoc``."""
        ordered = in_order(structure, block_order(structure))
        self.settings.check(ordered)
        planned = self.planned(ordered)
        go_on([ordered], planned)
        response: Response[Any] = function_of(BaseVaspMaker.make)(ready(self, planned, ordered), ordered)
        return response


@dataclass
class DirectionMaker(Stored, BaseVaspMaker):
    """One direction of magnetisation with spin-orbit coupling."""

    run_only: ClassVar[frozenset[str]] = MAKER_RUN_ONLY
    name: str = "spin-orbit"
    settings: VaspSettings = field(default_factory=VaspSettings)
    how: SpinOrbitSettings = field(default_factory=SpinOrbitSettings)
    direction: Sequence[float] = (0.0, 0.0, 1.0)
    start: Start = "density"

    def planned(self, structure: Structure) -> VaspInputGenerator:
        """Input-set generator for a structure in VASP's order."""
        incar, _ = direction_inputs(structure, self.settings, self.how, self.direction, self.start)
        # pymatgen drops the moments of a run without ISPIN = 2 unless MAGMOM is named; the sites' own are written.
        incar["MAGMOM"] = {}
        return generator(StaticSetGenerator, incar, self.settings, structure)

    def vectors(self, structure: Structure) -> Structure:
        """The structure with the vector moments of this direction, in VASP's frame."""
        _, moments = direction_inputs(structure, self.settings, self.how, self.direction, self.start)
        out = structure.copy()
        out.add_site_property("magmom", moments)
        return out

    @vasp_run
    def make(self, structure: Structure, prev_dir: str | Path | None = None) -> Response[Any]:
        """See atomate2's `BaseVaspMaker.make`; `prev_dir` holds the collinear density."""
        ordered = in_order(structure, block_order(structure))
        self.settings.check(ordered)
        planned = self.planned(ordered)
        go_on([ordered], planned)
        if self.start == "density":
            if prev_dir is None:
                raise ValueError("a start from the density needs the folder of the collinear run")
            copy_density(prev_dir)
        if self.how.occupation_matrices is not None:
            Path(OCCUPATION_FILE).write_text(self.how.occupation_matrices, encoding="utf-8")
        maker = ready(self, planned, ordered)
        response: Response[Any] = function_of(BaseVaspMaker.make)(maker, self.vectors(ordered))
        plain_moments(response.output)
        return response


def plain_moments(task: TaskDoc) -> None:
    """Turn pymatgen's moment objects in the structures into lists: atomate2's documents do not hold the objects."""
    outputs = [task.output, *(c.output for c in task.calcs_reversed or [])]
    for structure in [task.structure, *(o.structure for o in outputs if o is not None)]:
        if structure is not None and "magmom" in structure.site_properties:
            moments = structure.site_properties["magmom"]
            structure.add_site_property("magmom", [np.asarray(getattr(m, "moment", m)).tolist() for m in moments])


@job(name="read direction")
def read_direction(task: TaskDoc, structure: Structure, *, maker: DirectionMaker) -> DirectionEnergy:
    """Energy, spins and orbital moments of one direction, with every guard held."""
    order = block_order(structure)
    ordered = in_order(structure, order)
    place = np.argsort(order)
    n = np.asarray(maker.direction, dtype=float)
    run = run_in(folder_of(task))
    settings = maker.settings
    checks = run_guards(run, maker.planned(ordered), settings, expected_electrons(ordered, settings))
    checks.append(guard("spin-orbit coupling", run.spin_orbit, "the run was made without LSORBIT"))
    orbital = run.orbital_moments_muB
    spins: list[float] = []
    if run.site_moment_vectors_muB is None:
        checks.append(guard("moments kept", False, "the output holds no vector moments: they are lost"))
    else:
        cartesian = np.asarray(run.site_moment_vectors_muB, dtype=float)
        spins = [float(x) for x in (cartesian @ n)[place]]
        checks.append(spins_kept(structure, spins))
        checks.append(guards.direction_kept(cartesian, spins, n, place, maker.how.max_tilt_degrees))
    if maker.how.constrain_eV is not None:
        penalty = constraint_penalty_eV(run_text(folder_of(task), "OSZICAR"))
        checks.append(guards.penalty_small(penalty, 1e-6))
    return DirectionEnergy(
        direction=[float(x) for x in n],
        start=maker.start,
        energy_eV=final_energy_eV(run),
        spin_muB=spins,
        orbital_muB=None if orbital is None else [float(x) for x in (np.asarray(orbital) @ n)[place]],
        kpoints=run.kpoints or 0,
        kpoint_mesh=list(run.kpoint_mesh or []),
        folder=folder_of(task),
        checks=checks,
    )


@job(name="read density")
def read_density(task: TaskDoc, structure: Structure, *, maker: CollinearDensityMaker) -> list[Check]:
    """Guards of the collinear run that everything else stands on."""
    order = block_order(structure)
    ordered = in_order(structure, order)
    run = run_in(folder_of(task))
    checks = run_guards(run, maker.planned(ordered), maker.settings, expected_electrons(ordered, maker.settings))
    return [*checks, spins_kept(ordered, run.site_moments_muB)]


def spin_orbit_flow(
    structure: Structure,
    directions: Sequence[Sequence[float]],
    state: str,
    name: str,
    settings: VaspSettings,
    how: SpinOrbitSettings,
    standard: dict[str, Any],
    noncollinear: dict[str, Any],
) -> Flow:
    """Collinear density, every direction from every start, and the map.

    Parameters
    ----------
    structure, directions, state, name
        As `Engine.spin_orbit`.
    settings, how
        Shared by all runs.
    standard, noncollinear
        Fields of the Makers that start ``vasp_std`` and ``vasp_ncl``.
    """
    from .anisotropy_map import collect_directions

    density_maker = CollinearDensityMaker(settings=settings, **standard)
    density = density_maker.make(structure)
    density.name = f"{name}: collinear density"
    density.update_metadata(marks_of_run("static"))
    judged = read_density(density.output, structure, maker=density_maker)
    jobs: list[Any] = [density, judged]
    outputs = []
    # jobflow makes the schema of the whole document for every attribute that is asked of an output.
    density_folder = density.output.dir_name
    second = None
    for number, direction in enumerate(directions, start=1):
        other = how.other_start if number == 1 else None
        for start in [*how.starts, *([other] if other else [])]:
            maker = DirectionMaker(
                settings=settings, how=how, direction=[float(x) for x in direction], start=start, **noncollinear
            )
            run = maker.make(structure, density_folder if start == "density" else None)
            run.name = f"{name}: direction {number} of {len(directions)}, from {start}"
            run.update_metadata(marks_of_run("spin-orbit"))
            read = read_direction(run.output, structure, maker=maker)
            jobs += [run, read]
            if start == other:
                second = read.output
            else:
                outputs.append(read.output)
    collected = collect_directions(
        outputs,
        structure,
        judged.output,
        state=state,
        how=how,
        provenance=provenance(settings, None, {}),
        second=second,
        ediff_eV=settings.ediff_spin_orbit_eV,
    )
    collected.name = name
    return Flow([*jobs, collected], output=collected.output, name=name)
