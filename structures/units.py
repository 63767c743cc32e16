"""Physical constants and unit factors of the whole package; a quantity's name says its unit.

Constants are CODATA's through scipy, but for the two that set energies of the calculators: Coulomb's constant is that
of ASE, in whose units their energies are, and the Bohr radius is that of CODATA 2018, with which the parameters of the
single ions were tabulated.
"""

from __future__ import annotations

from ase.units import Bohr, Hartree
from scipy import constants as _c

BOLTZMANN_eV_PER_K: float = _c.physical_constants["Boltzmann constant in eV/K"][0]
PLANCK_eV_S: float = _c.physical_constants["Planck constant in eV/Hz"][0]
MU_B_J_PER_T: float = _c.physical_constants["Bohr magneton"][0]
COULOMB_eV_A: float = float(Hartree * Bohr)
"""e^2 / (4 pi epsilon_0), eV Angstrom."""
BOHR_A: float = 0.529177210903
PER_CM_TO_eV: float = 100.0 * _c.h * _c.c / _c.e
MEV_TO_J: float = 1e-3 * _c.e
EV_PER_KJ_PER_MOL: float = 1000.0 / (_c.N_A * _c.e)
V_PER_A_TO_V_PER_M: float = 1e10
V_PER_M_TO_V_PER_A: float = 1e-10
E_PER_A2_TO_uC_PER_CM2: float = 1602.176634
MEV_PER_A_TO_J_PER_M: float = MEV_TO_J / 1e-10
RYDBERG_meV: float = 500.0 * Hartree
MEV_PER_A3_TO_MJ_PER_M3: float = MEV_TO_J / 1e-30 / 1e6
MEV_PER_A2_TO_mJ_PER_M2: float = MEV_TO_J / 1e-20 * 1e3
SECONDS_PER_DAY = 86400.0
SECONDS_PER_YEAR = 365.25 * SECONDS_PER_DAY
