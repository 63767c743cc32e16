"""Which way the spins of a drafted host stand, and by which rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pymatgen.core import Element, Structure

from .exchange_order import diamond_order, exchange_order
from .sites import Role

# Sublattices that stand against the others in the usual order: Neel's ferrimagnets. Gd3Fe5O12 has 16 muB, as a and c
# stand against d (general literature); without moments on d it is a against c.
_AGAINST = {"spinel": ("A",), "garnet": ("a", "c")}
_GARNET_D = "d"
# Ferrites of these metals are inverse, and have these moments.
_INVERSE = {"Ni": 2, "Co": 3, "Cu": 1}
_HEAVY_RARE_EARTHS = ("Gd", "Tb", "Dy", "Ho", "Er", "Tm")


def drafted_order(
    structure: Structure, roles: list[Role], family: str, *, from_file: bool, metal: bool
) -> tuple[list[Role], dict[str, int], str]:
    """Directions of the spins: the file's, Neel's of its family, by superexchange, or all parallel.

    Parameters
    ----------
    structure
        Elements on sites.
    roles, family
        From `sites.site_roles`.
    from_file
        Whether the file has moments.
    metal
        Whether the crystal is a metal.

    Returns
    -------
    tuple
        Roles, of which one with sites in both directions becomes two; the sense of each magnetic sublattice; and why.
    """
    against = _AGAINST.get(family.partition(":")[0], ())
    magnetic = list(dict.fromkeys(r.sublattice for r in roles if r.moment_muB()))
    if "c" in against and _GARNET_D not in magnetic:
        against = against[:1]
    up = dict.fromkeys(magnetic, 1)
    if from_file or not magnetic:
        return roles, up, "not used: directions are the file's" if magnetic else "no ion has a moment"
    neel = {label: -1 if label in against else 1 for label in magnetic}
    if len(set(neel.values())) > 1:
        return roles, neel, "Neel's order of this family" + _unusual_inversion(roles, family)
    mCIF = "an mCIF, or a spin for each role, says another"
    if metal and (heavy := _heavy_rare_earths(roles)):
        signs = [-1 if i in heavy else 1 for i in range(len(structure))]
        roles, sense = _in_both_directions(roles, signs)
        return roles, sense, f"spins of Gd to Tm stand against those of 3d metals, as in GdCo5; {mCIF}"
    if metal:
        return (
            roles,
            up,
            f"all parallel is assumed: the file has no moments, and a metal's order is not guessed; {mCIF}",
        )
    alone = family.startswith("spinel") and magnetic == ["A"]
    order = diamond_order(structure, roles) if alone else exchange_order(structure, roles)
    if order.signs is None:
        return roles, up, f"all parallel is assumed: the file has no moments, and {order.reason}; {mCIF}"
    roles, sense = _in_both_directions(roles, order.signs)
    rule = "" if alone else "by the rules of Goodenough and Kanamori: "
    return roles, sense, f"{rule}{order.reason}; {mCIF}"


def _unusual_inversion(roles: Sequence[Role], family: str) -> str:
    """Words where a file has a ferrite normal that nature has inverse (general literature); empty where it has not."""
    if not family.startswith("spinel"):
        return ""
    tetrahedra = {r.element for r in roles if r.sublattice == "A" and r.valence == 2}
    iron = any((r.element, r.sublattice, r.valence) == ("Fe", "B", 3) for r in roles)
    found = [el for el in tetrahedra if el in _INVERSE] if iron and len(tetrahedra) == 1 else []
    return "".join(
        f"; {el}2+ in tetrahedra: {el}Fe2O4 is found inverse instead, with {_INVERSE[el]} muB, check the file"
        for el in found
    )


def _heavy_rare_earths(roles: Sequence[Role]) -> set[int]:
    """Sites of Gd to Tm in a metal whose 3d atoms have moments, with which theirs always compete.

    Their 5d electrons stand with 4f and against 3d (Campbell, J. Phys. F 2, L47 (1972)). The moments of light rare
    earths are mostly those of orbits, which stand along 3d, and are left.
    """
    light = any(Element(r.element).is_transition_metal and r.moment_muB() for r in roles)
    found = {i for r in roles if r.element in _HEAVY_RARE_EARTHS and r.moment_muB() for i in r.sites}
    return found if light else set()


def _in_both_directions(roles: list[Role], signs: Sequence[int]) -> tuple[list[Role], dict[str, int]]:
    """Roles whose spins stand as the signs say, and the sense of each magnetic sublattice."""
    of: dict[str, set[int]] = {}
    for role in roles:
        if role.moment_muB():
            of.setdefault(role.sublattice, set()).update(signs[i] for i in role.sites)
    out: list[Role] = []
    for role in roles:
        if len(of.get(role.sublattice, ())) < 2 or not role.moment_muB():
            out.append(role)
            continue
        for sign in (1, -1):
            if sites := tuple(i for i in role.sites if signs[i] == sign):
                out.append(replace(role, sites=sites, spin=sign * role.moment_muB()))
    return out, {label: found.pop() if len(found) == 1 else 1 for label, found in of.items()}
