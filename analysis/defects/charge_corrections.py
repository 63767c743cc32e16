"""Finite-size corrections of charged cells: point-charge limit, Freysoldt, and Kumagai's extension (eFNV).

The point-charge limit is ours, in closed form and as an anisotropic Ewald sum: it needs a lattice and a
dielectric tensor only, and every published correction must approach it. The corrections that use the
potential of a calculation come from kept libraries, pymatgen-analysis-defects and pydefect (extra
``defects``). All corrections are to be added to the energy of the charged cell, in eV.

Formulas: G. Makov and M. C. Payne, 10.1103/PhysRevB.51.4014; C. Freysoldt et al.,
10.1103/PhysRevLett.102.016402; Y. Kumagai and F. Oba, 10.1103/PhysRevB.89.195205.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from ...structures.units import COULOMB_eV_A
from ..results.checks import Check
from ..results.document import Document, StructureField
from .alignment import RADIUS_SHARES, PlanarAlignment, SiteAlignment, alignment_checks

FloatArray = NDArray[np.float64]
_ACCURACY = 1e-12
_SYMMETRY_TOLERANCE = 1e-6
# Relative spread of the eigenvalues of a permittivity that is worth a word.
_ANISOTROPIC = 0.05

Method = Literal["point charge", "Freysoldt", "eFNV", "as given"]


class PlanarPotential(Document):
    """Planar averages of the local potential of a cell, as an engine writes them.

    Attributes
    ----------
    lattice_A
        Shape (3, 3), rows are the cell's vectors.
    averages_eV
        Three lists: the potential energy of an electron averaged over planes along a, b, c (VASP's LOCPOT
        convention), on an even grid that starts at zero and leaves out the end.
    """

    lattice_A: list[list[float]]
    averages_eV: list[list[float]]

    @model_validator(mode="after")
    def _three_axes(self) -> PlanarPotential:
        if np.shape(self.lattice_A) != (3, 3) or len(self.averages_eV) != 3:
            raise ValueError("a planar potential needs a 3 x 3 lattice and one average per axis")
        return self


class SitePotentials(Document):
    """Electrostatic potential at the ions of a cell.

    Attributes
    ----------
    structure
        The cell.
    potentials_V
        Potential felt by a positive charge, one value per site. VASP prints the opposite sign.
    """

    structure: StructureField
    potentials_V: list[float]

    @model_validator(mode="after")
    def _one_per_site(self) -> SitePotentials:
        if len(self.potentials_V) != len(self.structure):
            raise ValueError(f"{len(self.potentials_V)} potentials for {len(self.structure)} sites")
        return self


class ChargeCorrection(Document):
    """A correction with its parts, to be added to the energy of the charged cell.

    Attributes
    ----------
    method
        Which scheme; ``as given`` is the total of another program's entry.
    charge
        Charge of the cell, e.
    dielectric
        Tensor used, shape (3, 3).
    electrostatic_eV
        Interaction with the images and the background.
    alignment_eV
        What aligning the potentials adds; 0 for the point charge, which has no potential to align.
    total_eV
        Their sum.
    point_charge_eV
        The point-charge limit in the same cell, as a check.
    error_eV
        What the alignment leaves open: scatter of the sites and the choice of the radius, or scatter between the
        planes and the axes; None where nothing was aligned.
    sites, planes
        What was aligned; None and empty where a scheme has none.
    checks
        Number of sites, shape of the cell, sign: none of them spoils the calculation.
    versions
        Library versions.
    note
        What a reader has to know.
    """

    method: Method
    charge: int
    dielectric: list[list[float]]
    electrostatic_eV: float
    alignment_eV: float
    total_eV: float
    point_charge_eV: float
    error_eV: float | None = Field(default=None, ge=0)
    sites: SiteAlignment | None = Field(default=None, repr=False)
    planes: list[PlanarAlignment] = Field(default_factory=list, repr=False)
    checks: list[Check] = Field(default_factory=list)
    versions: dict[str, str] = Field(default_factory=dict)
    note: str = ""


class TooSmallCellError(ValueError):
    """No ion of a cell is far enough from its defect to align potentials at."""


class MissingDefectLibraryError(ImportError):
    """A library of the extra ``defects`` is not installed; the message says which."""


def point_charge_eV(charge: float, lattice_A: ArrayLike, dielectric: ArrayLike) -> float:
    """Correction of a point charge in any cell and any dielectric tensor.

    A linear map takes the anisotropic medium to vacuum, x' = eps^(-1/2) x, where an Ewald sum with a
    uniform background gives the potential of all images at the charge.

    Parameters
    ----------
    charge
        In e.
    lattice_A
        Shape (3, 3), rows are the cell's vectors.
    dielectric
        Relative permittivity: a number or a (3, 3) tensor.

    Returns
    -------
    float
        Correction in eV; not negative.

    Raises
    ------
    ValueError
        For a singular lattice or an impossible tensor.
    """
    epsilon = dielectric_tensor(dielectric)
    values, axes = np.linalg.eigh(epsilon)
    inverse_root = axes @ np.diag(values**-0.5) @ axes.T
    lattice = np.asarray(lattice_A, dtype=float)
    if lattice.shape != (3, 3) or abs(np.linalg.det(lattice)) < 1e-6:
        raise ValueError(f"a cell needs three independent vectors, got {lattice.tolist()}")
    potential = _image_potential(lattice @ inverse_root) / math.sqrt(float(np.prod(values)))
    return -0.5 * COULOMB_eV_A * charge**2 * potential


def dielectric_tensor(dielectric: ArrayLike) -> FloatArray:
    """Relative permittivity as a symmetric (3, 3) tensor.

    Raises
    ------
    ValueError
        If it is not symmetric, or an eigenvalue is below 1.
    """
    given = np.asarray(dielectric, dtype=float)
    tensor = np.eye(3) * given if given.ndim == 0 else given
    if tensor.shape != (3, 3):
        raise ValueError(f"the dielectric constant is a number or a 3 x 3 tensor, got shape {given.shape}")
    scale = float(np.abs(tensor).max())
    if not np.all(np.isfinite(tensor)) or np.abs(tensor - tensor.T).max() > _SYMMETRY_TOLERANCE * scale:
        raise ValueError(f"the dielectric tensor must be finite and symmetric, got {tensor.tolist()}")
    lowest = float(np.linalg.eigvalsh(tensor)[0])
    if lowest < 1.0 - _SYMMETRY_TOLERANCE:
        raise ValueError(
            f"the dielectric tensor has the eigenvalue {lowest:.3g}; a static relative permittivity is at least 1. "
            "Give electrons and ions together, in units of the vacuum's"
        )
    return np.asarray(0.5 * (tensor + tensor.T))


def point_charge_correction(charge: int, lattice_A: ArrayLike, dielectric: ArrayLike) -> ChargeCorrection:
    """The point-charge limit as a correction; use it as a check, or where no potential is at hand."""
    value = point_charge_eV(charge, lattice_A, dielectric)
    return ChargeCorrection(
        method="point charge",
        charge=charge,
        dielectric=dielectric_tensor(dielectric).tolist(),
        electrostatic_eV=value,
        alignment_eV=0.0,
        total_eV=value,
        point_charge_eV=value,
        note="point charge only: no potential was aligned, so the size error left is of the order of the "
        "shape of the defect's charge",
    )


def freysoldt_correction(
    charge: int,
    dielectric: ArrayLike,
    defect: PlanarPotential,
    bulk: PlanarPotential,
    defect_position: Sequence[float],
) -> ChargeCorrection:
    """Correction of Freysoldt, Neugebauer and Van de Walle, by pymatgen-analysis-defects.

    Parameters
    ----------
    charge
        Of the cell, e.
    dielectric
        Number or tensor.
    defect, bulk
        Planar averages of the charged cell and the perfect one, on the same grid.
    defect_position
        Fractional coordinates of the defect, shape (3,).

    Raises
    ------
    MissingDefectLibraryError
        If the library is not installed.
    ValueError
        If the two cells or grids differ.
    """
    tensor = dielectric_tensor(dielectric)
    lengths = [[len(axis) for axis in p.averages_eV] for p in (defect, bulk)]
    if lengths[0] != lengths[1] or not np.allclose(defect.lattice_A, bulk.lattice_A, atol=1e-6):
        raise ValueError(f"the two potentials must share cell and grid; their grids are {lengths[0]} and {lengths[1]}")
    library = import_library("pymatgen.analysis.defects.corrections.freysoldt", "pymatgen-analysis-defects")
    from pymatgen.core import Lattice

    result = library.get_freysoldt_correction(
        q=charge,
        dielectric=tensor,
        defect_locpot={i: np.array(v) for i, v in enumerate(defect.averages_eV)},
        bulk_locpot={i: np.array(v) for i, v in enumerate(bulk.averages_eV)},
        defect_frac_coords=list(defect_position),
        lattice=Lattice(defect.lattice_A),
    )
    planes = [_planar_alignment(result.metadata["plot_data"][axis]) for axis in range(3)]
    shifts = [p.shift_eV for p in planes]
    scatter = float(np.mean([p.scatter_eV for p in planes]))
    error = abs(charge) * math.hypot(scatter, 0.5 * (max(shifts) - min(shifts)))
    total = float(result.correction_energy)
    return ChargeCorrection(
        method="Freysoldt",
        charge=charge,
        dielectric=tensor.tolist(),
        electrostatic_eV=float(result.metadata["electrostatic"]),
        alignment_eV=float(result.metadata["potential"]),
        total_eV=total,
        point_charge_eV=point_charge_eV(charge, defect.lattice_A, tensor),
        error_eV=error,
        planes=planes,
        checks=alignment_checks(defect.lattice_A, total, error, None),
        versions={"pymatgen-analysis-defects": version("pymatgen-analysis-defects")},
        note=_anisotropy(tensor),
    )


def _planar_alignment(summary: Mapping[str, Any]) -> PlanarAlignment:
    """Profiles of one axis as the library leaves them."""
    data = summary["pot_plot_data"]
    first, last = data["check"]
    left = [float(x) for x in data["short_range"]]
    return PlanarAlignment(
        positions_A=[float(x) for x in data["x"]],
        difference_eV=[float(x) for x in data["dft_diff"]],
        model_eV=[float(x) for x in data["Vr"]],
        left_eV=left,
        shift_eV=float(data["shift"]),
        scatter_eV=float(np.std(left[first:last], ddof=1)),
    )


def _anisotropy(tensor: FloatArray) -> str:
    """What the scheme makes of a tensor that is not a number."""
    values = np.linalg.eigvalsh(tensor)
    if values[-1] <= values[0] * (1 + _ANISOTROPIC):
        return ""
    return f"permittivity from {values[0]:.1f} to {values[-1]:.1f}: its spherical average; eFNV takes the tensor"


def efnv_correction(
    charge: int,
    dielectric: ArrayLike,
    defect: SitePotentials,
    bulk: SitePotentials,
    defect_position: Sequence[float] | None = None,
) -> ChargeCorrection:
    """Extended correction of Kumagai and Oba from site potentials, by pydefect.

    Parameters
    ----------
    charge
        Of the cell, e.
    dielectric
        Number or tensor.
    defect, bulk
        Site potentials of the charged cell and the perfect one.
    defect_position
        Fractional coordinates of the charge, shape (3,); by default where pydefect sees the defect in the two cells.

    Raises
    ------
    MissingDefectLibraryError
        If the libraries are not installed.
    ValueError
        If the two cells differ.
    TooSmallCellError
        If no site is far enough from the defect.
    """
    tensor = dielectric_tensor(dielectric)
    matrix = defect.structure.lattice.matrix
    if not np.allclose(matrix, bulk.structure.lattice.matrix, atol=1e-6):
        raise ValueError("the charged cell and the perfect one must have the same lattice")
    library = import_library("pydefect.cli.vasp.make_efnv_correction", "pydefect")
    results = import_library("pydefect.analyzer.calc_results", "pydefect")
    regions = import_library("pydefect.corrections.defect_region", "pydefect")
    cells = [
        # Oxidation states and site properties would make equal ions look different to the library.
        results.CalcResults(_bare(p.structure), 0.0, 0.0, list(p.potentials_V))
        for p in (defect, bulk)
    ]
    at = None if defect_position is None else [float(x) for x in defect_position]
    # The point charge's potential is wanted somewhat nearer too, to see what the radius decides.
    region = regions.HalfMaxFaceDistanceDefectRegion(sample_radius_ratio=min(RADIUS_SHARES))
    result = library.make_efnv_correction(charge, *cells, tensor, defect_coords=at, defect_region=region)
    radius = float(result.defect_region_radius) / min(RADIUS_SHARES)
    sites = SiteAlignment(
        radius_A=radius,
        elements=[str(s.specie) for s in result.sites],
        distances_A=[float(s.distance) for s in result.sites],
        differences_V=[float(s.potential) for s in result.sites],
        point_charge_V=[None if s.pc_potential is None else float(s.pc_potential) for s in result.sites],
    )
    left = sites.left_V()
    if not len(left):
        raise TooSmallCellError(f"no site lies farther than {radius:.2f} A from the defect: nothing aligns here")
    alignment = -charge * float(np.mean(left))
    total = float(result.point_charge_correction) + alignment
    spread = sites.error_V()
    error = None if spread is None else abs(charge) * spread
    return ChargeCorrection(
        method="eFNV",
        charge=charge,
        dielectric=tensor.tolist(),
        electrostatic_eV=float(result.point_charge_correction),
        alignment_eV=alignment,
        total_eV=total,
        point_charge_eV=point_charge_eV(charge, matrix, tensor),
        error_eV=error,
        sites=sites,
        checks=alignment_checks(matrix, total, error, len(left)),
        versions={"pydefect": version("pydefect")},
        note=f"potentials aligned at {len(left)} sites outside {radius:.2f} A of the defect",
    )


def _bare(structure: Any) -> Any:
    from pymatgen.core import Lattice, Structure

    return Structure(Lattice(structure.lattice.matrix), [s.specie.symbol for s in structure], structure.frac_coords)


def import_library(module: str, package: str, extra: str = "defects") -> Any:
    """A module of an optional library of charged defects, or which extra of this package brings it.

    Raises
    ------
    MissingDefectLibraryError
        If it is not installed.
    """
    import contextlib
    import importlib
    import io
    import logging

    logging.getLogger("pydefect").setLevel(logging.WARNING)
    try:
        # It tells its settings on stdout, where tables of ours go.
        with contextlib.redirect_stdout(io.StringIO()):
            return importlib.import_module(module)
    except ImportError as error:
        raise MissingDefectLibraryError(
            f"this needs the package {package}: pip install 'magnetoionics[{extra}]'"
            + ("; the point-charge limit needs nothing" if extra == "defects" else "")
        ) from error


def _image_potential(lattice_A: FloatArray) -> float:
    """Potential (1/A) at a unit charge in vacuum of all its images and their uniform background."""
    volume = abs(float(np.linalg.det(lattice_A)))
    alpha = math.sqrt(math.pi) / volume ** (1.0 / 3.0)
    reach = math.sqrt(-math.log(_ACCURACY))
    vectors = _within(lattice_A, reach / alpha)
    waves = _within(np.asarray(2.0 * math.pi * np.linalg.inv(lattice_A).T, dtype=float), 2.0 * alpha * reach)
    from scipy.special import erfc

    distance = np.linalg.norm(vectors, axis=1)
    square = np.einsum("ij,ij->i", waves, waves)
    near = float(np.sum(erfc(alpha * distance) / distance))
    far = float(np.sum(np.exp(-square / (4.0 * alpha**2)) / square)) * 4.0 * math.pi / volume
    return float(near + far - 2.0 * alpha / math.sqrt(math.pi) - math.pi / (volume * alpha**2))


def _within(basis: FloatArray, radius: float) -> FloatArray:
    """Lattice vectors other than zero up to a length, shape (n, 3)."""
    spacing = 1.0 / np.linalg.norm(np.linalg.inv(basis), axis=0)
    counts = [math.ceil(radius / s) for s in spacing]
    grid = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in counts], indexing="ij"), axis=-1).reshape(-1, 3)
    points: FloatArray = grid @ basis
    length = np.linalg.norm(points, axis=1)
    return np.asarray(points[(length > 1e-9) & (length <= radius)])
