"""Loops of many uniaxial grains whose easy axes spread about an axis, at a temperature and a sweep rate.

Every grain follows E. C. Stoner and E. P. Wohlfarth (10.1098/rsta.1948.0007) until its state ends: at 0 K at
h_s = (cos^(2/3) + sin^(2/3))^(-3/2) of its anisotropy field, else where half of such grains have turned by heat
(see `grain.coercive_field_T`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from ..results.document import Document
from .grain import GrainState, coercive_field_T

FloatArray = NDArray[np.float64]
_ANGLES = 160
_POINTS = 241
_TABLE = 400
_BEYOND = 1.2


class GrainLoop(Document):
    """Descending branch of a loop; the other is its mirror image.

    Attributes
    ----------
    state
        Of the mover.
    fields_T, moment_share
        Field along the mean axis, falling, and the moment along it over that of saturation.
    remanence, coercive_T
        At zero field, and where the moment vanishes.
    texture_deg
        Spread of the easy axes; None for axes at random.
    assumptions
        What else.
    """

    state: str
    fields_T: list[float]
    moment_share: list[float]
    remanence: float
    coercive_T: float
    texture_deg: float | None
    assumptions: list[str] = Field(default_factory=list)


def switching_share(angle: ArrayLike) -> FloatArray:
    """h_s: where a uniaxial grain turns at 0 K over its anisotropy field, by the angle to the easy axis in rad."""
    theta = np.asarray(angle, dtype=float)
    return np.asarray((np.abs(np.cos(theta)) ** (2 / 3) + np.abs(np.sin(theta)) ** (2 / 3)) ** -1.5)


def upper_branch(angle: float, fields: ArrayLike) -> FloatArray:
    """Moment along the field of a grain that comes from saturation, before it turns.

    Parameters
    ----------
    angle
        Of the easy axis from the field, 0 to pi/2 rad.
    fields
        Over the anisotropy field, above -h_s; shape (n,).

    Returns
    -------
    ndarray
        Shape (n,).
    """
    h = np.asarray(fields, dtype=float)
    # The field that holds the moment at an angle: sin 2(phi - angle) / 2 + h sin(phi) = 0.
    phi = np.linspace(1e-6, min(angle + np.pi / 2, np.pi) - 1e-6, _TABLE)
    phi = np.sort(np.concatenate([phi, np.clip(angle + np.linspace(-0.1, 0.1, _TABLE), 1e-6, np.pi - 1e-6)]))
    held = -0.5 * np.sin(2 * (phi - angle)) / np.sin(phi)
    last = int(np.argmin(held)) + 1
    return np.asarray(np.interp(h, held[:last][::-1], np.cos(phi[:last])[::-1]))


def grain_loop(
    grain: GrainState,
    *,
    texture_deg: float | None,
    sweep_T_per_s: float,
    attempt_Hz: float,
    thermal: bool = True,
) -> GrainLoop:
    """Loop of many grains, each uniaxial with the barrier and the switching field of one.

    Parameters
    ----------
    grain
        Of the film, see `grain.grain_state`.
    texture_deg
        Width of the Gaussian of the tilt per solid angle; None for axes at random.
    sweep_T_per_s, attempt_Hz
        Of the field, and of a grain.
    thermal
        Whether heat turns grains before their state ends.

    Raises
    ------
    ValueError
        If the texture is no angle above zero and up to 90 degrees, or the grain has no switching field.
    """
    if texture_deg is not None and not 0 < texture_deg <= 90:
        raise ValueError(f"texture {texture_deg} must be above 0 and at most 90 degrees, or None for axes at random")
    angles, weights = _tilts(texture_deg)
    scale = grain.switching_0K_T
    if not scale > 0:
        raise ValueError(f"state {grain.state} has no switching field: there is no loop")
    fields = np.linspace(_BEYOND, -_BEYOND, _POINTS)
    moment = np.zeros(_POINTS)
    for angle, weight in zip(angles, weights, strict=True):
        share = float(switching_share(angle))
        turned = share
        if thermal:
            turned = coercive_field_T(scale * share, grain.stability, sweep_T_per_s, attempt_Hz) / scale
        up = upper_branch(float(angle), np.abs(fields))
        before = upper_branch(float(angle), np.maximum(fields, -turned))
        moment += weight * np.where(fields > -turned, before, -up)
    assumptions = [
        f"uniaxial grains of K V/kT = {grain.stability:.3g} and 2K/M = {scale:.3g} T, easy axes "
        + ("at random" if texture_deg is None else f"within {texture_deg:g} degrees of the field"),
        "grains do not act on one another",
        f"field swept at {sweep_T_per_s:g} T/s, {attempt_Hz:.0e} attempts/s" if thermal else "no heat",
    ]
    below = np.flatnonzero(moment <= 0)
    k = int(below[0])
    crossing = np.interp(0.0, [moment[k], moment[k - 1]], [fields[k], fields[k - 1]])
    return GrainLoop(
        state=grain.state,
        fields_T=[float(x) for x in fields * scale],
        moment_share=[float(x) for x in moment],
        remanence=float(np.interp(0.0, fields[::-1], moment[::-1])),
        coercive_T=float(-crossing * scale),
        texture_deg=texture_deg,
        assumptions=assumptions,
    )


def _tilts(texture_deg: float | None) -> tuple[FloatArray, FloatArray]:
    """Angles of easy axes and their shares."""
    nodes, weights = np.polynomial.legendre.leggauss(_ANGLES)
    if texture_deg is None:
        # Equal shares per solid angle: even in the cosine.
        return np.arccos((nodes + 1) / 2), weights / 2
    width = np.radians(texture_deg)
    angles = min(4 * width, np.pi / 2) * (nodes + 1) / 2
    shares = weights * np.sin(angles) * np.exp(-(angles**2) / (2 * width**2))
    return angles, shares / shares.sum()
