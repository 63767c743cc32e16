"""Is a finished run usable? Each question against what VASP writes, not against what it says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ....analysis.results.checks import Check
from ...evaluation.guards import SPIN_MOMENT_muB, guard
from .document import VaspRun

if TYPE_CHECKING:
    from .reader import Sources

# Energies have 8 decimals, so a change below EDIFF can be printed as up to this much more; VASP compares the
# unrounded change and the eigenvalues' part separately.
PRINTED_SHARE = 1.5
# A moment that is still an ordered one at the end.
ORDERED_MOMENT_muB = 0.3
# Written as a truth value up to 5.4, whatever number was asked for.
WRITTEN_OTHERWISE = ("LORBIT",)


def judge_run(run: VaspRun, sources: Sources) -> list[Check]:
    """All checks of a run that was read; of one in which nothing was found, why."""
    if not run.paw and run.structure is None and run.energy_eV is None:
        return [guard("finished", False, nothing_found(sources))]
    return [
        finished(run, sources),
        has_energy(run),
        ground_state_converged(run, sources),
        ions_converged(run, sources),
        one_run(sources),
        incar_kept(run, sources),
        order_kept(run),
    ]


def nothing_found(sources: Sources) -> str:
    """Why the files of a folder are no output of a run."""
    names = []
    for kind in ("vasprun.xml", "OUTCAR"):
        path = sources.files.get(kind)
        if path is None:
            continue
        if path.stat().st_size == 0:
            names.append(f"{path.name} is empty")
        elif kind == "vasprun.xml" and sources.xml is not None and sources.xml.why_not:
            names.append(f"{path.name} cannot be read: {sources.xml.why_not}")
        else:
            names.append(f"{path.name} holds no ions, no energy and no structure: no output of a VASP run")
    return "; ".join(names)


def finished(run: VaspRun, sources: Sources) -> Check:
    """Whether VASP came to its end: vasprun.xml is closed, or OUTCAR has its timing."""
    xml, outcar = sources.xml, sources.outcar
    if sources.xml_leads and xml is not None:
        note = xml.why_not or "vasprun.xml ends without </modeling>"
        return guard("finished", xml.complete, f"the run was killed or its file cut off: {note}")
    ended = outcar is not None and outcar.finished
    return guard("finished", ended, "the run was killed or OUTCAR cut off: it ends without VASP's timing")


def has_energy(run: VaspRun) -> Check:
    """Whether there is a finished step with an energy and a structure."""
    note = "no ionic step was finished: there is no energy"
    return guard("energy", run.energy_eV is not None and np.isfinite(run.energy_eV), note)


def ground_state_converged(run: VaspRun, sources: Sources) -> Check:
    """Whether the last self-consistency loop of the ground state ended before NELM, or by its energy change."""
    name = "electronic convergence"
    settings = {**(sources.outcar.numbers if sources.outcar else {}), **run.incar, **run.parameters}
    limit, most = settings.get("EDIFF", 1e-4), settings.get("NELM", 60)
    steps = run.electronic_steps[-1] if run.electronic_steps else 0
    change = run.last_change_eV
    if not steps:
        return guard(name, False, "the output holds no finished self-consistency loop")
    stopped = sources.outcar.stopped if sources.tables is not None and sources.outcar else ""
    by_change = change is not None and change <= PRINTED_SHARE * abs(float(limit))
    cut = steps >= int(most) or stopped.startswith("hard")
    note = f"the loop was cut off after {steps} steps, its energy still changed" if cut else ""
    return guard(name, by_change or not cut, note, change, abs(float(limit)), "eV")


def ions_converged(run: VaspRun, sources: Sources) -> Check:
    """Whether a relaxation ended before NSW; not a question for other kinds of run."""
    name = "ions converged"
    if run.kind == "molecular dynamics":
        return guard(name, False, "molecular dynamics ends in no minimum: its last energy belongs to a moving cell")
    if run.kind not in ("relaxation", "band image"):
        return Check(name=name, passed=None, note=f"a {run.kind} run relaxes nothing")
    outcar = sources.outcar if sources.tables is not None else None
    settings = {**(outcar.numbers if outcar else {}), **run.incar, **run.parameters}
    most = int(settings.get("NSW") or 0)
    if outcar is not None and outcar.reached_accuracy:
        return guard(name, True, "")
    if outcar is not None and outcar.stopped:
        return guard(name, False, f"the relaxation was stopped by hand ({outcar.stopped})")
    ended = bool(sources.xml and sources.xml_leads and sources.xml.complete) or bool(outcar and outcar.finished)
    if not ended:
        return guard(name, False, f"the relaxation was cut off after {run.ionic_steps} steps")
    note = f"the relaxation used up its {most} steps"
    return guard(name, run.ionic_steps < most or _forces_small(run, settings), note, run.ionic_steps, most)


def _forces_small(run: VaspRun, settings: dict[str, Any]) -> bool:
    limit, largest = settings.get("EDIFFG"), run.max_force_eV_per_A
    if run.kind != "relaxation" or limit is None or largest is None or settings.get("ISIF", 2) not in (0, 1, 2):
        return False
    return float(limit) < 0 and largest <= -float(limit)


def one_run(sources: Sources) -> Check:
    """Whether OUTCAR and vasprun.xml are of one run; if not, OUTCAR is left out."""
    name = "OUTCAR and vasprun.xml of one run"
    if sources.xml is None or sources.outcar is None:
        return Check(name=name, passed=None, note="only one of the two files is there")
    return Check(
        name=name, passed=not sources.contradictions, note="; ".join(sources.contradictions), invalidates=False
    )


def incar_kept(run: VaspRun, sources: Sources) -> Check:
    """Whether the INCAR in the folder is the one that VASP read."""
    name = "INCAR of this run"
    used = sources.xml.incar if sources.xml is not None else {}
    if not sources.incar_file or not used:
        return Check(name=name, passed=None, note="there is no INCAR beside vasprun.xml to compare")
    changed = [
        f"{key} is {sources.incar_file[key]!r} in INCAR and {used[key]!r} in vasprun.xml"
        for key in sorted((set(sources.incar_file) & set(used)) - set(WRITTEN_OTHERWISE))
        if not same_tag(sources.incar_file[key], used[key])
    ]
    return Check(name=name, passed=not changed, note="; ".join(changed), invalidates=False)


def same_tag(one: Any, other: Any) -> bool:
    """Whether two values of a tag say the same: words without case and padding, numbers to VASP's 8 decimals."""
    first, second = (_flat(v) for v in (one, other))
    if len(first) != len(second):
        return False
    return all(_same_word(a, b) for a, b in zip(first, second, strict=True))


