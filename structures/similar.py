"""What somebody may have meant who mistyped a name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

_ALIKE = 0.6


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Words for a message, e.g. ``" (did you mean cofe2o4?)"``; empty if nothing that is known is like it.

    Parameters
    ----------
    given
        As typed; case does not matter.
    known
        Names that exist.
    """
    names = {name.lower(): name for name in known}
    matches = [names[n] for n in get_close_matches(given.strip().lower(), list(names), n=2, cutoff=_ALIKE)]
    return f" (did you mean {' or '.join(matches)}?)" if matches else ""


def did_you_mean_file(path: Path) -> str:
    """`did_you_mean` of a file that is not there, by the names in its folder; empty if that cannot be read."""
    try:
        return did_you_mean(path.name, (known.name for known in path.parent.iterdir() if known.is_file()))
    except OSError:
        return ""
