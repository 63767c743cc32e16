"""Binary oxides that compete with the hosts, as experimental structures with formal valences.

They carry no moments: they serve engines without spin. Lattice and internal parameters are
room-temperature diffraction values.
"""

from __future__ import annotations

from collections.abc import Callable

from pymatgen.core import Lattice, Structure

from ..elements import element
from ..space_groups import crystal
from .reference_salts import SALTS
from .spinel import parent_spinel

# What is missing for neutrality is spread over all cations, exactly as in a cell with a vacancy.


def _rocksalt(element: str, a_A: float) -> Structure:
    return crystal("Fm-3m", Lattice.cubic(a_A), [element, "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def _corundum(element: str, a_A: float, c_A: float, z: float, x: float) -> Structure:
    return crystal("R-3c", Lattice.hexagonal(a_A, c_A), [element, "O"], [[0, 0, z], [x, 0, 0.25]])


def wurtzite(element: str, a_A: float, c_A: float, u: float) -> Structure:
    """Wurtzite oxide, P6_3mc, four atoms; `u` is the height of the anion above the cation (ideal 0.375)."""
    lattice = Lattice.hexagonal(a_A, c_A)
    return crystal("P6_3mc", lattice, [element, "O"], [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, u]])


def _spinel(element: str, a_A: float, u: float) -> Structure:
    cell = parent_spinel(a_A, u)
    cell.replace_species({"He": element, "Ne": element})
    return cell


def _antifluorite(element: str, a_A: float) -> Structure:
    return crystal("Fm-3m", Lattice.cubic(a_A), [element, "O"], [[0.25] * 3, [0, 0, 0]])


_PHASES: dict[str, Callable[[], Structure]] = {
    "CoO": lambda: _rocksalt("Co", 4.260),
    "FeO": lambda: _rocksalt("Fe", 4.326),
    "NiO": lambda: _rocksalt("Ni", 4.177),
    "MnO": lambda: _rocksalt("Mn", 4.445),
    "MgO": lambda: _rocksalt("Mg", 4.212),
    "ZnO": lambda: wurtzite("Zn", 3.2495, 5.2069, 0.382),
    "Fe2O3": lambda: _corundum("Fe", 5.038, 13.772, 0.3553, 0.3059),
    "Fe3O4": lambda: _spinel("Fe", 8.394, 0.3799),
    "Co3O4": lambda: _spinel("Co", 8.084, 0.388),
    "Li2O": lambda: _antifluorite("Li", 4.619),
}


def reference_phases() -> list[str]:
    """Formulas that `reference_phase` can build."""
    return sorted([*_PHASES, *SALTS])


def reference_phase(formula: str) -> Structure:
    """Conventional cell of a competing oxide, or of what stands for it where there is no oxygen (`reference_salts`).

    Parameters
    ----------
    formula
        E.g. ``"Fe2O3"``.

    Returns
    -------
    Structure
        With site properties ``valence``, ``sublattice`` and ``magmom``, zero for oxides.

    Raises
    ------
    ValueError
        If the phase is not known.
    """
    if formula in SALTS:
        return SALTS[formula]()
    if formula not in _PHASES:
        raise ValueError(f"no structure for reference phase {formula!r}; known: {', '.join(reference_phases())}")
    cell = _PHASES[formula]()
    symbols = [s.specie.symbol for s in cell]
    bare = Structure(cell.lattice, symbols, cell.frac_coords)
    bare.add_site_property("valence", [element(s).valence for s in symbols])
    bare.add_site_property("sublattice", ["O" if s == "O" else "cation" for s in symbols])
    bare.add_site_property("magmom", [0.0] * len(symbols))
    return bare