def _flat(value: Any) -> list[Any]:
    value = getattr(value, "moment", value)
    if isinstance(value, str):
        return value.split() or [""]
    if isinstance(value, dict):
        return list(value.values())
    values = np.atleast_1d(np.asarray(value, dtype=object)).ravel()
    return [x for v in values for x in np.atleast_1d(np.asarray(getattr(v, "moment", v), dtype=object)).ravel()]


def _same_word(one: Any, other: Any) -> bool:
    try:
        a, b = float(one), float(other)
    except (TypeError, ValueError):
        # VASP knows a word by its first letters: Normal is N, Accurate is A.
        first, second = str(one).strip(" .").upper(), str(other).strip(" .").upper()
        return first == second or (
            bool(first and second) and first[0] == second[0] and min(len(first), len(second)) < 3
        )
    return bool(abs(a - b) <= 0.6e-8 + 1e-9 * abs(b))


def order_kept(run: VaspRun) -> Check:
    """Whether the spins end in the order in which they started, up to turning all of them over.

    A failed check does not make the run unusable: it is of another magnetic state than its MAGMOM says.
    """
    name = "magnetic order kept"
    start, moments = run.start_moments_muB, run.site_moments_muB
    if run.noncollinear or start is None or moments is None or len(start) != len(moments):
        return Check(name=name, passed=None, note="the output holds no collinear moments of every site to compare")
    before, after = np.asarray(start, dtype=float), np.asarray(moments, dtype=float)
    spins = (np.abs(before) > SPIN_MOMENT_muB) & (np.abs(after) > ORDERED_MOMENT_muB)
    if not spins.any():
        return Check(name=name, passed=None, note="no site has a moment at the start and at the end")
    same_sign = np.sign(before[spins]) * np.sign(after[spins])
    turned = np.flatnonzero(spins)[same_sign != (1.0 if same_sign.sum() >= 0 else -1.0)]
    listed = ", ".join(f"site {i} from {before[i]:+.2f} to {after[i]:+.2f} muB" for i in turned[:5])
    note = f"the order of MAGMOM was lost ({listed}): the energy belongs to another magnetic state"
    return Check(name=name, passed=not len(turned), note=note if len(turned) else "", invalidates=False)
