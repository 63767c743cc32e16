"""SevenNet (Park et al., 10.1021/acs.jctc.4c00190): an equivariant ML potential, good for barriers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from ..ase.ml_engine import MLEngine, require_wheel

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

require_wheel("sevenn")


@dataclass
class SevenNetEngine(MLEngine):
    """SevenNet with the weights of its wheel.

    Attributes
    ----------
    weights
        Name of a weight set in the wheel.
    """

    name: ClassVar[str] = "sevennet"
    summary: ClassVar[str] = "SevenNet 7net-0: good barriers, energies of oxides among themselves; minutes on a laptop"
    package: ClassVar[str] = "sevenn"
    weights_glob: ClassVar[str] = "pretrained_potentials/*/*.pth"
    functional: ClassVar[str] = "7net-0 on PBE and PBE+U of the Materials Project, energies without corrections"
    known_limits: ClassVar[tuple[str, ...]] = (
        "trained on uncorrected energies: metals (PBE) and oxides (PBE+U) must not be mixed, so only oxides are used",
        "no site moments at all",
    )

    weights: str = "7net-0"

    def bare_calculator(self) -> Calculator:
        """The ASE calculator of the package, on the CPU."""
        from sevenn.calculator import SevenNetCalculator

        calculator: Calculator = SevenNetCalculator(_model(self.weights), file_type="model_instance", device="cpu")
        return calculator


@cache
def _model(weights: str) -> Any:
    from sevenn.calculator import SevenNetCalculator

    return SevenNetCalculator(weights, device="cpu").model


ENGINE = SevenNetEngine
