"""A film of atomic planes between two electrodes: what is assumed of it, its rates and its field.

Mobile ions (or vacancies) of one kind hop between neighbouring planes with k = nu exp(-E/kT), tilted by the local
field; a place holds one of them. A uniform background makes the film neutral at its initial content. The field in each
gap is that of Poisson's equation for the planes' charges and the voltage on the whole stack.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from ...structures.units import BOLTZMANN_eV_PER_K, COULOMB_eV_A
from ..kinetics.applied_field import film_field_V_per_A
from ..kinetics.rates import ASSUMED_ATTEMPT_Hz, why_no_rate
from ..results.document import Document

FloatArray = NDArray[np.float64]
_MOST_PLANES = 2000


class Electrode(Document):
    """What stands before the first or behind the last plane.

    Attributes
    ----------
    kind
        ``blocking``: no ion passes. ``reservoir``: ions come and go with a reaction of one step.
    occupation
        Of the reservoir: the content with which it is in equilibrium without an overpotential.
    barrier_eV
        Of the reaction.
    share_of_voltage
        Part of the applied voltage that falls at this electrode and drives its reaction, with a symmetry factor of 1/2
        (Butler and Volmer); it is missing in the film.
    """

    kind: Literal["blocking", "reservoir"] = "blocking"
    occupation: float = Field(default=0.5, gt=0, lt=1)
    barrier_eV: float = Field(default=0.6, ge=0)
    share_of_voltage: float = Field(default=0.0, ge=0, lt=1)


class Traps(Document):
    """Places beside the planes that hold an ion more firmly, and so take it out of the film's switching.

    With equilibrium y/(share - y) = x/(1 - x) exp(depth/kT) of the trapped y and the free x per place of a plane.

    Attributes
    ----------
    share
        Traps for each place of a plane.
    depth_eV
        How much lower an ion lies in one.
    barrier_eV
        Of falling in; the depth comes on top of leaving.
    source
        Who says so, e.g. a vacancy's binding to an impurity by the stage binding; none of it is computed here.
    """

    share: float = Field(gt=0, le=1)
    depth_eV: float = Field(ge=0)
    barrier_eV: float = Field(gt=0)
    source: str = "stated"


class FilmModel(Document):
    """A film; everything here is assumed or comes from a computed hop.

    Attributes
    ----------
    thickness_nm, plane_spacing_A, sites_per_nm2
        Planes of places for the ion.
    barrier_eV, charge_e, attempt_Hz
        Of the hop between planes; the charge is that of what moves (negative for a vacancy of a cation).
    occupation
        Initial share of taken places; the background is neutral with it.
    permittivity, other_layers_nm
        Static, relative; (thickness in nm, permittivity) of the further dielectrics of the stack.
    screened
        Whether the charge that moved acts back on the field.
    traps
        Stated mechanism of fatigue; None without one.
    left, right
        Electrodes. A positive voltage pushes positive ions to the right.
    temperature_K, leakage_S_per_m, heating_K_m2_per_W
        The film warms by the heat of its electronic leakage, sigma V^2/t per area, times its thermal resistance.
    source
        Who says so.
    """

    thickness_nm: float = Field(default=20.0, gt=0)
    plane_spacing_A: float = Field(gt=0.1)
    sites_per_nm2: float = Field(default=10.0, gt=0)
    barrier_eV: float = Field(gt=0)
    charge_e: float
    attempt_Hz: float = Field(default=ASSUMED_ATTEMPT_Hz, gt=0)
    occupation: float = Field(default=0.05, gt=0, lt=1)
    permittivity: float = Field(default=10.0, ge=1)
    other_layers_nm: list[tuple[float, float]] = Field(default_factory=list)
    screened: bool = True
    traps: Traps | None = None
    left: Electrode = Field(default_factory=Electrode)
    right: Electrode = Field(default_factory=Electrode)
    temperature_K: float = Field(default=300.0, gt=0)
    leakage_S_per_m: float = Field(default=0.0, ge=0)
    heating_K_m2_per_W: float = Field(default=0.0, ge=0)
    source: str = "assumed"

    @field_validator("charge_e")
    @classmethod
    def _charged(cls, value: float) -> float:
        if value == 0 or not math.isfinite(value):
            raise ValueError(f"charge {value} e: what no field moves has no film; give its charge")
        return value

    @field_validator("thickness_nm")
    @classmethod
    def _few_planes(cls, value: float) -> float:
        if value > 500:
            raise ValueError(f"thickness {value} nm is beyond 500 nm, more planes than are solved one by one")
        return value

    @property
    def planes(self) -> int:
        """Number of planes, at least three."""
        return min(_MOST_PLANES, max(3, round(10 * self.thickness_nm / self.plane_spacing_A)))

    @property
    def gaps_A(self) -> FloatArray:
        """Widths between left electrode, planes and right electrode, shape (planes + 1,)."""
        gaps = np.full(self.planes + 1, self.plane_spacing_A)
        gaps[[0, -1]] /= 2
        return gaps

    @property
    def debye_length_A(self) -> float:
        """Of the mobile ions with blocking of places: sqrt(eps eps0 kT / [q^2 n x (1 - x)])."""
        density = self.sites_per_nm2 / 100 / self.plane_spacing_A * self.occupation * (1 - self.occupation)
        thermal = BOLTZMANN_eV_PER_K * self.temperature_K
        return math.sqrt(self.permittivity * thermal / (4 * math.pi * COULOMB_eV_A * self.charge_e**2 * density))

    def temperature_at_K(self, voltage_V: float) -> float:
        """Steady temperature under a voltage."""
        heat = self.leakage_S_per_m * voltage_V**2 / (self.thickness_nm * 1e-9)
        return self.temperature_K + self.heating_K_m2_per_W * heat

    def why_no_rate(self, field_V_per_A: FloatArray, voltage_V: float) -> str:
        """Why hops between planes have no rate law in these fields; empty if they have.

        The heat of the leakage under the voltage counts.
        """
        lowered = self.barrier_eV - abs(self.charge_e) * self.plane_spacing_A * float(np.abs(field_V_per_A).max()) / 2
        return why_no_rate(lowered, self.temperature_at_K(voltage_V))

    def film_voltage_V(self, voltage_V: float) -> float:
        """What is left for film and dielectrics after the electrodes' shares."""
        return voltage_V * (1 - self.left.share_of_voltage - self.right.share_of_voltage)

    def field_V_per_A(self, occupations: FloatArray, voltage_V: float) -> FloatArray:
        """Field in every gap, shape (planes + 1,): Gauss's law, with the voltage of the stack as its integral."""
        gaps = self.gaps_A
        width_nm = float(gaps.sum()) / 10
        others = self.other_layers_nm
        applied = film_field_V_per_A(self.film_voltage_V(voltage_V), width_nm, self.permittivity, others)
        if not self.screened:
            return np.full(len(gaps), applied)
        per_plane = self.charge_e * self.sites_per_nm2 / 100 * (occupations - self.occupation)
        step = 4 * math.pi * COULOMB_eV_A / self.permittivity
        rise = np.concatenate([[0.0], step * np.cumsum(per_plane)])
        # The further layers see the displacement that leaves the film on its right.
        more_A = 10 * self.permittivity * sum(t / eps for t, eps in others)
        mean = (rise @ gaps + rise[-1] * more_A) / (gaps.sum() + more_A)
        return np.asarray(applied + rise - mean)

    def rates_per_s(self, field_V_per_A: FloatArray, temperature_K: float) -> tuple[FloatArray, FloatArray]:
        """Rates to the right and to the left across gaps in these fields; no barrier falls below zero."""
        thermal = BOLTZMANN_eV_PER_K * temperature_K
        work = self.charge_e * self.plane_spacing_A * field_V_per_A
        right = np.maximum(np.maximum(self.barrier_eV - work / 2, -work), 0.0)
        left = right + work
        return self.attempt_Hz * np.exp(-right / thermal), self.attempt_Hz * np.exp(-left / thermal)

    def trapping_per_s(self, occupations: FloatArray, trapped: FloatArray, temperature_K: float) -> FloatArray:
        """Ions that fall into traps, less those that leave them, per place and second, shape (planes,)."""
        if self.traps is None:
            return np.zeros_like(occupations)
        into = self.attempt_Hz * math.exp(-self.traps.barrier_eV / (BOLTZMANN_eV_PER_K * temperature_K))
        out = into * math.exp(-self.traps.depth_eV / (BOLTZMANN_eV_PER_K * temperature_K))
        return np.asarray(into * occupations * (self.traps.share - trapped) - out * trapped * (1 - occupations))

    def electrode_rates_per_s(self, side: Literal["left", "right"], voltage_V: float) -> tuple[float, float]:
        """Rates at which an empty place beside an electrode is filled, and a filled one emptied."""
        electrode = self.left if side == "left" else self.right
        if electrode.kind == "blocking":
            return 0.0, 0.0
        temperature = self.temperature_at_K(voltage_V)
        thermal = BOLTZMANN_eV_PER_K * temperature
        sense = 1.0 if side == "left" else -1.0
        push = sense * self.charge_e * electrode.share_of_voltage * voltage_V / 2
        into = max(electrode.barrier_eV - push, -2 * push, 0.0)
        filling, emptying = (math.exp(-e / thermal) for e in (into, into + 2 * push))
        return self.attempt_Hz * electrode.occupation * filling, self.attempt_Hz * (1 - electrode.occupation) * emptying
