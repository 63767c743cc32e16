"""What a user assumes about a study, and what follows from it: reference, switching path, device figures, audit.

Nothing here computes an energy: a finished study can be given other assumptions, and its report written again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from ..audit.judging import audit
from ..device.assumptions import Assumptions
from ..device.film import DeviceResult, device_result, grains_of_film, loops_of_film
from ..device.writing import grain_writing
from ..kinetics.migration import Migration
from ..kinetics.rates import ASSUMED_ATTEMPT_Hz, why_no_rate
from ..kinetics.switching import FieldPulse, driving_sense, largest_field_V_per_m, population_swing, switch_hop
from ..magnetism.anisotropy import AnisotropyMap, AnisotropySummary
from ..magnetism.frozen_reference import FrozenCoupling, FrozenReference, frozen_coupling, frozen_sites
from ..magnetism.grain import MAGNETOELASTIC, magnetisation_A_per_m
from ..magnetism.hysteresis import MEV_PER_MUB_T, Loop, SwitchingPath, particle_loop
from ..magnetism.state_pairs import StatePair, state_pair
from ..magnetism.switching_barrier import sphere_grid
from ..magnetism.unidirectional import (
    UnidirectionalResult,
    UnidirectionalState,
    axis_angle_deg,
    exchange_bias_T,
    frozen_reference_energy,
    state_of,
    u_model,
)
from ..study.documents import Study
from .film_temperature import AtFilm, at_film, moment_order_at

_LOOP_POINTS = 61
# Largest field of a loop over that of its anisotropy and u together.
_BEYOND = 1.2
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class HopEnds:
    """The relaxed structures before and after a hop.

    Attributes
    ----------
    engine_h_meV
        h of the reference from an engine, by state.
    moments_muB
        Total moments of the two cells as the engine found them; None if it has none.
    """

    before: Structure
    after: Structure
    mover: int
    engine_h_meV: Mapping[str, float] | None = None
    moments_muB: Sequence[float] | None = None

    def of(self, state: str) -> Structure:
        """One of the two."""
        return self.before if state == "before" else self.after


def with_assumptions(study: Study, ends: HopEnds | None, assumptions: Assumptions) -> Study:
    """The study with everything that follows from these assumptions, its audit included.

    Parameters
    ----------
    study
        Finished study; assumptions made before are replaced.
    ends
        Structures of its hop; None if it has none.
    assumptions
        See `Assumptions`.

    Raises
    ------
    ValueError
        If a reference is assumed for a study without maps before and after a hop, or does not fit them.
    """
    audited = study.model_copy(update={"assumptions": assumptions})
    audited.unidirectional = _unidirectional(study, ends, assumptions)
    audited.switching = audited.device = None
    hops = [hop for hop in study.migration[:1] if not hop.why_no_result]
    # A pulse that nobody asked for is left out where the host breaks down below it; one that was asked for is refused.
    asked = assumptions.pulse != FieldPulse()
    if hops and ends is not None and (asked or largest_field_V_per_m(hops[0]) >= abs(assumptions.pulse.field_V_per_m)):
        # Without a rate law there are no populations in time, and no film to speak of.
        lowest = min(hops[0].forward_eV, hops[0].backward_eV)
        if not why_no_rate(lowest, assumptions.pulse.temperature_K):
            audited.switching = _switching(
                audited, assumptions.pulse if asked else _driving(hops[0], assumptions.pulse)
            )
            if not why_no_rate(lowest, assumptions.film.temperature_K):
                audited.device = _device(audited, ends, assumptions)
    audited.claims = audit(audited)
    return audited


def engine_couplings(study: Study, reference: FrozenReference | None) -> dict[str, float] | None:
    """H that the study's engine computed for the same frozen ions, meV, by state; None if it did not."""
    known = None if study.unidirectional is None else study.unidirectional.frozen
    if reference is None or known is None or study.unidirectional is None or known.name != reference.name:
        return None
    couplings = [s.coupling for s in study.unidirectional.states if s.coupling is not None]
    couplings_meV = {c.state: c.h_meV for c in couplings if c.h_source.startswith("engine")}
    return couplings_meV or None


