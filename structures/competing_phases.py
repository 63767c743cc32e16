"""Structures of the phases that compete with the hosts, elements included, with magnetic start moments.

Lattice parameters are room-temperature diffraction values of the general literature; each entry says
which structure it is. Oxides carry the valences of `oxides.reference_phase`, so that engines of rigid ions
treat them as they treat a defect cell; the moments are those of the true valences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from pymatgen.core import Composition, Lattice, Structure

from .cells.binary_oxides import reference_phase
from .cells.cation_order import spinel_cell
from .elements import element
from .host import get_host
from .space_groups import crystal

# An O2 molecule needs a box in which its images do not feel each other; unequal edges lift its degeneracy.
_O2_BOX_A = (9.0, 9.5, 10.0)
_O2_BOND_A = 1.208
# Kinds of oxygen sites of the binary oxides below that have more than one.
_OXYGENS = {"La": 2}


@dataclass(frozen=True)
class CompetingPhase:
    """A phase and how it is built.

    Attributes
    ----------
    formula
        Formula unit.
    source
        Structure type and where its parameters come from.
    build
        Cell with site properties ``valence``, ``sublattice`` and ``magmom``.
    kind
        ``element``, ``oxide`` or ``peroxide``.
    """

    formula: str
    source: str
    build: Callable[[], Structure]
    kind: str = "oxide"


def competing_formulas(elements: Iterable[str]) -> list[str]:
    """Formulas of all known phases made of some elements, elements first."""
    wanted = set(elements)
    competing_phases = [p for p in _PHASES.values() if {str(e) for e in Composition(p.formula).elements} <= wanted]
    return [p.formula for p in sorted(competing_phases, key=lambda p: (p.kind != "element", p.formula))]


def competing_oxides(elements: Iterable[str]) -> list[str]:
    """Formulas of the known oxides and peroxides made of some elements: no metal and no molecule."""
    return [f for f in competing_formulas(elements) if _PHASES[f].kind != "element"]


def rival_oxides(formula: str, elements: Iterable[str]) -> list[str]:
    """Known oxides made of some elements that are not the compound of a formula: what a host competes with."""
    own = Composition(formula).reduced_formula
    return [f for f in competing_oxides(elements) if Composition(f).reduced_formula != own]


def competing_phase(formula: str) -> CompetingPhase:
    """A known phase by formula.

    Raises
    ------
    ValueError
        If the phase is not known.
    """
    if formula not in _PHASES:
        raise ValueError(f"no structure for {formula!r}; known: {', '.join(sorted(_PHASES))}")
    return _PHASES[formula]


def _with(cell: Structure, valence: dict[str, float], moments: list[float]) -> Structure:
    symbols = [s.specie.symbol for s in cell]
    out = Structure(cell.lattice, symbols, cell.frac_coords)
    out.add_site_property("valence", [valence.get(s, 0.0) for s in symbols])
    out.add_site_property("sublattice", ["O" if s == "O" else "cation" for s in symbols])
    out.add_site_property("magmom", moments)
    return out


def _element(cell: Structure) -> Structure:
    return _with(cell, {}, [element(s.specie.symbol).metal_moment_muB for s in cell])


def _bcc(element: str, a_A: float) -> Structure:
    return _element(crystal("Im-3m", Lattice.cubic(a_A), [element], [[0, 0, 0]]))


def _hcp(element: str, a_A: float, c_A: float) -> Structure:
    lattice = Lattice.hexagonal(a_A, c_A)
    return _element(crystal("P6_3/mmc", lattice, [element], [[1 / 3, 2 / 3, 0.25]]))


def _oxygen() -> Structure:
    box = Structure(
        Lattice.orthorhombic(*_O2_BOX_A),
        ["O", "O"],
        [[0.0, 0.0, 0.0], [0.0, 0.0, _O2_BOND_A]],
        coords_are_cartesian=True,
    )
    return _with(box, {}, [1.0, 1.0])


def _rocksalt_antiferromagnet(formula: str, moment: float) -> Structure:
    """Four-atom cell of the order of the second kind: ferromagnetic (111) planes of alternating sense."""
    cube = reference_phase(formula)
    metal, a = next(s.specie.symbol for s in cube if s.specie.symbol != "O"), cube.lattice.a
    lattice = a * np.array([[1.0, 0.5, 0.5], [0.5, 1.0, 0.5], [0.5, 0.5, 1.0]])
    coords = (a * np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0.5, 0.5], [1.0, 1.0, 0.5]])).tolist()
    cell = Structure(lattice, [metal, metal, "O", "O"], coords, coords_are_cartesian=True)
    return _with(cell, _valences(formula), [moment, -moment, 0.0, 0.0])


def _hematite() -> Structure:
    """Spins alternate between the buckled iron layers; oxygen planes lie at z = 1/12 + k/6."""
    cell = reference_phase("Fe2O3").copy()
    layers = [int(np.floor((s.frac_coords[2] % 1.0 - 1 / 12) * 6)) for s in cell]
    moments = [0.0 if s.specie.symbol == "O" else 5.0 * (-1) ** k for s, k in zip(cell, layers, strict=True)]
    return _with(cell, _valences("Fe2O3"), moments)


def _spinel(formula: str, u: float, moment_a: tuple[float, float], moment_b: float) -> Structure:
    """14-atom cell; the two tetrahedral sites get their own moments."""
    metal = next(str(e) for e in Composition(formula).elements if str(e) != "O")
    cell = spinel_cell(reference_phase(formula).lattice.a, u, 14)
    roles = [s.properties["sublattice"] for s in cell]
    on_a = iter(moment_a)
    moments = [next(on_a) if r == "A" else moment_b if r == "B" else 0.0 for r in roles]
    cell.replace_species({"He": metal, "Ne": metal})
    return _with(cell, _valences(formula), moments)


def _nonmagnetic(formula: str) -> Structure:
    cell = reference_phase(formula)
    return _with(cell, _valences(formula), [0.0] * len(cell))


def _peroxide() -> Structure:
    cell = crystal(
        "P6_3/mmc",
        Lattice.hexagonal(3.183, 7.726),
        ["Li", "Li", "O"],
        [[0.0, 0.0, 0.0], [1 / 3, 2 / 3, 0.25], [1 / 3, 2 / 3, 0.6488]],
    )
    return _with(cell, {"Li": 1.0, "O": -1.0}, [0.0] * len(cell))


def _gamma_lithium_iron_oxide() -> Structure:
    """Tetragonal; iron layers along c, spins alternating between the two irons of the primitive cell."""
    cube = crystal(
        "I4_1/amd",
        Lattice.tetragonal(4.057, 8.759),
        ["Li", "Fe", "O"],
        [[0, 0, 0], [0, 0, 0.5], [0, 0, 0.25]],
    )
    cell = cube.get_primitive_structure()
    signs = iter([1.0, -1.0] * len(cell))
    moments = [5.0 * next(signs) if s.specie.symbol == "Fe" else 0.0 for s in cell]
    return _with(cell, {"Li": 1.0, "Fe": 3.0, "O": -2.0}, moments)


def _binary(space_group: str, lattice: Lattice, metal: str, valence: int, positions: list[list[float]]) -> Structure:
    """Oxide of one metal without moments; all positions but those of oxygen, which come last, are the metal's."""
    species = [metal] * (len(positions) - _OXYGENS.get(metal, 1)) + ["O"] * _OXYGENS.get(metal, 1)
    cell = crystal(space_group, lattice, species, positions).get_primitive_structure()
    return _with(cell, {metal: float(valence), "O": -2.0}, [0.0] * len(cell))


