"""Input files of a study, for people who submit their own jobs."""

from __future__ import annotations

from pathlib import Path

from .errors import UserError
from .study_options import StudyOptions


def write_inputs(
    host_key: str,
    *,
    engine_name: str,
    order: str | None,
    output: Path,
    quick: bool,
    image_distance_A: float | None = None,
) -> Path:
    """Write the inputs that are known before anything has run.

    Parameters
    ----------
    host_key, engine_name, order
        Names; unknown ones are refused before anything is written.
    output
        New or empty folder.
    quick
        Small supercells.
    image_distance_A
        As in `StudyOptions`.

    Returns
    -------
    Path
        The README with the table of jobs.

    Raises
    ------
    UserError
        For bad input.
    """
    from ..structures.host import UnknownHostError, get_host
    from ..workflows.engine import UnknownEngineError, get_engine

    try:
        host = get_host(host_key)
        engine = get_engine(engine_name)
    except (UnknownHostError, UnknownEngineError) as error:
        raise UserError(str(error)) from error
    if order is not None and order not in host.orders:
        raise UserError(f"{host.key} has no cation order {order!r}; known: {', '.join(host.orders)}")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UserError(f"{output} is not an empty folder; choose another --output")
    repeats = StudyOptions(image_distance_A=image_distance_A).repeats(host_key, order, quick)
    try:
        return engine.write_inputs(host, order, repeats, output)
    except ValueError as error:
        raise UserError(f"no inputs can be written: {error}") from error
