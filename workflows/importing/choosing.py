"""Which runs of a group go together: one supercell, one configuration of each charge, phases that compare with it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...structures.defects.difference import name_defect, same_lattice
from ...structures.host import Host
from ...structures.symmetry import operations
from .consistency import cutoff_eV, differences_to_say, unlike, unlike_cells
from .host import RELAXED_SYMPREC, for_symmetry, with_host_roles
from .run_folder import RunFolder
from .sorting import Sorted

# Relaxed interstitials of several charges that settled in one place.
_ONE_PLACE_A = 1.0
# A static run on a relaxed cell has its ions where they were.
_SAME_CONFIGURATION_A = 0.1
O2_NOTE = "semilocal functionals bind O2 by about 0.5 eV per O too strongly: no correction was made"
_SEMILOCAL = ("PBE", "PBEsol", "LDA", "PW91", "RPBE", "AM05")


@dataclass
class Chosen:
    """What enters the study.

    Attributes
    ----------
    bulk
        Perfect cell that stands for the host among other phases.
    supercell
        Perfect cell that defects are compared with; None without defects.
    states
        Configurations of each defect by name and charge, the one in use first.
    phases
        Elements and compounds that compare with `bulk`.
    dielectric
        Linear-response run of the host; None without one.
    spin_orbit
        Spin-orbit runs of the host.
    """

    bulk: RunFolder
    supercell: RunFolder | None = None
    states: dict[tuple[str, int], list[RunFolder]] = field(default_factory=dict)
    phases: list[RunFolder] = field(default_factory=list)
    dielectric: RunFolder | None = None
    spin_orbit: list[RunFolder] = field(default_factory=list)


def choose(sorted_runs: Sorted, host: Host | None, accepted: Collection[str] = ()) -> Chosen:
    """Pick what enters the study, and say of everything else why it does not.

    Parameters
    ----------
    sorted_runs
        Folders by role.
    host
        Whose sublattices name the defects; None for one that is not built in.
    accepted
        Kinds of difference, see `consistency.KINDS`, that the user answers for.

    Raises
    ------
    ValueError
        If no run of the perfect host passed its guards.
    """
    perfect = [f for f in sorted_runs.perfect if f.usable]
    if not perfect:
        failed = [f"{f.place.name}: {'; '.join([*f.done.reasons, *f.refused])}" for f in sorted_runs.perfect]
        raise ValueError(f"no run of the perfect {sorted_runs.formula} may be used ({' | '.join(failed) or 'none'})")
    supercell = _supercell(perfect, sorted_runs.defects)
    anchor = supercell or _plain(perfect)[0]
    for f in perfect:
        if f is not anchor:
            f.judge(unlike(anchor.done, f.done), anchor, accepted)
    dielectric = _dielectric([f for f in perfect if f.done.dielectric_electronic is not None], anchor)
    # Also those on a fixed density: the force theorem compares their energies by direction, see `directions`.
    spinors = [f for f in sorted_runs.perfect if f.done.spin_orbit and f.done.usable]
    spin_orbit = [] if anchor.done.spin_orbit else spinors
    for f in spin_orbit:
        f.role, f.refused = "spin-orbit", []
        f.what = f"{sorted_runs.formula}, spin-orbit, {len(f.structure)} atoms"
    bulk = _bulk([f for f in perfect if f.usable and f is not dielectric and f not in spin_orbit], anchor, sorted_runs)
    for f in sorted_runs.phases:
        _judge_phase(f, anchor, bulk, accepted)
    chosen = Chosen(bulk=bulk, supercell=supercell, dielectric=dielectric, spin_orbit=spin_orbit)
    chosen.phases = _lowest_of_each([f for f in sorted_runs.phases if f.usable])
    if supercell is not None:
        supercell.role = "perfect supercell" if supercell is not bulk else "host"
        _name_all(sorted_runs.defects, supercell, host, accepted)
        chosen.states = _configurations(sorted_runs.defects, supercell)
    for f in perfect:
        used = (bulk, supercell, dielectric, *spin_orbit)
        if f.usable and not any(f is g for g in used):
            f.refused.append(f"another run of the perfect cell; {bulk.place.name} stands for the host")
    return chosen


def _plain(perfect: Sequence[RunFolder]) -> list[RunFolder]:
    """Perfect cells without spin-orbit coupling first, then the lowest."""
    return sorted(
        perfect,
        key=lambda f: (
            f.done.spin_orbit,
            f.done.dielectric_electronic is not None,
            round(f.energy_eV / len(f.structure), 6),
        ),
    )


def _supercell(perfect: Sequence[RunFolder], defects: Sequence[RunFolder]) -> RunFolder | None:
    """The perfect cell that fits most defects by lattice and settings.

    Of several a static one, then the lowest; of copies of one run the one that holds site potentials.
    """
    usable = [f for f in defects if f.usable and f.perfect is not None]
    if not usable:
        return None

    def fits(f: RunFolder) -> tuple[int, int, bool, float, bool]:
        alike = [d for d in usable if same_lattice(f.structure, d.structure)]
        good = sum(not unlike_cells(f.done, d.done) for d in alike)
        plain = f.done.kind == "static"
        return good, len(alike), plain, -round(f.energy_eV, 4), f.done.electron_potentials_eV is not None

    return max(perfect, key=fits)


def _bulk(perfect: Sequence[RunFolder], anchor: RunFolder, sorted_runs: Sorted) -> RunFolder:
    """The host among other phases: the run whose cutoff most of them share, then the one with the densest mesh."""
    alike = [f for f in perfect if f is anchor or not f.refused]
    phases = [f for f in sorted_runs.phases if f.usable]
    if not phases:
        return anchor

    def fits(f: RunFolder) -> tuple[int, int]:
        shared = sum(abs((cutoff_eV(f.done) or 0) - (cutoff_eV(p.done) or 0)) < 1.0 for p in phases)
        return shared, -len(f.structure)

    return max(alike or [anchor], key=fits)


def _dielectric(runs: Sequence[RunFolder], anchor: RunFolder) -> RunFolder | None:
    for f in runs:
        f.role, f.what = "dielectric tensor", f"{f.what}, linear response"
        # A permittivity is a property of the crystal: another functional is said, not refused.
        f.notes += [f"{d.text} as in {anchor.place.name}" for d in unlike(anchor.done, f.done)]
        f.refused = []
        if f.done.dielectric_ionic is None:
            f.lacks.append("the ionic part of the tensor (IBRION = 8 or 6 with LEPSILON)")
    whole = [f for f in runs if f.done.dielectric_ionic is not None]
    return next(iter([*whole, *runs]), None)


def _judge_phase(f: RunFolder, anchor: RunFolder, bulk: RunFolder, accepted: Collection[str]) -> None:
    if f.run is None or not f.usable:
        return
    f.judge(unlike(anchor.done, f.done), anchor, accepted)
    f.notes += differences_to_say(bulk.done, f.done)
    oxygen = f.role == "element" and "O" in f.structure.composition
    if oxygen and str(f.done.functional) in _SEMILOCAL:
        f.notes.append(O2_NOTE)


def _lowest_of_each(phases: Sequence[RunFolder]) -> list[RunFolder]:
    """The lowest run of each formula; the others are named as lying above it."""
    best: dict[str, RunFolder] = {}
    for f in sorted(phases, key=lambda g: g.energy_eV / len(g.structure)):
        formula = f.structure.composition.reduced_formula
        if formula not in best:
            best[formula] = f
            continue
        above = f.energy_eV / len(f.structure) - best[formula].energy_eV / len(best[formula].structure)
        f.refused.append(f"lies {above:.3f} eV per atom above {best[formula].place.name}")
    return list(best.values())


def _name_all(defects: Sequence[RunFolder], supercell: RunFolder, host: Host | None, accepted: Collection[str]) -> None:
    """Name every defect in the supercell of the study, and refuse those of other cells by name."""
    cell = for_symmetry(with_host_roles(supercell.structure, host, supercell.done.site_moments_muB))
    interstitials: list[tuple[str, np.ndarray, RunFolder]] = []
    for f in defects:
        if f.difference is None or f.perfect is None:
            continue
        if not same_lattice(f.structure, supercell.structure):
            f.what = f"{f.structure.composition.formula}, charge {f.charge:+d}"
            f.refused.append(
                f"its cell of {len(f.perfect.structure)} host atoms is not the one of {len(supercell.structure)} that "
                "most defects have: import it by itself"
            )
            continue
        f.perfect = supercell
        if not f.difference.changes:
            f.role, f.what = "host", "the perfect cell again"
            f.refused.append("holds no defect")
            continue
        f.name = name_defect(cell, f.difference, RELAXED_SYMPREC)
        places = [np.array(c.position) for c in f.difference.changes if c.site is None]
        if places:
            interstitials.append((f.name.label, places[0], f))
        f.judge(unlike_cells(supercell.done, f.done), supercell, accepted)
    _number_places(interstitials, cell_operations=operations(cell, RELAXED_SYMPREC), supercell=supercell)
    names = [f.name for f in defects if f.name is not None]
    fewest = {n.label: min(m.multiplicity for m in names if m.label == n.label) for n in names}
    for f in defects:
        if f.name is not None:
            # Relaxed positions break the symmetry of their place: the most symmetric state counts it.
            f.name = replace(f.name, multiplicity=fewest[f.name.label])
            f.what = f"{f.name.label}, charge {f.charge:+d}, {len(f.structure)} atoms"


def _number_places(found: list[tuple[str, np.ndarray, RunFolder]], cell_operations: list, supercell: RunFolder) -> None:  # type: ignore[type-arg]
    """Interstitials of one name that sit in different places get numbers."""
    lattice = supercell.structure.lattice
    for label in dict.fromkeys(name for name, _, _ in found):
        groups: list[list[tuple[np.ndarray, RunFolder]]] = []
        for _, place, f in (x for x in found if x[0] == label):
            images = np.array([op.rotation @ place + op.translation for op in cell_operations])
            near = next(
                (g for g in groups if lattice.get_all_distances([g[0][0]], images).min() < _ONE_PLACE_A),
                None,
            )
            groups.append([(place, f)]) if near is None else near.append((place, f))
        for n, group in enumerate(groups, start=1):
            for _, f in group:
                assert f.name is not None
                if len(groups) > 1:
                    f.name = replace(f.name, label=f"{f.name.label}({n})")


def _configurations(defects: Sequence[RunFolder], supercell: RunFolder) -> dict[tuple[str, int], list[RunFolder]]:
    """Usable runs by defect and charge, the one in use first; the others say why they are not."""
    out: dict[tuple[str, int], list[RunFolder]] = {}
    for f in defects:
        if f.usable and f.name is not None:
            out.setdefault((f.name.label, f.charge), []).append(f)
    for key, runs in out.items():
        runs.sort(key=lambda f: f.energy_eV)
        lowest = runs[0]
        static = next((f for f in runs if f.done.kind == "static" and _one_configuration(lowest, f)), lowest)
        out[key] = [static, *(f for f in runs if f is not static)]
        for f in out[key][1:]:
            if _one_configuration(static, f):
                f.refused.append(f"the same configuration as {static.place.name}, which is used")
            else:
                f.notes.append(f"lies {f.energy_eV - static.energy_eV:.3f} eV above {static.place.name}")
    return out


def _one_configuration(one: RunFolder, other: RunFolder) -> bool:
    if one is other:
        return True
    if [s.specie for s in one.structure] != [s.specie for s in other.structure]:
        return False
    delta = one.structure.frac_coords - other.structure.frac_coords
    moved = (delta - np.rint(delta)) @ one.structure.lattice.matrix
    return bool(np.linalg.norm(moved, axis=1).max() < _SAME_CONFIGURATION_A)