def _unidirectional(study: Study, ends: HopEnds | None, assumptions: Assumptions) -> UnidirectionalResult | None:
    free, reference = study.unidirectional, assumptions.reference
    if free is None or ends is None or study.anisotropy is None:
        if reference is not None:
            raise ValueError("a frozen reference needs maps E(n) before and after a hop; this study has none")
        return free
    maps = {m.state: m for m in study.anisotropy.maps}
    film = at_film(study, (maps["before"], maps["after"]), assumptions.film.temperature_K)
    maps |= {m.state: m for m in film.maps or ()}
    # A study that was given other assumptions before starts again from its maps, which no assumption changes.
    plain = {s.state: s for s in study.anisotropy.summaries}
    states = [
        state_of(
            maps[s.state],
            free.noise_meV,
            summary=None if maps[s.state].temperature_K else plain[s.state],
            keffer_A2=s.keffer_A2,
        )
        for s in free.states
    ]
    after = next(s for s in states if s.state == "after")
    free = _with_tilts(free, states, plain).model_copy(
        update={"temperature_K": maps["after"].temperature_K, "temperature_note": film.note}
    )
    tilt = f"the hop turns axes, {free.tilts_in_words} ({_related(free.relation)})"
    rigid = "magnetically rigid cell: all moments turn together"
    if reference is None:
        return free.model_copy(
            update={
                "states": states,
                "reference": None,
                "frozen": None,
                "pair": _pair(free, maps["before"], maps["after"], None),
                "verdict": after.verdict,
                "reason": f"{tilt}; {after.reason}",
                "assumptions": ["no frozen reference is assumed: nothing in the film or the tip is pinned", rigid],
            }
        )
    held = {s: _held(maps[s], ends, s, reference, study.engine.name, film.order) for s in ("before", "after")}
    states = [_state(s, held, reference, free.noise_meV, study.migration[0].displacement_A, film.order) for s in states]
    after = next(s for s in states if s.state == "after")
    pair = _pair(free, held["before"].map, held["after"].map, reference)
    return free.model_copy(
        update={
            "states": states,
            "reference": reference.name,
            "frozen": reference,
            "pair": pair,
            "verdict": after.verdict,
            "reason": f"{tilt}; {after.reason}; of the switch: {pair.verdict}, {pair.reason}",
            "assumptions": _assumptions(reference, held, film.order),
        }
    )


def _with_tilts(
    free: UnidirectionalResult, states: Sequence[UnidirectionalState], cold: Mapping[str, AnisotropySummary]
) -> UnidirectionalResult:
    """Angles between the axes before and after of the states as they are judged, and of their ground states."""
    judged = {s.state: s for s in states}

    def angle(of: Mapping[str, UnidirectionalState] | Mapping[str, AnisotropySummary], axis: str) -> float:
        return axis_angle_deg(getattr(of["before"], axis), getattr(of["after"], axis))

    return free.model_copy(
        update={
            "easy_axis_tilt_deg": angle(judged, "easy_axis"),
            "hard_axis_tilt_deg": angle(judged, "hard_axis"),
            "easy_axis_tilt_0K_deg": angle(cold, "easy_axis"),
            "hard_axis_tilt_0K_deg": angle(cold, "hard_axis"),
        }
    )


def _related(relation: list[str]) -> str:
    if relation == ["none"]:
        return "no operation of the host exchanges the two states"
    return f"related by: {', '.join(relation)}"


@dataclass(frozen=True)
class _Held:
    """One state with its reference: the map of the turning group with the odd part, and the coupling behind it."""

    map: AnisotropyMap
    coupling: FrozenCoupling
    alone: bool


def _held(
    map_: AnisotropyMap, ends: HopEnds, state: str, reference: FrozenReference, engine: str, order: float
) -> _Held:
    coupling = frozen_coupling(
        ends.of(state),
        reference,
        state=state,
        mover=ends.mover,
        frozen=frozen_sites(ends.before, reference, ends.mover),
        engine_h_meV=(ends.engine_h_meV or {}).get(state),
        engine=f"engine {engine}",
    )
    alone = map_.of_ions(coupling.turning_sites)
    even = map_ if alone is None else alone
    # Linear in the order of the ions that turn, those of the reference keep theirs.
    odd = order * frozen_reference_energy(map_.vectors, coupling.h_meV, coupling.D_meV, coupling.Gamma_meV, reference.p)
    # The computed odd part stays in: it is the error bar, and what it adds must be seen.
    total = even.energies + (0 if alone is None else map_.even_odd()[1]) + odd
    return _Held(
        even.model_copy(update={"energies_meV": [float(x) for x in total - total.min()]}), coupling, alone is not None
    )


