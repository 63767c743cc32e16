"""Several electronic starts: where the holes or electrons of a defect may sit, and which spin they leave.

DFT+U keeps the first localised solution that it meets, so a defect cell is relaxed from several starts and the
lowest is kept. The stated moments are always one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from jobflow import Flow, Response, job
from pymatgen.core import Structure

from ...analysis.results.calculation import Calculation, Check, invalid_because
from ...stored.renamed import upgraded
from ...structures.spins import total_valence

if TYPE_CHECKING:
    from .settings import VaspSettings

# Element, sign of the missing charge that it makes up for, and the size of its moment then, muB.
_STARTS: dict[str, tuple[str, int, float]] = {
    "Co3+ low spin": ("Co", -1, 0.0),
    "Co3+ high spin": ("Co", -1, 4.0),
    "Fe4+": ("Fe", -1, 4.0),
    "Fe2+": ("Fe", 1, 4.0),
}
BOND_A = 2.6


def check_starts(names: Sequence[str]) -> None:
    """Refuse unknown starts.

    Raises
    ------
    ValueError
        With the known names.
    """
    if unknown := [n for n in names if n != "nominal" and n not in _STARTS]:
        raise ValueError(f"unknown electronic starts {unknown}; known: nominal, {', '.join(_STARTS)}")


def electronic_starts(structure: Structure, names: Sequence[str]) -> dict[str, Structure]:
    """Copies of a cell with other start moments.

    Parameters
    ----------
    structure
        With the site properties ``valence`` and ``magmom``; its net valence is the charge to make up for.
    names
        Besides ``"nominal"``; one that the cell has no ions or no missing charge for is left out.

    Returns
    -------
    dict
        Structures by the name of their start, the first one as stated.
    """
    check_starts(names)
    out = {"nominal": structure}
    missing = round(total_valence(structure))
    ranked = nearest_to_defect(structure)
    for name in names:
        if name == "nominal":
            continue
        element, sign, size = _STARTS[name]
        sites = [i for i in ranked if structure[i].specie.symbol == element]
        if missing * sign <= 0 or len(sites) < abs(missing):
            continue
        magmom = [float(m) for m in structure.site_properties["magmom"]]
        for i in sites[: abs(missing)]:
            magmom[i] = size * (1.0 if magmom[i] >= 0 else -1.0)
        changed = structure.copy()
        changed.add_site_property("magmom", magmom)
        out[name] = changed
    return out


def nearest_to_defect(structure: Structure) -> list[int]:
    """Cations by how many bonds their anions miss, most first: those around a missing ion lead."""
    anion = np.array(structure.site_properties["valence"], dtype=float) < 0
    neighbours = structure.get_all_neighbors(BOND_A)
    bonds = np.array([sum(anion[n.index] != anion[i] for n in near) for i, near in enumerate(neighbours)])
    usual = {}
    for flag in (True, False):
        counts = bonds[anion == flag]
        usual[flag] = int(np.bincount(counts).argmax()) if len(counts) else 0
    lost = np.array([max(0, usual[bool(a)] - b) for a, b in zip(anion, bonds, strict=True)])
    score = [float(lost[i]) + sum(float(lost[n.index]) for n in near) for i, near in enumerate(neighbours)]
    return sorted(np.flatnonzero(~anion).tolist(), key=lambda i: (-score[i], i))


@job(name="relax from several starts")
def relax_starts(
    structure: Structure,
    *,
    maker: Any,
    settings: VaspSettings,
    names: list[str],
    name: str,
    matrices: dict[str, str] | None = None,
) -> Response[Any]:
    """One relaxation per start and the choice among them; replaced by those jobs.

    `matrices` are OCCMATRIX texts by the name of a relaxation, here ``"NAME, START"``.
    """
    from .jobs import calculation_flow

    # A job that was submitted in the words of an older version.
    given = upgraded("relax_starts", {"names": names, "matrices": matrices or {}}, 2)
    names, matrices = given["names"], given["matrices"]
    jobs = {}
    for start, cell in electronic_starts(structure, names).items():
        own = replace(maker, occupation_matrices=matrices.get(f"{name}, {start}", maker.occupation_matrices))
        jobs[start] = calculation_flow(own, cell, f"{name}, {start}", settings)
    last = keep_lowest(list(jobs), [flow.output for flow in jobs.values()], name=name)
    return Response(replace=Flow([*jobs.values(), last], output=last.output))


@job(name="keep the lowest start")
def keep_lowest(starts: list[str], found: list[Calculation], *, name: str) -> Calculation:
    """The lowest valid start, with what the others came to; the lowest of all if none is valid."""
    valid = [k for k, one in enumerate(found) if not invalid_because(one.checks)]
    best = min(valid or range(len(found)), key=lambda k: found[k].energy_eV)
    rises = {start: one.energy_eV - found[best].energy_eV for start, one in zip(starts, found, strict=True)}
    spread = max(abs(r) for r in rises.values())
    words = [f"{s} {r:+.3f} eV{'' if k in valid else ' (invalid)'}" for k, (s, r) in enumerate(rises.items())]
    check = Check(
        name="several electronic starts",
        passed=bool(valid),
        value=spread,
        unit="eV",
        note=f"kept {starts[best]}: {', '.join(words)}",
    )
    calculation = found[best]
    settings = {**calculation.provenance.settings, "electronic_start": starts[best], "electronic_starts": rises}
    return calculation.model_copy(
        update={
            "name": name,
            "force_calls": sum(one.force_calls for one in found),
            "checks": [*calculation.checks, check],
            "provenance": calculation.provenance.model_copy(update={"settings": settings}),
        }
    )
