"""``magnetoionics engines``."""

from __future__ import annotations


def engines() -> None:
    """List the engines and what each cannot do."""
    from ..printing.tables import print_engines

    print_engines()
