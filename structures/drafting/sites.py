"""Sublattices named by the field's conventions, and spins by Hund's rules and the crystal field."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Element, Structure

from ..checks.geometry import coordination_number
from ..elements import element as element_data
from ..spins import high_spin_moment, largest_moment, low_spin_moment, mean_moment
from .cyanides import holds_carbon
from .valences import GuessedValences

# A cation that holds at least so many anions is one of a large cage: the A site of a perovskite.
_CAGE = 8
_OCTAHEDRON, _TETRAHEDRON = 6, 4
# d^6 and d^7 ions whose octahedral low-spin state lies lowest in oxides.
_LOW_SPIN = {("Co", 3), ("Ni", 3), ("Ni", 4), ("Co", 4), ("Cu", 3)}
# In pyrites and marcasites too: FeS2 has no moment, CoS2 0.85 muB (general literature); Mn2+ keeps 5 muB in MnS2.
_LOW_SPIN_IN_PAIRS = {("Fe", 2), ("Co", 2), ("Co", 3), ("Ni", 3), ("Ni", 4)}
_IN_PAIRS = ("S", "Se", "Te", "P", "As")
# Of manganese between ferromagnetic metals, a start: 1 to 4 muB are measured in alloys (general literature).
_MANGANESE_muB = 3.0
# Rare earths that keep an f electron more than the others in their metals.
_DIVALENT = ("Eu", "Yb")
_FLAT_A = 0.3
# Anions opposite each other in an octahedron are 180 degrees apart, the farthest of a trigonal prism about 135.
_OPPOSITE, _PRISM_A = -0.9, 3.2
# Tetrahedra of such cations are molecules: phosphate, silicate.
_POLYANION = 4
# Of a perovskite per formula unit: brownmillerite has 2.5.
_FEWEST_ANIONS = 2.4
_ROW_3D = 4


@dataclass(frozen=True)
class Role:
    """What the sites of one kind are.

    Attributes
    ----------
    element, coordination, sublattice, valence
        As in a host file.
    spin
        Word or number as in a host file; None where Hund's first rule holds.
    sites
        Their indices.
    reason
        Of the spin, in words; empty where there is none.
    """

    element: str
    coordination: int
    sublattice: str
    valence: float
    spin: str | float | None
    sites: tuple[int, ...]
    reason: str

    def moment_muB(self) -> float:
        """Size of the moment; 0 where Hund's rule has none."""
        if isinstance(self.spin, float):
            return self.spin
        size = low_spin_moment if self.spin == "low" else high_spin_moment
        return size(self.element, self.valence)


def site_roles(structure: Structure, guess: GuessedValences) -> tuple[list[Role], str]:
    """Roles of all sites, and how the sublattices are named, in words."""
    anions = {
        el for el, valence in zip((s.specie.symbol for s in structure), guess.per_site, strict=True) if valence < 0
    }
    paired = {i for i, v in enumerate(guess.per_site) if v == -1 and structure[i].specie.symbol in _IN_PAIRS}
    numbers = [coordination_number(structure, i, anions) for i in range(len(structure))]
    inner = {i for i in range(len(structure)) if guess.cyanide and holds_carbon(structure, i)}
    kinds: dict[tuple[str, int, float, bool], list[int]] = {}
    for i, site in enumerate(structure):
        symbol = site.specie.symbol
        prism = numbers[i] == _OCTAHEDRON and _is_d_metal(symbol) and _is_prism(structure, i, anions)
        kinds.setdefault((symbol, numbers[i], round(guess.per_site[i], 4), prism or i in inner), []).append(i)
    family, names = _names(structure, list(dict.fromkeys(kind[:3] for kind in kinds)), anions)
    roles = []
    for (symbol, number, _, apart), sites in sorted(kinds.items(), key=lambda item: (item[0][0] in anions, item[1][0])):
        valence = float(np.mean([guess.per_site[i] for i in sites]))
        valence = float(round(valence)) if abs(valence - round(valence)) < 1e-6 else round(valence, 6)
        if guess.metal:
            spin, reason = _spin_in_metal(symbol, valence)
        elif (
            number == _OCTAHEDRON and (symbol, valence) in _LOW_SPIN_IN_PAIRS and _touches(structure, sites[0], paired)
        ):
            spin, reason = "low", f"{symbol}{valence:g}+ in octahedra of paired anions, as in pyrites, is low spin"
        elif sites[0] in inner and _is_low_spin(symbol, valence):
            spin, reason = "low", f"{symbol}{valence:g}+ in carbon of cyanides is low spin"
        else:
            spin, reason = _spin(structure, symbol, valence, 0 if apart else number, sites)
        label = f"{symbol}C" if sites[0] in inner else names[symbol, number]
        roles.append(Role(symbol, number, label, valence, spin, tuple(sites), reason))
    return roles, family


