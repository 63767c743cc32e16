"""Two Co beside each other in ZnO, parallel against antiparallel, by first principles that the package ships."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from ...structures.units import BOLTZMANN_eV_PER_K
from ..results.calculation import Calculation
from ..results.document import Document
from ..study.reference_calculations import (
    ReferenceCalculation,
    forces_in_words,
    largest_force_eV_per_A,
    reference_calculations_folder,
)
from .first_principles import SETS_OF_U

# Cells by the head of their calculations' names: the oxygen between the two Co is there, or not.
WITH_OXYGEN, WITHOUT_OXYGEN = "znoco32", "znoco32vo"
CELLS = {WITH_OXYGEN: "with the oxygen between them", WITHOUT_OXYGEN: "without it"}
_PARALLEL = "-fm"
# Electrons of an ion outside the core of GPAW's data sets: the cycle ends by the energy of each.
_ELECTRONS = {"Co": 9.0, "Zn": 12.0, "O": 6.0}
_ROOM_K = 300.0
# Neighbours in ZnO by neutrons and paramagnetic resonance, from the abstract; and by DFT+U of another group.
MEASURED = (
    "Measured without vacancies: both exchanges of neighbours are antiparallel, -25.6 and -8.5 K (D'Ambrosio et al., "
    "Phys. Rev. B 86, 2012), and so are those of another DFT+U (10.1103/PhysRevB.79.125202)"
)


class CobaltPair(Document):
    """What it costs to turn one of two neighbouring Co against the other.

    Attributes
    ----------
    cell, hubbard_U_eV
        One of `CELLS`, and U of Co.
    antiparallel_minus_parallel_meV
        Energies of one cell with the same ions; positive where the larger moment is the stabler.
    error_meV
        What the ends of both cycles leave open: their bounds for each electron, times the electrons, added.
    parallel_muB, antiparallel_muB
        Moments of the cell in both states.
    largest_force_eV_per_A
        What is left on the ions.
    cell_atoms, source
        In the cell, and the names of the calculations.
    """

    cell: str
    hubbard_U_eV: float
    antiparallel_minus_parallel_meV: float
    error_meV: float
    parallel_muB: float
    antiparallel_muB: float
    largest_force_eV_per_A: float | None = None
    cell_atoms: int
    source: str


@cache
def known_pairs() -> tuple[CobaltPair, ...]:
    """All that are shipped with both senses, by U."""
    cobalt_pairs = []
    for path in sorted(reference_calculations_folder().glob("znoco*-fm*.json")):
        other = path.with_name(path.name.replace(_PARALLEL, "-afm"))
        if not other.exists():
            continue
        along, against = (
            ReferenceCalculation.model_validate_json(path.read_text()).sound,
            ReferenceCalculation.model_validate_json(other.read_text()).sound,
        )
        if along is None or against is None:
            continue
        cobalt_pairs.append(
            CobaltPair(
                cell=path.stem.partition("-")[0],
                hubbard_U_eV=along.provenance.hubbard_U_eV["Co"],
                antiparallel_minus_parallel_meV=1e3 * (against.energy_eV - along.energy_eV),
                error_meV=1e3 * (_open_eV(along) + _open_eV(against)),
                parallel_muB=along.total_moment_muB,
                antiparallel_muB=against.total_moment_muB,
                largest_force_eV_per_A=largest_force_eV_per_A([along, against]),
                cell_atoms=len(along.structure),
                source=f"data/gpaw/{path.name}, {other.name}",
            )
        )
    return tuple(sorted(cobalt_pairs, key=lambda pair: (pair.hubbard_U_eV, pair.cell)))


def _open_eV(made: Calculation) -> float:
    electrons = sum(_ELECTRONS[site.specie.symbol] for site in made.structure)
    return float(made.provenance.settings["energy_eV"]) * electrons


def pairs_in_words(pairs: Sequence[CobaltPair]) -> str:
    """One clause for each U; empty without pairs."""
    clauses = [
        f"U = {pair.hubbard_U_eV:g} eV, {CELLS[pair.cell]}: {pair.antiparallel_minus_parallel_meV:+.1f} "
        f"+-{pair.error_meV:.1f} meV "
        f"({pair.parallel_muB:.2f} and {pair.antiparallel_muB:.2f} muB)"
        for pair in pairs
    ]
    if not clauses:
        return ""
    by_place = {(pair.hubbard_U_eV, pair.cell): pair for pair in pairs}
    turned = [
        f"{bare.antiparallel_minus_parallel_meV - whole.antiparallel_minus_parallel_meV:+.1f} "
        f"+-{bare.error_meV + whole.error_meV:.1f} meV for U = {u:g} eV"
        for (u, cell), bare in by_place.items()
        if cell == WITHOUT_OXYGEN and (whole := by_place.get((u, WITH_OXYGEN))) is not None
    ]
    clauses += [f"so that the vacancy moves the coupling towards parallel by {', '.join(turned)}"] if turned else []
    left = forces_in_words(pair.largest_force_eV_per_A for pair in pairs)
    return (
        f"gpaw, PBE+U in atomic orbitals (dzp) at Gamma, 31 or 32 atoms of ZnO with two Co that share an "
        f"oxygen, ions by a potential{left}; antiparallel minus parallel, and the moments of both: "
        f"{'; '.join(clauses)}. {_of_the_moment(pairs)}{MEASURED}"
    )


def _of_the_moment(pairs: Sequence[CobaltPair]) -> str:
    """What they say of the claim's larger moment; empty unless `SETS_OF_U` sets of U agree beyond their errors."""
    bare = [pair for pair in pairs if pair.cell == WITHOUT_OXYGEN]
    if len(bare) < SETS_OF_U or any(abs(p.antiparallel_minus_parallel_meV) <= p.error_meV for p in bare):
        return ""
    signs = {p.antiparallel_minus_parallel_meV > 0 for p in bare}
    if len(signs) > 1:
        return ""
    sets = ", ".join(f"{p.hubbard_U_eV:g}" for p in bare)
    largest = max(abs(p.antiparallel_minus_parallel_meV) for p in bare)
    lower = "parallel" if signs.pop() else "antiparallel"
    room = 1e3 * BOLTZMANN_eV_PER_K * _ROOM_K
    heat = "less" if largest < room else "more"
    return (
        f"At the vacancy the {lower} pair lies lower for all of U = {sets} eV, by at most {largest:.1f} meV, {heat} "
        f"than kT at {_ROOM_K:g} K ({room:.0f} meV); ions relaxed by the same electrons, coercivity and a whole "
        "filament are not computed. "
    )
