"""Tables of docs/engines.md about spinels of 56 atoms: orders and none, V_Fe(B) among Co, lithium that hops."""

from __future__ import annotations

from magnetoionics.analysis.audit.known_bands import COBALT_HOP, known_bands
from magnetoionics.analysis.audit.known_binding import known_bindings
from magnetoionics.analysis.audit.known_disorder import TITLES, known_disorder
from magnetoionics.analysis.audit.known_lithium_hop import BAND, known_lithium_hops
from magnetoionics.analysis.audit.known_vacancies import known_vacancies
from magnetoionics.analysis.study.reference_calculations import u_in_words

BANDS = {"Li(B) -> V_Fe(B) in LiFe5O8": BAND, "Co(B) -> V_Fe(B) in CoFe2O4": COBALT_HOP}
_HOW = "GPAW, PBE+U, atomic orbitals (dzp), Gamma, cells as measured, ions by SevenNet."


def disorder() -> list[str]:
    """What C4 says of ions without order; empty without calculations."""
    known = known_disorder()
    if not known:
        return []
    rows = []
    for one in known:
        cells = [one.above_normal_eV_per_formula.get(title) for title in TITLES.values()]
        numbers = [*cells, one.quadratic_eV]
        degree = "-" if one.degree_of_inversion is None else f"{one.degree_of_inversion:.2f}"
        rows.append(
            f"| {u_in_words(one.hubbard_U_eV)} | "
            + " | ".join("-" if x is None else f"{x:+.3f}" for x in numbers)
            + f" | {degree} |"
        )
    return [
        "### Cobalt ferrite with and without order, 56 atoms",
        "",
        f"Above the normal order, eV/f.u.; {_HOW} The quadratic term of the enthalpy of disorder runs",
        "through the normal, the half inverted and the quasi-random inverse cell; with it the degree of inversion of",
        "ions that come to rest at 1000 K.",
        "",
        f"| U, eV | {' | '.join(TITLES.values())} | quadratic term | degree of inversion |",
        "|" + "-|" * (len(TITLES) + 3),
        *rows,
        "",
    ]


def binding() -> list[str]:
    """What C6 says of Co beside V_Fe(B); empty without calculations."""
    known = known_bindings()
    if not known:
        return []
    places = list(known[0].above_lowest_eV)
    rows = [
        f"| {u_in_words(k.hubbard_U_eV)} | {'with its electrons' if k.charge else 'neutral'} | "
        + " | ".join(f"{k.above_lowest_eV[p]:.2f}" if p in k.above_lowest_eV else "-" for p in places)
        + f" | {k.per_neighbour.value_eV:+.3f} ± {k.per_neighbour.error_eV:.3f}"
        + f" | {k.between_two.value_eV:+.2f} ± {k.between_two.error_eV:.2f} |"
        for k in known
    ]
    return [
        "### V_Fe(B) among Co in a quasi-random cell, 55 atoms",
        "",
        "Above the lowest of its places, eV, by the Co among the six cations around it and the pairs of them in line;",
        _HOW,
        "",
        f"| U, eV | vacancy | {' | '.join(places)} | per Co | between two in line |",
        "|" + "-|" * (len(places) + 4),
        *rows,
        "",
    ]


def vacancies_against_u() -> list[str]:
    """What C5 says of each set of U; empty without calculations."""
    known = known_vacancies("cofe2o4")
    if not known:
        return []
    rows = []
    for v in known:
        for label in sorted(v.rich, key=v.rich.__getitem__):
            force = v.largest_forces_eV_per_A[label]
            rows.append(
                f"| {u_in_words(v.hubbard_U_eV)} | {label} | {v.rich[label]:.2f} | {v.poor[label]:.2f} | "
                f"{v.moment_changes_muB[label]:+.2f} | {'-' if force is None else f'{force:.2f}'} |"
            )
    return [
        "The same for each set of U in the window that its own oxides give, with the ions of Co 3.32, Fe 5.3. A large",
        "force: the hole lies on other ions than those were relaxed for; relaxed, the vacancy would cost less.",
        "",
        "| U, eV | vacancy | oxygen-rich edge, eV | oxygen-poor edge, eV | change of moment, muB "
        "| largest force, eV/A |",
        "|" + "-|" * 6,
        *rows,
        "",
    ]


def lithium_hop() -> list[str]:
    """What C12 says of the hop; empty without calculations."""
    known = known_lithium_hops()
    if not known:
        return []
    rows = [
        f"| {h.hubbard_U_eV:g} | {h.forward_eV:.2f} | {h.back_eV:.2f} | {'yes' if h.same_state else 'no'} |"
        for h in known
    ]
    return [
        "### Li(B) -> V_Fe(B) in LiFe5O8, 55 atoms",
        "",
        f"Single points at the stationary points of SevenNet's path, eV; {_HOW}",
        "",
        "| U of Fe, eV | in | out | one electronic state |",
        "|-|-|-|-|",
        *rows,
        "",
    ]


def bands() -> list[str]:
    """Whole paths; empty without calculations."""
    rows = [
        f"| {what} | {u_in_words(b.hubbard_U_eV)} | {b.charge:+g} | {b.forward_eV:.2f} | {b.back_eV:.2f} | "
        f"{'yes' if b.same_state else 'no'} | {b.force_calls} |"
        for what, head in BANDS.items()
        for b in known_bands(head)
    ]
    if not rows:
        return []
    return [
        "### Whole paths, 55 atoms",
        "",
        "Ends relaxed and saddles climbed by these electrons (the band driver's surrogate, from SevenNet's path),",
        "eV; PBE+U in atomic orbitals (dzp) at Gamma at the measured lattice. A charged cell is not corrected for its",
        "images, which attract nearly alike all along the path.",
        "",
        "| hop | U, eV | charge, e | in | out | one electronic state | force calls |",
        "|" + "-|" * 7,
        *rows,
        "",
    ]
