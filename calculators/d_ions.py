"""Assumed parameters of the 3d ions with a ligand-field model beyond Co2+ and Fe2+; none is fitted to an anisotropy.

Where the numbers come from, with the marks of `parameter_sources`:

- Racah B of the free ions (secondary): the table of W. L. Jolly, Modern Inorganic Chemistry (1989), as quoted; of Mn4+
  from general literature. Reduced by 1 - h k with h = 1 and the k of C. K. Jorgensen, Modern Aspects of Ligand Field
  Theory (1971), as quoted; where there is none, k = 0.09 of a divalent and 0.2 of a trivalent ion (assumed). C = 4.5 B
  (assumed). An ion of one electron or one hole needs neither.
- 10Dq (secondary): Jorgensen's g with f = 1, oxygen standing for water; of Ti3+, V3+, Cr2+ and Cu2+ from spectra of
  hexaaqua ions, those of Cr2+ and Cu2+ with their Jahn-Teller splitting; of Mn3+ that of Cr3+ (assumed: the band of
  its aqua ion at 21 000 1/cm holds the splitting, and would make it low spin, which it is in no oxide). It holds at
  the sum of Shannon's radii, 10.1107/S0567739476001551, of ion and oxygen (1.40 A).
- Spin-orbit constants (read): Hartree-Fock of Cowan's code as edrixs ships it, times 0.94 (assumed, as of Co2+).
- <r^2> (secondary): Hartree-Fock of A. J. Freeman and R. E. Watson, from general literature.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .ligand_field import LigandFieldParameters

Species = tuple[str, int]
PER_CM_eV = 1.239841984e-4
OXYGEN_RADIUS_A = 1.40
C_OVER_B = 4.5
# Of the free ion's spin-orbit constant in an oxide.
SPIN_ORBIT_KEPT = 0.94
# Share of e_pi in e_sigma, as of Co2+.
PI_SHARE = 0.22


class Ion(NamedTuple):
    """What is assumed of one ion.

    Attributes
    ----------
    electrons
        In the 3d shell.
    racah_B_per_cm, nephelauxetic_ratio
        Of the free ion, and what an oxide leaves of it; 0 where one electron or hole has no repulsion.
    ten_Dq_per_cm
        In an octahedron at the sum of radii.
    radius_A
        Shannon's, octahedral; high spin but for Co3+.
    spin_orbit_eV
        Of the free ion.
    r2_a0_squared
        <r^2>, Bohr radii squared.
    """

    electrons: int
    racah_B_per_cm: float
    nephelauxetic_ratio: float
    ten_Dq_per_cm: float
    radius_A: float
    spin_orbit_eV: float
    r2_a0_squared: float


D_IONS: Mapping[Species, Ion] = {
    ("Ti", 3): Ion(1, 0.0, 1.0, 20300, 0.67, 0.019, 1.893),
    ("V", 3): Ion(2, 861, 0.80, 18900, 0.64, 0.027, 1.643),
    ("V", 2): Ion(3, 755, 0.92, 12000, 0.79, 0.022, 2.070),
    ("Cr", 3): Ion(3, 918, 0.79, 17400, 0.615, 0.035, 1.447),
    ("Mn", 4): Ion(3, 1064, 0.50, 24000, 0.53, 0.052, 1.104),
    ("Cr", 2): Ion(4, 810, 0.91, 13900, 0.80, 0.030, 1.781),
    ("Mn", 3): Ion(4, 965, 0.80, 17400, 0.645, 0.046, 1.286),
    ("Mn", 2): Ion(5, 860, 0.93, 8000, 0.83, 0.040, 1.548),
    ("Co", 3): Ion(6, 1065, 0.65, 18200, 0.545, 0.074, 1.049),
    ("Ni", 2): Ion(8, 1030, 0.88, 8700, 0.69, 0.083, 1.130),
    ("Cu", 2): Ion(9, 0.0, 1.0, 12600, 0.73, 0.102, 1.028),
}


def parameters_of(species: Species) -> LigandFieldParameters:
    """Ligand-field parameters of an ion of `D_IONS`.

    10Dq = 3 e_sigma - 4 e_pi of a regular octahedron; other coordinations follow from the bonds.

    Raises
    ------
    KeyError
        If the ion is not in the table.
    """
    ion = D_IONS[species]
    e_sigma = PER_CM_eV * ion.ten_Dq_per_cm / (3.0 - 4.0 * PI_SHARE)
    racah_B = PER_CM_eV * ion.racah_B_per_cm * ion.nephelauxetic_ratio
    return LigandFieldParameters(
        racah_B_eV=racah_B,
        racah_C_eV=C_OVER_B * racah_B,
        e_sigma_eV=e_sigma,
        e_pi_eV=PI_SHARE * e_sigma,
        reference_distance_A=ion.radius_A + OXYGEN_RADIUS_A,
        zeta_eV=SPIN_ORBIT_KEPT * ion.spin_orbit_eV,
        r2_a0_squared=ion.r2_a0_squared,
    )
