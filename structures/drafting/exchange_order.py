"""Collinear order of a crystal whose file has no moments, by the rules of superexchange over oxygen and fluorine."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Element, Structure

from .sites import Role

# Goodenough (10.1103/PhysRev.100.564) and Kanamori (10.1016/0022-3697(59)90061-7) treat angles near 180 and near 90
# degrees; ferrites and hematite, antiparallel at 120 to 135, are nearer to the first.
_LEAST_ANGLE_DEG = 115.0
# Ferromagnetic bonds and those of t2g orbitals are known near 180 degrees alone: in Cr2O3, at 121 and 133 degrees, they
# are a fiftieth of the exchange over shared faces (Samuelsen et al., Physica 48, 13 (1970)).
_STRAIGHT_DEG = 140.0
_ANIONS = ("O", "F")
# Ratio to the shortest bond up to which an anion belongs to an ion.
_SHELL = 1.25
_LONGEST_BOND_A = 2.6
# d orbitals of Cu2+ that hold its spin point to its short bonds.
_SHORT_COPPER_A = 2.15
# Half-filled t2g shells overlap over a shared edge or face: Cr-Cr of Cr2O3 are 2.65 and 2.89 A apart.
_DIRECT_A = 2.95
# Against sigma bonds of half-filled eg orbitals those of t2g orbitals alone are weak: LaCrO3 orders at 282 K, LaFeO3
# at 740 K (general literature).
_PI = 0.3
# Share of the exchange that an order must satisfy. Triangles of three, pyrochlores and cells that are too small for
# their order stay below it.
_LEAST_SHARE = 0.85
_NO_EXCHANGE = 1e-6
# Tetrahedra of spinels are 3.5 to 3.8 A apart.
_DIAMOND_A, _SAME_SHELL_A = 4.2, 0.1
_D_SHELL = 10
_ROW_3D = 4


@dataclass(frozen=True)
class ExchangeOrder:
    """Signs of the spins by site, and why.

    Attributes
    ----------
    signs
        +1 or -1 by site; None where the rules find no order.
    reason
        In words.
    """

    signs: list[int] | None
    reason: str


@dataclass(frozen=True)
class _Ion:
    """A magnetic d ion: number of d electrons and what holds its spin."""

    label: str
    row: int
    electrons: int
    number: int

    @property
    def sigma(self) -> bool:
        """Whether the orbitals that point to the anions hold one electron each."""
        most = 8 if self.number > 4 else 7
        return self.row == _ROW_3D and 5 <= self.electrons <= most

    @property
    def half_t2g(self) -> bool:
        return self.electrons == 3 and self.number == 6

    @property
    def copper(self) -> bool:
        return self.row == _ROW_3D and self.electrons == 9

    @property
    def heavy(self) -> bool:
        """4d or 5d with one to three electrons: Mo5+, W5+, Re5+, Os5+."""
        return self.row > _ROW_3D and 1 <= self.electrons <= 3


def exchange_order(structure: Structure, roles: Sequence[Role]) -> ExchangeOrder:
    """Order of the spins that Goodenough's and Kanamori's rules ask for, if this cell can hold it.

    Counted are bonds M-X-M of more than 115 degrees (X is O or F), each with the squared cosine of its angle. Spins of
    two ions with half-filled eg orbitals (d5 to d8, in tetrahedra to d7) are antiparallel, so are two of half-filled
    t2g (d3), over shared edges and faces too, two Cu2+ over short bonds, and Cr3+, Mn2+ or Fe3+ beside a 4d or 5d ion
    of one to three electrons; d3 beside d7 or d8 is parallel. Ions of mean valence, with orbital order (d1, d2, d4) or
    with f shells have no rule here.

    Parameters
    ----------
    structure
        Elements on sites.
    roles
        From `sites.site_roles`.

    Returns
    -------
    ExchangeOrder
    """
    ions = _ions(roles)
    magnetic = sorted(i for r in roles if r.moment_muB() for i in r.sites)
    bonds = _couplings(structure, ions)
    if not bonds.couplings:
        return ExchangeOrder(None, "no rule of superexchange is known for its ions and their bonds")
    signs, share = _most_satisfied(bonds.couplings, magnetic)
    words = ", ".join(sorted(bonds.words))
    if bonds.angles_deg:
        ends = dict.fromkeys(f"{angle:.0f}" for angle in (min(bonds.angles_deg), max(bonds.angles_deg)))
        words += f" ({' to '.join(ends)} degrees)"
    if share < _LEAST_SHARE:
        small = any(i == j for i, j in bonds.couplings)
        why = (
            "in this cell an ion is its own neighbour: a supercell as structure file holds it"
            if small
            else "frustrated"
        )
        return ExchangeOrder(None, f"{words} want another order ({why})")
    covered = {i for pair in bonds.couplings for i in pair}
    lone = {r.element: r for r in roles if r.moment_muB() and not covered.issuperset(r.sites)}
    if others := sorted(el for el in lone if Element(el).is_transition_metal):
        return ExchangeOrder(None, f"besides {words} there are bonds of {', '.join(others)} without a rule")
    rest = f"; no rule is known for {', '.join(sorted(lone))}: up" if lone else ""
    out = [signs.get(i, 1) for i in range(len(structure))]
    return ExchangeOrder(out, f"{words}, {100 * share:.0f} % of the exchange satisfied{rest}")


def diamond_order(structure: Structure, roles: Sequence[Role]) -> ExchangeOrder:
    """Order of a spinel with moments in its tetrahedra alone: each stands against the four nearest ones.

    So do Co3O4, MnAl2O4 and CoAl2O4 (general literature).

    Parameters
    ----------
    structure
        Elements on sites.
    roles
        From `sites.site_roles`.
    """
    sites = sorted(i for r in roles if r.moment_muB() for i in r.sites)
    couplings: dict[tuple[int, int], float] = {}
    for i in sites:
        near = [n for n in structure.get_neighbors(structure[i], _DIAMOND_A) if n.index in sites]
        first = min((float(n.nn_distance) for n in near), default=0.0)
        for n in near:
            if n.nn_distance <= first + _SAME_SHELL_A:
                couplings[min(i, n.index), max(i, n.index)] = -1.0
    if not couplings:
        return ExchangeOrder(None, "no rule is known for its ions")
    signs, share = _most_satisfied(couplings, sites)
    if share < 1 - _NO_EXCHANGE:
        return ExchangeOrder(None, "ions in the tetrahedra of a spinel, alone with moments, have no simple order here")
    words = "each moment in the tetrahedra of a spinel stands against the nearest ones, as in Co3O4 and MnAl2O4"
    return ExchangeOrder([signs.get(i, 1) for i in range(len(structure))], words)


def _ions(roles: Sequence[Role]) -> dict[int, _Ion]:
    out: dict[int, _Ion] = {}
    for role in roles:
        el = Element(role.element)
        if not (el.is_transition_metal and role.moment_muB() and role.valence == round(role.valence) > 0):
            continue
        electrons = el.group - round(role.valence)
        ion = _Ion(f"{role.element}{role.valence:g}+", el.row, electrons, role.coordination)
        full = electrons if electrons <= _D_SHELL / 2 else _D_SHELL - electrons
        if el.row == _ROW_3D and round(abs(role.moment_muB())) != full:
            continue
        out |= dict.fromkeys(role.sites, ion)
    return out


@dataclass(frozen=True)
class _Bonds:
    """Exchange by pair of sites, positive where spins want to be parallel; its bonds in words, and their angles."""

    couplings: dict[tuple[int, int], float]
    words: set[str]
    angles_deg: list[float]


def _couplings(structure: Structure, ions: dict[int, _Ion]) -> _Bonds:
    total: dict[tuple[int, int], float] = {}
    words: set[str] = set()
    angles: list[float] = []
    around: dict[int, list[tuple[int, np.ndarray]]] = {}
    for i in ions:
        for index, arm in _anions(structure, i):
            around.setdefault(index, []).append((i, arm))
    for anion, neighbours in around.items():
        for (i, one), (j, other) in itertools.combinations(neighbours, 2):
            longer_A, shorter_A = sorted((float(np.linalg.norm(one)), float(np.linalg.norm(other))), reverse=True)
            cosine = float(one @ other) / longer_A / shorter_A
            angle = float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
            sign = _superexchange(ions[i], ions[j], angle, longer_A)
            if sign:
                pair = (min(i, j), max(i, j))
                total[pair] = total.get(pair, 0.0) + sign * cosine**2
                words.add(f"-{structure[anion].specie.symbol}-".join(sorted((ions[i].label, ions[j].label))))
                angles.append(angle)
    for i, ion in ions.items():
        for n in structure.get_neighbors(structure[i], _DIRECT_A) if ion.half_t2g else []:
            if n.index in ions and ions[n.index].half_t2g:
                pair = (min(i, n.index), max(i, n.index))
                # Each pair is met from both ends.
                total[pair] = total.get(pair, 0.0) - 0.5
                words.add(f"{ion.label}-{ions[n.index].label} over shared edges or faces")
    return _Bonds({pair: value for pair, value in total.items() if abs(value) > _NO_EXCHANGE}, words, angles)


def _anions(structure: Structure, index: int) -> list[tuple[int, np.ndarray]]:
    """Anions of an ion's shell, and the vectors (A) from each to the ion."""
    near = [n for n in structure.get_neighbors(structure[index], _LONGEST_BOND_A) if n.specie.symbol in _ANIONS]
    first = min((float(n.nn_distance) for n in near), default=0.0)
    return [(int(n.index), structure[index].coords - n.coords) for n in near if n.nn_distance <= _SHELL * first]


