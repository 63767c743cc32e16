"""Everything that the concentration of a defect needs besides temperature and pressure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..thermodynamics.references import SpeciesFit
from ..thermodynamics.stability_window import ChemicalPotentials, at
from ..thermodynamics.temperature import cell_shift_eV, window_at
from ..thermodynamics.thermal import MissingFreeEnergyError
from .charge_states import BandEdges, charge_lines
from .concentrations import ConcentrationSet, SolidSolution, quench, solve_concentrations
from .defect_energies import VacancyFormation
from .formation import only_indicates
from .mobility import mobile_defects


@dataclass(frozen=True)
class DefectThermodynamics:
    """Everything that a concentration needs besides temperature and pressure.

    Attributes
    ----------
    defects
        Energies of all defects in all charge states.
    host
        Sites, composition and volume.
    window, references
        Stability region, and reference energies of the elements.
    edges
        Band edges, if there are charged defects.
    error_bar_eV, errors_eV
        Error of every formation energy, or of each by label; all are shifted together, up and down, for the range of
        the ratios.
    background_per_cm3
        Fixed charge of dopants that are not among the defects, e/cm^3; positive for donors.
    barriers_eV
        Lowest barrier of the hops of each defect, where it is known: those that still reach a sink after a quench, see
        `mobility.mobile_defects`, go on being in equilibrium; all others keep their totals.
    cooled_s, sink_A
        How long the crystal is held where it is quenched to, and how far a surface or a grain boundary is.
    free_energies
        Take the window at the temperature of growth; else that of enthalpies stands for every temperature.
    """

    defects: Sequence[VacancyFormation]
    host: SolidSolution
    window: ChemicalPotentials
    references: SpeciesFit | Mapping[str, float]
    edges: BandEdges | None = None
    error_bar_eV: float = 0.0
    errors_eV: Mapping[str, float] = field(default_factory=dict)
    background_per_cm3: float = 0.0
    barriers_eV: Mapping[str, float] = field(default_factory=dict)
    cooled_s: float = 3600.0
    sink_A: float = 1000.0
    free_energies: bool = False

    def at_temperature(self, temperature_K: float) -> DefectThermodynamics:
        """The same with the window of a temperature, where free energies are wanted and known.

        Raises
        ------
        ValueError
            If the host is not stable at this temperature, whatever the gas.
        """
        if not self.free_energies or self.window.temperature_K is not None:
            return self
        try:
            window = window_at(self.window, temperature_K)
        except MissingFreeEnergyError:
            return self
        errors = {
            d.label: float(np.hypot(self.error_eV(d.label), cell_shift_eV(window, d.removed).error_eV))
            for d in self.defects
        }
        return replace(self, window=window, errors_eV=errors)

    def error_eV(self, label: str) -> float:
        """Error of one defect's formation energy."""
        return self.errors_eV.get(label, self.error_bar_eV)

    @property
    def largest_error_eV(self) -> float:
        """Of all defects."""
        return max((self.error_eV(d.label) for d in self.defects), default=self.error_bar_eV)

    @property
    def indicative(self) -> bool:
        """Whether the energies only indicate."""
        return only_indicates(self.references) or any(d.indicative for d in self.defects)

    def concentrations(
        self,
        temperature_K: float,
        delta_mu_O: float,
        *,
        fraction: float = 0.5,
        shift: float = 0.0,
        quench_to_K: float | None = None,
        outside: bool = False,
    ) -> ConcentrationSet:
        """Concentrations at one point.

        Parameters
        ----------
        temperature_K, delta_mu_O
            Temperature and oxygen potential.
        fraction
            See `chemical_potentials.at`.
        shift
            Times its own error is added to every formation energy.
        quench_to_K
            Cool with the totals frozen.
        outside
            Answer also where the host is not stable.

        Raises
        ------
        ValueError
            As `chemical_potentials.at` and `concentrations.solve_concentrations`.
        """
        point = at(self.window, delta_mu_O, fraction, outside=outside)
        lines = charge_lines(self.defects, self.edges, self.window, self.references, point)
        if shift:
            lines = [
                line.model_copy(update={"at_vbm_eV": line.at_vbm_eV + shift * self.error_eV(line.label)})
                for line in lines
            ]
        provenance = self.defects[0].provenance
        background = self.background_per_cm3
        grown = solve_concentrations(
            self.host, lines, temperature_K, provenance, edges=self.edges, background_per_cm3=background
        )
        if quench_to_K is None:
            return grown
        mobile = mobile_defects(self.barriers_eV, quench_to_K, self.cooled_s, self.sink_A)
        return quench(
            grown,
            self.host,
            lines,
            quench_to_K,
            edges=self.edges,
            mobile=mobile & {d.label for d in self.defects},
            background_per_cm3=background,
        )
