"""Tables that the command line prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from .terminal import Console

if TYPE_CHECKING:
    from ..workflows.engine import Capability


def print_hosts(console: Console | None = None) -> None:
    """Print every built-in host."""
    from ..structures.host import get_host, host_keys

    table = Table("host", "material", "cation orders", "moment (muB/f.u.)", "vacancies", "claims")
    for key in host_keys():
        host = get_host(key)
        table.add_row(
            key,
            f"{host.formula}, {host.title}",
            ", ".join(host.orders),
            f"{host.moment_per_formula_muB:g}",
            ", ".join(f"V_{e}" if e == s else f"V_{e}({s})" for e, s in host.vacancies),
            ", ".join(host.claims),
        )
    (console or Console()).print(table)


def print_engines(console: Console | None = None) -> None:
    """Print every engine, or why it is not available."""
    from ..workflows.engine import UnknownEngineError, engine_names, get_engine

    table = Table("engine", "level of theory", "what it is", "cannot do")
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
