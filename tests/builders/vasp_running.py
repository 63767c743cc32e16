"""Running VASP flows on the emulator, shared by the VASP tests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

EMULATOR = Path(__file__).with_name("vasp_emulator")


def commands(**options: Any) -> Any:
    """Commands that start the emulator."""
    from magnetoionics.workflows.vasp.settings import VaspCommands

    start = f"{sys.executable} {EMULATOR}"
    return VaspCommands(standard=start, noncollinear=start, band=start, poll_s=0.05, potcar_spec=True, **options)


def engine(settings: Any = None, **options: Any) -> Any:
    """The engine ``vasp`` on the emulator."""
    from magnetoionics.workflows.engine import get_engine
    from magnetoionics.workflows.vasp.settings import VaspSettings

    return get_engine("vasp", dft=settings or VaspSettings(), commands=commands(), **options)


def run(flow: Any, folder: Path) -> Any:
    """Run a flow with this package's runner in a store on disk; returns the flow's output."""
    from magnetoionics.hpc.local.runner import LocalRunner
    from magnetoionics.hpc.local.store import open_store

    store = open_store(folder)
    summary = LocalRunner(store).run(flow)
    if not summary.finished:
        pytest.fail(str(summary.failed))
    return flow.output.resolve(store)
