"""The commands, one file each. A new command is a file with a function of its name, which stands in `COMMANDS`.

One that is more than a function has ``register(app)``; ``CLASS`` is typer's class of a command that needs another.

Command files import nothing heavy when they are loaded, so that help answers at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

# In the order of the help text.
COMMANDS = (
    "run",
    "status",
    "import_runs",
    "report",
    "fit",
    "film",
    "diffusion",
    "claims",
    "cite",
    "archive",
    "export",
    "compare",
    "atlas",
    "hops",
    "inputs",
    "cost",
    "host",
    "hosts",
    "structures",
    "engines",
    "cluster",
    "submit",
    "fetch",
    "campaign",
    "documents",
    "version",
)


def register_all(app: typer.Typer) -> None:
    """Add every command to the application."""
    for name in COMMANDS:
        module = importlib.import_module(f".{name}", __package__)
        if hasattr(module, "register"):
            module.register(app)
        else:
            app.command(cls=getattr(module, "CLASS", None))(getattr(module, name))
