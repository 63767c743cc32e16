"""The command line. Heavy imports happen inside the commands, so that help answers at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .errors import UserError

app = typer.Typer(
    name="magnetoionics",
    help="Magneto-ionics from first principles: vacancies, field-driven hops, anisotropy, retention.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

HostArgument = Annotated[str, typer.Argument(help="Host material; `magnetoionics hosts` lists them.")]
FolderArgument = Annotated[Path, typer.Argument(help="Folder of a study.")]


@app.command()
def run(
    host: HostArgument,
    engine: Annotated[str, typer.Option(help="Engine; `magnetoionics engines` lists them.")] = "local",
    order: Annotated[str | None, typer.Option(help="Cation order; the host's first by default.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder for the study [default: HOST-study].")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small cells: seconds, but with a size error.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a study that the folder already holds.")
    ] = False,
) -> None:
    """Run a whole study and write results.json, report.html, figures, bands and the job store."""
    from .study_runner import run_study

    run_study(host, engine_name=engine, order=order, output=output, quick=quick, overwrite=overwrite)


@app.command()
def report(folder: FolderArgument) -> None:
    """Write results.json, report.html, figures and bands again from the store, without computing."""
    from .study_runner import rebuild_report

    rebuild_report(folder)


@app.command()
def claims(folder: FolderArgument) -> None:
    """Print the claims table of a study."""
    from .tables import print_claims

    print_claims(folder)


@app.command()
def hosts() -> None:
    """List the host materials."""
    from .tables import print_hosts

    print_hosts()


@app.command()
def engines() -> None:
    """List the engines and what each cannot do."""
    from .tables import print_engines

    print_engines()


@app.command()
def version() -> None:
    """Print the version."""
    from .. import __version__

    typer.echo(__version__)


def main(arguments: list[str] | None = None) -> int:
    """Entry point: every error a user can cause is one line on stderr and exit code 2.

    Parameters
    ----------
    arguments
        Command-line words; those of the process by default.

    Returns
    -------
    int
        0 on success, 1 if a calculation failed, 2 for bad input.
    """
    command = typer.main.get_command(app)
    try:
        result = command.main(args=arguments, prog_name="magnetoionics", standalone_mode=False)
    except UserError as error:
        return _complain(str(error), 2)
    except KeyboardInterrupt:
        return _complain("interrupted; what had finished is in the study's store", 130)
    except Exception as error:
        # Typer carries its own copy of click or the installed one, by version: both have these two.
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):
            return _complain(str(error.format_message()), 2)
        if type(error).__name__ == "Abort":
            return _complain("interrupted; what had finished is in the study's store", 130)
        raise
    return result if isinstance(result, int) else 0


def _complain(message: str, code: int) -> int:
    text = " ".join(message.split())
    if text:
        sys.stderr.write(f"magnetoionics: error: {text}\n")
    return code


def entry() -> None:
    """Console script."""
    sys.exit(main())
