"""Spin-orbit runs of one cell that differ in the direction of their moments: energies by direction, and a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...analysis.magnetism.anisotropy import AnisotropyMap
from ...analysis.magnetism.map_errors import ErrorPart
from ...analysis.results.checks import Check
from ...analysis.study.imported import ImportedDirection, ImportedDirections
from ..evaluation.guards import odd_part_is_noise, orbital_moment_of_open_shells
from ..vasp.finished.band import same_structure
from ..vasp.finished.document import VaspRun
from ..vasp.finished.spin_frame import axis_frame
from .consistency import on_fixed_density, unlike_cells
from .documents import provenance_of
from .host import formal_valences
from .run_folder import RunFolder

if TYPE_CHECKING:
    from pymatgen.core import Structure

# Spins that end further from the direction they were started along belong to another one.
LARGEST_TURN_degrees = 5.0
# A site's moment that differs by more between two directions is another electronic state.
SAME_MOMENT_muB = 0.1
# Two directions closer than this are one.
_ONE_DIRECTION = 1e-4
_SMALLEST_MOMENT_muB = 0.05
REVERSED = "-n was not computed: it is taken equal to n, as time reversal asks; an odd part could not be seen"


@dataclass(frozen=True)
class _Aligned:
    """A run with the unit vector of its moments."""

    folder: RunFolder
    direction: NDArray[np.float64]


def directions_of(
    runs: Sequence[RunFolder], formula_units: float, hubbard_U_eV: Mapping[str, float]
) -> tuple[ImportedDirections | None, AnisotropyMap | None, str]:
    """Energies by direction, a map where there are directions enough, and why there is none.

    Parameters
    ----------
    runs
        Spin-orbit runs of the host; their reasons and roles are set.
    formula_units
        In the cell.
    hubbard_U_eV
        Of the set.
    """
    aligned = []
    for run_folder in runs:
        run_folder.refused = []
        run_folder.what = (
            f"{run_folder.structure.composition.reduced_formula}, spin-orbit, {len(run_folder.structure)} atoms"
        )
        if not run_folder.done.usable:
            continue
        try:
            direction = spin_direction(run_folder.done)
        except ValueError as error:
            run_folder.refused.append(str(error))
            continue
        run_folder.what += f", moments along {_text(direction)}"
        aligned.append(_Aligned(run_folder, direction))
    one_set = _one_set(aligned)
    if len(one_set) < 2:
        for one in one_set:
            one.folder.refused.append("no other direction to compare with: one energy says nothing of the anisotropy")
        return None, None, "fewer than two directions of one cell may be compared"
    low = min(one.folder.energy_eV for one in one_set)
    run = one_set[0].folder.done
    table = ImportedDirections(
        atoms=len(one_set[0].folder.structure),
        ediff_eV=_ediff(run),
        directions=[
            ImportedDirection(
                folder=one.folder.place.name,
                direction=[float(x) for x in one.direction],
                energy_meV=1000.0 * (one.folder.energy_eV - low),
            )
            for one in one_set
        ],
        provenance=provenance_of(one_set[0].folder, hubbard_U_eV),
    )
    map_ = _map(one_set, formula_units, hubbard_U_eV)
    try:
        map_.fit()
    except ValueError:
        return (
            table,
            None,
            f"{len(one_set)} directions do not determine E(n), not even its quadratic part; they are listed",
        )
    return table, map_, ""


def spin_direction(run: VaspRun) -> NDArray[np.float64]:
    """Unit vector along which a spin-orbit run was started, if its moments are still there.

    The first site with a moment gives the sense; sites of an antiferromagnet may point against it.

    Parameters
    ----------
    run
        Non-collinear; SAXIS and MAGMOM say where the moments started, the site table where they are.

    Raises
    ------
    ValueError
        If no output holds site moments, there are none, they are not along one axis, or they turned.
    """
    if run.site_moment_vectors_muB is None:
        raise ValueError("no site moments in its outputs (OUTCAR with LORBIT): nothing says where its spins point")
    moments = np.array(run.site_moment_vectors_muB, dtype=float)
    if np.linalg.norm(moments, axis=1).max() < _SMALLEST_MOMENT_muB:
        raise ValueError("it has no moments")
    asked = _asked(run)
    along = moments @ asked
    staggered = (np.sign(along)[:, None] * moments).sum(axis=0)
    turned = float(np.degrees(np.arccos(np.clip(staggered @ asked / np.linalg.norm(staggered), -1.0, 1.0))))
    aside = np.linalg.norm(moments - along[:, None] * asked, axis=1).max()
    largest = np.linalg.norm(moments, axis=1).max()
    if turned > LARGEST_TURN_degrees:
        raise ValueError(f"its spins turned {turned:.0f} degrees away from {_text(asked)}: no energy of that direction")
    if aside > np.sin(np.radians(4 * LARGEST_TURN_degrees)) * largest:
        raise ValueError("its moments are not along one axis: a non-collinear state has no one direction")
    return asked


def _asked(run: VaspRun) -> NDArray[np.float64]:
    """Where the moments were started: MAGMOM in the frame of SAXIS, or SAXIS itself."""
    frame = axis_frame(run.saxis)
    start = None if run.start_moments_muB is None else np.array(run.start_moments_muB, dtype=float)
    if start is None or start.ndim != 2 or not start.any():
        return np.asarray(frame[:, 2], dtype=float)
    first = start[int(np.flatnonzero(np.linalg.norm(start, axis=1) > _SMALLEST_MOMENT_muB)[0])]
    vector = frame @ first
    return np.asarray(vector / np.linalg.norm(vector), dtype=float)


def _one_set(aligned: Sequence[_Aligned]) -> list[_Aligned]:
    """The largest set of runs that differ in direction alone; the others say in what else."""
    if not aligned:
        return []
    sets = [[other for other in aligned if not _apart(one, other)] for one in aligned]
    one_set = max(sets, key=len)
    first = aligned[sets.index(one_set)]
    for other in aligned:
        other.folder.refused += _apart(first, other)
    out: list[_Aligned] = []
    for one in sorted(one_set, key=lambda a: a.folder.energy_eV):
        same = next((o for o in out if np.linalg.norm(o.direction - one.direction) < _ONE_DIRECTION), None)
        if same is None:
            out.append(one)
        else:
            above = 1000.0 * (one.folder.energy_eV - same.folder.energy_eV)
            one.folder.refused.append(f"the same direction as {same.folder.place.name}, {above:.3g} meV above it")
    return out


def _apart(one: _Aligned, other: _Aligned) -> list[str]:
    """In what else than direction two runs differ."""
    if one is other:
        return []
    name, first, second = one.folder.place.name, one.folder.done, other.folder.done
    if not same_structure(one.folder.structure, other.folder.structure):
        return [f"another cell than {name}"]
    out = [f"{d.text} as in {name}" for d in unlike_cells(first, second)]
    if first.kpoints != second.kpoints:
        out.append(f"{second.kpoints} k points, not {first.kpoints} as in {name}: symmetry was not switched off alike")
    if _ediff(first) is None or _ediff(second) is None:
        out.append("EDIFF is not known: energies that differ by less than 1 meV need it")
    elif _ediff(first) != _ediff(second):
        out.append(f"EDIFF = {_ediff(second):g}, not {_ediff(first):g} as in {name}")
    fixed = [on_fixed_density(run) for run in (first, second)]
    if fixed[0] != fixed[1]:
        out.append(f"{'on a fixed density' if fixed[1] else 'self-consistent'}, and {name} is not")
    sizes = [np.linalg.norm(np.array(run.site_moment_vectors_muB, dtype=float), axis=1) for run in (first, second)]
    if (worst := float(np.abs(sizes[0] - sizes[1]).max())) > SAME_MOMENT_muB:
        out.append(f"a site's moment differs by {worst:.2f} muB from {name}: another electronic state")
    return out


def _ediff(run: VaspRun) -> float | None:
    value = run.parameters.get("EDIFF", run.incar.get("EDIFF"))
    return None if value is None else float(value)


def _map(one_set: Sequence[_Aligned], formula_units: float, hubbard_U_eV: Mapping[str, float]) -> AnisotropyMap:
    """E(n) with every -n: computed where there is a run of it, else equal to n."""
    directions = [one.direction for one in one_set]
    energies = [1000.0 * one.folder.energy_eV for one in one_set]
    own = list(zip(directions, energies, strict=True))
    lone = [(n, e) for n, e in own if not any(np.linalg.norm(n + other) < _ONE_DIRECTION for other in directions)]
    vectors = np.array([*directions, *(-n for n, _ in lone)])
    values = np.array([*energies, *(e for _, e in lone)])
    checks = [
        Check(name="odd part within the noise", passed=None, note=REVERSED)
        if len(lone) == len(own)
        else odd_part_is_noise(vectors.tolist(), values, None)
    ]
    run, ediff = one_set[0].folder, _ediff(one_set[0].folder.done)
    checks += orbital_moment_of_open_shells(_with_valences(run.structure), _orbital_muB(one_set))
    return AnisotropyMap(
        state="pristine",
        directions=vectors.tolist(),
        energies_meV=[float(e) for e in values - values.min()],
        cell_volume_A3=float(run.structure.volume),
        formula_units=formula_units,
        ions="all electrons",
        method=f"imported runs, {len(own)} directions",
        error_parts=[]
        if ediff is None
        else [ErrorPart(source="EDIFF", value_meV=2000.0 * ediff, note="both energies")],
        checks=checks,
        provenance=provenance_of(run, hubbard_U_eV),
    )


def _with_valences(structure: Structure) -> Structure:
    """With formal valences of its elements, by which open shells are known."""
    by_element = formal_valences(structure.composition)
    out = structure.copy()
    out.add_site_property("valence", [by_element.get(s.specie.symbol, 0.0) for s in structure])
    return out


def _orbital_muB(one_set: Sequence[_Aligned]) -> NDArray[np.float64] | None:
    """Orbital moment of each site along the direction of each run; None if a run has none."""
    rows = []
    for one in one_set:
        moments = one.folder.done.orbital_moments_muB
        if moments is None:
            return None
        rows.append(np.asarray(moments, dtype=float) @ one.direction)
    return np.array(rows)


def _text(direction: NDArray[np.float64]) -> str:
    return "[" + " ".join(f"{x + 0.0:.3g}" for x in np.round(direction, 3)) + "]"
