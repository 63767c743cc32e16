"""A host file drafted from a structure file: entries, and the reason of each guess."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pymatgen.core import Composition, Element, Structure

from ..cells.reference_salts import salt_references
from ..elements import materials_project_U_eV
from ..io.file_spins import LEAST_muB, spins_from_file
from ..spins import set_moments, total_moment
from .itinerant import is_heavy_oxide, is_metallic_chalcogenide
from .measured_spins import moment_size, with_measured_spins
from .movers import draft_hops, draft_vacancies
from .order import drafted_order
from .sites import Role, has_networks, is_soft, site_roles
from .valences import GuessedValences, guess_valences

ORDER = "measured"
# Guesses of the gap where nothing is known: of d0 and d10 ions, and of open shells.
_WIDE_GAP_eV, _NARROW_GAP_eV = 3.0, 1.0
_IONS = ("(OH)", "(PO4)", "(SO4)", "(CO3)", "(NO3)", "(SiO4)", "(BO3)", "(P2O7)", "(Si2O7)", "(VO4)", "(MoO4)")
_FULL_D = 10


@dataclass
class Draft:
    """What a host file would hold, and why.

    Attributes
    ----------
    entries
        As in a host file; ``structures`` names the file that was read.
    reasons
        By entry, and for roles by ``roles.0`` and so on.
    cell
        Ordered cell as read.
    notes
        Of the reader.
    """

    entries: dict[str, Any]
    reasons: dict[str, str]
    cell: Structure
    notes: list[str] = field(default_factory=list)


def draft_host(structure: Structure, name: str, notes: list[str] | None = None) -> Draft:
    """Draft a host from an ordered cell.

    Parameters
    ----------
    structure
        As read, with ``magmom`` if the file has moments.
    name
        Of the structure file.
    notes
        What its reader found odd.

    Returns
    -------
    Draft
        Whose entries load as a host.

    Raises
    ------
    StructureError
        As `valences.guess_valences`.
    """
    stated = _stated_valences(structure)
    structure = _plain(structure)
    guess = guess_valences(structure, stated)
    roles, family = site_roles(structure, guess)
    moments = structure.site_properties.get("magmom")
    from_file = moments is not None and any(moment_size(m) > LEAST_muB for m in moments)
    if moments is not None and from_file:
        roles = with_measured_spins(roles, [moment_size(m) for m in moments], metal=guess.metal)
    roles, sense, why_sense = drafted_order(structure, roles, family, from_file=from_file, metal=guess.metal)
    if not from_file:
        if total_moment(_with_roles(structure, _signed(roles, sense), sense)) < 0:
            sense = {label: -sign for label, sign in sense.items()}
        roles = _signed(roles, sense)
    formula, units = _formula(structure, guess)
    cell = _with_roles(structure, roles, sense)
    hops = draft_hops(cell, roles, family)
    total = total_moment(_as_in_file(structure, cell, roles) if from_file else cell) / units
    gap, why_gap = _gap(structure, roles, guess)
    entries: dict[str, Any] = {
        "key": re.sub(r"[^a-z0-9]+", "_", Path(name).stem.lower()).strip("_") or "host",
        "title": f"{formula}, drafted from {''.join(c if c.isprintable() else '?' for c in name)}",
        "formula": formula,
        "structures": {ORDER: name},
        "anion": guess.anions[0],
        "roles": [_role(r, roles) for r in roles],
        "spin_sense": sense,
        "moment_per_formula_muB": round(total, 6),
        "anions_per_formula": round(Composition(formula)[guess.anions[0]]),
        "gap_eV": gap,
        "vacancies": [list(pair) for pair in draft_vacancies(roles)],
        "hops": [
            {
                "ion": k.ion,
                "from_sublattice": k.from_sublattice,
                "vacancy_element": k.vacancy_element,
                "vacancy_sublattice": k.vacancy_sublattice,
                "cutoff_A": k.cutoff_A,
            }
            for k, _ in hops
        ],
        "references": _references(structure, guess),
        "hubbard_U_eV": _hubbard(structure, guess),
        "sources": {
            "draft": f"guessed from {name} alone; nothing but its structure is measured",
            "order": "as the file has it" if from_file else why_sense,
        },
    }
    if from_file:
        entries["spins"] = "file"
    reasons = {
        "anion": "the negative ion that there is most of"
        if min(guess.per_site) < 0
        else "no anion: formula units are counted by it",
        "roles": f"{guess.reason}; sublattices: {family}" + _mixed_words(guess),
        "spin_sense": why_sense,
        "moment_per_formula_muB": "the sum of the moments below" if not from_file else "as the file's moments add up",
        "gap_eV": why_gap,
        "vacancies": "every element on every sublattice",
        "hops": "the first is the study's; each among its own sites, up to the first shell"
        if hops
        else "none: no ion of the cell reaches its like without passing through another atom",
        "references": "oxides of the cations, against which the element energies are fitted"
        if "O" in guess.anions
        else "compounds of the same anion, against which the element energies are fitted"
        if entries["references"]
        else f"no compound of {guess.anions[0]} with a measured enthalpy is known here: name some of your own",
        "hubbard_U_eV": "the Materials Project's, fitted for PBE of oxides and fluorides (10.1103/PhysRevB.84.045115)",
        **{f"roles.{i}": r.reason for i, r in enumerate(roles) if r.reason},
        **{f"hops.{i}": why for i, (_, why) in enumerate(hops)},
    }
    return Draft(entries, reasons, structure, list(notes or []))


def _stated_valences(structure: Structure) -> list[float] | None:
    """Oxidation states of the file's species; None unless every site has one."""
    states = [getattr(s.specie, "oxi_state", None) for s in structure]
    return [float(v) for v in states if v is not None] if None not in states else None


