"""Starts the VASP emulator in a copy of a process that has its libraries imported already: see `emulator_server`.

Runs by itself with nothing but the standard library: ``python -I -S emulator_client.py SOCKET``.
"""

import os
import socket
import sys


def main(address: str) -> int:
    """Hand folder, environment and streams over; returns the emulator's exit status."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        there = [os.getcwd(), *(f"{k}={v}" for k, v in os.environ.items())]
        text = "\0".join(there).encode()
        socket.send_fds(connection, [len(text).to_bytes(8, "big")], [0, 1, 2])
        connection.sendall(text)
        status = connection.recv(1)
    # Without an answer it was killed.
    return status[0] if status else 137


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
