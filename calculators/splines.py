"""Splines of the functions that pairs need, so that a pair costs two short polynomials.

Fifth degree on equal steps: the slope of the error function is right to 1e-12, that of a short-range term to 1e-8
eV/Angstrom from 1.3 Angstrom on and to 1e-7 of itself below. Where a term's own third derivative jumps (the end of the
core of Lewis and Catlow) it is right to 5e-6. Energy and force come from one polynomial and always belong together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PPoly, make_interp_spline
from scipy.special import erfc

from .potentials import PairTerm, tapered

FloatArray = NDArray[np.float64]

ERFC_STEPS: float = 256.0
"""Steps of the complementary error function's spline per unit."""
# erfc is 2e-17 there.
_ERFC_END = 6.0
_STEPS_PER_TAPER = 128
# Far below any distance that a rigid-ion model knows.
_SHORTEST_A = 0.4


@dataclass(frozen=True)
class TermSplines:
    """Short-range terms of a potential, taper included.

    Parameters
    ----------
    tables : numpy.ndarray
        Coefficients of each step, highest power first, in units of a step; eV, shape (n_terms, n_steps, 6).
    start, cutoff : float
        Where the splines begin and end, Angstrom.
    steps : float
        Per Angstrom.
    """

    tables: FloatArray
    start: float
    cutoff: float
    steps: float


@cache
def erfc_spline() -> FloatArray:
    """Complementary error function from 0 to 6, `ERFC_STEPS` to a unit; shape (n_steps, 6)."""
    nodes = np.arange(int(_ERFC_END * ERFC_STEPS) + 1) / ERFC_STEPS
    return _coefficients(erfc(nodes))


@lru_cache(maxsize=64)
def term_splines(terms: tuple[PairTerm, ...], cutoff: float, taper: float) -> TermSplines:
    """Splines of terms that end in a taper.

    Parameters
    ----------
    terms : tuple of PairTerm
        In the order of the tables; hashable, as a frozen dataclass is.
    cutoff, taper : float
        End, and length of the taper before it, Angstrom.
    """
    flat = cutoff - taper
    step = taper / _STEPS_PER_TAPER
    # A node lies where the taper begins, as the third derivative jumps there.
    inner = np.asarray(flat - step * np.arange(int((flat - _SHORTEST_A) / step), -1, -1), dtype=np.float64)
    outer = np.asarray(flat + step * np.arange(_STEPS_PER_TAPER + 1), dtype=np.float64)
    tables = [
        np.concatenate([_coefficients(tapered(term, part, cutoff, taper)[0]) for part in (inner, outer)])
        for term in terms
    ]
    none = np.empty((0, len(inner) + len(outer) - 2, 6))
    return TermSplines(np.stack(tables) if tables else none, float(inner[0]), cutoff, 1.0 / step)


def _coefficients(values: FloatArray) -> FloatArray:
    """Coefficients of the steps between equally spaced values, highest power first, shape (n - 1, 6)."""
    places = np.arange(len(values), dtype=float)
    spline = PPoly.from_spline(make_interp_spline(places, values, k=5).tck)
    factorials = (1.0, 1.0, 2.0, 6.0, 24.0, 120.0)
    powers = [spline(places[:-1], order) / f for order, f in enumerate(factorials)]
    return np.ascontiguousarray(np.stack(powers[::-1], axis=1))
