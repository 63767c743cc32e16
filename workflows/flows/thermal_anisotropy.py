"""Stage of the anisotropy against temperature, for engines that know the levels of their ions."""

from __future__ import annotations

import math
from collections.abc import Sequence

from jobflow import Flow, job

from ...analysis.audit.known_values import measured_ordering, measured_values
from ...analysis.magnetism.anisotropy import AnisotropyMap
from ...analysis.magnetism.directions import lebedev_directions
from ...analysis.magnetism.thermal_anisotropy import FERRIC_SPIN, ThermalAnisotropy, brillouin_order, thermal_anisotropy
from ..jobs.outputs import output_of
from ..stage import Question, Stage, StageOption, StudyInMaking
from ..thermal import KnowsTemperature
from .building import accept_structure

# Shares of T_C at which it is computed unless temperatures are given.
_SHARES = (0.1, 0.2, 0.3, 0.378, 0.5, 0.65, 0.8, 0.95)
# A map of this order holds <100>, <110> and <111>, from which the cubic constants are exact.
_ORDER = 7


def temperatures_from(said: str | float | Sequence[float]) -> tuple[float, ...]:
    """Temperatures in K, of a list or of a text with commas.

    Raises
    ------
    ValueError
        If one is no number from 0 to 5000 K.
    """
    if isinstance(said, int | float):
        said = [said]
    words = said.split(",") if isinstance(said, str) else list(said)
    temperatures = tuple(float(word) for word in words)
    if wrong := [t for t in temperatures if not (math.isfinite(t) and 0 <= t <= 5000)]:
        raise ValueError(f"temperatures {wrong} K must be from 0 to 5000")
    return temperatures


def ordering_from(said: str | float) -> float:
    """T_C in K.

    Raises
    ------
    ValueError
        If it is no number above 0 and up to 5000 K.
    """
    ordering = float(said)
    if not 0 < ordering <= 5000:
        raise ValueError(f"T_C = {ordering} K must be above 0 and at most 5000")
    return ordering


class ThermalAnisotropyStage(Stage):
    """K1, K2 and the easy axis of a cubic host against temperature."""

    name = "temperature"
    place = 72.0
    needs = ("spin_orbit",)
    document = ThermalAnisotropy
    kinds = ("spin-orbit",)
    options = (
        StageOption(
            "temperature_K",
            "Temperatures of the stage temperature, e.g. 77,300 [default: eight from 0.1 to 0.95 of T_C].",
            temperatures_from,
        ),
        StageOption(
            "ordering_K", "T_C that M(T) ends at, for the stage temperature [default: the measured one].", ordering_from
        ),
    )

    def engine_reason(self, question: Question) -> str:
        """Only an engine with levels has a free energy."""
        reason = super().engine_reason(question)
        if reason or isinstance(question.engine, KnowsTemperature):
            return reason
        return f"engine {question.engine.name} has E(n) of its ground state alone, at 0 K"

    def host_reason(self, question: Question) -> str:
        """K1 and K2 are those of a cubic crystal."""
        return "" if question.host.cubic_parent else f"host {question.host.key} has no cubic parent, so no K1"

    def build(self, study: StudyInMaking) -> Flow:
        """One map per temperature, the first at 0 K.

        Raises
        ------
        ValueError
            If no T_C is known of the host and none is given.
        """
        engine, host = study.engine, study.host
        assert isinstance(engine, KnowsTemperature)
        given, source = study.option("ordering_K"), "given"
        if given is None:
            given, source = measured_ordering(host.key)
        if given is None:
            raise ValueError(f"no T_C is known of {host.key}; give it with --ordering-K, for M(T) ends there")
        chosen = study.option("temperature_K") or [share * given for share in _SHARES]
        temperatures = [0.0, *sorted(t for t in set(chosen) if t > 0)]
        order = [brillouin_order(t, given, FERRIC_SPIN) for t in temperatures]
        accepted = accept_structure(study.bulk)
        directions = [[float(x) for x in row] for row in lebedev_directions(_ORDER).vectors]
        jobs = [
            engine.at_temperature(t, m).spin_orbit(
                output_of(accepted), directions=directions, state=f"{t:g} K", name=f"E(n) at {t:g} K"
            )
            for t, m in zip(temperatures, order, strict=True)
        ]
        beside = [f"{m.quantity}: {m.in_words}" for m in measured_values(host.key) if m.quantity in ("K1", "T_C")]
        last = collect_temperatures([output_of(m) for m in jobs], temperatures, order, given, source, beside)
        return Flow([accepted, *jobs, last], output=last.output, name=self.name)


@job(name="anisotropy against temperature")
def collect_temperatures(
    maps: list[AnisotropyMap],
    temperatures_K: list[float],
    order: list[float],
    ordering_K: float,
    source: str,
    measured: list[str],
) -> ThermalAnisotropy:
    """Constants of all maps; outputs a `ThermalAnisotropy`."""
    return thermal_anisotropy(
        maps, temperatures_K, order, ordering_K=ordering_K, spin=FERRIC_SPIN, order_source=source, measured=measured
    )


STAGE = ThermalAnisotropyStage()
