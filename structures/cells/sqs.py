"""Special quasirandom cation orders, by the library sqsgenerator, and their short-range order.

sqsgenerator (MIT, wheels for all Pythons that we support, needs only NumPy) is used because it optimises
Warren-Cowley parameters from a seed without an external program; pymatgen's own interface calls ATAT or icet.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from pymatgen.core import Structure

from .cation_order import decorated, inversion_counts, sites_on

# Shells of the sublattice: weights fall as 1/n, so that near pairs count most.
DEFAULT_SHELLS = 3
_SAME_SHELL_A = 0.05


class MissingLibraryError(ImportError):
    """A library that an optional feature needs is not installed; the message says which."""


def sqs_spinel(
    parent: Structure,
    divalent: str,
    trivalent: str,
    inversion: float,
    seed: int,
    iterations: int = 50_000,
    shells: int = DEFAULT_SHELLS,
) -> Structure:
    """Cation order of a given inversion degree whose pairs are as random as the cell allows.

    Parameters
    ----------
    parent
        Spinel cell with dummy species and the property ``sublattice``.
    divalent, trivalent
        Element symbols of M2+ and M3+.
    inversion
        Share of the A sites with M3+, 0 to 1; A and B are optimised one by one.
    seed
        Same seed, same cell.
    iterations
        Orders that are tried per sublattice.
    shells
        Neighbour shells of the sublattice that count; at most those that the cell has by nearest images.

    Returns
    -------
    Structure
        With properties ``sublattice`` and ``valence``.

    Raises
    ------
    MissingLibraryError
        If sqsgenerator is not installed.
    ValueError
        If the cell cannot hold the inversion degree in whole ions.
    """
    counts = inversion_counts(parent, inversion)
    chosen: list[int] = []
    for label, count in counts.items():
        sites = sites_on(parent, label)
        if count in (0, len(sites)):
            chosen += sites[:count]
            continue
        chosen += _most_random(parent, sites, count, seed, iterations, shells)
    return decorated(parent, divalent, trivalent, chosen)


def short_range_order(structure: Structure, sublattice: str, element: str, shells: int = DEFAULT_SHELLS) -> list[float]:
    """Warren-Cowley parameters of one element against all others on a sublattice.

    Parameters
    ----------
    structure
        Decorated cell.
    sublattice, element
        Whose pairs.
    shells
        Number of neighbour shells of the sublattice.

    Returns
    -------
    list of float
        ``1 - P(other | element) / share of others`` per shell: 0 random, negative alternating,
        positive clustering.

    Raises
    ------
    ValueError
        If the sublattice holds one kind of ion only.
    """
    sites = sites_on(structure, sublattice)
    is_element = np.array([structure[i].specie.symbol == element for i in sites])
    share = float(np.mean(~is_element))
    if share in (0.0, 1.0):
        raise ValueError(f"sublattice {sublattice} holds no mixture of {element} with others")
    shell = Structure(structure.lattice, ["X"] * len(sites), structure.frac_coords[sites])
    centres, points, _, distances = shell.get_neighbor_list(_reach(shell, shells))
    out = []
    for radius in _radii(distances)[:shells]:
        here = np.abs(distances - radius) < _SAME_SHELL_A
        of_element = here & is_element[centres]
        out.append(1.0 - float(np.mean(~is_element[points[of_element]])) / share)
    return out


def _reach(cell: Structure, shells: int) -> float:
    reach = 3.0
    while len(_radii(cell.get_neighbor_list(reach)[3])) < shells:
        reach += 1.0
    return reach


def _radii(distances: np.ndarray) -> list[float]:
    out: list[float] = []
    for d in np.sort(distances):
        if not out or d - out[-1] > _SAME_SHELL_A:
            out.append(float(d))
    return out


def _most_random(parent: Structure, sites: list[int], count: int, seed: int, iterations: int, shells: int) -> list[int]:
    library = _library()
    # A small cell has fewer shells by nearest images, and the library refuses those that it has not.
    apart = parent.lattice.get_all_distances(parent.frac_coords[sites], parent.frac_coords[sites])
    shells = min(shells, len(_radii(apart[apart > _SAME_SHELL_A])))
    configuration = {
        "structure": {
            "lattice": parent.lattice.matrix.tolist(),
            "coords": parent.frac_coords[sites].tolist(),
            "species": ["Co"] * len(sites),
        },
        "sublattice_mode": "interact",
        "composition": {"Co": count, "Fe": len(sites) - count},
        "iterations": iterations,
        "shell_weights": {n: 1.0 / n for n in range(1, shells + 1)},
        "seed": seed,
        # One thread: with more, the same seed gives different cells.
        "thread_config": [1],
    }
    # The pack owns its results: it has to live while they are read.
    pack = library.optimize(library.parse_config(configuration))
    results = dict(pack)
    # Which of the equally good orders counts as the best depends on the run; the first in the alphabet does not.
    symbols = min(list(result.structure().symbols) for result in results[min(results)])
    return [site for site, symbol in zip(sites, symbols, strict=True) if symbol == "Co"]


def _library() -> Any:
    try:
        return importlib.import_module("sqsgenerator")
    except ImportError as error:
        raise MissingLibraryError(
            "special quasirandom orders need the package sqsgenerator: pip install 'magnetoionics[sqs]'; "
            "random orders with a seed (random_spinel) need nothing"
        ) from error
