"""Transport by the hop of a study: diffusion, mobility, conductivity, drift in strong fields, D beside experiment."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pymatgen.core import Structure

from ...structures.units import V_PER_M_TO_V_PER_A, BOLTZMANN_eV_PER_K
from ..kinetics.attempt_frequency import AttemptFrequency
from ..kinetics.crowded import CrowdedDiffusion, crowded_diffusion
from ..kinetics.diffusion import CM2_PER_A2, mobility_cm2_per_Vs
from ..kinetics.drift_laws import critical_field_V_per_m
from ..kinetics.migration import Migration
from ..kinetics.network import HopNetwork
from ..kinetics.percolation import Percolation
from ..kinetics.rates import ASSUMED_ATTEMPT_Hz, rate_per_s, why_no_rate
from ..kinetics.switching import driving_sense, hop_in_field, largest_field_V_per_m
from ..kinetics.uniform_network import correlation_factor, uniform_network
from ..kinetics.walk import Walk, steady_walk, walk_of
from ..results.checks import no_result
from ..results.document import Document, Provenance
from .diffusion import TracerDiffusion
from .measured_diffusion import MeasuredTracer

if TYPE_CHECKING:
    import pandas as pd


TEMPERATURES_K = (300.0, 373.0, 500.0, 700.0, 1000.0, 1473.0)
DRIFT_TEMPERATURES_K = (300.0, 373.0)
# Of the measurements that D is held against.
MEASURED_K = 1473.0
LOG10_A = (0.0, -1.0, -2.0, -3.0, -4.0, -5.0, -6.0, -7.0, -8.0)
PRESSURES_atm = tuple(10.0**a for a in LOG10_A)
# At which ions that fill a large part of their places are walked, in a crystal of about so many places.
CROWDED_K = (300.0, 500.0, 1000.0)
_CROWD_PLACES, _CROWD_RUNS = 1000, 6
_WEAKEST_V_PER_M = 1e6
_FIELDS = 16
_ONE_HOP = (
    "one hop stands for all jumps between neighbours of the sublattice, with its barrier into the vacancy both ways"
)


class TransportPoint(Document):
    """The carrier, a lone vacancy, at one temperature.

    Attributes
    ----------
    rate_per_s
        Of one hop; None, as all that follows from it, where the hop has no rate law.
    diffusivity_cm2_per_s
        A third of the trace of the tensor.
    tensor_cm2_per_s
        Shape (3, 3), Cartesian.
    mobility_cm2_per_Vs
        D q/kT; None where no charge moves.
    hops_within_a_second_V_per_m
        Size of the field that drives the ion along the hop within a second, from the computed profile; None where even
        the largest allowed field does not do it.
    linear_law_V_per_m
        The same from the linear law, whatever the breakdown.
    no_result
        Why there is no rate.
    """

    temperature_K: float
    attempt_Hz: float
    rate_per_s: float | None
    diffusivity_cm2_per_s: float | None
    tensor_cm2_per_s: list[list[float]] | None
    mobility_cm2_per_Vs: float | None = None
    hops_within_a_second_V_per_m: float | None = None
    linear_law_V_per_m: float | None = None
    no_result: str = ""


class DriftCurve(Document):
    """Drift of the ion along the hop's direction against the field there.

    Attributes
    ----------
    velocity_m_per_s
        Of the vacancy, from the steady state of the whole network; None in fields that leave no rate law.
    linear_m_per_s
        D q F/kT.
    """

    temperature_K: float
    fields_V_per_m: list[float]
    velocity_m_per_s: list[float | None]
    linear_m_per_s: list[float]


class BesideMeasurement(Document):
    """Computed D of a tracer beside a measured one.

    Attributes
    ----------
    log10_a, log10_computed, log10_measured
        Decadic logarithms of the oxygen activity and of D in cm2/s.
    rms_decades
        Over those points.
    slope_computed, slope_measured
        d log D / d log a between the two points of highest activity.
    low_slope_computed, low_slope_measured
        The same between the two of lowest activity.
    minimum_computed
        Log10 a at which D is lowest; None where D falls or rises through the whole range.
    """

    measured: MeasuredTracer
    hop: str
    log10_a: list[float]
    log10_computed: list[float]
    log10_measured: list[float]
    rms_decades: float
    slope_computed: float | None
    slope_measured: float | None
    low_slope_computed: float | None = None
    low_slope_measured: float | None = None
    minimum_computed: float | None = None


class Transport(Document):
    """Transport by one hop.

    Attributes
    ----------
    hop, ion, barrier_eV
        Which.
    charge_e
        Dipole of the hop over its length: charge of the ion.
    attempt_source
        ``assumed`` or ``Vineyard, quantum oscillators``.
    neighbours, correlation, correlation_source
        Of the network of equal hops, see `uniform_network`.
    percolation
        Of that network.
    crowded
        Where ions fill a stated share of their places (`occupation`), all of them walked at `CROWDED_K`.
    points, drift
        Against temperature and field.
    tracer
        Tracer diffusion at `MEASURED_K` against the pressure of oxygen, where the vacancy has a formation energy.
    interstitials
        The same by interstitials, where the study has their energies (stage ``point defects``) and hops (stage
        ``interstitial hops``).
    beside
        The sum of both beside measurements.
    notes
        What is assumed or left out.
    """

    hop: str
    ion: str
    barrier_eV: float
    charge_e: float
    attempt_source: str
    neighbours: int
    correlation: float
    correlation_source: str
    percolation: list[Percolation]
    points: list[TransportPoint]
    drift: list[DriftCurve]
    tracer: list[TracerDiffusion] = Field(default_factory=list)
    interstitials: list[TracerDiffusion] = Field(default_factory=list)
    crowded: list[CrowdedDiffusion] = Field(default_factory=list)
    beside: list[BesideMeasurement] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    provenance: Provenance = Field(repr=False)

    @property
    def gas(self) -> str:
        """Whose pressure the tracer diffusion is given against, e.g. ``"O2"``."""
        return next((t.gas for t in (*self.tracer, *self.interstitials)), "O2")

    def to_dataframe(self) -> pd.DataFrame:
        """One row per temperature: rate, D of the vacancy, mobility, field of a hop within a second."""
        import pandas as pd

        return pd.DataFrame([p.model_dump(exclude={"tensor_cm2_per_s"}) for p in self.points])

    def tracer_dataframe(self) -> pd.DataFrame:
        """One row per oxygen pressure: formation energy, share of vacant sites, D, conductivity, reason of none."""
        import pandas as pd

        columns = (
            "temperature_K",
            "p_O2_atm",
            "formation_energy_eV",
            "inside_window",
            "site_fraction",
            "diffusivity_cm2_per_s",
            "conductivity_S_per_cm",
            "reason",
        )
        return pd.DataFrame([{name: getattr(t, name) for name in columns} for t in self.tracer])


def transport_of(
    hop: Migration, cell: Structure, vibrations: AttemptFrequency | None = None, *, occupation: float | None = None
) -> Transport:
    """Transport by a computed hop.

    Parameters
    ----------
    hop
        A sound band.
    cell
        Relaxed ordered cell with site property ``sublattice``.
    vibrations
        Of the hop; without sound ones the attempt frequency is assumed.
    occupation
        Share of the sublattice's sites that ions take, to walk them all by kinetic Monte Carlo; not done by default.

    Raises
    ------
    ValueError
        If the band is no result, has no barrier, its sublattice no two neighbours, or the occupation is out of range.
    """
    if hop.why_no_result:
        raise ValueError(f"{hop.label} is {no_result(hop.why_no_result)}, so nothing follows for transport")
    if not hop.forward_eV > 0:
        raise ValueError(f"{hop.label} has a barrier of {hop.forward_eV:.3f} eV; transport needs one above zero")
    charge = hop.images[-1].dipole_along_hop_e_A / hop.distance_A
    computed = vibrations is not None and vibrations.forward_Hz is not None
    network = uniform_network(cell, hop.host_site, hop.distance_A, hop.forward_eV, charge, ion=hop.ion, label=hop.label)
    walk, unit = walk_of(network), np.asarray(hop.displacement_A) / hop.distance_A
    f, source = correlation_factor(network)

    def attempt(temperature_K: float) -> float:
        return ASSUMED_ATTEMPT_Hz if not computed or vibrations is None else vibrations.attempts_Hz(temperature_K)[0]

    lowest = min(hop.forward_eV, hop.backward_eV)
    crowded = [] if occupation is None else [_crowd(network, occupation, t, attempt(t)) for t in CROWDED_K]
    notes = [_ONE_HOP, f"correlation factor: {source}", "site blocking and interaction of vacancies"]
    points = [_point(hop, walk, charge, t, attempt(t)) for t in TEMPERATURES_K]
    return Transport(
        hop=hop.label,
        ion=hop.ion,
        barrier_eV=hop.forward_eV,
        charge_e=charge,
        attempt_source="Vineyard, quantum oscillators" if computed else "assumed",
        neighbours=round(2 * len(network.hops) / len(network.sites)),
        correlation=f,
        correlation_source=source,
        percolation=network.percolation,
        points=points,
        crowded=[one for one in crowded if one is not None],
        drift=[
            _drift(hop, walk, charge, unit, t, attempt(t))
            for t in DRIFT_TEMPERATURES_K
            if charge != 0 and not why_no_rate(lowest, t)
        ],
        notes=notes,
        provenance=hop.provenance,
    )


def _crowd(network: HopNetwork, occupation: float, temperature_K: float, attempt_Hz: float) -> CrowdedDiffusion | None:
    """All ions at one temperature, at the hop's attempt frequency; None without a rate law."""
    if why_no_rate(min(h.forward_eV for h in network.hops), temperature_K):
        return None
    cells = max(2, math.ceil((_CROWD_PLACES / len(network.sites)) ** (1 / 3)))
    walked = crowded_diffusion(network, occupation, temperature_K, cells=cells, runs=_CROWD_RUNS)
    # The network has the assumed attempt frequency, which is one factor of all its rates.
    factor = attempt_Hz / ASSUMED_ATTEMPT_Hz
    names = ("tracer_cm2_per_s", "tracer_error_cm2_per_s", "together_cm2_per_s", "together_error_cm2_per_s")
    scaled = {n: (np.array(getattr(walked, n)) * factor).tolist() for n in names}
    return walked.model_copy(update=scaled | {"drift_A_per_s": [v * factor for v in walked.drift_A_per_s]})


