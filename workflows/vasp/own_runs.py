"""Guards of a run of ours: the finished folder, read as any other, against the inputs that were meant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.results.checks import Check
from ..evaluation.guards import guard, holes_of, moments_kept
from . import guards
from .finished.document import VaspRun
from .finished.reader import read_run
from .inputs import PROTECTED
from .order import back_in_order
from .settings import VaspSettings

if TYPE_CHECKING:
    from atomate2.vasp.sets.base import VaspInputGenerator
    from pymatgen.core import Structure

# Checks of any finished run that hold for ours, too; the rest is held against what was asked.
OF_ANY_RUN = ("finished", "energy", "OUTCAR and vasprun.xml of one run")


def run_in(folder: str | Path | None) -> VaspRun:
    """The finished run in a folder; a ``host:`` in front is left away. Errors as `read_run`."""
    if folder is None:
        raise FileNotFoundError("the document of the run does not say where its files are")
    return read_run(Path(str(folder).split(":", 1)[-1]))


def run_guards(
    run: VaspRun,
    planned: VaspInputGenerator,
    settings: VaspSettings,
    electrons: float,
    more_tags: Sequence[str] = (),
) -> list[Check]:
    """Guards that every run of ours must pass.

    Parameters
    ----------
    run
        As it was found.
    planned
        The inputs that were meant.
    settings
        With U and PAW data sets by element.
    electrons
        Expected number.
    more_tags
        Tags besides `inputs.PROTECTED` that must not have changed, in words that VASP's own outputs leave out, too.
    """
    points: Any = planned.user_kpoints_settings
    asked, mesh = planned.user_incar_settings, [int(n) for n in points.kpts[0]]
    # The arrays of U are held by `hubbard_kept`; LREAL = Auto is written back in a form of its own.
    tags = [k for k in (*PROTECTED, *more_tags) if asked.get(k) is not None and not isinstance(asked[k], dict)]
    tags = [k for k in tags if k != "LREAL" or asked[k] is False]
    most = int(run.parameters.get("NELM", run.incar.get("NELM", 60)))
    steps = run.electronic_steps[-1] if run.electronic_steps else 0
    return [
        *(c.model_copy(update={"invalidates": True}) for c in run.checks if c.name in OF_ANY_RUN and c.passed is False),
        guards.electronically_converged(run.last_change_eV, steps, float(asked["EDIFF"]), most),
        guards.electrons_match(run.electrons, electrons),
        guards.mesh_kept(run.kpoint_mesh, mesh),
        guards.settings_kept(run.incar, run.parameters, {k: asked[k] for k in tags}, noncollinear=run.noncollinear),
        hubbard_kept(run, settings),
        guards.data_sets_kept(run.paw, settings.potcars()),
    ]


def spins_kept(structure: Structure, found: Sequence[float] | None) -> Check:
    """The guard `moments_kept` of a structure with start moments and formal charges, in the order of `found`."""
    return moments_kept(
        structure.site_properties["magmom"],
        found,
        elements=[site.specie.symbol for site in structure],
        holes=holes_of(structure),
    )


def final_energy_eV(run: VaspRun) -> float:
    """Energy of a finished run, eV.

    Raises
    ------
    ValueError
        If the run holds none.
    """
    if run.energy_eV is None:
        raise ValueError(f"{run.folder} holds no energy: {'; '.join(run.reasons)}")
    return run.energy_eV


def placed(run: VaspRun, order: Sequence[int], like: Structure) -> tuple[Structure, list[float]]:
    """Final structure and site moments of a run in the order of the structure that was handed over.

    Raises
    ------
    ValueError
        If the run holds no structure, or one of other species.
    """
    if run.structure is None:
        raise ValueError(f"{run.folder} holds no structure: {'; '.join(run.reasons)}")
    final, moments = back_in_order(run.structure, order, like, run.site_moments_muB)
    return final, [float(m) for m in moments]


def hubbard_kept(run: VaspRun, settings: VaspSettings) -> Check:
    """Whether U went to the blocks of species that it belongs to."""
    elements = [block.element for block in run.paw]
    asked = [settings.hubbard_U_eV.get(e, 0.0) for e in elements]
    hubbard = [block.U_eV for block in run.hubbard]
    if not any(asked):
        return guard("U of each species", not any(hubbard), "a U was applied without being asked for")
    same = len(hubbard) == len(asked) and bool(np.allclose(hubbard, asked, atol=1e-8))
    shells = [b.element for b in run.hubbard if b.U_eV and b.shell < 0]
    note = f"U is {hubbard} for {elements}, asked {asked}"
    note += f"; U of {', '.join(shells)} acts on no shell" if shells else ""
    return guard("U of each species", same and not shells, note)
