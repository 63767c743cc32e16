"""``python -m magnetoionics``: the command line."""

from .hpc.cli import entry

if __name__ == "__main__":
    entry()
