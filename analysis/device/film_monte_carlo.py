"""The same film, ion by ion: kinetic Monte Carlo with the rates of `film_model`, compiled.

An event is drawn from the sum of the rates of all ions (A. B. Bortz, M. H. Kalos and J. L. Lebowitz,
10.1016/0021-9991(75)90060-1): a plane and a direction by their share, then an ion of that plane. Rates depend on the
plane alone, so that an event costs the number of planes and not of places. A hop onto a taken place does not happen,
and its time has passed: that is the blocking of places, exactly. An electrode that supplies ions fills each place
beside it and empties it at the rates of `FilmModel.electrode_rates_per_s`. Ions also hop within their plane, over the
same barrier. The field is that of the planes' mean charges, renewed after every so many hops between planes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...structures.units import BOLTZMANN_eV_PER_K, COULOMB_eV_A
from ..results.document import Document
from .film_model import FilmModel
from .film_run import FilmStep

if TYPE_CHECKING:
    import pandas as pd

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]


class FilmWalk(Document):
    """Ions of a film through a sequence of voltages.

    Attributes
    ----------
    side
        Places along both directions in a plane.
    time_s, voltage_V, profile
        At the end of every step: occupation of every plane, shape (steps, planes).
    hops, attempts
        Hops and passages of an electrode that happened, and those with the ones onto taken places.
    """

    side: int
    time_s: list[float]
    voltage_V: list[float]
    profile: list[list[float]]
    hops: int
    attempts: int

    @property
    def contrast(self) -> list[float]:
        """Ions of the right half minus those of the left over all, at the end of every step."""
        x = np.array(self.profile)
        sense = np.sign(np.arange(x.shape[1]) - (x.shape[1] - 1) / 2)
        return [float(c) for c in (x @ sense) / np.maximum(x.sum(axis=1), 1e-300)]

    def to_dataframe(self) -> pd.DataFrame:
        """One row per step: time, voltage, contrast and the occupation of every plane."""
        import pandas as pd

        planes = {f"plane {n + 1}": column for n, column in enumerate(zip(*self.profile, strict=True))}
        rows = {"time_s": self.time_s, "voltage_V": self.voltage_V, "contrast": self.contrast}
        return pd.DataFrame(rows | planes)


def walk_film(
    model: FilmModel,
    steps: Sequence[FilmStep],
    *,
    side: int = 10,
    seed: int = 0,
    start: Sequence[float] | None = None,
    refresh: int | None = None,
    most_attempts: int = 10**9,
) -> FilmWalk:
    """Simulate a film of `side` x `side` places in a plane, periodic along it.

    Parameters
    ----------
    model
        The film.
    steps
        Constant voltages.
    side, seed
        Size and random numbers.
    start
        Occupation of the planes; uniform by default.
    refresh
        Hops between planes after which the field is renewed; a thousandth of the places by default.
    most_attempts
        A step that would need more is refused.

    Raises
    ------
    ValueError
        If a step is a ramp or needs too many attempts.
    """
    from .film_kernel import hop_until

    if model.traps is not None:
        raise ValueError("ion by ion a film has no traps; traps are for run_film")
    if any(s.end_V is not None for s in steps) or not steps:
        raise ValueError("ion by ion a film takes steps of constant voltage; ramps are for run_film")
    if not 2 <= side <= 2000:
        raise ValueError(f"side {side} must lie between 2 and 2000 places")
    rng = np.random.default_rng(seed)
    area, planes = side * side, model.planes
    share = np.full(planes, model.occupation) if start is None else np.asarray(start, dtype=float)
    taken, ions, counts = _placed(share, area, rng)
    renew = max(1, area * planes // 1000) if refresh is None else refresh
    times, profile, elapsed, hops, attempts = [], [], 0.0, 0, 0
    for step in steps:
        volts = step.voltage_V
        temperature = model.temperature_at_K(volts)
        applied = model.field_V_per_A(np.full(planes, model.occupation), volts)[0]
        more_A = 10 * model.permittivity * sum(t / eps for t, eps in model.other_layers_nm)
        jump = model.charge_e * 4 * np.pi * COULOMB_eV_A * model.sites_per_nm2 / 100 / model.permittivity
        hops_done, tried = hop_until(
            taken,
            ions,
            counts,
            side,
            step.duration_s,
            float(applied),
            float(jump) if model.screened else 0.0,
            model.occupation,
            model.gaps_A,
            more_A,
            model.charge_e * model.plane_spacing_A,
            model.barrier_eV,
            model.attempt_Hz,
            BOLTZMANN_eV_PER_K * temperature,
            np.array([*model.electrode_rates_per_s("left", volts), *model.electrode_rates_per_s("right", volts)]),
            renew,
            most_attempts,
            rng,
        )
        if tried >= most_attempts:
            raise ValueError(
                f"{volts:g} V for {step.duration_s:g} s needs more than {most_attempts:g} attempts: "
                "shorten it, or take run_film"
            )
        elapsed += step.duration_s
        hops, attempts = hops + hops_done, attempts + tried
        times.append(elapsed)
        profile.append((counts / area).tolist())
    return FilmWalk(
        side=side,
        time_s=times,
        voltage_V=[s.voltage_V for s in steps],
        profile=profile,
        hops=hops,
        attempts=attempts,
    )


def _placed(share: Any, area: int, rng: np.random.Generator) -> tuple[Any, Any, Any]:
    """Places (plane, site) with the number of their ion or -1; sites of the ions; ions of each plane."""
    planes = len(share)
    taken = np.full((planes, area), -1, dtype=np.int64)
    ions = np.full((planes, area), -1, dtype=np.int64)
    counts = np.zeros(planes, dtype=np.int64)
    for plane in range(planes):
        exact = share[plane] * area
        count = int(exact) + int(rng.random() < exact - int(exact))
        sites = rng.choice(area, size=count, replace=False)
        ions[plane, :count] = sites
        taken[plane, sites] = np.arange(count)
        counts[plane] = count
    return taken, ions, counts
