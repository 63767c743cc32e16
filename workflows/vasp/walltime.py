"""A run that sees its time limit coming ends after the ionic step in flight, says so, and is gone on with.

Custodian's handler writes ``STOPCAR`` (LSTOP) when less is left than three ionic steps take; VASP then writes a whole
CONTCAR. What it leaves is no result: the job fails with a sentence by which the doctor knows it, and starts it again
in its folder, where `continuation` goes on from that CONTCAR.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .outcar import run_text

# Seconds since 1970 at which the job is ended; Slurm sets the first one (22.05 and later), users the other.
END_TIMES = ("SLURM_JOB_END_TIME", "MAGNETOIONICS_END_TIME")
# Never later than this before the end, s: writing and parsing the files of a large cell takes minutes.
BUFFER_s = 600
STOPPED = "stopped before its time limit"


class StoppedForTimeError(RuntimeError):
    """The run ended itself because its time was up; its folder holds what it goes on from."""


def seconds_left() -> int | None:
    """Seconds until the scheduler ends this job; None if nothing says when."""
    for name in END_TIMES:
        text = os.environ.get(name, "").strip()
        if text.isdigit():
            return max(0, int(text) - int(time.time()))
    return None


def with_stop(run_vasp_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of atomate2's `run_vasp` with the handler that stops in time, where the end is known."""
    left = seconds_left()
    if left is None:
        return dict(run_vasp_kwargs)
    from atomate2.vasp.run import DEFAULT_HANDLERS
    from custodian.vasp.handlers import WalltimeHandler

    # The handler counts from a start that it keeps in the environment for the jobs of one allocation.
    os.environ.pop("CUSTODIAN_WALLTIME_START", None)
    handlers = list(run_vasp_kwargs.get("handlers", DEFAULT_HANDLERS))
    return {**run_vasp_kwargs, "handlers": [*handlers, WalltimeHandler(wall_time=left, buffer_time=BUFFER_s)]}


def refuse_stopped(folder: Path) -> None:
    """Refuse what a stopped run left, by custodian's own log.

    Parameters
    ----------
    folder
        Of the run.

    Raises
    ------
    StoppedForTimeError
        If custodian stopped the run for its time.
    """
    try:
        runs = json.loads(run_text(folder, "custodian.json"))
    except (OSError, ValueError):
        return
    corrections = [c for run in runs for c in run.get("corrections") or []]
    if any("Walltime reached" in (c.get("errors") or []) for c in corrections):
        raise StoppedForTimeError(f"{STOPPED}; it goes on from its last step when it is started again there")
