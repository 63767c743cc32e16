"""How a job shares its ranks and on which build of VASP it runs: what changes no number, decided where the job starts.

KPAR and NCORE follow from the ranks that the scheduler gave, from the k points and from the kind of job; the user's own
come first.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .cost import kpoints

if TYPE_CHECKING:
    from pymatgen.core import Structure

# Ranks of the job where no scheduler of these names says it.
RANKS = "MAGNETOIONICS_RANKS"
# Of two ways to share k points the one with fewer groups is taken unless the other wastes less by this share.
_WASTE = 0.1
# Tags of jobs that the Gamma-only build cannot do: spinors, Berry phases, fields, linear response.
_NEEDS_COMPLEX = ("LSORBIT", "LNONCOLLINEAR", "LCALCPOL", "LCALCEPS", "LEPSILON", "EFIELD_PEAD")
# Tags of jobs in which VASP allows NCORE = 1 alone.
_ONE_BAND_A_RANK = ("LCALCPOL", "LCALCEPS", "LEPSILON", "EFIELD_PEAD")
_LINEAR_RESPONSE = (5, 6, 7, 8)
_COUNT = re.compile(r"(?:^|\s)(?:-n|-np|--ntasks)[ =](\d+)(?=\s|$)")


def gamma_suffices(incar: Mapping[str, Any], mesh: Sequence[int]) -> bool:
    """Whether a job has real orbitals: the Gamma point alone, and nothing in its tags that needs complex ones.

    Parameters
    ----------
    incar
        Tags of the job.
    mesh
        Divisions, shape (3,).
    """
    return math.prod(mesh) == 1 and not any(incar.get(tag) for tag in _NEEDS_COMPLEX)


def ranks_of_command(command: str) -> int | None:
    """MPI ranks that a command starts: its own count, else the scheduler's; None where neither is said.

    Parameters
    ----------
    command
        Of VASP, e.g. ``srun vasp_std`` or ``mpirun -np 64 vasp_std``.
    """
    if match := _COUNT.search(command):
        return int(match.group(1))
    for name in (RANKS, "SLURM_NTASKS", "PBS_NP", "NSLOTS"):
        if (count := os.environ.get(name, "").strip()).isdigit() and int(count) > 0:
            return int(count)
    per_node, nodes = (re.match(r"\d+", os.environ.get(name, "")) for name in ("SLURM_NTASKS_PER_NODE", "SLURM_NNODES"))
    return int(per_node.group()) * int(nodes.group()) if per_node and nodes else None


def shared(ranks: int, points: int, *, one_band_a_rank: bool = False) -> tuple[int, int]:
    """NCORE and KPAR of a job.

    Parameters
    ----------
    ranks
        Of the job, or of one image of a band.
    points
        k points that are computed.
    one_band_a_rank
        Whether VASP allows NCORE = 1 alone.

    Returns
    -------
    tuple of int
        KPAR divides the ranks and leaves few groups idle; NCORE is the first divisor of a group's ranks from their
        root on, as VASP's manual advises.
    """
    groups = 1
    for count in (d for d in range(2, min(ranks, points) + 1) if ranks % d == 0):
        if _busy(points, count) > _busy(points, groups) - _WASTE:
            groups = count
    each = ranks // groups
    if one_band_a_rank:
        return 1, groups
    return next(d for d in range(1, each + 1) if each % d == 0 and d * d >= each), groups


def _busy(points: int, groups: int) -> float:
    """Share of the time in which a group of ranks has a k point to compute."""
    return points / (groups * math.ceil(points / groups))


def parallel_tags(
    incar: Mapping[str, Any], structure: Structure, mesh: Sequence[int], ranks: int | None
) -> dict[str, int]:
    """NCORE and KPAR where the user has left them open and the ranks are known.

    Parameters
    ----------
    incar
        Tags of the job.
    structure
        Its cell with start moments.
    mesh
        Divisions, shape (3,).
    ranks
        Of the job; the images of a band share them.
    """
    images = int(incar.get("IMAGES") or 1)
    if not ranks or ranks % images:
        return {}
    single = any(incar.get(tag) for tag in _ONE_BAND_A_RANK) or int(incar.get("IBRION") or -1) in _LINEAR_RESPONSE
    threads = os.environ.get("OMP_NUM_THREADS", "1")
    single = single or (threads.isdigit() and int(threads) > 1)
    ncore, kpar = shared(ranks // images, kpoints(structure, mesh, int(incar.get("ISYM", 2))), one_band_a_rank=single)
    out = {"NCORE": ncore, "KPAR": kpar}
    if any(incar.get(tag) is not None for tag in ("NCORE", "NPAR")):
        del out["NCORE"]
    if incar.get("KPAR") is not None:
        del out["KPAR"]
    return out


def ready(maker: Any, planned: Any, structure: Structure) -> Any:
    """A Maker with its inputs, on the build and with the sharing that suit its job here.

    Parameters
    ----------
    maker
        One of this package's; unchanged.
    planned
        Its inputs.
    structure
        Cell with collinear start moments, in VASP's order.
    """
    incar, mesh = planned.user_incar_settings, [int(n) for n in planned.user_kpoints_settings.kpts[0]]
    run = dict(maker.run_vasp_kwargs)
    gamma = run.pop("vasp_gamma_cmd", None)
    if gamma is not None and gamma_suffices(incar, mesh):
        run["vasp_cmd"] = gamma
    tags = parallel_tags(incar, structure, mesh, ranks_of_command(str(run.get("vasp_cmd", ""))))
    inputs = replace(planned, user_incar_settings={**incar, **tags})
    return replace(maker, input_set_generator=inputs, run_vasp_kwargs=run)