def _point(hop: Migration, walk: Walk, charge_e: float, temperature_K: float, attempt_Hz: float) -> TransportPoint:
    if why := why_no_rate(min(hop.forward_eV, hop.backward_eV), temperature_K):
        return TransportPoint(
            temperature_K=temperature_K,
            attempt_Hz=attempt_Hz,
            rate_per_s=None,
            diffusivity_cm2_per_s=None,
            tensor_cm2_per_s=None,
            no_result=why,
        )
    factor = attempt_Hz / ASSUMED_ATTEMPT_Hz
    tensor = steady_walk(walk, temperature_K).diffusivity_A2_per_s * CM2_PER_A2 * factor
    mean = float(np.trace(tensor)) / 3
    field, linear = (None, None) if charge_e == 0 else driving_fields_V_per_m(hop, temperature_K, attempt_Hz)
    return TransportPoint(
        temperature_K=temperature_K,
        attempt_Hz=attempt_Hz,
        rate_per_s=rate_per_s(hop.forward_eV, temperature_K, attempt_Hz),
        diffusivity_cm2_per_s=mean,
        tensor_cm2_per_s=tensor.tolist(),
        mobility_cm2_per_Vs=mobility_cm2_per_Vs(mean, abs(charge_e), temperature_K) if charge_e else None,
        hops_within_a_second_V_per_m=field,
        linear_law_V_per_m=linear,
    )


