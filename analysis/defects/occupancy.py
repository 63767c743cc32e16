"""Which ions sit on which sublattice of a crystal in equilibrium: the degree of inversion of a spinel follows."""

from __future__ import annotations

import re

from .concentrations import ConcentrationSet, SolidSolution

# Element and sublattice of a kind of site, e.g. Fe(A), Fe(B,2); sites that are only numbered have no sublattice.
_SITE = re.compile(r"([A-Z][a-z]?)\(([A-Za-z]\w*)(?:,\d+)?\)")


def sublattice_occupancy(concentrations: ConcentrationSet, host: SolidSolution) -> dict[str, dict[str, float]]:
    """Share of the sites of each sublattice that each element holds.

    Parameters
    ----------
    concentrations
        Concentrations.
    host
        Sites of the same defects; a sublattice of which no defect was computed is left out.

    Returns
    -------
    dict
        By sublattice and element; vacant sites are what is missing to 1. Empty without a defect that puts one element
        on the site of another: then nothing is exchanged.
    """
    places = {s.label: s.site for s in host.sites}
    substitutions = [label for label, site in places.items() if not label.startswith("V_") and _SITE.fullmatch(site)]
    if not substitutions:
        return {}
    amounts: dict[str, dict[str, float]] = {}
    totals: dict[str, float] = {}
    for site, sites in {s.site: s.per_formula for s in host.sites}.items():
        if match := _SITE.fullmatch(site):
            own = amounts.setdefault(match[2], {})
            own[match[1]] = own.get(match[1], 0.0) + sites
            totals[match[2]] = totals.get(match[2], 0.0) + sites
    for label, site in places.items():
        if match := _SITE.fullmatch(site):
            own, total = amounts[match[2]], concentrations.total_per_formula(label)
            own[match[1]] -= total
            if label in substitutions:
                new = label.partition("_")[0]
                own[new] = own.get(new, 0.0) + total
    return {sub: {el: n / totals[sub] for el, n in sorted(own.items())} for sub, own in sorted(amounts.items())}
