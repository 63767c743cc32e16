"""Orders of cobalt ferrite beside a quasi-random and a half inverted cell, by shipped first principles, U by U."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from ..defects.inversion import inversion_degree
from ..results.calculation import Calculation
from ..results.document import Document
from ..study.reference_calculations import (
    ReferenceCalculation,
    forces_in_words,
    hubbard_U_eV_of,
    largest_force_eV_per_A,
    reference_calculations_folder,
    u_in_words,
)
from .known_orders import FREEZING_K, QUADRATIC_eV

HEAD = "cfo56"
# By the names of the calculations; the normal order is what they are held against.
NORMAL = "normal"
TITLES = {"imma": "Imma", "p4122": "P4_122", "sqs": "quasi-random inverse", "half": "half inverted"}


class DisorderEnergies(Document):
    """Energies of cells of 56 atoms at one U.

    Attributes
    ----------
    hubbard_U_eV
        By element.
    above_normal_eV_per_formula
        By one of `TITLES`; negative where it is stabler than the normal order.
    cell_atoms, ions_by, largest_force_eV_per_A, source
        In the cell, what relaxed the ions, what that left on them, and the pattern of names of the calculations.
    """

    hubbard_U_eV: dict[str, float]
    above_normal_eV_per_formula: dict[str, float]
    cell_atoms: int
    ions_by: str
    largest_force_eV_per_A: float | None
    source: str

    @property
    def quadratic_eV(self) -> float | None:
        """``beta`` of the enthalpy of disorder ``alpha x + beta x**2`` per formula unit at the degree of inversion x.

        Through the normal, the half inverted and the quasi-random inverse cell; None without all of them.
        """
        inverse, half = (self.above_normal_eV_per_formula.get(TITLES[key]) for key in ("sqs", "half"))
        return None if inverse is None or half is None else 2 * inverse - 4 * half

    @property
    def degree_of_inversion(self) -> float | None:
        """At rest at `FREEZING_K`, ions at random on each sublattice; None without `quadratic_eV`."""
        beta = self.quadratic_eV
        inverse = self.above_normal_eV_per_formula.get(TITLES["sqs"])
        return None if beta is None or inverse is None else inversion_degree(inverse, FREEZING_K, beta)

    @property
    def in_words(self) -> str:
        """One clause."""
        u = u_in_words(self.hubbard_U_eV)
        each = ", ".join(f"{title} {energy:+.3f}" for title, energy in self.above_normal_eV_per_formula.items())
        beta, degree = self.quadratic_eV, self.degree_of_inversion
        if beta is None or degree is None:
            return f"U = {u} eV: {each}"
        return f"U = {u} eV: {each} (quadratic term {beta:+.3f}, degree of inversion {degree:.2f})"


@cache
def known_disorder() -> tuple[DisorderEnergies, ...]:
    """One for each set of U with the normal order and one other cell at least."""
    by_u: dict[tuple[tuple[str, float], ...], dict[str, Calculation]] = {}
    for key in (NORMAL, *TITLES):
        for path in sorted(reference_calculations_folder().glob(f"{HEAD}{key}-*.json")):
            made = ReferenceCalculation.model_validate_json(path.read_text()).sound
            if made is not None:
                by_u.setdefault(tuple(sorted(hubbard_U_eV_of(made).items())), {})[key] = made
    both = {u: cells for u, cells in by_u.items() if NORMAL in cells and len(cells) > 1}
    return tuple(_energies(dict(u), both[u]) for u in sorted(both, key=lambda u: sum(value for _, value in u)))


def _energies(u: dict[str, float], cells: Mapping[str, Calculation]) -> DisorderEnergies:
    normal = cells[NORMAL]
    formulas = float(normal.structure.composition["Co"])
    ions = next(note for note in normal.provenance.left_out if note.startswith("ions relaxed by"))
    return DisorderEnergies(
        hubbard_U_eV=u,
        above_normal_eV_per_formula={
            TITLES[key]: (made.energy_eV - normal.energy_eV) / formulas for key, made in cells.items() if key != NORMAL
        },
        cell_atoms=len(normal.structure),
        ions_by=ions.removeprefix("ions relaxed by ").partition(",")[0],
        largest_force_eV_per_A=largest_force_eV_per_A(cells.values()),
        source=f"data/gpaw/{HEAD}*.json",
    )


def disorder_in_words() -> str:
    """All sets of U; empty without calculations."""
    known = known_disorder()
    if not known:
        return ""
    left = forces_in_words(k.largest_force_eV_per_A for k in known)
    return (
        f"In cells of {known[0].cell_atoms} atoms, where ions can lie at random, in atomic orbitals (dzp) at Gamma "
        f"with ions by {known[0].ions_by}{left}, one cell of each, eV/f.u. against the normal order: "
        f"{'; '.join(k.in_words for k in known)}{_of_quadratic([k.quadratic_eV for k in known])}"
    )


def _of_quadratic(terms_eV: Sequence[float | None]) -> str:
    """Why a term of more than twice the usual one is not to be trusted; empty where none is that large."""
    large = [t for t in terms_eV if t is not None and abs(t) > 2 * abs(QUADRATIC_eV)]
    said = f"; quadratic terms beyond twice the usual {QUADRATIC_eV:.2f} eV rest on one half inverted cell"
    return said if large else ""
