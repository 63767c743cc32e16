"""Sublattices named by the field's conventions, and spins by Hund's rules and the crystal field."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Element, Structure

from ..checks.geometry import coordination_number
from ..elements import element as element_data
from ..spins import high_spin_moment, largest_moment, low_spin_moment
from .cyanides import holds_carbon
from .itinerant import is_heavy_oxide, is_metallic_chalcogenide, starts_from_metal
from .nitrogen import holds_nitro
from .valences import GuessedValences

# A cation that holds at least so many anions is one of a large cage: the A site of a perovskite.
_CAGE = 8
_OCTAHEDRON, _TETRAHEDRON = 6, 4
# d^6 and d^7 ions whose octahedral low-spin state lies lowest in oxides.
_LOW_SPIN = {("Co", 3), ("Ni", 3), ("Ni", 4), ("Co", 4), ("Cu", 3)}
# Co3+-O after Shannon's radii (10.1107/S0567739476001551) is 1.945 A in low and 2.01 A in high spin: between the two.
_LONG_COBALT_A = 1.98
# In pyrites and marcasites too: FeS2 has no moment, CoS2 0.85 muB (general literature); Mn2+ keeps 5 muB in MnS2.
_LOW_SPIN_IN_PAIRS = {("Fe", 2), ("Fe", 3), ("Co", 2), ("Co", 3), ("Co", 4), ("Ni", 3), ("Ni", 4)}
# Loellingite FeAs2 has no moment: its d4 fills two orbitals of an octahedron that is pressed along its chains.
_NONE_IN_PAIRS = {("Fe", 4)}
_CLOSED_SHELL = {"S": -2, "Se": -2, "Te": -2, "P": -3, "As": -3}
# Of manganese between ferromagnetic metals, a start: 1 to 4 muB are measured in alloys (general literature).
_MANGANESE_muB = 3.0
# Rare earths that keep an f electron more than the others in their metals.
_DIVALENT = ("Eu", "Yb")
_FLAT_A = 0.3
_SOFT_ANIONS, _SHELL = ("N", "C", "P", "As"), 1.25
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
    paired = {i for i, v in enumerate(guess.per_site) if 0 > v > _CLOSED_SHELL.get(structure[i].specie.symbol, v)}
    itinerant = not has_networks(structure, guess)
    numbers = [coordination_number(structure, i, anions) for i in range(len(structure))]
    inner = {i for i in range(len(structure)) if guess.cyanide and holds_carbon(structure, i)}
    nitro = {i for i in range(len(structure)) if holds_nitro(structure, i)}
    kinds: dict[tuple[str, int, float, bool], list[int]] = {}
    for i, site in enumerate(structure):
        symbol = site.specie.symbol
        prism = numbers[i] == _OCTAHEDRON and _is_d_metal(symbol) and _is_prism(structure, i, anions)
        kinds.setdefault((symbol, numbers[i], round(guess.per_site[i], 4), prism or i in inner | nitro), []).append(i)
    family, names = _names(structure, list(dict.fromkeys(kind[:3] for kind in kinds)), anions)
    roles = []
    for (symbol, number, _, apart), sites in sorted(kinds.items(), key=lambda item: (item[0][0] in anions, item[1][0])):
        valence = float(np.mean([guess.per_site[i] for i in sites]))
        valence = float(round(valence)) if abs(valence - round(valence)) < 1e-6 else round(valence, 6)
        if guess.metal:
            spin, reason = _spin_in_metal(symbol, valence)
        elif paired and number == _OCTAHEDRON and _touches(structure, sites[0], paired):
            spin, reason = _spin_in_pairs(symbol, valence) or _spin(structure, symbol, valence, number, sites)
        elif sites[0] in inner and _is_flat_d8(structure, symbol, valence, sites[0]):
            spin, reason = 0.0, f"{symbol}{valence:g}+ in a square of cyanides pairs its spins"
        elif sites[0] in inner | nitro and _is_low_spin(symbol, valence):
            where = "carbon of cyanides" if sites[0] in inner else "nitrogen of nitro groups"
            spin, reason = "low", f"{symbol}{valence:g}+ in {where} is low spin"
        else:
            spin, reason = _spin(structure, symbol, valence, 0 if apart else number, sites)
            at = structure, sites[0]
            paired_up = spin == "low" and not low_spin_moment(symbol, round(valence))
            soft = itinerant and symbol != "Cr" and _is_d_metal(symbol) and is_soft(structure, sites[0], anions)
            if soft and not paired_up and not isinstance(spin, float):
                spin, reason = _spin_in_metal(symbol, valence)
                reason += ": d electrons of such nitrides, carbides, phosphides and arsenides move"
            elif is_heavy_oxide(structure, symbol, valence):
                spin, reason = 0.0, "4d and 5d metals alone with oxygen have no moment of ions, as RuO2, MoO2 and ReO3"
            elif itinerant and starts_from_metal(symbol) and is_metallic_chalcogenide(*at, valence, anions):
                spin, reason = _spin_in_metal(symbol, valence)
                reason += ": its d electrons move, as those of FeSe"
            elif symbol == "Cu" and valence > 1 and guess.anions[0] in ("S", "Se", "Te"):
                spin, reason = 0.0, "what copper lacks to Cu+ in such a compound its anions lack: no moment"
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
    if whole and mild and not _has_squares(structure, [el for el, n in heavy if n == _TETRAHEDRON], anions):
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


def _has_squares(structure: Structure, symbols: list[str], anions: set[str]) -> bool:
    """Whether an atom of these elements has four anions in a plane with it, as Cu in CuBi2O4, which is no spinel."""
    return any(
        coordination_number(structure, i, anions) == _TETRAHEDRON and _is_flat(structure, i)
        for i, s in enumerate(structure)
        if s.specie.symbol in symbols
    )


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
        return _spin_of_mean(structure, symbol, valence, number, sites)
    whole = int(valence)
    if el.is_transition_metal and el.row != _ROW_3D:
        low = low_spin_moment(symbol, whole) if number == _OCTAHEDRON else 0.0
        return ("low", "4d and 5d ions pair their spins") if low else (None, "")
    if number == _OCTAHEDRON and (symbol, whole) == ("Co", 3) and (weak := _weak_field(structure, sites)):
        return None, f"high spin: Co3+ {weak}"
    if number == _OCTAHEDRON and (symbol, whole) in _LOW_SPIN:
        return "low", f"{symbol}{whole}+ in octahedra of oxides is low spin"
    if number == _TETRAHEDRON and _is_flat_d8(structure, symbol, whole, sites[0]):
        return 0.0, f"{symbol}{whole}+ in a square plane pairs its spins"
    if (symbol, whole) == ("Cu", 3) and number < _OCTAHEDRON:
        return 0.0, "Cu3+ in planes and pyramids pairs its spins"
    return None, ("Hund's first rule: high spin" if high_spin_moment(symbol, whole) else "")


def _weak_field(structure: Structure, sites: list[int]) -> str:
    """Why Co3+ keeps its spin in octahedra, in words: fluorine, or bonds as long as ions of high spin have them."""
    bonds, elements = [], set()
    for i in sites:
        near = sorted(
            (n for n in structure.get_neighbors(structure[i], _PRISM_A) if n.specie.symbol in ("O", "F")),
            key=lambda n: float(n.nn_distance),
        )[:_OCTAHEDRON]
        bonds += [float(n.nn_distance) for n in near]
        elements |= {str(n.specie.symbol) for n in near}
    if elements == {"F"}:
        return "among fluorine, as in CoF3"
    # Lengths of a solid solution are the mean of all its ions: LiNi(1/3)Co(1/3)Mn(1/3)O2 keeps Co3+ of low spin.
    alone = {s.specie.symbol for s in structure if _is_d_metal(s.specie.symbol)} == {"Co"}
    if alone and elements == {"O"} and float(np.mean(bonds)) > _LONG_COBALT_A:
        return f"with bonds of {np.mean(bonds):.2f} A on the mean, as in SrCoO2.5"
    return ""


def _spin_of_mean(
    structure: Structure, symbol: str, valence: float, number: int, sites: list[int]
) -> tuple[float, str]:
    """Moment between those that the two whole valences around a mean one have at this site."""
    ends = [math.floor(valence), math.floor(valence) + 1]
    sizes, states = [], []
    for end in ends:
        word = _spin(structure, symbol, float(end), number, sites)[0] if end else None
        low = word == "low" or isinstance(word, float)
        sizes.append(
            word
            if isinstance(word, float)
            else (low_spin_moment if low else high_spin_moment)(symbol, end)
            if end
            else 0.0
        )
        states.append("low spin" if low else "high spin")
    moment = round(min(float(np.interp(valence, ends, sizes)), largest_moment(symbol, valence)), 6)
    ions = [f"{symbol}{end}+" for end in ends]
    if states[0] == states[1]:
        return moment, f"mean of {ions[0]} and {ions[1]}, both {states[0]}" + (
            " in octahedra of oxides" if states[0] == "low spin" and number == _OCTAHEDRON else ""
        )
    return moment, f"mean of {ions[0]}, {states[0]}, and {ions[1]}, {states[1]}"


def _spin_in_pairs(symbol: str, valence: float) -> tuple[str | float | None, str] | None:
    """Spin in an octahedron of paired anions; None where it is that of single ones."""
    words = f"{symbol}{valence:g}+ in octahedra of paired anions"
    if (symbol, valence) in _NONE_IN_PAIRS:
        return 0.0, f"{words} has no moment, as in loellingite"
    return ("low", f"{words}, as in pyrites, is low spin") if (symbol, valence) in _LOW_SPIN_IN_PAIRS else None


def has_networks(structure: Structure, guess: GuessedValences) -> bool:
    """Whether Si, Ge, P or another small cation holds the anions, as in MnSiN2 and in NH3, which insulate."""
    return guess.cyanide or any(
        Element(s.specie.symbol).is_metalloid or s.specie.symbol in ("P", "C", "S", "Se", "N", "H")
        for s, v in zip(structure, guess.per_site, strict=True)
        if v > 0
    )


def is_soft(structure: Structure, index: int, anions: set[str]) -> bool:
    """Whether N, C, P or As alone are around a metal, whose moment is then far from that of an ion.

    Measured are 3.3 muB in MnN, 1.3 in MnP, 0.5 in FeAs and LaFeAsO, none in TiN, VN and NiAs (general literature).
    """
    near = [n for n in structure.get_neighbors(structure[index], _PRISM_A) if n.specie.symbol in anions]
    first = min((float(n.nn_distance) for n in near), default=0.0)
    return bool(near) and {n.specie.symbol for n in near if n.nn_distance <= _SHELL * first} <= set(_SOFT_ANIONS)


def _is_flat_d8(structure: Structure, symbol: str, valence: float, index: int) -> bool:
    return (symbol, valence) in {("Ni", 2), ("Pd", 2), ("Pt", 2), ("Cu", 3)} and _is_flat(structure, index)


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
