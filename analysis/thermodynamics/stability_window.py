"""Where a host is stable: the polytope of chemical potentials, its oxygen window and what bounds it.

The axis is the potential of the anion (`ChemicalPotentials.anion`): oxygen where there is any, else F, N or S. Fields
are named for oxygen, which it mostly is; in a nitride ``delta_mu_O_min_eV`` is the potential of nitrogen.

All potentials are relative to the elements in their standard states (O: half an O2 molecule; S: the solid). The
host is at equilibrium on the plane sum n_i dmu_i = dH(host); it is stable where no competing phase
and no element would form. The edges of the window are linear programs, whose dual solutions
are the decomposition reactions and the sensitivities to the enthalpies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...structures.units import EV_PER_KJ_PER_MOL
from ..results.document import Document, Provenance
from .gases import potential_anion
from .phases import (
    Constraints,
    Phase,
    anion_last,
    check_consistent,
    common_temperature_K,
    decomposition,
    formula_composition,
    load_experimental_phases,
    mixture_text,
)
from .polytope import convex_corners, slice_points, vertices
from .thermal import thermal_free_energy
from .window_edges import PotentialEdge, potential_edge

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ChemicalPotentials",
    "Phase",
    "PotentialEdge",
    "WindowEdge",
    "at",
    "check_consistent",
    "combination_bounds",
    "coupled_points",
    "decomposition",
    "forming_at",
    "formula_composition",
    "load_experimental_phases",
    "solubility_limit",
    "stability_window",
]

_TOLERANCE_EV = 1e-7
# By which the potentials of a point that is given may miss the host's plane or its bounds.
ON_PLANE_eV = 1e-6
_MEASURED = "enthalpies at 298 K stand for free energies of the solids: no vibrations, no magnetic entropy"
_COMPUTED = "energies at 0 K stand for free energies of the solids: no vibrations, no magnetic entropy"
_AT_TEMPERATURE = "free energies of solids at {:g} K; of those without a table, from the sum of their oxides"
_LEFT_OUT = "solid solutions and off-stoichiometry of the competing phases"


class WindowEdge(Document):
    """One end of the oxygen window.

    Attributes
    ----------
    delta_mu_O_eV, uncertainty_eV
        The edge, and its error from the errors of the formation energies, taken as independent.
    reaction
        What the host does beyond the edge, per formula unit.
    products
        Phases other than O2 in the reaction.
    sensitivity
        d(edge)/d(formation energy) of each compound that takes part, the host included; dimensionless.
    """

    delta_mu_O_eV: float
    uncertainty_eV: float
    reaction: str
    products: list[str]
    sensitivity: dict[str, float]


class ChemicalPotentials(Document):
    """The stability region of a host.

    Attributes
    ----------
    host_formula, host_formation_energy_eV, composition
        The host, and atoms per formula unit.
    elements
        Elements of the host, the anion last.
    delta_mu_O_min_eV, delta_mu_O_max_eV
        The window of the anion's potential.
    oxygen_poor, oxygen_rich
        What bounds it.
    edges
        Both ends of the range of every element's potential, the anion last, with what bounds them.
    vertices
        Corners of the polytope, eV by element; in order around it when the host is ternary.
    vertex_phases
        Phases (elements included) in equilibrium with the host at each vertex.
    phases
        All phases considered, the host included.
    left_out
        What the window does not know.
    temperature_K
        Of the free energies; None if enthalpies at 298 K or energies at 0 K stand for them.
    host_thermal_eV
        The host's free energy above its enthalpy at 298 K, eV per formula unit; 0 without a temperature.
    """

    host_formula: str
    host_formation_energy_eV: float
    composition: dict[str, float]
    elements: list[str]
    delta_mu_O_min_eV: float
    delta_mu_O_max_eV: float
    oxygen_poor: WindowEdge
    oxygen_rich: WindowEdge
    edges: list[PotentialEdge] = Field(default_factory=list, repr=False)
    vertices: list[dict[str, float]]
    vertex_phases: list[list[str]]
    phases: list[Phase] = Field(repr=False)
    left_out: list[str]
    temperature_K: float | None = None
    host_thermal_eV: float = 0.0
    provenance: Provenance

    @property
    def anion(self) -> str:
        """Element whose potential is the axis: the last of `elements`."""
        return self.elements[-1]

    @property
    def origin(self) -> str:
        """Where the formation energies come from, in words."""
        if self.provenance.level_of_theory == "experiment":
            own = [p.formula for p in self.phases if p.provenance.engine == "given"]
            return "experimental enthalpies" + (f", stated for {', '.join(own)}" if own else "")
        return f"phases computed with engine {self.provenance.engine}"

    def to_dataframe(self) -> pd.DataFrame:
        """One row per element and end of its range: delta_mu_eV, uncertainty_eV, reaction."""
        import pandas as pd

        columns = ["element", "end", "delta_mu_eV", "uncertainty_eV", "reaction"]
        return pd.DataFrame([[getattr(e, c) for c in columns] for e in self.edges], columns=columns)

    def contains(self, delta_mu_O_eV: float) -> bool:
        """Whether the host is stable for some cation potentials at this oxygen potential."""
        low, high = self.delta_mu_O_min_eV, self.delta_mu_O_max_eV
        return low - _TOLERANCE_EV <= delta_mu_O_eV <= high + _TOLERANCE_EV


def stability_window(host_formula: str, phases: Sequence[Phase]) -> ChemicalPotentials:
    """Polytope in which the host is stable, and its oxygen window.

    Parameters
    ----------
    host_formula
        An oxide, fluoride, nitride or sulfide of two or more elements.
    phases
        Formation energies of the host and its competitors. Phases with elements that the host lacks
        are left aside: see `solubility_limit`.

    Returns
    -------
    ChemicalPotentials
        Window, vertices, edges.

    Raises
    ------
    ValueError
        If the host has none of these anions or is no compound, if its formation energy is missing, if it is
        unstable against the others, or if the phases mix engines, functionals or U.
    """
    composition = formula_composition(host_formula)
    if potential_anion(composition) is None or len(composition) < 2:
        raise ValueError(
            "the oxygen window needs an oxide of at least two elements (one of nitrogen, fluorine or sulfur a nitride, "
            f"fluoride or sulfide), got {host_formula!r}"
        )
    check_consistent(p.provenance for p in phases)
    elements = anion_last(composition)
    inside = [p for p in phases if set(formula_composition(p.formula)) <= set(elements)]
    hosts = [p for p in inside if _same_compound(p.formula, composition)]
    rivals = [p for p in inside if p not in hosts]
    stable_energy, mixture = decomposition(composition, rivals)
    competing = mixture_text(mixture)
    if not hosts:
        given = ", ".join(p.formula for p in inside)
        raise ValueError(
            f"no formation energy of {host_formula} among the phases given ({given or 'none of these elements'}). "
            f"Add Phase(formula={host_formula!r}, ...) from a source; to be stable it must lie below "
            f"{stable_energy:.3f} eV per {host_formula}, the energy of {competing}"
        )
    host = min(hosts, key=lambda p: p.formation_energy_eV / sum(formula_composition(p.formula).values()))
    atoms = formula_composition(host.formula)
    excess = host.formation_energy_eV - stable_energy * sum(atoms.values()) / sum(composition.values())
    if excess > _TOLERANCE_EV:
        deeper = math.ceil(excess / EV_PER_KJ_PER_MOL * 10) / 10
        raise ValueError(
            f"{host.formula} is unstable: {excess:.3f} eV per formula unit above {competing}. "
            f"There is no window; check the formation energies: one more than {deeper:g} kJ/mol deeper opens it, as "
            "the entropy of mixing does for a solid solution, which without it lies on the line between its ends "
            "(--enthalpies, or an engine's own phases)"
        )
    rows = Constraints(elements, rivals)
    plane = np.array([atoms[el] for el in elements])
    edges = [potential_edge(host, plane, rows, elements, el, sense) for el in elements for sense in (+1, -1)]
    poor, rich = (_oxygen_edge(e) for e in edges[-2:])
    corners, met = vertices(plane, host.formation_energy_eV, rows.amounts, rows.energies)
    return ChemicalPotentials(
        host_formula=host.formula,
        host_formation_energy_eV=host.formation_energy_eV,
        composition=atoms,
        elements=elements,
        delta_mu_O_min_eV=poor.delta_mu_O_eV,
        delta_mu_O_max_eV=rich.delta_mu_O_eV,
        oxygen_poor=poor,
        oxygen_rich=rich,
        edges=edges,
        vertices=[dict(zip(elements, map(float, v), strict=True)) for v in corners],
        vertex_phases=[[rows.names[i] for i in one] for one in met],
        phases=[host, *rivals],
        left_out=_left_out(inside),
        temperature_K=host.temperature_K,
        host_thermal_eV=_thermal_eV(host),
        provenance=host.provenance,
    )


def combination_bounds(
    window: ChemicalPotentials, amounts: Mapping[str, float], delta_mu_O_eV: float, *, outside: bool = False
) -> tuple[float, float]:
    """Lowest and highest sum of n_i dmu_i at one oxygen potential, all cation potentials allowed.

    Parameters
    ----------
    window
        The stability region.
    amounts
        n_i by element; the bounds are joint, so they are tighter than those of the single elements.
    delta_mu_O_eV
        Oxygen potential.
    outside
        See `at`.

    Returns
    -------
    low_eV, high_eV

    Raises
    ------
    ValueError
        If an element is not in the host, or the potential is outside the window.
    """
    foreign = sorted(set(amounts) - set(window.elements))
    if foreign:
        raise ValueError(
            f"{', '.join(foreign)} not in {window.host_formula}: its potential is bounded only from above, "
            "see solubility_limit"
        )
    values = _slice(window, delta_mu_O_eV, outside) @ [amounts.get(el, 0.0) for el in window.elements]
    return float(values.min()), float(values.max())


def coupled_points(
    window: ChemicalPotentials, delta_mu_O_eV: float, *, outside: bool = False
) -> list[dict[str, float]]:
    """Extreme points of the stability region at one oxygen potential, as sets of potentials that go together.

    Parameters
    ----------
    window, delta_mu_O_eV, outside
        As in `at`.

    Returns
    -------
    list[dict[str, float]]
        dmu by element, eV, each on the host's plane: one point for a binary host or at an edge, the two
        ends for a ternary, a polygon's corners for a quaternary.

    Raises
    ------
    ValueError
        Outside the window unless `outside`.
    """
    points = convex_corners(_slice(window, delta_mu_O_eV, outside))
    return [
        dict(zip(window.elements, map(float, x), strict=True)) | {window.anion: float(delta_mu_O_eV)} for x in points
    ]


def at(
    window: ChemicalPotentials,
    delta_mu_O_eV: float,
    fraction: float = 0.5,
    *,
    vary: str | None = None,
    outside: bool = False,
) -> dict[str, float]:
    """One point of the stability region.

    Parameters
    ----------
    window
        The stability region.
    delta_mu_O_eV
        Oxygen potential.
    fraction
        0 for the lowest allowed potential of `vary`, 1 for the highest.
    vary
        Element that `fraction` speaks of; the host's first cation by default.
    outside
        Answer also outside the window: the host is then taken as metastable, the nearest edge is
        continued on the host's plane with all cation potentials shifted alike.

    Returns
    -------
    dict[str, float]
        dmu by element, eV, on the host's plane.

    Raises
    ------
    ValueError
        Outside the window unless `outside`, for a fraction not in [0, 1], or for an unknown element.
    """
    cations = [el for el in window.elements if el != window.anion]
    element = cations[0] if vary is None else vary
    if element not in cations:
        raise ValueError(f"cannot vary {element!r} in {window.host_formula}; choose from {', '.join(cations)}")
    if not 0.0 <= fraction <= 1.0:
        raise ValueError(f"the fraction must lie between 0 and 1, got {fraction}")
    points = _slice(window, delta_mu_O_eV, outside)
    column = points[:, window.elements.index(element)]
    low, high = (points[np.abs(column - x) <= _TOLERANCE_EV].mean(axis=0) for x in (column.min(), column.max()))
    point = dict(zip(window.elements, map(float, (1.0 - fraction) * low + fraction * high), strict=True))
    return point | {window.anion: delta_mu_O_eV}


def forming_at(window: ChemicalPotentials, delta_mu_eV: Mapping[str, float]) -> list[str]:
    """Elements and competing phases that would form at a point; empty where the host is stable.

    Parameters
    ----------
    window
        The stability region.
    delta_mu_eV
        Potentials of the host's elements, on its plane.
    """
    above = [f"{el} (element)" for el in window.elements if delta_mu_eV[el] > ON_PLANE_eV]
    for phase in window.phases[1:]:
        atoms = formula_composition(phase.formula)
        if sum(n * delta_mu_eV[el] for el, n in atoms.items()) > phase.formation_energy_eV + ON_PLANE_eV:
            above.append(phase.formula)
    return above


def solubility_limit(element: str, phases: Sequence[Phase], delta_mu_eV: Mapping[str, float]) -> tuple[float, str]:
    """Highest potential of an element foreign to the host before a phase of it forms.

    Parameters
    ----------
    element
        The foreign element.
    phases
        Formation energies; those with elements not in `delta_mu_eV` besides `element` are left aside.
    delta_mu_eV
        Potentials of the host's elements, e.g. from `at`.

    Returns
    -------
    limit_eV, phase
        The limit and the phase that sets it.
    """
    limit, by = 0.0, element
    for phase in phases:
        atoms = formula_composition(phase.formula)
        rest = {el: n for el, n in atoms.items() if el != element}
        if element not in atoms or not rest or not set(rest) <= set(delta_mu_eV):
            continue
        value = (phase.formation_energy_eV - sum(n * delta_mu_eV[el] for el, n in rest.items())) / atoms[element]
        if value < limit:
            limit, by = value, phase.formula
    return limit, by


def _slice(window: ChemicalPotentials, delta_mu_O_eV: float, outside: bool) -> NDArray[np.float64]:
    """Points spanning the region at one oxygen potential, shape (k, n_elements)."""
    low, high = window.delta_mu_O_min_eV, window.delta_mu_O_max_eV
    if not outside and not window.contains(delta_mu_O_eV):
        raise ValueError(
            f"dmu_{window.anion} = {delta_mu_O_eV:.3f} eV is outside the window of {window.host_formula}, "
            f"{low:.3f} to {high:.3f} eV, where the host decomposes: {window.oxygen_poor.reaction} below, "
            f"{window.oxygen_rich.reaction} above. Choose a value inside, or ask with outside=True"
        )
    corners = np.array([[v[el] for el in window.elements] for v in window.vertices])
    nearest = min(max(delta_mu_O_eV, low), high)
    points = slice_points(corners, window.elements.index(window.anion), nearest)
    cations = sum(n for el, n in window.composition.items() if el != window.anion)
    shift = delta_mu_O_eV - nearest
    per_cation = window.composition[window.anion] / cations
    step = [shift if el == window.anion else -shift * per_cation for el in window.elements]
    return np.asarray(points + np.array(step), dtype=float)


def _oxygen_edge(edge: PotentialEdge) -> WindowEdge:
    return WindowEdge(
        delta_mu_O_eV=edge.delta_mu_eV,
        uncertainty_eV=edge.uncertainty_eV,
        reaction=edge.reaction,
        products=edge.products,
        sensitivity=edge.sensitivity,
    )


def _thermal_eV(host: Phase) -> float:
    return 0.0 if host.temperature_K is None else thermal_free_energy(host.formula, host.temperature_K).value_eV


def _left_out(phases: Sequence[Phase]) -> list[str]:
    measured = all(p.provenance.level_of_theory == "experiment" for p in phases)
    temperature = common_temperature_K(phases)
    static = _MEASURED if measured else _COMPUTED
    notes = [static if temperature is None else _AT_TEMPERATURE.format(temperature), _LEFT_OUT]
    weak = [p.formula for p in phases if p.confidence == "weak"]
    if weak:
        notes.append(f"weakly known enthalpies: {', '.join(weak)}")
    if len({p.provenance.level_of_theory == "experiment" for p in phases}) > 1:
        notes.append("measured and computed formation energies are mixed")
    return notes


def _same_compound(formula: str, composition: Mapping[str, float]) -> bool:
    other = formula_composition(formula)
    ratio = sum(composition.values()) / sum(other.values())
    return set(other) == set(composition) and all(
        abs(n - ratio * other[el]) < 1e-6 * n for el, n in composition.items()
    )
