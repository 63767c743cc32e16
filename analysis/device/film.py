"""Device figures of a finished study: what a film of its hop would show, with everything that is assumed."""

from __future__ import annotations

import numpy as np
from pydantic import ConfigDict, Field

from ..kinetics.migration import Migration
from ..kinetics.rates import ASSUMED_ATTEMPT_Hz, retention_s, why_no_rate
from ..kinetics.switching import FieldPulse, driving_sense, hop_in_field
from ..magnetism.anisotropy import AnisotropyMap
from ..magnetism.grain import Grain, GrainState, Magnetoelastic, grain_state
from ..magnetism.grain_loops import GrainLoop, grain_loop
from ..results.document import Document, Unbounded
from .ensemble import (
    Curve,
    EnsembleParameters,
    contrast_against_miscut,
    contrast_against_voltage,
    contrast_of_sequence,
    ensemble_of_hop,
    relaxation_against_temperature,
)
from .figures_of_merit import FiguresOfMerit, figures_of_merit
from .writing import GrainWriting

_VOLTAGES = 25
_MISCUTS_deg = (0.0, 8.9, 15.0, 25.0, 36.6, 45.0, 60.0, 75.0, 90.0)
_TEMPERATURES_K = (150.0, 200.0, 250.0, 300.0, 350.0, 400.0, 500.0)
_PLANE_ANGLES = 36


class FilmAssumptions(Document):
    """What a study does not know about a film.

    Attributes
    ----------
    thickness_m, local_field_factor
        Film across which the voltage falls; field at the ion over voltage / thickness.
    texture_deg, miscut_deg, barrier_spread_eV
        See `EnsembleParameters`.
    hopping_per_formula
        Vacancies that hop per formula unit of the film: how many there are, no cell of a calculation says.
    temperature_K
        Of writing and reading.
    grain_diameter_m, sweep_T_per_s, grain_attempt_Hz
        Grain that turns as one (a sphere's volume), rate of the field of a loop, and its attempts to turn.
    shape_factor
        Demagnetising factor along the hop, the film's normal here, less that across: 1 of a continuous film.
    in_plane_strain
        Of the film by its substrate; 0.01 is one per cent of stretching.
    bias_T
        Field along the film's normal that is there while a voltage acts: of the tip, or of a pinned part.
    tip_distance_m
        Of the dipole that stands for a magnetic tip from the film's surface, when it reads.
    voltage_V, pulses_s, wait_s
        Largest voltage; pulse lengths, the middle one for the train and the miscut; wait before the second reading.
    source
        Who says so; defaults are assumptions.
    """

    thickness_m: float = Field(default=1e-7, gt=0)
    local_field_factor: float = Field(default=1.0, ge=0)
    texture_deg: float = Field(default=0.0, ge=0)
    miscut_deg: float = 0.0
    barrier_spread_eV: float = Field(default=0.0, ge=0)
    hopping_per_formula: float = Field(default=0.01, gt=0, le=1)
    temperature_K: float = Field(default=300.0, gt=0)
    grain_diameter_m: float = Field(default=2e-8, gt=0, le=1e-4)
    sweep_T_per_s: float = Field(default=0.01, gt=0)
    grain_attempt_Hz: float = Field(default=1e9, gt=0)
    shape_factor: float = Field(default=1.0, ge=-1, le=1)
    in_plane_strain: float = Field(default=0.0, ge=-0.1, le=0.1)
    bias_T: float = Field(default=0.05, ge=0, le=100)
    tip_distance_m: float = Field(default=1e-7, gt=0)
    voltage_V: float = Field(default=4.0, gt=0)
    pulses_s: list[float] = Field(default=[1e-3, 1.0, 1e3], min_length=1)
    wait_s: float = Field(default=60.0, ge=0)
    source: str = "assumed"


class DeviceResult(Document):
    """Curves of an ensemble of the computed hop, and its figures of merit.

    Attributes
    ----------
    parameters
        All parameters of the curves; barrier, asymmetry, charge and distance are those of the hop.
    against_voltage
        Contrast after one pulse on a fresh film, one curve per pulse length.
    train
        Contrast after each pulse of 0, -V, 0, +V and after each wait.
    against_miscut
        Contrast after one pulse.
    retention
        Time to 1/e of what can be lost, against temperature.
    switching_times_s, switching_fields_V_per_m
        Mean time of the hop in a field along it that drives it (negative for a negative ion), from the computed
        profile; None in fields in which it has no rate law.
    switching_no_result
        Why there is none, by field; empty if there is one.
    merit
        Figures of merit.
    grains
        A grain before and after the hop; empty in older results and without maps or a moment.
    loops
        Of many such grains with the film's texture, of a film without one with axes at random; at its temperature
        and sweep.
    writing
        What a bias and a voltage write into them; None without grains.
    """

    model_config = ConfigDict(ser_json_inf_nan="constants")

    film: FilmAssumptions
    parameters: EnsembleParameters
    against_voltage: list[Curve]
    train: Curve
    against_miscut: Curve
    retention: Curve
    switching_fields_V_per_m: list[float]
    switching_times_s: list[Unbounded | None]
    switching_no_result: list[str] = Field(default_factory=list)
    merit: FiguresOfMerit
    grains: list[GrainState] = Field(default_factory=list)
    loops: list[GrainLoop] = Field(default_factory=list)
    writing: GrainWriting | None = None
    assumptions: list[str]


