"""Second derivatives of the energy by finite differences of forces: all atoms through phonopy, or a part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

if TYPE_CHECKING:
    from phonopy import Phonopy

FloatArray = NDArray[np.float64]
Forces = Callable[[Atoms], FloatArray]


def partial_hessian(atoms: Atoms, chosen: Sequence[int], forces: Forces, displacement_A: float = 0.01) -> FloatArray:
    """Hessian of some atoms while all others stay, by central differences.

    Parameters
    ----------
    atoms
        Stationary state.
    chosen
        Indices of the vibrating atoms, length n.
    forces
        Forces of any displaced copy, eV/Angstrom; called 6n times.
    displacement_A
        Step.

    Returns
    -------
    ndarray
        eV/Angstrom^2, shape (3n, 3n), not made symmetric.
    """
    return hessian_of([forces(moved) for moved in displaced(atoms, chosen, displacement_A)], chosen, displacement_A)


def displaced(atoms: Atoms, chosen: Sequence[int], displacement_A: float) -> Iterator[Atoms]:
    """Copies with one coordinate moved forth and back: for each chosen atom x, -x, y, -y, z, -z."""
    for atom in chosen:
        for axis in range(3):
            for sign in (1, -1):
                moved = atoms.copy()
                moved.positions[atom, axis] += sign * displacement_A
                yield moved


def hessian_of(forces: Sequence[FloatArray], chosen: Sequence[int], displacement_A: float) -> FloatArray:
    """Hessian from the forces of all atoms of the copies that `displaced` makes, in its order; as `partial_hessian`."""
    rows = np.array([f[list(chosen)].ravel() for f in forces])
    return np.asarray((rows[1::2] - rows[::2]) / (2 * displacement_A))


def full_hessian(
    atoms: Atoms, mover: int, forces: Forces, displacement_A: float = 0.01
) -> tuple[FloatArray, FloatArray]:
    """Force constants of all atoms of the cell and the frequencies at Gamma, through phonopy.

    The cell's symmetry saves force calls; ions count as equal only if element, valence and moment agree,
    and the mover is equal to none.

    Parameters
    ----------
    atoms, forces, displacement_A
        As for `partial_hessian`.
    mover
        Index of the hopping ion.

    Returns
    -------
    tuple of ndarray
        Hessian, eV/Angstrom^2, shape (3n, 3n), with the sum rule of translations imposed, and frequencies in THz,
        shape (3n,), imaginary ones negative.

    Raises
    ------
    ImportError
        If phonopy is not installed.
    """
    phonons = _phonons(atoms, mover)
    phonons.generate_displacements(distance=displacement_A, is_plusminus=True)
    sets = []
    dataset: Any = phonons.dataset
    for step in dataset["first_atoms"]:
        moved = atoms.copy()
        moved.positions[step["number"]] += step["displacement"]
        sets.append(forces(moved))
    phonons.forces = np.array(sets)
    phonons.produce_force_constants(show_drift=False)
    phonons.symmetrize_force_constants(show_drift=False)
    phonons.run_qpoints([[0.0, 0.0, 0.0]])
    modes: Any = phonons.qpoints
    n = 3 * len(atoms)
    hessian = np.asarray(phonons.force_constants).transpose(0, 2, 1, 3).reshape(n, n)
    return hessian, np.asarray(modes.frequencies[0], dtype=np.float64)


def require_phonopy() -> None:
    """Refuse early.

    Raises
    ------
    ImportError
        If phonopy is not installed.
    """
    from importlib.util import find_spec

    if find_spec("phonopy") is None:
        raise ImportError(
            "Gamma modes of a whole cell need phonopy: pip install 'magnetoionics[phonons]'; "
            "a partial Hessian (radius_A) needs nothing more"
        )


def _phonons(atoms: Atoms, mover: int) -> Phonopy:
    require_phonopy()
    from phonopy import Phonopy
    from phonopy.structure.atoms import PhonopyAtoms

    # Atomic numbers serve as colours, so that a symmetry never exchanges ions that only look alike.
    extra = [atoms.arrays.get(name, np.zeros(len(atoms))) for name in ("valence", "magmom")]
    looks = [(z, str(np.round(v, 3)), str(np.round(m, 3)), i == mover) for i, (z, v, m) in _rows(atoms, extra)]
    colours = {look: n for n, look in enumerate(sorted(set(looks)), start=1)}
    cell = PhonopyAtoms(
        numbers=[colours[look] for look in looks],
        masses=atoms.get_masses(),
        cell=atoms.cell.array,
        positions=atoms.positions,
    )
    return Phonopy(cell, supercell_matrix=np.eye(3, dtype=int), primitive_matrix="P")


def _rows(atoms: Atoms, extra: list[NDArray[np.float64]]) -> enumerate[tuple[int, Any, Any]]:
    return enumerate(zip(atoms.numbers.tolist(), *extra, strict=True))
