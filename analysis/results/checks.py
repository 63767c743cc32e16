"""Checks of a result, and the one rule about them: a number that rests on a failed one is no result."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

from .document import Document

MustBe = Literal["below", "above", "equal to"]


class Check(Document):
    """One check that could have failed.

    Attributes
    ----------
    name
        What was checked.
    passed
        True, False, or None if it was not done.
    value, limit
        The number and the bound it was held against, in `unit`.
    must_be
        On which side of the limit the value has to lie; None where the check is no comparison.
    note
        Why it matters, or why it was not done.
    invalidates
        Whether a failure makes the result unusable, which is the rule; see `require_valid`. Only a statement about
        something that the number does not rest on says False.
    of_ends
        Whether it judges the states before and after a hop, and not the path between them.
    """

    name: str
    passed: bool | None
    value: float | None = None
    limit: float | None = None
    unit: str = ""
    must_be: MustBe | None = None
    note: str = ""
    invalidates: bool = True
    of_ends: bool = False

    @property
    def side(self) -> str:
        """On which side of the limit the value has to lie, in words: one that is met at the limit is no strict one."""
        met_there = bool(self.passed) and self.value == self.limit
        return (
            {"below": "at most", "above": "at least"}.get(self.must_be or "", "equal to")
            if met_there
            else str(self.must_be or "–")
        )

    @property
    def in_words(self) -> str:
        """What was checked, what came out and what it had to be, e.g. ``saddle force: 1.1 eV/A, must be below 0.06``.

        A note is added where there is one.
        """
        said = self.name
        if self.value is not None and self.must_be is not None and self.limit is not None:
            unit = f" {self.unit}" if self.unit else ""
            said = f"{said}: {self.value:.3g}{unit}, must be {self.must_be} {self.limit:.3g}{unit}"
        if not self.note:
            return said
        return f"{said}: {self.note}" if said == self.name else f"{said} ({self.note})"


class InvalidResultError(ValueError):
    """A result that failed a guard was about to be used."""


def held(
    name: str,
    value: float,
    limit: float,
    *,
    must_be: MustBe = "below",
    unit: str = "",
    note: str = "",
    invalidates: bool = True,
    strictly: bool = False,
    of_ends: bool = False,
) -> Check:
    """A value held against its limit.

    Parameters
    ----------
    name, unit, note, invalidates, of_ends
        As in `Check`.
    value, limit
        What was found and its bound; a value that is no finite number fails on either side.
    must_be
        ``below``, ``above`` or ``equal to`` the limit.
    strictly
        Whether the limit itself fails.
    """
    known = math.isfinite(value)
    sides = {"below": value < limit, "above": value > limit, "equal to": value == limit}
    passed = known and (sides[must_be] or (value == limit and not strictly))
    return Check(
        name=name,
        passed=bool(passed),
        value=float(value) if known else None,
        limit=float(limit) if math.isfinite(limit) else None,
        unit=unit,
        must_be=must_be,
        note=note if known else "; ".join(filter(None, ["the value is no finite number", note])),
        invalidates=invalidates,
        of_ends=of_ends,
    )


def no_result(reasons: Sequence[str], most: int = 2) -> str:
    """The mark that a number without a sound calculation carries wherever it is shown; empty for a sound one."""
    if not reasons:
        return ""
    more = len(reasons) - most
    return f"no result: {'; '.join(reasons[:most])}" + (f"; and {more} more" if more > 0 else "")


def failed(checks: Iterable[Check]) -> list[Check]:
    """Checks that were made and failed, whether they invalidate or not."""
    return [c for c in checks if c.passed is False]


def invalid_because(checks: Iterable[Check]) -> list[str]:
    """What failed and makes the result unusable, in words; empty for a usable result."""
    return [c.in_words for c in failed(checks) if c.invalidates or _is_older(c)]


def _is_older(check: Check) -> bool:
    """Whether it was written before checks said their side, when a failed comparison let its number pass."""
    return check.must_be is None and check.limit is not None


def require_valid(checks: Iterable[Check], what: str) -> None:
    """Refuse to build on a result that failed a check.

    Parameters
    ----------
    checks
        Checks of the result.
    what
        Its name.

    Raises
    ------
    InvalidResultError
        Naming the result and every check that failed.
    """
    reasons = invalid_because(checks)
    if reasons:
        raise InvalidResultError(f"{what} is invalid and must not be used: {'; '.join(reasons)}")
