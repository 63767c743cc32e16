"""Which folder is the host, which a defect in it, which a phase beside it: by what the runs hold, never by names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pymatgen.core import Composition, Structure

from ...structures.defects.difference import UnlikeCellsError, cell_difference, same_lattice
from ..vasp.finished.band import same_structure
from .consistency import unlike_cells
from .run_folder import RunFolder

# Fractions of elements within this belong to one material with a defect.
_NEAR_COMPOSITION = 0.08
# A reduced formula with this many times the host's atoms is a cell with a defect, not a compound.
_LONG_FORMULA = 4


class HostNotFoundError(ValueError):
    """Nothing says which of the runs is the host; the message lists what there is."""


@dataclass
class Sorted:
    """Folders by what they are.

    Attributes
    ----------
    formula
        Reduced formula of the host.
    perfect
        Runs of the perfect host, any size.
    defects
        Runs of defects in one of those, with their difference from it.
    phases
        Runs of elements and other compounds, and of other crystals of the host's formula.
    bands
        Bands.
    ends
        Relaxed ends with the host's own formula, each with its band.
    rest
        What is none of these.
    """

    formula: str
    host_from: str
    perfect: list[RunFolder] = field(default_factory=list)
    defects: list[RunFolder] = field(default_factory=list)
    phases: list[RunFolder] = field(default_factory=list)
    bands: list[RunFolder] = field(default_factory=list)
    ends: list[tuple[RunFolder, RunFolder]] = field(default_factory=list)
    rest: list[RunFolder] = field(default_factory=list)


def sort_runs(runs: Sequence[RunFolder], formula: str | None = None, cell: Structure | None = None) -> Sorted:
    """Give every folder its role.

    Parameters
    ----------
    runs
        Folders that were read; their roles are set.
    formula
        Of the host; by default the run is taken whose cell most others differ from by a defect.
    cell
        A cell of the host, by which its runs are told from other crystals of its formula; by default the lowest run.

    Raises
    ------
    HostNotFoundError
        If no run is the host.
    """
    known = [f for f in runs if f.run is not None and f.run.structure is not None and f.run.energy_eV is not None]
    if formula is None:
        host, host_from = _host_among(known)
        formula, cell = host.structure.composition.reduced_formula, cell or host.structure
    else:
        formula = Composition(formula).reduced_formula
        host_from = f"{formula} was named"
    out = Sorted(formula=formula, host_from=host_from)
    out.bands = [f for f in runs if f.place.kind == "band"]
    out.ends = _ends_of_bands(known, out.bands, formula)
    ends = [f for f, _ in out.ends]
    known = [f for f in known if f not in ends]
    own = [f for f in known if f.structure.composition.reduced_formula == formula]
    if not own and not out.bands:
        listed = ", ".join(sorted({f.structure.composition.reduced_formula for f in known})) or "nothing"
        raise HostNotFoundError(f"no run of {formula} among the folders; they hold {listed}")
    out.perfect, others = _crystals(own, cell)
    for f in out.perfect:
        f.role, f.what = "host", f"{formula}, {len(f.structure)} atoms"
    out.phases += others
    others = [f for f in known if not any(f is g for g in own)]
    for f in others:
        _sort_one(f, out)
    _leave_other_hosts(out, others)
    out.rest = [f for f in runs if not any(f is g for g in [*known, *ends, *out.bands])]
    return out


def _ends_of_bands(
    known: Sequence[RunFolder], bands: Sequence[RunFolder], formula: str
) -> list[tuple[RunFolder, RunFolder]]:
    """Relaxed ends with the host's formula: cells of an element with a vacancy, which are no perfect host."""
    out = []
    for f in known:
        if f.structure.composition.reduced_formula != formula:
            continue
        for band in (b for b in bands if b.band is not None):
            assert band.band is not None
            if any(same_structure(f.structure, p.structure) for p in (band.band.points[0], band.band.points[-1])):
                f.role, f.what = "band", f"relaxed end of the band {band.place.name}"
                out.append((f, band))
                break
    return out


def _host_among(known: Sequence[RunFolder]) -> tuple[RunFolder, str]:
    """The run that most others differ from by a defect: of a host and its defects the shortest formula."""
    by_formula: dict[str, list[RunFolder]] = {}
    for f in known:
        if f.charge == 0:
            by_formula.setdefault(f.structure.composition.reduced_formula, []).append(f)
    for formula in sorted(by_formula, key=lambda text: Composition(text).num_atoms):
        counts = [sum(_differ_by_defect(f, g) for g in known if g is not f) for f in by_formula[formula]]
        if max(counts):
            chosen = by_formula[formula][counts.index(max(counts))]
            return chosen, f"{chosen.place.name}: {max(counts)} other run(s) differ from its cell by a defect"
    compounds = {f.structure.composition.reduced_formula for f in known if len(f.structure.composition) > 1}
    alone = compounds or {f.structure.composition.reduced_formula for f in known}
    if len(alone) == 1:
        formula = next(iter(alone))
        own = [f for f in known if f.structure.composition.reduced_formula == formula]
        return min(own, key=_per_atom), f"{formula} is the only material that could be"
    listed = ", ".join(sorted({f.structure.composition.reduced_formula for f in known})) or "no finished run"
    raise HostNotFoundError(
        f"no run is a defect in the cell of another, so nothing says which is the host: name it with --host; "
        f"there are {listed}"
    )