def _superexchange(one: _Ion, other: _Ion, angle_deg: float, longer_A: float) -> float:
    """Relative strength over one anion: negative for antiparallel spins, 0 where no rule is known."""
    if angle_deg < _LEAST_ANGLE_DEG:
        return 0.0
    if one.copper and other.copper:
        return -1.0 if longer_A <= _SHORT_COPPER_A else 0.0
    if one.sigma and other.sigma:
        return -1.0
    if angle_deg < _STRAIGHT_DEG:
        return 0.0
    if one.half_t2g and other.half_t2g:
        return -_PI if one.row == other.row == _ROW_3D else -1.0
    light, heavy = (other, one) if one.heavy else (one, other)
    if heavy.heavy and light.row == _ROW_3D and light.electrons in (3, 5):
        return -1.0
    chromium, nickel = (one, other) if one.half_t2g else (other, one)
    return 1.0 if chromium.half_t2g and nickel.sigma and nickel.electrons in (7, 8) else 0.0


def _most_satisfied(couplings: dict[tuple[int, int], float], sites: Sequence[int]) -> tuple[dict[int, int], float]:
    """Signs along a tree of the strongest bonds, then single flips while they help; and the share that is satisfied."""
    root = {i: i for i in sites}
    near: dict[int, list[tuple[int, float]]] = {i: [] for i in sites}
    linked: dict[int, list[tuple[int, float]]] = {i: [] for i in sites}

    def top(i: int) -> int:
        while root[i] != i:
            i = root[i]
        return i

    for (i, j), value in sorted(couplings.items(), key=lambda item: (-round(abs(item[1]), 6), item[0])):
        if i == j:
            continue
        near[i].append((j, value))
        near[j].append((i, value))
        if top(i) != top(j):
            root[top(j)] = top(i)
            linked[i].append((j, value))
            linked[j].append((i, value))
    signs: dict[int, int] = {}
    for start in sites:
        queue = [] if start in signs else [start]
        signs.setdefault(start, 1)
        while queue:
            i = queue.pop()
            for j, value in linked[i]:
                if j not in signs:
                    signs[j] = signs[i] * (1 if value > 0 else -1)
                    queue.append(j)
    better = True
    while better:
        better = False
        for i in sites:
            if sum(value * signs[i] * signs[j] for j, value in near[i]) < -_NO_EXCHANGE:
                signs[i] = -signs[i]
                better = True
    gained = sum(max(0.0, value * signs[i] * signs[j]) for (i, j), value in couplings.items())
    return signs, gained / sum(abs(v) for v in couplings.values())
