"""What an engine is: the few jobs that every flow needs, and an honest list of what it cannot do."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from ..stored.base import Stored
from ..stored.renamed import OldName, warn_of
from ..structures.similar import did_you_mean
from .errors import CannotDoError, UnknownEngineError
from .jobs.kinds import KINDS_OF_METHODS, Kind, marking

if TYPE_CHECKING:
    from pathlib import Path

    from jobflow import Flow, Job
    from pymatgen.core import Structure

    from ..analysis.results.calculation import Calculation
    from ..analysis.results.document import Provenance
    from ..structures.host import Host
    from .band.ends import Mover
    from .jobs.expected_cost import ExpectedCost

__all__ = [
    "CAPABILITIES",
    "PROTOCOLS",
    "CannotDoError",
    "Capability",
    "Engine",
    "Protocol",
    "UnknownEngineError",
    "engine_names",
    "get_engine",
]

Capability = Literal["relax", "static", "band", "spin_orbit", "references", "charged", "dielectric"]
CAPABILITIES: tuple[Capability, ...] = get_args(Capability)
# fast: to see where a study leads; balanced: to be published; stringent: to show that those are converged.
Protocol = Literal["fast", "balanced", "stringent"]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)


@dataclass
class Engine(Stored, ABC):
    """Supplier of jobs. A new engine is one file in ``workflows/engines`` with ``ENGINE`` set.

    Every job outputs a document of ``analysis``: `relax` and `static` a ``Calculation``, `band` a ``Band``,
    `spin_orbit` an ``AnisotropyMap``, `references` a ``SpeciesFit``-like set of reference energies. Flows call no more.
    `quick_forces` says that hundreds of single points cost seconds, so that a study asks for them unasked. The jobs
    that these methods make are marked with their kind, see `kinds`; an engine marks small jobs with `kinds.as_step`.
    """

    name: ClassVar[str]
    level_of_theory: ClassVar[str]
    tier = OldName("tier", "level_of_theory")
    summary: ClassVar[str]
    quick_forces: ClassVar[bool] = False
    # Why an engine that leaves `charged` or `dielectric` unwritten has none.
    no_charged_cells: ClassVar[str] = "it offers none to flows"
    # Whether one direction of E(n) costs as much as a relaxation: maps are then made in small cells and by symmetry.
    dear_spin_orbit: ClassVar[bool] = False
    # Every run marks itself, and whatever has no marks is a step; of other engines it is a calculation.
    marks_its_runs: ClassVar[bool] = False
    # Kind of all its jobs, where that does not follow from what they compute.
    kind_of_jobs: ClassVar[Kind | None] = None
    # What its numbers rest on: keys of data/references.bib, or DOIs; the functional and U are cited by the provenance.
    citations: ClassVar[tuple[str, ...]] = ()
    # Why a study computes competing phases with this engine only if it is asked to; empty: it always does.
    phases_on_request: ClassVar[str] = ""

    def __init_subclass__(cls, **options: Any) -> None:
        """Let the methods that make jobs mark them with their kind, so that no engine can forget it."""
        super().__init_subclass__(**options)
        if "tier" in cls.__dict__:
            warn_of(cls.__name__, "tier", "level_of_theory")
            cls.level_of_theory = cls.__dict__["tier"]
            del cls.tier
        for method, kind in KINDS_OF_METHODS.items():
            if method in cls.__dict__:
                setattr(cls, method, marking(cls.__dict__[method], kind))

    def kind_for(self, kind: Kind) -> Kind:
        """Kind of a job of this engine that computes something of this kind."""
        return kind if self.kind_of_jobs is None else self.kind_of_jobs

    @abstractmethod
    def cannot(self) -> dict[Capability, str]:
        """Reasons for what is missing, by capability; empty if everything is there."""

    @abstractmethod
    def provenance(self, left_out: Sequence[str] = ()) -> Provenance:
        """Provenance of a result of this engine, with what it leaves out."""

    def size_corrections(self, bulk: Calculation, repeats: tuple[int, int, int], sites: Sequence[int]) -> Job | None:
        """Corrections for a charge that this engine smears over the cell of a vacancy; None if it smears none.

        Parameters
        ----------
        bulk
            Relaxed ordered cell, or a reference to it.
        repeats
            Supercell repeats.
        sites
            Indices of the vacant sites in the ordered cell.

        Returns
        -------
        Job or None
            Giving a list of `SizeCorrection`, one per site.
        """
        return None

    @abstractmethod
    def relax(self, structure: Structure, *, name: str, cell: bool = False, mover: int | None = None) -> Job | Flow:
        """Relax ions, and the cell if asked.

        Parameters
        ----------
        structure
            Structure or reference to one, with site properties.
        name
            Job name.
        cell
            Relax the cell too.
        mover
            Ion whose valence a charge-spreading engine must leave alone.
        """

    @abstractmethod
    def static(self, structure: Structure, *, name: str, mover: int | None = None) -> Job | Flow:
        """Energy and forces of a fixed structure."""

    @abstractmethod
    def band(
        self,
        initial: Structure,
        final: Structure,
        intermediates: Sequence[Structure],
        *,
        mover: Mover,
        name: str,
    ) -> Job | Flow:
        """Minimum energy path through known intermediates; `mover`: index of the moving ion, or of all that move."""

    @abstractmethod
    def spin_orbit(
        self,
        structure: Structure,
        *,
        directions: Sequence[Sequence[float]],
        state: str,
        name: str,
        near: Sequence[float] | None = None,
    ) -> Job | Flow:
        """Energy against the direction of magnetisation; `near` marks the defect (fractional)."""

    @abstractmethod
    def references(self, formulas: Sequence[str], *, name: str) -> Job | Flow:
        """Reference energies of the elements, consistent with this engine's total energies."""

    def charged(self, structure: Structure, charge: int, *, relax: bool, name: str) -> Job | Flow:
        """Cell with a net charge in a homogeneous background, as a ``ChargedCell`` with band edges and potentials.

        Parameters
        ----------
        structure
            Cell or reference to one.
        charge
            In e; 0 for the perfect cell that charged ones are compared with.
        relax
            Relax the ions at fixed cell first.
        name
            Job name.

        Raises
        ------
        CannotDoError
            If the engine cannot do this.
        """
        self.require("charged")
        raise CannotDoError(f"engine {self.name} has no charged cells")

    def with_hubbard_U(self, hubbard_U_eV: Mapping[str, float]) -> Engine:
        """The same engine with another U on the d shells of these elements; errors as `charged`."""
        raise CannotDoError(f"engine {self.name} has no U to choose: that is an input of DFT+U, as in gpaw and vasp")

    def with_dense_mesh(self, factor: int = 3) -> Engine:
        """The same engine with so many times the k-points along each axis; itself for one without."""
        return self

    def dielectric(self, structure: Structure, *, name: str) -> Job | Flow:
        """Static dielectric tensor, electrons and ions, as a ``DielectricResult``; errors as `charged`."""
        self.require("dielectric")
        raise CannotDoError(f"engine {self.name} computes no dielectric tensor")

    def polarisation(self, structure: Structure, *, name: str) -> Job | Flow:
        """Dipole of an insulating cell by the Berry phase; errors as `charged`."""
        raise CannotDoError(f"engine {self.name} computes no Berry-phase polarisation")

    def born_tensors(self, structure: Structure, *, name: str) -> Job | Flow:
        """Born charges of every ion by linear response; errors as `polarisation`."""
        raise CannotDoError(f"engine {self.name} computes no Born charges by linear response")

    def in_field(
        self, structure: Structure, field_V_per_A: Sequence[float], *, gap_eV: float, relax: bool, name: str
    ) -> Job | Flow:
        """Single point or relaxation of the ions in a uniform field, as a ``Calculation``.

        Parameters
        ----------
        structure
            Insulating, neutral cell.
        field_V_per_A
            Internal field, V/Angstrom, shape (3,).
        gap_eV
            Gap that the check against breakdown uses.
        relax
            Relax the ions at fixed cell.
        name
            Job name.

        Raises
        ------
        CannotDoError
            If the engine cannot do this.
        """
        raise CannotDoError(f"engine {self.name} has no self-consistent finite field")

    def with_field(self, field_V_per_A: Sequence[float], *, gap_eV: float | None) -> Engine:
        """The same engine in a uniform field, in which it then relaxes ions and converges bands.

        Parameters
        ----------
        field_V_per_A
            Internal field, V/Angstrom, shape (3,).
        gap_eV
            Gap for the check against breakdown, for engines that make it themselves.

        Raises
        ------
        CannotDoError
            If the engine knows no field.
        """
        if "field_V_per_A" not in {f.name for f in fields(self)}:
            raise CannotDoError(f"engine {self.name} relaxes no band in a field")
        x, y, z = (float(c) for c in field_V_per_A)
        return replace(self, field_V_per_A=(x, y, z))  # type: ignore[call-arg]

    def write_inputs(self, host: Host, order: str | None, repeats: tuple[int, int, int], folder: Path) -> Path:
        """Write the input files of a study that are known beforehand; returns the README that lists them.

        Parameters
        ----------
        host, order
            Material and cation order (the first by default).
        repeats
            Supercell repeats of the ordered cell.
        folder
            Where to.

        Raises
        ------
        CannotDoError
            If the engine reads no input files.
        """
        raise CannotDoError(f"engine {self.name} reads no input files; it runs inside this program")

    def expected_costs(
        self, host: Host, order: str | None, repeats: tuple[int, int, int], speed: float = 1.0, **charged: Any
    ) -> list[ExpectedCost]:
        """What each job of a study is expected to cost, before it is submitted; arguments as `write_inputs`.

        `speed` is that of the machine against the mean of the engine's calibration; with `charged`, fields of a
        `ChargedVacanciesMaker` such as its starts and their budget, the jobs of that stage stand at the end.

        Raises
        ------
        CannotDoError
            If the engine has no such estimate.
        """
        raise CannotDoError(f"engine {self.name} has no estimate of what a job costs")

    def missing(self) -> dict[Capability, str]:
        """`cannot`, and the optional jobs that the engine leaves unwritten."""
        missing = dict(self.cannot())
        if type(self).charged is Engine.charged:
            missing.setdefault("charged", self.no_charged_cells)
        if type(self).dielectric is Engine.dielectric:
            missing.setdefault("dielectric", self.no_charged_cells)
        return missing

    def require(self, capability: Capability) -> None:
        """Refuse early what the engine cannot do.

        Raises
        ------
        CannotDoError
            With the engine's own reason.
        """
        reason = self.missing().get(capability)
        if reason:
            raise CannotDoError(f"engine {self.name} cannot do {capability}: {reason}")

    def check(self, structure: Structure) -> None:
        """Refuse a material that the engine cannot describe, before anything is computed.

        Raises
        ------
        CannotDoError
            With the species and what is missing.
        """

    def vacancy_limit(self) -> int | None:
        """Most distinct vacancies that a study computes unless it is told which; None for all of them."""
        return None

    def map_order(self, asked: int) -> int:
        """Lebedev order of the directions of E(n), where a study asks for `asked`."""
        return asked

    def cannot_start(self, kind: str) -> str:
        """Why a vacancy cannot start in this way, see `structures.defects.initial_states`; empty if it can."""
        return ""

    def cannot_with(self, structure: Structure) -> dict[Capability, str]:
        """Reasons for what is missing for this material: `cannot`, and what the material itself rules out.

        Parameters
        ----------
        structure
            Ordered cell of the host with its site properties.
        """
        return self.cannot()

    @classmethod
    def options_from_text(cls, text: str) -> dict[str, Any]:
        """Fields of the engine from what follows the colon of its name.

        A protocol, a settings file, or both: ``vasp:fast``, ``vasp:my.yaml``, ``vasp:fast+my.yaml``, where the file
        goes over the protocol.

        Raises
        ------
        UnknownEngineError
            If it is neither, the engine has no protocols, or the file cannot be used; see
            `engine_settings.settings_from_file`.
        """
        from pathlib import Path

        from .settings.engine_settings import ENDINGS, settings_from_file

        word, plus, rest = text.partition("+")
        protocol = word.strip().lower()
        base: dict[str, Any] = {}
        if protocol in PROTOCOLS:
            base = cls.of_protocol(protocol)
            if not plus:
                return base
            text = rest
        path = Path(text.strip()).expanduser()
        if path.suffix.lower() not in ENDINGS:
            words = f"a protocol ({', '.join(PROTOCOLS)}) or " if cls.protocols() else ""
            kinds = f"{words}a settings file ({' or '.join(ENDINGS)})"
            raise UnknownEngineError(f"engine {cls.name} takes {kinds} after its name, not {text.strip()!r}")
        return settings_from_file(cls, path, protocol if base else None)

    @classmethod
    def protocols(cls) -> Mapping[Protocol, dict[str, Any]]:
        """Fields of the engine by protocol; empty for an engine whose numbers are what they are."""
        return {}

    @classmethod
    def of_protocol(cls, name: str) -> dict[str, Any]:
        """Fields of the engine for one protocol.

        Raises
        ------
        UnknownEngineError
            If there is no such protocol, or the engine has none.
        """
        protocols = cls.protocols()
        if not protocols:
            raise UnknownEngineError(f"engine {cls.name} has no protocols, its numbers are fixed: leave {name} out")
        if name not in PROTOCOLS:
            raise UnknownEngineError(
                f"unknown protocol {name!r}; known: {', '.join(PROTOCOLS)}{did_you_mean(name, PROTOCOLS)}"
            )
        return dict(protocols[name])

    def settings(self) -> dict[str, Any]:
        """Plain settings for the provenance of every result."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def engine_names() -> list[str]:
    """Names of all engines that have a file."""
    from . import engines

    return sorted(m.name for m in pkgutil.iter_modules(engines.__path__) if not m.name.startswith("_"))


def get_engine(name: str | Engine, **options: Any) -> Engine:
    """An engine by name; an engine itself is given back, with options changed if some are given.

    Parameters
    ----------
    name
        Case does not matter. What follows a colon is for the engine: a protocol, ``vasp:fast``, a settings file,
        ``vasp:settings.yaml``, both, ``vasp:fast+settings.yaml``, or ``ase:package.module:Class``.
    **options
        Fields of the engine's dataclass.

    Raises
    ------
    UnknownEngineError
        If there is no such engine, or its package is not installed.
    """
    if isinstance(name, Engine):
        return replace(name, **options) if options else name
    if not isinstance(name, str):
        raise UnknownEngineError(
            f"an engine is a name or an Engine, not a {type(name).__name__}; "
            "of a calculator of ASE it is the name ase:package.module:Class"
        )
    key, _, text = name.strip().partition(":")
    key = key.lower()
    if key not in engine_names():
        raise UnknownEngineError(
            f"unknown engine {name!r}; known engines: {', '.join(engine_names())}" + did_you_mean(name, engine_names())
        )
    try:
        module = importlib.import_module(f".engines.{key}", __package__)
    except ImportError as error:
        raise UnknownEngineError(
            f"engine {key!r} needs a package that is not installed ({error.name}); "
            f"install it with: pip install 'magnetoionics[{key}]'"
        ) from error
    if text:
        options = {**module.ENGINE.options_from_text(text), **options}
    engine = module.ENGINE(**options)
    if not isinstance(engine, Engine):
        raise TypeError(f"workflows/engines/{key}.py must define ENGINE as an Engine subclass")
    return engine
