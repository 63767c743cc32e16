"""Inverse spinel ferrites M2+Fe3+_2O4 as hosts, told apart by their parameters alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pymatgen.core import Structure

from ..cells.spinel import ORDERS, SpinelOrder, inverse_spinel
from ..elements import pbe_hubbard_U_eV
from ..host_definition import HopKind, Host
from ..spins import high_spin_moment

# Second-neighbour B-B distances begin at 5.1 A; the first shell lies at a sqrt(2)/4, about 2.97 A.
FIRST_B_SHELL_A = 3.3


def inverse_ferrite(
    *,
    key: str,
    title: str,
    divalent: str,
    lattice_A: float,
    oxygen_u: float,
    references: Sequence[str],
    gap_eV: float,
    claims: Sequence[str] = (),
    sources: Mapping[str, str],
    hubbard_U_eV: Mapping[str, float] | None = None,
) -> Host:
    """Host of an inverse spinel ferrite: Fe3+ on A (down), M2+ and Fe3+ on B (up).

    Neel's collinear model gives the moment of M2+ per formula unit for the inverse distribution
    and 10 muB less that moment for the normal one.

    Parameters
    ----------
    key, title
        Name on the command line and for people.
    divalent
        Element symbol of M2+; ``"Fe"`` makes magnetite.
    lattice_A, oxygen_u
        Cubic lattice parameter in Angstrom and oxygen parameter in the -43m origin.
    references
        Formulas of the competing oxides.
    gap_eV
        Band gap for the breakdown check, in eV.
    claims
        Ids of the claims that the host serves.
    sources
        Where `lattice_A`, `oxygen_u`, the gap and U come from.
    hubbard_U_eV
        Of M, where the table of elements has none; those of the table are the Materials Project's for PBE.

    Returns
    -------
    Host
        With cation orders Imma, P4_122 and normal in the 56-atom cube.
    """

    def build(order: str) -> Structure:
        names: dict[str, SpinelOrder] = {name: name for name in ORDERS}
        return inverse_spinel(lattice_A, oxygen_u, divalent, "Fe", names[order])

    moment = high_spin_moment(divalent, 2.0)
    on_b = (("Fe", "B"),) if divalent == "Fe" else (("Fe", "B"), (divalent, "B"))
    return Host(
        key=key,
        title=title,
        formula="Fe3O4" if divalent == "Fe" else f"{divalent}Fe2O4",
        build_cell=build,
        orders=ORDERS,
        spin_sense={"A": -1, "B": 1},
        moment_per_formula_muB=moment,
        moment_by_order_muB={"normal": 10.0 - moment},
        anions_per_formula=4,
        cubic_parent=True,
        vacancies=(("Fe", "A"), *on_b, ("O", "O")),
        hops=(HopKind(divalent, "B", "Fe", "B", cutoff_A=FIRST_B_SHELL_A),),
        references=tuple(references),
        hubbard_U_eV={**pbe_hubbard_U_eV("Fe", divalent), **(hubbard_U_eV or {})},
        gap_eV=gap_eV,
        claims=tuple(claims),
        sources={"moment": "Neel's collinear model, inverse distribution", **sources},
    )
