"""E(n) before and after a hop and M(T)/M(0) at the temperature of a film."""

from __future__ import annotations

from dataclasses import dataclass

from ..audit.known_values import measured_ordering
from ..magnetism.anisotropy import AnisotropyMap
from ..magnetism.thermal_anisotropy import FERRIC_SPIN, brillouin_order, with_order
from ..study.documents import Study


@dataclass(frozen=True)
class AtFilm:
    """E(n) before and after the hop at a film's temperature, None where there is none; M(T)/M(0); both in words."""

    maps: tuple[AnisotropyMap, AnisotropyMap] | None
    order: float
    note: str


def moment_order_at(study: Study, temperature_K: float) -> tuple[float, str]:
    """M(T)/M(0) at a temperature and where it comes from; 1 where no T_C is known, 0 from T_C on."""
    ordering, _ = measured_ordering(study.host.key)
    if ordering is None:
        return 1.0, "M and E(n) of 0 K, as no T_C is known"
    if temperature_K >= ordering:
        return 0.0, (
            f"no moment and no E(n) of the film: at {temperature_K:g} K it is above the measured T_C of {ordering:g} K"
        )
    order = brillouin_order(temperature_K, ordering, FERRIC_SPIN)
    return order, f"M(T)/M(0) = {order:.3g} (Brillouin, measured T_C of {ordering:g} K)"


def at_film(study: Study, cold: tuple[AnisotropyMap, AnisotropyMap], temperature_K: float) -> AtFilm:
    """Both maps as the film has them: free energies of an engine that knows them, else fallen powers of M(T).

    The maps of 0 K where no T_C is known, none above it.
    """
    order, note = moment_order_at(study, temperature_K)
    if order in (0.0, 1.0):
        return AtFilm(cold if order else None, order, note)
    own = {} if study.anisotropy is None else {m.state: m for m in study.anisotropy.warm}
    if {"before", "after"} <= set(own) and own["before"].temperature_K == temperature_K:
        note += f", E(n) the free energy of the ions' levels at {temperature_K:g} K in exchange fields that follow it"
        return AtFilm((own["before"], own["after"]), order, note)
    note += ", and degree l of E(n) falls as its power l(l + 1)/2 (Callen and Callen)"
    before, after = (with_order(m, order).model_copy(update={"temperature_K": temperature_K}) for m in cold)
    return AtFilm((before, after), order, note)
