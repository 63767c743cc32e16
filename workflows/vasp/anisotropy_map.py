"""From the energies of single directions to a map, and the guards that only all directions together can hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jobflow import job
from numpy.typing import NDArray

from ...analysis.magnetism.anisotropy import AnisotropyMap
from ...analysis.magnetism.directions import antipodes
from ...analysis.magnetism.map_errors import STARTS, ErrorPart
from ...analysis.results.checks import Check, held, invalid_because
from ...analysis.results.document import Provenance
from ...structures.spins import reduced_formula_units
from ..evaluation.guards import guard, odd_part_is_noise, orbital_moment_of_open_shells
from . import guards

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from .settings import SpinOrbitSettings
    from .spin_orbit import DirectionEnergy

ORBITAL_LIMIT_muB = 0.05
STARTS_LIMIT_meV = 0.05


@job(name="collect directions")
def collect_directions(
    found: list[DirectionEnergy],
    structure: Structure,
    density_checks: list[Check],
    *,
    state: str,
    how: SpinOrbitSettings,
    provenance: Provenance,
    second: DirectionEnergy | None = None,
    ediff_eV: float | None = None,
) -> AnisotropyMap:
    """The map of a state: of each direction the lowest valid start, judged as a whole."""
    return map_of_directions(
        found,
        structure,
        density_checks,
        state=state,
        how=how,
        provenance=provenance,
        second=second,
        ediff_eV=ediff_eV,
    )


def map_of_directions(
    found: Sequence[DirectionEnergy],
    structure: Structure,
    density_checks: Sequence[Check],
    *,
    state: str,
    how: SpinOrbitSettings,
    provenance: Provenance,
    second: DirectionEnergy | None = None,
    ediff_eV: float | None = None,
) -> AnisotropyMap:
    """See `collect_directions`; `second` is one direction in the other frame, which is compared and not taken."""
    groups: dict[tuple[float, ...], list[DirectionEnergy]] = {}
    for one in found:
        groups.setdefault(tuple(one.direction), []).append(one)
    lowest = [_lowest(group) for group in groups.values()]
    energies = 1000.0 * np.array([one.energy_eV for one in lowest])
    directions = [one.direction for one in lowest]
    orbital = _orbital_table(lowest)
    checks = [
        *(_labelled(c, "collinear density") for c in density_checks),
        *_worst(lowest),
        guards.one_kpoint_set([(one.kpoints, tuple(one.kpoint_mesh)) for one in lowest]),
        odd_part_is_noise(directions, energies, how.odd_limit_meV),
        *_orbital_checks(directions, orbital),
        *orbital_moment_of_open_shells(structure, orbital),
        *_starts_check(list(groups.values())),
        *_frames_check(second, lowest),
    ]
    return AnisotropyMap(
        state=state,
        directions=directions,
        energies_meV=[float(e) for e in energies - energies.min()],
        cell_volume_A3=float(structure.volume),
        formula_units=reduced_formula_units(structure),
        ions="all electrons",
        method=how.method,
        orbital_moments_muB=None if orbital is None else orbital.tolist(),
        error_parts=_errors(list(groups.values()), second, lowest, ediff_eV),
        checks=checks,
        provenance=provenance.model_copy(
            update={"settings": {**provenance.settings, "spin_orbit": how.method, "starts": list(how.starts)}}
        ),
    )


def _lowest(group: list[DirectionEnergy]) -> DirectionEnergy:
    """The lowest start that passed its guards, or the lowest of all if none did."""
    valid = [one for one in group if not invalid_because(one.checks)]
    return min(valid or group, key=lambda one: one.energy_eV)


def _labelled(check: Check, where: str) -> Check:
    return check.model_copy(update={"name": f"{check.name} ({where})"})


def _worst(directions: Sequence[DirectionEnergy]) -> list[Check]:
    """Per name one check: the first that failed over all directions, else the first."""
    out: dict[str, Check] = {}
    for one in directions:
        for check in one.checks:
            known = out.get(check.name)
            if known is None or (known.passed is not False and check.passed is False):
                note = f"direction {np.round(one.direction, 3).tolist()}: {check.note}" if check.note else ""
                out[check.name] = check.model_copy(update={"note": note})
    return list(out.values())


def _orbital_table(directions: Sequence[DirectionEnergy]) -> NDArray[np.float64] | None:
    rows = [one.orbital_muB for one in directions]
    if any(row is None for row in rows):
        return None
    return np.array(rows, dtype=float)


def _orbital_checks(directions: Sequence[Sequence[float]], orbital: NDArray[np.float64] | None) -> list[Check]:
    if orbital is None:
        return [Check(name="orbital moments compared", passed=None, note="the output holds no orbital moments")]
    opposite = antipodes(directions)
    jump = float(np.max(np.abs(orbital - orbital[opposite])))
    note = f"a site's orbital moment differs by {jump:.2f} muB between n and -n: two orbital states"
    vectors = np.asarray(directions, dtype=float)
    overlap = np.abs(vectors @ vectors.T)
    np.fill_diagonal(overlap, -1.0)
    overlap[np.arange(len(opposite)), opposite] = -1.0
    nearest = np.argmax(overlap, axis=1)
    step = float(np.max(np.abs(orbital - orbital[nearest])))
    return [
        guard("orbital moments equal at n and -n", jump <= ORBITAL_LIMIT_muB, note, jump, ORBITAL_LIMIT_muB, "muB"),
        held(
            "orbital moments continuous between neighbouring directions",
            step,
            0.3,
            unit="muB",
            invalidates=False,
            note="a jump is a change of the orbital state: try more starts or occupation matrices"
            if step > 0.3
            else "",
        ),
    ]


def _starts_check(groups: Sequence[Sequence[DirectionEnergy]]) -> list[Check]:
    """How far the starts of one direction end apart; only a statement, because the lowest is kept."""
    spreads = [1000.0 * float(np.ptp([one.energy_eV for one in group])) for group in groups if len(group) > 1]
    if not spreads:
        return [Check(name="several electronic starts", passed=None, note="one start for each direction")]
    worst = max(spreads)
    note = "the starts end in different states; the lowest is kept" if worst > STARTS_LIMIT_meV else ""
    return [held("several electronic starts", worst, STARTS_LIMIT_meV, unit="meV", note=note, invalidates=False)]


def _frames_meV(second: DirectionEnergy | None, directions: Sequence[DirectionEnergy]) -> float | None:
    """By how much a direction differs between SAXIS along it and moments turned along it; None if it is not known."""
    if second is None or invalid_because(second.checks):
        return None
    same = next((one for one in directions if one.direction == second.direction), None)
    return None if same is None else abs(1000.0 * (second.energy_eV - same.energy_eV))


def _frames_check(second: DirectionEnergy | None, directions: Sequence[DirectionEnergy]) -> list[Check]:
    if second is None:
        return []
    name, apart = "one direction with SAXIS and with turned moments", _frames_meV(second, directions)
    if apart is None:
        return [Check(name=name, passed=None, note="the second run failed a guard", invalidates=False)]
    note = "two electronic states, or another U term by frame: give starts ('density', 'atoms')"
    return [
        held(name, apart, STARTS_LIMIT_meV, unit="meV", invalidates=False).model_copy(
            update={"note": note if apart > STARTS_LIMIT_meV else ""}
        )
    ]


def _errors(
    groups: Sequence[Sequence[DirectionEnergy]],
    second: DirectionEnergy | None,
    directions: Sequence[DirectionEnergy],
    ediff_eV: float | None,
) -> list[ErrorPart]:
    """What the runs themselves say of the error of a difference between two directions."""
    error_parts = []
    if ediff_eV is not None:
        error_parts.append(ErrorPart(source="EDIFF", value_meV=2000.0 * ediff_eV, note="of both energies"))
    spreads = [1000.0 * float(np.ptp([one.energy_eV for one in group])) for group in groups if len(group) > 1]
    apart = _frames_meV(second, directions)
    if spreads:
        # The lowest is kept; the spread says how far apart states may lie that were not found.
        error_parts.append(
            ErrorPart(source=STARTS, value_meV=max(spreads), note="density against turned atoms, largest")
        )
    elif apart is not None:
        error_parts.append(
            ErrorPart(source=STARTS, value_meV=apart, note="density against turned atoms, one direction")
        )
    return error_parts
