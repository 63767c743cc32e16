"""Total energies of ions with their t2g hole (or electron) in three real orbitals, by occupation control.

Without spin-orbit coupling a temporary term lifts the wanted orbital of the open half of the shell and lowers the other
two (the other way round for an electron) for a few iterations; it is then taken away and the cycle converged without
it, so that the energy is that of the plain functional in the state that was found. No energy of a biased cycle is used.
Constrained starts of DFT+U: B. Meredig et al., 10.1103/PhysRevB.82.195128.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jobflow import job
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import Structure

from ...analysis.magnetism.hole_field import HoleField
from ...analysis.magnetism.orbital_states import OrbitalState, orbital_state
from ..ase.atoms import to_atoms
from ..evaluation.guards import open_t2g_shells
from ..evaluation.hole_fields import FoundHole, hole_field
from ..evaluation.t2g_orbitals import (
    OPEN_SHELLS,
    HoleNotFoundError,
    OpenShell,
    bias_matrix_eV,
    hole_in,
    octahedron_axes,
)
from .settings import GpawSettings, start_moments

if TYPE_CHECKING:
    from ase import Atoms

    from ...analysis.results.document import Provenance
    from ..ase.jobs import AseEngine

FloatArray = NDArray[np.float64]
BIASED_ITERATIONS = 8
_SPIN_ORBIT_SOURCE = "bound d partial wave of the ion's PAW data set in the potential of the last cycle"
_D7 = OPEN_SHELLS[7]


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
    shells
        What is open in each ion; one hole of the minority half, as in high-spin d7, where nothing is said.
    """

    def __init__(
        self,
        atoms: Atoms,
        settings: GpawSettings,
        log: Path | None = None,
        shells: Mapping[int, OpenShell] | None = None,
    ) -> None:
        self.atoms = atoms.copy()
        moments = start_moments(atoms.get_chemical_symbols(), atoms.get_initial_magnetic_moments(), settings.charge)
        self.atoms.set_initial_magnetic_moments(moments)
        self.moments = moments
        self.settings = settings
        self.log = log
        self.shells = dict(shells or {})
        self.spin_orbit_meV: dict[int, float] = {}

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
        terms = {ion: self._shell(ion).sign * bias_matrix_eV(h, axes[ion]) for ion, h in wanted.items()}
        spin = {ion: self._spin(ion) for ion in holes}
        bias = _bias_extension(terms, spin)
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
            occupation = _occupations(dft, ion)[spin[ion]]
            empty = occupation if self._shell(ion).particle == "hole" else np.eye(5) - occupation
            hole, filled, weight = hole_in(empty, axes[ion])
            out[ion] = FoundHole(hole, filled, weight, energy, moments, int(dft.scf_loop.niter))
        self.spin_orbit_meV = {ion: _spin_orbit_meV(dft, ion) for ion in holes}
        return out

    def _shell(self, ion: int) -> OpenShell:
        return self.shells.get(ion, _D7)

    def _spin(self, ion: int) -> int:
        """Index of the spin whose half of the shell is open."""
        up = self.moments[ion] > 0
        return int(up == (self._shell(ion).spin == "minority"))


def _occupations(dft: Any, ion: int) -> FloatArray:
    """Occupation matrices of the d shell, spin up and down, shape (2, 5, 5)."""
    from gpaw.hubbard import aoom

    setup = dft.setups[ion]
    matrices = [
        aoom(np.asarray(D_ii).real, 2, setup.l_j, setup.n_j, setup.N0_q, True)[0] for D_ii in dft.density.D_asii[ion]
    ]
    return np.array(matrices)


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


def three_holes(search: HoleSearch, ions: Sequence[int], provenance: Provenance) -> list[HoleField]:
    """Crystal field of holes that move together: as they come by themselves, in natural orbitals, in the third.

    A start between two states falls back to the lower one; natural orbitals have the symmetry of the site. Energies are
    those of the cell divided by the ions: neighbouring holes feel each other, so that one ion moved alone in the field
    of others at rest has another splitting.

    Parameters
    ----------
    search
        Of the cell.
    ions
        Sites in octahedra with one t2g hole or electron each.
    provenance
        Of the engine.

    Raises
    ------
    HoleNotFoundError
        See `HoleSearch.run`.
    """
    first = search.run({ion: np.zeros(3) for ion in ions})
    second = search.run({ion: first[ion].filled for ion in ions})
    third = search.run({ion: np.cross(first[ion].hole, second[ion].hole) for ion in ions})
    states = (first, second, third)
    return [
        hole_field(
            search.atoms,
            ion,
            [state[ion] for state in states],
            provenance,
            spin_orbit_meV=search.spin_orbit_meV[ion],
            spin_orbit_source=_SPIN_ORBIT_SOURCE,
            moved=len(ions),
        )
        for ion in ions
    ]


@job(name="orbital state")
def orbital_state_of(
    engine: AseEngine,
    structure: Structure,
    *,
    settings: GpawSettings,
    state: str,
    ions: Sequence[int] | None = None,
    temperature_K: float,
    scratch: str | None = None,
) -> OrbitalState | None:
    """Crystal field of the holes of a cell and the anisotropy that spin-orbit coupling makes of it.

    Parameters
    ----------
    engine
        Signs the result.
    settings
        Of the cycles.
    structure, state
        What it is; valences and moments are site properties.
    ions
        Which ions' holes are moved together; all with an open t2g shell by default. Ions without one are left out.
    temperature_K
        Of the constants beside those at 0 K.
    scratch
        Folder for GPAW's log.

    Returns
    -------
    OrbitalState or None
        None if none of the ions has an open t2g shell.
    """
    shells = open_t2g_shells(structure)
    chosen = [i for i in (shells if ions is None else ions) if i in shells]
    if not chosen:
        return None
    atoms = to_atoms(structure)
    atoms.set_initial_magnetic_moments(atoms.arrays["magmom"])
    log = None
    if scratch is not None:
        folder = Path(scratch).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / "holes.txt"
    search = HoleSearch(atoms, settings, log, {i: OPEN_SHELLS[d] for i, d in shells.items()})
    with engine.quiet():
        fields = three_holes(search, chosen, engine.provenance([f"holes of {len(chosen)} ions moved together"]))
    return orbital_state(
        fields,
        structure,
        state=state,
        temperature_K=temperature_K,
        whole=len(chosen) == len(shells),
        electrons=sorted({shells[i] for i in chosen}),
    )