def _names(
    structure: Structure, kinds: list[tuple[str, int, float]], anions: set[str]
) -> tuple[str, dict[tuple[str, int], str]]:
    """Sublattice by element and coordination, and the family that the names are taken from."""
    out: dict[tuple[str, int], str] = {(el, n): el for el, n, _ in kinds if el in anions}
    cations = sorted({(el, n) for el, n, _ in kinds if el not in anions})
    heavy = [(el, n) for el, n in cations if el != "H"]
    out |= {(el, n): "H" for el, n in cations if el == "H"}
    of = {n: sum(_number_of(structure, el, n, anions) for el, m in heavy if m == n) for n in {m for _, m in heavy}}
    anion_count = sum(structure.composition[a] for a in anions)
    # Up to one octahedral site in four may be empty, as in maghemite.
    # Olivines have the same numbers, but P or Si in their tetrahedra.
    mild = all(v < _POLYANION for el, n, v in kinds if n == _TETRAHEDRON and el not in anions)
    whole = set(of) == {_TETRAHEDRON, _OCTAHEDRON} and anion_count == 4 * of[4] and 1.5 * of[4] <= of[6] <= 2 * of[4]
    if whole and mild:
        return "spinel: A tetrahedra, B octahedra", out | {
            (el, n): "A" if n == _TETRAHEDRON else "B" for el, n in heavy
        }
    cages = {n for n in of if n >= _CAGE}
    if of.keys() == {*cages, 4, 6} and sum(of[n] for n in cages) == 1.5 * of[6] == of[4]:
        letters = {_OCTAHEDRON: "a", _TETRAHEDRON: "d"}
        return "garnet: a octahedra, d tetrahedra, c cages", out | {(el, n): letters.get(n, "c") for el, n in heavy}
    small = {(el, n) for el, n in heavy if _is_d_metal(el) and n <= _OCTAHEDRON}
    many = {kind: _number_of(structure, *kind, anions) for kind in heavy}
    inside, cage = sum(many[k] for k in small), sum(many[k] for k in heavy if k not in small)
    caged = all(n >= _OCTAHEDRON for kind in heavy if kind not in small for n in kind[1:])
    if small and caged and inside == cage and _FEWEST_ANIONS <= anion_count / inside <= 3:
        several = len({n for _, n in small}) > 1
        named = {(el, n): (f"B{n}" if several else "B") if (el, n) in small else "A" for el, n in heavy}
        return "perovskite: A cages, B of d metals" + (" by their number of anions" if several else ""), out | named
    if len({el for el, _ in heavy}) == 1 and len(heavy) == 1:
        return "one kind of cation: M", out | {heavy[0]: "M"}
    repeated = Counter(el for el, _ in heavy)
    plain = {(el, n): f"{el}{n}" if repeated[el] > 1 else el for el, n in heavy}
    return "elements, with the number of anions around them where one element has several", out | plain


def _is_d_metal(symbol: str) -> bool:
    el = Element(symbol)
    return bool(el.is_transition_metal) and symbol not in ("Sc", "Y", "La")


def _number_of(structure: Structure, symbol: str, number: int, anions: set[str]) -> int:
    return sum(
        s.specie.symbol == symbol and coordination_number(structure, i, anions) == number
        for i, s in enumerate(structure)
    )


