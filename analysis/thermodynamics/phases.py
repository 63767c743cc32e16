"""Compounds with their formation energies, measured ones from a file, and which may be combined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...structures.units import EV_PER_KJ_PER_MOL
from ..results.document import Document, Provenance
from .gases import GASES, potential_anion
from .thermal import formula_composition as formula_composition
from .thermal import thermal_free_energy, thermochemical_table

# Where a provenance's settings name the scheme that corrected an energy.
SCHEME_KEY = "correction_scheme"
_DIATOMIC = ("H", "N", "O", "F", "Cl")


class Phase(Document):
    """A compound with its formation energy.

    Attributes
    ----------
    formula
        The formula unit that the energy counts.
    formation_energy_eV, uncertainty_eV
        From the elements in their standard states, eV per formula unit. Of a measured compound: from solid elements at
        298 K and O2, N2 or F2 at 0 K, which is the zero of the gas.
    temperature_K
        Of a free energy; None for an enthalpy at 298 K or an energy at 0 K.
    confidence
        ``known`` (general literature), ``weak``, ``estimated`` (see `source`), ``computed`` or ``given`` (by the user).
    source, provenance
        Where it comes from.
    """

    formula: str
    formation_energy_eV: float
    uncertainty_eV: float = Field(default=0.0, ge=0)
    confidence: Literal["known", "weak", "estimated", "computed", "given"] = "computed"
    temperature_K: float | None = None
    source: str
    provenance: Provenance


# Where a provenance keeps its PAW data sets: by element ``titel``, ``potcar_md5`` and ``header_sha256``.
DATA_SETS_KEY = "paw"


def check_consistent(provenances: Iterable[Provenance]) -> None:
    """Refuse energies that must not be added: another engine, functional, U, PAW data set or correction scheme.

    Measured numbers (level of theory ``experiment``) and arithmetic enter as differences of potentials and are
    skipped. U counts as written: record the U of the whole settings table also for cells that lack
    an element, so that an uncorrected metal beside a +U oxide is seen.

    Raises
    ------
    ValueError
        Naming the field that differs and its values.
    """
    calculated = [p for p in provenances if p.level_of_theory not in ("experiment", "arithmetic")]
    for p in calculated[1:]:
        schemes = [correction_scheme(calculated[0]), correction_scheme(p)]
        if schemes[0] != schemes[1]:
            raise ValueError(
                f"energies corrected by {schemes[0]} and by {schemes[1]} must not be combined: correct the host, every "
                "defect cell and every reference by one scheme, or none of them"
            )
        for name in ("engine", "functional", "hubbard_U_eV"):
            one, other = _comparable(calculated[0], name), _comparable(p, name)
            if one != other:
                raise ValueError(
                    f"energies with different {name} ({one!r} and {other!r}) must not be combined: "
                    "recompute all of them with one engine, functional and U"
                )
    _check_data_sets(calculated)


def _check_data_sets(provenances: Sequence[Provenance]) -> None:
    """Refuse two PAW data sets of one element, by title or, where both are known, by a hash.

    Raises
    ------
    ValueError
        Naming the element and both data sets.
    """
    seen: dict[str, dict[str, str | None]] = {}
    for p in provenances:
        for element, found in dict(p.settings.get(DATA_SETS_KEY, {})).items():
            first = seen.setdefault(element, found)
            for key in ("titel", "potcar_md5", "header_sha256"):
                one, other = first.get(key), found.get(key)
                if one and other and one != other:
                    raise ValueError(
                        f"energies with different PAW data sets of {element} ({first.get('titel')!r} and "
                        f"{found.get('titel')!r}, {key} {one!r} and {other!r}) must not be combined: recompute all of "
                        "them with one"
                    )


def correction_scheme(provenance: Provenance) -> str:
    """Name of the scheme that corrected an energy; ``none`` if none did."""
    return str(provenance.settings.get(SCHEME_KEY, "none"))


def _comparable(provenance: Provenance, name: str) -> object:
    value = getattr(provenance, name)
    return {k: v for k, v in value.items() if v != 0} if isinstance(value, dict) else value


def load_experimental_phases(elements: Iterable[str], *, alternatives: Sequence[str] = ()) -> list[Phase]:
    """Measured formation enthalpies of the compounds made of some elements, at 298 K.

    The tables count from gases at 298 K, the potentials of this package from gases at 0 K: the heat content of O2, N2
    or F2, 0.045 eV per atom, is added, so that both have one zero. `temperature.phases_at` makes free energies of them.

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
    data = thermochemical_table()
    provenance = Provenance(
        engine="experiment", level_of_theory="experiment", settings={"temperature_K": data["temperature_K"]}
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
                formation_energy_eV=from_gas_at_0_K_eV(formula, chosen["enthalpy"]),
                uncertainty_eV=chosen["uncertainty"] * EV_PER_KJ_PER_MOL,
                confidence=chosen["confidence"],
                source=chosen["source"],
                provenance=provenance,
            )
        )
    return phases


