"""Tables of what rests on assumptions: frozen reference, switching path, figures of merit, contents."""

from __future__ import annotations

from ..defects.uptake import MomentCurve
from ..device.film import DeviceResult
from ..kinetics.rates import format_duration
from ..magnetism.directions import axis_in_words
from ..magnetism.hysteresis import SwitchingPath
from ..magnetism.unidirectional import UnidirectionalResult
from .model import Cell, Table, number, words

# A u below this is rounding: time reversal allows none without a frozen reference.
_NOISE_meV = 1e-6


def _vector(values: list[float], digits: int = 3) -> str:
    return "(" + ", ".join(f"{x:.{digits}g}" for x in values) + ")"


def _scientific(value: float | None, digits: int = 2) -> Cell:
    return Cell("–" if value is None else f"{value:.{digits}e}", "number")


def _error(components_meV: list[float] | None) -> str:
    return "–" if components_meV is None else f"{max(components_meV):.1e} at most, from the scatter of the odd part"


def reference_table(result: UnidirectionalResult) -> Table:
    """E_odd, u, h, D and the loop of every state with the frozen reference; one column per state."""
    states = [(s, s.coupling) for s in result.states if s.coupling is not None]
    loops = [s.loop for s, _ in states]
    rows = [
        words(["ions that turn, frozen", *(f"{c.turning_ions}, {c.frozen_ions}" for _, c in states)]),
        words(["h (meV per cell)", *(f"{c.h_meV:.4g}, {c.h_source}" for _, c in states)]),
        words(["D (meV per cell)", *(_vector(c.D_meV) for _, c in states)]),
        words(["u (meV per cell)", *(_vector(s.u_meV, 4) for s, _ in states)]),
        words(["standard error of u (meV per cell)", *(_error(s.u_error_meV) for s, _ in states)]),
        words(["|u| (meV per cell)", *(f"{s.u_norm_meV:.4g}" for s, _ in states)]),
        words(["largest odd part (meV per cell)", *(f"{s.odd_max_meV:.4g}" for s, _ in states)]),
        words(["sense of lowest energy, n", *(_vector(s.favoured or [], 2) for s, _ in states)]),
        words(["moment that turns (μB, along n)", *(f"{c.turning_moment_muB:+.1f}" for _, c in states)]),
        words(["|u| / moment (T)", *(_number(s.loop_shift_T) for s, _ in states)]),
        words(["shift of the loop along u (T)", *(_number(None if x is None else x.shift_T) for x in loops)]),
        words(["coercive field along u (T)", *(_number(None if x is None else x.coercive_T) for x in loops)]),
    ]
    p = _vector(result.frozen.p) if result.frozen is not None else ""
    return Table(f"With the frozen reference {result.reference}, p = {p}", ["", *(s.state for s, _ in states)], rows)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def switching_table(path: SwitchingPath) -> Table:
    """State before, pulse, state after, and u of each."""
    rows = [
        [
            *words([s.stage]),
            _scientific(s.field_V_per_m, 1),
            number(s.duration_s, 3),
            number(s.population_after, 4),
            *words([_vector(s.u_meV, 4) if max(map(abs, s.u_meV)) > _NOISE_meV else f"below {_NOISE_meV:g}"]),
        ]
        for s in path.steps
    ]
    return Table(
        "Switching path",
        ["state", "field that led to it (V/m)", "for (s)", "share of ions after the hop", "mean u (meV per cell)"],
        rows,
    )


