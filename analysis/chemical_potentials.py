"""Where a host is stable: the polytope of chemical potentials, its oxygen window and what bounds it.

All potentials are relative to the elements in their standard states (O: half an O2 molecule). The
host is at equilibrium on the plane sum n_i dmu_i = dH(host); it is stable where no competing phase
and no element would form. The edges of the oxygen window are linear programs, whose dual solutions
are the decomposition reactions and the sensitivities to the enthalpies.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from importlib.resources import files
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.constants import N_A, e
from scipy.optimize import linprog

from .document import Document, Provenance

EV_PER_KJ_PER_MOL = 1000.0 / (N_A * e)
_TOLERANCE_EV = 1e-7
_DIATOMIC = ("H", "N", "O", "F", "Cl")
_LEFT_OUT = (
    "enthalpies at 298 K stand for free energies of the solids: no vibrations, no magnetic entropy",
    "solid solutions and off-stoichiometry of the competing phases",
)


class Phase(Document):
    """A compound with its formation energy.

    Attributes
    ----------
    formula
        The formula unit that the energy counts.
    formation_energy_eV, uncertainty_eV
        From the elements in their standard states, eV per formula unit.
    confidence
        ``known`` (general literature), ``weak`` or ``computed``.
    source, provenance
        Where it comes from.
    """

    formula: str
    formation_energy_eV: float
    uncertainty_eV: float = Field(default=0.0, ge=0)
    confidence: Literal["known", "weak", "computed"] = "computed"
    source: str
    provenance: Provenance


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
        d(edge)/d(formation energy) of each phase that takes part, the host included; dimensionless.
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
        Elements of the host, oxygen last.
    delta_mu_O_min_eV, delta_mu_O_max_eV
        The oxygen window.
    oxygen_poor, oxygen_rich
        What bounds it.
    vertices
        Corners of the polytope, eV by element; in order around it when the host is ternary.
    vertex_phases
        Phases (elements included) in equilibrium with the host at each vertex.
    phases
        All phases considered, the host included.
    left_out
        What the window does not know.
    """

    host_formula: str
    host_formation_energy_eV: float
    composition: dict[str, float]
    elements: list[str]
    delta_mu_O_min_eV: float
    delta_mu_O_max_eV: float
    oxygen_poor: WindowEdge
    oxygen_rich: WindowEdge
    vertices: list[dict[str, float]]
    vertex_phases: list[list[str]]
    phases: list[Phase] = Field(repr=False)
    left_out: list[str]
    provenance: Provenance

    def contains(self, delta_mu_O_eV: float) -> bool:
        """Whether the host is stable for some cation potentials at this oxygen potential."""
        low, high = self.delta_mu_O_min_eV, self.delta_mu_O_max_eV
        return low - _TOLERANCE_EV <= delta_mu_O_eV <= high + _TOLERANCE_EV


def check_consistent(provenances: Iterable[Provenance]) -> None:
    """Refuse energies that must not be added: another engine, functional or U.

    Measured numbers (tier ``experiment``) and arithmetic enter as differences of potentials and are
    skipped. U counts as written: record the U of the whole settings table also for cells that lack
    an element, so that an uncorrected metal beside a +U oxide is seen.

    Raises
    ------
    ValueError
        Naming the field that differs and its values.
    """
    calculated = [p for p in provenances if p.tier not in ("experiment", "arithmetic")]
    tables = [{k: v for k, v in p.hubbard_U_eV.items() if v != 0} for p in calculated]
    for name, values in (
        ("engine", [p.engine for p in calculated]),
        ("functional", [p.functional for p in calculated]),
        ("hubbard_U_eV", tables),
    ):
        other = next((v for v in values if v != values[0]), None) if values else None
        if other is not None or (None in values and values[0] is not None):
            raise ValueError(
                f"energies with different {name} ({values[0]!r} and {other!r}) must not be combined: "
                "recompute all of them with one engine, functional and U"
            )


def load_experimental_phases(
    elements: Iterable[str], *, alternatives: Sequence[str] = ()
) -> list[Phase]:
    """Measured formation enthalpies of the compounds made of some elements.

    Parameters
    ----------
    elements
        Symbols; a compound is returned if all its elements are among them.
    alternatives
        Formulas for which the file's alternative value is wanted instead, e.g. ``["Co3O4"]``.

    Returns
    -------
    list[Phase]
        One entry per formula, in the file's order.

    Raises
    ------
    ValueError
        If an alternative is asked for that the file does not have.
    """
    wanted = set(elements)
    data = json.loads(files(__package__).joinpath("data", "formation_enthalpies.json").read_text("utf-8"))
    provenance = Provenance(
        engine="experiment", tier="experiment", settings={"temperature_K": data["temperature_K"]}
    )
    known = {row["formula"]: row for row in data["phases"]}
    for formula in alternatives:
        if not known.get(formula, {}).get("alternatives"):
            have = [f for f, row in known.items() if row.get("alternatives")]
            raise ValueError(f"no alternative enthalpy of {formula}; there is one for {', '.join(have)}")
    phases = []
    for formula, row in known.items():
        if not set(formula_composition(formula)) <= wanted:
            continue
        chosen = row | (row["alternatives"][0] if formula in alternatives else {})
        phases.append(
            Phase(
                formula=formula,
                formation_energy_eV=chosen["enthalpy"] * EV_PER_KJ_PER_MOL,
                uncertainty_eV=chosen["uncertainty"] * EV_PER_KJ_PER_MOL,
                confidence=chosen["confidence"],
                source=chosen["source"],
                provenance=provenance,
            )
        )
    return phases


