"""What an engine is whose E(n) is known at a temperature."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from .engine import Engine


@runtime_checkable
class KnowsTemperature(Protocol):
    """Engine with levels of its ions, so that E(n) is a free energy."""

    def at_temperature(self, temperature_K: float, order: float) -> Engine:
        """The engine at a temperature, its exchange fields times M(T)/M(0)."""
        ...