def _spin(
    structure: Structure, symbol: str, valence: float, number: int, sites: list[int]
) -> tuple[str | float | None, str]:
    """Spin as a host file says it, and why; (None, "") for Hund's first rule or no moment."""
    el = Element(symbol)
    if valence < 1:
        return _spin_in_metal(symbol, valence) if valence >= 0 else (None, "")
    if not (el.is_transition_metal or el.is_lanthanoid or el.is_actinoid):
        return None, ""
    if valence != round(valence):
        if el.is_transition_metal and el.row != _ROW_3D:
            return (0.0, "paired spins assumed at this mean valence")
        ends = [int(valence), int(valence) + 1]
        if number == _OCTAHEDRON and all((symbol, end) in _LOW_SPIN for end in ends):
            sizes = [low_spin_moment(symbol, end) for end in ends]
            moment = round(float(np.interp(valence, ends, sizes)), 6)
            return moment, f"mean of {symbol}{ends[0]}+ and {symbol}{ends[1]}+, both low spin in octahedra of oxides"
        moment = round(min(mean_moment(symbol, valence), largest_moment(symbol, valence)), 6)
        return moment, f"mean of {symbol}{int(valence)}+ and {symbol}{int(valence) + 1}+, both high spin"
    whole = int(valence)
    if el.is_transition_metal and el.row != _ROW_3D:
        low = low_spin_moment(symbol, whole) if number == _OCTAHEDRON else 0.0
        return ("low", "4d and 5d ions pair their spins") if low else (None, "")
    if number == _OCTAHEDRON and (symbol, whole) in _LOW_SPIN:
        return "low", f"{symbol}{whole}+ in octahedra of oxides is low spin"
    if number == _TETRAHEDRON and (symbol, whole) in {("Ni", 2), ("Cu", 3)} and _is_flat(structure, sites[0]):
        return 0.0, f"{symbol}{whole}+ in a square plane pairs its spins"
    return None, ("Hund's first rule: high spin" if high_spin_moment(symbol, whole) else "")


def _spin_in_metal(symbol: str, valence: float) -> tuple[str | float | None, str]:
    """Spin of an atom of a metal: the elemental metal's where it has one, of f shells that of the trivalent ion."""
    el = Element(symbol)
    moment = element_data(symbol).metal_moment_muB
    words = f"measured moment of {symbol} metal, as a start"
    if symbol == "Mn":
        moment, words = _MANGANESE_muB, "a start: Mn has 1 to 4 muB in alloys"
    if moment:
        return (min(moment, largest_moment(symbol, valence)) if valence > 0 else moment), words
    if el.is_lanthanoid:
        ion = 2 if symbol in _DIVALENT else 3
        size = high_spin_moment(symbol, ion)
        return (size, f"the f shell of {symbol}{ion}+, which a metal keeps") if size else (0.0, "no moment is known")
    return (0.0, "no moment is known") if el.is_transition_metal and valence else (None, "")


def _is_low_spin(symbol: str, valence: float) -> bool:
    """Whether a d ion of whole valence has another moment in a strong octahedral field."""
    if not _is_d_metal(symbol) or valence != round(valence):
        return False
    return low_spin_moment(symbol, int(valence)) != high_spin_moment(symbol, int(valence))


def _touches(structure: Structure, index: int, others: set[int]) -> bool:
    return any(n.index in others for n in structure.get_neighbors(structure[index], _PRISM_A))


def _is_prism(structure: Structure, index: int, anions: set[str]) -> bool:
    """Whether no two of six anions stand opposite each other: a trigonal prism, whose field pairs no spins."""
    centre = structure[index]
    near = sorted(
        (n for n in structure.get_neighbors(centre, _PRISM_A) if n.specie.symbol in anions),
        key=lambda n: float(n.nn_distance),
    )[:_OCTAHEDRON]
    if len(near) < _OCTAHEDRON or not _is_d_metal(centre.specie.symbol):
        return False
    arms = np.array([(n.coords - centre.coords) / n.nn_distance for n in near])
    return float((arms @ arms.T).min()) > _OPPOSITE


def _is_flat(structure: Structure, index: int) -> bool:
    """Whether the four nearest neighbours of a site lie in a plane with it."""
    near = sorted(structure.get_neighbors(structure[index], 3.0), key=lambda n: float(n.nn_distance))[:4]
    vectors = np.array([n.coords - structure[index].coords for n in near])
    return len(near) == _TETRAHEDRON and float(np.linalg.svd(vectors)[1][-1]) < _FLAT_A
