"""Several studies side by side: one quantity per row, one study per column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..results.checks import invalid_because
from .documents import Study


@dataclass(frozen=True)
class ComparedValue:
    """One quantity of several studies.

    Attributes
    ----------
    quantity, unit
        What it is.
    values
        By study; None where a study does not have it.
    errors
        By study, in the same unit; None where none was measured.
    """

    quantity: str
    unit: str
    values: list[float | None]
    errors: list[float | None] = field(default_factory=list)


def compare(studies: Mapping[str, Study]) -> list[ComparedValue]:
    """Numbers that studies of one host share.

    Parameters
    ----------
    studies
        At least two studies by name.

    Returns
    -------
    list of ComparedValue
        Lattice, orders, like-vacancy differences, lowest formation energies, barriers, anisotropy, retention; a row
        appears if one study has it.

    Raises
    ------
    ValueError
        For fewer than two studies, or studies of different materials.
    """
    if len(studies) < 2:
        raise ValueError(f"{len(studies)} studies: a comparison needs at least two")
    formulas = sorted({s.host.formula for s in studies.values()})
    if len(formulas) > 1:
        raise ValueError(f"these studies are of different materials ({', '.join(formulas)}); compare one at a time")
    numbers = [_numbers(s) for s in studies.values()]
    errors = [_anisotropy_errors(s) for s in studies.values()]
    keys = list(dict.fromkeys(key for n in numbers for key in n))
    return [ComparedValue(*key, [n.get(key) for n in numbers], [e.get(key) for e in errors]) for key in keys]


def verdicts_against(studies: Mapping[str, Study]) -> dict[str, dict[str, str]]:
    """Verdicts by claim and study, of the claims that some study computed something for.

    Parameters
    ----------
    studies
        Studies of one host by name.
    """
    said = {name: {c.id: c.verdict for c in study.claims} for name, study in studies.items()}
    ids = dict.fromkeys(key for verdicts in said.values() for key in verdicts)
    by_claim = {key: {name: str(v.get(key, "not computed")) for name, v in said.items()} for key in ids}
    return {key: by for key, by in by_claim.items() if set(by.values()) != {"not computed"}}


def _numbers(study: Study) -> dict[tuple[str, str], float]:
    host = study.host
    numbers = {
        ("volume per formula unit", "Å³"): host.volume_per_formula_A3,
        ("moment per formula unit", "μB"): host.moment_per_formula_muB,
    }
    numbers |= {(f"energy of order {o.order}", "eV/f.u."): o.relative_eV_per_formula for o in host.orders}
    numbers |= _vacancy_numbers(study)
    numbers |= {
        (f"{v.label} at the oxygen-{edge} edge", "eV"): energy.low_eV
        for v in study.vacancies
        if not invalid_because([*v.checks, *v.formation_checks]) and not v.indicative
        for edge, energy in (("rich", v.oxygen_rich), ("poor", v.oxygen_poor))
        if energy is not None
    }
    # What rests on failed checks is no result, here neither.
    for hop in (m for m in study.migration if not m.why_no_result):
        numbers |= {
            (f"{hop.label}: forward barrier", "eV"): hop.forward_eV,
            (f"{hop.label}: back barrier", "eV"): hop.backward_eV,
            (f"{hop.label}: final minus initial", "eV"): hop.delta_eV,
            (f"{hop.label}: atoms in the cell", ""): float(hop.cell_atoms),
            (f"{hop.label}: force evaluations", ""): float(hop.force_calls),
        }
    if study.anisotropy is not None:
        units = {m.state: m.formula_units for m in study.anisotropy.maps}
        numbers |= {_amplitude_key(s.state): s.hard_minus_easy_meV / units[s.state] for s in study.anisotropy.summaries}
        if study.anisotropy.cubic is not None:
            numbers[_K1_KEY] = study.anisotropy.cubic.K1_MJ_per_m3
    if study.unidirectional is not None:
        at = f" at {study.unidirectional.temperature_K:g} K"
        numbers[(f"easy axis turned by the hop{at}", "°")] = study.unidirectional.easy_axis_tilt_deg
    sound = not any(m.why_no_result for m in study.migration[:1])
    if study.retention is not None and sound and not study.retention.why_no_rate(300):
        numbers[("retention at 300 K", "s")] = study.retention.at(300)
        numbers[("decay of a written difference at 300 K", "s")] = study.retention.decay(300)
    return numbers


_K1_KEY = ("K1 of the host at 0 K", "MJ/m³")


def _amplitude_key(state: str) -> tuple[str, str]:
    return f"hard minus easy at 0 K, {state}", "meV/f.u."


def _anisotropy_errors(study: Study) -> dict[tuple[str, str], float]:
    """Errors of anisotropy energies, of those that were measured."""
    if study.anisotropy is None:
        return {}
    units = {m.state: m.formula_units for m in study.anisotropy.maps}
    errors = {
        _amplitude_key(s.state): s.error_meV / units[s.state]
        for s in study.anisotropy.summaries
        if s.error_meV is not None
    }
    cubic = study.anisotropy.cubic
    if cubic is not None and cubic.K1_error_MJ_per_m3 is not None:
        errors[_K1_KEY] = cubic.K1_error_MJ_per_m3
    return errors


def _vacancy_numbers(study: Study) -> dict[tuple[str, str], float]:
    """Differences between vacancies of one element, in which the reference energies cancel."""
    lowest: dict[str, tuple[str, float]] = {}
    sound = [v for v in study.vacancies if not invalid_because(v.checks)]
    for v in sorted(sound, key=lambda v: v.label):
        lowest.setdefault(v.element, (v.label, v.energy_minus_host_eV))
    return {
        (f"{v.label} minus {lowest[v.element][0]}", "eV"): v.energy_minus_host_eV - lowest[v.element][1]
        for v in sound
        if v.label != lowest[v.element][0]
    }
