"""A film of a study's own hop."""

from __future__ import annotations

import math
from typing import Any

from pymatgen.core import Structure

from ..kinetics.attempt_frequency import AttemptFrequency
from ..kinetics.migration import Migration
from ..kinetics.rates import ASSUMED_ATTEMPT_Hz, why_no_rate
from ..results.checks import no_result
from .film_model import FilmModel


def film_model_of_hop(
    hop: Migration, cell: Structure, vibrations: AttemptFrequency | None = None, **assumed: Any
) -> FilmModel:
    """Film in which the vacancy that the ion enters moves along the hop.

    Parameters
    ----------
    hop
        Sound band; the barrier is the mean of both ways, the charge minus that of its dipole over its length.
    cell
        Relaxed ordered cell: its places of the ion's sublattice, spread over planes as far apart as the hop is long.
    vibrations
        Of the hop; without sound ones the attempt frequency is assumed.
    **assumed
        Fields of `FilmModel` that stand instead.

    Raises
    ------
    ValueError
        If the band is no result or has no dipole, its barriers leave no rate law at the film's temperature, or an
        assumed field does not exist or is out of range.
    """
    if hop.why_no_result:
        raise ValueError(f"{hop.label} is {no_result(hop.why_no_result)}, so there is no film of it")
    if unknown := sorted(set(assumed) - set(FilmModel.model_fields)):
        raise ValueError(f"a film has no {', '.join(unknown)}; it has {', '.join(FilmModel.model_fields)}")
    temperature = float(assumed.get("temperature_K", FilmModel.model_fields["temperature_K"].default))
    lowest = min(hop.forward_eV, hop.backward_eV)
    if "barrier_eV" not in assumed and temperature > 0 and (why := why_no_rate(lowest, temperature)):
        raise ValueError(f"{hop.label} gives a film no rates: {why}; give a barrier_eV or a lower temperature_K")
    attempt = ASSUMED_ATTEMPT_Hz
    if vibrations is not None and vibrations.forward_Hz is not None and temperature > 0:
        attempt = math.sqrt(math.prod(vibrations.attempts_Hz(temperature)))
    places = sum(name == hop.host_site for name in cell.site_properties["sublattice"])
    own = {
        "barrier_eV": (hop.forward_eV + hop.backward_eV) / 2,
        "charge_e": -hop.images[-1].dipole_along_hop_e_A / hop.distance_A,
        "attempt_Hz": attempt,
        "plane_spacing_A": hop.distance_A,
        "sites_per_nm2": 100 * places / cell.volume * hop.distance_A,
        "source": f"{hop.label} by engine {hop.provenance.engine}, the rest assumed",
    }
    return FilmModel.model_validate(own | assumed)
