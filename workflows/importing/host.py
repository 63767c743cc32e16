"""The host of imported runs: a built-in one, or one derived from a structure and its formula alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
from pymatgen.core import Composition, Element, Structure

from ...structures.checks.geometry import coordination_number
from ...structures.host import Host

# Cells that a code has relaxed are symmetric to this, Angstrom.
RELAXED_SYMPREC = 0.02
# Found moments that differ by less belong to ions of one kind.
_SAME_MOMENT_muB = 0.35
_NO_MOMENT_muB = 0.2
ORDER = "as imported"


def derived_host(structure: Structure, *, gap_eV: float = 0.0, hubbard_U_eV: dict[str, float] | None = None) -> Host:
    """A host that says what its structure does: formula, elements, formal valences.

    Parameters
    ----------
    structure
        Perfect cell of any size.
    gap_eV
        Band gap, for the breakdown check of fields.
    hubbard_U_eV
        U of the runs.

    Returns
    -------
    Host
        With one order, `ORDER`, and no named vacancies, hops or claims.
    """
    formula = structure.composition.reduced_formula
    atoms = structure.composition.reduced_composition
    anion = max(atoms.elements, key=lambda el: el.X if np.isfinite(el.X) else 0.0).symbol
    cell = with_host_roles(structure, None)
    return Host(
        key=formula.lower(),
        title=f"{formula}, imported",
        formula=formula,
        build_cell=lambda order: cell.copy(),
        orders=(ORDER,),
        spin_sense={},
        moment_per_formula_muB=0.0,
        anions_per_formula=round(atoms[anion]),
        vacancies=(),
        hops=(),
        references=(),
        hubbard_U_eV=hubbard_U_eV or {},
        gap_eV=gap_eV,
        claims=(),
        sources={"structure": "imported calculation", "valences": "guessed from the formula"},
        anion=anion,
    )


def formal_valences(composition: Composition) -> dict[str, float]:
    """Formal charge of each element, e; averages where an element has several, zeros where none make it neutral."""
    reduced = composition.reduced_composition
    try:
        guesses = reduced.oxi_state_guesses()
    except ValueError:
        guesses = ()
    if not guesses:
        return {el.symbol: 0.0 for el in reduced.elements}
    return {str(el): float(v) for el, v in guesses[0].items()}


def with_host_roles(structure: Structure, host: Host | None, moments_muB: list[float] | None = None) -> Structure:
    """A perfect cell with valence, sublattice and moment of each site.

    Parameters
    ----------
    structure
        Perfect cell.
    host
        Whose sublattices and valences to take, by element and number of nearest anions; without one each element is
        its own sublattice.
    moments_muB
        As found by the code.

    Raises
    ------
    ValueError
        If the host has no such site.
    """
    out = Structure(
        structure.lattice, [Element(s.specie.symbol) for s in structure], structure.frac_coords, to_unit_cell=False
    )
    if host is None:
        valences = formal_valences(structure.composition)
        roles = [(s.specie.symbol, valences[s.specie.symbol]) for s in out]
    else:
        roles = _roles_of_host(out, host)
    out.add_site_property("sublattice", [name for name, _ in roles])
    out.add_site_property("valence", [value for _, value in roles])
    out.add_site_property("magmom", [float(m) for m in moments_muB or [0.0] * len(out)])
    return out


def _roles_of_host(structure: Structure, host: Host) -> list[tuple[str, float]]:
    """Sublattice and valence of each site, from the host's cell by element and number of nearest anions."""
    cell = host.structure()
    known: dict[tuple[str, int], Counter[str]] = {}
    valences: dict[tuple[str, str], list[float]] = {}
    for i, site in enumerate(cell):
        place = (site.specie.symbol, _neighbours(cell, i, host.anion))
        known.setdefault(place, Counter())[str(site.properties["sublattice"])] += 1
        kind = (site.specie.symbol, str(site.properties["sublattice"]))
        valences.setdefault(kind, []).append(float(site.properties["valence"]))
    out = []
    for i, site in enumerate(structure):
        element = site.specie.symbol
        options = known.get((element, _neighbours(structure, i, host.anion)))
        if options is None:
            options = sum((c for (el, _), c in known.items() if el == element), Counter())
        if not options:
            raise ValueError(f"{host.formula} has no {element}: this is another material")
        name = options.most_common(1)[0][0]
        out.append((name, float(np.mean(valences[element, name]))))
    return out


def _neighbours(structure: Structure, index: int, anion: str) -> int:
    if structure[index].specie.symbol == anion:
        return 0
    try:
        return coordination_number(structure, index, anion)
    except ValueError:
        return 0


def for_symmetry(structure: Structure) -> Structure:
    """A cell whose found moments are sorted into kinds, so that noise in them breaks no symmetry."""
    out: Structure = structure.copy()
    moments = np.array([float(m) if np.ndim(m) == 0 else 0.0 for m in out.site_properties["magmom"]])
    sorted_moments = np.where(np.abs(moments) < _NO_MOMENT_muB, 0.0, moments)
    for element in {s.specie.symbol for s in out}:
        own = [i for i, s in enumerate(out) if s.specie.symbol == element]
        order = sorted(own, key=lambda i: sorted_moments[i])
        group = [order[0]]
        for i in [*order[1:], None]:
            if i is not None and moments[i] - moments[group[-1]] < _SAME_MOMENT_muB:
                group.append(i)
                continue
            sorted_moments[group] = round(float(np.mean(sorted_moments[group])), 1)
            group = [] if i is None else [i]
    out.add_site_property("magmom", [float(m) for m in sorted_moments])
    return out