def _pyrolusite() -> Structure:
    """Spins of the corner and of the centre are opposite: the nearest collinear order to MnO2's spiral."""
    cell = crystal("P4_2/mnm", Lattice.tetragonal(4.398, 2.873), ["Mn", "O"], [[0, 0, 0], [0.305, 0.305, 0]])
    moments = [0.0 if s.specie.symbol == "O" else 3.0 * (1 if s.frac_coords[2] < 0.25 else -1) for s in cell]
    return _with(cell, {"Mn": 4.0, "O": -2.0}, moments)


def _host(key: str) -> Structure:
    return get_host(key).structure()


def _valences(formula: str) -> dict[str, float]:
    cell = reference_phase(formula)
    return {s.specie.symbol: float(s.properties["valence"]) for s in cell}


_LITERATURE = "general literature, room temperature"
_LIST = [
    CompetingPhase("Fe", f"bcc, a = 2.866 A, {_LITERATURE}; ferromagnet", lambda: _bcc("Fe", 2.866), "element"),
    CompetingPhase(
        "Co", f"hcp, a = 2.507, c = 4.069 A, {_LITERATURE}; ferromagnet", lambda: _hcp("Co", 2.507, 4.069), "element"
    ),
    CompetingPhase("Li", f"bcc, a = 3.510 A, {_LITERATURE}", lambda: _bcc("Li", 3.510), "element"),
    CompetingPhase("O2", "triplet molecule in a box, bond 1.208 A (Huber and Herzberg)", _oxygen, "element"),
    CompetingPhase(
        "FeO",
        f"stoichiometric wuestite, rock salt, a = 4.326 A, {_LITERATURE}; antiferromagnet along [111]",
        lambda: _rocksalt_antiferromagnet("FeO", 4.0),
    ),
    CompetingPhase(
        "CoO",
        f"rock salt, a = 4.260 A, {_LITERATURE}; antiferromagnet along [111]",
        lambda: _rocksalt_antiferromagnet("CoO", 3.0),
    ),
    CompetingPhase(
        "NiO",
        f"rock salt, a = 4.177 A, {_LITERATURE}; antiferromagnet along [111]",
        lambda: _rocksalt_antiferromagnet("NiO", 2.0),
    ),
    CompetingPhase("Fe2O3", f"hematite, a = 5.038, c = 13.772 A, {_LITERATURE}; antiferromagnet", _hematite),
    CompetingPhase(
        "Fe3O4",
        f"magnetite, a = 8.394 A, u = 0.3799, {_LITERATURE}; ferrimagnet, no charge order in the start",
        lambda: _spinel("Fe3O4", 0.3799, (-5.0, -5.0), 4.5),
    ),
    CompetingPhase(
        "Co3O4",
        f"normal spinel, a = 8.084 A, u = 0.388, {_LITERATURE}; antiferromagnet on A, Co3+ low spin on B",
        lambda: _spinel("Co3O4", 0.388, (3.0, -3.0), 0.0),
    ),
    CompetingPhase("Li2O", f"antifluorite, a = 4.619 A, {_LITERATURE}", lambda: _nonmagnetic("Li2O")),
    CompetingPhase(
        "Li2O2", f"P6_3/mmc, a = 3.183, c = 7.726 A, O2 bond 1.56 A, {_LITERATURE}; weakly known", _peroxide, "peroxide"
    ),
    CompetingPhase(
        "LiFeO2",
        f"gamma form, I4_1/amd, a = 4.057, c = 8.759 A, {_LITERATURE}; weakly known, start spins alternate",
        _gamma_lithium_iron_oxide,
    ),
    CompetingPhase("LiFe5O8", "lithium ferrite, see structures/hosts/life5o8.py", lambda: _host("life5o8")),
    CompetingPhase("CoFe2O4", "cobalt ferrite, see structures/hosts/cofe2o4.py", lambda: _host("cofe2o4")),
]
_LIST += [
    CompetingPhase(
        name, f"as in structures/cells/binary_oxides.py, {_LITERATURE}; no moments", partial(_nonmagnetic, name)
    )
    for name in ("MgO", "ZnO")
]
_ROCK_SALTS_A = {"CaO": 4.811, "SrO": 5.160, "BaO": 5.539}
_LIST += [
    CompetingPhase(
        name,
        f"rock salt, a = {a_A:g} A, {_LITERATURE}; no moments",
        partial(_binary, "Fm-3m", Lattice.cubic(a_A), name.removesuffix("O"), 2, [[0, 0, 0], [0.5, 0.5, 0.5]]),
    )
    for name, a_A in _ROCK_SALTS_A.items()
]
_LIST += [
    CompetingPhase(
        "MnO",
        f"rock salt, a = 4.445 A, {_LITERATURE}; antiferromagnet along [111]",
        lambda: _rocksalt_antiferromagnet("MnO", 5.0),
    ),
    CompetingPhase("MnO2", f"pyrolusite, a = 4.398, c = 2.873 A, {_LITERATURE}; antiparallel, no spiral", _pyrolusite),
    CompetingPhase(
        "La2O3",
        f"P-3m1, a = 3.937, c = 6.129 A, {_LITERATURE}; no moments",
        partial(
            _binary,
            "P-3m1",
            Lattice.hexagonal(3.937, 6.129),
            "La",
            3,
            [[1 / 3, 2 / 3, 0.2455], [1 / 3, 2 / 3, 0.6471], [0, 0, 0]],
        ),
    ),
    CompetingPhase(
        "Y2O3",
        f"bixbyite, a = 10.604 A, {_LITERATURE}; no moments",
        partial(
            _binary,
            "Ia-3",
            Lattice.cubic(10.604),
            "Y",
            3,
            [[0.25, 0.25, 0.25], [-0.0327, 0, 0.25], [0.391, 0.152, 0.380]],
        ),
    ),
    CompetingPhase(
        "Al2O3",
        f"corundum, a = 4.759, c = 12.993 A, {_LITERATURE}; no moments",
        partial(_binary, "R-3c", Lattice.hexagonal(4.759, 12.993), "Al", 3, [[0, 0, 0.3522], [0.3063, 0, 0.25]]),
    ),
    CompetingPhase("TiO2", "rutile, see structures/hosts/tio2.py", lambda: _host("tio2")),
    CompetingPhase("HfO2", "baddeleyite, see structures/hosts/hfo2.py", lambda: _host("hfo2")),
    CompetingPhase("Gd2O3", "bixbyite, see structures/hosts/gd2o3.py", lambda: _host("gd2o3")),
]
_PHASES = {p.formula: p for p in _LIST}