def _state(
    plain: UnidirectionalState,
    held: Mapping[str, _Held],
    reference: FrozenReference,
    noise_meV: float,
    hop_A: list[float],
    order: float,
) -> UnidirectionalState:
    """One state judged with its reference; the host, and a map that breaks time reversal by itself, without."""
    if plain.state not in held or plain.verdict == "spurious odd part":
        return plain
    here = held[plain.state]
    judged = state_of(here.map, noise_meV, reference.name, keffer_A2=plain.keffer_A2)
    u = np.array(judged.u_meV)
    moment = order * here.coupling.turning_moment_muB
    # A group whose moment is opposite to n feels the field along -n.
    sense = 1.0 if moment >= 0 else -1.0
    axis = u if judged.u_norm_meV > noise_meV else np.array(hop_A)
    loop = _loop(here.map, moment, axis, sense * u)
    senses = _senses(loop)
    return judged.model_copy(
        update={
            "coupling": here.coupling,
            "u_model_meV": [
                order * float(x)
                for x in u_model(here.coupling.h_meV, here.coupling.D_meV, here.coupling.Gamma_meV, reference.p)
            ],
            "loop_shift_T": exchange_bias_T(judged.u_norm_meV, moment) if moment else None,
            "loop": loop,
            "favoured": _favoured(here.map, u),
            "reason": f"{judged.reason}{senses}",
        }
    )


def _loop(map_: AnisotropyMap, moment_muB: float, axis: FloatArray, u_meV: FloatArray) -> Loop | None:
    """Loop up to a little beyond saturation; None for a group without a moment."""
    if moment_muB == 0:
        return None
    span = float(np.ptp(map_.even_odd()[0]))
    largest = _BEYOND * (2 * span + float(np.linalg.norm(u_meV))) / (abs(moment_muB) * MEV_PER_MUB_T)
    return particle_loop(map_, moment_muB, axis, u_meV=u_meV, maximum_T=largest or 1.0, points=_LOOP_POINTS)


def _senses(loop: Loop | None) -> str:
    if loop is None or loop.shift_T is None or loop.coercive_T is None:
        return ""
    one = abs(loop.shift_T) > loop.coercive_T
    return (
        f"; its loop is shifted by {loop.shift_T:.3g} T, {'more' if one else 'less'} than its coercive field of "
        f"{loop.coercive_T:.3g} T: {'one sense is' if one else 'both senses are'} stable at zero field"
    )


def _favoured(map_: AnisotropyMap, u_meV: NDArray[np.float64]) -> list[float]:
    """Direction of lowest energy: with a reference, a sense."""
    grid = sphere_grid()
    return [float(x) for x in grid[int(np.argmin(map_.fit()(grid) - grid @ u_meV))]]


def _pair(
    free: UnidirectionalResult, before: AnisotropyMap, after: AnisotropyMap, reference: FrozenReference | None
) -> StatePair:
    names = free.relation if free.relation != ["none"] else []
    return state_pair(
        before,
        after,
        list(zip(names, free.relation_matrices, strict=False)),
        kind="before and after the hop",
        reference=None if reference is None else reference.name,
        p=None if reference is None else reference.p,
        noise_meV=free.noise_meV,
    )


def _assumptions(reference: FrozenReference, held: Mapping[str, _Held], order: float) -> list[str]:
    before = held["before"].coupling
    out = [
        f"frozen reference: {reference.name}, p = ({', '.join(f'{x:.3f}' for x in reference.p)}), stated by the "
        "user; its own anisotropy and what pins it are not in the study, it is held rigid",
        f"h: {before.h_source}" if before.h_source in reference.source else f"h: {before.h_source}; {reference.source}",
        "n = p is the collinear order as it is; the turning group keeps its order, however strong u is",
    ]
    if reference.D_meV is not None:
        out.append(f"D: given per cell, the same in both states; {reference.source}")
    elif np.any(before.D_meV):
        out.append("D: Keffer's geometry of both states times an assumed strength d0")
    else:
        out.append("D is zero: no strength d0 was assumed, and none was computed (four-state energies would give it)")
    if reference.Gamma_meV is not None:
        out.append("Gamma: assumed, the same in both states")
    if order < 1:
        out.append(
            f"u and the moment that turns are those of 0 K times M(T)/M(0) = {order:.3g} of the ions that turn; the "
            "reference keeps its order"
        )
    if reference.outside is None:
        out.append(
            "the even part is that of the turning ions alone"
            if held["before"].alone
            else "the even part is that of all ions: this engine's energy is no sum over ions"
        )
    return out


