"""Help texts in groups, and what the shell completes."""

from __future__ import annotations

import inspect
import pkgutil
import re
from typing import Any

from typer.core import TyperCommand, TyperGroup

ENGINE = "Engine"
COMPUTED = "What is computed"
FIELDS = "Electric field"
ASSUMED = "Assumed beside it"
RUNNING = "How it is run"
OF_STAGES = "Options of stages"


class WholeHelpGroup(TyperGroup):
    """A group that says of each command its whole first clause, wrapped and never cut."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, a line or more for each."""
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [
            (name, first_clause(inspect.cleandoc(c.help or "")))
            for name, c in commands
            if c is not None and not c.hidden
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def first_clause(text: str) -> str:
    """A help text up to its first colon, semicolon or full stop."""
    return re.split(r"[:;]|\.(?:\s|$)", " ".join(text.split()), maxsplit=1)[0] + "."


class GroupedCommand(TyperCommand):
    """A command whose help lists options under the heading that each one states, then the stages if it takes some."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, a group for each heading."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                usual = "Arguments" if param.param_type_name == "argument" else "Other"
                heading = getattr(param, "rich_help_panel", None)
                groups.setdefault(heading if isinstance(heading, str) else usual, []).append(record)
        if list(groups) in (["Other"], ["Arguments", "Other"]):
            groups["Options"] = groups.pop("Other")
        elif "Other" in groups:
            groups["Other"] = groups.pop("Other")
        for heading, rows in groups.items():
            with formatter.section(heading):
                formatter.write_dl(rows)
        if any(param.name == "stages" for param in self.get_params(ctx)):
            with formatter.section("Stages"):
                formatter.write_dl(_stage_rows())


def complete_host(incomplete: str) -> list[str]:
    """Built-in hosts that begin so; read from the names of their files, so that the shell waits for nothing."""
    from ...structures import hosts

    return _beginning(incomplete, (m.name for m in pkgutil.iter_modules(hosts.__path__)))


def complete_engine(incomplete: str) -> list[str]:
    """Engines that begin so."""
    from ...workflows import engines

    return _beginning(incomplete, ["auto", *(m.name for m in pkgutil.iter_modules(engines.__path__))])


def complete_protocol(incomplete: str) -> list[str]:
    """Protocols that begin so."""
    from ...workflows.engine import PROTOCOLS

    return _beginning(incomplete, PROTOCOLS)


def complete_stages(incomplete: str) -> list[str]:
    """Stages that begin as the last of the list does, after those that are there."""
    from ...workflows.stage import stage_names

    *before, last = incomplete.split(",")
    names = [name.replace(" ", "_") for name in stage_names()]
    return [",".join([*before, name]) for name in names if name.startswith(last) and name not in before]


def _beginning(incomplete: str, names: Any) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete) and not name.startswith("_"))


def _stage_rows() -> list[tuple[str, str]]:
    """Name and first sentence of every stage that may be asked for, with when it is done unasked."""
    from ...workflows.stage import stages

    when = {"unasked": "", "unasked of quick engines": " Unasked of quick engines.", "on request": " On request."}
    return [
        (s.name.replace(" ", "_"), (inspect.getdoc(type(s)) or "").split("\n\n")[0].replace("\n", " ") + when[s.when])
        for s in stages()
        if s.when != "with others"
    ]
