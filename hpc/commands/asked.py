"""What several commands ask about a study: dataclasses whose fields are options of the command line.

A command takes one of them as its parameter ``asked``, and its own options beside it; `takes` spreads its fields over
the command's signature.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from ..study_options import FieldOptions, StudyOptions
from . import help_groups as groups
from .arguments import (
    BandStartOption,
    CalculatorOption,
    EngineOption,
    EnthalpiesOption,
    FilmOption,
    HostArgument,
    ImageDistanceOption,
    OrderOption,
    ProtocolOption,
    PulseOption,
    QuickOption,
    ReferenceOption,
    engine_or_calculator,
)
from .stage_options import said_of_stages

if TYPE_CHECKING:
    from ...analysis.device.assumptions import Assumptions


@dataclass(frozen=True)
class AskedHops:
    """Whose hops, in which fields, by which engine."""

    host: HostArgument
    engine: EngineOption = "local"
    calculator: CalculatorOption = None
    protocol: ProtocolOption = None
    order: OrderOption = None
    quick: QuickOption = False
    field_v_per_m: Annotated[
        str | None,
        typer.Option(
            "--field-V-per-m",
            help="Fields, e.g. 1e8,5e8: each along and against its direction, beside zero.",
            rich_help_panel=groups.FIELDS,
        ),
    ] = None
    field_along: Annotated[
        str,
        typer.Option(
            help="Direction of the fields: hop, '[0 0 1]' of the ordered cell, or a vector '1,1,0'.",
            rich_help_panel=groups.FIELDS,
        ),
    ] = "hop"
    field: Annotated[
        list[str] | None,
        typer.Option(
            help="A field in words, e.g. '4 V over 60 nm along [0 0 1]'; may be repeated.",
            rich_help_panel=groups.FIELDS,
        ),
    ] = None
    relax_in_field: Annotated[
        bool,
        typer.Option(
            "--relax-in-field",
            help="Converge the band in every field too: a band's cost each.",
            rich_help_panel=groups.FIELDS,
        ),
    ] = False
    breakdown_v_per_m: Annotated[
        float | None,
        typer.Option(
            "--breakdown-V-per-m",
            help="Refuse larger fields [default: the gap over the ordered cell's edge].",
            rich_help_panel=groups.FIELDS,
        ),
    ] = None
    born_charges: Annotated[
        Path | None,
        typer.Option(
            help="Charges on which the field acts: .json or .npy, by element or by site.",
            rich_help_panel=groups.FIELDS,
        ),
    ] = None
    band_start: BandStartOption = None
    image_distance: ImageDistanceOption = None

    def study(self, context: typer.Context) -> dict[str, Any]:
        """Arguments that the functions behind the commands share."""
        field_options = FieldOptions(
            sizes_V_per_m=self.field_v_per_m,
            along=self.field_along,
            statements=tuple(self.field or ()),
            relaxed=self.relax_in_field,
            breakdown_V_per_m=self.breakdown_v_per_m,
            born_charges=self.born_charges,
        )
        options = StudyOptions(field_options, self.band_start, said_of_stages(context), self.image_distance)
        return {
            "engine_name": engine_or_calculator(self.engine, self.calculator, self.protocol),
            "order": self.order,
            "quick": self.quick,
            "options": options,
        }


@dataclass(frozen=True)
class AskedStudy(AskedHops):
    """Which study: its stages, and what is assumed beside it."""

    stages: Annotated[
        str | None,
        typer.Option(
            help="Stages, e.g. vacancies,competing_phases [default: all that the engine can and affords].",
            rich_help_panel=groups.COMPUTED,
            autocompletion=groups.complete_stages,
        ),
    ] = None
    reference: ReferenceOption = None
    pulse: PulseOption = None
    film: FilmOption = None
    enthalpies: EnthalpiesOption = None

    def study(self, context: typer.Context) -> dict[str, Any]:
        """See `AskedHops.study`."""
        return super().study(context) | {
            "stages": None if self.stages is None else [s.strip() for s in self.stages.split(",")],
            "assumptions": self.assumptions(),
        }

    def assumptions(self) -> Assumptions:
        """What is assumed."""
        from ..assumptions import read_assumptions

        return read_assumptions(self.reference, self.pulse, self.film, self.enthalpies)


def takes(kind: type[Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator of a command ``function(context, asked, ...)``: fields of a dataclass in place of ``asked``."""

    def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
        own, of_kind = (get_type_hints(what, include_extras=True) for what in (function, kind))
        context, _, *rest = inspect.signature(function).parameters.values()
        names = [f.name for f in fields(kind)]
        asked = [
            inspect.Parameter(
                f.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if f.default is MISSING else f.default,
                annotation=of_kind[f.name],
            )
            for f in fields(kind)
        ]

        @functools.wraps(function)
        def command(**said: Any) -> Any:
            return function(said.pop("context"), kind(**{name: said.pop(name) for name in names}), **said)

        everything = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=own[p.name]) for p in (context, *rest)]
        signature = inspect.Signature([everything[0], *asked, *everything[1:]])
        command.__signature__ = signature  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
        del command.__wrapped__
        return command

    return decorated