def _attempts(study: Study, temperature_K: float) -> tuple[tuple[float, float], str]:
    """Rates of attempts of the hop forward and back at a temperature, and whether they were computed."""
    retention = study.retention
    if retention is None:
        return (ASSUMED_ATTEMPT_Hz, ASSUMED_ATTEMPT_Hz), "assumed"
    return retention.attempts_Hz(temperature_K), retention.attempt_frequency_source


def _switching(study: Study, pulse: FieldPulse) -> SwitchingPath:
    result = study.unidirectional
    named = {s.state: s for s in result.states} if result is not None else {}
    spurious = any(s.verdict == "spurious odd part" for s in named.values())
    zero = [0.0, 0.0, 0.0]
    before, after = (named[s].u_meV if s in named and not spurious else zero for s in ("before", "after"))
    attempts, source = _attempts(study, pulse.temperature_K)
    return switch_hop(
        study.migration[0],
        before,
        after,
        pulse,
        reference=None if result is None else result.reference,
        attempts_Hz=attempts,
        attempt_source=source,
        easy_axes=[named[s].easy_axis for s in ("before", "after")] if named else [],
    )


def _driving(hop: Migration, pulse: FieldPulse) -> FieldPulse:
    """An assumed pulse in the sense that drives the hop forwards."""
    if driving_sense(hop) > 0:
        return pulse
    source = f"{pulse.source}; against the hop, which drives a negative ion along it"
    return pulse.model_copy(update={"field_V_per_m": -pulse.field_V_per_m, "source": source})


def _device(study: Study, ends: HopEnds, assumptions: Assumptions) -> DeviceResult:
    maps = {m.state: m for m in study.anisotropy.maps} if study.anisotropy else {}
    film, pulse = assumptions.film, assumptions.pulse
    attempts, source = _attempts(study, film.temperature_K)
    at = AtFilm(None, *moment_order_at(study, film.temperature_K))
    if study.anisotropy is not None and {"before", "after"} <= set(maps):
        at = at_film(study, (maps["before"], maps["after"]), film.temperature_K)
    both, order = at.maps, at.order
    device = device_result(
        study.migration[0],
        film,
        pulse,
        maps=both,
        moment_change_muB=None if ends.moments_muB is None else order * (ends.moments_muB[1] - ends.moments_muB[0]),
        swing=population_swing(study.migration[0], pulse, _attempts(study, pulse.temperature_K)[0]),
        attempts_Hz=attempts,
        attempt_source=source,
    )
    magnetisation = magnetisation_A_per_m(study.host.moment_per_formula_muB, study.host.volume_per_formula_A3)
    if both is None or not magnetisation:
        return device.model_copy(update={"assumptions": [*device.assumptions, at.note]})
    known = study.unidirectional
    pinned = known is not None and known.reference is not None
    grains, said = grains_of_film(
        both,
        study.migration[0].displacement_A,
        film,
        magnetisation * order,
        elastic=MAGNETOELASTIC.get(study.host.key.partition(":")[0]),
        u_meV={s.state: s.u_meV for s in known.states} if known is not None and pinned else None,
    )
    writing = grain_writing(
        (grains[0], grains[1]),
        device.parameters,
        voltages_V=device.against_voltage[0].x,
        pulse_s=film.pulses_s[len(film.pulses_s) // 2],
        wait_s=film.wait_s,
        bias_T=film.bias_T,
        attempt_Hz=film.grain_attempt_Hz,
        magnetisation_A_per_m=magnetisation * order,
        thickness_m=film.thickness_m,
        tip_distance_m=film.tip_distance_m,
    )
    return device.model_copy(
        update={
            "grains": grains,
            "loops": loops_of_film(grains, film),
            "writing": writing,
            "assumptions": [*device.assumptions, f"{said}; {at.note}"],
        }
    )
