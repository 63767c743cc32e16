"""What the machine-learned potentials share: ions in fields by charges, references from oxides, no spin-orbit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ...analysis.results.document import Provenance
from ...analysis.thermodynamics.phases import SCHEME_KEY
from ...stored.caching import file_digest, installed_versions
from ..engine import Capability, UnknownEngineError
from ..jobs.kinds import Kind
from .ion_engine import IonEngine
from .jobs import plain_settings, versions
from .weights import UNKNOWN, Training

_LEFT_OUT = (
    "spin states are not followed: the site moments are those the structure came with",
    "no charge states: every cell is neutral, and where its holes sit is not computed",
)


@dataclass
class MLEngine(IonEngine):
    """A machine-learned interatomic potential.

    Attributes
    ----------
    weights
        Name of a weight set of the package, or a file of one's own, whose training is then unknown.
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
    # What the sets of weights that the package ships were trained on, by name.
    trainings: ClassVar[Mapping[str, Training]]
    known_limits: ClassVar[tuple[str, ...]]

    weights: str = ""
    threads: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.weights not in self.trainings and not Path(self.weights).is_file():
            known = ", ".join(self.trainings)
            raise UnknownEngineError(
                f"weights {self.weights!r} of {self.name}: neither a set that {self.package} ships ({known}) nor a file"
            )

    @classmethod
    def options_from_text(cls, text: str) -> dict[str, Any]:
        """``chgnet:r2scan``: the name of a set of weights; else as any engine."""
        name = text.strip()
        return {"weights": name} if name in cls.trainings else super().options_from_text(text)

    @property
    def training(self) -> Training:
        """What the weights were trained on; `weights.UNKNOWN` for a file of one's own."""
        return self.trainings.get(self.weights, UNKNOWN)

    @property
    def functional(self) -> str | None:
        """Functional, U and corrections that the weights were trained on, in words; None where that is unknown."""
        return self.training.functional

    def cannot(self) -> dict[Capability, str]:
        """No electrons, so no spin-orbit coupling; no references for weights of unknown training."""
        missing: dict[Capability, str] = {
            "spin_orbit": f"{self.package} is a potential of the ions: it has no electrons to couple spin to orbit"
        }
        if not self.training.known:
            missing["references"] = (
                f"what {Path(self.weights).name} was trained on is unknown (functional, U, corrections), so its "
                f"energies stand beside no other; use a set that {self.package} ships: {', '.join(self.trainings)}"
            )
        return missing

    def identity(self) -> dict[str, Any]:
        """See `Stored.identity`: the package, the tensor library and the weights."""
        weights = {path.name: file_digest(path) for path in self.weight_files()}
        versions = installed_versions("ase", "torch", self.package)
        return {**super().identity(), "versions": versions, "weights": weights}

    def weight_files(self) -> list[Path]:
        """The file that `weights` names, else those of `weights_glob`; none if the package is not installed."""
        from importlib.util import find_spec

        name = self.weights
        if name not in self.trainings:
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
        """Provenance with the weights' name, the functional, U and corrections of their training, and the versions."""
        training = self.training
        said = f"{self.weights}, trained on {self.functional}"
        unknown = f"{Path(self.weights).name}: functional, U and corrections of its training are unknown"
        return Provenance(
            engine=self.name,
            level_of_theory="ML",
            functional=said if training.known else unknown,
            hubbard_U_eV=dict(training.hubbard_U_eV),
            settings={k: plain_settings(v) for k, v in self.settings().items()}
            | ({} if training.correction_scheme == "none" else {SCHEME_KEY: training.correction_scheme}),
            versions=versions("magnetoionics", "ase", "torch", self.package),
            left_out=[*_LEFT_OUT, *self.known_limits, *training.limits, *left_out],
        )


def require_wheel(package: str) -> None:
    """Fail with ImportError if a package is missing, without the seconds of importing it."""
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise ImportError(f"{package} is not installed", name=package)
