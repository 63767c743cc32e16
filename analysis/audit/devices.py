"""Closed forms for the claims about manganites, interfaces and filaments, C14, C16 to C20; they need no study."""

from __future__ import annotations

from collections.abc import Callable

from ..device.closed_forms import (
    CONDUCTANCE_QUANTUM_S,
    amr_resistance,
    effective_anisotropy_J_per_m3,
    julliere_tmr,
    reorientation_thickness_m,
    tunnel_attenuation,
)
from ..study.documents import Verdict
from .evidence import Judgement
from .known_films import FilmAnisotropy, error_mJ_per_m2, films_in_words, known_films, oxygen_changes_mJ_per_m2
from .known_gaps import decays_in_words, densest, known_metals, polarised_in_words
from .known_wires import directions_in_words, known_wires, quanta_in_words
from .oxygen_vacancies import manganite_T_C

# Assumed inputs of the examples: cobalt's magnetisation, a typical interface anisotropy and film.
COBALT_A_PER_M = 1.4e6
SURFACE_J_PER_m2 = 1.3e-3
FILM_m = 0.9e-9
POLARISATION = 0.4
GAP_m, BARRIER_eV = 5e-10, 1.0
# Of electrons in the conduction band of ZnO, in free ones (general literature).
ZNO_MASS = 0.28
TILT_deg = 30.0


# Measured beside the computed films.
_MEASURED_OXYGEN = (
    "measured: oxidising the surface of Co(0001) on Au adds 0.36 mJ/m2 (10.1063/1.4916554), a voltage takes Co under "
    "Gd2O3 through up to 0.73 mJ/m2, from a metal in the plane over its best oxidation to an oxide without a moment "
    "(arXiv:1412.8668), and toggles that of Co under GdOx by more than 0.6 mJ/m2 (arXiv:1409.1843)"
)


def _oxidised_interface() -> Judgement:
    before = effective_anisotropy_J_per_m3(SURFACE_J_PER_m2, FILM_m, COBALT_A_PER_M)
    after = effective_anisotropy_J_per_m3(SURFACE_J_PER_m2 / 2, FILM_m, COBALT_A_PER_M)
    films = known_films()
    changes = oxygen_changes_mJ_per_m2(films)
    verdict, value, by = _by_films(list(changes.values()), lowers=True)
    return Judgement(
        verdict,
        value,
        f"{_error()}mJ/m2, added by oxygen where it lowers least" if changes else "",
        f"{_computed(films)}K_eff = K_s/t - mu0 M^2/2 with an assumed K_s = {SURFACE_J_PER_m2 * 1e3:g} mJ/m2, M = "
        f"{COBALT_A_PER_M:.1e} A/m and {FILM_m * 1e9:g} nm is {before * 1e-6:.2f} MJ/m3; half of K_s gives "
        f"{after * 1e-6:.2f}, in the plane. How much of K_s the oxygen takes needs a slab: computed K_s falls with too "
        "much and with too little oxygen (arXiv:1011.5667), and the measured anisotropy of Pt/Co/AlOx is largest where "
        "Co-O bonds are many (arXiv:0712.1905)",
        by=by,
    )


def _bonds() -> Judgement:
    thickness = reorientation_thickness_m(SURFACE_J_PER_m2, COBALT_A_PER_M)
    films = known_films()
    above = [change for place, change in oxygen_changes_mJ_per_m2(films).items() if place == "above"]
    verdict, value, by = _by_films(above, lowers=False)
    return Judgement(
        verdict,
        value,
        f"{_error()}mJ/m2, added by oxygen above the surface" if above else "",
        f"{_computed(films)}K_s of {SURFACE_J_PER_m2 * 1e3:g} mJ/m2 (assumed) carries a perpendicular moment up to "
        f"{thickness * 1e9:.2f} nm of cobalt. For Co-O bonds: the anisotropy of Pt/Co/AlOx peaks with their number "
        "(arXiv:0712.1905), and slabs of Fe and Co on MgO have hybrids of O-p and d states behind it "
        "(arXiv:1011.5667). Against: the same slabs lose it where the interface is over-oxidised, and another "
        "calculation of Fe on MgO finds the bonds weak and as much anisotropy at the clean surface (arXiv:1507.06799). "
        "Layer-resolved spin-orbit energies of the interface itself would decide",
        by=by,
    )


def _error() -> str:
    """What mesh and thickness leave open, before a unit; empty where it is not known."""
    error = error_mJ_per_m2(known_films())
    return "" if error is None else f"± {error:.2g} "


def _computed(films: list[FilmAnisotropy]) -> str:
    """What films of cobalt with oxygen say, and what was measured on such; empty without films."""
    said = films_in_words(films)
    return f"{said}; {_MEASURED_OXYGEN}. With assumed numbers: " if said else ""


