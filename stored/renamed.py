"""What has changed since it was first stored: names of classes and functions, and fields.

A class or job function that gets a new name adds a line to `NAMES`. A document or settings class whose fields change
adds a line to `CHANGES` under the version that is written since; readers of older versions apply it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

# Stored name: name today.
NAMES: Mapping[str, str] = {
    "Declarations": "Assumptions",
    "Evidence": "ReferenceCalculation",
    "FieldMaker": "HopInFieldMaker",
    "FilmDeclaration": "FilmAssumptions",
    "PartnerPair": "CollinearPair",
    "Void": "InterstitialSite",
    "assemble_band": "collect_band",
    "assemble_study": "study_job",
}

Change = Callable[[dict[str, Any]], dict[str, Any]]


class Renames:
    """Fields with new names.

    Parameters
    ----------
    new_names
        By old name.
    """

    def __init__(self, new_names: Mapping[str, str]) -> None:
        self.new_names = dict(new_names)

    def __call__(self, content: dict[str, Any]) -> dict[str, Any]:
        """Content under the new names."""
        return {self.new_names.get(name, name): value for name, value in content.items()}


def fields(**new_names: str) -> Renames:
    """Fields with new names, ``old="new"``."""
    return Renames(new_names)


def without(*names: str) -> Change:
    """Fields that are no more."""
    return lambda content: {name: value for name, value in content.items() if name not in names}


# Version that changed them: by class as it is called today, e.g. {2: {"Study": fields(declared="assumptions")}}.
CHANGES: Mapping[int, Mapping[str, Change]] = {
    # Its name was the version of results.json; that says `schema_version` now.
    2: {"Study": without("schema", "schema_")},
}


def old_field(name: str, today: str) -> str:
    """Name that a field of a class had in version 1."""
    for since in sorted(CHANGES, reverse=True):
        change = CHANGES[since].get(name)
        if isinstance(change, Renames):
            today = next((old for old, new in change.new_names.items() if new == today), today)
    return today


def upgraded(name: str, content: Mapping[str, Any], version: int) -> dict[str, Any]:
    """Content of a document as the present version has it.

    Parameters
    ----------
    name
        Of its class today.
    content
        Fields by name.
    version
        That wrote it.
    """
    made = dict(content)
    for since in sorted(CHANGES):
        if since > version and name in CHANGES[since]:
            made = CHANGES[since][name](made)
    return made
