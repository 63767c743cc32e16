"""Settings of an engine from a YAML file, so that every field can be set on the command line.

```yaml
# magnetoionics run cofe2o4 --engine gpaw:settings.yaml
dft:
  cutoff_eV: 500
  k_mesh: [2, 2, 2]
fmax_eV_per_A: 0.03
```

The keys are the fields of the engine's dataclass; a field that is a dataclass itself takes a block. ``protocol: fast``
beside them sets what the file leaves out, see `engine.PROTOCOLS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from ...stored.renamed import with_new_names
from ...structures.io.untrusted_input import read_yaml
from ...structures.similar import did_you_mean
from ..errors import UnknownEngineError

if TYPE_CHECKING:
    from ..engine import Engine

ENDINGS = (".yaml", ".yml")
PROTOCOL = "protocol"


class EngineSettingsError(UnknownEngineError):
    """A settings file that cannot be used; the message names file, entry and remedy."""


def settings_from_file(engine: type[Engine], path: Path, protocol: str | None = None) -> dict[str, Any]:
    """Fields of an engine as a YAML file sets them; what it does not name keeps its default.

    Parameters
    ----------
    engine
        Class of the engine.
    path
        YAML file, see the head of this module.
    protocol
        Whose values the file goes over; the file may name one itself.

    Raises
    ------
    EngineSettingsError
        If there is no such file, an entry is unknown, or a value is not of its kind or out of its range.
    """
    try:
        entries = read_yaml(path)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise EngineSettingsError(f"settings of engine {engine.name}: {error}") from error
    if not isinstance(entries, Mapping):
        raise EngineSettingsError(f"{path.name} must hold the settings of engine {engine.name} as `name: value` lines")
    entries = dict(entries)
    named = entries.pop(PROTOCOL, None)
    if named is not None and protocol is not None and str(named) != protocol:
        raise EngineSettingsError(f"{path.name} says protocol: {named}, and {protocol} is asked for; keep one of them")
    try:
        base = {} if named is None and protocol is None else engine.of_protocol(str(named or protocol))
    except UnknownEngineError as error:
        raise EngineSettingsError(f"{path.name}: {error}") from error
    options = {**base, **_values(engine, entries, path.name, base)}
    try:
        engine(**options)
    except (ValueError, TypeError) as error:
        raise EngineSettingsError(f"{path.name}: {error}") from error
    return options


def _values(
    owner: type[Any], entries: Mapping[str, Any], where: str, base: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Each entry as its field wants it; `where` says which block it is in, `base` holds blocks to go over."""
    entries = with_new_names(owner.__name__, entries)
    known = [f.name for f in fields(owner) if f.init]
    if unknown := [str(name) for name in entries if name not in known]:
        meant = did_you_mean(unknown[0], known)
        raise EngineSettingsError(f"{where} has no setting {', '.join(unknown)}{meant}; known: {', '.join(known)}")
    hints = get_type_hints(owner)
    blocks = base or {}
    return {name: _value(hints[name], given, f"{where}: {name}", blocks.get(name)) for name, given in entries.items()}


def _value(hint: Any, given: Any, where: str, base: Any = None) -> Any:
    block = next((h for h in (hint, *get_args(hint)) if isinstance(h, type) and is_dataclass(h)), None)
    if block is not None and given is not None:
        if not isinstance(given, Mapping):
            names = ", ".join(f.name for f in fields(block))
            raise EngineSettingsError(f"{where} takes a block with some of: {names}")
        options = _values(block, given, where)
        try:
            return block(**options) if base is None else replace(base, **options)
        except (ValueError, TypeError) as error:
            raise EngineSettingsError(f"{where}: {error}") from error
    try:
        # YAML reads 1e-6 as a text and [2, 2, 2] as a list: this makes them the number and the tuple that are meant.
        return TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True)).validate_python(given)
    except ValidationError as error:
        reason = "; ".join(e["msg"] for e in error.errors())
        raise EngineSettingsError(f"{where} = {given!r}: {reason}") from error
