"""The field's own figures of merit, so that results stand beside measurements. SI units, as the field quotes them."""

from __future__ import annotations

from pydantic import ConfigDict, Field
from scipy import constants as _c

from ...structures.units import MU_B_J_PER_T, V_PER_M_TO_V_PER_A
from ..kinetics.rates import ASSUMED_ATTEMPT_Hz, retention_s, why_no_rate
from ..kinetics.retention import decay_s
from ..results.document import Document, Unbounded

MU_0 = _c.mu_0


class FiguresOfMerit(Document):
    """What a hop is worth, with the inputs that it rests on.

    Attributes
    ----------
    converse_magnetoelectric_s_per_m
        mu0 dM/dE; None where no engine found the moments of both states.
    surface_anisotropy_fJ_per_Vm, volume_anisotropy_J_per_m3_per_V_per_m
        dK_s/dE, that of the whole film's thickness, and dK/dE of the volume.
    switching_time_s
        Mean time of the hop in the field.
    retention_s, before_s
        Mean time in the state after the hop and in that before it, without a field.
    decay_s
        In which a written difference falls to 1/e without a field, 1/(k_f + k_b); None in older studies.
    no_result
        By name of a time, why there is none: the hop has no rate law, in the field or without.
    energy_per_event_J
        Work of the field on one hop.
    assumptions
        Inputs in words.
    """

    model_config = ConfigDict(ser_json_inf_nan="constants")

    converse_magnetoelectric_s_per_m: float | None
    surface_anisotropy_fJ_per_Vm: float | None
    volume_anisotropy_J_per_m3_per_V_per_m: float | None
    switching_time_s: Unbounded | None
    retention_s: Unbounded | None
    before_s: Unbounded | None = None
    decay_s: Unbounded | None = None
    energy_per_event_J: float
    assumptions: list[str]
    no_result: dict[str, str] = Field(default_factory=dict)


def converse_magnetoelectric_s_per_m(
    moment_change_muB: float, cell_volume_A3: float, field_change_V_per_m: float
) -> float:
    """Alpha = mu0 dM/dE (s/m), for a moment change per cell between two fields.

    Raises
    ------
    ValueError
        If volume or field change is zero.
    """
    if cell_volume_A3 <= 0 or field_change_V_per_m == 0:
        raise ValueError("a coefficient needs a positive volume and a change of the field")
    magnetisation = moment_change_muB * MU_B_J_PER_T / (cell_volume_A3 * 1e-30)
    return float(MU_0 * magnetisation / field_change_V_per_m)


def surface_anisotropy_coefficient_fJ_per_Vm(
    energy_change_meV: float, area_A2: float, field_change_V_per_m: float
) -> float:
    """dK_s/dE in fJ/(V m): change of an anisotropy energy per area and field."""
    if area_A2 <= 0 or field_change_V_per_m == 0:
        raise ValueError("a coefficient needs a positive area and a change of the field")
    return float(energy_change_meV * 1e-3 * _c.e / (area_A2 * 1e-20) / field_change_V_per_m * 1e15)


def volume_anisotropy_coefficient(energy_change_meV: float, volume_A3: float, field_change_V_per_m: float) -> float:
    """dK/dE in J/m^3 per V/m."""
    if volume_A3 <= 0 or field_change_V_per_m == 0:
        raise ValueError("a coefficient needs a positive volume and a change of the field")
    return float(energy_change_meV * 1e-3 * _c.e / (volume_A3 * 1e-30) / field_change_V_per_m)


def lowered_barrier_eV(barrier_eV: float, field_V_per_m: float, charge_e: float, distance_A: float) -> float:
    """Barrier in a field with the saddle halfway, E_b - z e F d/2."""
    return barrier_eV - 0.5 * charge_e * distance_A * field_V_per_m * V_PER_M_TO_V_PER_A


def switching_time_s(
    barrier_eV: float,
    field_V_per_m: float,
    temperature_K: float,
    charge_e: float,
    distance_A: float,
    attempt_Hz: float = ASSUMED_ATTEMPT_Hz,
) -> float:
    """Mean time of a hop in a field: 1 / {nu exp[-(E_b - z e F d/2)/kT]}.

    Raises
    ------
    ValueError
        If the barrier in the field is too low for a rate law, see `kinetics.rates.why_no_rate`.
    """
    lowered = lowered_barrier_eV(barrier_eV, field_V_per_m, charge_e, distance_A)
    if why := why_no_rate(lowered, temperature_K):
        raise ValueError(f"no switching time in {field_V_per_m:g} V/m: {why}")
    return retention_s(lowered, temperature_K, attempt_Hz)


