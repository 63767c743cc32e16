"""Keeps a process that has imported what the VASP emulator needs and becomes an emulator by a fork for each run.

Importing takes a second or two of computing, the emulator's own work on a small cell much less, and a study has some
two hundred runs. Every run is a process of its own in its own folder, with its own environment and streams.
``python emulator_server.py SOCKET`` writes a line when it listens, and ends with its standard input.
"""

from __future__ import annotations

import importlib
import os
import runpy
import selectors
import signal
import socket
import sys
from pathlib import Path

LIBRARIES = (
    "ase.filters",
    "ase.mep",
    "ase.optimize",
    "magnetoionics.calculators.ligand_field",
    "magnetoionics.calculators.potentials",
    "magnetoionics.calculators.rigid_ion",
    "pymatgen.io.vasp",
)
EMULATOR = Path(__file__).with_name("vasp_emulator")


def main(address: str) -> int:
    import_libraries()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening, selectors.DefaultSelector() as waiting:
        listening.bind(address)
        listening.listen(16)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        waiting.register(listening, selectors.EVENT_READ)
        waiting.register(sys.stdin, selectors.EVENT_READ)
        while True:
            if any(key.fileobj is sys.stdin for key, _ in waiting.select()):
                return 0
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                become_emulator(connection)
            connection.close()


def import_libraries() -> None:
    """Libraries alone: modules of the emulator read the environment of their run when they are imported."""
    for name in LIBRARIES:
        importlib.import_module(name)


def become_emulator(connection: socket.socket) -> None:
    """Run as ``python vasp_emulator`` would in the client's folder; never returns."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        head, streams, _, _ = socket.recv_fds(connection, 8, 3)
        size, text = int.from_bytes(head, "big"), b""
        while len(text) < size:
            text += connection.recv(size - len(text))
        folder, *environment = text.decode().split("\0")
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(entry.split("=", 1) for entry in environment)
        sys.argv = [str(EMULATOR)]
        try:
            runpy.run_path(str(EMULATOR), run_name="__main__")
        except SystemExit as end:
            status = int(end.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.send(bytes([status]))
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
