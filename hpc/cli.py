"""The command line. Heavy imports happen inside the commands, so that help answers at once."""

from __future__ import annotations

import copy
import errno
import os
import signal
import sys
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from ..structures.io.safe_json import UnsafeFileError
from .collecting import seldom_collecting
from .commands import register_all
from .commands.help_groups import WholeHelpGroup
from .errors import UserError

app = typer.Typer(
    name="magnetoionics",
    cls=WholeHelpGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


_INTERRUPTED = "interrupted; nothing that finished is lost, and the same command goes on from there"
# What a place says of itself; any other error of the system is a fault of ours.
_OF_PLACES = {
    *(errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT),
    *(errno.EIO, errno.ESTALE, errno.ELOOP, errno.ENAMETOOLONG),
}
_BY_KEYBOARD = 128 + signal.SIGINT


def _print_version(asked: bool) -> None:
    if asked:
        from .. import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _of_all_commands(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Magneto-ionics from first principles: vacancies, field-driven hops, anisotropy, retention."""


register_all(app)


def main(arguments: list[str] | None = None) -> int:
    """Entry point: every error a user can cause is one line on stderr and exit code 2.

    Parameters
    ----------
    arguments
        Command-line words; those of the process by default.

    Returns
    -------
    int
        0 on success, 1 if a calculation failed, 2 for bad input, 130 after Ctrl-C, 143 if the system ended it.
    """
    said = sys.argv[1:] if arguments is None else arguments
    command = typer.main.get_command(app if "_MAGNETOIONICS_COMPLETE" in os.environ else _with_parameters_of(said))
    try:
        with _notes_on_stderr():
            result = command.main(args=arguments, prog_name="magnetoionics", standalone_mode=False)
    except (UserError, UnsafeFileError) as error:
        return _complain(str(error), 2)
    except Terminated:
        return _complain(
            "ended by the system (SIGTERM: a time limit?); what had finished is in the study's store, and the same "
            "command goes on from there",
            128 + signal.SIGTERM,
        )
    except KeyboardInterrupt:
        return _complain(_INTERRUPTED, _BY_KEYBOARD)
    except MemoryError as error:
        from .local.job_errors import memory_in_words

        return _complain(f"the command ended{memory_in_words(error)}; what is computed is kept", 2)
    except OSError as error:
        if error.errno not in _OF_PLACES:
            raise
        return _complain(_place_in_words(error), 2)
    except Exception as error:
        # Typer carries its own copy of click or the installed one, by version: both have these two.
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):
            return _complain(str(error.format_message()), 2)
        if type(error).__name__ == "Abort":
            return _complain(_INTERRUPTED, _BY_KEYBOARD)
        raise
    # Recent Typer gives this code back instead of the exception.
    if result == _BY_KEYBOARD:
        return _complain(_INTERRUPTED, _BY_KEYBOARD)
    return result if isinstance(result, int) else 0


def _place_in_words(error: OSError) -> str:
    """What a folder or a disk refused, wherever a command came upon it."""
    where = "a file" if error.filename is None else Path(os.fsdecode(error.filename)).absolute().parent
    need = (
        "free some megabytes there"
        if error.errno in (errno.ENOSPC, errno.EDQUOT)
        else "see to its permissions, or choose another place, with --output where the command has it"
    )
    return f"{where} cannot be read or written ({error.strerror}): {need}; what is computed is kept"


def _with_parameters_of(words: Collection[str]) -> typer.Typer:
    """The application in which only the commands among these words have parameters.

    Typer reads those of all commands, which takes as long as everything else that help does, and one is used.
    """
    made = copy.copy(app)
    made.registered_commands = [_named(c, words) for c in app.registered_commands]
    made.registered_groups = []
    for group in app.registered_groups:
        inner = group.typer_instance
        if inner is not None and not {group.name, inner.info.name} & set(words):
            group, inner = copy.copy(group), copy.copy(inner)
            inner.registered_commands = [_named(c, ()) for c in inner.registered_commands]
            group.typer_instance = inner
        made.registered_groups.append(group)
    return made


def _named(command: Any, words: Collection[str]) -> Any:
    function = command.callback
    if (command.name or function.__name__.replace("_", "-")) in words:
        return command
    bare = copy.copy(command)
    bare.callback = _without_parameters(function)
    return bare


def _without_parameters(function: Callable[..., Any]) -> Callable[[], None]:
    """Stands for a command where its name and text are listed."""

    def listed() -> None:
        raise AssertionError("a command that was not named is called")

    listed.__name__, listed.__doc__ = function.__name__, function.__doc__
    return listed


@contextmanager
def _notes_on_stderr() -> Iterator[None]:
    """Notes of the readers of structure files as one line each, once; other warnings as ever."""
    told: set[str] = set()
    with warnings.catch_warnings():
        show = warnings.showwarning

        def show_note(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
            if category.__name__ != "ReadingNote":
                show(message, category, *rest, **more)
            elif str(message) not in told:
                told.add(str(message))
                sys.stderr.write(f"magnetoionics: note: {' '.join(str(message).split())}\n")

        warnings.showwarning = show_note
        warnings.filterwarnings("always", module=r"magnetoionics\.structures\.")
        yield


def _complain(message: str, code: int) -> int:
    from .terminal import printable

    text = printable(" ".join(message.split()))
    if text:
        sys.stderr.write(f"magnetoionics: error: {text}\n")
    return code


class Terminated(SystemExit):
    """The system asked this process to end."""


def _terminate(*_: object) -> None:
    # An exception, so that half-written files go and evaluations that cost much are kept.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise Terminated(128 + signal.SIGTERM)


def entry() -> None:
    """Console script."""
    signal.signal(signal.SIGTERM, _terminate)
    with seldom_collecting():
        sys.exit(main())
