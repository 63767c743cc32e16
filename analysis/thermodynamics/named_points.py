"""A point of the stability region by name: rich or poor in an element, a temperature and pressure, or coordinates."""

from __future__ import annotations

import re

import numpy as np

from .gases import gas_of
from .stability_window import ChemicalPotentials, ON_PLANE_eV, at, forming_at

_ENDS = re.compile(r"([A-Z][a-z]?)[- ](rich|poor)")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_GAS = re.compile(rf"({_NUMBER})\s*K\s*[,;/]?\s*({_NUMBER})\s*atm")
_COORDINATE = re.compile(rf"([A-Z][a-z]?)\s*[=:]\s*({_NUMBER})")
FORMS = "middle, O-poor, Co-rich, '1000 K, 1e-6 atm' or 'O=-1.9, Co=-0.7'"


def named_point(window: ChemicalPotentials, said: str) -> dict[str, float]:
    """Potentials of the host's elements at a point that is said in words.

    Parameters
    ----------
    window
        The stability region.
    said
        ``middle``; an element's name with ``-rich`` or ``-poor``, the corners where its potential is highest or lowest
        (their mean, where several are); ``1000 K, 1e-6 atm`` of the anion's gas, halfway between the bounds of the
        first cation; or ``O=-1.9, Co=-0.7``, the potentials of all elements but one, or of the anion alone.

    Returns
    -------
    dict[str, float]
        dmu by element, eV, on the host's plane.

    Raises
    ------
    ValueError
        If it is none of these, names an element that the host lacks, or lies outside the region.
    """
    text = said.strip()
    if text == "middle":
        return at(window, 0.5 * (window.delta_mu_O_min_eV + window.delta_mu_O_max_eV))
    if (end := _ENDS.fullmatch(text)) is not None:
        _require(window, [end[1]])
        best = (max if end[2] == "rich" else min)(corner[end[1]] for corner in window.vertices)
        own = [c for c in window.vertices if abs(c[end[1]] - best) < 1e-6]
        return {el: float(np.mean([c[el] for c in own])) for el in window.elements}
    if (gas := _GAS.fullmatch(text)) is not None:
        temperature, pressure = float(gas[1]), float(gas[2])
        if temperature <= 0 or pressure <= 0:
            raise ValueError(f"{said!r}: temperature and pressure must be above zero")
        return at(window, float(gas_of(window.anion).delta_mu_eV(temperature, pressure)))
    given = {match[1]: float(match[2]) for match in _COORDINATE.finditer(text)}
    if not given or _COORDINATE.sub("", text).strip(" ,;"):
        raise ValueError(f"{said!r} is no point of the chemical potentials; write {FORMS}")
    _require(window, list(given))
    point = _completed(window, given, said)
    _require_inside(window, point, said)
    return point


def _require(window: ChemicalPotentials, elements: list[str]) -> None:
    if foreign := [el for el in elements if el not in window.elements]:
        raise ValueError(f"{window.host_formula} has no {', '.join(foreign)}; elements: {', '.join(window.elements)}")


def _require_inside(window: ChemicalPotentials, point: dict[str, float], said: str) -> None:
    off = sum(n * point[el] for el, n in window.composition.items()) - window.host_formation_energy_eV
    if abs(off) > ON_PLANE_eV * max(1.0, abs(window.host_formation_energy_eV)):
        raise ValueError(
            f"{said!r} is {off:+.3f} eV per {window.host_formula} off equilibrium with the host: leave one element out"
        )
    if above := forming_at(window, point):
        raise ValueError(
            f"{said!r} is outside the stability region of {window.host_formula}: {', '.join(above)} would form there"
        )


def _completed(window: ChemicalPotentials, given: dict[str, float], said: str) -> dict[str, float]:
    missing = [el for el in window.elements if el not in given]
    if missing and list(given) == [window.anion]:
        return at(window, given[window.anion])
    if len(missing) > 1:
        raise ValueError(f"{said!r} leaves {' and '.join(missing)} open: give all elements but one, or the anion alone")
    for el in missing:
        rest = sum(n * given[other] for other, n in window.composition.items() if other != el)
        given[el] = (window.host_formation_energy_eV - rest) / window.composition[el]
    return {el: given[el] for el in window.elements}
