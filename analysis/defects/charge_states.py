"""Formation energies of charge states against the Fermi level, and the levels where the charge changes.

E_f(q) is linear in the Fermi level with slope q; the lowest line at each level is the stable charge.
The level between two charges is eps(q1/q2) = [E_f(q1; 0) - E_f(q2; 0)] / (q2 - q1) above the valence
band maximum, C. Freysoldt et al., 10.1103/RevModPhys.86.253.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ..results.document import Document, Provenance
from ..thermodynamics.phases import Phase, check_consistent
from ..thermodynamics.references import SpeciesFit, reference_provenance
from ..thermodynamics.stability_window import ChemicalPotentials, ON_PLANE_eV, forming_at, solubility_limit
from ..thermodynamics.temperature import cell_shift_eV
from .charge_corrections import dielectric_tensor
from .defect_energies import VacancyFormation, formation_energy_eV

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
SAME_SCALE_eV = 0.05
"""Edges of a density of states may lie this far from those given, beside its own step."""
STATES_AT_EDGE = 0.01
"""Share of the largest value within 1 eV of an edge below which its band has not begun: what smearing leaves."""
_EDGE_REACH_eV = 1.0
_SAME_VBM_EV = 1e-6


class BandEdges(Document):
    """What a host's electrons contribute: inputs from a band-structure and a dielectric calculation.

    Attributes
    ----------
    vbm_eV
        Valence band maximum on the energy scale of the defect cells.
    gap_eV
        Band gap.
    dielectric
        Static relative permittivity, electrons and ions, shape (3, 3); None if no charged cell needs it.
    electron_mass, hole_mass
        Density-of-states effective masses in free-electron masses, all equivalent valleys included.
    dos_energies_eV, dos_states_per_eV
        Density of states on the same energy scale, states per eV and cell of `dos_volume_A3`, both spins;
        used instead of the masses if given. Its own band edges have to be those given, to 0.05 eV.
    source
        Where the numbers come from.
    """

    vbm_eV: float
    gap_eV: float = Field(gt=0)
    dielectric: list[list[float]] | None = None
    electron_mass: float | None = Field(default=None, gt=0)
    hole_mass: float | None = Field(default=None, gt=0)
    dos_energies_eV: list[float] | None = Field(default=None, repr=False)
    dos_states_per_eV: list[float] | None = Field(default=None, repr=False)
    dos_volume_A3: float | None = Field(default=None, gt=0)
    source: str
    provenance: Provenance

    @property
    def has_carriers(self) -> bool:
        """Whether there are masses or a density of states, so that electrons and holes can be counted."""
        masses = self.electron_mass is not None and self.hole_mass is not None
        return masses or self.dos_energies_eV is not None

    @model_validator(mode="after")
    def _complete(self) -> BandEdges:
        if self.dielectric is not None:
            dielectric_tensor(self.dielectric)
        given = (self.dos_energies_eV, self.dos_states_per_eV, self.dos_volume_A3)
        if any(x is not None for x in given) and any(x is None for x in given):
            raise ValueError("a density of states needs its energies, its values and the volume of its cell")
        if self.dos_energies_eV is not None and self.dos_states_per_eV is not None:
            energies = np.array(self.dos_energies_eV)
            if len(energies) != len(self.dos_states_per_eV) or np.any(np.diff(energies) <= 0):
                raise ValueError("the density of states needs rising energies and one value for each")
            self._require_same_scale(energies, np.array(self.dos_states_per_eV))
        return self

    def _require_same_scale(self, energies: FloatArray, states: FloatArray) -> None:
        """Refuse a density of states whose own band edges are not those given: its energies have another zero."""
        if (states < 0).any():
            raise ValueError("a density of states is not negative")
        middle = self.vbm_eV + 0.5 * self.gap_eV
        near = np.abs(energies - middle) < 0.5 * self.gap_eV + _EDGE_REACH_eV
        # An edge is known to a step of the energies.
        step = float(np.diff(energies[near]).max(initial=0.0))
        for name, given, side in (
            ("valence band maximum", self.vbm_eV, energies <= middle),
            ("conduction band minimum", self.vbm_eV + self.gap_eV, energies > middle),
        ):
            level = STATES_AT_EDGE * float(states[near & side].max(initial=0.0))
            occupied = energies[near & side & (states > level)]
            own = None if not occupied.size else float(occupied.max() if given < middle else occupied.min())
            if own is not None and abs(given - own) <= SAME_SCALE_eV + step:
                continue
            trouble = "has no states within 1 eV of it" if own is None else f"has it at {own:.3f} eV"
            raise ValueError(
                f"the {name} is given at {given:.3f} eV, but the density of states {trouble}: more than "
                f"{SAME_SCALE_eV:g} eV apart they are on two energy scales. Shift the energies to the zero of the "
                "defect cells, or take the edges from the density of states"
            )


class ChargeLine(Document):
    """One charge state: its formation energy with the Fermi level at the valence band maximum.

    `error_eV` is that of the finite-size correction.
    """

    label: str
    charge: int
    at_vbm_eV: float
    correction_eV: float
    error_eV: float = 0.0


class TransitionLevel(Document):
    """Where the stable charge of a defect changes.

    Attributes
    ----------
    charge_below, charge_above
        Charges that are stable below and above the level.
    level_eV
        Above the valence band maximum.
    in_gap
        Whether it lies between the band edges.
    error_eV
        From the finite-size corrections of the two charges.
    """

    label: str
    charge_below: int
    charge_above: int
    level_eV: float
    in_gap: bool
    error_eV: float = 0.0


class FermiDiagram(Document):
    """Formation energies against the Fermi level at one point of the stability region.

    Attributes
    ----------
    delta_mu_eV
        Potentials by element.
    inside
        Whether the host is stable there.
    """

    host_formula: str
    delta_mu_eV: dict[str, float]
    inside: bool
    gap_eV: float
    lines: list[ChargeLine]
    transitions: list[TransitionLevel]
    provenance: Provenance = Field(repr=False)

    def labels(self) -> list[str]:
        """Defects in the order given."""
        return list(dict.fromkeys(line.label for line in self.lines))

    def lowest(self, label: str, fermi_eV: float) -> tuple[float, int]:
        """Lowest formation energy of a defect (eV) and its charge at a Fermi level above the valence band."""
        own = [line for line in self.lines if line.label == label]
        if not own:
            raise ValueError(f"no defect {label!r}; there are {', '.join(self.labels())}")
        best = min(own, key=lambda line: line.at_vbm_eV + line.charge * fermi_eV)
        return best.at_vbm_eV + best.charge * fermi_eV, best.charge

    def to_dataframe(self) -> pd.DataFrame:
        """One row per transition level: defect, charges, level_eV, in_gap, error_eV."""
        import pandas as pd

        rows = [(t.label, t.charge_below, t.charge_above, t.level_eV, t.in_gap, t.error_eV) for t in self.transitions]
        columns = ["defect", "charge_below_e", "charge_above_e", "level_eV", "in_gap", "error_eV"]
        return pd.DataFrame(rows, columns=columns)


def fermi_diagram(
    defects: Sequence[VacancyFormation],
    edges: BandEdges,
    window: ChemicalPotentials,
    references: Mapping[str, float] | SpeciesFit,
    delta_mu_eV: Mapping[str, float],
    *,
    foreign: Sequence[Phase] = (),
    outside: bool = False,
) -> FermiDiagram:
    """Formation energies of all charge states at chosen potentials.

    Parameters
    ----------
    defects
        Defects in all their charge states; equal labels belong together.
    edges
        The host's band edges.
    window, references
        As in `formation.formation_bounds`.
    delta_mu_eV
        Potentials of the host's elements, e.g. from `stability_window.at`, and of dopants.
    foreign
        Phases of the dopants with the host's elements: a dopant whose potential lies above the limit that they, or its
        own element, set is beyond its solubility, and the point outside.
    outside
        Answer also where the host is not stable, or a dopant beyond its solubility.

    Raises
    ------
    ValueError
        If the energies are inconsistent, a charged cell uses another valence band maximum, a charge is given
        twice, or the point is not on the host's plane or outside its stability region.
    """
    inside = check_point(window, delta_mu_eV, foreign=foreign, outside=outside)
    lines = charge_lines(defects, edges, window, references, delta_mu_eV)
    return FermiDiagram(
        host_formula=window.host_formula,
        delta_mu_eV=dict(delta_mu_eV),
        inside=inside,
        gap_eV=edges.gap_eV,
        lines=lines,
        transitions=transition_levels(lines, edges.gap_eV),
        provenance=defects[0].provenance,
    )


def charge_lines(
    defects: Sequence[VacancyFormation],
    edges: BandEdges | None,
    window: ChemicalPotentials,
    references: Mapping[str, float] | SpeciesFit,
    delta_mu_eV: Mapping[str, float],
) -> list[ChargeLine]:
    """Every charge state's formation energy with the Fermi level at the valence band maximum."""
    _check(defects, edges, window, references)
    energies = references.reference_energies_eV if isinstance(references, SpeciesFit) else references
    return [
        ChargeLine(
            label=d.label,
            charge=d.charge,
            at_vbm_eV=formation_energy_eV(
                d.energy_difference_eV,
                d.removed,
                energies,
                delta_mu_eV,
                charge=d.charge,
                vbm_eV=d.vbm_eV or 0.0,
                correction_eV=d.correction_eV or 0.0,
            )
            + cell_shift_eV(window, d.removed).value_eV,
            correction_eV=d.correction_eV or 0.0,
            error_eV=d.size_error_eV if d.charge else 0.0,
        )
        for d in defects
    ]


