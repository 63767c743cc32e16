"""Defects against oxygen pressure at a temperature, and the composition of a film grown there.

One point of the diagram is a solution of `concentrations.solve_concentrations` at the oxygen potential
of the gas and a cation potential inside the host's stability region.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ..results.document import Document, Provenance
from ..thermodynamics.gases import gas_of
from ..thermodynamics.stability_window import ChemicalPotentials
from .concentrations import ConcentrationSet
from .defect_thermodynamics import DefectThermodynamics
from .occupancy import sublattice_occupancy

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "BrouwerCurve",
    "BrouwerDiagram",
    "DefectThermodynamics",
    "FilmPoint",
    "RatioRange",
    "brouwer_diagram",
    "film_composition",
    "films_dataframe",
]

_EDGE_EV = 1e-9


class BrouwerCurve(Document):
    """One defect in one charge state along the pressure axis; `charge` None sums over all charges."""

    label: str
    charge: int | None
    per_cm3: list[float]


class BrouwerDiagram(Document):
    """Concentrations against oxygen pressure at one temperature.

    Attributes
    ----------
    temperature_K, quenched_to_K
        Of growth, and to which charges and carriers were cooled (None: not).
    cation_fraction
        Place between the lowest and the highest potential allowed of the first cation, 0 to 1.
    pressures_atm, delta_mu_O_eV, inside
        The axis, and where the host is stable on it.
    anion
        Element whose gas it is.
    fermi_eV
        Above the valence band maximum; None without charged defects.
    electrons_per_cm3, holes_per_cm3
        Carriers.
    curves
        Defects.
    composition
        Atoms per formula unit of the host, by element.
    worst_neutrality, worst_mass_action_eV
        Largest residuals of the checks along the axis.
    dilute
        Whether the dilute limit holds at each point.
    """

    formula: str
    temperature_K: float
    quenched_to_K: float | None
    cation_fraction: float
    pressures_atm: list[float]
    delta_mu_O_eV: list[float]
    inside: list[bool]
    fermi_eV: list[float] | None
    electrons_per_cm3: list[float]
    holes_per_cm3: list[float]
    curves: list[BrouwerCurve]
    composition: dict[str, list[float]]
    worst_neutrality: float
    worst_mass_action_eV: float
    dilute: list[bool]
    indicative: bool
    anion: str = "O"
    provenance: Provenance = Field(repr=False)

    def total(self, label: str) -> list[float]:
        """All charge states of a defect, per cm^3."""
        return next(c.per_cm3 for c in self.curves if c.label == label and c.charge is None)

    def to_dataframe(self) -> pd.DataFrame:
        """One row per pressure; the columns carry their units."""
        import pandas as pd

        columns: dict[str, list[float] | list[bool]] = {
            "pressure_atm": self.pressures_atm,
            "delta_mu_O_eV": self.delta_mu_O_eV,
            "inside": self.inside,
            "electrons_per_cm3": self.electrons_per_cm3,
            "holes_per_cm3": self.holes_per_cm3,
        }
        if self.fermi_eV is not None:
            columns["fermi_eV"] = self.fermi_eV
        for c in self.curves:
            columns[f"{c.label}{'' if c.charge is None else f' q={c.charge:+d}'}_per_cm3"] = c.per_cm3
        for element, atoms in self.composition.items():
            columns[f"{element}_per_formula"] = atoms
        return pd.DataFrame(columns)


class RatioRange(Document):
    """An atomic ratio with its range over the cation potentials and the error bar of the energies.

    Attributes
    ----------
    elements
        E.g. ``Fe/Co``.
    mid
        Halfway between the bounds of the cation potentials; None where defects are not dilute.
    low, high
        The range; None if defects are not dilute somewhere in it, so that there is no bound.
    """

    elements: str
    low: float | None
    mid: float | None
    high: float | None


class FilmPoint(Document):
    """What a film grown at a temperature and oxygen pressure holds in equilibrium.

    Attributes
    ----------
    inside
        Whether the host is stable there; without it there are no ratios unless they were asked for.
    ratios
        Atomic ratios.
    vacancies_per_formula
        Total of each defect halfway between the bounds of the cation potentials.
    occupancy
        Share of the sites of each sublattice by element, there too; empty without antisites or where they are not
        dilute.
    note
        Why there is no number, or what it leaves out.
    """

    temperature_K: float
    pressure_atm: float
    delta_mu_O_eV: float
    inside: bool
    ratios: list[RatioRange]
    vacancies_per_formula: dict[str, float]
    occupancy: dict[str, dict[str, float]] = Field(default_factory=dict)
    note: str = ""

    def ratio(self, elements: str) -> RatioRange:
        """One of `ratios`, e.g. ``"Fe/Co"``."""
        return next(r for r in self.ratios if r.elements == elements)


def brouwer_diagram(
    system: DefectThermodynamics,
    temperature_K: float,
    *,
    pressures_atm: Sequence[float] | None = None,
    n: int = 61,
    fraction: float = 0.5,
    quench_to_K: float | None = None,
    outside: bool = False,
) -> BrouwerDiagram:
    """Concentrations against oxygen pressure.

    Parameters
    ----------
    system
        Energies, sites and window.
    temperature_K
        Growth temperature.
    pressures_atm
        Axis; by default `n` pressures across the stability window.
    n
        Points of the default axis.
    fraction
        Cation potential between its bounds.
    quench_to_K
        Temperature to which charges and carriers cool with the totals frozen.
    outside
        Allow pressures where the host is not stable; they are marked.

    Raises
    ------
    ValueError
        If a pressure is outside the window and `outside` is not set, or none is in reach at this temperature.
    """
    system = system.at_temperature(temperature_K)
    gas = gas_of(system.window.anion)
    if pressures_atm is None:
        low, high = (
            gas.pressure_atm_for(mu, temperature_K)
            for mu in (system.window.delta_mu_O_min_eV, system.window.delta_mu_O_max_eV)
        )
        pressures = [float(x) for x in np.geomspace(low, high, n)]
    else:
        pressures = [float(x) for x in pressures_atm]
    potentials = [_clipped(system.window, float(gas.delta_mu_eV(temperature_K, p))) for p in pressures]
    sets = [
        system.concentrations(temperature_K, mu, fraction=fraction, quench_to_K=quench_to_K, outside=outside)
        for mu in potentials
    ]
    return _diagram(system, temperature_K, quench_to_K, fraction, pressures, potentials, sets)


def film_composition(
    system: DefectThermodynamics,
    temperature_K: float,
    pressure_atm: float,
    *,
    outside: bool = False,
) -> FilmPoint:
    """Atomic ratios of a film grown in equilibrium with oxygen.

    Parameters
    ----------
    system
        Energies, sites and window.
    temperature_K, pressure_atm
        Growth conditions.
    outside
        Give numbers also where the host is not stable.

    Returns
    -------
    FilmPoint
        The range is over three cation potentials (lowest, middle, highest) and the energies shifted by plus
        and minus the error bar.
    """
    gas = float(gas_of(system.window.anion).delta_mu_eV(temperature_K, pressure_atm))
    try:
        system = system.at_temperature(temperature_K)
    except ValueError as error:
        return _no_film(temperature_K, pressure_atm, gas, f"the host is not stable: {error}")
    mu = _clipped(system.window, gas)
    inside = system.window.contains(mu)
    if not inside and not outside:
        edge = system.window.oxygen_poor if mu < system.window.delta_mu_O_min_eV else system.window.oxygen_rich
        return _no_film(temperature_K, pressure_atm, mu, f"the host is not stable: {edge.reaction}")
    shifts = (0.0,) if system.largest_error_eV == 0 else (0.0, -1.0, 1.0)
    sets = {
        (f, s): system.concentrations(temperature_K, mu, fraction=f, shift=s, outside=outside)
        for f in (0.5, 0.0, 1.0)
        for s in shifts
    }
    middle = sets[0.5, 0.0]
    dense = not all(_is_dilute(s) for s in sets.values())
    ratios = []
    for one, other in _pairs(system.window):
        values = [] if dense else [s.ratio(one, other) for s in sets.values()]
        ratios.append(
            RatioRange(
                elements=f"{one}/{other}",
                low=min(values, default=None),
                mid=middle.ratio(one, other) if _is_dilute(middle) else None,
                high=max(values, default=None),
            )
        )
    return FilmPoint(
        temperature_K=temperature_K,
        pressure_atm=pressure_atm,
        delta_mu_O_eV=mu,
        inside=inside,
        ratios=ratios,
        vacancies_per_formula={label: middle.total_per_formula(label) for label in _labels(system)},
        occupancy=sublattice_occupancy(middle, system.host) if _is_dilute(middle) else {},
        note=_film_note(middle, dense, system.largest_error_eV),
    )


def _no_film(temperature_K: float, pressure_atm: float, delta_mu_O_eV: float, note: str) -> FilmPoint:
    return FilmPoint(
        temperature_K=temperature_K,
        pressure_atm=pressure_atm,
        delta_mu_O_eV=delta_mu_O_eV,
        inside=False,
        ratios=[],
        vacancies_per_formula={},
        note=note,
    )


def films_dataframe(points: Sequence[FilmPoint]) -> pd.DataFrame:
    """One row per growth condition and ratio; the columns carry their units."""
    import pandas as pd

    rows = [
        (p.temperature_K, p.pressure_atm, p.delta_mu_O_eV, p.inside, r.elements, r.low, r.mid, r.high)
        for p in points
        for r in p.ratios
    ]
    columns = ["temperature_K", "pressure_atm", "delta_mu_O_eV", "inside", "ratio", "low", "mid", "high"]
    return pd.DataFrame(rows, columns=columns)


def _clipped(window: ChemicalPotentials, mu: float) -> float:
    """The edge itself where the gas function's inverse missed it by rounding."""
    low, high = window.delta_mu_O_min_eV, window.delta_mu_O_max_eV
    near = min(max(mu, low), high)
    return near if abs(near - mu) <= _EDGE_EV else mu


