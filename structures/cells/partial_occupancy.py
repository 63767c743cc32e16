"""Ordered cells of crystals with partially occupied sites: enumerated, special quasirandom or random."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from pymatgen.core import Element, Structure

from ..checks.geometry import CLOSEST_A, StructureError
from ..symmetry import orbits
from .supercell import general_supercell, most_distant_images
from .whole_ions import deviation, neutral_counts, whole_counts

Method = Literal["auto", "enumerated", "sqs", "random"]
METHODS: tuple[Method, ...] = get_args(Method)
MOST_ATOMS = 160
# Occupancies in CIFs are rounded to two digits; a cell that meets them to this is exact.
_EXACT = 0.011
_ROUGHEST = 0.15
# So many atoms are taken where fewer do not meet the occupancies even that roughly: amphiboles have 80 in a cell.
_LARGEST_ATOMS = 400
_TRIES = 200
_MOST_ENUMERATED = 3000
_SHELLS = 3
_SHELL_A = 0.1
# Split sites: no two ions but hydrogen's lie so near, whatever the shares of the places say.
SPLIT_A = 2.0
_PRICE_OF_A_PAIR = 100.0


@dataclass(frozen=True)
class OrderedCell:
    """An ordered cell and how it was made.

    Attributes
    ----------
    structure
        Every site holds one element or is left out.
    method
        What was done in the end: ``enumerated``, ``sqs`` or ``random``.
    in_words
        Which sites, cells, composition and seed, for the reader of results.
    """

    structure: Structure
    method: str
    in_words: str


@dataclass(frozen=True)
class _Mixed:
    """Equivalent sites with their occupants: counts per element in the cell; the rest is empty."""

    sites: tuple[int, ...]
    counts: Mapping[str, int]

    def occupants(self) -> list[str]:
        named = [symbol for symbol in sorted(self.counts) for _ in range(self.counts[symbol])]
        return named + [""] * (len(self.sites) - len(named))


def ordered_cell(
    structure: Structure, method: Method = "auto", seed: int = 0, cells: int | None = None, most_atoms: int = MOST_ATOMS
) -> OrderedCell:
    """An ordered cell that stands for a crystal with partially occupied sites.

    Parameters
    ----------
    structure
        With partial occupancies, mixed or with empty places.
    method
        ``enumerated`` takes the arrangement whose pairs are nearest to random, of all there are; ``sqs`` the best of
        200 random ones; ``random`` the first; ``auto`` enumerates where there are few.
    seed
        Of NumPy's generator; the same seed gives the same cell. Enumerated ones need none.
    cells
        Number of cells in the supercell; the fewest that meet the occupancies by default.
    most_atoms
        Where the search for whole numbers of ions ends.

    Returns
    -------
    OrderedCell
        With the composition as near to the file's as `in_words` says.

    Raises
    ------
    StructureError
        If the method is unknown, no cell of this size meets the occupancies even roughly, or two half-occupied sites
        can only be filled on top of each other.
    """
    if method not in METHODS:
        raise StructureError(f"ordering by {method!r} is unknown; methods: {', '.join(METHODS)}")
    groups = [g for g in orbits(_by_species(structure)) if not structure[g[0]].is_ordered]
    if not groups:
        raise StructureError("every site is fully occupied by one element: there is nothing to order")
    number = cells or _fewest_cells(structure, groups, most_atoms)
    big, mixed, off = _supercell(structure, groups, number)
    if off > _ROUGHEST:
        raise StructureError(
            f"in {number} cell{'s' if number > 1 else ''} the occupancies are met to {off:.2g} only: give an "
            f"ordered cell, or a host file whose ordering asks for more: {{cells: {2 * number}}}"
        )
    count = math.prod(_arrangements(m) for m in mixed)
    chosen: Method = method if method != "auto" else ("enumerated" if count <= _MOST_ENUMERATED else "sqs")
    if chosen == "enumerated" and count > _MOST_ENUMERATED:
        raise StructureError(
            f"{count:.2g} arrangements are more than {_MOST_ENUMERATED}: order by sqs or random, or take fewer cells"
        )
    best = _best_of(big, mixed, _all(big, mixed) if chosen == "enumerated" else _random(big, mixed, seed, chosen))
    ordered = _filled(big, mixed, best)
    how = f"{chosen} order" + ("" if chosen == "enumerated" else f", seed {seed}")
    words = (
        f"{_sites_in_words(structure, groups)}: {number} cell{'s' if number > 1 else ''}, {how}, "
        f"composition {ordered.composition.reduced_formula}"
    )
    if off > 1e-6:
        words += f" (occupancies met to {off:.2g})"
    if crowded := _crowded_pairs(mixed, best, _nearer(big, mixed, SPLIT_A)):
        words += (
            f"; {crowded} pair{'s' if crowded > 1 else ''} of split places, nearer than {SPLIT_A:g} A, filled at once, "
            "which no crystal has: ask for more cells, or give an ordered one"
        )
    return OrderedCell(ordered, chosen, words)


def _by_species(structure: Structure) -> Structure:
    """A cell of the same symmetry in which every kind of occupation is an element of its own."""
    kinds = sorted({s.species_string for s in structure})
    symbols = [_HOLDERS[kinds.index(s.species_string)] for s in structure]
    return Structure(structure.lattice, symbols, structure.frac_coords)


_HOLDERS = [str(Element.from_Z(z)) for z in range(1, 90)]


def _occupancies(structure: Structure, group: Sequence[int]) -> dict[str, float]:
    out: dict[str, float] = {}
    for species, share in structure[group[0]].species.items():
        out[str(species.symbol)] = out.get(str(species.symbol), 0.0) + float(share)
    return out


def _fewest_cells(structure: Structure, groups: Sequence[Sequence[int]], most_atoms: int) -> int:
    """Fewest cells that meet the occupancies; where none does, those that come nearest."""
    # Empty places are no atoms.
    atoms = float(structure.composition.num_atoms)
    largest = max(1, math.floor(most_atoms / atoms + 0.01))
    off = {n: _off(structure, groups, n) for n in range(1, largest + 1)}
    while min(off.values()) > _ROUGHEST and (largest + 1) * atoms <= _LARGEST_ATOMS:
        largest += 1
        off[largest] = _off(structure, groups, largest)
    exact = [n for n, d in off.items() if d <= _EXACT]
    return exact[0] if exact else min(off, key=lambda n: (round(off[n], 6), n))


def _off(structure: Structure, groups: Sequence[Sequence[int]], cells: int) -> float:
    """Largest difference of an occupancy in whole ions from the file's."""
    worst = 0.0
    for group in groups:
        places = len(group) * cells
        for share in _occupancies(structure, group).values():
            worst = max(worst, abs(round(share * places) / places - share))
    return worst


