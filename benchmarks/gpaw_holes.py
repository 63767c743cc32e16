"""Total energies of an ion with its t2g hole in three real orbitals, by occupation control without spin-orbit.

A temporary term lifts the wanted orbital of the minority shell and lowers the other two for a few iterations; it is
then taken away and the cycle converged without it, so that the energy is that of the plain functional in the state that
was found. No energy of a biased cycle is used. Constrained starts of DFT+U: B. Meredig et al.,
10.1103/PhysRevB.82.195128.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from magnetoionics.analysis.magnetism.hole_field import HoleField, largest_overlap
from magnetoionics.analysis.results.calculation import Check
from magnetoionics.workflows.gpaw.settings import GpawSettings, start_moments
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from ase import Atoms
    from magnetoionics.analysis.results.document import Provenance

FloatArray = NDArray[np.float64]
_RAISED_eV, _LOWERED_eV = 3.0, -1.0
BIASED_ITERATIONS = 8
# A hole's weight in t2g; below it the shell is another.
LEAST_T2G_WEIGHT = 0.7
# An orbital of the minority shell that is fuller than this holds no hole.
LARGEST_OCCUPATION = 0.6
_OCTAHEDRON = 6
# Orbitals xy, yz, z2, xz, x2-y2, GPAW's order, as symmetric matrices T with d(r) ~ r.T r / r^2.
_H, _S = np.sqrt(0.5), np.sqrt(1.0 / 6.0)
_D_MATRICES: FloatArray = np.array(
    [
        [[0, _H, 0], [_H, 0, 0], [0, 0, 0]],
        [[0, 0, 0], [0, 0, _H], [0, _H, 0]],
        [[-_S, 0, 0], [0, -_S, 0], [0, 0, 2 * _S]],
        [[0, 0, _H], [0, 0, 0], [_H, 0, 0]],
        [[_H, 0, 0], [0, -_H, 0], [0, 0, 0]],
    ]
)
_YZ_XZ_XY = (1, 3, 0)


class HoleNotFoundError(RuntimeError):
    """A cycle did not converge, or ended in a shell that has no t2g hole."""


@dataclass(frozen=True)
class FoundHole:
    """What a cycle ended in.

    Attributes
    ----------
    hole, filled
        The empty orbital and the fuller of the other two, in yz, xz, xy of the octahedron, of length 1.
    t2g_weight
        Of the hole, before it was projected on t2g.
    energy_eV, moments_muB
        Of the cell.
    iterations
        Of the cycle without bias.
    """

    hole: FloatArray
    filled: FloatArray
    t2g_weight: float
    energy_eV: float
    moments_muB: FloatArray
    iterations: int


def octahedron_axes(atoms: Atoms, ion: int) -> FloatArray:
    """Axes x, y, z of the octahedron of anions around an ion, rows, shape (3, 3).

    The nearest orthonormal triple to the three lines through opposite neighbours.

    Raises
    ------
    ValueError
        If the six nearest neighbours are no octahedron.
    """
    vectors = atoms.get_distances(ion, list(range(len(atoms))), mic=True, vector=True)
    images = _with_images(atoms, vectors)
    lengths = np.linalg.norm(images, axis=1)
    around = images[np.argsort(lengths)[:_OCTAHEDRON]]
    units = around / np.linalg.norm(around, axis=1, keepdims=True)
    lines: list[FloatArray] = []
    left = list(range(_OCTAHEDRON))
    while left:
        first = left.pop(0)
        cosines = units[left] @ units[first]
        opposite = left.pop(int(np.argmin(cosines)))
        if units[first] @ units[opposite] > -np.cos(np.radians(25.0)):
            raise ValueError(f"the six nearest neighbours of ion {ion} are no octahedron")
        lines.append(units[first] - units[opposite])
    rows = np.array(lines) / np.linalg.norm(lines, axis=1, keepdims=True)
    # Named after the Cartesian axes that they are nearest to, so that cells of one crystal agree.
    order = [int(np.argmax(np.abs(rows[:, k]))) for k in range(3)]
    if sorted(order) == [0, 1, 2]:
        rows = rows[order]
    rows = rows * np.sign(rows[np.arange(3), np.argmax(np.abs(rows), axis=1)])[:, None]
    u, _, v = np.linalg.svd(rows)
    return np.asarray(u @ v)


def _with_images(atoms: Atoms, vectors: FloatArray) -> FloatArray:
    """All neighbours within one cell in every direction: small cells hold a neighbour several times."""
    steps = np.array([(i, j, k) for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1)]) @ atoms.cell.array
    every = (vectors[:, None, :] + steps[None]).reshape(-1, 3)
    return np.asarray(every[np.linalg.norm(every, axis=1) > 0.5])


def shell_rotation(axes: ArrayLike) -> FloatArray:
    """Columns are the d orbitals of the octahedron's axes in those of the Cartesian axes, shape (5, 5)."""
    rows = np.asarray(axes, dtype=float)
    local = np.einsum("ka,qkl,lb->qab", rows, _D_MATRICES, rows)
    return np.asarray(np.einsum("pab,qab->pq", _D_MATRICES, local))


