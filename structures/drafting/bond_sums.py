"""Bond-valence sums of kinds of sites, as ratios."""

from __future__ import annotations

from pymatgen.analysis.bond_valence import calculate_bv_sum
from pymatgen.core import Structure

# Bonds that a bond-valence sum counts; longer ones add less than a hundredth of a valence unit.
_BOND_SUM_A = 3.2


def bond_sums(structure: Structure, groups: list[list[int]], charge: float) -> list[float]:
    """Bond-valence sum of each kind of sites of one element, scaled so that all of them carry its charge.

    The parameters of O'Keeffe and Brese (10.1021/ja00009a002) hold for no valence in particular: only ratios are used.

    Parameters
    ----------
    structure
        Elements on sites.
    groups
        Indices of each kind.
    charge
        Of all of them together, e.
    """
    raw = [
        float(calculate_bv_sum(structure[g[0]], structure.get_neighbors(structure[g[0]], _BOND_SUM_A)))  # type: ignore[no-untyped-call]
        for g in groups
    ]
    total = sum(len(g) * s for g, s in zip(groups, raw, strict=True))
    return [s * charge / total for s in raw] if total > 0 else raw