def transition_levels(lines: Sequence[ChargeLine], gap_eV: float) -> list[TransitionLevel]:
    """Levels where the lowest line of a defect changes, from low to high Fermi level.

    Parameters
    ----------
    lines
        Charge states of one or more defects.
    gap_eV
        Band gap; levels beyond the edges are kept and marked.
    """
    out = []
    for label in dict.fromkeys(line.label for line in lines):
        own = sorted((line for line in lines if line.label == label), key=lambda line: -line.charge)
        current = own[0]
        while rest := [line for line in own if line.charge < current.charge]:
            crossings = [
                ((line.at_vbm_eV - current.at_vbm_eV) / (current.charge - line.charge), line.charge) for line in rest
            ]
            level, charge = min(crossings)
            other = next(line for line in own if line.charge == charge)
            out.append(
                TransitionLevel(
                    label=label,
                    charge_below=current.charge,
                    charge_above=charge,
                    level_eV=level,
                    in_gap=0.0 <= level <= gap_eV,
                    error_eV=math.hypot(current.error_eV, other.error_eV) / (current.charge - charge),
                )
            )
            current = other
    return out


def check_point(
    window: ChemicalPotentials,
    delta_mu_eV: Mapping[str, float],
    *,
    foreign: Sequence[Phase] = (),
    outside: bool = False,
) -> bool:
    """Whether the host is stable at a point of its plane, and every dopant within its solubility.

    Raises
    ------
    ValueError
        If an element is missing, the point is off the host's plane, or, unless `outside`, a competing
        phase forms there; the message names it.
    """
    missing = [el for el in window.elements if el not in delta_mu_eV]
    if missing:
        raise ValueError(f"no potential of {', '.join(missing)}; a point needs one for each element of the host")
    total = sum(n * delta_mu_eV[el] for el, n in window.composition.items())
    if abs(total - window.host_formation_energy_eV) > ON_PLANE_eV * max(1.0, abs(total)):
        raise ValueError(
            f"the potentials sum to {total:.4f} eV per {window.host_formula}, its formation energy is "
            f"{window.host_formation_energy_eV:.4f} eV: not in equilibrium with the host. "
            "Take a point from chemical_potentials.at"
        )
    above = forming_at(window, delta_mu_eV)
    host = {el: delta_mu_eV[el] for el in window.elements}
    for el in sorted(set(delta_mu_eV) - set(window.elements)):
        limit, by = solubility_limit(el, foreign, host)
        if delta_mu_eV[el] > limit + ON_PLANE_eV:
            above.append(f"{el} (element)" if by == el else by)
    if above and not outside:
        raise ValueError(
            f"outside the stability region of {window.host_formula}: {', '.join(above)} would form. "
            "Choose a point inside, or ask with outside=True"
        )
    return not above


