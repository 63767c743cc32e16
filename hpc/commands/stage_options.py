"""Options of a command that the files of the stages state, see `workflows.stage.StageOption`.

They are read when the command is used, since the stages import what takes a second; ``magnetoionics --help`` does not.
"""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer

from .help_groups import OF_STAGES, GroupedCommand

_SAID = "magnetoionics options of stages"


class WithStageOptions(GroupedCommand):
    """A command that also takes the options of all stages; `said_of_stages` gives them to its function."""

    _of_stages: list[Any] | None = None

    def get_params(self, ctx: Any) -> list[Any]:
        """Options and arguments of the command's function, then those of the stages."""
        if self._of_stages is None:
            self._of_stages = _options()
        *own, last = super().get_params(ctx)
        return [*own, *self._of_stages, last]

    def invoke(self, ctx: Any) -> Any:
        """Call the function, which does not know these options."""
        ctx.meta[_SAID] = {option.name: ctx.params.pop(option.name) for option in self._of_stages or []}
        return super().invoke(ctx)


def said_of_stages(context: typer.Context) -> dict[str, str]:
    """What the user said of the options of stages, by name."""
    return {name: value for name, value in context.meta.get(_SAID, {}).items() if value is not None}


def _options() -> list[Any]:
    """Options as typer makes them of a function that has one parameter for each."""
    from ...workflows.stage import stage_options

    def of_stages(**said: str) -> None:
        pass

    kinds = {
        o.name: Annotated[str | None, typer.Option(o.flag, help=o.help, rich_help_panel=OF_STAGES)]
        for o in stage_options().values()
    }
    parameters = [
        inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=k) for n, k in kinds.items()
    ]
    of_stages.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    of_stages.__annotations__ = dict(kinds)
    app = typer.Typer(add_completion=False)
    app.command()(of_stages)
    return list(typer.main.get_command(app).params)
