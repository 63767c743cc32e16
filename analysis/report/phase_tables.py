"""Tables and words of the report on competing phases: the computed window beside the experimental one."""

from __future__ import annotations

from ..defects.host_window import CompetingPhasesResult
from ..thermodynamics.computed_phases import ReferenceSet
from ..thermodynamics.gases import edge_words
from ..thermodynamics.phases import load_experimental_phases
from ..thermodynamics.stability_window import ChemicalPotentials
from .model import Cell, Table, number, words


def windows_table(result: CompetingPhasesResult) -> Table:
    """Both windows edge by edge, with what bounds them."""
    rows = []
    for name, window in (("computed", result.window), ("measured enthalpies", result.experimental)):
        if window is None:
            reason = result.reason if name == "computed" else result.experimental_reason
            rows.append([*words([name, "–"]), number(None), number(None), *words([reason])])
            continue
        rows += _edges(name, window)
    shown = result.window or result.experimental
    anion = "O" if shown is None else shown.anion
    return Table(
        "Stability window by its source", ["source", "edge", f"Δμ({anion}) (eV)", "± (eV)", "bounded by"], rows
    )


def _edges(name: str, window: ChemicalPotentials) -> list[list[Cell]]:
    return [
        [*words([name, end]), number(edge.delta_mu_O_eV, 2), number(edge.uncertainty_eV, 2), *words([edge.reaction])]
        for end, edge in zip(edge_words(window.anion), (window.oxygen_poor, window.oxygen_rich), strict=True)
    ]


def phases_table(references: ReferenceSet) -> Table:
    """Formation energies of the computed phases beside the measured ones."""
    elements = references.references.reference_energies_eV
    measured = {p.formula: p.formation_energy_eV for p in load_experimental_phases(elements)}
    rows = []
    for p in references.phases:
        known = measured.get(p.formula)
        if p.provenance.level_of_theory == "experiment":
            rows.append([*words([p.formula]), Cell("measured used", "number"), number(known), number(None)])
            continue
        gap = None if known is None else p.formation_energy_eV - known
        rows.append([*words([p.formula]), number(p.formation_energy_eV), number(known), number(gap, signed=True)])
    source = references.references.provenance
    engine = "" if source is None else source.engine
    return Table(
        f"Formation energies of competing phases, engine {engine}, from the energy of oxygen by the redox ladder",
        ["phase", "computed (eV/f.u.)", "measured, 298 K (eV/f.u.)", "difference (eV/f.u.)"],
        rows,
    )


def ladder_table(references: ReferenceSet) -> Table:
    """Energy of oxygen that each oxidation step asks for."""
    mean = references.references.reference_energies_eV["O"]
    rows = [
        [*words([s.reaction]), number(s.oxygen_eV), number(s.oxygen_eV - mean, signed=True)] for s in references.ladder
    ]
    return Table(
        f"Redox ladder: energy of oxygen that agrees with the measured step; the mean is {mean:.3f} eV",
        ["oxidation", "energy of O (eV)", "from the mean (eV)"],
        rows,
    )


def stability_words(result: CompetingPhasesResult, formula: str) -> str:
    """Whether the host is stable, and where, by each source."""
    if result.window is None or result.above_mixture_eV is None:
        return f"The computed phases give no stability window: {result.reason}."
    low, high = result.window.delta_mu_O_min_eV, result.window.delta_mu_O_max_eV
    text = (
        f"Computed: {formula} lies {-result.above_mixture_eV:.2f} eV per formula unit below {result.mixture} and is "
        f"stable between Δμ({result.window.anion}) = {low:.2f} and {high:.2f} eV."
    )
    if result.experimental is None:
        return f"{text} Measured enthalpies give no window: {result.experimental_reason}."
    other = result.experimental
    return (
        f"{text} Measured enthalpies say {other.delta_mu_O_min_eV:.2f} to {other.delta_mu_O_max_eV:.2f} eV: the edges "
        f"differ by {low - other.delta_mu_O_min_eV:+.2f} and {high - other.delta_mu_O_max_eV:+.2f} eV."
    )
