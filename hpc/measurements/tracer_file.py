"""Measured rows of tracer diffusion from a CSV file, whatever the order, names and units of its columns."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from .table import fields_of

if TYPE_CHECKING:
    from ...analysis.study.tracer_rows import TracerRows

_LOGARITHMS = {"log10": 1.0, "log": 1.0, "lg": 1.0, "ln": 1 / math.log(10)}
_NAMES = {
    "temperature": ("t", "temperature", "temp"),
    "activity": ("a", "ao2", "activity"),
    "pressure": ("p", "po2", "pressure"),
    "D": ("d", "diffusivity", "dtracer"),
    "D0": ("d0",),
    "energy": ("e", "ea", "q", "energy"),
    "ion": ("ion", "tracer", "element", "species"),
    "composition": ("composition", "crystal", "host", "material", "compound", "formula"),
    "source": ("source", "reference"),
}
# To K, atm, cm2/s and kJ/mol.
_UNITS: dict[str, dict[str, Callable[[float], float]]] = {
    "temperature": {"k": lambda x: x, "c": lambda x: x + 273.15},
    "activity": {"": lambda x: x, "atm": lambda x: x},
    "pressure": {
        "atm": lambda x: x,
        "bar": lambda x: x / 1.01325,
        "mbar": lambda x: x / 1013.25,
        "pa": lambda x: x / 101325,
        "kpa": lambda x: x / 101.325,
    },
    "D": {"cm2 s": lambda x: x, "m2 s": lambda x: x * 1e4, "nm2 s": lambda x: x * 1e-14},
    "energy": {"kj mol": lambda x: x, "kcal mol": lambda x: 4.184 * x, "ev": lambda x: 96.48533212 * x},
}
_UNITS["D0"] = _UNITS["D"]
_SAID = {"cm2 s": "cm2_per_s", "m2 s": "m2_per_s", "nm2 s": "nm2_per_s", "kj mol": "kJ_per_mol", "ev": "eV"}
_SAID |= {"kcal mol": "kcal_per_mol", "k": "K", "c": "C", "pa": "Pa", "kpa": "kPa"}
_FILLING = {"in", "of", "per", "o2", "oxygen", "coefficient", "diffusion", "activation", "tracer", "1"}
_GAS_CONSTANT_kJ_PER_mol_K = 8.31446261815324e-3
_AIR_atm = 0.2095
_RANGES = {"temperature": (200.0, 3000.0), "log10 of the activity": (-40.0, 4.0), "log10 of D": (-40.0, 0.0)}
WANTED = (
    "temperature_K or _C; log10_a, p_O2_atm, _bar or _Pa (air is understood); D_cm2_per_s or _m2_per_s, also as "
    "log10_D_cm2_per_s, or D0 with E_kJ_per_mol or _eV; and, if known, ion, composition and source"
)


@dataclass(frozen=True)
class _Column:
    """What a column holds: a quantity of `_NAMES`, its unit, and the factor of its logarithm (0: none was taken)."""

    name: str
    quantity: str
    unit: str
    logarithm: float

    def value(self, text: str) -> float:
        """The decadic logarithm of what stands there, in this package's unit; a temperature or energy itself."""
        if self.quantity in ("activity", "pressure") and text.strip().lower() == "air":
            return math.log10(_AIR_atm)
        number = float(text)
        convert = _UNITS[self.quantity][self.unit]
        if self.quantity in ("temperature", "energy"):
            return convert(number)
        if self.logarithm:
            return number * self.logarithm + math.log10(convert(1.0))
        return math.log10(convert(number))