def _supercell(
    structure: Structure, groups: Sequence[Sequence[int]], cells: int
) -> tuple[Structure, list[_Mixed], float]:
    marked = _by_species(structure)
    marked.add_site_property("of", list(range(len(marked))))
    big = general_supercell(marked, most_distant_images(marked, cells))
    of = [int(s.properties["of"]) for s in big]
    symbols = [
        next(iter(structure[i].species)).symbol if structure[i].is_ordered else structure[i].species_string for i in of
    ]
    shares = [_occupancies(structure, group) for group in groups]
    sites = [tuple(n for n, i in enumerate(of) if i in group) for group in groups]
    places = [len(own) for own in sites]
    rounded = [whole_counts(s, n) for s, n in zip(shares, places, strict=True)]
    full = Counter(symbol for symbol, i in zip(symbols, of, strict=True) if structure[i].is_ordered)
    counts = neutral_counts(shares, rounded, places, full)
    off = max(deviation(s, c, n) for s, c, n in zip(shares, counts, places, strict=True))
    properties: dict[str, list[object]] = {"element": list(symbols)}
    moments = structure.site_properties.get("magmom")
    if moments is not None:
        properties["magmom"] = [moments[i] for i in of]
    named = Structure(big.lattice, ["X"] * len(big), big.frac_coords, site_properties=properties)
    return named, [_Mixed(own, c) for own, c in zip(sites, counts, strict=True)], off


def _arrangements(mixed: _Mixed) -> int:
    rest = len(mixed.sites)
    out = 1
    for count in mixed.counts.values():
        out *= math.comb(rest, count)
        rest -= count
    return out


def _best_of(cell: Structure, mixed: Sequence[_Mixed], arrangements: Iterable[list[list[str]]]) -> list[list[str]]:
    """The arrangement whose pairs are nearest to random, the first of equal ones."""
    shells, split = [_shell_pairs(cell, m) for m in mixed], _nearer(cell, mixed, SPLIT_A)
    best: tuple[float, list[list[str]]] | None = None
    for cells in arrangements:
        misfit = sum(_misfit(m, names, pairs) for m, names, pairs in zip(mixed, cells, shells, strict=True))
        misfit += _PRICE_OF_A_PAIR * _crowded_pairs(mixed, cells, split)
        if best is None or misfit < best[0] - 1e-9:
            best = misfit, cells
    if best is None:
        raise StructureError(
            f"the partially occupied sites lie nearer than {CLOSEST_A} A to each other and cannot all be filled as the "
            "occupancies say: give an ordered cell, or correct the split sites"
        )
    return best[1]


def _all(cell: Structure, mixed: Sequence[_Mixed]) -> Iterator[list[list[str]]]:
    """Every arrangement in which no ion stands on top of another."""
    near = _nearer(cell, mixed, CLOSEST_A)
    for names in itertools.product(*(tuple(_distinct_orders(m.occupants())) for m in mixed)):
        taken = {
            site for m, own in zip(mixed, names, strict=True) for site, name in zip(m.sites, own, strict=True) if name
        }
        if not any(near.get(site, set()) & taken for site in taken):
            yield [list(own) for own in names]


