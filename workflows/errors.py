"""What can be wrong with an engine, and with what it is asked for."""

from __future__ import annotations


class UnknownEngineError(ValueError):
    """The named engine does not exist, or what it needs is not installed."""


class CannotDoError(ValueError):
    """An engine was asked for a job that it calls impossible; the message has its reason."""
