"""Physical constants and unit conversions, from CODATA through scipy."""

from __future__ import annotations

from scipy import constants as _c

BOLTZMANN_eV_PER_K: float = _c.physical_constants["Boltzmann constant in eV/K"][0]
MU_B_J_PER_T: float = _c.physical_constants["Bohr magneton"][0]
MEV_TO_J: float = 1e-3 * _c.e
V_PER_A_TO_V_PER_M: float = 1e10
MEV_PER_A3_TO_MJ_PER_M3: float = MEV_TO_J / 1e-30 / 1e6
SECONDS_PER_DAY = 86400.0
SECONDS_PER_YEAR = 365.25 * SECONDS_PER_DAY
