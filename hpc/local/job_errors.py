"""What came of a job that failed, in the words that its user reads."""

from __future__ import annotations

import dis
import traceback
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from ...stored import PACKAGE

_ROOT = Path(__file__).resolve().parents[2]
# Beside the store of a study.
ERROR_LOG = "errors.log"
# What refuses an input or gives a calculation up; others that this package raises are its own mistakes.
_SAID = (ValueError, RuntimeError, OSError)


def reason_of(error: BaseException, name: str, folder: Path | None = None) -> str:
    """The sentence of an exception that this package raised; of any other its class too, and where its traceback is.

    Parameters
    ----------
    error
        What ended the job.
    name
        Of the job, for the log.
    folder
        Where to put the traceback of an unexpected one; None for nowhere.
    """
    if is_expected(error):
        return " ".join(str(error).split("\n"))
    said = " ".join(f"{type(error).__name__}: {error}{memory_in_words(error)}".split())
    if folder is None:
        return said
    with suppress(OSError), (folder / ERROR_LOG).open("a", encoding="utf-8") as log:
        log.write(f"{name}\n{''.join(traceback.format_exception(error))}\n")
        return f"{said} (unexpected; its traceback is in {folder.name}/{ERROR_LOG})"
    return said


def memory_in_words(error: BaseException) -> str:
    """What to do where an error may be a want of memory: a MemoryError, or a library that a limit kept from loading."""
    limit = _address_limit()
    if not isinstance(error, MemoryError) and (limit is None or not isinstance(error, ImportError | OSError)):
        return ""
    allowed = "" if limit is None else f" (this process may take {limit / 1e9:.2g} GB: ulimit -v)"
    return f"; there may be too little memory{allowed}: allow more, or choose a smaller cell"


def _address_limit() -> int | None:
    """Bytes of address space that this process may take; None where nothing limits it or nothing says so."""
    try:
        import resource
    except ImportError:
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def is_expected(error: BaseException) -> bool:
    """Whether a `raise` of this package made it, and not a library, the interpreter or a mistake of either."""
    own = type(error).__module__.split(".")[0] == PACKAGE
    if not own and type(error) not in _SAID:
        return False
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is not None and _is_raised_here(last) and bool(str(error).strip())


def _is_raised_here(at: TracebackType) -> bool:
    # A function in C has no frame: what float("x") or numpy raises seems to come from the line that calls it.
    code = at.tb_frame.f_code
    raised = dis.opname[code.co_code[at.tb_lasti]] == "RAISE_VARARGS"
    return raised and Path(code.co_filename).resolve().is_relative_to(_ROOT)
