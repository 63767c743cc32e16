"""The common ground of all results: a pydantic base class and the provenance of a number."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from monty.json import MontyDecoder
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pymatgen.core import Structure

from ...stored import SCHEMA_VERSION
from ...stored import encoding as _encoding  # noqa: F401  registers how documents are stored
from ...stored.renamed import new_names, under_old_name, upgraded, with_new_names
from .figures import draw, draw_interactive

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from plotly.graph_objects import Figure as PlotlyFigure

LevelOfTheory = Literal["local", "ML", "ASE", "GPAW", "Quantum ESPRESSO", "VASP", "experiment", "arithmetic"]


def _structure_dict(structure: Structure) -> dict[str, Any]:
    return dict(structure.as_dict())


def first_wrong(error: ValidationError) -> str:
    """The first entry that a document refuses, and why, in one clause."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(x) for x in first["loc"])
    return f"{where + ': ' if where else ''}{first['msg'].removeprefix('Value error, ')}"


def require_finite(value: Any, where: str) -> None:
    """Refuse NaN and infinities anywhere in a value: a number that is none is no result.

    Parameters
    ----------
    value
        Plain values, lists, mappings, arrays and structures; inner documents were judged when they were made.
    where
        What to call it.

    Raises
    ------
    ValueError
        Naming the place of the first one.
    """
    if isinstance(value, float | np.floating):
        if not math.isfinite(value):
            raise ValueError(
                f"{where} is {value}, which is no finite number: leave it out, or say None where it may be"
            )
    elif isinstance(value, np.ndarray):
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            index = tuple(int(n) for n in np.argwhere(~np.isfinite(value))[0])
            raise ValueError(f"{where}{list(index)} is {value[index]}, which is no finite number")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            require_finite(inner, f"{where}[{key!r}]")
    elif isinstance(value, list | tuple):
        for n, inner in enumerate(value):
            require_finite(inner, f"{where}[{n}]")
    elif isinstance(value, Structure):
        require_finite(value.lattice.matrix, f"the lattice of {where}")
        require_finite(value.frac_coords, f"the coordinates of {where}")
        require_finite(dict(value.site_properties), f"the site properties of {where}")
        require_finite(float(value.charge), f"the charge of {where}")


def _not_nan(value: float) -> float:
    if math.isnan(value):
        raise ValueError("no number (NaN)")
    return value


def _finite_structure(structure: Structure) -> Structure:
    require_finite(structure, structure.composition.reduced_formula)
    return structure


def _finite_values(values: dict[str, Any]) -> dict[str, Any]:
    require_finite(values, "settings")
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    """A value as JSON gives it back: lists for tuples."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


_LONGEST_LIST = 6
_LONGEST_TEXT = 60
# pymatgen reads itself back from a dictionary; only the way out to JSON is missing.
StructureField = Annotated[Structure, PlainSerializer(_structure_dict), AfterValidator(_finite_structure)]
# A time or an error may have no bound; a NaN is refused there too.
Unbounded = Annotated[float, Field(allow_inf_nan=True), AfterValidator(_not_nan)]
FiniteValues = Annotated[dict[str, Any], AfterValidator(_finite_values)]


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, BaseModel):
        return type(value).__name__
    if isinstance(value, list | tuple | dict) and len(value) > _LONGEST_LIST:
        return f"{len(value)} entries"
    if isinstance(value, list | tuple):
        return ", ".join(_short(v) for v in value)
    if isinstance(value, Structure):
        return f"{value.composition.reduced_formula}, {len(value)} atoms"
    return str(value)


def _what_it_is(kind: type) -> str:
    """First sentence of a class's docstring, for who does not know its name."""
    sentence = (inspect.getdoc(kind) or kind.__name__).split("\n\n")[0].replace("\n", " ")
    return sentence.split(". ")[0].rstrip(".").replace("`", "")


def _in_words(value: object) -> str:
    """As `_short`, with documents by what they are."""
    if isinstance(value, BaseModel):
        return _what_it_is(type(value))
    if isinstance(value, list | tuple) and value and isinstance(value[0], BaseModel):
        return f"{len(value)} × {_what_it_is(type(value[0]))}"
    return _short(value)


def _brief(value: object) -> str:
    text = _short(value)
    text = text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
    if isinstance(value, str):
        return repr(text)
    return f"[{text}]" if isinstance(value, list | tuple | dict) else text


@dataclass(frozen=True)
class StoredVersion:
    """Context of a validation: which version of the schema wrote what is being read."""

    version: int


