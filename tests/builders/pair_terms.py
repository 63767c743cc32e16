"""A term of a pair potential as the calculator sums it, without its splines."""

from __future__ import annotations

from magnetoionics.calculators.potentials import PairPotential, PairTerm, tapered
from numpy.typing import NDArray


def short_range(model: PairPotential, term: PairTerm, distance_A: NDArray) -> tuple[NDArray, NDArray]:
    """Energy (eV) and dE/dr (eV/Angstrom) with the taper."""
    return tapered(term, distance_A, model.cutoff, model.taper)