def bias_matrix_eV(hole: ArrayLike, axes: ArrayLike) -> FloatArray:
    """Term that lifts a t2g orbital and lowers the other two, between the Cartesian d orbitals, shape (5, 5).

    Parameters
    ----------
    hole
        The orbital in yz, xz, xy of the octahedron, shape (3,).
    axes
        See `octahedron_axes`.
    """
    vector = np.asarray(hole, dtype=float)
    vector = vector / np.linalg.norm(vector)
    lifted = np.outer(vector, vector)
    inside = _RAISED_eV * lifted + _LOWERED_eV * (np.eye(3) - lifted)
    local = shell_rotation(axes)[:, _YZ_XZ_XY]
    return np.asarray(local @ inside @ local.T)


def hole_in(minority: ArrayLike, axes: ArrayLike) -> tuple[FloatArray, FloatArray, float]:
    """The emptiest t2g orbital of a minority occupation matrix, and the fullest.

    Parameters
    ----------
    minority
        Occupations between the Cartesian d orbitals, shape (5, 5).
    axes
        See `octahedron_axes`.

    Returns
    -------
    tuple
        Hole and fullest orbital in yz, xz, xy of the octahedron, each of length 1, orthogonal to each other; weight of
        the hole in t2g. The fullest is a natural orbital of the site, so that it has the symmetry of one of the
        states that the hole may be moved to.

    Raises
    ------
    HoleNotFoundError
        If no orbital of the shell is an empty one of t2g.
    """
    turn = shell_rotation(axes)
    local = turn.T @ np.asarray(minority, dtype=float) @ turn
    occupations, vectors = np.linalg.eigh(local)
    inside = vectors[list(_YZ_XZ_XY)]
    weights = (inside**2).sum(axis=0)
    order = [int(k) for k in np.argsort(occupations) if weights[k] >= LEAST_T2G_WEIGHT]
    if not order or occupations[order[0]] > LARGEST_OCCUPATION:
        raise HoleNotFoundError(
            f"the minority shell holds no t2g hole: no orbital with a t2g weight of at least {LEAST_T2G_WEIGHT} and at "
            f"most {LARGEST_OCCUPATION} electrons; weights {np.round(weights, 2)}, occupations "
            f"{np.round(occupations, 2)}"
        )
    hole = inside[:, order[0]] / np.sqrt(weights[order[0]])
    across = np.eye(3) - np.outer(hole, hole)
    t2g = local[np.ix_(_YZ_XZ_XY, _YZ_XZ_XY)]
    filled = np.linalg.eigh(across @ t2g @ across)[1][:, -1]
    return hole, filled, float(weights[order[0]])


