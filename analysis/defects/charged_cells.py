"""Vacancies in several charge states: from an engine's charged cells to corrected energies before any potential.

The correction that enters the energies is eFNV where site potentials and its library are there, else Freysoldt's, else
the point-charge limit; all that could be made are kept. Formulas and sources: `charge_corrections`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field, model_validator

from ..magnetism.oxidation_states import ChangedIon, SiteMoment
from ..results.calculation import Calculation
from ..results.checks import Check, held, invalid_because, require_valid
from ..results.document import Document, Provenance, StructureField
from .charge_corrections import (
    ChargeCorrection,
    MissingDefectLibraryError,
    PlanarPotential,
    SitePotentials,
    TooSmallCellError,
    efnv_correction,
    freysoldt_correction,
    point_charge_correction,
)
from .charge_states import BandEdges, ChargeLine, TransitionLevel, transition_levels
from .defect_energies import VacancyFormation
from .vacancies import StartEnergy

# A localised state leaves no more than this of an electron in a band; the tails of the bins and of smearing do.
LOCALISED_e = 0.1
# Bins of the density of states made of levels: well below kT.
BIN_eV = 0.01
ONE_START = "one electronic start per charge state: a hole or an electron may localise elsewhere at lower energy"
LEFT_OUT = ("band edges of the functional and mesh; no spin-orbit coupling, no finite temperature",)


class ChargedCell(Document):
    """One cell with a net charge in a homogeneous background, and what its correction needs.

    Attributes
    ----------
    calculation
        Energy and structure; for a relaxed cell those of the last single point.
    charge
        Of the cell, e.
    site_potentials
        Potential at the ions; None if the engine gives none.
    planes
        Planar averages of the local potential; None if the engine gives none.
    vbm_eV, cbm_eV
        Highest filled and lowest empty state, on the energy scale of the potentials; None if unknown.
    dos_energies_eV, dos_states_per_eV
        Density of states of the cell on the same scale, both spins.
    dos_filled_per_eV
        The part of it that electrons fill.
    """

    calculation: Calculation
    charge: int
    site_potentials: SitePotentials | None = Field(default=None, repr=False)
    planes: PlanarPotential | None = Field(default=None, repr=False)
    vbm_eV: float | None = None
    cbm_eV: float | None = None
    dos_energies_eV: list[float] | None = Field(default=None, repr=False)
    dos_states_per_eV: list[float] | None = Field(default=None, repr=False)
    dos_filled_per_eV: list[float] | None = Field(default=None, repr=False)


class DielectricResult(Document):
    """Static dielectric tensor of an insulator, relative permittivities of shape (3, 3).

    Attributes
    ----------
    electronic
        With the ions held.
    ionic
        What the ions add at frequencies below their vibrations.
    """

    name: str
    electronic: list[list[float]]
    ionic: list[list[float]]
    checks: list[Check] = Field(default_factory=list)
    provenance: Provenance = Field(repr=False)

    @property
    def static(self) -> list[list[float]]:
        """Electrons and ions together, symmetrised."""
        total = [[a + b for a, b in zip(*rows, strict=True)] for rows in zip(self.electronic, self.ionic, strict=True)]
        return [[0.5 * (total[i][j] + total[j][i]) for j in range(3)] for i in range(3)]


class BandFilling(Document):
    """Carriers in the bands of the host in one cell.

    Attributes
    ----------
    electrons, holes
        Filled states above the conduction band minimum, and empty ones below the valence band maximum.
    energy_eV
        What putting them at the band edges instead would add to the energy; not positive. Stated, never applied.
    shift_eV
        Of the host's bands in this cell, from the potentials at ions far from the defect.
    """

    electrons: float
    holes: float
    energy_eV: float
    shift_eV: float

    def check(self) -> Check:
        """Whether no carrier sits in a band; it does not spoil the calculation."""
        check = held("carriers in the bands", self.electrons + self.holes, LOCALISED_e, unit="e", invalidates=False)
        if check.passed:
            return check
        which = " and ".join(
            f"{n:.2f} {word}"
            for n, word in (
                (self.electrons, "electrons above the conduction band minimum"),
                (self.holes, "holes below the valence band maximum"),
            )
            if n > LOCALISED_e / 2
        )
        return check.model_copy(
            update={
                "note": f"{which} of the host: a shallow level or perturbed host state, its energy that of carriers "
                f"of this cell's density (band filling {self.energy_eV:+.3f} eV, not applied)"
            }
        )


class ChargedVacancy(Document):
    """One vacancy, or another defect, in one charge state.

    Attributes
    ----------
    label, element, sublattice, multiplicity
        As of the neutral vacancy; `multiplicity` counts sites of the ordered cell.
    charge
        In e.
    removed
        Atoms removed by element, negative for atoms added; one of `element` if not given.
    energy_difference_eV
        E(charged cell) - E(host), uncorrected.
    total_moment_muB
        Of the cell.
    starts
        All starts of this charge, the lowest first.
    changed_ions
        Ions whose moment is not the host's: where the holes and electrons sit.
    sites
        Every ion of the cell with its moment, nearest to the defect first.
    structure
        The relaxed cell with the moments that were found.
    degeneracy
        Orientations and spin directions of the kept state.
    corrections
        All that could be made, the one in use first; empty for a neutral cell.
    band_filling
        Carriers that the cell has in the host's bands; None where the engine does not say.
    checks
        Of the calculation.
    """

    label: str
    element: str
    sublattice: str
    multiplicity: int
    charge: int
    removed: dict[str, int] = Field(default_factory=dict)
    energy_difference_eV: float
    total_moment_muB: float
    starts: list[StartEnergy] = Field(default_factory=list)
    changed_ions: list[ChangedIon] = Field(default_factory=list)
    sites: list[SiteMoment] = Field(default_factory=list, repr=False)
    structure: StructureField | None = Field(default=None, repr=False)
    degeneracy: float = Field(default=1.0, gt=0)
    corrections: list[ChargeCorrection] = Field(default_factory=list)
    band_filling: BandFilling | None = None
    checks: list[Check] = Field(default_factory=list)
    provenance: Provenance = Field(repr=False)

    @model_validator(mode="after")
    def _vacancy_unless_said(self) -> ChargedVacancy:
        self.removed = self.removed or {self.element: 1}
        return self

    @property
    def correction_eV(self) -> float:
        """The correction in use; 0 for a neutral cell."""
        return self.corrections[0].total_eV if self.corrections else 0.0

    @property
    def correction_error_eV(self) -> float | None:
        """Error of that correction; 0 for a neutral cell, None where it is not known."""
        return self.corrections[0].error_eV if self.corrections else 0.0

    @property
    def warnings(self) -> list[str]:
        """What the correction in use and the levels of the cell leave in doubt."""
        doubts = [*(self.corrections[0].checks if self.corrections else []), *self._doubts_of_bands()]
        return [f"{self.label} q={self.charge:+d}: {c.note}" for c in doubts if not c.passed]

    def _doubts_of_bands(self) -> list[Check]:
        return [] if self.band_filling is None else [self.band_filling.check()]


class ChargedVacancies(Document):
    """All charge states of a host's vacancies with its band edges and dielectric tensor.

    Attributes
    ----------
    edges
        Band edges and permittivity.
    states
        Vacancies by label and charge.
    notes
        What a reader has to know, e.g. why a correction could not be made.
    """

    edges: BandEdges
    states: list[ChargedVacancy]
    notes: list[str] = Field(default_factory=list)

    def formations(self) -> list[VacancyFormation]:
        """Energies of all states that passed their checks, before any chemical potential, corrected."""
        return [
            VacancyFormation(
                label=s.label,
                removed=dict(s.removed),
                energy_difference_eV=s.energy_difference_eV,
                charge=s.charge,
                vbm_eV=self.edges.vbm_eV,
                correction_eV=s.correction_eV,
                size_error_eV=s.correction_error_eV or 0.0,
                note=f"{s.corrections[0].method} correction" if s.corrections else "neutral cell",
                provenance=s.provenance,
            )
            for s in self.sound_states
        ]

    @property
    def sound_states(self) -> list[ChargedVacancy]:
        """States whose calculation failed no check."""
        return [s for s in self.states if not invalid_because(s.checks)]

    def levels(self) -> list[TransitionLevel]:
        """Charge transition levels above the valence band maximum.

        Charge states of one defect exchange the same atoms, so that no chemical potential enters.
        """
        lines = [
            ChargeLine(
                label=s.label,
                charge=s.charge,
                at_vbm_eV=s.energy_difference_eV + s.charge * self.edges.vbm_eV + s.correction_eV,
                correction_eV=s.correction_eV,
                error_eV=s.correction_error_eV or 0.0,
            )
            for s in self.sound_states
        ]
        return transition_levels(lines, self.edges.gap_eV)


def counted_states(levels_eV: ArrayLike, states: ArrayLike) -> tuple[list[float], list[float]]:
    """Density of states by counting levels in narrow bins: no smearing reaches into the gap.

    Parameters
    ----------
    levels_eV, states
        Levels and the states that each stands for, shape (n,).

    Returns
    -------
    energies_eV, states_per_eV
        Middles of the bins, and the density.
    """
    levels = np.asarray(levels_eV, dtype=float)
    low = BIN_eV * np.floor(levels.min() / BIN_eV) - BIN_eV
    borders = np.arange(low, levels.max() + 3 * BIN_eV, BIN_eV)
    counts, _ = np.histogram(levels, bins=borders, weights=np.asarray(states, dtype=float))
    return [float(x) for x in 0.5 * (borders[1:] + borders[:-1])], [float(x) for x in counts / BIN_eV]


def band_edges(
    host: ChargedCell, dielectric: list[list[float]], *, source: str, dense: ChargedCell | None = None
) -> BandEdges:
    """Band edges of the perfect cell with a permittivity.

    Parameters
    ----------
    host
        The neutral supercell that the charged cells are compared with.
    dielectric
        Static relative permittivity, shape (3, 3).
    source
        Where the tensor comes from.
    dense
        A small cell of the same crystal with a dense mesh, whose levels are counted and whose edges hold; its energies
        are put on the scale of `host` by the potentials at the ions.

    Raises
    ------
    InvalidResultError
        If the cell failed a guard.
    ValueError
        If the cell is charged, has no band edges, or no gap.
    """
    require_valid(host.calculation.checks, host.calculation.name)
    if host.charge != 0 or host.vbm_eV is None or host.cbm_eV is None:
        raise ValueError(f"{host.calculation.name} is no neutral cell with band edges: the Fermi level has no zero")
    vbm, cbm, counted = host.vbm_eV, host.cbm_eV, host
    where = f"eigenvalues of {host.calculation.name}"
    if dense is not None and dense.vbm_eV is not None and dense.cbm_eV is not None:
        require_valid(dense.calculation.checks, dense.calculation.name)
        shift = _same_scale_eV(dense, host)
        vbm, cbm = max(vbm, dense.vbm_eV + shift), min(cbm, dense.cbm_eV + shift)
        energies = None if dense.dos_energies_eV is None else [x + shift for x in dense.dos_energies_eV]
        counted = dense.model_copy(update={"dos_energies_eV": energies})
        where = f"eigenvalues of {dense.calculation.name}, {shift:+.3f} eV onto the scale of {host.calculation.name}"
    gap = cbm - vbm
    if gap <= 0:
        raise ValueError(
            f"{host.calculation.name} has no gap ({gap:.3f} eV): charge states of a metal mean nothing; "
            "check U, the magnetic order and the mesh"
        )
    return BandEdges(
        vbm_eV=vbm,
        gap_eV=gap,
        dielectric=dielectric,
        dos_energies_eV=counted.dos_energies_eV,
        dos_states_per_eV=counted.dos_states_per_eV,
        dos_volume_A3=None if counted.dos_energies_eV is None else float(counted.calculation.structure.volume),
        source=f"{where}; permittivity: {source}",
        provenance=host.calculation.provenance,
    )


def _same_scale_eV(cell: ChargedCell, host: ChargedCell) -> float:
    """What takes energies of one perfect cell to the scale of another: by mean potentials at their like ions."""
    if cell.site_potentials is None or host.site_potentials is None:
        return 0.0
    return float(np.mean(cell.site_potentials.potentials_V) - np.mean(host.site_potentials.potentials_V))


def corrections_of(
    cell: ChargedCell,
    host: ChargedCell,
    dielectric: list[list[float]],
    position: Sequence[float],
    *,
    charge_at: Sequence[float] | None = None,
) -> tuple[list[ChargeCorrection], list[str]]:
    """Every correction that can be made of a charged cell, the best first, and why others could not.

    Parameters
    ----------
    cell, host
        Charged and perfect cell with the same lattice.
    dielectric
        Static relative permittivity, shape (3, 3).
    position
        Fractional coordinates of the defect, shape (3,).
    charge_at
        Where the charge is taken to sit; None leaves it to pydefect, which may take an ion that moved far beside a
        vacancy for part of the defect.

    Returns
    -------
    corrections, notes
        Empty for a neutral cell.
    """
    if cell.charge == 0:
        return [], []
    charge_corrections: list[ChargeCorrection] = []
    notes: list[str] = []
    try:
        if cell.site_potentials is not None and host.site_potentials is not None:
            sites = (cell.site_potentials, host.site_potentials)
            try:
                charge_corrections.append(efnv_correction(cell.charge, dielectric, *sites, charge_at))
            except TooSmallCellError as error:
                notes.append(f"no eFNV correction: {error}")
        else:
            notes.append("no eFNV correction: the engine gives no potentials at the ions")
        if cell.planes is not None and host.planes is not None:
            charge_corrections.append(freysoldt_correction(cell.charge, dielectric, cell.planes, host.planes, position))
        else:
            notes.append("no Freysoldt correction: the engine gives no local potential")
    except MissingDefectLibraryError as error:
        notes.append(str(error))
    lattice = cell.calculation.structure.lattice.matrix
    return [*charge_corrections, point_charge_correction(cell.charge, lattice, dielectric)], notes
