"""What Co beside V_Fe(B) does to it in a quasi-random cell of cobalt ferrite, by shipped calculations.

By first principles, U by U, and by the potential that relaxed the ions for them.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np

from ..defects.binding import Effect
from ..results.document import Document
from ..study.documents import Verdict
from ..study.reference_calculations import (
    ReferenceCalculation,
    StartGeometry,
    forces_in_words,
    hubbard_U_eV_of,
    largest_known,
    reference_calculations_folder,
    starts_folder,
    u_in_words,
)
from .evidence import Judgement
from .first_principles import SETS_OF_U

HEAD = "cfo56vfe"
# Constant, per neighbour, per pair in line.
_PARAMETERS = 3


class Surroundings(NamedTuple):
    """Co on the six nearest places of B, pairs of them in line with the vacancy, and the energy of the cell (eV).

    With what is left on its ions, eV/A, where that is known.
    """

    neighbours: int
    pairs: int
    energy_eV: float
    force_eV_per_A: float | None = None


class KnownBinding(Document):
    """Energies of V_Fe(B) in one cell, ``E = E0 + b n + c p`` for n Co beside it and p pairs of them in line.

    Attributes
    ----------
    engine, hubbard_U_eV
        Who said so, with which U by element (empty: none was chosen).
    charge
        Of the cell, e: at -3 the vacancy has no holes.
    above_lowest_eV
        By (Co, pairs) in words, the lowest first.
    per_neighbour, between_two
        b, and 2b + c: one pair in line against no Co at all.
    largest_force_eV_per_A
        What is left on the ions of any of the cells; None where that is not known.
    cell_atoms, source
        In the cell, and the pattern of names of the calculations.
    """

    engine: str
    hubbard_U_eV: dict[str, float]
    charge: float
    above_lowest_eV: dict[str, float]
    per_neighbour: Effect
    between_two: Effect
    largest_force_eV_per_A: float | None
    cell_atoms: int
    source: str

    @property
    def in_words(self) -> str:
        """One clause."""
        u = u_in_words(self.hubbard_U_eV)
        who = f"U = {u} eV" if u else self.engine
        each = ", ".join(f"{name} {energy:+.2f}" for name, energy in self.above_lowest_eV.items())
        both = self.between_two
        return f"{who}: {each} eV, which is {both.value_eV:+.2f} ± {both.error_eV:.2f} eV for a place between two"


@cache
def known_bindings() -> tuple[KnownBinding, ...]:
    """One for each set of U and each charge with more surroundings than the fit has parameters, neutral ones first."""
    places: dict[tuple[float, tuple[tuple[str, float], ...]], list[Surroundings]] = {}
    atoms = 0
    for path in sorted(reference_calculations_folder().glob(f"{HEAD}*.json")):
        made = ReferenceCalculation.model_validate_json(path.read_text()).sound
        if made is None:
            continue
        atoms = len(made.structure)
        electrons = -float(made.provenance.settings.get("charge", 0.0))
        kind = electrons, tuple(sorted(hubbard_U_eV_of(made).items()))
        places.setdefault(kind, []).append(
            _place(path.stem, made.energy_eV)._replace(force_eV_per_A=made.max_force_eV_per_A)
        )
    return tuple(
        _binding("gpaw", dict(u), of_kind, atoms, f"data/gpaw/{HEAD}*.json", charge=0.0 - electrons)
        for (electrons, u), of_kind in sorted(places.items())
        if len(of_kind) > _PARAMETERS
    )


@cache
def binding_by_potential() -> KnownBinding | None:
    """What the engine that relaxed the ions says itself; None without enough places."""
    starts = [
        StartGeometry.model_validate_json(path.read_text()) for path in sorted(starts_folder().glob(f"{HEAD}*.json"))
    ]
    if len(starts) <= _PARAMETERS:
        return None
    places = [_place(start.name, start.energy_eV) for start in starts]
    source = f"data/gpaw_starts/{HEAD}*.json"
    return _binding(starts[0].provenance.engine, {}, places, len(starts[0].structure), source)


def _place(name: str, energy_eV: float) -> Surroundings:
    neighbours, pairs = map(int, name.removeprefix(HEAD)[:2])
    return Surroundings(neighbours, pairs, energy_eV)


def _binding(
    engine: str, u: dict[str, float], places: list[Surroundings], atoms: int, source: str, charge: float = 0.0
) -> KnownBinding:
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
        engine=engine,
        hubbard_U_eV=u,
        charge=charge,
        above_lowest_eV={_in_words(s): s.energy_eV - lowest for s in ordered},
        per_neighbour=each,
        between_two=both,
        largest_force_eV_per_A=largest_known(s.force_eV_per_A for s in places),
        cell_atoms=atoms,
        source=source,
    )


def _in_words(s: Surroundings) -> str:
    return f"{s.neighbours} Co ({s.pairs} in line)" if s.pairs else f"{s.neighbours} Co"


def beside_binding(own: Judgement) -> Judgement:
    """C6 with shipped calculations of one quasi-random cell.

    First principles of the neutral vacancy decide once `SETS_OF_U` sets of U find the same significant sign; before
    that a study with random cells of its own keeps what it says, and else the potential decides, unless one of those
    sets finds another sign. A vacancy without holes is told beside it.
    """
    shipped, potential = known_bindings(), binding_by_potential()
    known = [k for k in shipped if not k.charge]
    every = [*shipped, *([potential] if potential is not None else [])]
    if not every:
        return own
    text = f"{_every_in_words(every)}; {own.reason}"
    if len(known) < SETS_OF_U and own.unit.startswith("eV"):
        return replace(own, reason=text)
    if len(known) >= SETS_OF_U or potential is None:
        if not known:
            return replace(own, reason=text)
        signs = {k.between_two.sign for k in known}
        decided = len(known) >= SETS_OF_U and signs in ({-1}, {1})
        shown = min(known, key=lambda k: abs(k.between_two.value_eV))
    else:
        signs = {k.between_two.sign for k in (*shipped, potential)}
        decided = signs in ({-1}, {1})
        against = [k for k in shipped if k.between_two.sign != potential.between_two.sign]
        shown = potential if decided or not against else min(against, key=lambda k: abs(k.between_two.value_eV))
    verdict: Verdict = "undecided"
    if decided:
        verdict = "reproduced" if signs == {-1} else "contradicted"
    by = "gpaw (GPAW)" if shown.hubbard_U_eV else f"{shown.engine} (ML)"
    unit = f"± {shown.between_two.error_eV:.2f} eV between two Co"
    return Judgement(verdict, shown.between_two.value_eV, unit, text, by=by)


def _every_in_words(every: list[KnownBinding]) -> str:
    text = (
        f"V_Fe(B) in one quasi-random inverse cell of {every[0].cell_atoms} atoms, above the lowest of its places by "
        "the Co among the six cations around it"
    )
    neutral = [k.in_words for k in every if k.hubbard_U_eV and not k.charge]
    filled = [k.in_words for k in every if k.charge]
    left = forces_in_words(k.largest_force_eV_per_A for k in every if k.hubbard_U_eV)
    how = f"gpaw, PBE+U in atomic orbitals (dzp) at Gamma, ions by a potential{left}"
    if neutral:
        text += f"; neutral, {how}: {'; '.join(neutral)}"
    if 0 < len(neutral) < SETS_OF_U:
        text += f" (a verdict of DFT+U asks for {SETS_OF_U} sets of U)"
    if filled:
        text += f"; with the electrons of its iron and so without holes, {how}: {'; '.join(filled)}"
    left_out = "± by the fit; ions relaxed at the measured lattice, the places of its three holes not chosen, one cell"
    by_potential = [f"neutral, {k.in_words} ({left_out})" for k in every if not k.hubbard_U_eV]
    return "; ".join([text, *by_potential])
