"""Errors that a user can cause; the command line prints them as one line."""

from __future__ import annotations


class UserError(Exception):
    """Bad input: the message names the value, what is allowed and the fix."""


class StudyFailedError(UserError):
    """A calculation failed; the message names it and where what finished was kept."""
