"""CHGNet (Deng et al., 10.1038/s42256-023-00716-3): an ML potential with magnitudes of site moments."""

from __future__ import annotations

from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, Any, ClassVar

from ..ase.jobs import Observed
from ..ase.ml_engine import MLEngine, require_wheel
from ..guards import moments_kept

if TYPE_CHECKING:
    from ase import Atoms
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
    weights_glob: ClassVar[str] = "pretrained/{weights}/*.tar"
    functional: ClassVar[str] = "CHGNet on PBE and PBE+U of the Materials Project, MP2020 corrections in the energies"
    known_limits: ClassVar[tuple[str, ...]] = (
        "magnitudes of the site moments only: it cannot tell up from down, so no magnetic order is compared",
        "oxygen in ferrites gets moments of about 0.3 muB, where PBE+U has less than 0.1",
        "a softened potential surface: barriers come out low",
    )

    weights: str = "0.3.0"

    def bare_calculator(self) -> Calculator:
        """The ASE calculator of the package, on the CPU."""
        from chgnet.model.dynamics import CHGNetCalculator

        # The package announces its device on stdout at every calculator.
        with redirect_stdout(StringIO()):
            calculator: Calculator = CHGNetCalculator(_model(self.weights), use_device="cpu", on_isolated_atoms="error")
        return calculator

    def observe(self, atoms: Atoms) -> Observed:
        """Sizes of the moments, and whether each is at least half of what the site carries."""
        sizes = [abs(float(m)) for m in _moments(atoms.calc)]
        kept = moments_kept([abs(float(m)) for m in atoms.arrays["magmom"]], sizes)
        # A hole may well have settled on the site: worth knowing, but not what the energy rests on here.
        note = f"{kept.note}, or a hole has settled there" if kept.note else ""
        check = kept.model_copy(
            update={"name": "sizes of the moments kept", "invalidates": False, "must_be": "above", "note": note}
        )
        return Observed(site_moments_muB=sizes, checks=(check,))


def _moments(calculator: Any) -> Any:
    """Moments of the last calculation, below the wrapper of a field if there is one."""
    return getattr(calculator, "calculator", calculator).results["magmoms"]


@cache
def _model(weights: str) -> Any:
    from chgnet.model.model import CHGNet

    return CHGNet.load(model_name=weights, use_device="cpu", check_cuda_mem=False, verbose=False)


ENGINE = ChgnetEngine
