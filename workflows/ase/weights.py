"""What the weights of a machine-learned potential were trained on: functional, U, corrections, moments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...structures.elements import MATERIALS_PROJECT_U_eV


@dataclass(frozen=True)
class Training:
    """What one set of weights was trained on.

    Attributes
    ----------
    functional
        As the provenance of a result names it; None if it is not known.
    hubbard_U_eV
        U by element, of all that the training data have it for.
    correction_scheme
        What the energies of the training data were corrected by; ``none`` if by nothing.
    source
        Where that is said.
    limits
        What is known to be wrong with these weights.
    """

    functional: str | None
    hubbard_U_eV: Mapping[str, float] = field(default_factory=dict)
    correction_scheme: str = "none"
    source: str = ""
    limits: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether the energies may stand beside others at all."""
        return self.functional is not None


UNKNOWN = Training(functional=None)
MIXED = "trained on uncorrected energies: metals (PBE) and oxides (PBE+U) must not be mixed, so only oxides are used"
MPTRJ = "MPtrj (10.1038/s42256-023-00716-3)"
MP_R2SCAN = "MP-r2SCAN (10.1103/PhysRevMaterials.6.013801)"
MATPES = "MatPES r2SCAN (arXiv:2503.04070)"

CORRECTED_PBE_U = Training(
    "PBE and PBE+U of the Materials Project, MP2020 corrections in the energies",
    MATERIALS_PROJECT_U_eV,
    "MP2020",
    MPTRJ,
)
PLAIN_PBE_U = Training(
    "PBE and PBE+U of the Materials Project, energies without corrections",
    MATERIALS_PROJECT_U_eV,
    source=MPTRJ,
    limits=(MIXED,),
)
"""Raw energies of the same data."""
