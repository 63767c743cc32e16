"""VASP's frame of moments."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def axis_frame(saxis: ArrayLike) -> NDArray[np.float64]:
    """Rotation from VASP's frame of moments to Cartesian axes: m = R m_frame, so R (0, 0, 1) is SAXIS.

    Notes
    -----
    R = R_z(alpha) R_y(beta) with alpha the azimuth and beta the polar angle of SAXIS.
    """
    x, y, z = np.asarray(saxis, dtype=float)
    alpha, beta = np.arctan2(y, x), np.arctan2(np.hypot(x, y), z)
    ca, sa, cb, sb = np.cos(alpha), np.sin(alpha), np.cos(beta), np.sin(beta)
    return np.array([[cb * ca, -sa, sb * ca], [cb * sa, ca, sb * sa], [-sb, 0.0, cb]])
