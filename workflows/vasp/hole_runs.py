"""Three finished collinear runs with the t2g holes in three orbitals, read back as the crystal field of the holes.

The inputs ``hole_1`` to ``hole_3`` start them with occupation-matrix control; what counts is the second run of each,
without it, whose OUTCAR holds the matrices that were found (LDAUPRINT of 1 or 2).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...analysis.magnetism.orbital_states import OrbitalState, orbital_state
from ..ase.atoms import to_atoms
from ..evaluation.guards import open_t2g_shells
from ..evaluation.hole_fields import FoundHole, hole_field
from ..evaluation.t2g_orbitals import OPEN_SHELLS, HoleNotFoundError, hole_in, octahedron_axes
from .order import block_order
from .outcar import run_text
from .own_runs import final_energy_eV, run_in

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ...analysis.results.document import Provenance

FloatArray = NDArray[np.float64]
_STATES = 3
_D_SHELL = 2
_ATOM = re.compile(r"atom\s*=\s*(\d+)\s+type\s*=\s*\d+\s+l\s*=\s*(\d+)\s+onsite density matrix")
_SPIN = re.compile(r"spin component\s+\d+\s*\n")
_END = "occupancies and eigenvectors"
_NUMBER = re.compile(r"-?\d+\.\d{4}")
# Of partial waves inside a sphere, a little above 1 or below 0; beyond this the cycle ended in nonsense.
_SMALLEST_OCCUPATION, _LARGEST_OCCUPATION = -0.1, 1.2


def last_occupations(text: str) -> dict[int, FloatArray]:
    """Occupation matrices of d shells that an OUTCAR prints last.

    Parameters
    ----------
    text
        Of the OUTCAR.

    Returns
    -------
    dict
        By the number of the ion, from 0 in VASP's order: spin up and down between xy, yz, z2, xz, x2-y2, shape
        (2, 5, 5). Ions whose last print has not two spins of real numbers are left out: no earlier iteration stands
        in for it, and no run with spinors, of which each has four.
    """
    out: dict[int, FloatArray] = {}
    marks = list(_ATOM.finditer(text))
    for k, mark in enumerate(marks):
        if int(mark[2]) != _D_SHELL:
            continue
        stop = marks[k + 1].start() if k + 1 < len(marks) else len(text)
        block = text[mark.end() : stop].split(_END, 1)[0]
        spins = [_matrix(part) for part in _SPIN.split(block)[1:]]
        whole = [m for m in spins if m is not None]
        ion = int(mark[1]) - 1
        out.pop(ion, None)
        if len(whole) == len(spins) == 2:
            out[ion] = np.array(whole)
    return out


def _matrix(text: str) -> FloatArray | None:
    lines = text.strip().splitlines()[:5]
    # Four decimals each: two numbers of two digits before the point run together.
    rows = [_NUMBER.findall(line) for line in lines]
    if any(_NUMBER.sub("", line).strip() for line in lines) or [len(row) for row in rows] != [5] * 5:
        return None
    return np.array(rows, dtype=float)


def orbital_state_of_runs(
    folders: Sequence[str | Path],
    structure: Structure,
    *,
    spin_orbit_meV: float,
    spin_orbit_source: str,
    state: str = "pristine",
    temperature_K: float = 300.0,
    provenance: Provenance,
) -> OrbitalState:
    """Crystal field of the holes of a cell from three finished runs, and the anisotropy that follows.

    Parameters
    ----------
    folders
        Of the three runs without occupation-matrix control.
    structure
        The cell as its inputs were written from, with the site properties ``valence`` and ``magmom``.
    spin_orbit_meV, spin_orbit_source
        lambda = zeta/2 of the shell, which a collinear run does not give, and where it comes from.
    state, temperature_K, provenance
        As in `OrbitalState`.

    Raises
    ------
    ValueError
        If there are not three runs, or the cell has no ion with an open t2g shell.
    HoleNotFoundError
        If a run still holds its matrices, prints none, or an ion has no t2g hole.
    """
    shells = open_t2g_shells(structure)
    if len(folders) != _STATES:
        raise ValueError(f"a crystal field of holes takes {_STATES} runs, not {len(folders)}")
    if not shells:
        raise ValueError("no ion of this cell has an open t2g shell")
    states = [_holes_of_run(Path(folder), structure, shells) for folder in folders]
    atoms = to_atoms(structure)
    fields = [
        hole_field(
            atoms,
            ion,
            [holes[ion] for holes in states],
            provenance,
            spin_orbit_meV=spin_orbit_meV,
            spin_orbit_source=spin_orbit_source,
            moved=len(shells),
        )
        for ion in shells
    ]
    electrons = sorted(set(shells.values()))
    return orbital_state(fields, structure, state=state, temperature_K=temperature_K, whole=True, electrons=electrons)


def _holes_of_run(folder: Path, structure: Structure, shells: dict[int, int]) -> dict[int, FoundHole]:
    run = run_in(folder)
    if run.incar.get("OCCEXT"):
        raise HoleNotFoundError(
            f"{folder.name} still holds its occupation matrices (OCCEXT): its energy is none; run it again without"
        )
    if run.site_moments_muB is None:
        raise HoleNotFoundError(f"{folder.name} has no site moments: LORBIT was not set")
    matrices = last_occupations(run_text(folder, "OUTCAR"))
    place = {site: n for n, site in enumerate(block_order(structure))}
    atoms, moments = to_atoms(structure), np.asarray(run.site_moments_muB, dtype=float)
    out = {}
    for site, electrons in shells.items():
        if place[site] not in matrices:
            raise HoleNotFoundError(
                f"{folder.name} prints no occupations of ion {place[site] + 1} for two spins: set LDAUPRINT = 1, "
                "with ISPIN = 2 and without spinors"
            )
        ends = np.linalg.eigvalsh(matrices[place[site]])[:, [0, -1]]
        if ends.min() < _SMALLEST_OCCUPATION or ends.max() > _LARGEST_OCCUPATION:
            raise HoleNotFoundError(
                f"{folder.name} has occupations from {ends.min():.2f} to {ends.max():.2f} in ion {place[site] + 1}; "
                f"physical ones lie within {_SMALLEST_OCCUPATION:g} to {_LARGEST_OCCUPATION:g}: start the run again"
            )
        shell = OPEN_SHELLS[electrons]
        up = moments[place[site]] > 0
        occupied = matrices[place[site]][int(up == (shell.spin == "minority"))]
        empty = occupied if shell.particle == "hole" else np.eye(5) - occupied
        hole, filled, weight = hole_in(empty, octahedron_axes(atoms, site))
        out[site] = FoundHole(hole, filled, weight, final_energy_eV(run), moments, 0)
    return out
