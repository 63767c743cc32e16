"""Metals, N2 and binary fluorides, sulfides and nitrides that fix element energies where there is no oxygen.

Room-temperature lattice parameters of the general literature. Valences are formal, a pyrite's sulfur is S2(2-). Moments
are those of Hund's first rule in a start that alternates between the two cations of a rutile cell, and of metals the
measured ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from pymatgen.core import Composition, Lattice, Structure

from ..elements import element
from ..space_groups import crystal
from ..spins import high_spin_moment

# A molecule needs a box in which its images do not feel each other.
_BOX_A = (9.0, 9.5, 10.0)
_N2_BOND_A = 1.098
_LOW_SPIN_PYRITES = ("Fe", "Co", "Ni")


def _crystal(
    group: str, lattice: Lattice, species: Sequence[tuple[str, float]], places: Sequence[Sequence[float]]
) -> Structure:
    cell = crystal(group, lattice, [el for el, _ in species], [list(p) for p in places])
    valence = dict(species)
    return _described(cell, valence)


def _described(cell: Structure, valence: dict[str, float]) -> Structure:
    symbols = [s.specie.symbol for s in cell]
    cell.add_site_property("valence", [valence[el] for el in symbols])
    cell.add_site_property("sublattice", [el if valence[el] < 0 else "cation" for el in symbols])
    seen: dict[str, int] = {}
    moments = []
    for el in symbols:
        seen[el] = seen.get(el, 0) + 1
        moments.append(_moment(el, valence, (-1) ** (seen[el] + 1)))
    cell.add_site_property("magmom", moments)
    return cell


def _moment(symbol: str, valence: dict[str, float], sign: int) -> float:
    """Of a metal the measured moment, of a pyrite none but cobalt's electron, else Hund's, alternating."""
    if valence[symbol] == 0:
        return element(symbol).metal_moment_muB
    if valence.get("S") == -1:
        return 1.0 if symbol == "Co" else 0.0 if symbol in _LOW_SPIN_PYRITES else high_spin_moment(symbol, 2.0)
    size = high_spin_moment(symbol, valence[symbol]) if valence[symbol] > 0 else 0.0
    return sign * size if size else 0.0


def _metal(group: str, symbol: str, lattice: Lattice, place: Sequence[float] = (0, 0, 0)) -> Structure:
    return _crystal(group, lattice, [(symbol, 0.0)], [place])


def _bcc(symbol: str, a_A: float) -> Structure:
    return _metal("Im-3m", symbol, Lattice.cubic(a_A))


def _fcc(symbol: str, a_A: float) -> Structure:
    return _metal("Fm-3m", symbol, Lattice.cubic(a_A))


def _hcp(symbol: str, a_A: float, c_A: float) -> Structure:
    return _metal("P6_3/mmc", symbol, Lattice.hexagonal(a_A, c_A), (1 / 3, 2 / 3, 0.25))


def _rocksalt(cation: str, anion: str, charge: int, a_A: float) -> Structure:
    ions = [(cation, float(charge)), (anion, -float(charge))]
    return _crystal("Fm-3m", Lattice.cubic(a_A), ions, [(0, 0, 0), (0.5, 0.5, 0.5)])


def _rutile_fluoride(cation: str, a_A: float, c_A: float, x: float) -> Structure:
    lattice = Lattice.tetragonal(a_A, c_A)
    return _crystal("P4_2/mnm", lattice, [(cation, 2.0), ("F", -1.0)], [(0, 0, 0), (x, x, 0)])


def _pyrite(cation: str, a_A: float, u: float) -> Structure:
    return _crystal("Pa-3", Lattice.cubic(a_A), [(cation, 2.0), ("S", -1.0)], [(0, 0, 0), (u, u, u)])


def _sphalerite(cation: str, a_A: float) -> Structure:
    return _crystal("F-43m", Lattice.cubic(a_A), [(cation, 2.0), ("S", -2.0)], [(0, 0, 0), (0.25, 0.25, 0.25)])


def _roaldite() -> Structure:
    """Fe4N: the mean of its formal valences on every iron, its measured moments as a start."""
    places = [(0, 0, 0), (0.5, 0.5, 0), (0.5, 0.5, 0.5)]
    cell = crystal("Pm-3m", Lattice.cubic(3.795), ["He", "Fe", "N"], places)
    moments = [{"He": 2.98, "Fe": 2.01, "N": 0.0}[s.specie.symbol] for s in cell]
    cell.replace_species({"He": "Fe"})
    symbols = [s.specie.symbol for s in cell]
    cell.add_site_property("valence", [{"Fe": 0.75, "N": -3.0}[el] for el in symbols])
    cell.add_site_property("sublattice", ["N" if el == "N" else "cation" for el in symbols])
    cell.add_site_property("magmom", moments)
    return cell


def _nitrogen() -> Structure:
    box = Lattice.orthorhombic(*_BOX_A)
    cell = Structure(box, ["N", "N"], [[0.0, 0.0, 0.0], [0.0, 0.0, _N2_BOND_A]], coords_are_cartesian=True)
    return _described(cell, {"N": 0.0})


SALTS: dict[str, Callable[[], Structure]] = {
    "N2": _nitrogen,
    "Li": partial(_bcc, "Li", 3.510),
    "Fe": partial(_bcc, "Fe", 2.866),
    "Cr": partial(_bcc, "Cr", 2.885),
    "V": partial(_bcc, "V", 3.024),
    "Co": partial(_hcp, "Co", 2.507, 4.069),
    "Mg": partial(_hcp, "Mg", 3.209, 5.211),
    "Ti": partial(_hcp, "Ti", 2.951, 4.684),
    "Ni": partial(_fcc, "Ni", 3.524),
    "Fe4N": _roaldite,
    "CrN": partial(_rocksalt, "Cr", "N", 3, 4.149),
    "TiN": partial(_rocksalt, "Ti", "N", 3, 4.240),
    "VN": partial(_rocksalt, "V", "N", 3, 4.139),
    "LiF": partial(_rocksalt, "Li", "F", 1, 4.026),
    "NaF": partial(_rocksalt, "Na", "F", 1, 4.634),
    "KF": partial(_rocksalt, "K", "F", 1, 5.347),
    "MgF2": partial(_rutile_fluoride, "Mg", 4.621, 3.052, 0.303),
    "MnF2": partial(_rutile_fluoride, "Mn", 4.874, 3.310, 0.305),
    "FeF2": partial(_rutile_fluoride, "Fe", 4.697, 3.309, 0.301),
    "CoF2": partial(_rutile_fluoride, "Co", 4.695, 3.180, 0.306),
    "NiF2": partial(_rutile_fluoride, "Ni", 4.651, 3.084, 0.302),
    "MgS": partial(_rocksalt, "Mg", "S", 2, 5.203),
    "MnS": partial(_rocksalt, "Mn", "S", 2, 5.224),
    "ZnS": partial(_sphalerite, "Zn", 5.409),
    "FeS2": partial(_pyrite, "Fe", 5.418, 0.385),
    "CoS2": partial(_pyrite, "Co", 5.538, 0.390),
    "NiS2": partial(_pyrite, "Ni", 5.687, 0.394),
}

# Two compounds of no 3d ion that fix the energy of the anion, whatever the host's cations are.
_ANCHORS = {"F": ("Li", "LiF"), "S": ("Mg", "MgS"), "N": ("N2",)}
# The Materials Project's U holds in fluorides and not in metals, so that only its U-free metals go beside them.
_METALS_BESIDE = ("S", "N")


def salt_references(anion: str, cations: Sequence[str]) -> list[str]:
    """Formulas whose energies fix those of an anion and of some cations; empty for an anion without any.

    Parameters
    ----------
    anion
        F, S or N.
    cations
        Elements of the host besides.
    """
    if anion not in _ANCHORS:
        return []
    wanted = {anion, *cations}
    salts = list(_ANCHORS[anion])
    for formula in SALTS:
        symbols = set(Composition(formula).get_el_amt_dict())
        if symbols <= wanted and (len(symbols) > 1 or anion in _METALS_BESIDE):
            salts.append(formula)
    return list(dict.fromkeys(salts))