def grain_table(device: DeviceResult, *, cubic: bool) -> Table:
    """A grain before and after the hop: what its energy holds, how stable it is, and where it switches."""
    named: dict[str, list[float | None]] = {
        "crystal: normal less plane (MJ/m³)": [g.crystal_MJ_per_m3 for g in device.grains],
        "shape: normal less plane (MJ/m³)": [g.shape_MJ_per_m3 for g in device.grains],
        "strain: normal less plane (MJ/m³)": [g.strain_MJ_per_m3 for g in device.grains],
        "barrier of reversal (MJ/m³)": [g.barrier_MJ_per_m3 for g in device.grains],
        "K V/kT": [g.stability for g in device.grains],
        "switching field without heat (T)": [g.switching_0K_T for g in device.grains],
        "coercive field at the film's temperature and sweep (T)": [g.coercive_T for g in device.grains],
        "|u| over the barrier": [g.bias_over_barrier for g in device.grains],
        "2|u| of a grain over kT": [g.bias_over_kT for g in device.grains],
    }
    loops = {loop.state: loop for loop in device.loops}
    if loops:
        grain_loops = [loops.get(g.state) for g in device.grains]
        texture = device.film.texture_deg
        how = f"axes within {texture:g}° of the field" if texture else "axes at random"
        named[f"coercive field of many, {how} (T)"] = [None if x is None else x.coercive_T for x in grain_loops]
        named[f"remanence of many, {how}"] = [None if x is None else x.remanence for x in grain_loops]
    rows = [[*words([name]), *(_scientific(value) for value in values)] for name, values in named.items()]
    rows.insert(0, [*words(["easy axis", *(axis_in_words(g.easy_axis, cubic=cubic) for g in device.grains)])])
    name = f"A grain of the film at {device.film.temperature_K:g} K"
    return Table(name, ["quantity", *(g.state for g in device.grains)], rows)


def _time(name: str, time_s: float | None, why: str) -> list[Cell]:
    """A time, or that there is none and why."""
    if time_s is None:
        return [*words([name]), _scientific(None), Cell(f"no result: {why}", "failed")]
    return [*words([name]), _scientific(time_s), *words([f"s ({format_duration(time_s)})"])]


def merit_table(device: DeviceResult) -> Table:
    """Figures of merit with their units."""
    m = device.merit
    rows = [
        [
            *words(["converse magnetoelectric coefficient μ₀ ΔM/ΔE"]),
            _scientific(m.converse_magnetoelectric_s_per_m),
            *words(["s/m"]),
        ],
        [*words(["ΔK_s/ΔE of the film"]), _scientific(m.surface_anisotropy_fJ_per_Vm), *words(["fJ/(V m)"])],
        [
            *words(["ΔK/ΔE of the volume"]),
            _scientific(m.volume_anisotropy_J_per_m3_per_V_per_m),
            *words(["J/m³ per V/m"]),
        ],
        *(
            _time(said, getattr(m, name), m.no_result.get(name, ""))
            for name, said in (
                ("switching_time_s", "switching time in the field"),
                ("decay_s", "decay of a written difference at zero field"),
                ("before_s", "one ion in the state before the hop at zero field"),
                ("retention_s", "one ion in the state after the hop at zero field"),
            )
            if getattr(m, name) is not None or name in m.no_result
        ),
        [*words(["work of the field per hop"]), _scientific(m.energy_per_event_J), *words(["J"])],
    ]
    reasons = device.switching_no_result or [""] * len(device.switching_times_s)
    rows += [
        _time(f"mean time of the hop at {f:.1e} V/m", t, why)
        for f, t, why in zip(device.switching_fields_V_per_m, device.switching_times_s, reasons, strict=True)
    ]
    return Table("Figures of merit", ["figure", "value", "unit"], rows)


def content_table(curve: MomentCurve) -> Table:
    """Moment and specific magnetisation against content."""
    rows = [
        [number(x, 3), number(m, 3), number(s, 2)]
        for x, m, s in zip(curve.content, curve.moment_muB, curve.specific_Am2_per_kg, strict=True)
    ]
    return Table(
        f"{curve.formula} with {curve.ion}: {'; '.join(curve.assumptions)}",
        [f"{curve.ion} per formula unit", "moment (μB per formula unit)", "magnetisation (A m²/kg)"],
        rows,
    )
