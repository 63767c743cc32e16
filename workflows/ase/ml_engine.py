"""What the machine-learned potentials share: ions in fields by charges, references from oxides, no spin-orbit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ...analysis.results.document import Provenance
from ...stored.caching import file_digest, installed_versions
from ...structures.elements import pbe_hubbard_U_eV
from ..engine import Capability
from ..kinds import Kind
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

    level_of_theory: ClassVar[str] = "ML"
    kind_of_jobs: ClassVar[Kind | None] = "ml"
    blas_threads: ClassVar[int | None] = 1
    no_charged_cells: ClassVar[str] = "a potential of the ions has no electrons, so no band edges and no Fermi level"
    run_only: ClassVar[frozenset[str]] = frozenset({"threads"})
    package: ClassVar[str]
    # Files in the package that hold the weights; {weights} stands for the field.
    weights_glob: ClassVar[str] = ""
    functional: ClassVar[str]
    training_U_eV: ClassVar[Mapping[str, float]] = pbe_hubbard_U_eV("Co", "Fe", "Ni")
    known_limits: ClassVar[tuple[str, ...]]

    threads: int = 1

    def cannot(self) -> dict[Capability, str]:
        """No electrons, so no spin-orbit coupling."""
        return {"spin_orbit": f"{self.package} is a potential of the ions: it has no electrons to couple spin to orbit"}

    def identity(self) -> dict[str, Any]:
        """See `Stored.identity`: the package, the tensor library and the weights."""
        weights = {path.name: file_digest(path) for path in self.weight_files()}
        versions = installed_versions("ase", "torch", self.package)
        return {**super().identity(), "versions": versions, "weights": weights}

    def weight_files(self) -> list[Path]:
        """The file that `weights` names, else those of `weights_glob`; none if the package is not installed."""
        from importlib.util import find_spec

        name = str(getattr(self, "weights", ""))
        if name and Path(name).is_file():
            return [Path(name)]
        spec = find_spec(self.package)
        if spec is None or not self.weights_glob:
            return []
        pattern = self.weights_glob.format(weights=name)
        return sorted(p for place in spec.submodule_search_locations or () for p in Path(place).glob(pattern))

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
            level_of_theory="ML",
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
