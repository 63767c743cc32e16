"""Tracer diffusion of a study's hop against the pressure of oxygen, and measurements beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..defects.binding import VacancyBinding, neighbour_factor
from ..kinetics.diffusion import conductivity_S_per_cm
from ..kinetics.hop_set import HopSet
from .diffusion import TracerDiffusion, tracer_diffusion
from .interstitial_diffusion import charged_shares, interstitial_diffusion
from .measured_diffusion import MeasuredTracer, measured_for, rms_decades
from .transport import LOG10_A, MEASURED_K, BesideMeasurement, PRESSURES_atm, Transport

if TYPE_CHECKING:
    from .documents import Study


def with_tracer(found: Transport, study: Study) -> Transport:
    """The same with D and conductivity of the tracer, and measurements beside; as it was without formation energies."""
    own = study.model_copy(update={"migration": [m for m in study.migration if m.label == found.hop]})
    cell = study.host.structure
    sites = sum(name == own.migration[0].host_site for name in cell.site_properties["sublattice"])
    attempt = next(p.attempt_Hz for p in found.points if p.temperature_K == MEASURED_K)
    beside_vacancy, said = _neighbour_factor(found.ion, own.migration[0].vacancy, study)
    shares = _charged_shares(own.migration[0].vacancy, sites, study)
    tracer = []
    for pressure, share in zip(PRESSURES_atm, shares, strict=True):
        try:
            (made,) = tracer_diffusion(
                own, MEASURED_K, pressure, attempt_Hz=attempt, correlation=found.correlation, site_fraction=share
            )
        except ValueError as error:
            return found.model_copy(update={"notes": [*found.notes, f"no tracer diffusion: {error}"]})
        if made.diffusivity_cm2_per_s is not None:
            made = made.model_copy(update={"diffusivity_cm2_per_s": made.diffusivity_cm2_per_s * beside_vacancy})
        if made.diffusivity_cm2_per_s is not None and found.charge_e:
            free = made.diffusivity_cm2_per_s / found.correlation
            sigma = conductivity_S_per_cm(free, found.charge_e, sites / cell.volume, MEASURED_K)
            made = made.model_copy(update={"conductivity_S_per_cm": sigma})
        tracer.append(made)
    others, notes = _by_interstitials(found.ion, study)
    beside = [b for m in measured_for(study.host.formula) if (b := _beside(m, tracer, others)) is not None]
    update = {"tracer": tracer, "interstitials": others, "beside": beside, "notes": [*found.notes, *said, *notes]}
    return found.model_copy(update=update)


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


def _charged_shares(vacancy: str, sites: int, study: Study) -> list[float | None]:
    """Vacant share of the sublattice at every pressure by the equilibria with charges; None where there are none."""
    known = None if study.defects is None else study.defects.diffusion
    if known is None or vacancy not in {c.label for c in known.curves}:
        return [None] * len(PRESSURES_atm)
    per_cm3 = sites / study.host.structure.volume * 1e24
    return [n / per_cm3 for n in known.total(vacancy)]


def _by_interstitials(ion: str, study: Study) -> tuple[list[TracerDiffusion], list[str]]:
    """D by interstitials of the ion at every pressure, and why there is none."""
    hops = study.observables.get("interstitial hops")
    network = next((n for n in hops.networks if n.ion == ion), None) if isinstance(hops, HopSet) else None
    if network is None:
        return [], []
    shares: Sequence[float | None] = charged_shares(study, network) or [None] * len(LOG10_A)
    try:
        return [
            interstitial_diffusion(study, network, MEASURED_K, 10.0**a, site_fraction=share)
            for a, share in zip(LOG10_A, shares, strict=True)
        ], []
    except ValueError as error:
        return [], [f"no diffusion by interstitials: {error}"]


def total_log10_D(tracer: list[TracerDiffusion], others: list[TracerDiffusion]) -> list[tuple[float, float]]:
    """Decadic logarithms of the oxygen pressure and of the sum of both kinds of D, where each has one."""
    out = []
    for n, one in enumerate(tracer):
        parts = [p.diffusivity_cm2_per_s for p in (one, *others[n : n + 1])]
        if None not in parts:
            out.append((math.log10(one.p_O2_atm), math.log10(sum(p for p in parts if p is not None))))
    return out


def _beside(
    measured: MeasuredTracer, tracer: list[TracerDiffusion], others: list[TracerDiffusion]
) -> BesideMeasurement | None:
    found = total_log10_D(tracer, others)
    if not found:
        return None
    a, computed = [x for x, _ in found], [y for _, y in found]
    right = [measured.log10_D(x) for x in a]
    slopes: tuple[float | None, float | None] = (None, None)
    if len(a) > 1:
        slopes = (computed[0] - computed[1]) / (a[0] - a[1]), (right[0] - right[1]) / (a[0] - a[1])
    return BesideMeasurement(
        measured=measured,
        hop=tracer[0].hop,
        log10_a=a,
        log10_computed=computed,
        log10_measured=right,
        rms_decades=rms_decades(measured, a, computed),
        slope_computed=slopes[0],
        slope_measured=slopes[1],
    )