def read_tracer_rows(path: Path, *, ion: str = "", composition: str = "") -> list[TracerRows]:
    """Rows of a file, grouped by ion and crystal.

    Parameters
    ----------
    path
        CSV with a head line, parted by commas, or by semicolons or tabs with decimal commas.
    ion, composition
        Where the file does not say them.

    Raises
    ------
    UserError
        If a column is missing or has no unit, or a value is no number or lies outside `_RANGES`.
    """
    from ...analysis.study.tracer_rows import TracerRows

    names, lines = fields_of(path, WANTED)
    columns = {c.quantity: (n, c) for n, name in enumerate(names) if (c := _column(name, path)) is not None}
    has = ", ".join(names)
    atmosphere = "activity" if "activity" in columns else "pressure"
    for quantity, example in (("temperature", "temperature_K"), (atmosphere, "log10_a or p_O2_atm")):
        if quantity not in columns:
            raise UserError(f"data {path} has no column {example}; it has {has}, and needs {WANTED}")
    if "D" not in columns and not {"D0", "energy"} <= set(columns):
        raise UserError(f"data {path} has no column D_cm2_per_s; it has {has}, and needs {WANTED}")
    if "ion" not in columns and not ion:
        raise UserError(f"data {path} does not say whose D it is: add a column ion, or give --ion Co")
    groups: dict[tuple[str, str, str], list[tuple[float, float, float]]] = {}
    for number, line in lines:

        def at(quantity: str, line: list[str] = line, number: int = number) -> float:
            place, column = columns[quantity]
            try:
                value = column.value(line[place])
            except ValueError:
                raise UserError(
                    f"data {path}: line {number} has {line[place].strip() or 'nothing'} as {column.name}, which is no "
                    "such number (and one above zero where a logarithm is taken); mend or delete it"
                ) from None
            if not math.isfinite(value):
                raise UserError(f"data {path}: line {number} has {line[place]} as {column.name}; mend or delete it")
            return value

        def words(quantity: str, other: str, line: list[str] = line) -> str:
            return line[columns[quantity][0]].strip() if quantity in columns else other

        kelvin = at("temperature")
        D = at("D") if "D" in columns else math.nan
        if "D" not in columns:
            D = at("D0") - at("energy") / (_GAS_CONSTANT_kJ_PER_mol_K * max(kelvin, 1.0)) / math.log(10)
        row = kelvin, at(atmosphere), D
        for (what, (low, high)), value in zip(_RANGES.items(), row, strict=True):
            if not low <= value <= high:
                raise UserError(
                    f"data {path}: line {number}: {what} is {value:.4g} (in K, atm and cm2/s), outside {low:g} to "
                    f"{high:g}; is the unit of its column the one in its name?"
                )
        key = words("ion", ion), words("composition", composition), words("source", "")
        groups.setdefault(key, []).append(row)
    if not groups:
        raise UserError(f"data {path} has a head line and no rows")
    return [
        TracerRows(
            ion=re.sub(r"[^A-Za-z].*", "", who),
            composition=crystal,
            source=source,
            temperature_K=[r[0] for r in rows],
            log10_a=[r[1] for r in rows],
            log10_D=[r[2] for r in rows],
        )
        for (who, crystal, source), rows in groups.items()
    ]


def _column(name: str, path: Path) -> _Column | None:
    """What a head says; None if nothing of ours."""
    plain = name.lower().replace("²", "2").replace("₂", "2").replace("⁻¹", "").replace("°", " ").replace("-1", " ")
    plain = plain.replace("^", "").replace("celsius", "c").replace("kelvin", "k").replace("d*", "d")
    words = [w for w in re.split(r"[^a-z0-9]+", plain) if w]
    logarithm = next((_LOGARITHMS[w] for w in words if w in _LOGARITHMS), 0.0)
    words = [w for w in words if w not in _LOGARITHMS and (w not in _FILLING or words == [w])]
    # "tracer" alone is a column of ions, and beside others a filling word.
    quantity = next((q for q, known in _NAMES.items() if words and words[0] in known), None)
    if quantity is None:
        return None
    if quantity in ("ion", "composition", "source"):
        return _Column(name, quantity, "", 0.0)
    unit, known = " ".join(words[1:]), _UNITS[quantity]
    if unit in known:
        return _Column(name, quantity, unit, logarithm)
    units = ", ".join(_SAID.get(u, u or "none") for u in known)
    said = f"a unit that is not known, {unit}" if unit else "no unit"
    raise UserError(f"data {path}: column {name} has {said}; it may be in {units}, e.g. {_example(quantity, known)}")


def _example(quantity: str, known: dict[str, Callable[[float], float]]) -> str:
    unit = next(u for u in known if u)
    return f"{'p_O2' if quantity == 'pressure' else quantity}_{_SAID.get(unit, unit)}"
