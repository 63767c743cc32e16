"""Any ASE calculator by its import path, ``--calculator package.module:Class``, or a force field that atomate2 knows
by name, ``--calculator atomate2:MACE``.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ...analysis.results.document import Provenance
from ...stored.caching import file_digest, installed_versions
from ...stored.sources import code_identity, latest_change_s
from ..ase.ion_engine import IonEngine
from ..ase.jobs import plain_settings, versions
from ..engine import Capability, UnknownEngineError

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator
    from pymatgen.core import Structure

# In place of a module: names of atomate2's own.
FORCE_FIELDS = "atomate2"
_NO_SPIN_ORBIT = "an arbitrary ASE calculator has no common way to turn the magnetisation with spin-orbit coupling on"
_FORCE_FIELD_PACKAGES = (
    "mace-torch",
    "chgnet",
    "matgl",
    "sevenn",
    "mattersim",
    "nequip",
    "fairchem-core",
    "deepmd-kit",
)
_UNNAMED = "no calculator was named; give --calculator package.module:Class or --calculator atomate2:NAME"


@dataclass
class AseCalculatorEngine(IonEngine):
    """Whatever ASE calculator the user names.

    Attributes
    ----------
    calculator
        ``package.module:Class``; any callable that returns an ASE calculator will do. ``atomate2:NAME`` is a force
        field of atomate2, whose package must be installed.
    calculator_options
        Keyword arguments of that class, plain JSON values.
    functional
        What its energies are, in the user's words; kept in the provenance of every result.
    """

    name: ClassVar[str] = "ase"
    level_of_theory: ClassVar[str] = "ASE"
    summary: ClassVar[str] = "any ASE calculator: --calculator package.module:Class; as good as what it names"
    no_charged_cells: ClassVar[str] = "ASE has no common way to ask for a charge, band edges and potentials"
    phases_on_request: ClassVar[str] = "what the calculator costs and knows of other oxides is not known; use --stages"

    calculator: str = ""
    calculator_options: dict[str, Any] = field(default_factory=dict)
    functional: str | None = None

    @classmethod
    def options_from_text(cls, text: str) -> dict[str, Any]:
        """Read ``package.module:Class`` or ``package.module:Class {"option": 1}`` and import the class.

        Raises
        ------
        UnknownEngineError
            If the class cannot be imported, or the options are no JSON object.
        """
        path, _, options = text.strip().partition(" ")
        load_class(path)
        try:
            read = json.loads(options) if options.strip() else {}
        except json.JSONDecodeError as error:
            raise UnknownEngineError(f"options {options!r} of {path} are no JSON: {error}") from error
        if not isinstance(read, dict):
            raise UnknownEngineError(f'options of {path} must be a JSON object such as {{"rc": 5.0}}, not {options!r}')
        return {"calculator": path, "calculator_options": read}

    def cannot(self) -> dict[Capability, str]:
        """No spin-orbit coupling; nothing at all before a calculator is named."""
        if not self.calculator:
            return dict.fromkeys(("relax", "static", "band", "spin_orbit", "references"), _UNNAMED)
        return {"spin_orbit": _NO_SPIN_ORBIT}

    def cannot_with(self, structure: Structure) -> dict[Capability, str]:
        """No references without oxygen, fluorine, nitrogen or sulfur: only their compounds are known."""
        missing = self.cannot()
        if not {"O", "F", "N", "S"} & {s.specie.symbol for s in structure}:
            reason = "element energies are fitted to oxides, fluorides, nitrides or sulfides, and this material is none"
            missing.setdefault("references", reason)
        return missing

    def bare_calculator(self) -> Calculator:
        """A fresh calculator of the named class.

        Raises
        ------
        UnknownEngineError
            If it or its package cannot be imported, or it refuses its options.
        """
        made = load_class(self.calculator)
        try:
            calculator: Calculator = made(**self.calculator_options)
        except ImportError as error:
            raise UnknownEngineError(f"{self.calculator} cannot be made ({error}); install its package") from error
        except TypeError as error:
            raise UnknownEngineError(
                f"{self.calculator} does not take the options {json.dumps(self.calculator_options)}: {error}"
            ) from error
        if not _answers(calculator):
            raise UnknownEngineError(f"{self.calculator} makes a {type(calculator).__name__}, which is no calculator")
        return calculator

    def identity(self) -> dict[str, Any]:
        """See `Stored.identity`: the calculator's sources or package, and files that its options name."""
        given = [v for v in self.calculator_options.values() if isinstance(v, str)]
        files = {Path(text).name: file_digest(Path(text)) for text in given if is_file(text)}
        return {**super().identity(), "code": self._code(), **({"files": files} if files else {})}

    def sources_changed_s(self) -> float:
        """When the calculator's sources were last changed, s since 1970; 0 if they are installed with a version."""
        return latest_change_s(self.calculator.partition(":")[0])

    def _code(self) -> list[dict[str, Any]]:
        """Identity of the module that was named, and of the one that defines what it names."""
        named, _, name = self.calculator.partition(":")
        if named == FORCE_FIELDS:
            return [force_field_identity(name)]
        try:
            defined = str(getattr(load_class(self.calculator), "__module__", named))
        except UnknownEngineError:
            return []
        return [code_identity(module) for module in sorted({named.partition(".")[0], defined.partition(".")[0]})]

    def provenance(self, left_out: Sequence[str] = ()) -> Provenance:
        """Provenance with the class, its options and the version of its package."""
        package = self.calculator.partition(":")[0].partition(".")[0]
        return Provenance(
            engine=f"{self.name}:{self.calculator}",
            level_of_theory="ASE",
            functional=self.functional,
            settings={k: plain_settings(v) for k, v in self.settings().items()},
            versions=versions("magnetoionics", "ase") | _version_of(package),
            left_out=[
                "what the calculator leaves out: it was named by the user and is not known here",
                "spin states and charge states are not followed; every cell is neutral",
                *left_out,
            ],
        )


