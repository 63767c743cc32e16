"""Tracer diffusion of a study's hop against the pressure of oxygen, and measurements beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..defects.binding import VacancyBinding, neighbour_factor
from ..defects.concentrations import DILUTE_FRACTION, PER_CM3
from ..kinetics.diffusion import conductivity_S_per_cm
from ..kinetics.hop_set import HopSet
from .diffusion import TracerDiffusion, tracer_diffusion
from .interstitial_diffusion import charged_shares, interstitial_diffusion
from .measured_diffusion import MeasuredTracer, measured_for, place_of_minimum, rms_decades
from .transport import MEASURED_K, BesideMeasurement, PRESSURES_atm, Transport

if TYPE_CHECKING:
    from .documents import Study


def with_tracer(transport: Transport, study: Study) -> Transport:
    """The same with D and conductivity of the tracer, and measurements beside; as it was without formation energies."""
    own = study.model_copy(update={"migration": [m for m in study.migration if m.label == transport.hop]})
    cell = study.host.structure
    sites = sum(name == own.migration[0].host_site for name in cell.site_properties["sublattice"])
    attempt = next(p.attempt_Hz for p in transport.points if p.temperature_K == MEASURED_K)
    beside_vacancy, said = _neighbour_factor(transport.ion, own.migration[0].vacancy, study)
    shares = _charged_shares(own.migration[0].vacancy, study)
    tracer = []
    for n, (pressure, share) in enumerate(zip(PRESSURES_atm, shares, strict=True)):
        try:
            (made,) = tracer_diffusion(
                own, MEASURED_K, pressure, attempt_Hz=attempt, correlation=transport.correlation, site_fraction=share
            )
        except ValueError as error:
            told = [f"no tracer diffusion: {error}", *_measured_alone(measured_for(study.host.formula))]
            return transport.model_copy(update={"notes": [*transport.notes, *told]})
        made = _where_it_holds(made, n, study)
        if made.diffusivity_cm2_per_s is not None:
            made = made.model_copy(update={"diffusivity_cm2_per_s": made.diffusivity_cm2_per_s * beside_vacancy})
        if made.diffusivity_cm2_per_s is not None and transport.charge_e:
            free = made.diffusivity_cm2_per_s / transport.correlation
            sigma = conductivity_S_per_cm(free, transport.charge_e, sites / cell.volume, MEASURED_K)
            made = made.model_copy(update={"conductivity_S_per_cm": sigma})
        tracer.append(made)
    others, notes = _by_interstitials(transport.ion, study)
    if study.defects is not None and study.charged is not None and study.defects.diffusion is None:
        why = study.defects.no_diffusion or "no equilibrium of them is kept"
        notes.append(f"D of the tracer counts neutral defects only, though charge states are computed: {why}")
    measured = measured_for(study.host.formula)
    beside = [b for m in measured if (b := _beside(m, tracer, others)) is not None]
    if not beside:
        notes += _measured_alone(measured)
    update = {"tracer": tracer, "interstitials": others, "beside": beside, "notes": [*transport.notes, *said, *notes]}
    return transport.model_copy(update=update)


def _measured_alone(measured: list[MeasuredTracer]) -> list[str]:
    """One line for each measurement that no computed D stands beside."""
    return [
        f"measured, beside no computed D: log10 D of {m.ion} in {m.composition} at {m.temperature_K:.0f} K and 1 atm "
        f"of O2 is {m.log10_D(0.0):.2f}, lowest at log a = {m.log10_a_of_minimum:.1f}"
        for m in measured
    ]


def _neighbour_factor(ion: str, vacancy: str, study: Study) -> tuple[float, list[str]]:
    """How much more often than at random the ion is beside the vacancy, by the stage binding; a note."""
    binding = study.observables.get("binding")
    if not isinstance(binding, VacancyBinding) or (binding.label, binding.neighbour) != (vacancy, ion):
        return 1.0, []
    factor = neighbour_factor(binding, MEASURED_K)
    b = binding.per_neighbour
    return factor, [
        f"D of the tracer counts that {ion} stands beside {vacancy} {factor:.2f} times as often as at random at "
        f"{MEASURED_K:.0f} K (stage binding, {b.value_eV:+.2f} +- {b.error_eV:.2f} eV for each {ion}, engine "
        f"{binding.provenance.engine})"
    ]


def _charged_shares(vacancy: str, study: Study) -> list[float | None]:
    """Vacant share of the vacancy's sites at every pressure with all charge states; None where there are none."""
    known = None if study.defects is None else study.defects.diffusion
    if known is None or vacancy not in {c.label for c in known.curves}:
        return [None] * len(PRESSURES_atm)
    sites = next(v.multiplicity for v in study.vacancies if v.label == vacancy)
    per_cm3 = sites / study.host.structure.volume * PER_CM3
    return [n / per_cm3 for n in known.total(vacancy)]


