"""What a study was asked for: names that exist, and the host file of a host that was drafted for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from ..terminal import Console

if TYPE_CHECKING:
    from ...structures.host import HostKey
    from ...workflows.engine import Engine

# Host file of a host that was drafted from a structure file alone.
DRAFT = "host.yaml"


def resolved_engine(
    host: HostKey, engine: str | Engine, order: str | None, stages: Sequence[str] | None, console: Console | None = None
) -> str | Engine:
    """The engine of a study after its names were checked; ``auto`` chooses it and says which and why.

    Raises
    ------
    UserError
        For unknown names, or if no engine can do what is asked.
    """
    from ...workflows.flows.automatic import AUTO, choose_engine

    if not (isinstance(engine, str) and engine.strip().lower() == AUTO):
        check_names(host, engine, order)
        return engine
    check_names(host, "local", order)
    try:
        chosen, said = choose_engine(host, order, stages)
    except ValueError as error:
        raise UserError(str(error)) from error
    (console or Console(stderr=True)).print(said, style="dim", markup=False)
    return chosen


def check_names(host: HostKey, engine_name: str | Engine, order: str | None) -> None:
    """Refuse unknown hosts, engines and orders.

    Raises
    ------
    UserError
        With the known ones.
    """
    from ...structures.host import UnknownHostError, get_host
    from ...structures.similar import did_you_mean
    from ...workflows.engine import UnknownEngineError, get_engine

    try:
        known = get_host(host)
        get_engine(engine_name)
    except (UnknownHostError, UnknownEngineError) as error:
        raise UserError(str(error)) from error
    if order is not None and order not in known.orders:
        raise UserError(
            f"{known.key} has no cation order {order!r}; known: {', '.join(known.orders)}"
            + did_you_mean(order, known.orders)
        )


def keep_draft(host: HostKey, folder: Path, console: Console) -> None:
    """Write the host file of a host that was drafted from a structure file into the study's folder."""
    from ...structures.host import is_structure_file

    file = folder / DRAFT
    if not isinstance(host, str | Path) or not is_structure_file(str(host)) or file.exists():
        return
    from ...structures.drafting.draft import summary
    from ...structures.drafting.files import write_host_file

    draft = write_host_file(host, file)[1]
    console.print(f"host drafted, {summary(draft)}", markup=False)
    console.print(f"every guess with its reason is in {file}: correct it, then run that file", markup=False)
