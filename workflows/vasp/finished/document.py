"""What a finished VASP folder holds, as one document of a run and one of a band."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field

from ....analysis.results.checks import Check, invalid_because
from ....analysis.results.document import Document, StructureField

RunKind = Literal["static", "relaxation", "linear response", "molecular dynamics", "band image"]


class PawDataSet(Document):
    """PAW data set of one block of species, in POSCAR order.

    Attributes
    ----------
    element, count
        Of the block; one element may come in several blocks.
    valence
        Valence electrons of one atom (ZVAL); None where the output does not say.
    titel
        As VASP prints it, such as ``"PAW_PBE Fe_pv 06Sep2000"``.
    potcar_md5
        Hash of the header of the POTCAR in the folder (pymatgen's ``md5_header_hash``); None without a POTCAR.
    header_sha256
        Hash of what OUTCAR repeats of the header (energies, radii, cut-offs); None without an OUTCAR.
    """

    element: str
    count: int
    valence: float | None = None
    titel: str = ""
    potcar_md5: str | None = None
    header_sha256: str | None = None


class HubbardBlock(Document):
    """U and J (eV) of one block of species; `shell` is LDAUL (-1 for none, 2 for d, 3 for f)."""

    element: str
    shell: int
    U_eV: float
    J_eV: float


class VaspRun(Document):
    """One VASP run, in VASP's own order of sites.

    Attributes
    ----------
    folder
        Where it lies, or the one file that was read.
    files
        What was read, by kind (``vasprun.xml``, ``OUTCAR``, ``OSZICAR``, ``INCAR``, ``CONTCAR``, ``POTCAR``).
    kind
        ``static``, ``relaxation``, ``linear response``, ``molecular dynamics`` or ``band image``.
    version, vtst
        Of VASP, and of the VTST patch as OUTCAR prints it; None where not found.
    functional
        ``"PBE"``, ``"PBEsol"``, ``"R2SCAN"``, ``"HSE06"``, ..., without the U.
    hubbard
        One entry for each block of species; empty without DFT+U.
    incar, parameters
        What was asked, and what VASP made of it; ``parameters`` holds only the first species of LDAUL/U/J.
    formula
        Such as ``"Fe4 O6"``, blocks in VASP's order.
    structure, initial_structure
        Last computed configuration (the one the energy belongs to) and the first; None if no output holds one.
    energy_eV, free_energy_eV
        Of the cell with the smearing extrapolated to zero, and the free energy that the forces belong to.
    ionic_steps, electronic_steps
        Finished ionic steps, and the lengths of their ground-state loops.
    response_steps
        Electronic steps of linear response behind the last ground-state loop.
    last_change_eV
        Change of the free energy in the last step of the last ground-state loop.
    forces_eV_per_A
        Of the last step, shape (n, 3).
    stress_kB
        Of the last step in vasprun.xml's sign, shape (3, 3).
    noncollinear, spin_orbit, saxis
        As VASP ran it; SAXIS is the z axis of VASP's spin frame, Cartesian.
    start_moments_muB
        MAGMOM, one number a site or shape (n, 3) in the frame of SAXIS.
    site_moments_muB
        Collinear moments, shape (n,); None for a non-collinear run or without a table.
    site_moment_vectors_muB, orbital_moments_muB
        Cartesian vectors of a non-collinear run, shape (n, 3).
    total_moment_muB, total_moment_vector_muB
        Of the cell; the vector is Cartesian.
    electrons, charge_e
        NELECT, and neutral valence electrons less NELECT.
    gap_eV, vbm_eV, cbm_eV, gap_direct, fermi_eV
        From the eigenvalues of the last step and their occupations.
    dipole_ion_e_A, dipole_electrons_e_A
        Berry-phase dipole of the cell with positive charge counted as positive, whatever the version prints.
    born_charges_e
        Z*[ion, field direction, displacement direction], shape (n, 3, 3).
    dielectric_electronic, dielectric_ionic
        Static tensors, shape (3, 3); the electronic one with local fields where there are both.
    electron_potentials_eV
        Average potential at the cores as OUTCAR prints it, which is what an electron feels, shape (n,).
    kpoint_mesh, kpoints
        Divisions of an automatic mesh (None for a list), and number of irreducible points.
    paw
        PAW data sets by block.
    checks
        Every check, failed ones with the reason; see `usable`.
    notes
        What the reader found odd and how it dealt with it.
    """

    folder: str
    files: dict[str, str] = Field(default_factory=dict)
    kind: RunKind = "static"
    version: str | None = None
    vtst: str | None = None
    functional: str | None = None
    hubbard: list[HubbardBlock] = Field(default_factory=list)
    incar: dict[str, Any] = Field(default_factory=dict, repr=False)
    parameters: dict[str, Any] = Field(default_factory=dict, repr=False)
    formula: str = ""
    structure: StructureField | None = None
    initial_structure: StructureField | None = None
    energy_eV: float | None = None
    free_energy_eV: float | None = None
    ionic_steps: int = 0
    electronic_steps: list[int] = Field(default_factory=list)
    response_steps: int = 0
    last_change_eV: float | None = None
    forces_eV_per_A: list[list[float]] | None = Field(default=None, repr=False)
    stress_kB: list[list[float]] | None = Field(default=None, repr=False)
    noncollinear: bool = False
    spin_orbit: bool = False
    saxis: list[float] = Field(default_factory=lambda: [0.0, 0.0, 1.0])
    start_moments_muB: list[float] | list[list[float]] | None = Field(default=None, repr=False)
    site_moments_muB: list[float] | None = Field(default=None, repr=False)
    site_moment_vectors_muB: list[list[float]] | None = Field(default=None, repr=False)
    orbital_moments_muB: list[list[float]] | None = Field(default=None, repr=False)
    total_moment_muB: float | None = None
    total_moment_vector_muB: list[float] | None = None
    electrons: float | None = None
    charge_e: float | None = None
    gap_eV: float | None = None
    vbm_eV: float | None = None
    cbm_eV: float | None = None
    gap_direct: bool | None = None
    fermi_eV: float | None = None
    dipole_ion_e_A: list[float] | None = None
    dipole_electrons_e_A: list[float] | None = None
    born_charges_e: list[list[list[float]]] | None = Field(default=None, repr=False)
    dielectric_electronic: list[list[float]] | None = None
    dielectric_ionic: list[list[float]] | None = None
    electron_potentials_eV: list[float] | None = Field(default=None, repr=False)
    kpoint_mesh: list[int] | None = None
    kpoints: int | None = None
    paw: list[PawDataSet] = Field(default_factory=list)
    checks: list[Check] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)

    @property
    def usable(self) -> bool:
        """Whether no guard failed; see `reasons`."""
        return not self.reasons

    @property
    def reasons(self) -> list[str]:
        """Why the run may not be used; empty for a usable one."""
        return invalid_because(self.checks)

    @property
    def hubbard_U_eV(self) -> dict[str, float]:
        """U by element.

        Raises
        ------
        ValueError
            If blocks of one element have different U: then the blocks must be read.
        """
        table: dict[str, float] = {}
        for block in self.hubbard:
            if abs(table.setdefault(block.element, block.U_eV) - block.U_eV) > 1e-9:
                raise ValueError(f"blocks of {block.element} have different U: read `hubbard` block by block")
        return table

    @property
    def data_sets(self) -> dict[str, dict[str, str | None]]:
        """TITEL and hashes of the PAW data sets by element, for a provenance."""
        return {
            block.element: {
                "titel": " ".join(block.titel.split()),
                "potcar_md5": block.potcar_md5,
                "header_sha256": block.header_sha256,
            }
            for block in self.paw
        }

    @property
    def dipole_e_A(self) -> list[float] | None:
        """Whole dipole of the cell, e Angstrom, on whatever branch came out; None without a Berry phase."""
        if self.dipole_ion_e_A is None or self.dipole_electrons_e_A is None:
            return None
        return [a + b for a, b in zip(self.dipole_ion_e_A, self.dipole_electrons_e_A, strict=True)]

    @property
    def max_force_eV_per_A(self) -> float | None:
        """Largest norm of a force, without regard to fixed coordinates."""
        if self.forces_eV_per_A is None:
            return None
        return float(np.linalg.norm(np.asarray(self.forces_eV_per_A), axis=1).max())


class BandPoint(Document):
    """One image of a band, an end or a moving image.

    Attributes
    ----------
    name
        Of its folder, such as ``"02"``.
    energy_eV
        None where no output holds one.
    source
        Where the energy comes from, e.g. ``"OUTCAR"`` or ``"OSZICAR"``.
    run
        What was read of its own outputs; None where there is only a structure or an OSZICAR.
    """

    name: str
    structure: StructureField | None = None
    energy_eV: float | None = None
    source: str = ""
    run: VaspRun | None = None


class VaspBand(Document):
    """A band of images (00, 01, ... in one folder).

    Attributes
    ----------
    points
        All images in order, ends included.
    barrier_eV, reaction_eV
        Highest image above the first end, last end above the first; None where an energy is missing or the images
        do not compare.
    span_eV
        Highest less lowest of the energies that are known, ends or not.
    vtst
        As OUTCAR prints it; None if the patch was not found: then a band with IBRION 3 and POTIM 0 has not moved.
    """

    folder: str
    points: list[BandPoint] = Field(default_factory=list)
    barrier_eV: float | None = None
    reaction_eV: float | None = None
    span_eV: float | None = None
    vtst: str | None = None
    checks: list[Check] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)

    @property
    def usable(self) -> bool:
        """Whether no guard failed; see `reasons`."""
        return not self.reasons

    @property
    def reasons(self) -> list[str]:
        """Why the band may not be used; empty for a usable one."""
        return invalid_because(self.checks)


class SegmentRun(Document):
    """One segment of a band that was run: its folder, with the images in 00, 01, ..."""

    dir_name: str