def _plain(structure: Structure) -> Structure:
    """The cell with elements for species, and its moments."""
    symbols = [s.specie.symbol for s in structure]
    moments = structure.site_properties.get("magmom")
    properties = {} if moments is None else {"magmom": moments}
    return Structure(structure.lattice, symbols, structure.frac_coords, site_properties=properties)


def _mixed_words(guess: GuessedValences) -> str:
    return "".join(f"; mixed valence: {el} {v:.3g}+ on the mean" for el, v in guess.mixed.items())


def _formula(structure: Structure, guess: GuessedValences) -> tuple[str, float]:
    formula = _written(structure.composition)
    units = structure.composition[guess.anions[0]] / Composition(formula)[guess.anions[0]]
    return formula, float(units)


def _written(composition: Composition) -> str:
    """Reduced formula as chemists write it: brackets for molecular ions only, ZnFe2O4 and not Zn(FeO2)2."""
    formula = composition.reduced_formula.replace("(HO)", "(OH)")
    if "(" not in formula or any(ion in formula for ion in _IONS):
        return formula
    amounts = Composition(formula).get_el_amt_dict()
    ordered = sorted(amounts, key=lambda el: float(Element(el).X))
    return "".join(el + ("" if amounts[el] == 1 else f"{amounts[el]:g}") for el in ordered)


def _signed(roles: list[Role], sense: dict[str, int]) -> list[Role]:
    """Roles whose stated sizes stand as their sublattices do."""
    return [replace(r, spin=r.spin * sense.get(r.sublattice, 1)) if isinstance(r.spin, float) else r for r in roles]


def _role(role: Role, roles: list[Role]) -> dict[str, Any]:
    out: dict[str, Any] = {"element": role.element, "sublattice": role.sublattice, "valence": role.valence}
    alike = [r for r in roles if r.element == role.element]
    if len(alike) > 1:
        if len({r.coordination for r in alike}) == len(alike):
            out["coordination"] = role.coordination
        else:
            out["indices"] = list(role.sites)
    if role.spin is not None:
        out["spin"] = role.spin
    return out


def _with_roles(structure: Structure, roles: list[Role], sense: dict[str, int]) -> Structure:
    bare = Structure(structure.lattice, [s.specie.symbol for s in structure], structure.frac_coords)
    of = {i: r for r in roles for i in r.sites}
    bare.add_site_property("sublattice", [of[i].sublattice for i in range(len(bare))])
    bare.add_site_property("valence", [of[i].valence for i in range(len(bare))])
    bare.add_site_property("spin", [of[i].spin for i in range(len(bare))])
    return set_moments(bare, sense)


def _as_in_file(structure: Structure, cell: Structure, roles: list[Role]) -> Structure:
    """The cell with the directions of the file's moments, as a host with ``spins: file`` gets them."""
    words = [next(r.spin for r in roles if i in r.sites) for i in range(len(cell))]
    out = cell.copy()
    out.add_site_property("spin", spins_from_file(structure, cell.site_properties["valence"], words))
    return set_moments(out, {})


