"""What somebody may have meant who mistyped a name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

_ALIKE = 0.6


def did_you_mean(given: str, known: Iterable[str] | Mapping[str, str]) -> str:
    """Words for a message, e.g. ``" (did you mean cofe2o4?)"``; empty if nothing that is known is like it.

    Parameters
    ----------
    given
        As typed; case does not matter.
    known
        Names that exist; of a mapping, whatever may be typed and the name that it stands for.
    """
    pairs = known.items() if isinstance(known, Mapping) else ((name, name) for name in known)
    names = {word.lower(): name for word, name in pairs}
    typed = given.strip().lower()
    near = [typed] if typed in names else get_close_matches(typed, list(names), n=2, cutoff=_ALIKE)
    matches = list(dict.fromkeys(names[word] for word in near))
    return f" (did you mean {' or '.join(matches)}?)" if matches else ""


def did_you_mean_file(path: Path) -> str:
    """`did_you_mean` of a file that is not there, by the names in its folder; empty if that cannot be read."""
    try:
        return did_you_mean(path.name, (known.name for known in path.parent.iterdir() if known.is_file()))
    except OSError:
        return ""
