"""Lithium in maghemite by first principles that the package ships: voltages, moments, and where iron is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise

from pymatgen.core import PeriodicSite, Structure

from ..defects.uptake import am2_per_kg
from ..results.calculation import Calculation
from ..results.document import Document
from ..study.documents import Verdict
from ..study.reference_calculations import (
    ReferenceCalculation,
    StartGeometry,
    forces_in_words,
    reference_calculations_folder,
    starts_folder,
)
from .evidence import Judgement
from .first_principles import SETS_OF_U

# Heads of the calculations' names: the oxide with what lithium is in it, and lithium metal.
_OXIDE, _METAL = "magh", "limetal"
_FORMULA = "Fe2O3"
# An ion whose moment fell by this much from the smallest of the oxide without lithium took an electron up.
_REDUCED_muB = 0.2
_TETRAHEDRON, _BOND_A = 4, 2.5
# Below a tenth of a Bohr magneton per Fe2O3, some 3.5 Am2/kg, the moment did not change.
SMALL_muB = 0.1
_GAMMA = [1, 1, 1]
MEASURED = (
    "measured: 74 Am2/kg without lithium and 54 at about one Li, between 1.7 and 1.1 V after a slight rise (the "
    "review, after Dasgupta et al., Adv. Mater. 2014); lithium drives the iron of A in Fe3O4 into empty octahedra, by "
    "X-rays (Thackeray, David and Goodenough, Mater. Res. Bull. 17, 785 (1982))"
)


class LithiatedMaghemite(Document):
    """Maghemite with some lithium, one place of iron, one set of U.

    Attributes
    ----------
    lithium, moved
        Li per Fe2O3, and the share of the iron of A that is in octahedra.
    moved_along
        Whether moved iron is parallel to that of B.
    hubbard_U_eV, k_mesh
        U of Fe, and points.
    energy_eV, moment_muB
        Per Fe2O3.
    reduced
        Iron ions that took an electron up, by sublattice, per Fe2O3.
    max_force_eV_per_A
        What is left on the ions, which a potential relaxed.
    cell_atoms, source
        In the cell, and the name of the calculation.
    """

    lithium: float
    moved: float
    moved_along: bool
    hubbard_U_eV: float
    k_mesh: list[int]
    energy_eV: float
    moment_muB: float
    reduced: dict[str, float]
    own_ions: bool
    max_force_eV_per_A: float | None
    cell_atoms: int
    source: str


class LithiumStep(Document):
    """From one content of lithium to another.

    Attributes
    ----------
    hubbard_U_eV, before, after
        U of Fe, and Li per Fe2O3.
    voltage_V
        Against lithium metal: -(E(after) - E(before) - n E(Li))/n for n ions.
    moment_change_muB, specific_change_Am2_per_kg
        Per Fe2O3 and per mass with its lithium.
    """

    hubbard_U_eV: float
    before: float
    after: float
    voltage_V: float
    moment_change_muB: float
    specific_change_Am2_per_kg: float


@cache
def known_maghemite() -> tuple[LithiatedMaghemite, ...]:
    """All sound calculations that are shipped, by U, content and share of moved iron."""
    sound: list[Calculation] = []
    for path in sorted(reference_calculations_folder().glob(f"{_OXIDE}*.json")):
        calculation = ReferenceCalculation.model_validate_json(path.read_text()).sound
        if calculation is not None:
            sound.append(calculation)
    bare = {_u(c): c for c in sound if not c.structure.composition["Li"]}
    made = [_cell(c, bare[_u(c)]) for c in sound if _u(c) in bare]
    return tuple(sorted(made, key=lambda m: (m.hubbard_U_eV, m.lithium, m.moved, m.moved_along, m.k_mesh)))


@cache
def lithium_metal_eV() -> float | None:
    """Energy of an atom of lithium metal in the same basis; None if it is not shipped."""
    for path in sorted(reference_calculations_folder().glob(f"{_METAL}*.json")):
        calculation = ReferenceCalculation.model_validate_json(path.read_text()).sound
        if calculation is not None:
            return calculation.energy_eV / len(calculation.structure)
    return None


class PotentialVoltage(Document):
    """A voltage by the potential that relaxed the cells, of the lowest of each content.

    Attributes
    ----------
    engine, before, after, voltage_V
        Who said so, Li per Fe2O3, and V against its own lithium metal.
    moved
        Share of the iron of A that is in octahedra afterwards.
    volume_change
        Share of the volume before.
    """

    engine: str
    before: float
    after: float
    voltage_V: float
    moved: float
    volume_change: float


@cache
def potential_voltages() -> tuple[PotentialVoltage, ...]:
    """Between neighbouring contents of the cells that calculations start from; empty without them or the metal."""
    starts = [StartGeometry.model_validate_json(p.read_text()) for p in sorted(starts_folder().glob(f"{_OXIDE}*.json"))]
    metal = starts_folder() / f"{_METAL}.json"
    if not starts or not metal.exists():
        return ()
    reference = StartGeometry.model_validate_json(metal.read_text())
    metal_eV = reference.energy_eV / len(reference.structure)
    lowest: dict[float, StartGeometry] = {}
    for start in sorted(starts, key=lambda s: -s.energy_eV):
        lowest[start.structure.composition["Li"]] = start
    ends = [lowest[lithium] for lithium in sorted(lowest)]
    on_a = _tetrahedral(ends[0].structure)
    found = []
    for before, after in pairwise(ends):
        formulas = after.structure.composition["Fe"] / 2
        ions = after.structure.composition["Li"] - before.structure.composition["Li"]
        found.append(
            PotentialVoltage(
                engine=after.provenance.engine,
                before=before.structure.composition["Li"] / formulas,
                after=after.structure.composition["Li"] / formulas,
                voltage_V=-(after.energy_eV - before.energy_eV - ions * metal_eV) / ions,
                moved=1.0 - _tetrahedral(after.structure) / on_a,
                volume_change=after.structure.volume / before.structure.volume - 1.0,
            )
        )
    return tuple(found)


def _u(made: Calculation) -> float:
    return float(made.provenance.hubbard_U_eV["Fe"])


def _cell(made: Calculation, bare: Calculation) -> LithiatedMaghemite:
    cell = made.structure
    formulas = cell.composition["Fe"] / 2
    iron = [i for i, s in enumerate(cell) if s.specie.symbol == "Fe"]
    moments = made.site_moments_muB or []
    least = min(abs(m) for m, s in zip(bare.site_moments_muB or [], bare.structure, strict=True) if _is_iron(s))
    reduced: dict[str, float] = {}
    for i in iron:
        if abs(moments[i]) < least - _REDUCED_muB:
            key = str(cell[i].properties["sublattice"])
            reduced[key] = reduced.get(key, 0.0) + 1.0 / formulas
    senses = {key: sum(moments[i] for i in iron if cell[i].properties["sublattice"] == key) for key in ("B", "C")}
    return LithiatedMaghemite(
        lithium=cell.composition["Li"] / formulas,
        moved=1.0 - _tetrahedral(cell) / _tetrahedral(bare.structure),
        moved_along=senses["B"] * senses["C"] > 0,
        hubbard_U_eV=_u(made),
        k_mesh=[int(n) for n in made.provenance.settings["k_mesh"]],
        energy_eV=made.energy_eV / formulas,
        # The cycles settle moments to some 1e-3 muB.
        moment_muB=round(made.total_moment_muB / formulas, 2) + 0.0,
        reduced=reduced,
        own_ions=made.force_calls > 1,
        max_force_eV_per_A=made.max_force_eV_per_A,
        cell_atoms=len(cell),
        source=f"data/gpaw/{made.name}.json",
    )


def _is_iron(site: PeriodicSite) -> bool:
    return bool(site.specie.symbol == "Fe")


def _tetrahedral(cell: Structure) -> int:
    """Number of iron ions with four oxygens."""
    near = (sum(n.specie.symbol == "O" for n in cell.get_neighbors(site, _BOND_A)) for site in cell if _is_iron(site))
    return sum(oxygens == _TETRAHEDRON for oxygens in near)


def lowest_of(made: Sequence[LithiatedMaghemite]) -> dict[float, LithiatedMaghemite]:
    """The lowest at Gamma of each content, by Li per Fe2O3."""
    lowest: dict[float, LithiatedMaghemite] = {}
    for each in sorted((m for m in made if m.k_mesh == _GAMMA), key=lambda m: -m.energy_eV):
        lowest[each.lithium] = each
    return dict(sorted(lowest.items()))


def lithium_steps(made: Sequence[LithiatedMaghemite], metal_eV: float) -> list[LithiumStep]:
    """Steps between neighbouring contents and over all of them, for each U, by the lowest of each content.

    Parameters
    ----------
    made
        Cells of any U.
    metal_eV
        Energy of an atom of lithium metal in the same basis.
    """
    steps = []
    for u in sorted({m.hubbard_U_eV for m in made}):
        ends = list(lowest_of([m for m in made if m.hubbard_U_eV == u]).values())
        pairs = list(pairwise(ends))
        if len(ends) > 2:
            pairs.append((ends[0], ends[-1]))
        steps += [lithium_step(before, after, metal_eV) for before, after in pairs]
    return steps


def lithium_step(before: LithiatedMaghemite, after: LithiatedMaghemite, metal_eV: float) -> LithiumStep:
    """What lithium gains, and what it changes of the moment, from one cell to another with the same U and points."""
    ions = after.lithium - before.lithium
    specific = [am2_per_kg(m.moment_muB, _FORMULA, m.lithium) for m in (before, after)]
    return LithiumStep(
        hubbard_U_eV=after.hubbard_U_eV,
        before=before.lithium,
        after=after.lithium,
        voltage_V=-(after.energy_eV - before.energy_eV - ions * metal_eV) / ions,
        moment_change_muB=after.moment_muB - before.moment_muB,
        specific_change_Am2_per_kg=specific[1] - specific[0],
    )


def mesh_error_V(made: Sequence[LithiatedMaghemite], metal_eV: float) -> float | None:
    """How far voltages of one pair of cells lie apart on two meshes, at most; None if none is repeated."""
    apart = []
    for denser in (m for m in made if m.k_mesh != _GAMMA and m.lithium):
        at_gamma = [m for m in made if m.k_mesh == _GAMMA and _state(m) == _state(denser)]
        bare = {tuple(m.k_mesh): m for m in made if not m.lithium and m.hubbard_U_eV == denser.hubbard_U_eV}
        if at_gamma and tuple(denser.k_mesh) in bare and tuple(_GAMMA) in bare:
            voltages = [lithium_step(bare[tuple(m.k_mesh)], m, metal_eV).voltage_V for m in (denser, at_gamma[0])]
            apart.append(abs(voltages[0] - voltages[1]))
    return max(apart, default=None)


def _state(made: LithiatedMaghemite) -> tuple[float, float, float, bool]:
    return made.hubbard_U_eV, made.lithium, made.moved, made.moved_along


def beside_maghemite(own: Judgement) -> Judgement:
    """C15 with what shipped first principles say; they decide once `SETS_OF_U` sets of U agree on one whole lithium,
    with ions relaxed by the same electrons. The potential that relaxed the cells is quoted and decides nothing.
    """
    made, metal_eV = known_maghemite(), lithium_metal_eV()
    by_potential = potential_in_words()
    steps = [] if metal_eV is None else lithium_steps(made, metal_eV)
    whole = [s for s in steps if (s.before, s.after) == (0.0, 1.0)]
    if metal_eV is None or not steps:
        return replace(own, reason=f"{own.reason}; {by_potential}; {MEASURED}") if by_potential else own
    verdict = _verdict(made, steps, mesh_error_V(made, metal_eV)) or own.verdict
    text = "; ".join(filter(None, (maghemite_in_words(made, metal_eV), by_potential, own.reason)))
    if not whole:
        return replace(own, reason=text)
    value = min(step.voltage_V for step in whole)
    return Judgement(verdict, value, "V against Li, mean of one Li per Fe2O3", text, by="gpaw (GPAW)")


def potential_in_words() -> str:
    """Voltages by the potential; empty without cells."""
    found = potential_voltages()
    steps = ", ".join(
        f"{v.before:g} to {v.after:g} Li {v.voltage_V:+.2f} V, {v.volume_change:+.1%} of the volume and "
        f"{v.moved:.0%} of the iron of A in octahedra"
        for v in found
    )
    return steps and f"by {found[0].engine} alone, cell and ions relaxed, {steps}"


def _verdict(made: Sequence[LithiatedMaghemite], steps: Sequence[LithiumStep], error_V: float | None) -> Verdict | None:
    """None where they leave the verdict to others."""
    whole = [s for s in steps if (s.before, s.after) == (0.0, 1.0)]
    if error_V is None or len(whole) < SETS_OF_U or not all(m.own_ions for m in made):
        return None
    goes_in = [s.voltage_V > error_V for s in steps]
    changes = {0 if abs(s.moment_change_muB) < SMALL_muB else 1 if s.moment_change_muB > 0 else -1 for s in whole}
    if all(s.voltage_V < -error_V for s in whole) or changes == {0}:
        return "contradicted"
    return "reproduced" if all(goes_in) and len(changes) == 1 else "undecided"


def maghemite_in_words(made: Sequence[LithiatedMaghemite], metal_eV: float) -> str:
    """Voltages, moments and places of iron for each U, and what was left out."""
    # A set of U with one content alone has no voltage.
    with_steps = sorted({step.hubbard_U_eV for step in lithium_steps(made, metal_eV)})
    sets = "; ".join(_set_in_words(made, u, metal_eV) for u in with_steps)
    error_V = mesh_error_V(made, metal_eV)
    mesh = "" if error_V is None else f". On a denser mesh a voltage of the same cells is {error_V:.2f} V off"
    atoms = [m.cell_atoms for m in made]
    ions = "ions relaxed" if all(m.own_ions for m in made) else "cell and ions by a potential alone"
    ions += forces_in_words(m.max_force_eV_per_A for m in made)
    return (
        f"gpaw, PBE+U in atomic orbitals (dzp) at Gamma, {min(atoms)} to {max(atoms)} atoms of eight Fe2O3, one order "
        f"of each kind, {ions}, against bcc Li in the same basis: {sets}{mesh}; {MEASURED}"
    )


def _set_in_words(made: Sequence[LithiatedMaghemite], u: float, metal_eV: float) -> str:
    of_set = [m for m in made if m.hubbard_U_eV == u]
    steps = "; ".join(
        f"{s.before:g} to {s.after:g} Li {s.voltage_V:+.2f} V and {s.specific_change_Am2_per_kg:+.0f} Am2/kg "
        f"({s.moment_change_muB:+.2f} muB)"
        for s in lithium_steps(of_set, metal_eV)
    )
    iron = "".join(_iron_in_words(of_set, lowest) for lowest in lowest_of(of_set).values() if lowest.lithium)
    return f"for U = {u:g} eV {steps}{_rise_in_words(of_set, metal_eV)}{iron}"


def _rise_in_words(of_set: Sequence[LithiatedMaghemite], metal_eV: float) -> str:
    """That a voltage which rises with lithium is that of no single phase; empty where it falls throughout."""
    ends = list(lowest_of(of_set).values())
    voltages = [lithium_step(before, after, metal_eV).voltage_V for before, after in pairwise(ends)]
    if all(after <= before for before, after in pairwise(voltages)):
        return ""
    return (
        "; the voltage rises with lithium, so that a content between would fall apart into the others (or a lower cell "
        "of it was not found) and the mean alone could be measured"
    )


def _iron_in_words(made: Sequence[LithiatedMaghemite], lowest: LithiatedMaghemite) -> str:
    """Where iron and electrons are at one content, and what the other kinds of cells cost."""
    others = [
        f"{_place(m)} {1e3 * (m.energy_eV - lowest.energy_eV):+.0f}"
        for m in made
        if m.lithium == lowest.lithium and m.k_mesh == _GAMMA and m is not lowest
    ]
    beside = f" (meV per Fe2O3 above: {', '.join(others)})" if others else ""
    where = {"A": "A", "B": "B", "C": "16c"}
    taken = " and ".join(f"{n:.2f} Fe({where[key]})" for key, n in sorted(lowest.reduced.items()))
    rank = "lowest" if others else "in the one cell computed,"
    return f"; at {lowest.lithium:g} Li {rank} {_place(lowest)}{beside}, electrons on {taken or 'no iron alone'}"


def _place(made: LithiatedMaghemite) -> str:
    if made.moved == 0.0:
        return "with iron on A"
    share = "all" if made.moved == 1.0 else f"{made.moved:.0%}"
    return f"with {share} of it in octahedra, {'along' if made.moved_along else 'against'} B"