def driving_fields_V_per_m(
    hop: Migration, temperature_K: float, attempt_Hz: float, within_s: float = 1.0
) -> tuple[float | None, float | None]:
    """Field along a hop that drives it within a time, from its profile and from the slope at zero field, V/m.

    Parameters
    ----------
    hop
        With its dipoles.
    temperature_K, attempt_Hz, within_s
        When, with which rate of attempts, how soon.

    Returns
    -------
    tuple
        By the profile: 0 where it hops that soon without a field, None where even the largest field that the hop was
        held against does not do it; and by the linear law, whatever the breakdown, None without a dipole.
    """

    def rate(field: float) -> float:
        return rate_per_s(max(hop_in_field(hop, sense * field).forward_eV, 0.0), temperature_K, attempt_Hz)

    sense = driving_sense(hop)
    slope = -sense * hop_in_field(hop, 0.0).slope_forward_e_A
    linear = None
    if slope > 0:
        linear = critical_field_V_per_m(hop.forward_eV, slope, temperature_K, within_s=within_s, attempt_Hz=attempt_Hz)
    low, high = 0.0, largest_field_V_per_m(hop)
    if rate(low) * within_s >= 1:
        return 0.0, linear
    if high == 0 or rate(high) * within_s < 1:
        return None, linear
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if rate(middle) * within_s >= 1 else (middle, high)
    return high, linear


def _drift(
    hop: Migration, walk: Walk, charge_e: float, unit: NDArray[np.float64], temperature_K: float, attempt_Hz: float
) -> DriftCurve:
    factor = attempt_Hz / ASSUMED_ATTEMPT_Hz * 1e-10
    fields = np.geomspace(_WEAKEST_V_PER_M, max(largest_field_V_per_m(hop), 1e8), _FIELDS)
    # A vacancy goes against the ion: the ion's sense is taken.
    # Every hop of the network has the forward barrier both ways and its saddle halfway.
    half = abs(charge_e) * hop.distance_A / 2 * V_PER_M_TO_V_PER_A
    speeds = [
        None
        if why_no_rate(hop.forward_eV - half * f, temperature_K)
        else abs(float(steady_walk(walk, temperature_K, unit * f * V_PER_M_TO_V_PER_A).velocity_A_per_s @ unit))
        * factor
        for f in fields
    ]
    along = float(unit @ steady_walk(walk, temperature_K).diffusivity_A2_per_s @ unit) * factor
    thermal = BOLTZMANN_eV_PER_K * temperature_K
    return DriftCurve(
        temperature_K=temperature_K,
        fields_V_per_m=fields.tolist(),
        velocity_m_per_s=speeds,
        linear_m_per_s=(along * abs(charge_e) * fields * V_PER_M_TO_V_PER_A / thermal).tolist(),
    )


