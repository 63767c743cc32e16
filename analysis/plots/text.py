"""From the plain ASCII of documents and messages to what a page prints: formulas, units, powers of ten, arrows."""

from __future__ import annotations

import re
from collections.abc import Callable

_SUB = str.maketrans("0123456789-xd", "₀₁₂₃₄₅₆₇₈₉₋ₓδ")
_SUPER = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")
# Elements with two letters, and oxygen.
_ELEMENT = (
    "(?:O|Li|Be|Na|Mg|Al|Si|Cl|Ca|Sc|Ti|Cr|Mn|Fe|Co|Ni|Cu|Zn|Ga|Ge|Se|Br|Rb|Sr|Zr|Nb|Mo|Ru|Rh|Pd|Ag|Cd|In|Sn|Sb|Te|"
    "Cs|Ba|La|Ce|Pr|Nd|Sm|Eu|Gd|Tb|Dy|Ho|Er|Tm|Yb|Lu|Hf|Ta|Ir|Pt|Au|Hg|Tl|Pb|Bi)"
)
# How much of an element or a group: a number, or what is open, as in 3-d and x.
_AMOUNT = r"(?:\d+(?:\.\d+)?(?:-[dx](?![a-z]))?|x(?![a-z]))"
# Letters such as K, P and U also name quantities: they are elements beside another one.
_LETTER = rf"(?:[HBCNFPSKVYIWU]{_AMOUNT}?)"
_PART = rf"(?:{_ELEMENT}{_AMOUNT}?|{_LETTER})"
_ONE_IS_PLAIN = rf"(?={_LETTER}*{_ELEMENT})"
_FORMULA = re.compile(rf"(?<![\w.]){_ONE_IS_PLAIN}{_PART}{{2,}}(?!\w)|(?<![\w.])O2(?!\w)")
_GROUP = re.compile(rf"(?:(?<![\w.]){_PART}+)?\({_ONE_IS_PLAIN}{_PART}+\){_AMOUNT}{_PART}*(?!\w)")
_ION = re.compile(rf"(?<![\w.])({_ELEMENT})(\d?\+)(?!\w)")
_POWER = re.compile(r"(?<![\w.])([+−-]?)(\d+(?:\.\d+)?)e([+-]?)0*(\d+)(?![\w.]*\w)")

_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"->"), "→"),
    (re.compile(r"\+-"), "±"),
    (_POWER, lambda m: _power(*m.groups())),
    (_ION, lambda m: m[1] + m[2].translate(_SUPER)),
    (_GROUP, lambda m: _lowered(m[0])),
    (_FORMULA, lambda m: _lowered(m[0])),
    (re.compile(r"<(\d{3})>"), r"⟨\1⟩"),
    (re.compile(r"\[(-?\d)(-?\d)(-?\d)\]"), lambda m: f"[{''.join(map(_index, m.groups()))}]"),
    (re.compile(r"(?<![\w.)])-(?=\d)"), "−"),
    (re.compile(r"\bmuB\b"), "μB"),
    (re.compile(r"\bmu0\b"), "μ₀"),
    (re.compile(r"\buC/cm2\b"), "μC/cm²"),
    (re.compile(r"(?<=\d )uS\b"), "μS"),
    (re.compile(r"\be2/h\b"), "e²/h"),
    (re.compile(r"\b([mMf]?J)/m([23])\b"), lambda m: f"{m[1]}/m{m[2].translate(_SUPER)}"),
    (re.compile(r"\beV/A\b"), "eV/Å"),
    (re.compile(r"(?<![\w.])([cn]m)([23])(?!\w)"), lambda m: m[1] + m[2].translate(_SUPER)),
    (re.compile(r"(?<=\d) A(?![\w/])"), " Å"),
    (re.compile(r"(?<=\d e) A(?![\w/])"), " Å"),
    (re.compile(r"\bAm2/kg\b"), "A m²/kg"),
    (re.compile(r"(?<=\d) deg\b"), "°"),
    (re.compile(r"(?<=\w)\^([23])(?!\w)"), lambda m: m[1].translate(_SUPER)),
)


def _lowered(formula: str) -> str:
    """A formula with its amounts as subscripts."""
    return re.sub(_AMOUNT, lambda m: m[0].translate(_SUB), formula)


def _index(text: str) -> str:
    """A Miller index; a negative one under a bar."""
    return text[1:] + "\u0305" if text.startswith("-") else text


def _power(sign: str, mantissa: str, minus: str, exponent: str) -> str:
    if float(mantissa) == 0:
        return "0"
    if exponent == "0":
        return f"{sign}{mantissa}"
    return powered(sign, "" if mantissa == "1" else mantissa, int(f"{minus}{exponent}"))


def powered(sign: str, mantissa: str, exponent: int) -> str:
    """A power of ten in plain text, e.g. ``2×10⁻³``; without a mantissa the power alone."""
    power = f"10{str(exponent).translate(_SUPER)}"
    return sign + (f"{mantissa}×{power}" if mantissa else power)


# Endings of names that are units, longest first.
_LONG_UNITS = ("eV_per_A3", "MJ_per_m3", "uC_per_cm2", "V_per_m", "V_per_A", "meV", "muB", "THz", "deg", "eV", "Hz")
_UNITS = (*_LONG_UNITS, "nm", "K", "A", "V", "s", "T", "m", "e")


def name_and_unit(name: str) -> tuple[str, str]:
    """A field's name in words, and its unit: ``barrier_spread_eV`` is ("barrier spread", "eV")."""
    for unit in _UNITS:
        if name.endswith(f"_{unit}"):
            return name.removesuffix(f"_{unit}").replace("_", " "), formatted_unit(unit)
    return name.replace("_", " "), ""


def named_value(name: str, value: float, error: float | None = None) -> str:
    """A field and its value in words: ``attempt_Hz`` of 5.1e12 is "attempt 5.1×10¹² Hz"."""
    said, unit = name_and_unit(name)
    number = f"{value:.4g}" if error is None else f"{value:.4g} ± {error:.2g}"
    return formatted(f"{said} {number} {unit}").rstrip().replace(" °", "°")


def formatted(text: str) -> str:
    """One text as a page prints it; what stands between backticks stays as it is.

    Examples
    --------
    >>> formatted("CoFe2O4 -> Co + 2/3 Fe3O4 at 1e+08 V/m, -0.93 eV/A^2")
    'CoFe₂O₄ → Co + 2/3 Fe₃O₄ at 10⁸ V/m, −0.93 eV/Å²'
    """
    parts = text.split("`")
    for n in range(0, len(parts), 2):
        for pattern, new in _RULES:
            parts[n] = pattern.sub(new, parts[n])
    return "`".join(parts)


def formatted_unit(unit: str) -> str:
    """A unit that stands by itself."""
    return {"A": "Å", "deg": "°"}.get(unit) or formatted(unit)