def _by_films(changes: list[float], *, lowers: bool) -> tuple[Verdict, float | None, str]:
    """Verdict, deciding number and its author for the claim that oxygen lowers, or raises, the anisotropy.

    Undecided where the places of the oxygen disagree, or where one of them changes less than the error.
    """
    error = error_mJ_per_m2(known_films())
    if not changes:
        return "undecided", None, "closed form"
    towards = [-c if lowers else c for c in changes]
    weakest = changes[towards.index(min(towards))]
    if error is None or min(abs(c) for c in changes) <= error or min(towards) < 0 < max(towards):
        return "undecided", weakest, "gpaw (GPAW)"
    return ("reproduced" if min(towards) > 0 else "contradicted"), weakest, "gpaw (GPAW)"


def _gap() -> Judgement:
    same, opposite = julliere_tmr(POLARISATION, POLARISATION), julliere_tmr(POLARISATION, -POLARISATION)
    ratio = _ratio_of_densities()
    light, free = (tunnel_attenuation(BARRIER_eV, GAP_m, mass) for mass in (ZNO_MASS, 1.0))
    return Judgement(
        "undecided",
        ratio,
        "" if ratio is None else "Julliere's ratio of Co and Fe by densities of states",
        f"Julliere with assumed |P| = {POLARISATION:g}: {same:+.2f} for equal and {opposite:+.2f} for opposite "
        f"polarisations, so that the sign is that of P1 P2; a gap of {GAP_m * 1e9:g} nm under {BARRIER_eV:g} eV passes "
        f"{light:.1e} of the current with the mass of electrons in ZnO, {ZNO_MASS:g} of the free one, and {free:.1e} "
        f"with the free one. {_of_gaps() or 'The polarisations at the gap need densities of states'}",
        by="gpaw (GPAW)" if ratio is not None else "closed form",
    )


def _ratio_of_densities() -> float | None:
    """Julliere's ratio of bulk Co and Fe by their computed densities of states; None without both."""
    metals = densest(known_metals())
    if not {"Co", "Fe"} <= metals.keys():
        return None
    return float(julliere_tmr(metals["Co"][0].polarisation, metals["Fe"][0].polarisation))


def _of_gaps() -> str:
    """What computed densities and decays say of the sign; empty without them."""
    polarised, decays = polarised_in_words(), decays_in_words()
    if not polarised:
        return decays and decays[0].upper() + decays[1:]
    against = (
        "electrons that tunnel from both metals into a superconductor through AlOx are polarised the majority's way "
        "(Co +0.35 to +0.42, Fe +0.40 to +0.44, general literature after 10.1103/PhysRevB.7.318), so that the ratio is "
        "positive there, and transport through contacts does not follow the sign of the densities "
        "(arXiv:cond-mat/9905097): which states pass, those of d at a contact or those of s that decay least, is what "
        "the gap decides, and takes the transmission of an interface"
    )
    return f"By first principles, {polarised}; {against}{f'. In between, {decays}' if decays else ''}"


def _tilted() -> Judgement:
    wires = known_wires()
    most, least = (float(amr_resistance(angle, 1.0, 1.03, TILT_deg)) for angle in (TILT_deg, TILT_deg + 90.0))
    return Judgement(
        "undecided",
        max((w.resistance_change for w in wires), key=abs) if wires else None,
        "largest R_par/R_perp - 1 of a chain" if wires else "",
        f"{_of_chains(directions_in_words())}R = R_perp + (R_par - R_perp) cos^2(angle - {TILT_deg:g} deg) is largest "
        f"along the moment and least across it, {most:g} and {least:g} for an assumed 3 %: a maximum at {TILT_deg:g} "
        f"deg is a moment at {TILT_deg:g} deg, which says nothing of why it tilts. That needs the shape and crystal "
        "anisotropy of a filament",
        by="gpaw (GPAW)" if wires else "closed form",
    )


def _of_chains(words: str) -> str:
    """What chains say of magnetoresistance; empty without chains."""
    turned = ", ".join(f"{w.element} at {w.spacing_A:g} A" for w in known_wires() if w.resistance_change)
    return words and (
        f"{words}. The number of channels follows the moment in {turned or 'none of them'}; it is predicted for wires "
        "of Ni and Fe (arXiv:cond-mat/0412637). "
    )


def _quantum() -> Judgement:
    chains = quanta_in_words()
    return Judgement(
        "contradicted",
        None,
        "",
        f"2 e2/h is {CONDUCTANCE_QUANTUM_S * 1e6:.3f} uS, which the claim quotes and no contact has to show: break "
        "junctions of Fe, Co and Ni find no quantisation of the conductance of any kind, and several partly open "
        "channels even in a contact of one atom (arXiv:1512.02601); steps of the quantum or of half of it appear once "
        f"gas is adsorbed (arXiv:cond-mat/0309622){f'; {chains}' if chains else ''}",
        by="literature",
    )


CLOSED_FORMS: dict[str, Callable[[], Judgement]] = {
    "C14": manganite_T_C,
    "C16": _oxidised_interface,
    "C17": _bonds,
    "C18": _gap,
    "C19": _tilted,
    "C20": _quantum,
}