def _outside(transport: Transport, log10_a: float) -> str:
    there = [t for t in (*transport.tracer, *transport.interstitials) if np.isclose(np.log10(t.p_O2_atm), log10_a)]
    return "" if all(t.inside_window for t in there) else " outside the stability window"


def _alone_in_words(transport: Transport) -> list[str]:
    """D of the tracer at the highest pressure, where no measurement is known."""
    known = [t for t in transport.tracer if t.log10_D is not None]
    if transport.beside or not known:
        return []
    first = max(known, key=lambda t: t.p_O2_atm)
    both = [first, *(t for t in transport.interstitials if t.p_O2_atm == first.p_O2_atm)]
    total = np.log10(sum(t.diffusivity_cm2_per_s or 0.0 for t in both))
    place = _outside(transport, float(np.log10(first.p_O2_atm)))
    return [
        f"log10 D of {transport.ion} at {first.temperature_K:.0f} K and {first.p_O2_atm:g} atm of {transport.gas}: "
        f"{total:.2f} computed{place} (cm2/s); no measurement of it is known here"
    ]


def _tracer_in_words(transport: Transport, b: BesideMeasurement) -> str:
    """Whose D it is; the ion that was computed first, where another one was traced."""
    return (
        transport.ion if transport.ion == b.measured.ion else f"{transport.ion} ({b.measured.ion} in the measurement)"
    )


def _shape_in_words(b: BesideMeasurement) -> str:
    """Distance, slopes and minimum beside those of the measurement."""
    span = f"between 10^{min(b.log10_a):.0f} and 10^{max(b.log10_a):.0f} atm"
    lowest = f"no minimum {span}" if b.minimum_computed is None else f"minimum at log a = {b.minimum_computed:.1f}"
    said = f"{b.rms_decades:.1f} decades rms {span}"
    if b.slope_computed is not None and b.slope_measured is not None:
        said += f", slope {b.slope_computed:+.2f} at the high end ({b.slope_measured:+.2f} measured)"
    if b.low_slope_computed is not None and b.low_slope_measured is not None:
        said += f" and {b.low_slope_computed:+.2f} at the low end ({b.low_slope_measured:+.2f})"
    return f"{said}, {lowest} ({b.measured.log10_a_of_minimum:.1f} measured)"


def transport_in_words(transport: Transport) -> list[str]:
    """What a person reads first: D of the tracer beside the measurement, and the field of a hop within a second."""
    out = []
    for b in transport.beside:
        at = b.log10_a.index(max(b.log10_a))
        out.append(
            f"log10 D of {_tracer_in_words(transport, b)} at {b.measured.temperature_K:.0f} K and "
            f"{10 ** b.log10_a[at]:g} atm of O2: "
            f"{b.log10_computed[at]:.2f} computed{_outside(transport, b.log10_a[at])}, {b.log10_measured[at]:.2f} "
            f"measured in {b.measured.composition} (cm2/s; {b.measured.source.split(',')[0]} et al. 1993)"
        )
        out.append(_shape_in_words(b))
    out += [
        f"with {c.occupation:.0%} of their places filled, {c.ion} diffuse by {c.tracer_mean_cm2_per_s:.2g} cm2/s at "
        f"{c.temperature_K:.0f} K (f = {c.correlation:.2f} +- {c.correlation_error:.2f}, all of them walked)"
        for c in transport.crowded[:1]
    ]
    out += _alone_in_words(transport)
    none = next((t.reason for t in transport.tracer if t.reason), "")
    if transport.tracer and not transport.beside and none:
        out.append(f"no D of a tracer: {none}")
    first = transport.points[0]
    if first.no_result:
        return [*out, f"{transport.ion} has no rate of hops at {first.temperature_K:.0f} K: {first.no_result}"]
    hops = f"{transport.ion} hops within a second at {first.temperature_K:.0f} K"
    if first.hops_within_a_second_V_per_m == 0:
        out.append(
            f"{transport.ion} hops {first.rate_per_s:.2g} times a second at {first.temperature_K:.0f} K without a field"
        )
    elif first.hops_within_a_second_V_per_m is not None:
        out.append(f"{hops} in {first.hops_within_a_second_V_per_m:.2g} V/m that drive it along its hop")
    elif first.linear_law_V_per_m is not None:
        law = f"the linear law says {first.linear_law_V_per_m:.2g} V/m"
        out.append(f"{hops} in no field that the host is known to stand; {law}")
    return out