def energy_per_event_J(field_V_per_m: float, charge_e: float, distance_A: float) -> float:
    """Work of the field on one hop, z e F d, in J; capacitor and leakage losses come on top."""
    return abs(charge_e * _c.e * field_V_per_m * distance_A * V_PER_M_TO_V_PER_A)


def figures_of_merit(
    *,
    barrier_eV: float,
    field_V_per_m: float,
    charge_e: float,
    distance_A: float,
    temperature_K: float = 300.0,
    attempt_Hz: float = ASSUMED_ATTEMPT_Hz,
    moment_change_muB: float | None = None,
    anisotropy_change_meV: float | None = None,
    volume_per_hop_A3: float | None = None,
    thickness_A: float | None = None,
    back_barrier_eV: float | None = None,
    back_attempt_Hz: float | None = None,
) -> FiguresOfMerit:
    """All figures that the given numbers allow; the others are None.

    Parameters
    ----------
    barrier_eV, charge_e, distance_A, attempt_Hz, temperature_K
        The hop.
    field_V_per_m
        Writing field; changes are taken from -F to +F.
    moment_change_muB, anisotropy_change_meV
        Per hopping vacancy between the two written states.
    volume_per_hop_A3
        Volume of the film per hopping vacancy; that of a supercell says how dilute it was computed, not how many hop.
    thickness_A
        Of the film: a volume anisotropy times it is one of area.
    back_barrier_eV, back_attempt_Hz
        Of the way back; those of the way forward if they are not given.
    """
    back = barrier_eV if back_barrier_eV is None else back_barrier_eV
    back_Hz = attempt_Hz if back_attempt_Hz is None else back_attempt_Hz
    still = why_no_rate(min(barrier_eV, back), temperature_K)
    lowered = min(lowered_barrier_eV(barrier_eV, field_V_per_m, charge_e, distance_A), barrier_eV, back)
    moving = why_no_rate(lowered, temperature_K)
    retentions = [retention_s(barrier_eV, temperature_K, attempt_Hz), retention_s(back, temperature_K, back_Hz)]
    named = {"switching_time_s": moving} | dict.fromkeys(("retention_s", "before_s", "decay_s"), still)
    swing = 2 * field_V_per_m
    volume_missed = volume_per_hop_A3 is None and (moment_change_muB is not None or anisotropy_change_meV is not None)
    area = None if volume_per_hop_A3 is None or thickness_A is None else volume_per_hop_A3 / thickness_A
    return FiguresOfMerit(
        converse_magnetoelectric_s_per_m=None
        if moment_change_muB is None or volume_per_hop_A3 is None
        else converse_magnetoelectric_s_per_m(moment_change_muB, volume_per_hop_A3, swing),
        surface_anisotropy_fJ_per_Vm=None
        if anisotropy_change_meV is None or area is None
        else surface_anisotropy_coefficient_fJ_per_Vm(anisotropy_change_meV, area, swing),
        volume_anisotropy_J_per_m3_per_V_per_m=None
        if anisotropy_change_meV is None or volume_per_hop_A3 is None
        else volume_anisotropy_coefficient(anisotropy_change_meV, volume_per_hop_A3, swing),
        switching_time_s=None
        if moving
        else switching_time_s(barrier_eV, field_V_per_m, temperature_K, charge_e, distance_A, attempt_Hz),
        retention_s=None if still else retentions[1],
        before_s=None if still else retentions[0],
        decay_s=None if still else decay_s(*retentions),
        no_result={name: why for name, why in named.items() if why},
        energy_per_event_J=energy_per_event_J(field_V_per_m, charge_e, distance_A),
        assumptions=[
            f"barrier {barrier_eV:.3g} eV, back {back:.3g} eV, {charge_e:.3g} e over {distance_A:.3f} A, "
            f"saddle halfway, {attempt_Hz:.3g} Hz, back {back_Hz:.3g} Hz, {temperature_K:g} K",
            f"internal field +-{field_V_per_m:g} V/m"
            + ("; no volume per hopping vacancy given" if volume_missed else ""),
        ],
    )
