"""CHGNet (Deng et al., 10.1038/s42256-023-00716-3): an ML potential with magnitudes of site moments."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..ase.jobs import Observed
from ..ase.ml_engine import MLEngine, require_wheel
from ..ase.weights import CORRECTED_PBE_U, MP_R2SCAN, Training
from ..evaluation.guards import moments_kept

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator

require_wheel("chgnet")

# Co3+ of Co3O4, which has no moment, gets 0.56 muB from weights 0.3.0.
_CLOSED_muB = 0.6
_COLLAPSE = "high-spin Co2+ collapses to about 0.1 muB in CoFe2O4: such cells are refused, whatever their energy says"


@dataclass
class ChgnetEngine(MLEngine):
    """CHGNet with the weights of its wheel.

    Attributes
    ----------
    weights
        ``0.3.0``, ``0.2.0`` or ``r2scan``, or a file.
    """

    name: ClassVar[str] = "chgnet"
    citations: ClassVar[tuple[str, ...]] = ("chgnet",)
    summary: ClassVar[str] = (
        "CHGNet: good thermochemistry and moments without sign, barriers too low; minutes on a laptop"
    )
    package: ClassVar[str] = "chgnet"
    weights_glob: ClassVar[str] = "pretrained/{weights}/*.tar"
    trainings: ClassVar[Mapping[str, Training]] = {
        "0.3.0": CORRECTED_PBE_U,
        "0.2.0": CORRECTED_PBE_U,
        "r2scan": Training(
            "r2SCAN of the Materials Project, no U, energies without corrections", source=MP_R2SCAN, limits=(_COLLAPSE,)
        ),
    }
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
        """Sizes of the moments; a site that lost more than half of its own, and took up no hole, spoils the result."""
        sizes = [abs(float(m)) for m in _moments(atoms.calc)]
        # Numbers, or vectors of a canted order.
        start = [float(np.linalg.norm(m)) for m in atoms.arrays["magmom"]]
        valence = atoms.arrays.get("valence")
        holes = 0.0 if valence is None else max(0.0, -float(np.sum(valence)))
        moment_check = moments_kept(
            start, sizes, elements=atoms.get_chemical_symbols(), holes=holes, closed_muB=_CLOSED_muB
        )
        check = moment_check.model_copy(update={"name": "sizes of the moments kept"})
        return Observed(site_moments_muB=sizes, checks=(check,))


def _moments(calculator: Any) -> Any:
    """Moments of the last calculation, below the wrapper of a field if there is one."""
    return getattr(calculator, "calculator", calculator).results["magmoms"]


@cache
def _model(weights: str) -> Any:
    from chgnet.model.model import CHGNet

    if Path(weights).is_file():
        return CHGNet.from_file(weights)
    return CHGNet.load(model_name=weights, use_device="cpu", check_cuda_mem=False, verbose=False)


ENGINE = ChgnetEngine
