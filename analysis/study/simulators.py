"""What a study hands to programs of spin dynamics: its host as spins, its states as micromagnetic materials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..magnetism.exchange import bonds_from_table
from ..magnetism.film_files import CONTINUUM, FilmMesh
from ..magnetism.grain import magnetisation_A_per_m
from ..magnetism.known_couplings import known_couplings
from ..magnetism.material_constants import MaterialConstants, film_axes, material_constants, mixed, rows_of
from ..magnetism.ordering import OrderingTemperature
from ..magnetism.spin_files import ATOMISTIC
from ..magnetism.spin_model import SpinModel, exchange_stiffness_J_per_m, ion_anisotropies, spin_model
from ..magnetism.thermal_anisotropy import ThermalAnisotropy
from .documents import Study
from .table_text import csv_text

PROGRAMS = (*CONTINUUM, *ATOMISTIC)
# Below the width of a wall of a hard ferrite, pi sqrt(A/K) = 9 nm with 9 pJ/m and 1 MJ/m3.
CELL_m = 2e-9
_ACROSS = 32
_NO_FILM_m = 2e-8
_PAIRS = {
    "vampire": "J in joule of the whole bond, listed from either end",
    "spirit": "J in meV, each pair once",
    "uppasd": "J in mRy, half of the bond from either end; the anisotropy is not written",
}


@dataclass(frozen=True)
class SimulatorInput:
    """Files by name, and what they rest on, a line each."""

    files: dict[str, str]
    notes: list[str]


def simulator_input(
    study: Study, program: str, *, temperature_K: float, ordering_K: float | None, shares: Sequence[float] | None = None
) -> SimulatorInput:
    """Input of a program of micromagnetics or spin dynamics.

    Parameters
    ----------
    study
        With E(n); couplings are those of its stage exchange, or shipped ones of its host.
    program
        One of `PROGRAMS`.
    temperature_K
        Of the simulation.
    ordering_K
        T_C where M ends; that of the stage temperature if the study has it.
    shares
        Share of the state after the hop from the bottom of the film to its top, at even distances; what the assumed
        pulses leave by default.

    Raises
    ------
    ValueError
        If the program is unknown, or the study lacks what it needs.
    """
    if program not in PROGRAMS:
        raise ValueError(f"no program {program!r}; choose one of {', '.join(PROGRAMS)}")
    model = study_spins(study)
    if program in ATOMISTIC:
        return SimulatorInput(ATOMISTIC[program](model, temperature_K), _spin_notes(study, model, program))
    return _film(study, model, program, temperature_K, ordering_K, shares)


def couplings_over(model: SpinModel, program: str, temperature_K: float) -> SimulatorInput:
    """Input of a program of atomistic spins from couplings without a study.

    Raises
    ------
    ValueError
        If the program is none of atomistic spins.
    """
    if program not in ATOMISTIC:
        raise ValueError(f"couplings alone are no film; choose one of {', '.join(ATOMISTIC)}")
    return SimulatorInput(
        ATOMISTIC[program](model, temperature_K), [f"{_PAIRS[program]}; {model.source}", "no anisotropy"]
    )


def study_spins(study: Study) -> SpinModel:
    """The host's cell of spins with couplings, and with the anisotropy of its ions where the engine has it.

    Raises
    ------
    ValueError
        If no couplings are known.
    """
    table, source = _couplings(study)
    cell = study.host.structure
    bonds = bonds_from_table(cell, table, source=source)
    maps = study.anisotropy.maps if study.anisotropy is not None else []
    own = next((m for m in maps if m.state == "pristine" and _same_cell(study, m.cell_volume_A3)), None)
    return spin_model(cell, bonds, None if own is None else ion_anisotropies(own, bonds.sites))


def _same_cell(study: Study, volume_A3: float) -> bool:
    return bool(np.isclose(volume_A3, study.host.structure.volume, rtol=1e-3))


def _couplings(study: Study) -> tuple[Mapping[tuple[str, str], float], str]:
    ordering_temperature = next((o for o in study.observables.values() if isinstance(o, OrderingTemperature)), None)
    if ordering_temperature is not None:
        given = {p.pair: p.J_meV for p in ordering_temperature.pairs}
        source = "couplings of the study's stage exchange"
    else:
        known = known_couplings(study.host.key)
        if known is None:
            raise ValueError(
                f"no couplings are known of {study.host.key}; state them with the stage exchange "
                "(run ... --stages exchange --exchange-meV ...)"
            )
        given, source = known.J_meV, known.source
    pairs = {(a.strip(), b.strip()): value for name, value in given.items() for a, _, b in [name.partition("-")]}
    return pairs, source


def study_materials(
    study: Study, temperature_K: float, ordering_K: float | None, exchange_J_per_m: float
) -> dict[str, MaterialConstants]:
    """Constants of every mapped state at a temperature, by state, in the crystal's axes.

    Raises
    ------
    ValueError
        If there are no maps, no moment, or no T_C.
    """
    if study.anisotropy is None:
        raise ValueError(f"the study has no E(n) ({study.not_done('anisotropy')}); run its stage anisotropy")
    moment = abs(study.host.moment_per_formula_muB)
    if not moment:
        raise ValueError("the host has no net moment: a micromagnetic M needs a ferro- or ferrimagnet")
    thermal = next((o for o in study.observables.values() if isinstance(o, ThermalAnisotropy)), None)
    end = ordering_K or (thermal.ordering_K if thermal is not None else None)
    if end is None:
        raise ValueError(f"no T_C is known of {study.host.key}; give it with --ordering-K")
    return {
        m.state: material_constants(
            m,
            magnetisation_A_per_m=magnetisation_A_per_m(moment, study.host.volume_per_formula_A3),
            exchange_J_per_m=exchange_J_per_m,
            temperature_K=temperature_K,
            ordering_K=end,
            cubic=study.anisotropy.cubic is not None,
            thermal=thermal if m.state == "pristine" else None,
        )
        for m in study.anisotropy.maps
    }


def _film(
    study: Study,
    model: SpinModel,
    program: str,
    temperature_K: float,
    ordering_K: float | None,
    shares: Sequence[float] | None,
) -> SimulatorInput:
    stiffness = float(np.trace(exchange_stiffness_J_per_m(model))) / 3
    cold = study_materials(study, 0.0, ordering_K, stiffness)
    warm = study_materials(study, temperature_K, ordering_K, stiffness)
    normal = study.migration[0].displacement_A if study.migration else [0.0, 0.0, 1.0]
    axes = film_axes(normal)
    thickness = study.device.film.thickness_m if study.device is not None else _NO_FILM_m
    count = max(1, round(thickness / CELL_m))
    if {"before", "after"} <= set(warm):
        given = list(shares) if shares is not None else [_left_by_pulses(study)]
        places = np.linspace(0.0, 1.0, len(given)) if len(given) > 1 else np.array([0.5])
        at = np.interp((np.arange(count) + 0.5) / count, places, given)
        layers = [mixed(warm["before"], warm["after"], float(x)).turned(axes) for x in at]
        what = f"share of the state after the hop from {min(at):.3g} to {max(at):.3g}"
    else:
        layers = [warm["pristine"].turned(axes)] * count
        what = "the host alone, as the study has no states of a hop"
    files = CONTINUUM[program](layers, FilmMesh(_ACROSS, (CELL_m, CELL_m, thickness / count)))
    import pandas as pd

    rows = rows_of([*cold.values(), *(warm.values() if temperature_K else [])])
    files["constants_in_crystal_axes.csv"] = csv_text(pd.DataFrame(rows).set_index("state"))
    said = " ".join(f"{x:+.3f}" for x in axes[2])
    return SimulatorInput(
        files,
        [
            f"film of {thickness * 1e9:g} nm in {count} layers at {temperature_K:g} K: {what}; its normal (z) is the "
            f"hop, [{said}] in the crystal",
            f"A = {stiffness * 1e12:.3g} pJ/m at 0 K, of a long spiral; {model.source}",
            f"constants with temperature: {layers[0].source}; M by a Brillouin function",
            "constants are those of the computed cells, one cation order each: a crystal with all variants of the "
            "order has none of the host's n.T.n, only K1 and K2",
            f"left out of E(n): {max(x.left_out_J_per_m3 for x in layers) * 1e-6:.2g} MJ/m3 (root mean square, 0 K)",
            "no thermal field: constants are those at the temperature, the dynamics run at 0 K",
            *(["OOMMF's cubic term has K1 alone: K2 is left out"] if program in ("ubermag", "oommf") else []),
            *_moments_note(study),
        ],
    )


def _left_by_pulses(study: Study) -> float:
    return study.switching.steps[-1].population_after if study.switching is not None else 0.0


def _spin_notes(study: Study, model: SpinModel, program: str) -> list[str]:
    left = [a.left_out_meV for a in model.anisotropies or []]
    notes = [f"{len(model.places)} spins of {study.host.formula}, {_PAIRS[program]}; {model.source}"]
    if program != "uppasd":
        notes.append(
            f"one uniaxial axis and a cubic term per ion at 0 K; they leave up to {max(left):.2g} meV of an ion's E(n)"
            if left
            else "no anisotropy: the engine's energy is no sum over ions"
        )
    return [*notes, "classical spins of fixed length", *_moments_note(study)]


def _moments_note(study: Study) -> list[str]:
    with_electrons = study.engine.level_of_theory not in ("local", "ML")
    return [] if with_electrons else [f"moments are those that were put in: engine {study.engine.name} finds none"]