def force_field(name: str) -> Callable[..., Any]:
    """What makes the ASE calculator of one of atomate2's force fields; nothing is loaded yet.

    Raises
    ------
    UnknownEngineError
        If atomate2 is missing, or knows no such name.
    """
    try:
        from atomate2.forcefields import MLFF
        from atomate2.forcefields.utils import ase_calculator
    except ImportError as error:
        raise UnknownEngineError(
            f"calculator {FORCE_FIELDS}:{name} needs atomate2 ({error}): pip install 'magnetoionics[vasp]'"
        ) from error
    # atomate2 has a member that stands for any force field.
    known = sorted(m.value for m in MLFF if m.value != "Forcefield")
    if name not in known:
        raise UnknownEngineError(f"atomate2 knows no force field {name!r}; known: {', '.join(known)}")
    return partial(ase_calculator, name)


def force_field_identity(name: str) -> dict[str, Any]:
    """Versions of atomate2 and of the package whose potential it calls by this name, as far as that is called alike."""
    alike = {p for p in _FORCE_FIELD_PACKAGES if name.lower().replace("-", "").startswith(p.partition("-")[0])}
    return {"versions": installed_versions("atomate2", "torch", *sorted(alike))}


def is_file(text: str) -> bool:
    """Whether a text is the path of a file; one that no path can be is none."""
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def load_class(path: str) -> Any:
    """Import ``package.module:Class``, an ASE calculator's class or a function that makes one; it is not called.

    Raises
    ------
    UnknownEngineError
        If the path is no such text, the import fails, or it names something else; the message has the reason.
    """
    module, _, name = path.partition(":")
    if not (module and name):
        raise UnknownEngineError(f"calculator {path!r} is no import path; write package.module:Class")
    if module == FORCE_FIELDS:
        return force_field(name)
    try:
        class_ = getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise UnknownEngineError(
            f"calculator {path} cannot be imported ({error}); install its package or correct the path"
        ) from error
    except AttributeError as error:
        raise UnknownEngineError(f"module {module} has no {name}; correct the path {path}") from error
    if not (_answers(class_) if isinstance(class_, type) else callable(class_) and not _is_of_python(class_)):
        raise UnknownEngineError(f"{path} is no class of an ASE calculator, and no function that makes one")
    return class_


def _answers(calculator: Any) -> bool:
    """Whether an object, or the objects of a class, can be asked for energy and forces as ASE asks."""
    return all(callable(getattr(calculator, f"get_{name}", None)) for name in ("potential_energy", "forces")) and (
        hasattr(calculator, "calculation_required") or hasattr(calculator, "get_property")
    )


def _is_of_python(function: Any) -> bool:
    """Whether a function is Python's own, such as ``os.system``, under whatever name it was taken over."""
    module = str(getattr(getattr(function, "func", function), "__module__", None) or "builtins")
    return module.partition(".")[0] in sys.stdlib_module_names


def _version_of(package: str) -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return {package: version(package)}
    except PackageNotFoundError:
        return {}


ENGINE = AseCalculatorEngine
