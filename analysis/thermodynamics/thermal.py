"""Free energies of solids: what temperature adds to an enthalpy of formation at 298 K.

G(T) - H(298.15 K) = -T * [free-energy function], from tables of the substance itself; the pressure part of a solid is
below 1 meV per atom at 1 atm and left out. A compound that the table lacks takes the sum of the oxides that it is
lowest as a mixture of (the rule of Neumann and Kopp), with the error that this has.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...structures.units import EV_PER_KJ_PER_MOL

if TYPE_CHECKING:
    from scipy.interpolate import CubicSpline

# What the sum of oxides misses of an entropy: order, spin and lattice differ, J/(mol K) per atom.
SUM_OF_OXIDES_J_PER_MOL_K = 1.2
# Where free energies are tabulated at most.
TABLE_RANGE_K = (298.15, 1800.0)
_J = EV_PER_KJ_PER_MOL / 1000.0


class MissingFreeEnergyError(ValueError):
    """No free energy of a substance is known at a temperature."""


class ThermalEnergy(NamedTuple):
    """G(T) - H(298.15 K) of a formula unit with its error, eV, and where it comes from."""

    value_eV: float
    uncertainty_eV: float
    source: str


@cache
def thermochemical_table() -> dict[str, Any]:
    """The table of enthalpies and free energies with its sources."""
    text = files(__package__).joinpath("thermochemistry.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def thermal_free_energy(formula: str, temperature_K: float) -> ThermalEnergy:
    """What temperature adds to the enthalpy of a solid (or a molten metal) at 298.15 K.

    Parameters
    ----------
    formula
        The formula unit that is counted; an element or a compound.
    temperature_K
        From 298.15 K to the end of the table.

    Returns
    -------
    ThermalEnergy
        G(T) - H(298.15 K), eV per formula unit.

    Raises
    ------
    MissingFreeEnergyError
        If the substance is neither in the table nor a mixture of oxides in it, or the temperature is outside it.
    """
    atoms = formula_composition(formula)
    total = sum(atoms.values())
    row = _row_of(_key(atoms))
    if row is not None:
        units = total / sum(formula_composition(row["formula"]).values())
        found = _of_row(row, temperature_K)
        return ThermalEnergy(units * found.value_eV, units * found.uncertainty_eV, found.source)
    amounts = _oxides(formula, atoms)
    parts = {name: _of_row(row, temperature_K) for name, row in _tabulated().items() if name in amounts}
    value = sum(amounts[name] * part.value_eV for name, part in parts.items())
    errors = [amounts[name] * part.uncertainty_eV for name, part in parts.items()]
    errors.append(temperature_K * SUM_OF_OXIDES_J_PER_MOL_K * _J * total)
    return ThermalEnergy(float(value), float(np.linalg.norm(errors)), f"sum of {', '.join(parts)}")


def anion_shares_eV(elements: Iterable[str], temperature_K: float, anion: str = "O") -> dict[str, float]:
    """What one anion carries of a solid's free energy: that of the oxidised solid less that of the reduced one.

    Parameters
    ----------
    elements
        Only oxides of one of these count, and only of transition metals, which change their valence.
    temperature_K
        Steps whose oxides are not tabulated there are left out.

    Returns
    -------
    dict[str, float]
        By step, such as ``Fe2O3 -> Fe3O4``: eV per O atom that leaves, without the gas.
    """
    return dict(_anion_shares_eV(tuple(sorted(set(elements))), temperature_K, anion))


@cache
def _anion_shares_eV(elements: Sequence[str], temperature_K: float, anion: str) -> Mapping[str, float]:
    from pymatgen.core import Element

    shares = {}
    for element in elements:
        if element == anion or not Element(element).is_transition_metal:
            continue
        oxides = []
        for formula, row in _tabulated().items():
            atoms = formula_composition(formula)
            low, high = _range(row)
            if set(atoms) == {element, anion} and low <= temperature_K <= high:
                per_cation = _of_row(row, temperature_K).value_eV / atoms[element]
                oxides.append((atoms[anion] / atoms[element], per_cation, formula))
        for (few, reduced, less), (many, oxidised, more) in pairwise(sorted(oxides)):
            shares[f"{more} -> {less}"] = (oxidised - reduced) / (many - few)
    return shares


def _of_row(row: Mapping[str, Any], temperature_K: float) -> ThermalEnergy:
    error = temperature_K * row["entropy_uncertainty"] * _J
    if "thermal_from" in row:
        value = sum(n * thermal_free_energy(f, temperature_K).value_eV for f, n in row["thermal_from"].items())
        return ThermalEnergy(value - temperature_K * row["added_entropy"] * _J, error, row["thermal_source"])
    low, high = _range(row)
    if not low <= temperature_K <= high:
        raise MissingFreeEnergyError(
            f"the free energy of {row['formula']} is tabulated from {low:g} to {high:g} K; {temperature_K:g} K is "
            "outside. Choose a temperature inside, or use enthalpies at 298 K (no temperature)"
        )
    return ThermalEnergy(
        -temperature_K * float(_spline(row["formula"])(temperature_K)) * _J, error, row["thermal_source"]
    )


def _range(row: Mapping[str, Any]) -> tuple[float, float]:
    grid = thermochemical_table()["temperatures_K"]
    return float(grid[0]), float(grid[len(row["free_energy_function"]) - 1])


@cache
def _spline(formula: str) -> CubicSpline:
    from scipy.interpolate import CubicSpline

    values = _rows()[formula]["free_energy_function"]
    return CubicSpline(thermochemical_table()["temperatures_K"][: len(values)], values)


@cache
def _rows() -> dict[str, dict[str, Any]]:
    table = thermochemical_table()
    return {row["formula"]: row for row in [*table["elements"], *table["phases"]]}


@cache
def _row_of(key: frozenset[tuple[str, float]]) -> dict[str, Any] | None:
    """The row of a composition that has thermal data."""
    for formula, row in _rows().items():
        if _key(formula_composition(formula)) == key and ("free_energy_function" in row or "thermal_from" in row):
            return row
    return None


@cache
def _tabulated() -> dict[str, dict[str, Any]]:
    """Oxides whose own free energy is tabulated."""
    return {row["formula"]: row for row in thermochemical_table()["phases"] if "free_energy_function" in row}


def _oxides(formula: str, atoms: Mapping[str, float]) -> dict[str, float]:
    """The lowest mixture of tabulated oxides with this composition."""
    from scipy.optimize import linprog

    rows = _tabulated()
    elements = sorted(atoms)
    usable = [f for f in rows if set(formula_composition(f)) <= set(elements)]
    if usable:
        counts = np.array([[formula_composition(f).get(el, 0.0) for f in usable] for el in elements])
        cost = [rows[f]["enthalpy"] for f in usable]
        optimum = linprog(cost, A_eq=counts, b_eq=[atoms[el] for el in elements], bounds=(0, None))
        if optimum.success and optimum.x is not None:
            return {f: float(x) for f, x in zip(usable, optimum.x, strict=True) if x > 1e-9}
    known = ", ".join(rows)
    raise MissingFreeEnergyError(
        f"no free energy of {formula} is known, and it is no mixture of the oxides whose free energies are ({known}): "
        "use enthalpies at 298 K (no temperature)"
    )


def formula_composition(formula: str) -> dict[str, float]:
    """Atoms per formula unit by element symbol."""
    return dict(_composition(formula))


@cache
def _composition(formula: str) -> Mapping[str, float]:
    from pymatgen.core import Composition

    return {str(el): float(n) for el, n in Composition(formula).get_el_amt_dict().items()}


def _key(atoms: Mapping[str, float]) -> frozenset[tuple[str, float]]:
    total = sum(atoms.values())
    return frozenset((el, round(n / total, 6)) for el, n in atoms.items())
