"""Tables that the command line prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from ..errors import UserError
from ..terminal import Console
from ..terminal_table import TerminalTable

if TYPE_CHECKING:
    from ...workflows.engine import Capability


def print_hosts(console: Console | None = None) -> None:
    """Print every built-in host."""
    from ...structures.host import get_host, host_keys

    table = TerminalTable("host", "material", "cation orders", "moment (muB/f.u.)", "vacancies", "measured", "claims")
    for key in host_keys():
        host = get_host(key)
        table.add_row(
            key,
            f"{host.formula}, {host.title}",
            ", ".join(host.orders),
            f"{host.moment_per_formula_muB:g}",
            ", ".join(f"V_{e}" if e == s else f"V_{e}({s})" for e, s in host.vacancies),
            ", ".join(host.measured),
            ", ".join(host.claims),
        )
    (console or Console()).print(table)


def print_host_engines(keys: Sequence[str] = ()) -> None:
    """Print what each engine does of a study of each host, the reasons for the rest below.

    Parameters
    ----------
    keys
        Hosts or host files; all built-in ones by default.

    Raises
    ------
    UserError
        For a host that is none.
    """
    from ...structures.host import get_host, host_keys
    from ...workflows.engine import engine_names
    from ...workflows.flows.plan import stages_by_engine

    try:
        hosts = {key: get_host(key) for key in keys or host_keys()}
    except ValueError as error:
        raise UserError(str(error)) from error
    # Which calculator it stands for is the user's to say.
    names = [name for name in engine_names() if name != "ase"]
    table, reasons, letters = TerminalTable("host", *names), dict[str, int](), _letters()
    for key, host in hosts.items():
        row = []
        for engine_stages in stages_by_engine(host, names).values():
            notes = [
                reasons.setdefault(reason, len(reasons) + 1)
                for reason in dict.fromkeys(engine_stages.left_out.values())
            ]
            marks = f" [{', '.join(str(n) for n in notes)}]" if notes else ""
            row.append(escape(("".join(letters[stage] for stage in engine_stages.done) or "–") + marks))
        table.add_row(key, *row)
    console = Console()
    console.print(table)
    console.print(", ".join(f"{letter} {stage}" for stage, letter in letters.items()), style="dim")
    for reason, number in reasons.items():
        console.print(f"[{number}] {reason}", markup=False, style="dim")


def _letters() -> dict[str, str]:
    """A letter for each stage: the first of its name that no other stage has."""
    from ...workflows.stage import stages

    out: dict[str, str] = {}
    for stage in stages():
        if stage.when != "on request":
            out[stage.name] = next(c for c in stage.name.upper() if c.isalpha() and c not in out.values())
    return out


def print_engines(console: Console | None = None) -> None:
    """Print every engine, or why it is not available."""
    from ...workflows.engine import UnknownEngineError, engine_names, get_engine

    table = TerminalTable("engine", "level of theory", "what it is", "cannot do")
    for name in engine_names():
        try:
            engine = get_engine(name)
        except UnknownEngineError as error:
            # Escaped, or rich takes the extra's brackets for its own.
            table.add_row(name, "", "not installed", escape(str(error)))
            continue
        table.add_row(name, engine.level_of_theory, escape(engine.summary), escape(_missing(engine.missing())))
    (console or Console()).print(table)


def _missing(reasons: Mapping[Capability, str]) -> str:
    """What an engine cannot do, each reason said once."""
    by_reason: dict[str, list[str]] = {}
    for capability, reason in reasons.items():
        by_reason.setdefault(reason, []).append(capability)
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in by_reason.items()) or "nothing is missing"