class Document(BaseModel):
    """Base of every result. Unknown keys are refused, so a typo never passes as a result; so are NaN and infinities."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, allow_inf_nan=False)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """See pydantic; what is updated obeys the same rule about finite numbers.

        Raises
        ------
        ValueError
            If a new value is no finite number.
        """
        update = with_new_names(type(self).__name__, update or {})
        for name, value in update.items():
            require_finite(value, f"{type(self).__name__}.{name}")
        return super().model_copy(update=update, deep=deep)

    def plot(self, name: str | None = None, *, ax: Axes | None = None, **options: Any) -> Figure:
        """A figure of this document; see `figures.draw` for its options.

        Parameters
        ----------
        name
            Which figure; the first that there is for this type by default.
        ax
            Axis to draw on; a new figure by default.
        **options
            Options of the figure, ``figsize`` and matplotlib's parameters (``font_size=9``).

        Raises
        ------
        ValueError
            If there is no such figure or option; the message lists those that there are.
        """
        return draw(self, name, ax=ax, **options)

    def interactive(self, name: str | None = None, **options: Any) -> PlotlyFigure:
        """An interactive figure of this document, by plotly: it shows itself in a notebook, ``write_html`` keeps it.

        Parameters
        ----------
        name
            Which figure: of a study ``window``, ``formation``, ``band`` or ``sphere``; the first by default.
        **options
            Options of the figure.

        Raises
        ------
        ValueError
            If there is no such figure or option; the message lists those that there are.
        """
        return draw_interactive(self, name, **options)

    @model_validator(mode="before")
    @classmethod
    def _as_today(cls, content: Any, info: ValidationInfo) -> Any:
        """Fields that an older version wrote under other names; see `read_stored`."""
        if isinstance(content, dict) and "schema_version" in content:
            if content["schema_version"] != SCHEMA_VERSION:
                raise ValueError(f"schema_version is not {SCHEMA_VERSION}; read_stored or magnetoionics.load reads it")
            return {name: value for name, value in content.items() if name != "schema_version"}
        if isinstance(info.context, StoredVersion) and isinstance(content, dict):
            return upgraded(cls.__name__, content, info.context.version)
        return with_new_names(cls.__name__, content, 5) if isinstance(content, dict) else content

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """What a field that has a new name holds."""
            new = new_names(type(self).__name__).get(name)
            if new is None:
                return super().__getattr__(name)
            return under_old_name(self, name, new)

    @classmethod
    def read_stored(cls, content: Mapping[str, Any], version: int) -> Self:
        """The document, and those inside it, of plain values that some version of the schema wrote.

        Raises
        ------
        pydantic.ValidationError
            If they are none.
        """
        return cls.model_validate(dict(content), context=StoredVersion(version))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The document of what monty's encoder made of it; errors as `read_stored`."""
        plain = {name: MontyDecoder().process_decoded(v) for name, v in content.items() if not name.startswith("@")}
        return cls.read_stored(plain, int(plain.pop("schema_version", 1)))

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the document as JSON with the version of its schema; `magnetoionics.load` reads a study's file.

        Parameters
        ----------
        path
            The file, ``.json``.
        overwrite
            Replace a file that is there.

        Raises
        ------
        ValueError
            If the name does not end in ``.json``, or the file is there and is not to be replaced.
        """
        target = Path(path)
        if target.suffix != ".json":
            raise ValueError(f"{target} does not end in .json; give a name that does")
        if target.exists() and not overwrite:
            raise ValueError(f"{target} exists; give another name, or overwrite=True")
        content = {"schema_version": SCHEMA_VERSION, **self.model_dump(mode="json", by_alias=True)}
        text = json.dumps(content, indent=1) + "\n"
        beside = target.with_name(f".{target.name}.part")
        beside.write_text(text, encoding="utf-8")
        beside.replace(target)
        return target

    def __dir__(self) -> list[str]:
        """Fields, and what documents add to them: without pydantic's own names, so that completion shows results."""
        own = [kind for kind in type(self).__mro__ if issubclass(kind, Document)]
        names = {name for kind in own for name in vars(kind) if not name.startswith(("_", "model_"))}
        return sorted(names | set(type(self).model_fields))

    def __repr__(self) -> str:
        """One line: values, and of long lists, structures and inner documents what they are."""
        return f"{type(self).__name__}({', '.join(f'{k}={_brief(v)}' for k, v in self)})"

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        """Table of the values for notebooks; long lists and inner documents by what they are."""
        rows = "".join(f"<tr><th>{escape(k)}</th><td>{escape(_in_words(v))}</td></tr>" for k, v in self)
        return f"<table><caption>{escape(_what_it_is(type(self)))}</caption>{rows}</table>"


class Provenance(Document):
    """Where a number comes from and what it leaves out.

    Units are eV for ``hubbard_U_eV``; ``settings`` holds plain JSON values only.
    """

    engine: str
    level_of_theory: LevelOfTheory
    functional: str | None = None
    hubbard_U_eV: dict[str, float] = Field(default_factory=dict)
    settings: FiniteValues = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    left_out: list[str] = Field(default_factory=list)
