"""JSON from outside: which classes a file may name.

Decoding of MSONable JSON imports whatever module a file names and calls the class it finds there.
Every file that this package decodes is checked first: only documents of this package, of pymatgen,
emmet and atomate2, and a few plain types may be named, and never a function. A class may be named where it is
defined only: modules also hold what they import, and that may open any file.
"""

from __future__ import annotations

import importlib
import json
from functools import cache
from typing import Any

from ...stored import PACKAGE
from ...stored import __name__ as STORED
from ...stored.old_names import stored_name
from ...stored.resolve import stored_homes

# Modules of this package, relative to it, whose stored classes are data: building one computes nothing and touches no
# file.
_OWN_ROOMS = ("analysis.", "structures.", "calculators.")
_OWN_MODULES = {
    "workflows.band.driver",
    "workflows.band.states",
    "workflows.field.requests",
    "workflows.gpaw.settings",
    "workflows.vasp.finished.document",
    "workflows.vasp.neb",
    "workflows.vasp.settings",
    "workflows.vasp.spin_orbit",
}
# The same in other packages.
_PREFIXES = (
    "emmet.core.",
    "atomate2.ase.schemas",
    "atomate2.common.schemas.",
    "atomate2.forcefields.schemas",
    "atomate2.vasp.schemas.",
)
_MODULES = {
    "pymatgen.core.structure",
    "pymatgen.core.lattice",
    "pymatgen.core.composition",
    "pymatgen.core.entries",
    "pymatgen.core.periodic_table",
    "pymatgen.core.sites",
    "pymatgen.core.operations",
    "pymatgen.core.trajectory",
    "pymatgen.core.units",
    "pymatgen.core.tensors",
    "pymatgen.analysis.elasticity.strain",
    "pymatgen.analysis.elasticity.stress",
    "pymatgen.electronic_structure.core",
    "pymatgen.electronic_structure.dos",
    "pymatgen.electronic_structure.bandstructure",
    "pymatgen.entries.computed_entries",
    "pymatgen.entries.compatibility",
    "pymatgen.io.vasp.inputs",
    "pymatgen.io.vasp.sets",
    "pymatgen.io.common",
    "pymatgen.symmetry.analyzer",
    "pymatgen.phonon.bandstructure",
    "pymatgen.phonon.dos",
    # Descriptions of how VASP was run, kept in atomate2's documents; building one starts nothing.
    "custodian.vasp.jobs",
    "custodian.vasp.handlers",
    "custodian.vasp.validators",
}
_CLASSES = {
    # Others there read the file that they are given.
    *(("pymatgen.io.vasp.outputs", name) for name in ("VolumetricData", "Chgcar", "Locpot", "Elfcar")),
    # What every VASP run's document holds; it has no way back, so a decoder leaves it the plain mapping that it is.
    ("pymatgen.io.vasp.outputs", "Outcar"),
    ("builtins", "complex"),
    ("datetime", "datetime"),
    ("uuid", "UUID"),
    ("numpy", "array"),
    # Resources of a job, which its metadata carry to a scheduler.
    ("qtoolkit.core.data_objects", "ProcessPlacement"),
    ("qtoolkit.core.data_objects", "QResources"),
    ("bson.objectid", "ObjectId"),
    ("jobflow.core.reference", "OutputReference"),
    ("jobflow.core.schemas", "JobStoreDocument"),
}
_DEEPEST = 200


class UnsafeFileError(ValueError):
    """A file names a class or function that is not on the list; the message says which and where."""


def check_classes(value: Any, where: str) -> None:
    """Refuse decoded JSON that names anything but known data classes.

    Parameters
    ----------
    value
        What ``json.loads`` gave.
    where
        For the message.

    Raises
    ------
    UnsafeFileError
        With the class or function that the file names.
    """
    stack: list[tuple[Any, int]] = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        if depth > _DEEPEST:
            raise UnsafeFileError(f"{where} is nested more than {_DEEPEST} deep; nothing was read from it")
        if isinstance(item, dict):
            if "@module" in item:
                _check_name(item, where)
            stack.extend((v, depth + 1) for v in item.values() if isinstance(v, dict | list))
        elif isinstance(item, list):
            if item and isinstance(item[0], float | int | str):
                # Long rows of numbers are most of a file; only containers can name a class.
                item = [v for v in item if isinstance(v, dict | list)]
            stack.extend((v, depth + 1) for v in item)


def _check_name(item: dict[str, Any], where: str) -> None:
    module, name = item["@module"], item.get("@class")
    if "@callable" in item or not isinstance(module, str) or not isinstance(name, str):
        named = f"{module}.{item.get('@callable', name)}"
    elif _allowed(module, name):
        return
    else:
        named = f"{module}.{name}"
    raise UnsafeFileError(
        f"{where} names {named[:120]!r}, which is no known kind of result; nothing was read from it. "
        "Use only files from someone you trust, and tell them"
    )


def _allowed(module: str, name: str) -> bool:
    if (module, name) in _CLASSES:
        return True
    if not name.isidentifier() or name.startswith("_") or not all(p.isidentifier() for p in module.split(".")):
        return False
    if module.split(".")[0] == PACKAGE:
        return _is_own_data(module.removeprefix(f"{PACKAGE}."), name)
    return (module in _MODULES or f"{module}.".startswith(_PREFIXES)) and _is_at_home(module, name)


def _is_own_data(module: str, name: str) -> bool:
    """Whether a class is named as this version or version 1 names it, and every class of that name is data."""
    known = name if f"{PACKAGE}.{module}" == STORED else stored_name(module, name)
    homes = stored_homes(known) if known is not None else ()
    return bool(homes) and all(home.startswith(_OWN_ROOMS) or home in _OWN_MODULES for home in homes)


@cache
def _is_at_home(module: str, name: str) -> bool:
    """Whether a class was defined in the module that names it, and not taken over from elsewhere.

    A package that is not installed can do no harm: a decoder leaves what names it the plain mapping that it is.
    """
    try:
        value = getattr(importlib.import_module(module), name, None)
    except ImportError:
        return True
    return isinstance(value, type) and value.__module__ == module


def loads(text: str | bytes, where: str) -> Any:
    """Plain values from JSON text, checked by `check_classes`.

    Raises
    ------
    ValueError
        If the text is no JSON; `UnsafeFileError` if it names an unknown class.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise UnsafeFileError(f"{where} is nested too deep; nothing was read from it") from None
    check_classes(value, where)
    return value
