"""DIEP (Tawfik et al., 10.1039/D4DD00246F): an ML potential trained on r2SCAN energies of MatPES."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..ase.ml_engine import MLEngine, require_wheel
from ..ase.weights import MATPES, Training

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

require_wheel("diep")


@dataclass
class DiepEngine(MLEngine):
    """DIEP with the weights of its wheel.

    Attributes
    ----------
    weights
        ``diep_fold1``.
    """

    name: ClassVar[str] = "diep"
    citations: ClassVar[tuple[str, ...]] = ("diep",)
    summary: ClassVar[str] = "DIEP on r2SCAN without U: another functional than the other two; minutes on a laptop"
    package: ClassVar[str] = "diep"
    weights_glob: ClassVar[str] = "pretrained_models/{weights}/*.pt"
    trainings: ClassVar[Mapping[str, Training]] = {
        "diep_fold1": Training("r2SCAN, no U, energies without corrections", source=MATPES)
    }
    known_limits: ClassVar[tuple[str, ...]] = (
        "no site moments at all",
        "its energy jumps by about 0.1 meV where a neighbour crosses its cutoff: a symmetric cell may not relax below "
        "some 0.05 eV/A, and its check then fails",
    )

    weights: str = "diep_fold1"

    def bare_calculator(self) -> Calculator:
        """The ASE calculator of the package, on the CPU."""
        from diep.pretrained import DIEPCalculator

        calculator: Calculator = DIEPCalculator(potential=_potential(self.weights), stress_unit="eV/A3")
        return calculator


@cache
def _potential(weights: str) -> Any:
    from diep.pretrained import DEFAULT_MODEL_DIR, load_potential

    return load_potential(Path(DEFAULT_MODEL_DIR).parent / weights)


ENGINE = DiepEngine
