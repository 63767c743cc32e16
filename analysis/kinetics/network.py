"""Hops of a crystal as a graph: places of a carrier, hops between them with barriers and dipoles, percolation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from pymatgen.core import Structure

from ...structures.symmetry import operations
from ..results.document import Document
from .distinct_hop import DistinctHop as DistinctHop
from .distinct_hop import of_ion, of_vacancy
from .percolation import Percolation, percolation
from .rates import ASSUMED_ATTEMPT_Hz

if TYPE_CHECKING:
    import pandas as pd

    from .migration import Migration

FloatArray = NDArray[np.float64]
Carrier = Literal["vacancy", "ion"]
_SAME_PLACE_A = 0.1
# Energies of places that the hops give on two ways differ by less, or they are no function of the place.
CONSISTENT_eV = 0.02
_SAME_AXIS = 0.98


class NetworkSite(Document):
    """A place that the carrier can take.

    Attributes
    ----------
    fractional
        In the cell, shape (3,).
    label
        E.g. ``Fe(B)``.
    energy_eV
        Of the carrier there, above the lowest place that it is joined to.
    """

    fractional: list[float]
    label: str
    energy_eV: float


class NetworkHop(Document):
    """One hop of the carrier and, backwards, its reverse.

    Attributes
    ----------
    label
        Of the distinct hop that it is an image of.
    start, end, image
        Numbers of the places, and the lattice translation of the last one, shape (3,).
    displacement_A
        Of the carrier, Cartesian, shape (3,): against that of the ion if the carrier is a vacancy.
    forward_eV, backward_eV
        Barriers from `start` and from `end`.
    forward_Hz, backward_Hz
        Attempt frequencies.
    saddle_dipole_e_A, end_dipole_e_A
        Dipole at the saddle and at the end minus that at the start, shape (3,), e Angstrom.
    """

    label: str
    start: int
    end: int
    image: list[int]
    displacement_A: list[float]
    forward_eV: float
    backward_eV: float
    forward_Hz: float = ASSUMED_ATTEMPT_Hz
    backward_Hz: float = ASSUMED_ATTEMPT_Hz
    saddle_dipole_e_A: list[float]
    end_dipole_e_A: list[float]


class HopNetwork(Document):
    """All hops of one ion in a cell.

    Attributes
    ----------
    ion, carrier
        Who moves; the places are those of the vacancy that it enters, or its own.
    lattice_A
        Rows are the lattice vectors.
    sites, hops
        Graph of the cell.
    percolation
        Lowest highest barrier along the cell's vectors, and along further directions.
    mismatch_eV
        Largest difference of a hop's reaction energy and that of the places' energies; above `CONSISTENT_eV` the
        hops change the order of the cations, and a place has no energy of its own.
    left_out
        Hops that are no result.
    """

    ion: str
    carrier: Carrier
    lattice_A: list[list[float]]
    sites: list[NetworkSite]
    hops: list[NetworkHop]
    percolation: list[Percolation]
    mismatch_eV: float
    left_out: list[str] = Field(default_factory=list)

    def along(self, direction: ArrayLike) -> Percolation:
        """Percolation along a Cartesian direction, e.g. that of a field."""
        vector = np.asarray(direction, dtype=float)
        name = " ".join(f"{x:g}" for x in vector)
        return percolation(self.thresholds(), np.asarray(self.lattice_A), [(name, vector)])[0]

    def thresholds(self) -> list[tuple[float, str, int, int, NDArray[np.int_]]]:
        """Of each hop (eV, label, start, end, image): its saddle above the lowest place, else its higher barrier."""
        return _thresholds(self.sites, self.hops, self.mismatch_eV)

    def to_dataframe(self) -> pd.DataFrame:
        """One row per hop of the cell: label, start, end, displacement, length, barriers, prefactors."""
        import pandas as pd

        rows = []
        for hop in self.hops:
            a, b = self.sites[hop.start], self.sites[hop.end]
            x, y, z = hop.displacement_A
            rows.append(
                {
                    "ion": self.ion,
                    "hop": hop.label,
                    "start": f"{a.label} {hop.start}",
                    "end": f"{b.label} {hop.end}",
                    "image": " ".join(str(n) for n in hop.image),
                    "dx_A": x,
                    "dy_A": y,
                    "dz_A": z,
                    "distance_A": float(np.linalg.norm(hop.displacement_A)),
                    "forward_eV": hop.forward_eV,
                    "backward_eV": hop.backward_eV,
                    "forward_Hz": hop.forward_Hz,
                    "backward_Hz": hop.backward_Hz,
                }
            )
        return pd.DataFrame(rows)


def network_of(
    cell: Structure, distinct: Sequence[DistinctHop], *, ion: str, carrier: Carrier, left_out: Sequence[str] = ()
) -> HopNetwork:
    """Graph of a cell from its symmetry-distinct hops.

    Parameters
    ----------
    cell
        Whose space group, with valences and spins as colours, copies the hops.
    distinct
        One of each kind.
    ion, carrier, left_out
        As in `HopNetwork`.

    Raises
    ------
    ValueError
        If there is no hop, or one of no length.
    """
    if not distinct:
        raise ValueError(f"no hop of {ion} is a result, so it has no network: {'; '.join(left_out) or 'none is given'}")
    places, pushed, ops = _Places(cell), _Places(cell), operations(cell)
    edges: dict[tuple[Any, ...], NetworkHop] = {}
    for hop in distinct:
        if np.linalg.norm(hop.displacement_A) < _SAME_PLACE_A:
            raise ValueError(f"hop {hop.label} has no length")
        start = cell.lattice.get_fractional_coords(hop.start_A)
        for op in ops:
            begin = op.rotation @ start + op.translation
            step = op.cartesian @ hop.displacement_A
            dumbbells = [None if axis is None else op.cartesian @ axis for axis in hop.axes]
            first, shift = places.number(begin, hop.ends[0], dumbbells[0])
            last, image = places.number(begin + cell.lattice.get_fractional_coords(step), hop.ends[1], dumbbells[1])
            over = tuple(int(n) for n in image - shift)
            way: tuple[int, ...] = ()
            back: tuple[int, ...] = ()
            if hop.pushed_A is not None:
                middle = op.rotation @ cell.lattice.get_fractional_coords(hop.pushed_A) + op.translation
                site, its = pushed.number(middle, "")
                way, back = ((site, *(int(n) for n in its - seen)) for seen in (shift, image))
            key = (hop.label, first, last, over, way)
            if key in edges or (hop.label, last, first, tuple(-n for n in over), back) in edges:
                continue
            edges[key] = NetworkHop(
                label=hop.label,
                start=first,
                end=last,
                image=list(over),
                displacement_A=step.tolist(),
                forward_eV=hop.forward_eV,
                backward_eV=hop.backward_eV,
                forward_Hz=hop.forward_Hz,
                backward_Hz=hop.backward_Hz,
                saddle_dipole_e_A=(op.cartesian @ hop.saddle_dipole_e_A).tolist(),
                end_dipole_e_A=(op.cartesian @ hop.end_dipole_e_A).tolist(),
            )
    hops = list(edges.values())
    energies, mismatch = _place_energies(len(places.fractional), hops)
    sites = [
        NetworkSite(fractional=x.tolist(), label=name, energy_eV=e)
        for x, name, e in zip(places.fractional, places.labels, energies, strict=True)
    ]
    matrix = cell.lattice.matrix
    axes = list(zip("abc", matrix, strict=True))
    return HopNetwork(
        ion=ion,
        carrier=carrier,
        lattice_A=matrix.tolist(),
        sites=sites,
        hops=hops,
        percolation=percolation(_thresholds(sites, hops, mismatch), matrix, axes),
        mismatch_eV=mismatch,
        left_out=list(left_out),
    )


def network_of_hops(cell: Structure, migrations: Sequence[Migration], ion: str) -> HopNetwork:
    """Network of the vacancies that one ion enters, from computed hops.

    Parameters
    ----------
    cell
        Relaxed ordered cell, with the origin of the cells of the hops.
    migrations
        Hops with `start_A`, as `magnetoionics hops` computes them; those of other ions are passed over.
    ion
        Element.

    Raises
    ------
    ValueError
        If no hop of the ion is a result.
    """
    own = [m for m in migrations if m.ion == ion]
    good = [m for m in own if m.start_A is not None and not m.why_no_result]
    return network_of(
        cell,
        [of_vacancy(m) for m in good],
        ion=ion,
        carrier="vacancy",
        left_out=[f"{m.label}: {'; '.join(m.why_no_result) or 'its place is not known'}" for m in own if m not in good],
    )


def network_of_interstitials(cell: Structure, migrations: Sequence[Migration], ion: str) -> HopNetwork:
    """Network of the places of an inserted ion, from computed hops; as `network_of_hops`."""
    own = [m for m in migrations if m.ion == ion]
    good = [m for m in own if m.start_A is not None and not m.why_no_result]
    lost = [f"{m.label}: {'; '.join(m.why_no_result) or 'its place is not known'}" for m in own if m not in good]
    return network_of(cell, [h for m in good for h in of_ion(m)], ion=ion, carrier="ion", left_out=lost)


class _Places:
    """Places of a cell, numbered as they come."""

    def __init__(self, cell: Structure) -> None:
        self._lattice = cell.lattice
        self._axes: list[FloatArray | None] = []
        self.fractional: list[FloatArray] = []
        self.labels: list[str] = []

    def number(
        self, fractional: FloatArray, label: str, axis: FloatArray | None = None
    ) -> tuple[int, NDArray[np.int_]]:
        """Number of the place, and the lattice translation from it to these coordinates."""
        for n, known in enumerate(self.fractional):
            if not _alike(self._axes[n], axis):
                continue
            shift = np.rint(fractional - known).astype(int)
            if np.linalg.norm((fractional - known - shift) @ self._lattice.matrix) < _SAME_PLACE_A:
                return n, shift
        inside = np.mod(fractional, 1.0)
        self._axes.append(axis)
        self.fractional.append(inside)
        self.labels.append(label)
        return len(self.fractional) - 1, np.rint(fractional - inside).astype(int)


def _alike(one: FloatArray | None, other: FloatArray | None) -> bool:
    """Whether two axes are one, whatever their sense."""
    if one is None or other is None:
        return one is None and other is None
    return bool(abs(one @ other) > _SAME_AXIS)


def _place_energies(count: int, hops: Sequence[NetworkHop]) -> tuple[list[float], float]:
    """Energies of the places by least squares of all reaction energies, and the largest residual, eV."""
    rows, right = np.zeros((len(hops), count)), np.array([h.forward_eV - h.backward_eV for h in hops])
    for n, hop in enumerate(hops):
        rows[n, hop.end] += 1.0
        rows[n, hop.start] -= 1.0
    energies = np.asarray(np.linalg.lstsq(rows, right, rcond=None)[0])
    return (energies - energies.min()).tolist(), float(np.abs(rows @ energies - right).max(initial=0.0))


def _thresholds(
    sites: Sequence[NetworkSite], hops: Sequence[NetworkHop], mismatch_eV: float
) -> list[tuple[float, str, int, int, NDArray[np.int_]]]:
    out = []
    for hop in hops:
        ends = sites[hop.start].energy_eV + hop.forward_eV, sites[hop.end].energy_eV + hop.backward_eV
        top = sum(ends) / 2 if mismatch_eV < CONSISTENT_eV else max(hop.forward_eV, hop.backward_eV)
        out.append((top, hop.label, hop.start, hop.end, np.asarray(hop.image)))
    return out


def network_in_words(network: HopNetwork) -> str:
    """Percolation of a network on one line."""
    ways = [
        f"{p.direction} {p.barrier_eV:.3f} eV ({p.limiting_hop})" if p.barrier_eV is not None else f"{p.direction} none"
        for p in network.percolation
    ]
    changed = "" if network.mismatch_eV < CONSISTENT_eV else "; hops change the order of the cations"
    through = "vacancies" if network.carrier == "vacancy" else "empty places"
    return f"{network.ion} by {through}, highest barrier of the easiest way along {', along '.join(ways)}{changed}"