def film_of_hop(hop: Migration, film: FilmAssumptions, *, attempt_Hz: float | None = None) -> EnsembleParameters:
    """Ensemble of a computed hop in an assumed film; `attempt_Hz` as assumed elsewhere if it is not given."""
    return ensemble_of_hop(
        hop,
        thickness_m=film.thickness_m,
        attempt_Hz=ASSUMED_ATTEMPT_Hz if attempt_Hz is None else attempt_Hz,
        temperature_K=film.temperature_K,
    ).model_copy(
        update={k: getattr(film, k) for k in ("local_field_factor", "texture_deg", "miscut_deg", "barrier_spread_eV")}
    )


def device_result(
    hop: Migration,
    film: FilmAssumptions,
    pulse: FieldPulse,
    *,
    maps: tuple[AnisotropyMap, AnisotropyMap] | None = None,
    moment_change_muB: float | None = None,
    swing: float = 1.0,
    attempts_Hz: tuple[float, float] = (ASSUMED_ATTEMPT_Hz, ASSUMED_ATTEMPT_Hz),
    attempt_source: str = "assumed",
) -> DeviceResult:
    """All curves and figures of merit of one hop.

    Parameters
    ----------
    hop
        Computed migration.
    film, pulse
        What is assumed; the pulse's field is that of the figures of merit.
    maps
        E(n) before and after the hop.
    moment_change_muB
        Total moment after minus before, per cell, as the engine found them, at the film's temperature; None where it
        has none.
    swing
        Share of the ions that the pulse and its reverse really move, see `switching.population_swing`.
    attempts_Hz, attempt_source
        Rates of attempts forward and back at the film's temperature, and whether they were computed.
    """
    attempt_Hz = attempts_Hz[0]
    p = film_of_hop(hop, film, attempt_Hz=float(np.sqrt(attempts_Hz[0] * attempts_Hz[1])))
    middle = film.pulses_s[len(film.pulses_s) // 2]
    voltages = np.linspace(-film.voltage_V, film.voltage_V, _VOLTAGES).tolist()
    sense = driving_sense(hop)
    fields = sorted((f.field_V_per_m for f in hop.field if sense * f.field_V_per_m >= 0), key=abs)
    barriers = [hop_in_field(hop, f) for f in fields]
    none = [why_no_rate(min(b.forward_eV, b.backward_eV), film.temperature_K) for b in barriers]
    return DeviceResult(
        film=film,
        parameters=p,
        against_voltage=[contrast_against_voltage(p, voltages, t) for t in film.pulses_s],
        train=contrast_of_sequence(p, [0.0, -film.voltage_V, 0.0, film.voltage_V], middle, film.wait_s, read_both=True),
        against_miscut=contrast_against_miscut(p, _MISCUTS_deg, film.voltage_V, middle),
        retention=relaxation_against_temperature(p, _TEMPERATURES_K),
        switching_fields_V_per_m=fields,
        switching_times_s=[
            None if why else retention_s(b.forward_eV, film.temperature_K, attempt_Hz)
            for b, why in zip(barriers, none, strict=True)
        ],
        switching_no_result=none,
        merit=_merit(hop, film, pulse, maps, moment_change_muB, swing, attempts_Hz),
        assumptions=[
            f"film: {film.thickness_m * 1e9:g} nm, local field factor {film.local_field_factor:g}, texture "
            f"{film.texture_deg:g} deg, miscut {film.miscut_deg:g} deg, spread of barriers "
            f"{film.barrier_spread_eV:g} eV, {film.temperature_K:g} K ({film.source})",
            f"attempt frequencies {attempts_Hz[0]:.1e} Hz forward, {attempts_Hz[1]:.1e} Hz back ({attempt_source}); "
            "ensemble curves take their geometric mean",
            "contrast is the mean of cos(angle) (2 population - 1): of the ions' places, not of a magnetic sense",
            "ensemble curves put the saddle halfway between wells that differ as both barriers do, no "
            "interaction between ions",
        ],
    )


def grains_of_film(
    maps: tuple[AnisotropyMap, AnisotropyMap],
    normal: list[float],
    film: FilmAssumptions,
    magnetisation_A_per_m: float,
    *,
    elastic: Magnetoelastic | None = None,
    u_meV: dict[str, list[float]] | None = None,
) -> tuple[list[GrainState], str]:
    """A grain in both states, and what is assumed of it in words.

    Parameters
    ----------
    maps
        Before and after the hop.
    normal
        Of the film: the hop.
    film
        Grain, temperature, sweep, shape and strain.
    magnetisation_A_per_m
        Of the film.
    elastic
        Magnetoelastic constants of the host, if they are known.
    u_meV
        Unidirectional vectors by state, with a reference.
    """
    grain = Grain(
        volume_m3=np.pi / 6 * film.grain_diameter_m**3,
        temperature_K=film.temperature_K,
        sweep_T_per_s=film.sweep_T_per_s,
        attempt_Hz=film.grain_attempt_Hz,
        magnetisation_A_per_m=magnetisation_A_per_m,
        shape_factor=film.shape_factor,
        normal=np.asarray(normal, dtype=float),
    )
    grains = [
        grain_state(m, grain, elastic=elastic, in_plane_strain=film.in_plane_strain, u_meV=(u_meV or {}).get(m.state))
        for m in maps
    ]
    strained = (
        f"in-plane strain {film.in_plane_strain:g} ({elastic.source})" if elastic else "no magnetoelastic term known"
    )
    return grains, (
        f"grains of {film.grain_diameter_m * 1e9:g} nm that turn as one, M = {magnetisation_A_per_m / 1e3:.0f} kA/m "
        f"at {film.temperature_K:g} K, {film.grain_attempt_Hz:.0e} attempts/s, field swept at "
        f"{film.sweep_T_per_s:g} T/s along the easy axis, shape factor {film.shape_factor:g}, {strained} "
        f"({film.source})"
    )


def loops_of_film(grains: list[GrainState], film: FilmAssumptions) -> list[GrainLoop]:
    """Loops of many grains in each state, with the film's texture, else with axes at random.

    Grains without a switching field have none; axes all along the field are those of one grain.
    """
    return [
        grain_loop(
            g,
            texture_deg=film.texture_deg or None,
            sweep_T_per_s=film.sweep_T_per_s,
            attempt_Hz=film.grain_attempt_Hz,
        )
        for g in grains
        if g.switching_0K_T > 0
    ]


def perpendicular_anisotropy_meV(map_: AnisotropyMap, normal: list[float]) -> float:
    """Mean of E(n) over the plane minus E along its normal, of the fitted even part; positive: the normal is easier."""
    from ..magnetism.directions import plane_scan

    fit, axis = map_.fit(), np.asarray(normal) / np.linalg.norm(normal)
    return float(fit(plane_scan(axis, _PLANE_ANGLES)).mean() - fit(axis[None])[0])


def _merit(
    hop: Migration,
    film: FilmAssumptions,
    pulse: FieldPulse,
    maps: tuple[AnisotropyMap, AnisotropyMap] | None,
    moment_change_muB: float | None,
    swing: float,
    attempts_Hz: tuple[float, float],
) -> FiguresOfMerit:
    field = abs(pulse.field_V_per_m)
    change = None
    if maps is not None:
        first, second = (perpendicular_anisotropy_meV(m, hop.displacement_A) for m in maps)
        change = swing * (second - first)
    per_hop = None if maps is None else maps[0].cell_volume_A3 / maps[0].formula_units / film.hopping_per_formula
    merit = figures_of_merit(
        barrier_eV=hop.forward_eV,
        back_barrier_eV=hop.backward_eV,
        field_V_per_m=field,
        temperature_K=film.temperature_K,
        charge_e=abs(hop.images[-1].dipole_along_hop_e_A) / hop.distance_A,
        distance_A=hop.distance_A,
        attempt_Hz=attempts_Hz[0],
        back_attempt_Hz=attempts_Hz[1],
        # No minus before a zero.
        moment_change_muB=None if moment_change_muB is None else swing * moment_change_muB + 0.0,
        anisotropy_change_meV=change,
        volume_per_hop_A3=per_hop,
        thickness_A=film.thickness_m * 1e10,
    )
    notes = [
        *merit.assumptions,
        f"changes between -F and +F: {film.hopping_per_formula:g} hopping vacancies per formula unit ({film.source}), "
        f"of which the pulse and its reverse move {swing:.3g}",
        "anisotropy: mean over the plane across the hop minus along it; per area: times the film's thickness of "
        f"{film.thickness_m * 1e9:g} nm",
        "no converse magnetoelectric coefficient: the engine finds no moments of the states before and after the hop, "
        "and those that they were built with are the same"
        if moment_change_muB is None
        else f"the hop changes the moment of the cell by {moment_change_muB:+.3g} muB at {film.temperature_K:g} K",
    ]
    return merit.model_copy(update={"assumptions": notes})
