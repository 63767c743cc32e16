"""What the machine-learned potentials share: ions in fields by charges, references from oxides, no spin-orbit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import ClassVar

from ...analysis.results.document import Provenance
from ...structures.elements import pbe_hubbard_U_eV
from ..engine import Capability
from .ion_engine import IonEngine
from .jobs import plain, versions

_LEFT_OUT = (
    "spin states are not followed: the site moments are those the structure came with",
    "no charge states: every cell is neutral, and where its holes sit is not computed",
)


@dataclass
class MLEngine(IonEngine):
    """A machine-learned interatomic potential whose weights come with its package.

    Attributes
    ----------
    threads
        Threads of the tensor library.
    """

    tier: ClassVar[str] = "ML"
    blas_threads: ClassVar[int | None] = 1
    no_charged_cells: ClassVar[str] = "a potential of the ions has no electrons, so no band edges and no Fermi level"
    package: ClassVar[str]
    functional: ClassVar[str]
    training_U_eV: ClassVar[Mapping[str, float]] = pbe_hubbard_U_eV("Co", "Fe", "Ni")
    known_limits: ClassVar[tuple[str, ...]]

    threads: int = 1

    def cannot(self) -> dict[Capability, str]:
        """No electrons, so no spin-orbit coupling."""
        return {"spin_orbit": f"{self.package} is a potential of the ions: it has no electrons to couple spin to orbit"}

    def quiet(self) -> AbstractContextManager[object]:
        """Context with `threads` threads for the tensor library and one for BLAS."""
        return self._few_threads()

    @contextmanager
    def _few_threads(self) -> Iterator[None]:
        from importlib.util import find_spec

        if find_spec("torch") is None:
            with super().quiet():
                yield
            return
        import torch

        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            with super().quiet():
                yield
        finally:
            torch.set_num_threads(before)

    def provenance(self, left_out: Sequence[str] = ()) -> Provenance:
        """Provenance with the weights' name, the functional of the training data and the versions."""
        return Provenance(
            engine=self.name,
            tier="ML",
            functional=self.functional,
            hubbard_U_eV=dict(self.training_U_eV),
            settings={k: plain(v) for k, v in self.settings().items()},
            versions=versions("magnetoionics", "ase", "torch", self.package),
            left_out=[*_LEFT_OUT, *self.known_limits, *left_out],
        )


def require_wheel(package: str) -> None:
    """Fail with ImportError if a package is missing, without the seconds of importing it."""
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise ImportError(f"{package} is not installed", name=package)
