"""Running VASP flows on the emulator, shared by the VASP tests."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

EMULATOR = Path(__file__).with_name("vasp_emulator")


def commands(**options: Any) -> Any:
    """Commands that start the emulator."""
    from magnetoionics.workflows.vasp.settings import VaspCommands

    start = f"{sys.executable} {EMULATOR}"
    return VaspCommands(standard=start, noncollinear=start, band=start, poll_s=0.05, potcar_spec=True, **options)


@contextmanager
def schemas_made_once() -> Iterator[None]:
    """Keep JSON schemas: jobflow makes a whole one for every reference into a document, and atomate2's takes 0.2 s."""
    made = BaseModel.model_json_schema.__func__
    kept: dict[type, Any] = {}

    def once(cls: type, *args: Any, **options: Any) -> Any:
        if args or options:
            return made(cls, *args, **options)
        if cls not in kept:
            kept[cls] = made(cls)
        return kept[cls]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseModel, "model_json_schema", classmethod(once))
        yield


@contextmanager
def kept_ready() -> Iterator[Any]:
    """Commands that start the emulator with its libraries imported, for flows of many runs."""
    # A socket's path has at most about a hundred characters, which a test's own folder may exceed.
    with tempfile.TemporaryDirectory() as folder:
        address = Path(folder) / "emulator"
        server = Path(__file__).with_name("emulator_server.py")
        command = [sys.executable, str(server), str(address)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            start = f"{sys.executable} -I -S {Path(__file__).with_name('emulator_client.py')} {address}"
            yield replace(commands(), standard=start, noncollinear=start, band=start)
            # Its standard input is closed here, which ends it.


def engine(settings: Any = None, **options: Any) -> Any:
    """The engine ``vasp`` on the emulator."""
    from magnetoionics.workflows.engine import get_engine
    from magnetoionics.workflows.vasp.settings import VaspSettings

    options.setdefault("commands", commands())
    return get_engine("vasp", dft=settings or VaspSettings(), **options)


def run(flow: Any, folder: Path) -> Any:
    """Run a flow with this package's runner in a store on disk; returns the flow's output."""
    from magnetoionics.hpc.local.runner import LocalRunner
    from magnetoionics.hpc.local.store import open_store

    store = open_store(folder)
    summary = LocalRunner(store).run(flow)
    if not summary.finished:
        pytest.fail(str(summary.failed))
    return flow.output.resolve(store)
