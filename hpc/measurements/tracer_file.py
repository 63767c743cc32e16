"""Measured rows of tracer diffusion from a CSV file, whatever the order, names and units of its columns."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from .table import fields_of
from .tracer_tables import TracerTable, tables_of

if TYPE_CHECKING:
    from ...analysis.study.tracer_rows import TracerRows

_LOGARITHMS = {"log10": 1.0, "log": 1.0, "lg": 1.0, "ln": 1 / math.log(10)}
_NAMES = {
    "temperature": ("t", "temperature", "temp"),
    "activity": ("a", "ao2", "activity", "oxygenactivity"),
    "pressure": ("p", "po2", "fo2", "pressure", "fugacity", "partialpressure", "oxygenpartialpressure"),
    "atmosphere": ("atmosphere", "gas"),
    "D": ("d", "diffusivity", "dtracer", "diffusioncoefficient"),
    "D0": ("d0",),
    "energy": ("e", "ea", "q", "energy", "activationenergy"),
    "ion": ("ion", "tracer", "element", "species", "isotope"),
    "composition": ("composition", "crystal", "host", "material", "compound", "formula", "x", "y", "z"),
    "source": ("source", "reference"),
}
_WORDS = ("ion", "composition", "source")
# All of them are the decadic logarithm of the activity of O2.
_OXYGEN = ("activity", "pressure", "atmosphere")
# To K, atm, cm2/s and kJ/mol.
_UNITS: dict[str, dict[str, Callable[[float], float]]] = {
    "temperature": {"k": lambda x: x, "c": lambda x: x + 273.15},
    "activity": {"": lambda x: x, "atm": lambda x: x},
    "atmosphere": {"": lambda x: math.nan},
    "pressure": {
        "atm": lambda x: x,
        "bar": lambda x: x / 1.01325,
        "mbar": lambda x: x / 1013.25,
        "pa": lambda x: x / 101325,
        "hpa": lambda x: x / 1013.25,
        "kpa": lambda x: x / 101.325,
        "torr": lambda x: x / 760,
        "mmhg": lambda x: x / 760,
    },
    "D": {
        "cm2s": lambda x: x,
        "m2s": lambda x: x * 1e4,
        "mm2s": lambda x: x * 1e-2,
        "um2s": lambda x: x * 1e-8,
        "nm2s": lambda x: x * 1e-14,
    },
    "energy": {
        "kjmol": lambda x: x,
        "jmol": lambda x: 1e-3 * x,
        "kcalmol": lambda x: 4.184 * x,
        "ev": lambda x: 96.48533212 * x,
    },
}
_UNITS["D0"] = _UNITS["D"]
_SAID = {"cm2s": "cm2_per_s", "m2s": "m2_per_s", "mm2s": "mm2_per_s", "um2s": "um2_per_s", "nm2s": "nm2_per_s"}
_SAID |= {"kjmol": "kJ_per_mol", "jmol": "J_per_mol", "ev": "eV", "kcalmol": "kcal_per_mol", "k": "K", "c": "C"}
_SAID |= {"pa": "Pa", "hpa": "hPa", "kpa": "kPa", "mmhg": "mmHg"}
_FILLING = {"in", "of", "per", "o2", "coefficient", "diffusion", "activation", "tracer", "oxygen", "partial", "the"}
_ASIDE = {"error", "err", "sigma", "uncertainty", "std", "sd", "stdev", "deviation", "delta", "number", "no", "id"}
# 1000/T, 10^4/T or 1/T, in 1/K.
_INVERSE = re.compile(r"^(1|10+|10\^?[345]|1e[345])\s*/\s*t\b")
# A share of one element or another, as x or x(Mn).
_SHARE = re.compile(r"[xyz](?![a-z])", re.IGNORECASE)
# Temperatures between which a law D0 exp(-E/RT) was measured.
_RANGE = re.compile(r"(\d+(?:\.\d+)?)\s*[-–]\s*(\d+(?:\.\d+)?)")
_GAS_CONSTANT_kJ_PER_mol_K = 8.31446261815324e-3
_GASES = {"air": 0.2095, "o2": 1.0, "oxygen": 1.0, "pure oxygen": 1.0}
_RANGES = {"temperature": (200.0, 3000.0), "log10 of the activity": (-40.0, 4.0), "log10 of D": (-40.0, 0.0)}
# Two columns of one quantity may differ by so much, K or decades, before one of them must be wrong.
_ROUNDED = {"temperature": 1.0}
_ROUNDED_DECADES = 0.02
WANTED = (
    "temperature_K or _C; log10_a, p_O2_atm, _bar or _Pa (air is understood); D_cm2_per_s or _m2_per_s, also as "
    "log10_D_cm2_per_s, or D0 with E_kJ_per_mol or _eV; and, if known, ion, composition and source"
)


@dataclass(frozen=True)
class _Column:
    """What a column holds.

    Attributes
    ----------
    name, place
        As it stands in the head.
    quantity, unit
        Of `_NAMES` and `_UNITS`.
    logarithm
        Factor from its logarithm to the decadic one; 0: none was taken.
    over
        What the temperature divides, of columns such as 1000/T; 0: nothing.
    ion
        Whose D it is, where the head says so.
    """

    name: str
    place: int
    quantity: str
    unit: str
    logarithm: float
    over: float = 0.0
    ion: str = ""

    def value(self, text: str) -> float:
        """The decadic logarithm of what stands there, in this package's unit; a temperature or energy itself."""
        if self.quantity in _OXYGEN and text.strip().lower() in _GASES:
            return math.log10(_GASES[text.strip().lower()])
        number = _number(text)
        if self.over:
            number = self.over / number if number else math.nan
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
        CSV with a head line, parted by commas, or by semicolons or tabs with decimal commas; or a JSON file of tables,
        see `tracer_tables`.
    ion, composition
        Where the file does not say them.

    Raises
    ------
    UserError
        If a column is missing or has no unit, two columns contradict each other, or a value is no number or lies
        outside `_RANGES`.
    """
    from ...analysis.study.tracer_rows import TracerRows

    tables = tables_of(path) if path.suffix.lower() == ".json" else [TracerTable("", *fields_of(path, WANTED))]
    groups: dict[tuple[str, str, str], list[tuple[float, float, float]]] = {}
    for table in tables:
        for key, numbers in _rows_of(path, table, ion, composition):
            groups.setdefault(key, []).extend(numbers)
    if not groups:
        raise UserError(f"data {path} has a head line and no rows")
    return [
        TracerRows(
            ion=who,
            composition=crystal,
            source=source,
            temperature_K=[r[0] for r in rows],
            log10_a=[r[1] for r in rows],
            log10_D=[r[2] for r in rows],
        )
        for (who, crystal, source), rows in groups.items()
    ]


def _rows_of(
    path: Path, table: TracerTable, ion: str, composition: str
) -> Iterator[tuple[tuple[str, str, str], list[tuple[float, float, float]]]]:
    """Ion, crystal and source of every line of a table, with its numbers."""
    columns = [c for n, name in enumerate(table.names) if (c := _column(name, n, path)) is not None]
    ions = _check(path, table.names, columns, ion)
    for number, line in table.lines:
        where = f"row {number} of {table.title!r}" if table.title else f"line {number}"
        for who in ions:
            own = _Row(path, where, line, [c for c in columns if c.ion in ("", who)])
            if who and len(ions) > 1 and not own.has("D"):
                continue
            element = _element(own.words("ion") or who or ion, path, where)
            if who and element != who:
                raise UserError(f"data {path}: {where} is of {element} and its D of {who}; keep one of them")
            yield (element, own.words("composition") or composition, own.words("source")), own.numbers()


def _check(path: Path, names: Sequence[str], columns: Sequence[_Column], ion: str) -> list[str]:
    """Whose D the columns of a file are, one word for each kind; ``""`` where a column or an option says it.

    Raises
    ------
    UserError
        If something is missing.
    """
    has = {c.quantity for c in columns}
    for some, example in ((["temperature"], "temperature_K"), (_OXYGEN, "log10_a or p_O2_atm")):
        if not has & set(some):
            raise UserError(f"data {path} has no column {example}; it has {', '.join(names)}, and needs {WANTED}")
    if "D" not in has and not {"D0", "energy"} <= has:
        raise UserError(f"data {path} has no column D_cm2_per_s; it has {', '.join(names)}, and needs {WANTED}")
    ions = list(dict.fromkeys(c.ion for c in columns if c.quantity in ("D", "D0")))
    if "" in ions and "ion" not in has and not ion:
        raise UserError(f"data {path} does not say whose D it is: add a column ion, or give --ion Co")
    return ions


class _Row:
    """One line of a file."""

    def __init__(self, path: Path, where: str, fields: Sequence[str], columns: Sequence[_Column]) -> None:
        self.path, self.where, self.fields, self.columns = path, where, fields, columns

    def has(self, *quantities: str) -> bool:
        """Whether something stands in one of their columns."""
        return any(c.quantity in quantities and self.fields[c.place].strip() for c in self.columns)

    def words(self, quantity: str) -> str:
        """What stands in its columns; of a share x, with that name."""
        said = [(c.name.strip(), self.fields[c.place].strip()) for c in self.columns if c.quantity == quantity]
        return ", ".join(f"{name} = {text}" if _SHARE.match(name) else text for name, text in said if text)

    def numbers(self) -> list[tuple[float, float, float]]:
        """Temperature, log10 of the activity and log10 D; of a law over a range of temperatures at three of them.

        Raises
        ------
        UserError
            If one is no number, lies outside `_RANGES`, or has two values.
        """
        return [self._at(kelvin) for kelvin in self._temperatures()]

    def _temperatures(self) -> list[float]:
        if self.has("D0") and not self.has("D"):
            for column in self.columns:
                said = _RANGE.fullmatch(self.fields[column.place].strip()) if column.quantity == "temperature" else None
                if said is not None:
                    low, high = (column.value(text) for text in said.groups())
                    return [low, (low + high) / 2, high]
        return [self._of("temperature")]

    def _at(self, kelvin: float) -> tuple[float, float, float]:
        if self.has("D") or not self.has("D0"):
            D = self._of("D")
        else:
            D = self._of("D0") - self._of("energy") / (_GAS_CONSTANT_kJ_PER_mol_K * max(kelvin, 1.0)) / math.log(10)
        found = kelvin, self._of(*_OXYGEN), D
        for (what, (low, high)), value in zip(_RANGES.items(), found, strict=True):
            if not low <= value <= high:
                raise UserError(
                    f"data {self.path}: {self.where}: {what} is {value:.4g} (in K, atm and cm2/s), outside "
                    f"{low:g} to {high:g}; is the unit of its column the one in its name?"
                )
        return found

    def _of(self, *quantities: str) -> float:
        """The one value of all columns that hold it."""
        own = [c for c in self.columns if c.quantity in quantities]
        # A gap in one of several columns is filled by the others.
        own = [c for c in own if self.fields[c.place].strip()] or own
        values = [self._value(c) for c in own]
        apart = max(values) - min(values)
        if apart > _ROUNDED.get(quantities[0], _ROUNDED_DECADES):
            told = " and ".join(f"{self.fields[c.place].strip()} as {c.name}" for c in own)
            raise UserError(f"data {self.path}: {self.where} has {told}, which are not the same; keep one of them")
        return values[0]

    def _value(self, column: _Column) -> float:
        said = self.fields[column.place].strip()
        try:
            value = column.value(said)
        except (ValueError, OverflowError):
            value = math.nan
        if not math.isfinite(value):
            raise UserError(
                f"data {self.path}: {self.where} has {said or 'nothing'} as {column.name}, which is no such "
                "number (and one above zero where a logarithm is taken); mend or delete it"
            )
        return value


def _number(text: str) -> float:
    """A number as tables print it: with a minus sign of typography, or a power of ten."""
    power = re.fullmatch(r"(?:([-+]?[\d.]+)\s*[x*·∙]\s*)?10\^?\(?([-+]?\d+)\)?", said := _plain(text))
    if power is not None and ("^" in said or power[1]):
        return float(power[1] or 1) * 10.0 ** int(power[2])
    return float(said.replace("d", "e"))


def _plain(text: str) -> str:
    """In lower case and in ASCII where that says the same: ``10⁻⁸`` as ``10^-8``, ``µm²`` as ``um^2``."""
    raised = str.maketrans("⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹", "-+0123456789")
    text = re.sub("[⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: "^" + m[0].translate(raised), text.strip())
    return text.translate(str.maketrans("−–×µμ₂₀₁", "--xuu201")).lower()


def _element(said: str, path: Path, where: str) -> str:
    """The element of an ion or isotope: of ``Co2+``, ``60Co``, ``Co-60`` and ``cobalt``.

    Raises
    ------
    UserError
        If there is none.
    """
    from pymatgen.core import Element

    names: dict[str, str] = {e.long_name.lower(): e.symbol for e in Element}
    bare = re.sub(r"^[^A-Za-z]*\d*[^A-Za-z]*([A-Za-z]*).*$", r"\1", said)
    symbol = names.get(bare.lower(), bare)
    symbol = symbol if Element.is_valid_symbol(symbol) else symbol.capitalize()
    if not Element.is_valid_symbol(symbol):
        raise UserError(f"data {path}: {where} has {said or 'nothing'} as the ion; give an element, e.g. Co")
    return symbol


def _symbol(word: str) -> str:
    """The element that a word of a head names, with its mass before it or not; empty if none."""
    from pymatgen.core import Element

    symbol = re.sub(r"^\d+", "", word).capitalize()
    return symbol if Element.is_valid_symbol(symbol) else ""


def _column(name: str, place: int, path: Path) -> _Column | None:
    """What a head says; None if nothing of ours.

    Raises
    ------
    UserError
        If it is ours and has no unit that is known.
    """
    plain = (
        _plain(name)
        .replace("°", " ")
        .replace("celsius", "c")
        .replace("degc", "c")
        .replace("kelvin", "k")
        .replace("*", " ")
    )
    inverse = _INVERSE.match(plain)
    over = 0.0
    if inverse is not None:
        power = inverse[1].replace("^", "")
        over = float(power.replace("10", "1e", 1)) if re.fullmatch("10[345]", power) else float(power)
        plain = "t " + plain[inverse.end() :]
    negative = bool(re.match(r"^\s*(-|minus\b)", plain))
    plain = re.sub(r"\^?-1\b", " ", plain).replace("^", "")
    words = [w for w in re.split(r"[^a-z0-9]+", plain) if w and w != "minus"]
    if set(words) & _ASIDE:
        return None
    words = [part for w in words for part in _unglued(w)]
    logarithm = next((_LOGARITHMS[w] for w in words if w in _LOGARITHMS), 0.0) * (-1 if negative else 1)
    words = [w for w in words if w not in _LOGARITHMS]
    # "tracer" alone is a column of ions, and beside others a filling word.
    words = ["d", *words] if {"diffusion", "coefficient"} <= set(words) and "d" not in words else words
    words = words if len(words) == 1 else [w for w in words if w not in _FILLING]
    quantity = next((q for q, known in _NAMES.items() if words and words[0] in known), None)
    if quantity is None:
        return None
    if quantity in _WORDS:
        return _Column(name, place, quantity, "", 0.0)
    ion = _symbol(words[1]) if quantity in ("D", "D0") and len(words) > 1 else ""
    unit, known = "".join(w for w in words[2 if ion else 1 :] if w != "1"), _UNITS[quantity]
    # 1/K of an inverse temperature may be left out.
    unit = "k" if over and unit == "" else unit
    if unit in known and not (over and unit != "k") and not (negative and not logarithm):
        return _Column(name, place, quantity, unit, logarithm, over, ion)
    units = ", ".join(_SAID.get(u, u or "none") for u in known)
    said = f"a unit that is not known, {' '.join(words[1:])}" if unit else "no unit"
    raise UserError(f"data {path}: column {name} has {said}; it may be in {units}, e.g. {_example(quantity, known)}")


def _unglued(word: str) -> list[str]:
    """``log10d`` as ``log10`` and ``d``, and ``dco`` as ``d`` and ``co``."""
    head = re.match(r"^(log10|log|lg|ln)(?=[a-z])", word)
    if head is not None:
        return [head[0], *_unglued(word[head.end() :])]
    known = {n for names in _NAMES.values() for n in names}
    if word not in known and (tail := re.match(r"^d(?=\d*[a-z]{1,2}$)", word)) and _symbol(word[tail.end() :]):
        return ["d", word[1:]]
    unit = next((u for u in _UNITS["D"] if word in (f"d{u}", f"{u}1")), "")
    return ["d", unit] if unit and word.startswith("d") else [unit or word]


def _example(quantity: str, known: dict[str, Callable[[float], float]]) -> str:
    unit = next((u for u in known if u), "")
    return f"{'p_O2' if quantity == 'pressure' else quantity}_{_SAID.get(unit, unit)}".rstrip("_")