def stated_phase(formula: str, kJ_per_mol: float, uncertainty_kJ_per_mol: float = 0.0, source: str = "") -> Phase:
    """A formation enthalpy of the user's own: used instead of a tabulated one, or where there is none.

    Parameters
    ----------
    formula
        Compound of at least two elements; the enthalpy counts this formula unit.
    kJ_per_mol, uncertainty_kJ_per_mol
        From the elements and O2 gas, and its error.
    source
        Where it comes from.

    Raises
    ------
    ValueError
        If the formula is no compound, or the numbers make no sense.
    """
    try:
        atoms = formula_composition(formula)
    except ValueError as error:
        raise ValueError(f"{formula!r} is no formula: {error}") from error
    if len(atoms) < 2:
        raise ValueError(f"{formula} is an element, whose formation enthalpy is zero by definition")
    numbers = (kJ_per_mol, uncertainty_kJ_per_mol)
    if not all(isinstance(x, int | float) and np.isfinite(x) for x in numbers) or uncertainty_kJ_per_mol < 0:
        raise ValueError(f"{formula}: {kJ_per_mol} ± {uncertainty_kJ_per_mol} kJ/mol is no enthalpy with its error")
    return Phase(
        formula=formula,
        formation_energy_eV=from_gas_at_0_K_eV(formula, kJ_per_mol),
        uncertainty_eV=uncertainty_kJ_per_mol * EV_PER_KJ_PER_MOL,
        confidence="given",
        source=source or "stated by the user",
        provenance=Provenance(engine="given", level_of_theory="experiment"),
    )


def from_gas_at_0_K_eV(formula: str, kJ_per_mol: float) -> float:
    """An enthalpy at 298 K from the elements and gases at 298 K, counted from the gases at 0 K; eV per formula unit."""
    atoms = formula_composition(formula)
    heat = sum(atoms.get(el, 0.0) * gas.heat_content_eV() for el, gas in GASES.items() if gas.is_standard_state)
    return kJ_per_mol * EV_PER_KJ_PER_MOL + heat


def same_compound(formula: str, other: str) -> bool:
    """Whether two formulas are one composition, whatever their formula units."""
    one, two = formula_composition(formula), formula_composition(other)
    ratio = sum(one.values()) / sum(two.values())
    return set(one) == set(two) and all(abs(n - ratio * two[el]) < 1e-6 * n for el, n in one.items())


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
    from scipy.optimize import linprog

    elements = anion_last(composition)
    rows = Constraints(elements, phases)
    target = [composition[el] for el in elements]
    optimum = linprog(rows.energies, A_eq=rows.amounts.T, b_eq=target, bounds=(0, None))
    if not optimum.success or optimum.x is None or optimum.fun is None:
        raise ValueError(f"no decomposition of {dict(composition)}: {optimum.message}")
    amounts = {name: float(x) for name, x in zip(rows.names, optimum.x, strict=True) if x > 1e-9}
    return float(optimum.fun), amounts


class Constraints:
    """What keeps other phases from forming, as arrays: sum over elements of amounts * dmu <= energy.

    Attributes
    ----------
    names, compounds
        Phases, then the elements in their standard states; how many of them are phases.
    amounts, energies, uncertainties
        Shapes (m, d), (m,), (m,); atoms of each element, and eV per formula unit. An element has the energy zero, or
        at a temperature its free energy above its enthalpy at 298 K; the gases O2, N2 and F2 stay at 0 K.

    Raises
    ------
    ValueError
        If the phases are of several temperatures.
    """

    def __init__(self, elements: Sequence[str], phases: Sequence[Phase]) -> None:
        compounds = [(p, c) for p in phases if len(c := formula_composition(p.formula)) > 1]
        pure = [element_formula(el) for el in elements]
        table = [c for _, c in compounds] + [formula_composition(f) for f in pure]
        self.names = [p.formula for p, _ in compounds] + pure
        self.amounts: NDArray[np.float64] = np.array([[c.get(el, 0.0) for el in elements] for c in table])
        self.compounds = len(compounds)
        temperature = common_temperature_K([p for p, _ in compounds])
        ends = [_standard_state_eV(f, temperature) for f in pure]
        self.energies = np.array([p.formation_energy_eV for p, _ in compounds] + ends)
        self.uncertainties = np.array([p.uncertainty_eV for p, _ in compounds] + [0.0] * len(pure))


def common_temperature_K(phases: Sequence[Phase]) -> float | None:
    """The temperature of some phases; None if they are enthalpies.

    Raises
    ------
    ValueError
        If they differ.
    """
    known = {p.temperature_K for p in phases}
    if len(known) > 1:
        listed = ", ".join(
            f"{p.formula} {'298 K enthalpy' if (t := p.temperature_K) is None else f'{t:g} K'}" for p in phases
        )
        raise ValueError(
            f"energies of different temperatures must not be combined: {listed}; use temperature.phases_at"
        )
    return next(iter(known), None)


def _standard_state_eV(formula: str, temperature_K: float | None) -> float:
    if temperature_K is None or formula in {g.formula for g in GASES.values() if g.is_standard_state}:
        return 0.0
    return thermal_free_energy(formula, temperature_K).value_eV


def element_formula(element: str) -> str:
    """Standard state of an element: the symbol, or the diatomic gas."""
    return f"{element}2" if element in _DIATOMIC else element


def anion_last(composition: Mapping[str, float]) -> list[str]:
    """Element symbols sorted by name, the anion whose potential is the axis at the end."""
    anion = potential_anion(composition)
    return sorted(composition, key=lambda el: (el == anion, el))


def mixture_text(amounts: Mapping[str, float]) -> str:
    """``{"Co": 1, "Fe3O4": 2/3}`` as ``Co + 2/3 Fe3O4``."""
    return " + ".join(f"{_number(x)} {name}".strip() for name, x in amounts.items())


def _number(value: float) -> str:
    """A stoichiometric number as a small fraction where it is one; empty for 1."""
    near = Fraction(value).limit_denominator(60)
    if abs(float(near) - value) > 1e-6:
        return f"{value:.4g}"
    return "" if near == 1 else str(near)