def formula_composition(formula: str) -> dict[str, float]:
    """Atoms per formula unit by element symbol."""
    from pymatgen.core import Composition

    return {str(el): float(n) for el, n in Composition(formula).get_el_amt_dict().items()}


def decomposition(composition: Mapping[str, float], phases: Sequence[Phase]) -> tuple[float, dict[str, float]]:
    """Lowest energy of a composition as a mixture of phases and elements.

    Parameters
    ----------
    composition
        Atoms by element.
    phases
        Phases to mix; the elements at zero energy are added.

    Returns
    -------
    energy_eV, amounts
        Energy from the elements for the given atoms, and formula units of each phase.

    Raises
    ------
    ValueError
        If the linear program fails, which well-posed input does not make it do.
    """
    elements = _oxygen_last(composition)
    rows = _Constraints(elements, phases)
    target = [composition[el] for el in elements]
    found = linprog(rows.energies, A_eq=rows.amounts.T, b_eq=target, bounds=(0, None))
    if not found.success:
        raise ValueError(f"no decomposition of {dict(composition)}: {found.message}")
    amounts = {name: float(x) for name, x in zip(rows.names, found.x, strict=True) if x > 1e-9}
    return float(found.fun), amounts


def stability_window(host_formula: str, phases: Sequence[Phase]) -> ChemicalPotentials:
    """Polytope in which the host is stable, and its oxygen window.

    Parameters
    ----------
    host_formula
        An oxide of two or more elements.
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
        If the host has no oxygen or is no compound, if its formation energy is missing, if it is
        unstable against the others, or if the phases mix engines, functionals or U.
    """
    composition = formula_composition(host_formula)
    if "O" not in composition or len(composition) < 2:
        raise ValueError(f"the oxygen window needs an oxide of at least two elements, got {host_formula!r}")
    check_consistent(p.provenance for p in phases)
    elements = _oxygen_last(composition)
    inside = [p for p in phases if set(formula_composition(p.formula)) <= set(elements)]
    hosts = [p for p in inside if _same_compound(p.formula, composition)]
    rivals = [p for p in inside if p not in hosts]
    stable_energy, mixture = decomposition(composition, rivals)
    competing = " + ".join(f"{_number(x)} {name}".strip() for name, x in mixture.items())
    if not hosts:
        raise ValueError(
            f"no formation energy of {host_formula} among {', '.join(p.formula for p in inside) or 'no phases'}. "
            f"Add Phase(formula={host_formula!r}, ...) from a source; to be stable it must lie below "
            f"{stable_energy:.3f} eV per {host_formula}, the energy of {competing}"
        )
    host = min(hosts, key=lambda p: p.formation_energy_eV / sum(formula_composition(p.formula).values()))
    atoms = formula_composition(host.formula)
    excess = host.formation_energy_eV - stable_energy * sum(atoms.values()) / sum(composition.values())
    if excess > _TOLERANCE_EV:
        raise ValueError(
            f"{host.formula} is unstable: {excess:.3f} eV per formula unit above {competing}. "
            "There is no window; check the formation energies"
        )
    rows = _Constraints(elements, rivals)
    plane = np.array([atoms[el] for el in elements])
    poor = _edge(host, plane, rows, rivals, sense=+1)
    rich = _edge(host, plane, rows, rivals, sense=-1)
    vertices, touching = _vertices(host.formation_energy_eV, plane, rows)
    return ChemicalPotentials(
        host_formula=host.formula,
        host_formation_energy_eV=host.formation_energy_eV,
        composition=atoms,
        elements=elements,
        delta_mu_O_min_eV=poor.delta_mu_O_eV,
        delta_mu_O_max_eV=rich.delta_mu_O_eV,
        oxygen_poor=poor,
        oxygen_rich=rich,
        vertices=[dict(zip(elements, map(float, v), strict=True)) for v in vertices],
        vertex_phases=touching,
        phases=[host, *rivals],
        left_out=list(_LEFT_OUT),
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


def element_bounds(
    window: ChemicalPotentials, delta_mu_O_eV: float, *, outside: bool = False
) -> dict[str, tuple[float, float]]:
    """Lowest and highest potential of each element at one oxygen potential; errors as `combination_bounds`."""
    return {
        el: combination_bounds(window, {el: 1.0}, delta_mu_O_eV, outside=outside) for el in window.elements
    }


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
    cations = [el for el in window.elements if el != "O"]
    element = cations[0] if vary is None else vary
    if element not in cations:
        raise ValueError(f"cannot vary {element!r} in {window.host_formula}; choose from {', '.join(cations)}")
    if not 0.0 <= fraction <= 1.0:
        raise ValueError(f"the fraction must lie between 0 and 1, got {fraction}")
    points = _slice(window, delta_mu_O_eV, outside)
    column = points[:, window.elements.index(element)]
    low, high = (points[np.abs(column - x) <= _TOLERANCE_EV].mean(axis=0) for x in (column.min(), column.max()))
    return dict(zip(window.elements, map(float, (1.0 - fraction) * low + fraction * high), strict=True))