def _gap(structure: Structure, roles: list[Role], guess: GuessedValences) -> tuple[float, str]:
    if guess.metal:
        return 0.0, "a metal: no field acts inside it"
    soft = [
        r
        for r in roles
        if (_is_open_d(r) or _is_in_carbide(r, roles)) and is_soft(structure, r.sites[0], set(guess.anions))
    ]
    if soft and not has_networks(structure, guess):
        return 0.0, "nitrides, carbides and phosphides of d metals mostly conduct; state the gap if yours insulates"
    if any(is_heavy_oxide(structure, r.element, r.valence) for r in roles):
        return 0.0, "oxides of one 4d or 5d metal with d electrons conduct, but for NbO2 (0.7 eV): state the gap then"
    near = [r for r in roles if is_metallic_chalcogenide(structure, r.sites[0], r.valence, set(guess.anions))]
    if near and not has_networks(structure, guess):
        return (
            0.0,
            "selenides and tellurides with d metals so near to each other conduct; state the gap if yours insulates",
        )
    if guess.mixed:
        return 0.0, "0 for a mixed valence, which conducts; state the gap if yours insulates"
    covalent = not {"O", "F", "Cl", "Br", "I"} & set(guess.anions) and any(_is_open_d(r) for r in roles)
    if covalent or any(r.moment_muB() for r in roles):
        return _NARROW_GAP_eV, "a guess for open shells: put the measured gap here, fields are held against it"
    return _WIDE_GAP_eV, "a guess for closed shells: put the measured gap here, fields are held against it"


def _is_in_carbide(role: Role, roles: list[Role]) -> bool:
    """Whether a d metal, be its shell empty, is among carbon: TiC, ZrC and HfC conduct (general literature)."""
    return bool(Element(role.element).is_transition_metal) and any(r.element == "C" and r.valence < 0 for r in roles)


def _is_open_d(role: Role) -> bool:
    el = Element(role.element)
    return bool(el.is_transition_metal) and 0 < el.group - role.valence < _FULL_D


def _references(structure: Structure, guess: GuessedValences) -> list[str]:
    if min(guess.per_site) == 0 or guess.cyanide:
        return []
    if "O" not in guess.anions:
        cations = [str(el) for el in structure.composition if str(el) not in guess.anions]
        return salt_references(guess.anions[0], cations)
    of: dict[str, list[float]] = {}
    for site, valence in zip(structure, guess.per_site, strict=True):
        if valence > 0:
            of.setdefault(site.specie.symbol, []).append(valence)
    out: list[str] = []
    for symbol in sorted(of):
        known = _OXIDES.get(symbol)
        valence = round(sum(of[symbol]) / len(of[symbol])) or 1
        out += known or [Composition({symbol: 2, "O": valence}).reduced_formula]
    host = structure.composition.reduced_formula
    # A binary oxide is its own reference where there is no other.
    return [f for f in dict.fromkeys(out) if f != host] or list(dict.fromkeys(out))


_OXIDES = {
    "Fe": ["FeO", "Fe2O3", "Fe3O4"],
    "Co": ["CoO", "Co3O4"],
    "Mn": ["MnO", "Mn3O4", "Mn2O3", "MnO2"],
    "Ni": ["NiO"],
    "Cu": ["Cu2O", "CuO"],
    "H": ["H2O"],
    "P": ["P2O5"],
}


def _hubbard(structure: Structure, guess: GuessedValences) -> dict[str, float]:
    if guess.metal or not {"O", "F"} & set(guess.anions):
        return {}
    return materials_project_U_eV([str(el) for el in structure.composition])


def summary(draft: Draft) -> str:
    """One line on what was guessed."""
    ions = ", ".join(dict.fromkeys(f"{r['element']} {r['valence']:+.3g}" for r in draft.entries["roles"]))
    spins = f"{draft.entries['moment_per_formula_muB']:g} muB, {draft.entries['sources']['order']}"
    gap = f"{draft.entries['gap_eV']:g} eV ({draft.reasons['gap_eV']})"
    return f"{draft.entries['formula']}: {ions}; spins: {spins}; gap {gap}"
