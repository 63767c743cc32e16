"""Stage of a film in which the vacancy of the study's hop is written, kept, erased and kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jobflow import Job, job
from pydantic import ValidationError
from pymatgen.core import Structure

from ...analysis.device.film_model import FilmModel
from ...analysis.device.film_of_study import film_model_of_hop
from ...analysis.device.film_run import FilmRun, run_film, write_read_erase
from ...analysis.kinetics.attempt_frequency import AttemptFrequency
from ...analysis.kinetics.migration import Migration
from ...analysis.results.document import first_wrong
from ...structures.io.untrusted_input import plain_yaml, read_yaml
from ..stage import Stage, StageOption, StudyInMaking
from .building import tolerant

# What a hop supplies, so that entries can be checked before there is one.
_OF_A_HOP = {"barrier_eV": 1.0, "charge_e": -1.0, "plane_spacing_A": 3.0}


def film_entries(said: str | Mapping[str, Any]) -> dict[str, Any]:
    """What is assumed of the film: entries of `FilmModel`, YAML on one line or a file of it.

    Raises
    ------
    ValueError
        If it cannot be read, an entry does not exist, or a value is out of range.
    """
    import yaml

    entries: Any = said
    if isinstance(said, str):
        text = said.strip()
        try:
            if text.endswith((".yaml", ".yml")):
                entries = read_yaml(Path(text))
            else:
                entries = plain_yaml(text if text.startswith("{") else "{" + text + "}", "film model")
        except (OSError, yaml.YAMLError) as error:
            raise ValueError(f"it cannot be read ({error}); write e.g. 'thickness_nm: 20, permittivity: 10'") from error
    if not isinstance(entries, Mapping):
        raise ValueError("no list of entries; write e.g. 'thickness_nm: 20, permittivity: 10'")
    if unknown := sorted(str(k) for k in entries if k not in FilmModel.model_fields):
        raise ValueError(f"a film has no {', '.join(unknown)}; it has {', '.join(FilmModel.model_fields)}")
    try:
        checked = FilmModel.model_validate(_OF_A_HOP | dict(entries))
    except ValidationError as error:
        raise ValueError(first_wrong(error)) from error
    return checked.model_dump(include=set(entries))


def _number(name: str, *, positive: bool) -> Callable[[Any], float]:
    def read(said: Any) -> float:
        value = float(said)
        if not math.isfinite(value) or (positive and not value > 0):
            raise ValueError(f"{name} must be a {'positive ' if positive else ''}finite number")
        return value

    return read


@job(name="film")
def film_job(
    hop: Migration, cell: Structure, vibrations: AttemptFrequency | None, entries: dict[str, Any], steps: list[float]
) -> FilmRun:
    """Film of the hop through write, wait, erase and wait; steps are voltage (V), pulse and wait (s).

    Raises
    ------
    ValueError
        If the hop is no result or makes no film; see `film_model_of_hop`.
    """
    model = film_model_of_hop(hop, cell, vibrations, **entries)
    voltage, pulse, wait = steps
    return run_film(model, write_read_erase(voltage, pulse, wait))


class FilmStage(Stage):
    """Ions, contrast and current of a film of the hop; no calculation of its own, and nothing but the hop computed."""

    name = "film"
    not_for_films = "its stack is that of the host, not planes of one hop"
    place = 87.0
    after = ("migration",)
    document = FilmRun
    options = (
        StageOption(
            "film_model",
            "Film of the stage film, e.g. 'thickness_nm: 20, permittivity: 10, left: {kind: reservoir}' or a .yaml file"
            " [default: 20 nm, permittivity 10, blocking electrodes].",
            film_entries,
        ),
        StageOption("film_voltage_V", "Of its pulses, V [default: 1].", _number("film_voltage_V", positive=False), 1.0),
        StageOption("film_pulse_s", "Length of a pulse, s [default: 1].", _number("film_pulse_s", positive=True), 1.0),
        StageOption(
            "film_wait_s", "Time at 0 V after each pulse, s [default: 60].", _number("film_wait_s", positive=True), 60.0
        ),
    )

    def build(self, study: StudyInMaking) -> Job:
        """One small job behind the band's and that of the vibrations."""
        read = study.outputs["migration"]["read"]
        steps = [study.option(name) for name in ("film_voltage_V", "film_pulse_s", "film_wait_s")]
        vibrations = study.outputs.get("vibrations")
        entries = study.option("film_model") or {}
        return tolerant(film_job(read["migration"], study.bulk.structure, vibrations, entries, steps))


STAGE = FilmStage()
