"""Closed-form parts of the claims about interfaces and filaments, C16 to C20; they need no study."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..device.closed_forms import (
    CONDUCTANCE_QUANTUM_S,
    amr_resistance,
    effective_anisotropy_J_per_m3,
    julliere_tmr,
    reorientation_thickness_m,
    tunnel_attenuation,
)
from .evidence import Judgement

# Assumed inputs of the examples: cobalt's magnetisation, a typical interface anisotropy and film.
COBALT_A_PER_M = 1.4e6
SURFACE_J_PER_m2 = 1.3e-3
FILM_m = 0.9e-9
POLARISATION = 0.4
GAP_m, BARRIER_eV = 5e-10, 1.0
TILT_deg = 30.0


def _oxidised_interface() -> Judgement:
    before = effective_anisotropy_J_per_m3(SURFACE_J_PER_m2, FILM_m, COBALT_A_PER_M)
    after = effective_anisotropy_J_per_m3(SURFACE_J_PER_m2 / 2, FILM_m, COBALT_A_PER_M)
    return Judgement(
        "undecided",
        before * 1e-6,
        "MJ/m3 (K_eff)",
        f"K_eff = K_s/t - mu0 M^2/2 with an assumed K_s = {SURFACE_J_PER_m2 * 1e3:g} mJ/m2, M = "
        f"{COBALT_A_PER_M:.1e} A/m and {FILM_m * 1e9:g} nm; half of K_s gives {after * 1e-6:.2f} MJ/m3, in the plane. "
        "How much of K_s the oxygen takes needs a slab",
        by="closed form",
    )


def _bonds() -> Judgement:
    thickness = reorientation_thickness_m(SURFACE_J_PER_m2, COBALT_A_PER_M)
    return Judgement(
        "undecided",
        thickness * 1e9,
        "nm (K_eff = 0)",
        f"K_s of {SURFACE_J_PER_m2 * 1e3:g} mJ/m2 (assumed) carries a perpendicular moment up to this thickness of "
        "cobalt; that Co-O bonds make it needs layer-resolved spin-orbit energies",
        by="closed form",
    )


def _gap() -> Judgement:
    same, opposite = julliere_tmr(POLARISATION, POLARISATION), julliere_tmr(POLARISATION, -POLARISATION)
    return Judgement(
        "undecided",
        same,
        "TMR (P1 = P2)",
        f"Julliere with assumed |P| = {POLARISATION:g}: {same:+.2f} for equal and {opposite:+.2f} for opposite "
        f"polarisations, so that the sign is that of P1 P2; a gap of {GAP_m * 1e9:g} nm under {BARRIER_eV:g} eV passes "
        f"{tunnel_attenuation(BARRIER_eV, GAP_m):.1e}. The polarisations at the gap need densities of states",
        by="closed form",
    )


def _tilted() -> Judgement:
    angles = np.arange(0.0, 180.0, 1.0)
    top = float(angles[int(np.argmax(amr_resistance(angles, 1.0, 1.03, TILT_deg)))])
    return Judgement(
        "undecided",
        top,
        "deg (largest resistance)",
        f"R = R_perp + (R_par - R_perp) cos^2(angle - {TILT_deg:g} deg) peaks at the tilt; why a filament's moment "
        "tilts needs its shape and crystal anisotropy",
        by="closed form",
    )


def _quantum() -> Judgement:
    return Judgement(
        "undecided",
        CONDUCTANCE_QUANTUM_S * 1e6,
        "uS (2 e2/h)",
        "the step quoted, 77.5 uS, is the quantum to its digits; a ferromagnet without spin degeneracy may step by "
        "half of it, and which channels open needs the transmission of a contact",
        by="closed form",
    )


CLOSED_FORMS: dict[str, Callable[[], Judgement]] = {
    "C16": _oxidised_interface,
    "C17": _bonds,
    "C18": _gap,
    "C19": _tilted,
    "C20": _quantum,
}
