"""What has changed since it was first stored: names of classes and functions, and fields.

A class or job function that gets a new name adds a line to `NAMES`. A document or settings class whose fields change
adds a line to `CHANGES` under the version that is written since; readers of older versions apply it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import signature
from typing import Any, TypeVar

# Stored name: name today.
NAMES: Mapping[str, str] = {
    "Declarations": "Assumptions",
    "Evidence": "ReferenceCalculation",
    "FieldBarrier": "FieldPoint",
    "FieldMaker": "HopInFieldMaker",
    "FilmDeclaration": "FilmAssumptions",
    "PartnerPair": "CollinearPair",
    "Void": "InterstitialSite",
    "assemble_band": "collect_band",
    "assemble_study": "study_job",
}

Kind = TypeVar("Kind")
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

    def undone(self, field: str, value: Any) -> Any:
        """A value of a field, by its new name, as it was."""
        return value


def fields(**new_names: str) -> Renames:
    """Fields with new names, ``old="new"``."""
    return Renames(new_names)


class Counts(Renames):
    """Counts of one element that have become counts by element, under new names.

    Parameters
    ----------
    element
        That was counted.
    new_names
        By old name.
    """

    def __init__(self, element: str, new_names: Mapping[str, str]) -> None:
        super().__init__(new_names)
        self.element = element

    def __call__(self, content: dict[str, Any]) -> dict[str, Any]:
        """Content with counts by element."""
        counts = {n: {self.element: v} for n, v in content.items() if n in self.new_names and isinstance(v, int)}
        return super().__call__({**content, **counts})

    def undone(self, field: str, value: Any) -> Any:
        """The count of the one element."""
        return value.get(self.element, 0) if field in self.new_names.values() and isinstance(value, Mapping) else value


class Words:
    """Values of one field with new words, also in its lists, keys and after a comma of a longer name.

    Parameters
    ----------
    field
        Name of the field.
    new_words
        By old word.
    """

    def __init__(self, field: str, new_words: Mapping[str, str]) -> None:
        self.field = field
        self.new_words = dict(new_words)

    def __call__(self, content: dict[str, Any]) -> dict[str, Any]:
        """Content in the new words."""
        if self.field not in content:
            return content
        return {**content, self.field: _reworded(content[self.field], self.new_words)}

    def undone(self, field: str, value: Any) -> Any:
        """A value of a field in the old words."""
        return _reworded(value, {new: old for old, new in self.new_words.items()}) if field == self.field else value


def _reworded(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        head, comma, last = value.rpartition(", ")
        return f"{head}{comma}{words.get(last, last)}"
    if isinstance(value, Mapping):
        return {_reworded(k, words): _reworded(v, words) for k, v in value.items()}
    return [_reworded(v, words) for v in value] if isinstance(value, list | tuple) else value


def reworded(field: str, **new_words: str) -> Words:
    """Values of a field with new words, ``old="new"``; underscores of the old ones stand for blanks."""
    return Words(field, {old.replace("_", " "): new for old, new in new_words.items()})


def inside(field: str, **new_names: str) -> Change:
    """Keys with new names anywhere inside a field of plain values."""

    def renamed(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {new_names.get(k, k): renamed(v) for k, v in value.items()}
        return [renamed(v) for v in value] if isinstance(value, list | tuple) else value

    return lambda content: {k: renamed(v) if k == field else v for k, v in content.items()}


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


def _points_of_the_path(content: dict[str, Any]) -> dict[str, Any]:
    """Barriers along the hop had a document of their own, without treatment and slope of the reaction energy."""
    try:
        along = [float(image["dipole_along_hop_e_A"]) for image in content["images"]]
        known = {"tier": "work along the zero-field path", "slope_delta_e_A": along[0] - along[-1]}
        return {**content, "field": [{**known, **point} for point in content["field"]]}
    except (LookupError, TypeError, ValueError):
        # No migration: its validation says why.
        return content


def _source_of_dipoles(content: dict[str, Any]) -> dict[str, Any]:
    """The source stood in brackets behind the treatment of the field."""
    _, _, source = str(content.get("field_treatment")).rstrip(")").partition("(")
    known = ("point charges", "Born charges", "Berry phase")
    return {"dipole_source": source if source in known else None, **content}


def _binding_as_observable(content: dict[str, Any]) -> dict[str, Any]:
    """Energies against the neighbours of a vacancy had a field of their own."""
    new = dict(content)
    binding = new.pop("binding", None)
    if binding is not None:
        new["observables"] = {**new.get("observables", {}), "binding": {"document": "VacancyBinding", **binding}}
    return new


def _of_ends(content: dict[str, Any]) -> dict[str, Any]:
    """Only the name of a check told whether it judges the ends of a band."""
    name = str(content.get("name"))
    return {"of_ends": "end relaxed" in name or "flip" in name, **content}


def _fields_of_engines(content: dict[str, Any]) -> dict[str, Any]:
    """Fields of this maker were in V/m."""
    sizes, limit = content.get("fields_V_per_m", (-1e8, 0.0, 1e8)), content.get("breakdown_V_per_m")
    fields = {
        "fields_V_per_A": [1e-10 * f for f in sizes],
        "breakdown_V_per_A": None if limit is None else 1e-10 * limit,
    }
    return {**fields, **without("fields_V_per_m", "breakdown_V_per_m")(content)}


# Version that changed them: by class as it is called today, e.g. {3: {"Study": fields(declared="assumptions")}}.
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
    3: {
        "Check": _of_ends,
        "BandSettings": fields(images_per_hump="images_per_segment"),
        "EngineResult": fields(tier="level_of_theory"),
        "FieldPoint": fields(
            tier="treatment", controlling_hump="controlling_saddle_index", identity_residual_eV="residual_i_eV"
        ),
        "FrozenCoupling": reworded("h_source", declared="given"),
        "HopInFieldMaker": _fields_of_engines,
        "KnownCalculation": fields(tier="level_of_theory"),
        "MagnetoionicStudyMaker": meant(stage_options={}),
        "Migration": several(fields(field_tier="field_treatment"), _points_of_the_path, _source_of_dipoles),
        "Phase": reworded("confidence", declared="given"),
        "Provenance": several(
            fields(tier="level_of_theory"),
            reworded("engine", declared="given"),
            inside("settings", images_per_hump="images_per_segment"),
            reworded("settings", declared="nominal"),
        ),
        "StatePair": several(
            fields(kept_part_meV="unchanged_part_meV"), reworded("kind", right_and_left_partner="right and left ion")
        ),
        "Study": fields(declared="assumptions"),
        "SwitchingPath": fields(kept_part_meV="unchanged_part_meV"),
        "VacancyResult": fields(moments_found="moments_computed"),
        "VaspBandSettings": fields(images_per_hump="images_per_segment"),
        "VaspEngine": several(
            reworded("electronic_starts", declared="nominal"), reworded("occupation_matrices", declared="nominal")
        ),
        # A job function: its arguments.
        "relax_starts": several(reworded("names", declared="nominal"), reworded("matrices", declared="nominal")),
    },
    4: {
        # Only Co was counted.
        "BindingSample": fields(cobalt_neighbours="neighbours"),
        "Study": _binding_as_observable,
        "VacancyBinding": several(meant(neighbour="Co"), fields(per_cobalt="per_neighbour")),
        "VacancyResult": Counts("Co", {"cobalt_neighbours": "near_cations"}),
        "VacancySite": Counts("Co", {"cobalt_neighbours": "near_cations", "collinear_cobalt_pairs": "pairs_in_line"}),
        "VacancyState": Counts("Co", {"cobalt_neighbours": "near_cations"}),
    },
}
# Versions of the schema since the last release: names that they replaced still work, with a warning.
_SINCE_RELEASE = (3, 4)


def _changes(since: int, name: str) -> tuple[Change, ...]:
    changes = CHANGES[since].get(name, ())
    return changes if isinstance(changes, tuple) else (changes,)


def old_field(name: str, today: str, version: int = 1) -> str:
    """Name that a field of a class had in a version, by its name today."""
    for since in sorted(CHANGES, reverse=True):
        for change in reversed(_changes(since, name)) if since > version else ():
            if isinstance(change, Renames):
                today = next((old for old, new in change.new_names.items() if new == today), today)
    return today


def old_value(name: str, field: str, value: Any, version: int = 1) -> Any:
    """A value of a field of a class, by its name today, in the words of a version."""
    for since in sorted(CHANGES, reverse=True):
        for change in reversed(_changes(since, name)) if since > version else ():
            if isinstance(change, Renames | Words):
                value = change.undone(field, value)
    return value


def new_names(name: str) -> dict[str, str]:
    """Fields of a class that were renamed since the last release, by old name."""
    names: dict[str, str] = {}
    for change in _recent(name):
        names |= change.new_names
    return names


def _recent(name: str) -> list[Renames]:
    return [change for since in _SINCE_RELEASE for change in _changes(since, name) if isinstance(change, Renames)]


def with_new_names(name: str, content: Mapping[str, Any], level: int = 4) -> Mapping[str, Any]:
    """Arguments of a class with the names that they have today; an old name works for one version and warns."""
    renamed = new_names(name)
    old_names = [n for n in content if n in renamed and n not in renamed.values()]
    for old in old_names:
        warn_of(name, old, renamed[old], level)
    for change in _recent(name) if old_names else ():
        content = change(dict(content))
    return content


def under_old_name(owner: Any, old: str, new: str) -> Any:
    """What an object or class holds under a new name, as it was under the old one; warns."""
    name = owner.__name__ if isinstance(owner, type) else type(owner).__name__
    warn_of(name, old, new, 4)
    return old_value(name, new, getattr(owner, new), _SINCE_RELEASE[0] - 1)


def warn_of(owner: str, old: str, new: str, level: int = 3) -> None:
    """Tell that something has a new name, `level` calls above this one."""
    text = f"{owner}.{old} is called {new} now; the old name goes with the next version"
    warnings.warn(text, FutureWarning, stacklevel=level)


def takes_old_names(cls: type[Kind]) -> type[Kind]:
    """Decorator of a settings class above ``@dataclass``: fields may be given and read under their old names."""
    original = cls.__init__

    def __init__(self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **with_new_names(cls.__name__, options))

    cls.__init__ = wraps(original)(__init__)  # type: ignore[method-assign]
    # What lists the arguments follows no wrapper.
    cls.__init__.__signature__ = signature(original)  # type: ignore[attr-defined]
    for old, new in new_names(cls.__name__).items():
        setattr(cls, old, OldName(old, new))
    return cls


class OldName:
    """Attribute that has a new name, of a class and of its instances."""

    def __init__(self, old: str, new: str) -> None:
        self.old, self.new = old, new

    def __get__(self, instance: Any, owner: type) -> Any:
        """What the new name gives."""
        return under_old_name(owner if instance is None else instance, self.old, self.new)


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
    new = dict(content)
    for since in sorted(CHANGES):
        for change in _changes(since, name) if since > version else ():
            new = change(new)
    return new
