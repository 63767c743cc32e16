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


def meant(**values: Any) -> Change:
    """Fields that came later, with the values that what was written before meant without saying so.

    For settings, whose defaults are today's choice; what an older document lacks is simply not there.
    """
    return lambda content: {**values, **content}


def several(*changes: Change) -> tuple[Change, ...]:
    """Changes of one class, in this order."""
    return changes


# Version that changed them: by class as it is called today, e.g. {2: {"Study": fields(declared="assumptions")}}.
CHANGES: Mapping[int, Mapping[str, Change | tuple[Change, ...]]] = {
    2: {
        # Its name was the version of results.json; that says `schema_version` now.
        "Study": without("schema", "schema_"),
        # A search had no limit of its own.
        "SurrogateSettings": meant(own_time_s=1e9),
        # A map had the mesh and the directions of the study.
        "MagnetoionicStudyMaker": fields(declared="assumptions"),
        "SpinOrbitSettings": meant(kpoint_spacing_per_A=None, lebedev_order=None),
        "VaspEngine": meant(incar={}, potcar={}, most_vacancies=None),
        "VaspSettings": meant(long_edge_A=15.0, long_edge_kpoints=None, incar={}, potcar={}),
    },
}


def _changes(since: int, name: str) -> tuple[Change, ...]:
    found = CHANGES[since].get(name, ())
    return found if isinstance(found, tuple) else (found,)


def old_field(name: str, today: str) -> str:
    """Name that a field of a class had in version 1."""
    for since in sorted(CHANGES, reverse=True):
        for change in reversed(_changes(since, name)):
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
        for change in _changes(since, name) if since > version else ():
            made = change(made)
    return made