def _where_it_holds(tracer: TracerDiffusion, n: int, study: Study) -> TracerDiffusion:
    """The same with charges counted only where all defects that set the Fermi level are dilute; n is the pressure's."""
    known = None if study.defects is None else study.defects.diffusion
    if not tracer.charges or known is None:
        return tracer
    tracer = tracer.model_copy(update={"inside_window": known.inside[n]})
    if known.dilute[n] or tracer.reason:
        return tracer
    reason = f"some defect takes more than {DILUTE_FRACTION:.0%} of its sites, and the Fermi level rests on it"
    return tracer.model_copy(update={"diffusivity_cm2_per_s": None, "reason": reason})


def _by_interstitials(ion: str, study: Study) -> tuple[list[TracerDiffusion], list[str]]:
    """D by interstitials of the ion at every pressure, and why there is none."""
    hops = study.observables.get("interstitial hops")
    network = next((n for n in hops.networks if n.ion == ion), None) if isinstance(hops, HopSet) else None
    if network is None:
        return [], []
    shares: Sequence[float | None] = charged_shares(study, network) or [None] * len(PRESSURES_atm)
    try:
        tracers = [
            interstitial_diffusion(study, network, MEASURED_K, pressure, site_fraction=share)
            for pressure, share in zip(PRESSURES_atm, shares, strict=True)
        ]
    except ValueError as error:
        return [], [f"no diffusion by interstitials: {error}"]
    return [_where_it_holds(one, n, study) for n, one in enumerate(tracers)], []


def total_log10_D(tracer: list[TracerDiffusion], others: list[TracerDiffusion]) -> list[tuple[float, float]]:
    """Decadic logarithms of the oxygen pressure and of the sum of both kinds of D, where each has one."""
    out = []
    for n, one in enumerate(tracer):
        parts = [p.diffusivity_cm2_per_s for p in (one, *others[n : n + 1])]
        if None not in parts:
            out.append((math.log10(one.p_O2_atm), math.log10(sum(p for p in parts if p is not None))))
    return out


def minimum_of(tracer: list[TracerDiffusion], others: list[TracerDiffusion]) -> float | None:
    """Log10 of the pressure at which the sum of both kinds of D is lowest; None at an end, or without one of them."""
    known = [a for a, _ in total_log10_D(tracer, others)]
    branches = [
        [one.log10_D for one in part if one.log10_D is not None and math.log10(one.p_O2_atm) in known]
        for part in (tracer, others)
        if part
    ]
    return place_of_minimum(known, *branches) if all(len(b) == len(known) for b in branches) else None


def _beside(
    measured: MeasuredTracer, tracer: list[TracerDiffusion], others: list[TracerDiffusion]
) -> BesideMeasurement | None:
    totals = total_log10_D(tracer, others)
    if not totals:
        return None
    a, computed = [x for x, _ in totals], [y for _, y in totals]
    right = [measured.log10_D(x) for x in a]
    order = sorted(range(len(a)), key=lambda n: -a[n])

    def slope(values: list[float], first: int, second: int) -> float | None:
        if len(a) < 2:
            return None
        i, j = order[first], order[second]
        return (values[i] - values[j]) / (a[i] - a[j])

    return BesideMeasurement(
        measured=measured,
        hop=tracer[0].hop,
        log10_a=a,
        log10_computed=computed,
        log10_measured=right,
        rms_decades=rms_decades(measured, a, computed),
        slope_computed=slope(computed, 0, 1),
        slope_measured=slope(right, 0, 1),
        low_slope_computed=slope(computed, -2, -1),
        low_slope_measured=slope(right, -2, -1),
        minimum_computed=minimum_of(tracer, others),
    )
