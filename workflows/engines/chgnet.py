"""CHGNet (Deng et al., 10.1038/s42256-023-00716-3): an ML potential with magnitudes of site moments."""

from __future__ import annotations

from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, Any, ClassVar

from ..ml_engine import MLEngine, require_wheel

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

require_wheel("chgnet")


@dataclass
class ChgnetEngine(MLEngine):
    """CHGNet with the weights of its wheel.

    Attributes
    ----------
    weights
        Name of a weight set in the wheel.
    """

    name: ClassVar[str] = "chgnet"
    summary: ClassVar[str] = (
        "CHGNet: good thermochemistry and moments without sign, barriers too low; minutes on a laptop"
    )
    package: ClassVar[str] = "chgnet"
    functional: ClassVar[str] = "CHGNet on PBE and PBE+U of the Materials Project, MP2020 corrections in the energies"
    known_limits: ClassVar[tuple[str, ...]] = (
        "magnitudes of the site moments only: it cannot tell up from down, so no magnetic order is compared",
        "a softened potential surface: barriers come out low",
    )

    weights: str = "0.3.0"

    def bare_calculator(self) -> Calculator:
        """The ASE calculator of the package, on the CPU."""
        from chgnet.model.dynamics import CHGNetCalculator

        # The package announces its device on stdout at every calculator.
        with redirect_stdout(StringIO()):
            return CHGNetCalculator(_model(self.weights), use_device="cpu", on_isolated_atoms="error")


@cache
def _model(weights: str) -> Any:
    from chgnet.model.model import CHGNet

    return CHGNet.load(model_name=weights, use_device="cpu", check_cuda_mem=False, verbose=False)


ENGINE = ChgnetEngine
