"""How well the potentials of a charged cell and the perfect one line up far from the defect: scatter, sites, cell.

Far from a defect the potential of the charged cell less that of the perfect one and that of the periodic point charge
is a constant. Its mean over the sites sampled is the alignment term of the correction; its scatter, and its change with
the radius beyond which sites are sampled, are the error.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import model_validator

from ..results.checks import Check, MustBe, held
from ..results.document import Document

FloatArray = NDArray[np.float64]
# Fewer sites than these give no mean to rely on.
FEWEST_SITES = 10
# Radii about the library's choice, between which the alignment ought not to change.
RADIUS_SHARES = (0.8, 0.9, 1.0, 1.1)
# Beyond this ratio of the largest to the smallest distance of opposite faces a cell is thin: along its short edges
# nothing is far from the defect.
THIN = 1.5


class SiteAlignment(Document):
    """Potentials of the ions of a charged cell against the perfect one.

    Attributes
    ----------
    radius_A
        Sites farther from the defect are sampled.
    elements, distances_A
        Of each site, and from the defect.
    differences_V
        Potential felt by a positive charge, charged cell minus perfect one.
    point_charge_V
        That of the periodic point charge; None at sites too near for it to count.
    """

    radius_A: float
    elements: list[str]
    distances_A: list[float]
    differences_V: list[float]
    point_charge_V: list[float | None]

    @model_validator(mode="after")
    def _one_each(self) -> SiteAlignment:
        if len({len(self.elements), len(self.distances_A), len(self.differences_V), len(self.point_charge_V)}) != 1:
            raise ValueError("an alignment has one element, distance and pair of potentials for each site")
        return self

    def left_V(self, radius_A: float | None = None) -> FloatArray:
        """What differs beyond a radius (the sampled one by default) once the point charge is taken off."""
        reach = self.radius_A if radius_A is None else radius_A
        rows = zip(self.distances_A, self.differences_V, self.point_charge_V, strict=True)
        return np.array([v - p for d, v, p in rows if d > reach and p is not None])

    @property
    def far_V(self) -> float:
        """Mean difference of the sampled sites, point charge included: where the bands of the charged cell are."""
        far = [v for d, v in zip(self.distances_A, self.differences_V, strict=True) if d > self.radius_A]
        return float(np.mean(far))

    def error_V(self) -> float | None:
        """Error of the mean: its standard error and half its range over `RADIUS_SHARES`; None for fewer than two sites.

        The standard error is what doped states; of a sphere that only a few ions lie beyond the range is the larger.
        """
        sampled = self.left_V()
        if len(sampled) < 2:
            return None
        means = [float(np.mean(own)) for share in RADIUS_SHARES if len(own := self.left_V(share * self.radius_A))]
        scatter = float(np.std(sampled, ddof=1) / np.sqrt(len(sampled)))
        return float(np.hypot(scatter, 0.5 * (max(means) - min(means))))


class PlanarAlignment(Document):
    """Planar averages of the local potential along one axis, as Freysoldt's correction uses them.

    Attributes
    ----------
    positions_A
        Along the axis.
    difference_eV, model_eV, left_eV
        Charged cell minus perfect one, the model charge, and what is left; for an electron.
    shift_eV
        Mean of what is left in the middle between the defect and its image.
    scatter_eV
        Its standard deviation there.
    """

    positions_A: list[float]
    difference_eV: list[float]
    model_eV: list[float]
    left_eV: list[float]
    shift_eV: float
    scatter_eV: float


def face_distances_A(lattice_A: ArrayLike) -> FloatArray:
    """Distances of the three pairs of opposite faces of a cell, shape (3,)."""
    return np.asarray(1.0 / np.linalg.norm(np.linalg.inv(np.asarray(lattice_A, dtype=float)), axis=0))


def alignment_checks(lattice_A: ArrayLike, total_eV: float, error_eV: float | None, sites: int | None) -> list[Check]:
    """What a correction has to be before it is relied on; none of these spoils the calculation.

    Parameters
    ----------
    lattice_A
        Cell, shape (3, 3).
    total_eV, error_eV
        Correction and its error.
    sites
        How many aligned; None for a scheme without sites.
    """
    faces = face_distances_A(lattice_A)
    shape = f"faces {faces.min():.1f} and {faces.max():.1f} A apart: along short edges no site is far from the defect"
    checks = [
        _warning("shape of the cell", float(faces.max() / faces.min()), THIN, "below", shape),
        _warning(
            "correction is not negative",
            total_eV,
            -(error_eV or 0.0),
            "above",
            "images of one charge repel each other: the charge is not where the model has it, or not localised",
        ),
    ]
    if sites is not None:
        few = f"{sites:.0f} sites lie far from the defect: the alignment hangs on which; take a larger cell"
        checks.insert(0, _warning("sites that align", sites, FEWEST_SITES, "above", few))
    return checks


def _warning(name: str, value: float, limit: float, must_be: MustBe, note: str) -> Check:
    check = held(name, value, limit, must_be=must_be, invalidates=False)
    return check if check.passed else check.model_copy(update={"note": note})