def _is_dilute(concentrations: ConcentrationSet) -> bool:
    return all(c.passed for c in concentrations.checks if c.name == "dilute")


def _film_note(middle: ConcentrationSet, dense: bool, error_bar_eV: float) -> str:
    if not _is_dilute(middle):
        return "defects are not dilute: no ratio"
    if dense and error_bar_eV:
        return f"defects are not dilute somewhere within ± {error_bar_eV:.2f} eV: no bounds"
    return "defects are not dilute at some cation potential: no bounds" if dense else ""


def _labels(system: DefectThermodynamics) -> list[str]:
    return list(dict.fromkeys(d.label for d in system.defects))


def _pairs(window: ChemicalPotentials) -> list[tuple[str, str]]:
    cations = [el for el in window.elements if el != window.anion]
    return [(b, a) for a, b in combinations(cations, 2)] + [(el, window.anion) for el in cations]


def _diagram(
    system: DefectThermodynamics,
    temperature_K: float,
    quench_to_K: float | None,
    fraction: float,
    pressures: list[float],
    potentials: list[float],
    sets: Sequence[ConcentrationSet],
) -> BrouwerDiagram:
    def worst(name: str) -> float:
        return max(float(c.value or 0.0) for s in sets for c in s.checks if c.name == name)

    curves = []
    for label in _labels(system):
        states = [[d for d in s.defects if d.label == label] for s in sets]
        curves.append(BrouwerCurve(label=label, charge=None, per_cm3=[sum(d.per_cm3 for d in x) for x in states]))
        charges = [d.charge for d in states[0]]
        if charges != [0]:
            for q in charges:
                values = [next(d.per_cm3 for d in x if d.charge == q) for x in states]
                curves.append(BrouwerCurve(label=label, charge=q, per_cm3=values))
    levels = [s.fermi_eV for s in sets]
    return BrouwerDiagram(
        formula=system.host.formula,
        temperature_K=temperature_K,
        quenched_to_K=quench_to_K,
        cation_fraction=fraction,
        pressures_atm=pressures,
        delta_mu_O_eV=potentials,
        inside=[system.window.contains(mu) for mu in potentials],
        fermi_eV=None if None in levels else [x for x in levels if x is not None],
        electrons_per_cm3=[s.electrons_per_cm3 for s in sets],
        holes_per_cm3=[s.holes_per_cm3 for s in sets],
        curves=curves,
        composition={el: [s.composition[el] for s in sets] for el in sets[0].composition},
        worst_neutrality=worst("charge neutrality"),
        worst_mass_action_eV=worst("mass action"),
        dilute=[_is_dilute(s) for s in sets],
        indicative=system.indicative,
        anion=system.window.anion,
        provenance=system.defects[0].provenance,
    )