def _check(
    defects: Sequence[VacancyFormation],
    edges: BandEdges | None,
    window: ChemicalPotentials,
    references: Mapping[str, float] | SpeciesFit,
) -> None:
    if not defects:
        raise ValueError("no defects given")
    provenances = [*(d.provenance for d in defects), window.provenance]
    if edges is not None:
        provenances.append(edges.provenance)
    own = reference_provenance(references)
    if own is not None:
        provenances.append(own)
    check_consistent(provenances)
    for one, other in itertools.combinations(defects, 2):
        if (one.label, one.charge) == (other.label, other.charge):
            raise ValueError(f"{one.label} with q = {one.charge:+d} is given twice: keep the lowest")
        if one.label == other.label and one.removed != other.removed:
            raise ValueError(f"{one.label} removes different atoms in different charge states")
    for d in defects:
        if d.charge == 0:
            continue
        if edges is None:
            raise ValueError(f"{d.label} with q = {d.charge:+d} needs the host's band edges")
        if d.vbm_eV is None or abs(d.vbm_eV - edges.vbm_eV) > _SAME_VBM_EV:
            raise ValueError(
                f"{d.label} with q = {d.charge:+d} uses E_VBM = {d.vbm_eV} eV, the band edges say {edges.vbm_eV} eV"
            )
