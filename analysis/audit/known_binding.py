"""What Co beside V_Fe(B) does to it in a quasi-random cell of cobalt ferrite, by shipped first principles, U by U."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from ..defects.binding import SIGNIFICANT, Effect
from ..results.document import Document
from ..study.documents import Verdict
from ..study.reference_calculations import ReferenceCalculation, reference_calculations_folder
from .evidence import Judgement
from .first_principles import SETS_OF_U

HEAD = "cfo56vfe"
# Constant, per neighbour, per pair in line.
_PARAMETERS = 3


class Surroundings(NamedTuple):
    """Co on the six nearest places of B, pairs of them in line with the vacancy, and the energy of the cell (eV)."""

    neighbours: int
    pairs: int
    energy_eV: float


class KnownBinding(Document):
    """Energies of V_Fe(B) in one cell at one U, ``E = E0 + b n + c p`` for n Co beside it and p pairs of them in line.

    Attributes
    ----------
    hubbard_U_eV
        By element.
    above_lowest_eV
        By (Co, pairs) in words, the lowest first.
    per_neighbour, between_two
        b, and 2b + c: one pair in line against no Co at all.
    cell_atoms, source
        In the cell, and the pattern of names of the calculations.
    """

    hubbard_U_eV: dict[str, float]
    above_lowest_eV: dict[str, float]
    per_neighbour: Effect
    between_two: Effect
    cell_atoms: int
    source: str

    @property
    def in_words(self) -> str:
        """One clause."""
        u = ", ".join(f"{element} {value:g}" for element, value in sorted(self.hubbard_U_eV.items()))
        each = ", ".join(f"{name} {energy:+.2f}" for name, energy in self.above_lowest_eV.items())
        both = self.between_two
        return f"U = {u} eV: {each} eV, which is {both.value_eV:+.2f} ± {both.error_eV:.2f} eV for a place between two"


@cache
def known_bindings() -> tuple[KnownBinding, ...]:
    """One for each set of U with more surroundings than the fit has parameters."""
    by_u: dict[tuple[tuple[str, float], ...], list[Surroundings]] = {}
    atoms = 0
    for path in sorted(reference_calculations_folder().glob(f"{HEAD}*.json")):
        made = ReferenceCalculation.model_validate_json(path.read_text()).sound
        if made is None:
            continue
        atoms = len(made.structure)
        neighbours, pairs = map(int, path.stem.removeprefix(HEAD)[:2])
        there = {str(element) for element in made.structure.composition.elements}
        u = tuple(sorted((e, value) for e, value in made.provenance.hubbard_U_eV.items() if e in there))
        by_u.setdefault(u, []).append(Surroundings(neighbours, pairs, made.energy_eV))
    enough = {u: places for u, places in by_u.items() if len(places) > _PARAMETERS}
    return tuple(_binding(dict(u), places, atoms) for u, places in sorted(enough.items()))


def _binding(u: dict[str, float], places: list[Surroundings], atoms: int) -> KnownBinding:
    design = np.array([[1.0, s.neighbours, s.pairs] for s in places])
    energies = np.array([s.energy_eV for s in places])
    values, *_ = np.linalg.lstsq(design, energies, rcond=None)
    left = energies - design @ values
    covariance = float(left @ left) / (len(places) - _PARAMETERS) * np.linalg.inv(design.T @ design)
    each, both = (
        Effect(value_eV=float(row @ values), error_eV=float(np.sqrt(row @ covariance @ row)))
        for row in (np.array([0.0, 1.0, 0.0]), np.array([0.0, 2.0, 1.0]))
    )
    lowest = float(energies.min())
    ordered = sorted(places, key=lambda s: s.energy_eV)
    return KnownBinding(
        hubbard_U_eV=u,
        above_lowest_eV={_in_words(s): s.energy_eV - lowest for s in ordered},
        per_neighbour=each,
        between_two=both,
        cell_atoms=atoms,
        source=f"data/gpaw/{HEAD}*.json",
    )


def _in_words(s: Surroundings) -> str:
    return f"{s.neighbours} Co ({s.pairs} in line)" if s.pairs else f"{s.neighbours} Co"


def beside_binding(own: Judgement) -> Judgement:
    """C6 with shipped first principles; they decide once `SETS_OF_U` sets of U find the same significant sign."""
    known = known_bindings()
    if not known:
        return own
    signs = {k.between_two.sign for k in known}
    verdict: Verdict = "undecided"
    why = f", no sign beyond {SIGNIFICANT:g} standard errors that all of them share"
    if len(known) >= SETS_OF_U and len(signs) == 1 and signs != {0}:
        verdict, why = ("reproduced" if signs == {-1} else "contradicted"), ""
    elif len(known) < SETS_OF_U:
        why = f"; a verdict of DFT+U asks for {SETS_OF_U} sets of U"
    text = (
        f"gpaw, PBE+U in atomic orbitals (dzp) at Gamma, {known[0].cell_atoms} atoms, quasi-random inverse cell, ions "
        f"by a potential, neutral V_Fe(B) above the lowest of its places by the Co among the six cations around it: "
        f"{'; '.join(k.in_words for k in known)}{why}; {own.reason}"
    )
    value = min((k.between_two.value_eV for k in known), key=abs)
    return Judgement(verdict, value, "eV between two Co", text, by="gpaw (GPAW)")
