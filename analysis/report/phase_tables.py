"""Tables and words of the report on windows: the computed one beside the measured one, edges, and temperatures."""

from __future__ import annotations

from ..defects.host_window import CompetingPhasesResult
from ..study.documents import ChemicalPotentialsResult, WarmWindow
from ..thermodynamics.computed_phases import ReferenceSet
from ..thermodynamics.gases import edge_words
from ..thermodynamics.phases import load_experimental_phases
from ..thermodynamics.stability_window import ChemicalPotentials
from ..thermodynamics.temperature import AIR_O2_ATM, oxygen_loss
from ..thermodynamics.window_edges import NO_RICHER_PHASE
from .model import Cell, Table, number, number_with_error, words

# Pressures that are beyond what is ever reached say no more than that.
HIGHEST_atm = 1000.0


def windows_table(result: CompetingPhasesResult) -> Table:
    """Both windows edge by edge, with what bounds them."""
    rows = []
    for name, window in (("computed", result.window), ("measured enthalpies", result.experimental)):
        if window is None:
            reason = result.reason if name == "computed" else result.experimental_reason
            rows.append([*words([name, "–"]), number(None), number(None), *words([reason])])
            continue
        rows += _edges(name, window)
    potentials = result.window or result.experimental
    anion = "O" if potentials is None else potentials.anion
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


def warm_table(potentials: ChemicalPotentialsResult) -> Table:
    """The stability window with free energies of the solids at growth temperatures."""
    rows = []
    for w in potentials.warm:
        if w.poor_eV is None or w.rich_eV is None:
            rows.append([number(w.temperature_K, 0), *[Cell("–", "number")] * 4, *words([w.reason])])
            continue
        rows.append(
            [
                number(w.temperature_K, 0),
                number_with_error(w.poor_eV, w.poor_error_eV),
                number_with_error(w.rich_eV, w.rich_error_eV),
                Cell(_pressure(w.poor_atm), "number"),
                _highest_pressure(w),
                *words([f"{w.poor_reaction}; {w.rich_reaction}"]),
            ]
        )
    anion = potentials.window.anion
    columns = [f"{end} Δμ({anion}) (eV)" for end in ("lowest", "highest")]
    return Table(
        f"Stability window of {potentials.window.host_formula} with free energies of the solids",
        ["T (K)", *columns, f"p({anion}₂) there (atm)", "and there (atm)", "bounded by"],
        rows,
    )


def loss_words(window: ChemicalPotentials) -> str:
    """Where the host gives off its anion's gas in air, or at 1 atm of another gas; empty where that is not known."""
    if window.temperature_K is not None:
        return ""
    where, atm = ("air", AIR_O2_ATM) if window.anion == "O" else (f"1 atm of {window.anion}₂", 1.0)
    loss = oxygen_loss(window, atm)
    if loss is None:
        return ""
    limit = f"{loss.temperature_K:.0f} ± {loss.uncertainty_K:.0f} K"
    return (
        f"With free energies of the solids, in {where} {window.host_formula} is stable up to {limit}: {loss.reaction}."
    )


def _highest_pressure(w: WarmWindow) -> Cell:
    """The pressure where more of the gas makes another phase; none does where only its zero ends the window."""
    if w.rich_reaction.endswith(NO_RICHER_PHASE):
        return Cell("no phase ends it")
    return Cell(_pressure(w.rich_atm), "number")


def _pressure(atm: float | None) -> str:
    """A pressure of the gas; beyond any autoclave the ideal gas, too, is left behind."""
    if atm is None:
        return "–"
    return f"over {HIGHEST_atm:g}" if atm > HIGHEST_atm else f"{atm:.0e}"


def window_table(window: ChemicalPotentials) -> Table:
    """Edges of the stability window and the reactions that bound them."""
    rows = [
        [
            *words([name]),
            number(edge.delta_mu_O_eV, 2),
            number(edge.uncertainty_eV, 2),
            *words([edge.reaction]),
        ]
        for name, edge in zip(edge_words(window.anion), (window.oxygen_poor, window.oxygen_rich), strict=True)
    ]
    columns = ["edge", f"Δμ({window.anion}) (eV)", "± (eV)", "bounded by"]
    return Table(f"Stability window from {window.origin}", columns, rows)


def potentials_table(window: ChemicalPotentials) -> Table:
    """How far the potential of every element can go, and the reactions that end it."""
    rows = [
        [*words([e.element, e.end]), number(e.delta_mu_eV, 2), number(e.uncertainty_eV, 2), *words([e.reaction])]
        for e in window.edges
    ]
    columns = ["element", "end", "Δμ (eV)", "± (eV)", "bounded by"]
    return Table(f"Range of every potential where {window.host_formula} is stable", columns, rows)
