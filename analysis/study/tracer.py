"""Tracer diffusion of a study's hop against the pressure of oxygen, and measurements beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..defects.binding import VacancyBinding, neighbour_factor
from ..defects.concentrations import DILUTE_FRACTION, PER_CM3
from ..kinetics.diffusion import conductivity_S_per_cm
from ..kinetics.hop_set import HopSet
from .diffusion import TracerDiffusion, tracer_diffusion
from .interstitial_diffusion import charged_shares, interstitial_diffusion
from .measured_diffusion import MeasuredTracer, measured_for, place_of_minimum, rms_decades
from .transport import LOG10_A, MEASURED_K, BesideMeasurement, PRESSURES_atm, Transport

if TYPE_CHECKING:
    from ..kinetics.migration import Migration
    from .documents import Study

# Two temperatures that close are one.
_SAME_K = 0.5


def with_tracer(transport: Transport, study: Study) -> Transport:
    """The same with D and conductivity of the tracer, and measurements beside; as it was without formation energies."""
    hop, _ = hop_of(transport, study)
    _, said = _neighbour_factor(transport.ion, hop.vacancy, study)
    try:
        tracer = [vacancy_tracer(transport, study, MEASURED_K, pressure) for pressure in PRESSURES_atm]
    except ValueError as error:
        told = [f"no tracer diffusion: {error}", *_measured_alone(measured_for(study.host.formula))]
        return transport.model_copy(update={"notes": [*transport.notes, *told]})
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


def hop_of(transport: Transport, study: Study) -> tuple[Migration, Study]:
    """The hop that the transport is by, and the study with that hop alone."""
    own = study.model_copy(update={"migration": [m for m in study.migration if m.label == transport.hop]})
    return own.migration[0], own


def vacancy_tracer(transport: Transport, study: Study, temperature_K: float, p_O2_atm: float) -> TracerDiffusion:
    """D of the transport's ion by vacancies.

    All charge states count at `MEASURED_K` where the study has them, and neutral vacancies elsewhere.

    Raises
    ------
    ValueError
        If the vacancy has no formation energy.
    """
    hop, own = hop_of(transport, study)
    cell = study.host.structure
    sites = sum(name == hop.host_site for name in cell.site_properties["sublattice"])
    near = min(transport.points, key=lambda p: abs(1 / p.temperature_K - 1 / temperature_K))
    share = _at(temperature_K, p_O2_atm, _charged_shares(hop.vacancy, study))
    (tracer,) = tracer_diffusion(
        own,
        temperature_K,
        p_O2_atm,
        attempt_Hz=near.attempt_Hz,
        correlation=transport.correlation,
        site_fraction=share,
    )
    tracer = _where_it_holds(tracer, study)
    if tracer.diffusivity_cm2_per_s is None:
        return tracer
    beside_vacancy, _ = _neighbour_factor(transport.ion, hop.vacancy, study, temperature_K)
    D = tracer.diffusivity_cm2_per_s * beside_vacancy
    sigma = None
    if transport.charge_e:
        free = D / transport.correlation
        sigma = conductivity_S_per_cm(free, transport.charge_e, sites / cell.volume, temperature_K)
    return tracer.model_copy(update={"diffusivity_cm2_per_s": D, "conductivity_S_per_cm": sigma})


def interstitial_tracer(ion: str, study: Study, temperature_K: float, p_O2_atm: float) -> TracerDiffusion | None:
    """D of an ion by its interstitials; None without the stage of their hops.

    Raises
    ------
    ValueError
        If no interstitial has a formation energy.
    """
    hops = study.observables.get("interstitial hops")
    network = next((n for n in hops.networks if n.ion == ion), None) if isinstance(hops, HopSet) else None
    if network is None:
        return None
    share = _at(temperature_K, p_O2_atm, charged_shares(study, network))
    tracer = interstitial_diffusion(study, network, temperature_K, p_O2_atm, site_fraction=share)
    return _where_it_holds(tracer, study)


def _at(temperature_K: float, p_O2_atm: float, shares: Sequence[float]) -> float | None:
    """Share of sites at a pressure between those of the diagram for diffusion; None where it says nothing."""
    log = math.log10(p_O2_atm)
    if not shares or abs(temperature_K - MEASURED_K) > _SAME_K or not min(LOG10_A) - 1e-6 <= log <= max(LOG10_A) + 1e-6:
        return None
    order = np.argsort(LOG10_A)
    logs = np.log(np.maximum(np.array(shares)[order], 1e-300))
    return float(np.exp(np.interp(log, np.array(LOG10_A)[order], logs)))


def _measured_alone(measured: list[MeasuredTracer]) -> list[str]:
    """One line for each measurement that no computed D stands beside."""
    return [
        f"measured, beside no computed D: log10 D of {m.ion} in {m.composition} at {m.temperature_K:.0f} K and 1 atm "
        f"of O2 is {m.log10_D(0.0):.2f}, lowest at log a = {m.log10_a_of_minimum:.1f}"
        for m in measured
    ]


def _neighbour_factor(
    ion: str, vacancy: str, study: Study, temperature_K: float = MEASURED_K
) -> tuple[float, list[str]]:
    """How much more often than at random the ion is beside the vacancy, by the stage binding; a note."""
    binding = study.observables.get("binding")
    if not isinstance(binding, VacancyBinding) or (binding.label, binding.neighbour) != (vacancy, ion):
        return 1.0, []
    factor = neighbour_factor(binding, temperature_K)
    b = binding.per_neighbour
    return factor, [
        f"D of the tracer counts that {ion} stands beside {vacancy} {factor:.2f} times as often as at random at "
        f"{temperature_K:.0f} K (stage binding, {b.value_eV:+.2f} +- {b.error_eV:.2f} eV for each {ion}, engine "
        f"{binding.provenance.engine})"
    ]


def _charged_shares(vacancy: str, study: Study) -> list[float]:
    """Vacant share of the vacancy's sites at every pressure with all charge states; empty where there are none."""
    known = None if study.defects is None else study.defects.diffusion
    if known is None or vacancy not in {c.label for c in known.curves}:
        return []
    sites = next(v.multiplicity for v in study.vacancies if v.label == vacancy)
    per_cm3 = sites / study.host.structure.volume * PER_CM3
    return [n / per_cm3 for n in known.total(vacancy)]


def _where_it_holds(tracer: TracerDiffusion, study: Study) -> TracerDiffusion:
    """The same with charges counted only where all defects that set the Fermi level are dilute."""
    known = None if study.defects is None else study.defects.diffusion
    if not tracer.charges or known is None:
        return tracer
    log = math.log10(tracer.p_O2_atm)
    around = [n for n, a in enumerate(LOG10_A) if abs(a - log) < 1 - 1e-6]
    tracer = tracer.model_copy(update={"inside_window": all(known.inside[n] for n in around)})
    if all(known.dilute[n] for n in around) or tracer.reason:
        return tracer
    reason = f"some defect takes more than {DILUTE_FRACTION:.0%} of its sites, and the Fermi level rests on it"
    return tracer.model_copy(update={"diffusivity_cm2_per_s": None, "reason": reason})


def _by_interstitials(ion: str, study: Study) -> tuple[list[TracerDiffusion], list[str]]:
    """D by interstitials of the ion at every pressure, and why there is none."""
    try:
        tracers = [interstitial_tracer(ion, study, MEASURED_K, pressure) for pressure in PRESSURES_atm]
    except ValueError as error:
        return [], [f"no diffusion by interstitials: {error}"]
    return [t for t in tracers if t is not None], []


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
