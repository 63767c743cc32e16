"""Which stages of a study can be done, decided before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from pymatgen.core import Composition, Structure

from ...analysis.defects.host_window import experimental_window
from ...analysis.study.documents import Stage, StageResult
from ...analysis.thermodynamics.phases import Phase
from ...structures.cells.competing_phases import competing_oxides
from ...structures.host import Host
from ..engine import CannotDoError, Capability, Engine

# What a user can ask for; chemical potentials come with the vacancies where they can be had.
REQUESTABLE: tuple[Stage, ...] = (
    "host", "vacancies", "competing phases", "migration", "vibrations", "anisotropy", "binding", "charged defects",
)  # fmt: skip
# Many cells and minutes: only for who asks.
ON_REQUEST: tuple[Stage, ...] = ("binding", "charged defects")
# Hundreds of single points: unasked only where they cost seconds.
ASKED_OF_SLOW_ENGINES: tuple[Stage, ...] = ("vibrations",)
_NEEDS: dict[Stage, tuple[Capability, ...]] = {
    "host": ("relax",),
    "vacancies": ("relax", "static"),
    "competing phases": ("relax",),
    "chemical potentials": ("references",),
    "migration": ("relax", "band"),
    "vibrations": ("static", "band"),
    "anisotropy": ("spin_orbit",),
    "binding": ("relax",),
    "charged defects": ("charged", "dielectric"),
}


def plan_stages(
    engine: Engine,
    host: Host,
    order: str,
    requested: Sequence[str] | None = None,
    repeats: tuple[int, int, int] | None = None,
    enthalpies: Sequence[Phase] = (),
) -> list[StageResult]:
    """What a study will compute and what not, with the reasons.

    Parameters
    ----------
    engine, host, order
        Who computes what.
    requested
        Some of `REQUESTABLE`, with spaces, ``_`` or ``-``; by default all but `ON_REQUEST`, `ASKED_OF_SLOW_ENGINES`
        only of an engine with `quick_forces`, and competing phases only where the engine can afford and order them
        (there they come with the vacancies, asked for or not).
        The host is always computed.
    repeats
        Supercell repeats of the ordered cell, if a hop is to be refused that they leave no room for.
    enthalpies
        Formation enthalpies of the user's own, which may give a window where the table gives none.

    Returns
    -------
    list of StageResult
        One entry per stage, in order; those of `ON_REQUEST` only if they were asked for.

    Raises
    ------
    ValueError
        If a requested stage is unknown, or was asked for by name and cannot be done.
    CannotDoError
        If the engine cannot describe the material, cannot relax it, or can do nothing but the host
        of a whole study.
    """
    requested = None if requested is None else [stage_name(name) for name in requested]
    cell = host.structure(order)
    engine.check(cell)
    missing = {**engine.missing(), **engine.cannot_with(cell)}
    reasons: dict[Stage, str] = {}
    for stage in get_args(Stage):
        if stage in ON_REQUEST and stage not in (requested or ()):
            continue
        reason = _engine_reason(engine, stage, missing) or _host_reason(host, order, stage, cell, repeats, enthalpies)
        if stage == "competing phases" and stage not in (requested or ()):
            reason = reason or engine.phases_on_request
        if stage == "chemical potentials":
            # Computed phases bring references and a window of their own.
            reason = reason if reasons["competing phases"] else ""
            if reason and not phases_reason(host, cell):
                reason += "; phases of an engine's own are the stage competing_phases (sevennet, chgnet, vasp: unasked)"
            reason = "there are no vacancies to use them" if reasons["vacancies"] else reason
        if stage == "charged defects" and reasons["vacancies"]:
            reason = reason or "they are the charge states of the vacancies, which are not computed"
        if stage == "vibrations" and reasons["migration"]:
            reason = "they are those of the hop of the stage migration, which is not done"
        if stage in ASKED_OF_SLOW_ENGINES and requested is None and not engine.quick_forces:
            reason = reason or f"hundreds of single points of engine {engine.name}: only if named among the stages"
        asked = requested is None or stage in requested
        if stage == "host" and reason:
            raise CannotDoError(reason)
        if requested is not None and asked and reason:
            raise ValueError(f"stage {stage} cannot be done: {reason}")
        follows = stage in ("host", "chemical potentials")
        if stage == "competing phases" and not reasons["vacancies"]:
            # Formation energies need a window, and these engines have their own.
            follows = not engine.phases_on_request
        reasons[stage] = reason if asked or follows else "not asked for"
    if requested is None and all(reasons[s] for s in ("vacancies", "migration", "anisotropy")):
        raise CannotDoError("; ".join(f"{s}: {reasons[s]}" for s in ("vacancies", "migration", "anisotropy")))
    return [StageResult(stage=s, done=not r, reason=r) for s, r in reasons.items()]


def stage_name(text: str) -> Stage:
    """A requestable stage from its name with spaces, underscores or hyphens.

    Raises
    ------
    ValueError
        If there is no such stage.
    """
    plain = text.strip().replace("_", " ").replace("-", " ")
    for stage in REQUESTABLE:
        if stage == plain:
            return stage
    known = ", ".join(s.replace(" ", "_") for s in REQUESTABLE)
    raise ValueError(f"unknown stage {text!r}; stages: {known}")


def _engine_reason(engine: Engine, stage: Stage, missing: dict[Capability, str]) -> str:
    lacks = [f"engine {engine.name} cannot do {c}: {missing[c]}" for c in _NEEDS[stage] if c in missing]
    return "; ".join(lacks)


def _host_reason(
    host: Host,
    order: str,
    stage: Stage,
    cell: Structure,
    repeats: tuple[int, int, int] | None,
    enthalpies: Sequence[Phase],
) -> str:
    if stage == "vacancies" and not present_vacancies(host, cell):
        return f"host {host.key} declares no vacancy that its order {order} has a site for"
    if stage == "competing phases":
        return phases_reason(host, cell)
    if stage == "chemical potentials":
        return host.no_window or experimental_window(host.formula, enthalpies)[1]
    if stage == "migration":
        return _hop_reason(host, order, cell) or ("" if repeats is None else _room_reason(host, cell, repeats))
    if stage == "binding" and not {("Co", "B"), ("Fe", "B")} <= _filled(cell):
        return f"order {order} of {host.key} has no Co and Fe that share the B sites"
    return ""


def phases_reason(host: Host, cell: Structure) -> str:
    """Why the phases known here cannot give this host a window; empty if they can."""
    if host.no_window:
        return host.no_window
    elements = {str(e) for e in cell.composition.elements}
    if "O" not in elements:
        return f"{host.formula} is no oxide, and only oxides are known as competing phases"
    oxides = competing_oxides(elements)
    made_of = [{str(e) for e in Composition(f).elements} - {"O"} for f in oxides]
    if missing := sorted(el for el in elements - {"O"} if {el} not in made_of):
        return f"no oxide of {', '.join(missing)} is known as a competing phase"
    if not any(made_of.count({el}) > 1 for el in elements):
        return "no cation has two known oxides, from whose oxidation the energy of oxygen follows"
    return ""


def _hop_reason(host: Host, order: str, cell: Structure) -> str:
    if not host.hops:
        return f"host {host.key} declares no hop; declare one in its file"
    hop = host.hops[0]
    needed = {(hop.ion, hop.from_sublattice), (hop.vacancy_element, hop.vacancy_sublattice)}
    if absent := sorted(needed - _filled(cell)):
        return f"order {order} of {host.key} has no {', '.join(f'{e} on {s}' for e, s in absent)}, which its hop needs"
    return ""


def _room_reason(host: Host, cell: Structure, repeats: tuple[int, int, int]) -> str:
    """Why the main hop has no room; only cells whose images come near are built for it."""
    from .building import shortest_hop

    lengths = [n * length for n, length in zip(repeats, cell.lattice.abc, strict=True)]
    if min(lengths) > 2 * host.hops[0].cutoff_A:
        return ""
    try:
        shortest_hop(cell, repeats, host.hops[0])
    except ValueError as error:
        return str(error)
    return ""


def present_vacancies(host: Host, cell: Structure) -> list[tuple[str, str]]:
    """The host's declared vacancies, (element, sublattice), whose sites the cell has."""
    filled = _filled(cell)
    return [pair for pair in host.vacancies if pair in filled]


def _filled(cell: Structure) -> set[tuple[str, str]]:
    return {(site.specie.symbol, site.properties["sublattice"]) for site in cell}
