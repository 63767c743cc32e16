"""What stands beside a study's own numbers: better levels of theory, and measured values."""

from __future__ import annotations

import re
from dataclasses import replace

from pymatgen.core import Composition
from scipy import constants as _c

from ...structures.host import get_host, host_keys
from ...structures.spins import formula_units
from ...structures.units import MU_B_J_PER_T
from ..audit.known_values import (
    MeasuredValue,
    better_calculations,
    measured_ordering,
    measured_values,
    spins_in_words,
)
from ..device.film import FilmAssumptions
from ..magnetism.ordering import OrderingTemperature
from ..magnetism.thermal_anisotropy import FERRIC_SPIN, ThermalAnisotropy, brillouin_order
from ..results.checks import failed
from ..results.page_parts import Cell, Table, words
from ..study.documents import Study
from .model import Answer

# What a host's file may say to be measured and a reader would compare; positions are too many for a table.
_SAID_BY_HOSTS = ("a", "order", "moment", "T_C", "T_N", "gap")
# A value ends at its unit, or else at the first comma; its source follows.
_VALUE = re.compile(r"(.*? (?:A|K|eV|muB)(?: per formula unit)?(?=[ ,;:]|$)|[^,;]+)[,;:]? ?(.*)", re.DOTALL)
# Quantities that a study has a number for, with their unit in the table of measured values.
_ROOM_K = 293.0
_OWN_UNITS = {"moment": "muB per formula unit", "K1": "MJ/m3", "a": "A"}


def better_words(study: Study, question: str) -> str:
    """What shipped calculations of better levels of theory say of a question; empty if there are none."""
    known = better_calculations(study.host.key, study.host.order, study.engine.level_of_theory, question)
    if not known:
        return ""
    return f"better levels of theory: {'; '.join(k.in_words for k in known)}"


def with_more(answer: Answer, more: str) -> Answer:
    """The row with more at the end of its detail, which is shown beside its answer."""
    return replace(answer, detail=f"{answer.detail}; {more}", beside=more) if more else answer


def measured_table(study: Study) -> Table | None:
    """Measured values beside the study's own: tabulated ones, else those that a built-in host is made of; or None."""
    rows = [words([m.quantity, _own(study, m), m.in_words, m.source]) for m in measured_values(study.host.key)]
    rows = rows or _of_host(study)
    if not rows:
        return None
    return Table("Measured values beside this study's", ["quantity", "this study", "measured", "source"], rows)


def _of_host(study: Study) -> list[list[Cell]]:
    """What the host's own file says to be measured, with its source; none for a host that is not built in."""
    key = study.host.key
    if key not in host_keys():
        return []
    host = get_host(key)
    if study.host.order not in host.orders:
        return []
    rows = []
    for quantity in (q for q in _SAID_BY_HOSTS if q in host.measured and q in host.sources):
        match = _VALUE.match(host.sources[quantity])
        value, source = match.groups() if match else (host.sources[quantity], "")
        own = "–"
        if quantity == "a" and study.engine.relaxes_cells:
            cell = host.structure(study.host.order)
            measured_A3 = cell.volume / formula_units(cell, host.anion, host.anions_per_formula)
            off = (study.host.volume_per_formula_A3 / measured_A3) ** (1 / 3) - 1
            own = f"{off:+.1%} in length, by the volume"
        elif quantity == "order":
            # No engine here finds it: the cell and its spins were built so.
            own = f"{study.host.order}, taken from there"
        elif quantity == "moment" and "per formula unit" in value:
            own = f"{study.host.moment_per_formula_muB:.4g} muB per formula unit"
            own += spins_in_words(study.engine.level_of_theory)
        rows.append(words([quantity, own, value, source]))
    return rows


