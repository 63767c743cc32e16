"""Parallel against antiparallel Co of SrCoO3, whole, strained and without an oxygen, by first principles that ship."""

from __future__ import annotations

import re
from functools import cache
from statistics import fmean

from ...structures.units import BOLTZMANN_eV_PER_K
from ..results.calculation import Calculation
from ..results.document import Document
from ..study.reference_calculations import ReferenceCalculation, reference_calculations_folder
from .first_principles import SETS_OF_U
from .known_bands import SAME_STATE_muB

# Cells by the head of their calculations' names.
WHOLE, TENSILE, WITHOUT_OXYGEN = "srcoo3", "srcoo3tensile", "srcoo3vo"
CELLS = {WHOLE: "whole", TENSILE: "stretched by 3 % in the plane", WITHOUT_OXYGEN: "with one V_O for two Co"}
_NAME = re.compile(r"(?P<cell>srcoo3[a-z]*)-pw\d+-k\d+-(?P<spins>fm|afm)(-[a-z]\w*)*")
# Measured: SrCoO3 is a ferromagnet, SrCoO2.5 an antiferromagnet (as quoted in 10.1103/PhysRevB.92.094427).
MEASURED = (
    "measured: SrCoO3 is ferromagnetic below 260 to 305 K as quoted in 10.1103/PhysRevB.92.094427, SrCoO2.5 "
    "antiferromagnetic below 570 K (general literature)"
)


class CobaltateExchange(Document):
    """What it costs to turn every second Co of SrCoO3 against its six neighbours.

    Attributes
    ----------
    cell, hubbard_U_eV
        One of `CELLS`, and U of Co.
    antiparallel_minus_parallel_meV
        Per Co; positive for a ferromagnet.
    parallel_site_muB, antiparallel_site_muB
        Mean size of the moment on Co in both states.
    source
        Names of both calculations.
    """

    cell: str
    hubbard_U_eV: float
    antiparallel_minus_parallel_meV: float
    parallel_site_muB: float
    antiparallel_site_muB: float
    source: str

    @property
    def same_state(self) -> bool:
        """Whether Co keeps its moment when it is turned: else the energy is that of another electronic state, too."""
        return abs(self.parallel_site_muB - self.antiparallel_site_muB) < SAME_STATE_muB

    @property
    def in_words(self) -> str:
        """Energy, U, and the temperature or why there is none."""
        energy = f"{self.antiparallel_minus_parallel_meV:+.0f} for U = {self.hubbard_U_eV:g} eV"
        if self.same_state:
            return f"{energy} ({self.mean_field_T_K:+.0f} K, {self.parallel_site_muB:.2f} muB on Co)"
        return (
            f"{energy} ({self.parallel_site_muB:.2f} muB on Co parallel, {self.antiparallel_site_muB:.2f} antiparallel)"
        )

    @property
    def mean_field_T_K(self) -> float:
        """Ordering temperature of classical spins with neighbours alone, mean field: a third of the energy over k.

        Energies -J/2 sum e.e of z neighbours give a difference of z J and kT = z J/3 (Kittel, Introduction to Solid
        State Physics); negative for an antiferromagnet.
        """
        return self.antiparallel_minus_parallel_meV / (3e3 * BOLTZMANN_eV_PER_K)


@cache
def known_cobaltates() -> tuple[CobaltateExchange, ...]:
    """All that are shipped with both senses, the lowest sound electronic start of each; by cell and U."""
    starts: dict[tuple[str, float], dict[str, list[Calculation]]] = {}
    for path in sorted(reference_calculations_folder().glob("srcoo3*.json")):
        named, calculation = (
            _NAME.fullmatch(path.stem),
            ReferenceCalculation.model_validate_json(path.read_text()).sound,
        )
        if named and calculation is not None:
            of_cell = starts.setdefault((named["cell"], calculation.provenance.hubbard_U_eV["Co"]), {})
            of_cell.setdefault(named["spins"], []).append(calculation)
    made = []
    for (cell, u), senses in starts.items():
        if set(senses) != {"fm", "afm"}:
            continue
        along, against = (min(senses[sense], key=lambda each: each.energy_eV) for sense in ("fm", "afm"))
        cobalt = sum(site.specie.symbol == "Co" for site in along.structure)
        on_cobalt = [
            fmean(
                abs(moment)
                for site, moment in zip(each.structure, each.site_moments_muB or [], strict=True)
                if site.specie.symbol == "Co"
            )
            for each in (along, against)
        ]
        made.append(
            CobaltateExchange(
                cell=cell,
                hubbard_U_eV=u,
                antiparallel_minus_parallel_meV=1e3 * (against.energy_eV - along.energy_eV) / cobalt,
                parallel_site_muB=on_cobalt[0],
                antiparallel_site_muB=on_cobalt[1],
                source=f"data/gpaw: {along.name}, {against.name}",
            )
        )
    return tuple(sorted(made, key=lambda each: (list(CELLS).index(each.cell), each.hubbard_U_eV)))


def cobaltates_in_words() -> str:
    """Every cell with its U, and what an oxygen less does; empty without calculations."""
    made = known_cobaltates()
    if not made:
        return ""
    of = {(each.cell, each.hubbard_U_eV): each for each in made}
    clauses = []
    for cell, name in CELLS.items():
        each = [e for e in made if e.cell == cell]
        if each:
            clauses.append(f"{name} {', '.join(e.in_words for e in each)}")
    shifts = [
        of[WITHOUT_OXYGEN, u].antiparallel_minus_parallel_meV - whole.antiparallel_minus_parallel_meV
        for (cell, u), whole in of.items()
        if cell == WHOLE and (WITHOUT_OXYGEN, u) in of and whole.same_state and of[WITHOUT_OXYGEN, u].same_state
    ]
    turned = ""
    if len(shifts) >= SETS_OF_U and (max(shifts) < 0 or min(shifts) > 0):
        way = "antiparallel" if shifts[0] < 0 else "parallel"
        turned = f"; in all {len(shifts)} sets of U missing oxygen moves the coupling towards {way}"
    if not all(e.same_state for e in made):
        turned += (
            f"; where the moments on Co differ by {SAME_STATE_muB:g} muB and more the two are not one electronic "
            "state, so that their energies give no exchange and no temperature"
        )
    against = [f"{e.hubbard_U_eV:g}" for e in made if e.cell == WHOLE and e.antiparallel_minus_parallel_meV < 0]
    if against:
        turned += (
            f"; with U = {' and '.join(against)} eV the whole crystal comes out antiparallel, against the measurement, "
            "so that these energies decide nothing"
        )
    return (
        "in SrCoO3, where oxygen is gated too, gpaw, PBE+U, 9 or 10 atoms, antiparallel minus parallel neighbours in "
        f"meV per Co (mean field of neighbours alone): {'; '.join(clauses)}{turned}; {MEASURED}"
    )