def _bias_extension(terms_eV: Mapping[int, FloatArray], minority: Mapping[int, int]) -> Any:
    """The temporary term as GPAW's extension: ``.on`` says whether it acts."""
    from ase.units import Hartree
    from gpaw.extensions import Extension
    from gpaw.hubbard import aoom

    class OrbitalBias(Extension):  # type: ignore[misc]
        name = "orbital bias"

        def __init__(self) -> None:
            self.on = True

        def todict(self) -> dict[str, Any]:
            return {}

        def update_non_local_hamiltonian(self, D_sii: Any, setup: Any, atom_index: int, dH_sii: Any) -> float:
            if not self.on or atom_index not in terms_eV:
                return 0.0
            spin = minority[atom_index]
            _, weights = aoom(np.zeros_like(D_sii[spin]), 2, setup.l_j, setup.n_j, setup.N0_q, True)
            starts = np.cumsum([0, *(2 * momentum + 1 for momentum in setup.l_j)])
            shells = [slice(starts[j], starts[j + 1]) for j, momentum in enumerate(setup.l_j) if momentum == 2]
            term = np.zeros_like(weights)
            for row in shells:
                for column in shells:
                    term[row, column] = weights[row, column] * terms_eV[atom_index] / Hartree
            dH_sii[spin] += term
            return float((D_sii[spin] * term).sum())

    return OrbitalBias()


class HoleSearch:
    """Collinear cycles of one cell, each ended in a state with given holes.

    Parameters
    ----------
    atoms
        With start moments, muB, in ``initial_magmoms``.
    settings
        Of the cycle; symmetry is off.
    log
        GPAW's text output.
    """

    def __init__(self, atoms: Atoms, settings: GpawSettings, log: Path | None = None) -> None:
        self.atoms = atoms.copy()
        moments = start_moments(atoms.get_chemical_symbols(), atoms.get_initial_magnetic_moments())
        self.atoms.set_initial_magnetic_moments(moments)
        self.moments = moments
        self.settings = settings
        self.log = log

    def run(self, holes: Mapping[int, ArrayLike]) -> dict[int, FoundHole]:
        """Holes of ions, by site, started in given orbitals (yz, xz, xy of each octahedron); others are left alone.

        Raises
        ------
        HoleNotFoundError
            If the cycle does not converge, or an ion asked for has no t2g hole.
        """
        from gpaw import KohnShamConvergenceError
        from gpaw.new.calculation import DFT

        axes = {ion: octahedron_axes(self.atoms, ion) for ion in holes}
        wanted = {ion: np.asarray(h, dtype=float) for ion, h in holes.items() if np.any(np.asarray(h))}
        terms = {ion: bias_matrix_eV(h, axes[ion]) for ion, h in wanted.items()}
        minority = {ion: 1 if self.moments[ion] > 0 else 0 for ion in holes}
        bias = _bias_extension(terms, minority)
        parameters = self.settings.parameters(self.atoms, symmetry="off")
        dft = DFT(self.atoms, **parameters, txt=self.log, extensions=[bias], converge=False)
        if terms:
            dft.converge(steps=BIASED_ITERATIONS)
            bias.on = False
            # The potential that the biased density makes by itself.
            dft.potential, dft.energies, _ = dft.pot_calc.calculate(dft.density, dft.ibzwfs, dft.potential.vHt_x)
        try:
            dft.converge()
        except KohnShamConvergenceError as error:
            raise HoleNotFoundError(f"the cycle did not converge: {error}") from error
        energy = float(dft.calculate_energy())
        moments = np.asarray(dft.magmoms()[1])[:, 2]
        out = {}
        for ion in holes:
            hole, filled, weight = hole_in(_occupations(dft, ion)[minority[ion]], axes[ion])
            out[ion] = FoundHole(hole, filled, weight, energy, moments, int(dft.scf_loop.niter))
        self.spin_orbit_meV = {ion: _spin_orbit_meV(dft, ion) for ion in holes}
        return out