def _differ_by_defect(perfect: RunFolder, other: RunFolder) -> bool:
    if perfect.structure.composition == other.structure.composition or not same_lattice(
        perfect.structure, other.structure
    ):
        return False
    try:
        return bool(cell_difference(perfect.structure, other.structure).changes)
    except UnlikeCellsError:
        return False


def _crystals(own: Sequence[RunFolder], cell: Structure | None) -> tuple[list[RunFolder], list[RunFolder]]:
    """Runs of the host's crystal, and those of others with its formula."""
    if not own:
        return [], []
    from pymatgen.analysis.structure_matcher import StructureMatcher

    matcher = StructureMatcher(scale=True)
    first = min((f for f in own if f.usable), key=_per_atom, default=own[0])
    reference = _bare(cell if cell is not None else first.structure)
    same = [f for f in own if (f is first and cell is None) or matcher.fit(reference, _bare(f.structure))]
    if not same:
        # A cell of the host that none fits (another order of cations): the lowest run speaks for the host.
        same = [f for f in own if f is first or matcher.fit(_bare(first.structure), _bare(f.structure))]
    others = [f for f in own if not any(f is g for g in same)]
    for f in others:
        f.role = "competing phase"
        f.what = f"another crystal of {f.structure.composition.reduced_formula}, {len(f.structure)} atoms"
        above = _per_atom(f) - _per_atom(first)
        f.refused.append(
            f"{abs(above):.3f} eV per atom {'above' if above >= 0 else 'below'} the host, which stands for it"
        )
    return same, others


def _bare(structure: Structure) -> Structure:
    return Structure(structure.lattice, [s.specie.symbol for s in structure], structure.frac_coords)


def _sort_one(f: RunFolder, out: Sorted) -> None:
    composition = f.structure.composition
    if len(composition) == 1 and composition.reduced_formula != out.formula:
        element = composition.elements[0].symbol
        f.role, f.what = "element", f"{element}, {len(f.structure)} atoms"
        out.phases.append(f)
        return
    alike = [p for p in out.perfect if same_lattice(p.structure, f.structure)]
    reasons = []
    for perfect in sorted(alike, key=lambda p: (not p.usable, len(unlike_cells(p.done, f.done)))):
        try:
            difference = cell_difference(perfect.structure, f.structure)
        except UnlikeCellsError as error:
            reasons.append(str(error))
            continue
        f.perfect, f.difference, f.role = perfect, difference, "defect"
        out.defects.append(f)
        return
    if _like_a_defect(composition, Composition(out.formula)):
        f.role, f.what = "defect", f"{composition.formula}, charge {f.charge:+d}"
        sizes = sorted({len(p.structure) for p in out.perfect})
        edges = " x ".join(f"{x:.2f}" for x in f.structure.lattice.abc)
        f.refused.append(
            reasons[0]
            if reasons
            else f"no perfect cell of {edges} A to compare with; those of {out.formula} have "
            f"{', '.join(map(str, sizes)) or 'no'} atoms"
        )
        f.lacks.append("a perfect cell of the same size, with the same settings")
        out.defects.append(f)
        return
    f.role = "competing phase"
    f.what = f"{composition.reduced_formula}, {len(f.structure)} atoms"
    out.phases.append(f)


def _leave_other_hosts(out: Sorted, others: Sequence[RunFolder]) -> None:
    """Refuse what is of another host in the same tree: its defects, and compounds without an element of ours."""
    own = {e for f in [*out.perfect, *out.defects] for e in f.structure.composition.elements}
    smallest_first = sorted(others, key=_units)
    for f in out.phases:
        if f.role != "competing phase" or f.refused:
            continue
        parent = next((g for g in smallest_first if _units(g) < _units(f) and _differ_by_defect(g, f)), None)
        if parent is not None:
            theirs = parent.structure.composition.reduced_formula
            f.role, f.what = "not recognised", f"{f.structure.composition.formula}, a defect in {theirs}"
            f.refused.append(f"a defect in the cell of {parent.place.name}: import it by itself with --host {theirs}")
        elif own and not own & set(f.structure.composition.elements):
            formula = f.structure.composition.reduced_formula
            f.role = "not recognised"
            f.refused.append(f"shares no element with {out.formula}: import it by itself with --host {formula}")


def _units(f: RunFolder) -> float:
    return float(f.structure.composition.reduced_composition.num_atoms)


def _like_a_defect(composition: Composition, host: Composition) -> bool:
    """Whether a composition is the host's but for a few atoms of a large cell."""
    if composition.reduced_composition.num_atoms < _LONG_FORMULA * host.num_atoms:
        return False
    return near_composition(composition, host)


def near_composition(composition: Composition, host: Composition) -> bool:
    """Whether a cell has the host's elements in its shares, but for a defect."""
    elements = {*composition.elements, *host.elements}
    apart = sum(abs(composition.get_atomic_fraction(e) - host.get_atomic_fraction(e)) for e in elements)
    return bool(apart / 2 < _NEAR_COMPOSITION)


def _per_atom(f: RunFolder) -> float:
    return f.energy_eV / len(f.structure)
