"""SevenNet (Park et al., 10.1021/acs.jctc.4c00190): an equivariant ML potential, good for barriers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from ..ase.ml_engine import MLEngine, require_wheel
from ..ase.weights import MP_R2SCAN, PLAIN_PBE_U, Training

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

require_wheel("sevenn")

# Nets of several fidelities: checkpoint and the fidelity that is asked of it.
_TASKS = {"7net-mf-0-pbe": ("7net-mf-0", "PBE"), "7net-mf-0-r2scan": ("7net-mf-0", "R2SCAN")}


@dataclass
class SevenNetEngine(MLEngine):
    """SevenNet with the weights of its wheel.

    Attributes
    ----------
    weights
        ``7net-0``, ``7net-0_22may2024``, ``7net-l3i5``, the two tasks of one net ``7net-mf-0-pbe`` and
        ``7net-mf-0-r2scan``, or a file.
    """

    name: ClassVar[str] = "sevennet"
    citations: ClassVar[tuple[str, ...]] = ("sevennet",)
    summary: ClassVar[str] = "SevenNet 7net-0: good barriers, energies of oxides among themselves; minutes on a laptop"
    package: ClassVar[str] = "sevenn"
    weights_glob: ClassVar[str] = "pretrained_potentials/*/*.pth"
    trainings: ClassVar[Mapping[str, Training]] = {
        "7net-0": PLAIN_PBE_U,
        "7net-0_22may2024": PLAIN_PBE_U,
        "7net-l3i5": PLAIN_PBE_U,
        "7net-mf-0-pbe": PLAIN_PBE_U,
        "7net-mf-0-r2scan": Training(
            "r2SCAN of the Materials Project, no U, energies without corrections", source=MP_R2SCAN
        ),
    }
    known_limits: ClassVar[tuple[str, ...]] = ("no site moments at all",)

    weights: str = "7net-0"

    def bare_calculator(self) -> Calculator:
        """The ASE calculator of the package, on the CPU."""
        from sevenn.calculator import SevenNetCalculator

        net, modal = _TASKS.get(self.weights, (self.weights, None))
        calculator: Calculator = SevenNetCalculator(
            _model(net, modal), file_type="model_instance", device="cpu", modal=modal
        )
        return calculator


@cache
def _model(weights: str, modal: str | None) -> Any:
    from sevenn.calculator import SevenNetCalculator

    return SevenNetCalculator(weights, device="cpu", modal=modal).model


ENGINE = SevenNetEngine
