"""Arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HostArgument = Annotated[
    str, typer.Argument(help="Host material, or a host file (.yaml); `magnetoionics hosts` lists them.")
]
FolderArgument = Annotated[Path, typer.Argument(help="Folder of a study.")]
EngineOption = Annotated[str, typer.Option(help="Engine; `magnetoionics engines` lists them.")]
OrderOption = Annotated[str | None, typer.Option(help="Cation order; the host's first by default.")]
