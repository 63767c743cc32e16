"""Effective charges of single sites for the work of a field: from a user's file or from an engine's Born charges.

A file may hold one charge or tensor by element, one for every site of the ordered cell or of the band's cell, or
the `Polarisation` document of an engine's job on any cell that the band's cell repeats.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from pymatgen.core import Structure

from ...structures.io.safe_json import loads
from ...structures.io.untrusted_input import LARGEST_BYTES, read_text
from ..results.calculation import Band
from ..results.document import Document, StructureField
from .polarisation import Polarisation, SUM_RULE_e

FloatArray = NDArray[np.float64]

# A relaxed ion is nearer to its own site than this; beyond it nobody knows whose charge it has.
_OWN_SITE_A = 1.2
_STRAIN = 0.06
_FORMS = (
    'write {"Co": 2.1, "O": -2.0} (numbers or 3x3 tensors, e), a list with one of them per site, '
    "an .npy array of shape (n,) or (n, 3, 3), or the Polarisation document of an engine"
)


class SiteCharges(Document):
    """Charges (e) on which a field acts.

    Attributes
    ----------
    source
        Where they come from.
    by_element
        Tensor Z_ab = d p_a / d u_b by element, each (3, 3); None if they are per site.
    by_site_e
        The same for each site of `cell`, or of the ordered or the band's cell where `cell` is None, shape (n, 3, 3).
    cell
        Structure whose sites they belong to.
    """

    source: str
    by_element: dict[str, list[list[float]]] | None = None
    by_site_e: list[list[list[float]]] | None = Field(default=None, repr=False)
    cell: StructureField | None = Field(default=None, repr=False)

    def check(self, cell: Structure, atoms_in_band: int) -> None:
        """Refuse early what cannot belong to a host.

        Parameters
        ----------
        cell
            Ordered cell of the host.
        atoms_in_band
            Number of ions in the band's cell.

        Raises
        ------
        ValueError
            If an element has no charge, or the number of sites fits neither cell.
        """
        if self.by_element is not None:
            absent = sorted({s.specie.symbol for s in cell} - set(self.by_element))
            if absent:
                raise ValueError(f"{self.source} has no charge for {', '.join(absent)}; give one for every element")
        elif self.cell is None and len(self.by_site_e or ()) not in (len(cell), atoms_in_band):
            raise ValueError(
                f"{self.source} has {len(self.by_site_e or ())} charges; the ordered cell has {len(cell)} sites and "
                f"the band's cell {atoms_in_band}"
            )

    def tensors_for(self, start: Structure, mover: int, cell: Structure) -> tuple[FloatArray, float]:
        """Tensors of all ions of a band's first image, adding up to zero.

        Parameters
        ----------
        start
            First image, with ``valence``.
        mover
            Its moving ion.
        cell
            Ordered cell that the band's cell repeats, for charges that belong to it.

        Returns
        -------
        tuple
            Shape (n, 3, 3), e, what is missing to neutrality spread over the cations but the mover; and the largest
            element of what was missing, e.

        Raises
        ------
        ValueError
            If an ion has no charge, or no site of the charges' cell is its own.
        """
        z = self._raw(start, cell)
        missing = z.sum(axis=0)
        taking = np.array([s.properties["valence"] > 0 for s in start])
        taking[mover] = False
        if not taking.any():
            raise ValueError("no cation but the mover can take the missing charge")
        z[taking] -= missing / taking.sum()
        return z, float(np.abs(missing).max())

    def _raw(self, start: Structure, cell: Structure) -> FloatArray:
        if self.by_element is not None:
            return np.array([self.by_element[s.specie.symbol] for s in start], dtype=float)
        sites = np.array(self.by_site_e, dtype=float)
        if self.cell is None and len(sites) == len(start):
            return sites
        like = self.cell if self.cell is not None else cell
        return np.asarray(sites[_own_sites(start, like)])


def charges_by_element(charges: dict[str, Any], source: str) -> SiteCharges:
    """Charges from numbers or tensors by element.

    Raises
    ------
    ValueError
        If a value is neither.
    """
    rows = {str(e): _tensors([v], f"{source}, {e}")[0].tolist() for e, v in charges.items()}
    if not rows:
        raise ValueError(f"{source} is empty; {_FORMS}")
    return SiteCharges(source=source, by_element=rows)


def charges_by_site(charges: ArrayLike, source: str, cell: Structure | None = None) -> SiteCharges:
    """Charges of every site, shape (n,) or (n, 3, 3), e.

    Raises
    ------
    ValueError
        If the shape is another one, a number is not finite, or `cell` has another number of sites.
    """
    tensors = _tensors(charges, source)
    if cell is not None and len(cell) != len(tensors):
        raise ValueError(f"{source} has {len(tensors)} charges for {len(cell)} sites")
    return SiteCharges(source=source, by_site_e=tensors.tolist(), cell=cell)


def charges_of_polarisation(polarisation: Polarisation) -> SiteCharges:
    """Born charges of an engine's linear-response job.

    Raises
    ------
    ValueError
        If it has none.
    """
    if polarisation.born_charges_e is None:
        raise ValueError(f"{polarisation.name} holds no Born charges")
    return charges_by_site(
        polarisation.born_charges_e, f"Born charges of {polarisation.provenance.engine}", polarisation.structure
    )


def read_site_charges(path: str | Path) -> SiteCharges:
    """Charges from a .json or .npy file; nothing in it is executed.

    Raises
    ------
    ValueError
        If it cannot be read; the message shows the forms that can.
    """
    file = Path(path)
    source = f"charges of {file.name}"
    if file.suffix == ".npy":
        if not file.is_file() or file.stat().st_size > LARGEST_BYTES:
            raise ValueError(f"there is no file {file.name} of at most {LARGEST_BYTES // 1024**2} MB")
        try:
            array = np.load(file, allow_pickle=False)
        except (OSError, EOFError, ValueError) as error:
            raise ValueError(f"{file.name} is no NumPy array of numbers ({error}); {_FORMS}") from error
        return charges_by_site(array, source)
    if file.suffix != ".json":
        raise ValueError(f"{file.name} is neither .json nor .npy; {_FORMS}")
    try:
        plain = loads(read_text(file), file.name)
    except FileNotFoundError as error:
        raise ValueError(str(error)) from error
    if isinstance(plain, list):
        return charges_by_site(plain, source)
    if isinstance(plain, dict) and "born_charges_e" in plain:
        return charges_of_polarisation(
            Polarisation.model_validate({k: v for k, v in plain.items() if not k.startswith("@")})
        )
    if isinstance(plain, dict):
        return charges_by_element(plain, source)
    raise ValueError(f"{file.name} holds no charges; {_FORMS}")


def band_with_charges(band: Band, charges: SiteCharges, cell: Structure) -> Band:
    """The band with the dipoles that fixed charges of its ions give along the path.

    Parameters
    ----------
    band
        Converged band.
    charges, cell
        As in `SiteCharges.tensors_for`.

    Returns
    -------
    Band
        A copy; what was missing to neutrality is in its ``dipole_note``.
    """
    first = band.images[0].structure
    z, missing = charges.tensors_for(first, band.mover, cell)
    images = []
    for image in band.images:
        moved = image.structure.cart_coords - first.cart_coords
        dipole = np.einsum("nab,nb->a", z, moved)
        images.append(image.model_copy(update={"dipole_e_A": [float(x) for x in dipole]}))
    note = (
        f"{charges.source}, fixed along the path; {missing:.2g} e were missing to neutrality "
        f"({missing / len(first):.2g} e per ion, {SUM_RULE_e:g} is usual) and are spread over the cations but the mover"
    )
    return band.model_copy(update={"images": images, "dipole_source": "Born charges", "dipole_note": note})


def _tensors(values: Any, source: str) -> FloatArray:
    try:
        tensors = np.array(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{source}: {str(error)[:120]}; {_FORMS}") from error
    if tensors.ndim == 1:
        tensors = tensors[:, None, None] * np.eye(3)
    if tensors.ndim != 3 or tensors.shape[1:] != (3, 3) or not len(tensors):
        raise ValueError(f"{source} has shape {tensors.shape}; {_FORMS}")
    if not np.isfinite(tensors).all():
        raise ValueError(f"{source} holds numbers that are not finite")
    return tensors


def _own_sites(start: Structure, cell: Structure) -> NDArray[np.int_]:
    """For each ion of a supercell the site of the cell that it repeats."""
    ratio = start.lattice.matrix @ np.linalg.inv(cell.lattice.matrix)
    repeats = np.rint(ratio)
    if np.abs(ratio - repeats).max() > _STRAIN * max(1.0, float(np.abs(repeats).max())):
        raise ValueError(
            "the band's cell is no whole multiple of the cell of the charges (same axes needed); its edges are "
            f"{np.round(ratio, 2).tolist()} of that cell's"
        )
    folded = start.frac_coords @ repeats
    distance = cell.lattice.get_all_distances(folded, cell.frac_coords)
    other = np.array([[a.specie.symbol != b.specie.symbol for b in cell] for a in start])
    distance = np.where(other, np.inf, distance)
    nearest = distance.argmin(axis=1)
    far = distance[np.arange(len(start)), nearest]
    if far.max() > _OWN_SITE_A:
        lost = int(far.argmax())
        raise ValueError(
            f"ion {lost} ({start[lost].specie.symbol}) is {far[lost]:.2f} A from any site of its element in the cell "
            "of the charges; are they of this material?"
        )
    return np.asarray(nearest)