def _occupations(dft: Any, ion: int) -> FloatArray:
    """Occupation matrices of the d shell, spin up and down, shape (2, 5, 5)."""
    from gpaw.hubbard import aoom

    setup = dft.setups[ion]
    found = [
        aoom(np.asarray(D_ii).real, 2, setup.l_j, setup.n_j, setup.N0_q, True)[0] for D_ii in dft.density.D_asii[ion]
    ]
    return np.array(found)


def _spin_orbit_meV(dft: Any, ion: int) -> float:
    """Lambda = zeta/2 of the bound d partial wave in the ion's own potential, meV."""
    from ase.units import Hartree
    from gpaw.spinorbit import get_L_vlmm, soc
    from gpaw.utilities import pack_density

    setup = dft.setups[ion]
    packed = np.array([pack_density(np.asarray(D_ii).real) for D_ii in dft.density.D_asii[ion]])
    coupling = soc(setup, dft.pot_calc.xc.xc, packed)[2]
    j = next(k for k, momentum in enumerate(setup.l_j) if momentum == 2)
    first = sum(2 * momentum + 1 for momentum in setup.l_j[:j])
    block = coupling[first : first + 5, first : first + 5]
    momentum_z = np.asarray(get_L_vlmm()[2][2])
    return float(1000.0 * Hartree * np.abs(np.vdot(momentum_z, block) / np.vdot(momentum_z, momentum_z)))


def three_holes(search: HoleSearch, ion: int, provenance: Provenance) -> HoleField:
    """Crystal field of one ion's hole: as it comes by itself, in a natural orbital of that density, in the third.

    A start between two states falls back to the lower one; natural orbitals have the symmetry of the site.

    Parameters
    ----------
    search
        Of the cell.
    ion
        Site in an octahedron with one t2g hole in its minority shell.
    provenance
        Of the engine.

    Raises
    ------
    HoleNotFoundError
        See `HoleSearch.run`.
    """
    first = search.run({ion: np.zeros(3)})[ion]
    second = search.run({ion: first.filled})[ion]
    third = search.run({ion: np.cross(first.hole, second.hole)})[ion]
    found = [first, second, third]
    return hole_field(search, ion, found, provenance)


def hole_field(search: HoleSearch, ion: int, found: Sequence[FoundHole], provenance: Provenance) -> HoleField:
    """The document of three states, with what could be wrong with them."""
    rows = np.array([f.hole for f in found])
    energies = 1000.0 * np.array([f.energy_eV for f in found])
    moments = np.array([f.moments_muB for f in found])
    turned = np.max(np.abs(moments - moments[0]))
    overlap = largest_overlap(rows)
    weight = min(f.t2g_weight for f in found)
    return HoleField(
        site=ion,
        element=search.atoms.get_chemical_symbols()[ion],
        axes=octahedron_axes(search.atoms, ion).tolist(),
        holes=rows.tolist(),
        energies_meV=[float(x) for x in energies - energies.min()],
        spin_orbit_meV=search.spin_orbit_meV[ion],
        spin_orbit_source="bound d partial wave of the ion's PAW data set in the potential of the last cycle",
        checks=[
            Check(
                name="three different holes",
                passed=overlap <= 0.3,
                value=overlap,
                limit=0.3,
                note="overlap of two of the orbitals found",
                invalidates=True,
            ),
            Check(
                name="holes in t2g",
                passed=weight >= LEAST_T2G_WEIGHT,
                value=weight,
                limit=LEAST_T2G_WEIGHT,
                note="least weight of a hole in t2g",
                invalidates=True,
            ),
            Check(
                name="same moments in the three states",
                passed=bool(turned <= 0.2),
                value=float(turned),
                limit=0.2,
                unit="muB",
                note="largest change of a site's moment between the states",
                invalidates=True,
            ),
        ],
        provenance=provenance,
    )