def _distinct_orders(occupants: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Orders of a list with equal entries, each once."""
    if not occupants:
        yield ()
        return
    for first in sorted(set(occupants)):
        rest = list(occupants)
        rest.remove(first)
        for others in _distinct_orders(rest):
            yield (first, *others)


def _random(cell: Structure, mixed: Sequence[_Mixed], seed: int, method: Method) -> Iterator[list[list[str]]]:
    """Random arrangements, no ion on top of another: the first that fills no split sites at once, or all."""
    generator, near = np.random.default_rng(seed), _nearer(cell, mixed, CLOSEST_A)
    split = _nearer(cell, mixed, SPLIT_A)
    spare = None
    for _ in range(_TRIES):
        made = _arranged(mixed, near, split, generator)
        if made is None:
            continue
        if method == "random" and _crowded_pairs(mixed, made, split):
            spare = spare or made
            continue
        yield made
        if method == "random":
            return
    if spare is not None:
        yield spare


def _arranged(
    mixed: Sequence[_Mixed],
    near: Mapping[int, set[int]],
    split: Mapping[int, set[int]],
    generator: np.random.Generator,
) -> list[list[str]] | None:
    """Occupants of the mixed sites in random places, none on top of another; None if that came out.

    Of split sites a second one is filled only where no other place is left.
    """
    taken: set[int] = set()
    out = []
    for m in mixed:
        names = dict.fromkeys(m.sites, "")
        left = [name for name in m.occupants() if name]
        order = [m.sites[int(place)] for place in generator.permutation(len(m.sites))]
        for avoid, site in itertools.product((split, near), order):
            if left and not names[site] and not avoid.get(site, set()) & taken:
                names[site] = left.pop(int(generator.integers(len(left))))
                taken.add(site)
        if left:
            return None
        out.append([names[s] for s in m.sites])
    return out


def _nearer(cell: Structure, mixed: Sequence[_Mixed], radius_A: float) -> dict[int, set[int]]:
    """Partially occupied places by place, nearer than a radius; beyond `CLOSEST_A` those of hydrogen are left aside."""
    first, second, _, _ = cell.get_neighbor_list(radius_A)
    inside = {s for m in mixed if radius_A <= CLOSEST_A or "H" not in m.counts for s in m.sites}
    out: dict[int, set[int]] = {}
    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        if i in inside and j in inside:
            out.setdefault(i, set()).add(j)
    return out


def _crowded_pairs(mixed: Sequence[_Mixed], names: Sequence[Sequence[str]], split: Mapping[int, set[int]]) -> int:
    """How many pairs of split sites are both filled."""
    filled = {s for m, own in zip(mixed, names, strict=True) for s, name in zip(m.sites, own, strict=True) if name}
    return sum(len(split.get(site, set()) & filled) for site in filled) // 2


def _shell_pairs(cell: Structure, mixed: _Mixed) -> list[np.ndarray]:
    """Pairs of places (positions in the list of sites) by shell, each of shape (n, 2), the nearest shells first."""
    sites = list(mixed.sites)
    apart = cell.lattice.get_all_distances(cell.frac_coords[sites], cell.frac_coords[sites])
    radii: list[float] = []
    for d in np.sort(apart[apart > CLOSEST_A]):
        if not radii or d - radii[-1] > _SHELL_A:
            radii.append(float(d))
    return [np.argwhere(np.abs(apart - r) <= _SHELL_A) for r in radii[:_SHELLS]]


def _misfit(mixed: _Mixed, names: Sequence[str], shells: Sequence[np.ndarray]) -> float:
    """Warren-Cowley parameters of all pairs of occupants, near shells counting most; 0 is random."""
    array = np.array(names)
    total = 0.0
    for number, pairs in enumerate(shells, start=1):
        for name in sorted(set(names)):
            own = array == name
            share, around = float(np.mean(own)), own[pairs[own[pairs[:, 0]], 1]]
            if len(around) and share < 1:
                total += abs(float(np.mean(around)) - share) / (1 - share) / number
    return total


def _filled(cell: Structure, mixed: Sequence[_Mixed], names: Sequence[Sequence[str]]) -> Structure:
    symbols = [str(s.properties["element"]) for s in cell]
    for m, chosen in zip(mixed, names, strict=True):
        for site, name in zip(m.sites, chosen, strict=True):
            symbols[site] = name
    filled = [i for i, symbol in enumerate(symbols) if symbol]
    moments = cell.site_properties.get("magmom")
    properties = {} if moments is None else {"magmom": [moments[i] for i in filled]}
    return Structure(cell.lattice, [symbols[i] for i in filled], cell.frac_coords[filled], site_properties=properties)


def _sites_in_words(structure: Structure, groups: Sequence[Sequence[int]]) -> str:
    words = []
    for group in groups:
        shares = _occupancies(structure, group)
        words.append("/".join(f"{symbol} {share:.3g}" for symbol, share in sorted(shares.items())))
    return "partially occupied sites (" + ", ".join(words) + ")"
