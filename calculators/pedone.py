"""Rows of the potential of Pedone et al., J. Phys. Chem. B 110, 11780 (2006), 10.1021/jp0611018: cation to oxygen.

``D {[1 - exp(-a (r - r0))]^2 - 1} + C / r^12`` beside partial charges of 0.6 of the formal ones. The paper was not at
hand: the numbers are those of public programs that cite it. All rows are in pyiron_glass (A. Atila, BAM); `COMPARED`
names what an independent one repeats digit for digit. Relaxed with them, the oxides
of 22 cations have their measured lattice within 2.5 %, those of Na and K are 4 and 5 % small.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class PairTerms(NamedTuple):
    """D (eV), a (1/Angstrom), r0 (Angstrom), C (eV Angstrom^12)."""

    depth_eV: float
    width_per_A: float
    minimum_A: float
    wall_eV_A12: float


ROWS: Mapping[tuple[str, int], PairTerms] = {
    ("O", -2): PairTerms(0.042395, 1.379316, 3.618701, 22.0),
    ("Li", 1): PairTerms(0.001114, 3.429506, 2.681360, 1.0),
    ("Na", 1): PairTerms(0.023363, 1.763867, 3.006315, 5.0),
    ("K", 1): PairTerms(0.011612, 2.062605, 3.305308, 5.0),
    ("Cu", 1): PairTerms(0.090720, 3.802168, 2.055405, 1.0),
    ("Ag", 1): PairTerms(0.088423, 3.439162, 2.265956, 1.0),
    ("Be", 2): PairTerms(0.239919, 2.527420, 1.815405, 1.0),
    ("Mg", 2): PairTerms(0.038908, 2.281000, 2.586153, 5.0),
    ("Ca", 2): PairTerms(0.030211, 2.241334, 2.923245, 5.0),
    ("Sr", 2): PairTerms(0.019623, 1.886000, 3.328330, 3.0),
    ("Ba", 2): PairTerms(0.065011, 1.547596, 3.393410, 5.0),
    ("Mn", 2): PairTerms(0.029658, 1.997543, 2.852075, 3.0),
    ("Fe", 2): PairTerms(0.078171, 1.822638, 2.658163, 2.0),
    ("Co", 2): PairTerms(0.012958, 2.361272, 2.756282, 3.0),
    ("Ni", 2): PairTerms(0.029356, 2.679137, 2.500754, 3.0),
    ("Zn", 2): PairTerms(0.001221, 3.150679, 2.851850, 1.0),
    ("Sc", 3): PairTerms(0.000333, 3.144445, 3.200000, 2.6),
    ("Cr", 3): PairTerms(0.399561, 1.785079, 2.340810, 1.0),
    ("Fe", 3): PairTerms(0.418981, 1.620376, 2.382183, 2.0),
    ("Al", 3): PairTerms(0.361581, 1.900442, 2.164818, 0.9),
    ("Nd", 3): PairTerms(0.014580, 1.825100, 3.398717, 3.0),
    ("Gd", 3): PairTerms(0.000132, 2.013000, 4.351589, 3.0),
    ("Er", 3): PairTerms(0.040448, 2.294078, 2.837722, 3.0),
    ("Ti", 4): PairTerms(0.024235, 2.254703, 2.708943, 1.0),
    ("Zr", 4): PairTerms(0.206237, 2.479675, 2.436997, 1.0),
    ("Si", 4): PairTerms(0.340554, 2.006700, 2.100000, 1.0),
    ("Ge", 4): PairTerms(0.158118, 2.294230, 2.261313, 5.0),
    ("Sn", 4): PairTerms(0.079400, 2.156770, 2.633076, 3.0),
    ("P", 5): PairTerms(0.831326, 2.585833, 1.800790, 1.0),
}

COMPARED: Mapping[str, tuple[tuple[str, int], ...]] = {
    # Morse rows and C of the calcium-magnesium example of a fitting tool's manual, for GULP.
    "potential fitting tool (GULP example)": (("O", -2), ("Mg", 2), ("Ca", 2)),
    # Morse rows of a LAMMPS input for beryl; C is another there (walls were added to it).
    "G. Vermillion, beryl in LAMMPS": (("O", -2), ("Be", 2), ("Al", 3), ("Si", 4)),
}
"""Where rows were found a second time, by an author of their own."""