def _own(study: Study, measured: MeasuredValue) -> str:
    """The study's number for a measured quantity, in its unit; a dash where it has none."""
    value: float | None = None
    if measured.quantity == "moment":
        own = f"{study.host.moment_per_formula_muB:.4g} {_OWN_UNITS['moment']}"
        return own + spins_in_words(study.engine.level_of_theory)
    elif measured.quantity == "a" and study.engine.relaxes_cells:
        value = _cubic_edge_A(study)
    elif measured.quantity == "K1" and study.anisotropy is not None and study.anisotropy.cubic is not None:
        without = ions_without_model(study).removesuffix("; ")
        cubic = study.anisotropy.cubic
        error = "" if cubic.K1_error_MJ_per_m3 is None else f" ± {cubic.K1_error_MJ_per_m3:.1g}"
        own = f"{cubic.K1_MJ_per_m3:.4g}{error} MJ/m3{_temperature(study)}{_warm_K1(study)}"
        return f"{own}; {without}" if without else own
    elif measured.quantity == "magnetisation":
        return _magnetisation(study)
    elif measured.quantity == "T_C":
        return _ordering(study)
    elif measured.quantity == "order":
        return study.host.order
    return "–" if value is None else f"{value:.4g} {_OWN_UNITS.get(measured.quantity, measured.unit)}"


def _magnetisation(study: Study) -> str:
    """The host's moment per mass at 0 K, and at the film's temperature by the measured T_C."""
    host = study.host
    kg = float(Composition(host.formula).weight) * _c.atomic_mass
    cold = host.moment_per_formula_muB * MU_B_J_PER_T / kg
    at_K = FilmAssumptions().temperature_K if study.assumptions is None else study.assumptions.film.temperature_K
    ordering_K, _ = measured_ordering(host.key)
    words = f"{cold:.3g} Am2/kg (0 K)"
    if ordering_K is not None:
        order = brillouin_order(at_K, ordering_K, FERRIC_SPIN)
        words += f", {order * cold:.3g} Am2/kg ({at_K:g} K, by the measured T_C)"
    return words + spins_in_words(study.engine.level_of_theory)


def _ordering(study: Study) -> str:
    """T_C of the stage of exchange, as classical spins have it and times (S + 1)/S."""
    found = next((o for o in study.observables.values() if isinstance(o, OrderingTemperature)), None)
    if found is None or failed(found.checks):
        return "–"
    quantum = found.quantum_ordering_K
    return f"{found.ordering_K:.0f} K" + ("" if quantum is None else f", {quantum:.0f} K with (S + 1)/S")


def _warm_K1(study: Study) -> str:
    """K1 at the temperatures of their own stage, where the measured values are."""
    found = next((o for o in study.observables.values() if isinstance(o, ThermalAnisotropy)), None)
    if found is None:
        return ""
    nearest = min(range(len(found.temperatures_K)), key=lambda i: abs(found.temperatures_K[i] - _ROOM_K))
    if not found.temperatures_K[nearest]:
        return ""
    return f", {found.K1_MJ_per_m3[nearest]:.3g} MJ/m3 ({found.temperatures_K[nearest]:.0f} K)"


def ions_without_model(study: Study) -> str:
    """Ions whose anisotropy the engine has no model of, so that its numbers are not the material's; ends in "; "."""
    maps = [] if study.anisotropy is None else study.anisotropy.maps
    said = [note for m in maps[:1] for note in m.provenance.left_out if note.startswith("ions without a model")]
    return "".join(f"{note}, so that this is not the anisotropy of the material; " for note in said)


def _temperature(study: Study) -> str:
    """At which temperature an anisotropy holds: electrons and lattice at rest, or what the engine was told."""
    told = study.engine.provenance.settings.get("temperature_K", 0.0)
    return f" ({float(told):g} K)" if isinstance(told, int | float) else ""


def _cubic_edge_A(study: Study) -> float:
    """Edge of the cube of the same volume with the 32 anions of a spinel."""
    anions = study.host.structure.composition["O"]
    volume: float = study.host.structure.volume * 32 / anions
    return float(volume ** (1 / 3))
